/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes out of a compressed file is what went in, or a line that says
 * what is wrong: whole files, files one after the other, files cut off at any
 * byte and files with any bit changed.
 */
#include "tape.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "import/stream.h"
#include "pack.h"

/* Compressible, but not by much. */
static uint8_t *sample(size_t len)
{
	uint8_t *data = malloc(len + 1);
	uint32_t x = 1;

	assert_non_null(data);
	for (size_t i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		data[i] = (uint8_t)(x >> 28 ? x >> 24 & 0x1f : x >> 16);
	}
	return data;
}

/* All of it, by reads of `piece` bytes; what came out before an error, too. */
static int slurp(const char *path, size_t piece, struct bytes *ret,
		 struct diag *diag)
{
	uint8_t *buffer = malloc(piece);
	struct stream *s;
	uint64_t done, total;
	size_t got;
	int err;

	assert_non_null(buffer);
	*ret = (struct bytes){0};
	bytes_add(ret, "", 0);
	err = stream_open(path, &s, diag);
	if (err) {
		free(buffer);
		return err;
	}
	do {
		err = stream_read(s, buffer, piece, &got, diag);
		assert_true(got <= piece);
		if (!err)
			bytes_add(ret, buffer, got);
		stream_progress(s, &done, &total);
		assert_true(!total || done <= total);
	} while (!err && got);
	if (!err && total)
		assert_int_equal(done, total);
	stream_close(s);
	free(buffer);
	return err;
}

static bool is_equal(const struct bytes *got, const void *want, size_t len)
{
	return got->len == len && !memcmp(got->data, want, len);
}

static void whole_files(void **state)
{
	static const size_t lens[] = {0, 1, 5, 6, 7, 1000, 262144, 1500000};
	static const size_t pieces[] = {1, 777, 1 << 20};
	const char *path = scratch_path("whole");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lens) * NR_PACKS; i++) {
		size_t len = lens[i / NR_PACKS];
		enum pack_kind kind = i % NR_PACKS;
		uint8_t *data = sample(len);
		struct bytes file = {0};

		pack_add(&file, kind, data, len);
		file_store(path, file.data, file.len);
		for (size_t k = 0; k < ARRAY_LEN(pieces); k++) {
			struct bytes got;
			struct diag diag;
			int err;

			if (len > 100000 && pieces[k] == 1)
				continue;
			err = slurp(path, pieces[k], &got, &diag);
			if (err || !is_equal(&got, data, len))
				fail_msg("%s of %zu by %zu: %s",
					 pack_names[kind], len, pieces[k],
					 err ? diag.msg : "differs");
			free(got.data);
		}
		free(file.data);
		free(data);
	}
	scratch_remove();
}

/*
 * A file is a word of members: a letter a text of its own, - an empty one, 0
 * and z zeros (4 and 300000), s a frame that zstd skips.
 */
static void build(struct bytes *file, enum pack_kind kind, const char *word,
		  struct bytes *want)
{
	static const uint8_t skip[] = {0x5e, 0x2a, 0x4d, 0x18, 3,  0,
				       0,    0,    'x',  'y',  'z'};
	static const uint8_t zeros[300000];

	*file = *want = (struct bytes){0};
	bytes_add(want, "", 0);
	for (; *word; word++) {
		char text[64];

		memset(text, *word, sizeof(text));
		if (*word == '0' || *word == 'z') {
			bytes_add(file, zeros,
				  *word == '0' ? 4 : sizeof(zeros));
		} else if (*word == 's') {
			bytes_add(file, skip, sizeof(skip));
		} else if (*word == '-') {
			pack_add(file, kind, "", 0);
		} else {
			pack_add(file, kind, text, sizeof(text));
			bytes_add(want, text, sizeof(text));
		}
	}
}

static void files_in_a_row(void **state)
{
	static const char *const words[] = {
		"ab",  "abc", "a-b", "-a",   "a-",
		"---", "a0",  "a0b", "azb0", "az",
	};
	static const char *const zstd_words[] = {"sa", "asb", "as", "s"};
	const char *path = scratch_path("row");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words) * 3 + ARRAY_LEN(zstd_words);
	     i++) {
		bool all = i < ARRAY_LEN(words) * 3;
		enum pack_kind kind = all ? PACK_GZIP + i % 3 : PACK_ZSTD;
		const char *word = all ? words[i / 3]
				       : zstd_words[i - ARRAY_LEN(words) * 3];
		struct bytes file, want, got;
		struct diag diag;
		int err;

		build(&file, kind, word, &want);
		file_store(path, file.data, file.len);
		err = slurp(path, 100, &got, &diag);
		if (err || !is_equal(&got, want.data, want.len))
			fail_msg("%s \"%s\": %s", pack_names[kind], word,
				 err ? diag.msg : "differs");
		free(file.data);
		free(want.data);
		free(got.data);
	}
	scratch_remove();
}

