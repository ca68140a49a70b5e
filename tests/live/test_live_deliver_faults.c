/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can happen in the midst of a delivery, at each of its references: it is
 * cut off and starts over, a page fault takes its place, memory is absent, the
 * run ends.  And the ways to double and triple faults.
 */
#include "check.h"

#include "arch/exception.h"
#include "live/deliver.h"
#include "setup.h"

struct scene {
	const char *name;
	enum setup_mode mode;
	bool user;
	struct trap trap;
	void (*prepare)(struct fake *f);
	unsigned int accesses; /* references of one delivery */
};

/* A fresh CS, and a stack whose third slot crosses into another page. */
static void fresh_and_crossing(struct fake *f)
{
	setup_gate(f, EXC_GP, K_FRESH, handler_of(EXC_GP), G_INT(0), 0);
	setup_gate(f, EXC_PF, K_FRESH, handler_of(EXC_PF), G_INT(0), 0);
	if (f->view.efer & EFER_LMA) {
		fake_poke(f, TSS_AT + 4, 0xa010, 8);
		return;
	}
	fake_poke(f, TSS_AT + 4, 0xa00a, 4);
	fake_poke(f, TSS_AT + 8, K_STACK_FRESH, 2);
}

static void trap_gate_3(struct fake *f)
{
	setup_gate(f, 0x80, K_CODE, handler_of(0x80), G_TRAP(3), 0);
}

/* The gate lies across two pages. */
static void crossing_idt(struct fake *f)
{
	uint64_t gate[2] = {fake_peek(f, IDT_AT + 0x300, 8),
			    fake_peek(f, IDT_AT + 0x308, 8)};
	uint64_t pf[2] = {fake_peek(f, IDT_AT + 0xe0, 8),
			  fake_peek(f, IDT_AT + 0xe8, 8)};

	/* Vector 0x30 at 0x7ff8. */
	f->vcpu.idtr.base = 0x7ff8 - 0x300;
	fake_poke(f, 0x7ff8, gate[0], 8);
	fake_poke(f, 0x8000, gate[1], 8);
	fake_poke(f, f->vcpu.idtr.base + 0xe0, pf[0], 8);
	fake_poke(f, f->vcpu.idtr.base + 0xe8, pf[1], 8);
}

/* clang-format off */
static const struct scene scenes[] = {
	{"long, #GP from CPL 3", SETUP_LONG, 1,
	 {EXC_GP, EVENT_HW_EXC, true, 0x18, 0}, fresh_and_crossing,
	 1 + 1 + 1 + 6 + 1},
	{"long, interrupt from CPL 0", SETUP_LONG, 0,
	 {.vector = 0x30, .type = EVENT_EXT_INT}, NULL, 1 + 1 + 5},
	{"long, INT 0x80", SETUP_LONG, 1, {0x80, EVENT_SOFT_INT, false, 0, 2},
	 trap_gate_3, 1 + 1 + 1 + 5},
	{"long, a gate across pages", SETUP_LONG, 0,
	 {.vector = 0x30, .type = EVENT_EXT_INT}, crossing_idt, 2 + 1 + 5},
	{"protected, #GP from CPL 3", SETUP_PROTECTED, 1,
	 {EXC_GP, EVENT_HW_EXC, true, 0x18, 0}, fresh_and_crossing,
	 1 + 1 + 1 + 1 + 7 + 2},
	{"protected, interrupt from CPL 0", SETUP_PROTECTED, 0,
	 {.vector = 0x30, .type = EVENT_EXT_INT}, NULL, 1 + 1 + 3},
	{"real", SETUP_REAL, 0, {0x21, EVENT_SOFT_INT, false, 0, 2}, NULL,
	 1 + 3},
};
/* clang-format on */

static void open_scene(struct fake *f, const struct scene *s)
{
	fake_init(f);
	setup_mode(f, s->mode);
	if (s->user)
		setup_user(f);
	if (s->prepare)
		s->prepare(f);
}

/* The undisturbed run. */
static void run_clean(const struct scene *s, const struct trap *trap,
		      struct vcpu *vcpu, uint64_t *digest)
{
	struct live_end end;
	struct fake f;

