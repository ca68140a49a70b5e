/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Integer names, page arithmetic and the few string functions a compiler may
 * call by itself; shared by mini's kernel and its user programs.
 */
#ifndef MINI_TYPES_H
#define MINI_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
/* The same everywhere, so that %llu prints it. */
typedef unsigned long long u64;
typedef uintptr_t uptr; /* a linear address as the code has it */

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ull
#define PAGE_MASK  (~(PAGE_SIZE - 1))

static inline u64 page_down(u64 addr)
{
	return addr & PAGE_MASK;
}

static inline u64 page_up(u64 addr)
{
	return (addr + PAGE_SIZE - 1) & PAGE_MASK;
}

void *memset(void *dst, int byte, size_t len);
void *memcpy(void *dst, const void *src, size_t len);
size_t strlen(const char *s);
bool str_equal(const char *a, const char *b);

/* Write val as text (decimal or hexadecimal) before end; gives its start. */
char *format_number(char *end, u64 val, u32 radix);

#endif
