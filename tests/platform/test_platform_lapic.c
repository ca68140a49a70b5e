/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The local APIC register by register, in the machine around it. */
#include "check.h"

#define BASE     LAPIC_BASE
#define RAM_SIZE UINT64_C(0x4000000)

enum what {
	DONE = 0,
	W,    /* write val to register at */
	R,    /* read it, want val */
	AT,   /* go to val ns */
	PEND, /* want an interrupt pending or not */
	TAKE, /* acknowledge, want vector val */
	NEXT, /* want the next event at val ns */
	PIN,  /* IRQ3 of the 8259 pair goes to val */
	MSR,  /* WRMSR of IA32_APIC_BASE, want it taken */
	GP,   /* ... or refused */
};

#define NEVER UINT64_MAX

struct action {
	enum what what;
	uint64_t at;
	uint64_t val;
};

struct scene {
	const char *name;
	struct action action[32];
};

#define ON                          \
	{                           \
		W, LAPIC_SVR, 0x1ff \
	}
#define SET_IRR(vector)                          \
	{                                        \
		W, LAPIC_ICR, 0x40000 | (vector) \
	}

/* clang-format off */
static const struct scene scenes[] = {
	{"as firmware leaves it", {
		{R, LAPIC_ID, 0}, {R, LAPIC_VERSION, 0x50014},
		{R, LAPIC_SVR, 0x1ff}, {R, LAPIC_TPR, 0}, {R, LAPIC_PPR, 0},
		{R, LAPIC_DFR, 0xffffffff}, {R, LAPIC_LDR, 0},
		{R, LAPIC_LVT_TIMER, 0x10000}, {R, LAPIC_LVT_THERMAL, 0x10000},
		{R, LAPIC_LVT_PERF, 0x10000}, {R, LAPIC_LVT_LINT0, 0x700},
		{R, LAPIC_LVT_LINT1, 0x400}, {R, LAPIC_LVT_ERROR, 0x10000},
		{R, LAPIC_TIMER_INITIAL, 0}, {R, LAPIC_TIMER_CURRENT, 0},
		{R, LAPIC_TIMER_DIVIDE, 0}, {R, LAPIC_ICR, 0},
		{PEND, 0, 0}, {NEXT, 0, NEVER}}},
	{"what can be written", {
		{W, LAPIC_ID, ~0u}, {R, LAPIC_ID, 0xff000000},
		{W, LAPIC_VERSION, ~0u}, {R, LAPIC_VERSION, 0x50014},
		{W, LAPIC_TPR, ~0u}, {R, LAPIC_TPR, 0xff},
		{W, LAPIC_PPR, 0x12}, {R, LAPIC_PPR, 0xff},
		{W, LAPIC_LDR, ~0u}, {R, LAPIC_LDR, 0xff000000},
		{W, LAPIC_DFR, 0}, {R, LAPIC_DFR, 0x0fffffff},
		{W, LAPIC_SVR, ~0u}, {R, LAPIC_SVR, 0x3ff},
		{W, LAPIC_ICR_HIGH, ~0u}, {R, LAPIC_ICR_HIGH, 0xff000000},
		{W, LAPIC_TIMER_DIVIDE, ~0u}, {R, LAPIC_TIMER_DIVIDE, 0xb},
		{W, LAPIC_ISR + 0x10, ~0u}, {R, LAPIC_ISR + 0x10, 0},
		{W, LAPIC_IRR + 0x10, ~0u}, {R, LAPIC_IRR + 0x10, 0},
		{W, LAPIC_TIMER_CURRENT, 9}, {R, LAPIC_TIMER_CURRENT, 0},
		{R, LAPIC_EOI, 0}}},
	{"what an LVT holds", {
		{W, LAPIC_LVT_TIMER, ~0u}, {R, LAPIC_LVT_TIMER, 0x300ff},
		{W, LAPIC_LVT_THERMAL, ~0u}, {R, LAPIC_LVT_THERMAL, 0x107ff},
		{W, LAPIC_LVT_PERF, ~0u}, {R, LAPIC_LVT_PERF, 0x107ff},
		{W, LAPIC_LVT_LINT0, ~0u}, {R, LAPIC_LVT_LINT0, 0x1a7ff},
		{W, LAPIC_LVT_LINT1, ~0u}, {R, LAPIC_LVT_LINT1, 0x1a7ff},
		{W, LAPIC_LVT_ERROR, ~0u}, {R, LAPIC_LVT_ERROR, 0x100ff}}},
	{"turned off, all LVT are masked and stay so", {
		{W, LAPIC_LVT_TIMER, 0x31}, {W, LAPIC_SVR, 0xff},
		{R, LAPIC_LVT_TIMER, 0x10031}, {R, LAPIC_LVT_LINT0, 0x10700},
		{W, LAPIC_LVT_TIMER, 0x32}, {R, LAPIC_LVT_TIMER, 0x10032},
		SET_IRR(0x50), {PEND, 0, 0}, {R, LAPIC_IRR + 0x20, 0},
		ON, {R, LAPIC_LVT_TIMER, 0x10032}, {PEND, 0, 0},
		{W, LAPIC_LVT_TIMER, 0x32}, {R, LAPIC_LVT_TIMER, 0x32}}},

	{"turned off, what is pending is held", {
		SET_IRR(0x10), {PEND, 0, 1}, {W, LAPIC_SVR, 0xff},
		{PEND, 0, 0}, {R, LAPIC_IRR, 0x10000}, ON, {PEND, 0, 1},
		{TAKE, 0, 0x10}}},

	{"to itself and back", {
		SET_IRR(0x45), {PEND, 0, 1}, {R, LAPIC_IRR + 0x20, 0x20},
		{R, LAPIC_ISR + 0x20, 0}, {R, LAPIC_PPR, 0},
		{TAKE, 0, 0x45}, {PEND, 0, 0}, {R, LAPIC_IRR + 0x20, 0},
		{R, LAPIC_ISR + 0x20, 0x20}, {R, LAPIC_PPR, 0x40},
		{R, LAPIC_TMR + 0x20, 0},
		{W, LAPIC_EOI, 0}, {R, LAPIC_ISR + 0x20, 0},
		{R, LAPIC_PPR, 0}, {PEND, 0, 0}}},
	{"priorities: by class of 16", {
		SET_IRR(0x45), {TAKE, 0, 0x45}, SET_IRR(0x4f), {PEND, 0, 0},
		SET_IRR(0x51), {PEND, 0, 1}, {TAKE, 0, 0x51},
		{R, LAPIC_PPR, 0x50}, {W, LAPIC_EOI, 0}, {R, LAPIC_PPR, 0x40},
		{PEND, 0, 0}, {W, LAPIC_EOI, 0}, {PEND, 0, 1},
		{TAKE, 0, 0x4f}, {W, LAPIC_EOI, 0}, {PEND, 0, 0}}},
	{"the highest vector first", {
		SET_IRR(0x30), SET_IRR(0xe1), SET_IRR(0x90), {TAKE, 0, 0xe1},
		{W, LAPIC_EOI, 0}, {TAKE, 0, 0x90}, {W, LAPIC_EOI, 0},
		{TAKE, 0, 0x30}, {W, LAPIC_EOI, 0}, {PEND, 0, 0}}},
	{"TPR holds them back", {
		{W, LAPIC_TPR, 0x40}, SET_IRR(0x45), {PEND, 0, 0},
		{R, LAPIC_PPR, 0x40}, {W, LAPIC_TPR, 0x3f}, {PEND, 0, 1},
		{W, LAPIC_TPR, 0x4a}, {R, LAPIC_PPR, 0x4a}, {PEND, 0, 0},
		{W, LAPIC_TPR, 0}, {TAKE, 0, 0x45},
		{W, LAPIC_TPR, 0x4a}, {R, LAPIC_PPR, 0x4a},
		{W, LAPIC_TPR, 0x30}, {R, LAPIC_PPR, 0x40}}},
	{"an end of nothing", {
		{W, LAPIC_EOI, 0}, {PEND, 0, 0}, SET_IRR(0x45),
		{W, LAPIC_EOI, 0}, {TAKE, 0, 0x45}}},

	{"who is meant", {
		{W, LAPIC_ICR, 0xc0051}, {PEND, 0, 0},      /* all but self */
		{W, LAPIC_ICR_HIGH, 1u << 24},
		{W, LAPIC_ICR, 0x52}, {PEND, 0, 0},         /* ID 1 */
		{W, LAPIC_ICR, 0x80053}, {TAKE, 0, 0x53},   /* all */
		{W, LAPIC_ICR_HIGH, 0},
		{W, LAPIC_ICR, 0x64}, {TAKE, 0, 0x64},      /* ID 0 */
		{W, LAPIC_ICR_HIGH, 0xffu << 24},
		{W, LAPIC_ICR, 0x75}, {TAKE, 0, 0x75},      /* broadcast */
		{R, LAPIC_ICR, 0x75}}},
	{"logical, flat", {
		{W, LAPIC_LDR, 2u << 24},
		{W, LAPIC_ICR_HIGH, 1u << 24}, {W, LAPIC_ICR, 0x850},
		{PEND, 0, 0}, {W, LAPIC_ICR_HIGH, 3u << 24},
		{W, LAPIC_ICR, 0x850}, {TAKE, 0, 0x50},
		{W, LAPIC_ICR, 0x961}, {TAKE, 0, 0x61}}},   /* lowest */
	{"logical, clusters", {
		{W, LAPIC_DFR, 0}, {W, LAPIC_LDR, 0x12u << 24},
		{W, LAPIC_ICR_HIGH, 0x22u << 24}, {W, LAPIC_ICR, 0x850},
		{PEND, 0, 0}, {W, LAPIC_ICR_HIGH, 0x11u << 24},
		{W, LAPIC_ICR, 0x850}, {PEND, 0, 0},
		{W, LAPIC_ICR_HIGH, 0x13u << 24},
		{W, LAPIC_ICR, 0x850}, {TAKE, 0, 0x50},
		{W, LAPIC_ICR_HIGH, 0xf2u << 24},
		{W, LAPIC_ICR, 0x861}, {TAKE, 0, 0x61}}},
	{"INIT and startup: nobody is there", {
		{W, LAPIC_ICR_HIGH, 1u << 24}, {W, LAPIC_ICR, 0xc500},
		{R, LAPIC_ICR, 0xc500}, {W, LAPIC_ICR, 0x8500},
		{W, LAPIC_ICR, 0x699}, {R, LAPIC_ICR, 0x699}, {PEND, 0, 0},
		{W, LAPIC_ESR, 0}, {R, LAPIC_ESR, 0}}},

	{"errors wait for a write of ESR", {
		{W, LAPIC_LVT_ERROR, 0xfe}, SET_IRR(0x0f),
		{R, LAPIC_ESR, 0}, {TAKE, 0, 0xfe}, {W, LAPIC_EOI, 0},
		SET_IRR(0x0e), {PEND, 0, 0},
		{W, LAPIC_ESR, 0}, {R, LAPIC_ESR, 0x20},
		{W, LAPIC_ESR, 0}, {R, LAPIC_ESR, 0}}},
	{"no such register", {
		{R, 0x000, 0}, {W, LAPIC_ESR, 0}, {R, LAPIC_ESR, 0x80},
		{W, 0x3f0, 1}, {W, LAPIC_ESR, 0}, {R, LAPIC_ESR, 0x80},
		{PEND, 0, 0}}},
	{"the error interrupt may be masked", {
		{W, LAPIC_LVT_ERROR, 0x100fe}, SET_IRR(0x01), {PEND, 0, 0},
		{W, LAPIC_ESR, 0}, {R, LAPIC_ESR, 0x20}}},
	{"a source with a vector of the processor's own", {
		{W, LAPIC_LVT_TIMER, 0x0f}, {W, LAPIC_TIMER_DIVIDE, 0xb},
		{W, LAPIC_TIMER_INITIAL, 10}, {AT, 0, 10}, {PEND, 0, 0},
		{W, LAPIC_ESR, 0}, {R, LAPIC_ESR, 0x40}}},

	{"one shot", {
		{W, LAPIC_LVT_TIMER, 0x31}, {W, LAPIC_TIMER_DIVIDE, 0xb},
		{AT, 0, 1000}, {W, LAPIC_TIMER_INITIAL, 500},
		{R, LAPIC_TIMER_CURRENT, 500}, {NEXT, 0, 1500},
		{AT, 0, 1001}, {R, LAPIC_TIMER_CURRENT, 499},
		{AT, 0, 1499}, {R, LAPIC_TIMER_CURRENT, 1}, {PEND, 0, 0},
		{AT, 0, 1500}, {R, LAPIC_TIMER_CURRENT, 0}, {NEXT, 0, NEVER},
		{R, LAPIC_TIMER_INITIAL, 500}, {TAKE, 0, 0x31},
		{W, LAPIC_EOI, 0}, {AT, 0, 5000}, {PEND, 0, 0},
		{R, LAPIC_TIMER_CURRENT, 0}}},
	{"periodic", {
		{W, LAPIC_LVT_TIMER, 0x20031}, {W, LAPIC_TIMER_DIVIDE, 0xb},
		{W, LAPIC_TIMER_INITIAL, 100}, {NEXT, 0, 100},
		{AT, 0, 100}, {R, LAPIC_TIMER_CURRENT, 100},
		{TAKE, 0, 0x31}, {NEXT, 0, 200}, {W, LAPIC_EOI, 0},
		{AT, 0, 150}, {PEND, 0, 0}, {R, LAPIC_TIMER_CURRENT, 50},
		{AT, 0, 730}, {TAKE, 0, 0x31}, {W, LAPIC_EOI, 0},
		{PEND, 0, 0}, {NEXT, 0, 800}, {R, LAPIC_TIMER_CURRENT, 70},
		{W, LAPIC_TIMER_INITIAL, 0}, {NEXT, 0, NEVER},
		{AT, 0, 2000}, {PEND, 0, 0}, {R, LAPIC_TIMER_CURRENT, 0}}},
	{"divided by 2, 16, 128, 1", {
		{W, LAPIC_LVT_TIMER, 0x31}, {W, LAPIC_TIMER_DIVIDE, 0},
		{W, LAPIC_TIMER_INITIAL, 10}, {NEXT, 0, 20},
		{W, LAPIC_TIMER_DIVIDE, 3}, {NEXT, 0, 160},
		{W, LAPIC_TIMER_DIVIDE, 0xa}, {NEXT, 0, 1280},
		{W, LAPIC_TIMER_DIVIDE, 0xb}, {NEXT, 0, 10},
		{AT, 0, 4}, {W, LAPIC_TIMER_DIVIDE, 0},
		{R, LAPIC_TIMER_CURRENT, 6}, {NEXT, 0, 16}}},
	{"masked it counts and tells nobody", {
		{W, LAPIC_LVT_TIMER, 0x30031}, {W, LAPIC_TIMER_DIVIDE, 0xb},
		{W, LAPIC_TIMER_INITIAL, 100}, {NEXT, 0, NEVER},
		{AT, 0, 130}, {PEND, 0, 0}, {R, LAPIC_TIMER_CURRENT, 70},
		{W, LAPIC_LVT_TIMER, 0x20031}, {NEXT, 0, 200},
		{R, LAPIC_TIMER_CURRENT, 70}, {AT, 0, 200}, {TAKE, 0, 0x31}}},
	{"from periodic to one shot", {
		{W, LAPIC_LVT_TIMER, 0x20031}, {W, LAPIC_TIMER_DIVIDE, 0xb},
		{W, LAPIC_TIMER_INITIAL, 100}, {AT, 0, 250},
		{TAKE, 0, 0x31}, {W, LAPIC_EOI, 0},
		{W, LAPIC_LVT_TIMER, 0x31}, {R, LAPIC_TIMER_CURRENT, 50},
		{NEXT, 0, 300}, {AT, 0, 300}, {TAKE, 0, 0x31},
		{NEXT, 0, NEVER}, {W, LAPIC_EOI, 0},
		{W, LAPIC_LVT_TIMER, 0x20031}, {NEXT, 0, NEVER},
		{R, LAPIC_TIMER_CURRENT, 0}}},

	{"virtual wire: the pair's interrupts", {
		{PIN, 0, 1}, {PEND, 0, 1}, {TAKE, 0, 0x0b}, {PEND, 0, 0},
		{R, LAPIC_ISR, 0}, {PIN, 0, 0}}},
	{"LINT0 masked", {
		{W, LAPIC_LVT_LINT0, 0x10700}, {PIN, 0, 1}, {PEND, 0, 0},
		{W, LAPIC_LVT_LINT0, 0x700}, {PEND, 0, 1}, {TAKE, 0, 0x0b}}},
	{"LINT0 fixed: an edge, and no acknowledge of the pair", {
		{W, LAPIC_LVT_LINT0, 0x61}, {PIN, 0, 1}, {PEND, 0, 1},
		{TAKE, 0, 0x61}, {W, LAPIC_EOI, 0}, {PEND, 0, 0},
		{PIN, 0, 1}, {PEND, 0, 0}, {PIN, 0, 0}, {PEND, 0, 0}, {PIN, 0, 1}, {TAKE, 0, 0x61}}},
	{"LINT0 as NMI goes nowhere", {
		{W, LAPIC_LVT_LINT0, 0x461}, {PIN, 0, 1}, {PEND, 0, 0},
		{R, LAPIC_IRR + 0x30, 0}}},
	{"the pair comes before the APIC's own", {
		SET_IRR(0xe0), {PIN, 0, 1}, {TAKE, 0, 0x0b}, {PEND, 0, 1},
		{TAKE, 0, 0xe0}}},
	{"the pair does not wait for TPR", {
		{W, LAPIC_TPR, 0xff}, {PIN, 0, 1}, {TAKE, 0, 0x0b}}},
	{"a high one waits for its own end alone", {
		SET_IRR(0xe0), {TAKE, 0, 0xe0}, {PIN, 0, 1}, {TAKE, 0, 0x0b},
		{R, LAPIC_PPR, 0xe0}}},

	{"IA32_APIC_BASE: off and on again", {
		{W, LAPIC_LVT_TIMER, 0x20031}, {W, LAPIC_TIMER_INITIAL, 100},
		SET_IRR(0x45), {MSR, 0, 0xfee00100}, {PEND, 0, 0},
		{NEXT, 0, NEVER}, {R, LAPIC_SVR, 0xffffffff},
		{W, LAPIC_TPR, 0x33}, {PIN, 0, 1}, {TAKE, 0, 0x0b},
		{MSR, 0, 0xfee00900}, {PEND, 0, 0}, {R, LAPIC_SVR, 0xff},
		{R, LAPIC_TPR, 0}, {R, LAPIC_LVT_LINT0, 0x10000},
		{R, LAPIC_LVT_TIMER, 0x10000}, {R, LAPIC_IRR + 0x20, 0},
		{R, LAPIC_TIMER_INITIAL, 0}}},
	{"IA32_APIC_BASE: elsewhere", {
		{W, LAPIC_TPR, 0x33}, {MSR, 0, 0xd0000900},
		{R, LAPIC_TPR, 0xffffffff}, {MSR, 0, 0xfee00900},
		{R, LAPIC_TPR, 0x33}}},
	{"IA32_APIC_BASE: reserved bits, RAM", {
		{GP, 0, 0xfee00901}, {GP, 0, 0xfee00980}, {GP, 0, 0xfee00b00},
		{GP, 0, 0xfee00d00}, {GP, 0, 0x10000000900},
		{GP, 0, 0x3fff900}, {MSR, 0, 0x4000900}, {MSR, 0, 0x3fff100},
		{MSR, 0, 0xfee00800}, {R, LAPIC_VERSION, 0x50014}}},
};
/* clang-format on */

