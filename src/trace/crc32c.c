/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Eight bytes a step by eight tables: the CRC is linear, so the bytes' shares
 * are looked up apart and added (xor).  No use of the processor's own CRC
 * instruction: a trace has a tenth of a byte a reference to check.
 */
#include "trace/crc32c.h"

#include "trace/le.h"

#define POLYNOMIAL_REFLECTED UINT32_C(0x82f63b78)

void crc32c_init(struct crc32c *c)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t crc = byte;

		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? POLYNOMIAL_REFLECTED : 0);
		c->table[0][byte] = crc;
	}
	for (int n = 1; n < 8; n++) {
		for (int byte = 0; byte < 256; byte++) {
			uint32_t crc = c->table[n - 1][byte];

			c->table[n][byte] = (crc >> 8) ^ c->table[0][crc & 255];
		}
	}
}

uint32_t crc32c_update(const struct crc32c *c, uint32_t crc, const void *data,
		       size_t len)
{
	const uint8_t *p = data;

	crc = ~crc;
	for (; len >= 8; len -= 8, p += 8) {
		uint32_t low = crc ^ get_le32(p), high = get_le32(p + 4);

		crc = c->table[7][low & 255] ^ c->table[6][(low >> 8) & 255] ^
		      c->table[5][(low >> 16) & 255] ^ c->table[4][low >> 24] ^
		      c->table[3][high & 255] ^ c->table[2][(high >> 8) & 255] ^
		      c->table[1][(high >> 16) & 255] ^ c->table[0][high >> 24];
	}
	for (; len; len--, p++)
		crc = (crc >> 8) ^ c->table[0][(crc ^ *p) & 255];
	return ~crc;
}
