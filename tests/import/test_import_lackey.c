/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of lackey: what each becomes, which are none, and the short way. */
#include "feed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "tape.h"

static void feed_text(const char *lines, bool lenient, struct feed *ret)
{
	struct bytes input = {0};

	bytes_add(&input, lines, strlen(lines));
	feed("lackey", &input, lenient, ret);
	free(input.data);
}

#define HEAD                                                      \
	"==123== Lackey, an example Valgrind tool\n"              \
	"==123== Command: true\n"                                 \
	"==123== \n"                                              \
	"--123-- warning: DWARF2 reader: Badly formed extended\n" \
	"**123** the program's own\n"

static const struct {
	const char *name, *lines, *want;
} cases[] = {
	{"as it is",
	 HEAD "I  04001000,3\n"
	      "I  04001003,5\n"
	      " S 1ffeffe910,8\n"
	      " L 04222000,8\n"
	      "==123== Exit code: 0\n",
	 "F4001000,3 F4001003,5 W1ffeffe910,8 R4222000,8 "},
	{"a modification is a write", "I  04001000,3\n M 04222000,4\n",
	 "F4001000,3 W4222000,4 "},
	{"superblocks", "SB 04001000\nI  04001000,3\nSB 04001003\n",
	 "F4001000,3 "},
	{"short addresses", "I  1000,3\n L 0,1\n L 7,15\n",
	 "F1000,3 R0,1 R7,15 "},
	{"long addresses",
	 "I  7fff12345678,3\n L 7fffffffefff,1\n S 00007fffffffe000,8\n",
	 "F7fff12345678,3 R7fffffffefff,1 W7fffffffe000,8 "},
	{"at the end of user space", "I  7ffffffffff0,16\n L 7fffffffffff,1\n",
	 "F7ffffffffff0,16 R7fffffffffff,1 "},
	{"capital letters", "I  0400ABCD,3\n L 0400aBcF,1\n",
	 "F400abcd,3 R400abcf,1 "},
	{"blank lines, and CRs", "\nI  04001000,3\r\n\r\n L 04222000,8\r\n",
	 "F4001000,3 R4222000,8 "},
	{"into the next page",
	 "I  04001ffe,4\n L 04222ff8,16\n S 04222fff,512\n",
	 "F4001ffe,2 +F4002000,2 R4222ff8,8 +R4223000,8 W4222fff,1 "
	 "+W4223000,255 "},
	{"a byte into the next page", "I  04001fff,2\n L 04222ff9,8\n",
	 "F4001fff,1 +F4002000,1 R4222ff9,7 +R4223000,1 "},
	{"up to the next page", "I  04001ffe,2\n L 04222ff8,8\n",
	 "F4001ffe,2 R4222ff8,8 "},
	{"sizes of two digits and more",
	 "I  04001000,10\n L 04222000,16\n L 04222000,99\n S 04222000,255\n"
	 " S 04222000,256\n L 04222000,4096\n",
	 "F4001000,10 R4222000,16 R4222000,99 W4222000,255 W4222000,255 "
	 "R4222000,255 "},
	{"a request to valgrind", "I  04001000,19\n", "F4001000,19 "},
};

static void takes_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes input = {0};

		bytes_add(&input, cases[i].lines, strlen(cases[i].lines));
		feed_check(cases[i].name, "lackey", &input, cases[i].want);
		free(input.data);
	}
}

/* As the last line without a newline is as good as any. */
static void last_line(void **state)
{
	struct feed f;

	(void)state;
	feed_text("I  04001000,3\n L 04222000,8", false, &f);
	assert_int_equal(f.err, 0);
	assert_int_equal(f.result.records, 2);
	assert_string_equal((const char *)f.story.data,
			    "cr3 14@4001000 4@4222000 ");
	feed_finish(&f);
}

