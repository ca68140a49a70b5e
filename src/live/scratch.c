/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One root serves PAE and 4 levels: entry 0 of the page is a PML4 entry, the
 * four entries from PAE_ROOT on are a PAE page-directory-pointer table.  With 5
 * levels a page above leads to it.
 */
#include <errno.h>
#include <sys/mman.h>

#include "live/scratch.h"

enum {
	PAGE_ROOT,
	PAGE_PDPT,
	PAGE_PD,
	PAGE_PT,
	PAGE_CODE,
	PAGE_ROOT5,
	NR_SCRATCH_PAGES
};

#define PAE_ROOT UINT64_C(0x800)

static hpa_t page_hpa(unsigned int page)
{
	return SCRATCH_BASE + page * PAGE_SIZE;
}

static uint64_t *table(const struct scratch *scratch, unsigned int page)
{
	return (uint64_t *)(void *)(scratch->pages + page * PAGE_SIZE);
}

static void set_pte(const struct scratch *scratch, gva_t va, uint64_t pte)
{
	table(scratch, PAGE_PT)[pt_index(va, 1)] = pte;
}

static void fill_tables(const struct scratch *scratch)
{
	const uint64_t link = PTE_P | PTE_W | PTE_U | PTE_A;

	table(scratch, PAGE_ROOT5)[0] = page_hpa(PAGE_ROOT) | link;
	table(scratch, PAGE_ROOT)[0] = page_hpa(PAGE_PDPT) | link;
	table(scratch, PAGE_ROOT)[PAE_ROOT / 8] = page_hpa(PAGE_PD) | PTE_P;
	table(scratch, PAGE_PDPT)[0] = page_hpa(PAGE_PD) | link;
	table(scratch, PAGE_PD)[0] = page_hpa(PAGE_PT) | link;
	set_pte(scratch, SCRATCH_CODE,
		page_hpa(PAGE_CODE) | PTE_P | PTE_U | PTE_A);
	set_pte(scratch, SCRATCH_READONLY, page_hpa(PAGE_CODE) | PTE_P | PTE_A);
}

int scratch_create(uc_engine *uc, struct scratch *ret, struct diag *diag)
{
	const size_t size = NR_SCRATCH_PAGES * PAGE_SIZE;
	struct scratch scratch = {.uc = uc};
	uc_err err;

	scratch.pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (scratch.pages == MAP_FAILED)
		return diag_set(diag, -ENOMEM, "out of memory");

	err = uc_mem_map_ptr(uc, SCRATCH_BASE, size, UC_PROT_ALL,
			     scratch.pages);
	if (err) {
		munmap(scratch.pages, size);
		return diag_set(diag, -ENOMEM, "Unicorn: mapping memory: %s",
				uc_strerror(err));
	}
	fill_tables(&scratch);
	*ret = scratch;
	return 0;
}

void scratch_destroy(struct scratch *scratch)
{
	if (scratch->pages)
		munmap(scratch->pages, NR_SCRATCH_PAGES * PAGE_SIZE);
	scratch->pages = NULL;
}

hpa_t scratch_root(enum paging_mode mode)
{
	if (mode == PAGING_5LEVEL)
		return page_hpa(PAGE_ROOT5);
	return page_hpa(PAGE_ROOT) + (mode == PAGING_4LEVEL ? 0 : PAE_ROOT);
}

uint8_t *scratch_code(const struct scratch *scratch)
{
	return scratch->pages + PAGE_CODE * PAGE_SIZE;
}

void scratch_drop_frame(const struct scratch *scratch, gfn_t gfn)
{
	set_pte(scratch, SCRATCH_WINDOW,
		gfn << PAGE_SHIFT | PTE_P | PTE_U | PTE_A);
	/* Fails only for a range that is empty. */
	uc_ctl_remove_cache(scratch->uc, SCRATCH_WINDOW,
			    SCRATCH_WINDOW + PAGE_SIZE);
	set_pte(scratch, SCRATCH_WINDOW, 0);
}
