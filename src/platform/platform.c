/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decodes ports and wires interrupt lines; the devices know none of it. */
#include "platform/platform.h"

#include <stdlib.h>

#include "base/bug.h"

#define PORT_PIC_MASTER  0x20
#define PORT_PIC_SLAVE   0xa0
#define PORT_PIT         0x40
#define PORT_SPEAKER     0x61
#define PORT_KBD_COMMAND 0x64
#define PORT_RTC         0x70
#define PORT_EXIT        0xf4
#define PORT_COM1        0x3f8
#define PORT_RESET       0xcf9

#define KBD_PULSE_RESET 0xfe
#define RESET_CPU       0x04
#define NOBODY          0xff

struct platform *platform_create(struct console *console)
{
	struct platform *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->console = console;
	pit_init(&p->pit);
	pic_init(&p->pic, 1u << IRQ_TIMER); /* OUT of channel 0 is high */
	uart_init(&p->uart);
	rtc_init(&p->rtc);
	lapic_init_absent(&p->lapic);
	return p;
}

void platform_destroy(struct platform *p)
{
	free(p);
}

static void stop(struct platform *p, enum platform_stop_kind kind,
		 uint32_t value)
{
	if (p->stop.kind == PLATFORM_RUNS)
		p->stop = (struct platform_stop){kind, value};
}

void platform_add_apic(struct platform *p)
{
	lapic_init(&p->lapic);
}

/* After all that may have moved the INTR pin of the 8259 pair. */
static void wire_intr(struct platform *p)
{
	lapic_set_lint0(&p->lapic, pic_has_interrupt(&p->pic));
}

/* However many edges came, the last level after a low one is what counts. */
static void advance_timer(struct platform *p)
{
	if (!pit_advance(&p->pit, p->now))
		return;
	pic_set_line(&p->pic, IRQ_TIMER, false);
	pic_set_line(&p->pic, IRQ_TIMER, pit_out(&p->pit, 0, p->now));
	wire_intr(p);
}

void platform_advance(struct platform *p, uint64_t now)
{
	p->now = max_u64(p->now, now);
	advance_timer(p);
	lapic_advance(&p->lapic, p->now);
}

uint8_t platform_ack(struct platform *p)
{
	uint8_t vector;

	if (p->lapic.intr &&
	    !(pic_has_interrupt(&p->pic) && lapic_passes_pic(&p->lapic)))
		return lapic_ack(&p->lapic);
	vector = pic_ack(&p->pic);
	wire_intr(p);
	return vector;
}

bool platform_write_apic_base(struct platform *p, uint64_t val,
			      unsigned int maxphyaddr, uint64_t ram_size,
			      uint64_t now)
{
	platform_advance(p, now);
	return lapic_write_base(&p->lapic, val, maxphyaddr, ram_size);
}

static void wire_uart(struct platform *p)
{
	if (p->uart.irq_fell)
		pic_set_line(&p->pic, IRQ_COM1, false);
	p->uart.irq_fell = false;
	pic_set_line(&p->pic, IRQ_COM1, p->uart.irq);
}

static uint8_t uart_in(struct platform *p, unsigned int reg)
{
	uint8_t val = uart_read(&p->uart, reg);

	wire_uart(p);
	return val;
}

static void uart_out(struct platform *p, unsigned int reg, uint8_t val)
{
	if (uart_write(&p->uart, reg, val) && p->console)
		console_put(p->console, val);
	wire_uart(p);
}

static void pit_write_reg(struct platform *p, unsigned int reg, uint8_t val)
{
	pit_write(&p->pit, reg, val, p->now);
	pic_set_line(&p->pic, IRQ_TIMER, pit_out(&p->pit, 0, p->now));
}

