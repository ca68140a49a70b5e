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
	AT_MODS_COUNT = 20,
	AT_MODS_ADDR = 24,
	AT_MMAP_LENGTH = 44,
	AT_MMAP_ADDR = 48,
	AT_LOADER_NAME = 64,
	INFO_SIZE = 120,
	MMAP_ENTRY = 24,
	MODULE_ENTRY = 16,
};

#define LOADER_NAME "notrap"
#define BOOT_EAX    0x2badb002u /* "loaded by a Multiboot-compliant loader" */

/* No selectors are promised; these are what GRUB has. */
#define BOOT_CS 0x08
#define BOOT_DS 0x10

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

static int check_flags(const struct image *img, const struct mb_header *mb,
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

/* By the header's own address fields ("a.out kludge"). */
static int plan_by_addresses(const struct image *img,
			     const struct mb_header *mb, struct load_plan *ret,
			     struct diag *diag)
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

static uint64_t info_size(const struct boot_files *files)
{
	return INFO_SIZE + MAP_ENTRIES * MMAP_ENTRY +
	       files->nr_modules * MODULE_ENTRY + sizeof(LOADER_NAME) +
	       info_strings_size(files);
}

static uint64_t write_map(struct boot_info *info, uint64_t ram_size)
{
	uint64_t gpa = info_take(info, MAP_ENTRIES * MMAP_ENTRY);
	struct map_entry map[MAP_ENTRIES];
	uint8_t *to = info->ram + gpa;

	memory_map(ram_size, map);
	for (unsigned int i = 0; i < MAP_ENTRIES; i++, to += MMAP_ENTRY) {
		put_le(to, MMAP_ENTRY - 4, 4); /* "size": not of itself */
		put_le(to + 4, map[i].start, 8);
		put_le(to + 12, map[i].size, 8);
		put_le(to + 20, map[i].type, 4);
	}
	return gpa;
}

static uint64_t write_modules(struct boot_info *info,
			      const struct boot_job *job)
{
	const struct boot_files *files = job->files;
	uint64_t gpa = info_take(info, files->nr_modules * MODULE_ENTRY);
	uint8_t *to = info->ram + gpa;

	for (unsigned int i = 0; i < files->nr_modules; i++) {
		const struct boot_module *module = &files->module[i];

		put_le(to, job->module[i], 4);
		put_le(to + 4, job->module[i] + module->image.size, 4);
		put_le(to + 8, info_string(info, module->args), 4);
		to += MODULE_ENTRY;
	}
	return gpa;
}

static void write_info(const struct boot_job *job, struct boot_state *ret)
{
	struct boot_info info = {job->ram, job->info};
	uint8_t *to = info.ram + info_take(&info, INFO_SIZE);

	put_le(to + AT_FLAGS, INFO_FLAGS, 4);
	put_le(to + AT_MEM_LOWER, LOW_END / 1024, 4);
	put_le(to + AT_MEM_UPPER, (job->ram_size - HIGH_START) / 1024, 4);
	put_le(to + AT_MODS_COUNT, job->files->nr_modules, 4);
	put_le(to + AT_MMAP_LENGTH, MAP_ENTRIES * MMAP_ENTRY, 4);
	put_le(to + AT_MMAP_ADDR, write_map(&info, job->ram_size), 4);
	put_le(to + AT_MODS_ADDR, write_modules(&info, job), 4);
	put_le(to + AT_LOADER_NAME, info_string(&info, LOADER_NAME), 4);
	put_le(to + AT_CMDLINE, info_string(&info, job->files->cmdline), 4);
	*ret = (struct boot_state){
		.entry = (uint32_t)job->plan.entry,
		.eax = BOOT_EAX,
		.ebx = (uint32_t)job->info,
		.cs = BOOT_CS,
		.ds = BOOT_DS,
	};
}

static const struct boot_protocol multiboot = {
	.modules_behind = true,
	.info_size = info_size,
	.write_info = write_info,
};

int multiboot_plan(const struct image *img, const struct mb_header *mb,
		   struct load_plan *ret, struct diag *diag)
{
	struct elf elf;
	int err;

	err = check_flags(img, mb, diag);
	if (err)
		return err;
	if (mb->flags & MB_ADDRESSES)
		err = plan_by_addresses(img, mb, ret, diag);
	else if (!image_is_elf(img))
		err = diag_set(diag, -ENOEXEC,
			       "%s has a multiboot header, but is no ELF file "
			       "and gives no load addresses",
			       img->name);
	else if (!(err = elf_open(img, &elf, diag)))
		err = elf_plan(img, &elf, ret, diag);
	ret->protocol = &multiboot;
	ret->modules_end = UINT64_C(1) << 32;
	return err;
}
