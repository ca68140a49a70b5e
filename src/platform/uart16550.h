/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A 16550A serial port, by the National Semiconductor PC16550D data sheet and
 * the wiring of a PC: COM1 at 0x3f8, IRQ4 through the OUT2 pin.
 *
 * The line is infinitely fast and the far end always ready: a byte written
 * has left at once, so THRE and TEMT are always set, and CTS, DSR and DCD are
 * high.  Nobody types: bytes arrive only in loopback.  Left out: baud rate,
 * parity, breaks, and the wait of four characters before a FIFO below its
 * trigger level reports (it reports at once).
 */
#ifndef NOTRAP_PLATFORM_UART16550_H
#define NOTRAP_PLATFORM_UART16550_H

#include "base/types.h"

#define UART_FIFO 16

/* Plain state: may be copied. */
struct uart {
	uint8_t ier;
	uint8_t fcr;
	uint8_t lcr;
	uint8_t mcr;
	uint8_t scratch;
	uint8_t divisor[2];
	uint8_t msr_delta; /* MSR bits 0-3: which inputs changed */
	bool thre_pending; /* "holding register empty" not yet reported */
	bool overrun;
	uint8_t rx[UART_FIFO]; /* oldest first */
	uint8_t rx_len;

	bool irq;      /* level of IRQ4 */
	bool irq_fell; /* it was low since the owner last cleared this */
};

void uart_init(struct uart *uart);

/* reg: 0..7, the port's offset. */
uint8_t uart_read(struct uart *uart, unsigned int reg);

/*
 * True: the write sent a byte over the line, and it is val.  An interrupt
 * that goes away and comes back within one write leaves irq set and irq_fell
 * set: whoever wires it to an edge-triggered controller needs both.
 */
bool uart_write(struct uart *uart, unsigned int reg, uint8_t val);

#endif
