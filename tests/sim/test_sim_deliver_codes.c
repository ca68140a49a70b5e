/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The error code of a guest fault by path, mode and generation, against what
 * bare hardware reports.  docs/delivery.md lists the differences; each row
 * there names a test here.
 *
 * Codes are written out: 1 P, 2 W, 4 U, 8 RSVD, 0x10 I/D.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arch/cr.h"
#include "deliver_rig.h"
#include "sim/internal.h"

/* What the reflecting walk of that time does otherwise than hardware. */
struct generation {
	const char *config;
	bool bypass;
	bool repeats_id;    /* I/D from the exit's own code, whatever NXE is */
	bool sees_reserved; /* RSVD is reported */
	bool copies_nx;     /* into the shadow, whatever NXE is */
	bool denies_early;  /* a missing right hides an absent entry below */
	bool reads_32bit;   /* notrap in leaf tables of 4-byte entries */
	bool unsync;        /* a write to a leaf table is not emulated */
	bool flips;         /* absent entries are known without a walk (Xen) */
};

#define OLD   true, false, true, true, false
#define OF_25 true, false, false, true, true

#define NEW false, true, false, false, true

static const struct generation generations[] = {
	{"mmu=kvm-2.6.20", false, OLD},
	{"mmu=kvm-2.6.24", false, OLD},
	{"mmu=seed bypass=off", false, OLD},
	{"mmu=seed bypass=on", true, OLD},
	{"mmu=kvm-2.6.25 bypass=off", false, OF_25},
	{"mmu=kvm-2.6.25 bypass=on", true, OF_25},
	{"mmu=kvm-2.6.28 bypass=off", false, OF_25, .unsync = true},
	{"mmu=kvm-2.6.28 bypass=on", true, OF_25, .unsync = true},
	{"mmu=kvm-2.6.38 bypass=off", false, NEW, .unsync = true},
	{"mmu=kvm-2.6.38 bypass=on", true, NEW, .unsync = true},
	{"mmu=kvm-3.1", false, NEW, .unsync = true},
	{"mmu=xen", false, NEW, .flips = true},
};

struct run {
	struct rig r;
	const struct generation *gen;
	const char *row;
};

static void check(const struct run *run, const char *what, uint64_t got,
		  uint64_t want)
{
	if (got != want)
		fail_msg("%s %s nxe=%d: %s: %s: got 0x%llx, want 0x%llx",
			 rig_mode_name(run->r.mode), run->gen->config,
			 run->r.nxe, run->row, what, (unsigned long long)got,
			 (unsigned long long)want);
}

static void check_fault(const struct run *run, const struct guest_outcome *out,
			uint32_t code, bool direct)
{
	check(run, "verdict", out->verdict, GO_FAULT);
	check(run, "vector", out->vector, 14);
	check(run, "error code", out->error, code);
	check(run, "direct", out->direct, direct);
}

/* A reference that must be a guest fault with this code. */
static void faults(struct run *run, gva_t gva, uint32_t access, uint32_t code,
		   bool direct)
{
	struct guest_outcome out = rig_access(&run->r, gva, access);

	check_fault(run, &out, code, direct);
	check(run, "CR2", run->r.sink->view->cr2, gva);
}

static void succeeds(struct run *run, gva_t gva, uint32_t access)
{
	check(run, "verdict", rig_access(&run->r, gva, access).verdict,
	      GO_DONE);
}

/* Bare hardware's I/D bit of a fetch; SMEP is off. */
static uint32_t id(const struct run *run)
{
	return run->r.nxe && run->r.mode != RIG_32 ? PFEC_ID : 0;
}

/* An absent page of a table that was read when it was shadowed. */
static bool is_direct(const struct run *run)
{
	return run->gen->bypass &&
	       (run->r.mode != RIG_32 || run->gen->reads_32bit);
}

static uint32_t reflected_id(const struct run *run)
{
	return run->gen->repeats_id ? PFEC_ID : id(run);
}

/* cr4, features: beyond what the mode has. */
static void every_with(const char *row, uint64_t cr4, const char *features,
		       void (*body)(struct run *run))
{
	const size_t nr = ARRAY_LEN(generations);
	unsigned int runs = 0;

	for (size_t i = 0; i < nr * NR_RIG_MODES * 2; i++) {
		struct run run = {.gen = &generations[i % nr], .row = row};
		char config[128];

		snprintf(config, sizeof(config), "%s %s", run.gen->config,
			 features);
		if (!rig_start_cr4(&run.r, (enum rig_mode)(i / nr / 2),
				   i / nr & 1, cr4, config))
			continue;
		body(&run);
		rig_end(&run.r);
		runs++;
	}
	assert_int_equal(runs, nr * NR_RIG_MODES * 2);
}

static void every(const char *row, void (*body)(struct run *run))
{
	every_with(row, 0, "", body);
}

