/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control state that came with features: which loads exit and which are #GP,
 * what hardware is set to, INVPCID.  SDM vol. 2 and 3A on each register;
 * vol. 3C, "Instructions That Cause VM Exits Conditionally".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/internal.h"
#include "synth.h"

static void check(const char *name, uint64_t got, uint64_t want)
{
	if (got != want)
		fail_msg("%s: got 0x%llx, want 0x%llx", name,
			 (unsigned long long)got, (unsigned long long)want);
}

static struct guest_outcome mov_cr(struct synth *s, uint8_t cr, uint64_t val)
{
	return synth_push(s, (struct guest_event){.kind = GE_CR_WRITE,
						  .cr = cr,
						  .size = 8,
						  .value = val});
}

static uint64_t exits(const struct synth *s, enum exit_reason reason)
{
	return account_exits(sim_account(s->sim), reason);
}

static uint64_t all_exits(const struct synth *s)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < NR_EXIT_REASONS; i++)
		n += account_exits(sim_account(s->sim), i);
	return n;
}

static const struct paging_ctx *hardware(const struct synth *s)
{
	return &s->sim->cur->hardware;
}

/* Every bit of CR4, with its feature and without. */
static void cr4_bits(void **state)
{
	static const struct {
		uint64_t bit;
		const char *feature;
	} rows[] = {{CR4_SMEP, "features=smep"},
		    {CR4_SMAP, "features=smap"},
		    {CR4_PKE, "features=pku"},
		    {CR4_PCIDE, "features=pcid"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct synth s;
		uint64_t before;

		synth_start(&s, "features=none");
		check("refused", mov_cr(&s, 4, CR4_PAE | rows[i].bit).vector,
		      EXC_GP);
		check("unchanged", s.sink->view->cr4, CR4_PAE);
		synth_end(&s);

		synth_start(&s, rows[i].feature);
		before = exits(&s, EXIT_REASON_CR_ACCESS);
		check("done", mov_cr(&s, 4, CR4_PAE | rows[i].bit).verdict,
		      GO_DONE);
		check("exits", exits(&s, EXIT_REASON_CR_ACCESS), before + 1);
		check("CR4", s.sink->view->cr4, CR4_PAE | rows[i].bit);
		check("again, no exit",
		      mov_cr(&s, 4, CR4_PAE | rows[i].bit).verdict, GO_DONE);
		check("exits", exits(&s, EXIT_REASON_CR_ACCESS), before + 1);
		synth_end(&s);
	}
}

/* Hardware always pages; the guest's SMEP means nothing until it does. */
static void hardware_judges_while_the_guest_pages(void **state)
{
	const uint64_t judges = CR4_SMEP | CR4_SMAP | CR4_PKE;
	uint64_t cr0;
	struct synth s;

	(void)state;
	synth_start(&s, "features=all");
	mov_cr(&s, 4, CR4_PAE | judges);
	check("SMEP", hardware(&s)->smep, true);
	check("SMAP", hardware(&s)->smap, true);
	check("PKE", hardware(&s)->pke, true);
	check("VMCS", vmcs_get(s.sim->cur->vmcs, VMCS_GUEST_CR4) & judges,
	      judges);

	cr0 = s.sink->view->cr0;
	synth_push(&s, (struct guest_event){.kind = GE_CR_WRITE,
					    .cr = 0,
					    .size = 4,
					    .value = cr0 & ~CR0_PG});
	check("paging", s.sink->view->guest, PAGING_OFF);
	check("no SMEP", hardware(&s)->smep, false);
	check("no SMAP", hardware(&s)->smap, false);
	check("no PKE", hardware(&s)->pke, false);
	check("VMCS", vmcs_get(s.sim->cur->vmcs, VMCS_GUEST_CR4) & judges, 0);
	synth_end(&s);
}

static void wrpkru_does_not_exit(void **state)
{
	uint64_t before;
	struct synth s;

	(void)state;
	synth_start(&s, "features=pku");
	mov_cr(&s, 4, CR4_PAE | CR4_PKE);
	before = all_exits(&s);
	synth_push(&s, (struct guest_event){.kind = GE_WRPKRU, .value = 0x5c});
	check("exits", all_exits(&s), before);
	check("hardware", hardware(&s)->pkru, 0x5c);
	synth_end(&s);
}

static void cr3_with_pcids(void **state)
{
	struct synth s;
	uint64_t cr3, before;

	(void)state;
	synth_start(&s, "features=pcid cr3-targets=2");
	cr3 = s.sink->view->cr3;
	check("PCIDE", mov_cr(&s, 4, CR4_PAE | CR4_PCIDE).verdict, GO_DONE);
	check("a PCID", mov_cr(&s, 3, cr3 | 7).verdict, GO_DONE);
	check("CR3", s.sink->view->cr3, cr3 | 7);
	/* It is a target now, and bit 63 is no part of it. */
	before = exits(&s, EXIT_REASON_CR_ACCESS);
	check("no flush", mov_cr(&s, 3, cr3 | 7 | BIT(63)).verdict, GO_DONE);
	check("exits", exits(&s, EXIT_REASON_CR_ACCESS), before);
	check("CR3", s.sink->view->cr3, cr3 | 7);
	check("off needs no PCID 0", mov_cr(&s, 4, CR4_PAE).verdict, GO_DONE);
	check("on does", mov_cr(&s, 4, CR4_PAE | CR4_PCIDE).vector, EXC_GP);
	check("bit 63 without PCIDE", mov_cr(&s, 3, cr3 | BIT(63)).vector,
	      EXC_GP);
	synth_end(&s);
}

static struct guest_outcome invpcid(struct synth *s, uint8_t type,
				    uint64_t pcid, gva_t gva)
{
	return synth_push(s, (struct guest_event){.kind = GE_INVPCID,
						  .reg = type,
						  .value = pcid,
						  .gva = gva});
}

static void invpcid_exits_where_invlpg_does(void **state)
{
	static const struct {
		const char *config;
		bool known, exits;
	} rows[] = {
		{"features=none invlpg-exiting=on", false, false},
		{"features=none invlpg-exiting=off", false, false},
		{"features=invpcid invlpg-exiting=on", true, true},
		{"features=invpcid invlpg-exiting=off", true, false},
		{"features=invpcid mmu=kvm-2.6.25", true, false},
		{"features=invpcid mmu=kvm-2.6.28", true, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *name = rows[i].config;
		struct guest_outcome out;
		struct synth s;

		synth_start(&s, name);
		out = invpcid(&s, INVPCID_ALL, 0, 0);
		check(name, out.verdict, rows[i].known ? GO_DONE : GO_FAULT);
		if (!rows[i].known)
			check(name, out.vector, EXC_UD);
		check(name, exits(&s, EXIT_REASON_INVPCID), rows[i].exits);

		/* An operand the processor refuses: after the exit. */
		if (rows[i].known) {
			out = invpcid(&s, INVPCID_CONTEXT, 3, 0);
			check(name, out.vector, EXC_GP);
			out = invpcid(&s, INVPCID_ADDRESS, 0, BIT(47));
			check(name, out.vector, EXC_GP);
			out = invpcid(&s, 4, 0, 0);
			check(name, out.vector, EXC_GP);
		}
		check(name, exits(&s, EXIT_REASON_INVPCID),
		      rows[i].exits ? 4 : 0);
		synth_end(&s);
	}
}

/* INVPCID of one address, of the PCID at work, is INVLPG. */
static void invpcid_syncs_what_is_at_work(void **state)
{
	static const struct {
		uint8_t type;
		uint64_t pcid;
		bool syncs;
	} rows[] = {
		{INVPCID_ADDRESS, 5, true},    {INVPCID_ADDRESS, 6, false},
		{INVPCID_CONTEXT, 5, true},    {INVPCID_CONTEXT, 6, false},
		{INVPCID_ALL_GLOBAL, 0, true}, {INVPCID_ALL, 0, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct synth s;
		gpa_t pte;

		synth_start(&s, "features=all mmu=kvm-2.6.28");
		mov_cr(&s, 4, CR4_PAE | CR4_PCIDE);
		mov_cr(&s, 3, s.cr3 | 5);
		assert_true(synth_touch(&s, SYNTH_USER, PFEC_W, SYNTH_PTE_RW));
		pte = synth_pte(&s, SYNTH_USER);
		/* The table goes out of sync; the shadow keeps the old page. */
		synth_store(&s, pte, 0x800000 | SYNTH_PTE_RW);
		check("type",
		      invpcid(&s, rows[i].type, rows[i].pcid, SYNTH_USER)
			      .verdict,
		      GO_DONE);
		check("sees the new page",
		      synth_push(&s, (struct guest_event){.kind = GE_ACCESS,
							  .gva = SYNTH_USER,
							  .size = 4,
							  .cpl = 3,
							  .access = PFEC_U})
				      .hpa == 0x800000,
		      rows[i].syncs);
		synth_end(&s);
	}
}

/* 32-bit paging, and 5 levels, from where a loader leaves the guest. */
static void ways_into_the_modes(void **state)
{
	static const struct {
		uint64_t cr4, efer;
		enum paging_mode guest, shadow;
	} rows[] = {
		{0, 0, PAGING_32, PAGING_PAE},
		{CR4_PSE, 0, PAGING_32, PAGING_PAE},
		{CR4_PAE, 0, PAGING_PAE, PAGING_PAE},
		{CR4_PAE, EFER_LME, PAGING_4LEVEL, PAGING_4LEVEL},
		{CR4_PAE | CR4_LA57, EFER_LME, PAGING_5LEVEL, PAGING_5LEVEL},
		{CR4_PAE | CR4_LA57, 0, PAGING_PAE, PAGING_PAE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct synth s;

		synth_start(&s, "features=all");
		synth_push(&s, (struct guest_event){.kind = GE_CR_WRITE,
						    .cr = 0,
						    .size = 4,
						    .value = CR0_PE});
		synth_push(&s, (struct guest_event){.kind = GE_WRMSR,
						    .error = MSR_EFER,
						    .value = rows[i].efer});
		check("CR4", mov_cr(&s, 4, rows[i].cr4).verdict, GO_DONE);
		mov_cr(&s, 3, 0x900000);
		check("CR0", mov_cr(&s, 0, CR0_PE | CR0_PG).verdict, GO_DONE);
		check("guest", s.sink->view->guest, rows[i].guest);
		check("shadow", s.sink->view->shadow, rows[i].shadow);
		check("walked", hardware(&s)->mode, rows[i].shadow);
		sim_destroy(s.sim);
		mem_destroy(s.mem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cr4_bits),
		cmocka_unit_test(hardware_judges_while_the_guest_pages),
		cmocka_unit_test(wrpkru_does_not_exit),
		cmocka_unit_test(cr3_with_pcids),
		cmocka_unit_test(invpcid_exits_where_invlpg_does),
		cmocka_unit_test(invpcid_syncs_what_is_at_work),
		cmocka_unit_test(ways_into_the_modes),
	};

	return cmocka_run_group_tests_name("sim_modes", tests, NULL, NULL);
}
