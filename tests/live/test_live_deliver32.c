/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Delivery in 32-bit protected mode and in real mode, case by case: the whole
 * pushed frame and the whole state after it.
 */
#include "check.h"

#include "arch/exception.h"
#include "live/deliver.h"
#include "setup.h"

#define FLAGS (RFLAGS_ONE | RFLAGS_IF | 0x55)
#define NO_IF (FLAGS & ~RFLAGS_IF)
#define RF    RFLAGS_RF

#define IRQ(v)                                       \
	{                                            \
		.vector = (v), .type = EVENT_EXT_INT \
	}
#define EXC(v)                                      \
	{                                           \
		.vector = (v), .type = EVENT_HW_EXC \
	}
#define EXC_CODE(v, e)                          \
	{                                       \
		(v), EVENT_HW_EXC, true, (e), 0 \
	}
#define INT_N(v)                                 \
	{                                        \
		(v), EVENT_SOFT_INT, false, 0, 2 \
	}

#define NO_CODE (-1)

/* ESP after the frame: same CPL, inner; with an error code 4 less. */
#define K_FRAME (KERNEL_STACK - 12)
#define U_FRAME (RSP0 - 20)

struct deliver_case {
	const char *name;
	enum setup_mode mode;
	bool user;
	struct trap trap;
	void (*prepare)(struct fake *f);
	uint8_t vector;
	int64_t code;
	unsigned int cs, ss; /* after it; ss 0: as before */
	uint64_t rsp;
	uint64_t frame; /* linear address of the last push */
	uint64_t pushed_flags, flags;
	uint8_t slot;
	uint64_t skip; /* pushed EIP - EIP */
	uint64_t rip;  /* 0: handler_of(vector) */
};

#define GATE_CASE(name, selector, access)                                   \
	static void name(struct fake *f)                                    \
	{                                                                   \
		setup_gate(f, 0x30, (selector), handler_of(0x30), (access), \
			   0);                                              \
	}

GATE_CASE(trap_gate, K_CODE, 0x8f)
GATE_CASE(int16_gate, K_CODE, 0x86)
GATE_CASE(trap16_gate, K_CODE, 0x87)
GATE_CASE(call_gate, K_CODE, 0x8c)
GATE_CASE(absent_gate, K_CODE, 0x0e)
GATE_CASE(null_cs, 0, 0x8e)
GATE_CASE(cs_beyond, GDT_LIMIT + 1, 0x8e)
GATE_CASE(cs_is_data, K_DATA2, 0x8e)
GATE_CASE(cs_is_absent, K_ABSENT, 0x8e)
GATE_CASE(cs_is_user, U_CODE32, 0x8e)
GATE_CASE(cs_conforms, K_CONF, 0x8e)
GATE_CASE(cs_ring_1, R1_CODE, 0x8e)
GATE_CASE(cs_is_fresh, K_FRESH, 0x8e)
GATE_CASE(cs_is_small, K_CODE_SMALL, 0x8e)

static void int80_gate(struct fake *f)
{
	setup_gate(f, 0x80, K_CODE, handler_of(0x80), G_TRAP(3), 0);
}

static void short_idt(struct fake *f)
{
	f->vcpu.idtr.limit = 0x30 * 8 + 6;
}

/* What goes wrong with the inner stack is told on the outer one. */
static void tell_outside(struct fake *f)
{
	setup_gate(f, EXC_TS, K_CONF, handler_of(EXC_TS), G_INT(0), 0);
	setup_gate(f, EXC_SS, K_CONF, handler_of(EXC_SS), G_INT(0), 0);
}

#define SS_CASE(name, selector)                          \
	static void name(struct fake *f)                 \
	{                                                \
		fake_poke(f, TSS_AT + 8, (selector), 2); \
		tell_outside(f);                         \
	}

SS_CASE(ss_null, 0)
SS_CASE(ss_beyond, GDT_LIMIT + 1)
SS_CASE(ss_rpl, K_DATA2 | 1)
SS_CASE(ss_dpl, U_DATA)
SS_CASE(ss_readonly, K_READONLY)
SS_CASE(ss_is_code, K_CODE)
SS_CASE(ss_absent, K_STACK_ABSENT)
SS_CASE(ss_is_fresh, K_STACK_FRESH)

