/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Items in, chunks out, or on to a listener, or both.  The first error stays:
 * whatever comes after it is refused, and trace_writer_close() tells it and
 * leaves no file.
 */
#include "trace/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

#include "trace/chunk.h"
#include "trace/info.h"
#include "trace/item.h"
#include "trace/layout.h"
#include "trace/le.h"
#include "trace/merge.h"
#include "trace/output.h"
#include "trace/sum.h"

/*
 * Levels above 3 gain a tenth or less and take three times as long and more;
 * worth it where a record stands for several references.
 */
#define ZSTD_LEVEL_FULL  3
#define ZSTD_LEVEL_PAGES 6

/* References told at a time. */
#define TOLD_MAX 4096

struct trace_writer {
	enum trace_granularity granularity;
	bool has_file; /* else only `listener` is told */
	struct trace_listener listener;
	struct trace_ref told[TOLD_MAX]; /* not told yet */
	uint32_t nr_told;
	struct outfile out;
	struct encoder *enc;
	ZSTD_CCtx *zstd;
	int level;
	struct crc32c crc;
	struct merge merge;
	struct trace_sum sum;
	struct trace_totals before; /* as of the beginning of the chunk */
	uint64_t first_chunk;       /* its offset */
	uint64_t chunks;
	int err;
	struct diag diag;
	uint8_t packed[CHUNK_HEADER + CHUNK_ZSTD_MAX];
};

static int write_header(struct trace_writer *w, const struct trace_info *info)
{
	uint8_t header[HEADER_MAX];
	int len = header_put(header, info, &w->crc, &w->diag);

	if (len < 0)
		return len;
	w->first_chunk = (uint64_t)len;
	return outfile_write(&w->out, header, (size_t)len, &w->diag);
}

static void free_writer(struct trace_writer *w)
{
	ZSTD_freeCCtx(w->zstd);
	encoder_destroy(w->enc);
	free(w);
}

static int begin_file(struct trace_writer *w, const char *path,
		      const struct trace_info *info, struct diag *diag)
{
	int err;

	w->level = info->granularity == TRACE_FULL ? ZSTD_LEVEL_FULL
						   : ZSTD_LEVEL_PAGES;
	w->enc = encoder_create(info->granularity);
	w->zstd = ZSTD_createCCtx();
	if (!w->enc || !w->zstd)
		return diag_set(diag, -ENOMEM, "no memory to write a trace");
	crc32c_init(&w->crc);
	err = outfile_open(&w->out, path, diag);
	if (err)
		return err;
	err = write_header(w, info);
	if (err) {
		*diag = w->diag;
		outfile_abort(&w->out);
		return err;
	}
	w->has_file = true;
	return 0;
}

int trace_writer_create(const char *path, const struct trace_info *info,
			struct trace_writer **ret, struct diag *diag)
{
	struct trace_writer *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return diag_set(diag, -ENOMEM, "no memory to write a trace");
	w->granularity = info->granularity;
	merge_init(&w->merge);
	trace_sum_init(&w->sum);
	err = path ? begin_file(w, path, info, diag) : 0;
	if (err) {
		free_writer(w);
		return err;
	}
	*ret = w;
	return 0;
}

void trace_writer_listen(struct trace_writer *w,
			 const struct trace_listener *listener)
{
	w->listener = *listener;
}

static void tell_rest(struct trace_writer *w)
{
	const struct trace_item item = {
		.kind = TRACE_ITEM_REFS, .refs = w->told, .nr = w->nr_told};

	if (!w->nr_told)
		return;
	w->nr_told = 0;
	w->listener.item(w->listener.context, &item);
}

static void tell_refs(struct trace_writer *w, const struct trace_ref *refs,
		      uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		if (w->nr_told == TOLD_MAX)
			tell_rest(w);
		w->told[w->nr_told++] = refs[i];
	}
}

static void tell_item(struct trace_writer *w, const struct trace_item *item)
{
	tell_rest(w);
	w->listener.item(w->listener.context, item);
}

static int end_chunk(struct trace_writer *w)
{
	const struct trace_totals *now = &w->sum.totals;
	uint8_t *packed = w->packed + CHUNK_HEADER;
	struct chunk_header h = {
		.records = encoder_records(w->enc),
		.items = encoder_items(w->enc),
		.refs = now->refs - w->before.refs,
		.first_record = w->before.records,
		.first_ref = w->before.refs,
		.first_insn = w->before.insns,
	};
	const uint8_t *raw;
	size_t len;

	if (!h.records && !h.items)
		return 0;
	raw = encoder_finish(w->enc, &h.raw_len);
	len = ZSTD_compressCCtx(w->zstd, packed, CHUNK_ZSTD_MAX, raw, h.raw_len,
				w->level);
	if (ZSTD_isError(len))
		return diag_set(&w->diag, -ENOMEM, "%s: cannot compress: %s",
				w->out.path, ZSTD_getErrorName(len));
	h.packed_len = (uint32_t)len;
	chunk_header_put(w->packed, &h, &w->crc, packed);
	w->chunks++;
	w->before = *now;
	encoder_start(w->enc);
	return outfile_write(&w->out, w->packed, CHUNK_HEADER + len, &w->diag);
}

/* The sum is to be that of the chunk when it ends. */
static int put_refs(struct trace_writer *w, const struct trace_ref *refs,
		    uint32_t nr)
{
	uint32_t done = 0;
	int err = 0;

	if (w->listener.item)
		tell_refs(w, refs, nr);
	while (done < nr && !err) {
		uint32_t n = nr - done;

		if (w->has_file)
			n = encoder_refs(w->enc, refs + done, n);
		trace_sum_refs(&w->sum, refs + done, n);
		done += n;
		if (w->has_file && encoder_is_full(w->enc))
			err = end_chunk(w);
	}
	return err;
}

