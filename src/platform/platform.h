/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PC around the processor: two 8259A, an 8254, a 16550A, a CMOS clock, a
 * local APIC and the ports that end a run.  It is what live runs put behind IN
 * and OUT.
 *
 *   0x20-21, 0xa0-a1  interrupt controllers   0x40-43, 0x61  timer
 *   0x70-71           CMOS clock              0x3f8-3ff      COM1, IRQ4
 *   0x64 <- 0xfe, 0xcf9 <- bit 2 set (one byte): reset, which ends the run
 *   0xf4 <- any value of any size: exit with that value (isa-debug-exit)
 *   Every other port reads all ones, as a bus does that nobody drives, and
 *   ignores writes; so do a guest's marks (0xf5) and POST codes (0x80).
 * Wider accesses are split into bytes as the ISA bus does.  A local APIC, if
 * the processor has one, has its registers in memory (lapic.h).
 *
 * Time is virtual: now, in nanoseconds since the start, comes with each call
 * and never goes back (an older one counts as the newest seen).  No host
 * clock, no globals, no allocation after create; the state is plain, so a
 * copy of the struct is a second machine with the same console.
 */
#ifndef NOTRAP_PLATFORM_PLATFORM_H
#define NOTRAP_PLATFORM_PLATFORM_H

#include "platform/console.h"
#include "platform/i8254.h"
#include "platform/i8259.h"
#include "platform/lapic.h"
#include "platform/rtc.h"
#include "platform/uart16550.h"

#define IRQ_TIMER 0
#define IRQ_COM1  4

enum platform_stop_kind {
	PLATFORM_RUNS = 0,
	PLATFORM_EXIT,  /* the guest wrote value to the exit port */
	PLATFORM_RESET, /* the guest asked for a reset */
};

struct platform_stop {
	enum platform_stop_kind kind;
	uint32_t value;
};

struct platform {
	uint64_t now;
	struct pic pic;
	struct pit pit;
	struct uart uart;
	struct rtc rtc;
	struct lapic lapic;
	uint8_t reset_control;
	struct platform_stop stop;
	struct console *console; /* the caller's; NULL: output is lost */
};

/* NULL: out of memory.  destroy takes NULL. */
struct platform *platform_create(struct console *console);
void platform_destroy(struct platform *p);

/*
 * size: 1, 2 or 4.  Due timer edges fire first.  Look at platform_stop() after
 * a write; after the first end nothing changes it.
 */
uint32_t platform_io_read(struct platform *p, uint16_t port, unsigned int size,
			  uint64_t now);
void platform_io_write(struct platform *p, uint16_t port, unsigned int size,
		       uint32_t val, uint64_t now);

/* The processor has a local APIC; before anything else. */
void platform_add_apic(struct platform *p);

/* WRMSR of IA32_APIC_BASE, as lapic_write_base(). */
bool platform_write_apic_base(struct platform *p, uint64_t val,
			      unsigned int maxphyaddr, uint64_t ram_size,
			      uint64_t now);

/*
 * Where there is no RAM: size 1..8, within a page.  Where no local APIC is
 * either all ones are read, and writes go nowhere.
 */
uint64_t platform_mmio_read(struct platform *p, uint64_t gpa, unsigned int size,
			    uint64_t now);
void platform_mmio_write(struct platform *p, uint64_t gpa, unsigned int size,
			 uint64_t val, uint64_t now);

/*
 * When platform_advance() may have an interrupt to raise; UINT64_MAX: never
 * unless the guest writes to a device.  Falling edges are events too, so an
 * event need not leave an interrupt: a halted processor goes on to the next
 * one.  Edges of a timer that is masked wait for whoever looks next.
 */
static inline uint64_t platform_next_event(const struct platform *p)
{
	if (pic_is_masked(&p->pic, IRQ_TIMER))
		return p->lapic.next_edge;
	return min_u64(p->pit.next_edge, p->lapic.next_edge);
}

void platform_advance(struct platform *p, uint64_t now);

static inline bool platform_irq_pending(const struct platform *p)
{
	return p->lapic.intr ||
	       (pic_has_interrupt(&p->pic) && lapic_passes_pic(&p->lapic));
}

/*
 * Acknowledge; the vector.  The 8259 pair comes before the local APIC's own.
 * Spurious ones included, as pic_ack() says.
 */
uint8_t platform_ack(struct platform *p);

static inline struct platform_stop platform_stop(const struct platform *p)
{
	return p->stop;
}

#endif