/* What follows, and at which byte after the first member that is. */
static void something_else_follows(void **state)
{
	static const struct {
		const char *name, *tail;
		size_t len, at;
	} cases[] = {
		{"a letter", "x", 1, 0},
		{"text", "and more\n", 9, 0},
		{"half a magic", "\x1f", 1, 0},
		{"another kind: bzip2", "BZh9", 4, 0},
		{"text after zeros", "\0\0\0\0\0text", 9, 5},
	};
	const char *path = scratch_path("tail");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases) * 3; i++) {
		enum pack_kind kind = PACK_GZIP + i % 3;
		struct bytes file, want, got;
		char where[64];
		struct diag diag;
		int err;

		build(&file, kind, "ab", &want);
		snprintf(where, sizeof(where), "%s data end at byte %zu",
			 pack_names[kind], file.len + cases[i / 3].at);
		bytes_add(&file, cases[i / 3].tail, cases[i / 3].len);
		file_store(path, file.data, file.len);
		err = slurp(path, 1000, &got, &diag);
		if (err != -EINVAL || !strstr(diag.msg, where) ||
		    !strstr(diag.msg, path))
			fail_msg("%s after %s: %d, \"%s\", want \"%s\"",
				 cases[i / 3].name, pack_names[kind], err,
				 err ? diag.msg : "", where);
		assert_true(is_equal(&got, want.data, want.len));
		free(file.data);
		free(want.data);
		free(got.data);
	}
	scratch_remove();
}

static void other_kind_follows(void **state)
{
	const char *path = scratch_path("kinds");

	(void)state;
	for (unsigned int i = 0; i < 9; i++) {
		enum pack_kind first = PACK_GZIP + i / 3;
		enum pack_kind second = PACK_GZIP + i % 3;
		struct bytes file = {0}, got;
		struct diag diag;

		pack_add(&file, first, "a", 1);
		pack_add(&file, second, "b", 1);
		file_store(path, file.data, file.len);
		assert_int_equal(slurp(path, 10, &got, &diag),
				 first == second ? 0 : -EINVAL);
		free(file.data);
		free(got.data);
	}
	scratch_remove();
}

/* Bytes by which a kind is known. */
static const size_t magic_lens[NR_PACKS] = {0, 3, 5, 4};

static void cut_anywhere(void **state)
{
	const char *path = scratch_path("cut");

	(void)state;
	for (enum pack_kind kind = PACK_GZIP; kind < NR_PACKS; kind++) {
		size_t first;
		struct bytes file, want;

		build(&file, kind, "ab", &want);
		first = file.len;
		pack_add(&file, kind, "c", 1);
		for (size_t len = magic_lens[kind]; len < first; len++) {
			struct bytes got;
			struct diag diag;
			int err;

			file_store(path, file.data, len);
			err = slurp(path, 1000, &got, &diag);
			/* Between two members nothing is missing. */
			if (err != -EINVAL && len != first / 2)
				fail_msg("%s cut at %zu: %d", pack_names[kind],
					 len, err);
			if (err && !strstr(diag.msg, "end too early") &&
			    !strstr(diag.msg, "something else"))
				fail_msg("%s cut at %zu: \"%s\"",
					 pack_names[kind], len, diag.msg);
			assert_true(got.len <= want.len);
			assert_memory_equal(got.data, want.data, got.len);
			free(got.data);
		}
		free(file.data);
		free(want.data);
	}
	scratch_remove();
}

/*
 * A changed bit behind the magic is noticed, or changes nothing (in the time a
 * gzip header has, say).
 */
static void change_any_bit(void **state)
{
	const char *path = scratch_path("flip");

	(void)state;
	for (enum pack_kind kind = PACK_GZIP; kind < NR_PACKS; kind++) {
		struct bytes file, want;
		size_t noticed = 0, first = kind == PACK_XZ ? 6 : 4;

		build(&file, kind, "ab", &want);
		for (size_t bit = 8 * first; bit < 8 * file.len; bit++) {
			uint8_t *byte = &file.data[bit / 8];
			struct bytes got;
			struct diag diag;
			int err;

			*byte = (uint8_t)(*byte ^ 1u << bit % 8);
			file_store(path, file.data, file.len);
			*byte = (uint8_t)(*byte ^ 1u << bit % 8);
			err = slurp(path, 1000, &got, &diag);
			noticed += err != 0;
			if (err ? err != -EINVAL || !strstr(diag.msg, path)
				: !is_equal(&got, want.data, want.len))
				fail_msg("%s bit %zu of byte %zu: %d",
					 pack_names[kind], bit % 8, bit / 8,
					 err);
			free(got.data);
		}
		if (noticed < 4 * file.len)
			fail_msg("%s: only %zu noticed", pack_names[kind],
				 noticed);
		free(file.data);
		free(want.data);
	}
	scratch_remove();
}

/* Where it is, not how far the file had been read when it was found. */
static void place_of_damage(void **state)
{
	/* A member of which the first block is of no type that exists. */
	static const uint8_t header[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 7};
	static const uint8_t more[500000];
	const char *path = scratch_path("place"), *at;
	struct bytes file = {0}, got;
	struct diag diag;
	unsigned long place;

	(void)state;
	pack_add(&file, PACK_GZIP, "a", 1);
	place = file.len + sizeof(header);
	bytes_add(&file, header, sizeof(header));
	bytes_add(&file, more, sizeof(more));
	file_store(path, file.data, file.len);
	assert_int_equal(slurp(path, 10, &got, &diag), -EINVAL);
	at = strstr(diag.msg, "damaged gzip data before byte ");
	assert_non_null(at);
	assert_in_range(strtoul(at + 30, NULL, 10), place - 1, place + 1);
	assert_non_null(strstr(at, "invalid block type"));
	free(file.data);
	free(got.data);
	scratch_remove();
}

