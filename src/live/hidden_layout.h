/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two stretches of Unicorn's state, where it lies.  Private to hidden*.c, and
 * to observe.c, which asks at every access.
 */
#ifndef NOTRAP_LIVE_HIDDEN_LAYOUT_H
#define NOTRAP_LIVE_HIDDEN_LAYOUT_H

#include "arch/cr.h"
#include "live/hidden.h"

struct hidden_segment {
	uint32_t selector;
	uint32_t pad;
	uint64_t base;
	uint32_t limit;
	uint32_t flags; /* second doubleword of the descriptor */
};

/* The beginning of the state. */
struct hidden_head {
	uint64_t gpr[NR_GPR];
	uint64_t rip;
	uint64_t rflags; /* arithmetic flags and DF: see store_rflags() */
	uint64_t cc_dst, cc_src, cc_src2;
	uint32_t cc_op;
	int32_t df; /* 1, or -1 when the flag is set */
	uint32_t hflags, hflags2;
	struct hidden_segment seg[NR_SEG];
	struct hidden_segment ldtr, tr;
	struct hidden_segment gdtr, idtr;
	uint64_t cr[5];
};

/* The exception in flight. */
struct hidden_tail {
	int32_t error;
	int32_t is_int;
	uint64_t next_rip;
	uint64_t dr[8];
	uint64_t breakpoint[4];
	int32_t old_exception;
};

struct hidden {
	uc_engine *uc;
	struct hidden_head *head;
	struct hidden_tail *tail;
	uint32_t cc_op_flags; /* cc_op when cc_src holds the flags */
};

/*
 * Find the state, which begins like *want, a snapshot of it; the general
 * registers are 16 words found nowhere else.  NULL: it is not there.
 */
struct hidden_head *hidden_find_place(uc_engine *uc,
				      const struct hidden_head *want);

#define SEGMENT_ATTR (UINT32_C(0x00f0ff00))

#define RFLAGS_CC UINT64_C(0x8d5) /* OF SF ZF AF PF CF */

#define HFLAG_CPL        UINT32_C(3)
#define HFLAG_IRQ_SHADOW (UINT32_C(1) << 3)
#define HFLAG_CS32       (UINT32_C(1) << 4)
#define HFLAG_SS32       (UINT32_C(1) << 5)
#define HFLAG_ADDSEG     (UINT32_C(1) << 6)
#define HFLAG_PE         (UINT32_C(1) << 7)
#define HFLAG_LMA        (UINT32_C(1) << 14)
#define HFLAG_CS64       (UINT32_C(1) << 15)

#define HFLAGS_OF_VCPU                                            \
	(HFLAG_CPL | HFLAG_IRQ_SHADOW | HFLAG_CS32 | HFLAG_SS32 | \
	 HFLAG_ADDSEG | HFLAG_CS64)

/*
 * What a hook asks for at every block and every access.  Of rflags the
 * arithmetic flags and DF are elsewhere.
 */
static inline const struct hidden_head *hidden_look(const struct hidden *hidden)
{
	return hidden->head;
}

struct hidden_now {
	gva_t pc; /* linear */
	uint8_t cpl;
	enum code_mode mode;
};

static inline enum code_mode hidden_mode(uint32_t hflags)
{
	if (hflags & HFLAG_CS64)
		return CODE_64;
	return hflags & HFLAG_CS32 ? CODE_32 : CODE_16;
}

static inline struct hidden_now hidden_now(const struct hidden_head *head)
{
	struct hidden_now now = {
		.pc = head->rip,
		.cpl = head->hflags & HFLAG_CPL,
		.mode = hidden_mode(head->hflags),
	};

	if (now.mode != CODE_64)
		now.pc = (uint32_t)(now.pc + head->seg[SEG_CS].base);
	return now;
}

void hidden_load_segments(const struct hidden_head *head, struct vcpu *vcpu);

#endif