static uint64_t act(struct platform *p, const struct action *a, uint64_t *now)
{
	bool taken;

	switch (a->what) {
	case W:
		platform_mmio_write(p, BASE + a->at, 4, a->val, *now);
		return a->val;
	case R:
		return platform_mmio_read(p, BASE + a->at, 4, *now);
	case AT:
		*now = a->val;
		platform_advance(p, *now);
		return a->val;
	case PEND:
		return platform_irq_pending(p);
	case TAKE:
		if (!platform_irq_pending(p))
			return NEVER;
		return platform_ack(p);
	case NEXT:
		return platform_next_event(p);
	case PIN:
		/* As a device would, between two accesses. */
		pic_set_line(&p->pic, 3, a->val);
		platform_io_read(p, 0x21, 1, *now);
		return a->val;
	case MSR:
	case GP:
		taken = platform_write_apic_base(p, a->val, 40, RAM_SIZE, *now);
		return taken == (a->what == MSR) ? a->val : ~a->val;
	case DONE:
		break;
	}
	fail_msg("no such action");
	return 0;
}

static void test_scenes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scenes); i++) {
		const struct scene *c = &scenes[i];
		struct platform *p = platform_create(NULL);
		uint64_t now = 0;

		assert_non_null(p);
		platform_add_apic(p);
		platform_io_write(p, 0x21, 1, 0xf7, 0); /* IRQ3 alone */
		for (size_t k = 0; c->action[k].what; k++) {
			const struct action *a = &c->action[k];
			uint64_t got = act(p, a, &now);

			if (got != a->val)
				fail_msg("%s: action %zu (register 0x%" PRIx64
					 "): got 0x%" PRIx64
					 ", want 0x%" PRIx64,
					 c->name, k + 1, a->at, got, a->val);
		}
		platform_destroy(p);
	}
}

