/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One sheet in each format, letter for letter; and sheets with little in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/sheet.h"

static void add_animal(struct sheet *sheet, const char *kind, const char *name,
		       uint64_t legs, double weight)
{
	sheet_text(sheet, "%s", kind);
	sheet_text(sheet, "%s", name);
	sheet_u64(sheet, legs);
	sheet_real(sheet, weight, 1);
}

static void add_keeper(struct sheet *sheet, const char *name, uint64_t since,
		       double rise)
{
	sheet_text(sheet, "%s", name);
	sheet_text(sheet, "r%zu", strlen(name));
	if (since)
		sheet_u64(sheet, since);
	else
		sheet_none(sheet);
	sheet_change(sheet, rise, 1);
	sheet_change(sheet, -rise, 0);
}

static struct sheet *make_sheet(void)
{
	struct sheet *sheet = sheet_create("zoo/1", "The zoo");

	sheet_table(sheet, "animals", "Who lives here");
	sheet_group_column(sheet, "kind", "kind");
	sheet_column(sheet, "name", "name");
	sheet_column(sheet, "legs", "legs");
	sheet_column(sheet, "kg", "weight");
	add_animal(sheet, "bird", "owl, barn", 2, 0.35);
	add_animal(sheet, "bird", "\"emu\"", 2, 40);
	add_animal(sheet, "fish", "owl, barn", 0, NAN);
	add_animal(sheet, "bird", "a|b", UINT64_MAX, 1);

	/* No rows: nothing is shown but an empty list. */
	sheet_table(sheet, "plants", "What grows here");
	sheet_column(sheet, "name", "name");

	/* Its heading is the title: it is not shown again. */
	sheet_table(sheet, "keepers", "The zoo");
	sheet_column(sheet, "name", "keeper");
	sheet_column(sheet, "room", NULL);
	sheet_column(sheet, "since", "since");
	sheet_column(sheet, "raise", "raise");
	sheet_column(sheet, "left", "left");
	add_keeper(sheet, "Ann", 0, 0.04);
	add_keeper(sheet, "  Bob", 1999, -12.25);
	add_keeper(sheet, "  Eve", 2001, 3);
	sheet_note(sheet, "Closed on %s.", "Mondays");
	sheet_note(sheet, "Bring food.");
	return sheet;
}

static const struct {
	const char *name;
	enum sheet_format format;
	const char *want;
} cases[] = {
	{"table", SHEET_TABLE,
	 "==== The zoo ====\n\n"
	 "---- Who lives here ----\n\n"
	 "---- bird ----\n\n"
	 "name                      legs  weight\n"
	 "owl, barn                    2     0.3\n"
	 "\"emu\"                        2    40.0\n\n"
	 "---- fish ----\n\n"
	 "name                      legs  weight\n"
	 "owl, barn                    0        \n\n"
	 "---- bird ----\n\n"
	 "name                      legs  weight\n"
	 "a|b        9223372036854775807     1.0\n\n"
	 "keeper  since  raise  left\n"
	 "Ann              0.0     0\n"
	 "  Bob    1999  -12.2   +12\n"
	 "  Eve    2001   +3.0    -3\n\n"
	 "Closed on Mondays.\n"
	 "Bring food.\n\n"},
	{"md", SHEET_MD,
	 "## The zoo\n\n"
	 "### Who lives here\n\n"
	 "#### bird\n\n"
	 "| name | legs | weight |\n"
	 "| --- | ---: | ---: |\n"
	 "| owl, barn | 2 | 0.3 |\n"
	 "| \"emu\" | 2 | 40.0 |\n\n"
	 "#### fish\n\n"
	 "| name | legs | weight |\n"
	 "| --- | ---: | ---: |\n"
	 "| owl, barn | 0 |  |\n\n"
	 "#### bird\n\n"
	 "| name | legs | weight |\n"
	 "| --- | ---: | ---: |\n"
	 "| a\\|b | 9223372036854775807 | 1.0 |\n\n"
	 "| keeper | since | raise | left |\n"
	 "| --- | ---: | ---: | ---: |\n"
	 "| Ann |  | 0.0 | 0 |\n"
	 "|   Bob | 1999 | -12.2 | +12 |\n"
	 "|   Eve | 2001 | +3.0 | -3 |\n\n"
	 "Closed on Mondays.\n\n"
	 "Bring food.\n\n"},
	{"csv", SHEET_CSV,
	 "table,kind,name,legs,kg\n"
	 "animals,bird,\"owl, barn\",2,0.3\n"
	 "animals,bird,\"\"\"emu\"\"\",2,40.0\n"
	 "animals,fish,\"owl, barn\",0,\n"
	 "animals,bird,a|b,9223372036854775807,1.0\n\n"
	 "table,name,room,since,raise,left\n"
	 "keepers,Ann,r3,,0.0,0\n"
	 "keepers,Bob,r5,1999,-12.2,12\n"
	 "keepers,Eve,r5,2001,3.0,-3\n"},
	{"json", SHEET_JSON,
	 "{\"schema\": \"zoo/1\", \"animals\": ["
	 "{\"kind\": \"bird\", \"name\": \"owl, barn\", \"legs\": 2, "
	 "\"kg\": 0.3}, "
	 "{\"kind\": \"bird\", \"name\": \"\\\"emu\\\"\", \"legs\": 2, "
	 "\"kg\": 40.0}, "
	 "{\"kind\": \"fish\", \"name\": \"owl, barn\", \"legs\": 0, "
	 "\"kg\": null}, "
	 "{\"kind\": \"bird\", \"name\": \"a|b\", "
	 "\"legs\": 9223372036854775807, \"kg\": 1.0}], "
	 "\"plants\": [], "
	 "\"keepers\": [{\"name\": \"Ann\", \"room\": \"r3\", "
	 "\"since\": null, \"raise\": 0.0, \"left\": 0}, "
	 "{\"name\": \"Bob\", \"room\": \"r5\", "
	 "\"since\": 1999, \"raise\": -12.2, \"left\": 12}, "
	 "{\"name\": \"Eve\", \"room\": \"r5\", "
	 "\"since\": 2001, \"raise\": 3.0, \"left\": -3}], "
	 "\"notes\": [\"Closed on Mondays.\", \"Bring food.\"]}\n"},
};

static char *print_sheet(const struct sheet *sheet, enum sheet_format format)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(sheet_print(sheet, format, out), 0);
	fclose(out);
	return text;
}

static void test_formats(void **state)
{
	struct sheet *sheet = make_sheet();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *got = print_sheet(sheet, cases[i].format);

		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s: got:\n%s\nwant:\n%s", cases[i].name, got,
				 cases[i].want);
		free(got);
	}
	sheet_destroy(sheet);
}

static void test_empty(void **state)
{
	struct sheet *sheet = sheet_create("none/1", "Nothing");
	char *got;

	(void)state;
	got = print_sheet(sheet, SHEET_CSV);
	assert_string_equal(got, "");
	free(got);
	got = print_sheet(sheet, SHEET_JSON);
	assert_string_equal(got, "{\"schema\": \"none/1\", \"notes\": []}\n");
	free(got);
	got = print_sheet(sheet, SHEET_TABLE);
	assert_string_equal(got, "==== Nothing ====\n\n");
	free(got);
	sheet_destroy(sheet);
	sheet_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
