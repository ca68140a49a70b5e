/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PVH direct boot ABI: Xen's docs/misc/pvh.pandoc says how a guest is
 * entered, xen/include/public/arch-x86/hvm/start_info.h what it is handed
 * (version 1, with a memory map).
 */
#include <errno.h>
#include <inttypes.h>

#include "platform/image.h"

/* xen/include/public/elfnote.h */
#define NOTE_OWNER         "Xen"
#define NOTE_PHYS32_ENTRY  18
#define NOTE_PHYS32_SIZE32 4 /* ELF64 files have 8 bytes */
#define NOTE_PHYS32_SIZE64 8

enum {
	AT_MAGIC = 0,
	AT_VERSION = 4,
	AT_NR_MODULES = 12,
	AT_MODLIST = 16,
	AT_CMDLINE = 24,
	AT_MEMMAP = 40,
	AT_MEMMAP_ENTRIES = 48,
	START_INFO_SIZE = 56,
	MODULE_ENTRY = 32,
	MEMMAP_ENTRY = 24,
};

#define START_MAGIC   0x336ec578u
#define START_VERSION 1

/* "The selector value is unspecified." */
#define BOOT_CS 0x08
#define BOOT_DS 0x10

/*
 * Nothing says how high an initrd may lie.  A 32-bit Linux maps the first
 * 896 MiB: the limit that boot.rst has for kernels that do not give one.
 */
#define INITRD_END UINT64_C(0x38000000)

static uint64_t info_size(const struct boot_files *files)
{
	return START_INFO_SIZE + MAP_ENTRIES * MEMMAP_ENTRY +
	       files->nr_modules * MODULE_ENTRY + info_strings_size(files);
}

static uint64_t write_map(struct boot_info *info, uint64_t ram_size)
{
	uint64_t gpa = info_take(info, MAP_ENTRIES * MEMMAP_ENTRY);
	struct map_entry map[MAP_ENTRIES];
	uint8_t *to = info->ram + gpa;

	memory_map(ram_size, map);
	for (unsigned int i = 0; i < MAP_ENTRIES; i++, to += MEMMAP_ENTRY) {
		put_le(to, map[i].start, 8);
		put_le(to + 8, map[i].size, 8);
		put_le(to + 16, map[i].type, 4);
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

		put_le(to, job->module[i], 8);
		put_le(to + 8, module->image.size, 8);
		put_le(to + 16, info_string(info, module->args), 8);
		to += MODULE_ENTRY;
	}
	return gpa;
}

static void write_info(const struct boot_job *job, struct boot_state *ret)
{
	const struct boot_files *files = job->files;
	struct boot_info info = {job->ram, job->info};
	uint8_t *to = info.ram + info_take(&info, START_INFO_SIZE);

	put_le(to + AT_MAGIC, START_MAGIC, 4);
	put_le(to + AT_VERSION, START_VERSION, 4);
	put_le(to + AT_NR_MODULES, files->nr_modules, 4);
	put_le(to + AT_MEMMAP, write_map(&info, job->ram_size), 8);
	put_le(to + AT_MEMMAP_ENTRIES, MAP_ENTRIES, 4);
	if (files->nr_modules)
		put_le(to + AT_MODLIST, write_modules(&info, job), 8);
	put_le(to + AT_CMDLINE, info_string(&info, files->cmdline), 8);
	*ret = (struct boot_state){
		.entry = (uint32_t)job->plan.entry,
		.ebx = (uint32_t)job->info,
		.cs = BOOT_CS,
		.ds = BOOT_DS,
	};
}

static const struct boot_protocol pvh = {
	.info_size = info_size,
	.write_info = write_info,
};

bool pvh_find(const struct image *img, const struct elf *elf,
	      struct elf_note *ret)
{
	return elf_find_note(img, elf, NOTE_OWNER, NOTE_PHYS32_ENTRY, ret);
}

int pvh_plan(const struct image *img, const struct elf *elf,
	     const struct elf_note *note, struct load_plan *ret,
	     struct diag *diag)
{
	int err;

	if (note->size != NOTE_PHYS32_SIZE32 &&
	    note->size != NOTE_PHYS32_SIZE64)
		return diag_set(diag, -ENOEXEC,
				"%s has a PVH entry of %" PRIu64
				" bytes, not 4 or 8",
				img->name, note->size);
	err = elf_plan(img, elf, ret, diag);
	if (err)
		return err;
	ret->protocol = &pvh;
	ret->entry = image_le(img, note->offset, (unsigned int)note->size);
	ret->modules_end = INITRD_END;
	return 0;
}
