/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two 8259A in cascade.  Every change ends in pic_update(), which carries the
 * slave's INT pin to the master's IR2 and the master's to the processor; so
 * pic_has_interrupt() is one load.
 */
#include "platform/i8259.h"

#include "base/bug.h"

#define MASTER 0
#define SLAVE  1

/* ICW1 (even port, bit 4 set) */
#define ICW1_IC4  0x01
#define ICW1_SNGL 0x02
#define ICW1_INIT 0x10
/* ICW4 */
#define ICW4_AEOI 0x02
#define ICW4_SFNM 0x10
/* OCW3 (even port, bit 3 set) */
#define OCW3_RIS  0x01
#define OCW3_RR   0x02
#define OCW3_POLL 0x04
#define OCW3_ID   0x08
#define OCW3_SMM  0x20
#define OCW3_ESMM 0x40

#define POLL_REQUEST 0x80

/* OCW2's top three bits: R, SL, EOI. */
enum ocw2 {
	OCW2_ROTATE_AEOI_CLEAR = 0,
	OCW2_EOI = 1,
	OCW2_NOP = 2,
	OCW2_EOI_SPECIFIC = 3,
	OCW2_ROTATE_AEOI_SET = 4,
	OCW2_EOI_ROTATE = 5,
	OCW2_SET_PRIORITY = 6,
	OCW2_EOI_SPECIFIC_ROTATE = 7,
};

static uint8_t bit8(unsigned int n)
{
	return (uint8_t)(1u << n);
}

/* Place of an IR in the order of priority, 0 highest. */
static unsigned int rank_of(const struct pic_chip *chip, unsigned int ir)
{
	return (ir - chip->lowest - 1) & 7;
}

/* The IR of highest priority among bits; -1 without any. */
static int highest(const struct pic_chip *chip, uint8_t bits)
{
	for (unsigned int i = 1; i <= 8; i++) {
		unsigned int ir = (chip->lowest + i) & 7;

		if (bits & bit8(ir))
			return (int)ir;
	}
	return -1;
}

/* What in-service bits keep lower requests waiting. */
static uint8_t blocking(const struct pic_chip *chip)
{
	uint8_t isr = chip->isr;

	if (chip->special_mask)
		isr &= (uint8_t)~chip->imr;
	if (chip->special_nested)
		isr &= (uint8_t)~bit8(PIC_CASCADE);
	return isr;
}

/* The request that holds INT high; -1: INT is low. */
static int chip_request(const struct pic_chip *chip)
{
	int ir = highest(chip, chip->irr & (uint8_t)~chip->imr);
	int served = highest(chip, blocking(chip));

	if (ir < 0 || chip->awaited)
		return -1;
	if (served >= 0 && rank_of(chip, (unsigned int)served) <=
				   rank_of(chip, (unsigned int)ir))
		return -1;
	return ir;
}

static void chip_set_line(struct pic_chip *chip, unsigned int ir, bool level)
{
	uint8_t bit = bit8(ir);

	if (level) {
		if (!(chip->lines & bit))
			chip->irr |= bit;
		chip->lines |= bit;
	} else {
		chip->irr &= (uint8_t)~bit;
		chip->lines &= (uint8_t)~bit;
	}
}

static void pic_update(struct pic *pic)
{
	chip_set_line(&pic->chip[MASTER], PIC_CASCADE,
		      chip_request(&pic->chip[SLAVE]) >= 0);
	pic->intr = chip_request(&pic->chip[MASTER]) >= 0;
}

void pic_init(struct pic *pic, uint16_t lines)
{
	*pic = (struct pic){0};
	for (unsigned int i = 0; i < 2; i++) {
		struct pic_chip *chip = &pic->chip[i];

		chip->lines = (uint8_t)(lines >> (8 * i));
		chip->imr = 0xff;
		chip->base = i == MASTER ? 0x08 : 0x70;
		chip->lowest = 7;
	}
}

void pic_set_line(struct pic *pic, unsigned int irq, bool level)
{
	BUG_ON(irq >= PIC_LINES || irq == PIC_CASCADE);
	chip_set_line(&pic->chip[irq / 8], irq % 8, level);
	pic_update(pic);
}

/* An acknowledge cycle on one chip: the request becomes "in service". */
static void chip_serve(struct pic_chip *chip, unsigned int ir)
{
	chip->irr &= (uint8_t)~bit8(ir);
	if (!chip->aeoi)
		chip->isr |= bit8(ir);
	else if (chip->rotate_aeoi)
		chip->lowest = (uint8_t)ir;
}

