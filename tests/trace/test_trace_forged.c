/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Content that makes no sense behind checksums that do: each is noticed for
 * what it is, and what came before it was read.
 */
#include "forge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/chunk.h"
#include "trace/le.h"

/* A read of 8 bytes by the user, at the latest address. */
#define READ8        (TRACE_READ | (uint32_t)KIND_USER | 8u << KIND_SIZE)
#define FETCH        (TRACE_FETCH | 1u << KIND_SIZE)
#define DELTA(class) ((uint32_t)(class) << KIND_DELTA)
#define RANK(rank)   ((uint32_t)(rank) << KIND_RANK)
#define COUNT(class) ((uint32_t)(class) << KIND_COUNT)

/*
 * Bytes are text: hex digits, and 00*64 is 64 of them.  Op bytes: 00 and so on
 * are kinds, ff a long op, of which there are none with less than 254 kinds.
 */
static const struct {
	const char *name;
	const char *says; /* part of the line; NULL: nothing is wrong */
	uint32_t kind, nr_kinds;
	const char *ops, *deltas, *counts;
	uint32_t records; /* as the header says */
} refs[] = {
	{"two reads", NULL, READ8, 1, "00 00", "", "", 2},
	{"no kinds", "unknown kind", 0, 0, "00", "", "", 1},
	{"an op too high", "unknown kind", READ8, 1, "00 01", "", "", 2},
	{"a long op", NULL, READ8, 300, "ff 00 00", "", "", 1},
	{"few kinds, long op", "unknown kind", READ8, 1, "ff 00 00", "", "", 1},
	{"a long op too high", "no sense", READ8, 300, "ff 2c 01", "", "", 1},
	{"a long op cut", "no sense", READ8, 300, "ff 00", "", "", 1},
	{"too many kinds", "do not fit", READ8, 4097, "00", "", "", 1},
	{"as many as can be", NULL, READ8, 4096, "00", "", "", 1},
	{"a long op cut, 0", "no sense", READ8 | DELTA(1), 300, "ff 00", "00",
	 "", 1},
	{"a long op cut more", "no sense", READ8, 300, "ff", "", "", 1},
	{"reserved bit", "no kind", READ8 | 1u << 21, 1, "00", "", "", 1},
	{"top bit", "no kind", READ8 | 1u << 31, 1, "00", "", "", 1},
	{"no size", "no kind", TRACE_READ, 1, "00", "", "", 1},
	{"kind 3", "no kind", READ8 | 3, 1, "00", "", "", 1},
	{"class 5", "no kind", READ8 | DELTA(5), 1, "00", "", "", 1},
	{"fetch, rank 1", NULL, FETCH | RANK(1), 1, "00", "", "", 1},
	{"fetch, rank 2", "no kind", FETCH | RANK(2), 1, "00", "", "", 1},
	{"data, rank 7", NULL, READ8 | RANK(7), 1, "00", "", "", 1},
	{"full, count", "no kind", READ8 | COUNT(1), 1, "00", "", "01", 1},
	{"few deltas", "no sense", READ8 | DELTA(4), 1, "00 00", "00*8", "", 2},
	{"many deltas", "no item", READ8 | DELTA(1), 1, "00", "00*2", "", 1},
	{"many counts", "no item", READ8, 1, "00", "", "01", 1},
	{"page end", NULL, READ8 | DELTA(2), 1, "00", "f0 1f", "", 1},
	{"crossing", "its page", READ8 | DELTA(2), 1, "00", "f2 1f", "", 1},
	{"fewer records", "less", READ8, 1, "00", "", "", 2},
	{"more records", "less", READ8, 1, "00 00", "", "", 1},
};

