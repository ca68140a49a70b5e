/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The few facts the engine needs about instructions that it lets run
 * natively, from their prefixes and opcode.
 */
#ifndef NOTRAP_LIVE_SHAPE_H
#define NOTRAP_LIVE_SHAPE_H

#include "live/vcpu.h"

struct shape {
	bool rep_string;   /* a string instruction with a repeat prefix */
	bool pushes_flags; /* PUSHF */
	bool pops_flags;   /* POPF, IRET */
};

struct shape shape_of(enum code_mode mode, const uint8_t *bytes, size_t n);

#endif
