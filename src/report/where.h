/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where exits happen: by the 4 KiB page of guest code that was running, and
 * by the guest frame that a page fault was about.
 *
 * Counts are exact for the first WHERE_PAGES_MAX pages seen; exits on pages
 * that come after these are one row more, "other".  So memory is bounded and
 * the result depends on the order of the exits alone.
 */
#ifndef NOTRAP_REPORT_WHERE_H
#define NOTRAP_REPORT_WHERE_H

#include "account/account.h"
#include "base/types.h"

#define WHERE_PAGES_MAX 65536
#define WHERE_OTHER     UINT64_MAX /* no page: what is not told apart */
#define WHERE_NO_FRAME  UINT64_MAX /* no guest-physical address */
#define WHERE_NO_CAUSE  (-1)       /* not a page fault */

enum where_kind {
	WHERE_RIP, /* pages of guest-virtual memory */
	WHERE_GFN, /* pages of guest-physical memory */
	NR_WHERE,
};

struct where_row {
	uint64_t page; /* address >> 12, or WHERE_OTHER */
	uint64_t exits;
	uint64_t user;   /* those of them at CPL 3 */
	uint64_t cycles; /* from exit to entry */
	uint64_t cause[NR_CAUSES];
};

struct where;

struct where *where_create(void);        /* NULL: out of memory */
void where_destroy(struct where *where); /* NULL is fine */
void where_reset(struct where *where);   /* forget every exit */

struct where_exit {
	gva_t rip;
	bool user; /* at CPL 3 */
	gpa_t gpa; /* WHERE_NO_FRAME: it was about none, counts by rip alone */
	int cause; /* enum pf_cause, or WHERE_NO_CAUSE */
	uint64_t cycles;
};

void where_add(struct where *where, const struct where_exit *exit);

/* Exits added since the last reset that count by this. */
uint64_t where_total(const struct where *where, enum where_kind kind);

/*
 * The pages with most exits, the lowest page first among equals; then, if
 * there is more, what is left as WHERE_OTHER.  Returns the rows set, at most
 * max + 1, which rows[] must hold.
 */
size_t where_top(const struct where *where, enum where_kind kind, size_t max,
		 struct where_row *rows);

#endif
