/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/guest.h"

#include <errno.h>
#include <stdlib.h>

#include "arch/cr.h"
#include "import/internal.h"

#define MEMORY_MIN (UINT64_C(32) << 20)
#define MEMORY_MAX (UINT64_C(3) << 30)

void guest_trace_info(const struct guest_options *options,
		      struct trace_info *info)
{
	info->memory = options->memory;
	info->cr0 = CR0_PG | CR0_WP | CR0_PE | CR0_ET;
	info->cr3 = 0x7000; /* space.c */
	info->cr4 = CR4_PAE;
	info->efer = EFER_LMA | EFER_LME | EFER_NXE | EFER_SCE;
}

static int check_options(const struct guest_options *options, struct diag *diag)
{
	uint32_t around = options->fault_around;

	if (options->memory < MEMORY_MIN || options->memory > MEMORY_MAX ||
	    options->memory & ((UINT64_C(2) << 20) - 1))
		return diag_set(diag, -EINVAL,
				"memory of the model guest: want 32 MiB to "
				"3 GiB, a multiple of 2 MiB");
	if (!around || around > 64 || around & (around - 1))
		return diag_set(diag, -EINVAL,
				"fault-around: want 1, 2, 4... up to 64 pages");
	return 0;
}

int guest_create(const struct guest_options *options,
		 struct trace_writer *writer, struct guest **ret,
		 struct diag *diag)
{
	struct guest *g;
	int err = check_options(options, diag);

	if (err)
		return err;
	g = calloc(1, sizeof(*g));
	if (!g)
		return diag_set(diag, -ENOMEM, "no memory for the model guest");
	g->options = *options;
	g->writer = writer;
	g->epoch = 1;
	err = frames_init(g, diag);
	if (!err)
		err = space_init(g, diag);
	if (err) {
		guest_destroy(g);
		return err;
	}
	kernel_run(g, OFFSET_SCHED + 0x600, 10);
	kernel_out(g, 0x80, 0x10);
	*ret = g;
	return 0;
}

void guest_destroy(struct guest *guest)
{
	if (!guest)
		return;
	frames_finish(guest);
	free(guest->space);
	free(guest);
}

const struct guest_stats *guest_stats(const struct guest *guest)
{
	return &guest->stats;
}

void guest_end(struct guest *g)
{
	kernel_out(g, 0x80, 0x11);
	kernel_out(g, 0xf4, 0);
}

/* --- User code ----------------------------------------------------------- */

static struct page_seen *slot_of(struct guest *g, gva_t gva)
{
	uint64_t page = gva >> PAGE_SHIFT;

	return &g->seen[(page ^ page >> PAGES_BITS) & (BIT(PAGES_BITS) - 1)];
}

/* Error code 0 is one, too. */
#define FAULTS BIT(31)

/* 0: the page is there; else FAULTS and what the processor raises. */
static uint32_t fault_of(struct guest *g, gva_t gva, uint32_t access)
{
	struct page_seen *seen = slot_of(g, gva);
	bool write = access & PFEC_W;
	uint64_t entry;

	if (seen->epoch == g->epoch && seen->page == (gva & ~PAGE_MASK) &&
	    (!write || seen->write))
		return 0;
	space_tell(g, gva);
	entry = space_entry(g, gva);
	if (!(entry & PTE_P))
		return FAULTS | access;
	if (write && !(entry & PTE_W))
		return FAULTS | access | PFEC_P;
	if (write)
		space_dirty(g, gva);
	*seen = (struct page_seen){
		.page = gva & ~PAGE_MASK,
		.epoch = g->epoch,
		.write = write || ((entry & PTE_W) && (entry & PTE_D))};
	return 0;
}

struct part {
	gva_t gva;
	uint32_t error;
};

/* The first page of [gva, gva + size) that faults. */
static bool find_fault(struct guest *g, gva_t gva, uint32_t size,
		       uint32_t access, struct part *ret)
{
	gva_t last = gva + size - 1;

	ret->gva = gva;
	ret->error = fault_of(g, gva, access);
	if (!ret->error && ((gva ^ last) & ~PAGE_MASK)) {
		ret->gva = last & ~PAGE_MASK;
		ret->error = fault_of(g, ret->gva, access);
	}
	return ret->error;
}

/* From gva up to the part that faults, that one included. */
static void emit_until(struct guest *g, enum trace_kind kind, gva_t gva,
		       const struct part *fault, bool user)
{
	emit_ref(g, kind, gva, (uint32_t)(fault->gva - gva) + 1, user,
		 kind != TRACE_FETCH);
}

