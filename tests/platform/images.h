/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds small guest images byte by byte, for the loader's tests.  Each has a
 * multiboot header, CODE_BYTES of "code" (the bytes 1, 2, 3, ...) to be loaded
 * at LOAD_ADDR with the entry at its start, and BSS_BYTES of bss behind.
 */
#ifndef NOTRAP_TESTS_PLATFORM_IMAGES_H
#define NOTRAP_TESTS_PLATFORM_IMAGES_H

#include "base/types.h"

#define IMAGE_MAX  0x9000
#define LOAD_ADDR  0x100100u
#define VIRT_BASE  0xc0000000u /* VIRT_BASE + LOAD_ADDR is the ELF p_vaddr */
#define CODE_BYTES 64u
#define BSS_BYTES  4000u

#define MB_MAGIC 0x1badb002u

struct test_image {
	uint8_t data[IMAGE_MAX];
	size_t size;
	size_t mb;   /* offset of the multiboot header */
	size_t ph;   /* ELF: offset of the first program header */
	size_t code; /* offset of the code */
};

/* Little-endian store of 1, 2, 4 or 8 bytes. */
void put(struct test_image *img, size_t at, uint64_t val, unsigned int bytes);
/* Writes magic, flags and the checksum that fits. */
void put_header(struct test_image *img, size_t at, uint32_t flags);

void build_elf32(struct test_image *img);
void build_elf64(struct test_image *img);
void build_kludge(struct test_image *img);

/* Offsets of ELF fields. */
enum {
	E_TYPE = 16,
	E_MACHINE = 18,
	E_ENTRY = 24,
	E32_PHOFF = 28,
	E32_PHENTSIZE = 42,
	E32_PHNUM = 44,
	E64_PHOFF = 32,
	E64_PHENTSIZE = 54,
	E64_PHNUM = 56,
	P_TYPE = 0,
	P32_OFFSET = 4,
	P32_VADDR = 8,
	P32_PADDR = 12,
	P32_FILESZ = 16,
	P32_MEMSZ = 20,
	P64_OFFSET = 8,
	P64_VADDR = 16,
	P64_PADDR = 24,
	P64_FILESZ = 32,
	P64_MEMSZ = 40,
};

#endif
