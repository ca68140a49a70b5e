/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "forge.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "trace/chunk.h"
#include "trace/info.h"
#include "trace/le.h"

static uint8_t *grow(struct forge *f, size_t len)
{
	while (f->len + len > f->room) {
		f->room = f->room ? 2 * f->room : 4096;
		f->data = realloc(f->data, f->room);
		assert_non_null(f->data);
	}
	f->len += len;
	return f->data + f->len - len;
}

void forge_begin(struct forge *f, const struct trace_info *info)
{
	uint8_t header[HEADER_MAX];
	struct diag diag;
	int len;

	*f = (struct forge){0};
	crc32c_init(&f->crc);
	trace_sum_init(&f->sum);
	len = header_put(header, info, &f->crc, &diag);
	assert_true(len > 0);
	memcpy(grow(f, (size_t)len), header, (size_t)len);
}

void forge_finish(struct forge *f)
{
	free(f->data);
}

struct chunk_header forge_header(const struct forge *f,
				 const struct trace_totals *before)
{
	const struct trace_totals *t = &f->sum.totals;

	return (struct chunk_header){
		.records = (uint32_t)(t->records - before->records),
		.refs = t->refs - before->refs,
		.first_record = before->records,
		.first_ref = before->refs,
		.first_insn = before->insns,
	};
}

void forge_chunk(struct forge *f, const uint8_t *raw, uint32_t len,
		 struct chunk_header h)
{
	size_t bound = ZSTD_compressBound(len), packed_len;
	uint8_t *packed = malloc(bound), *at;

	assert_non_null(packed);
	packed_len = ZSTD_compress(packed, bound, raw, len, 3);
	assert_false(ZSTD_isError(packed_len));
	h.packed_len = (uint32_t)packed_len;
	h.raw_len = len;
	assert_true(f->chunks < FORGE_CHUNKS);
	f->index[f->chunks++] = (struct index_entry){f->len, h.first_ref};
	at = grow(f, CHUNK_HEADER + packed_len);
	chunk_header_put(at, &h, &f->crc, packed);
	memcpy(at + CHUNK_HEADER, packed, packed_len);
	free(packed);
}

void forge_tape(struct forge *f, const struct tape *t,
		enum trace_granularity granularity)
{
	struct trace_totals before = f->sum.totals;
	struct encoder *enc = encoder_create(granularity);
	struct chunk_header h;
	const uint8_t *raw;
	uint32_t len;

	assert_non_null(enc);
	for (size_t i = 0; i < t->nr; i++) {
		const struct tape_entry *e = &t->entries[i];

		assert_false(encoder_is_full(enc));
		if (e->is_ref) {
			encoder_refs(enc, &e->ref, 1);
			trace_sum_refs(&f->sum, &e->ref, 1);
		} else {
			encoder_item(enc, f->sum.totals.insns, &e->item);
			trace_sum_item(&f->sum, &e->item);
		}
	}
	h = forge_header(f, &before);
	h.items = encoder_items(enc);
	raw = encoder_finish(enc, &len);
	forge_chunk(f, raw, len, h);
	encoder_destroy(enc);
}

void forge_end(struct forge *f, bool footer)
{
	size_t start = f->len;
	uint8_t *at = grow(f, INDEX_HEADER);

	f->footer = (struct footer){f->sum.totals, start, f->chunks};
	f->footer.totals.digest = trace_sum_digest(&f->sum);
	put_le64(put_le32(at, INDEX_MAGIC), f->chunks);
	for (uint64_t i = 0; i < f->chunks; i++)
		index_entry_put(grow(f, INDEX_ENTRY), &f->index[i]);
	at = grow(f, 4);
	put_le32(at, crc32c_update(&f->crc, 0, f->data + start,
				   f->len - 4 - start));
	if (footer)
		footer_put(grow(f, FOOTER_LEN), &f->footer, &f->crc);
}
