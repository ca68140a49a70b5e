/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks for table-driven tests: a failure prints name, got and want. */
#ifndef NOTRAP_TESTS_LIVE_CHECK_H
#define NOTRAP_TESTS_LIVE_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/types.h"

#define check_eq(name, got, want)                                          \
	do {                                                               \
		uint64_t got_ = (got), want_ = (want);                     \
		if (got_ != want_)                                         \
			fail_msg("%s: got 0x%" PRIx64 ", want 0x%" PRIx64, \
				 (name), got_, want_);                     \
	} while (0)

/* With what of the case is compared: "name: what: got ..., want ...". */
#define check_part(name, what, got, want)                                      \
	do {                                                                   \
		uint64_t got_ = (got), want_ = (want);                         \
		if (got_ != want_)                                             \
			fail_msg("%s: %s: got 0x%" PRIx64 ", want 0x%" PRIx64, \
				 (name), (what), got_, want_);                 \
	} while (0)

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

#endif
