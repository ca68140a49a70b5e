/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programmed as a PC's firmware and kernel do; no reading of the counter.
 */
#include "kernel/timer.h"

#include "kernel/console.h"
#include "kernel/paging.h"
#include "kernel/x86.h"

#define PIC1_CMD      0x20
#define PIC1_DATA     0x21
#define PIC2_CMD      0xa0
#define PIC2_DATA     0xa1
#define PIC_INIT      0x11 /* ICW1: edge, cascade, ICW4 follows */
#define PIC_8086      0x01 /* ICW4 */
#define PIC_EOI       0x20
#define PIC2_LINE     2 /* the second 8259 hangs on this line of the first */
#define MASK_ALL      0xff
#define MASK_NOT_IRQ0 0xfe

#define PIT_CH0   0x40
#define PIT_CMD   0x43
#define PIT_RATE  0x34 /* channel 0, low then high byte, mode 2 */
#define PIT_CLOCK 1193182ull

#define VEC_TIMER     VEC_IRQ
#define VEC_SPURIOUS1 (VEC_IRQ + 7)
#define VEC_SPURIOUS2 (VEC_IRQ + 15)

#define APIC_PA        0xfee00000ull
#define APIC_CLOCK     1000000000ull /* this machine's, undivided */
#define APIC_EOI       (0xb0 / 4)
#define APIC_SVR       (0xf0 / 4)
#define APIC_LVT_TIMER (0x320 / 4)
#define APIC_LINT0     (0x350 / 4)
#define APIC_INITIAL   (0x380 / 4)
#define APIC_DIVIDE    (0x3e0 / 4)
#define SVR_ENABLE     0x100
#define LVT_PERIODIC   0x20000
#define LVT_MASKED     0x10000
#define DIVIDE_BY_1    0xb
#define CPUID_EDX_APIC (1u << 9)

#define VEC_APIC      (VEC_IRQ + 1)
#define VEC_APIC_NONE (VEC_IRQ + 15) /* its spurious vector */

static bool is_on;
static volatile u32 *apic; /* NULL: the 8254 ticks */

static void pic_init(u8 mask)
{
	outb(PIC1_CMD, PIC_INIT);
	outb(PIC1_DATA, VEC_IRQ);
	outb(PIC1_DATA, 1 << PIC2_LINE);
	outb(PIC1_DATA, PIC_8086);
	outb(PIC2_CMD, PIC_INIT);
	outb(PIC2_DATA, VEC_IRQ + 8);
	outb(PIC2_DATA, PIC2_LINE);
	outb(PIC2_DATA, PIC_8086);
	outb(PIC1_DATA, mask);
	outb(PIC2_DATA, MASK_ALL);
}

static void apic_init(u64 hz)
{
	if (!(cpuid(1).edx & CPUID_EDX_APIC))
		machine_refused("timer=apic, but there is no local APIC");
	apic = kernel_map_frame(FRAME_APIC, APIC_PA);
	apic[APIC_SVR] = SVR_ENABLE | VEC_APIC_NONE;
	apic[APIC_LINT0] = LVT_MASKED;
	apic[APIC_DIVIDE] = DIVIDE_BY_1;
	apic[APIC_LVT_TIMER] = LVT_PERIODIC | VEC_APIC;
	apic[APIC_INITIAL] = (u32)(APIC_CLOCK / hz);
}

static void pit_init(u64 hz)
{
	u64 divisor = PIT_CLOCK / hz;

	outb(PIT_CMD, PIT_RATE);
	outb(PIT_CH0, (u8)divisor);
	outb(PIT_CH0, (u8)(divisor >> 8));
}

void timer_init(u64 hz, bool use_apic)
{
	is_on = hz != 0;
	pic_init(is_on && !use_apic ? MASK_NOT_IRQ0 : MASK_ALL);
	if (is_on && use_apic)
		apic_init(hz);
	else if (is_on)
		pit_init(hz);
}

/* Is it one of the APIC's? */
static enum timer_result apic_interrupt(u64 vector)
{
	switch (vector) {
	case VEC_APIC:
		apic[APIC_EOI] = 0;
		return TIMER_TICK;
	case VEC_APIC_NONE:
		return TIMER_NOTHING;
	default:
		return TIMER_NOT_MINE;
	}
}

bool timer_is_on(void)
{
	return is_on;
}

enum timer_result timer_interrupt(u64 vector)
{
	if (apic)
		return apic_interrupt(vector);
	switch (vector) {
	case VEC_TIMER:
		outb(PIC1_CMD, PIC_EOI);
		return TIMER_TICK;
	case VEC_SPURIOUS2:
		outb(PIC1_CMD, PIC_EOI); /* the line to the second is real */
		return TIMER_NOTHING;
	case VEC_SPURIOUS1:
		return TIMER_NOTHING;
	default:
		return TIMER_NOT_MINE;
	}
}
