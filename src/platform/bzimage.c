/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linux' bzImage by the 32-bit boot protocol (Documentation/arch/x86/boot.rst
 * and zero-page.rst): the real-mode code in front is not run, its header is
 * copied to a "zero page" and filled in, and the protected-mode code starts
 * at its first byte.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "platform/image.h"

/* Fields of the setup header, the same in the file and in the zero page. */
enum {
	AT_SETUP_SECTS = 0x1f1,
	AT_SYSSIZE = 0x1f4,
	AT_VID_MODE = 0x1fa,
	AT_BOOT_FLAG = 0x1fe,
	AT_HEADER_LEN = 0x201, /* of what follows it */
	AT_MAGIC = 0x202,
	AT_VERSION = 0x206,
	AT_LOADER_TYPE = 0x210,
	AT_LOADFLAGS = 0x211,
	AT_RAMDISK_IMAGE = 0x218,
	AT_RAMDISK_SIZE = 0x21c,
	AT_CMD_LINE_PTR = 0x228,
	AT_INITRD_ADDR_MAX = 0x22c,
	AT_KERNEL_ALIGNMENT = 0x230,
	AT_RELOCATABLE = 0x234,
	AT_CMDLINE_SIZE = 0x238,
	AT_PREF_ADDRESS = 0x258,
	AT_INIT_SIZE = 0x260,
};

#define HEADER_START   AT_SETUP_SECTS
#define HEADER_LEN_MAX 0x7f /* a forward jump of one byte */

/* Of the zero page alone. */
enum {
	AT_E820_ENTRIES = 0x1e8,
	AT_E820_TABLE = 0x2d0,
	E820_ENTRY = 20,
	ZERO_PAGE_SIZE = 4096,
};

#define BOOT_FLAG      0xaa55
#define LOADED_HIGH    BIT(0)
#define LOADER_UNKNOWN 0xff
#define VGA_NORMAL     0xffff
#define LOAD_ADDRESS   UINT64_C(0x100000)
#define SECTOR         512
#define PARAGRAPH      16

/* The first with a syssize that can be trusted, and what later ones added. */
#define VERSION_MIN     0x204
#define VERSION_RELOC   0x205
#define VERSION_CMDLINE 0x206
#define VERSION_INIT    0x20a
#define CMDLINE_SIZE    255 /* before VERSION_CMDLINE */

/* "__BOOT_CS must have execute/read, __BOOT_DS read/write permission." */
#define BOOT_CS     0x10
#define BOOT_DS     0x18
#define GDT_SIZE    0x20
#define FLAT_CODE32 UINT64_C(0x00cf9b000000ffff)
#define FLAT_DATA32 UINT64_C(0x00cf93000000ffff)

static uint64_t header_end(const struct image *img)
{
	return AT_MAGIC + (uint64_t)img->data[AT_HEADER_LEN];
}

static uint64_t info_size(const struct boot_files *files)
{
	return ZERO_PAGE_SIZE + GDT_SIZE + info_strings_size(files);
}

static void write_map(uint8_t *page, uint64_t ram_size)
{
	struct map_entry map[MAP_ENTRIES];
	uint8_t *to = page + AT_E820_TABLE;

	memory_map(ram_size, map);
	for (unsigned int i = 0; i < MAP_ENTRIES; i++, to += E820_ENTRY) {
		put_le(to, map[i].start, 8);
		put_le(to + 8, map[i].size, 8);
		put_le(to + 16, map[i].type, 4);
	}
	put_le(page + AT_E820_ENTRIES, MAP_ENTRIES, 1);
}

static void write_header(uint8_t *page, const struct boot_job *job,
			 struct boot_info *info)
{
	const struct boot_files *files = job->files;

	memcpy(page + HEADER_START, files->kernel.data + HEADER_START,
	       header_end(&files->kernel) - HEADER_START);
	put_le(page + AT_LOADER_TYPE, LOADER_UNKNOWN, 1);
	put_le(page + AT_VID_MODE, VGA_NORMAL, 2);
	put_le(page + AT_CMD_LINE_PTR, info_string(info, files->cmdline), 4);
	if (files->nr_modules) {
		put_le(page + AT_RAMDISK_IMAGE, job->module[0], 4);
		put_le(page + AT_RAMDISK_SIZE, files->module[0].image.size, 4);
	}
}

static uint64_t write_gdt(struct boot_info *info)
{
	uint64_t gpa = info_take(info, GDT_SIZE);

	put_le(info->ram + gpa + BOOT_CS, FLAT_CODE32, 8);
	put_le(info->ram + gpa + BOOT_DS, FLAT_DATA32, 8);
	return gpa;
}

static void write_info(const struct boot_job *job, struct boot_state *ret)
{
	struct boot_info info = {job->ram, job->info};
	uint8_t *page = info.ram + info_take(&info, ZERO_PAGE_SIZE);
	uint64_t gdt = write_gdt(&info);

	write_header(page, job, &info);
	write_map(page, job->ram_size);
	*ret = (struct boot_state){
		.entry = (uint32_t)job->plan.entry,
		.esi = (uint32_t)job->info,
		.cs = BOOT_CS,
		.ds = BOOT_DS,
		.gdt = (uint32_t)gdt,
		.gdt_limit = GDT_SIZE - 1,
	};
}