	open_scene(&f, s);
	assert_true(deliver_event(&f.env, trap, &end));
	if (trap == &s->trap)
		check_part(s->name, "references", f.nr_accesses, s->accesses);
	*vcpu = f.vcpu;
	*digest = mem_ram_digest(f.mem);
	fake_finish(&f);
}

static struct guest_outcome again(const struct trap *trap)
{
	return (struct guest_outcome){
		.verdict = GO_FAULT,
		.vector = trap->vector,
		.type = trap->type,
		.has_error = trap->has_error,
		.error = trap->error,
	};
}

/* An exit in the midst, and the same event injected again. */
static void test_restart(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scenes); i++) {
		const struct scene *s = &scenes[i];
		struct vcpu want;
		uint64_t digest;

		run_clean(s, &s->trap, &want, &digest);
		for (unsigned int k = 1; k <= s->accesses; k++) {
			struct live_end end;
			struct fake f;

			open_scene(&f, s);
			f.trip_at = k;
			f.trip = again(&s->trap);
			check_part(s->name, "delivered",
				   deliver_event(&f.env, &s->trap, &end), true);
			check_vcpu(s->name, &f.vcpu, &want);
			check_part(s->name, "memory", mem_ram_digest(f.mem),
				   digest);
			check_part(s->name, "starts",
				   fake_count(&f, GE_DELIVER), 2);
			check_part(s->name, "deliveries",
				   fake_count(&f, GE_DELIVERED), 1);
			fake_finish(&f);
		}
	}
}

/* A page fault takes the event's place: as if it had come alone. */
static void test_page_fault(void **state)
{
	static const struct trap pf = {EXC_PF, EVENT_HW_EXC, true, 2, 0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scenes); i++) {
		const struct scene *s = &scenes[i];
		struct vcpu want;
		uint64_t digest;

		run_clean(s, &pf, &want, &digest);
		for (unsigned int k = 1; k <= s->accesses; k++) {
			struct live_end end;
			struct fake f;

			open_scene(&f, s);
			f.trip_at = k;
			f.trip = again(&pf);
			check_part(s->name, "delivered",
				   deliver_event(&f.env, &s->trap, &end), true);
			check_vcpu(s->name, &f.vcpu, &want);
			check_part(s->name, "vector",
				   fake_last(&f, GE_DELIVERED)->vector, EXC_PF);
			/* The whole frame is above the stack pointer. */
			check_part(s->name, "starts",
				   fake_count(&f, GE_DELIVER), 2);
			fake_finish(&f);
		}
	}
}

/* Outcomes that end the run leave the state alone. */
static void test_ends(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name;
		struct guest_outcome out;
		enum live_status status;
		const char *line;
	} ends[] = {
		{"absent memory", {.verdict = GO_MMIO, .gpa = 0xfee00000},
		 LIVE_ABSENT, "no memory at 0xfee00000"},
		{"triple fault", {.verdict = GO_SHUTDOWN},
		 LIVE_SHUTDOWN, "triple fault at 0x"},
		{"stop", {.verdict = GO_STOP},
		 LIVE_STOPPED, "the reason why"},
		{"nonsense", {.verdict = GO_TAKE_IRQ},
		 LIVE_STOPPED, "cannot be obeyed"},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scenes); i++) {
		const struct scene *s = &scenes[i];

		for (size_t e = 0; e < ARRAY_LEN(ends); e++)
			for (unsigned int k = 1; k <= s->accesses; k++) {
				struct live_end end;
				struct vcpu before;
				struct fake f;

				open_scene(&f, s);
				before = f.vcpu;
				f.view.stop = "the reason why";
				f.trip_at = k;
				f.trip = ends[e].out;
				check_part(
					ends[e].name, "delivered",
					deliver_event(&f.env, &s->trap, &end),
					false);
				check_part(ends[e].name, "status", end.status,
					   ends[e].status);
				check_part(ends[e].name, "rip", end.rip,
					   before.rip);
				if (end.status == LIVE_ABSENT)
					check_part(
						s->name, "gva", end.gva,
						fake_last(&f, GE_ACCESS)->gva);
				if (!strstr(end.line, ends[e].line))
					fail_msg("%s: line \"%s\"",
						 ends[e].name, end.line);
				check_vcpu(ends[e].name, &f.vcpu, &before);
				fake_finish(&f);
			}
	}
}

