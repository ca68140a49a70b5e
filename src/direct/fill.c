/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A miss of the software TLB: the guest's tables are walked as they are, A and
 * D are set as the processor sets them, and what was found is remembered.
 *
 * So are its neighbours, where A is set already: a processor may remember what
 * it was not asked for, as long as A is set.
 */
#include <string.h>

#include "direct/internal.h"

/* Leaf entries of one guest table that a miss looks at; a power of two. */
#define AHEAD 16u

/* The walk of the guest's tables, with every entry that is in memory. */
struct path {
	struct walk walk;
	struct direct_path read;
};

static uint64_t entry_at(const struct direct *direct, gpa_t at)
{
	unsigned int size = paging_entry_size(direct->cur->guest.mode);

	return paging_read_entry(&direct->cur->guest, direct->mem,
				 at & ~PAGE_MASK,
				 (unsigned int)(at & PAGE_MASK) / size);
}

static void set_path(struct direct_path *path, const struct walk *w)
{
	path->nr = w->refs;
	path->has_page = !w->fault;
	path->page = w->pa;
	memcpy(path->at, w->at, sizeof(path->at));
}

static bool set_bits(struct direct *direct, gpa_t at, uint64_t bits)
{
	uint64_t entry = entry_at(direct, at);

	if (!(bits & ~entry))
		return false;
	if (direct->cur->guest.mode == PAGING_32)
		mem_write_u32(direct->mem, at, (uint32_t)(entry | bits));
	else
		mem_write_u64(direct->mem, at, entry | bits);
	return true;
}

/* In so many entries. */
static uint8_t set_accessed(struct direct *direct, struct path *path,
			    uint32_t access)
{
	uint64_t leaf = PTE_A | (access & PFEC_W ? PTE_D : 0);
	const struct direct_path *read = &path->read;
	uint8_t nr = 0;

	for (unsigned int i = 0; i < read->nr; i++)
		nr += set_bits(direct, read->at[i],
			       i + 1 < read->nr ? PTE_A : leaf);
	path->walk.leaf |= leaf;
	return nr;
}

/* A write that only CR0.WP=0 allows. */
static bool needs_wp0(const struct paging_ctx *guest, const struct walk *w,
		      uint32_t access)
{
	return guest->mode != PAGING_OFF && (access & PFEC_W) &&
	       !(access & PFEC_U) && !(w->rights & PTE_W);
}

/*
 * The entry for one frame of a page with these rights.  The processor that
 * walks it has CR0.WP set.
 */
static uint64_t make_entry(const struct paging_ctx *guest, const struct walk *w,
			   hpa_t frame)
{
	uint64_t entry = frame | PTE_P | PTE_A | (w->rights & PTE_U);

	if (guest->mode == PAGING_OFF)
		return entry | PTE_W | PTE_D;
	entry |= (uint64_t)w->level << LEAF_FROM_SHIFT;
	entry |= w->rights & PTE_NX;
	if (guest->pke)
		entry |= w->leaf & PTE_PKEY;
	if ((w->rights & PTE_W) && (w->leaf & PTE_D))
		entry |= PTE_W | PTE_D;
	return entry;
}

/*
 * The same for a write that the page's rights deny: the page becomes the
 * supervisor's until its next miss.  False: it would then let through what
 * SMEP, SMAP or a key denies.
 */
static bool make_wp0_entry(const struct paging_ctx *guest, const struct walk *w,
			   hpa_t frame, uint64_t *ret)
{
	if ((w->rights & PTE_U) && (guest->smep || guest->smap || guest->pke))
		return false;
	*ret = make_entry(guest, w, frame) & ~PTE_U;
	*ret |= PTE_W | PTE_D;
	return true;
}

/* It has CR0.WP set, whatever the guest has, so a key may deny it more. */
static bool key_denies(const struct paging_ctx *guest, const struct walk *w,
		       uint32_t access)
{
	struct paging_ctx strict = *guest;

	strict.wp = true;
	return paging_key_denies(&strict, w->leaf, w->rights, access);
}

static bool is_global(const struct direct *direct, const struct walk *w)
{
	return direct->cur->global_pages && (w->leaf & PTE_G);
}

static bool is_there(const struct direct *direct, gpa_t gpa)
{
	return mem_is_ram(direct->mem, gpa, PAGE_SIZE) &&
	       direct_is_backed(direct, gpa);
}

/* --- What was not asked for ---------------------------------------------- */

/* A walk that would end in the entry i of the table in which w ended. */
static bool look_at(const struct direct *direct, const struct walk *w,
		    uint64_t above, unsigned int i, struct walk *ret)
{
	const struct paging_ctx *guest = &direct->cur->guest;
	uint64_t entry = paging_read_entry(guest, direct->mem, w->table, i);

	if (!(entry & PTE_P) || !(entry & PTE_A) ||
	    (entry & paging_reserved(guest, entry, 1)))
		return false;
	*ret = *w;
	ret->leaf = entry;
	ret->rights = above & (entry | ~(PTE_W | PTE_U));
	ret->rights |= entry & PTE_NX;
	return true;
}

/* The rights that the entries above the leaf leave. */
static uint64_t rights_above(const struct direct *direct,
			     const struct path *path)
{
	uint64_t rights = PTE_W | PTE_U;

	for (unsigned int i = 0; i + 1 < path->read.nr; i++) {
		uint64_t entry = entry_at(direct, path->read.at[i]);

		rights &= entry | ~(PTE_W | PTE_U);
		rights |= entry & PTE_NX;
	}
	return rights;
}

