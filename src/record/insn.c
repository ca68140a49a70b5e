/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instructions.  They are complete when the clock says so: that of the next
 * block or of an event.  Those that did nothing but be fetched are written many
 * at a time; of the one under way everything is kept in the list until then, as
 * it may be restarted.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "record/internal.h"
#include "trace/merge.h"

/* It is not known where the stretch goes on, or does not matter. */
#define NO_PC UINT64_MAX

static struct recorder *recorder_of(struct insn_observer *observer)
{
	return (struct recorder *)((char *)observer -
				   offsetof(struct recorder, observer));
}

/* An access's part in each page; of a fetch the second counts nothing. */
static void add_fetch(struct recorder *r, const struct insn_begin *insn,
		      uint32_t count)
{
	unsigned int room = (unsigned int)(PAGE_SIZE - (insn->pc & PAGE_MASK));
	unsigned int first = insn->length < room ? insn->length : room;

	list_ref(r, TRACE_FETCH, insn->pc, first, insn->user)->count = count;
	if (first < insn->length)
		list_ref(r, TRACE_FETCH, insn->pc + first, insn->length - first,
			 insn->user)
			->count = 0;
}

/* The stretch goes on behind its next instruction. */
static void skip_one(struct stretch *stretch)
{
	if (stretch->done < stretch->nr)
		stretch->pc += stretch->length[stretch->done++];
}

/* The one under way. */
static void complete(struct recorder *r)
{
	struct insn_state *now = &r->now;

	if (now->iterated || !now->fetched)
		add_fetch(r, &now->insn, 1);
	else
		r->entry[0].ref.count = 1;
	list_write(r);
	r->insns++;
	skip_one(&r->stretch);
	*now = (struct insn_state){0};
}

/*
 * The same as fetch_upto() where that only makes the run longer: most are on
 * the page of those before, and all that is left or known where to go on.
 */
static inline bool join_fetches(struct recorder *r, uint64_t end, gva_t pc)
{
	struct stretch *stretch = &r->stretch;
	uint32_t left = stretch->nr - (uint32_t)stretch->done;
	uint64_t n = end - r->insns;
	struct trace_ref ref = {
		.gva = stretch->pc,
		.count = (uint32_t)n,
		.kind = TRACE_FETCH,
		.user = stretch->user,
	};

	if (!r->merge || !stretch->on_one_page || n - 1 >= left ||
	    (pc == NO_PC && n < left) || !merge_join(r->merge, &ref))
		return false;
	r->insns = end;
	stretch->done = (uint16_t)(stretch->done + n);
	stretch->pc = pc;
	return true;
}

/* One that did nothing else, or some on the same page as one run. */
static void write_fetches(struct recorder *r, gva_t pc, unsigned int size,
			  uint32_t count)
{
	unsigned int room = (unsigned int)(PAGE_SIZE - (pc & PAGE_MASK));
	struct trace_ref ref = {
		.gva = pc,
		.count = count,
		.kind = TRACE_FETCH,
		.size = (uint8_t)(size < room ? size : room),
		.user = r->stretch.user,
	};

	trace_write_ref(r->writer, &ref);
	if (size <= room)
		return;
	ref.gva += room;
	ref.size = (uint8_t)(size - room);
	ref.count = 0;
	trace_write_ref(r->writer, &ref);
}

/* How many of these are wholly on the page of the first. */
static uint32_t count_on_page(const struct stretch *stretch, uint32_t max)
{
	gva_t at = stretch->pc, last = at | PAGE_MASK;
	uint32_t i = 0;

	for (; i < max; i++) {
		unsigned int length = stretch->length[stretch->done + i];

		if (i && at + length - 1 > last)
			break;
		at += length;
	}
	return i;
}

/*
 * The next instructions of the stretch, as far as `end`; the one there is at
 * pc, or NO_PC.
 */
static void fetch_upto(struct recorder *r, uint64_t end, gva_t pc)
{
	struct stretch *stretch = &r->stretch;
	uint32_t left = stretch->nr - (uint32_t)stretch->done;

	while (r->insns < end && left) {
		uint32_t n = (uint32_t)min_u64(end - r->insns, left);
		bool jump = stretch->on_one_page && (pc != NO_PC || n == left);

		if (!r->merge)
			n = 1;
		else if (!stretch->on_one_page)
			n = count_on_page(stretch, n);
		write_fetches(r, stretch->pc, stretch->length[stretch->done],
			      n);
		r->insns += n;
		left -= n;
		if (r->merge && jump) {
			stretch->done = (uint16_t)(stretch->done + n);
			stretch->pc = pc;
			return;
		}
		while (n--)
			skip_one(stretch);
	}
}

