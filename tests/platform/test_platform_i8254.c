/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The timer: register-level cases by the 8254 data sheet, and the edges of a
 * second of virtual time against counting clocks one by one.
 */
#include "check.h"

#define NS 1000000000u

/* Clocks per ns are 1193182 / 10^9: count both up, without a division. */
struct clocks {
	uint64_t ns;
	uint64_t rest; /* of ns * 1193182 / 10^9 */
	uint64_t n;
};

/* To the first nanosecond at which one more clock is over. */
static void next_clock(struct clocks *c)
{
	c->n++;
	c->ns += 838;
	c->rest += 838 * PIT_HZ;
	while (c->rest < NS) {
		c->ns++;
		c->rest += PIT_HZ;
	}
	c->rest -= NS;
}

static void clock_arithmetic(void **state)
{
	struct clocks c = {0};

	(void)state;
	while (c.n < 2 * PIT_HZ + 5) {
		next_clock(&c);
		check_eq("clock to ns", pit_clock_time(c.n), c.ns);
		check_eq("ns to clock", pit_clocks(c.ns), c.n);
		check_eq("the ns before", pit_clocks(c.ns - 1), c.n - 1);
	}
	check_eq("clocks of two seconds", pit_clocks(2 * (uint64_t)NS),
		 2 * PIT_HZ);
	for (unsigned int i = 20; i < 54; i++) {
		uint64_t n = (UINT64_C(1) << i) + i;

		check_eq("large", pit_clocks(pit_clock_time(n)), n);
		check_eq("large - 1", pit_clocks(pit_clock_time(n) - 1), n - 1);
	}
	check_eq("end of time", pit_clock_time(UINT64_MAX / 2), UINT64_MAX);
}

/*
 * Edges of channel 0 in one virtual second.  The count is written at time 0,
 * so clock 1 loads it; a wave of mode 2 rises every n clocks after that, and
 * one of mode 3 too.
 */
static void edges_of_a_second(void **state)
{
	static const struct {
		unsigned int mode;
		uint32_t count;
		uint64_t want; /* floor((1193182 - 1) / count) */
	} cases[] = {
		{2, 11932, 99}, {2, 1193, 1000}, {2, 65536, 18}, {2, 2, 596590},
		{3, 11932, 99}, {3, 1193, 1000}, {3, 65536, 18}, {3, 3, 397727},
		{2, 4, 298295}, {2, 59659, 20},  {3, 2, 596590},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct platform *p = platform_create(NULL);
		unsigned int mode = cases[i].mode;
		uint32_t n = cases[i].count;
		uint64_t rises = 0, clock_in_period = 0;
		struct clocks c = {0};
		char name[64];

		assert_non_null(p);
		snprintf(name, sizeof(name), "mode %u, count %u", mode, n);
		platform_io_write(p, 0x43, 1, 0x30u | mode << 1, 0);
		platform_io_write(p, 0x40, 1, n & 0xff, 0);
		platform_io_write(p, 0x40, 1, n >> 8 & 0xff, 0);
		next_clock(&c);
		for (;;) {
			uint64_t high = mode == 2 ? n - 1 : (n + 1) / 2;
			uint64_t next = p->pit.next_edge;
			bool rise;

			/* Count clocks until the wave should change. */
			do {
				next_clock(&c);
				clock_in_period++;
			} while (clock_in_period != high &&
				 clock_in_period != n);
			rise = clock_in_period == n;
			if (rise)
				clock_in_period = 0;
			if (c.ns > NS)
				break;
			check_eq(name, next, c.ns);
			rises += rise;
			platform_advance(p, next - 1);
			check_eq(name, pit_out(&p->pit, 0, next - 1), !rise);
			platform_advance(p, next);
			check_eq(name, pit_out(&p->pit, 0, next), rise);
		}
		check_eq(name, rises, cases[i].want);
		platform_destroy(p);
	}
}

/* 8259 ready at vector 0x30, only the timer unmasked. */
#define PIC_READY                                                         \
	{WR, 0x20, 0x11}, {WR, 0x21, 0x30}, {WR, 0x21, 4}, {WR, 0x21, 1}, \
	{                                                                 \
		WR, 0x21, 0xfe                                            \
	}