/* This processor is the first whatever is written. */
static void test_first(void **state)
{
	struct platform *p = platform_create(NULL);

	(void)state;
	assert_non_null(p);
	platform_add_apic(p);
	check_eq("at first", p->lapic.msr, 0xfee00900);
	assert_true(platform_write_apic_base(p, 0xfee00000, 40, RAM_SIZE, 0));
	check_eq("and then", p->lapic.msr, 0xfee00100);
	platform_destroy(p);
}

/* Parts of registers, what lies between them, and writes that do not count. */
static void test_sizes(void **state)
{
	struct platform *p = platform_create(NULL);

	(void)state;
	assert_non_null(p);
	platform_add_apic(p);
	check_eq("a byte", platform_mmio_read(p, BASE + 0x32, 1, 0), 0x05);
	check_eq("a word", platform_mmio_read(p, BASE + 0x30, 2, 0), 0x0014);
	check_eq("eight", platform_mmio_read(p, BASE + 0x30, 8, 0), 0x50014);
	check_eq("between", platform_mmio_read(p, BASE + 0x34, 4, 0), 0);
	check_eq("across", platform_mmio_read(p, BASE + 0x2e, 4, 0),
		 0x00140000);
	platform_mmio_write(p, BASE + LAPIC_TPR, 1, 0x20, 0);
	platform_mmio_write(p, BASE + LAPIC_TPR + 4, 4, 0x20, 0);
	platform_mmio_write(p, BASE + LAPIC_TPR, 8, 0x20, 0);
	check_eq("TPR", platform_mmio_read(p, BASE + LAPIC_TPR, 4, 0), 0);
	platform_destroy(p);
}

