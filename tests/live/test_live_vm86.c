/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Delivery out of virtual-8086 mode: the frame, the segments, who may. */
#include "check.h"

#include "arch/exception.h"
#include "live/deliver.h"
#include "setup.h"

#define FLAGS (RFLAGS_ONE | RFLAGS_IF | RFLAGS_VM)

static void enter_vm86(struct fake *f)
{
	setup_mode(f, SETUP_PROTECTED);
	setup_user(f);
	for (unsigned int i = 0; i < NR_SEG; i++)
		f->vcpu.seg[i] = (struct segment){
			.selector = (uint16_t)(0x200 + i),
			.base = (0x200 + i) << 4,
			.limit = 0xffff,
			.attr = 0xf300,
		};
	f->vcpu.gpr[GPR_RSP] = 0x5678;
	f->vcpu.rip = 0x100;
	f->vcpu.rflags = FLAGS;
}

static bool deliver(struct fake *f, struct trap trap)
{
	struct live_end end;

	return deliver_event(&f->env, &trap, &end);
}

static void check_words(const char *name, struct fake *f, gva_t at,
			unsigned int size, const uint64_t *want, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_part(name, "frame",
			   fake_peek(f, at + i * size, (uint8_t)size), want[i]);
}

static void check_handler(const char *name, const struct fake *f)
{
	static const enum seg_reg data[] = {SEG_ES, SEG_DS, SEG_FS, SEG_GS};

	check_part(name, "CPL", f->vcpu.cpl, 0);
	check_part(name, "CS", f->vcpu.seg[SEG_CS].selector, K_CODE);
	check_part(name, "SS", f->vcpu.seg[SEG_SS].selector, K_DATA2);
	check_part(name, "VM", f->vcpu.rflags & RFLAGS_VM, 0);
	for (size_t i = 0; i < ARRAY_LEN(data); i++) {
		check_part(name, "selector", f->vcpu.seg[data[i]].selector, 0);
		check_part(name, "attributes", f->vcpu.seg[data[i]].attr, 0);
	}
}

#define IRQ                                           \
	(struct trap)                                 \
	{                                             \
		.vector = 0x30, .type = EVENT_EXT_INT \
	}

static void test_frame(void **state)
{
	const uint64_t want[] = {0x100, 0x201, FLAGS, 0x5678, 0x202,
				 0x200, 0x203, 0x204, 0x205};
	struct fake f;

	(void)state;
	fake_init(&f);
	enter_vm86(&f);
	assert_true(deliver(&f, IRQ));
	check_eq("ESP", f.vcpu.gpr[GPR_RSP], RSP0 - 36);
	check_words("32 bits", &f, RSP0 - 36, 4, want, ARRAY_LEN(want));
	check_handler("32 bits", &f);
	fake_finish(&f);
}

static void test_frame_16(void **state)
{
	const uint64_t want[] = {0x100, 0x201, FLAGS & 0xffff, 0x5678, 0x202,
				 0x200, 0x203, 0x204,          0x205};
	struct fake f;

	(void)state;
	fake_init(&f);
	enter_vm86(&f);
	setup_gate(&f, 0x30, K_CODE, 0x300, 0x86, 0);
	assert_true(deliver(&f, IRQ));
	check_words("16 bits", &f, RSP0 - 18, 2, want, ARRAY_LEN(want));
	check_handler("16 bits", &f);
	fake_finish(&f);
}

static void test_fault(void **state)
{
	const uint64_t want[] = {0, 0x100, 0x201, FLAGS | RFLAGS_RF, 0x5678};
	const struct trap gp = {EXC_GP, EVENT_HW_EXC, true, 0, 0};
	struct fake f;

	(void)state;
	fake_init(&f);
	enter_vm86(&f);
	assert_true(deliver(&f, gp));
	check_words("#GP", &f, RSP0 - 40, 4, want, ARRAY_LEN(want));
	fake_finish(&f);
}

/* A handler of another ring than 0: #GP, with its selector. */
static void test_wrong_ring(void **state)
{
	static const unsigned int wrong[] = {R1_CODE, K_CONF};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		const uint64_t want[] = {wrong[i] | 1, 0x100, 0x201};
		struct fake f;

		fake_init(&f);
		enter_vm86(&f);
		setup_gate(&f, 0x30, wrong[i], handler_of(0x30), G_INT(0), 0);
		assert_true(deliver(&f, IRQ));
		check_eq("vector", f.vcpu.rip, handler_of(EXC_GP));
		check_words("#GP", &f, RSP0 - 40, 4, want, ARRAY_LEN(want));
		fake_finish(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame),
		cmocka_unit_test(test_frame_16),
		cmocka_unit_test(test_fault),
		cmocka_unit_test(test_wrong_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
