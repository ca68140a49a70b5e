/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From files to a guest ready to start: let the reader of the kernel's format
 * make a plan, check the plan against RAM, find room for all that goes with
 * it, and only then write.
 */
#include "platform/loader.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "platform/image.h"

static int check_line(const char *line, const char *whose, struct diag *diag)
{
	if (strlen(line) <= LOADER_CMDLINE_MAX)
		return 0;
	return diag_set(diag, -EINVAL,
			"%s command line has %zu bytes, more than %d", whose,
			strlen(line), LOADER_CMDLINE_MAX);
}

static int check_files(const struct boot_files *files, struct diag *diag)
{
	int err = check_line(files->cmdline, "the guest's", diag);

	if (!err && files->nr_modules > LOADER_MODULES)
		err = diag_set(diag, -EINVAL, "more than %d modules",
			       LOADER_MODULES);
	for (unsigned int i = 0; !err && i < files->nr_modules; i++) {
		const struct boot_module *module = &files->module[i];

		err = check_line(module->args, "a module's", diag);
		if (!err && !module->image.size)
			err = diag_set(diag, -EINVAL, "%s is empty",
				       module->image.name);
	}
	if (!err && !files->kernel.size)
		err = diag_set(diag, -ENOEXEC, "%s is empty",
			       files->kernel.name);
	return err;
}

static int check_ram(uint64_t size, struct diag *diag)
{
	if (size >= LOADER_RAM_MIN && size <= UINT32_MAX)
		return 0;
	return diag_set(diag, -EINVAL,
			"memory: %" PRIu64 " KiB is not between %" PRIu64
			" KiB and 4 GiB",
			size / 1024, LOADER_RAM_MIN / 1024);
}

/* Where the guest's memory map has RAM: below the EBDA or above 1 MiB. */
static bool in_ram(const struct segment *seg, uint64_t ram_size)
{
	uint64_t end = seg->gpa < LOW_END ? LOW_END : ram_size;

	return (seg->gpa < LOW_END || seg->gpa >= HIGH_START) &&
	       seg->gpa <= end && seg->mem_size <= end - seg->gpa;
}

/* Could it be in RAM if there was enough? */
static int check_segment(const struct image *img, const struct segment *seg,
			 struct diag *diag)
{
	uint64_t end = seg->gpa + seg->mem_size;

	if (end < seg->gpa || end > UINT64_C(1) << 32)
		return diag_set(diag, -ENOEXEC,
				"%s: 0x%" PRIx64 " bytes at 0x%" PRIx64
				" are beyond 4 GiB",
				img->name, seg->mem_size, seg->gpa);
	if (in_ram(seg, UINT64_C(1) << 32))
		return 0;
	return diag_set(diag, -ENOEXEC,
			"%s: 0x%" PRIx64 " bytes at 0x%" PRIx64
			" reach into 0x9fc00-0x100000, which is no RAM",
			img->name, seg->mem_size, seg->gpa);
}

static bool is_loaded_code(const struct load_plan *plan, uint64_t gpa)
{
	for (unsigned int i = 0; i < plan->nr; i++)
		if (ranges_overlap(plan->seg[i].gpa, plan->seg[i].file_size,
				   gpa, 1))
			return true;
	return false;
}

static int check_plan(const struct boot_job *job, struct diag *diag)
{
	const struct image *img = &job->files->kernel;
	const struct load_plan *plan = &job->plan;
	bool fits;
	int err;

	err = check_segment(img, &plan->claim, diag);
	fits = in_ram(&plan->claim, job->ram_size);
	for (unsigned int i = 0; !err && i < plan->nr; i++) {
		err = check_segment(img, &plan->seg[i], diag);
		fits = fits && in_ram(&plan->seg[i], job->ram_size);
	}
	if (err)
		return err;
	if (!fits)
		return diag_set(diag, -EFBIG,
				"%s is too big: it needs memory=%" PRIu64
				"M, the guest has %" PRIu64 "M",
				img->name, place_needs(job),
				job->ram_size / MIB);
	if (!is_loaded_code(plan, plan->entry))
		return diag_set(diag, -ENOEXEC,
				"%s: the entry point 0x%" PRIx64
				" is not in what the file loads",
				img->name, plan->entry);
	return 0;
}

static int make_plan(const struct boot_files *files, struct load_plan *ret,
		     struct diag *diag)
{
	const struct image *img = &files->kernel;
	struct diag why_not;
	struct elf_note note;
	struct mb_header mb;
	struct elf elf;

	if (image_is_elf(img) && !elf_open(img, &elf, &why_not) &&
	    pvh_find(img, &elf, &note))
		return pvh_plan(img, &elf, &note, ret, diag);
	if (bzimage_find(img))
		return bzimage_plan(files, ret, diag);
	if (multiboot_find(img, &mb))
		return multiboot_plan(img, &mb, ret, diag);
	return image_refuse(img, diag);
}

static void copy_in(const struct boot_job *job)
{
	const struct boot_files *files = job->files;
	const struct load_plan *plan = &job->plan;
	uint8_t *ram = job->ram;

	for (unsigned int i = 0; i < plan->nr; i++) {
		const struct segment *seg = &plan->seg[i];

		memcpy(ram + seg->gpa, files->kernel.data + seg->offset,
		       seg->file_size);
		memset(ram + seg->gpa + seg->file_size, 0,
		       seg->mem_size - seg->file_size);
	}
	for (unsigned int i = 0; i < files->nr_modules; i++)
		memcpy(ram + job->module[i], files->module[i].image.data,
		       files->module[i].image.size);
}

int loader_load(const struct boot_files *files, uint8_t *ram, uint64_t size,
		struct boot_state *ret, struct diag *diag)
{
	struct boot_job job = {.files = files, .ram = ram, .ram_size = size};
	int err;

	err = check_ram(size, diag);
	if (!err)
		err = check_files(files, diag);
	if (!err)
		err = make_plan(files, &job.plan, diag);
	if (!err)
		err = check_plan(&job, diag);
	if (!err)
		err = place_all(&job, diag);
	if (err)
		return err;
	copy_in(&job);
	job.plan.protocol->write_info(&job, ret);
	return 0;
}
