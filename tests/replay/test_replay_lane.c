/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A lane on a tape made by hand, and on what is wrong with one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/exception.h"
#include "lanes.h"
#include "tape.h"

/* The ladder, in one fault: injection or none, the write, the refault. */
static const struct {
	const char *mmu, *bypass;
	uint64_t injected, pt_write;
} rungs[] = {
	{"kvm-2.6.20-rc3", "off", 1, 0},
	{"kvm-2.6.20", "off", 1, 1},
	{"kvm-2.6.24", "off", 1, 1},
	{"seed", "off", 1, 1},
	{"seed", "on", 0, 1},
	{"kvm-2.6.25", "off", 1, 1},
	{"kvm-2.6.25", "on", 0, 1},
};

static void replays_in_every_generation(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rungs); i++) {
		const struct trace_info info = tape_info();
		struct replay_lane *lane =
			lane_of(rungs[i].mmu, rungs[i].bypass, &info);
		const struct sim *sim = replay_lane_sim(lane);
		const struct account *acct = sim_account(sim);
		struct tape tape;

		tape_init(&tape);
		tape_play(&tape, lane);
		assert_string_equal(replay_lane_line(lane), "");
		assert_int_equal(replay_lane_status(lane), REPLAY_DONE);
		assert_int_equal(replay_lane_insns(lane), 5);
		assert_int_equal(account_faults_direct(acct) +
					 account_faults_injected(acct),
				 1);
		assert_int_equal(acct->pf_cause[CAUSE_injected],
				 rungs[i].injected);
		assert_int_equal(acct->pf_cause[CAUSE_pt_write],
				 rungs[i].pt_write);
		assert_int_equal(acct->fault_latency->typ.count, 1);
		assert_null(sim_check(sim));
		assert_int_equal(sim_audit(sim).violations, 0);
		replay_lane_destroy(lane);
	}
}

/*
 * The numbers of lookups: 6 fetches, 5 other references, and that of a delivery
 * once more, which an exit has cut short.
 */
static void looks_up_every_reference(void **state)
{
	const struct trace_info info = tape_info();
	struct replay_lane *lane = lane_of("kvm-2.6.25", "on", &info);
	const struct account *acct = sim_account(replay_lane_sim(lane));
	struct tape tape;

	(void)state;
	tape_init(&tape);
	tape_play(&tape, lane);
	assert_int_equal(acct->tlb[TLB_l1i_lookups], 6);
	assert_int_equal(acct->tlb[TLB_l1d_lookups], 6);
	assert_int_equal(acct->tlb[TLB_flushes], account_exits_total(acct));
	replay_lane_destroy(lane);
}

/* --- What is wrong with a tape ------------------------------------------- */

static void other_address(struct tape *tape)
{
	tape->item[tape->at_fault].gva += 8;
}

static void other_code(struct tape *tape)
{
	tape->item[tape->at_fault].error = PFEC_U | PFEC_W;
}

static void no_fault(struct tape *tape)
{
	tape_remove(tape, tape->at_fault);
}

static void fault_too_many(struct tape *tape)
{
	tape_repeat(tape, tape->at_fault);
}

static void fault_too_early(struct tape *tape)
{
	tape->item[tape->at_read] = tape->item[tape->at_fault];
	tape_remove(tape, tape->at_fault);
}

static void other_delivery(struct tape *tape)
{
	tape->item[tape->at_deliver].event.vector = EXC_GP;
}

static void ends_unfaulted(struct tape *tape)
{
	tape_remove(tape, tape->at_deliver);
	tape_remove(tape, tape->at_fault);
}

static void other_place(struct tape *tape)
{
	tape->item[tape->at_value].gva -= 0x1000;
}

static void table_nowhere(struct tape *tape)
{
	tape->item[0].gpa = UINT64_C(1) << 40;
}

static void write_nowhere(struct tape *tape)
{
	tape->item[tape->at_value].gpa = (UINT64_C(1) << 40) + 0x30;
}

static void long_delivery(struct tape *tape)
{
	for (int i = 0; i < 64; i++)
		tape_repeat(tape, tape->at_push);
}

static void window_unasked(struct tape *tape)
{
	tape->item[tape->at_write] = (struct trace_item){
		.kind = TRACE_ITEM_EVENT, .event.kind = GE_IRQ_WINDOW};
}