/* A sink that never lets a delivery through: an end, not a hang. */
static void test_bounded(void **state)
{
	struct live_end end;
	struct fake f;

	(void)state;
	open_scene(&f, &scenes[1]);
	f.trip_at = 2;
	f.trip_again = true;
	f.trip = again(&scenes[1].trap);
	assert_false(deliver_event(&f.env, &scenes[1].trap, &end));
	assert_int_equal(end.status, LIVE_STOPPED);
	assert_non_null(strstr(end.line, "without end"));
	fake_finish(&f);
}

/* The stack is a page table of the guest's: it is given up as one. */
static void test_shadowed_stack(void **state)
{
	struct vcpu want;
	uint64_t digest;
	struct live_end end;
	struct fake f;

	(void)state;
	run_clean(&scenes[1], &scenes[1].trap, &want, &digest);
	open_scene(&f, &scenes[1]);
	f.is_shadowed = true;
	f.shadowed = (KERNEL_STACK - 8) & ~PAGE_MASK;
	assert_true(deliver_event(&f.env, &scenes[1].trap, &end));
	check_vcpu("shadowed stack", &f.vcpu, &want);
	assert_true(mem_ram_digest(f.mem) == digest);
	assert_int_equal(fake_count(&f, GE_EMULATE_FAILED), 1);
	assert_int_equal(fake_count(&f, GE_STORE), 0);
	fake_finish(&f);
}

static bool was_written(const struct fake *f, gva_t at)
{
	for (uint32_t i = 0; i < f->env.written.nr; i++)
		if (f->env.written.gfn[i] == at >> PAGE_SHIFT)
			return true;
	return false;
}

/* Each frame that was written, once, and no other. */
static void test_written(void **state)
{
	struct live_end end;
	struct fake f;

	(void)state;
	open_scene(&f, &scenes[0]);
	assert_true(deliver_event(&f.env, &scenes[0].trap, &end));
	assert_int_equal(f.env.written.nr, 3);
	assert_true(was_written(&f, GDT_AT));
	assert_true(was_written(&f, 0xa008));
	assert_true(was_written(&f, 0x9ff8));
	assert_false(f.env.written.overflow);
	fake_finish(&f);
}

/* Absent gates by vector, and what then arrives. */
/* clang-format off */
static const struct {
	const char *name;
	uint8_t first;
	unsigned int absent[4]; /* vectors; 0 ends the list */
	uint8_t arrives;        /* 0: shutdown */
	unsigned int starts;
} chains[] = {
	{"interrupt, #NP", 0x30, {0x30, 0, 0, 0}, EXC_NP, 2},
	{"interrupt, #NP, #NP: double fault", 0x30, {0x30, EXC_NP, 0, 0},
	 EXC_DF, 3},
	{"#GP, #NP: double fault", EXC_GP, {EXC_GP, 0, 0, 0}, EXC_DF, 2},
	{"#PF, #NP: double fault", EXC_PF, {EXC_PF, 0, 0, 0}, EXC_DF, 2},
	{"#UD, #NP: serial", EXC_UD, {EXC_UD, 0, 0, 0}, EXC_NP, 2},
	{"#GP, #NP, #NP: shutdown", EXC_GP, {EXC_GP, EXC_DF, 0, 0}, 0, 2},
	{"interrupt to shutdown", 0x30, {0x30, EXC_NP, EXC_DF, 0}, 0, 3},
};
/* clang-format on */

