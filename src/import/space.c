/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address spaces.  Contents of tables are kept here; the trace is told a table
 * when a walk passes it first, and each store to it afterwards.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "import/internal.h"

static struct space *now(struct guest *g)
{
	return &g->space[g->current];
}

/* A frame of the kernel's own, not from the allocator. */
static uint64_t *static_table(struct guest *g, gpa_t gpa)
{
	struct frame *frame = frame_of(g, gpa);

	frame->table = calloc(PT_ENTRIES, sizeof(uint64_t));
	frame->users = 1;
	return frame->table;
}

/* Frames 1 to 4: the kernel's tables for the direct map and its image. */
static bool make_kernel(struct guest *g)
{
	uint64_t *direct, *direct_pd[3], *text, *text_pd;
	uint64_t left = g->options.memory >> 21;

	direct = static_table(g, 0x1000);
	text = static_table(g, 0x2000);
	text_pd = static_table(g, 0x3000);
	for (unsigned int i = 0; i < 3; i++)
		direct_pd[i] = static_table(g, 0x4000 + i * PAGE_SIZE);
	if (!direct || !text || !text_pd || !direct_pd[0] || !direct_pd[1] ||
	    !direct_pd[2])
		return false;
	for (unsigned int i = 0; i < 3; i++) {
		direct[i + pt_index(KERNEL_DIRECT, 3)] =
			(0x4000 + i * PAGE_SIZE) | PTE_P | PTE_W | PTE_A;
		for (unsigned int k = 0; k < PT_ENTRIES && left; k++, left--)
			direct_pd[i][k] =
				((uint64_t)(i * PT_ENTRIES + k) << 21) | PTE_P |
				PTE_W | PTE_A | PTE_D | PTE_PS | PTE_NX;
	}
	text[pt_index(KERNEL_TEXT, 3)] = 0x3000 | PTE_P | PTE_W | PTE_A;
	text_pd[pt_index(KERNEL_TEXT, 2)] =
		IMAGE_GPA | PTE_P | PTE_W | PTE_A | PTE_D | PTE_PS;
	g->kernel_tables[0] = 0x1000;
	g->kernel_tables[1] = 0x2000;
	return true;
}

static void tell(struct guest *g, gpa_t gpa)
{
	struct frame *frame = frame_of(g, gpa);
	const struct trace_item item = {
		.kind = TRACE_ITEM_TABLE, .gpa = gpa, .table = frame->table};

	if (frame->known)
		return;
	frame->known = true;
	trace_write_item(g->writer, &item);
}

/* The frame of the leaf table, 0 if there is none; *at: the entry's place. */
static gpa_t walk(struct guest *g, gpa_t root, gva_t gva, bool is_told,
		  gpa_t *at)
{
	gpa_t table = root;

	for (int level = 4;; level--) {
		uint64_t entry;

		if (is_told)
			tell(g, table);
		*at = table + 8 * pt_index(gva, level);
		if (level == 1)
			return table;
		entry = frame_of(g, table)->table[pt_index(gva, level)];
		if (!(entry & PTE_P) || (entry & PTE_PS))
			return 0;
		table = entry & PTE_ADDR;
	}
}

void space_tell(struct guest *g, gva_t gva)
{
	gpa_t at;

	walk(g, now(g)->root, gva, true, &at);
}

static uint64_t *entry_at(struct guest *g, gpa_t at)
{
	return &frame_of(g, at)->table[(at & PAGE_MASK) / 8];
}

uint64_t space_entry(struct guest *g, gva_t gva)
{
	gpa_t at;

	return walk(g, now(g)->root, gva, false, &at) ? *entry_at(g, at) : 0;
}

void space_dirty(struct guest *g, gva_t gva)
{
	gpa_t at;

	if (walk(g, now(g)->root, gva, false, &at))
		*entry_at(g, at) |= PTE_D;
}

void space_forget(struct guest *g)
{
	if (++g->epoch)
		return;
	memset(g->seen, 0, sizeof(g->seen));
	g->epoch = 1;
}

/* --- Tables -------------------------------------------------------------- */

/* A page for user data: no table any more, whatever it was. */
gpa_t space_page(struct guest *g)
{
	gpa_t gpa = frame_alloc(g);
	const struct trace_item end = {.kind = TRACE_ITEM_TABLE_END,
				       .gpa = gpa};

	if (!gpa)
		return 0;
	kernel_clear(g, gpa);
	if (frame_of(g, gpa)->known)
		trace_write_item(g->writer, &end);
	frame_of(g, gpa)->known = false;
	return gpa;
}

static gpa_t new_table(struct guest *g)
{
	gpa_t gpa = frame_alloc(g);

	if (!gpa)
		return 0;
	kernel_clear(g, gpa);
	frame_of(g, gpa)->table = calloc(PT_ENTRIES, sizeof(uint64_t));
	if (!frame_of(g, gpa)->table)
		g->failed = true;
	return g->failed ? 0 : gpa;
}

