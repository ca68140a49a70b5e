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

static uint32_t access_of(const struct guest_ref *ref, bool kernel)
{
	static const uint32_t bits[] = {
		[TRACE_FETCH] = PFEC_ID,
		[TRACE_READ] = 0,
		[TRACE_WRITE] = PFEC_W,
	};

	return bits[ref->kind] | (kernel ? 0 : (uint32_t)PFEC_U);
}

/* Which reference faults first; nr: none.  The kernel's own code is there. */
static uint32_t find_first(struct guest *g, const struct guest_ref *refs,
			   uint32_t nr, bool kernel, struct fault *ret)
{
	uint32_t i;

	for (i = kernel; i < nr; i++)
		if (find_fault(g, refs[i].gva, refs[i].size,
			       access_of(&refs[i], kernel), ret))
			break;
	return i;
}

/* A fetch counts if the instruction gets to its end. */
static void emit_one(struct guest *g, const struct guest_ref *ref,
		     uint32_t size, bool kernel, bool completes)
{
	emit_parts(g, (enum trace_kind)ref->kind, ref->gva, size, !kernel,
		   ref->kind != TRACE_FETCH || completes);
}

static void take_fault(struct guest *g, const struct fault *fault, gva_t rip,
		       bool kernel)
{
	uint32_t error = fault->error & ~(uint32_t)FAULTS;

	kernel_fault(g, fault->gva, error, rip, !kernel);
	fill(g, fault->gva, error);
	kernel_resume(g, fault->gva, rip, !kernel);
}

/* One attempt.  False: it has faulted and the fault has been handled. */
static bool attempt(struct guest *g, const struct guest_ref *refs, uint32_t nr,
		    bool kernel)
{
	struct fault fault = {0};
	uint32_t good = find_first(g, refs, nr, kernel, &fault);

	for (uint32_t i = 0; i < good; i++)
		emit_one(g, &refs[i], refs[i].size, kernel, good == nr);
	if (good == nr)
		return true;
	emit_one(g, &refs[good],
		 size_until(refs[good].gva, refs[good].size, &fault), kernel,
		 false);
	take_fault(g, &fault, refs->gva, kernel);
	return false;
}

/* Each page of each reference may fault twice: read, then copy. */
void user_run(struct guest *g, const struct guest_ref *refs, uint32_t nr,
	      bool kernel)
{
	while (!g->err && !attempt(g, refs, nr, kernel))
		;
}

/* --- What hits ----------------------------------------------------------- */

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

/* References of the instruction that comes first. */
static uint32_t length_of(const struct guest_ref *refs, uint32_t nr)
{
	uint32_t i = 1;

	while (i < nr && refs[i].kind != TRACE_FETCH)
		i++;
	return i;
}

int guest_execute(struct guest *g, const struct guest_ref *refs, uint32_t nr,
		  struct diag *diag)
{
	uint32_t done = 0;

	BUG_ON(!g->current || nr > GUEST_REFS_MAX ||
	       (nr && refs->kind != TRACE_FETCH));
	while (done < nr && !g->err) {
		uint32_t next;

		done += run_hits(g, refs + done, nr - done);
		if (done == nr)
			break;
		next = length_of(refs + done, nr - done);
		user_run(g, refs + done, next, false);
		done += next;
	}
	return guest_error(g, diag);
}