static void test_chains(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(chains); i++) {
		const char *name = chains[i].name;
		struct trap trap = {
			.vector = chains[i].first,
			.type = chains[i].first < 32 ? EVENT_HW_EXC
						     : EVENT_EXT_INT,
			.has_error = exception_has_error_code(chains[i].first),
		};
		struct vcpu before;
		struct live_end end;
		struct fake f;
		bool done;

		fake_init(&f);
		setup_mode(&f, SETUP_LONG);
		for (int k = 0; k < 4 && chains[i].absent[k]; k++)
			setup_gate(&f, chains[i].absent[k], K_CODE, 0, 0x0e, 0);
		before = f.vcpu;
		done = deliver_event(&f.env, &trap, &end);
		check_part(name, "delivered", done, chains[i].arrives != 0);
		check_part(name, "starts", fake_count(&f, GE_DELIVER),
			   chains[i].starts);
		if (!done) {
			check_part(name, "status", end.status, LIVE_SHUTDOWN);
			check_vcpu(name, &f.vcpu, &before);
			assert_non_null(strstr(end.line, "triple fault"));
			fake_finish(&f);
			continue;
		}
		check_part(name, "vector", fake_last(&f, GE_DELIVERED)->vector,
			   chains[i].arrives);
		check_part(name, "rip", f.vcpu.rip,
			   handler_of(chains[i].arrives));
		if (chains[i].arrives == EXC_DF)
			check_part(name, "error code",
				   fake_peek(&f, KERNEL_STACK - 48, 8), 0);
		fake_finish(&f);
	}
}

/* The stack's page is missing: #PF while #PF is delivered, and so on. */
static void test_missing_stack(void **state)
{
	struct trap trap = {EXC_PF, EVENT_HW_EXC, true, 6, 0};
	struct live_end end;
	struct fake f;

	(void)state;
	fake_init(&f);
	setup_mode(&f, SETUP_LONG);
	fake_map(&f, KERNEL_STACK - 8, FAKE_ABSENT);
	/* #DF has a stack of its own ... */
	setup_gate(&f, EXC_DF, K_CODE, handler_of(EXC_DF), G_INT(0), 1);
	assert_true(deliver_event(&f.env, &trap, &end));
	assert_int_equal(fake_last(&f, GE_DELIVERED)->vector, EXC_DF);
	check_eq("rsp", f.vcpu.gpr[GPR_RSP], (IST1 & ~15u) - 48);
	check_eq("pushed rsp", fake_peek(&f, f.vcpu.gpr[GPR_RSP] + 32, 8),
		 KERNEL_STACK);
	fake_finish(&f);

	/* ... or it has not. */
	fake_init(&f);
	setup_mode(&f, SETUP_LONG);
	fake_map(&f, KERNEL_STACK - 8, FAKE_ABSENT);
	assert_false(deliver_event(&f.env, &trap, &end));
	assert_int_equal(end.status, LIVE_SHUTDOWN);
	fake_finish(&f);
}

/* Real mode: no room at SP=1 for any of #SS, #DF: shutdown. */
static void test_real_stack(void **state)
{
	struct trap trap = {.vector = 0x30, .type = EVENT_EXT_INT};
	struct live_end end;
	struct fake f;

	(void)state;
	fake_init(&f);
	setup_mode(&f, SETUP_REAL);
	f.vcpu.gpr[GPR_RSP] = 1;
	assert_false(deliver_event(&f.env, &trap, &end));
	assert_int_equal(end.status, LIVE_SHUTDOWN);
	assert_int_equal(fake_last(&f, GE_EXCEPTION)->vector, EXC_SS);
	assert_false(fake_last(&f, GE_EXCEPTION)->has_error);
	fake_finish(&f);
}

/* An outcome of GE_DELIVER itself is obeyed as well. */
static void test_refused_start(void **state)
{
	struct trap trap = {.vector = 0x30, .type = EVENT_EXT_INT};
	struct live_end end;
	struct fake f;

	(void)state;
	fake_init(&f);
	setup_mode(&f, SETUP_LONG);
	fake_answer(&f, GE_DELIVER, (struct guest_outcome){.verdict = GO_STOP});
	assert_false(deliver_event(&f.env, &trap, &end));
	assert_int_equal(end.status, LIVE_STOPPED);
	assert_int_equal(f.nr_accesses, 0);
	fake_finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_page_fault),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_shadowed_stack),
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_missing_stack),
		cmocka_unit_test(test_real_stack),
		cmocka_unit_test(test_refused_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
