/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results as JSON documents, and what the files of this module share.
 *
 *   json.c     struct result -> document -> text
 *   latency_json.c  latencies, chains of guest faults, ranges; to a document
 *   read.c     text -> document, checked
 *   doc.c      looking into documents
 *   label.c    which settings tell results apart
 *   grid.c     rows and columns as text or Markdown
 *   table.c    the blocks of one result
 *   stray.c    wrong translations, to a document and as a table
 *   compare.c  results side by side
 *   saving.h, .c  what one saves against another, and when
 *   against.h, .c  which result another one is held against
 *   by.c, by_chain.c, by_cost.c, by_point.c  rows of one figure, or of one
 *              result
 *   csv.c      flattened; plot.c: as a gnuplot script
 *   point.c    one result a file
 *   keep.c     choosing results
 */
#ifndef NOTRAP_REPORT_INTERNAL_H
#define NOTRAP_REPORT_INTERNAL_H

#include <jansson.h>
#include <stdio.h>

#include "report/report.h"

struct report {
	json_t **doc;
	size_t nr, room;
	bool tells_ranges; /* report_tell_uncertainty() */
	json_t *differing; /* settings that are not the same in all results */
	json_t *changed;   /* those that were set in any of them */
	json_t *sources;   /* by short name; null: it is of several */
};

/* A result as text is the same everywhere. */
#define DOC_DUMP_FLAGS JSON_REAL_PRECISION(12)

/* json.c.  NULL: out of memory. */
json_t *doc_of_result(const struct result *result);

/* json.c.  Bytes that are not UTF-8 are written as \xNN. */
json_t *json_text(const char *text);

/* csv.c.  In quotes where it has to be. */
void csv_print_text(const char *text, FILE *out);

/* where_json.c.  Adds members to the "exits" of a result; -ENOMEM. */
int where_put(json_t *exits, const struct where *where);
/* False: a list of where_put() that is none. */
bool where_is_valid(const json_t *doc);

/* latency_json.c.  What a latency is told by: "min", "mean", "p50"... */
#define NR_LATENCY_POINTS 6
extern const char *const latency_points[NR_LATENCY_POINTS];

/* latency_json.c.  All -ENOMEM: a latency or another distribution by its
 * name; members for "guest_faults"; a group of the document, where there is
 * a range. */
int latency_put(json_t *into, const char *key, const struct histogram *h);
int chains_put(json_t *faults, const struct account *acct);
int uncertainty_put(json_t *doc, const struct account *acct);
/* False: a list of chains_put() that is none. */
bool chains_are_valid(const json_t *doc);

/* stray.c.  Adds a member to the "check" of a result; -ENOMEM. */
int stray_put(json_t *check, const struct result *result);
/* As a table; nothing if there is none. */
int stray_print(const json_t *doc, enum report_markup markup, FILE *out);

/* report.c.  Takes the reference to doc, also on failure; NULL: -ENOMEM. */
int report_add_doc(struct report *report, json_t *doc, struct diag *diag);

/*
 * doc.c.  A path is members joined by '/', as names of settings have dots.
 * What is not there, or of another type, is NULL, 0 or "": documents of older
 * versions lack members.
 */
const json_t *doc_at(const json_t *doc, const char *path);
uint64_t doc_u64(const json_t *doc, const char *path);
const char *doc_text(const json_t *doc, const char *path);
uint64_t doc_member(const json_t *object, const char *name);
const char *doc_setting(const json_t *doc, const char *key);
/* Of a processor's or a hypervisor's own file, its bytes, too: two files may be
 * called the same. */
bool doc_has_same_setting(const json_t *a, const json_t *b, const char *key);

/* A figure ("cycles/total") with its costs at their least or most. */
uint64_t doc_low(const json_t *doc, const char *path);
uint64_t doc_high(const json_t *doc, const char *path);

/* Not a number: nothing to divide by. */
double doc_ratio(uint64_t part, uint64_t whole);
double doc_percent(uint64_t part, uint64_t whole); /* 0 of 0 is 0 */

/* "saves 9 of 18 exits (50.0%) and adds 2 to 4 cycles (50.0%)" */
void saving_text(const json_t *from, const json_t *to, char *buf, size_t size);

/* label.c */
bool doc_has_same_source(const json_t *a, const json_t *b);
/* bypass=off -> bypass=on, and no other setting differs. */
bool doc_is_bypass_pair(const json_t *a, const json_t *b);
/* A result is about to be added: what differs from now on?  -ENOMEM */
int label_note(struct report *report, json_t *doc);
bool label_differs(const struct report *report, const char *key);
/*
 * It differs, and a name has to tell it: not what only follows from a machine,
 * a hypervisor or an mmu that the name tells.
 */
bool label_tells(const struct report *report, const char *key);
/* Key for key: mmu and bypass first, with notes; `all`: also what is not at
 * its default. */
void label_heading(const struct report *report, size_t i, bool all, char *buf,
		   size_t size);
/* "guests/mini.elf "touch pages=8"" */
void label_source(const json_t *doc, char *buf, size_t size);
/* In short: a trace's file, or what a guest was told to do, if that is enough
 * to tell it from the others of the report. */
void label_short_source(const struct report *report, const json_t *doc,
			char *buf, size_t size);

/*
 * grid.c.  Running out of memory makes a grid swallow the rest; grid_print()
 * tells and frees it.  A grid without rows prints nothing.
 */
struct grid;

enum grid_align {
	GRID_LEFT,
	GRID_RIGHT,
};

struct grid *grid_create(void); /* NULL is a grid that is out of memory */
void grid_column(struct grid *grid, const char *name, enum grid_align align,
		 int min_width);
/* Cells fill the columns from left to right, row after row. */
__attribute__((format(printf, 2, 3))) void grid_cell(struct grid *grid,
						     const char *fmt, ...);
int grid_print(struct grid *grid, enum report_markup markup, FILE *out);

/* Two columns, "at least" and "at most"; and what goes there of a figure,
 * which is itself where its costs have no range. */
void range_columns(struct grid *grid);
void range_cells(struct grid *grid, const json_t *doc, const char *path);

/* A line of its own; level 1 is the heaviest. */
__attribute__((format(printf, 4, 5))) void
grid_heading(enum report_markup markup, int level, FILE *out, const char *fmt,
	     ...);

/* by_chain.c.  Of the table that was begun; rows are of one result. */
void by_chain_columns(struct sheet *sheet);
void by_chain(struct sheet *sheet, const json_t *doc, const char *label);
void by_chain_notes(struct sheet *sheet);

/* by_cost.c.  Likewise. */
void by_cost_columns(struct sheet *sheet);
void by_cost(struct sheet *sheet, const json_t *doc, const char *label);
void by_cost_notes(struct sheet *sheet);

/* by_point.c.  Columns and rows of the table that was begun. */
void by_point(struct sheet *sheet, const struct report *report);

/* table.c, compare.c */
const char *what_cause(const char *name);
/* "0x6" -> "not present, write, user" */
void describe_error_code(const char *code, char *buf, size_t size);
int table_print(const struct report *report, size_t i,
		enum report_markup markup, FILE *out);
/* The results group[0..nr) of one guest. */
int compare_print(const struct report *report, const size_t *group, size_t nr,
		  enum report_markup markup, FILE *out);

#endif
