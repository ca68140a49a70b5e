/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest faults that wait for their retry, many at a time; retries that the
 * hypervisor emulates; and stores that cannot be emulated.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/exception.h"
#include "deliver_rig.h"
#include "sim/internal.h"

static uint64_t open_faults(const struct rig *r)
{
	return r->sim->cur->nr_open;
}

static uint64_t latencies(const struct rig *r)
{
	return sim_account(r->sim)->fault_latency->typ.count;
}

/* A #PF of the instruction at rip, taken; the page stays absent. */
static void fault_at(struct rig *r, gva_t rip)
{
	struct guest_outcome out =
		rig_push(r, (struct guest_event){.kind = GE_ACCESS,
						 .gva = RIG_ABSENT,
						 .rip = rip,
						 .cpl = 3,
						 .access = PFEC_U});

	assert_int_equal(out.verdict, GO_FAULT);
	assert_int_equal(out.vector, EXC_PF);
	rig_push(r, (struct guest_event){.kind = GE_DELIVER,
					 .vector = EXC_PF,
					 .type = EVENT_HW_EXC,
					 .has_error = true,
					 .error = out.error,
					 .rip = rip,
					 .cpl = 3});
	rig_complete(r);
}

static void retry_at(struct rig *r, gva_t rip)
{
	rig_push(r, (struct guest_event){.kind = GE_RETRY, .rip = rip});
	rig_push(r, (struct guest_event){.kind = GE_PAUSE});
}

/* Retried out of order: each is found by where it was, once. */
static void found_by_rip(void **state)
{
	static const gva_t order[] = {0x5020, 0x5010, 0x5030, 0x5000};
	struct rig r;

	(void)state;
	assert_true(rig_start(&r, RIG_LONG, true, ""));
	for (gva_t rip = 0x5000; rip <= 0x5030; rip += 0x10)
		fault_at(&r, rip);
	assert_int_equal(open_faults(&r), 4);
	retry_at(&r, 0x5040);
	assert_int_equal(open_faults(&r), 4);
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		retry_at(&r, order[i]);
		assert_int_equal(open_faults(&r), 3 - i);
		assert_int_equal(latencies(&r), i + 1);
		retry_at(&r, order[i]);
		assert_int_equal(latencies(&r), i + 1);
	}
	rig_end(&r);
}

/* The longest wait is that of the fault retried last. */
static void latest_first(void **state)
{
	const struct histogram *h;
	uint64_t second;
	struct rig r;

	(void)state;
	assert_true(rig_start(&r, RIG_LONG, true, ""));
	h = &sim_account(r.sim)->fault_latency->typ;
	fault_at(&r, 0x5000);
	for (int i = 0; i < 1000; i++)
		rig_push(&r, (struct guest_event){.kind = GE_PAUSE});
	fault_at(&r, 0x5000);
	retry_at(&r, 0x5000);
	second = h->max;
	retry_at(&r, 0x5000);
	assert_int_equal(h->count, 2);
	assert_int_equal(h->min, second);
	assert_true(h->max >= second + 1000);
	rig_end(&r);
}

/* The same address in another address space is another instruction. */
static void found_by_space(void **state)
{
	struct rig r;
	gpa_t other;

	(void)state;
	assert_true(rig_start(&r, RIG_LONG, true, ""));
	fault_at(&r, 0x5000);
	other = rig_frame(&r);
	memcpy(mem_ram(r.mem, other), mem_ram(r.mem, r.root), PAGE_SIZE);
	rig_push(&r, (struct guest_event){
			     .kind = GE_CR_WRITE, .cr = 3, .value = other});
	retry_at(&r, 0x5000);
	assert_int_equal(latencies(&r), 0);
	rig_push(&r, (struct guest_event){
			     .kind = GE_CR_WRITE, .cr = 3, .value = r.root});
	retry_at(&r, 0x5000);
	assert_int_equal(latencies(&r), 1);
	rig_end(&r);
}

