/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The emulator beyond arithmetic (which test_live_emulate_host compares with a
 * processor): what it tells the sink, stacks, segments and modes, REP by
 * iterations, and what a refused store leaves behind.
 */
#include "check.h"

#include "arch/exception.h"
#include "emulate_rig.h"
#include "live/alu.h"
#include "live/emulate.h"

#define L SETUP_LONG
#define P SETUP_PROTECTED
#define R SETUP_REAL

static enum insn_status emulate(struct fake *f)
{
	struct live_end end;
	struct trap trap;

	return emulate_insn(&f->env, &trap, &end);
}

static void fs_base(struct fake *f)
{
	f->vcpu.seg[SEG_FS].base = 0x500;
	f->vcpu.seg[SEG_DS].base = 0x700; /* not in 64-bit mode */
}

static void segment_bases(struct fake *f)
{
	f->vcpu.seg[SEG_DS].base = 0x700;
	f->vcpu.seg[SEG_ES].base = 0x900;
	f->vcpu.seg[SEG_SS].base = 0x1000;
}

static void wrapping_base(struct fake *f)
{
	f->vcpu.seg[SEG_DS].base = 0xfffffff0;
}

static void stack16(struct fake *f)
{
	setup_segment(f, SEG_SS, K_STACK16);
	f->vcpu.gpr[GPR_RSP] = 0x10004;
}

static void popped(struct fake *f)
{
	fake_poke(f, KERNEL_STACK, VALUE, 8);
}

static void real_di(struct fake *f)
{
	f->vcpu.gpr[GPR_RDI] = 0xabcd0100;
	f->vcpu.gpr[GPR_RBX] = 0xabcdff00;
	f->vcpu.seg[SEG_DS].base = 0x20000;
}

#define STACK(n) (KERNEL_STACK - (n))

/* What is stored, where, and what becomes of the stack pointer. */
/* clang-format off */
static const struct store_case {
	const char *name;
	enum setup_mode mode;
	const char *bytes;
	void (*prepare)(struct fake *f);
	gva_t gva;
	uint8_t size;
	uint64_t stored;
	int64_t rsp; /* change of it */
} store_cases[] = {
	{"MOV [RDI], RAX", L, "48 89 07", NULL,
	 TABLE, 8, VALUE, 0},
	{"MOV [RDI], EAX", L, "89 07", NULL,
	 TABLE, 4, 0x55667788, 0},
	{"MOV [RDI], CH", L, "88 2f", NULL,
	 TABLE, 1, 0x77, 0},
	{"MOV qword [RDI], -2", L, "48 c7 07 fe ff ff ff", NULL,
	 TABLE, 8, ~UINT64_C(1), 0},
	{"MOV FS:[RDI], RAX", L, "64 48 89 07", fs_base,
	 TABLE + 0x500, 8, VALUE, 0},
	{"MOV DS:[RDI], RAX has no base", L, "3e 48 89 07", fs_base,
	 TABLE, 8, VALUE, 0},
	{"MOV [EDI], EAX with a base", P, "89 07", segment_bases,
	 TABLE + 0x700, 4, 0x55667788, 0},
	{"MOV ES:[EDI], EAX", P, "26 89 07", segment_bases,
	 TABLE + 0x900, 4, 0x55667788, 0},
	{"MOV [EDI], EAX over 4 GiB", P, "89 07", wrapping_base,
	 TABLE - 16, 4, 0x55667788, 0},
	{"MOV [BX+DI], AX wraps at 64 KiB", R, "89 01", real_di,
	 0x20000, 2, 0x7788, 0},
	{"MOV [moffs], EAX", P, "a3 00 00 03 00", NULL,
	 TABLE, 4, 0x55667788, 0},
	{"XCHG [RDI], RCX", L, "48 87 0f", NULL,
	 TABLE, 8, VALUE + 1, 0},
	{"ADD dword [RDI], 1", L, "83 07 01", NULL,
	 TABLE, 4, 0xa4a5a6a8, 0},
	{"STOSQ", L, "48 ab", NULL,
	 TABLE, 8, VALUE, 0},
	{"STOSD at ES", P, "ab", segment_bases,
	 TABLE + 0x900, 4, 0x55667788, 0},
	{"MOVSQ", L, "48 a5", NULL,
	 TABLE, 8, VALUE, 0},
	{"PUSH RCX", L, "51", NULL,
	 STACK(8), 8, VALUE + 1, -8},
	{"PUSH R9", L, "41 51", NULL,
	 STACK(8), 8, VALUE + 9, -8},
	{"PUSH RSP pushes the old one", L, "54", NULL,
	 STACK(8), 8, KERNEL_STACK, -8},
	{"PUSH CX", L, "66 51", NULL,
	 STACK(2), 2, 0x7789, -2},
	{"PUSH -2", L, "6a fe", NULL,
	 STACK(8), 8, ~UINT64_C(1), -8},
	{"PUSH imm32", L, "68 78 56 34 92", NULL,
	 STACK(8), 8, UINT64_C(0xffffffff92345678), -8},
	{"PUSH [RDI]", L, "ff 37", NULL,
	 STACK(8), 8, OLD, -8},
	{"PUSH ECX", P, "51", segment_bases,
	 STACK(4) + 0x1000, 4, 0x55667789, -4},
	{"PUSH CX in 32-bit code", P, "66 51", NULL,
	 STACK(2), 2, 0x7789, -2},
	{"PUSH ECX on a 16-bit stack", P, "51", stack16,
	 0x10000, 4, 0x55667789, -4},
	{"POP [RDI]", L, "8f 07", popped,
	 TABLE, 8, VALUE, 8},
	{"POP [RSP+8]: RSP has moved", L, "8f 44 24 08", popped,
	 KERNEL_STACK + 16, 8, VALUE, 8},
	{"POP dword [EDI]", P, "8f 07", popped,
	 TABLE, 4, 0x55667788, 4},
};
/* clang-format on */

