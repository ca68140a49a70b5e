/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * golden.trace, which docs/trace-format.md explains byte by byte: it can be
 * read for ever, and the same items still are the same bytes.
 *
 * Usage: test_trace_golden GOLDEN.TRACE; with --write before the name, the
 * file is written anew (a change of the format: docs and version change, too).
 */
#include "tape.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "trace/crc32c.h"
#include "trace/info.h"
#include "trace/layout.h"

/* The zstd that made the file; others may compress otherwise. */
#define GOLDEN_ZSTD 10504

#define GOLDEN_DIGEST UINT64_C(0x95730a9585fb9f7c)

static const char *golden_path;

static const struct trace_info info = {
	.granularity = TRACE_FULL,
	.memory = 16 << 20,
	.source = "test",
	.origin = "golden",
	.tool = "notrap",
	.cr0 = 0x80010011,
	.cr3 = 0x1000,
	.cr4 = 0x20,
	.efer = 0x500,
};

#define PTE_US (PTE_P | PTE_W | PTE_U)

static void make(struct tape *t)
{
	static const struct trace_ref refs[] = {
		{0x401000, 1, TRACE_FETCH, 4, true, false},
		{0x401004, 1, TRACE_FETCH, 3, true, false},
		{0x7ffe0ff8, 1, TRACE_WRITE, 8, true, false},
		{0x401007, 1, TRACE_FETCH, 3, true, false},
		{0x600010, 1, TRACE_READ, 4, true, false},
	};
	static const struct trace_ref more[] = {
		{0x401ffe, 1, TRACE_FETCH, 2, true, false},
		{0x402000, 0, TRACE_FETCH, 1, true, false},
		{0x7ffe0ff8, 1, TRACE_READ, 8, true, false},
		{0x7ffe0ff0, 1, TRACE_WRITE, 8, false, true},
	};
	uint64_t table[PT_ENTRIES] = {
		[0] = 0x2000 | PTE_US, [3] = 0x3000 | PTE_US};
	const struct trace_item items[] = {
		{.kind = TRACE_ITEM_TABLE, .gpa = 0x1000, .table = table},
		{.kind = TRACE_ITEM_FAULT, .gva = 0x600010, .error = 4},
		{.kind = TRACE_ITEM_EVENT,
		 .event = {.kind = GE_DELIVER,
			   .vector = 14,
			   .type = 3,
			   .has_error = true,
			   .error = 4,
			   .cpl = 3,
			   .gva = 0x600010,
			   .rip = 0x401007,
			   .insns = 3}},
		{.kind = TRACE_ITEM_TABLE_WRITE,
		 .gpa = 0x1018,
		 .gva = 0x8018,
		 .size = 8,
		 .bytes = {0x67, 0x40}},
		{.kind = TRACE_ITEM_TABLE_END, .gpa = 0x1000},
		{.kind = TRACE_ITEM_MARK, .id = 1},
	};

	tape_init(t);
	for (size_t i = 0; i < ARRAY_LEN(refs); i++)
		tape_add_ref(t, &refs[i]);
	for (size_t i = 0; i < ARRAY_LEN(items); i++)
		tape_add_item(t, &items[i]);
	for (size_t i = 0; i < ARRAY_LEN(more); i++)
		tape_add_ref(t, &more[i]);
}

static void reads(void **state)
{
	struct tape_reading how;
	struct tape want, got;
	struct diag diag;

	(void)state;
	make(&want);
	if (tape_read(&got, golden_path, &how, &diag))
		fail_msg("%s", diag.msg);
	assert_string_equal(how.damage, "");
	tape_check_equal("golden", &got, &want);
	assert_int_equal(how.totals.digest, GOLDEN_DIGEST);
	assert_int_equal(how.info.memory, info.memory);
	assert_int_equal(how.info.cr0, info.cr0);
	assert_int_equal(how.info.efer, info.efer);
	assert_string_equal(how.info.origin, info.origin);
	tape_finish(&got);
	tape_finish(&want);
}

struct file {
	uint8_t *data;
	size_t len;
	size_t chunk; /* offset of the one chunk */
	struct chunk_header h;
};

static void load(struct file *f, const char *path)
{
	struct trace_info unused;
	struct crc32c crc;
	struct diag diag;
	int len;

	crc32c_init(&crc);
	f->data = file_load(path, &f->len);
	len = header_get(f->data, (uint32_t)f->len, &crc, &unused, &diag);
	assert_true(len > 0);
	f->chunk = (size_t)len;
	assert_null(chunk_header_get(f->data + f->chunk, &f->h));
}

static size_t unpack(const struct file *f, uint8_t *raw, size_t room)
{
	return ZSTD_decompress(raw, room, f->data + f->chunk + CHUNK_HEADER,
			       f->h.packed_len);
}

static void writes(void **state)
{
	const char *path = scratch_path("golden");
	uint8_t raw[2][1024];
	size_t raw_len[2];
	struct file want, got;
	struct tape tape;

	(void)state;
	make(&tape);
	tape_write(&tape, path, &info, NULL);
	tape_finish(&tape);
	load(&want, golden_path);
	load(&got, path);

	assert_int_equal(got.chunk, want.chunk);
	assert_memory_equal(got.data, want.data, want.chunk);
	raw_len[0] = unpack(&want, raw[0], sizeof(raw[0]));
	raw_len[1] = unpack(&got, raw[1], sizeof(raw[1]));
	assert_int_equal(raw_len[0], want.h.raw_len);
	assert_int_equal(raw_len[1], raw_len[0]);
	assert_memory_equal(raw[1], raw[0], raw_len[0]);
	if (ZSTD_versionNumber() == GOLDEN_ZSTD) {
		assert_int_equal(got.len, want.len);
		assert_memory_equal(got.data, want.data, want.len);
	}
	free(want.data);
	free(got.data);
	scratch_remove();
}

static int write_golden(const char *path)
{
	struct trace_totals totals;
	struct tape tape;

	make(&tape);
	tape_write(&tape, path, &info, &totals);
	tape_finish(&tape);
	printf("digest 0x%016" PRIx64 ", zstd %u\n", totals.digest,
	       ZSTD_versionNumber());
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(writes),
	};

	if (argc == 3 && !strcmp(argv[1], "--write"))
		return write_golden(argv[2]);
	if (argc != 2)
		return 2;
	golden_path = argv[1];
	return cmocka_run_group_tests_name("trace_golden", tests, NULL, NULL);
}
