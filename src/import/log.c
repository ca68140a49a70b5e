/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Faults that a real kernel saw: the space is made such that they happen. */
#include "import/internal.h"

/* Not present, but the fault says that it was; or the other way round. */
static bool has_to_change(uint64_t entry, uint32_t error)
{
	if (!(error & PFEC_P))
		return entry & PTE_P;
	return !(entry & PTE_P) || (entry & PTE_W);
}

static void change(struct guest *g, gva_t page, uint32_t error)
{
	uint64_t entry = space_entry(g, page);

	if (!(error & PFEC_P)) {
		space_unmap(g, page, page, false);
	} else if (!(entry & PTE_P)) {
		fill_quietly(g, page);
	} else {
		space_map(g, page, entry & ~PTE_W);
		kernel_invlpg(g, page);
		smp_shoot_down(g, &page, 1);
		space_forget_page(g, page);
	}
}

/*
 * Where the user's instruction is.  If it lies in the page that faults, or
 * nobody knows, one in the next page has to do.
 */
static gva_t code_of(gva_t page, gva_t rip)
{
	if (rip < GUEST_USER_END && (rip & ~PAGE_MASK) != page)
		return rip;
	return page ^ PAGE_SIZE;
}

/* In a system call of its own, whatever the kernel had to do that for. */
static void prepare(struct guest *g, gva_t page, gva_t code, uint32_t error)
{
	bool changes = has_to_change(space_entry(g, page), error);
	bool lacks_code = (error & PFEC_U) && !(error & PFEC_ID) &&
			  !(space_entry(g, code) & PTE_P);

	if (!changes && !lacks_code)
		return;
	kernel_enter(g);
	kernel_run(g, OFFSET_TASK + 0x2000, 100);
	if (lacks_code)
		fill_quietly(g, code & ~PAGE_MASK);
	if (changes)
		change(g, page, error);
	kernel_leave(g);
}

static struct guest_ref data_of(gva_t gva, uint32_t error)
{
	return (struct guest_ref){gva, 1,
				  error & PFEC_W ? TRACE_WRITE : TRACE_READ};
}

static void run_user(struct guest *g, gva_t gva, uint32_t error, gva_t code)
{
	bool fetch = error & PFEC_ID;
	const struct guest_ref refs[] = {
		{fetch ? gva : code, 1, TRACE_FETCH},
		data_of(gva, error),
	};

	user_run(g, refs, fetch ? 1 : 2, false);
}

/* A system call reaches user memory. */
static void run_kernel(struct guest *g, gva_t gva, uint32_t error)
{
	const struct guest_ref refs[] = {
		{KERNEL_TEXT + OFFSET_COPY + 0x200, 4, TRACE_FETCH},
		data_of(gva, error),
	};

	kernel_enter(g);
	user_run(g, refs, 2, true);
	kernel_leave(g);
}

/* Protection of what can be read; keys, reserved bits; what cannot be. */
static bool is_other(uint32_t error)
{
	const uint32_t known = PFEC_P | PFEC_W | PFEC_U | PFEC_ID;
	bool write = error & PFEC_W, fetch = error & PFEC_ID;

	return (error & ~known) || ((error & PFEC_P) && !write) ||
	       (fetch && (write || !(error & PFEC_U)));
}

int guest_fault(struct guest *g, gva_t gva, uint32_t error, gva_t rip,
		struct diag *diag)
{
	gva_t page = gva & ~PAGE_MASK, code = code_of(page, rip);

	BUG_ON(!g->current);
	if (gva >= GUEST_USER_END) {
		g->stats.left_out_kernel++;
		return guest_error(g, diag);
	}
	if (is_other(error)) {
		g->stats.left_out_rights++;
		return guest_error(g, diag);
	}
	prepare(g, page, code, error);
	if (error & PFEC_U)
		run_user(g, gva, error, code);
	else
		run_kernel(g, gva, error);
	return guest_error(g, diag);
}
