/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every number of a result's JSON, worked out by hand from what sample.h says
 * happened, and the order of its members.
 *
 * With kvm-2.6.25's bypass and 8 + 1 faults: the 8 not-present ones are direct,
 * the COW fault is injected; each is followed by a write to a table; two CR
 * writes.  Costs: an exit 100 + 1 (dispatch), an emulation 50 more, a delivery
 * 1, an instruction 1.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

enum {
	FAULTS = 9,
	INJECTED = 1,
	EXITS = INJECTED + FAULTS + 2, /* injected, PT writes, CR writes */
	EXIT = 101,
	PT_WRITE = EXIT + 50,
};

static const struct {
	const char *path; /* members joined by '/' */
	json_int_t want;
} numbers[] = {
	{"guest/instructions", 1000},
	{"exits/total", EXITS},
	{"exits/by_reason/EXCEPTION_NMI", INJECTED + FAULTS},
	{"exits/by_reason/CR_ACCESS", 2},
	{"exits/page_fault_total", INJECTED + FAULTS},
	{"exits/page_fault/hidden_fill", 0},
	{"exits/page_fault/injected", INJECTED},
	{"exits/page_fault/pt_write", FAULTS},
	{"exits/page_fault/accessed_dirty", 0},
	{"exits/page_fault/mmio", 0},
	{"exits/page_fault/reserved", 0},
	{"exits/page_fault/spurious", 0},
	{"guest_faults/total", FAULTS},
	{"guest_faults/direct", 8},
	{"guest_faults/injected", INJECTED},
	{"guest_faults/by_error_code/0x6", 8},
	{"guest_faults/by_error_code/0x7", 1},
	{"guest_faults/direct_by_error_code/0x6", 8},
	{"guest_faults/injected_by_error_code/0x7", 1},
	{"bypass/direct", 8},
	{"bypass/possible", 8}, /* the COW fault is none of them */
	{"shadow/mmu_pte_write", FAULTS},
	{"shadow/pf_fixed", 0},
	{"cost_counts/cost.exit", EXITS},
	{"cost_counts/cost.dispatch", EXITS},
	{"cost_counts/cost.emulate", FAULTS},
	{"cost_counts/cost.delivery", FAULTS},
	{"cost_counts/cost.guest-insn", 1000},
	{"cycles/guest", 1000},
	{"cycles/translation", 0},
	{"cycles/exit", EXITS * 100},
	{"cycles/handler", EXITS * 1 + FAULTS * 50},
	{"cycles/delivery", FAULTS},
	{"cycles/total", 1000 + EXITS *EXIT + FAULTS * 50 + FAULTS},
	{"latency/guest_fault/count", FAULTS},
	{"latency/guest_fault/sum", 8 * 152 + 253},
	{"latency/guest_fault/min", 152},
	{"latency/guest_fault/mean", 163}, /* 1469 / 9 = 163.2 */
	{"latency/guest_fault/p50", 159},
	/* p50: the end of 152 to 159 */
	{"latency/guest_fault/p90", 253}, /* the ninth of nine */
	{"latency/guest_fault/p99", 253},
	{"latency/guest_fault/max", 253},
	{"guest_faults/retried", FAULTS},
	{"guest_faults/exits/sum", INJECTED + FAULTS},
	{"guest_faults/exits/min", 1},
	{"guest_faults/exits/max", 2},
	{"guest_faults/by_exits/1", FAULTS - INJECTED},
	{"guest_faults/by_exits/2", INJECTED},
	{"latency/exit/EXCEPTION_NMI/count", INJECTED + FAULTS},
	{"latency/exit/EXCEPTION_NMI/sum", INJECTED *EXIT + FAULTS *PT_WRITE},
	{"latency/exit/EXCEPTION_NMI/min", EXIT},
	{"latency/exit/EXCEPTION_NMI/max", PT_WRITE},
	{"latency/exit/EXCEPTION_NMI/mean", 146},
	{"latency/exit/CR_ACCESS/count", 2},
	{"latency/exit/CR_ACCESS/mean", EXIT},
	{"check/audit_violations", 0},
};

static const struct {
	const char *path;
	const char *want;
} texts[] = {
	{"schema", "notrap-result/1"},
	{"config/mmu", "kvm-2.6.25"},
	{"config/bypass", "on"},
	{"config/memory", "64M"},
	{"source/kind", "live"},
	{"source/path", "guests/mini.elf"},
	{"source/args", "touch pages=8"},
	{"source/digest", "0x0000000000001234"},
	{"guest/status", "exit 0"},
	{"guest/line", ""},
	{"guest/memory_digest", "0x0000000000000001"},
	{"guest/console_digest", "0x0000000000000002"},
	{"guest/fault_digest", "0x0000000000000003"},
	{"check/broken", ""},
};

/* The groups, and in front of which others they stand. */
static const char *const groups[] = {
	"schema",         "version", "config",  "config_notes",
	"config_changed", "source",  "guest",   "exits",
	"guest_faults",   "bypass",  "shadow",  "cost_counts",
	"cost_sources",   "cycles",  "latency", "check",
};

static const json_t *at(const json_t *doc, const char *path)
{
	char member[64];

	while (doc && *path) {
		size_t len = strcspn(path, "/");

		snprintf(member, sizeof(member), "%.*s", (int)len, path);
		doc = json_object_get(doc, member);
		path += len + (path[len] == '/');
	}
	return doc;
}

