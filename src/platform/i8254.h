/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 8254 timer of a PC with port 0x61, after the Intel 8254 data sheet
 * (order number 231164): channel 0 drives IRQ0, channel 2 the speaker whose
 * gate and output port 0x61 shows.
 *
 * Modelled: modes 0, 2, 3 and 4, latch and read-back commands, byte order,
 * a new count at the end of the (half) period in modes 2 and 3, the gate of
 * channel 2.  Left out: modes 1 and 5 (their OUT stays high: only a trigger
 * at the gate starts them) and BCD counting (counts are binary).
 *
 * Nothing ticks here: OUT and the counts are functions of the virtual time
 * that each call hands in, in nanoseconds, exact in integers.  A time must not
 * be smaller than the one before, and pit_advance() comes before any other
 * call with a new time: a write forgets the edge that nobody asked about.
 */
#ifndef NOTRAP_PLATFORM_I8254_H
#define NOTRAP_PLATFORM_I8254_H

#include "base/types.h"

#define PIT_HZ      UINT64_C(1193182) /* 14.31818 MHz / 12, rounded */
#define PIT_NEVER   UINT64_MAX
#define NS_PER_SEC  UINT64_C(1000000000)
#define PIT_CONTROL 3 /* the register after the three counters */

struct pit_channel {
	uint8_t control; /* the control word's low six bits, as read back */
	uint8_t mode;
	bool gate;
	bool armed; /* a whole count came after the control word */

	uint32_t count;      /* 1..65536, or 0 before the first */
	uint64_t load;       /* clock that loads (or loaded) it */
	uint32_t phase;      /* modes 2, 3: where in the period that was */
	uint64_t held;       /* modes 0, 4: clocks counted when gate fell */
	uint32_t next_count; /* modes 2, 3: waits for switch_at; 0: none */
	uint64_t switch_at;
	bool switch_low; /* ... which is the middle of a square wave */

	uint8_t write_lsb;
	bool write_msb; /* the next byte written is the second */
	bool read_msb;  /* the next byte read is the second */
	bool latched;
	bool status_latched;
	uint16_t latch;
	uint8_t status;
};

/* Plain state: may be copied. */
struct pit {
	struct pit_channel channel[3];
	uint8_t port61;     /* bits 0-3 as written */
	uint64_t next_edge; /* when OUT of channel 0 changes; PIT_NEVER */
};

/* As firmware leaves it, but stopped: mode 3, OUT high, no count. */
void pit_init(struct pit *pit);

/* reg: 0..2 a counter, PIT_CONTROL the control word (reads all ones). */
uint8_t pit_read(struct pit *pit, unsigned int reg, uint64_t now);
void pit_write(struct pit *pit, unsigned int reg, uint8_t val, uint64_t now);

/* Port 0x61: gate 2, speaker, refresh toggle, OUT 2. */
uint8_t pit_read_port61(struct pit *pit, uint64_t now);
void pit_write_port61(struct pit *pit, uint8_t val, uint64_t now);

bool pit_out(struct pit *pit, unsigned int channel, uint64_t now);

/*
 * Moves next_edge past now.  True: OUT of channel 0 changed at least once
 * since the call before, so if it is high now it has risen.
 */
bool pit_advance(struct pit *pit, uint64_t now);

/* Clocks up to and including now; the first ns at which n clocks are over. */
uint64_t pit_clocks(uint64_t now);
uint64_t pit_clock_time(uint64_t n);

#endif
