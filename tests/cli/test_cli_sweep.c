/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a sweep is planned: what makes a point another one, slices that are
 * even and leave nothing out, units that keep all workers busy, and the file
 * that lists the points.  Traces are written here, empty but for their header.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/sweep.h"
#include "cli/sweep_list.h"
#include "cli/sweep_units.h"
#include "trace/trace.h"

/* --- Traces and points --------------------------------------------------- */

#define BOX "sweep-test.XXXXXX"

static char box[64];

static int make_box(void **state)
{
	(void)state;
	strcpy(box, "/tmp/" BOX);
	return mkdtemp(box) ? 0 : -1;
}

static int remove_box(void **state)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "plan"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", box, names[i]);
		unlink(path);
	}
	return rmdir(box);
}

static const char *in_box(const char *name)
{
	static char path[4][128];
	static unsigned int turn;
	char *ret = path[turn++ % 4];

	snprintf(ret, sizeof(path[0]), "%s/%s", box, name);
	return ret;
}

/* `marks` makes the items differ, info the header. */
static void write_trace(const char *name, const struct trace_info *info,
			uint32_t marks)
{
	struct trace_writer *w;
	struct diag diag = {""};

	if (trace_writer_create(in_box(name), info, &w, &diag))
		fail_msg("%s", diag.msg);
	for (uint32_t i = 0; i < marks; i++) {
		struct trace_item item = {.kind = TRACE_ITEM_MARK, .id = i};

		assert_int_equal(trace_write_item(w, &item), 0);
	}
	assert_int_equal(trace_writer_close(w, NULL, &diag), 0);
}

struct planned {
	struct plan *plan;
	struct plan_point *config;
	size_t nr;
	struct sweep sweep;
};

/* Settings and names of traces, separated by blanks. */
static struct planned plan_sweep(const char *settings, const char *traces)
{
	struct planned ret = {.plan = plan_create()};
	char copy[512], *rest = copy, *word;
	struct plan_note *notes;
	struct diag diag = {""};
	size_t nr_notes;

	snprintf(copy, sizeof(copy), "%s", settings);
	while ((word = strsep(&rest, " ")))
		if (*word && plan_set(ret.plan, word, &diag))
			fail_msg("%s", diag.msg);
	snprintf(copy, sizeof(copy), "%s", traces);
	rest = copy;
	while ((word = strsep(&rest, " ")))
		plan_add_trace(ret.plan, in_box(word), &diag);
	assert_int_equal(plan_expand(ret.plan, &ret.config, &ret.nr, &notes,
				     &nr_notes, &diag),
			 0);
	free(notes);
	assert_int_equal(
		sweep_init(&ret.sweep, ret.plan, ret.config, ret.nr, &diag), 0);
	return ret;
}

static void planned_finish(struct planned *planned)
{
	sweep_finish(&planned->sweep);
	free(planned->config);
	plan_destroy(planned->plan);
}

static uint64_t only_id(const char *settings, const char *trace)
{
	struct planned planned = plan_sweep(settings, trace);
	uint64_t id = planned.sweep.point[0].id;

	assert_int_equal(planned.sweep.nr_points, 1);
	planned_finish(&planned);
	return id;
}

/* A point is its configuration as it runs, and what the trace holds. */
static const struct {
	const char *name;
	const char *settings, *trace; /* against "" and "a" */
	bool same;
} ids[] = {
	{"nothing changed", "", "a", true},
	{"a default, said aloud", "memory=64M bypass=on", "a", true},
	{"another spelling", "memory=65536K", "a", true},
	{"the order of settings", "bypass=on mmu=kvm-2.6.25", "a", true},
	{"another value", "memory=32M", "a", false},
	{"a cost", "cost.exit=1", "a", false},
	{"what only tables show", "mhz=1000", "a", false},
	{"the same trace by another name", "", "b", true},
	{"other items", "", "c", false},
	{"another state to begin with", "", "d", false},
};