/* 0xa018 is beyond 0x903f. */
SS_CASE(ss_small, K_STACK_SMALL)

static void ss_just_fits(struct fake *f)
{
	ss_small(f);
	fake_poke(f, TSS_AT + 4, 0x9040, 4);
}

static void ss_one_too_far(struct fake *f)
{
	ss_small(f);
	fake_poke(f, TSS_AT + 4, 0x9041, 4);
}

static void ss_down(struct fake *f)
{
	fake_poke(f, TSS_AT + 8, K_STACK_DOWN, 2);
	fake_poke(f, TSS_AT + 4, 0x9014, 4);
	tell_outside(f);
}

static void ss_down_too_low(struct fake *f)
{
	ss_down(f);
	fake_poke(f, TSS_AT + 4, 0x9013, 4);
}

/* B=0: SP alone moves, and wraps at 64 KiB; base 0x10000. */
static void ss_16bit(struct fake *f)
{
	fake_poke(f, TSS_AT + 8, K_STACK16, 2);
	fake_poke(f, TSS_AT + 4, 0x00420000, 4);
}

static void tss_short(struct fake *f)
{
	f->vcpu.tr.limit = 4 + 4;
	tell_outside(f);
}

static void tss_just_long(struct fake *f)
{
	f->vcpu.tr.limit = 4 + 5;
}

static void tss_16bit(struct fake *f)
{
	f->vcpu.tr.attr = 0x8300;
	fake_poke(f, TSS_AT + 2, 0xa018 | K_DATA2 << 16, 4);
}

static void tss_16bit_short(struct fake *f)
{
	tss_16bit(f);
	f->vcpu.tr.limit = 2 + 2;
	tell_outside(f);
}

static void small_stack(struct fake *f)
{
	setup_segment(f, SEG_SS, K_STACK_SMALL);
	f->vcpu.gpr[GPR_RSP] = 8; /* wraps to the top of 4 GiB */
	setup_gate(f, EXC_SS, R1_CODE, handler_of(EXC_SS), G_INT(0), 0);
	f->vcpu.cpl = 2; /* so that #SS has a stack of its own */
	f->vcpu.seg[SEG_CS].selector = K_CODE | 2;
	f->vcpu.seg[SEG_SS].selector = K_STACK_SMALL | 2;
	setup_gate(f, 0x30, K_CONF, handler_of(0x30), G_INT(0), 0);
}

static void busy_flags(struct fake *f)
{
	f->vcpu.rflags |= RFLAGS_TF | RFLAGS_NT | RF | RFLAGS_AC;
	f->vcpu.irq_shadow = true;
}

static void short_ivt(struct fake *f)
{
	f->vcpu.idtr.limit = 0x30 * 4 + 2;
}

static void high_ivt(struct fake *f)
{
	f->vcpu.idtr.base = IDT_AT + 0x400;
	fake_poke(f, IDT_AT + 0x400 + 0x30 * 4, 0x0e000300, 4);
}

static void sp_wraps(struct fake *f)
{
	f->vcpu.gpr[GPR_RSP] = 0x12340002;
}

#define P    SETUP_PROTECTED
#define R    SETUP_REAL
#define BUSY (FLAGS | RFLAGS_TF | RFLAGS_NT | RF | RFLAGS_AC)