static void complete_upto(struct recorder *r, uint64_t insns, gva_t pc)
{
	if (insns == r->insns)
		return;
	if (r->now.active && !r->now.faulted && insns > r->insns)
		complete(r);
	if (!join_fetches(r, insns, pc))
		fetch_upto(r, insns, pc);
}

void insn_give_up(struct recorder *r)
{
	/* Begun behind the guest's back only: nothing happened. */
	if (r->now.again && !r->now.iterated && r->nr <= r->mark)
		r->nr = 0;
	list_write(r);
	r->now = (struct insn_state){0};
}

static void check_clock(struct recorder *r, uint64_t insns)
{
	if (unlikely(insns != r->insns))
		recorder_lose(r,
			      "%" PRIu64 " instructions were seen where the "
			      "clock says %" PRIu64,
			      r->insns, insns);
}

void insn_clock(struct recorder *r, uint64_t insns)
{
	complete_upto(r, insns, NO_PC);
	check_clock(r, insns);
}

static bool goes_round(const struct recorder *r, gva_t pc)
{
	const struct insn_state *now = &r->now;

	return now->active && !now->faulted && now->insn.pc == pc &&
	       (now->again || now->insn.rep);
}

static void iterate(struct recorder *r)
{
	struct insn_state *now = &r->now;

	now->iterated |= r->nr > r->mark;
	list_write(r);
	now->fetched = false;
}

/* Most blocks are short: one move instead of a call. */
static void copy_lengths(uint8_t *to, const struct insn_block *next)
{
	if (likely(next->nr <= INSN_BLOCK_SLACK))
		memcpy(to, next->length, INSN_BLOCK_SLACK);
	else
		memcpy(to, next->length, next->nr);
}

static void block(struct insn_observer *observer, const struct insn_block *next)
{
	struct recorder *r = recorder_of(observer);
	struct stretch *stretch = &r->stretch;

	complete_upto(r, next->insns, NO_PC);
	check_clock(r, next->insns);
	stretch->base = next->insns;
	stretch->nr = next->nr;
	stretch->done = 0;
	stretch->user = next->user;
	stretch->pc = next->pc;
	stretch->on_one_page = next->on_one_page;
	copy_lengths(stretch->length, next);

	if (!r->now.active)
		return;
	if (!goes_round(r, next->pc))
		insn_give_up(r);
	else if (!r->now.again)
		iterate(r);
	r->now.again = false;
}

/* How many of the stretch are before pc, with those that are done. */
static uint16_t count_before(const struct recorder *r, gva_t pc)
{
	const struct stretch *stretch = &r->stretch;
	uint16_t i = stretch->done;
	gva_t at = stretch->pc;

	while (i < stretch->nr && at != pc)
		at += stretch->length[i++];
	return i;
}

static void begin(struct insn_observer *observer, const struct insn_begin *insn)
{
	struct recorder *r = recorder_of(observer);
	uint16_t before = count_before(r, insn->pc);

	if (before == r->stretch.nr) {
		recorder_lose(r,
			      "the instruction at 0x%" PRIx64
			      " is not of its block",
			      insn->pc);
		return;
	}
	complete_upto(r, r->stretch.base + before, insn->pc);
	if (r->now.active && r->now.insn.pc == insn->pc && !r->now.faulted)
		return; /* restarted, or one more iteration */
	insn_give_up(r);
	r->now = (struct insn_state){
		.active = true, .fetched = true, .insn = *insn};
	add_fetch(r, insn, 0);
	r->mark = r->nr;
}

static bool goes_on(const struct entry *last, const struct insn_access *access)
{
	const struct trace_item *item = &last->item;

	if (access->failed)
		return item->kind == TRACE_ITEM_EVENT &&
		       item->event.kind == GE_COMPARE_FAILED &&
		       item->event.gva + item->event.size == access->gva;
	return item->kind == TRACE_ITEM_TABLE_WRITE &&
	       item->gpa + item->size == access->gpa;
}

/* The second half of a store of 16 bytes: one reference, one write. */
static bool widen(struct recorder *r, const struct insn_access *access)
{
	struct entry *last = r->nr ? &r->entry[r->nr - 1] : NULL;
	struct entry *ref;

	if (!r->now.insn.wide || !last || !goes_on(last, access))
		return false;
	for (ref = last; ref->item.kind != TRACE_ITEM_REFS; ref--)
		;
	ref->ref.size = (uint8_t)(ref->ref.size + access->size);
	if (access->failed) {
		last->item.event.size =
			(uint8_t)(last->item.event.size + access->size);
		return true;
	}
	memcpy(last->item.bytes + last->item.size, access->bytes, access->size);
	last->item.size = (uint8_t)(last->item.size + access->size);
	return true;
}

