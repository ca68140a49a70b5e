/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is different after it: shadow pages, entries of both kinds, the root. */
#include <inttypes.h>
#include <string.h>

#include "explain/internal.h"

#define ROWS_MAX 24

static bool is_new(const struct story *story, hpa_t table)
{
	for (size_t i = 0; i < story->nr; i++)
		if (story->step[i].step.kind == SIM_STEP_TABLE &&
		    story->step[i].step.table == table)
			return true;
	return false;
}

static bool is_gone(const struct story *story, hpa_t table)
{
	for (size_t i = 0; i < story->nr; i++)
		if (story->step[i].step.kind == SIM_STEP_TABLE_GONE &&
		    story->step[i].step.table == table)
			return true;
	return false;
}

static void page_text(const struct smmu_page *page, char *buf, size_t size)
{
	size_t len;

	if (page->is_pae_root) {
		snprintf(buf, size, "the PAE root");
		return;
	}
	snprintf(buf, size, "level %d, for ", page->level);
	len = strlen(buf);
	if (page->is_private)
		snprintf(buf + len, size - len,
			 "addresses from 0x%" PRIx64
			 " on (a TLB's: no guest table)",
			 page->gfn << PAGE_SHIFT);
	else if (page->metaphysical)
		snprintf(buf + len, size - len,
			 "memory from gfn 0x%" PRIx64
			 " on (metaphysical: no guest table)",
			 page->gfn);
	else
		snprintf(buf + len, size - len,
			 "the guest table at gfn 0x%" PRIx64, page->gfn);
	len = strlen(buf);
	if (page->glevels && page->glevels <= 2 && !page->metaphysical)
		snprintf(buf + len, size - len, ", quadrant %u",
			 page->quadrant);
	len = strlen(buf);
	if (page->unsync)
		snprintf(buf + len, size - len, ", out of sync");
}

/* What a new table holds when all is done, in words. */
static void content_text(const struct telling *t, hpa_t table, char *buf,
			 size_t size)
{
	const struct story *story = t->story;
	enum smmu_spte_kind fresh = smmu_spte_kind(t->in.smmu, 0);
	unsigned int count[NR_SMMU_SPTE_KINDS] = {[0] = 0};
	enum smmu_spte_kind kind[PT_ENTRIES];
	size_t len = 0;

	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		kind[i] = fresh;
	for (size_t i = 0; i < story->nr; i++) {
		const struct story_step *step = &story->step[i];

		if (step->step.kind == SIM_STEP_SPTE &&
		    step->step.table == table)
			kind[step->step.index] = step->is_kind;
	}
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		count[kind[i]]++;
	*buf = 0;
	for (unsigned int i = 0; i < NR_SMMU_SPTE_KINDS; i++) {
		if (!count[i])
			continue;
		snprintf(buf + len, size - len, "%s%u %s", len ? ", " : "",
			 count[i],
			 spte_kind_name((enum smmu_spte_kind)i,
					i != (unsigned int)fresh));
		len = strlen(buf);
	}
}

static void tell_tables(const struct telling *t)
{
	const struct story *story = t->story;

	if (!story_count(story, SIM_STEP_TABLE) &&
	    !story_count(story, SIM_STEP_TABLE_GONE))
		return;
	prose_table(t->prose);
	prose_column(t->prose, "shadow page", false);
	prose_column(t->prose, "frame", true);
	prose_column(t->prose, "what it is", false);
	for (size_t i = 0; i < story->nr; i++) {
		const struct story_step *step = &story->step[i];
		bool made = step->step.kind == SIM_STEP_TABLE;
		char what[160], content[120];

		if (!made && step->step.kind != SIM_STEP_TABLE_GONE)
			continue;
		page_text(&step->page, what, sizeof(what));
		prose_cell(t->prose, made ? "created" : "freed");
		prose_cell(t->prose, "0x%" PRIx64, step->step.table);
		content_text(t, step->step.table, content, sizeof(content));
		if (made)
			prose_cell(t->prose, "%s; now %s", what, content);
		else
			prose_cell(t->prose, "%s", what);
	}
}

/* The first step that sets this slot in a table that stays. */
static bool is_first_of_slot(const struct story *story, size_t at)
{
	const struct sim_step *step = &story->step[at].step;

	if (is_new(story, step->table) || is_gone(story, step->table))
		return false;
	for (size_t i = 0; i < at; i++) {
		const struct sim_step *other = &story->step[i].step;

		if (other->kind == SIM_STEP_SPTE &&
		    other->table == step->table && other->index == step->index)
			return false;
	}
	return true;
}