/* clang-format off */
static const struct deliver_case cases[] = {
	{"interrupt from CPL 3", P, 1, IRQ(0x30), NULL,
	 0x30, NO_CODE, K_CODE, K_DATA2, U_FRAME, U_FRAME, FLAGS, NO_IF, 4, 0},
	{"interrupt from CPL 0", P, 0, IRQ(0x30), NULL,
	 0x30, NO_CODE, K_CODE, 0, K_FRAME, K_FRAME, FLAGS, NO_IF, 4, 0},
	{"a trap gate keeps IF", P, 0, IRQ(0x30), trap_gate,
	 0x30, NO_CODE, K_CODE, 0, K_FRAME, K_FRAME, FLAGS, FLAGS, 4, 0},
	{"16-bit interrupt gate", P, 0, IRQ(0x30), int16_gate,
	 0x30, NO_CODE, K_CODE, 0, KERNEL_STACK - 6, KERNEL_STACK - 6, FLAGS,
	 NO_IF, 2, 0, 0x300},
	{"16-bit trap gate from CPL 3", P, 1, IRQ(0x30), trap16_gate,
	 0x30, NO_CODE, K_CODE, K_DATA2, RSP0 - 10, RSP0 - 10, FLAGS, FLAGS, 2,
	 0, 0x300},
	{"#PF: error code, RF", P, 1, EXC_CODE(EXC_PF, 7), NULL,
	 EXC_PF, 7, K_CODE, K_DATA2, U_FRAME - 4, U_FRAME - 4, FLAGS | RF,
	 NO_IF, 4, 0},
	{"INT 0x80 through a gate of DPL 3", P, 1, INT_N(0x80), int80_gate,
	 0x80, NO_CODE, K_CODE, K_DATA2, U_FRAME, U_FRAME, FLAGS, FLAGS, 4, 2},
	{"INT 0x80 through a gate of DPL 0: #GP", P, 1, INT_N(0x80), NULL,
	 EXC_GP, 0x402, K_CODE, K_DATA2, U_FRAME - 4, U_FRAME - 4, FLAGS | RF,
	 NO_IF, 4, 0},
	{"flags of the handler", P, 0, IRQ(0x30), busy_flags,
	 0x30, NO_CODE, K_CODE, 0, K_FRAME, K_FRAME, BUSY, NO_IF | RFLAGS_AC, 4,
	 0},
	{"IDT too short: #GP", P, 0, IRQ(0x30), short_idt,
	 EXC_GP, 0x183, K_CODE, 0, K_FRAME - 4, K_FRAME - 4, FLAGS | RF, NO_IF,
	 4, 0},
	{"call gate: #GP", P, 0, IRQ(0x30), call_gate,
	 EXC_GP, 0x183, K_CODE, 0, K_FRAME - 4, K_FRAME - 4, FLAGS | RF, NO_IF,
	 4, 0},
	{"absent gate: #NP", P, 0, IRQ(0x30), absent_gate,
	 EXC_NP, 0x183, K_CODE, 0, K_FRAME - 4, K_FRAME - 4, FLAGS | RF, NO_IF,
	 4, 0},
	{"null CS: #GP", P, 0, IRQ(0x30), null_cs,
	 EXC_GP, 1, K_CODE, 0, K_FRAME - 4, K_FRAME - 4, FLAGS | RF, NO_IF, 4,
	 0},
	{"CS beyond the GDT: #GP", P, 0, IRQ(0x30), cs_beyond,
	 EXC_GP, 0xb1, K_CODE, 0, K_FRAME - 4, K_FRAME - 4, FLAGS | RF, NO_IF,
	 4, 0},
	{"CS is data: #GP", P, 0, IRQ(0x30), cs_is_data,
	 EXC_GP, K_DATA2 | 1, K_CODE, 0, K_FRAME - 4, K_FRAME - 4, FLAGS | RF,
	 NO_IF, 4, 0},
	{"CS is absent: #NP", P, 0, IRQ(0x30), cs_is_absent,
	 EXC_NP, K_ABSENT | 1, K_CODE, 0, K_FRAME - 4, K_FRAME - 4, FLAGS | RF,
	 NO_IF, 4, 0},
	{"CS is less privileged: #GP", P, 0, IRQ(0x30), cs_is_user,
	 EXC_GP, U_CODE32 | 1, K_CODE, 0, K_FRAME - 4, K_FRAME - 4, FLAGS | RF,
	 NO_IF, 4, 0},
	{"conforming CS keeps CPL 3 and its stack", P, 1, IRQ(0x30),
	 cs_conforms,
	 0x30, NO_CODE, K_CONF | 3, 0, USER_STACK - 12, USER_STACK - 12, FLAGS,
	 NO_IF, 4, 0},
	{"CS of ring 1", P, 1, IRQ(0x30), cs_ring_1,
	 0x30, NO_CODE, R1_CODE | 1, R1_DATA | 1, RSP1 - 20, RSP1 - 20, FLAGS,
	 NO_IF, 4, 0},
	{"CS gets its accessed bit", P, 0, IRQ(0x30), cs_is_fresh,
	 0x30, NO_CODE, K_FRESH, 0, K_FRAME, K_FRAME, FLAGS, NO_IF, 4, 0},
	{"handler beyond the limit of CS: #GP", P, 0, IRQ(0x30), cs_is_small,
	 EXC_GP, 1, K_CODE, 0, K_FRAME - 4, K_FRAME - 4, FLAGS | RF, NO_IF, 4,
	 0},

	{"null SS0: #TS", P, 1, IRQ(0x30), ss_null,
	 EXC_TS, 1, K_CONF | 3, 0, USER_STACK - 16, USER_STACK - 16, FLAGS | RF,
	 NO_IF, 4, 0},
	{"SS0 beyond the GDT: #TS", P, 1, IRQ(0x30), ss_beyond,
	 EXC_TS, 0xb1, K_CONF | 3, 0, USER_STACK - 16, USER_STACK - 16,
	 FLAGS | RF, NO_IF, 4, 0},
	{"RPL of SS0: #TS", P, 1, IRQ(0x30), ss_rpl,
	 EXC_TS, K_DATA2 | 1, K_CONF | 3, 0, USER_STACK - 16, USER_STACK - 16,
	 FLAGS | RF, NO_IF, 4, 0},
	{"DPL of SS0: #TS", P, 1, IRQ(0x30), ss_dpl,
	 EXC_TS, U_DATA | 1, K_CONF | 3, 0, USER_STACK - 16, USER_STACK - 16,
	 FLAGS | RF, NO_IF, 4, 0},
	{"SS0 is read-only: #TS", P, 1, IRQ(0x30), ss_readonly,
	 EXC_TS, K_READONLY | 1, K_CONF | 3, 0, USER_STACK - 16,
	 USER_STACK - 16, FLAGS | RF, NO_IF, 4, 0},
	{"SS0 is code: #TS", P, 1, IRQ(0x30), ss_is_code,
	 EXC_TS, K_CODE | 1, K_CONF | 3, 0, USER_STACK - 16, USER_STACK - 16,
	 FLAGS | RF, NO_IF, 4, 0},
	{"SS0 is absent: #SS", P, 1, IRQ(0x30), ss_absent,
	 EXC_SS, K_STACK_ABSENT | 1, K_CONF | 3, 0, USER_STACK - 16,
	 USER_STACK - 16, FLAGS | RF, NO_IF, 4, 0},
	{"SS0 gets its accessed bit", P, 1, IRQ(0x30), ss_is_fresh,
	 0x30, NO_CODE, K_CODE, K_STACK_FRESH, U_FRAME, U_FRAME, FLAGS, NO_IF,
	 4, 0},
	{"no room on the inner stack: #SS", P, 1, IRQ(0x30), ss_small,
	 EXC_SS, K_STACK_SMALL | 1, K_CONF | 3, 0, USER_STACK - 16,
	 USER_STACK - 16, FLAGS | RF, NO_IF, 4, 0},
	{"just room on the inner stack", P, 1, IRQ(0x30), ss_just_fits,
	 0x30, NO_CODE, K_CODE, K_STACK_SMALL, 0x9040 - 20, 0x9040 - 20, FLAGS,
	 NO_IF, 4, 0},
	{"a byte too far: #SS", P, 1, IRQ(0x30), ss_one_too_far,
	 EXC_SS, K_STACK_SMALL | 1, K_CONF | 3, 0, USER_STACK - 16,
	 USER_STACK - 16, FLAGS | RF, NO_IF, 4, 0},
	{"just room on an expand-down stack", P, 1, IRQ(0x30), ss_down,
	 0x30, NO_CODE, K_CODE, K_STACK_DOWN, 0x9000, 0x9000, FLAGS, NO_IF, 4,
	 0},
	{"no room on an expand-down stack: #SS", P, 1, IRQ(0x30),
	 ss_down_too_low,
	 EXC_SS, K_STACK_DOWN | 1, K_CONF | 3, 0, USER_STACK - 16,
	 USER_STACK - 16, FLAGS | RF, NO_IF, 4, 0},
	{"16-bit inner stack wraps", P, 1, IRQ(0x30), ss_16bit,
	 0x30, NO_CODE, K_CODE, K_STACK16, 0x0042ffec, 0x1ffec, FLAGS, NO_IF, 4,
	 0},
	{"TSS too short: #TS", P, 1, IRQ(0x30), tss_short,
	 EXC_TS, TSS_SEL | 1, K_CONF | 3, 0, USER_STACK - 16, USER_STACK - 16,
	 FLAGS | RF, NO_IF, 4, 0},
	{"TSS just long enough", P, 1, IRQ(0x30), tss_just_long,
	 0x30, NO_CODE, K_CODE, K_DATA2, U_FRAME, U_FRAME, FLAGS, NO_IF, 4, 0},
	{"16-bit TSS", P, 1, IRQ(0x30), tss_16bit,
	 0x30, NO_CODE, K_CODE, K_DATA2, U_FRAME, U_FRAME, FLAGS, NO_IF, 4, 0},
	{"16-bit TSS too short: #TS", P, 1, IRQ(0x30), tss_16bit_short,
	 EXC_TS, TSS_SEL | 1, K_CONF | 3, 0, USER_STACK - 16, USER_STACK - 16,
	 FLAGS | RF, NO_IF, 4, 0},
	{"no room on the present stack: #SS(EXT)", P, 0, IRQ(0x30), small_stack,
	 EXC_SS, 1, R1_CODE | 1, R1_DATA | 1, RSP1 - 24, RSP1 - 24, FLAGS | RF,
	 NO_IF, 4, 0},

	{"real mode: interrupt", R, 0, IRQ(0x30), NULL,
	 0x30, NO_CODE, 0xe00, 0, 0x12341ffa, 0x8ffa, FLAGS, NO_IF, 2, 0},
	{"real mode: INT n", R, 0, INT_N(0x21), NULL,
	 0x21, NO_CODE, 0xe00, 0, 0x12341ffa, 0x8ffa, FLAGS, NO_IF, 2, 2},
	{"real mode: no error code", R, 0, EXC_CODE(EXC_GP, 0x55), NULL,
	 EXC_GP, NO_CODE, 0xe00, 0, 0x12341ffa, 0x8ffa, FLAGS, NO_IF, 2, 0},
	{"real mode: flags", R, 0, IRQ(0x30), busy_flags,
	 0x30, NO_CODE, 0xe00, 0, 0x12341ffa, 0x8ffa, BUSY & 0xffff, NO_IF, 2,
	 0},
	{"real mode: vector beyond the limit: #GP", R, 0, IRQ(0x30), short_ivt,
	 EXC_GP, NO_CODE, 0xe00, 0, 0x12341ffa, 0x8ffa, FLAGS, NO_IF, 2, 0},
	{"real mode: the table lies elsewhere", R, 0, IRQ(0x30), high_ivt,
	 0x30, NO_CODE, 0xe00, 0, 0x12341ffa, 0x8ffa, FLAGS, NO_IF, 2, 0},
	{"real mode: SP wraps", R, 0, IRQ(0x30), sp_wraps,
	 0x30, NO_CODE, 0xe00, 0, 0x1234fffc, 0x16ffc, FLAGS, NO_IF, 2, 0},
};
/* clang-format on */

