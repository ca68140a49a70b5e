/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ChampSim's records: what each becomes, and which are none. */
#include "feed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tape.h"

static const struct {
	const char *format;
	size_t size, written, nr_written, read;
} kinds[] = {
	{"champsim", 64, 16, 2, 32},
	{"champsim-cloudsuite", 96, 24, 4, 56},
};

enum {
	PLAIN,
	CLOUDSUITE,
	NR_KINDS,
};

#define RECORDS 4

struct record {
	uint64_t ip;
	bool is_branch, taken;
	uint64_t written[4], read[4];
	uint16_t space;
};

/* Whatever means nothing here is not 0. */
static void add_record(struct bytes *input, int kind, const struct record *r)
{
	uint8_t raw[96];

	memset(raw, 0x5a, sizeof(raw));
	memcpy(raw, &r->ip, 8);
	raw[8] = r->is_branch;
	raw[9] = r->taken;
	memcpy(raw + kinds[kind].written, r->written,
	       8 * kinds[kind].nr_written);
	memcpy(raw + kinds[kind].read, r->read, sizeof(r->read));
	if (kind == CLOUDSUITE)
		memcpy(raw + 88, &r->space, 2);
	bytes_add(input, raw, kinds[kind].size);
}

static void add_records(struct bytes *input, int kind, const struct record *r)
{
	*input = (struct bytes){0};
	bytes_add(input, "", 0);
	for (int i = 0; i < RECORDS && r[i].ip; i++)
		add_record(input, kind, &r[i]);
}

#define STACK UINT64_C(0x7ffd1000)

/* After each comes one record far away: "F500000,4 ". */
static const struct {
	const char *name;
	struct record records[RECORDS];
	const char *want;
} cases[] = {
	{"as long as the next is ahead: 3",
	 {{0x401000}, {0x401003}},
	 "F401000,3 F401003,4 "},
	{"1, and 15",
	 {{0x401000}, {0x401001}, {0x401010}},
	 "F401000,1 F401001,15 F401010,4 "},
	{"16 ahead: not known",
	 {{0x401000}, {0x401010}},
	 "F401000,4 F401010,4 "},
	{"the same again", {{0x401000}, {0x401000}}, "F401000,4 F401000,4 "},
	{"backwards", {{0x401000}, {0x400fff}}, "F401000,4 F400fff,1 "},
	{"a jump over 5 bytes that is taken",
	 {{0x401000, true, true}, {0x401005}},
	 "F401000,4 F401005,4 "},
	{"and that is not",
	 {{0x401000, true, false}, {0x401005}},
	 "F401000,5 F401005,4 "},
	{"taken, but no jump",
	 {{0x401000, false, true}, {0x401005}},
	 "F401000,5 F401005,4 "},
	{"an unknown length ends with the page", {{0x401ffe}}, "F401ffe,2 "},
	{"a jump's, too",
	 {{0x401ffe, true, true}, {0x402003}},
	 "F401ffe,2 F402003,4 "},
	{"a known one goes on",
	 {{0x401ffe}, {0x402003}},
	 "F401ffe,2 +F402000,3 F402003,4 "},
	{"loads, then stores",
	 {{0x401000, .written = {STACK}, .read = {STACK + 64, STACK + 128}}},
	 "F401000,4 R7ffd1040,8 R7ffd1080,8 W7ffd1000,8 "},
	{"any slot",
	 {{0x401000, .written = {0, STACK},
	   .read = {0, STACK + 16, 0, STACK + 8}}},
	 "F401000,4 R7ffd1010,8 R7ffd1008,8 W7ffd1000,8 "},
	{"read and written is one write",
	 {{0x401000, .written = {STACK}, .read = {STACK}}},
	 "F401000,4 W7ffd1000,8 "},
	{"one of several",
	 {{0x401000, .written = {STACK + 8, STACK},
	   .read = {STACK + 16, STACK, STACK + 24}}},
	 "F401000,4 R7ffd1010,8 R7ffd1018,8 W7ffd1008,8 W7ffd1000,8 "},
	{"other bytes of it are not",
	 {{0x401000, .written = {STACK}, .read = {STACK + 1}}},
	 "F401000,4 R7ffd1001,8 W7ffd1000,8 "},
	{"data end with the page",
	 {{0x401000, .written = {STACK + 0xff9}, .read = {STACK + 0xff8}}},
	 "F401000,4 R7ffd1ff8,8 W7ffd1ff9,7 "},
	{"the last of user addresses",
	 {{0x401000, .read = {0x7fffffffffff}}},
	 "F401000,4 R7fffffffffff,1 "},
};

