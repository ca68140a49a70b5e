/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings with several values and what is run of them, settings from files,
 * and the parser of those files fed with anything at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../share.h"
#include "cli/plan.h"

static const struct {
	const char *name;
	const char *settings; /* separated by blanks */
	const char *points;   /* labels, separated by '|' */
	const char *note;     /* part of the one note; NULL: none */
} cases[] = {
	{"nothing given: the defaults", "", "", NULL},
	{"single values make no label", "mmu=seed bypass=off", "", NULL},
	{"one list", "bypass=off,on", "bypass=off|bypass=on", NULL},
	{"two lists, the first changes slowest",
	 "mmu=seed,kvm-2.6.25 bypass=off,on",
	 "mmu=seed bypass=off|mmu=seed bypass=on|"
	 "mmu=kvm-2.6.25 bypass=off|mmu=kvm-2.6.25 bypass=on",
	 NULL},
	{"a cost is a setting", "cost.exit=1000,2000",
	 "cost.exit=1000|cost.exit=2000", NULL},
	{"the last one wins, in the first one's place",
	 "bypass=off,on memory=32M,64M bypass=on", "memory=32M|memory=64M",
	 NULL},
	{"no bypass in that generation: run once",
	 "mmu=kvm-2.6.24,kvm-2.6.25 bypass=off,on",
	 "mmu=kvm-2.6.24 bypass=off|mmu=kvm-2.6.25 bypass=off|"
	 "mmu=kvm-2.6.25 bypass=on",
	 "mmu=kvm-2.6.24 bypass=on is the same as mmu=kvm-2.6.24 bypass=off, "
	 "as this generation has none"},
	{"a value twice", "bypass=on,on", "bypass=on",
	 "bypass=on is the same as bypass=on: run once"},
	{"another spelling of a value", "memory=64M,65536K", "memory=64M",
	 "memory=65536K is the same as memory=64M: run once"},
	{"bypass=on in a generation without", "mmu=kvm-2.6.24 bypass=on", "",
	 "kvm-2.6.24: bypass is off"},
	{"the default bypass there is no news", "mmu=kvm-2.6.24", "", NULL},
	{"AMD takes the default bypass away", "vendor=amd", "",
	 "bypass is off: AMD"},
	{"AMD and no bypass wanted", "vendor=amd bypass=off", "", NULL},
	{"a machine without EPT among others",
	 "machine=merom,nehalem "
	 "mmu=kvm-3.1,ept",
	 "machine=merom mmu=kvm-3.1|machine=nehalem mmu=kvm-3.1|"
	 "machine=nehalem mmu=ept",
	 "left out: mmu=ept: machine=merom has no ept"},
	{"several for one reason",
	 "machine=merom,k10 bypass=off,on "
	 "mmu=kvm-2.6.25,kvm-2.6.38",
	 "machine=merom bypass=off mmu=kvm-2.6.25|"
	 "machine=merom bypass=off mmu=kvm-2.6.38|"
	 "machine=merom bypass=on mmu=kvm-2.6.25|"
	 "machine=merom bypass=on mmu=kvm-2.6.38|"
	 "machine=k10 bypass=off mmu=kvm-2.6.25|"
	 "machine=k10 bypass=off mmu=kvm-2.6.38",
	 "(2 combinations)"},
};

static struct plan *make_plan(const char *settings)
{
	char copy[512], *rest = copy, *word;
	struct plan *plan = plan_create();
	struct diag diag = {""};

	assert_non_null(plan);
	snprintf(copy, sizeof(copy), "%s", settings);
	while ((word = strsep(&rest, " ")))
		if (*word && plan_set(plan, word, &diag))
			fail_msg("%s: %s", word, diag.msg);
	return plan;
}

