/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers of a 16550A whose transmitter takes no time.  The interrupt pin
 * is recomputed after every access from the conditions below, so that what
 * IIR says and what the pin does cannot differ.
 */
#include "platform/uart16550.h"

#include <string.h>

#include "base/bug.h"

enum {
	REG_DATA = 0, /* RBR, THR; divisor low with DLAB */
	REG_IER = 1,  /* divisor high with DLAB */
	REG_IIR = 2,  /* FCR when written */
	REG_LCR = 3,
	REG_MCR = 4,
	REG_LSR = 5,
	REG_MSR = 6,
	REG_SCRATCH = 7,
};

#define IER_RX     0x01
#define IER_THRE   0x02
#define IER_LINE   0x04
#define IER_MODEM  0x08
#define IER_MASK   0x0f
#define IIR_MODEM  0x00
#define IIR_NONE   0x01
#define IIR_THRE   0x02
#define IIR_RX     0x04
#define IIR_LINE   0x06
#define IIR_RX_OLD 0x0c /* bytes below the trigger level */
#define IIR_FIFO   0xc0
#define FCR_ENABLE 0x01
#define FCR_CLR_RX 0x02
#define FCR_LEVEL  6
#define LCR_DLAB   0x80
#define MCR_DTR    0x01
#define MCR_RTS    0x02
#define MCR_OUT1   0x04
#define MCR_OUT2   0x08
#define MCR_LOOP   0x10
#define MCR_MASK   0x1f
#define LSR_DR     0x01
#define LSR_OE     0x02
#define LSR_THRE   0x20
#define LSR_TEMT   0x40
#define MSR_DCTS   0x01
#define MSR_DDSR   0x02
#define MSR_TERI   0x04
#define MSR_DDCD   0x08
#define MSR_CTS    0x10
#define MSR_DSR    0x20
#define MSR_RI     0x40
#define MSR_DCD    0x80

static bool has_fifo(const struct uart *uart)
{
	return uart->fcr & FCR_ENABLE;
}

static unsigned int rx_trigger(const struct uart *uart)
{
	static const uint8_t level[] = {1, 4, 8, 14};

	return has_fifo(uart) ? level[uart->fcr >> FCR_LEVEL] : 1;
}

/* Modem inputs: the far end's, or our own outputs in loopback. */
static uint8_t modem_lines(const struct uart *uart)
{
	uint8_t lines = 0;

	if (!(uart->mcr & MCR_LOOP))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	if (uart->mcr & MCR_RTS)
		lines |= MSR_CTS;
	if (uart->mcr & MCR_DTR)
		lines |= MSR_DSR;
	if (uart->mcr & MCR_OUT1)
		lines |= MSR_RI;
	if (uart->mcr & MCR_OUT2)
		lines |= MSR_DCD;
	return lines;
}

/* The interrupt of highest priority, as IIR bits 0-3 name it. */
static uint8_t interrupt_id(const struct uart *uart)
{
	if ((uart->ier & IER_LINE) && uart->overrun)
		return IIR_LINE;
	if ((uart->ier & IER_RX) && uart->rx_len)
		return uart->rx_len >= rx_trigger(uart) ? IIR_RX : IIR_RX_OLD;
	if ((uart->ier & IER_THRE) && uart->thre_pending)
		return IIR_THRE;
	if ((uart->ier & IER_MODEM) && uart->msr_delta)
		return IIR_MODEM;
	return IIR_NONE;
}

