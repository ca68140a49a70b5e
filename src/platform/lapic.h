/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The local APIC of the one processor (xAPIC), after the Intel SDM vol. 3A,
 * "Advanced Programmable Interrupt Controller (APIC)": ID, version, TPR, PPR,
 * EOI, LDR, DFR, SVR, ISR/TMR/IRR, ESR, ICR, the LVT, and the timer, one-shot
 * and periodic.  Its 4 KiB of registers lie at the base in IA32_APIC_BASE,
 * which may move to any page that is no RAM.
 *
 * The timer counts at LAPIC_HZ, divided as the guest asks; as in the 8254
 * nothing ticks, counts are functions of the virtual time of each call.
 *
 * LINT0 is wired to the INTR pin of the 8259 pair: as ExtINT (how firmware
 * leaves it, "virtual wire") the processor acknowledges the pair; as fixed it
 * is an edge with a vector of its own.  Nothing is wired to LINT1.
 *
 * Left out: x2APIC and the TSC deadline, other processors (INIT, startup and
 * what else is sent to them goes to nobody), NMI, SMI and INIT that this one
 * would send to itself, level-triggered LINT0, an I/O APIC.  CR8 is not
 * connected to TPR.
 */
#ifndef NOTRAP_PLATFORM_LAPIC_H
#define NOTRAP_PLATFORM_LAPIC_H

#include "base/types.h"

#define LAPIC_BASE UINT64_C(0xfee00000)
#define LAPIC_SIZE UINT64_C(0x1000)
#define LAPIC_HZ   UINT64_C(1000000000) /* of the timer, undivided */

/* IA32_APIC_BASE */
#define LAPIC_MSR_BSP    BIT(8)
#define LAPIC_MSR_ENABLE BIT(11)

/* Offsets of registers, each 32 bits on 16 bytes. */
enum lapic_reg {
	LAPIC_ID = 0x020,
	LAPIC_VERSION = 0x030,
	LAPIC_TPR = 0x080,
	LAPIC_PPR = 0x0a0,
	LAPIC_EOI = 0x0b0,
	LAPIC_LDR = 0x0d0,
	LAPIC_DFR = 0x0e0,
	LAPIC_SVR = 0x0f0,
	LAPIC_ISR = 0x100, /* eight of them, as TMR and IRR */
	LAPIC_TMR = 0x180,
	LAPIC_IRR = 0x200,
	LAPIC_ESR = 0x280,
	LAPIC_ICR = 0x300,
	LAPIC_ICR_HIGH = 0x310,
	LAPIC_LVT_TIMER = 0x320,
	LAPIC_LVT_THERMAL = 0x330,
	LAPIC_LVT_PERF = 0x340,
	LAPIC_LVT_LINT0 = 0x350,
	LAPIC_LVT_LINT1 = 0x360,
	LAPIC_LVT_ERROR = 0x370,
	LAPIC_TIMER_INITIAL = 0x380,
	LAPIC_TIMER_CURRENT = 0x390,
	LAPIC_TIMER_DIVIDE = 0x3e0,
};

#define LAPIC_NR_LVT 6 /* from LAPIC_LVT_TIMER on */

#define LAPIC_SVR_ENABLE BIT(8)
#define LAPIC_LVT_MASKED BIT(16)

#define LAPIC_ESR_SEND_ILLEGAL     BIT(5)
#define LAPIC_ESR_RECEIVE_ILLEGAL  BIT(6)
#define LAPIC_ESR_ILLEGAL_REGISTER BIT(7)

#define LAPIC_NEVER UINT64_MAX

/* Plain state: may be copied. */
struct lapic {
	uint64_t msr; /* IA32_APIC_BASE; 0: the processor has none */
	bool intr;    /* an interrupt of its own may be taken */
	bool lint0;   /* level of the pin */

	uint32_t id, tpr, ldr, dfr, svr;
	uint32_t esr, errors; /* to be read; since ESR was last written */
	uint32_t icr, icr_high;
	uint32_t lvt[LAPIC_NR_LVT];
	uint32_t isr[8], irr[8];

	uint32_t initial, divide;
	uint64_t start;     /* when the count was `initial`, for its sake */
	uint64_t next_edge; /* when the timer interrupts; LAPIC_NEVER */
	bool counting;
};

/* As firmware leaves it: enabled, LINT0 ExtINT, LINT1 NMI, the rest masked. */
void lapic_init(struct lapic *lapic);

/* A processor without: msr is 0 and nothing ever happens. */
void lapic_init_absent(struct lapic *lapic);

static inline bool lapic_is_enabled(const struct lapic *lapic)
{
	return lapic->msr & LAPIC_MSR_ENABLE;
}

/* Are these its registers? */
static inline bool lapic_is_at(const struct lapic *lapic, uint64_t gpa)
{
	return lapic_is_enabled(lapic) &&
	       !((gpa ^ lapic->msr) & ~(LAPIC_SIZE - 1));
}

/*
 * offset: within the page, size: 1..8.  A read gives bytes of the registers,
 * zeros between them; a write counts only if it is of 4 bytes and aligned.
 */
uint64_t lapic_read(struct lapic *lapic, unsigned int offset, unsigned int size,
		    uint64_t now);
void lapic_write(struct lapic *lapic, unsigned int offset, unsigned int size,
		 uint64_t val, uint64_t now);

/*
 * WRMSR of IA32_APIC_BASE.  False: #GP(0), for a reserved bit (an address of
 * more than maxphyaddr bits is that, too) or a base in RAM, which ends at
 * ram_size.  What is enabled again is as after a reset, all LVT masked.
 */
bool lapic_write_base(struct lapic *lapic, uint64_t val,
		      unsigned int maxphyaddr, uint64_t ram_size);

/* The INTR pin of the 8259 pair, on each change. */
void lapic_set_lint0(struct lapic *lapic, bool level);

/* Does the 8259 pair interrupt the processor itself?  Always, without APIC. */
static inline bool lapic_passes_pic(const struct lapic *lapic)
{
	return !lapic_is_enabled(lapic) ||
	       (lapic->lvt[(LAPIC_LVT_LINT0 - LAPIC_LVT_TIMER) / 16] &
		(LAPIC_LVT_MASKED | BITS(10, 8))) == BITS(10, 8);
}

/* The processor takes lapic->intr: the vector, in service from now on. */
uint8_t lapic_ack(struct lapic *lapic);

/* What is due by now happens; moves next_edge past now. */
void lapic_advance(struct lapic *lapic, uint64_t now);

#endif
