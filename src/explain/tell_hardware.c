/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the processor's translation hardware did for a reference: its TLBs, its
 * walks, where they began and how far away was what they read.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "explain/internal.h"

/* "a, 3 b, 1 c": what there is of each. */
__attribute__((format(printf, 3, 4))) static void add(char *buf, size_t size,
						      const char *fmt, ...)
{
	size_t len = strlen(buf);
	va_list ap;

	if (len)
		len += (size_t)snprintf(buf + len, size - len, ", ");
	va_start(ap, fmt);
	vsnprintf(buf + len, size - len, fmt, ap);
	va_end(ap);
}

static void tell_tlb(const struct telling *t)
{
	const char *name = t->story->ref.kind == TRACE_FETCH ? "instruction TLB"
							     : "data TLB";

	switch (t->story->tlb) {
	case STORY_TLB_L1:
		prose_fact(t->prose, "TLB",
			   "hit: the first-level %s knows the page and grants "
			   "the access",
			   name);
		break;
	case STORY_TLB_L2:
		prose_fact(t->prose, "TLB",
			   "missed in the first level, hit in the second");
		break;
	case STORY_TLB_MISS:
		prose_fact(t->prose, "TLB",
			   "miss%s: the processor walks the tables",
			   t->story->tlb_counter[TLB_l2_lookups]
				   ? " in both levels"
				   : "");
		break;
	}
}

/* Where walks began: the paging-structure caches. */
static void tell_beginnings(const struct telling *t)
{
	static const char *const names[] = {"PDE", "PDPTE", "PML4E", "PML5E"};
	const uint64_t *n = t->story->tlb_counter;
	char text[200] = "";

	for (unsigned int i = 0; i < ARRAY_LEN(names); i++)
		if (n[TLB_psc_pde_hits + i])
			add(text, sizeof(text),
			    "%" PRIu64 " behind a cached %s",
			    n[TLB_psc_pde_hits + i], names[i]);
	if (n[TLB_psc_misses])
		add(text, sizeof(text), "%" PRIu64 " at the top",
		    n[TLB_psc_misses]);
	prose_fact(t->prose, "begin", "%s (paging-structure caches)", text);
}

static void tell_reads(const struct telling *t)
{
	static const char *const names[] = {"L1", "L2", "L3", "memory"};
	const uint64_t *n = t->story->tlb_counter;
	char text[200] = "";

	for (unsigned int i = 0; i < ARRAY_LEN(names); i++)
		if (n[TLB_walk_refs_l1 + i])
			add(text, sizeof(text), "%" PRIu64 " from %s",
			    n[TLB_walk_refs_l1 + i], names[i]);
	prose_fact(t->prose, "reads", "%" PRIu64 " table entr%s: %s",
		   n[TLB_walk_refs], n[TLB_walk_refs] == 1 ? "y" : "ies", text);
	if (n[TLB_walks_overlapped])
		prose_fact(t->prose, "overlap",
			   "%" PRIu64 " of the walks began beside another one, "
			   "which hides %" PRIu64 " reads",
			   n[TLB_walks_overlapped], n[TLB_walk_refs_hidden]);
}

void tell_hardware_facts(const struct telling *t)
{
	const uint64_t *n = t->story->tlb_counter;

	tell_tlb(t);
	if (!n[TLB_walks])
		return;
	prose_fact(t->prose, "walks", "%" PRIu64, n[TLB_walks]);
	tell_beginnings(t);
	tell_reads(t);
	if (n[TLB_ad_assists])
		prose_fact(t->prose, "A and D",
			   "set by the processor in %" PRIu64 " entr%s",
			   n[TLB_ad_assists],
			   n[TLB_ad_assists] == 1 ? "y" : "ies");
}
