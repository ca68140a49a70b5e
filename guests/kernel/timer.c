/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programmed as a PC's firmware and kernel do; no reading of the counter.
 */
#include "kernel/timer.h"

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

static bool is_on;

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

void timer_init(u64 hz)
{
	u64 divisor;

	is_on = hz != 0;
	pic_init(is_on ? MASK_NOT_IRQ0 : MASK_ALL);
	if (!is_on)
		return;
	divisor = PIT_CLOCK / hz;
	outb(PIT_CMD, PIT_RATE);
	outb(PIT_CH0, (u8)divisor);
	outb(PIT_CH0, (u8)(divisor >> 8));
}

bool timer_is_on(void)
{
	return is_on;
}

enum timer_result timer_interrupt(u64 vector)
{
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