static struct guest_event *list_event(struct recorder *r,
				      enum guest_event_kind kind, bool user)
{
	struct guest_event *ev = &list_item(r, TRACE_ITEM_EVENT)->event;

	*ev = (struct guest_event){.kind = kind,
				   .rip = r->now.insn.pc,
				   .cpl = user ? 3 : 0,
				   .insns = r->insns};
	return ev;
}

static void list_no_write(struct recorder *r, const struct insn_access *access)
{
	struct guest_event *ev = list_event(r, GE_COMPARE_FAILED, access->user);

	ev->gva = access->gva;
	ev->size = access->size;
}

static void list_table_write(struct recorder *r,
			     const struct insn_access *access)
{
	struct trace_item *item;

	if (!tables_know(r, access->gpa))
		tables_tell(r, access->gpa & ~PAGE_MASK);
	if (!r->now.insn.emulated)
		list_event(r, GE_EMULATE_FAILED, access->user);
	item = list_item(r, TRACE_ITEM_TABLE_WRITE);
	item->gva = access->gva;
	item->gpa = access->gpa;
	item->size = access->size;
	memcpy(item->bytes, access->bytes, access->size);
	if (access->user)
		tables_user_write(r, access->gpa);
}

void insn_store(struct recorder *r, const struct insn_access *access,
		bool always)
{
	if (widen(r, access))
		return;
	list_access(r, access);
	if (!always && !tables_know(r, access->gpa))
		return;
	if (access->failed)
		list_no_write(r, access);
	else
		list_table_write(r, access);
}

static void on_access(struct insn_observer *observer,
		      const struct insn_access *access)
{
	struct recorder *r = recorder_of(observer);

	if (access->write)
		insn_store(r, access, false);
	else
		list_access(r, access);
}

/*
 * Whatever of the present block is executed, its fetches make the open run
 * longer and do nothing else: there is no need to know how many they are yet.
 */
static inline bool fetches_join(const struct recorder *r)
{
	const struct stretch *stretch = &r->stretch;

	return stretch->on_one_page &&
	       merge_holds(r->merge, stretch->pc, stretch->nr, stretch->user);
}

static void begin_single(struct recorder *r, const struct insn_single *one)
{
	const struct insn_begin insn = {
		.pc = one->pc,
		.length = one->length,
		.user = one->user,
		.emulated = one->emulated,
		.wide = one->wide,
	};
	struct insn_access access = {
		.gva = one->gva,
		.gpa = one->gpa,
		.size = one->size,
		.write = one->write,
		.user = one->user,
		.ac = one->ac,
		.failed = one->failed,
	};

	memcpy(access.bytes, &one->value, sizeof(access.bytes));
	begin(&r->observer, &insn);
	on_access(&r->observer, &access);
}

/* With all fetches up to its own written. */
static slow_path void write_single(struct recorder *r,
				   const struct insn_single *one)
{
	uint16_t before = count_before(r, one->pc);
	const struct trace_ref ref = {
		.gva = one->gva,
		.count = 1,
		.kind = one->write ? TRACE_WRITE : TRACE_READ,
		.size = one->size,
		.user = one->user,
		.ac = one->ac,
	};

	if (r->now.active && before < r->stretch.nr)
		complete_upto(r, r->stretch.base + before, one->pc);
	if (before == r->stretch.nr || r->now.active ||
	    (one->write && tables_know(r, one->gpa))) {
		begin_single(r, one);
		return;
	}
	complete_upto(r, r->stretch.base + before + 1, one->pc + one->length);
	trace_write_ref(r->writer, &ref);
}

static void single(struct insn_observer *observer,
		   const struct insn_single *one)
{
	struct recorder *r = recorder_of(observer);
	uint32_t tail = merge_tail(one->write ? TRACE_WRITE : TRACE_READ,
				   one->size, one->user, one->ac);

	if (unlikely(!r->merge || r->now.active || !fetches_join(r) ||
		     (one->write && tables_know(r, one->gpa)) ||
		     !merge_data(r->merge, one->gva, tail)))
		write_single(r, one);
}

static void on_fault(struct insn_observer *observer)
{
	recorder_of(observer)->faulting = true;
}

void insn_restart(struct recorder *r)
{
	list_cut(r, r->mark);
	r->now.again = r->now.active;
}

static void on_restart(struct insn_observer *observer)
{
	insn_restart(recorder_of(observer));
}

static void on_lost(struct insn_observer *observer, const char *line)
{
	recorder_lose(recorder_of(observer), "%s", line);
}

void insn_init(struct insn_observer *observer)
{
	*observer = (struct insn_observer){
		.block = block,
		.begin = begin,
		.single = single,
		.access = on_access,
		.fault = on_fault,
		.restart = on_restart,
		.lost = on_lost,
	};
}
