/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A 16550 at 0x3f8, polled, one character at a time: each costs two port
 * accesses.  No input.
 */
#include <stdarg.h>

#include "kernel/console.h"
#include "kernel/x86.h"

#define SERIAL    0x3f8
#define LSR       (SERIAL + 5)
#define LSR_THRE  0x20
#define EXIT_PORT 0xf4
#define MARK_PORT 0xf5

static void put_char(char c)
{
	while (!(inb(LSR) & LSR_THRE))
		;
	outb(SERIAL, (u8)c);
}

void console_write(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		put_char(text[i]);
}

static void put_number(u64 val, u32 radix, size_t width)
{
	char buf[24];
	char *end = buf + sizeof(buf);
	char *start = format_number(end, val, radix);

	for (size_t len = (size_t)(end - start); len < width; len++)
		put_char('0');
	console_write(start, (size_t)(end - start));
}

static bool starts_with(const char *text, const char *prefix)
{
	while (*prefix)
		if (*text++ != *prefix++)
			return false;
	return true;
}

/* Print one conversion, which begins after its '%'; gives its length. */
static size_t put_conversion(const char *spec, va_list *args)
{
	if (starts_with(spec, "s")) {
		const char *s = va_arg(*args, const char *);

		console_write(s, strlen(s));
		return 1;
	}
	if (starts_with(spec, "c")) {
		put_char((char)va_arg(*args, int));
		return 1;
	}
	if (starts_with(spec, "llu")) {
		put_number(va_arg(*args, u64), 10, 0);
		return 3;
	}
	if (starts_with(spec, "llx")) {
		put_number(va_arg(*args, u64), 16, 0);
		return 3;
	}
	if (starts_with(spec, "016llx")) {
		put_number(va_arg(*args, u64), 16, 16);
		return 6;
	}
	put_char('%');
	return 0;
}

void print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	while (*format) {
		char c = *format++;

		if (c == '%')
			format += put_conversion(format, &args);
		else
			put_char(c);
	}
	va_end(args);
}

void console_mark(u64 val)
{
	outb(MARK_PORT, (u8)val);
}

_Noreturn void machine_exit(u32 code)
{
	outl(EXIT_PORT, code);
	for (;;)
		__asm__ volatile("cli; hlt");
}

_Noreturn void machine_refused(const char *why)
{
	print("%s\n", why);
	machine_exit(EXIT_MACHINE);
}
