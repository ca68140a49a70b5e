/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the emulator gets at an instruction's operands in memory.
 *
 * For GO_EMULATE they are read behind the processor's back and stored through
 * GE_STORE.  For GO_MMIO one of them is a device's.  What the instruction
 * accesses before that one the processor has been granted already, so it is
 * read as above; what it accesses after that one is an access like any other.
 */
#ifndef NOTRAP_LIVE_REACH_H
#define NOTRAP_LIVE_REACH_H

#include "live/exec.h"

/* Stores are of at most 8 bytes but for CMPXCHG16B. */
#define REACH_MAX 16

/* The reference that was answered by GO_MMIO. */
struct device_ref {
	gva_t gva;
	gpa_t gpa;
	uint32_t access;
	bool reached; /* by the emulation */
};

/*
 * All three: true, or false with *status, how the instruction ends: with a
 * page fault where the guest maps nothing, or as the sink says.
 */

/* Push GE_DEVICE for x->device; before anything else. */
bool reach_begin(struct exec *x, enum insn_status *status);

bool reach_load(struct exec *x, gva_t gva, void *ret, uint8_t size,
		enum insn_status *status);
bool reach_store(struct exec *x, gva_t gva, const void *bytes, uint8_t size,
		 enum insn_status *status);

#endif
