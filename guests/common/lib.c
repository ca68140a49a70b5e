/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The library of a program without one.  Built twice: once for the kernel,
 * once for the user programs.  memset and memcpy are string instructions, so
 * that the compiler cannot turn them into calls of themselves; eight bytes at
 * a time (four in 32-bit code), as Linux clears and copies pages: a byte-wise
 * clear of a frame that was a page table would look odd to a shadow MMU.
 */
#include "common/types.h"

#ifdef __x86_64__
#define WORD_STOS "rep stosq"
#define WORD_MOVS "rep movsq"
#else
#define WORD_STOS "rep stosl"
#define WORD_MOVS "rep movsl"
#endif

void *memset(void *dst, int byte, size_t len)
{
	void *p = dst;
	uptr words = len / sizeof(uptr);
	uptr bytes = len % sizeof(uptr);

	__asm__ volatile(WORD_STOS
			 : "+D"(p), "+c"(words)
			 : "a"((u8)byte * (uptr)0x0101010101010101ull)
			 : "memory");
	__asm__ volatile("rep stosb"
			 : "+D"(p), "+c"(bytes)
			 : "a"(byte)
			 : "memory");
	return dst;
}

void *memcpy(void *dst, const void *src, size_t len)
{
	void *p = dst;
	uptr words = len / sizeof(uptr);
	uptr bytes = len % sizeof(uptr);

	__asm__ volatile(WORD_MOVS
			 : "+D"(p), "+S"(src), "+c"(words)
			 :
			 : "memory");
	__asm__ volatile("rep movsb"
			 : "+D"(p), "+S"(src), "+c"(bytes)
			 :
			 : "memory");
	return dst;
}

size_t strlen(const char *s)
{
	size_t len = 0;

	while (s[len])
		len++;
	return len;
}

bool str_equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

char *format_number(char *end, u64 val, u32 radix)
{
	do {
		*--end = "0123456789abcdef"[val % radix];
		val /= radix;
	} while (val);
	return end;
}

#ifndef __x86_64__
/* What a 32-bit compiler calls for 64-bit division; no library is linked. */
u64 __udivmoddi4(u64 a, u64 b, u64 *rest);
u64 __udivdi3(u64 a, u64 b);
u64 __umoddi3(u64 a, u64 b);

u64 __udivmoddi4(u64 a, u64 b, u64 *rest)
{
	u64 quotient = 0, left = 0;

	for (int i = 63; i >= 0; i--) {
		left = left << 1 | (a >> i & 1);
		quotient <<= 1;
		if (left >= b) {
			left -= b;
			quotient |= 1;
		}
	}
	*rest = left;
	return quotient;
}

u64 __udivdi3(u64 a, u64 b)
{
	u64 rest;

	return __udivmoddi4(a, b, &rest);
}

u64 __umoddi3(u64 a, u64 b)
{
	u64 rest;

	__udivmoddi4(a, b, &rest);
	return rest;
}
#endif
