/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two events at once, all of them: what is being delivered, what its delivery
 * meets, by which path, in which mode and generation.
 *
 * The expectation is worked out here, from "Interrupt 8--Double Fault
 * Exception" (SDM vol. 3A) for what the processor combines by itself and from
 * the facts about KVM for what exits; nothing of src is asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../share.h"
#include "deliver_rig.h"
#include "sim/internal.h"

/* --- First events --------------------------------------------------------- */

enum origin {
	FROM_SOURCE,
	FROM_BYPASS, /* a #PF that did not exit */
	FROM_KVM,    /* a #PF that exited and was injected */
};

/* Classes of the manual's table: benign, contributory, page fault, #DF. */
/* clang-format off */
static const struct first {
	const char *name;
	char class;
	enum event_type type;
	uint8_t vector;
	bool has_error;
	uint32_t error;
	uint8_t insn_len;
	enum origin origin;
	uint32_t info; /* IDT-vectoring information of an exit in its delivery */
} firsts[] = {
	{"interrupt", 'b', EVENT_EXT_INT, 0x31, 0, 0, 0, 0, 0x80000031},
	{"interrupt 14", 'b', EVENT_EXT_INT, 14, 0, 0, 0, 0, 0x8000000e},
	{"NMI", 'b', EVENT_NMI, 2, 0, 0, 0, 0, 0x80000202},
	{"INT 0x80", 'b', EVENT_SOFT_INT, 0x80, 0, 0, 2, 0, 0x80000480},
	{"INT 14", 'b', EVENT_SOFT_INT, 14, 0, 0, 2, 0, 0x8000040e},
	{"INT 8", 'b', EVENT_SOFT_INT, 8, 0, 0, 2, 0, 0x80000408},
	{"INT3", 'b', EVENT_SOFT_EXC, 3, 0, 0, 1, 0, 0x80000603},
	{"INTO", 'b', EVENT_SOFT_EXC, 4, 0, 0, 1, 0, 0x80000604},
	{"INT1", 'b', EVENT_PRIV_SW_EXC, 1, 0, 0, 1, 0, 0x80000501},
	{"#DB", 'b', EVENT_HW_EXC, 1, 0, 0, 0, 0, 0x80000301},
	{"#UD", 'b', EVENT_HW_EXC, 6, 0, 0, 0, 0, 0x80000306},
	{"#AC", 'b', EVENT_HW_EXC, 17, 1, 0, 0, 0, 0x80000b11},
	{"#DE", 'c', EVENT_HW_EXC, 0, 0, 0, 0, 0, 0x80000300},
	{"#TS", 'c', EVENT_HW_EXC, 10, 1, 0x28, 0, 0, 0x80000b0a},
	{"#NP", 'c', EVENT_HW_EXC, 11, 1, 0x38, 0, 0, 0x80000b0b},
	{"#SS", 'c', EVENT_HW_EXC, 12, 1, 0, 0, 0, 0x80000b0c},
	{"#GP", 'c', EVENT_HW_EXC, 13, 1, 0x18, 0, 0, 0x80000b0d},
	{"#PF of the bypass", 'p', EVENT_HW_EXC, 14, 1, 6, 0, FROM_BYPASS,
	 0x80000b0e},
	{"#PF of KVM", 'p', EVENT_HW_EXC, 14, 1, 6, 0, FROM_KVM, 0x80000b0e},
	{"#DF", 'd', EVENT_HW_EXC, 8, 1, 0, 0, 0, 0x80000b08},
};

/* --- Seconds -------------------------------------------------------------- */

enum how {
	RAISED,      /* an exception of a descriptor or the like */
	PF_ABSENT,   /* P=0, passes if anything does */
	PF_TRAPPED,  /* P=0, but the shadow has no notrap for it */
	PF_READONLY, /* P=1 */
	HIDDEN,      /* only the shadow lacks it */
	PT_WRITE,    /* the stack is a page table */
};