struct block {
	hpa_t table; /* of the pool */
	unsigned int first;
};

static void put_if_free(struct direct *direct, const struct block *block,
			unsigned int i, const struct walk *w, hpa_t frame)
{
	unsigned int index = block->first + i;

	if (!is_there(direct, frame) ||
	    pool_get(&direct->mem->pool, block->table, index))
		return;
	tables_put(direct, block->table, index,
		   make_entry(&direct->cur->guest, w, frame),
		   is_global(direct, w));
}

static void fill_ahead_small(struct direct *direct, const struct path *path,
			     const struct block *block)
{
	const struct walk *w = &path->walk;
	uint64_t above = rights_above(direct, path);
	unsigned int first = w->index & ~(AHEAD - 1);

	for (unsigned int i = 0; i < AHEAD; i++) {
		struct walk other;

		if (look_at(direct, w, above, first + i, &other))
			put_if_free(direct, block, i, &other,
				    other.leaf & PTE_ADDR);
	}
}

/* Pieces of one large page, or of memory while paging is off. */
static void fill_ahead_large(struct direct *direct, const struct path *path,
			     const struct block *block)
{
	hpa_t first = path->walk.pa & ~(AHEAD * PAGE_SIZE - 1);

	for (unsigned int i = 0; i < AHEAD; i++)
		put_if_free(direct, block, i, &path->walk,
			    first + i * PAGE_SIZE);
}

/* --- What was ------------------------------------------------------------ */

static enum direct_verdict fill(struct direct *direct, gva_t gva,
				struct path *path, uint32_t access)
{
	const struct paging_ctx *guest = &direct->cur->guest;
	const struct walk *w = &path->walk;
	hpa_t frame = w->pa & ~PAGE_MASK;
	unsigned int index = pt_index(gva, 1);
	uint64_t entry = make_entry(guest, w, frame);
	struct block block = {.first = index & ~(AHEAD - 1)};

	if (needs_wp0(guest, w, access) &&
	    !make_wp0_entry(guest, w, frame, &entry))
		return DIRECT_EMULATE;
	if (key_denies(guest, w, access))
		return DIRECT_EMULATE;
	block.table = tables_leaf(direct, gva, w->level);
	tables_put(direct, block.table, index, entry, is_global(direct, w));
	if (guest->mode != PAGING_OFF && w->level == 1)
		fill_ahead_small(direct, path, &block);
	else
		fill_ahead_large(direct, path, &block);
	return DIRECT_FILLED;
}

/* EPT: what the walk touches, in order, before it knows what it finds. */
static bool is_walk_backed(const struct direct *direct, const struct path *path,
			   struct direct_result *ret)
{
	for (uint8_t i = 0; i < path->read.nr; i++) {
		gpa_t at = path->read.at[i];

		if (!mem_is_ram(direct->mem, at, 1) ||
		    direct_is_backed(direct, at))
			continue;
		*ret = (struct direct_result){
			.verdict = DIRECT_UNBACKED,
			.gpa = at,
			.is_walk = true,
			.path = path->read,
		};
		ret->path.nr = i;
		ret->path.has_page = false;
		return false;
	}
	return true;
}

struct direct_result direct_fault(struct direct *direct, gva_t gva,
				  uint32_t access)
{
	struct path path;
	struct direct_result ret;

	gva = paging_linear(direct->cur->guest.mode, gva);
	path.walk = paging_walk(&direct->cur->guest, direct->mem, gva, access);
	set_path(&path.read, &path.walk);
	if (!is_walk_backed(direct, &path, &ret))
		return ret;
	ret = (struct direct_result){.gpa = path.walk.pa, .path = path.read};
	if (path.walk.fault) {
		ret.verdict = DIRECT_FAULT;
		ret.pfec = path.walk.pfec;
		return ret;
	}
	if (!mem_is_ram(direct->mem, ret.gpa, 1)) {
		ret.ad = set_accessed(direct, &path, access);
		ret.verdict = DIRECT_MMIO;
		ret.is_marked = ept_is_marked(direct, ret.gpa);
		return ret;
	}
	if (!direct_is_backed(direct, ret.gpa)) {
		ret.verdict = DIRECT_UNBACKED;
		return ret;
	}
	ret.ad = set_accessed(direct, &path, access);
	ret.verdict = fill(direct, gva, &path, access);
	direct_audit_gva(direct, gva);
	return ret;
}

/* Rights are not looked at, so that only what is not there ends it. */
static struct paging_ctx without_rights(const struct paging_ctx *guest)
{
	struct paging_ctx lax = *guest;

	lax.wp = lax.smap = lax.pke = false;
	return lax;
}

void direct_walk(const struct direct *direct, gva_t gva,
		 struct direct_path *ret)
{
	struct paging_ctx lax = without_rights(&direct->cur->guest);
	struct walk w;

	paging_walk_to(&lax, direct->mem, gva, 0, &w);
	set_path(ret, &w);
}

struct direct_leaf direct_leaf(uint64_t entry)
{
	return (struct direct_leaf){
		.level = (int)((entry & LEAF_FROM) >> LEAF_FROM_SHIFT),
		.global = entry & LEAF_GLOBAL,
	};
}

bool direct_gva_to_gpa(const struct direct *direct, gva_t gva, gpa_t *ret)
{
	struct paging_ctx lax = without_rights(&direct->cur->guest);
	struct walk w = paging_walk(&lax, direct->mem, gva, 0);

	if (!w.fault)
		*ret = w.pa;
	return !w.fault;
}
