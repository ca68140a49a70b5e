/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/guest.h"

#include <errno.h>
#include <stdlib.h>

#include "arch/cr.h"
#include "import/internal.h"

#define MEMORY_MIN (UINT64_C(32) << 20)
#define MEMORY_MAX (UINT64_C(3) << 30)

/* The port that ends a run, as in guests/mini. */
#define PORT_END 0xf4

void guest_trace_info(const struct guest_options *options,
		      struct trace_info *info)
{
	info->granularity = options->granularity;
	info->memory = options->memory;
	info->cr0 = CR0_PG | CR0_WP | CR0_PE | CR0_ET;
	info->cr3 = FIRST_ROOT;
	info->cr4 = CR4_PAE;
	info->efer = EFER_LMA | EFER_LME | EFER_NXE | EFER_SCE;
}

static int check_options(const struct guest_options *options, struct diag *diag)
{
	uint32_t around = options->fault_around;

	if (options->memory < MEMORY_MIN || options->memory > MEMORY_MAX ||
	    options->memory & (BIT(21) - 1))
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
	err = frames_init(g, diag);
	if (!err)
		err = tasks_init(g, diag);
	if (!err)
		err = space_init(g, diag);
	if (err) {
		guest_destroy(g);
		return err;
	}
	kernel_begin(g);
	kernel_out(g, GUEST_MARKER_PORT, GUEST_REGION_BEGINS);
	*ret = g;
	return 0;
}

void guest_destroy(struct guest *guest)
{
	if (!guest)
		return;
	frames_finish(guest);
	free(guest->space);
	free(guest->task);
	free(guest);
}

int guest_error(struct guest *g, struct diag *diag)
{
	if (unlikely(g->err))
		*diag = g->diag;
	return g->err;
}

int guest_end(struct guest *g, struct diag *diag)
{
	kernel_enter(g);
	kernel_out(g, GUEST_MARKER_PORT, GUEST_REGION_ENDS);
	kernel_out(g, PORT_END, 0);
	emit_flush(g);
	return guest_error(g, diag);
}

const struct guest_stats *guest_stats(const struct guest *guest)
{
	return &guest->stats;
}

/* --- User code ----------------------------------------------------------- */

/* Error code 0 is one, too. */
#define FAULTS BIT(31)

/*
 * The processor's walk: 0, or FAULTS and the error code.  All but the hit. What
 * is writable is dirty from the start, and A nobody reads: neither is kept.
 */
static cold_path uint32_t look(struct guest *g, gva_t gva, uint32_t access)
{
	gpa_t at = space_walk(g, gva, true);
	uint64_t entry = at ? *space_at(g, at) : 0;

	if (!(entry & PTE_P))
		return FAULTS | access;
	if ((access & PFEC_W) && !(entry & PTE_W))
		return FAULTS | access | PFEC_P;
	*seen_slot(g, gva) =
		seen_tag(g, gva) | (entry & PTE_W ? (uint64_t)SEEN_WRITE : 0);
	return 0;
}

static inline bool is_seen(struct guest *g, gva_t gva, bool write)
{
	uint64_t seen = *seen_slot(g, gva) | (write ? 0 : SEEN_WRITE);

	return seen == (seen_tag(g, gva) | SEEN_WRITE);
}

struct fault {
	gva_t gva;
	uint32_t error;
};

/* The first page of [gva, gva + size) that faults. */
static bool find_fault(struct guest *g, gva_t gva, uint32_t size,
		       uint32_t access, struct fault *ret)
{
	gva_t last = gva + size - 1, page = last & ~PAGE_MASK;
	bool write = access & PFEC_W;

	ret->gva = gva;
	ret->error = is_seen(g, gva, write) ? 0 : look(g, gva, access);
	if (likely(!ret->error && page <= gva))
		return false;
	if (!ret->error) {
		ret->gva = page;
		ret->error =
			is_seen(g, page, write) ? 0 : look(g, page, access);
	}
	return ret->error;
}

/* The part of [gva, gva + size) up to the end of the page that faults. */
static uint32_t size_until(gva_t gva, uint32_t size, const struct fault *fault)
{
	uint32_t room = (uint32_t)(PAGE_SIZE - (gva & PAGE_MASK));

	return fault->gva == gva && size > room ? room : size;
}

