/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * References.  What hits the first-level TLB is done with in lane_refs(); a
 * miss goes on to the second level, and then to the simulator as an access.
 */
#include "replay/internal.h"

/* A delivery starts over for each exit in its midst. */
#define DELIVER_TRIES 256

_Static_assert(TRACE_FETCH == 0 && TRACE_READ == TLB_READ &&
		       TRACE_WRITE == TLB_WRITE && TLB_FETCH == 4 &&
		       TLB_SUPERVISOR == 8 && TLB_USER == 16,
	       "needs() is written for these");

/*
 * Without a branch: kinds come in no order a processor could foresee.  One with
 * RFLAGS.AC needs less, which is looked at when it has missed.
 */
static uint32_t needs(const struct trace_ref *ref)
{
	return ref->kind | (uint32_t)!ref->kind << 2 | (1u + ref->user) << 3;
}

static uint32_t needs_in_full(const struct trace_ref *ref)
{
	return needs(ref) & ~(ref->ac ? (uint32_t)TLB_SUPERVISOR : 0);
}

/* A fetch where a page begins may be the rest of the one before. */
static bool is_rest_of(const struct trace_ref *last,
		       const struct trace_ref *before)
{
	if (before->size == TRACE_SIZE_GOES_ON)
		return before->gva + PAGE_SIZE == last->gva;
	return !last->count && !(last->gva & PAGE_MASK) &&
	       before->gva + before->size == last->gva;
}

/* Of a run that begins so, only the first: one with a count has ended. */
static const struct trace_ref *last_fetch(const struct replay_lane *lane)
{
	const struct trace_ref *last = lane->fetch[0];
	const struct trace_ref *before = lane->fetch[1];

	return !last->count && is_rest_of(last, before) ? before : last;
}

static gva_t rip_of(const struct replay_lane *lane, const struct trace_ref *ref)
{
	const struct trace_ref *before = lane->fetch[1];

	if (ref->kind == TRACE_FETCH && is_rest_of(ref, before))
		return before->gva;
	return last_fetch(lane)->gva;
}

/*
 * Instructions completed before the one at hand.  A run of fetches may have
 * been told ahead of this data reference; then it is a little more than that.
 */
static uint64_t clock_of(const struct replay_lane *lane,
			 const struct trace_ref *ref)
{
	if (lane->is_full)
		return lane->insns - last_fetch(lane)->count;
	return ref->kind == TRACE_FETCH ? lane->insns - ref->count
					: lane->insns;
}

/* Filled in place: a copy of what was just written in parts would stall. */
static void access_event(struct replay_lane *lane, const struct trace_ref *ref,
			 struct guest_event *ev)
{
	*ev = (struct guest_event){.kind = GE_ACCESS};
	ev->vcpu = lane->vcpu;
	ev->gva = ref->gva;
	ev->size = ref->size;
	ev->cpl = ref->user ? 3 : 0;
	ev->access = (ref->kind == TRACE_WRITE ? PFEC_W : 0u) |
		     (ref->kind == TRACE_FETCH ? PFEC_ID : 0u) |
		     (ref->user ? PFEC_U : 0u) | (ref->ac ? ACCESS_AC : 0u);
	if (ref->implicit) {
		ev->rip = lane->delivery.event.rip;
		ev->insns = lane->delivery.event.insns;
		return;
	}
	ev->rip = rip_of(lane, ref);
	ev->insns = clock_of(lane, ref);
	if (lane->retrying) {
		/* A run may have been told ahead of it. */
		ev->insns = lane->retry.insns;
		if ((ref->gva ^ lane->retry.gva) <= PAGE_MASK) {
			ev->rip = lane->retry.rip;
			lane->retrying = false;
		}
	}
}

/* The same event once more, and not another #PF of the same code. */
static bool is_restart(const struct replay_lane *lane,
		       const struct guest_outcome *out)
{
	const struct guest_event *ev = &lane->delivery.event;

	return lane->delivery.under_way && out->verdict == GO_FAULT &&
	       out->vector == ev->vector && out->type == ev->type &&
	       out->has_error == ev->has_error &&
	       (!ev->has_error || out->error == ev->error) &&
	       lane->sink->view->cr2 == lane->delivery.cr2;
}