/* Beyond their number the oldest is forgotten. */
static void the_oldest_is_forgotten(void **state)
{
	struct rig r;

	(void)state;
	assert_true(rig_start(&r, RIG_LONG, true, ""));
	for (gva_t i = 0; i < OPEN_FAULTS_MAX + 2; i++)
		fault_at(&r, 0x5000 + 0x10 * i);
	assert_int_equal(open_faults(&r), OPEN_FAULTS_MAX);
	retry_at(&r, 0x5000);
	retry_at(&r, 0x5010);
	assert_int_equal(latencies(&r), 0);
	retry_at(&r, 0x5020);
	assert_int_equal(latencies(&r), 1);
	retry_at(&r, 0x5000 + 0x10 * (OPEN_FAULTS_MAX + 1));
	assert_int_equal(latencies(&r), 2);
	assert_int_equal(open_faults(&r), OPEN_FAULTS_MAX - 2);
	rig_end(&r);
}

/*
 * The retried reference ends the latency, whether it is through or a fault of
 * its own; another reference does not.
 */
static void what_ends_a_latency(void **state)
{
	static const struct {
		gva_t rip, gva;
		uint64_t want;
	} cases[] = {
		{0x5000, RIG_ABSENT + 8, 1},
		{0x5000, RIG_OTHER, 0},
		{0x5010, RIG_ABSENT, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig r;

		assert_true(rig_start(&r, RIG_LONG, true, ""));
		fault_at(&r, 0x5000);
		rig_push(&r,
			 (struct guest_event){.kind = GE_RETRY, .rip = 0x5000});
		rig_push(&r, (struct guest_event){.kind = GE_ACCESS,
						  .gva = cases[i].gva,
						  .rip = cases[i].rip});
		assert_int_equal(latencies(&r), cases[i].want);
		rig_push(&r, (struct guest_event){.kind = GE_PAUSE});
		assert_int_equal(latencies(&r), 1);
		rig_end(&r);
	}
}

/* The emulator gives up: the table is one no more, the store runs natively. */
static void emulation_fails(void **state)
{
	struct guest_outcome out;
	struct rig r;

	(void)state;
	assert_true(rig_start(&r, RIG_LONG, true, "mmu=kvm-2.6.25"));
	out = rig_access(&r, RIG_TABLE, PFEC_W);
	assert_int_equal(out.verdict, GO_EMULATE);
	out = rig_push(&r, (struct guest_event){.kind = GE_EMULATE_FAILED});
	assert_int_equal(out.verdict, GO_DONE);
	assert_int_equal(rig_counter(&r, CNT_insn_emulation_fail), 1);
	out = rig_access(&r, RIG_TABLE, PFEC_W);
	assert_int_equal(out.verdict, GO_DONE);
	rig_end(&r);
}

/* A store from a table into a page that is no memory. */
static void store_beyond_memory(void **state)
{
	struct guest_outcome out;
	gpa_t next;
	struct rig r;

	(void)state;
	assert_true(rig_start(&r, RIG_LONG, true, "mmu=kvm-2.6.25"));
	next = rig_entry(&r, RIG_ABSENT2, 1);
	rig_write(&r, next, (RIG_RAM + PAGE_SIZE) | PTE_P | PTE_W);
	out = rig_access(&r, RIG_ABSENT2 - 4, PFEC_W);
	assert_int_equal(out.verdict, GO_EMULATE);
	out = rig_push(&r, (struct guest_event){.kind = GE_STORE,
						.gva = RIG_ABSENT2 - 4,
						.size = 8});
	assert_int_equal(out.verdict, GO_MMIO);
	assert_int_equal(out.gpa, RIG_RAM + PAGE_SIZE);
	rig_write(&r, next, 0);
	rig_push(&r, (struct guest_event){.kind = GE_PAUSE});
	rig_end(&r);
}

/* The exit lasts until the source has been at the device, or does not go. */
static void device_access(void **state)
{
	const struct guest_event there = {.kind = GE_DEVICE};
	const struct account *acct;
	struct guest_outcome out;
	uint64_t exits;
	struct rig r;

	(void)state;
	assert_true(rig_start(&r, RIG_LONG, true, "mmu=kvm-2.6.25"));
	acct = sim_account(r.sim);
	rig_write(&r, rig_entry(&r, RIG_COLD, 1),
		  (RIG_RAM + PAGE_SIZE) | PTE_P | PTE_W);
	for (unsigned int i = 0; i < 3; i++) {
		out = rig_access(&r, RIG_COLD + 8, 0);
		assert_int_equal(out.verdict, GO_MMIO);
		assert_int_equal(out.gpa, RIG_RAM + PAGE_SIZE + 8);
		assert_int_equal(rig_counter(&r, CNT_insn_emulation), i);
		assert_int_equal(acct->pf_cause[CAUSE_mmio], i + 1);
		exits = account_exits_total(acct);
		assert_int_equal(rig_push(&r, there).verdict, GO_DONE);
		assert_int_equal(rig_counter(&r, CNT_insn_emulation), i + 1);
		assert_int_equal(account_exits_total(acct), exits + 1);
	}
	out = rig_access(&r, RIG_COLD, PFEC_W);
	assert_int_equal(out.verdict, GO_MMIO);
	rig_push(&r, (struct guest_event){.kind = GE_PAUSE});
	assert_int_equal(rig_counter(&r, CNT_insn_emulation), 3);
	rig_end(&r);
}

/* --- A retry that the hypervisor does ------------------------------------- */

/* Its emulation, event by event; the last one is of what comes after it. */
static const struct {
	const char *name;
	bool is_device; /* mapped is no memory, else a shadowed table */
	struct guest_event steps[2];
	enum guest_verdict verdict; /* of the retried access */
	const char *chain;
} emulated[] = {
	{"a table's entry",
	 false,
	 {{.kind = GE_STORE, .gva = RIG_COLD, .size = 8}, {.kind = GE_PAUSE}},
	 GO_EMULATE,
	 "injected > pt_write"},
	{"the next access ends it, too",
	 false,
	 {{.kind = GE_STORE, .gva = RIG_COLD, .size = 8},
	  {.kind = GE_ACCESS, .gva = RIG_STACK}},
	 GO_EMULATE,
	 "injected > pt_write"},
	{"no emulation",
	 false,
	 {{.kind = GE_EMULATE_FAILED},
	  {.kind = GE_ACCESS,
	   .gva = RIG_COLD,
	   .rip = 0x5000,
	   .access = PFEC_W}},
	 GO_EMULATE,
	 "injected > pt_write"},
	{"a device",
	 true,
	 {{.kind = GE_DEVICE}, {.kind = GE_PAUSE}},
	 GO_MMIO,
	 "injected > mmio"},
};

/* A write to RIG_COLD faults, and the guest's handler runs. */
static void fault_in_cold(struct rig *r)
{
	struct guest_outcome out =
		rig_push(r, (struct guest_event){.kind = GE_ACCESS,
						 .gva = RIG_COLD,
						 .rip = 0x5000,
						 .access = PFEC_W});

	assert_int_equal(out.verdict, GO_FAULT);
	rig_push(r, (struct guest_event){.kind = GE_DELIVER,
					 .vector = EXC_PF,
					 .type = EVENT_HW_EXC,
					 .has_error = true,
					 .error = out.error,
					 .rip = 0x5000});
	rig_complete(r);
}

static uint64_t clock_of(const struct rig *r)
{
	return account_clock(sim_account(r->sim)).typ;
}

static void check_chain(const struct rig *r, const char *want)
{
	const struct chain *chain[CHAINS_MAX];
	char text[CHAIN_TEXT_MAX];

	assert_int_equal(chains_sorted(sim_account(r->sim)->chains, chain), 1);
	chain_text(&chain[0]->key, text);
	assert_string_equal(text, want);
	assert_int_equal(chain[0]->exits, 2);
}

/* The fault is over when the emulation is: not before, and not later. */
static void retry_is_emulated(size_t i)
{
	const struct histogram *h;
	struct guest_event step = emulated[i].steps[0];
	uint64_t began, access, end, entry;
	struct guest_outcome out;
	struct rig r;

	assert_true(rig_start(&r, RIG_LONG, true, "cost.guest-insn=0"));
	h = &sim_account(r.sim)->fault_latency->typ;
	began = clock_of(&r);
	fault_in_cold(&r);
	rig_write(&r, rig_entry(&r, RIG_COLD, 1),
		  (emulated[i].is_device
			   ? RIG_RAM
			   : rig_entry(&r, RIG_OTHER, 1) & PTE_ADDR) |
			  PTE_P | PTE_W);
	rig_push(&r, (struct guest_event){.kind = GE_RETRY, .rip = 0x5000});
	out = rig_push(&r, (struct guest_event){.kind = GE_ACCESS,
						.gva = RIG_COLD,
						.rip = 0x5000,
						.access = PFEC_W});
	assert_int_equal(out.verdict, emulated[i].verdict);
	access = clock_of(&r);
	assert_int_equal(h->count, 0);
	/* An entry that the shadow takes over, which has its cost. */
	entry = rig_frame(&r) | PTE_P | PTE_W | PTE_A | PTE_D;
	memcpy(step.bytes, &entry, sizeof(entry));
	rig_push(&r, step);
	end = clock_of(&r);
	if (!emulated[i].is_device)
		assert_int_equal(h->count, 0);
	rig_push(&r, emulated[i].steps[1]);
	assert_int_equal(h->count, 1);
	assert_true(end > access);
	if (h->sum != end - began)
		fail_msg("%s: %llu cycles, want %llu", emulated[i].name,
			 (unsigned long long)h->sum,
			 (unsigned long long)(end - began));
	check_chain(&r, emulated[i].chain);
	rig_end(&r);
}

static void emulated_retries(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(emulated); i++)
		retry_is_emulated(i);
}