static void take_fault(struct guest *g, const struct fault *fault,
		       const struct guest_insn *insn, bool kernel)
{
	uint32_t error = fault->error & ~(uint32_t)FAULTS;

	kernel_fault(g, fault->gva, error, insn->pc, !kernel);
	fill(g, fault->gva, error);
	kernel_resume(g, fault->gva, insn->pc, !kernel);
}

static enum trace_kind kind_of(const struct guest_insn *insn, uint32_t i)
{
	return insn->data[i].write ? TRACE_WRITE : TRACE_READ;
}

static void emit_data(struct guest *g, const struct guest_insn *insn,
		      uint32_t i, uint32_t size, bool kernel)
{
	emit_parts(g, kind_of(insn, i), insn->data[i].gva, size, !kernel, 1);
}

/* Which of the data faults first; insn->nr: none. */
static uint32_t find_data_fault(struct guest *g, const struct guest_insn *insn,
				bool kernel, struct fault *ret)
{
	uint32_t user = kernel ? 0 : PFEC_U, i;

	for (i = 0; i < insn->nr; i++)
		if (find_fault(g, insn->data[i].gva, insn->data[i].size,
			       user | (insn->data[i].write ? PFEC_W : 0), ret))
			break;
	return i;
}

/* One attempt.  False: it has faulted and the fault has been handled. */
static bool attempt(struct guest *g, const struct guest_insn *insn, bool kernel)
{
	struct fault fault;
	uint32_t i;

	if (!kernel &&
	    find_fault(g, insn->pc, insn->length, PFEC_U | PFEC_ID, &fault)) {
		emit_parts(g, TRACE_FETCH, insn->pc,
			   size_until(insn->pc, insn->length, &fault), true, 0);
		take_fault(g, &fault, insn, kernel);
		return false;
	}
	i = find_data_fault(g, insn, kernel, &fault);
	emit_parts(g, TRACE_FETCH, insn->pc, insn->length, !kernel,
		   i == insn->nr);
	for (uint32_t k = 0; k < i; k++)
		emit_data(g, insn, k, insn->data[k].size, kernel);
	if (i == insn->nr)
		return true;
	emit_data(g, insn, i,
		  size_until(insn->data[i].gva, insn->data[i].size, &fault),
		  kernel);
	take_fault(g, &fault, insn, kernel);
	return false;
}

/* Each page of each reference may fault twice: read, then copy. */
void guest_run(struct guest *g, const struct guest_insn *insn, bool kernel)
{
	while (!g->err && !attempt(g, insn, kernel))
		;
}

static inline bool is_hit(struct guest *g, gva_t gva, uint32_t size, bool write)
{
	return (gva & PAGE_MASK) + size <= PAGE_SIZE && is_seen(g, gva, write);
}

static bool all_hit(struct guest *g, const struct guest_insn *insn)
{
	if (!is_hit(g, insn->pc, insn->length, false))
		return false;
	for (uint32_t i = 0; i < insn->nr; i++)
		if (!is_hit(g, insn->data[i].gva, insn->data[i].size,
			    insn->data[i].write))
			return false;
	return true;
}

static struct trace_ref user_ref(enum trace_kind kind, gva_t gva, uint32_t size)
{
	return (struct trace_ref){
		.gva = gva,
		.count = 1,
		.kind = (uint8_t)kind,
		.size = (uint8_t)(size < 255 ? size : 255),
		.user = true,
	};
}

/* What attempt() makes of an instruction that hits. */
static void emit_hit(struct guest *g, const struct guest_insn *insn)
{
	struct trace_ref *ref;

	if (unlikely(g->nr_refs + 1 + insn->nr > REFS_MAX))
		emit_flush(g);
	ref = &g->refs[g->nr_refs];
	*ref++ = user_ref(TRACE_FETCH, insn->pc, insn->length);
	for (uint32_t i = 0; i < insn->nr; i++)
		*ref++ = user_ref(kind_of(insn, i), insn->data[i].gva,
				  insn->data[i].size);
	g->nr_refs += 1 + insn->nr;
	g->stats.insns++;
}

int guest_execute(struct guest *g, const struct guest_insn *insn,
		  struct diag *diag)
{
	BUG_ON(!g->current);
	if (likely(all_hit(g, insn)))
		emit_hit(g, insn);
	else
		guest_run(g, insn, false);
	return guest_error(g, diag);
}