/* Data references: the two paths and hardware agree. */
static void absent_page_row(struct run *run)
{
	faults(run, RIG_ABSENT, 0, 0, is_direct(run));
	faults(run, RIG_ABSENT, PFEC_W, 2, is_direct(run));
	faults(run, RIG_ABSENT, PFEC_U, 4, is_direct(run));
	faults(run, RIG_ABSENT, PFEC_W | PFEC_U, 6, is_direct(run));
	faults(run, RIG_COLD, PFEC_W | PFEC_U, 6, false);
}

static void absent_page(void **state)
{
	(void)state;
	every("absent page", absent_page_row);
}

static void protected_page_row(struct run *run)
{
	faults(run, RIG_READONLY, PFEC_W, 3, false);
	faults(run, RIG_READONLY, PFEC_U, 5, false);
	faults(run, RIG_USER_RO, PFEC_W | PFEC_U, 7, false);
	succeeds(run, RIG_USER, PFEC_W | PFEC_U);
}

static void protected_page(void **state)
{
	(void)state;
	every("protected page", protected_page_row);
}

/* The host's NXE is on: hardware reports I/D to a guest that has none. */
static void absent_page_fetched_row(struct run *run)
{
	/* Xen takes the exit's code and flips P and RSVD in it. */
	bool as_it_is = is_direct(run) || run->gen->flips;
	uint32_t code = as_it_is ? (uint32_t)PFEC_ID : reflected_id(run);

	faults(run, RIG_ABSENT, PFEC_ID, code, is_direct(run));
	faults(run, RIG_ABSENT, PFEC_ID | PFEC_U, code | 4, is_direct(run));
}

static void absent_page_fetched(void **state)
{
	(void)state;
	every("absent page fetched", absent_page_fetched_row);
}

static void trapped_page_fetched_row(struct run *run)
{
	faults(run, RIG_COLD, PFEC_ID, reflected_id(run), false);
	faults(run, RIG_COLD, PFEC_ID | PFEC_U, reflected_id(run) | 4, false);
}

static void trapped_page_fetched(void **state)
{
	(void)state;
	every("trapped page fetched", trapped_page_fetched_row);
}

/* Whatever an absent entry holds, it is absent, and notrap for it is right. */
static void junk_in_an_absent_entry_row(struct run *run)
{
	faults(run, RIG_JUNK, PFEC_W | PFEC_U, 6, is_direct(run));
	faults(run, RIG_JUNK, 0, 0, is_direct(run));
}

static void junk_in_an_absent_entry(void **state)
{
	(void)state;
	every("junk in an absent entry", junk_in_an_absent_entry_row);
}

/*
 * Hardware: 9, as the address is beyond MAXPHYADDR and, in PAE, bit 58 is
 * reserved.  The walk before 2009 took the one for a device, the other for a
 * page.  Never direct: such an entry is present.
 */
static void reserved_bit_row(struct run *run)
{
	bool pae = run->r.mode == RIG_PAE;

	if (run->r.mode == RIG_32)
		return;
	if (pae && run->gen->sees_reserved)
		faults(run, RIG_IGNORED, 0, 9, false);
	else
		succeeds(run, RIG_IGNORED, 0);
	if (run->gen->sees_reserved)
		faults(run, RIG_RESERVED, 0, 9, false);
	else
		check(run, "verdict",
		      rig_access(&run->r, RIG_RESERVED, 0).verdict, GO_MMIO);
}

static void reserved_bit(void **state)
{
	(void)state;
	every("reserved bit", reserved_bit_row);
}

/* With NXE=1 a fetch of such a page is 0x15; with NXE=0 the bit is reserved,
 * and hardware reports 0xd for any reference. */
static void no_execute_row(struct run *run)
{
	if (run->r.mode == RIG_32)
		return;
	if (run->r.nxe) {
		succeeds(run, RIG_NX, PFEC_U);
		faults(run, RIG_NX, PFEC_U | PFEC_ID, 0x15, false);
		return;
	}
	if (run->gen->sees_reserved) {
		faults(run, RIG_NX, PFEC_U, 0xd, false);
		return;
	}
	succeeds(run, RIG_NX, PFEC_U);
	/* A copied bit faults for ever: the walk finds nothing wrong. */
	if (run->gen->copies_nx)
		check(run, "verdict",
		      rig_access(&run->r, RIG_NX, PFEC_U | PFEC_ID).verdict,
		      GO_STOP);
	else
		succeeds(run, RIG_NX, PFEC_U | PFEC_ID);
}

static void no_execute(void **state)
{
	(void)state;
	every("no-execute", no_execute_row);
}

/*
 * The entry above lacks W and U, the one below is absent: 6 by hardware, which
 * looks at rights last, and so on the direct path.  The walk of that time
 * reported the missing right.
 */
static void denied_above_absent_below_row(struct run *run)
{
	bool direct = is_direct(run);
	uint32_t early = run->gen->denies_early ? PFEC_P : 0;

	faults(run, RIG_DENIED, PFEC_W | PFEC_U, direct ? 6 : 6 | early,
	       direct);
	faults(run, RIG_DENIED, PFEC_W, direct ? 2 : 2 | early, direct);
	faults(run, RIG_DENIED_COLD, PFEC_W | PFEC_U, 6 | early, false);
	faults(run, RIG_DENIED_COLD, 0, 0, false);
}