/* The count by its definition, for every divisor and many times. */
static void test_count(void **state)
{
	static const uint8_t codes[8] = {11, 0, 1, 2, 3, 8, 9, 10};
	uint64_t seed = 3;

	(void)state;
	for (int trial = 0; trial < 2000; trial++) {
		unsigned int shift = (unsigned int)(next_random(&seed) >> 61);
		uint32_t initial = 1 + (uint32_t)(next_random(&seed) >> 40);
		bool periodic = next_random(&seed) >> 63;
		uint64_t period = (uint64_t)initial << shift;
		uint64_t start = next_random(&seed) >> 30;
		uint64_t ran = next_random(&seed) % (3 * period);
		uint64_t left = period - ran % period;
		struct lapic lapic;

		lapic_init(&lapic);
		lapic_write(&lapic, LAPIC_LVT_TIMER, 4,
			    periodic ? 0x20040 : 0x40, 0);
		lapic_write(&lapic, LAPIC_TIMER_DIVIDE, 4, codes[shift], 0);
		lapic_write(&lapic, LAPIC_TIMER_INITIAL, 4, initial, start);
		lapic_advance(&lapic, start + ran);
		check_eq("fired", lapic.intr, ran >= period);
		if (ran >= period && !periodic)
			left = 0;
		check_eq(
			"count",
			lapic_read(&lapic, LAPIC_TIMER_CURRENT, 4, start + ran),
			(left + (UINT64_C(1) << shift) - 1) >> shift);
		check_eq("next", lapic.next_edge,
			 left ? start + ran + left : LAPIC_NEVER);
	}
}

