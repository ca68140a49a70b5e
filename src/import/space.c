/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page tables.  Their contents are kept here; the trace is told a table when a
 * walk of the processor's passes it first, and each store to it afterwards.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "import/internal.h"

/* --- Tables -------------------------------------------------------------- */

static uint64_t *table_of(struct guest *g, gpa_t table)
{
	return frame_of(g, table)->table;
}

uint64_t *space_at(struct guest *g, gpa_t at)
{
	return &table_of(g, at)[(at & PAGE_MASK) / 8];
}

void space_tell(struct guest *g, gpa_t table)
{
	struct frame *frame = frame_of(g, table);
	const struct trace_item item = {
		.kind = TRACE_ITEM_TABLE,
		.gpa = table,
		.table = frame->table,
	};

	if (frame->known)
		return;
	frame->known = true;
	emit_item(g, &item);
}

/* False: no memory of the host's. */
static bool give_table(struct guest *g, gpa_t gpa)
{
	struct frame *frame = frame_of(g, gpa);

	frame->users = 1;
	frame->table = calloc(PT_ENTRIES, sizeof(uint64_t));
	if (!frame->table && !g->err)
		g->err = diag_set(&g->diag, -ENOMEM,
				  "no memory for the model guest");
	return frame->table;
}

static gpa_t new_table(struct guest *g)
{
	gpa_t gpa = frame_alloc(g);

	if (!gpa)
		return 0;
	kernel_clear(g, gpa);
	return give_table(g, gpa) ? gpa : 0;
}

static gpa_t walk(struct guest *g, gpa_t table, gva_t gva, bool tells)
{
	for (int level = 4;; level--) {
		gpa_t at = table + 8 * pt_index(gva, level);

		if (tells)
			space_tell(g, table);
		if (level == 1)
			return at;
		if (!(*space_at(g, at) & PTE_P))
			return 0;
		table = *space_at(g, at) & PTE_ADDR;
	}
}

gpa_t space_walk(struct guest *g, gva_t gva, bool tells)
{
	return walk(g, space_now(g)->root, gva, tells);
}

uint64_t space_entry(struct guest *g, gva_t gva)
{
	gpa_t at = space_walk(g, gva, false);

	return at ? *space_at(g, at) : 0;
}

/* The leaf entry's place, with the tables above it; 0: no frame left. */
static gpa_t make_way(struct guest *g, gpa_t table, gva_t gva)
{
	for (int level = 4; level > 1; level--) {
		gpa_t at = table + 8 * pt_index(gva, level);

		if (!(*space_at(g, at) & PTE_P)) {
			gpa_t fresh = new_table(g);

			if (!fresh)
				return 0;
			kernel_store(g, at, fresh | PTE_TABLE);
		}
		table = *space_at(g, at) & PTE_ADDR;
	}
	return table + 8 * pt_index(gva, 1);
}

void space_map(struct guest *g, gva_t gva, uint64_t entry)
{
	gpa_t at = make_way(g, space_now(g)->root, gva);

	if (at)
		kernel_store(g, at, entry);
}

/* --- What the processor has seen ------------------------------------------ */

/* All epochs are used up: begin again. */
static void renew_epochs(struct guest *g)
{
	memset(g->seen, 0, sizeof(g->seen));
	g->epoch = 0;
	for (uint32_t i = 0; i < g->nr_spaces; i++)
		if (g->space[i].users)
			g->space[i].epoch = ++g->epoch;
}

void space_follow(struct guest *g)
{
	g->epoch_now = space_now(g)->epoch;
}

void space_forget(struct guest *g, struct space *space)
{
	if (g->epoch == SEEN_EPOCH_MAX)
		renew_epochs(g);
	space->epoch = ++g->epoch;
	space_follow(g);
}

void space_forget_page(struct guest *g, gva_t gva)
{
	*seen_slot(g, gva) = 0;
}

/* --- Spaces -------------------------------------------------------------- */

static void link_kernel(struct guest *g, gpa_t root,
			void (*store)(struct guest *g, gpa_t gpa, uint64_t val))
{
	store(g, root + 8 * pt_index(KERNEL_DIRECT, 4),
	      DIRECT_PDPT | PTE_KERNEL_TABLE);
	store(g, root + 8 * pt_index(KERNEL_TEXT, 4),
	      TEXT_PDPT | PTE_KERNEL_TABLE);
}

bool space_make(struct guest *g, struct space *space)
{
	gpa_t root = new_table(g);

	if (!root)
		return false;
	*space = (struct space){.users = 1, .root = root};
	space_forget(g, space);
	link_kernel(g, root, kernel_store);
	g->stats.spaces++;
	return true;
}

/* By the loader, before the trace begins. */
static void preset(struct guest *g, gpa_t gpa, uint64_t val)
{
	*space_at(g, gpa) = val;
}

static void preset_direct(struct guest *g)
{
	const uint64_t large = PTE_P | PTE_W | PTE_A | PTE_D | PTE_PS | PTE_NX;

	for (uint64_t gpa = 0; gpa < g->options.memory; gpa += BIT(21)) {
		gpa_t table = DIRECT_PD + (gpa >> 30) * PAGE_SIZE;

		preset(g, DIRECT_PDPT + 8 * pt_index(KERNEL_DIRECT + gpa, 3),
		       table | PTE_KERNEL_TABLE);
		preset(g, table + 8 * pt_index(KERNEL_DIRECT + gpa, 2),
		       gpa | large);
	}
}

