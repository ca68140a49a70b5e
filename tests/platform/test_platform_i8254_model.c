/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random programming of the timer against a model that, unlike the device,
 * holds a number and counts it down clock after clock.
 */
#include "check.h"

/*
 * The model of a counter: it holds a number and counts it down.  down() is
 * what one pulse of CLK does.
 */
struct counter {
	int mode;
	bool gate, out;
	int initial;   /* the count register; 0: none yet */
	bool load;     /* the next pulse loads it */
	bool counting; /* something was loaded */
	int value;     /* the counting element, 0..65535 or 65536 */
	bool expired;  /* modes 0 and 4 */
	int now_odd;   /* mode 3: the running count is odd */
	bool extra;    /* mode 3: the clock that shows 0 */
};

static void set_mode(struct counter *c, int mode)
{
	bool gate = c->gate;

	*c = (struct counter){.mode = mode, .gate = gate, .out = mode != 0};
}

static void write_initial(struct counter *c, int n)
{
	bool runs = c->counting && c->gate && !c->load;

	c->initial = n;
	if ((c->mode == 2 || c->mode == 3) && runs)
		return; /* taken at the next reload */
	c->load = true;
	c->expired = false;
	c->out = c->mode != 0;
}

static void take_initial(struct counter *c)
{
	c->load = false;
	c->counting = true;
	c->value = c->initial;
	if (c->mode == 3) {
		c->now_odd = c->initial % 2;
		c->value -= c->now_odd;
	}
}

static void down_by_two(struct counter *c)
{
	if (c->value > 2) {
		c->value -= 2;
	} else if (c->value == 2 && c->now_odd && c->out) {
		c->value = 0; /* the extra clock of an odd count */
	} else {
		c->out = !c->out;
		take_initial(c);
	}
}

static void down_by_one(struct counter *c)
{
	if (c->value == 0)
		c->value = 65536; /* goes on: nothing stops it */
	c->value--;
	if (c->mode == 2) {
		c->out = c->value != 1;
		if (c->value == 0)
			take_initial(c);
	} else if (c->mode == 4) {
		c->out = c->value || c->expired;
		c->expired = c->expired || !c->value;
	} else if (c->value == 0) {
		c->out = true;
	}
}

static void down(struct counter *c)
{
	if (c->load) {
		if (c->gate || c->mode == 0 || c->mode == 4)
			take_initial(c);
	} else if (c->counting && c->gate) {
		if (c->mode == 3)
			down_by_two(c);
		else
			down_by_one(c);
	}
}

static void set_gate(struct counter *c, bool gate)
{
	if (gate == c->gate)
		return;
	c->gate = gate;
	if (c->mode != 2 && c->mode != 3)
		return;
	c->out = true;
	c->load = gate && c->initial;
}

/* Is the value defined?  Before the first load it is not. */
static bool shows_count(const struct counter *c)
{
	return c->counting && !c->load &&
	       (c->gate || c->mode == 0 || c->mode == 4);
}

static void program(struct counter *c, struct platform *p, unsigned int ch,
		    uint64_t r, uint64_t now)
{
	static const unsigned int modes[] = {0, 2, 3, 4};
	int n = (r >> 8) % 4 ? 2 + (int)(r >> 16) % 30
			     : 1 + (int)(r >> 16) % 700;
	unsigned int mode = modes[(r >> 4) % 4];

	if (n < 2)
		n = 2;
	if (r % 4 == 0) {
		set_mode(c, (int)mode);
		platform_io_write(p, 0x43, 1, ch << 6 | 0x30 | mode << 1, now);
	} else if (r % 4 == 1 && ch == 2) {
		set_gate(c, r >> 4 & 1);
		platform_io_write(p, 0x61, 1, r >> 4 & 1, now);
		return;
	}
	write_initial(c, n);
	platform_io_write(p, (uint16_t)(0x40 + ch), 1, n & 0xff, now);
	platform_io_write(p, (uint16_t)(0x40 + ch), 1, (uint32_t)n >> 8, now);
}

static void compare(const struct counter *c, struct platform *p,
		    unsigned int ch, uint64_t clock)
{
	uint64_t now = pit_clock_time(clock);
	unsigned int got;
	char name[64];

	snprintf(name, sizeof(name), "channel %u, mode %d, clock %" PRIu64, ch,
		 c->mode, clock);
	check_eq(name, pit_out(&p->pit, ch, now), c->out);
	if (!shows_count(c))
		return;
	got = platform_io_read(p, (uint16_t)(0x40 + ch), 1, now);
	got |= platform_io_read(p, (uint16_t)(0x40 + ch), 1, now) << 8;
	check_eq(name, got, (uint64_t)(c->value & 0xffff));
}

#define CLOCKS 400000

static void random_against_counter(void **state)
{
	(void)state;
	for (unsigned int ch = 0; ch <= 2; ch += 2) {
		struct platform *p = platform_create(NULL);
		struct counter c = {.mode = 3, .out = true, .gate = ch == 0};
		uint64_t seed = 8254 + ch;
		unsigned int edges = 0;

		assert_non_null(p);
		for (uint64_t clock = 0; clock < CLOCKS; clock++) {
			uint64_t now = pit_clock_time(clock);
			uint64_t event = p->pit.next_edge;
			uint64_t r = next_random(&seed);
			bool before = c.out;

			if (clock)
				down(&c);
			/* The event is announced exactly when OUT changes. */
			if (ch == 0 && (event == now) != (c.out != before))
				fail_msg("clock %" PRIu64 ": event %" PRIu64
					 ", OUT %d -> %d",
					 clock, event, before, c.out);
			edges += c.out != before;
			compare(&c, p, ch, clock);
			if (r % 64 == 0)
				program(&c, p, ch, r >> 8, now);
			compare(&c, p, ch, clock);
		}
		assert_true(edges > CLOCKS / 40);
		platform_destroy(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_against_counter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