static uint8_t read_byte(struct platform *p, unsigned int port)
{
	switch (port) {
	case PORT_PIC_MASTER:
	case PORT_PIC_MASTER + 1:
		return pic_read(&p->pic, 0, port & 1);
	case PORT_PIC_SLAVE:
	case PORT_PIC_SLAVE + 1:
		return pic_read(&p->pic, 1, port & 1);
	case PORT_SPEAKER:
		return pit_read_port61(&p->pit, p->now);
	case PORT_RTC + 1:
		return rtc_read(&p->rtc, p->now);
	default:
		break;
	}
	if (port >= PORT_PIT && port <= PORT_PIT + PIT_CONTROL)
		return pit_read(&p->pit, port - PORT_PIT, p->now);
	if (port >= PORT_COM1 && port <= PORT_COM1 + 7)
		return uart_in(p, port - PORT_COM1);
	return NOBODY;
}

static void write_byte(struct platform *p, unsigned int port, uint8_t val)
{
	switch (port) {
	case PORT_PIC_MASTER:
	case PORT_PIC_MASTER + 1:
		pic_write(&p->pic, 0, port & 1, val);
		return;
	case PORT_PIC_SLAVE:
	case PORT_PIC_SLAVE + 1:
		pic_write(&p->pic, 1, port & 1, val);
		return;
	case PORT_SPEAKER:
		pit_write_port61(&p->pit, val, p->now);
		return;
	case PORT_RTC:
		rtc_write_index(&p->rtc, val);
		return;
	case PORT_RTC + 1:
		rtc_write(&p->rtc, val);
		return;
	case PORT_KBD_COMMAND:
		if (val == KBD_PULSE_RESET)
			stop(p, PLATFORM_RESET, 0);
		return;
	default:
		break;
	}
	if (port >= PORT_PIT && port <= PORT_PIT + PIT_CONTROL)
		pit_write_reg(p, port - PORT_PIT, val);
	else if (port >= PORT_COM1 && port <= PORT_COM1 + 7)
		uart_out(p, port - PORT_COM1, val);
}

/* Bit 2 has to rise. */
static void write_reset_control(struct platform *p, uint8_t val)
{
	if (val & ~p->reset_control & RESET_CPU)
		stop(p, PLATFORM_RESET, 0);
	p->reset_control = val;
}

uint64_t platform_mmio_read(struct platform *p, uint64_t gpa, unsigned int size,
			    uint64_t now)
{
	BUG_ON(!size || size > 8);
	platform_advance(p, now);
	if (lapic_is_at(&p->lapic, gpa))
		return lapic_read(&p->lapic, gpa % LAPIC_SIZE, size, p->now);
	return BITS(8 * size - 1, 0);
}

void platform_mmio_write(struct platform *p, uint64_t gpa, unsigned int size,
			 uint64_t val, uint64_t now)
{
	BUG_ON(!size || size > 8);
	platform_advance(p, now);
	if (lapic_is_at(&p->lapic, gpa))
		lapic_write(&p->lapic, gpa % LAPIC_SIZE, size, val, p->now);
}

static bool is_io_size(unsigned int size)
{
	return size == 1 || size == 2 || size == 4;
}

uint32_t platform_io_read(struct platform *p, uint16_t port, unsigned int size,
			  uint64_t now)
{
	uint32_t val = 0;

	BUG_ON(!is_io_size(size));
	platform_advance(p, now);
	if (port == PORT_RESET && size == 1)
		return p->reset_control;
	for (unsigned int i = 0; i < size; i++)
		val |= (uint32_t)read_byte(p, port + i) << (8 * i);
	wire_intr(p);
	return val;
}

void platform_io_write(struct platform *p, uint16_t port, unsigned int size,
		       uint32_t val, uint64_t now)
{
	BUG_ON(!is_io_size(size));
	platform_advance(p, now);
	if (port == PORT_EXIT) {
		stop(p, PLATFORM_EXIT, val & (uint32_t)BITS(8 * size - 1, 0));
		return;
	}
	/* Only a byte: four bytes at 0xcf8 are PCI's address register. */
	if (port == PORT_RESET && size == 1) {
		write_reset_control(p, (uint8_t)val);
		return;
	}
	for (unsigned int i = 0; i < size; i++)
		write_byte(p, port + i, (uint8_t)(val >> (8 * i)));
	wire_intr(p);
}
