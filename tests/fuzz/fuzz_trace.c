/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The trace reader on any input.  The first byte says what the rest is:
 *
 *   0  a file
 *   1  a file, its checksums made right before it is read
 *   2  a chunk of a `full` trace, uncompressed
 *   3  a chunk of a `pages` trace, uncompressed
 *   4  the text of a header
 *
 * Apart from not crashing: what is read is what the contract promises, and
 * items that could be decoded survive being encoded.
 *
 * With coverage, from the root of the tree:
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE \
 *     -std=c17 -Isrc tests/fuzz/fuzz_trace.c \
 *     SOURCES of src/trace and src/base -lzstd -ljansson -o fuzz_trace
 *   ./fuzz_trace -max_len=4096 DIRECTORY tests/fuzz/corpus/trace
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bug.h"
#include "trace/chunk.h"
#include "trace/info.h"
#include "trace/item.h"
#include "trace/layout.h"
#include "trace/le.h"
#include "trace/sum.h"

#include "fuzz.h"

static void check_item(const struct trace_item *item)
{
	if (item->kind != TRACE_ITEM_REFS) {
		BUG_ON(trace_item_flaw(item));
		return;
	}
	for (uint32_t i = 0; i < item->nr; i++) {
		const struct trace_ref *ref = &item->refs[i];

		BUG_ON(ref->kind > TRACE_WRITE || !ref->size);
		BUG_ON((ref->gva & PAGE_MASK) + ref->size > PAGE_SIZE);
		BUG_ON(ref->count > TRACE_COUNT_MAX);
	}
}

/* To the end, which must be one. */
static void read_on(struct trace_reader *r)
{
	struct trace_item item;
	struct diag diag;
	int got;

	while ((got = trace_read(r, &item, &diag)) > 0)
		check_item(&item);
	BUG_ON(got < 0);
	BUG_ON(trace_read(r, &item, &diag) != 0);
}

static void read_file(const uint8_t *data, size_t size)
{
	int fd = memfd_create("trace", 0);
	struct trace_reader *r;
	struct diag diag;
	char path[64];

	BUG_ON(fd < 0 || write(fd, data, size) != (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!trace_reader_open(path, &r, &diag)) {
		uint64_t refs;

		read_on(r);
		refs = trace_reader_totals(r)->refs;
		for (uint64_t i = 0; i < 4; i++) {
			if (!trace_reader_seek(r, refs / 4 * i, &diag))
				read_on(r);
		}
		trace_reader_close(r);
	}
	close(fd);
}

static uint8_t *repair_header(const struct crc32c *crc, uint8_t *p, size_t size)
{
	uint32_t len, sum;

	if (size < HEADER_FIXED)
		return p;
	len = get_le32(p + 12);
	if (len > size - HEADER_FIXED)
		return p;
	sum = crc32c_update(crc, 0, p, 16);
	put_le32(p + 16, crc32c_update(crc, sum, p + HEADER_FIXED, len));
	return p + HEADER_FIXED + len;
}

static uint8_t *repair_chunks(const struct crc32c *crc, uint8_t *p,
			      const uint8_t *end)
{
	struct chunk_header h;

	while (end - p >= CHUNK_HEADER && !chunk_header_get(p, &h) &&
	       end - p - CHUNK_HEADER >= h.packed_len) {
		chunk_header_put(p, &h, crc, p + CHUNK_HEADER);
		p += CHUNK_HEADER + h.packed_len;
	}
	return p;
}

static void repair(uint8_t *p, size_t size)
{
	uint8_t *end = p + size, *index, *footer = end - FOOTER_LEN;
	struct crc32c crc;

	crc32c_init(&crc);
	index = repair_header(&crc, p, size);
	index = repair_chunks(&crc, index, end);
	if (end - index < FOOTER_LEN + 4)
		return;
	put_le32(footer - 4,
		 crc32c_update(&crc, 0, index, (size_t)(footer - 4 - index)));
	put_le32(footer + FOOTER_CRC,
		 crc32c_update(&crc, 0, footer, FOOTER_CRC));
}

static void read_repaired(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);

	BUG_ON(!copy);
	memcpy(copy, data, size);
	repair(copy, size);
	read_file(copy, size);
	free(copy);
}

/* False: the chunk is damaged.  Items go on to enc, if that is given. */
static bool decode(struct decoder *dec, const uint8_t *raw, uint32_t len,
		   struct trace_sum *sum, struct encoder *enc)
{
	struct trace_item item;
	const char *flaw = decoder_start(dec, raw, len);
	int got;

	if (flaw)
		return false;
	trace_sum_init(sum);
	while ((got = decoder_next(dec, sum->totals.insns, &item, &flaw)) > 0) {
		if (item.kind != TRACE_ITEM_REFS && enc)
			encoder_item(enc, sum->totals.insns, &item);
		for (uint32_t i = 0; i < item.nr && enc; i++)
			encoder_refs(enc, &item.refs[i], 1);
		if (enc && encoder_is_full(enc))
			return false;
		if (item.kind != TRACE_ITEM_REFS)
			trace_sum_item(sum, &item);
		else if (!trace_sum_refs(sum, item.refs, item.nr))
			return false;
		check_item(&item);
	}
	return got == 0;
}

/* Kept from run to run: getting and clearing them would be most of the time. */
struct tools {
	struct decoder *dec;
	struct encoder *enc;
	uint8_t *raw;
};

static struct tools *tools_for(enum trace_granularity granularity)
{
	static struct tools tools[2];
	struct tools *t = &tools[granularity];

	if (!t->raw) {
		t->dec = decoder_create(granularity);
		t->enc = encoder_create(granularity);
		t->raw = calloc(1, CHUNK_RAW_MAX + DECODE_SLACK);
		BUG_ON(!t->dec || !t->enc || !t->raw);
	}
	encoder_start(t->enc);
	return t;
}

static void decode_chunk(enum trace_granularity granularity,
			 const uint8_t *data, size_t size)
{
	struct tools *t = tools_for(granularity);
	struct trace_sum first, second;
	const uint8_t *again;
	uint32_t len;

	memcpy(t->raw, data, size);
	if (!decode(t->dec, t->raw, (uint32_t)size, &first, t->enc))
		return;
	again = encoder_finish(t->enc, &len);
	memcpy(t->raw, again, len);
	BUG_ON(!decode(t->dec, t->raw, len, &second, NULL));
	BUG_ON(trace_sum_digest(&first) != trace_sum_digest(&second));
}

static void parse_text(const uint8_t *data, size_t size)
{
	struct trace_info info, again;
	uint8_t header[HEADER_MAX];
	struct crc32c crc;
	struct diag diag;
	int len;

	if (info_parse((const char *)data, (uint32_t)size, &info, &diag))
		return;
	crc32c_init(&crc);
	len = header_put(header, &info, &crc, &diag);
	BUG_ON(len < 0);
	BUG_ON(header_get(header, (uint32_t)len, &crc, &again, &diag) != len);
	BUG_ON(strcmp(info.origin, again.origin) || info.cr0 != again.cr0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > CHUNK_RAW_MAX)
		return 0;
	switch (*data++) {
	case 0:
		read_file(data, size - 1);
		break;
	case 1:
		read_repaired(data, size - 1);
		break;
	case 2:
		decode_chunk(TRACE_FULL, data, size - 1);
		break;
	case 3:
		decode_chunk(TRACE_PAGES, data, size - 1);
		break;
	case 4:
		parse_text(data, size - 1);
		break;
	default:
		break;
	}
	return 0;
}