static void check_case(size_t i)
{
	struct plan *plan = make_plan(cases[i].settings);
	struct plan_point *point;
	struct plan_note *note;
	size_t nr, nr_notes;
	struct diag diag = {""};
	char labels[1024] = "";

	if (plan_expand(plan, &point, &nr, &note, &nr_notes, &diag))
		fail_msg("%s: %s", cases[i].name, diag.msg);
	for (size_t n = 0; n < nr; n++)
		snprintf(labels + strlen(labels),
			 sizeof(labels) - strlen(labels), "%s%s", n ? "|" : "",
			 point[n].label);
	if (strcmp(labels, cases[i].points) != 0)
		fail_msg("%s: got %s, want %s", cases[i].name, labels,
			 cases[i].points);
	if (nr_notes != (cases[i].note ? 1 : 0) ||
	    (nr_notes && !strstr(note[0].line, cases[i].note)))
		fail_msg("%s: got %zu notes, the first \"%s\"; want \"%s\"",
			 cases[i].name, nr_notes, nr_notes ? note[0].line : "",
			 cases[i].note ? cases[i].note : "");
	free(point);
	free(note);
	plan_destroy(plan);
}

static void test_expansion(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_case(i);
}

/* Each point carries its own values, not only its label. */
static void test_values(void **state)
{
	struct plan *plan =
		make_plan("memory=32M,64M cost.exit=7,8 bypass=off");
	struct plan_point *point;
	struct plan_note *note;
	size_t nr, nr_notes;
	struct diag diag;

	(void)state;
	assert_int_equal(
		plan_expand(plan, &point, &nr, &note, &nr_notes, &diag), 0);
	assert_int_equal(nr, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct config *config = &point[i].config;

		assert_true(config_get(config, OPT_memory) ==
			    (i < 2 ? 32u << 20 : 64u << 20));
		assert_true(config->cost[COST_EXIT].typ == 7 + i % 2);
		assert_false(config_has_bypass(config));
	}
	free(point);
	free(note);
	plan_destroy(plan);
}

static const struct {
	const char *setting;
	int err;
	const char *says;
} refusals[] = {
	{"bypass", -EINVAL, "want key=value"},
	{"", -EINVAL, "want key=value"},
	{"=on", -ENOENT, "no setting"},
	{"bypass=", -EINVAL, "want one of off,on"},
	{"bypass=off,", -EINVAL, "want one of off,on"},
	{"bypass=,on", -EINVAL, "want one of off,on"},
	{"bypass=off,,on", -EINVAL, "want one of off,on"},
	{"bypass=off,maybe", -EINVAL, "bypass=maybe: want one of"},
	{"byps=off,on", -ENOENT, "did you mean \"bypass\"?"},
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct plan *plan = plan_create();
		struct diag diag = {""};
		int err = plan_set(plan, refusals[i].setting, &diag);

		if (err != refusals[i].err ||
		    !strstr(diag.msg, refusals[i].says))
			fail_msg("%s: got %d, \"%s\"; want %d, \"%s\"",
				 refusals[i].setting, err, diag.msg,
				 refusals[i].err, refusals[i].says);
		plan_destroy(plan);
	}
}

static int expand_error(const char *settings, struct diag *diag)
{
	struct plan *plan = make_plan(settings);
	struct plan_point *point = NULL;
	struct plan_note *note = NULL;
	size_t nr, nr_notes;
	int err = plan_expand(plan, &point, &nr, &note, &nr_notes, diag);

	if (!err) {
		free(point);
		free(note);
	}
	plan_destroy(plan);
	return err;
}

/* A value that cannot be run spoils the plan before anything is. */
static void test_bad_points(void **state)
{
	struct diag diag = {""};
	char many[512] = "";

	(void)state;
	assert_int_equal(expand_error("vendor=intel,amd bypass=on", &diag),
			 -EINVAL);
	assert_non_null(strstr(diag.msg, "vendor=amd has none"));
	assert_int_equal(expand_error("memory=64M,1M", &diag), -EINVAL);
	assert_non_null(strstr(diag.msg, "memory=1M"));
	/* What goes with no machine of the list was not meant for some. */
	assert_int_equal(
		expand_error("machine=merom,penryn mmu=kvm-3.1,ept", &diag),
		-EINVAL);
	assert_non_null(strstr(diag.msg, "machine=merom has no ept"));
	assert_int_equal(expand_error("machine=merom,k10 bypass=on", &diag),
			 -EINVAL);
	assert_non_null(strstr(diag.msg, "vendor=amd has none"));

	/* 2^12 combinations are run, one factor more is refused. */
	for (int i = 0; i < 6; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many),
			 "%s=1,2,3,4 ", cost_info((enum cost_id)i)->key);
	assert_int_equal(expand_error(many, &diag), 0);
	strcat(many, "mhz=1,2");
	assert_int_equal(expand_error(many, &diag), -EINVAL);
	assert_non_null(strstr(diag.msg, "more than 4096"));
}