static void records(void **state)
{
	static const struct record stop[RECORDS] = {{0x500000}};

	(void)state;
	for (size_t i = 0; i < NR_KINDS * ARRAY_LEN(cases); i++) {
		int kind = i % NR_KINDS;
		struct bytes input;
		char want[512], name[128];

		add_records(&input, kind, cases[i / NR_KINDS].records);
		add_record(&input, kind, stop);
		snprintf(want, sizeof(want), "%sF500000,4 ",
			 cases[i / NR_KINDS].want);
		snprintf(name, sizeof(name), "%s: %s", kinds[kind].format,
			 cases[i / NR_KINDS].name);
		feed_check(name, kinds[kind].format, &input, want);
		free(input.data);
	}
}

/* Four writes and four reads fit into the larger one only. */
static void all_slots(void **state)
{
	static const struct record r = {
		.ip = 0x401000,
		.written = {STACK, STACK + 8, STACK + 16, STACK + 24},
		.read = {STACK + 32, STACK + 40, STACK + 24, STACK + 56},
	};
	struct bytes input = {0};

	(void)state;
	add_record(&input, CLOUDSUITE, &r);
	feed_check("all slots", "champsim-cloudsuite", &input,
		   "F401000,4 R7ffd1020,8 R7ffd1028,8 R7ffd1038,8 W7ffd1000,8 "
		   "W7ffd1008,8 W7ffd1010,8 W7ffd1018,8 ");
	free(input.data);
}

