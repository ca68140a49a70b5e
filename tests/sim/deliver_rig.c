/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "deliver_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/cr.h"
#include "synth.h"

#define GUEST_RIP UINT64_C(0x3000)
#define LINK      (PTE_P | PTE_W | PTE_U | PTE_A)
#define DATA      (PTE_P | PTE_W | PTE_A | PTE_D)

static const struct {
	const char *name;
	enum paging_mode paging;
	int levels;
	unsigned int bits; /* of an index */
	unsigned int size; /* of an entry */
	uint64_t cr4, efer;
} modes[NR_RIG_MODES] = {
	[RIG_LONG] = {"long", PAGING_4LEVEL, 4, 9, 8, CR4_PAE, EFER_LME},
	[RIG_PAE] = {"pae", PAGING_PAE, 3, 9, 8, CR4_PAE, 0},
	[RIG_32] = {"32", PAGING_32, 2, 10, 4, 0, 0},
};

const char *rig_mode_name(enum rig_mode mode)
{
	return modes[mode].name;
}

struct guest_outcome rig_push(struct rig *r, struct guest_event ev)
{
	struct guest_outcome out;

	ev.insns = r->insns++;
	if (!ev.rip)
		ev.rip = GUEST_RIP;
	event_push(r->sink, &ev, &out);
	return out;
}

struct guest_outcome rig_access(struct rig *r, gva_t gva, uint32_t access)
{
	return rig_push(r, (struct guest_event){.kind = GE_ACCESS,
						.gva = gva,
						.size = 1,
						.access = access});
}

gpa_t rig_frame(struct rig *r)
{
	gpa_t frame = r->next_frame;

	r->next_frame += PAGE_SIZE;
	assert_true(r->next_frame <= RIG_RAM);
	return frame;
}

uint64_t rig_read(const struct rig *r, gpa_t entry)
{
	uint64_t val = 0;

	memcpy(&val, mem_ram(r->mem, entry), modes[r->mode].size);
	return val;
}

void rig_write(struct rig *r, gpa_t entry, uint64_t val)
{
	memcpy(mem_ram(r->mem, entry), &val, modes[r->mode].size);
}

static gpa_t entry_in(const struct rig *r, gpa_t table, gva_t gva, int level)
{
	unsigned int bits = modes[r->mode].bits;
	unsigned int shift = PAGE_SHIFT + bits * (unsigned int)(level - 1);

	return table + (gva >> shift & (BIT(bits) - 1)) * modes[r->mode].size;
}

gpa_t rig_entry(const struct rig *r, gva_t gva, int level)
{
	gpa_t table = r->root;

	for (int l = modes[r->mode].levels; l > level; l--)
		table = rig_read(r, entry_in(r, table, gva, l)) & PTE_ADDR;
	return entry_in(r, table, gva, level);
}

void rig_map(struct rig *r, gva_t gva, uint64_t pte)
{
	for (int l = modes[r->mode].levels; l > 1; l--) {
		gpa_t at = rig_entry(r, gva, l);

		/* A PDPTE of PAE has no rights. */
		if (!(rig_read(r, at) & PTE_P))
			rig_write(r, at,
				  rig_frame(r) | (l == 3 && r->mode == RIG_PAE
							  ? PTE_P
							  : LINK));
	}
	rig_write(r, rig_entry(r, gva, 1), pte);
}

/* Bits that no entry of 4 bytes has are dropped. */
static void map_odd_pages(struct rig *r)
{
	gpa_t table;

	rig_map(r, RIG_JUNK, ~PTE_P);
	rig_map(r, RIG_RESERVED, rig_frame(r) | DATA | BIT(45));
	rig_map(r, RIG_IGNORED, rig_frame(r) | DATA | BIT(58));
	rig_map(r, RIG_NX, rig_frame(r) | DATA | PTE_U | PTE_NX);
	rig_map(r, RIG_USER, rig_frame(r) | DATA | PTE_U);
	rig_map(r, RIG_USER_RO, rig_frame(r) | (DATA & ~PTE_W) | PTE_U);
	rig_map(r, RIG_KEYED,
		rig_frame(r) | DATA | PTE_U |
			(r->mode == RIG_LONG ? UINT64_C(3) << 59 : 0));
	table = rig_entry(r, RIG_SELF, 1) & PTE_ADDR;
	rig_map(r, RIG_SELF, table | DATA | PTE_U);
	table = rig_entry(r, RIG_OTHER, 1) & PTE_ADDR;
	rig_map(r, RIG_TABLE, table | DATA);
	rig_map(r, RIG_TABLE2, table | DATA);
	rig_map(r, RIG_READONLY3, rig_frame(r) | (DATA & ~PTE_W));
}