/* The leaf entry's place, with the tables above it; 0: no frame left. */
static gpa_t make_way(struct guest *g, gpa_t root, gva_t gva)
{
	gpa_t table = root;

	for (int level = 4; level > 1; level--) {
		gpa_t at = table + 8 * pt_index(gva, level);

		if (!(*entry_at(g, at) & PTE_P)) {
			gpa_t fresh = new_table(g);

			if (!fresh)
				return 0;
			kernel_store(g, at, fresh | PTE_TABLE);
		}
		table = *entry_at(g, at) & PTE_ADDR;
	}
	return table + 8 * pt_index(gva, 1);
}

void space_map(struct guest *g, gva_t gva, uint64_t entry)
{
	gpa_t at = make_way(g, now(g)->root, gva);

	if (at)
		kernel_store(g, at, entry);
}

static void release(struct guest *g, uint64_t entry)
{
	gpa_t gpa = entry & PTE_ADDR;

	if ((entry & PTE_P) && gpa != g->zero_page)
		frame_free(g, gpa);
}

void space_unmap(struct guest *g, gva_t gva)
{
	uint64_t entry = space_entry(g, gva);
	gpa_t at;

	if (!(entry & PTE_P) || !walk(g, now(g)->root, gva, false, &at))
		return;
	kernel_run(g, OFFSET_FORK, 20);
	kernel_store(g, at, 0);
	kernel_invlpg(g, gva);
	release(g, entry);
	space_forget(g);
}

static void fill_around(struct guest *g, gva_t gva)
{
	uint64_t around = g->options.fault_around;
	gva_t first = gva & ~(around * PAGE_SIZE - 1);

	for (uint64_t i = 0; i < around && !g->failed; i++) {
		gva_t page = first + i * PAGE_SIZE;
		gpa_t gpa;

		if (space_entry(g, page) & PTE_P)
			continue;
		/* Pages beside the fault only within its table. */
		if (page != gva && (page ^ gva) >> 21)
			continue;
		gpa = frame_alloc(g); /* of the page cache: filled already */
		if (gpa && frame_of(g, gpa)->known) {
			frame_free(g, gpa);
			gpa = space_page(g);
		}
		if (gpa)
			space_map(g, page, gpa | PTE_RO);
	}
}

/* A page that may only be read gets a copy, or is the last one's own. */
static void copy_on_write(struct guest *g, gva_t gva, uint64_t entry)
{
	gpa_t old = entry & PTE_ADDR, page = old;

	if (old == g->zero_page || frame_of(g, old)->users > 1) {
		page = space_page(g);
		if (!page)
			return;
		if (old != g->zero_page)
			kernel_copy(g, old, page);
		release(g, entry);
	}
	space_map(g, gva, page | PTE_RW);
	kernel_invlpg(g, gva);
}

void space_fill(struct guest *g, gva_t gva, uint32_t error)
{
	gva_t page = gva & ~PAGE_MASK;
	uint64_t entry = space_entry(g, page);
	gpa_t gpa;

	if (entry & PTE_P) {
		if (error & PFEC_W)
			copy_on_write(g, page, entry);
		else /* not to be met: all that is mapped can be read */
			kernel_invlpg(g, page);
	} else if (error & PFEC_W) {
		gpa = space_page(g);
		if (gpa)
			space_map(g, page, gpa | PTE_RW);
	} else if ((error & PFEC_ID) || g->options.fault_around > 1) {
		fill_around(g, page);
	} else {
		space_map(g, page, g->zero_page | PTE_RO);
	}
	space_forget(g);
}

/* --- Processes ----------------------------------------------------------- */

static uint32_t find(const struct guest *g, uint32_t pid)
{
	uint32_t i = 0;

	while (i < g->nr_spaces &&
	       (!g->space[i].used || g->space[i].pid != pid))
		i++;
	return i;
}

static uint32_t new_space(struct guest *g, uint32_t pid)
{
	struct space *grown;
	uint32_t i = 0;
	gpa_t root;

	while (i < g->nr_spaces && g->space[i].used)
		i++;
	if (i == g->nr_spaces) {
		grown = realloc(g->space, (i + 1) * sizeof(*grown));
		if (!grown) {
			g->failed = true;
			return 0;
		}
		g->space = grown;
		g->nr_spaces++;
		g->space[i] = (struct space){0};
	}
	root = new_table(g);
	if (!root)
		return 0;
	g->space[i] = (struct space){.pid = pid, .used = true, .root = root};
	kernel_store(g, root + 8 * pt_index(KERNEL_DIRECT, 4),
		     g->kernel_tables[0] | PTE_P | PTE_W | PTE_A);
	kernel_store(g, root + 8 * pt_index(KERNEL_TEXT, 4),
		     g->kernel_tables[1] | PTE_P | PTE_W | PTE_A);
	g->stats.processes++;
	return i;
}

static void run(struct guest *g, uint32_t space)
{
	g->current = space;
	tell(g, now(g)->root);
	kernel_load_cr3(g, now(g)->root);
	space_forget(g);
}