static const struct {
	const char *name;
	const char *text;
	const char *settings; /* the same as settings; NULL: refused */
	const char *says;     /* if refused */
} files[] = {
	{"empty", "", "", NULL},
	{"one line", "bypass=off\n", "bypass=off", NULL},
	{"no newline at the end", "bypass=off", "bypass=off", NULL},
	{"blank lines and comments",
	 "\n# a comment\n   \nbypass=off # another\n#memory=32M\n",
	 "bypass=off", NULL},
	{"blanks around words", "  memory = 32M , 48M \t\r\n", "memory=32M,48M",
	 NULL},
	{"a list", "mmu=seed,kvm-2.6.25\n", "mmu=seed,kvm-2.6.25", NULL},
	{"later lines win", "memory=32M\nmemory=48M\n", "memory=48M", NULL},
	{"unknown key, with its line", "bypass=off\n\nmemry=32M\n", NULL,
	 "f.conf:3: no setting is called \"memry\"; did you mean \"memory\"?"},
	{"bad value", "bypass=off\nmemory=lots\n", NULL, "f.conf:2: memory"},
	{"not a setting", "hello\n", NULL, "f.conf:1: \"hello\": want key="},
};

static void check_same(const char *name, const struct plan *a,
		       const struct plan *b)
{
	struct plan_point *x, *y;
	struct plan_note *xn, *yn;
	size_t nx, ny, nn;
	struct diag diag;

	assert_int_equal(plan_expand(a, &x, &nx, &xn, &nn, &diag), 0);
	assert_int_equal(plan_expand(b, &y, &ny, &yn, &nn, &diag), 0);
	if (nx != ny)
		fail_msg("%s: got %zu points, want %zu", name, nx, ny);
	for (size_t i = 0; i < nx; i++)
		if (!config_is_equal(&x[i].config, &y[i].config))
			fail_msg("%s: point %zu differs", name, i);
	free(x);
	free(y);
	free(xn);
	free(yn);
}

static void test_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct plan *plan = plan_create();
		struct diag diag = {""};
		int err = plan_parse(plan, files[i].text, strlen(files[i].text),
				     "f.conf", &diag);

		if (!err != !files[i].says ||
		    (err && !strstr(diag.msg, files[i].says)))
			fail_msg("%s: got %d, \"%s\"", files[i].name, err,
				 diag.msg);
		if (!err) {
			struct plan *want = make_plan(files[i].settings);

			check_same(files[i].name, plan, want);
			plan_destroy(want);
		}
		plan_destroy(plan);
	}
}

static void test_nul_and_long_lines(void **state)
{
	static char text[5000];
	struct plan *plan = plan_create();
	struct diag diag;

	(void)state;
	assert_int_equal(plan_parse(plan, "bypass=off\0,on", 14, "f", &diag),
			 -EINVAL);
	memset(text, 'x', sizeof(text));
	assert_int_equal(plan_parse(plan, text, sizeof(text), "f", &diag),
			 -EINVAL);
	/* The longest line there may be, and one letter more. */
	memcpy(text, "mhz=", 4);
	for (size_t i = 4; i < sizeof(text); i += 2)
		memcpy(text + i, "1,", 2);
	assert_int_equal(plan_parse(plan, text, 1023, "f", &diag), 0);
	assert_int_equal(plan_parse(plan, text, 1025, "f", &diag), -EINVAL);
	assert_non_null(strstr(diag.msg, "more than 1023 letters"));
	/* A comment may be as long as it likes. */
	text[0] = '#';
	assert_int_equal(plan_parse(plan, text, sizeof(text), "f", &diag), 0);
	plan_destroy(plan);
}

/* --- A sweep's traces ---------------------------------------------------- */

static const struct {
	const char *line;
	const char *trace; /* NULL: refused */
} trace_lines[] = {
	{"trace=a.trace", "a.trace"},
	{"  trace =\ta b,c=d \r", "a b,c=d"},
	{"trace=a # a comment", "a"},
	{"trace=", NULL},
	{"trace= # nothing", NULL},
	{"trace", NULL},
	{"trace # =x", NULL},
	{"traces=a", NULL},
	{"tracea", NULL},
};