static const struct story_step *last_of_slot(const struct story *story,
					     size_t at)
{
	const struct sim_step *step = &story->step[at].step;

	for (size_t i = story->nr; i-- > at;) {
		const struct sim_step *other = &story->step[i].step;

		if (other->kind == SIM_STEP_SPTE &&
		    other->table == step->table && other->index == step->index)
			return &story->step[i];
	}
	return &story->step[at];
}

static void put_side(const struct telling *t, const char *where,
		     const char *when, uint64_t entry, const char *says)
{
	prose_cell(t->prose, "%s", where);
	prose_cell(t->prose, "%s", when);
	prose_cell(t->prose, "0x%" PRIx64, entry);
	prose_cell(t->prose, "%s", says);
}

static void begin_changes(const struct telling *t)
{
	prose_table(t->prose);
	prose_column(t->prose, "entry", false);
	prose_column(t->prose, "", false);
	prose_column(t->prose, "value", true);
	prose_column(t->prose, "says", false);
}

/* Neighbours in a table that were alike and are alike. */
struct run {
	const struct story_step *first, *last; /* of its first slot */
	unsigned int nr;
};

static bool run_goes_on(const struct run *run, const struct story_step *first,
			const struct story_step *last)
{
	return run->nr && first->step.table == run->first->step.table &&
	       first->step.index == run->first->step.index + run->nr &&
	       first->step.was == run->first->step.was &&
	       last->step.is == run->last->step.is;
}

static void put_run(const struct telling *t, const struct run *run)
{
	const struct paging_ctx *ctx = t->in.hardware;
	const struct story_step *first = run->first, *last = run->last;
	unsigned int index = first->step.index;
	int level = first->page.level;
	char says[FLAGS_MAX], where[80];

	if (run->nr > 1)
		snprintf(where, sizeof(where), "s%s 0x%" PRIx64 "[%u..%u]",
			 path_entry_name(level), first->step.table, index,
			 index + run->nr - 1);
	else
		snprintf(where, sizeof(where), "s%s 0x%" PRIx64 "[%u]",
			 path_entry_name(level), first->step.table, index);
	spte_text(ctx, first->was_kind, first->step.was, level, says);
	put_side(t, where, "was", first->step.was, says);
	spte_text(ctx, last->is_kind, last->step.is, level, says);
	put_side(t, "", "is", last->step.is, says);
}

static bool is_change(const struct story *story, size_t at)
{
	return story->step[at].step.kind == SIM_STEP_SPTE &&
	       is_first_of_slot(story, at) &&
	       story->step[at].step.was != last_of_slot(story, at)->step.is;
}

static bool has_sptes(const struct story *story)
{
	for (size_t i = 0; i < story->nr; i++)
		if (is_change(story, i))
			return true;
	return false;
}

/* Returns how many runs there are; not all are told. */
static size_t put_sptes(const struct telling *t)
{
	const struct story *story = t->story;
	struct run run = {.nr = 0};
	size_t n = 0;

	for (size_t i = 0; i < story->nr; i++) {
		const struct story_step *step = &story->step[i], *last;

		if (!is_change(story, i))
			continue;
		last = last_of_slot(story, i);
		if (run_goes_on(&run, step, last)) {
			run.nr++;
			continue;
		}
		if (run.nr && n++ < ROWS_MAX)
			put_run(t, &run);
		run = (struct run){step, last, 1};
	}
	if (run.nr && n++ < ROWS_MAX)
		put_run(t, &run);
	return n;
}

/* The level of the table that this frame is, as its shadow knows; 0: unknown.
 */
static int level_of_table(const struct story *story, gfn_t gfn)
{
	for (size_t i = 0; i < story->nr; i++) {
		const struct smmu_page *page = &story->step[i].page;

		if (story->step[i].step.kind == SIM_STEP_SPTE &&
		    page->gfn == gfn && !page->metaphysical &&
		    !page->is_pae_root)
			return page->level;
	}
	return 0;
}

static bool is_stored(const struct story *story)
{
	return story->store.known && story->store.was != story->store.is;
}

