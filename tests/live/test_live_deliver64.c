/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Delivery in long mode, case by case: the whole pushed frame and the whole
 * state after it.  An exception that arises on the way is what gets delivered.
 */
#include "check.h"

#include "arch/exception.h"
#include "live/deliver.h"
#include "setup.h"

#define FLAGS (RFLAGS_ONE | RFLAGS_IF | 0x55)
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
#define INT_3                                       \
	{                                           \
		EXC_BP, EVENT_SOFT_EXC, false, 0, 1 \
	}
#define INT_1                                          \
	{                                              \
		EXC_DB, EVENT_PRIV_SW_EXC, false, 0, 1 \
	}

#define NO_CODE (-1)
#define SAME    0xffffu /* SS is not loaded */

/* Stack pointers after the frame, without and with an error code. */
#define K_FRAME  (KERNEL_STACK - 40)
#define K_FRAME6 (KERNEL_STACK - 48)
#define U_FRAME  ((RSP0 & ~15u) - 40)
#define U_FRAME6 ((RSP0 & ~15u) - 48)
#define I_FRAME  ((IST1 & ~15u) - 40)
#define I_FRAME6 ((IST1 & ~15u) - 48)
#define C_FRAME  ((USER_STACK & ~15u) - 40)
#define C_FRAME6 ((USER_STACK & ~15u) - 48)

struct deliver_case {
	const char *name;
	bool user;
	struct trap trap;
	void (*prepare)(struct fake *f);
	/* What is delivered in the end. */
	uint8_t vector;
	int64_t code; /* on the stack, or NO_CODE */
	unsigned int cs, ss;
	uint64_t rsp;
	uint64_t pushed_flags, flags;
	uint64_t skip; /* pushed RIP - RIP */
};

static void trap_gate(struct fake *f)
{
	setup_gate(f, 0x30, K_CODE, handler_of(0x30), G_TRAP(0), 0);
}

static void int80_gate(struct fake *f)
{
	setup_gate(f, 0x80, K_CODE, handler_of(0x80), G_TRAP(3), 0);
}

static void ist_gate(struct fake *f)
{
	setup_gate(f, 0x30, K_CODE, handler_of(0x30), G_INT(0), 1);
}

static void misaligned(struct fake *f)
{
	f->vcpu.gpr[GPR_RSP] = KERNEL_STACK + 6;
}

static void compatibility(struct fake *f)
{
	setup_segment(f, SEG_CS, U_CODE32 | 3);
	f->vcpu.rip = 0xfffffffe;
}

static void short_idt(struct fake *f)
{
	f->vcpu.idtr.limit = 0x30 * 16 + 14;
}

static void long_enough_idt(struct fake *f)
{
	f->vcpu.idtr.limit = 0x30 * 16 + 15;
}

#define GATE_CASE(name, access)                                             \
	static void name(struct fake *f)                                    \
	{                                                                   \
		setup_gate(f, 0x30, K_CODE, handler_of(0x30), (access), 0); \
	}

GATE_CASE(task_gate, 0x85)
GATE_CASE(int16_gate, 0x86)
GATE_CASE(trap16_gate, 0x87)
GATE_CASE(call_gate, 0x8c)
GATE_CASE(not_a_system_gate, 0x9e)
GATE_CASE(absent_gate, 0x0e)
GATE_CASE(absent_wrong_gate, 0x06)

#define CS_CASE(name, selector)                                             \
	static void name(struct fake *f)                                    \
	{                                                                   \
		setup_gate(f, 0x30, (selector), handler_of(0x30), G_INT(0), \
			   0);                                              \
	}

CS_CASE(null_cs, 3)
CS_CASE(cs_beyond_gdt, 0xb3)
CS_CASE(cs_is_data, K_DATA2)
CS_CASE(cs_is_system, TSS_SEL)
CS_CASE(cs_is_32bit, K_CODE32)
CS_CASE(cs_is_absent, K_ABSENT)
CS_CASE(cs_is_user, U_CODE64)
CS_CASE(cs_conforms, K_CONF)
CS_CASE(cs_rpl_is_ignored, K_CODE | 3)
CS_CASE(cs_ring_1, R1_CODE)
CS_CASE(cs_is_fresh, K_FRESH)

/* #TS and #SS must find a stack that needs no TSS. */
static void no_rsp0(struct fake *f)
{
	f->vcpu.tr.limit = 4 + 7 - 1;
	setup_gate(f, EXC_TS, K_CONF, handler_of(EXC_TS), G_INT(0), 0);
}