static const struct second {
	const char *name;
	char class;
	enum how how;
	uint8_t vector;
	bool has_error;
	uint32_t error;
	gva_t gva;
} seconds[] = {
	{"#UD", 'b', RAISED, 6, 0, 0, 0},
	{"#AC", 'b', RAISED, 17, 1, 0, 0},
	{"#DE", 'c', RAISED, 0, 0, 0, 0},
	{"#TS", 'c', RAISED, 10, 1, 0x29, 0},
	{"#NP", 'c', RAISED, 11, 1, 0x19b, 0},
	{"#SS", 'c', RAISED, 12, 1, 1, 0},
	{"#GP", 'c', RAISED, 13, 1, 0x18a, 0},
	{"#PF, absent", 'p', PF_ABSENT, 14, 1, 2, RIG_ABSENT2},
	{"#PF, absent and trapped", 'p', PF_TRAPPED, 14, 1, 2, RIG_COLD2},
	{"#PF, read-only", 'p', PF_READONLY, 14, 1, 3, RIG_READONLY2},
	{"hidden fault", 0, HIDDEN, 0, 0, 0, RIG_HIDDEN},
	{"PT write", 0, PT_WRITE, 0, 0, 0, RIG_TABLE},
};
/* clang-format on */

/* --- What is to come ------------------------------------------------------ */

/* What KVM makes of a #PF it has to reflect; facts A.8, docs/delivery.md. */
enum kvm_rule {
	PF_ON_ANY_PF, /* #DF on #PF: IDT-vectoring information is looked at */
	PF_ON_OWN_PF, /* only on a #PF out of the queue of exceptions */
	QUEUE,        /* #PF, #DF on it; anything else in the queue stays */
	BY_TABLE,
};

static const struct generation {
	const char *config;
	bool bypass;
	enum kvm_rule rule;
	bool bypass_in_32; /* tables of 4-byte entries have notrap as well */
} generations[] = {
	{"mmu=kvm-2.6.20", false, PF_ON_ANY_PF},
	{"mmu=kvm-2.6.24", false, PF_ON_ANY_PF},
	{"mmu=seed bypass=off", false, PF_ON_ANY_PF},
	{"mmu=seed bypass=on", true, PF_ON_ANY_PF},
	{"mmu=kvm-2.6.25 bypass=off", false, PF_ON_OWN_PF},
	{"mmu=kvm-2.6.25 bypass=on", true, PF_ON_OWN_PF, true},
	{"mmu=seed switch.df_queued=on bypass=off", false, QUEUE},
	{"mmu=seed switch.df_queued=on bypass=on", true, QUEUE},
	{"mmu=seed switch.df_by_table=on bypass=off", false, BY_TABLE},
	{"mmu=seed switch.df_by_table=on bypass=on", true, BY_TABLE},
	{"mmu=kvm-2.6.28 bypass=off", false, QUEUE},
	{"mmu=kvm-2.6.28 bypass=on", true, QUEUE, true},
	/* Hidden faults are made one by one. */
	{"mmu=kvm-2.6.38 switch.fill_neighbours=off bypass=off", false,
	 BY_TABLE},
	{"mmu=kvm-2.6.38 switch.fill_neighbours=off bypass=on", true, BY_TABLE,
	 true},
	{"mmu=kvm-3.1 switch.fill_neighbours=off", false, BY_TABLE},
	{"mmu=xen switch.fill_following=off", false, BY_TABLE},
};

enum fate {
	SECOND,
	FIRST_AGAIN,
	DOUBLE,
	SHUTDOWN,
};

/* Rows b, c, p, d; columns b, c, p: second, double fault, triple fault. */
static enum fate by_manual(char first, char second)
{
	static const char *const table[] = {"b2 2 2", "c2 D 2", "p2 D D",
					    "d2 T T"};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		char cell = second == 'b'   ? table[i][1]
			    : second == 'c' ? table[i][3]
					    : table[i][5];