/* Process 0 is the kernel's first; its tables are made by the loader. */
int space_init(struct guest *g, struct diag *diag)
{
	uint64_t *root;

	g->space = calloc(1, sizeof(*g->space));
	root = static_table(g, 0x7000);
	if (!g->space || !root || !make_kernel(g))
		return diag_set(diag, -ENOMEM, "no memory for the model guest");
	root[pt_index(KERNEL_DIRECT, 4)] =
		g->kernel_tables[0] | PTE_P | PTE_W | PTE_A;
	root[pt_index(KERNEL_TEXT, 4)] =
		g->kernel_tables[1] | PTE_P | PTE_W | PTE_A;
	g->nr_spaces = 1;
	g->space[0] = (struct space){.pid = 0, .used = true, .root = 0x7000};
	g->zero_page = 0x8000;
	space_tell(g, KERNEL_TEXT);
	space_tell(g, KERNEL_DIRECT);
	for (unsigned int i = 0; i < 3; i++)
		tell(g, 0x4000 + i * PAGE_SIZE);
	return 0;
}

int guest_switch(struct guest *g, uint32_t pid, struct diag *diag)
{
	uint32_t space = find(g, pid);

	if (space == g->current)
		return 0;
	if (space == g->nr_spaces)
		space = new_space(g, pid);
	if (g->failed)
		return frame_error(g, diag);
	g->stats.switches++;
	run(g, space);
	return 0;
}

/* One table of the parent's: protect what can be written, and share it. */
static void fork_table(struct guest *g, gpa_t table, gva_t base, gpa_t child)
{
	for (unsigned int i = 0; i < PT_ENTRIES && !g->failed; i++) {
		uint64_t entry = frame_of(g, table)->table[i];
		gva_t gva = base + ((uint64_t)i << PAGE_SHIFT);
		gpa_t at;

		if (!(entry & PTE_P))
			continue;
		if (entry & PTE_W) {
			entry &= ~PTE_W;
			kernel_store(g, table + 8 * i, entry);
		}
		if ((entry & PTE_ADDR) != g->zero_page)
			frame_of(g, entry & PTE_ADDR)->users++;
		at = make_way(g, child, gva);
		if (at)
			kernel_store(g, at, entry & ~PTE_D);
	}
}

/* Calls `visit` for each leaf table of user space. */
static void
for_tables(struct guest *g, gpa_t table, int level, gva_t base, gpa_t other,
	   void (*visit)(struct guest *g, gpa_t table, gva_t base, gpa_t other))
{
	unsigned int nr = level == 4 ? PT_ENTRIES / 2 : PT_ENTRIES;

	for (unsigned int i = 0; i < nr && !g->failed; i++) {
		uint64_t entry = frame_of(g, table)->table[i];
		gva_t gva = base + ((uint64_t)i << pt_shift(level));

		if (!(entry & PTE_P))
			continue;
		if (level == 2)
			visit(g, entry & PTE_ADDR, gva, other);
		else
			for_tables(g, entry & PTE_ADDR, level - 1, gva, other,
				   visit);
	}
}

int guest_fork(struct guest *g, uint32_t pid, struct diag *diag)
{
	uint32_t child;

	if (find(g, pid) < g->nr_spaces)
		return 0;
	child = new_space(g, pid);
	if (g->failed)
		return frame_error(g, diag);
	g->stats.forks++;
	kernel_run(g, OFFSET_FORK + 0x200, 200);
	for_tables(g, now(g)->root, 4, 0, g->space[child].root, fork_table);
	/* The parent's TLB may still let it write. */
	kernel_load_cr3(g, now(g)->root);
	space_forget(g);
	return frame_error(g, diag);
}

static void clear_table(struct guest *g, gpa_t table, gva_t base, gpa_t other)
{
	(void)base;
	(void)other;
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		uint64_t entry = frame_of(g, table)->table[i];

		if (!(entry & PTE_P))
			continue;
		kernel_store(g, table + 8 * i, 0);
		release(g, entry);
	}
}

/* Tables go after what they hold, from the leaves up. */
static void free_tables(struct guest *g, gpa_t table, int level)
{
	unsigned int nr = level == 4 ? PT_ENTRIES / 2 : PT_ENTRIES;

	for (unsigned int i = 0; level > 1 && i < nr; i++) {
		uint64_t entry = frame_of(g, table)->table[i];

		if (!(entry & PTE_P))
			continue;
		kernel_store(g, table + 8 * i, 0);
		free_tables(g, entry & PTE_ADDR, level - 1);
	}
	frame_free(g, table);
}

int guest_exit(struct guest *g, uint32_t pid, struct diag *diag)
{
	uint32_t space = find(g, pid);

	if (!space || space == g->nr_spaces)
		return 0;
	if (space == g->current)
		run(g, 0);
	kernel_run(g, OFFSET_FORK + 0x800, 200);
	for_tables(g, g->space[space].root, 4, 0, 0, clear_table);
	free_tables(g, g->space[space].root, 4);
	g->space[space].used = false;
	space_forget(g);
	return frame_error(g, diag);
}
