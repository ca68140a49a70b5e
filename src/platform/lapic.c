/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers of a local APIC.  `intr` is recomputed after every access, so that
 * it cannot differ from IRR, ISR and TPR.
 */
#include "platform/lapic.h"

#include <string.h>

#include "base/bug.h"

/* "Local APIC Version Register": six LVT entries, Pentium 4's version. */
#define VERSION UINT32_C(0x00050014)

#define SVR_RESET    UINT32_C(0xff)
#define SVR_WRITABLE UINT32_C(0x3ff)
#define ID_WRITABLE  UINT32_C(0xff000000)
#define DFR_ONES     UINT32_C(0x0fffffff)
#define DIVIDE_MASK  UINT32_C(0xb)

#define LVT_VECTOR     UINT32_C(0xff)
#define LVT_DELIVERY   UINT32_C(0x700)
#define LVT_PERIODIC   UINT32_C(0x20000)
#define DELIVER_FIXED  UINT32_C(0x000)
#define DELIVER_NMI    UINT32_C(0x400)
#define DELIVER_EXTINT UINT32_C(0x700)

#define ICR_WRITABLE  UINT32_C(0xccfff) /* delivery status reads idle */
#define ICR_LOGICAL   UINT32_C(0x800)
#define ICR_LOWEST    UINT32_C(0x100)
#define ICR_SHORTHAND UINT32_C(0xc0000)
#define TO_SELF       UINT32_C(0x40000)
#define TO_ALL        UINT32_C(0x80000)
#define TO_NOBODY     UINT32_C(0xc0000) /* all but self */
#define BROADCAST     0xff
#define CLUSTER_ALL   0xf

#define FIRST_VECTOR 16 /* those below are the processor's own */
#define NO_VECTOR    (-1)

#define MSR_RESERVED (BITS(7, 0) | BITS(10, 9))

enum {
	TIMER = 0,
	LINT0 = (LAPIC_LVT_LINT0 - LAPIC_LVT_TIMER) / 16,
	LINT1 = (LAPIC_LVT_LINT1 - LAPIC_LVT_TIMER) / 16,
	ERROR = (LAPIC_LVT_ERROR - LAPIC_LVT_TIMER) / 16,
};

/* What can be written: vector and mask, delivery mode, trigger, periodic. */
static const uint32_t lvt_writable[LAPIC_NR_LVT] = {
	0x300ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff,
};

/* --- Requests and priorities --------------------------------------------- */

static int highest(const uint32_t set[8])
{
	for (int i = 7; i >= 0; i--)
		if (set[i])
			return 32 * i + 31 - __builtin_clz(set[i]);
	return NO_VECTOR;
}

static void set_bit(uint32_t set[8], unsigned int vector)
{
	set[vector / 32] |= UINT32_C(1) << vector % 32;
}

static void clear_bit(uint32_t set[8], unsigned int vector)
{
	set[vector / 32] &= ~(UINT32_C(1) << vector % 32);
}

/* "Processor Priority Register" */
static uint32_t ppr(const struct lapic *lapic)
{
	int vector = highest(lapic->isr);
	uint32_t in_service = vector == NO_VECTOR ? 0 : (uint32_t)vector & 0xf0;

	return lapic->tpr > in_service ? lapic->tpr : in_service;
}

static bool is_on(const struct lapic *lapic)
{
	return lapic_is_enabled(lapic) && lapic->svr & LAPIC_SVR_ENABLE;
}

static void update_intr(struct lapic *lapic)
{
	int vector = highest(lapic->irr);

	lapic->intr = is_on(lapic) && vector != NO_VECTOR &&
		      ((uint32_t)vector & 0xf0) > (ppr(lapic) & 0xf0);
}

static void request(struct lapic *lapic, uint32_t vector);

static void fail(struct lapic *lapic, uint32_t error)
{
	bool is_new = error & ~lapic->errors;

	lapic->errors |= error;
	if (is_new && !(lapic->lvt[ERROR] & LAPIC_LVT_MASKED) &&
	    (lapic->lvt[ERROR] & LVT_VECTOR) >= FIRST_VECTOR)
		request(lapic, lapic->lvt[ERROR] & LVT_VECTOR);
}