/* *sp: offset in the stack segment, which may wrap at 64 KiB. */
static void check_slot(struct fake *f, const struct deliver_case *c,
		       const char *what, uint64_t *sp, uint64_t want)
{
	const struct segment *ss = &f->vcpu.seg[SEG_SS];
	uint64_t mask = ss->attr & SEG_ATTR_DB ? UINT32_MAX : UINT16_MAX;

	check_part(c->name, what,
		   fake_peek(f, ss->base + (*sp & mask), c->slot),
		   want & (BIT(8 * c->slot) - 1));
	*sp += c->slot;
}

static void check_frame(struct fake *f, const struct deliver_case *c,
			const struct vcpu *before)
{
	uint64_t sp = c->frame - f->vcpu.seg[SEG_SS].base;

	if (c->code != NO_CODE)
		check_slot(f, c, "error code", &sp, (uint64_t)c->code);
	check_slot(f, c, "EIP", &sp, before->rip + c->skip);
	check_slot(f, c, "CS", &sp, before->seg[SEG_CS].selector);
	check_slot(f, c, "EFLAGS", &sp, c->pushed_flags);
	if (f->vcpu.cpl == before->cpl)
		return;
	check_slot(f, c, "ESP", &sp, before->gpr[GPR_RSP]);
	check_slot(f, c, "SS", &sp, before->seg[SEG_SS].selector);
}

