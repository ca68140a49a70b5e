/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The library of a program without one.  Built twice: once for the kernel,
 * once for the user programs.  memset and memcpy are string instructions, so
 * that the compiler cannot turn them into calls of themselves; eight bytes at
 * a time, as Linux clears and copies pages: a byte-wise clear of a frame that
 * was a page table would look odd to a shadow MMU.
 */
#include "common/types.h"

void *memset(void *dst, int byte, size_t len)
{
	void *p = dst;
	u64 words = len / 8;
	u64 bytes = len % 8;

	__asm__ volatile("rep stosq"
			 : "+D"(p), "+c"(words)
			 : "a"((u8)byte * 0x0101010101010101ul)
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
	u64 words = len / 8;
	u64 bytes = len % 8;

	__asm__ volatile("rep movsq"
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