static void just_rsp0(struct fake *f)
{
	f->vcpu.tr.limit = 4 + 7;
}

static void wild_rsp0(struct fake *f)
{
	fake_poke(f, TSS_AT + 4, UINT64_C(0x800000000000), 8);
	setup_gate(f, EXC_SS, K_CONF, handler_of(EXC_SS), G_INT(0), 0);
}

static void wild_handler(struct fake *f)
{
	setup_gate(f, 0x30, K_CODE, UINT64_C(0x800000000000), G_INT(0), 0);
}

static void stack_at_the_edge(struct fake *f)
{
	fake_map(f, UINT64_C(0xffff800000000000), 0x20000);
	f->vcpu.gpr[GPR_RSP] = UINT64_C(0xffff800000000010);
	setup_gate(f, EXC_SS, K_CODE, handler_of(EXC_SS), G_INT(0), 1);
}

static void ldt_cs(struct fake *f)
{
	f->vcpu.ldtr = (struct segment){.selector = 0xf8,
					.limit = 0x0f,
					.attr = 0x8200,
					.base = LDT_AT};
	fake_poke(f, LDT_AT + 8, fake_peek(f, GDT_AT + K_CODE, 8), 8);
	setup_gate(f, 0x30, 0x0c, handler_of(0x30), G_INT(0), 0);
}

static void no_ldt(struct fake *f)
{
	ldt_cs(f);
	f->vcpu.ldtr.attr = 0;
}

static void busy_flags(struct fake *f)
{
	f->vcpu.rflags |= RFLAGS_TF | RFLAGS_NT | RF | RFLAGS_AC | RFLAGS_IOPL |
			  RFLAGS_DF;
	f->vcpu.irq_shadow = true;
}

static void guarded_dr7(struct fake *f)
{
	f->vcpu.dr[7] = 0x2400;
}

#define BUSY                                                            \
	(FLAGS | RFLAGS_TF | RFLAGS_NT | RF | RFLAGS_AC | RFLAGS_IOPL | \
	 RFLAGS_DF)
#define CALM  (FLAGS | RFLAGS_AC | RFLAGS_IOPL | RFLAGS_DF)
#define NO_IF (FLAGS & ~RFLAGS_IF)