static void request(struct lapic *lapic, uint32_t vector)
{
	if (!is_on(lapic))
		return;
	if (vector < FIRST_VECTOR)
		fail(lapic, LAPIC_ESR_RECEIVE_ILLEGAL);
	else
		set_bit(lapic->irr, vector);
}

/* A local source; what is not fixed goes nowhere (LINT0's ExtINT aside). */
static void raise_local(struct lapic *lapic, unsigned int nr)
{
	uint32_t lvt = lapic->lvt[nr];

	if (!(lvt & LAPIC_LVT_MASKED) && (lvt & LVT_DELIVERY) == DELIVER_FIXED)
		request(lapic, lvt & LVT_VECTOR);
}

uint8_t lapic_ack(struct lapic *lapic)
{
	int vector = highest(lapic->irr);

	BUG_ON(!lapic->intr);
	clear_bit(lapic->irr, (unsigned int)vector);
	set_bit(lapic->isr, (unsigned int)vector);
	update_intr(lapic);
	return (uint8_t)vector;
}

static void end_of_interrupt(struct lapic *lapic)
{
	int vector = highest(lapic->isr);

	if (vector != NO_VECTOR)
		clear_bit(lapic->isr, (unsigned int)vector);
}

void lapic_set_lint0(struct lapic *lapic, bool level)
{
	bool rises = level && !lapic->lint0;

	lapic->lint0 = level;
	if (rises && lapic_is_enabled(lapic)) {
		raise_local(lapic, LINT0);
		update_intr(lapic);
	}
}

/* --- Interprocessor interrupts ------------------------------------------- */

/* "Logical Destination Mode": flat or cluster by DFR. */
static bool is_logical_self(const struct lapic *lapic, uint32_t dest)
{
	uint32_t ldr = lapic->ldr >> 24;

	if (lapic->dfr >> 28 == 0xf)
		return dest & ldr;
	return (dest >> 4 == CLUSTER_ALL || dest >> 4 == ldr >> 4) &&
	       (dest & ldr & 0xf);
}

static bool is_self(const struct lapic *lapic, uint32_t icr)
{
	uint32_t dest = lapic->icr_high >> 24;

	switch (icr & ICR_SHORTHAND) {
	case TO_SELF:
	case TO_ALL:
		return true;
	case TO_NOBODY:
		return false;
	default:
		break;
	}
	if (icr & ICR_LOGICAL)
		return is_logical_self(lapic, dest);
	return dest == BROADCAST || dest == lapic->id >> 24;
}

static void send(struct lapic *lapic, uint32_t icr)
{
	uint32_t delivery = icr & LVT_DELIVERY;

	if (delivery != DELIVER_FIXED && delivery != ICR_LOWEST)
		return;
	if ((icr & LVT_VECTOR) < FIRST_VECTOR)
		fail(lapic, LAPIC_ESR_SEND_ILLEGAL);
	else if (is_self(lapic, icr))
		request(lapic, icr & LVT_VECTOR);
}

/* --- The timer ----------------------------------------------------------- */

/* "Divide Configuration Register": 2, 4, ... 128, 1. */
static uint64_t divisor(const struct lapic *lapic)
{
	uint32_t code = (lapic->divide & 3) | (lapic->divide & 8) >> 1;

	return UINT64_C(1) << ((code + 1) & 7);
}

static bool is_periodic(const struct lapic *lapic)
{
	return lapic->lvt[TIMER] & LVT_PERIODIC;
}

static uint64_t period(const struct lapic *lapic)
{
	return lapic->initial * divisor(lapic);
}

static uint32_t current_count(const struct lapic *lapic, uint64_t now)
{
	uint64_t ticks = (now - lapic->start) / divisor(lapic);

	if (!lapic->counting)
		return 0;
	if (ticks < lapic->initial)
		return lapic->initial - (uint32_t)ticks;
	if (!is_periodic(lapic))
		return 0;
	return lapic->initial - (uint32_t)(ticks % lapic->initial);
}

/* The next end of the count after `now`, if anybody is to be told. */
static void schedule(struct lapic *lapic, uint64_t now)
{
	uint64_t gone = now - lapic->start;

	lapic->next_edge = LAPIC_NEVER;
	if (!lapic->counting || lapic->lvt[TIMER] & LAPIC_LVT_MASKED)
		return;
	if (gone < period(lapic))
		lapic->next_edge = lapic->start + period(lapic);
	else if (is_periodic(lapic))
		lapic->next_edge = now - gone % period(lapic) + period(lapic);
}

