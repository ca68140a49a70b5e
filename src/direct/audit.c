/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Invariants.  What the guest's tables said when an entry was made they need
 * not say now, so that an entry is held against itself and its tables alone.
 */
#include <stdio.h>

#include "direct/internal.h"

struct audit {
	struct direct *direct;
	uint32_t nr_tables; /* met below the roots, and the roots */
};

static void violation(struct audit *a, const char *name, hpa_t table,
		      unsigned int index, uint64_t entry)
{
	struct direct_audit *report = &a->direct->audit;

	if (report->violations++)
		return;
	snprintf(report->first, sizeof(report->first),
		 "%s: table 0x%llx, entry %u: 0x%llx", name,
		 (unsigned long long)table, index, (unsigned long long)entry);
}

static const char *leaf_flaw(const struct direct *direct, uint64_t entry)
{
	hpa_t frame = entry & PTE_ADDR;

	if (!(entry & PTE_P) || !(entry & PTE_A))
		return "a leaf is present and accessed";
	if (!mem_is_ram(direct->mem, frame, PAGE_SIZE))
		return "a leaf leads to RAM";
	if (!direct_is_backed(direct, frame))
		return "a leaf leads to a frame with memory behind it";
	if (!(entry & PTE_W) != !(entry & PTE_D))
		return "a leaf grants writes iff its page is dirty";
	return NULL;
}

static const char *link_flaw(const struct direct *direct, uint64_t entry,
			     int level, bool is_pdpte)
{
	const struct pool *pool = &direct->mem->pool;
	hpa_t table = entry & PTE_ADDR;

	if (!pool_owns(pool, table) ||
	    pool->level[pool_page(table)] != level - 1)
		return "a link leads to a table of the level below";
	if ((entry & ~(PTE_ADDR | LINK_LARGE)) !=
	    (is_pdpte ? PDPTE_LINK : LINK))
		return "a link grants everything";
	return NULL;
}

static int from_of(uint64_t leaf)
{
	return (int)((leaf & LEAF_FROM) >> LEAF_FROM_SHIFT);
}

/*
 * marked: levels of the links above that say "large".  False: there is no way
 * on through this entry.
 */
static bool audit_entry(struct audit *a, hpa_t table, unsigned int index,
			int level, int top, int marked)
{
	uint64_t entry = pool_get(&a->direct->mem->pool, table, index);
	bool is_pdpte = level == 3 && top == 3;
	const char *flaw;

	if (!entry)
		return false;
	flaw = level > 1 ? link_flaw(a->direct, entry, level, is_pdpte)
			 : leaf_flaw(a->direct, entry);
	if (!flaw && level == 1 && from_of(entry) > 1 &&
	    !(marked & 1 << from_of(entry)))
		flaw = "a piece of a large page is below a mark";
	if (flaw)
		violation(a, flaw, table, index, entry);
	return !flaw;
}

static int mark_of(uint64_t link, int level)
{
	return link & LINK_LARGE ? 1 << level : 0;
}

static void audit_table(struct audit *a, hpa_t table, int level, int top,
			int marked)
{
	a->nr_tables++;
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		uint64_t entry = pool_get(&a->direct->mem->pool, table, i);

		if (audit_entry(a, table, i, level, top, marked) && level > 1)
			audit_table(a, entry & PTE_ADDR, level - 1, top,
				    marked | mark_of(entry, level));
	}
}

/* The way to gva's entry, and it or its whole table. */
static void audit_way(struct audit *a, gva_t gva)
{
	const struct direct_vcpu *vcpu = a->direct->cur;
	int top = tables_top(vcpu->mode), marked = 0;
	hpa_t table = vcpu->root;

	for (int level = top; level > 1; level--) {
		unsigned int index = tables_index(vcpu, gva, level);
		uint64_t link = pool_get(&a->direct->mem->pool, table, index);

		if (!audit_entry(a, table, index, level, top, marked))
			return;
		marked |= mark_of(link, level);
		table = link & PTE_ADDR;
	}
	if (a->direct->config.audit == DIRECT_AUDIT_ENTRY)
		audit_entry(a, table, pt_index(gva, 1), 1, top, marked);
	else
		audit_table(a, table, 1, top, marked);
}

void direct_audit_gva(struct direct *direct, gva_t gva)
{
	struct audit a = {.direct = direct};

	if (likely(!direct->config.audit))
		return;
	if (direct->config.audit == DIRECT_AUDIT_ALL) {
		direct_run_audit(direct);
		return;
	}
	audit_way(&a, gva);
	direct->audit.passes++;
}

static void audit_vcpu(struct audit *a, const struct direct_vcpu *vcpu)
{
	if (!vcpu->root)
		return;
	audit_table(a, vcpu->root, tables_top(vcpu->mode),
		    tables_top(vcpu->mode), 0);
}

void direct_run_audit(struct direct *direct)
{
	const struct pool *pool = &direct->mem->pool;
	struct audit a = {.direct = direct};

	for (unsigned int i = 0; i < direct->config.nr_vcpus; i++)
		audit_vcpu(&a, &direct->vcpu[i]);
	if (a.nr_tables != pool->nr_pages - pool->nr_free)
		violation(&a, "every table is below one root", 0, 0,
			  a.nr_tables);
	direct->audit.passes++;
}

const struct direct_audit *direct_audit_result(const struct direct *direct)
{
	return &direct->audit;
}
