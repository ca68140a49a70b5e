/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/sheet.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "report/internal.h"

#define TABLES_MAX  16
#define COLUMNS_MAX 24

enum cell_kind {
	CELL_TEXT,
	CELL_NUMBER, /* text is a JSON number, too */
	CELL_NONE,
};

struct cell {
	enum cell_kind kind;
	char *text;
};

struct table {
	char *name, *heading;
	const char *key[COLUMNS_MAX], *title[COLUMNS_MAX];
	size_t nr_columns;
	bool is_grouped; /* by the first column */
	struct cell *cell;
	size_t nr_cells, room;
};

struct sheet {
	char *schema, *title;
	struct table table[TABLES_MAX];
	size_t nr;
	char **note;
	size_t nr_notes;
	bool failed;
};

struct sheet *sheet_create(const char *schema, const char *title)
{
	struct sheet *sheet = calloc(1, sizeof(*sheet));

	if (!sheet)
		return NULL;
	sheet->schema = strdup(schema);
	sheet->title = strdup(title);
	sheet->failed = !sheet->schema || !sheet->title;
	return sheet;
}

static void table_finish(struct table *table)
{
	for (size_t i = 0; i < table->nr_cells; i++)
		free(table->cell[i].text);
	free(table->cell);
	free(table->name);
	free(table->heading);
}

void sheet_destroy(struct sheet *sheet)
{
	if (!sheet)
		return;
	for (size_t i = 0; i < sheet->nr; i++)
		table_finish(&sheet->table[i]);
	for (size_t i = 0; i < sheet->nr_notes; i++)
		free(sheet->note[i]);
	free(sheet->note);
	free(sheet->schema);
	free(sheet->title);
	free(sheet);
}

void sheet_table(struct sheet *sheet, const char *name, const char *heading)
{
	struct table *table = &sheet->table[sheet->nr];

	BUG_ON(sheet->nr == TABLES_MAX);
	sheet->nr++;
	table->name = strdup(name);
	table->heading = strdup(heading);
	if (!table->name || !table->heading)
		sheet->failed = true;
}

static struct table *last_table(struct sheet *sheet)
{
	BUG_ON(!sheet->nr);
	return &sheet->table[sheet->nr - 1];
}

void sheet_column(struct sheet *sheet, const char *key, const char *title)
{
	struct table *table = last_table(sheet);

	BUG_ON(table->nr_columns == COLUMNS_MAX || table->nr_cells);
	table->key[table->nr_columns] = key;
	table->title[table->nr_columns++] = title;
}

void sheet_group_column(struct sheet *sheet, const char *key, const char *title)
{
	BUG_ON(last_table(sheet)->nr_columns);
	sheet_column(sheet, key, title);
	last_table(sheet)->is_grouped = true;
}

/* Takes the text, NULL of which is no memory. */
static void add_cell(struct sheet *sheet, enum cell_kind kind, char *text)
{
	struct table *table = last_table(sheet);

	if (text && table->nr_cells == table->room) {
		size_t room = table->room ? 2 * table->room : 64;
		struct cell *grown =
			realloc(table->cell, room * sizeof(*grown));

		if (grown) {
			table->cell = grown;
			table->room = room;
		} else {
			free(text);
			text = NULL;
		}
	}
	if (!text) {
		sheet->failed = true;
		return;
	}
	table->cell[table->nr_cells++] = (struct cell){kind, text};
}

__attribute__((format(printf, 1, 0))) static char *format_text(const char *fmt,
							       va_list ap)
{
	char *text;

	return vasprintf(&text, fmt, ap) < 0 ? NULL : text;
}

void sheet_text(struct sheet *sheet, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_cell(sheet, CELL_TEXT, format_text(fmt, ap));
	va_end(ap);
}

__attribute__((format(printf, 2, 3))) static void
add_number(struct sheet *sheet, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_cell(sheet, CELL_NUMBER, format_text(fmt, ap));
	va_end(ap);
}

void sheet_u64(struct sheet *sheet, uint64_t val)
{
	add_number(sheet, "%llu", (unsigned long long)min_u64(val, INT64_MAX));
}

void sheet_real(struct sheet *sheet, double val, int decimals)
{
	if (isfinite(val))
		add_number(sheet, "%.*f", decimals, val);
	else
		sheet_none(sheet);
}

void sheet_change(struct sheet *sheet, double val, int decimals)
{
	char text[400];

	if (!isfinite(val)) {
		sheet_none(sheet);
		return;
	}
	/* What rounds to nothing has no sign. */
	snprintf(text, sizeof(text), "%+.*f", decimals, val);
	add_number(sheet, "%s", text + !text[strcspn(text, "123456789")]);
}

void sheet_none(struct sheet *sheet)
{
	add_cell(sheet, CELL_NONE, strdup(""));
}

void sheet_note(struct sheet *sheet, const char *fmt, ...)
{
	char **grown =
		realloc(sheet->note, (sheet->nr_notes + 1) * sizeof(char *));
	char *text;
	va_list ap;

	va_start(ap, fmt);
	text = format_text(fmt, ap);
	va_end(ap);
	if (grown)
		sheet->note = grown;
	if (!grown || !text) {
		free(text);
		sheet->failed = true;
		return;
	}
	sheet->note[sheet->nr_notes++] = text;
}

/* --- Printing ------------------------------------------------------------ */

/* Figures stand right, and so does what stands above them. */
static enum grid_align align_of(const struct table *table, size_t column)
{
	for (size_t i = column; i < table->nr_cells; i += table->nr_columns)
		if (table->cell[i].kind == CELL_TEXT)
			return GRID_LEFT;
	return GRID_RIGHT;
}

