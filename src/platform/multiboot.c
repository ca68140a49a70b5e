/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Multiboot Specification 0.6.96: the header in an image ("OS image format")
 * and the information handed to it ("Boot information format").
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "platform/image.h"

/* "The Multiboot header must be contained completely within ... 8192" */
#define SEARCH_BYTES 8192
#define SEARCH_STEP  4
#define MB_MAGIC     0x1badb002u
#define MB_SIZE      12 /* magic, flags, checksum */
#define MB_ADDR_SIZE 32 /* ... and five address fields */

#define MB_PAGE_ALIGN BIT(0)
#define MB_MEMORY     BIT(1)
#define MB_VIDEO      BIT(2)
#define MB_REQUIRED   BITS(15, 0)
#define MB_ADDRESSES  BIT(16)

/* Flags and offsets of the boot information, and of a map entry. */
#define INFO_MEMORY      BIT(0)
#define INFO_CMDLINE     BIT(2)
#define INFO_MODULES     BIT(3)
#define INFO_MMAP        BIT(6)
#define INFO_LOADER_NAME BIT(9)
#define INFO_FLAGS                                               \
	(INFO_MEMORY | INFO_CMDLINE | INFO_MODULES | INFO_MMAP | \
	 INFO_LOADER_NAME)

enum {
	AT_FLAGS = 0,
	AT_MEM_LOWER = 4,
	AT_MEM_UPPER = 8,
	AT_CMDLINE = 16,
	AT_MMAP_LENGTH = 44,
	AT_MMAP_ADDR = 48,
	AT_LOADER_NAME = 64,
	INFO_SIZE = 120,
	MMAP_ENTRY = 24,
};

#define MMAP_AVAILABLE 1
#define MMAP_RESERVED  2
#define MMAP_ENTRIES   4
#define LOADER_NAME    "notrap"
#define ROM_START      UINT64_C(0xf0000)

static bool header_at(const struct image *img, uint64_t offset)
{
	return image_has(img, offset, MB_SIZE) &&
	       image_le32(img, offset) == MB_MAGIC;
}

bool multiboot_find(const struct image *img, struct mb_header *ret)
{
	*ret = (struct mb_header){0};
	for (uint64_t at = 0; at + MB_SIZE <= SEARCH_BYTES; at += SEARCH_STEP) {
		uint32_t flags;

		if (!header_at(img, at))
			continue;
		flags = image_le32(img, at + 4);
		if (MB_MAGIC + flags + image_le32(img, at + 8) == 0) {
			*ret = (struct mb_header){at, flags, false};
			return true;
		}
		if (!ret->bad_checksum)
			*ret = (struct mb_header){at, flags, true};
	}
	return false;
}

bool multiboot_has_addresses(const struct mb_header *mb)
{
	return mb->flags & MB_ADDRESSES;
}

int multiboot_check(const struct image *img, const struct mb_header *mb,
		    struct diag *diag)
{
	uint32_t unmet = mb->flags &
			 (uint32_t)(MB_REQUIRED & ~MB_PAGE_ALIGN & ~MB_MEMORY);

	if (unmet == MB_VIDEO)
		return diag_set(diag, -ENOEXEC,
				"%s asks for a video mode, and there is no "
				"display",
				img->name);
	if (unmet)
		return diag_set(diag, -ENOEXEC,
				"%s requires multiboot features that are "
				"unknown here (flags 0x%" PRIx32 ")",
				img->name, mb->flags);
	return 0;
}

static int bad_addresses(const struct image *img, struct diag *diag,
			 const char *why)
{
	return diag_set(diag, -ENOEXEC,
			"%s has wrong address fields in its multiboot "
			"header: %s",
			img->name, why);
}

int multiboot_plan(const struct image *img, const struct mb_header *mb,
		   struct load_plan *ret, struct diag *diag)
{
	uint64_t header, start, load_end, bss_end, offset, len, end;