		if (table[i][0] == first)
			return cell == '2'   ? SECOND
			       : cell == 'D' ? DOUBLE
					     : SHUTDOWN;
	}
	fail_msg("no class %c", first);
	return SECOND;
}

static bool is_exception(const struct first *first)
{
	return first->type == EVENT_HW_EXC;
}

static enum fate by_kvm(enum kvm_rule rule, const struct first *first)
{
	switch (rule) {
	case PF_ON_ANY_PF:
		return first->class == 'p' ? DOUBLE : SECOND;
	case PF_ON_OWN_PF:
		return first->origin == FROM_KVM ? DOUBLE : SECOND;
	case QUEUE:
		if (!is_exception(first))
			return SECOND;
		if (first->class == 'p')
			return DOUBLE;
		return first->class == 'd' ? SHUTDOWN : FIRST_AGAIN;
	case BY_TABLE:
		return by_manual(first->class, 'p');
	}
	return SECOND;
}

struct expected {
	enum fate fate;
	bool exits;
	bool reflected;     /* a true fault, by the hypervisor */
	bool cr2_is_second; /* else CR2 is as it was */
};

static bool has_bypass(const struct generation *gen, enum rig_mode mode)
{
	return gen->bypass && (mode != RIG_32 || gen->bypass_in_32);
}

static bool does_exit(const struct generation *gen, enum rig_mode mode,
		      const struct second *second)
{
	switch (second->how) {
	case RAISED:
		return false;
	case PF_ABSENT:
		return !has_bypass(gen, mode);
	default:
		return true;
	}
}

static struct expected expect(const struct generation *gen, enum rig_mode mode,
			      const struct first *first,
			      const struct second *second)
{
	struct expected e = {.exits = does_exit(gen, mode, second)};

	if (second->how == HIDDEN || second->how == PT_WRITE) {
		e.fate = FIRST_AGAIN;
		return e;
	}
	if (!e.exits) {
		e.fate = by_manual(first->class, second->class);
		/* "Processors update CR2 whenever a page fault is detected",
		 * SDM vol. 3A, "Interrupt 14--Page-Fault Exception". */
		e.cr2_is_second = second->class == 'p';
		return e;
	}
	e.reflected = true;
	e.fate = by_kvm(gen->rule, first);
	e.cr2_is_second = e.fate == SECOND || gen->rule == BY_TABLE;
	return e;
}

/* --- One pair ------------------------------------------------------------- */

struct pair {
	struct rig r;
	const struct generation *gen;
	const struct first *first;
	const struct second *second;
	uint64_t cr2; /* before the second event */
};

static void check(const struct pair *p, const char *what, uint64_t got,
		  uint64_t want)
{
	if (got != want)
		fail_msg("%s %s: %s, then %s: %s: got 0x%llx, want 0x%llx",
			 rig_mode_name(p->r.mode), p->gen->config,
			 p->first->name, p->second->name, what,
			 (unsigned long long)got, (unsigned long long)want);
}

static uint64_t vmcs(const struct pair *p, enum vmcs_field field)
{
	return vmcs_get(p->r.sim->cur->vmcs, field);
}

static uint64_t exits(const struct pair *p, enum exit_reason reason)
{
	return account_exits(sim_account(p->r.sim), reason);
}

static void check_event(const struct pair *p, const char *what,
			const struct guest_outcome *out, uint8_t vector,
			enum event_type type, bool has_error, uint32_t error)
{
	check(p, what, out->verdict, GO_FAULT);
	check(p, what, out->vector, vector);
	check(p, what, out->type, type);
	check(p, what, out->has_error, has_error);
	if (has_error)
		check(p, what, out->error, error);
}

