/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hexadecimal digits eight at a time, the first in the lowest byte. */
#ifndef NOTRAP_IMPORT_DIGITS_H
#define NOTRAP_IMPORT_DIGITS_H

#include <string.h>

#include "base/types.h"

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static inline uint64_t digits_load(const char *p)
{
	uint64_t chars;

	memcpy(&chars, p, sizeof(chars));
	return chars;
}

/*
 * Their values, a byte each; bit 7 is set in *flaws where there is no digit, or
 * a capital.  What lies behind one that is none may be wrong.
 */
static inline uint64_t digits_of(uint64_t chars, uint64_t *flaws)
{
	uint64_t letters = chars >> 6 & EACH(1);
	uint64_t val = chars - EACH('0') - letters * ('a' - '0');

	*flaws = (val | (val + EACH(0x7f - 9) + (letters << 2))) & EACH(0x80);
	return val + letters * 10;
}

/* The number that eight values make. */
static inline uint32_t digits_number(uint64_t digits)
{
	uint64_t val =
		(digits << 4 | digits >> 8) & UINT64_C(0x00ff00ff00ff00ff);

	val = (val | val >> 8) & UINT64_C(0x0000ffff0000ffff);
	return __builtin_bswap32((uint32_t)(val | val >> 16));
}

#endif