static void map_denied(struct rig *r, gva_t gva)
{
	gpa_t at;

	rig_map(r, gva, 0);
	rig_map(r, gva + PAGE_SIZE, rig_frame(r) | DATA);
	at = rig_entry(r, gva, 2);
	rig_write(r, at, rig_read(r, at) & ~(PTE_W | PTE_U));
}

static void build_tables(struct rig *r)
{
	r->root = rig_frame(r);
	rig_map(r, RIG_STACK, rig_frame(r) | DATA);
	rig_map(r, RIG_HIDDEN, rig_frame(r) | DATA);
	rig_map(r, RIG_READONLY, rig_frame(r) | (DATA & ~PTE_W));
	rig_map(r, RIG_READONLY2, rig_frame(r) | (DATA & ~PTE_W));
	rig_map(r, RIG_OTHER, rig_frame(r) | DATA);
	rig_map(r, RIG_TABLE, (rig_entry(r, RIG_OTHER, 1) & PTE_ADDR) | DATA);
	rig_map(r, RIG_ABSENT, 0);
	rig_map(r, RIG_COLD, 0);
	map_odd_pages(r);
	map_denied(r, RIG_DENIED);
	map_denied(r, RIG_DENIED_COLD);
}

static bool load_control(struct rig *r)
{
	const struct guest_event steps[] = {
		{.kind = GE_CR_WRITE,
		 .cr = 4,
		 .value = modes[r->mode].cr4 | r->cr4},
		{.kind = GE_CR_WRITE, .cr = 3, .value = r->root},
		{.kind = GE_WRMSR,
		 .error = MSR_EFER,
		 .value = modes[r->mode].efer | (r->nxe ? EFER_NXE : 0)},
		{.kind = GE_CR_WRITE,
		 .cr = 0,
		 .value = CR0_PE | CR0_ET | CR0_PG | CR0_WP},
	};

	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (rig_push(r, steps[i]).verdict != GO_DONE)
			return false;
	assert_int_equal(r->sink->view->guest, modes[r->mode].paging);
	return true;
}

static void must_succeed(struct rig *r, gva_t gva, uint32_t access)
{
	assert_int_equal(rig_access(r, gva, access).verdict, GO_DONE);
}

static void destroy(struct rig *r)
{
	sim_destroy(r->sim);
	mem_destroy(r->mem);
}

bool rig_start(struct rig *r, enum rig_mode mode, bool nxe, const char *text)
{
	return rig_start_cr4(r, mode, nxe, 0, text);
}

bool rig_start_cr4(struct rig *r, enum rig_mode mode, bool nxe, uint64_t cr4,
		   const char *text)
{
	struct config config;
	struct diag diag;

	*r = (struct rig){
		.mode = mode, .nxe = nxe, .cr4 = cr4, .next_frame = 0x1000};
	if (!synth_configure(&config, text))
		return false;
	if (mem_create(RIG_RAM, sim_pool_pages(&config), false, &r->mem,
		       &diag) ||
	    sim_create(&config, r->mem, &r->sim, &diag))
		fail_msg("%s", diag.msg);
	r->sink = sim_sink(r->sim);
	build_tables(r);
	if (!load_control(r)) {
		destroy(r);
		return false;
	}
	must_succeed(r, RIG_STACK, PFEC_W);
	must_succeed(r, RIG_OTHER, PFEC_W);
	must_succeed(r, RIG_DENIED + PAGE_SIZE, 0);
	return true;
}

void rig_end(struct rig *r)
{
	sim_finish(r->sim, r->insns);
	assert_string_equal(sim_check(r->sim) ? sim_check(r->sim) : "", "");
	assert_string_equal(sim_audit(r->sim).first, "");
	destroy(r);
}

void rig_begin(struct rig *r, const struct guest_outcome *event,
	       uint8_t insn_len)
{
	struct guest_outcome out =
		rig_push(r, (struct guest_event){.kind = GE_DELIVER,
						 .vector = event->vector,
						 .type = event->type,
						 .has_error = event->has_error,
						 .error = event->error,
						 .insn_len = insn_len});

	assert_int_equal(out.verdict, GO_DONE);
}

void rig_complete(struct rig *r)
{
	struct guest_outcome out;

	must_succeed(r, RIG_STACK, PFEC_W);
	out = rig_push(r, (struct guest_event){.kind = GE_DELIVERED});
	assert_int_equal(out.verdict, GO_DONE);
}