static const struct {
	const char *name;
	void (*change)(struct tape *tape);
	const char *line; /* its end */
} flaws[] = {
	{"other address", other_address,
	 "the model has page fault at 0x6010, error code 0x4, the trace page "
	 "fault at 0x6018, error code 0x4"},
	{"other code", other_code,
	 "the model has page fault at 0x6010, error code 0x4, the trace page "
	 "fault at 0x6010, error code 0x6"},
	{"no fault", no_fault,
	 "the model has page fault at 0x6010, error code 0x4, the trace "
	 "delivery of exception 14, error code 0x4"},
	{"a fault too many", fault_too_many,
	 "the model has exception 14, error code 0x4, the trace page fault at "
	 "0x6010, error code 0x4"},
	{"a fault too early", fault_too_early,
	 "the trace has page fault at 0x6010, error code 0x4, the model no "
	 "fault"},
	{"other delivery", other_delivery,
	 "the model has exception 14, error code 0x4, the trace delivery of "
	 "exception 13, error code 0x4"},
	{"the guest goes on", ends_unfaulted,
	 "the model has page fault at 0x6010, error code 0x4, the trace a "
	 "reference"},
	{"another place", other_place,
	 "the trace writes a table at 0x4030 through 0x1ff030, which leads "
	 "elsewhere in the model"},
	{"a table nowhere", table_nowhere,
	 "a table at 0x10000000000, beyond memory"},
	{"a write nowhere", write_nowhere,
	 "a table write at 0x10000000030, beyond memory"},
	{"a window unasked for", window_unasked,
	 "the trace has an interrupt window, which the model did not ask for"},
	{"a long delivery", long_delivery,
	 "a delivery of more than 64 references"},
};

static void tells_what_differs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(flaws); i++) {
		const struct trace_info info = tape_info();
		struct replay_lane *lane = lane_of("kvm-2.6.25", "on", &info);
		const char *line = replay_lane_line(lane);
		size_t len = strlen(flaws[i].line);
		struct tape tape;

		tape_init(&tape);
		flaws[i].change(&tape);
		tape_play(&tape, lane);
		if (strlen(line) < len ||
		    strcmp(line + strlen(line) - len, flaws[i].line) != 0)
			fail_msg("%s: got \"%s\", want \"... %s\"",
				 flaws[i].name, line, flaws[i].line);
		assert_int_equal(replay_lane_status(lane), REPLAY_DIFFERS);
		replay_lane_destroy(lane);
	}
}

/* A write without its value gives the table up, as KVM does. */
static void write_without_value(void **state)
{
	const struct trace_info info = tape_info();
	struct replay_lane *lane = lane_of("kvm-2.6.25", "on", &info);
	const struct account *acct = sim_account(replay_lane_sim(lane));
	struct tape tape;

	(void)state;
	tape_init(&tape);
	tape_remove(&tape, tape.at_value);
	tape.nr = tape.at_value + 1;
	tape_play(&tape, lane);
	assert_int_equal(replay_lane_status(lane), REPLAY_DONE);
	assert_int_equal(acct->counter[CNT_insn_emulation_fail], 1);
	assert_int_equal(acct->counter[CNT_mmu_pte_write], 0);
	replay_lane_destroy(lane);
}

/* One that failed to compare leaves the table shadowed, and as it was. */
static void write_of_nothing(void **state)
{
	const struct trace_info info = tape_info();
	struct replay_lane *lane = lane_of("kvm-2.6.25", "on", &info);
	const struct account *acct = sim_account(replay_lane_sim(lane));
	struct trace_item *value;
	struct tape tape;

	(void)state;
	tape_init(&tape);
	value = &tape.item[tape.at_value];
	*value = (struct trace_item){
		.kind = TRACE_ITEM_EVENT,
		.event = {.kind = GE_COMPARE_FAILED, .gva = value->gva}};
	tape.nr = tape.at_value + 1;
	tape_play(&tape, lane);
	assert_int_equal(replay_lane_status(lane), REPLAY_DONE);
	assert_int_equal(acct->counter[CNT_insn_emulation], 1);
	assert_int_equal(acct->counter[CNT_insn_emulation_fail], 0);
	assert_int_equal(acct->counter[CNT_mmu_pte_write], 0);
	replay_lane_destroy(lane);
}

/* What a lane told of its exits. */
struct told {
	uint64_t position[32];
	enum pf_cause cause[32];
	uint32_t nr;
};

