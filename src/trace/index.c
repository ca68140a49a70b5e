/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * To the chunk of a reference: by the index where there is one that can be
 * believed, else from header to header.  The index is a convenience: what it
 * says is never taken for more than a hint.
 */
#include "trace/reader.h"

#include <errno.h>
#include <inttypes.h>

#include "trace/le.h"

/* 1: a header is at offset; 0: none is; -errno with a line. */
static int header_at(const struct trace_reader *r, uint64_t offset,
		     struct chunk_header *ret, struct diag *diag)
{
	uint8_t p[CHUNK_HEADER];
	uint32_t got;
	int err = input_read(&r->in, offset, p, CHUNK_HEADER, &got, diag);

	if (err)
		return err;
	return got == CHUNK_HEADER && !chunk_header_get(p, ret);
}

static bool holds(const struct chunk_header *h, uint64_t ref)
{
	return ref >= h->first_ref && ref - h->first_ref < h->refs;
}

static int entry_at(const struct trace_reader *r, uint64_t i,
		    struct index_entry *ret, struct diag *diag)
{
	uint64_t offset = r->footer.index + INDEX_HEADER + i * INDEX_ENTRY;
	uint8_t p[INDEX_ENTRY] = {0};
	uint32_t got;
	int err = input_read(&r->in, offset, p, INDEX_ENTRY, &got, diag);

	index_entry_get(p, ret);
	return err;
}

/* The last entry that begins at ref or before; *ret is its offset. */
static int search_index(const struct trace_reader *r, uint64_t ref,
			uint64_t *ret, struct diag *diag)
{
	uint64_t low = 0, high = r->footer.chunks;

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;
		struct index_entry e;
		int err = entry_at(r, mid, &e, diag);

		if (err)
			return err;
		if (e.first_ref <= ref) {
			*ret = e.offset;
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return 0;
}

/* As below; an index that leads elsewhere is none. */
static int find_by_index(const struct trace_reader *r, uint64_t ref,
			 uint64_t *ret, struct chunk_header *h,
			 struct diag *diag)
{
	uint64_t offset = 0;
	int found;

	if (!r->has_footer)
		return 0;
	found = search_index(r, ref, &offset, diag);
	if (found || offset < r->first_chunk || offset >= r->footer.index)
		return found;
	found = header_at(r, offset, h, diag);
	if (found <= 0 || !holds(h, ref))
		return found < 0 ? found : 0;
	*ret = offset;
	return 1;
}

/* 1: *ret and *h are offset and header of the chunk; 0: no chunk holds ref. */
static int find_by_headers(const struct trace_reader *r, uint64_t ref,
			   uint64_t *ret, struct chunk_header *h,
			   struct diag *diag)
{
	uint64_t offset = r->first_chunk;

	for (;;) {
		int found = header_at(r, offset, h, diag);

		if (found <= 0)
			return found;
		if (holds(h, ref)) {
			*ret = offset;
			return 1;
		}
		offset += CHUNK_HEADER + h->packed_len;
	}
}

static void go_to(struct trace_reader *r, uint64_t offset,
		  const struct chunk_header *h)
{
	trace_sum_init(&r->sum);
	r->sum.totals.records = h->first_record;
	r->sum.totals.refs = h->first_ref;
	r->sum.totals.insns = h->first_insn;
	r->offset = offset;
	r->has_skipped = offset != r->first_chunk;
	r->chunks = 0;
	r->in_chunk = r->ended = false;
	r->damage[0] = 0;
}

int trace_reader_seek(struct trace_reader *r, uint64_t ref, struct diag *diag)
{
	struct chunk_header h;
	uint64_t offset = 0;
	int found = find_by_index(r, ref, &offset, &h, diag);

	if (!found)
		found = find_by_headers(r, ref, &offset, &h, diag);
	if (found < 0)
		return found;
	if (!found)
		return diag_set(diag, -ERANGE, "%s: has no reference %" PRIu64,
				r->in.path, ref);
	go_to(r, offset, &h);
	return 0;
}

/* Only a chunk's own header tells how many items it holds. */
int trace_reader_seek_item(struct trace_reader *r, uint64_t n, uint64_t *first,
			   struct diag *diag)
{
	uint64_t offset = r->first_chunk;
	struct chunk_header h;
	int found;

	*first = 0;
	while ((found = header_at(r, offset, &h, diag)) > 0) {
		uint64_t items = (uint64_t)h.records + h.items;

		if (n - *first < items) {
			go_to(r, offset, &h);
			return 0;
		}
		*first += items;
		offset += CHUNK_HEADER + h.packed_len;
	}
	return found ? found
		     : diag_set(diag, -ERANGE, "%s: has no item %" PRIu64,
				r->in.path, n);
}

int index_check(const struct trace_reader *r, bool *intact, struct diag *diag)
{
	uint64_t offset = r->footer.index, left = index_len(r->chunks) - 4;
	uint8_t p[4096] = {0};
	uint32_t sum = 0, got = 0;
	int err = 0;

	for (; left && !err; left -= got, offset += got) {
		uint32_t len = (uint32_t)min_u64(left, sizeof(p));

		err = input_read(&r->in, offset, p, len, &got, diag);
		if (err || got < len)
			return err;
		if (offset == r->footer.index && get_le64(p + 4) != r->chunks)
			return 0;
		sum = crc32c_update(&r->crc, sum, p, len);
	}
	err = input_read(&r->in, offset, p, 4, &got, diag);
	*intact = !err && got == 4 && get_le32(p) == sum;
	return err;
}