/* Its store meets a fault of its own: that is the end of the first one. */
static void emulated_retry_faults(void **state)
{
	struct guest_outcome out;
	struct rig r;

	(void)state;
	assert_true(rig_start(&r, RIG_LONG, true, ""));
	fault_in_cold(&r);
	rig_write(&r, rig_entry(&r, RIG_COLD, 1),
		  (rig_entry(&r, RIG_OTHER, 1) & PTE_ADDR) | PTE_P | PTE_W);
	rig_push(&r, (struct guest_event){.kind = GE_RETRY, .rip = 0x5000});
	out = rig_push(&r, (struct guest_event){.kind = GE_ACCESS,
						.gva = RIG_COLD2 - 4,
						.rip = 0x5000,
						.access = PFEC_W});
	assert_int_equal(out.verdict, GO_EMULATE);
	out = rig_push(&r, (struct guest_event){.kind = GE_STORE,
						.gva = RIG_COLD2 - 4,
						.size = 8});
	assert_int_equal(out.verdict, GO_FAULT);
	assert_int_equal(latencies(&r), 0);
	rig_begin(&r, &out, 0);
	assert_int_equal(latencies(&r), 1);
	rig_complete(&r);
	rig_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_by_rip),
		cmocka_unit_test(latest_first),
		cmocka_unit_test(found_by_space),
		cmocka_unit_test(the_oldest_is_forgotten),
		cmocka_unit_test(what_ends_a_latency),
		cmocka_unit_test(emulation_fails),
		cmocka_unit_test(store_beyond_memory),
		cmocka_unit_test(device_access),
		cmocka_unit_test(emulated_retries),
		cmocka_unit_test(emulated_retry_faults),
	};

	return cmocka_run_group_tests_name("sim_faults", tests, NULL, NULL);
}