static void test_stores(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(store_cases); i++) {
		const struct store_case *c = &store_cases[i];
		const struct guest_event *ev;
		struct fake f;
		uint64_t rsp, rip, got = 0;

		place(&f, c->mode, c->bytes);
		if (c->prepare)
			c->prepare(&f);
		rsp = f.vcpu.gpr[GPR_RSP];
		rip = f.vcpu.rip;
		check_part(c->name, "status", emulate(&f), INSN_DONE);
		check_part(c->name, "events", f.nr_events, 1);
		ev = fake_last(&f, GE_STORE);
		memcpy(&got, ev->bytes, c->size);
		check_part(c->name, "gva", ev->gva, c->gva);
		check_part(c->name, "size", ev->size, c->size);
		check_part(c->name, "bytes", got, c->stored);
		check_part(c->name, "rip of the event", ev->rip, rip);
		check_part(c->name, "memory", fake_peek(&f, c->gva, c->size),
			   c->stored);
		check_part(c->name, "rsp", f.vcpu.gpr[GPR_RSP],
			   rsp + (uint64_t)c->rsp);
		check_part(c->name, "rip", f.vcpu.rip - rip,
			   strlen(c->bytes) / 3 + 1);
		check_part(c->name, "written", f.env.written.nr, 1);
		check_part(c->name, "frame", f.env.written.gfn[0],
			   c->gva >> PAGE_SHIFT);
		fake_finish(&f);
	}
}

static void test_wide_store(void **state)
{
	const struct guest_event *ev;
	struct fake f;

	(void)state;
	place(&f, L, "48 0f c7 0f"); /* CMPXCHG16B [RDI] */
	fake_poke(&f, TABLE, f.vcpu.gpr[GPR_RAX], 8);
	fake_poke(&f, TABLE + 8, f.vcpu.gpr[GPR_RDX], 8);
	assert_int_equal(emulate(&f), INSN_DONE);
	ev = fake_last(&f, GE_STORE);
	assert_int_equal(ev->size, 16);
	check_eq("low", fake_peek(&f, TABLE, 8), VALUE + GPR_RBX);
	check_eq("high", fake_peek(&f, TABLE + 8, 8), VALUE + GPR_RCX);
	fake_finish(&f);
}

/* One event for a store that crosses a page, and two frames written. */
static void test_crossing(void **state)
{
	struct fake f;

	(void)state;
	place(&f, L, "48 89 07");
	f.vcpu.gpr[GPR_RDI] = TABLE + 0xffc;
	assert_int_equal(emulate(&f), INSN_DONE);
	assert_int_equal(f.nr_events, 1);
	assert_int_equal(f.env.written.nr, 2);
	assert_int_equal(f.env.written.gfn[0], TABLE >> 12);
	assert_int_equal(f.env.written.gfn[1], (TABLE >> 12) + 1);
	check_eq("bytes", fake_peek(&f, TABLE + 0xffc, 8), VALUE);
	fake_finish(&f);
}

