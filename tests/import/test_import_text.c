/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of a text against a plain split of it, long ones and last ones. */
#include "import/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pack.h"
#include "random.h"
#include "tape.h"

#define LINE_MAX (64 << 10)

/* What the next line has to be; NULL: none. */
static const char *split(const char **p, const char *end, size_t *len)
{
	const char *line = *p, *newline;

	if (line == end)
		return NULL;
	newline = memchr(line, '\n', (size_t)(end - line));
	*p = newline ? newline + 1 : end;
	*len = (size_t)((newline ? newline : end) - line);
	if (*len > LINE_MAX)
		*len = LINE_MAX;
	if (*len && line[*len - 1] == '\r')
		--*len;
	return line;
}

/* Now and then some lines are taken the short way. */
static void skip_block(struct text *text, struct rng *rng, const char **p,
		       uint64_t *number)
{
	const char *from, *end, *to;
	uint64_t lines = 0;

	if (rng_below(rng, 3) || !text_block(text, &from, &end))
		return;
	assert_int_equal(end[-1], '\n');
	to = from;
	while (to < end && lines < rng_below(rng, 50)) {
		to = (const char *)memchr(to, '\n', (size_t)(end - to)) + 1;
		lines++;
	}
	assert_memory_equal(from, *p, (size_t)(to - from));
	text_taken(text, to, lines);
	*p += to - from;
	*number += lines;
}

static void check_number(struct text *text, uint64_t number)
{
	struct diag diag, want;

	assert_int_equal(text_malformed(text, "so", &diag), -EINVAL);
	diag_set(&want, 0, ":%llu: so", (unsigned long long)number);
	assert_non_null(strstr(diag.msg, want.msg));
}

static void check_lines(uint64_t seed, const struct bytes *input)
{
	const char *path = scratch_path("text"), *p = (char *)input->data;
	const char *end = p + input->len, *line, *want;
	size_t len, want_len = 0;
	uint64_t number = 0;
	struct text *text;
	struct diag diag;
	struct rng rng;

	rng_init(&rng, seed);
	file_store(path, input->data, input->len);
	assert_int_equal(text_open(path, false, &text, &diag), 0);
	for (;;) {
		int got;

		skip_block(text, &rng, &p, &number);
		got = text_line(text, &line, &len, &diag);
		want = split(&p, end, &want_len);
		if (got != (want != NULL))
			fail_msg("seed %llu: %d instead of %d behind %llu",
				 (unsigned long long)seed, got, !got,
				 (unsigned long long)number);
		if (!got)
			break;
		if (len != want_len || memcmp(line, want, len))
			fail_msg("seed %llu: line %llu: %zu bytes, want %zu",
				 (unsigned long long)seed,
				 (unsigned long long)number, len, want_len);
		check_number(text, ++number);
	}
	assert_int_equal(text_line(text, &line, &len, &diag), 0);
	text_close(text);
	scratch_remove();
}

/* Lengths around those at which something happens. */
static size_t random_length(struct rng *rng)
{
	static const size_t near[] = {
		0, 1, LINE_MAX, 2 * LINE_MAX, 4 * LINE_MAX, 5 * LINE_MAX};

	if (rng_below(rng, 4))
		return rng_below(rng, 200);
	return near[rng_below(rng, 6)] + rng_below(rng, 3);
}

static void lines_are_those(void **state)
{
	static char fill[6 * LINE_MAX];

	(void)state;
	memset(fill, 'x', sizeof(fill));
	for (uint64_t seed = 0; seed < 60; seed++) {
		struct bytes input = {0};
		struct rng rng;

		rng_init(&rng, seed);
		for (uint64_t n = rng_below(&rng, 40); n; n--) {
			bytes_add(&input, fill, random_length(&rng));
			if (!rng_below(&rng, 4))
				bytes_add(&input, "\r", 1);
			if (n > 1 || rng_below(&rng, 2))
				bytes_add(&input, "\n", 1);
		}
		bytes_add(&input, "", 0);
		check_lines(seed, &input);
		free(input.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_those),
	};

	return cmocka_run_group_tests_name("import_text", tests, NULL, NULL);
}
