/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads a guest image into RAM as a multiboot 1 boot loader does (Multiboot
 * Specification 0.6.96): ELF32 and ELF64 images by their program headers'
 * physical addresses, others by the address fields of the multiboot header.
 * Nothing in a file is believed: every offset, length and address is checked
 * before the first byte of RAM changes, and a refusal leaves RAM as it was.
 *
 * The memory the guest is told of: 0..0x9fc00 and 1 MiB..end of RAM.  An
 * image must lie in it.  The boot information goes to the first free page
 * from 0x9000 up and never overlaps the image.
 *
 * The guest starts as the specification's "Machine state" says: 32-bit
 * protected mode, paging off, flat segments, interrupts off.
 * Left out: modules, video modes, symbols, drives.
 */
#ifndef NOTRAP_PLATFORM_LOADER_H
#define NOTRAP_PLATFORM_LOADER_H

#include "base/diag.h"
#include "base/types.h"

#define LOADER_CMDLINE_MAX 4095 /* bytes without the NUL */
#define LOADER_RAM_MIN     UINT64_C(0x110000)
#define LOADER_FILE_MAX    UINT64_C(0x40000000)
#define LOADER_SEGMENTS    64

struct boot_state {
	uint32_t entry; /* EIP, a physical address */
	uint32_t eax;   /* 0x2badb002: "loaded by a multiboot loader" */
	uint32_t ebx;   /* gpa of the boot information */
};

/* An image in memory; name is what messages call it. */
struct image {
	const char *name;
	const uint8_t *data;
	uint64_t size;
};

/*
 * cmdline: handed over exactly as it is, no image name in front; NULL is "".
 * ram, size: guest-physical memory from 0.  Returns 0, or with a line that
 * says what the file is or where it is wrong:
 * -ENOEXEC: not an image we can start; -EFBIG: it does not fit into size;
 * -EINVAL: size or cmdline; others: the file could not be read.
 */
int loader_load(const char *path, const char *cmdline, uint8_t *ram,
		uint64_t size, struct boot_state *ret, struct diag *diag);

/* The same for bytes that are in memory already. */
int loader_load_image(const struct image *img, const char *cmdline,
		      uint8_t *ram, uint64_t size, struct boot_state *ret,
		      struct diag *diag);

#endif