static void test_traces(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(trace_lines); i++) {
		const char *line = trace_lines[i].line;
		struct plan *plan = plan_create();
		struct diag diag = {""};
		size_t nr = trace_lines[i].trace != NULL;
		int err;

		plan_allow_traces(plan);
		err = plan_parse(plan, line, strlen(line), "s", &diag);
		if (!err != (nr == 1) || plan_nr_traces(plan) != nr ||
		    (nr &&
		     strcmp(plan_trace(plan, 0), trace_lines[i].trace) != 0))
			fail_msg("\"%s\": got %d, %s", line, err,
				 plan_nr_traces(plan) ? plan_trace(plan, 0)
						      : diag.msg);
		plan_destroy(plan);
	}
}

/* In order, beside settings; and not where a file says settings only. */
static void test_spec(void **state)
{
	static const char spec[] = "trace=x\nbypass=off,on\ntrace=y\n";
	struct plan *plan = plan_create();
	struct diag diag = {""};

	(void)state;
	assert_int_equal(plan_parse(plan, spec, strlen(spec), "s", &diag),
			 -EINVAL);
	assert_non_null(strstr(diag.msg, "s:1: a trace is named here"));
	plan_allow_traces(plan);
	assert_int_equal(plan_parse(plan, spec, strlen(spec), "s", &diag), 0);
	assert_int_equal(plan_add_trace(plan, "z", &diag), 0);
	assert_int_equal(plan_nr_traces(plan), 3);
	assert_string_equal(plan_trace(plan, 0), "x");
	assert_string_equal(plan_trace(plan, 1), "y");
	assert_string_equal(plan_trace(plan, 2), "z");
	plan_destroy(plan);
}

/* --- Anything at all ----------------------------------------------------- */

static uint64_t rng_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Bytes, or pieces that look like settings. */
static size_t random_text(uint64_t *rng, char *buf, size_t size)
{
	static const char *const pieces[] = {
		"bypass",
		"=",
		"off",
		",",
		"on",
		"\n",
		"#",
		"memory",
		"64M",
		"cost.exit",
		"0x",
		"99999999999999999999",
		" ",
		"mmu",
		"seed",
		"kvm-2.6.25",
		"\r",
		"\t",
		"pfec-mask",
		"auto",
		"\0",
		"\xff",
		"%s%n",
		"mmu=seed\n",
		"bypass=off,on\n",
		"memory=32M\n",
		"trace=",
		"trace=a b\n",
	};
	size_t len = 0, want = rng_next(rng) % size;
	bool raw = rng_next(rng) % 2;

	while (len < want) {
		const char *piece = pieces[rng_next(rng) % ARRAY_LEN(pieces)];
		size_t n = *piece ? strlen(piece) : 1;

		if (raw || len + n > want) {
			buf[len++] = (char)rng_next(rng);
			continue;
		}
		memcpy(buf + len, piece, n);
		len += n;
	}
	return len;
}

static void test_random_files(void **state)
{
	int rounds = 20000 / (int)one_of_cases();
	uint64_t rng = 0x123456789abcdef;
	unsigned int parsed = 0, refused = 0;

	(void)state;
	for (int round = 0; round < rounds; round++) {
		size_t size = 1 + (size_t)(round % 300);
		char *text = malloc(size); /* so that ASan sees its end */
		size_t len = random_text(&rng, text, size);
		struct plan *plan = plan_create();
		struct diag diag = {""};
		int err;

		if (round % 2)
			plan_allow_traces(plan);
		err = plan_parse(plan, text, len, "random", &diag);

		if (err && (!diag.msg[0] || strchr(diag.msg, '\n')))
			fail_msg("round %d: bad line \"%s\"", round, diag.msg);
		if (err)
			refused++;
		else
			parsed++;
		plan_destroy(plan);
		free(text);
	}
	/* Neither half of the parser may be left out. */
	assert_true(parsed * one_of_cases() > 100);
	assert_true(refused * one_of_cases() > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expansion),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_bad_points),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_nul_and_long_lines),
		cmocka_unit_test(test_traces),
		cmocka_unit_test(test_spec),
		cmocka_unit_test(test_random_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
