/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds small guest images byte by byte, for the loader's tests.  Each loads
 * CODE_BYTES of "code" (the bytes 1, 2, 3, ...) with the entry at its start,
 * and has BSS_BYTES of bss behind, but for the bzImage, which has none.
 */
#ifndef NOTRAP_TESTS_PLATFORM_IMAGES_H
#define NOTRAP_TESTS_PLATFORM_IMAGES_H

#include "base/types.h"

#define IMAGE_MAX  0x9000
#define LOAD_ADDR  0x100100u
#define BZ_ADDR    0x100000u   /* where a bzImage is loaded instead */
#define VIRT_BASE  0xc0000000u /* VIRT_BASE + LOAD_ADDR is the ELF p_vaddr */
#define CODE_BYTES 64u
#define BSS_BYTES  4000u

#define MB_MAGIC 0x1badb002u

struct test_image {
	uint8_t data[IMAGE_MAX];
	size_t size;
	size_t mb;     /* multiboot: offset of the header */
	size_t ph;     /* ELF: offset of the first program header */
	size_t note;   /* PVH: offset of the note with the entry */
	size_t code;   /* offset of the code */
	size_t fields; /* the part that has fields begins here */
	size_t told;   /* cut from here on, it is said where */
};

/* Little-endian store of 1, 2, 4 or 8 bytes. */
void put(struct test_image *img, size_t at, uint64_t val, unsigned int bytes);
/* Writes magic, flags and the checksum that fits. */
void put_header(struct test_image *img, size_t at, uint32_t flags);

void build_elf32(struct test_image *img);
void build_elf64(struct test_image *img);
void build_kludge(struct test_image *img);
/* PVH: a segment to load, then one of notes, of which the last is the entry. */
void build_pvh32(struct test_image *img);
void build_pvh64(struct test_image *img);
/* Boot protocol 2.15; wants BZ_INIT bytes from BZ_PREF up. */
void build_bzimage(struct test_image *img);

#define BZ_PREF    0x140000u
#define BZ_INIT    0x20000u
#define BZ_CMDLINE 2047u

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
	E32_PHSIZE = 32,
	E64_PHSIZE = 56,
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
	P64_ALIGN = 48,
};

/* Offsets of bzImage fields. */
enum {
	BZ_SETUP_SECTS = 0x1f1,
	BZ_SYSSIZE = 0x1f4,
	BZ_BOOT_FLAG = 0x1fe,
	BZ_JUMP = 0x200,
	BZ_MAGIC = 0x202,
	BZ_VERSION = 0x206,
	BZ_LOADFLAGS = 0x211,
	BZ_CODE32_START = 0x214,
	BZ_INITRD_MAX = 0x22c,
	BZ_ALIGNMENT = 0x230,
	BZ_RELOCATABLE = 0x234,
	BZ_CMDLINE_SIZE = 0x238,
	BZ_PREF_ADDRESS = 0x258,
	BZ_INIT_SIZE = 0x260,
	BZ_HEADER_END = 0x26c,
};

#endif
