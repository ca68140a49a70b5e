/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Register-level tests as tables: each case is a list of steps on one machine
 * (write this port, read that one and want such a value), one per line.
 */
#ifndef NOTRAP_TESTS_PLATFORM_CHECK_H
#define NOTRAP_TESTS_PLATFORM_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/types.h"
#include "platform/platform.h"

#define check_eq(name, got, want)                                          \
	do {                                                               \
		uint64_t got_ = (got), want_ = (want);                     \
		if (got_ != want_)                                         \
			fail_msg("%s: got 0x%" PRIx64 ", want 0x%" PRIx64, \
				 (name), got_, want_);                     \
	} while (0)

enum op {
	STEP_END = 0,
	WR,    /* write val to port, one byte */
	RD,    /* read a byte from port, want val */
	RISE,  /* IRQ line `port` goes high */
	FALL,  /* ... low */
	PULSE, /* ... low, then high */
	INTR,  /* want an interrupt pending (1) or not (0) */
	ACK,   /* acknowledge, want vector val */
	CLOCK, /* go to the first nanosecond of timer clock val */
	OUT0,  /* want the level of the timer's channel 0 */
	EDGE,  /* want the next event at timer clock val; 0: never */
	SENT,  /* want so many bytes on the console */
	IRQ4,  /* want the level of the serial port's interrupt */
};

struct step {
	enum op op;
	unsigned int port;
	uint64_t val;
};

#define MAX_STEPS 48

struct steps_case {
	const char *name;
	struct step step[MAX_STEPS];
};

/* A repeatable source of numbers (xorshift64*, Vigna 2016). */
static inline uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * UINT64_C(0x2545f4914f6cdd1d);
}

static inline uint64_t step_got(struct platform *p, const struct step *s,
				uint64_t *clock, const struct console *con)
{
	uint64_t now = pit_clock_time(*clock);

	switch (s->op) {
	case RD:
		return platform_io_read(p, (uint16_t)s->port, 1, now);
	case INTR:
		return platform_irq_pending(p);
	case ACK:
		return platform_ack(p);
	case OUT0:
		return pit_out(&p->pit, 0, now);
	case EDGE:
		now = p->pit.next_edge;
		return now == UINT64_MAX ? 0 : pit_clocks(now);
	case SENT:
		return con->total;
	case IRQ4:
		return p->uart.irq;
	case WR:
		platform_io_write(p, (uint16_t)s->port, 1, (uint32_t)s->val,
				  now);
		return s->val;
	case RISE:
	case FALL:
		pic_set_line(&p->pic, s->port, s->op == RISE);
		return s->val;
	case PULSE:
		pic_set_line(&p->pic, s->port, false);
		pic_set_line(&p->pic, s->port, true);
		return s->val;
	case CLOCK:
		*clock = s->val;
		platform_advance(p, pit_clock_time(*clock));
		return s->val;
	default:
		fail_msg("no such step");
		return 0;
	}
}

static inline void run_case(const struct steps_case *c)
{
	struct console con;
	struct platform *p;
	uint64_t clock = 0;

	console_init(&con, NULL, 0, NULL);
	p = platform_create(&con);
	assert_non_null(p);
	for (unsigned int i = 0; i < MAX_STEPS && c->step[i].op; i++) {
		const struct step *s = &c->step[i];
		uint64_t got = step_got(p, s, &clock, &con);

		if (got != s->val)
			fail_msg("%s: step %u (port or line 0x%x): got "
				 "0x%" PRIx64 ", want 0x%" PRIx64,
				 c->name, i + 1, s->port, got, s->val);
	}
	platform_destroy(p);
}

#endif