void lapic_advance(struct lapic *lapic, uint64_t now)
{
	if (now < lapic->next_edge)
		return;
	raise_local(lapic, TIMER);
	update_intr(lapic);
	schedule(lapic, now);
}

static void write_initial(struct lapic *lapic, uint32_t val, uint64_t now)
{
	lapic->initial = val;
	lapic->start = now;
	lapic->counting = val;
	schedule(lapic, now);
}

/* What the mode or the divisor made of it, the count goes on from here. */
static void go_on(struct lapic *lapic, uint32_t count, uint64_t now)
{
	/* A one-shot count that has ended does not begin again. */
	lapic->counting = count;
	lapic->start = now - (lapic->initial - count) * divisor(lapic);
	schedule(lapic, now);
}

static void write_divide(struct lapic *lapic, uint32_t val, uint64_t now)
{
	uint32_t count = current_count(lapic, now);

	lapic->divide = val & DIVIDE_MASK;
	go_on(lapic, count, now);
}

/* --- Registers ----------------------------------------------------------- */

static void write_lvt(struct lapic *lapic, unsigned int nr, uint32_t val,
		      uint64_t now)
{
	uint32_t count = current_count(lapic, now);

	/* Turned off by SVR, it keeps all of them masked. */
	if (!(lapic->svr & LAPIC_SVR_ENABLE))
		val |= (uint32_t)LAPIC_LVT_MASKED;
	lapic->lvt[nr] = val & lvt_writable[nr];
	if (nr == TIMER)
		go_on(lapic, count, now);
}

static void write_svr(struct lapic *lapic, uint32_t val, uint64_t now)
{
	lapic->svr = val & SVR_WRITABLE;
	for (unsigned int i = 0; i < LAPIC_NR_LVT; i++)
		write_lvt(lapic, i, lapic->lvt[i], now);
}

static uint32_t read_reg(struct lapic *lapic, unsigned int reg, uint64_t now)
{
	if (reg >= LAPIC_ISR && reg < LAPIC_TMR)
		return lapic->isr[(reg - LAPIC_ISR) / 16];
	if (reg >= LAPIC_TMR && reg < LAPIC_IRR)
		return 0; /* nothing here is level-triggered */
	if (reg >= LAPIC_IRR && reg < LAPIC_ESR)
		return lapic->irr[(reg - LAPIC_IRR) / 16];
	if (reg >= LAPIC_LVT_TIMER && reg <= LAPIC_LVT_ERROR)
		return lapic->lvt[(reg - LAPIC_LVT_TIMER) / 16];
	switch (reg) {
	case LAPIC_ID:
		return lapic->id;
	case LAPIC_VERSION:
		return VERSION;
	case LAPIC_TPR:
		return lapic->tpr;
	case LAPIC_PPR:
		return ppr(lapic);
	case LAPIC_EOI: /* write-only */
		return 0;
	case LAPIC_LDR:
		return lapic->ldr;
	case LAPIC_DFR:
		return lapic->dfr;
	case LAPIC_SVR:
		return lapic->svr;
	case LAPIC_ESR:
		return lapic->esr;
	case LAPIC_ICR:
		return lapic->icr;
	case LAPIC_ICR_HIGH:
		return lapic->icr_high;
	case LAPIC_TIMER_INITIAL:
		return lapic->initial;
	case LAPIC_TIMER_CURRENT:
		return current_count(lapic, now);
	case LAPIC_TIMER_DIVIDE:
		return lapic->divide;
	default:
		fail(lapic, LAPIC_ESR_ILLEGAL_REGISTER);
		return 0;
	}
}

static bool is_read_only(unsigned int reg)
{
	return reg == LAPIC_VERSION || reg == LAPIC_PPR ||
	       reg == LAPIC_TIMER_CURRENT ||
	       (reg >= LAPIC_ISR && reg < LAPIC_ESR);
}

