/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a source executes by itself, without an event: told to an observer
 * instruction by instruction, for a recorder.  Watching changes nothing the
 * guest can see and no event.
 *
 * Instructions are told a block at a time.  How many of them are complete is
 * told by the clock of the next block or of an event; the rest are not
 * executed. Before one makes an access or causes an event it begins; those that
 * do neither are not told again.  It may be restarted because something had to
 * be done behind the guest's back: then what it has accessed since it last
 * began did not happen, and it is the first of the next block.  A repeated
 * string instruction is a block of its own for each iteration but the first.
 */
#ifndef NOTRAP_EVENT_OBSERVE_H
#define NOTRAP_EVENT_OBSERVE_H

#include "base/types.h"

/* Instructions that follow each other. */
struct insn_block {
	gva_t pc;       /* linear */
	uint64_t insns; /* complete before it */
	uint16_t nr;
	bool user;
	bool on_one_page;
	/* Of each, during the call; INSN_BLOCK_SLACK bytes can be read. */
	const uint8_t *length;
};

#define INSN_BLOCK_SLACK 16

#define INSN_BLOCK_MAX 512

struct insn_begin {
	gva_t pc; /* linear; in the present block */
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
	bool failed;      /* as GE_COMPARE_FAILED: what it writes was there */
	uint8_t bytes[8]; /* of a write */
};

/* An instruction that makes one access alone, and that within one page. */
struct insn_single {
	gva_t pc; /* linear; in the present block */
	gva_t gva;
	gpa_t gpa;
	uint64_t value; /* of a write */
	uint8_t length, size;
	bool write, user, ac;
	bool emulated, wide; /* as in insn_begin */
	bool failed;         /* as in insn_access */
};

struct insn_observer {
	void (*block)(struct insn_observer *to, const struct insn_block *block);
	void (*begin)(struct insn_observer *to, const struct insn_begin *insn);
	void (*access)(struct insn_observer *to,
		       const struct insn_access *access);
	/* Those two at once. */
	void (*single)(struct insn_observer *to, const struct insn_single *one);
	/* The next GE_ACCESS is of the instruction itself, which faulted. */
	void (*fault)(struct insn_observer *to);
	void (*restart)(struct insn_observer *to);
	/* It cannot be told what happened: one line. */
	void (*lost)(struct insn_observer *to, const char *line);
};

#endif