static void expect_segments(struct fake *f, const struct deliver_case *c)
{
	if (c->mode == SETUP_REAL) {
		f->vcpu.seg[SEG_CS].selector = (uint16_t)c->cs;
		f->vcpu.seg[SEG_CS].base = c->cs << 4;
		return;
	}
	setup_segment(f, SEG_CS, c->cs);
	f->vcpu.cpl = c->cs & 3;
	if (c->ss)
		setup_segment(f, SEG_SS, c->ss);
}

/* The state that has to come out, made from the one before. */
static void expect(struct fake *f, const struct deliver_case *c,
		   const struct vcpu *before, struct vcpu *ret)
{
	struct vcpu got = f->vcpu;
	uint64_t rip =
		c->mode == SETUP_REAL ? c->vector * 16u : handler_of(c->vector);

	f->vcpu = *before;
	expect_segments(f, c);
	f->vcpu.gpr[GPR_RSP] = c->rsp;
	f->vcpu.rip = c->rip ? c->rip : rip;
	f->vcpu.rflags = c->flags;
	f->vcpu.irq_shadow = false;
	*ret = f->vcpu;
	f->vcpu = got;
}

static void check_events(const struct fake *f, const struct deliver_case *c)
{
	bool raised = c->vector != c->trap.vector;
	bool has_code = c->code != NO_CODE;

	check_part(c->name, "deliveries", fake_count(f, GE_DELIVERED), 1);
	check_part(c->name, "starts", fake_count(f, GE_DELIVER), 1 + raised);
	check_part(c->name, "exceptions", fake_count(f, GE_EXCEPTION), raised);
	check_part(c->name, "vector", fake_last(f, GE_DELIVERED)->vector,
		   c->vector);
	if (raised)
		check_part(c->name, "has an error code",
			   fake_last(f, GE_EXCEPTION)->has_error, has_code);
}