static void test_ids(void **state)
{
	struct trace_info info = {.granularity = TRACE_PAGES,
				  .memory = 1 << 21};
	uint64_t base;

	(void)state;
	write_trace("a", &info, 1);
	strcpy(info.origin, "told otherwise");
	write_trace("b", &info, 1);
	write_trace("c", &info, 2);
	info.cr3 = 0x1000;
	write_trace("d", &info, 1);
	base = only_id("", "a");
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		if ((only_id(ids[i].settings, ids[i].trace) == base) !=
		    ids[i].same)
			fail_msg("%s: want %s point", ids[i].name,
				 ids[i].same ? "the same" : "another");
}

/* What cannot be swept takes nothing with it, and keeps its numbers. */
static void test_unfit_traces(void **state)
{
	struct planned planned;
	const struct sweep *sweep = &planned.sweep;
	FILE *file = fopen(in_box("e"), "w");

	(void)state;
	fputs("\x7f"
	      "ELF, so to say",
	      file);
	fclose(file);
	planned = plan_sweep("bypass=off,on", "a e b none c");
	assert_int_equal(sweep->nr_traces, 5);
	assert_true(sweep->trace[1].is_guest_image);
	assert_non_null(strstr(sweep->trace[1].why.msg, "--record"));
	assert_true(sweep->trace[2].is_repeated && !sweep->trace[2].err);
	assert_int_equal(sweep->trace[3].err, -ENOENT);
	assert_int_equal(sweep->nr_points, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(sweep->point[i].trace, i < 2 ? 0 : 4);
		assert_int_equal(sweep->point[i].config, i % 2);
		assert_int_equal(sweep->point[i].number,
				 (i < 2 ? 0 : 8) + i % 2);
	}
	planned_finish(&planned);
}

/* A trace that is still being written, or was cut, has no digest yet. */
static void test_trace_without_end(void **state)
{
	char head[4096];
	struct planned planned;
	size_t len;
	FILE *file = fopen(in_box("c"), "r");

	(void)state;
	len = fread(head, 1, sizeof(head), file);
	fclose(file);
	file = fopen(in_box("e"), "w");
	fwrite(head, 1, len - 10, file);
	fclose(file);
	planned = plan_sweep("", "e");
	assert_int_equal(planned.sweep.nr_points, 0);
	assert_int_equal(planned.sweep.trace[0].err, -EINVAL);
	assert_non_null(strstr(planned.sweep.trace[0].why.msg, "has no end"));
	planned_finish(&planned);
}

/* --- Slices -------------------------------------------------------------- */

static void test_slices(void **state)
{
	(void)state;
	for (size_t of = 1; of <= 9; of++) {
		size_t least = SIZE_MAX, most = 0;
		unsigned int seen[40] = {0};

		for (size_t part = 1; part <= of; part++) {
			struct sweep_slice slice = {part, of};
			size_t nr = 0;

			for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
				struct sweep_point point = {.number = i};

				if (!sweep_slice_has(&slice, &point))
					continue;
				seen[i]++;
				nr++;
			}
			least = nr < least ? nr : least;
			most = nr > most ? nr : most;
		}
		assert_true(most - least <= 1);
		assert_true(sweep_slice_has(&(struct sweep_slice){1, of},
					    &(struct sweep_point){0}));
		for (size_t i = 0; i < ARRAY_LEN(seen); i++)
			assert_int_equal(seen[i], 1);
	}
}

static const struct {
	const char *text;
	size_t part, of; /* of 0: refused */
} slices[] = {
	{"1/1", 1, 1},   {"3/7", 3, 7},
	{"7/7", 7, 7},   {"10/999", 10, 999},
	{"0/3", 0, 0},   {"4/3", 0, 0},
	{"1/0", 0, 0},   {"1", 0, 0},
	{"/", 0, 0},     {"", 0, 0},
	{"1/2/3", 0, 0}, {"1/2x", 0, 0},
	{"-1/2", 0, 0},  {"+1/2", 0, 0},
	{" 1/2", 0, 0},  {"1/ 2", 0, 0},
	{"a/b", 0, 0},   {"99999999999999999999/99999999999999999999", 0, 0},
};