static const struct boot_protocol linux32 = {
	.info_size = info_size,
	.write_info = write_info,
};

bool bzimage_find(const struct image *img)
{
	return image_has(img, 0, AT_VERSION) &&
	       image_le16(img, AT_BOOT_FLAG) == BOOT_FLAG &&
	       !memcmp(img->data + AT_MAGIC, "HdrS", 4);
}

/* Where the header of a version must reach to at least. */
static uint64_t header_end_of(uint16_t version)
{
	if (version >= VERSION_INIT)
		return AT_INIT_SIZE + 4;
	if (version >= VERSION_CMDLINE)
		return AT_CMDLINE_SIZE + 4;
	if (version >= VERSION_RELOC)
		return AT_RELOCATABLE + 1;
	return AT_INITRD_ADDR_MAX + 4;
}

static int check_header(const struct image *img, struct diag *diag)
{
	uint64_t end = AT_VERSION + 2;
	uint16_t version;

	if (!image_has(img, 0, end))
		goto truncated;
	version = image_le16(img, AT_VERSION);
	if (version < VERSION_MIN)
		return diag_set(
			diag, -ENOEXEC,
			"%s is a Linux bzImage of boot protocol %u.%02u, "
			"older than 2.04",
			img->name, version >> 8, version & 0xff);
	if (img->data[AT_HEADER_LEN] > HEADER_LEN_MAX ||
	    header_end(img) < header_end_of(version))
		return diag_set(
			diag, -ENOEXEC,
			"%s is a Linux bzImage whose setup header of %u "
			"bytes is not of boot protocol %u.%02u",
			img->name, img->data[AT_HEADER_LEN], version >> 8,
			version & 0xff);
	end = header_end(img);
	if (!image_has(img, 0, end))
		goto truncated;
	if (!(img->data[AT_LOADFLAGS] & LOADED_HIGH))
		return diag_set(diag, -ENOEXEC,
				"%s is a Linux zImage, which loads low; only "
				"bzImages can be run",
				img->name);
	return 0;

truncated:
	return diag_set(diag, -ENOEXEC,
			"%s is a Linux bzImage truncated at offset %" PRIu64
			", within its setup header",
			img->name, img->size);
}

static int check_request(const struct boot_files *files, uint16_t version,
			 struct diag *diag)
{
	const struct image *img = &files->kernel;
	size_t len = strlen(files->cmdline);
	uint32_t max = version >= VERSION_CMDLINE
			       ? image_le32(img, AT_CMDLINE_SIZE)
			       : CMDLINE_SIZE;

	if (len > max)
		return diag_set(diag, -EINVAL,
				"the guest's command line has %zu bytes, %s "
				"takes %" PRIu32,
				len, img->name, max);
	if (files->nr_modules > 1 ||
	    (files->nr_modules && *files->module[0].args))
		return diag_set(diag, -EINVAL,
				"%s is a Linux bzImage, which takes one initrd "
				"and no arguments for it",
				img->name);
	return 0;
}

/*
 * "The amount of linear contiguous memory starting at the kernel runtime
 * start address that the kernel needs before it is capable of examining its
 * memory map."
 */
static int claim_memory(const struct image *img, struct load_plan *plan,
			struct diag *diag)
{
	uint64_t pref = image_le64(img, AT_PREF_ADDRESS);
	uint64_t align = image_le32(img, AT_KERNEL_ALIGNMENT);
	uint64_t start = pref;

	if (img->data[AT_RELOCATABLE]) {
		if (!align || (align & (align - 1)))
			return diag_set(
				diag, -ENOEXEC,
				"%s is a Linux bzImage with an alignment "
				"of 0x%" PRIx64 ", which is no power of two",
				img->name, align);
		start = max_u64(pref,
				(LOAD_ADDRESS + align - 1) & ~(align - 1));
	}
	plan->claim = (struct segment){
		.gpa = start, .mem_size = image_le32(img, AT_INIT_SIZE)};
	return 0;
}

int bzimage_plan(const struct boot_files *files, struct load_plan *ret,
		 struct diag *diag)
{
	const struct image *img = &files->kernel;
	uint64_t offset, size;
	uint16_t version;
	int err;

	err = check_header(img, diag);
	if (err)
		return err;
	version = image_le16(img, AT_VERSION);
	err = check_request(files, version, diag);
	if (err)
		return err;
	offset =
		(uint64_t)(img->data[AT_SETUP_SECTS] ? img->data[AT_SETUP_SECTS]
						     : 4);
	offset = (offset + 1) * SECTOR;
	size = (uint64_t)image_le32(img, AT_SYSSIZE) * PARAGRAPH;
	if (!image_has(img, offset, size))
		return diag_set(diag, -ENOEXEC,
				"%s is a Linux bzImage truncated at offset "
				"%" PRIu64 ": its code has 0x%" PRIx64
				" bytes at offset 0x%" PRIx64,
				img->name, img->size, size, offset);
	*ret = (struct load_plan){
		.protocol = &linux32,
		.seg[0] = {LOAD_ADDRESS, size, offset, size},
		.nr = 1,
		.entry = LOAD_ADDRESS,
		.modules_end =
			(uint64_t)image_le32(img, AT_INITRD_ADDR_MAX) + 1,
	};
	return version >= VERSION_INIT ? claim_memory(img, ret, diag) : 0;
}