/* More data than an instruction can have belong to a second one. */
static void much_data(void **state)
{
	struct bytes input = {0};
	struct feed f;

	(void)state;
	bytes_add(&input, "I  04001000,3\n", 14);
	for (int i = 0; i < 65; i++)
		bytes_add(&input, " L 04001000,8\n", 14);
	feed("lackey", &input, false, &f);
	assert_int_equal(f.err, 0);
	assert_int_equal(f.result.records, 66);
	/* Once in vain, then with 64, then with the last. */
	assert_int_equal(strlen((char *)f.words.data),
			 12 + 11 * (1 + 64 + 1 + 1));
	feed_finish(&f);
	free(input.data);
}

static const struct {
	const char *name, *line, *says;
} malformed[] = {
	{"no line of lackey", "hello", "want I, L, S or M"},
	{"one character", "I", "want I, L, S or M"},
	{"nothing behind it", "I  ", "want I, L, S or M"},
	{"a kind of its own", " X 04001000,8", "want I, L, S or M"},
	{"NUL as a kind", "NUL", "want I, L, S or M"},
	{"I in the wrong column", " I 04001000,8", "want I, L, S or M"},
	{"L in the wrong column", "L  04001000,8", "want I, L, S or M"},
	{"something beside I", "IX 04001000,8", "want I, L, S or M"},
	{"one blank", "I 04001000,3", "want I, L, S or M"},
	{"small letters", "i  04001000,3", "want I, L, S or M"},
	{"no address", "I  ,3", "want address,size"},
	{"no digit", "I  0400100g,3", "want address,size"},
	{"0x", "I  0x400100,3", "want address,size"},
	{"no comma", "I  04001000 3", "want address,size"},
	{"no size", "I  04001000,", "want address,size"},
	{"a size in hexadecimal", "I  04001000,f", "want address,size"},
	{"a third digit that is none", " L 04001000,12x", "want address,size"},
	{"a negative size", "I  04001000,-3", "want address,size"},
	{"more behind the size", "I  04001000,3 ", "want address,size"},
	{"size 0", "I  04001000,0", "no size of an instruction"},
	{"a long instruction", "I  04001000,33", "no size of an instruction"},
	{"much data", " S 04001000,4097", "no size of an instruction"},
	{"a large size", " S 04001000,4294967297", "no size of an instruction"},
	{"a size beyond counting", " S 04001000,18446744073709551617",
	 "want address,size"},
	{"an address of the kernel's", " L ffffffff81000000,8",
	 "no address of user code"},
	{"an address between", " L 800000000000,8", "no address of user code"},
	{"into what is between", " L 7fffffffffff,2",
	 "no address of user code"},
	{"17 digits", "I  00000000004001000,3", "want address,size"},
};

static void refuses_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(malformed); i++) {
		static const char good[] = "I  04001000,3\n";
		struct bytes input = {0};
		struct feed f;

		bytes_add(&input, good, strlen(good));
		bytes_add(&input, malformed[i].line, strlen(malformed[i].line));
		bytes_add(&input, "\n", 1);
		bytes_add(&input, good, strlen(good));
		if (!strcmp(malformed[i].line, "NUL"))
			memcpy(input.data + 14, " \0 4,8", 3);
		feed("lackey", &input, false, &f);
		if (f.err != -EINVAL || !strstr(f.diag.msg, "/in:2: ") ||
		    !strstr(f.diag.msg, malformed[i].says))
			fail_msg("%s: %d: %s", malformed[i].name, f.err,
				 f.err ? f.diag.msg : "");
		feed_finish(&f);
		feed("lackey", &input, true, &f);
		if (f.err || f.result.skipped != 1 || f.result.records != 2)
			fail_msg("%s: lenient: %d, %llu skipped",
				 malformed[i].name, f.err,
				 (unsigned long long)f.result.skipped);
		feed_finish(&f);
		free(input.data);
	}
}

static void data_of_nobody(void **state)
{
	struct feed f;

	(void)state;
	feed_text("==1==\n L 04001000,8\nI  04001000,3\n", false, &f);
	assert_int_equal(f.err, -EINVAL);
	assert_non_null(strstr(f.diag.msg, ":2: data of no instruction"));
	feed_finish(&f);
	feed_text("==1==\n L 04001000,8\nI  04001000,3\n", true, &f);
	assert_int_equal(f.err, 0);
	assert_int_equal(f.result.skipped, 1);
	assert_int_equal(f.result.records, 1);
	feed_finish(&f);
}

