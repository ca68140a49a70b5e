/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/store.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

#include "trace/chunk.h"
#include "trace/info.h"
#include "trace/layout.h"
#include "trace/le.h"
#include "trace/output.h"
#include "trace/sum.h"

/*
 * Levels above 3 gain a tenth or less and take three times as long and more;
 * worth it where a record stands for several references.
 */
#define ZSTD_LEVEL_FULL  3
#define ZSTD_LEVEL_PAGES 6

struct store {
	bool has_file; /* else there is the sum only */
	struct outfile out;
	struct encoder *enc;
	ZSTD_CCtx *zstd;
	int level;
	struct crc32c crc;
	struct trace_sum sum;
	struct trace_totals before; /* as of the beginning of the chunk */
	uint64_t first_chunk;       /* its offset */
	uint64_t chunks;
	struct diag diag;
	uint8_t packed[CHUNK_HEADER + CHUNK_ZSTD_MAX];
};

static int write_header(struct store *s, const struct trace_info *info)
{
	uint8_t header[HEADER_MAX];
	int len = header_put(header, info, &s->crc, &s->diag);

	if (len < 0)
		return len;
	s->first_chunk = (uint64_t)len;
	return outfile_write(&s->out, header, (size_t)len, &s->diag);
}

static void free_store(struct store *s)
{
	ZSTD_freeCCtx(s->zstd);
	encoder_destroy(s->enc);
	free(s);
}

static int begin_file(struct store *s, const char *path,
		      const struct trace_info *info, struct diag *diag)
{
	int err;

	s->level = info->granularity == TRACE_FULL ? ZSTD_LEVEL_FULL
						   : ZSTD_LEVEL_PAGES;
	s->enc = encoder_create(info->granularity);
	s->zstd = ZSTD_createCCtx();
	if (!s->enc || !s->zstd)
		return diag_set(diag, -ENOMEM, "no memory to write a trace");
	crc32c_init(&s->crc);
	err = outfile_open(&s->out, path, diag);
	if (err)
		return err;
	err = write_header(s, info);
	if (err) {
		*diag = s->diag;
		outfile_abort(&s->out);
		return err;
	}
	s->has_file = true;
	return 0;
}

int store_create(const char *path, const struct trace_info *info,
		 struct store **ret, struct diag *diag)
{
	struct store *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return diag_set(diag, -ENOMEM, "no memory to write a trace");
	trace_sum_init(&s->sum);
	err = path ? begin_file(s, path, info, diag) : 0;
	if (err) {
		free_store(s);
		return err;
	}
	*ret = s;
	return 0;
}

const char *store_name(const struct store *store)
{
	return store->has_file ? store->out.path : "a trace";
}

const struct diag *store_line(const struct store *store)
{
	return &store->diag;
}

static int end_chunk(struct store *s)
{
	const struct trace_totals *now = &s->sum.totals;
	uint8_t *packed = s->packed + CHUNK_HEADER;
	struct chunk_header h = {
		.records = encoder_records(s->enc),
		.items = encoder_items(s->enc),
		.refs = now->refs - s->before.refs,
		.first_record = s->before.records,
		.first_ref = s->before.refs,
		.first_insn = s->before.insns,
	};
	const uint8_t *raw;
	size_t len;

	if (!h.records && !h.items)
		return 0;
	raw = encoder_finish(s->enc, &h.raw_len);
	len = ZSTD_compressCCtx(s->zstd, packed, CHUNK_ZSTD_MAX, raw, h.raw_len,
				s->level);
	if (ZSTD_isError(len))
		return diag_set(&s->diag, -ENOMEM, "%s: cannot compress: %s",
				s->out.path, ZSTD_getErrorName(len));
	h.packed_len = (uint32_t)len;
	chunk_header_put(s->packed, &h, &s->crc, packed);
	s->chunks++;
	s->before = *now;
	encoder_start(s->enc);
	return outfile_write(&s->out, s->packed, CHUNK_HEADER + len, &s->diag);
}

/* The sum is to be that of the chunk when it ends. */
static int put_refs(struct store *s, const struct trace_ref *refs, uint32_t nr)
{
	uint32_t done = 0;
	int err = 0;

	while (done < nr && !err) {
		uint32_t n = nr - done;

		if (s->has_file)
			n = encoder_refs(s->enc, refs + done, n);
		trace_sum_refs(&s->sum, refs + done, n);
		done += n;
		if (s->has_file && encoder_is_full(s->enc))
			err = end_chunk(s);
	}
	return err;
}

static int put_item(struct store *s, const struct trace_item *item)
{
	if (s->has_file)
		encoder_item(s->enc, s->sum.totals.insns, item);
	trace_sum_item(&s->sum, item);
	return s->has_file && encoder_is_full(s->enc) ? end_chunk(s) : 0;
}

int store_batch(struct store *store, const struct batch *batch)
{
	uint32_t done = 0;
	int err = 0;

	for (uint32_t i = 0; i < batch->nr_items && !err; i++) {
		const struct batch_item *item = &batch->item[i];

		err = put_refs(store, batch->ref + done, item->refs - done);
		done = item->refs;
		if (!err)
			err = put_item(store, &item->item);
	}
	return err ? err
		   : put_refs(store, batch->ref + done, batch->nr_refs - done);
}

/*
 * The chunks' headers are read back for the index, so that memory does not
 * grow with the trace.
 */
static int write_index(struct store *s)
{
	uint8_t p[CHUNK_HEADER];
	uint64_t offset = s->first_chunk;
	uint32_t sum;
	int err;

	put_le64(put_le32(p, INDEX_MAGIC), s->chunks);
	sum = crc32c_update(&s->crc, 0, p, INDEX_HEADER);
	err = outfile_write(&s->out, p, INDEX_HEADER, &s->diag);
	for (uint64_t i = 0; i < s->chunks && !err; i++) {
		struct index_entry e = {.offset = offset};
		struct chunk_header h;

		err = outfile_read(&s->out, offset, p, CHUNK_HEADER, &s->diag);
		if (err)
			return err;
		if (chunk_header_get(p, &h))
			return diag_set(&s->diag, -EIO,
					"%s: reads back other than written",
					s->out.path);
		e.first_ref = h.first_ref;
		offset += CHUNK_HEADER + h.packed_len;
		index_entry_put(p, &e);
		sum = crc32c_update(&s->crc, sum, p, INDEX_ENTRY);
		err = outfile_write(&s->out, p, INDEX_ENTRY, &s->diag);
	}
	put_le32(p, sum);
	return err ? err : outfile_write(&s->out, p, 4, &s->diag);
}

static int write_end(struct store *s)
{
	struct footer f;
	uint8_t p[FOOTER_LEN];
	int err = end_chunk(s);

	if (err)
		return err;
	f = (struct footer){s->sum.totals, s->out.len, s->chunks};
	err = write_index(s);
	if (err)
		return err;
	footer_put(p, &f, &s->crc);
	return outfile_write(&s->out, p, sizeof(p), &s->diag);
}

int store_commit(struct store *store, struct trace_totals *ret,
		 struct diag *diag)
{
	struct store *s = store;
	int err = 0;

	s->sum.totals.digest = trace_sum_digest(&s->sum);
	if (s->has_file)
		err = write_end(s);
	if (err)
		outfile_abort(&s->out);
	else if (s->has_file)
		err = outfile_commit(&s->out, &s->diag);
	if (err)
		*diag = s->diag;
	else
		*ret = s->sum.totals;
	free_store(s);
	return err;
}

void store_abort(struct store *store)
{
	if (!store)
		return;
	if (store->has_file)
		outfile_abort(&store->out);
	free_store(store);
}