/* clang-format off */
static const struct deliver_case cases[] = {
	{"interrupt from CPL 3", 1, IRQ(0x30), NULL,
	 0x30, NO_CODE, K_CODE, 0, U_FRAME, FLAGS, NO_IF, 0},
	{"interrupt from CPL 0", 0, IRQ(0x30), NULL,
	 0x30, NO_CODE, K_CODE, SAME, K_FRAME, FLAGS, NO_IF, 0},
	{"vector 255", 0, IRQ(0xff), NULL,
	 0xff, NO_CODE, K_CODE, SAME, K_FRAME, FLAGS, NO_IF, 0},
	{"a trap gate keeps IF", 1, IRQ(0x30), trap_gate,
	 0x30, NO_CODE, K_CODE, 0, U_FRAME, FLAGS, FLAGS, 0},
	{"#PF: error code, RF", 1, EXC_CODE(EXC_PF, 6), NULL,
	 EXC_PF, 6, K_CODE, 0, U_FRAME6, FLAGS | RF, NO_IF, 0},
	{"#UD: no code, RF", 0, EXC(EXC_UD), NULL,
	 EXC_UD, NO_CODE, K_CODE, SAME, K_FRAME, FLAGS | RF, NO_IF, 0},
	{"#DB is a trap: no RF", 0, EXC(EXC_DB), guarded_dr7,
	 EXC_DB, NO_CODE, K_CODE, SAME, K_FRAME, FLAGS, NO_IF, 0},
	{"NMI", 0, {.vector = 2, .type = EVENT_NMI}, NULL,
	 2, NO_CODE, K_CODE, SAME, K_FRAME, FLAGS, NO_IF, 0},
	{"INT 0x80 through a gate of DPL 3", 1, INT_N(0x80), int80_gate,
	 0x80, NO_CODE, K_CODE, 0, U_FRAME, FLAGS, FLAGS, 2},
	{"INT 0x80 through a gate of DPL 0: #GP", 1, INT_N(0x80), NULL,
	 EXC_GP, 0x402, K_CODE, 0, U_FRAME6, FLAGS | RF, NO_IF, 0},
	{"INT 0x80 from CPL 0", 0, INT_N(0x80), NULL,
	 0x80, NO_CODE, K_CODE, SAME, K_FRAME, FLAGS, NO_IF, 2},
	{"INT3 through a gate of DPL 0: #GP", 1, INT_3, NULL,
	 EXC_GP, 0x1a, K_CODE, 0, U_FRAME6, FLAGS | RF, NO_IF, 0},
	{"INT1 does not look at the DPL", 1, INT_1, NULL,
	 EXC_DB, NO_CODE, K_CODE, 0, U_FRAME, FLAGS, NO_IF, 1},
	{"an interrupt does not look at the DPL", 1, IRQ(0x80), NULL,
	 0x80, NO_CODE, K_CODE, 0, U_FRAME, FLAGS, NO_IF, 0},
	{"IST at the same CPL keeps SS", 0, IRQ(0x30), ist_gate,
	 0x30, NO_CODE, K_CODE, SAME, I_FRAME, FLAGS, NO_IF, 0},
	{"IST from CPL 3", 1, IRQ(0x30), ist_gate,
	 0x30, NO_CODE, K_CODE, 0, I_FRAME, FLAGS, NO_IF, 0},
	{"the stack is aligned first", 0, IRQ(0x30), misaligned,
	 0x30, NO_CODE, K_CODE, SAME, K_FRAME, FLAGS, NO_IF, 0},
	{"from compatibility code", 1, IRQ(0x30), compatibility,
	 0x30, NO_CODE, K_CODE, 0, U_FRAME, FLAGS, NO_IF, 0},
	{"flags of the handler", 0, IRQ(0x30), busy_flags,
	 0x30, NO_CODE, K_CODE, SAME, K_FRAME, BUSY, CALM & ~RFLAGS_IF, 0},

	{"IDT too short: #GP", 0, IRQ(0x30), short_idt,
	 EXC_GP, 0x183, K_CODE, SAME, K_FRAME6, FLAGS | RF, NO_IF, 0},
	{"IDT just long enough", 0, IRQ(0x30), long_enough_idt,
	 0x30, NO_CODE, K_CODE, SAME, K_FRAME, FLAGS, NO_IF, 0},
	{"IDT too short for INT n: no EXT", 0, INT_N(0x30), short_idt,
	 EXC_GP, 0x182, K_CODE, SAME, K_FRAME6, FLAGS | RF, NO_IF, 0},
	{"task gate: #GP", 0, IRQ(0x30), task_gate,
	 EXC_GP, 0x183, K_CODE, SAME, K_FRAME6, FLAGS | RF, NO_IF, 0},
	{"16-bit interrupt gate: #GP", 0, IRQ(0x30), int16_gate,
	 EXC_GP, 0x183, K_CODE, SAME, K_FRAME6, FLAGS | RF, NO_IF, 0},
	{"16-bit trap gate: #GP", 0, IRQ(0x30), trap16_gate,
	 EXC_GP, 0x183, K_CODE, SAME, K_FRAME6, FLAGS | RF, NO_IF, 0},
	{"call gate: #GP", 0, IRQ(0x30), call_gate,
	 EXC_GP, 0x183, K_CODE, SAME, K_FRAME6, FLAGS | RF, NO_IF, 0},
	{"S=1: #GP", 0, IRQ(0x30), not_a_system_gate,
	 EXC_GP, 0x183, K_CODE, SAME, K_FRAME6, FLAGS | RF, NO_IF, 0},
	{"absent gate: #NP", 1, IRQ(0x30), absent_gate,
	 EXC_NP, 0x183, K_CODE, 0, U_FRAME6, FLAGS | RF, NO_IF, 0},
	{"absent gate, INT n: the DPL comes first", 1, INT_N(0x30), absent_gate,
	 EXC_GP, 0x182, K_CODE, 0, U_FRAME6, FLAGS | RF, NO_IF, 0},
	{"absent gate of a wrong type: #GP", 0, IRQ(0x30), absent_wrong_gate,
	 EXC_GP, 0x183, K_CODE, SAME, K_FRAME6, FLAGS | RF, NO_IF, 0},

	{"null CS: #GP", 0, IRQ(0x30), null_cs,
	 EXC_GP, 1, K_CODE, SAME, K_FRAME6, FLAGS | RF, NO_IF, 0},
	{"null CS, INT n: #GP(0)", 0, INT_N(0x30), null_cs,
	 EXC_GP, 0, K_CODE, SAME, K_FRAME6, FLAGS | RF, NO_IF, 0},
	{"CS beyond the GDT: #GP", 0, IRQ(0x30), cs_beyond_gdt,
	 EXC_GP, 0xb1, K_CODE, SAME, K_FRAME6, FLAGS | RF, NO_IF, 0},
	{"CS is data: #GP", 0, IRQ(0x30), cs_is_data,
	 EXC_GP, K_DATA2 | 1, K_CODE, SAME, K_FRAME6, FLAGS | RF, NO_IF, 0},
	{"CS is a TSS: #GP", 0, IRQ(0x30), cs_is_system,
	 EXC_GP, TSS_SEL | 1, K_CODE, SAME, K_FRAME6, FLAGS | RF, NO_IF, 0},
	{"CS is not 64-bit: #GP", 0, IRQ(0x30), cs_is_32bit,
	 EXC_GP, K_CODE32 | 1, K_CODE, SAME, K_FRAME6, FLAGS | RF, NO_IF, 0},
	{"CS is absent: #NP", 0, IRQ(0x30), cs_is_absent,
	 EXC_NP, K_ABSENT | 1, K_CODE, SAME, K_FRAME6, FLAGS | RF, NO_IF, 0},
	{"CS is less privileged: #GP", 0, IRQ(0x30), cs_is_user,
	 EXC_GP, U_CODE64 | 1, K_CODE, SAME, K_FRAME6, FLAGS | RF, NO_IF, 0},
	{"CS of CPL 3 from CPL 3", 1, IRQ(0x30), cs_is_user,
	 0x30, NO_CODE, U_CODE64 | 3, SAME, C_FRAME, FLAGS, NO_IF, 0},
	{"conforming CS keeps CPL 3 and its stack", 1, IRQ(0x30), cs_conforms,
	 0x30, NO_CODE, K_CONF | 3, SAME, C_FRAME, FLAGS, NO_IF, 0},
	{"the selector's RPL does not matter", 0, IRQ(0x30), cs_rpl_is_ignored,
	 0x30, NO_CODE, K_CODE, SAME, K_FRAME, FLAGS, NO_IF, 0},
	{"CS of ring 1", 1, IRQ(0x30), cs_ring_1,
	 0x30, NO_CODE, R1_CODE | 1, 1, (RSP1 & ~15u) - 40, FLAGS, NO_IF, 0},
	{"CS gets its accessed bit", 1, IRQ(0x30), cs_is_fresh,
	 0x30, NO_CODE, K_FRESH, 0, U_FRAME, FLAGS, NO_IF, 0},
	{"CS from the LDT", 0, IRQ(0x30), ldt_cs,
	 0x30, NO_CODE, 0x0c, SAME, K_FRAME, FLAGS, NO_IF, 0},
	{"no LDT: #GP", 0, IRQ(0x30), no_ldt,
	 EXC_GP, 0x0d, K_CODE, SAME, K_FRAME6, FLAGS | RF, NO_IF, 0},

	{"no RSP0 in the TSS: #TS", 1, IRQ(0x30), no_rsp0,
	 EXC_TS, TSS_SEL | 1, K_CONF | 3, SAME, C_FRAME6, FLAGS | RF, NO_IF, 0},
	{"RSP0 just in the TSS", 1, IRQ(0x30), just_rsp0,
	 0x30, NO_CODE, K_CODE, 0, U_FRAME, FLAGS, NO_IF, 0},
	{"RSP0 not canonical: #SS", 1, IRQ(0x30), wild_rsp0,
	 EXC_SS, 1, K_CONF | 3, SAME, C_FRAME6, FLAGS | RF, NO_IF, 0},
	{"the stack leaves canonical space: #SS", 0, IRQ(0x30),
	 stack_at_the_edge,
	 EXC_SS, 1, K_CODE, SAME, I_FRAME6, FLAGS | RF, NO_IF, 0},
	{"handler not canonical: #GP", 0, IRQ(0x30), wild_handler,
	 EXC_GP, 1, K_CODE, SAME, K_FRAME6, FLAGS | RF, NO_IF, 0},
};
/* clang-format on */