/* The event whose delivery is to be disturbed, up to its first reference. */
static void begin_first(struct pair *p)
{
	const struct first *first = p->first;
	struct guest_outcome out = {.vector = first->vector,
				    .type = (uint8_t)first->type,
				    .has_error = first->has_error,
				    .error = first->error};

	if (first->origin != FROM_SOURCE) {
		bool direct = first->origin == FROM_BYPASS;

		out = rig_access(&p->r, direct ? RIG_ABSENT : RIG_COLD,
				 PFEC_W | PFEC_U);
		check_event(p, "first", &out, 14, EVENT_HW_EXC, true, 6);
		check(p, "first is bypassed", out.direct, direct);
		check(p, "CR2 of the first", p->r.sink->view->cr2,
		      direct ? RIG_ABSENT : RIG_COLD);
	}
	rig_begin(&p->r, &out, first->insn_len);
	p->cr2 = p->r.sink->view->cr2;
}

static struct guest_outcome meet_second(struct pair *p)
{
	const struct second *second = p->second;

	if (second->how != RAISED)
		return rig_access(&p->r, second->gva, PFEC_W);
	return rig_push(&p->r,
			(struct guest_event){.kind = GE_EXCEPTION,
					     .type = EVENT_HW_EXC,
					     .vector = second->vector,
					     .has_error = second->has_error,
					     .error = second->error});
}

/* Exit information, and what was left pending for the entry. */
static void check_exit(const struct pair *p, const struct expected *e)
{
	const struct first *first = p->first;

	if (!e->exits) {
		bool triple = e->fate == SHUTDOWN;

		check(p, "reason", vmcs(p, VMCS_EXIT_REASON),
		      triple ? (uint64_t)EXIT_REASON_TRIPLE_FAULT : 0xbeef);
		check(p, "IDT-vectoring", vmcs(p, VMCS_IDT_VECTORING_INFO),
		      triple ? 0 : 0xbeef);
		return;
	}
	check(p, "reason", vmcs(p, VMCS_EXIT_REASON),
	      EXIT_REASON_EXCEPTION_NMI);
	check(p, "qualification", vmcs(p, VMCS_EXIT_QUALIFICATION),
	      p->second->gva);
	check(p, "information", vmcs(p, VMCS_EXIT_INTR_INFO), 0x80000b0e);
	check(p, "IDT-vectoring", vmcs(p, VMCS_IDT_VECTORING_INFO),
	      first->info);
	check(p, "IDT-vectoring error", vmcs(p, VMCS_IDT_VECTORING_ERROR),
	      first->error);
	check(p, "instruction length", vmcs(p, VMCS_EXIT_INSN_LEN),
	      first->insn_len);
	if (e->fate != FIRST_AGAIN)
		return;
	check(p, "entry information", vmcs(p, VMCS_ENTRY_INTR_INFO),
	      first->info);
	check(p, "entry error", vmcs(p, VMCS_ENTRY_INTR_ERROR), first->error);
	check(p, "entry length", vmcs(p, VMCS_ENTRY_INSN_LEN), first->insn_len);
}

static void check_fate(struct pair *p, const struct expected *e,
		       const struct guest_outcome *out)
{
	const struct second *second = p->second;
	const struct first *first = p->first;

	switch (e->fate) {
	case SECOND:
		check_event(p, "second", out, second->vector, EVENT_HW_EXC,
			    second->has_error, second->error);
		break;
	case FIRST_AGAIN:
		check_event(p, "first again", out, first->vector, first->type,
			    first->has_error, first->error);
		break;
	case DOUBLE:
		check_event(p, "double fault", out, 8, EVENT_HW_EXC, true, 0);
		break;
	case SHUTDOWN:
		check(p, "shutdown", out->verdict, GO_SHUTDOWN);
		break;
	}
	check(p, "CR2", p->r.sink->view->cr2,
	      e->cr2_is_second ? second->gva : p->cr2);
}

/* An interrupt that KVM took out of a delivery comes again, once. */
static void check_requeued(struct pair *p, const struct expected *e)
{
	bool kept = e->reflected && p->first->type == EVENT_EXT_INT;
	struct guest_outcome out;

	check(p, "window", p->r.sink->view->irq_window, kept);
	if (!kept)
		return;
	out = rig_push(&p->r, (struct guest_event){.kind = GE_IRQ_WINDOW,
						   .if_open = true});
	check_event(p, "in the window", &out, p->first->vector, EVENT_EXT_INT,
		    false, 0);
	check(p, "window again", p->r.sink->view->irq_window, false);
	rig_begin(&p->r, &out, 0);
	rig_complete(&p->r);
}

