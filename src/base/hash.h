/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Multiplicative hashing: spread a 64-bit key over 2^bits buckets. */
#ifndef NOTRAP_BASE_HASH_H
#define NOTRAP_BASE_HASH_H

#include "base/types.h"

static inline uint32_t hash_u64(uint64_t key, unsigned int bits)
{
	return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - bits));
}

/* 64-bit FNV-1a over bytes; start with FNV64_INIT, chain by passing it on. */
#define FNV64_INIT UINT64_C(0xcbf29ce484222325)

static inline uint64_t fnv64(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h;
}

#endif
