/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "batch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../guests/access/job.h"

#define CR0_PE   0x1u
#define CR0_ET   0x10u
#define CR0_WP   0x10000u
#define CR0_PG   0x80000000u
#define CR4_PSE  0x10u
#define CR4_PAE  0x20u
#define CR4_PGE  0x80u
#define CR4_LA57 0x1000u
#define CR4_SMEP 0x100000u
#define CR4_SMAP 0x200000u
#define CR4_PKE  0x400000u
#define EFER_LME 0x100u
#define EFER_NXE 0x800u

static struct access_job *job_of(const struct batch *b)
{
	return (struct access_job *)(void *)(b->ram + ACCESS_JOB);
}

static struct access_step *step_at(const struct batch *b, uint32_t i)
{
	return (struct access_step *)(void *)(b->ram + ACCESS_LIST) + i;
}

static struct access_result *result_at(const struct batch *b, uint32_t i)
{
	return (struct access_result *)(void *)(b->ram + job_of(b)->results) +
	       i;
}

static uint32_t cr4_of(const struct matrix_space *space,
		       const struct matrix_controls *controls)
{
	uint32_t cr4 = CR4_PGE;

	if (space->mode == ORACLE_32)
		cr4 |= controls->pse ? CR4_PSE : 0;
	else
		cr4 |= CR4_PAE;
	if (space->mode == ORACLE_5LEVEL)
		cr4 |= CR4_LA57;
	return cr4 | (controls->smep ? CR4_SMEP : 0) |
	       (controls->smap ? CR4_SMAP : 0) | (controls->pke ? CR4_PKE : 0);
}

static uint32_t efer_of(const struct matrix_space *space,
			const struct matrix_controls *controls)
{
	bool is_long =
		space->mode == ORACLE_4LEVEL || space->mode == ORACLE_5LEVEL;

	return (is_long ? EFER_LME : 0) | (controls->nxe ? EFER_NXE : 0);
}

void batch_init(struct batch *b, const struct matrix_space *space, uint8_t *ram,
		const void *image, size_t size)
{
	const struct matrix_controls start = {.pse = true};
	const uint32_t bytes =
		sizeof(struct access_step) + sizeof(struct access_result);

	*b = (struct batch){.space = *space, .ram = ram};
	b->room = (ACCESS_LIST_END - ACCESS_LIST) / bytes;
	b->cases = calloc(b->room, sizeof(*b->cases));
	if (!b->cases)
		abort();
	matrix_build(space, ram);
	matrix_fill_pages(ram);
	memcpy(ram + ACCESS_LOAD, image, size);
	*job_of(b) = (struct access_job){
		.status = ACCESS_RUNNING,
		.entry_bytes = (uint32_t)matrix_entry_bytes(space),
		.cr3 = (uint32_t)matrix_root(space),
		.cr4 = cr4_of(space, &start),
		.efer = efer_of(space, &start),
		.steps = ACCESS_LIST,
		.results = ACCESS_LIST +
			   b->room * (uint32_t)sizeof(struct access_step),
		.va = matrix_va(space),
		.upper_at = matrix_upper_at(space),
		.lower_at = matrix_lower_at(space),
	};
}

void batch_finish(struct batch *b)
{
	free(b->cases);
}

static void add_controls(struct batch *b,
			 const struct matrix_controls *controls)
{
	b->cases[b->nr].access = NULL;
	*step_at(b, b->nr++) = (struct access_step){
		.what = STEP_CONTROLS | (controls->pke ? STEP_PKRU : 0),
		.cr0 = CR0_PG | CR0_ET | CR0_PE | (controls->wp ? CR0_WP : 0),
		.cr4 = cr4_of(&b->space, controls),
		.efer = efer_of(&b->space, controls),
		.pkru = controls->pkru,
	};
	b->controls = *controls;
}

static bool is_same(const struct matrix_controls *a,
		    const struct matrix_controls *b)
{
	return a->wp == b->wp && a->nxe == b->nxe && a->pse == b->pse &&
	       a->smep == b->smep && a->smap == b->smap && a->pke == b->pke &&
	       a->pkru == b->pkru;
}

static uint32_t what_of(const struct matrix_access *access)
{
	return (access->write ? STEP_WRITE : 0) |
	       (access->fetch ? STEP_FETCH : 0) |
	       (access->user ? STEP_USER : 0) | (access->ac ? STEP_AC : 0);
}

bool batch_add(struct batch *b, const struct matrix_controls *controls,
	       const struct matrix_pair *pair,
	       const struct matrix_access *access)
{
	if (b->nr + 2 > b->room)
		return false;
	if (!b->nr || !is_same(&b->controls, controls))
		add_controls(b, controls);
	b->cases[b->nr] = (struct batch_case){*controls, *pair, access};
	*step_at(b, b->nr++) = (struct access_step){
		.upper = pair->upper,
		.lower = pair->lower,
		.what = what_of(access),
		.offset = access->offset,
	};
	return true;
}

void batch_seal(struct batch *b)
{
	job_of(b)->nr_steps = b->nr;
}

const char *batch_trouble(const struct batch *b)
{
	static char line[160];
	const struct access_job *job = job_of(b);

	if (job->status == ACCESS_DONE && job->nr_done == b->nr)
		return NULL;
	snprintf(line, sizeof(line),
		 "status %" PRIu32 " after %" PRIu32 " of %" PRIu32
		 " steps: vector %" PRIu32 " error 0x%" PRIx32
		 " rip 0x%" PRIx64,
		 job->status, job->nr_done, b->nr, job->vector, job->error,
		 job->rip);
	return line;
}

static uint64_t address_of(const struct matrix_access *access, uint32_t page)
{
	return (uint64_t)page + access->offset;
}

bool batch_seen(const struct batch *b, uint32_t i, struct matrix_seen *ret)
{
	const struct access_result *r = result_at(b, i);
	const struct matrix_access *access = b->cases[i].access;

	if (!access)
		return false;
	*ret = (struct matrix_seen){.upper = r->upper, .lower = r->lower};
	if (r->code == ACCESS_NO_FAULT) {
		ret->what = SEEN_OK;
		ret->pa = address_of(access, r->page);
	} else {
		ret->what = SEEN_FAULT;
		ret->code = r->code;
		ret->cr2 = r->cr2;
	}
	return true;
}