/* A store that is refused leaves all of the state as it was. */
static void test_refused(void **state)
{
	static const char *const insns[] = {
		"48 89 07", "48 87 0f",    "f0 0f c1 0f", "01 0f",    "ff 07",
		"f7 1f",    "48 d1 27",    "0f ab 0f",    "0f 94 07", "48 ab",
		"f3 48 ab", "f3 a4",       "f0 0f b1 0f", "51",       "ff 37",
		"8f 07",    "0f ba 2f 05",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(insns); i++) {
		struct trap trap = {.vector = 0};
		struct vcpu before;
		struct live_end end;
		struct fake f;

		place(&f, L, insns[i]);
		f.vcpu.gpr[GPR_RAX] = OLD; /* CMPXCHG is to store */
		f.vcpu.gpr[GPR_RCX] = 7;   /* REP, and a near bit */
		f.vcpu.rflags |= RFLAGS_RF;
		fake_answer(&f, GE_STORE, fake_exception(EXC_PF, true, 2));
		before = f.vcpu;
		check_part(insns[i], "status",
			   emulate_insn(&f.env, &trap, &end), INSN_FAULT);
		check_part(insns[i], "vector", trap.vector, EXC_PF);
		check_part(insns[i], "error", trap.error, 2);
		check_part(insns[i], "stores", fake_count(&f, GE_STORE), 1);
		check_vcpu(insns[i], &f.vcpu, &before);
		fake_finish(&f);
	}
}

/* As KVM's emulator: a comparison that fails stores nothing, and says so. */
static void test_no_store(void **state)
{
	static const struct {
		const char *insn;
		unsigned int length, size;
		uint64_t rax;
	} cases[] = {
		{"f0 48 0f b1 0f", 5, 8, OLD},
		{"0f b0 0f", 3, 1,
		 ((VALUE + GPR_RAX) & ~0xffull) | (OLD & 0xff)},
		{"0f c7 0f", 3, 8, OLD & UINT32_MAX},
		{"48 0f c7 0f", 4, 16, OLD},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *insn = cases[i].insn;
		const struct guest_event *ev;
		struct fake f;

		place(&f, L, insn);
		f.vcpu.rflags |= ALU_ZF;
		assert_int_equal(emulate(&f), INSN_DONE);
		check_part(insn, "events", f.nr_events, 1);
		ev = fake_last(&f, GE_COMPARE_FAILED);
		check_part(insn, "address", ev->gva, TABLE);
		check_part(insn, "size", ev->size, cases[i].size);
		check_part(insn, "access", ev->access, PFEC_W);
		check_part(insn, "rax", f.vcpu.gpr[GPR_RAX], cases[i].rax);
		check_part(insn, "zf", f.vcpu.rflags & ALU_ZF, 0);
		check_part(insn, "memory", fake_peek(&f, TABLE, 8), OLD);
		check_part(insn, "rip", f.vcpu.rip,
			   KERNEL_RIP + cases[i].length);
		fake_finish(&f);
	}
}

static void test_cannot(void **state)
{
	static const char *const insns[] = {
		"0f 11 07",       /* MOVUPS */
		"66 0f e7 07",    /* MOVNTDQ */
		"dd 1f",          /* FSTP */
		"0f ae 07",       /* FXSAVE */
		"8c 1f",          /* MOV [RDI], DS */
		"e8 00 00 00 00", /* CALL */
		"ff 17",          /* CALL [RDI] */
		"c8 10 00 00",    /* ENTER */
		"48 d1 17",       /* RCL */
		"0f a4 07 05",    /* SHLD */
		"48 8b 07",       /* MOV RAX, [RDI]: no store */
		"0f 01 07",       /* SGDT */
		"6c",             /* INSB comes another way */
		"06",             /* no instruction */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(insns); i++) {
		struct vcpu before;
		struct fake f;

		place(&f, L, insns[i]);
		before = f.vcpu;
		check_part(insns[i], "status", emulate(&f), INSN_NATIVE);
		check_part(insns[i], "events", f.nr_events, 1);
		check_part(insns[i], "failed",
			   fake_count(&f, GE_EMULATE_FAILED), 1);
		check_vcpu(insns[i], &f.vcpu, &before);
		fake_finish(&f);
	}
}

/* Bytes that cannot be fetched, or only in part. */
static void test_fetch(void **state)
{
	struct fake f;

	(void)state;
	place(&f, L, "48 89 07");
	fake_map(&f, KERNEL_RIP, FAKE_ABSENT);
	assert_int_equal(emulate(&f), INSN_NATIVE);
	fake_finish(&f);

	/* Three bytes before the end of a page, nothing behind. */
	place(&f, L, "48 89 07");
	f.vcpu.rip = 0x11ffd;
	fake_poke(&f, 0x11ffd, 0x078948, 3);
	fake_map(&f, 0x12000, FAKE_ABSENT);
	assert_int_equal(emulate(&f), INSN_DONE);
	check_eq("rip", f.vcpu.rip, 0x12000);
	fake_finish(&f);

	/* Code segments have bases in 32-bit mode. */
	place(&f, P, "89 07");
	f.vcpu.seg[SEG_CS].base = 0x100;
	f.vcpu.rip = KERNEL_RIP - 0x100;
	assert_int_equal(emulate(&f), INSN_DONE);
	check_eq("stored", fake_peek(&f, TABLE, 4), 0x55667788);
	fake_finish(&f);
}