/* Also as wide as the cells of other groups: they stand below each other. */
static int width_of(const struct table *table, size_t column)
{
	size_t width = 0;

	for (size_t i = column; i < table->nr_cells; i += table->nr_columns)
		if (strlen(table->cell[i].text) > width)
			width = strlen(table->cell[i].text);
	return (int)width;
}

/* The cells [i, end) are rows; the first `skip` columns are left out. */
static int print_grid(const struct table *table, size_t i, size_t end,
		      size_t skip, enum report_markup markup, FILE *out)
{
	struct grid *grid = grid_create();

	for (size_t c = skip; c < table->nr_columns; c++)
		if (table->title[c])
			grid_column(grid, table->title[c], align_of(table, c),
				    width_of(table, c));
	for (; i < end; i++) {
		size_t c = i % table->nr_columns;

		if (c >= skip && table->title[c])
			grid_cell(grid, "%s", table->cell[i].text);
	}
	return grid_print(grid, markup, out);
}

/* A heading and a grid for each run of rows with the same first word. */
static int print_groups(const struct table *table, enum report_markup markup,
			FILE *out)
{
	size_t step = table->nr_columns, end;
	int err = 0;

	for (size_t i = 0; i < table->nr_cells && !err; i = end) {
		const char *group = table->cell[i].text;

		end = i + step;
		while (end < table->nr_cells &&
		       !strcmp(table->cell[end].text, group))
			end += step;
		grid_heading(markup, 4, out, "%s", group);
		err = print_grid(table, i, end, 1, markup, out);
	}
	return err;
}

static int print_table(const struct table *table, const char *title,
		       enum report_markup markup, FILE *out)
{
	if (!table->nr_cells)
		return 0;
	if (strcmp(table->heading, title) != 0)
		grid_heading(markup, 3, out, "%s", table->heading);
	if (table->is_grouped)
		return print_groups(table, markup, out);
	return print_grid(table, 0, table->nr_cells, 0, markup, out);
}

static int print_tables(const struct sheet *sheet, enum report_markup markup,
			FILE *out)
{
	int err = 0;

	grid_heading(markup, 2, out, "%s", sheet->title);
	for (size_t i = 0; i < sheet->nr && !err; i++)
		err = print_table(&sheet->table[i], sheet->title, markup, out);
	for (size_t i = 0; i < sheet->nr_notes && !err; i++)
		fprintf(out, "%s\n%s", sheet->note[i],
			markup == REPORT_MARKDOWN || i + 1 == sheet->nr_notes
				? "\n"
				: "");
	return err;
}

/* For machines: a text without its indent, a number without a plus. */
static const char *plain_text(const struct cell *cell)
{
	return cell->text +
	       strspn(cell->text, cell->kind == CELL_NUMBER ? "+" : " ");
}

static void print_csv(const struct sheet *sheet, FILE *out)
{
	bool first = true;

	for (size_t i = 0; i < sheet->nr; i++) {
		const struct table *table = &sheet->table[i];

		if (!table->nr_cells)
			continue;
		fputs(first ? "table" : "\ntable", out);
		first = false;
		for (size_t c = 0; c < table->nr_columns; c++)
			fprintf(out, ",%s", table->key[c]);
		for (size_t n = 0; n < table->nr_cells; n++) {
			if (n % table->nr_columns == 0)
				fprintf(out, "\n%s", table->name);
			fputc(',', out);
			csv_print_text(plain_text(&table->cell[n]), out);
		}
		fputc('\n', out);
	}
}

static json_t *cell_value(const struct cell *cell)
{
	switch (cell->kind) {
	case CELL_TEXT:
		return json_text(plain_text(cell));
	case CELL_NUMBER:
		return strchr(cell->text, '.')
			       ? json_real(strtod(cell->text, NULL))
			       : json_integer(strtoll(cell->text, NULL, 10));
	case CELL_NONE:
		return json_null();
	}
	BUG("unknown kind of cell");
}

static int put_rows(json_t *doc, const struct table *table)
{
	json_t *rows = json_array(), *row = NULL;
	int err = json_object_set_new(doc, table->name, rows);

	for (size_t i = 0; i < table->nr_cells && !err; i++) {
		size_t c = i % table->nr_columns;

		if (!c) {
			row = json_object();
			err = json_array_append_new(rows, row);
		}
		if (!err)
			err = json_object_set_new(row, table->key[c],
						  cell_value(&table->cell[i]));
	}
	return err;
}

static int print_json(const struct sheet *sheet, FILE *out)
{
	json_t *doc = json_object(), *notes = json_array();
	int err = json_object_set_new(doc, "schema", json_text(sheet->schema));

	for (size_t i = 0; i < sheet->nr && !err; i++)
		err = put_rows(doc, &sheet->table[i]);
	for (size_t i = 0; i < sheet->nr_notes && !err; i++)
		err = json_array_append_new(notes, json_text(sheet->note[i]));
	if (!err)
		err = json_object_set(doc, "notes", notes);
	if (!err) {
		json_dumpf(doc, out, JSON_REAL_PRECISION(12)); /* ferror() */
		fputc('\n', out);
	}
	json_decref(notes);
	json_decref(doc);
	return err ? -ENOMEM : 0;
}

int sheet_print(const struct sheet *sheet, enum sheet_format format, FILE *out)
{
	if (!sheet || sheet->failed)
		return -ENOMEM;
	switch (format) {
	case SHEET_TABLE:
		return print_tables(sheet, REPORT_TEXT, out);
	case SHEET_MD:
		return print_tables(sheet, REPORT_MARKDOWN, out);
	case SHEET_CSV:
		print_csv(sheet, out);
		return 0;
	case SHEET_JSON:
		return print_json(sheet, out);
	}
	BUG("unknown format");
}
