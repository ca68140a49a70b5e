/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of observe.c and match.c: the present instruction, and translations. */
#ifndef NOTRAP_LIVE_OBSERVE_INTERNAL_H
#define NOTRAP_LIVE_OBSERVE_INTERNAL_H

#include "live/dirty.h"
#include "live/hidden_layout.h"
#include "live/known.h"
#include "live/observe.h"

#define OBSERVE_PAGES 256

struct page {
	gva_t gva; /* of the page; bit 0 is set in those that hold something */
	hpa_t hpa;
};

enum told { TOLD_NOTHING, TOLD_BEGIN, TOLD_SINGLE };

struct observe {
	struct live *live;
	const struct hidden_head *head; /* of live->hidden */
	struct insn_observer *to;
	bool started;
	bool stale;     /* translations may have changed */
	uint32_t epoch; /* of live->code_epoch and modes, as far as it fits */
	uint32_t mode_changes;
	bool user;
	enum code_mode mode;
	gva_t width;   /* of linear addresses, as a mask */
	bool flat;     /* ES, SS and DS have no base, as in 64-bit mode */
	bool segments; /* vcpu.seg is good for flat 32-bit code */

	gva_t pc;                 /* of what began last in this block */
	const struct known *insn; /* the same, NULL: cannot be decoded */
	enum told told;           /* of it */
	bool looked;              /* vcpu.gpr is as that began */
	bool failed;              /* its comparison did */
	unsigned int echoes; /* reads that repeat one across a page's end */
	struct vcpu vcpu;

	gva_t code_page; /* where `code` leads; bit 0 set: nowhere */
	const uint8_t *code;
	struct page page[OBSERVE_PAGES];
	struct dirty dirty;
	bool dirtied[OBSERVE_PAGES]; /* of each page: Unicorn knows */
	uint16_t slot; /* in `known`, of what made the last access */
	struct known_table known;
};

/* What an access was matched to. */
struct match {
	gva_t gva;
	bool supervisor; /* whatever CPL is */
	bool rmw;
	bool rest; /* it began in the page before */
};

/*
 * match.c: any operand, and what an instruction reaches without one; false:
 * the access is of none of these.
 */
bool match_indirectly(struct observe *o, hpa_t hpa, struct match *ret);

/* Into its slot; false: nothing is mapped there. */
bool observe_page(struct observe *o, gva_t gva);

static inline unsigned int observe_slot(gva_t gva)
{
	return (gva >> PAGE_SHIFT) % OBSERVE_PAGES;
}

/* Where the installed tables lead; rights are not looked at. */
static inline bool observe_translate(struct observe *o, gva_t gva, hpa_t *ret)
{
	struct page *page = &o->page[observe_slot(gva)];

	if (unlikely(page->gva != ((gva & ~PAGE_MASK) | 1)) &&
	    !observe_page(o, gva))
		return false;
	*ret = page->hpa + (gva & PAGE_MASK);
	return true;
}

/* Is `gva`, whose page offset is that of hpa, where hpa is? */
static inline bool observe_leads(struct observe *o, gva_t gva, hpa_t hpa)
{
	hpa_t found;

	return observe_translate(o, gva, &found) && found == hpa;
}

static inline gva_t observe_wrap(const struct observe *o, gva_t gva)
{
	return gva & o->width;
}

#endif