static void address_spaces(void **state)
{
	static const struct {
		const char *name;
		struct record records[RECORDS];
		unsigned int spaces, faults;
		const char *want; /* the last words */
	} rows[] = {
		{"one",
		 {{0x401000}, {0x401003}, {0x401007}},
		 1,
		 1,
		 "F401000,3 F401003,4 F401007,4 "},
		{"of any number",
		 {{0x401000, .space = 0xffff}, {0x401003, .space = 0xffff}},
		 1,
		 1,
		 "F401000,3 F401003,4 "},
		{"two: the next is no neighbour",
		 {{0x401000, .space = 1}, {0x401003, .space = 0x101}},
		 2,
		 2,
		 "F401003,4 "},
		{"there and back",
		 {{0x401000}, {0x401003, .space = 2}, {0x401006}, {0x401009}},
		 2,
		 2,
		 "F401003,4 F401006,3 F401009,4 "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *words;
		struct bytes input;
		struct feed got;
		size_t len;

		add_records(&input, CLOUDSUITE, rows[i].records);
		feed("champsim-cloudsuite", &input, false, &got);
		words = (char *)got.words.data;
		len = strlen(words) - strlen(rows[i].want);
		if (got.err || got.result.guest.spaces != rows[i].spaces ||
		    got.result.guest.faults != rows[i].faults ||
		    strcmp(words + len, rows[i].want))
			fail_msg("%s: %d, %llu spaces, %llu faults, \"%s\"",
				 rows[i].name, got.err,
				 (unsigned long long)got.result.guest.spaces,
				 (unsigned long long)got.result.guest.faults,
				 words);
		feed_finish(&got);
		free(input.data);
	}
}

#define HOLE UINT64_C(0x800000000000) /* the first address of nobody */

static void malformed_records(void **state)
{
	static const struct {
		const char *name;
		struct record bad;
		uint8_t flags[2]; /* if not 0 */
		const char *line;
	} rows[] = {
		{"no ip", {0}, {0}, "no instruction pointer"},
		{"ip in the hole", {HOLE}, {0}, "none of user code"},
		{"ip of a kernel",
		 {UINT64_C(0xffffffff81000000)},
		 {0},
		 "none of user code"},
		{"a write to it",
		 {0x401000, .written = {0, HOLE}},
		 {0},
		 "none of user code"},
		{"a read of it",
		 {0x401000, .read = {0, 0, 0, ~UINT64_C(0)}},
		 {0},
		 "none of user code"},
		{"is_branch is 2", {0x401000}, {2, 0}, "neither 0 nor 1"},
		{"taken is 255", {0x401000}, {1, 255}, "neither 0 nor 1"},
	};
	static const struct record good[RECORDS] = {{0x401000}, {0x402000}};

	(void)state;
	for (size_t i = 0; i < NR_KINDS * ARRAY_LEN(rows); i++) {
		int kind = i % NR_KINDS;
		const char *name = rows[i / NR_KINDS].name;
		struct bytes input = {0};
		struct feed got;
		char where[64];

		add_record(&input, kind, &good[0]);
		add_record(&input, kind, &rows[i / NR_KINDS].bad);
		if (rows[i / NR_KINDS].flags[0])
			memcpy(input.data + kinds[kind].size + 8,
			       rows[i / NR_KINDS].flags, 2);
		add_record(&input, kind, &good[1]);
		snprintf(where, sizeof(where),
			 ": record 2 (byte %zu): ", kinds[kind].size);
		feed(kinds[kind].format, &input, false, &got);
		if (got.err != -EINVAL || !strstr(got.diag.msg, where) ||
		    !strstr(got.diag.msg, rows[i / NR_KINDS].line))
			fail_msg("%s: %d \"%s\"", name, got.err,
				 got.err ? got.diag.msg : "");
		feed_finish(&got);
		feed(kinds[kind].format, &input, true, &got);
		if (got.err || got.result.skipped != 1 ||
		    got.result.records != 2)
			fail_msg("%s, lenient: %d", name, got.err);
		feed_finish(&got);
		free(input.data);
	}
}

static void cut_records(void **state)
{
	static const struct record r[RECORDS] = {{0x401000}, {0x401003}};

	(void)state;
	for (int kind = 0; kind < NR_KINDS; kind++) {
		size_t size = kinds[kind].size;

		for (size_t i = 0; i < 8; i++) {
			const size_t lens[] = {0,        1,           8,
					       size - 1, size,        size + 1,
					       size + 8, 2 * size - 1};
			size_t len = lens[i];
			struct bytes input;
			struct feed got;
			char line[64];

			add_records(&input, kind, r);
			input.len = len;
			snprintf(line, sizeof(line),
				 len ? "record %zu (byte %zu): the file ends"
				     : "no record of champsim",
				 len / size + 1, len / size * size);
			feed(kinds[kind].format, &input, false, &got);
			if (len && len % size == 0
				    ? got.err
				    : got.err != -EINVAL ||
					      !strstr(got.diag.msg, line))
				fail_msg("%zu bytes: %d \"%s\"", len, got.err,
					 got.err ? got.diag.msg : "");
			feed_finish(&got);
			feed(kinds[kind].format, &input, true, &got);
			if (len < size ? got.err != -EINVAL
				       : got.result.records != len / size ||
						 got.result.skipped !=
							 (len % size != 0))
				fail_msg("%zu bytes, lenient: %d", len,
					 got.err);
			feed_finish(&got);
			free(input.data);
		}
	}
}

/* A member gives less than a record at a time. */
static void input_in_pieces(void **state)
{
	static const struct record r[RECORDS] = {{0x401000}, {0x401003}};
	struct bytes whole, input = {0};
	struct feed got;

	(void)state;
	add_records(&whole, PLAIN, r);
	for (size_t i = 0; i < whole.len; i += 8)
		pack_add(&input, PACK_ZSTD, whole.data + i, 8);
	feed("champsim", &input, false, &got);
	assert_int_equal(got.err, 0);
	assert_int_equal(got.result.records, 2);
	feed_finish(&got);
	free(whole.data);
	free(input.data);
}

/* More than is held at once, however it is compressed. */
static void long_input(void **state)
{
	enum { NR = 30000 };

	(void)state;
	for (int kind = 0; kind < NR_KINDS; kind++) {
		struct bytes plain = {0};
		uint64_t digest = 0;

		for (uint64_t i = 0; i < NR; i++)
			add_record(&plain, kind,
				   &(struct record){
					   .ip = 0x401000 + i % 999 * 4,
					   .read = {STACK + i * 8},
				   });
		for (enum pack_kind k = 0; k < NR_PACKS; k++) {
			struct bytes input = {0};
			struct feed got;

			pack_add(&input, k, plain.data, plain.len);
			feed(kinds[kind].format, &input, false, &got);
			assert_int_equal(got.err, 0);
			assert_int_equal(got.result.records, NR);
			assert_true(!k || got.result.totals.digest == digest);
			digest = got.result.totals.digest;
			feed_finish(&got);
			free(input.data);
		}
		free(plain.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records),
		cmocka_unit_test(all_slots),
		cmocka_unit_test(address_spaces),
		cmocka_unit_test(malformed_records),
		cmocka_unit_test(cut_records),
		cmocka_unit_test(input_in_pieces),
		cmocka_unit_test(long_input),
	};

	return cmocka_run_group_tests_name("import_champsim", tests, NULL,
					   NULL);
}
