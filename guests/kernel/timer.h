/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 8259 pair and channel 0 of the 8254, or the local APIC and its timer:
 * the only interrupt is the tick.
 */
#ifndef MINI_TIMER_H
#define MINI_TIMER_H

#include "common/types.h"

#define HZ_MIN 19 /* the 8254 divides by at most 65535 */
#define HZ_MAX 20000

enum timer_result {
	TIMER_NOT_MINE, /* no vector of ours */
	TIMER_NOTHING,  /* a spurious interrupt */
	TIMER_TICK,
};

/* hz 0: off, all interrupt lines masked.  Without an APIC: exit 4. */
void timer_init(u64 hz, bool apic);
bool timer_is_on(void);

/* Acknowledges the interrupt if it is one of ours. */
enum timer_result timer_interrupt(u64 vector);

#endif