int space_init(struct guest *g, struct diag *diag)
{
	for (gpa_t table = DIRECT_PDPT; table <= FIRST_ROOT; table += PAGE_SIZE)
		if (!give_table(g, table))
			return guest_error(g, diag);
	g->root = FIRST_ROOT;
	preset_direct(g);
	preset(g, TEXT_PDPT + 8 * pt_index(KERNEL_TEXT, 3),
	       TEXT_PD | PTE_KERNEL_TABLE);
	preset(g, TEXT_PD + 8 * pt_index(KERNEL_TEXT, 2),
	       IMAGE_GPA | PTE_KERNEL_TABLE | PTE_PS);
	link_kernel(g, FIRST_ROOT, preset);
	for (gpa_t table = DIRECT_PDPT; table <= FIRST_ROOT; table += PAGE_SIZE)
		space_tell(g, table);
	return 0;
}

/* --- Unmapping ------------------------------------------------------------ */

struct unmapping {
	gva_t first, last;
	bool frees_tables;
	/* What the TLB may still hold, and how much that is. */
	gva_t stale[INVLPG_MAX];
	uint32_t nr;
};

static void release(struct guest *g, uint64_t entry)
{
	gpa_t gpa = entry & PTE_ADDR;

	if (gpa != ZERO_PAGE)
		frame_free(g, gpa);
}

static void clear_leaf(struct guest *g, struct unmapping *u, gpa_t at,
		       gva_t gva)
{
	uint64_t entry = *space_at(g, at);

	kernel_store(g, at, 0);
	release(g, entry);
	space_forget_page(g, gva);
	if (u->nr < INVLPG_MAX)
		u->stale[u->nr] = gva;
	u->nr++;
}

static bool is_empty(const uint64_t *table)
{
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		if (table[i])
			return false;
	return true;
}

static void clear_tables(struct guest *g, struct unmapping *u, gpa_t table,
			 int level, gva_t base);

/* A table goes after what it held, from the leaves up, once it is empty. */
static void clear_below(struct guest *g, struct unmapping *u, gpa_t at,
			int level, gva_t gva)
{
	gpa_t below = *space_at(g, at) & PTE_ADDR;

	clear_tables(g, u, below, level - 1, gva);
	if (!u->frees_tables || !is_empty(table_of(g, below)))
		return;
	kernel_store(g, at, 0);
	frame_free(g, below);
}

/* base: the address of the table's entry 0. */
static void clear_tables(struct guest *g, struct unmapping *u, gpa_t table,
			 int level, gva_t base)
{
	uint64_t size = BIT(pt_shift(level));
	uint64_t end = min_u64((u->last - base) / size + 1, PT_ENTRIES);
	uint64_t i = u->first > base ? (u->first - base) / size : 0;

	for (; i < end; i++) {
		gpa_t at = table + 8 * i;

		if (!(*space_at(g, at) & PTE_P))
			continue;
		if (level == 1)
			clear_leaf(g, u, at, base + i * size);
		else
			clear_below(g, u, at, level, base + i * size);
	}
}

void space_unmap(struct guest *g, gva_t first, gva_t last, bool frees_tables)
{
	struct unmapping u = {
		.first = first, .last = last, .frees_tables = frees_tables};
	gpa_t root = space_now(g)->root;

	clear_tables(g, &u, root, GUEST_LEVELS, 0);
	if (u.nr > INVLPG_MAX)
		kernel_load_cr3(g, root);
	else
		for (uint32_t i = 0; i < u.nr; i++)
			kernel_invlpg(g, u.stale[i]);
	if (u.nr)
		smp_shoot_down(g, u.stale, u.nr);
}

void space_clear(struct guest *g, struct space *space)
{
	struct unmapping u = {.last = GUEST_USER_END - 1, .frees_tables = true};

	clear_tables(g, &u, space->root, GUEST_LEVELS, 0);
}

/* --- Copying ------------------------------------------------------------- */

/*
 * Both may only read what was writable, until they write.  Pages of files are
 * left to the child's own faults.  The child's are old: it has not used them.
 */
static void share_leaf(struct guest *g, gpa_t at, gva_t gva, gpa_t child)
{
	uint64_t entry = *space_at(g, at);
	struct frame *frame = frame_of(g, entry & PTE_ADDR);
	gpa_t to;

	if (frame->cached)
		return;
	to = make_way(g, child, gva);
	if (!to)
		return;
	if (entry & PTE_W) {
		entry &= ~PTE_W;
		kernel_store(g, at, entry);
	}
	if ((entry & PTE_ADDR) != ZERO_PAGE)
		frame->users++;
	kernel_store(g, to, entry & ~PTE_A);
}

static void copy_tables(struct guest *g, gpa_t table, int level, gva_t base,
			gpa_t child)
{
	unsigned int nr = level == GUEST_LEVELS ? PT_ENTRIES / 2 : PT_ENTRIES;

	for (unsigned int i = 0; i < nr && !g->err; i++) {
		gpa_t at = table + 8 * i;
		gva_t gva = base + ((uint64_t)i << pt_shift(level));

		if (!(*space_at(g, at) & PTE_P))
			continue;
		if (level == 1)
			share_leaf(g, at, gva, child);
		else
			copy_tables(g, *space_at(g, at) & PTE_ADDR, level - 1,
				    gva, child);
	}
}

void space_copy(struct guest *g, struct space *child)
{
	struct space *parent = space_now(g);

	copy_tables(g, parent->root, GUEST_LEVELS, 0, child->root);
	space_forget(g, parent);
	/* The parent's TLB may still let it write. */
	kernel_load_cr3(g, parent->root);
	smp_shoot_down(g, NULL, INVLPG_MAX + 1);
}
