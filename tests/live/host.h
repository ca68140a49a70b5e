/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Code executed by the processor the tests run on, with given registers. */
#ifndef NOTRAP_TESTS_LIVE_HOST_H
#define NOTRAP_TESTS_LIVE_HOST_H

#include <stddef.h>

#include "live/vcpu.h"

struct host_state {
	uint64_t gpr[NR_GPR];
	uint64_t rflags;
};

/*
 * Load all registers but RSP, call `code` (which returns), store them.  The
 * registers' offsets are known to host.c.  x86-64 only.
 */
void host_run(struct host_state *state, void *code);

/* Zeroed pages for data and code at this very address. */
bool host_map(uint64_t at, size_t size);

#endif