/* OUT2 opens the PC's gate to IRQ4; loopback holds the OUT2 pin inactive. */
static void update_irq(struct uart *uart)
{
	bool gate = (uart->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;
	bool irq = gate && interrupt_id(uart) != IIR_NONE;

	if (!irq)
		uart->irq_fell = true;
	uart->irq = irq;
}

void uart_init(struct uart *uart)
{
	*uart = (struct uart){0};
}

static void receive(struct uart *uart, uint8_t byte)
{
	unsigned int room = has_fifo(uart) ? UART_FIFO : 1;

	if (uart->rx_len < room) {
		uart->rx[uart->rx_len++] = byte;
		return;
	}
	uart->overrun = true;
	if (!has_fifo(uart))
		uart->rx[0] = byte;
}

static uint8_t read_data(struct uart *uart)
{
	uint8_t byte = uart->rx[0];

	if (!uart->rx_len)
		return 0;
	uart->rx_len--;
	memmove(uart->rx, uart->rx + 1, uart->rx_len);
	return byte;
}

static uint8_t read_iir(struct uart *uart)
{
	uint8_t id = interrupt_id(uart);

	if (id == IIR_THRE)
		uart->thre_pending = false;
	return has_fifo(uart) ? id | IIR_FIFO : id;
}

static uint8_t read_lsr(struct uart *uart)
{
	uint8_t lsr = LSR_THRE | LSR_TEMT;

	if (uart->rx_len)
		lsr |= LSR_DR;
	if (uart->overrun)
		lsr |= LSR_OE;
	uart->overrun = false;
	return lsr;
}

static uint8_t read_msr(struct uart *uart)
{
	uint8_t msr = modem_lines(uart) | uart->msr_delta;

	uart->msr_delta = 0;
	return msr;
}

static uint8_t read_reg(struct uart *uart, unsigned int reg)
{
	if (reg <= REG_IER && (uart->lcr & LCR_DLAB))
		return uart->divisor[reg];
	switch (reg) {
	case REG_DATA:
		return read_data(uart);
	case REG_IER:
		return uart->ier;
	case REG_IIR:
		return read_iir(uart);
	case REG_LCR:
		return uart->lcr;
	case REG_MCR:
		return uart->mcr;
	case REG_LSR:
		return read_lsr(uart);
	case REG_MSR:
		return read_msr(uart);
	default:
		return uart->scratch;
	}
}

uint8_t uart_read(struct uart *uart, unsigned int reg)
{
	uint8_t val;

	BUG_ON(reg > REG_SCRATCH);
	val = read_reg(uart, reg);
	update_irq(uart);
	return val;
}

/* The holding register fills (its interrupt goes) and is empty again. */
static bool write_data(struct uart *uart, uint8_t val)
{
	uart->thre_pending = false;
	update_irq(uart);
	uart->thre_pending = true;
	if (!(uart->mcr & MCR_LOOP))
		return true;
	receive(uart, val);
	return false;
}

/* Enabling the THRE interrupt while THRE is set raises it at once. */
static void write_ier(struct uart *uart, uint8_t val)
{
	if ((val & ~uart->ier) & IER_THRE)
		uart->thre_pending = true;
	uart->ier = val & IER_MASK;
}

static void write_fcr(struct uart *uart, uint8_t val)
{
	/* The other bits count only while the FIFOs are or get enabled. */
	if (!(val & FCR_ENABLE))
		val = 0;
	if (((val ^ uart->fcr) & FCR_ENABLE) || (val & FCR_CLR_RX))
		uart->rx_len = 0;
	uart->fcr = val;
}

static void write_mcr(struct uart *uart, uint8_t val)
{
	uint8_t before = modem_lines(uart);
	uint8_t changed;

	uart->mcr = val & MCR_MASK;
	changed = before ^ modem_lines(uart);
	if (changed & MSR_CTS)
		uart->msr_delta |= MSR_DCTS;
	if (changed & MSR_DSR)
		uart->msr_delta |= MSR_DDSR;
	if (changed & before & MSR_RI) /* "trailing edge" */
		uart->msr_delta |= MSR_TERI;
	if (changed & MSR_DCD)
		uart->msr_delta |= MSR_DDCD;
}

static bool write_reg(struct uart *uart, unsigned int reg, uint8_t val)
{
	if (reg <= REG_IER && (uart->lcr & LCR_DLAB)) {
		uart->divisor[reg] = val;
		return false;
	}
	switch (reg) {
	case REG_DATA:
		return write_data(uart, val);
	case REG_IER:
		write_ier(uart, val);
		break;
	case REG_IIR:
		write_fcr(uart, val);
		break;
	case REG_LCR:
		uart->lcr = val;
		break;
	case REG_MCR:
		write_mcr(uart, val);
		break;
	case REG_SCRATCH:
		uart->scratch = val;
		break;
	default: /* LSR and MSR: factory tests only */
		break;
	}
	return false;
}

bool uart_write(struct uart *uart, unsigned int reg, uint8_t val)
{
	bool sent;

	BUG_ON(reg > REG_SCRATCH);
	sent = write_reg(uart, reg, val);
	update_irq(uart);
	return sent;
}
