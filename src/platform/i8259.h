/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pair of 8259A interrupt controllers of a PC, as the Intel 8259A data
 * sheet (order number 231468) describes them: master at ports 0x20-0x21,
 * slave at 0xa0-0xa1 with its INT pin on the master's IR2.
 *
 * Modelled: ICW1-4, OCW1-3, fully nested priorities, rotation, special mask
 * mode, special fully nested mode, polling, automatic EOI, spurious IR7.
 * Left out: level triggering (ICW1's LTIM is ignored, as chipsets with an ELCR
 * do; there is no ELCR), the MCS-80 mode and buffered mode.
 *
 * A request lives as long as its line is high and nobody acknowledged it: a
 * line that falls takes its request back, as the data sheet says.
 */
#ifndef NOTRAP_PLATFORM_I8259_H
#define NOTRAP_PLATFORM_I8259_H

#include "base/types.h"

#define PIC_LINES   16
#define PIC_CASCADE 2 /* the master's IR2; no device may use it */

struct pic_chip {
	uint8_t lines; /* levels of IR0-7 */
	uint8_t irr;
	uint8_t imr;
	uint8_t isr;
	uint8_t base;    /* ICW2: vector of IR0, a multiple of eight */
	uint8_t lowest;  /* the IR of lowest priority, 7 unless rotated */
	uint8_t icw1;    /* while an initialization goes on */
	uint8_t awaited; /* the ICW that the odd port expects; 0: OCW1 */
	bool aeoi;
	bool rotate_aeoi;
	bool special_mask;
	bool special_nested;
	bool read_isr;
	bool poll;
};

/* Plain state: may be copied.  [0] is the master, [1] the slave. */
struct pic {
	struct pic_chip chip[2];
	bool intr; /* the INT pin of the master */
};

/*
 * Power-up state: everything masked, vectors 0x08 and 0x70 as PC firmware
 * leaves them.  lines: the levels IRQ0-15 have now; they are no requests yet.
 */
void pic_init(struct pic *pic, uint16_t lines);

/* irq: 0..15 but not PIC_CASCADE.  A rise is a request, a fall ends it. */
void pic_set_line(struct pic *pic, unsigned int irq, bool level);

static inline bool pic_is_masked(const struct pic *pic, unsigned int irq)
{
	return pic->chip[irq / 8].imr >> irq % 8 & 1;
}

static inline bool pic_has_interrupt(const struct pic *pic)
{
	return pic->intr;
}

/*
 * The processor's acknowledge cycle: the vector.  Without a request this is
 * the spurious vector, IR7 of the chip that was asked, and nothing is in
 * service because of it (but the cascade, if it was the slave).
 */
uint8_t pic_ack(struct pic *pic);

/* chip: 0 master, 1 slave.  odd: the port with A0 set. */
uint8_t pic_read(struct pic *pic, unsigned int chip, bool odd);
void pic_write(struct pic *pic, unsigned int chip, bool odd, uint8_t val);

#endif