	if (!image_has(img, mb->offset, MB_ADDR_SIZE))
		return diag_set(diag, -ENOEXEC,
				"%s is truncated at offset %" PRIu64
				", within its multiboot header",
				img->name, img->size);
	header = image_le32(img, mb->offset + 12);
	start = image_le32(img, mb->offset + 16);
	load_end = image_le32(img, mb->offset + 20);
	bss_end = image_le32(img, mb->offset + 24);

	if (start > header)
		return bad_addresses(img, diag, "load_addr above header_addr");
	if (header - start > mb->offset)
		return bad_addresses(img, diag,
				     "load_addr before the file's start");
	offset = mb->offset - (header - start);
	if (load_end && load_end <= start)
		return bad_addresses(img, diag,
				     "load_end_addr not above load_addr");
	len = load_end ? load_end - start : img->size - offset;
	if (!image_has(img, offset, len))
		return diag_set(diag, -ENOEXEC,
				"%s is truncated at offset %" PRIu64
				": its header loads 0x%" PRIx64
				" bytes from offset 0x%" PRIx64,
				img->name, img->size, len, offset);
	end = start + len;
	if (bss_end && bss_end < end)
		return bad_addresses(img, diag,
				     "bss_end_addr before the end of data");
	*ret = (struct load_plan){
		.seg[0] = {start, bss_end ? bss_end - start : len, offset, len},
		.nr = 1,
		.entry = image_le32(img, mb->offset + 28),
	};
	return 0;
}

static void put_le(uint8_t *to, uint64_t val, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		to[i] = (uint8_t)(val >> (8 * i));
}

static void put_map_entry(uint8_t *to, uint64_t start, uint64_t end,
			  uint32_t type)
{
	put_le(to, MMAP_ENTRY - 4, 4); /* "size" does not count itself */
	put_le(to + 4, start, 8);
	put_le(to + 12, end - start, 8);
	put_le(to + 20, type, 4);
}

/* Information, memory map, loader name, command line: in this order. */
#define MMAP_AT INFO_SIZE
#define NAME_AT (MMAP_AT + MMAP_ENTRIES * MMAP_ENTRY)
#define CMD_AT  (NAME_AT + sizeof(LOADER_NAME))

uint64_t multiboot_info_size(const char *cmdline)
{
	return CMD_AT + strlen(cmdline) + 1;
}

void multiboot_write_info(uint8_t *ram, uint64_t ram_size, uint64_t gpa,
			  const char *cmdline)
{
	uint8_t *info = ram + gpa;
	uint8_t *map = info + MMAP_AT;

	BUG_ON(gpa + multiboot_info_size(cmdline) > LOW_END);
	memset(info, 0, INFO_SIZE);
	put_le(info + AT_FLAGS, INFO_FLAGS, 4);
	put_le(info + AT_MEM_LOWER, LOW_END / 1024, 4);
	put_le(info + AT_MEM_UPPER, (ram_size - HIGH_START) / 1024, 4);
	put_le(info + AT_CMDLINE, gpa + CMD_AT, 4);
	put_le(info + AT_MMAP_LENGTH, MMAP_ENTRIES * MMAP_ENTRY, 4);
	put_le(info + AT_MMAP_ADDR, gpa + MMAP_AT, 4);
	put_le(info + AT_LOADER_NAME, gpa + NAME_AT, 4);

	put_map_entry(map, 0, LOW_END, MMAP_AVAILABLE);
	map += MMAP_ENTRY;
	put_map_entry(map, LOW_END, 0xa0000, MMAP_RESERVED);
	map += MMAP_ENTRY;
	put_map_entry(map, ROM_START, HIGH_START, MMAP_RESERVED);
	map += MMAP_ENTRY;
	put_map_entry(map, HIGH_START, ram_size, MMAP_AVAILABLE);

	memcpy(info + NAME_AT, LOADER_NAME, sizeof(LOADER_NAME));
	memcpy(info + CMD_AT, cmdline, strlen(cmdline) + 1);
}
