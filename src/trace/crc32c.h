/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CRC-32C: the Castagnoli polynomial 0x1edc6f41, reflected, all ones before
 * and after, as in RFC 3720 (iSCSI), B.4.  Its check value, over the digits
 * "123456789", is 0xe3069283.
 */
#ifndef NOTRAP_TRACE_CRC32C_H
#define NOTRAP_TRACE_CRC32C_H

#include "base/types.h"

struct crc32c {
	uint32_t table[8][256]; /* [n][b]: byte b with n zero bytes after it */
};

void crc32c_init(struct crc32c *c);

/* Start with 0 and chain by passing the result on. */
uint32_t crc32c_update(const struct crc32c *c, uint32_t crc, const void *data,
		       size_t len);

#endif
