/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a source executes by itself, without an event: told to an observer
 * instruction by instruction, for a recorder.  Watching changes nothing the
 * guest can see and no event.
 *
 * An instruction begins, makes its accesses, and is complete when the next one
 * begins or an event says so by its clock.  It may be restarted because
 * something had to be done behind the guest's back: then what it has accessed
 * since it last began did not happen, and it begins again.  A repeated string
 * instruction begins again for each iteration.
 */
#ifndef NOTRAP_EVENT_OBSERVE_H
#define NOTRAP_EVENT_OBSERVE_H

#include "base/types.h"

struct insn_begin {
	gva_t pc; /* linear */
	uint8_t length;
	bool user;
	bool rep; /* a string instruction with a repeat prefix */
	/* A hypervisor's emulator could do its store. */
	bool emulated;
	/* Its one store is of 16 bytes, told as two accesses: CMPXCHG16B. */
	bool wide;
};

/* Within one page.  A read-modify-write operand is one write. */
struct insn_access {
	gva_t gva;
	gpa_t gpa;
	uint8_t size; /* 1..8 */
	bool write;
	bool user;
	bool ac;          /* as ACCESS_AC */
	bool rest;        /* of one that began in the page before */
	uint8_t bytes[8]; /* of a write */
};

struct insn_observer {
	void (*begin)(struct insn_observer *to, const struct insn_begin *insn);
	void (*access)(struct insn_observer *to,
		       const struct insn_access *access);
	/* The next GE_ACCESS is of the instruction itself, which faulted. */
	void (*fault)(struct insn_observer *to);
	void (*restart)(struct insn_observer *to);
	/* It cannot be told what happened: one line. */
	void (*lost)(struct insn_observer *to, const char *line);
};

#endif
