/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Chunk by chunk from the front.  Nothing that was read is believed before it
 * was compared with a limit or a checksum, and no buffer has a size that a
 * file chose.
 */
#include "trace/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "trace/info.h"
#include "trace/le.h"

/* The line about what is wrong at r->offset; reading ends here. */
__attribute__((format(printf, 2, 3))) static int damaged(struct trace_reader *r,
							 const char *fmt, ...)
{
	const struct trace_totals *t = &r->sum.totals;
	char what[256], of[32] = "";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (r->has_footer)
		snprintf(of, sizeof(of), " of %" PRIu64, r->footer.totals.refs);
	snprintf(r->damage, sizeof(r->damage),
		 "%.160s: %s (at offset %" PRIu64 "): read up to reference "
		 "%" PRIu64 "%s",
		 r->in.path, what, r->offset, t->refs, of);
	if (!r->has_skipped)
		r->sum.totals.digest = trace_sum_digest(&r->sum);
	r->ended = true;
	return 0;
}

static int read_header(struct trace_reader *r, struct diag *diag)
{
	uint8_t header[HEADER_MAX];
	struct diag flaw;
	uint32_t got;
	int len = input_read(&r->in, 0, header, sizeof(header), &got, diag);

	if (len)
		return len;
	len = header_get(header, got, &r->crc, &r->info, &flaw);
	if (len < 0)
		return diag_set(diag, len, "%s: %s", r->in.path, flaw.msg);
	r->first_chunk = r->offset = (uint64_t)len;
	return 0;
}

/* Without it there is only less to tell. */
static int read_footer(struct trace_reader *r, struct diag *diag)
{
	uint8_t p[FOOTER_LEN];
	uint32_t got;
	int err;

	if (r->in.len < r->first_chunk + FOOTER_LEN)
		return 0;
	err = input_read(&r->in, r->in.len - FOOTER_LEN, p, FOOTER_LEN, &got,
			 diag);
	if (err)
		return err;
	r->has_footer = got == FOOTER_LEN &&
			!footer_get(p, r->in.len, &r->crc, &r->footer);
	return 0;
}

static void free_reader(struct trace_reader *r)
{
	ZSTD_freeDCtx(r->zstd);
	decoder_destroy(r->dec);
	free(r);
}

int trace_reader_open(const char *path, struct trace_reader **ret,
		      struct diag *diag)
{
	struct trace_reader *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return diag_set(diag, -ENOMEM, "no memory to read a trace");
	crc32c_init(&r->crc);
	trace_sum_init(&r->sum);
	err = input_open(&r->in, path, diag);
	if (err)
		goto free_reader;
	err = read_header(r, diag);
	if (!err)
		err = read_footer(r, diag);
	if (err)
		goto close_input;

	r->dec = decoder_create(r->info.granularity);
	r->zstd = ZSTD_createDCtx();
	if (!r->dec || !r->zstd) {
		err = diag_set(diag, -ENOMEM, "no memory to read a trace");
		goto close_input;
	}
	*ret = r;
	return 0;

close_input:
	input_close(&r->in);
free_reader:
	free_reader(r);
	return err;
}

const struct trace_info *trace_reader_info(const struct trace_reader *r)
{
	return &r->info;
}

const struct trace_totals *trace_reader_totals(const struct trace_reader *r)
{
	return &r->sum.totals;
}

int trace_reader_footer(const struct trace_reader *r, struct trace_totals *ret)
{
	if (!r->has_footer)
		return -ENOENT;
	*ret = r->footer.totals;
	return 0;
}

uint64_t trace_reader_chunks(const struct trace_reader *r)
{
	return r->has_footer ? r->footer.chunks : r->chunks;
}

const char *trace_reader_damage(const struct trace_reader *r)
{
	return r->damage[0] ? r->damage : NULL;
}

void trace_reader_progress(const struct trace_reader *r, uint64_t *done,
			   uint64_t *total)
{
	*done = r->offset;
	*total = r->in.len;
}

static bool is_footer_true(const struct trace_reader *r)
{
	const struct trace_totals *got = &r->sum.totals;
	const struct trace_totals *said = &r->footer.totals;

	return got->refs == said->refs && got->records == said->records &&
	       got->events == said->events && got->tables == said->tables &&
	       got->table_writes == said->table_writes &&
	       got->faults == said->faults && got->insns == said->insns &&
	       got->digest == said->digest && r->chunks == r->footer.chunks;
}

