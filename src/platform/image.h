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

struct boot_job;

/* What differs between protocols once there is a plan. */
struct boot_protocol {
	/* Modules follow the image, not as high as may be. */
	bool modules_behind;
	/* Bytes of boot information, and the writing of them at job->info. */
	uint64_t (*info_size)(const struct boot_files *files);
	void (*write_info)(const struct boot_job *job, struct boot_state *ret);
};

struct load_plan {
	const struct boot_protocol *protocol;
	struct segment seg[LOADER_SEGMENTS];
	unsigned int nr;
	uint64_t entry;
	/* Memory that the image takes before it can look at any map. */
	struct segment claim;
	uint64_t modules_end; /* modules lie below */
};

/* A plan with addresses found for all that goes with the image. */
struct boot_job {
	const struct boot_files *files;
	struct load_plan plan;
	uint64_t info;
	uint64_t module[LOADER_MODULES];
	uint8_t *ram;
	uint64_t ram_size;
};

/* True if the ranges [a, a + alen) and [b, b + blen) share a byte. */
static inline bool ranges_overlap(uint64_t a, uint64_t alen, uint64_t b,
				  uint64_t blen)
{
	if (!alen || !blen)
		return false;
	return a <= b ? b - a < alen : a - b < blen;
}

/* place.c: -EFBIG or -ENOEXEC with a line; job->plan and files are set. */
int place_all(struct boot_job *job, struct diag *diag);
/* Memory in MiB that surely is enough for this plan and the modules. */
uint64_t place_needs(const struct boot_job *job);

/* boot_info.c: pieces of boot information, one behind the other. */
struct boot_info {
	uint8_t *ram;
	uint64_t next;
};

void put_le(uint8_t *to, uint64_t val, unsigned int bytes);
/* Zeros.  The gpa of the piece, and of the string. */
uint64_t info_take(struct boot_info *info, uint64_t size);
uint64_t info_string(struct boot_info *info, const char *s);
/* Bytes of all command lines, NULs included. */
uint64_t info_strings_size(const struct boot_files *files);

/* The memory map, as BIOS call E820 would tell it (ACPI, chapter 15). */
#define MAP_ENTRIES  4
#define MAP_RAM      1
#define MAP_RESERVED 2

struct map_entry {
	uint64_t start;
	uint64_t size;
	uint32_t type;
};

void memory_map(uint64_t ram_size, struct map_entry map[static MAP_ENTRIES]);

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
/* Segments and entry. */
int elf_plan(const struct image *img, const struct elf *elf,
	     struct load_plan *ret, struct diag *diag);

/*
 * The first note of this owner and type: its descriptor.  A table of notes
 * that is cut or wrong ends where it can no longer be read.
 */
struct elf_note {
	uint64_t offset;
	uint64_t size;
};

bool elf_find_note(const struct image *img, const struct elf *elf,
		   const char *owner, uint32_t type, struct elf_note *ret);

/* pvh.c */
bool pvh_find(const struct image *img, const struct elf *elf,
	      struct elf_note *ret);
int pvh_plan(const struct image *img, const struct elf *elf,
	     const struct elf_note *note, struct load_plan *ret,
	     struct diag *diag);

/* bzimage.c */
bool bzimage_find(const struct image *img);
int bzimage_plan(const struct boot_files *files, struct load_plan *ret,
		 struct diag *diag);

/* multiboot.c */
struct mb_header {
	uint64_t offset;
	uint32_t flags;
	bool bad_checksum; /* one with a wrong checksum was there, no other */
};

/* Is there a header?  If not, ret->bad_checksum and its offset are set. */
bool multiboot_find(const struct image *img, struct mb_header *ret);
int multiboot_plan(const struct image *img, const struct mb_header *mb,
		   struct load_plan *ret, struct diag *diag);

/* image_kind.c: -ENOEXEC with a line that says what the file is. */
int image_refuse(const struct image *img, struct diag *diag);

#endif