static char *to_text(const struct report *report)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(report_print_json(report, out), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static json_t *json_of(struct result *result)
{
	struct report *report = report_create();
	struct diag diag;
	json_t *doc;
	char *text;

	assert_int_equal(report_add(report, result, &diag), 0);
	text = to_text(report);
	/* One object a line, and nothing else. */
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	doc = json_loads(text, 0, NULL);
	assert_non_null(doc);
	free(text);
	report_destroy(report);
	return doc;
}

static void test_numbers(void **state)
{
	struct sample sample;
	json_t *doc;

	(void)state;
	sample_init(&sample, SAMPLE_BYPASS, 8);
	doc = json_of(&sample.result);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		const json_t *val = at(doc, numbers[i].path);

		if (!json_is_integer(val) ||
		    json_integer_value(val) != numbers[i].want)
			fail_msg("%s: got %lld, want %lld", numbers[i].path,
				 (long long)json_integer_value(val),
				 (long long)numbers[i].want);
	}
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *text = json_string_value(at(doc, texts[i].path));

		if (!text || strcmp(text, texts[i].want) != 0)
			fail_msg("%s: got %s, want %s", texts[i].path,
				 text ? text : "nothing", texts[i].want);
	}
	assert_true(json_is_true(at(doc, "guest/ok")));
	assert_float_equal(json_real_value(at(doc, "bypass/coverage")), 1, 0);
	assert_float_equal(json_real_value(at(doc, "exits/per_guest_fault")),
			   10.0 / 9, 1e-6);
	/* What was not seen has no member in a map. */
	assert_null(at(doc, "exits/by_reason/HLT"));
	assert_null(at(doc, "latency/exit/HLT"));
	assert_null(at(doc, "guest_faults/injected_by_error_code/0x6"));
	json_decref(doc);
	sample_finish(&sample);
}

static void test_order(void **state)
{
	struct sample sample;
	size_t i = 0;
	const char *key;
	json_t *doc, *config, *val;

	(void)state;
	sample_init(&sample, SAMPLE_CLEAR, 2);
	doc = json_of(&sample.result);
	json_object_foreach(doc, key, val)
	{
		assert_true(i < ARRAY_LEN(groups));
		assert_string_equal(key, groups[i]);
		i++;
	}
	assert_int_equal(i, ARRAY_LEN(groups));
	/* Settings stand as they were given, which is the table's order. */
	i = 0;
	config = json_object_get(doc, "config");
	json_object_foreach(config, key, val)
	{
		assert_string_equal(key, sample.result.config[i++].key);
	}
	assert_int_equal(i, sample.result.nr_config);
	json_decref(doc);
	sample_finish(&sample);
}

static void test_notes(void **state)
{
	struct sample sample;
	json_t *doc;

	(void)state;
	sample_init(&sample, SAMPLE_UPDATE, 2);
	doc = json_of(&sample.result);
	assert_string_equal(json_string_value(at(doc, "config/bypass")), "off");
	assert_string_equal(json_string_value(at(doc, "config_notes/bypass")),
			    "this generation has none");
	assert_null(at(doc, "config_notes/mmu"));
	assert_int_equal(json_array_size(at(doc, "config_changed")), 3);
	json_decref(doc);
	sample_finish(&sample);
}

/* Translation is told where references were looked up, though all may hit. */
static void test_translation(void **state)
{
	struct account *acct = account_create();
	struct result result = {.acct = acct};
	json_t *doc;

	(void)state;
	doc = json_of(&result);
	assert_null(at(doc, "tlb"));
	json_decref(doc);
	acct->tlb[TLB_l1d_lookups] = 7;
	doc = json_of(&result);
	assert_int_equal(json_integer_value(at(doc, "tlb/l1d_lookups")), 7);
	assert_int_equal(json_integer_value(at(doc, "tlb/walks")), 0);
	json_decref(doc);
	account_destroy(acct);
}

/* 0 of 0 is no ratio. */
static void test_nothing_happened(void **state)
{
	struct account *acct = account_create();
	struct result result = {.acct = acct};
	json_t *doc;

	(void)state;
	doc = json_of(&result);
	assert_true(json_is_null(at(doc, "bypass/coverage")));
	assert_true(json_is_null(at(doc, "exits/per_guest_fault")));
	assert_int_equal(json_object_size(at(doc, "exits/by_reason")), 0);
	assert_true(json_is_false(at(doc, "guest/ok")));
	assert_string_equal(json_string_value(at(doc, "source/path")), "");
	json_decref(doc);
	account_destroy(acct);
}

/* All bytes a file name or a guest's line can have. */
static void test_any_bytes(void **state)
{
	struct sample sample;
	char path[256];
	json_t *doc;

	(void)state;
	sample_init(&sample, SAMPLE_BYPASS, 1);
	for (int i = 0; i < 255; i++)
		path[i] = (char)(i + 1);
	path[255] = 0;
	sample.result.source_path = path;
	sample.result.guest_line = "caf\xc3\xa9"; /* UTF-8 stays */
	sample.result.source_args = "caf\xe9 \"x\"\\\n";
	doc = json_of(&sample.result);
	assert_string_equal(json_string_value(at(doc, "guest/line")),
			    "caf\xc3\xa9");
	assert_string_equal(json_string_value(at(doc, "source/args")),
			    "caf\\xe9 \"x\"\\\n");
	assert_non_null(strstr(json_string_value(at(doc, "source/path")),
			       "\\x80\\x81"));
	json_decref(doc);
	sample_finish(&sample);
}

static void test_huge_counts(void **state)
{
	struct sample sample;
	json_t *doc;

	(void)state;
	sample_init(&sample, SAMPLE_BYPASS, 1);
	sample.result.guest_insns = UINT64_MAX;
	doc = json_of(&sample.result);
	assert_true(json_integer_value(at(doc, "guest/instructions")) ==
		    INT64_MAX);
	json_decref(doc);
	sample_finish(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_translation),
		cmocka_unit_test(test_nothing_happened),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_huge_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