static void take_fault(struct guest *g, const struct part *fault,
		       const struct guest_insn *insn)
{
	uint32_t error = fault->error & ~(uint32_t)FAULTS;

	kernel_deliver(g, fault->gva, error, insn->pc, !insn->kernel);
	space_fill(g, fault->gva, error);
	kernel_return(g, fault->gva, insn->pc, insn->kernel ? 0 : 3);
}

static enum trace_kind kind_of(const struct guest_insn *insn, unsigned int i)
{
	return insn->data[i].write ? TRACE_WRITE : TRACE_READ;
}

/* One attempt.  False: it has faulted and the fault has been handled. */
static bool attempt(struct guest *g, const struct guest_insn *insn)
{
	bool user = !insn->kernel;
	uint32_t mode = user ? PFEC_U : 0;
	struct part fault;
	unsigned int i = 0;

	if (user &&
	    find_fault(g, insn->pc, insn->length, mode | PFEC_ID, &fault)) {
		emit_until(g, TRACE_FETCH, insn->pc, &fault, user);
		take_fault(g, &fault, insn);
		return false;
	}
	while (i < insn->nr &&
	       !find_fault(g, insn->data[i].gva, insn->data[i].size,
			   mode | (insn->data[i].write ? (uint32_t)PFEC_W : 0),
			   &fault))
		i++;
	emit_ref(g, TRACE_FETCH, insn->pc, insn->length, user, i == insn->nr);
	for (unsigned int k = 0; k < i; k++)
		emit_ref(g, kind_of(insn, k), insn->data[k].gva,
			 insn->data[k].size, user, 1);
	if (i == insn->nr)
		return true;
	emit_until(g, kind_of(insn, i), insn->data[i].gva, &fault, user);
	take_fault(g, &fault, insn);
	return false;
}

int guest_execute(struct guest *g, const struct guest_insn *insn,
		  struct diag *diag)
{
	/* Each page of each reference may fault twice: read, then copy. */
	while (!g->failed && !attempt(g, insn))
		;
	return frame_error(g, diag);
}

/* --- Faults of a log ----------------------------------------------------- */

static bool is_user_half(gva_t gva)
{
	return gva < BIT(47);
}

/* A page of a file, as far as anybody can tell. */
static void map_quietly(struct guest *g, gva_t page)
{
	gpa_t gpa;

	if (space_entry(g, page) & PTE_P)
		return;
	gpa = space_page(g);
	if (gpa)
		space_map(g, page, gpa | PTE_RO);
}

/* Make the space such that this fault is what happens. */
static void prepare(struct guest *g, gva_t page, uint32_t error)
{
	uint64_t entry = space_entry(g, page);

	if (!(error & PFEC_P)) {
		space_unmap(g, page);
	} else if (!(entry & PTE_P)) {
		map_quietly(g, page);
	} else if (entry & PTE_W) {
		space_map(g, page, entry & ~(PTE_W | PTE_D));
		kernel_invlpg(g, page);
	}
	space_forget(g);
}

/* Which instruction makes the access. */
static void find_insn(struct guest *g, gva_t gva, uint32_t error, gva_t rip,
		      struct guest_insn *ret)
{
	*ret = (struct guest_insn){.pc = rip, .length = 1, .nr = 1};
	ret->data[0].gva = gva;
	ret->data[0].size = 1;
	ret->data[0].write = error & PFEC_W;
	if (error & PFEC_ID) {
		ret->pc = gva;
		ret->nr = 0;
	} else if (!(error & PFEC_U)) {
		ret->kernel = true;
		ret->pc = KERNEL_TEXT + OFFSET_COPY + 0x200;
		kernel_run(g, OFFSET_ENTRY + 0x400, 30);
	} else if (!is_user_half(rip) || (rip ^ gva) <= PAGE_MASK) {
		ret->pc = (gva & ~PAGE_MASK) ^ PAGE_SIZE;
	}
	/* Code that the log does not show was there before. */
	if (!ret->kernel && ret->nr)
		map_quietly(g, ret->pc & ~PAGE_MASK);
}

int guest_fault(struct guest *g, gva_t gva, uint32_t error, gva_t rip,
		struct diag *diag)
{
	const uint32_t known = PFEC_P | PFEC_W | PFEC_U | PFEC_ID;
	struct guest_insn insn;
	int err;

	/* Other faults are no paging of the model's: protection, keys. */
	if (!is_user_half(gva) || (error & ~known) ||
	    ((error & PFEC_P) && !(error & PFEC_W))) {
		g->stats.left_out++;
		return 0;
	}
	find_insn(g, gva, error, rip, &insn);
	prepare(g, gva & ~PAGE_MASK, error);
	err = frame_error(g, diag);
	if (!err)
		err = guest_execute(g, &insn, diag);
	if (insn.kernel)
		kernel_return(g, 0, 0, -1);
	return err;
}
