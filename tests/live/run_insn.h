/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables of single instructions: bytes, the state before, how it ends, the
 * event it pushes and what becomes of the state.
 */
#ifndef NOTRAP_TESTS_LIVE_RUN_INSN_H
#define NOTRAP_TESTS_LIVE_RUN_INSN_H

#include "live/insn.h"
#include "setup.h"

#define NO_EVENT NR_GUEST_EVENTS

struct insn_case {
	const char *name;
	enum setup_mode mode;
	bool user;
	const char *bytes;
	void (*prepare)(struct fake *f);
	enum insn_status status;
	/* The one event but GE_ACCESS and GE_EXCEPTION, or NO_EVENT. */
	enum guest_event_kind kind;
	/* INSN_FAULT: what is to be delivered. */
	uint8_t vector;
	int error; /* -1: no error code */
	/* INSN_DONE: changes `vcpu`, which has its rip advanced already. */
	void (*effect)(struct vcpu *vcpu);
	/* More to look at. */
	void (*check)(const char *name, struct fake *f);
};

/* Faults must leave the vcpu as it was, but for DR6 (#DB). */
void run_insn_case(const struct insn_case *c);

/* "0f 20 d8" into bytes; returns how many. */
size_t parse_hex(const char *text, uint8_t *bytes);

/* Decode in the fake's mode; the test fails if it does not decode. */
void decode_hex(const struct fake *f, const char *text, struct insn *ret);

#endif
