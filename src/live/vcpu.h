/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of a virtual CPU that the source owns, as plain data.
 *
 * The engine loads it from Unicorn when a hook fires and stores it back when
 * the hook has changed it; delivery, instruction handling and the emulator
 * work on this struct alone, so they are tested without Unicorn.
 */
#ifndef NOTRAP_LIVE_VCPU_H
#define NOTRAP_LIVE_VCPU_H

#include "arch/paging.h"
#include "base/types.h"

enum gpr {
	GPR_RAX,
	GPR_RCX,
	GPR_RDX,
	GPR_RBX,
	GPR_RSP,
	GPR_RBP,
	GPR_RSI,
	GPR_RDI,
	GPR_R8,
	GPR_R15 = 15,
	NR_GPR
};

enum seg_reg { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, NR_SEG };

/*
 * A segment register with its hidden part.  attr: bits 23:8 of the
 * descriptor's second doubleword in place (type 11:8, S 12, DPL 14:13, P 15,
 * AVL 20, L 21, D/B 22, G 23).
 */
struct segment {
	uint16_t selector;
	uint32_t limit; /* in bytes, granularity applied */
	uint32_t attr;
	uint64_t base;
};

#define SEG_ATTR_TYPE BITS(11, 8)
#define SEG_ATTR_S    BIT(12)
#define SEG_ATTR_DPL  BITS(14, 13)
#define SEG_ATTR_P    BIT(15)
#define SEG_ATTR_L    BIT(21)
#define SEG_ATTR_DB   BIT(22)
#define SEG_ATTR_G    BIT(23)

struct dtable {
	uint64_t base;
	uint32_t limit;
};

struct vcpu {
	uint64_t gpr[NR_GPR];
	uint64_t rip;
	uint64_t rflags; /* complete, arithmetic flags included */
	struct segment seg[NR_SEG];
	struct segment ldtr, tr;
	struct dtable gdtr, idtr;
	uint8_t cpl;
	bool irq_shadow; /* STI or MOV SS just before */

	/* Not in Unicorn: the model's own. */
	uint64_t star, lstar, cstar, sfmask;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
	uint64_t tsc_offset; /* TSC = instruction clock + this */
	uint64_t dr[8];
};

enum code_mode {
	CODE_16,
	CODE_32,
	CODE_64,
};

static inline enum code_mode vcpu_code_mode(const struct vcpu *vcpu,
					    uint64_t efer_lma)
{
	if (efer_lma && (vcpu->seg[SEG_CS].attr & SEG_ATTR_L))
		return CODE_64;
	return vcpu->seg[SEG_CS].attr & SEG_ATTR_DB ? CODE_32 : CODE_16;
}

#endif