static const struct {
	const char *name, *says;
	const char *items;
	uint32_t ops, nr; /* how many there are, and as the header says */
} items[] = {
	{"a mark", NULL, "06 00", 1, 1},
	{"more items", "less", "06 00", 1, 0},
	{"bytes too many", "no item", "06 00 06 00", 1, 1},
	{"bytes too few", "an item that", "06 00", 2, 2},
	{"kind 0", "an item that", "00 00", 1, 1},
	{"a processor", NULL, "07 03", 1, 1},
	{"processor 4", "an item that", "07 04", 1, 1},
	{"kind 8", "an item that", "08 00", 1, 1},
	{"endless number", "an item that", "06 ff*12 01", 1, 1},
	{"33-bit mark", "an item that", "06 80*4 10", 1, 1},
	{"an event", NULL, "01 01 00", 1, 1},
	{"event 0", "an item that", "01 00 00", 1, 1},
	{"event 31", "an item that", "01 1f 00", 1, 1},
	{"field 14", "an item that", "01 01 80 80 01 00", 1, 1},
	{"missing field", "an item that", "01 01 03 00", 1, 1},
	{"CPL 4", "an item that", "01 01 08 04", 1, 1},
	{"type 1", "an item that", "01 01 80 01 01", 1, 1},
	{"a table", NULL, "02 00 00*64", 1, 1},
	{"table in a frame", "an item that", "02 02 00*64", 1, 1},
	{"table cut", "an item that", "02 00 00*63", 1, 1},
	{"entry cut", "an item that", "02 00 01 00*63 00*7", 1, 1},
	{"an entry", NULL, "02 00 01 00*63 00*8", 1, 1},
	{"write of 0", "an item that", "03 00 00 00", 1, 1},
	{"write of 17", "an item that", "03 00 00 11 00*17", 1, 1},
	{"write of 16", NULL, "03 00 00 10 00*16", 1, 1},
	{"write cut", "an item that", "03 00 00 04 00*3", 1, 1},
	{"write of 2 frames", "an item that", "03 fe 3f 00 02 00*2", 1, 1},
	{"write at the end", NULL, "03 fe 3f 00 01 00", 1, 1},
	{"33-bit fault", "an item that", "05 00 80*4 10", 1, 1},
};

static uint8_t *put_hex(uint8_t *p, const char *text)
{
	unsigned int byte, times;
	int len;

	for (; sscanf(text, "%2x%n", &byte, &len) == 1; text += len) {
		text += len;
		times = 1;
		len = 0;
		if (*text == '*')
			assert_int_equal(sscanf(text, "*%u%n", &times, &len),
					 1);
		memset(p, (int)byte, times);
		p += times;
	}
	return p;
}

/* kind: the same for all. */
static uint32_t build(uint8_t *raw, uint32_t kind, uint32_t nr_kinds,
		      const char *const columns[4])
{
	uint8_t *header = put_le32(raw, nr_kinds), *p = raw + RAW_HEADER;

	for (uint32_t i = 0; i < nr_kinds; i++)
		p = put_le32(p, kind);
	for (int i = 0; i < 4; i++) {
		uint8_t *start = p;

		p = put_hex(p, columns[i]);
		header = put_le32(header, (uint32_t)(p - start));
	}
	return (uint32_t)(p - raw);
}

/* Reads what was forged; the line must have `says` in it, if that is given. */
static void check_line(const char *name, const struct forge *f,
		       const char *says)
{
	const char *path = scratch_path("forged");
	struct tape_reading how;
	struct tape got;
	struct diag diag;

	file_store(path, f->data, f->len);
	if (tape_read(&got, path, &how, &diag))
		fail_msg("%s: %s", name, diag.msg);
	if (says ? !strstr(how.damage, says) : how.damage[0])
		fail_msg("%s: got \"%s\", want \"%s\"", name, how.damage,
			 says ? says : "");
	tape_finish(&got);
}

static void check_chunk(const char *name, const char *says, const uint8_t *raw,
			uint32_t len, struct chunk_header h,
			enum trace_granularity granularity)
{
	struct trace_info info = {.granularity = granularity};
	struct forge f;

	forge_begin(&f, &info);
	forge_chunk(&f, raw, len, h);
	forge_end(&f, false);
	check_line(name, &f, says ? says : "footer is missing");
	forge_finish(&f);
}