/* --- The short way is no other way ---------------------------------------- */

static size_t random_line(struct rng *rng, char line[64])
{
	static const char *const kinds[] = {"I  ", "I  ", " L ", " S ", " M "};
	static const gva_t places[] = {0x4001000, 0x4222000, 0x1ffeffe000,
				       UINT64_C(0x7ffff7fff000)};
	static const char wrong[] = "\0\n ,09:@AFG`afgz\x7f\x80\xb0\xe1\xff";
	uint64_t how = rng_below(rng, 40);
	gva_t gva = places[rng_below(rng, 4)] + rng_below(rng, 0x1000);
	uint64_t size = 1 + rng_below(rng, how < 4 ? 300 : 15);
	int len = snprintf(line, 64, how < 30 ? "%s%08llx,%llu" : "%s%llx,%llu",
			   kinds[rng_below(rng, 5)], (unsigned long long)gva,
			   (unsigned long long)size);

	if (how == 39)
		line[rng_below(rng, (uint64_t)len)] =
			wrong[rng_below(rng, sizeof(wrong) - 1)];
	return (size_t)len;
}

static void check_same(uint64_t seed, const struct feed *a,
		       const struct feed *b)
{
	if (a->err || b->err)
		fail_msg("seed %llu: %s", (unsigned long long)seed,
			 a->err ? a->diag.msg : b->diag.msg);
	if (a->result.records != b->result.records ||
	    a->result.skipped != b->result.skipped)
		fail_msg("seed %llu: %llu records, %llu skipped; the long way "
			 "%llu, %llu",
			 (unsigned long long)seed,
			 (unsigned long long)a->result.records,
			 (unsigned long long)a->result.skipped,
			 (unsigned long long)b->result.records,
			 (unsigned long long)b->result.skipped);
	assert_string_equal((const char *)a->words.data,
			    (const char *)b->words.data);
	assert_string_equal((const char *)a->story.data,
			    (const char *)b->story.data);
}

/* A CR at a line's end is what only the long way takes. */
static void short_way(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct bytes plain = {0}, with_cr = {0};
		struct feed a, b;
		struct rng rng;
		char line[64];

		rng_init(&rng, seed);
		bytes_add(&plain, "I  04001000,3\n", 14);
		bytes_add(&with_cr, "I  04001000,3\r\n", 15);
		for (int i = 0; i < 300; i++) {
			size_t len = random_line(&rng, line);

			bytes_add(&plain, line, len);
			bytes_add(&plain, "\n", 1);
			bytes_add(&with_cr, line, len);
			bytes_add(&with_cr, "\r\n", 2);
		}
		feed("lackey", &plain, true, &a);
		feed("lackey", &with_cr, true, &b);
		check_same(seed, &a, &b);
		feed_finish(&a);
		feed_finish(&b);
		free(plain.data);
		free(with_cr.data);
	}
}

/* The number of a bad line behind a million of good ones. */
static void counts_lines(void **state)
{
	enum { LINES = 100000 };
	struct bytes input = {0};
	struct feed f;

	(void)state;
	for (int i = 0; i < LINES; i++)
		bytes_add(&input, i % 2 ? " L 04001000,8\n" : "I  04001000,3\n",
			  14);
	bytes_add(&input, "I  0400100?,3\n", 14);
	feed("lackey", &input, false, &f);
	assert_int_equal(f.err, -EINVAL);
	assert_non_null(strstr(f.diag.msg, "/in:100001: want address,size"));
	feed_finish(&f);
	free(input.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_lines),
		cmocka_unit_test(last_line),
		cmocka_unit_test(much_data),
		cmocka_unit_test(refuses_lines),
		cmocka_unit_test(data_of_nobody),
		cmocka_unit_test(short_way),
		cmocka_unit_test(counts_lines),
	};

	return cmocka_run_group_tests_name("import_lackey", tests, NULL, NULL);
}