static void test_slice_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(slices); i++) {
		struct sweep_slice slice = {0, 0};
		struct diag diag = {""};
		int err = sweep_slice_parse(slices[i].text, &slice, &diag);

		if (err != (slices[i].of ? 0 : -EINVAL) ||
		    slice.part != slices[i].part || slice.of != slices[i].of)
			fail_msg("\"%s\": got %d, %zu/%zu", slices[i].text, err,
				 slice.part, slice.of);
	}
}

/* --- Units --------------------------------------------------------------- */

#define LOADS_MAX 8

/* Each point of each load is in one unit; units are no larger than allowed. */
static void check_cover(const struct sweep_load *load, size_t nr_loads,
			size_t most, const struct sweep_unit *unit, size_t nr)
{
	unsigned char seen[LOADS_MAX][64] = {{0}};

	for (size_t i = 0; i < nr; i++) {
		assert_true(unit[i].load < nr_loads);
		assert_true(unit[i].nr >= 1 && unit[i].nr <= most);
		assert_true(!i || unit[i].cost <= unit[i - 1].cost);
		for (size_t n = 0; n < unit[i].nr; n++)
			seen[unit[i].load][unit[i].first + n]++;
	}
	for (size_t l = 0; l < nr_loads; l++)
		for (size_t n = 0; n < 64; n++)
			assert_int_equal(seen[l][n], n < load[l].points);
}

static uint64_t span_of(const struct sweep_load *load, size_t nr_loads,
			unsigned int workers, size_t most, size_t *units)
{
	struct sweep_unit *unit;
	uint64_t span;
	size_t nr;

	assert_int_equal(sweep_units(load, nr_loads, workers, most, &unit, &nr),
			 0);
	check_cover(load, nr_loads, most, unit, nr);
	span = sweep_makespan(unit, nr, workers);
	free(unit);
	if (units)
		*units = nr;
	return span;
}

static const struct {
	const char *name;
	size_t points[3]; /* of traces of equal length */
	unsigned int workers;
	size_t most;
	size_t units;
} divisions[] = {
	{"one worker: as few passes as can be", {8, 8}, 1, 16, 2},
	{"as many as fit in a pass", {40}, 1, 16, 3},
	{"one trace is cut for two workers", {8}, 2, 16, 2},
	{"two traces need no cut", {8, 8}, 2, 16, 2},
	{"two traces are cut for four workers", {8, 8}, 4, 16, 4},
	{"the third of three traces is cut", {8, 8, 8}, 2, 16, 4},
	{"more workers than points", {3}, 8, 16, 3},
	{"nothing to do", {0}, 2, 16, 0},
	{"nothing to do of one", {0, 4}, 1, 16, 1},
};

static void test_divisions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(divisions); i++) {
		struct sweep_load load[3];
		size_t units;

		for (size_t l = 0; l < 3; l++)
			load[l] = (struct sweep_load){1000,
						      divisions[i].points[l]};
		span_of(load, 3, divisions[i].workers, divisions[i].most,
			&units);
		if (units != divisions[i].units)
			fail_msg("%s: got %zu units, want %zu",
				 divisions[i].name, units, divisions[i].units);
	}
}