static void put_store(const struct telling *t)
{
	const struct story *story = t->story;
	gpa_t gpa = story->store.gpa;
	int level = level_of_table(story, gpa >> PAGE_SHIFT);
	struct path_entry entry = {
		.level = level,
		.entry = story->store.was,
		.is_leaf = level == 1,
	};
	char says[FLAGS_MAX], where[80];

	if (!is_stored(story))
		return;
	snprintf(where, sizeof(where), "g%s 0x%" PRIx64 "[%u]",
		 level ? path_entry_name(level) : "entry", gpa & ~PAGE_MASK,
		 (unsigned int)(gpa & PAGE_MASK) / story->store.size);
	entry_text(&story->guest.ctx, &entry, says);
	put_side(t, where, "was", entry.entry, says);
	entry.entry = story->store.is;
	entry_text(&story->guest.ctx, &entry, says);
	put_side(t, "", "is", entry.entry, says);
}

static bool differs(const struct story *story, unsigned int i)
{
	const struct path_entry *was = &story->guest.entry[i];
	const struct path_entry *is = &story->guest_after.entry[i];

	return i < story->guest.nr && i < story->guest_after.nr &&
	       was->table == is->table && was->entry != is->entry;
}

static size_t count_gptes(const struct story *story)
{
	size_t n = 0;

	for (unsigned int i = 0; i < story->guest.nr; i++)
		n += differs(story, i);
	return n;
}

static void put_gptes(const struct telling *t)
{
	const struct story *story = t->story;
	char says[FLAGS_MAX], where[80];

	for (unsigned int i = 0; i < story->guest.nr; i++) {
		const struct path_entry *was = &story->guest.entry[i];
		const struct path_entry *is = &story->guest_after.entry[i];

		if (!differs(story, i))
			continue;
		snprintf(where, sizeof(where), "g%s 0x%" PRIx64 "[%u]",
			 path_entry_name(was->level), was->table, was->index);
		entry_text(&story->guest.ctx, was, says);
		put_side(t, where, "was", was->entry, says);
		entry_text(&story->guest.ctx, is, says);
		put_side(t, "", "is", is->entry, says);
	}
}

static void tell_root(const struct telling *t)
{
	const struct story *story = t->story;
	char what[160];

	if (story->root == story->root_after)
		return;
	page_text(&story->root_page, what, sizeof(what));
	prose_para(t->prose,
		   "The processor walks another root: 0x%" PRIx64 " (%s), %s, "
		   "instead of 0x%" PRIx64 ".",
		   story->root_after, what,
		   is_new(story, story->root_after) ? "created just now"
						    : "which was there already",
		   story->root);
}

/* What the shadow no longer follows. */
static void tell_unsync(const struct telling *t)
{
	const struct story *story = t->story;
	char what[160];

	for (size_t i = 0; i < story->nr && story->counter[CNT_mmu_unsync];
	     i++) {
		const struct story_step *step = &story->step[i];

		if (step->step.kind != SIM_STEP_SPTE || !step->page.unsync)
			continue;
		page_text(&step->page, what, sizeof(what));
		prose_para(t->prose,
			   "Shadow page 0x%" PRIx64 " (%s): from now on the "
			   "guest writes this table without an exit, so what "
			   "the shadow knows of it may be old, and notrap "
			   "becomes trap.",
			   step->step.table, what);
		return;
	}
}

void tell_changes(const struct telling *t)
{
	const struct story *story = t->story;
	size_t gptes = count_gptes(story) + is_stored(story), runs;
	bool sptes = has_sptes(story);
	bool tables = story_count(story, SIM_STEP_TABLE) ||
		      story_count(story, SIM_STEP_TABLE_GONE);

	prose_section(t->prose, "What is different now");
	tell_tables(t);
	tell_root(t);
	tell_unsync(t);
	if (!sptes && !gptes && !tables && story->root == story->root_after)
		prose_para(t->prose, "Nothing: no entry of the guest's tables "
				     "and none of the shadow's.");
	if (!sptes && !gptes)
		return;
	begin_changes(t);
	put_store(t);
	put_gptes(t);
	runs = put_sptes(t);
	if (runs > ROWS_MAX)
		prose_para(t->prose, "And %zu more changes of shadow entries.",
			   runs - ROWS_MAX);
	prose_para(t->prose,
		   "A name with g is an entry of the guest's, with s one of "
		   "the shadow's, by table[index]%s.",
		   story_count(story, SIM_STEP_TABLE)
			   ? "; entries of tables created just now are left "
			     "out"
			   : "");
}