static void check_counts(const struct pair *p, const struct expected *e)
{
	bool first_is_delivered = e->fate == FIRST_AGAIN;
	bool is_pf = (e->fate == SECOND && p->second->class == 'p') ||
		     (first_is_delivered && p->first->class == 'p');
	bool is_df = e->fate == DOUBLE ||
		     (first_is_delivered && p->first->class == 'd');
	bool direct = first_is_delivered ? p->first->origin == FROM_BYPASS
					 : !e->exits;
	const struct account *acct = sim_account(p->r.sim);

	check(p, "double_faults", rig_counter(&p->r, CNT_double_faults), is_df);
	check(p, "reinjections", rig_counter(&p->r, CNT_reinjections),
	      first_is_delivered);
	check(p, "pf_guest", rig_counter(&p->r, CNT_pf_guest),
	      (uint64_t)e->reflected + (p->first->origin == FROM_KVM));
	check(p, "guest faults",
	      account_faults_direct(acct) + account_faults_injected(acct),
	      is_pf);
	check(p, "of these direct", account_faults_direct(acct),
	      is_pf && direct);
	check(p, "triple-fault exits", exits(p, EXIT_REASON_TRIPLE_FAULT),
	      e->fate == SHUTDOWN && !e->exits);
}

static void run_pair(struct pair *p)
{
	struct expected e = expect(p->gen, p->r.mode, p->first, p->second);
	struct guest_outcome out;

	begin_first(p);
	vmcs_set(p->r.sim->cur->vmcs, VMCS_EXIT_REASON, 0xbeef);
	vmcs_set(p->r.sim->cur->vmcs, VMCS_IDT_VECTORING_INFO, 0xbeef);
	out = meet_second(p);
	check_exit(p, &e);
	check_fate(p, &e, &out);
	if (e.fate != SHUTDOWN) {
		rig_begin(&p->r, &out, p->first->insn_len);
		rig_complete(&p->r);
		check_requeued(p, &e);
	}
	check_counts(p, &e);
}

static unsigned int all_pairs(enum rig_mode mode, const struct generation *gen)
{
	unsigned int nr = 0;

	for (size_t i = 0; i < ARRAY_LEN(firsts) * ARRAY_LEN(seconds);
	     i += one_of_cases()) {
		struct pair p = {.gen = gen,
				 .first = &firsts[i / ARRAY_LEN(seconds)],
				 .second = &seconds[i % ARRAY_LEN(seconds)]};

		if (p.first->origin == FROM_BYPASS && !has_bypass(gen, mode))
			continue;
		if (!rig_start(&p.r, mode, true, gen->config))
			return 0;
		run_pair(&p);
		rig_end(&p.r);
		nr++;
	}
	return nr;
}

static void pairs(enum rig_mode mode, unsigned int at_least)
{
	unsigned int nr = 0;

	for (size_t g = 0; g < ARRAY_LEN(generations); g++)
		nr += all_pairs(mode, &generations[g]);
	if (nr * one_of_cases() < at_least)
		fail_msg("%u pairs, want at least %u", nr, at_least);
}

static void pairs_in_long_mode(void **state)
{
	(void)state;
	pairs(RIG_LONG, 13 * 228);
}

static void pairs_in_pae_mode(void **state)
{
	(void)state;
	pairs(RIG_PAE, 13 * 228);
}

static void pairs_in_32bit_mode(void **state)
{
	(void)state;
	pairs(RIG_32, 13 * 228);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_in_long_mode),
		cmocka_unit_test(pairs_in_pae_mode),
		cmocka_unit_test(pairs_in_32bit_mode),
	};

	return cmocka_run_group_tests_name("sim_deliver_pairs", tests, NULL,
					   NULL);
}
