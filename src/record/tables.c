/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames that serve as page tables.  A frame is told when it is walked for the
 * first time, before anybody else has walked it (a hypervisor sets A and D in
 * guest tables); from then on its writes are told.
 */
#include <errno.h>
#include <stdlib.h>

#include "arch/cr.h"
#include "record/internal.h"

/* Writes of user code without a walk, after which it is no table. */
#define USER_WRITES_MAX 64

int tables_init(struct recorder *r)
{
	r->table = calloc(r->mem->ram_size >> PAGE_SHIFT, 1);
	return r->table ? 0 : -ENOMEM;
}

static void tell_new(struct recorder *r, gpa_t gpa)
{
	uint64_t copy[PT_ENTRIES];
	struct trace_item item = {
		.kind = TRACE_ITEM_TABLE, .gpa = gpa, .table = copy};

	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		copy[i] = mem_read_u64(r->mem, gpa + 8 * i);
	trace_write_item(r->writer, &item);
}

void tables_tell(struct recorder *r, gpa_t gpa)
{
	if (!mem_is_ram(r->mem, gpa, PAGE_SIZE))
		return;
	if (!r->table[gpa >> PAGE_SHIFT])
		tell_new(r, gpa);
	r->table[gpa >> PAGE_SHIFT] = 1;
}

static uint64_t read_entry(const struct recorder *r, enum paging_mode mode,
			   gpa_t table, unsigned int index)
{
	gpa_t at = table + (gpa_t)paging_entry_size(mode) * index;

	return mode == PAGING_32 ? mem_read_u32(r->mem, at)
				 : mem_read_u64(r->mem, at);
}

/* A large page, or what a processor may take for one. */
static bool may_be_leaf(const struct guest_view *view, uint64_t entry,
			int level)
{
	if (level > 3 || !(entry & PTE_PS))
		return false;
	return view->guest != PAGING_32 || (view->cr4 & CR4_PSE);
}

static void walk_from(struct recorder *r, gpa_t table, int level, gva_t gva)
{
	const struct guest_view *view = r->next->view;

	for (;; level--) {
		uint64_t entry;

		table &= PTE_ADDR;
		tables_tell(r, table);
		if (level == 1 || !mem_is_ram(r->mem, table, PAGE_SIZE))
			return;
		entry = read_entry(r, view->guest, table,
				   paging_index(view->guest, gva, level));
		if (!(entry & PTE_P) || may_be_leaf(view, entry, level))
			return;
		table = entry;
	}
}

void tables_walk(struct recorder *r, gva_t gva)
{
	const struct guest_view *view = r->next->view;
	uint64_t pdpte;

	switch (view->guest) {
	case PAGING_OFF:
	case NR_PAGING_MODES:
		return;
	case PAGING_32:
		walk_from(r, (uint32_t)view->cr3, 2, gva);
		return;
	case PAGING_4LEVEL:
	case PAGING_5LEVEL:
		walk_from(r, view->cr3, paging_levels(view->guest), gva);
		return;
	case PAGING_PAE:
		pdpte = r->pdpte[gva >> 30 & 3];
		if (pdpte & PTE_P)
			walk_from(r, pdpte, 2, gva);
		return;
	}
}

static void tell_pae(struct recorder *r, uint64_t cr3)
{
	gpa_t at = cr3 & BITS(31, 5);

	if (!mem_is_ram(r->mem, at, 32))
		return;
	tables_tell(r, at & ~PAGE_MASK);
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t pdpte = mem_read_u64(r->mem, at + 8 * i);

		if (pdpte & PTE_P)
			tables_tell(r, pdpte & PTE_ADDR);
	}
}

/* Registers as they would be with the write done. */
void tables_roots(struct recorder *r, const struct guest_event *ev)
{
	const struct guest_view *view = r->next->view;
	uint64_t cr0 = view->cr0, cr3 = view->cr3, cr4 = view->cr4;

	if (ev->kind == GE_CR_WRITE && ev->cr == 0)
		cr0 = ev->value;
	if ((ev->kind == GE_CR_WRITE && ev->cr == 3) ||
	    ev->kind == GE_TASK_SWITCH)
		cr3 = ev->value;
	if (ev->kind == GE_CR_WRITE && ev->cr == 4)
		cr4 = ev->value;
	if (!(cr0 & CR0_PG))
		return;
	if (!(cr4 & CR4_PAE))
		tables_tell(r, (uint32_t)cr3 & PTE_ADDR);
	else if (view->efer & EFER_LME)
		tables_tell(r, cr3 & PTE_ADDR);
	else
		tell_pae(r, cr3);
}

void tables_loaded(struct recorder *r)
{
	const struct guest_view *view = r->next->view;
	gpa_t at = view->cr3 & BITS(31, 5);

	if (view->guest != PAGING_PAE || !mem_is_ram(r->mem, at, 32))
		return;
	for (unsigned int i = 0; i < 4; i++)
		r->pdpte[i] = mem_read_u64(r->mem, at + 8 * i);
}

void tables_end(struct recorder *r, gpa_t gpa)
{
	list_item(r, TRACE_ITEM_TABLE_END)->gpa = gpa & ~PAGE_MASK;
	r->table[gpa >> PAGE_SHIFT] = 0;
}

void tables_user_write(struct recorder *r, gpa_t gpa)
{
	if (r->table[gpa >> PAGE_SHIFT]++ == USER_WRITES_MAX)
		tables_end(r, gpa);
}