/* The IR that was taken, or -1.  The chip's INT goes low for a moment. */
static int pic_take(struct pic *pic, unsigned int which)
{
	struct pic_chip *chip = &pic->chip[which];
	int ir = chip_request(chip);

	if (ir < 0)
		return -1;
	chip_serve(chip, (unsigned int)ir);
	if (which == SLAVE)
		chip_set_line(&pic->chip[MASTER], PIC_CASCADE, false);
	return ir;
}

uint8_t pic_ack(struct pic *pic)
{
	unsigned int which = MASTER;
	int ir = pic_take(pic, MASTER);

	if (ir == PIC_CASCADE) {
		which = SLAVE;
		ir = pic_take(pic, SLAVE);
	}
	pic_update(pic);
	return (uint8_t)(pic->chip[which].base + (ir < 0 ? 7 : ir));
}

static uint8_t poll_read(struct pic *pic, unsigned int which)
{
	int ir = pic_take(pic, which);

	pic->chip[which].poll = false;
	pic_update(pic);
	return ir < 0 ? 0 : (uint8_t)(POLL_REQUEST | ir);
}

uint8_t pic_read(struct pic *pic, unsigned int which, bool odd)
{
	const struct pic_chip *chip = &pic->chip[which];

	if (chip->poll)
		return poll_read(pic, which);
	if (odd)
		return chip->imr;
	return chip->read_isr ? chip->isr : chip->irr;
}

/* "Initialization Command Words": what ICW1 does by itself. */
static void write_icw1(struct pic_chip *chip, uint8_t val)
{
	*chip = (struct pic_chip){
		.lines = chip->lines,
		.base = chip->base,
		.lowest = 7,
		.icw1 = val,
		.awaited = 2,
	};
}

/* ICW2-4 go to the odd port; which of them come depends on ICW1. */
static void write_icw(struct pic_chip *chip, uint8_t val)
{
	bool needs_4 = chip->icw1 & ICW1_IC4;

	switch (chip->awaited) {
	case 2:
		chip->base = val & 0xf8;
		if (!(chip->icw1 & ICW1_SNGL))
			chip->awaited = 3;
		else
			chip->awaited = needs_4 ? 4 : 0;
		break;
	case 3: /* the wiring of the cascade is the PC's whatever it says */
		chip->awaited = needs_4 ? 4 : 0;
		break;
	case 4:
		chip->aeoi = val & ICW4_AEOI;
		chip->special_nested = val & ICW4_SFNM;
		chip->awaited = 0;
		break;
	default:
		BUG("no such ICW");
	}
}

static void end_of_interrupt(struct pic_chip *chip, int ir, bool rotate)
{
	if (ir < 0)
		return;
	chip->isr &= (uint8_t)~bit8((unsigned int)ir);
	if (rotate)
		chip->lowest = (uint8_t)ir;
}

static void write_ocw2(struct pic_chip *chip, uint8_t val)
{
	enum ocw2 command = val >> 5;
	int level = val & 7;

	switch (command) {
	case OCW2_ROTATE_AEOI_SET:
	case OCW2_ROTATE_AEOI_CLEAR:
		chip->rotate_aeoi = command == OCW2_ROTATE_AEOI_SET;
		break;
	case OCW2_EOI:
	case OCW2_EOI_ROTATE: {
		/* Special mask mode hides masked levels from this EOI. */
		uint8_t seen =
			chip->special_mask ? chip->isr & ~chip->imr : chip->isr;

		end_of_interrupt(chip, highest(chip, seen),
				 command == OCW2_EOI_ROTATE);
		break;
	}
	case OCW2_EOI_SPECIFIC:
	case OCW2_EOI_SPECIFIC_ROTATE:
		end_of_interrupt(chip, level,
				 command == OCW2_EOI_SPECIFIC_ROTATE);
		break;
	case OCW2_SET_PRIORITY:
		chip->lowest = (uint8_t)level;
		break;
	case OCW2_NOP:
		break;
	}
}

static void write_ocw3(struct pic_chip *chip, uint8_t val)
{
	if (val & OCW3_ESMM)
		chip->special_mask = val & OCW3_SMM;
	if (val & OCW3_RR)
		chip->read_isr = val & OCW3_RIS;
	chip->poll = val & OCW3_POLL;
}

void pic_write(struct pic *pic, unsigned int which, bool odd, uint8_t val)
{
	struct pic_chip *chip = &pic->chip[which];

	if (!odd && (val & ICW1_INIT))
		write_icw1(chip, val);
	else if (!odd && (val & OCW3_ID))
		write_ocw3(chip, val);
	else if (!odd)
		write_ocw2(chip, val);
	else if (chip->awaited)
		write_icw(chip, val);
	else
		chip->imr = val;
	pic_update(pic);
}