/* A walk begins when it has answered: a miss takes that time, too. */
static void ask_second(struct replay_lane *lane, const struct trace_ref *ref)
{
	if (!tlb_has_second(lane->tlb, needs(ref)))
		return;
	sim_reference(lane->sim);
	lane->acct->tlb[TLB_l2_lookups]++;
	account_charge(lane->acct, COST_TLB_L2, 1);
}

/* Missed the first level.  True: the simulator was not asked, or agreed. */
static bool translate(struct replay_lane *lane, const struct trace_ref *ref,
		      struct guest_outcome *out)
{
	struct account *acct = lane->acct;
	struct guest_event ev;

	if (ref->kind == TRACE_FETCH)
		acct->tlb[TLB_l1i_misses]++;
	else
		acct->tlb[TLB_l1d_misses]++;
	ask_second(lane, ref);
	if (tlb_lookup_second(lane->tlb, ref->gva, needs_in_full(ref))) {
		acct->tlb[TLB_l2_hits]++;
		return true;
	}
	access_event(lane, ref, &ev);
	event_push(lane->sink, &ev, out);
	return out->verdict == GO_DONE;
}

static void count_lookups(struct replay_lane *lane, const struct trace_ref *ref,
			  uint64_t n)
{
	bool fetch = ref->kind == TRACE_FETCH;

	lane->acct->tlb[fetch ? TLB_l1i_lookups : TLB_l1d_lookups] += n;
}

/* A reference of a delivery, once more. */
static bool refer_again(struct replay_lane *lane, const struct trace_ref *ref,
			struct guest_outcome *out)
{
	count_lookups(lane, ref, 1);
	return tlb_lookup(lane->tlb, ref->gva, needs(ref)) ||
	       translate(lane, ref, out);
}

/* An exit cut the delivery short, and the processor begins again. */
static void deliver_again(struct replay_lane *lane)
{
	struct delivery *d = &lane->delivery;

	for (int i = 0; i < DELIVER_TRIES; i++) {
		struct guest_outcome out = {0};
		uint32_t n = 0;

		event_push(lane->sink, &d->event, &out);
		if (out.verdict != GO_DONE) {
			lane_obey(lane, &out, NULL);
			return;
		}
		while (n < d->nr && refer_again(lane, &d->ref[n], &out))
			n++;
		if (n == d->nr)
			return;
		if (!is_restart(lane, &out)) {
			lane_obey(lane, &out, &d->ref[n]);
			return;
		}
	}
	lane_differs(lane,
		     "the delivery of vector %u is cut short again and "
		     "again",
		     d->event.vector);
}

static slow_path void miss(struct replay_lane *lane,
			   const struct trace_ref *ref)
{
	struct guest_outcome out = {0};

	if (ref->ac && tlb_lookup(lane->tlb, ref->gva, needs_in_full(ref)))
		return;
	if (translate(lane, ref, &out))
		return;
	if (is_restart(lane, &out))
		deliver_again(lane);
	else
		lane_obey(lane, &out, ref);
}

void lane_emulate_failed(struct replay_lane *lane)
{
	struct trace_ref ref = lane->ref;
	struct guest_event ev;
	struct guest_outcome out = {0};

	access_event(lane, &ref, &ev);
	lane->expected = EXPECT_ANYTHING;
	ev.kind = GE_EMULATE_FAILED;
	event_push(lane->sink, &ev, &out);
	if (out.verdict == GO_DONE) {
		/* The instruction runs again, in a TLB without its page. */
		lane->acct->tlb[TLB_l1d_lookups]++;
		lane->acct->tlb[TLB_l1d_misses]++;
		ask_second(lane, &ref);
		ev.kind = GE_ACCESS;
		event_push(lane->sink, &ev, &out);
	}
	if (out.verdict == GO_EMULATE)
		lane_differs(lane,
			     "the model asks to emulate the write at "
			     "0x%llx, and again when it cannot be",
			     (unsigned long long)ref.gva);
	else
		lane_obey(lane, &out, &ref);
}

/*
 * Another reference comes, whatever the last one asked for.  A write without a
 * value unshadows its table.
 */
static bool settle(struct replay_lane *lane)
{
	const struct trace_item item = {.kind = TRACE_ITEM_REFS};

	if (lane->expected == EXPECT_VALUE)
		lane_emulate_failed(lane);
	if (lane->expected != EXPECT_ANYTHING && lane_is_running(lane))
		lane_may_come(lane, &item);
	return lane_is_running(lane);
}