/* At the index: everything has been read; is it what was written? */
static int finish(struct trace_reader *r, struct diag *diag)
{
	bool intact = false;
	int err;

	r->ended = true;
	if (r->has_skipped)
		return 0;
	r->sum.totals.digest = trace_sum_digest(&r->sum);
	if (!r->has_footer)
		return damaged(r, "the footer is missing or damaged, so that "
				  "nothing tells whether this is all");
	if (r->footer.index != r->offset)
		return damaged(r, "the index is not where the footer says");
	if (!is_footer_true(r))
		return damaged(r, "its content is not what the footer says");
	err = index_check(r, &intact, diag);
	if (err)
		return err;
	if (!intact)
		return damaged(r, "the index is damaged");
	r->offset = r->in.len;
	return 0;
}

/* 0: r->ended, or the packed chunk and its header are there, and intact. */
static int load_packed(struct trace_reader *r, struct diag *diag)
{
	uint8_t header[CHUNK_HEADER];
	const char *flaw;
	uint32_t got;
	int err =
		input_read(&r->in, r->offset, header, CHUNK_HEADER, &got, diag);

	if (err)
		return err;
	if (got >= 4 && get_le32(header) == INDEX_MAGIC)
		return finish(r, diag);
	if (got < CHUNK_HEADER)
		return damaged(r, "the file ends early");
	flaw = chunk_header_get(header, &r->chunk);
	if (flaw)
		return damaged(r, "%s", flaw);
	err = input_read(&r->in, r->offset + CHUNK_HEADER, r->packed,
			 r->chunk.packed_len, &got, diag);
	if (err)
		return err;
	if (got < r->chunk.packed_len)
		return damaged(r,
			       "the file ends early, %" PRIu32
			       " bytes into a chunk of %" PRIu32,
			       got, r->chunk.packed_len);
	if (!chunk_is_intact(header, &r->chunk, &r->crc, r->packed))
		return damaged(r, "a chunk's checksum does not match");
	return 0;
}

static bool continues(const struct trace_reader *r)
{
	const struct trace_totals *t = &r->sum.totals;

	return r->chunk.first_record == t->records &&
	       r->chunk.first_ref == t->refs && r->chunk.first_insn == t->insns;
}

static int next_chunk(struct trace_reader *r, struct diag *diag)
{
	const char *flaw;
	size_t len;
	int err = load_packed(r, diag);

	if (err || r->ended)
		return err;
	if (!continues(r))
		return damaged(r, "a chunk of another place");
	len = ZSTD_decompressDCtx(r->zstd, r->raw, CHUNK_RAW_MAX, r->packed,
				  r->chunk.packed_len);
	if (ZSTD_isError(len) || len != r->chunk.raw_len)
		return damaged(r, "a chunk does not decompress");
	flaw = decoder_start(r->dec, r->raw, r->chunk.raw_len);
	if (flaw)
		return damaged(r, "a chunk: %s", flaw);
	r->in_chunk = true;
	r->items = 0;
	return 0;
}

static int end_chunk(struct trace_reader *r)
{
	const struct chunk_header *h = &r->chunk;
	const struct trace_totals *t = &r->sum.totals;

	r->in_chunk = false;
	if (t->records - h->first_record != h->records ||
	    t->refs - h->first_ref != h->refs || r->items != h->items)
		return damaged(r, "a chunk with more or less than it says");
	r->offset += CHUNK_HEADER + h->packed_len;
	r->chunks++;
	return 0;
}

static int account(struct trace_reader *r, const struct trace_item *item)
{
	if (item->kind != TRACE_ITEM_REFS) {
		trace_sum_item(&r->sum, item);
		r->items++;
		return 1;
	}
	if (!trace_sum_refs(&r->sum, item->refs, item->nr))
		return damaged(r, "a reference that leaves its page");
	return 1;
}

int trace_read(struct trace_reader *r, struct trace_item *item,
	       struct diag *diag)
{
	const char *flaw;
	int got;

	while (!r->ended) {
		if (!r->in_chunk) {
			got = next_chunk(r, diag);
			if (got)
				return got;
			continue;
		}
		got = decoder_next(r->dec, r->sum.totals.insns, item, &flaw);
		if (got > 0)
			return account(r, item);
		if (got < 0)
			damaged(r, "a chunk: %s", flaw);
		else
			end_chunk(r);
	}
	return 0;
}

void trace_reader_close(struct trace_reader *r)
{
	if (!r)
		return;
	input_close(&r->in);
	free_reader(r);
}
