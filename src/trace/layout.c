/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers stand one behind the other without gaps, in the order of the tables
 * of docs/trace-format.md.
 */
#include "trace/layout.h"

#include "trace/le.h"

static uint32_t chunk_crc(const uint8_t *p, const struct chunk_header *h,
			  const struct crc32c *crc, const uint8_t *packed)
{
	return crc32c_update(crc, crc32c_update(crc, 0, p, CHUNK_CRC), packed,
			     h->packed_len);
}

void chunk_header_put(uint8_t p[CHUNK_HEADER], const struct chunk_header *h,
		      const struct crc32c *crc, const uint8_t *packed)
{
	uint8_t *at = p;

	at = put_le32(at, CHUNK_MAGIC);
	at = put_le32(at, h->packed_len);
	at = put_le32(at, h->raw_len);
	at = put_le32(at, h->records);
	at = put_le32(at, h->items);
	at = put_le64(at, h->refs);
	at = put_le64(at, h->first_record);
	at = put_le64(at, h->first_ref);
	at = put_le64(at, h->first_insn);
	put_le32(at, chunk_crc(p, h, crc, packed));
}

const char *chunk_header_get(const uint8_t p[CHUNK_HEADER],
			     struct chunk_header *ret)
{
	struct chunk_header h = {
		.packed_len = get_le32(p + 4),
		.raw_len = get_le32(p + 8),
		.records = get_le32(p + 12),
		.items = get_le32(p + 16),
		.refs = get_le64(p + 20),
		.first_record = get_le64(p + 28),
		.first_ref = get_le64(p + 36),
		.first_insn = get_le64(p + 44),
		.crc = get_le32(p + CHUNK_CRC),
	};

	if (get_le32(p) != CHUNK_MAGIC)
		return "neither a chunk nor the index";
	if (h.packed_len > CHUNK_ZSTD_MAX || h.raw_len > CHUNK_RAW_MAX)
		return "a chunk larger than any";
	*ret = h;
	return NULL;
}

bool chunk_is_intact(const uint8_t p[CHUNK_HEADER],
		     const struct chunk_header *h, const struct crc32c *crc,
		     const uint8_t *packed)
{
	return chunk_crc(p, h, crc, packed) == h->crc;
}

void index_entry_put(uint8_t p[INDEX_ENTRY], const struct index_entry *e)
{
	put_le64(put_le64(p, e->offset), e->first_ref);
}

void index_entry_get(const uint8_t p[INDEX_ENTRY], struct index_entry *ret)
{
	*ret = (struct index_entry){get_le64(p), get_le64(p + 8)};
}

void footer_put(uint8_t p[FOOTER_LEN], const struct footer *f,
		const struct crc32c *crc)
{
	const struct trace_totals *t = &f->totals;
	uint8_t *at = p;

	at = put_le32(at, FOOTER_MAGIC);
	at = put_le64(at, t->refs);
	at = put_le64(at, t->records);
	at = put_le64(at, t->events);
	at = put_le64(at, t->tables);
	at = put_le64(at, t->table_writes);
	at = put_le64(at, t->faults);
	at = put_le64(at, t->insns);
	at = put_le64(at, t->digest);
	at = put_le64(at, f->index);
	at = put_le64(at, f->chunks);
	at = put_le32(at, crc32c_update(crc, 0, p, FOOTER_CRC));
	memcpy(at, FILE_END, FILE_MAGIC_LEN);
}

/* The index must lie between the header and the footer, and fill its place. */
static bool index_fits(const struct footer *f, uint64_t file_len)
{
	uint64_t end = file_len - FOOTER_LEN;

	return f->index <= end && f->chunks <= (end - f->index) / INDEX_ENTRY &&
	       index_len(f->chunks) == end - f->index;
}

const char *footer_get(const uint8_t p[FOOTER_LEN], uint64_t file_len,
		       const struct crc32c *crc, struct footer *ret)
{
	struct footer f = {
		.totals = {.refs = get_le64(p + 4),
			   .records = get_le64(p + 12),
			   .events = get_le64(p + 20),
			   .tables = get_le64(p + 28),
			   .table_writes = get_le64(p + 36),
			   .faults = get_le64(p + 44),
			   .insns = get_le64(p + 52),
			   .digest = get_le64(p + 60)},
		.index = get_le64(p + 68),
		.chunks = get_le64(p + 76),
	};

	if (get_le32(p) != FOOTER_MAGIC ||
	    memcmp(p + FOOTER_LEN - FILE_MAGIC_LEN, FILE_END, FILE_MAGIC_LEN))
		return "no footer";
	if (get_le32(p + FOOTER_CRC) != crc32c_update(crc, 0, p, FOOTER_CRC))
		return "the footer's checksum does not match";
	if (!index_fits(&f, file_len))
		return "the footer has the index where none can be";
	*ret = f;
	return NULL;
}