static int flush_runs(struct trace_writer *w)
{
	struct trace_ref runs[MERGE_MAX];

	return put_refs(w, runs, merge_flush(&w->merge, runs));
}

static const char *ref_flaw(const struct trace_writer *w,
			    const struct trace_ref *ref)
{
	if (ref->kind > TRACE_WRITE)
		return "a reference of no kind";
	if (!ref->size || (ref->gva & PAGE_MASK) + ref->size > PAGE_SIZE)
		return "a reference of no size, or that leaves its page";
	if (ref->count > (w->granularity == TRACE_FULL ? 1 : TRACE_COUNT_MAX))
		return "a reference with a wrong count";
	return NULL;
}

static int refuse(struct trace_writer *w, const char *flaw)
{
	w->err = diag_set(&w->diag, -EINVAL, "%s: cannot hold %s",
			  w->has_file ? w->out.path : "a trace", flaw);
	return w->err;
}

/* Begins a run. */
static int put_run(struct trace_writer *w, const struct trace_ref *ref)
{
	struct trace_ref runs[MERGE_MAX];

	return put_refs(w, runs, merge_begin(&w->merge, ref, runs));
}

static inline int write_ref(struct trace_writer *w, const struct trace_ref *ref)
{
	const char *flaw = ref_flaw(w, ref);

	if (unlikely(flaw))
		return refuse(w, flaw);
	if (w->granularity == TRACE_FULL)
		return put_refs(w, ref, 1);
	return merge_join(&w->merge, ref) ? 0 : put_run(w, ref);
}

int trace_write_ref(struct trace_writer *w, const struct trace_ref *ref)
{
	if (likely(!w->err))
		w->err = write_ref(w, ref);
	return w->err;
}

struct merge *trace_writer_merge(struct trace_writer *w)
{
	return w->granularity == TRACE_FULL ? NULL : &w->merge;
}

static int write_refs(struct trace_writer *w, const struct trace_ref *refs,
		      uint32_t nr)
{
	for (uint32_t i = 0; i < nr && !w->err; i++)
		w->err = write_ref(w, &refs[i]);
	return w->err;
}

static int put_item(struct trace_writer *w, const struct trace_item *item)
{
	int err = flush_runs(w);

	if (err)
		return err;
	if (w->listener.item)
		tell_item(w, item);
	if (w->has_file)
		encoder_item(w->enc, w->sum.totals.insns, item);
	trace_sum_item(&w->sum, item);
	return w->has_file && encoder_is_full(w->enc) ? end_chunk(w) : 0;
}

int trace_write_item(struct trace_writer *w, const struct trace_item *item)
{
	const char *flaw;

	if (item->kind == TRACE_ITEM_REFS)
		return write_refs(w, item->refs, item->nr);
	flaw = trace_item_flaw(item);
	if (!w->err && flaw)
		return refuse(w, flaw);
	if (!w->err)
		w->err = put_item(w, item);
	return w->err;
}

int trace_writer_error(const struct trace_writer *w, struct diag *diag)
{
	if (w->err)
		*diag = w->diag;
	return w->err;
}

/*
 * The chunks' headers are read back for the index, so that memory does not
 * grow with the trace.
 */
static int write_index(struct trace_writer *w)
{
	uint8_t p[CHUNK_HEADER];
	uint64_t offset = w->first_chunk;
	uint32_t sum;
	int err;

	put_le64(put_le32(p, INDEX_MAGIC), w->chunks);
	sum = crc32c_update(&w->crc, 0, p, INDEX_HEADER);
	err = outfile_write(&w->out, p, INDEX_HEADER, &w->diag);
	for (uint64_t i = 0; i < w->chunks && !err; i++) {
		struct index_entry e = {.offset = offset};
		struct chunk_header h;

		err = outfile_read(&w->out, offset, p, CHUNK_HEADER, &w->diag);
		if (err)
			return err;
		if (chunk_header_get(p, &h))
			return diag_set(&w->diag, -EIO,
					"%s: reads back other than written",
					w->out.path);
		e.first_ref = h.first_ref;
		offset += CHUNK_HEADER + h.packed_len;
		index_entry_put(p, &e);
		sum = crc32c_update(&w->crc, sum, p, INDEX_ENTRY);
		err = outfile_write(&w->out, p, INDEX_ENTRY, &w->diag);
	}
	put_le32(p, sum);
	return err ? err : outfile_write(&w->out, p, 4, &w->diag);
}

static int write_end(struct trace_writer *w)
{
	struct footer f;
	uint8_t p[FOOTER_LEN];
	int err = flush_runs(w);

	if (!err && w->has_file)
		err = end_chunk(w);
	if (err)
		return err;
	tell_rest(w);
	w->sum.totals.digest = trace_sum_digest(&w->sum);
	if (!w->has_file)
		return 0;
	f = (struct footer){w->sum.totals, w->out.len, w->chunks};
	err = write_index(w);
	if (err)
		return err;
	footer_put(p, &f, &w->crc);
	return outfile_write(&w->out, p, sizeof(p), &w->diag);
}

int trace_writer_close(struct trace_writer *w, struct trace_totals *totals,
		       struct diag *diag)
{
	int err = w->err;

	if (!err)
		err = write_end(w);
	if (err && w->has_file)
		outfile_abort(&w->out);
	else if (w->has_file)
		err = outfile_commit(&w->out, &w->diag);
	if (err)
		*diag = w->diag;
	else if (totals)
		*totals = w->sum.totals;
	free_writer(w);
	return err;
}

void trace_writer_abort(struct trace_writer *w)
{
	if (!w)
		return;
	if (w->has_file)
		outfile_abort(&w->out);
	free_writer(w);
}
