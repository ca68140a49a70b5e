/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frame around the chunks' bytes: file header, chunk header, index entry,
 * footer.  put functions write all but what they say; get functions check
 * every number and return NULL, or what is wrong.
 */
#ifndef NOTRAP_TRACE_LAYOUT_H
#define NOTRAP_TRACE_LAYOUT_H

#include "trace/crc32c.h"
#include "trace/format.h"
#include "trace/trace.h"

struct chunk_header {
	uint32_t packed_len; /* bytes that follow, compressed */
	uint32_t raw_len;    /* of them uncompressed */
	uint32_t records;
	uint32_t items; /* that are no references */
	uint64_t refs;
	/* Sums over all chunks before. */
	uint64_t first_record, first_ref, first_insn;
	uint32_t crc;
};

struct index_entry {
	uint64_t offset; /* of the chunk's header */
	uint64_t first_ref;
};

struct footer {
	struct trace_totals totals;
	uint64_t index; /* its offset */
	uint64_t chunks;
};

/* `packed` are the packed_len bytes that the CRC covers, too. */
void chunk_header_put(uint8_t p[CHUNK_HEADER], const struct chunk_header *h,
		      const struct crc32c *crc, const uint8_t *packed);
const char *chunk_header_get(const uint8_t p[CHUNK_HEADER],
			     struct chunk_header *ret);
bool chunk_is_intact(const uint8_t p[CHUNK_HEADER],
		     const struct chunk_header *h, const struct crc32c *crc,
		     const uint8_t *packed);

void index_entry_put(uint8_t p[INDEX_ENTRY], const struct index_entry *e);
void index_entry_get(const uint8_t p[INDEX_ENTRY], struct index_entry *ret);

/* Bytes of an index, its CRC included. */
static inline uint64_t index_len(uint64_t chunks)
{
	return INDEX_HEADER + chunks * INDEX_ENTRY + 4;
}

void footer_put(uint8_t p[FOOTER_LEN], const struct footer *f,
		const struct crc32c *crc);

/* file_len: the footer are the last bytes of it. */
const char *footer_get(const uint8_t p[FOOTER_LEN], uint64_t file_len,
		       const struct crc32c *crc, struct footer *ret);

#endif