static void denied_above_absent_below(void **state)
{
	(void)state;
	every("denied above, absent below", denied_above_absent_below_row);
}

/* The trap value faults with RSVD; the guest never sees that bit. */
static void trap_value_row(struct run *run)
{
	bool trap = run->gen->bypass;

	faults(run, RIG_COLD, PFEC_W | PFEC_U, 6, false);
	check(run, "code of the exit",
	      vmcs_get(run->r.sim->cur->vmcs, VMCS_EXIT_INTR_ERROR),
	      trap ? 0xf : 6);
}

static void trap_value(void **state)
{
	(void)state;
	every("trap value", trap_value_row);
}

/* Four bytes on a page table, four on the page behind it. */
static struct guest_outcome store_across(struct run *run, gva_t page,
					 uint32_t user)
{
	gva_t gva = page + PAGE_SIZE - 4;
	struct guest_outcome out = rig_push(
		&run->r, (struct guest_event){.kind = GE_ACCESS,
					      .gva = gva,
					      .size = 4,
					      .cpl = user ? 3 : 0,
					      .access = PFEC_W | user});

	check(run, "first half", out.verdict, GO_EMULATE);
	return rig_push(&run->r, (struct guest_event){.kind = GE_STORE,
						      .gva = gva,
						      .size = 8,
						      .cpl = user ? 3 : 0});
}

/* The emulator's own fault: code 2, whoever stores.  Hardware: 2 and 6. */
static void store_into_an_absent_page_row(struct run *run)
{
	struct guest_outcome out;

	if (run->gen->unsync)
		return;
	out = store_across(run, RIG_TABLE, 0);
	check_fault(run, &out, 2, false);
	check(run, "CR2", run->r.sink->view->cr2, RIG_TABLE + PAGE_SIZE);
	out = store_across(run, RIG_SELF, PFEC_U);
	check_fault(run, &out, 2, false);
	check(run, "CR2", run->r.sink->view->cr2, RIG_SELF + PAGE_SIZE);
}

static void store_into_an_absent_page(void **state)
{
	(void)state;
	every("store into an absent page", store_into_an_absent_page_row);
}

/* The emulator asks where, not whether it may.  Hardware: 3. */
static void store_into_a_read_only_page_row(struct run *run)
{
	if (!run->gen->unsync)
		check(run, "verdict", store_across(run, RIG_TABLE2, 0).verdict,
		      GO_DONE);
}

static void store_into_a_read_only_page(void **state)
{
	(void)state;
	every("store into a read-only page", store_into_a_read_only_page_row);
}

/* With SMEP a fetch is told whatever NXE is: all agree again. */
static void smep_row(struct run *run)
{
	faults(run, RIG_ABSENT, PFEC_ID, 0x10, is_direct(run));
	faults(run, RIG_COLD, PFEC_ID | PFEC_U, 0x14, false);
	faults(run, RIG_USER, PFEC_ID, 0x11, false);
	succeeds(run, RIG_USER, PFEC_ID | PFEC_U);
	succeeds(run, RIG_USER, 0);
}

static void smep(void **state)
{
	(void)state;
	every_with("SMEP", CR4_SMEP, "features=smep", smep_row);
}

/* Key 3: first no writes, then nothing at all; keys are of user pages. */
static void protection_key_row(struct run *run)
{
	if (run->r.mode != RIG_LONG)
		return;
	succeeds(run, RIG_KEYED, PFEC_W | PFEC_U);
	rig_push(&run->r, (struct guest_event){.kind = GE_WRPKRU,
					       .value = UINT64_C(2) << 6});
	succeeds(run, RIG_KEYED, PFEC_U);
	faults(run, RIG_KEYED, PFEC_W | PFEC_U, 0x27, false);
	rig_push(&run->r, (struct guest_event){.kind = GE_WRPKRU,
					       .value = UINT64_C(1) << 6});
	faults(run, RIG_KEYED, PFEC_U, 0x25, false);
	faults(run, RIG_KEYED, 0, 0x21, false);
	succeeds(run, RIG_KEYED, PFEC_U | PFEC_ID);
	succeeds(run, RIG_USER, PFEC_W | PFEC_U);
	faults(run, RIG_ABSENT, PFEC_U, 4, is_direct(run));
}

static void protection_key(void **state)
{
	(void)state;
	every_with("protection key", CR4_PKE, "features=pku",
		   protection_key_row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absent_page),
		cmocka_unit_test(protected_page),
		cmocka_unit_test(absent_page_fetched),
		cmocka_unit_test(trapped_page_fetched),
		cmocka_unit_test(junk_in_an_absent_entry),
		cmocka_unit_test(reserved_bit),
		cmocka_unit_test(no_execute),
		cmocka_unit_test(denied_above_absent_below),
		cmocka_unit_test(trap_value),
		cmocka_unit_test(store_into_an_absent_page),
		cmocka_unit_test(store_into_a_read_only_page),
		cmocka_unit_test(smep),
		cmocka_unit_test(protection_key),
	};

	return cmocka_run_group_tests_name("sim_deliver_codes", tests, NULL,
					   NULL);
}