/* The source of MOVS is missing: the guest's page fault, or no memory. */
static void test_source(void **state)
{
	struct live_end end;
	struct trap trap;
	struct vcpu before;
	struct fake f;

	(void)state;
	place(&f, L, "48 a5");
	f.vcpu.cpl = 3;
	fake_map(&f, TABLE + 0x1800, FAKE_ABSENT);
	f.vcpu.gpr[GPR_RSI] = TABLE + 0xffe; /* half of it is there */
	before = f.vcpu;
	assert_int_equal(emulate_insn(&f.env, &trap, &end), INSN_FAULT);
	assert_int_equal(trap.vector, EXC_PF);
	check_eq("error", trap.error, PFEC_U);
	check_eq("gva", fake_last(&f, GE_ACCESS)->gva, TABLE + 0x1000);
	check_vcpu("missing source", &f.vcpu, &before);
	assert_int_equal(fake_count(&f, GE_STORE), 0);
	fake_finish(&f);

	place(&f, L, "48 a5");
	f.vcpu.gpr[GPR_RSI] = 0xfee00000;
	assert_int_equal(emulate_insn(&f.env, &trap, &end), INSN_END);
	assert_int_equal(end.status, LIVE_ABSENT);
	check_eq("gpa", end.gpa, 0xfee00000);
	check_eq("gva", end.gva, 0xfee00000);
	fake_finish(&f);
}

/* One iteration a call; the count and pointers say what is left. */
static void test_rep(void **state)
{
	struct fake f;

	(void)state;
	place(&f, L, "f3 48 ab");
	f.vcpu.gpr[GPR_RCX] = 3;
	for (unsigned int i = 1; i <= 3; i++) {
		assert_int_equal(emulate(&f), INSN_DONE);
		assert_int_equal(f.nr_events, i);
		check_eq("rcx", f.vcpu.gpr[GPR_RCX], 3 - i);
		check_eq("rdi", f.vcpu.gpr[GPR_RDI], TABLE + 8 * i);
		check_eq("rip", f.vcpu.rip, KERNEL_RIP + (i == 3 ? 3 : 0));
	}
	fake_finish(&f);
}

/* Completion: RF and the interrupt shadow end, TF traps. */
static void test_completion(void **state)
{
	struct live_end end;
	struct trap trap;
	struct fake f;

	(void)state;
	place(&f, L, "48 89 07");
	f.vcpu.rflags |= RFLAGS_RF;
	f.vcpu.irq_shadow = true;
	assert_int_equal(emulate(&f), INSN_DONE);
	check_eq("rf", f.vcpu.rflags & RFLAGS_RF, 0);
	assert_false(f.vcpu.irq_shadow);
	fake_finish(&f);

	place(&f, L, "48 89 07");
	f.vcpu.rflags |= RFLAGS_TF;
	assert_int_equal(emulate_insn(&f.env, &trap, &end), INSN_FAULT);
	assert_int_equal(trap.vector, EXC_DB);
	check_eq("rip", f.vcpu.rip, KERNEL_RIP + 3);
	check_eq("dr6", f.vcpu.dr[6], BIT(14));
	check_eq("stored", fake_peek(&f, TABLE, 8), VALUE);
	fake_finish(&f);
}

/* Outcomes that end the run. */
static void test_ends(void **state)
{
	struct live_end end;
	struct trap trap;
	struct fake f;

	(void)state;
	place(&f, L, "48 89 07");
	fake_answer(
		&f, GE_STORE,
		(struct guest_outcome){.verdict = GO_MMIO, .gpa = 0xb8000000});
	assert_int_equal(emulate_insn(&f.env, &trap, &end), INSN_END);
	assert_int_equal(end.status, LIVE_ABSENT);
	check_eq("gpa", end.gpa, 0xb8000000);
	check_eq("gva", end.gva, TABLE);
	fake_finish(&f);

	place(&f, L, "0f 11 07");
	f.view.stop = "cannot be emulated";
	fake_answer(&f, GE_EMULATE_FAILED,
		    (struct guest_outcome){.verdict = GO_STOP});
	assert_int_equal(emulate_insn(&f.env, &trap, &end), INSN_END);
	assert_int_equal(end.status, LIVE_STOPPED);
	assert_string_equal(end.line, "cannot be emulated");
	fake_finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stores),
		cmocka_unit_test(test_wide_store),
		cmocka_unit_test(test_crossing),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_store),
		cmocka_unit_test(test_cannot),
		cmocka_unit_test(test_fetch),
		cmocka_unit_test(test_source),
		cmocka_unit_test(test_rep),
		cmocka_unit_test(test_completion),
		cmocka_unit_test(test_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