static void tell(void *context, uint64_t position,
		 const struct sim_exit_record *record)
{
	struct told *told = context;

	assert_true(record->is_page_fault);
	told->position[told->nr] = position;
	told->cause[told->nr++] = record->cause;
}

static uint64_t position_of(const struct told *told, enum pf_cause cause)
{
	for (uint32_t i = 0; i < told->nr; i++)
		if (told->cause[i] == cause)
			return told->position[i];
	return UINT64_MAX;
}

/* An exit is where it began; an emulated write's is open until the next. */
static void tells_where_exits_began(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rungs); i++) {
		const struct trace_info info = tape_info();
		struct replay_lane *lane =
			lane_of(rungs[i].mmu, rungs[i].bypass, &info);
		bool traps = rungs[i].pt_write;
		struct told told = {.nr = 0};
		const struct replay_watch watch = {tell, NULL, &told};
		struct tape tape;

		tape_init(&tape);
		replay_lane_watch(lane, &watch);
		tape_play_to(&tape, lane, tape.at_write + 1);
		assert_int_equal(replay_lane_settled(lane),
				 tape.at_write + !traps);
		assert_true(position_of(&told, CAUSE_pt_write) == UINT64_MAX);
		tape_play_to(&tape, lane, tape.nr);
		replay_lane_finish(lane);
		assert_int_equal(replay_lane_settled(lane), tape.nr);

		assert_int_equal(told.nr, account_exits_total(sim_account(
						  replay_lane_sim(lane))));
		assert_true(position_of(&told, CAUSE_pt_write) ==
			    (traps ? tape.at_write : UINT64_MAX));
		if (rungs[i].injected)
			assert_int_equal(position_of(&told, CAUSE_injected),
					 tape.at_read);
		for (uint32_t n = 1; n < told.nr; n++)
			assert_true(told.position[n - 1] <= told.position[n]);
		replay_lane_destroy(lane);
	}
}

static void append_irq(struct tape *tape, enum guest_event_kind kind,
		       bool if_open)
{
	tape->item[tape->nr++] = (struct trace_item){
		.kind = TRACE_ITEM_EVENT,
		.event = {.kind = kind, .if_open = if_open, .insns = 5}};
}

static void append_fetch(struct tape *tape);

/* --- Devices ------------------------------------------------------------- */

#define DEVICE UINT64_C(0xfee00000)

/* The kernel maps one at the page behind TAPE_ALIAS's, and reads it. */
static void append_device_read(struct tape *tape)
{
	struct trace_item value = tape->item[tape->at_value];
	struct trace_ref write = tape->ref[tape->at_write];
	uint64_t pte = DEVICE | PTE_P | PTE_W;

	append_fetch(tape);
	tape->ref[tape->nr - 1].user = false;
	tape->ref[tape->nr - 1].gva = TAPE_HANDLER;
	tape->item[tape->nr] = tape->item[tape->at_write];
	write.gva += 8;
	tape->ref[tape->nr++] = write;
	value.gva += 8;
	value.gpa += 8;
	memcpy(value.bytes, &pte, sizeof(pte));
	tape->item[tape->nr++] = value;
	tape->item[tape->nr] = (struct trace_item){.nr = 1};
	tape->ref[tape->nr++] = (struct trace_ref){.gva = TAPE_DATA + 0x1020,
						   .count = 1,
						   .kind = TRACE_READ,
						   .size = 4};
}

static void append_device(struct tape *tape, gpa_t gpa)
{
	tape->item[tape->nr++] =
		(struct trace_item){.kind = TRACE_ITEM_EVENT,
				    .event = {.kind = GE_DEVICE,
					      .gva = TAPE_DATA + 0x1020,
					      .value = gpa}};
}