/* Nothing but a few bytes: plain, or known and refused. */
static void beginnings(void **state)
{
	static const struct {
		const char *name, *data;
		size_t len;
		const char *line; /* NULL: plain data */
	} cases[] = {
		{"a line", "I  04001000,3\n", 14, NULL},
		{"first byte of gzip", "\x1f", 1, NULL},
		{"gzip of another method", "\x1f\x8b\x07\0", 4, NULL},
		{"reserved flags of gzip", "\x1f\x8b\x08\x20", 4, NULL},
		{"gzip", "\x1f\x8b\x08\0", 4, "gzip data end too early"},
		{"4 bytes of xz",
		 "\xfd"
		 "7zX",
		 4, NULL},
		{"xz",
		 "\xfd"
		 "7zXZ\0",
		 6, "xz data end too early"},
		{"zstd", "\x28\xb5\x2f\xfd", 4, "zstd data end too early"},
		{"skipped frame", "\x50\x2a\x4d\x18\xff\0\0\0", 8, "too early"},
		{"no such frame", "\x60\x2a\x4d\x18\xff\0\0\0", 8, NULL},
		{"a window of 2 GiB", "\x28\xb5\x2f\xfd\0\xa8\x01\0\0", 9,
		 "too much memory"},
		{"bzip2", "BZh91AY&SY", 10, "is compressed by bzip2"},
		{"no bzip2", "BZhx1AY&SY", 10, NULL},
		{"zip", "PK\x03\x04\x14\0", 6, "is compressed by zip"},
		{"lz4", "\x04\x22\x4d\x18\x64\x40", 6, "is compressed by lz4"},
	};
	const char *path = scratch_path("magic");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes got;
		struct diag diag;
		int err;

		file_store(path, (const uint8_t *)cases[i].data, cases[i].len);
		err = slurp(path, 100, &got, &diag);
		if (cases[i].line
			    ? err != -EINVAL || !strstr(diag.msg, cases[i].line)
			    : err || !is_equal(&got, cases[i].data,
					       cases[i].len))
			fail_msg("%s: %d \"%s\"", cases[i].name, err,
				 err ? diag.msg : "");
		free(got.data);
	}
	scratch_remove();
}

/* From a file and from a pipe that gives a byte or a few at a time. */
static void standard_input(void **state)
{
	const char *path = scratch_path("stdin");
	int saved = dup(STDIN_FILENO);

	(void)state;
	assert_true(saved >= 0);
	for (enum pack_kind kind = PACK_PLAIN; kind < NR_PACKS; kind++) {
		struct bytes file, want, got;
		struct diag diag;
		int fds[2], fd;

		build(&file, kind, "abc", &want);
		file_store(path, file.data, file.len);
		fd = open(path, O_RDONLY);
		assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
		close(fd);
		assert_int_equal(slurp("-", 100, &got, &diag), 0);
		assert_true(is_equal(&got, want.data, want.len));
		free(got.data);

		/* Packets: a read gives no more than was written at once. */
		assert_int_equal(pipe2(fds, O_DIRECT), 0);
		assert_true(fcntl(fds[1], F_SETPIPE_SZ, 1 << 20) > 0);
		for (size_t i = 0; i < file.len; i += 3)
			assert_true(write(fds[1], &file.data[i],
					  min_u64(3, file.len - i)) > 0);
		close(fds[1]);
		assert_int_equal(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
		close(fds[0]);
		assert_int_equal(slurp("-", 100, &got, &diag), 0);
		assert_true(is_equal(&got, want.data, want.len));
		free(got.data);
		free(file.data);
		free(want.data);
	}
	assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
	close(saved);
	scratch_remove();
}

static void no_file(void **state)
{
	struct bytes got;
	struct diag diag;

	(void)state;
	assert_int_equal(slurp(scratch_path("none"), 1, &got, &diag), -ENOENT);
	assert_non_null(strstr(diag.msg, "none: No such file"));
	free(got.data);
	assert_int_equal(slurp("/", 1, &got, &diag), -EISDIR);
	free(got.data);
	assert_int_equal(slurp("/proc/self/mem", 1, &got, &diag), -EIO);
	free(got.data);
	scratch_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_files),
		cmocka_unit_test(files_in_a_row),
		cmocka_unit_test(something_else_follows),
		cmocka_unit_test(other_kind_follows),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(change_any_bit),
		cmocka_unit_test(place_of_damage),
		cmocka_unit_test(beginnings),
		cmocka_unit_test(standard_input),
		cmocka_unit_test(no_file),
	};

	return cmocka_run_group_tests_name("import_stream", tests, NULL, NULL);
}
