/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which memory an instruction accesses beside the operands the decoder lists,
 * and what else an observer must know of it.  SDM vol. 2, "Opcode Map".
 */
#ifndef NOTRAP_LIVE_NATURE_H
#define NOTRAP_LIVE_NATURE_H

#include "live/vcpu.h"

struct nature {
	bool stack;       /* at RSP */
	bool stack_often; /* more than once: PUSHA, POPA */
	bool frame;       /* at RBP: ENTER, LEAVE */
	bool descriptors; /* GDT, LDT, TSS, as the processor itself */
	bool far;         /* may change CPL or mode */
	bool xlat;
	bool maskmov;
	bool rep_string;
	bool late; /* it may fault when its one access has been made */
	/* It accesses memory, and Unicorn's rip need not say so when it does.
	 */
	bool unstamped;
};

/* bytes: a whole instruction that decodes. */
struct nature nature_of(enum code_mode mode, const uint8_t *bytes, size_t n);

#endif
