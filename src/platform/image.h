/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to the loader: bounds-checked reading of an image, the plan that a
 * format's reader makes of it, and the readers themselves.
 */
#ifndef NOTRAP_PLATFORM_IMAGE_H
#define NOTRAP_PLATFORM_IMAGE_H

#include "base/bug.h"
#include "platform/loader.h"

#define MIB        UINT64_C(0x100000)
#define LOW_END    UINT64_C(0x9fc00) /* conventional memory below the EBDA */
#define HIGH_START MIB

static inline bool image_has(const struct image *img, uint64_t offset,
			     uint64_t len)
{
	return offset <= img->size && len <= img->size - offset;
}

/* Little-endian fields.  The caller has checked image_has(). */
static inline uint64_t image_le(const struct image *img, uint64_t offset,
				unsigned int bytes)
{
	uint64_t val = 0;

	BUG_ON(!image_has(img, offset, bytes));
	for (unsigned int i = 0; i < bytes; i++)
		val |= (uint64_t)img->data[offset + i] << (8 * i);
	return val;
}

static inline uint16_t image_le16(const struct image *img, uint64_t offset)
{
	return (uint16_t)image_le(img, offset, 2);
}

static inline uint32_t image_le32(const struct image *img, uint64_t offset)
{
	return (uint32_t)image_le(img, offset, 4);
}

static inline uint64_t image_le64(const struct image *img, uint64_t offset)
{
	return image_le(img, offset, 8);
}

/* file_size bytes at offset go to gpa; zeros follow up to mem_size. */
struct segment {
	uint64_t gpa;
	uint64_t mem_size;
	uint64_t offset;
	uint64_t file_size;
};

struct load_plan {
	struct segment seg[LOADER_SEGMENTS];
	unsigned int nr;
	uint64_t entry;
};

/* True if the ranges [a, a + alen) and [b, b + blen) share a byte. */
static inline bool ranges_overlap(uint64_t a, uint64_t alen, uint64_t b,
				  uint64_t blen)
{
	if (!alen || !blen)
		return false;
	return a <= b ? b - a < alen : a - b < blen;
}

/* elf_image.c */
struct elf {
	unsigned int bits; /* 32 or 64 */
	uint16_t type;
	uint64_t entry;
	uint64_t phoff;
	uint16_t phnum;
};

bool image_is_elf(const struct image *img);
/* Is it a whole x86 ELF file?  -ENOEXEC with a line that says why not. */
int elf_open(const struct image *img, struct elf *ret, struct diag *diag);
int elf_plan(const struct image *img, const struct elf *elf,
	     struct load_plan *ret, struct diag *diag);

/* multiboot.c */
struct mb_header {
	uint64_t offset;
	uint32_t flags;
	bool bad_checksum; /* one with a wrong checksum was there, no other */
};

/* Is there a header?  If not, ret->bad_checksum and its offset are set. */
bool multiboot_find(const struct image *img, struct mb_header *ret);
bool multiboot_has_addresses(const struct mb_header *mb);
int multiboot_check(const struct image *img, const struct mb_header *mb,
		    struct diag *diag);
/* The plan by the header's own address fields ("a.out kludge"). */
int multiboot_plan(const struct image *img, const struct mb_header *mb,
		   struct load_plan *ret, struct diag *diag);

/* Bytes of boot information, and the writing of them at gpa. */
uint64_t multiboot_info_size(const char *cmdline);
void multiboot_write_info(uint8_t *ram, uint64_t ram_size, uint64_t gpa,
			  const char *cmdline);

/* image_kind.c: -ENOEXEC with a line that says what the file is. */
int image_refuse(const struct image *img, struct diag *diag);

#endif