/* The highest vector of IRR is above what TPR and ISR let through. */
static bool may_interrupt(struct lapic *lapic, uint64_t now)
{
	uint32_t base[2] = {LAPIC_IRR, LAPIC_ISR};
	uint64_t top[2] = {0};

	for (unsigned int k = 0; k < 2; k++)
		for (unsigned int v = 0; v < 256; v++)
			if (lapic_read(lapic, base[k] + v / 32 * 16, 4, now) >>
				    v % 32 &
			    1)
				top[k] = v >> 4;
	if (!(lapic_read(lapic, LAPIC_SVR, 4, now) & LAPIC_SVR_ENABLE))
		return false;
	return top[0] > top[1] &&
	       top[0] > lapic_read(lapic, LAPIC_TPR, 4, now) >> 4;
}

/*
 * Anything a guest may do, at random: an interrupt is pending when the
 * registers say so, the clock does not stand still, and what is in service
 * comes out again.
 */
static void test_random(void **state)
{
	uint64_t seed = 11, now = 0;
	struct lapic lapic;

	(void)state;
	lapic_init(&lapic);
	for (int i = 0; i < 100000; i++) {
		uint64_t r = next_random(&seed);
		unsigned int reg = (unsigned int)(r >> 8) & 0x3f0;
		uint64_t val = next_random(&seed) >> 32;

		switch (r & 7) {
		case 0:
			now += val >> (r >> 20 & 31);
			lapic_advance(&lapic, now);
			break;
		case 1:
			lapic_read(&lapic, (unsigned int)(r >> 30) % 0xff8,
				   1 + (unsigned int)(r >> 50) % 8, now);
			break;
		case 2:
			if (lapic.intr)
				lapic_ack(&lapic);
			break;
		case 3:
			lapic_write(&lapic, LAPIC_EOI, 4, 0, now);
			break;
		case 4:
			lapic_write(&lapic, LAPIC_ICR, 4, 0x40000 | (val & 255),
				    now);
			break;
		case 5:
			lapic_set_lint0(&lapic, val & 1);
			break;
		case 6:
			/* Seldom off. */
			lapic_write(&lapic, LAPIC_SVR, 4,
				    val & 15 ? val | LAPIC_SVR_ENABLE : val,
				    now);
			break;
		default:
			lapic_write(&lapic, reg, 4, val, now);
			break;
		}
		assert_true(lapic.next_edge > now);
		check_eq("pending", lapic.intr, may_interrupt(&lapic, now));
	}
}

/* Without one nobody is there. */
static void test_absent(void **state)
{
	struct platform *p = platform_create(NULL);

	(void)state;
	assert_non_null(p);
	check_eq("ID", platform_mmio_read(p, BASE + LAPIC_ID, 4, 0),
		 UINT32_MAX);
	platform_mmio_write(p, BASE + LAPIC_ICR, 4, 0x40045, 0);
	check_eq("pending", platform_irq_pending(p), 0);
	check_eq("next", platform_next_event(p), NEVER);
	platform_destroy(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scenes), cmocka_unit_test(test_first),
		cmocka_unit_test(test_sizes),  cmocka_unit_test(test_count),
		cmocka_unit_test(test_random), cmocka_unit_test(test_absent),
	};

	return cmocka_run_group_tests_name("platform_lapic", tests, NULL, NULL);
}
