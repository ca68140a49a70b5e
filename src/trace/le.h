/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers as a trace file holds them: little-endian, written one by one.  put
 * functions return where the next number goes.
 */
#ifndef NOTRAP_TRACE_LE_H
#define NOTRAP_TRACE_LE_H

#include <endian.h>
#include <string.h>

#include "base/types.h"

static inline uint32_t get_le32(const uint8_t *p)
{
	uint32_t val;

	memcpy(&val, p, sizeof(val));
	return le32toh(val);
}

static inline uint64_t get_le64(const uint8_t *p)
{
	uint64_t val;

	memcpy(&val, p, sizeof(val));
	return le64toh(val);
}

static inline uint8_t *put_le32(uint8_t *p, uint32_t val)
{
	val = htole32(val);
	memcpy(p, &val, sizeof(val));
	return p + sizeof(val);
}

static inline uint8_t *put_le64(uint8_t *p, uint64_t val)
{
	val = htole64(val);
	memcpy(p, &val, sizeof(val));
	return p + sizeof(val);
}

/* Small numbers of either sign as small numbers: 0, -1, 1, -2... */
static inline uint64_t zigzag(uint64_t delta)
{
	return (delta << 1) ^ (delta >> 63 ? ~UINT64_C(0) : 0);
}

static inline uint64_t unzigzag(uint64_t val)
{
	return (val >> 1) ^ (0 - (val & 1));
}

#endif
