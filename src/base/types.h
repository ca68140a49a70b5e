/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The address types every module speaks in, and the bit helpers.
 *
 * gva: guest virtual (linear).  gpa: guest physical.  hpa: host physical, the
 * space in which Unicorn finds guest RAM and shadow tables.  gfn: gpa >> 12.
 * They are all 64-bit numbers; the names say which space one lives in.
 */
#ifndef NOTRAP_BASE_TYPES_H
#define NOTRAP_BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t gva_t;
typedef uint64_t gpa_t;
typedef uint64_t hpa_t;
typedef uint64_t gfn_t;

#define BIT(n) (UINT64_C(1) << (n))

/* Bits hi..lo, both included: BITS(51, 12). */
#define BITS(hi, lo) ((~UINT64_C(0) >> (63 - (hi))) & (~UINT64_C(0) << (lo)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define PAGE_SHIFT 12
#define PAGE_SIZE  UINT64_C(4096)
#define PAGE_MASK  (PAGE_SIZE - 1)

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The upper half of the product. */
static inline uint64_t mul_high(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 product;

	return (uint64_t)((product)a * b >> 64);
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* For the slow half of a hot function: keeps its registers out of the hit. */
#define cold_path __attribute__((noinline, cold))
/* The same, of one that is not rare: it is made to be fast, too. */
#define slow_path __attribute__((noinline))
/* Compiled anew wherever it is called, for the constants that it is given. */
#define specialised static inline __attribute__((always_inline))

#endif