static bool is_rest(const struct trace_ref *ref)
{
	return !ref->count && !(ref->gva & PAGE_MASK);
}

/*
 * The store of a repeated string instruction was emulated, and more iterations
 * come: the processor is entered at the instruction and fetches it once more,
 * which the trace does not tell as it depends on the hypervisor.
 */
static void fetch_again(struct replay_lane *lane, const struct trace_ref *next)
{
	struct trace_ref ref = *last_fetch(lane);

	lane->stored = false;
	if (next->kind == TRACE_FETCH || next->implicit || is_rest(next))
		return;
	ref.count = 0;
	lane->acct->tlb[TLB_l1i_lookups]++;
	if (!tlb_lookup(lane->tlb, ref.gva, needs(&ref)))
		miss(lane, &ref);
}

static void note_delivery(struct replay_lane *lane,
			  const struct trace_ref *refs, uint32_t nr)
{
	struct delivery *d = &lane->delivery;

	if (nr > DELIVERY_REFS_MAX - d->nr) {
		lane_differs(lane, "a delivery of more than %d references",
			     DELIVERY_REFS_MAX);
		return;
	}
	for (uint32_t i = 0; i < nr; i++)
		d->ref[d->nr++] = refs[i];
}

static uint64_t lookups(const struct trace_ref *ref)
{
	return ref->count + (uint64_t)!ref->count;
}

/* A delivery may start over, so its references go one by one. */
static void delivery_refs(struct replay_lane *lane,
			  const struct trace_ref *refs, uint32_t nr)
{
	uint64_t first = lane->next - nr;

	for (uint32_t i = 0; i < nr && lane_is_running(lane); i++) {
		lane->position = first + i;
		if (lane->expected != EXPECT_ANYTHING && !settle(lane))
			return;
		count_lookups(lane, &refs[i], lookups(&refs[i]));
		note_delivery(lane, &refs[i], 1);
		if (lane_is_running(lane) &&
		    !tlb_lookup(lane->tlb, refs[i].gva, needs(&refs[i])))
			miss(lane, &refs[i]);
	}
}

/* The batch goes away. */
static void keep_fetches(struct replay_lane *lane)
{
	struct trace_ref last = *lane->fetch[0], before = *lane->fetch[1];

	lane->kept[0] = last;
	lane->kept[1] = before;
	lane->fetch[0] = &lane->kept[0];
	lane->fetch[1] = &lane->kept[1];
}

void lane_refs(struct replay_lane *lane, const struct trace_ref *refs,
	       uint32_t nr)
{
	const struct trace_ref *last = lane->fetch[0];
	const struct trace_ref *before = lane->fetch[1];
	struct tlb *tlb = lane->tlb;
	uint64_t fetches = 0, all = 0;
	uint64_t insns = lane->insns;
	uint64_t first = lane->next;

	lane->next += nr;
	lane->position = first;
	if (lane->expected != EXPECT_ANYTHING && !settle(lane))
		return;
	if (unlikely(lane->stored))
		fetch_again(lane, refs);
	if (!lane_is_running(lane))
		return;
	if (lane->delivery.under_way) {
		delivery_refs(lane, refs, nr);
		return;
	}
	for (uint32_t i = 0; i < nr; i++) {
		const struct trace_ref *ref = &refs[i];

		bool fetch = ref->kind == TRACE_FETCH;

		all += lookups(ref);
		fetches += fetch ? lookups(ref) : 0;
		insns += fetch ? ref->count : 0;
		before = fetch ? last : before;
		last = fetch ? ref : last;
		if (likely(tlb_lookup(tlb, ref->gva, needs(ref))))
			continue;
		lane->position = first + i;
		lane->insns = insns;
		lane->fetch[0] = last;
		lane->fetch[1] = before;
		miss(lane, ref);
		if (unlikely(lane->expected != EXPECT_ANYTHING) && i + 1 < nr)
			settle(lane);
		if (!lane_is_running(lane))
			break;
	}
	lane->insns = insns;
	lane->fetch[0] = last;
	lane->fetch[1] = before;
	keep_fetches(lane);
	lane->acct->tlb[TLB_l1i_lookups] += fetches;
	lane->acct->tlb[TLB_l1d_lookups] += all - fetches;
}
