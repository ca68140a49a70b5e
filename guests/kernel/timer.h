/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 8259 pair and channel 0 of the 8254: the only interrupt is the tick.
 */
#ifndef MINI_TIMER_H
#define MINI_TIMER_H

#include "common/types.h"

#define HZ_MIN 19 /* the 8254 divides by at most 65535 */
#define HZ_MAX 20000

enum timer_result {
	TIMER_NOT_MINE, /* not a vector of the 8259 pair, or an unknown one */
	TIMER_NOTHING,  /* a spurious interrupt */
	TIMER_TICK,
};

void timer_init(u64 hz); /* 0: off, all interrupt lines masked */
bool timer_is_on(void);

/* Acknowledges the interrupt if it is one of ours. */
enum timer_result timer_interrupt(u64 vector);

#endif
