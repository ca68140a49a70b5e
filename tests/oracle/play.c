/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/cr.h"
#include "arch/exception.h"

static struct guest_outcome push(struct play *p, struct guest_event ev)
{
	struct guest_outcome out;

	ev.insns = p->insns++;
	event_push(p->sink, &ev, &out);
	return out;
}

static void must(struct play *p, struct guest_event ev)
{
	struct guest_outcome out = push(p, ev);

	if (out.verdict != GO_DONE)
		fail_msg("event %d: verdict %d, %s", (int)ev.kind,
			 (int)out.verdict,
			 p->sink->view->stop ? p->sink->view->stop : "");
}

static void load_cr(struct play *p, uint8_t cr, uint64_t value)
{
	must(p,
	     (struct guest_event){
		     .kind = GE_CR_WRITE, .cr = cr, .size = 8, .value = value});
}

static uint64_t cr4_of(const struct play *p,
		       const struct matrix_controls *controls)
{
	uint64_t cr4 = CR4_PGE;

	if (p->space.mode != ORACLE_32)
		cr4 |= CR4_PAE;
	if (p->space.mode == ORACLE_5LEVEL)
		cr4 |= CR4_LA57;
	if (controls->pse && p->space.mode == ORACLE_32)
		cr4 |= CR4_PSE;
	if (controls->smep)
		cr4 |= CR4_SMEP;
	if (controls->smap)
		cr4 |= CR4_SMAP;
	if (controls->pke)
		cr4 |= CR4_PKE;
	return cr4;
}

static uint64_t entry_now(const struct play *p, uint64_t at)
{
	uint64_t entry = 0;

	memcpy(&entry, p->mem->ram + at, (size_t)matrix_entry_bytes(&p->space));
	return entry;
}

/* Through the one-to-one map, by a MOV of supervisor code. */
static void store(struct play *p, uint64_t at, uint64_t entry)
{
	uint8_t size = (uint8_t)matrix_entry_bytes(&p->space);
	struct guest_outcome out;
	struct guest_event ev = {
		.kind = GE_ACCESS, .gva = at, .size = size, .access = PFEC_W};

	if (entry_now(p, at) == entry)
		return;
	out = push(p, ev);
	if (out.verdict == GO_DONE) {
		assert_int_equal(out.hpa, at);
		memcpy(p->mem->ram + at, &entry, size);
		return;
	}
	assert_int_equal(out.verdict, GO_EMULATE);
	ev.kind = GE_STORE;
	memcpy(ev.bytes, &entry, size);
	must(p, ev);
}

void play_controls(struct play *p, const struct matrix_controls *controls)
{
	const struct guest_view *view = p->sink->view;
	uint64_t efer = controls->nxe ? EFER_NXE : 0;

	/* Entries that outlive a setting are another test's (access.c). */
	if (view->guest != PAGING_OFF) {
		store(p, matrix_upper_at(&p->space), 0);
		store(p, matrix_lower_at(&p->space), 0);
	}
	if (p->space.mode >= ORACLE_4LEVEL)
		efer |= EFER_LME | (view->efer & EFER_LMA);
	if (view->cr4 != cr4_of(p, controls))
		load_cr(p, 4, cr4_of(p, controls));
	if (view->cr3 != matrix_root(&p->space))
		load_cr(p, 3, matrix_root(&p->space));
	if (view->efer != efer)
		must(p, (struct guest_event){.kind = GE_WRMSR,
					     .error = MSR_EFER,
					     .value = efer});
	load_cr(p, 0, CR0_PE | CR0_ET | CR0_PG | (controls->wp ? CR0_WP : 0));
	if (controls->pke)
		must(p, (struct guest_event){.kind = GE_WRPKRU,
					     .value = controls->pkru});
}

void play_start(struct play *p, const struct matrix_space *space,
		const struct config *config)
{
	struct diag diag;

	*p = (struct play){.space = *space};
	if (mem_create(MATRIX_RAM, sim_pool_pages(config), false, &p->mem,
		       &diag) ||
	    sim_create(config, p->mem, &p->sim, &diag))
		fail_msg("%s", diag.msg);
	p->sink = sim_sink(p->sim);
	matrix_build(space, p->mem->ram);
}

void play_end(struct play *p)
{
	sim_finish(p->sim, p->insns);
	assert_string_equal(sim_check(p->sim) ? sim_check(p->sim) : "", "");
	assert_string_equal(sim_audit(p->sim).first, "");
	sim_destroy(p->sim);
	mem_destroy(p->mem);
}

void play_pair(struct play *p, const struct matrix_pair *pair)
{
	store(p, matrix_upper_at(&p->space), pair->upper);
	store(p, matrix_lower_at(&p->space), pair->lower);
	must(p, (struct guest_event){.kind = GE_INVLPG,
				     .gva = matrix_va(&p->space)});
}

/* The handler runs and returns: nothing of it matters here. */
static void deliver(struct play *p, const struct guest_outcome *fault)
{
	must(p, (struct guest_event){.kind = GE_DELIVER,
				     .vector = fault->vector,
				     .type = fault->type,
				     .has_error = fault->has_error,
				     .error = fault->error});
	must(p, (struct guest_event){.kind = GE_DELIVERED});
}

static uint32_t access_bits(const struct matrix_access *access)
{
	return (access->write ? (uint32_t)PFEC_W : 0) |
	       (access->fetch ? (uint32_t)PFEC_ID : 0) |
	       (access->user ? (uint32_t)PFEC_U : 0) |
	       (access->ac ? (uint32_t)ACCESS_AC : 0);
}

/* The hypervisor has the store emulated: where does it land? */
static uint64_t emulate_store(struct play *p, struct guest_event ev)
{
	hpa_t hpa;

	ev.kind = GE_STORE;
	memcpy(ev.bytes, &p->insns, 4);
	must(p, ev);
	assert_true(p->sink->translate(p->sink, ev.gva, &hpa));
	assert_memory_equal(p->mem->ram + hpa, ev.bytes, 4);
	return hpa;
}

struct matrix_seen play_access(struct play *p,
			       const struct matrix_access *access)
{
	struct guest_event ev = {
		.kind = GE_ACCESS,
		.gva = matrix_va(&p->space) + access->offset,
		.size = 4,
		.cpl = access->user ? 3 : 0,
		.access = access_bits(access),
	};
	struct guest_outcome out = push(p, ev);
	struct matrix_seen seen = {.what = SEEN_OK, .pa = out.hpa};

	switch (out.verdict) {
	case GO_DONE:
		break;
	case GO_FAULT:
		assert_int_equal(out.vector, EXC_PF);
		assert_true(out.has_error);
		seen.what = SEEN_FAULT;
		seen.code = out.error;
		seen.cr2 = p->sink->view->cr2;
		deliver(p, &out);
		break;
	case GO_EMULATE:
		assert_true(access->write);
		seen.pa = emulate_store(p, ev);
		break;
	case GO_MMIO:
		seen.what = SEEN_MMIO;
		break;
	case GO_STOP:
		seen.what = SEEN_ENDLESS;
		break;
	default:
		fail_msg("verdict %d", (int)out.verdict);
	}
	seen.upper = entry_now(p, matrix_upper_at(&p->space));
	seen.lower = entry_now(p, matrix_lower_at(&p->space));
	return seen;
}
