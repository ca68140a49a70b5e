/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which known name a misspelt word is taken for, and when it is for none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/suggest.h"
#include "base/types.h"

static const char *const names[] = {
	"mmu",        "bypass",    "shadow-pages", "pfec-mask",
	"pfec-match", "cost.exit", "cost.emulate", "max-insns",
};

static const struct {
	const char *word;
	const char *want; /* NULL: nothing is near */
} cases[] = {
	{"bypass", "bypass"},
	{"bypas", "bypass"},   /* one letter dropped */
	{"bypasss", "bypass"}, /* one too many */
	{"bipass", "bypass"},  /* one changed */
	{"byapss", "bypass"},  /* two swapped: one slip */
	{"BYPASS", "bypass"},
	{"shadow_pages", "shadow-pages"},
	{"shadowpages", "shadow-pages"},
	{"mnu", "mmu"},
	{"pfec-mach", "pfec-match"},
	{"pfec-mas", "pfec-mask"},
	{"exit", "cost.exit"}, /* the last part alone */
	{"emulat", "cost.emulate"},
	{"max-insn", "max-insns"},
	{"xyzzy", NULL},
	{"", NULL},
	{"a", NULL},
	{"bxyxzs", NULL},
};

static const char *nearest(const char *word)
{
	struct suggest s;

	suggest_init(&s, word);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		suggest_offer(&s, names[i]);
	return suggest_best(&s);
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *got = nearest(cases[i].word);
		const char *want = cases[i].want;

		if (!got != !want || (got && strcmp(got, want) != 0))
			fail_msg("\"%s\": got %s, want %s", cases[i].word,
				 got ? got : "nothing",
				 want ? want : "nothing");
	}
}

/* An independent distance: try every way to make a of b, by recursion. */
static unsigned int slow_distance(const char *a, const char *b)
{
	unsigned int best, other;

	if (!*a || !*b)
		return (unsigned int)(strlen(a) + strlen(b));
	best = slow_distance(a + 1, b + 1) + (*a != *b);
	other = slow_distance(a + 1, b) + 1;
	best = other < best ? other : best;
	other = slow_distance(a, b + 1) + 1;
	best = other < best ? other : best;
	if (a[1] && b[1] && a[0] == b[1] && a[1] == b[0]) {
		other = slow_distance(a + 2, b + 2) + 1;
		best = other < best ? other : best;
	}
	return best;
}

/* All words of up to four letters of two, against all others. */
static void test_distance(void **state)
{
	char word[32][6], *w;
	size_t nr = 0;

	(void)state;
	for (unsigned int len = 0; len <= 4; len++) {
		for (unsigned int bits = 0; bits < 1u << len; bits++) {
			w = word[nr++];
			for (unsigned int i = 0; i < len; i++)
				w[i] = bits >> i & 1 ? 'y' : 'x';
			w[len] = 0;
		}
	}
	assert_int_equal(nr, 31);
	for (size_t i = 0; i < nr; i++) {
		for (size_t j = 0; j < nr; j++) {
			struct suggest s;

			suggest_init(&s, word[i]);
			suggest_offer(&s, word[j]);
			if (s.distance != slow_distance(word[i], word[j]))
				fail_msg("\"%s\" and \"%s\": got %u, want %u",
					 word[i], word[j], s.distance,
					 slow_distance(word[i], word[j]));
		}
	}
}

static void test_long_words(void **state)
{
	char word[1000];

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = 0;
	nearest(word);
	memcpy(word, "bypass", 6);
	nearest(word);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_long_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
