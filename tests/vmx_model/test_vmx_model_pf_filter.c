/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filters over sets of error codes: each effect once, none left out, safe by
 * the rule in words; and the lists for the codes that systems really have.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>

#include "vmx_model/pf_filter.h"

/* SDM: a match takes bit 14 as it is, a mismatch reverses it. */
static bool passes(bool bit14, uint32_t mask, uint32_t match, uint32_t code)
{
	return ((code & mask) == match) ? !bit14 : bit14;
}

static uint64_t direct_of(bool bit14, uint32_t mask, uint32_t match,
			  uint64_t codes)
{
	uint64_t direct = 0;

	for (uint32_t code = 0; code < PF_CODES; code++)
		if ((codes >> code & 1) && passes(bit14, mask, match, code))
			direct |= UINT64_C(1) << code;
	return direct;
}

/* Odd codes have P=1. */
#define PRESENT UINT64_C(0xaaaaaaaaaaaaaaaa)

static struct pf_filter filter[PF_FILTERS_MAX];

static bool has_effect(size_t nr, uint64_t direct, bool safe)
{
	for (size_t i = 0; i < nr; i++)
		if (filter[i].direct == direct && (filter[i].is_safe || !safe))
			return true;
	return false;
}

static void check_set(uint64_t codes)
{
	size_t nr = pf_filters(codes, filter);
	uint32_t all = 1;

	for (uint32_t code = 0; code < PF_CODES; code++)
		all |= codes >> code & 1 ? code : 0;
	for (size_t i = 0; i < nr; i++) {
		const struct pf_filter *f = &filter[i];

		assert_true(f->direct);
		assert_int_equal(f->mask & ~all, 0);
		assert_int_equal(f->match & ~f->mask, 0);
		assert_true(f->direct ==
			    direct_of(f->bit14, f->mask, f->match, codes));
		assert_int_equal(f->is_safe, !direct_of(f->bit14, f->mask,
							f->match, PRESENT));
		assert_true(f->bit14 || f->is_safe);
		if (i)
			assert_true(filter[i - 1].is_safe >= f->is_safe);
		for (size_t k = 0; k < i; k++)
			assert_true(filter[k].direct != f->direct);
	}
	for (uint32_t mask = 0; mask < PF_CODES; mask++) {
		for (uint32_t match = 0; match < PF_CODES; match++) {
			uint64_t off = direct_of(false, mask, match, codes);
			uint64_t on = direct_of(true, mask, match, codes);
			bool safe = !direct_of(false, mask, match, PRESENT);

			if ((mask & ~all) || (match & ~mask))
				continue;
			if (on)
				assert_true(has_effect(nr, on, false));
			if (off && safe)
				assert_true(has_effect(nr, off, true));
		}
	}
}

static void any_set_of_codes(void **state)
{
	uint64_t seed = 1;

	(void)state;
	check_set(0);
	for (uint32_t code = 0; code < PF_CODES; code++)
		check_set(UINT64_C(1) << code);
	for (int i = 0; i < 40; i++) {
		uint64_t codes = 0;

		for (int n = 0; n <= i % 9; n++) {
			seed = seed * UINT64_C(6364136223846793005) + 1;
			codes |= UINT64_C(1) << (seed >> 58);
		}
		check_set(codes);
	}
}

#define CODE(n) (UINT64_C(1) << (n))

/* bit 14/mask/match: text; a star if it is not safe */
static const struct {
	const char *name;
	uint64_t codes;
	const char *want;
} cases[] = {
	{"no fault", 0, ""},
	{"demand faults alone", CODE(4) | CODE(6),
	 "1/1/1: not present\n"
	 "0/3/0: not present, no write\n"
	 "0/3/2: not present, write\n"},
	{"protection alone", CODE(7), "1/1/0*: present\n"},
	{"demand faults and copy on write", CODE(6) | CODE(7),
	 "1/1/1: not present\n"
	 "1/1/0*: present\n"
	 "1/2/0*: write\n"},
	{"Linux: reads, writes, fetches, copy on write",
	 CODE(4) | CODE(6) | CODE(0x14) | CODE(7),
	 "1/1/1: not present\n"
	 "0/3/0: not present, no write\n"
	 "0/3/2: not present, write\n"
	 "0/11/0: not present, no fetch\n"
	 "0/11/10: not present, fetch\n"
	 "0/13/0: not present, no write, no fetch\n"
	 "1/1/0*: present\n"
	 "1/2/0*: write\n"
	 "1/4/0*: user\n"
	 "1/10/10*: no fetch\n"
	 "1/3/2*: all but not present, write\n"
	 "1/11/0*: all but not present, no fetch\n"
	 "1/12/0*: all but no write, no fetch\n"},
};

/* Made by hand, as no set of codes leads to them. */
static void words(void **state)
{
	static const struct {
		struct pf_filter filter;
		const char *want;
	} made[] = {
		{{.bit14 = true}, "none"},
		{{.bit14 = false}, "all"},
		{{true, 0x08, 0x00, 0, false}, "reserved bit"},
		{{true, 0x20, 0x20, 0, false}, "no protection key"},
		{{false, 0x24, 0x04, 0, false}, "user, no protection key"},
		{{true, 0x3f, 0x3f, 0, false},
		 "all but present, write, user, reserved bit, fetch, "
		 "protection "
		 "key"},
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(made); i++) {
		pf_filter_text(&made[i].filter, text, sizeof(text));
		assert_string_equal(text, made[i].want);
	}
	/* What does not fit is cut. */
	pf_filter_text(&made[5].filter, text, 12);
	assert_string_equal(text, "all but pre");
}

static void known_sets(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t nr = pf_filters(cases[i].codes, filter);
		char got[4096] = "", text[200];
		size_t len = 0;

		for (size_t k = 0; k < nr; k++) {
			pf_filter_text(&filter[k], text, sizeof(text));
			len += (size_t)snprintf(
				got + len, sizeof(got) - len,
				"%d/%x/%x%s: %s\n", filter[k].bit14,
				filter[k].mask, filter[k].match,
				filter[k].is_safe ? "" : "*", text);
		}
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s: got\n%swant\n%s", cases[i].name, got,
				 cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_set_of_codes),
		cmocka_unit_test(words),
		cmocka_unit_test(known_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