static void check_frame(struct fake *f, const struct deliver_case *c,
			const struct vcpu *before)
{
	uint64_t at = c->rsp;

	if (c->code != NO_CODE) {
		check_part(c->name, "error code", fake_peek(f, at, 8),
			   (uint64_t)c->code);
		at += 8;
	}
	check_part(c->name, "RIP", fake_peek(f, at, 8), before->rip + c->skip);
	check_part(c->name, "CS", fake_peek(f, at + 8, 8),
		   before->seg[SEG_CS].selector);
	check_part(c->name, "RFLAGS", fake_peek(f, at + 16, 8),
		   c->pushed_flags);
	check_part(c->name, "RSP", fake_peek(f, at + 24, 8),
		   before->gpr[GPR_RSP]);
	check_part(c->name, "SS", fake_peek(f, at + 32, 8),
		   before->seg[SEG_SS].selector);
}

/* The state that has to come out, made from the one before. */
static void expect(struct fake *f, const struct deliver_case *c,
		   const struct vcpu *before, struct vcpu *ret)
{
	struct vcpu got = f->vcpu;

	f->vcpu = *before;
	if (c->cs == 0x0c) { /* the LDT's copy of K_CODE */
		setup_segment(f, SEG_CS, K_CODE);
		f->vcpu.seg[SEG_CS].selector = 0x0c;
	} else {
		setup_segment(f, SEG_CS, c->cs);
	}
	f->vcpu.cpl = c->cs & 3;
	if (c->ss != SAME)
		f->vcpu.seg[SEG_SS] = (struct segment){
			.selector = (uint16_t)c->ss, .attr = c->ss << 13};
	f->vcpu.gpr[GPR_RSP] = c->rsp;
	f->vcpu.rip = handler_of(c->vector);
	f->vcpu.rflags = c->flags;
	f->vcpu.irq_shadow = false;
	if (c->vector == EXC_DB && c->trap.type == EVENT_HW_EXC)
		f->vcpu.dr[7] &= ~BIT(13);
	*ret = f->vcpu;
	f->vcpu = got;
}