static void write_reg(struct lapic *lapic, unsigned int reg, uint32_t val,
		      uint64_t now)
{
	if (is_read_only(reg))
		return;
	if (reg >= LAPIC_LVT_TIMER && reg <= LAPIC_LVT_ERROR) {
		write_lvt(lapic, (reg - LAPIC_LVT_TIMER) / 16, val, now);
		return;
	}
	switch (reg) {
	case LAPIC_ID:
		lapic->id = val & ID_WRITABLE;
		break;
	case LAPIC_TPR:
		lapic->tpr = val & 0xff;
		break;
	case LAPIC_EOI:
		end_of_interrupt(lapic);
		break;
	case LAPIC_LDR:
		lapic->ldr = val & ID_WRITABLE;
		break;
	case LAPIC_DFR:
		lapic->dfr = val | DFR_ONES;
		break;
	case LAPIC_SVR:
		write_svr(lapic, val, now);
		break;
	case LAPIC_ESR:
		lapic->esr = lapic->errors;
		lapic->errors = 0;
		break;
	case LAPIC_ICR:
		lapic->icr = val & ICR_WRITABLE;
		send(lapic, lapic->icr);
		break;
	case LAPIC_ICR_HIGH:
		lapic->icr_high = val & ID_WRITABLE;
		break;
	case LAPIC_TIMER_INITIAL:
		write_initial(lapic, val, now);
		break;
	case LAPIC_TIMER_DIVIDE:
		write_divide(lapic, val, now);
		break;
	default:
		fail(lapic, LAPIC_ESR_ILLEGAL_REGISTER);
		break;
	}
}

uint64_t lapic_read(struct lapic *lapic, unsigned int offset, unsigned int size,
		    uint64_t now)
{
	uint64_t val = 0;

	BUG_ON(!size || size > 8 || offset + size > LAPIC_SIZE);
	lapic_advance(lapic, now);
	for (unsigned int i = 0; i < size; i++) {
		unsigned int at = offset + i;
		uint64_t byte;

		if (at & 0xc)
			continue;
		byte = read_reg(lapic, at & ~15u, now) >> 8 * (at & 3) & 0xff;
		val |= byte << 8 * i;
	}
	update_intr(lapic);
	return val;
}

void lapic_write(struct lapic *lapic, unsigned int offset, unsigned int size,
		 uint64_t val, uint64_t now)
{
	BUG_ON(!size || size > 8 || offset + size > LAPIC_SIZE);
	lapic_advance(lapic, now);
	if (size == 4 && !(offset & 15))
		write_reg(lapic, offset, (uint32_t)val, now);
	update_intr(lapic);
}

/* --- IA32_APIC_BASE ------------------------------------------------------ */

/* "Local APIC State After Power-Up or Reset" */
static void reset(struct lapic *lapic)
{
	*lapic = (struct lapic){
		.msr = lapic->msr,
		.lint0 = lapic->lint0,
		.dfr = UINT32_MAX,
		.svr = SVR_RESET,
		.next_edge = LAPIC_NEVER,
	};
	for (unsigned int i = 0; i < LAPIC_NR_LVT; i++)
		lapic->lvt[i] = (uint32_t)LAPIC_LVT_MASKED;
}

void lapic_init(struct lapic *lapic)
{
	*lapic = (struct lapic){.msr = LAPIC_BASE | LAPIC_MSR_ENABLE |
				       LAPIC_MSR_BSP};
	reset(lapic);
	lapic->svr |= (uint32_t)LAPIC_SVR_ENABLE;
	lapic->lvt[LINT0] = DELIVER_EXTINT;
	lapic->lvt[LINT1] = DELIVER_NMI;
}

void lapic_init_absent(struct lapic *lapic)
{
	*lapic = (struct lapic){.next_edge = LAPIC_NEVER};
}

bool lapic_write_base(struct lapic *lapic, uint64_t val,
		      unsigned int maxphyaddr, uint64_t ram_size)
{
	bool was = lapic_is_enabled(lapic);

	if (val & MSR_RESERVED || val >> maxphyaddr ||
	    (val & LAPIC_MSR_ENABLE && (val & ~(LAPIC_SIZE - 1)) < ram_size))
		return false;
	lapic->msr = (val & ~LAPIC_MSR_BSP) | LAPIC_MSR_BSP;
	if (was != lapic_is_enabled(lapic))
		reset(lapic);
	return true;
}
