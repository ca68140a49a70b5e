/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small guest for the fake sink: descriptor tables, a TSS and stacks in each
 * mode, with every exception's gate usable.  Tests change what they are about.
 */
#ifndef NOTRAP_TESTS_LIVE_SETUP_H
#define NOTRAP_TESTS_LIVE_SETUP_H

#include "fake.h"

#define GDT_AT 0x1000u
#define LDT_AT 0x1800u
#define IDT_AT 0x2000u /* 256 gates of 16 bytes */
#define TSS_AT 0x4000u

#define KERNEL_STACK 0x9000u /* CPL 0's own, while it runs */
#define RSP0         0xa018u /* TSS: misaligned on purpose */
#define IST1         0xb018u
#define RSP1         0xc018u
#define USER_STACK   0x17ff8u
#define USER_RIP     0x400123u
#define KERNEL_RIP   0x8123u
#define HANDLERS     0x100000u

/* Selectors of the GDT. */
#define K_CODE         0x08u /* 64-bit in long mode, else 32-bit */
#define K_DATA         0x10u
#define U_CODE32       0x18u
#define U_DATA         0x20u
#define U_CODE64       0x28u
#define K_CONF         0x30u /* conforming, DPL 0 */
#define K_ABSENT       0x38u /* code, not present */
#define TSS_SEL        0x40u /* two entries */
#define K_CODE32       0x50u
#define K_FRESH        0x58u /* as K_CODE, accessed bit clear */
#define K_DATA2        0x60u
#define R1_CODE        0x68u /* DPL 1 */
#define R1_DATA        0x70u
#define K_STACK_FRESH  0x78u /* data, accessed bit clear */
#define K_STACK_ABSENT 0x80u
#define K_STACK_SMALL  0x88u /* limit 0x903f */
#define K_STACK_DOWN   0x90u /* expand-down: above 0x8fff */
#define K_STACK16      0x98u /* B=0 */
#define K_CODE_SMALL   0xa0u /* limit 0xfff */
#define K_READONLY     0xa8u
#define GDT_LIMIT      0xafu

/* Access bytes of descriptors. */
#define A_CODE   0x9bu
#define A_DATA   0x93u
#define A_DPL(n) ((uint32_t)(n) << 5)
#define F_LONG   0xa0u /* G, L */
#define F_BIG    0xc0u /* G, D/B */

/* Access byte of gates. */
#define G_INT(dpl)  (0x8eu | A_DPL(dpl))
#define G_TRAP(dpl) (0x8fu | A_DPL(dpl))

void setup_gdt(struct fake *f, unsigned int selector, uint32_t base,
	       uint32_t limit, unsigned int access, unsigned int flags);

/* Gate of `vector`; in real mode offset and selector alone. */
void setup_gate(struct fake *f, unsigned int vector, unsigned int selector,
		uint64_t offset, unsigned int access, unsigned int ist);

/* Where every gate leads unless a test says otherwise. */
static inline uint64_t handler_of(unsigned int vector)
{
	return HANDLERS + vector * 16u;
}

enum setup_mode {
	SETUP_LONG,
	SETUP_PROTECTED,
	SETUP_REAL,
};

/* CPL 0 at KERNEL_RIP on KERNEL_STACK, or CPL 3 at USER_RIP on USER_STACK. */
void setup_mode(struct fake *f, enum setup_mode mode);
void setup_user(struct fake *f);

/* Every field of two states; names the first that differs. */
void check_vcpu(const char *name, const struct vcpu *got,
		const struct vcpu *want);

/* Load a segment of the GDT into the vcpu, as the processor would. */
void setup_segment(struct fake *f, enum seg_reg reg, unsigned int selector);

#endif