static const struct steps_case cases[] = {
	{"nothing happens before a count",
	 {{EDGE, 0, 0},
	  {OUT0, 0, 1},
	  {RD, 0x43, 0xff},
	  {WR, 0x43, 0x34},
	  {EDGE, 0, 0},
	  {WR, 0x40, 5},
	  {EDGE, 0, 0},
	  {WR, 0x40, 0},
	  {EDGE, 0, 5}}},
	{"mode 0: low, and high n + 1 clocks after the count",
	 {{CLOCK, 0, 100},
	  {WR, 0x43, 0x10},
	  {OUT0, 0, 0},
	  {WR, 0x40, 7},
	  {EDGE, 0, 108},
	  {CLOCK, 0, 107},
	  {OUT0, 0, 0},
	  {RD, 0x40, 1},
	  {CLOCK, 0, 108},
	  {OUT0, 0, 1},
	  {RD, 0x40, 0},
	  {EDGE, 0, 0},
	  {CLOCK, 0, 109},
	  {OUT0, 0, 1},
	  {RD, 0x40, 0xff}}},
	{"mode 0: a new count starts over; its first byte stops",
	 {{WR, 0x43, 0x30},
	  {WR, 0x40, 10},
	  {WR, 0x40, 0},
	  {EDGE, 0, 11},
	  {CLOCK, 0, 5},
	  {WR, 0x40, 20},
	  {EDGE, 0, 0},
	  {CLOCK, 0, 30},
	  {OUT0, 0, 0},
	  {WR, 0x40, 0},
	  {EDGE, 0, 51},
	  {CLOCK, 0, 51},
	  {OUT0, 0, 1},
	  {WR, 0x40, 1},
	  {OUT0, 0, 0}}},
	{"mode 0 raises IRQ0 once",
	 {PIC_READY,
	  {WR, 0x43, 0x10},
	  {WR, 0x40, 7},
	  {CLOCK, 0, 7},
	  {INTR, 0, 0},
	  {CLOCK, 0, 8},
	  {INTR, 0, 1},
	  {ACK, 0, 0x30},
	  {WR, 0x20, 0x20},
	  {CLOCK, 0, 100000},
	  {INTR, 0, 0}}},
	{"mode 2: one low clock a period, counts n..1",
	 {{WR, 0x43, 0x14},
	  {OUT0, 0, 1},
	  {WR, 0x40, 4},
	  {CLOCK, 0, 1},
	  {RD, 0x40, 4},
	  {CLOCK, 0, 3},
	  {RD, 0x40, 2},
	  {OUT0, 0, 1},
	  {EDGE, 0, 4},
	  {CLOCK, 0, 4},
	  {RD, 0x40, 1},
	  {OUT0, 0, 0},
	  {EDGE, 0, 5},
	  {CLOCK, 0, 5},
	  {RD, 0x40, 4},
	  {OUT0, 0, 1}}},
	{"mode 2 raises IRQ0 each period; overdue edges are one interrupt",
	 {PIC_READY,
	  {WR, 0x43, 0x14},
	  {WR, 0x40, 10},
	  {CLOCK, 0, 11},
	  {INTR, 0, 1},
	  {ACK, 0, 0x30},
	  {WR, 0x20, 0x20},
	  {INTR, 0, 0},
	  {CLOCK, 0, 555},
	  {INTR, 0, 1},
	  {ACK, 0, 0x30},
	  {WR, 0x20, 0x20},
	  {INTR, 0, 0},
	  {EDGE, 0, 560},
	  {CLOCK, 0, 561},
	  {INTR, 0, 1}}},
	{"mode 2: an interrupt nobody takes is back after the low clock",
	 {PIC_READY,
	  {WR, 0x43, 0x14},
	  {WR, 0x40, 10},
	  {CLOCK, 0, 11},
	  {INTR, 0, 1},
	  {CLOCK, 0, 20},
	  {INTR, 0, 0},
	  {CLOCK, 0, 21},
	  {INTR, 0, 1}}},
	{"mode 2: a new count waits for the end of the period",
	 {{WR, 0x43, 0x14},
	  {WR, 0x40, 10},
	  {CLOCK, 0, 5},
	  {WR, 0x40, 4},
	  {RD, 0x40, 6},
	  {EDGE, 0, 10},
	  {CLOCK, 0, 10},
	  {EDGE, 0, 11},
	  {CLOCK, 0, 11},
	  {RD, 0x40, 4},
	  {EDGE, 0, 14},
	  {CLOCK, 0, 15},
	  {EDGE, 0, 18}}},
	{"mode 2: the control word drops a running count and takes OUT high",
	 {{WR, 0x43, 0x14},
	  {WR, 0x40, 10},
	  {CLOCK, 0, 10},
	  {OUT0, 0, 0},
	  {WR, 0x43, 0x14},
	  {OUT0, 0, 1},
	  {EDGE, 0, 0}}},
	{"mode 2 as 6, mode 3 as 7, and 0 means 65536",
	 {{WR, 0x43, 0x1c},
	  {WR, 0x40, 10},
	  {EDGE, 0, 10},
	  {WR, 0x43, 0x1e},
	  {WR, 0x40, 10},
	  {EDGE, 0, 6},
	  {WR, 0x43, 0x34},
	  {WR, 0x40, 0},
	  {WR, 0x40, 0},
	  {EDGE, 0, 65536},
	  {CLOCK, 0, 65536},
	  {OUT0, 0, 0}}},
	{"mode 3, even: half high, half low, counting by two",
	 {{WR, 0x43, 0x16},
	  {WR, 0x40, 6},
	  {CLOCK, 0, 1},
	  {RD, 0x40, 6},
	  {CLOCK, 0, 3},
	  {RD, 0x40, 2},
	  {OUT0, 0, 1},
	  {EDGE, 0, 4},
	  {CLOCK, 0, 4},
	  {RD, 0x40, 6},
	  {OUT0, 0, 0},
	  {EDGE, 0, 7},
	  {CLOCK, 0, 7},
	  {OUT0, 0, 1}}},
	{"mode 3, odd: one clock more high than low",
	 {{WR, 0x43, 0x16},
	  {WR, 0x40, 5},
	  {CLOCK, 0, 1},
	  {RD, 0x40, 4},
	  {CLOCK, 0, 3},
	  {RD, 0x40, 0},
	  {OUT0, 0, 1},
	  {CLOCK, 0, 4},
	  {RD, 0x40, 4},
	  {OUT0, 0, 0},
	  {CLOCK, 0, 5},
	  {RD, 0x40, 2},
	  {OUT0, 0, 0},
	  {CLOCK, 0, 6},
	  {RD, 0x40, 4},
	  {OUT0, 0, 1}}},
	{"mode 3: a new count takes over in the middle of the wave",
	 {{WR, 0x43, 0x16},
	  {WR, 0x40, 10},
	  {CLOCK, 0, 3},
	  {WR, 0x40, 20},
	  {EDGE, 0, 6},
	  {CLOCK, 0, 6},
	  {OUT0, 0, 0},
	  {RD, 0x40, 20},
	  {EDGE, 0, 16},
	  {CLOCK, 0, 16},
	  {OUT0, 0, 1},
	  {EDGE, 0, 26}}},
	{"IRQ0 follows OUT when a write moves it",
	 {PIC_READY,
	  {WR, 0x43, 0x14},
	  {WR, 0x40, 10},
	  {CLOCK, 0, 11},
	  {INTR, 0, 1},
	  {WR, 0x43, 0x10},
	  {INTR, 0, 0},
	  {WR, 0x43, 0x14},
	  {INTR, 0, 1}}},
	{"mode 4: high, low for one clock n + 1 clocks after the count",
	 {{WR, 0x43, 0x18},
	  {OUT0, 0, 1},
	  {WR, 0x40, 7},
	  {EDGE, 0, 8},
	  {CLOCK, 0, 7},
	  {OUT0, 0, 1},
	  {CLOCK, 0, 8},
	  {OUT0, 0, 0},
	  {EDGE, 0, 9},
	  {CLOCK, 0, 9},
	  {OUT0, 0, 1},
	  {EDGE, 0, 0}}},
	{"mode 4 raises IRQ0 once a count",
	 {PIC_READY,
	  {WR, 0x43, 0x38},
	  {WR, 0x40, 7},
	  {WR, 0x40, 0},
	  {CLOCK, 0, 8},
	  {INTR, 0, 0},
	  {CLOCK, 0, 9},
	  {INTR, 0, 1},
	  {ACK, 0, 0x30},
	  {WR, 0x20, 0x20},
	  {CLOCK, 0, 90000},
	  {INTR, 0, 0},
	  {WR, 0x40, 9},
	  {WR, 0x40, 0},
	  {CLOCK, 0, 90011},
	  {INTR, 0, 1}}},
	{"byte order: low, high, both",
	 {{WR, 0x43, 0x10},
	  {WR, 0x40, 9},
	  {CLOCK, 0, 1},
	  {RD, 0x40, 9},
	  {WR, 0x43, 0x20},
	  {WR, 0x40, 2},
	  {CLOCK, 0, 2},
	  {RD, 0x40, 2},
	  {WR, 0x43, 0x30},
	  {WR, 0x40, 0x34},
	  {WR, 0x40, 0x12},
	  {CLOCK, 0, 3},
	  {RD, 0x40, 0x34},
	  {RD, 0x40, 0x12}}},
	{"a latched count stays until it is read",
	 {{WR, 0x43, 0x30},
	  {WR, 0x40, 0x34},
	  {WR, 0x40, 0x12},
	  {CLOCK, 0, 53},
	  {WR, 0x43, 0x00},
	  {CLOCK, 0, 54},
	  {WR, 0x43, 0x00},
	  {CLOCK, 0, 55},
	  {RD, 0x40, 0x00},
	  {RD, 0x40, 0x12},
	  {RD, 0x40, 0xfe},
	  {RD, 0x40, 0x11}}},
	{"read-back: status first, then the count",
	 {{WR, 0x43, 0x34},
	  {WR, 0x43, 0xe2},
	  {RD, 0x40, 0xf4},
	  {WR, 0x40, 0x34},
	  {WR, 0x40, 0x12},
	  {WR, 0x43, 0xe2},
	  {RD, 0x40, 0xf4},
	  {CLOCK, 0, 5},
	  {WR, 0x43, 0xc2},
	  {CLOCK, 0, 9},
	  {RD, 0x40, 0xb4},
	  {RD, 0x40, 0x30},
	  {RD, 0x40, 0x12},
	  {RD, 0x40, 0x2c}}},
	{"read-back: a count that waits is a null count; OUT is bit 7",
	 {{WR, 0x43, 0x14},
	  {WR, 0x40, 4},
	  {CLOCK, 0, 1},
	  {WR, 0x40, 9},
	  {WR, 0x43, 0xe2},
	  {RD, 0x40, 0xd4},
	  {CLOCK, 0, 4},
	  {WR, 0x43, 0xe2},
	  {RD, 0x40, 0x54},
	  {CLOCK, 0, 5},
	  {WR, 0x43, 0xe2},
	  {RD, 0x40, 0x94}}},
	{"read-back of a channel leaves the others alone",
	 {{WR, 0x43, 0x14},
	  {WR, 0x40, 4},
	  {WR, 0x43, 0x54},
	  {WR, 0x41, 6},
	  {CLOCK, 0, 1},
	  {WR, 0x43, 0xd4},
	  {CLOCK, 0, 2},
	  {RD, 0x40, 3},
	  {RD, 0x41, 6},
	  {RD, 0x41, 5}}},
	{"channel 2: gate and output at port 0x61",
	 {{RD, 0x61, 0x20}, {WR, 0x43, 0xb0}, {WR, 0x42, 10},
	  {WR, 0x42, 0},    {RD, 0x61, 0x00}, {CLOCK, 0, 15},
	  {RD, 0x61, 0x00}, {WR, 0x61, 0xfd}, {RD, 0x61, 0x0d},
	  {CLOCK, 0, 20},   {WR, 0x61, 0x00}, {RD, 0x61, 0x10},
	  {CLOCK, 0, 80},   {RD, 0x61, 0x00}, {WR, 0x61, 0x01},
	  {CLOCK, 0, 84},   {RD, 0x61, 0x01}, {CLOCK, 0, 85},
	  {RD, 0x61, 0x21}, {EDGE, 0, 0}}},
	{"channel 2, mode 3: a closed gate holds OUT high, opening restarts",
	 {{WR, 0x61, 0x01},
	  {WR, 0x43, 0x96},
	  {WR, 0x42, 10},
	  {CLOCK, 0, 7},
	  {RD, 0x61, 0x01},
	  {WR, 0x61, 0x00},
	  {RD, 0x61, 0x20},
	  {CLOCK, 0, 36},
	  {WR, 0x61, 0x01},
	  {CLOCK, 0, 41},
	  {RD, 0x61, 0x21},
	  {CLOCK, 0, 42},
	  {RD, 0x61, 0x01}}},
	{"the refresh bit toggles every 18 clocks",
	 {{CLOCK, 0, 17},
	  {RD, 0x61, 0x20},
	  {CLOCK, 0, 18},
	  {RD, 0x61, 0x30},
	  {CLOCK, 0, 35},
	  {RD, 0x61, 0x30},
	  {CLOCK, 0, 36},
	  {RD, 0x61, 0x20}}},
	{"modes 1 and 5 stay high and silent",
	 {{WR, 0x43, 0x12},
	  {WR, 0x40, 5},
	  {OUT0, 0, 1},
	  {EDGE, 0, 0},
	  {WR, 0x43, 0x1a},
	  {WR, 0x40, 5},
	  {OUT0, 0, 1},
	  {EDGE, 0, 0}}},
	{"a count of 1, illegal in modes 2 and 3, is silent and gives way",
	 {{WR, 0x43, 0x14},
	  {WR, 0x40, 1},
	  {CLOCK, 0, 9},
	  {OUT0, 0, 1},
	  {EDGE, 0, 0},
	  {WR, 0x40, 5},
	  {EDGE, 0, 14},
	  {WR, 0x43, 0x16},
	  {WR, 0x40, 1},
	  {CLOCK, 0, 20},
	  {EDGE, 0, 0},
	  {WR, 0x40, 4},
	  {EDGE, 0, 23}}},
};

static void registers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		run_case(&cases[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clock_arithmetic),
		cmocka_unit_test(edges_of_a_second),
		cmocka_unit_test(registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
