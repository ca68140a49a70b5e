/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of docs/generations.md, cell by cell: what each generation does on
 * each event.  A row that is the same in all generations would tell none apart,
 * a generation without a difference to the one before it would be none, and a
 * switch that no row shows would not be tested: each is an error.
 *
 * Usage: test DOCUMENT [--print]
 */
#include <stdio.h>
#include <string.h>

#include "../share.h"
#include "probes.h"

#define MAX_COLUMNS 16
#define MAX_ROWS    64

static const char *document;

struct table {
	char cell[MAX_ROWS][MAX_COLUMNS][96]; /* [0]: the head; [][0]: names */
	size_t rows, columns;
};

static size_t nr_probes(void)
{
	return nr_table_probes + nr_rights_probes;
}

static const struct probe *probe_at(size_t i)
{
	return i < nr_table_probes ? &table_probes[i]
				   : &rights_probes[i - nr_table_probes];
}

static struct outcome probe_with(size_t row, const char *gen,
				 const struct smmu_switches *sw)
{
	const struct setup setup = {gen, *sw};
	struct outcome out = {"?"};

	probe_at(row)->run(&setup, &out);
	return out;
}

/* Tried once, and told again to whoever asks. */
static struct outcome probe_of(size_t row, const struct smmu_generation *gen)
{
	static struct outcome known[MAX_ROWS][MAX_COLUMNS];
	unsigned int nr;
	size_t g = (size_t)(gen - smmu_generations(&nr));

	assert_true(row < MAX_ROWS && g < MAX_COLUMNS);
	if (!known[row][g].s[0])
		known[row][g] = probe_with(row, gen->name, &gen->sw);
	return known[row][g];
}

/* "| a | b |": the cells, without the spaces around them. */
static size_t split_row(char *line, char cell[][96])
{
	size_t nr = 0;
	char *rest = line + 1, *text;

	while (nr < MAX_COLUMNS && (text = strsep(&rest, "|")) && rest) {
		text += strspn(text, " ");
		for (size_t n = strlen(text); n && text[n - 1] == ' ';)
			text[--n] = 0;
		snprintf(cell[nr++], 96, "%s", text);
	}
	return nr;
}

/* The first table whose head begins with "event". */
static void read_table(struct table *t)
{
	FILE *file = fopen(document, "r");
	bool inside = false;
	char line[1024];

	if (!file)
		fail_msg("%s cannot be read", document);
	*t = (struct table){.rows = 0};
	while (fgets(line, sizeof(line), file)) {
		inside |= !strncmp(line, "| event |", 9);
		if (!inside || line[0] != '|') {
			if (inside)
				break;
			continue;
		}
		if (line[1] == '-')
			continue;
		assert_true(t->rows < MAX_ROWS);
		t->columns = split_row(line, t->cell[t->rows++]);
	}
	fclose(file);
}

static void print_table(void)
{
	unsigned int nr;
	const struct smmu_generation *gens = smmu_generations(&nr);

	for (size_t row = 0; row < nr_probes(); row++) {
		printf("| %s |", probe_at(row)->name);
		for (unsigned int g = 0; g < nr; g++)
			printf(" %s |", probe_of(row, &gens[g]).s);
		printf(" |\n");
	}
}

static void head_names_all_generations(void **state)
{
	static struct table t;
	unsigned int nr;
	const struct smmu_generation *gens = smmu_generations(&nr);

	(void)state;
	read_table(&t);
	check_eq("columns", t.columns, nr + 2);
	for (unsigned int g = 0; g < nr; g++)
		assert_string_equal(t.cell[0][1 + g], gens[g].name);
	check_eq("rows", t.rows, 1 + nr_probes());
	for (size_t row = 0; row < nr_probes(); row++) {
		assert_string_equal(t.cell[1 + row][0], probe_at(row)->name);
		check("an origin", t.cell[1 + row][1 + nr][0] != 0);
	}
}

static void each_cell_is_so(void **state)
{
	static struct table t;
	unsigned int nr, wrong = 0;
	const struct smmu_generation *gens = smmu_generations(&nr);

	(void)state;
	read_table(&t);
	for (size_t row = 0; row < nr_probes() && 1 + row < t.rows; row++) {
		for (unsigned int g = 0; g < nr; g++) {
			struct outcome got = probe_of(row, &gens[g]);

			if (!strcmp(got.s, t.cell[1 + row][1 + g]))
				continue;
			wrong++;
			print_error("%s, %s: got \"%s\", want \"%s\"\n",
				    probe_at(row)->name, gens[g].name, got.s,
				    t.cell[1 + row][1 + g]);
		}
	}
	check_eq("wrong cells", wrong, 0);
}

static void neighbours_differ(void **state)
{
	unsigned int nr;
	const struct smmu_generation *gens = smmu_generations(&nr);
	bool differs[MAX_COLUMNS] = {true};

	(void)state;
	for (size_t row = 0; row < nr_probes(); row++) {
		struct outcome last = probe_of(row, &gens[0]);
		bool any = false;

		for (unsigned int g = 1; g < nr; g++) {
			struct outcome next = probe_of(row, &gens[g]);

			differs[g] |= strcmp(last.s, next.s) != 0;
			any |= strcmp(last.s, next.s) != 0;
			last = next;
		}
		if (!any)
			fail_msg("row \"%s\" tells no generation from another",
				 probe_at(row)->name);
	}
	for (unsigned int g = 1; g < nr; g++)
		if (!differs[g])
			fail_msg("no row tells %s from %s", gens[g].name,
				 gens[g - 1].name);
}

/* Some row of some generation is another with the switch turned round. */
static bool is_shown(enum smmu_switch id)
{
	unsigned int nr;
	const struct smmu_generation *gens = smmu_generations(&nr);

	for (unsigned int g = 0; g < nr; g++) {
		struct smmu_switches sw = gens[g].sw;

		smmu_switch_set(&sw, id, !smmu_switch_get(&sw, id));
		for (size_t row = 0; row < nr_probes(); row++) {
			struct outcome own = probe_of(row, &gens[g]);
			struct outcome other =
				probe_with(row, gens[g].name, &sw);

			if (strcmp(own.s, other.s) != 0)
				return true;
		}
	}
	return false;
}

/* Those that src/sim alone looks at: tests/sim/test_sim_deliver_pairs.c. */
static bool is_of_delivery(enum smmu_switch id)
{
	return !strncmp(smmu_switch_name(id), "df_", 3);
}

static void each_switch_shows(void **state)
{
	unsigned int hidden = 0;

	(void)state;
	for (unsigned int i = 0; i < NR_SMMU_SWITCHES; i += one_of_cases()) {
		enum smmu_switch id = (enum smmu_switch)i;

		if (is_of_delivery(id) || is_shown(id))
			continue;
		hidden++;
		print_error("no row shows switch.%s\n", smmu_switch_name(id));
	}
	check_eq("switches that no row shows", hidden, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(head_names_all_generations),
		cmocka_unit_test(each_cell_is_so),
		cmocka_unit_test(neighbours_differ),
		cmocka_unit_test(each_switch_shows),
	};

	if (argc < 2)
		return EXIT_FAILURE;
	document = argv[1];
	if (argc > 2) {
		print_table();
		return EXIT_SUCCESS;
	}
	return cmocka_run_group_tests_name("shadow_mmu_generations", tests,
					   NULL, NULL);
}
