/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where everything goes.  The image goes where it asks to; boot information
 * and modules go where there is room beside it.
 */
#include <errno.h>
#include <inttypes.h>

#include "platform/image.h"

#define INFO_FIRST UINT64_C(0x9000)

static uint64_t page_up(uint64_t n)
{
	return (n + PAGE_MASK) & ~PAGE_MASK;
}

/* Ends of segments that wrapped have been refused before. */
static uint64_t image_end(const struct load_plan *plan)
{
	uint64_t end =
		max_u64(HIGH_START, plan->claim.gpa + plan->claim.mem_size);

	for (unsigned int i = 0; i < plan->nr; i++)
		end = max_u64(end, plan->seg[i].gpa + plan->seg[i].mem_size);
	return end;
}

uint64_t place_needs(const struct boot_job *job)
{
	uint64_t end = page_up(image_end(&job->plan));

	for (unsigned int i = 0; i < job->files->nr_modules; i++)
		end += page_up(job->files->module[i].image.size);
	return (end + MIB - 1) / MIB;
}

/* The first piece of the image that shares a byte with the range, or NULL. */
static const struct segment *in_the_way(const struct load_plan *plan,
					uint64_t gpa, uint64_t len)
{
	for (unsigned int i = 0; i < plan->nr; i++)
		if (ranges_overlap(plan->seg[i].gpa, plan->seg[i].mem_size, gpa,
				   len))
			return &plan->seg[i];
	if (ranges_overlap(plan->claim.gpa, plan->claim.mem_size, gpa, len))
		return &plan->claim;
	return NULL;
}

static int place_info(struct boot_job *job, struct diag *diag)
{
	uint64_t len = job->plan.protocol->info_size(job->files);

	for (uint64_t at = INFO_FIRST; at + len <= LOW_END; at += PAGE_SIZE) {
		if (!in_the_way(&job->plan, at, len)) {
			job->info = at;
			return 0;
		}
	}
	return diag_set(diag, -ENOEXEC,
			"%s leaves no room for the boot information between "
			"0x%" PRIx64 " and 0x%" PRIx64,
			job->files->kernel.name, INFO_FIRST, LOW_END);
}

/*
 * The highest place below `end` that the image leaves free; 0: none.  Whole
 * pages: Linux frees those of an initrd.
 */
static uint64_t highest_free(const struct load_plan *plan, uint64_t size,
			     uint64_t end)
{
	size = page_up(size);
	while (end >= HIGH_START + size) {
		uint64_t at = (end - size) & ~PAGE_MASK;
		const struct segment *seg = in_the_way(plan, at, size);

		if (!seg)
			return at;
		end = seg->gpa;
	}
	return 0;
}

static int no_room(const struct boot_job *job, const struct image *img,
		   struct diag *diag)
{
	uint64_t needs = place_needs(job);

	if (needs * MIB > job->plan.modules_end)
		return diag_set(diag, -EFBIG,
				"%s with its %" PRIu64
				" MiB does not fit below "
				"0x%" PRIx64 ", where %s must have it",
				img->name, (img->size + MIB - 1) / MIB,
				job->plan.modules_end, job->files->kernel.name);
	return diag_set(diag, -EFBIG,
			"%s and %s need memory=%" PRIu64 "M, the guest has "
			"%" PRIu64 "M",
			job->files->kernel.name, img->name, needs,
			job->ram_size / MIB);
}

static int place_modules(struct boot_job *job, struct diag *diag)
{
	const struct load_plan *plan = &job->plan;
	uint64_t top = min_u64(job->ram_size, plan->modules_end);
	uint64_t next = page_up(image_end(plan));

	for (unsigned int i = 0; i < job->files->nr_modules; i++) {
		const struct image *img = &job->files->module[i].image;
		uint64_t at;

		if (plan->protocol->modules_behind)
			at = next <= top && img->size <= top - next ? next : 0;
		else
			at = highest_free(plan, img->size, top);
		if (!at)
			return no_room(job, img, diag);
		job->module[i] = at;
		next = page_up(at + img->size);
		top = plan->protocol->modules_behind ? top : at;
	}
	return 0;
}

int place_all(struct boot_job *job, struct diag *diag)
{
	int err = place_info(job, diag);

	return err ? err : place_modules(job, diag);
}