static void a_device(void **state)
{
	static const struct {
		const char *name;
		gpa_t gpa[2]; /* 0: none */
		enum replay_status status;
		const char *line; /* its end */
	} cases[] = {
		{"reached", {DEVICE + 0x20}, REPLAY_DONE, ""},
		{"the guest ends there", {0}, REPLAY_ABSENT, ""},
		{"another",
		 {DEVICE + 0x1020},
		 REPLAY_DIFFERS,
		 "the model has a device at 0xfee00020, the trace a device at "
		 "0xfee01020"},
		{"and another",
		 {DEVICE + 0x20, DEVICE + 0x20},
		 REPLAY_DIFFERS,
		 "the trace has a device at 0xfee00020, the model memory"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct trace_info info = tape_info();
		struct replay_lane *lane = lane_of("kvm-2.6.25", "on", &info);
		const struct account *acct = sim_account(replay_lane_sim(lane));
		const char *line = replay_lane_line(lane);
		struct tape tape;

		tape_init(&tape);
		append_device_read(&tape);
		for (int k = 0; k < 2 && cases[i].gpa[k]; k++)
			append_device(&tape, cases[i].gpa[k]);
		tape_play(&tape, lane);
		if (strlen(line) < strlen(cases[i].line) ||
		    strcmp(line + strlen(line) - strlen(cases[i].line),
			   cases[i].line) != 0)
			fail_msg("%s: got \"%s\"", cases[i].name, line);
		assert_int_equal(replay_lane_status(lane), cases[i].status);
		assert_int_equal(acct->pf_cause[CAUSE_mmio], 1);
		replay_lane_destroy(lane);
	}
}

static void append_fetch(struct tape *tape)
{
	tape->item[tape->nr] = (struct trace_item){.nr = 1};
	tape->ref[tape->nr++] = (struct trace_ref){
		.gva = TAPE_CODE, .count = 1, .size = 1, .user = true};
}

/* The line has fallen: nothing is delivered, and nothing is wrong. */
static void interrupt_that_is_gone(void **state)
{
	const struct trace_info info = tape_info();
	struct replay_lane *lane = lane_of("kvm-2.6.25", "on", &info);
	const struct account *acct = sim_account(replay_lane_sim(lane));
	struct tape tape;

	(void)state;
	tape_init(&tape);
	append_irq(&tape, GE_IRQ, true);
	append_fetch(&tape);
	append_irq(&tape, GE_IRQ, false);
	append_fetch(&tape);
	append_irq(&tape, GE_IRQ_WINDOW, true);
	append_irq(&tape, GE_RETRY, false);
	append_fetch(&tape);
	tape_play(&tape, lane);
	assert_string_equal(replay_lane_line(lane), "");
	assert_int_equal(replay_lane_status(lane), REPLAY_DONE);
	assert_int_equal(replay_lane_insns(lane), 8);
	assert_int_equal(acct->counter[CNT_irq_window], 1);
	replay_lane_destroy(lane);
}

/* Beginnings no processor of the model could be in. */
static void refuses_states(void **state)
{
	static const struct {
		uint64_t cr0, cr3, cr4, efer;
		const char *line;
	} cases[] = {
		{0x80010001, 0x1000, 0x20, 0x100, "not a state of the"},
		{0x80010001, 0x1000, 0x00, 0x500, "not a state of the"},
		{0x80000000, 0x1000, 0x20, 0, "not a state of the modelled"},
		{0x180010001, 0x1000, 0x20, 0x500, "not a state of the"},
		{0x80010001, 0x1000, 0x20, 0x501 | 1 << 12, "not a state of"},
		{0x80010001, 0x900000, 0x20, 0x500, "CR3 is 0x900000, where"},
		{0x80010001, UINT64_C(1) << 41, 0x20, 0x500, "not a state of"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct trace_info info = tape_info();
		struct replay_lane *lane;
		struct tape tape;

		info.cr0 = cases[i].cr0;
		info.cr3 = cases[i].cr3;
		info.cr4 = cases[i].cr4;
		info.efer = cases[i].efer;
		lane = lane_of("kvm-2.6.25", "on", &info);
		tape_init(&tape);
		tape_play(&tape, lane);
		assert_int_equal(replay_lane_status(lane), REPLAY_DIFFERS);
		if (!strstr(replay_lane_line(lane), cases[i].line))
			fail_msg("case %zu: \"%s\"", i, replay_lane_line(lane));
		replay_lane_destroy(lane);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replays_in_every_generation),
		cmocka_unit_test(looks_up_every_reference),
		cmocka_unit_test(tells_what_differs),
		cmocka_unit_test(write_without_value),
		cmocka_unit_test(write_of_nothing),
		cmocka_unit_test(tells_where_exits_began),
		cmocka_unit_test(interrupt_that_is_gone),
		cmocka_unit_test(a_device),
		cmocka_unit_test(refuses_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
