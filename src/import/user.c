/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instructions of user code, and faults as they come. */
#include "import/internal.h"

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

/* --- What hits ------------------------------------------------------- */

/* One page, and nothing to be learnt about it. */
static inline bool is_hit(struct guest *g, const struct guest_ref *ref)
{
	return (ref->gva & PAGE_MASK) + ref->size <= PAGE_SIZE &&
	       is_seen(g, ref->gva, ref->kind == TRACE_WRITE);
}

/*
 * As attempt() does it for instructions that hit, up to the first that does
 * not.  Returns how many references those are.
 */
static uint32_t run_hits(struct guest *g, const struct guest_ref *refs,
			 uint32_t nr)
{
	uint32_t i, insns = 0, insn = 0; /* where the present one begins */
	struct trace_ref *out;

	if (g->nr_refs + nr > GUEST_REFS_MAX)
		emit_flush(g);
	out = &g->refs[g->nr_refs];
	for (i = 0; i < nr; i++) {
		const struct guest_ref *ref = &refs[i];
		bool fetch = ref->kind == TRACE_FETCH;

		insns += fetch;
		insn = fetch ? i : insn;
		if (unlikely(!is_hit(g, ref)))
			break;
		out[i] = (struct trace_ref){
			.gva = ref->gva,
			.count = 1,
			.kind = (uint8_t)ref->kind,
			.size = (uint8_t)(ref->size < 255 ? ref->size : 255),
			.user = true,
		};
	}
	if (i < nr) {
		i = insn;
		insns--;
	}
	g->nr_refs += i;
	g->stats.insns += insns;
	return i;
}

int guest_execute(struct guest *g, const struct guest_insn *insn,
		  struct diag *diag)
{
	struct guest_ref refs[1 + GUEST_DATA_MAX];
	uint32_t nr = 0;

	BUG_ON(!g->current);
	refs[nr++] = (struct guest_ref){insn->pc, insn->length, TRACE_FETCH};
	for (uint32_t i = 0; i < insn->nr; i++)
		refs[nr++] = (struct guest_ref){insn->data[i].gva,
						insn->data[i].size,
						kind_of(insn, i)};
	if (run_hits(g, refs, nr) < nr)
		guest_run(g, insn, false);
	return guest_error(g, diag);
}

/* The instruction that comes first; returns how many references it has. */
static uint32_t run_first(struct guest *g, const struct guest_ref *refs,
			  uint32_t nr)
{
	struct guest_insn insn;
	uint32_t i;

	insn.pc = refs->gva;
	insn.length = refs->size;
	for (i = 1; i < nr && refs[i].kind != TRACE_FETCH; i++) {
		BUG_ON(i > GUEST_DATA_MAX);
		insn.data[i - 1].gva = refs[i].gva;
		insn.data[i - 1].size = refs[i].size;
		insn.data[i - 1].write = refs[i].kind == TRACE_WRITE;
	}
	insn.nr = i - 1;
	guest_run(g, &insn, false);
	return i;
}

int guest_execute_refs(struct guest *g, const struct guest_ref *refs,
		       uint32_t nr, struct diag *diag)
{
	uint32_t done = 0;

	BUG_ON(!g->current || nr > GUEST_REFS_MAX ||
	       (nr && refs->kind != TRACE_FETCH));
	while (done < nr && !g->err) {
		done += run_hits(g, refs + done, nr - done);
		if (done < nr)
			done += run_first(g, refs + done, nr - done);
	}
	return guest_error(g, diag);
}
