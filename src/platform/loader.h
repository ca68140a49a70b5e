/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads a guest into RAM as a boot loader does and says how it starts
 * (docs/boot.md).  What a file is decides the protocol, the first that fits:
 *
 *   ELF with a Xen note PHYS32_ENTRY   PVH (Linux' vmlinux)
 *   "HdrS" of a bzImage                Linux' 32-bit boot protocol
 *   multiboot 1 header                 multiboot; ELF32 and ELF64 by their
 *                                      program headers, others by the
 *                                      header's address fields
 *
 * Nothing in a file is believed: every offset, length and address is checked
 * before the first byte of RAM changes, and a refusal leaves RAM as it was.
 *
 * The memory the guest is told of: 0..0x9fc00 and 1 MiB..end of RAM.  An
 * image must lie in it.  Boot information goes to the first free page from
 * 0x9000 up, modules above 1 MiB: multiboot's behind the image, an initrd as
 * high as the protocol allows.  None of these overlap.
 *
 * The guest starts in 32-bit protected mode: paging off, flat segments,
 * interrupts off.  Left out: video modes, symbols, drives, ACPI.
 */
#ifndef NOTRAP_PLATFORM_LOADER_H
#define NOTRAP_PLATFORM_LOADER_H

#include "base/diag.h"
#include "base/types.h"

#define LOADER_CMDLINE_MAX 4095 /* bytes without the NUL; modules' too */
#define LOADER_RAM_MIN     UINT64_C(0x110000)
#define LOADER_SEGMENTS    64
#define LOADER_MODULES     16
#define IMAGE_NAME_MAX     200
#define IMAGE_SIZE_MAX     UINT64_C(0x40000000)

/* A file's bytes; name is what messages call it. */
struct image {
	char name[IMAGE_NAME_MAX + 1];
	const uint8_t *data;
	uint64_t size;
};

/*
 * Read a regular file; image_free() it.  name becomes the end of the path, fit
 * for one line.  -EISDIR, -ENOEXEC (no regular file), -EFBIG, -ENOMEM or what
 * open() and read() say, with a line.
 */
int image_read(const char *path, struct image *ret, struct diag *diag);
void image_free(struct image *img);

/* An initrd, or a multiboot module.  args: its own command line. */
struct boot_module {
	struct image image;
	const char *args;
};

/* Command lines are handed over as they are, no image name in front. */
struct boot_files {
	struct image kernel;
	const char *cmdline;
	const struct boot_module *module;
	unsigned int nr_modules;
};

/* Registers at the entry; those not named are 0. */
struct boot_state {
	uint32_t entry; /* EIP, a physical address */
	uint32_t eax;
	uint32_t ebx;
	uint32_t esi;
	uint32_t gdt; /* GDTR; a limit of 0: there is no table */
	uint16_t gdt_limit;
	uint16_t cs; /* selectors: 32-bit code, read and execute ... */
	uint16_t ds; /* ... and data for all others, base 0, limit 4 GiB */
};

/*
 * ram, size: guest-physical memory from 0.  Returns 0, or with a line that
 * says what a file is, where it is wrong or how much memory is needed:
 * -ENOEXEC: not an image we can start; -EFBIG: it does not fit into size;
 * -EINVAL: size, command lines or modules.
 */
int loader_load(const struct boot_files *files, uint8_t *ram, uint64_t size,
		struct boot_state *ret, struct diag *diag);

#endif