static void run_case(const struct deliver_case *c)
{
	struct fake f;
	struct vcpu before, want;
	struct live_end end;

	fake_init(&f);
	setup_mode(&f, c->mode);
	if (c->user)
		setup_user(&f);
	if (c->prepare)
		c->prepare(&f);
	before = f.vcpu;

	check_part(c->name, "delivered", deliver_event(&f.env, &c->trap, &end),
		   true);
	check_frame(&f, c, &before);
	expect(&f, c, &before, &want);
	check_vcpu(c->name, &f.vcpu, &want);
	check_events(&f, c);
	fake_finish(&f);
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		run_case(&cases[i]);
}

/* What is refused ends the run with a line, and nothing has happened. */
static void test_refused(void **state)
{
	struct trap trap = IRQ(0x30);
	struct live_end end;
	struct vcpu before;
	struct fake f;

	(void)state;
	fake_init(&f);
	setup_mode(&f, SETUP_PROTECTED);
	setup_gdt(&f, K_DATA2, TSS_AT, 0x67, 0x81, 0);
	setup_gate(&f, 0x30, K_DATA2, 0, 0x85, 0);
	before = f.vcpu;
	assert_false(deliver_event(&f.env, &trap, &end));
	assert_int_equal(end.status, LIVE_STOPPED);
	assert_non_null(strstr(end.line, "a 16-bit task is not modelled"));
	assert_non_null(strstr(end.line, "vector 48"));
	check_vcpu("16-bit task", &f.vcpu, &before);
	fake_finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