static void forged_refs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refs); i++) {
		const char *const columns[] = {refs[i].ops, refs[i].deltas,
					       refs[i].counts, ""};
		struct chunk_header h = {.records = refs[i].records,
					 .refs = refs[i].records};
		static uint8_t raw[32768];

		check_chunk(refs[i].name, refs[i].says, raw,
			    build(raw, refs[i].kind, refs[i].nr_kinds, columns),
			    h, TRACE_FULL);
	}
	scratch_remove();
}

static void forged_items(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		const char *const columns[] = {items[i].ops == 1 ? "fe"
								 : "fe fe",
					       "", "", items[i].items};
		struct chunk_header h = {.items = items[i].nr};
		uint8_t raw[256];

		check_chunk(items[i].name, items[i].says, raw,
			    build(raw, 0, 0, columns), h, TRACE_FULL);
	}
	scratch_remove();
}

static void forged_counts(void **state)
{
	static const struct {
		const char *name, *says;
		uint32_t kind;
		const char *counts;
		uint64_t refs;
		uint32_t records;
	} cases[] = {
		{"one byte", NULL, READ8 | COUNT(1), "ff", 256, 1},
		{"three bytes", NULL, READ8 | COUNT(2), "ff ff ff", 1u << 24,
		 1},
		{"none", NULL, READ8 | COUNT(3), "", 0, 1},
		{"too few", "no sense", READ8 | COUNT(2), "ff ff", 1, 1},
		{"too many", "no item", READ8 | COUNT(1), "01 01", 2, 1},
		{"another sum", "less", READ8 | COUNT(1), "01", 3, 1},
		{"another number", "less", READ8 | COUNT(1), "01", 2, 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *const columns[] = {"00", "", cases[i].counts, ""};
		struct chunk_header h = {.records = cases[i].records,
					 .refs = cases[i].refs};
		uint8_t raw[256];

		check_chunk(cases[i].name, cases[i].says, raw,
			    build(raw, cases[i].kind, 1, columns), h,
			    TRACE_PAGES);
	}
	scratch_remove();
}

/* What stands around a good chunk with one reference in it. */
struct around {
	struct forge f;
	size_t chunk;
};

static void begin_around(struct around *a)
{
	struct trace_info info = {.granularity = TRACE_FULL};
	struct trace_ref ref = {.gva = 0x1000, .count = 1, .size = 1};
	struct tape tape;

	forge_begin(&a->f, &info);
	a->chunk = a->f.len;
	tape_init(&tape);
	tape_add_ref(&tape, &ref);
	forge_tape(&a->f, &tape, TRACE_FULL);
	tape_finish(&tape);
}

static void store_footer(struct around *a)
{
	footer_put(a->f.data + a->f.len - FOOTER_LEN, &a->f.footer, &a->f.crc);
}

static void wrong_digest(struct around *a)
{
	a->f.footer.totals.digest++;
	store_footer(a);
}

static void wrong_refs(struct around *a)
{
	a->f.footer.totals.refs++;
	store_footer(a);
}

static void wrong_insns(struct around *a)
{
	a->f.footer.totals.insns++;
	store_footer(a);
}

static void index_behind_footer(struct around *a)
{
	a->f.footer.index = UINT64_MAX - 7;
	store_footer(a);
}

static void endless_index(struct around *a)
{
	a->f.footer.chunks = UINT64_MAX / INDEX_ENTRY + 2;
	store_footer(a);
}

static void wrong_index(struct around *a)
{
	a->f.data[a->f.footer.index + INDEX_HEADER]++;
}

static void something_behind(struct around *a)
{
	a->f.data = realloc(a->f.data, a->f.len + 1);
	assert_non_null(a->f.data);
	a->f.data[a->f.len++] = 0;
}

static void other_footer_magic(struct around *a)
{
	uint8_t *p = a->f.data + a->f.len - FOOTER_LEN;

	p[0]++;
	put_le32(p + FOOTER_CRC, crc32c_update(&a->f.crc, 0, p, FOOTER_CRC));
}

/* Something that looks like an index before it. */
static void second_index(struct around *a)
{
	size_t at = a->f.footer.index;

	a->f.data = realloc(a->f.data, a->f.len + INDEX_HEADER);
	assert_non_null(a->f.data);
	memmove(a->f.data + at + INDEX_HEADER, a->f.data + at, a->f.len - at);
	a->f.len += INDEX_HEADER;
	a->f.footer.index += INDEX_HEADER;
	store_footer(a);
}

static void endless_chunk(struct around *a)
{
	put_le32(a->f.data + a->chunk + 4, UINT32_MAX);
}

static void endless_raw(struct around *a)
{
	put_le32(a->f.data + a->chunk + 8, UINT32_MAX);
}

static void other_magic(struct around *a)
{
	a->f.data[a->chunk]++;
}

/* The chunk again, its header changed and its checksum right. */
static void rehead(struct around *a, uint32_t raw_len, uint32_t packed_len)
{
	uint8_t *p = a->f.data + a->chunk;
	struct chunk_header h;

	assert_null(chunk_header_get(p, &h));
	h.raw_len = raw_len ? raw_len : h.raw_len;
	h.packed_len -= packed_len;
	chunk_header_put(p, &h, &a->f.crc, p + CHUNK_HEADER);
}

static void other_raw_len(struct around *a)
{
	rehead(a, 100, 0);
}

static void cut_frame(struct around *a)
{
	rehead(a, 0, 3);
}

static const struct {
	const char *name, *says;
	void (*change)(struct around *a);
} frames[] = {
	{"another digest", "not what the footer says", wrong_digest},
	{"another number of references", "not what the footer says",
	 wrong_refs},
	{"another number of instructions", "not what the footer says",
	 wrong_insns},
	{"an index beyond the file", "footer is missing", index_behind_footer},
	{"an index without end", "footer is missing", endless_index},
	{"an index entry changed", "index is damaged", wrong_index},
	{"another footer's magic", "footer is missing", other_footer_magic},
	{"a second index", "not where the footer says", second_index},
	{"a byte behind the end", "footer is missing", something_behind},
	{"a chunk of 4 GiB", "larger than any", endless_chunk},
	{"a chunk of 4 GiB unpacked", "larger than any", endless_raw},
	{"no chunk", "neither a chunk", other_magic},
	{"a chunk of another length", "does not decompress", other_raw_len},
	{"a zstd frame cut short", "does not decompress", cut_frame},
};

static void around_chunks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		struct around a;

		begin_around(&a);
		forge_end(&a.f, true);
		frames[i].change(&a);
		check_line(frames[i].name, &a.f, frames[i].says);
		forge_finish(&a.f);
	}
	scratch_remove();
}

/* The raw lengths of a chunk's columns do not add up. */
static void columns(void **state)
{
	(void)state;
	for (unsigned int at = 0; at <= RAW_HEADER; at += 4) {
		struct trace_info info = {.granularity = TRACE_FULL};
		uint8_t raw[RAW_HEADER + 1] = {0};
		struct forge f;

		forge_begin(&f, &info);
		if (at < RAW_HEADER)
			put_le32(raw + at, at ? UINT32_MAX : 0x40000001);
		forge_chunk(&f, raw,
			    at < RAW_HEADER ? RAW_HEADER : RAW_HEADER + 1,
			    (struct chunk_header){0});
		forge_end(&f, false);
		check_line("columns", &f, "columns do not fit");
		forge_finish(&f);
	}
	scratch_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forged_refs),   cmocka_unit_test(forged_items),
		cmocka_unit_test(forged_counts), cmocka_unit_test(columns),
		cmocka_unit_test(around_chunks),
	};

	return cmocka_run_group_tests_name("trace_forged", tests, NULL, NULL);
}