static void check_events(const struct fake *f, const struct deliver_case *c)
{
	const struct guest_event *ev = fake_last(f, GE_DELIVERED);
	bool raised = c->vector != c->trap.vector;

	check_part(c->name, "deliveries", fake_count(f, GE_DELIVERED), 1);
	check_part(c->name, "starts", fake_count(f, GE_DELIVER), 1 + raised);
	check_part(c->name, "exceptions", fake_count(f, GE_EXCEPTION), raised);
	check_part(c->name, "vector", ev->vector, c->vector);
	for (unsigned int i = 0; i < f->nr_events; i++)
		check_part(c->name, "clock", f->log[i].insns, 1000);
}

static void run_case(const struct deliver_case *c)
{
	struct fake f;
	struct vcpu before, want;
	struct live_end end;

	fake_init(&f);
	setup_mode(&f, SETUP_LONG);
	if (c->user)
		setup_user(&f);
	if (c->prepare)
		c->prepare(&f);
	before = f.vcpu;

	check_part(c->name, "delivered", deliver_event(&f.env, &c->trap, &end),
		   true);
	if (c->rsp < FAKE_RAM)
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

/* The accessed bit lands in memory, and only it. */
static void test_accessed(void **state)
{
	struct trap trap = IRQ(0x30);
	struct live_end end;
	uint64_t before;
	struct fake f;

	(void)state;
	fake_init(&f);
	setup_mode(&f, SETUP_LONG);
	cs_is_fresh(&f);
	before = fake_peek(&f, GDT_AT + K_FRESH, 8);
	assert_true(deliver_event(&f.env, &trap, &end));
	assert_true(fake_peek(&f, GDT_AT + K_FRESH, 8) == (before | BIT(40)));
	fake_finish(&f);
}

/* Tables are read as the processor, the stack is written as the new CPL. */
static void test_rights(void **state)
{
	static const struct {
		const char *name;
		void (*prepare)(struct fake *f);
		uint32_t stack;
	} rights[] = {
		{"to CPL 0", NULL, PFEC_W},
		{"to CPL 3", cs_conforms, PFEC_W | PFEC_U},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rights); i++) {
		struct trap trap = IRQ(0x30);
		struct live_end end;
		struct fake f;

		fake_init(&f);
		setup_mode(&f, SETUP_LONG);
		setup_user(&f);
		if (rights[i].prepare)
			rights[i].prepare(&f);
		assert_true(deliver_event(&f.env, &trap, &end));
		for (unsigned int k = 0; k < f.nr_events; k++) {
			const struct guest_event *ev = &f.log[k];

			if (ev->kind != GE_ACCESS)
				continue;
			check_part(rights[i].name, "rights", ev->access,
				   ev->gva >= 0x9000 ? rights[i].stack : 0);
			check_part(rights[i].name, "rip", ev->rip, USER_RIP);
			check_part(rights[i].name, "cpl", ev->cpl, 3);
		}
		fake_finish(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_accessed),
		cmocka_unit_test(test_rights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