static uint64_t rng_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Any loads: more workers never take longer. */
static void test_random_divisions(void **state)
{
	uint64_t rng = 0x9e3779b97f4a7c15;

	(void)state;
	for (int round = 0; round < 500; round++) {
		size_t nr = 1 + rng_next(&rng) % LOADS_MAX;
		size_t most = 1 + rng_next(&rng) % 16;
		struct sweep_load load[LOADS_MAX];
		uint64_t last = UINT64_MAX;

		for (size_t i = 0; i < nr; i++)
			load[i] = (struct sweep_load){rng_next(&rng) % 100000,
						      rng_next(&rng) % 40};
		for (unsigned int workers = 1; workers <= 16; workers *= 2) {
			uint64_t span = span_of(load, nr, workers, most, NULL);

			if (span > last)
				fail_msg("round %d: %u workers need %llu, "
					 "half of them %llu",
					 round, workers,
					 (unsigned long long)span,
					 (unsigned long long)last);
			last = span;
		}
	}
}

/* --- The list ------------------------------------------------------------ */

static void write_list(const char *text)
{
	FILE *out = fopen(in_box("plan"), "w");

	fputs(text, out);
	fclose(out);
}

static void test_list(void **state)
{
	struct planned planned = plan_sweep("bypass=off,on", "a c d");
	const struct sweep *sweep = &planned.sweep;
	struct sweep_list list;
	struct diag diag = {""};
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	sweep_list_write(sweep, out);
	fclose(out);
	write_list(text);
	assert_true(sweep_list_is_text(in_box("plan"), text));
	assert_false(sweep_list_is_text(in_box("plan"), text + 1));
	assert_false(sweep_list_is_text(in_box("none"), text));
	if (sweep_list_read(in_box("plan"), &list, &diag))
		fail_msg("%s", diag.msg);
	assert_int_equal(list.nr, 6);
	for (size_t i = 0; i < list.nr; i++) {
		const struct sweep_point *point = &sweep->point[i];

		assert_true(list.entry[i].id == point->id);
		assert_string_equal(list.entry[i].path,
				    sweep->trace[point->trace].path);
	}
	sweep_list_finish(&list);
	free(text);
	planned_finish(&planned);
}

#define HEAD "notrap-sweep 1\n"
#define ID   "0x0123456789abcdef"

static const struct {
	const char *name, *text;
	size_t nr;
	const char *says; /* if refused */
} lists[] = {
	{"no point", HEAD, 0, NULL},
	{"no newline at the end", "notrap-sweep 1", 0, NULL},
	{"a point", HEAD "trace " ID " a b\npoint " ID "\n", 1, NULL},
	{"labels do not matter", HEAD "trace " ID " a\npoint " ID " x=1", 1,
	 NULL},
	{"empty", "", 0, "not a file that notrap sweep wrote"},
	{"another file", "{}\n", 0, "not a file that"},
	{"another version", "notrap-sweep 2\n", 0, "not a file that"},
	{"a point of no trace", HEAD "point " ID "\n", 0, ":2: neither"},
	{"a trace without a name", HEAD "trace " ID "\n", 0, ":2: neither"},
	{"a short number", HEAD "trace " ID " a\npoint 0x12\n", 0,
	 ":3: neither"},
	{"a long number", HEAD "trace " ID " a\npoint " ID "0\n", 0,
	 ":3: neither"},
	{"a number and a bit", HEAD "trace " ID " a\npoint " ID "!\n", 0,
	 ":3: neither"},
	{"another word", HEAD "trace " ID " a\npont " ID "\n", 0,
	 ":3: neither"},
};

static void test_lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct sweep_list list;
		struct diag diag = {""};
		int err;

		write_list(lists[i].text);
		err = sweep_list_read(in_box("plan"), &list, &diag);
		if (err != (lists[i].says ? -EINVAL : 0) ||
		    (err && !strstr(diag.msg, lists[i].says)))
			fail_msg("%s: got %d, \"%s\"", lists[i].name, err,
				 diag.msg);
		if (!err && list.nr != lists[i].nr)
			fail_msg("%s: got %zu points", lists[i].name, list.nr);
		sweep_list_finish(&list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_unfit_traces),
		cmocka_unit_test(test_trace_without_end),
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_slice_words),
		cmocka_unit_test(test_divisions),
		cmocka_unit_test(test_random_divisions),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, make_box, remove_box);
}
