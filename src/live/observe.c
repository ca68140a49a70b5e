/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/observe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live/hook.h"
#include "live/internal.h"
#include "live/observe_internal.h"
#include "live/region.h"

#define NO_PC UINT64_MAX

_Static_assert(BLOCK_INSNS_MAX <= INSN_BLOCK_MAX, "a block can be told");
_Static_assert(BLOCKS_SLACK >= INSN_BLOCK_SLACK, "lengths can be read on");

static void lose(struct observe *o, gva_t pc, hpa_t hpa, unsigned int size,
		 const char *what)
{
	char line[160];

	snprintf(line, sizeof(line),
		 "the instruction at 0x%" PRIx64
		 " %s: %u bytes at physical 0x%" PRIx64,
		 pc, what, size, hpa);
	o->to->lost(o->to, line);
}

static cold_path void refresh(struct observe *o)
{
	o->stale = false;
	o->epoch = (uint32_t)o->live->code_epoch + o->mode_changes;
	o->code_page = 1;
	memset(o->page, 0, sizeof(o->page));
	memset(o->dirtied, 0, sizeof(o->dirtied));
}

bool observe_page(struct observe *o, gva_t gva)
{
	unsigned int slot = observe_slot(gva);
	hpa_t hpa;

	if (!live_translate(o->live, gva & ~PAGE_MASK, &hpa))
		return false;
	o->page[slot] = (struct page){(gva & ~PAGE_MASK) | 1, hpa};
	o->dirtied[slot] = false;
	return true;
}

/* It was translated, so it has its slot. */
static inline void note_store(struct observe *o, gva_t gva)
{
	unsigned int slot = observe_slot(gva);

	if (likely(o->dirtied[slot]))
		return;
	o->dirtied[slot] = true;
	dirty_set(&o->dirty, gva);
}

/* --- Instructions -------------------------------------------------------- */

/* INSN_BYTES_MAX bytes at pc; NULL: they do not all lie on one page. */
static const uint8_t *code_at(struct observe *o, gva_t pc)
{
	hpa_t hpa;

	if ((pc & PAGE_MASK) > PAGE_SIZE - INSN_BYTES_MAX)
		return NULL;
	if (o->code_page != (pc & ~PAGE_MASK)) {
		if (!observe_translate(o, pc & ~PAGE_MASK, &hpa))
			return NULL;
		o->code_page = pc & ~PAGE_MASK;
		o->code = mem_ram(o->live->mem, hpa);
	}
	return o->code + (pc & PAGE_MASK);
}

static cold_path const struct known *learn(struct observe *o,
					   const struct known_key *key)
{
	return known_learn(&o->known, o->live, key, o->mode,
			   code_at(o, key->pc));
}

/* Of the next access, as it was the last time; there are too many to cache. */
static inline void foresee(struct observe *o, gva_t pc)
{
	struct known *table = o->known.known;

	table[o->slot].next = (uint16_t)known_slot(pc);
	o->slot = (uint16_t)known_slot(pc);
	__builtin_prefetch(&table[table[o->slot].next]);
}

static inline const struct known *know(struct observe *o, gva_t pc)
{
	const struct known_key key = {pc, o->epoch};
	const struct known *known = known_find(&o->known, &key);

	foresee(o, pc);
	return likely(known) ? known : learn(o, &key);
}

static cold_path void change_mode(struct observe *o, enum code_mode mode)
{
	o->mode = mode;
	o->width = mode == CODE_64 ? UINT64_MAX : UINT32_MAX;
	o->mode_changes++;
	o->epoch++;
}

static inline void note_mode(struct observe *o, enum code_mode mode)
{
	uint32_t hflags = o->head->hflags;

	if (unlikely(mode != o->mode))
		change_mode(o, mode);
	o->flat = mode == CODE_64 ||
		  (mode == CODE_32 &&
		   (hflags & (HFLAG_SS32 | HFLAG_ADDSEG)) == HFLAG_SS32);
	o->segments &= mode == CODE_32 && o->flat;
}

static bool is_on_one_page(const struct block *block)
{
	return (block->pc & PAGE_MASK) + block->size <= PAGE_SIZE;
}

void observe_block(struct observe *o, const struct block *block)
{
	const struct live *live = o->live;
	struct hidden_now now;

	if (!o->started)
		return;
	if (o->stale)
		refresh(o);
	now = hidden_now(o->head);
	o->user = now.cpl == 3;
	note_mode(o, now.mode);
	o->pc = NO_PC;
	o->to->block(o->to,
		     &(struct insn_block){
			     .pc = block->pc,
			     .insns = clock_base(&live->clock),
			     .nr = block->nr,
			     .user = o->user,
			     .on_one_page = is_on_one_page(block),
			     .length = blocks_lengths(&live->blocks, block),
		     });
}

/* False: it is none of the present block. */
static inline bool note_insn(struct observe *o, gva_t pc)
{
	const struct block *block = o->live->clock.block;

	if (pc == o->pc)
		return true;
	if (pc - block->pc >= block->size)
		return false;
	if (unlikely(o->stale))
		refresh(o);
	o->pc = pc;
	o->echoes = 0;
	o->looked = false;
	o->told = TOLD_NOTHING;
	o->insn = know(o, pc);
	return true;
}

static struct insn_begin begin_of(const struct observe *o)
{
	struct insn_begin begin = {.pc = o->pc, .length = 1, .user = o->user};

	if (o->insn) {
		begin.length = o->insn->length;
		begin.rep = o->insn->rep;
		begin.emulated = o->insn->emulated;
		begin.wide = o->insn->wide;
	}
	return begin;
}

static void tell_begin(struct observe *o)
{
	struct insn_begin begin;

	if (o->told != TOLD_NOTHING)
		return;
	begin = begin_of(o);
	o->told = TOLD_BEGIN;
	o->to->begin(o->to, &begin);
}

void observe_insn(struct observe *o, gva_t pc)
{
	if (o && o->started && note_insn(o, pc))
		tell_begin(o);
}

/* --- Accesses ------------------------------------------------------------ */

/*
 * What can be reached is less than a page.  No branches on what the operand
 * has: they would be hard to predict.
 */
static inline bool find_directly(struct observe *o, hpa_t hpa,
				 struct match *ret)
{
	const struct hidden_head *head = o->head;
	const struct known *known = o->insn;
	gva_t gva = known->disp + head->gpr[known->base] * known->has_base +
		    head->gpr[known->index] * known->scale +
		    head->seg[known->seg].base * known->has_seg;
	gva_t behind = (hpa - gva) & PAGE_MASK;

	ret->rmw = known->rmw;
	ret->gva = observe_wrap(o, gva + behind);
	return behind < known->size && observe_leads(o, ret->gva, hpa);
}

static inline bool find(struct observe *o, hpa_t hpa, struct match *ret)
{
	return likely(o->insn->direct && o->flat)
		       ? find_directly(o, hpa, ret)
		       : match_indirectly(o, hpa, ret);
}

static bool has_ac(const struct observe *o)
{
	return !o->user && unlikely(o->head->rflags & RFLAGS_AC) &&
	       (o->live->sink->view->cr4 & CR4_SMAP);
}

/*
 * Of a write that is about to be made, with the registers as they were.  Of one
 * of 16 bytes the first half says it for both; one across a page's end is told
 * as a store, whatever it does.
 */
static slow_path bool compare_fails(struct observe *o, hpa_t hpa,
				    unsigned int size)
{
	const uint64_t *gpr = o->head->gpr;
	uint64_t expected[2] = {gpr[GPR_RAX], gpr[GPR_RDX]};

	if (o->insn->wide && hpa & 8)
		return o->failed;
	if ((hpa & PAGE_MASK) + size > PAGE_SIZE)
		return false;
	if (o->insn->wide)
		size = sizeof(expected);
	else if (o->insn->pair)
		expected[0] = (gpr[GPR_RAX] & UINT32_MAX) | gpr[GPR_RDX] << 32;
	o->failed = memcmp(mem_ram(o->live->mem, hpa), expected, size) != 0;
	return o->failed;
}

static inline bool fails(struct observe *o, hpa_t hpa, bool write,
			 unsigned int size)
{
	return unlikely(o->insn->compares) && write &&
	       compare_fails(o, hpa, size);
}

static void tell(struct observe *o, const struct match *match, hpa_t hpa,
		 bool write, uint64_t val, unsigned int size)
{
	struct insn_access access = {
		.gva = match->gva,
		.gpa = hpa,
		.size = (uint8_t)size,
		.write = write,
		.user = o->user && !match->supervisor,
		.ac = has_ac(o) && !match->supervisor,
		.rest = match->rest,
		.failed = fails(o, hpa, write, size),
	};

	if (write)
		memcpy(access.bytes, &val, sizeof(val));
	tell_begin(o);
	o->to->access(o->to, &access);
}

/*
 * Most are the only one of an instruction, on one page, and found directly:
 * nothing of those will be taken back.  False: nothing has been done.
 */
static inline bool tell_single(struct observe *o, hpa_t hpa, bool write,
			       uint64_t val, unsigned int size)
{
	const struct known *insn = o->insn;
	struct match match;
	struct insn_single one;

	if (!o->flat || !(insn->alone & (write ? KNOWN_WRITE : KNOWN_READ)) ||
	    o->told != TOLD_NOTHING || (insn->width && insn->width != size) ||
	    (hpa & PAGE_MASK) + size > PAGE_SIZE ||
	    !find_directly(o, hpa, &match))
		return false;
	one = (struct insn_single){
		.pc = o->pc,
		.gva = match.gva,
		.gpa = hpa,
		.value = val,
		.length = insn->length,
		.size = (uint8_t)size,
		.write = write,
		.user = o->user,
		.ac = has_ac(o),
		.emulated = insn->emulated,
		.wide = insn->wide,
		.failed = fails(o, hpa, write, size),
	};
	if (write)
		note_store(o, match.gva); /* the only one, and on one page */
	o->told = TOLD_SINGLE;
	o->to->single(o->to, &one);
	return true;
}

static slow_path void tell_other(struct observe *o, hpa_t hpa, bool write,
				 uint64_t val, unsigned int size)
{
	unsigned int first =
		(unsigned int)min_u64(size, PAGE_SIZE - (hpa & PAGE_MASK));
	struct match match = {0};

	if (!write && o->echoes) {
		o->echoes--;
		return;
	}
	/* Unicorn makes two aligned reads of one across a page's end. */
	if (!write && first < size)
		o->echoes = 2;
	if (!o->insn || size > sizeof(val) || !find(o, hpa, &match)) {
		lose(o, o->pc, hpa, size,
		     write ? "writes where none of its operands is"
			   : "reads where none of its operands is");
		return;
	}
	if (match.rmw && !write)
		return;
	tell(o, &match, hpa, write, val, first);
	if (first == size)
		return;
	match.gva = observe_wrap(o, match.gva + first);
	match.rest = true;
	/* Not mapped: it is about to fault. */
	if (observe_translate(o, match.gva, &hpa))
		tell(o, &match, hpa, write, val >> 8 * first, size - first);
}

static void on_access(uc_engine *uc, uc_mem_type type, uint64_t hpa, int bytes,
		      int64_t value, void *data)
{
	struct observe *o = data;
	bool write = type == UC_MEM_WRITE;
	unsigned int size = (unsigned int)bytes;
	uint64_t val = (uint64_t)value;

	(void)uc;
	if (!o->started || o->live->ended || o->live->paused)
		return;
	if (!note_insn(o, hidden_now(o->head).pc) || o->told == TOLD_SINGLE)
		o->insn = NULL; /* which is to be told */
	if (!o->insn || !tell_single(o, hpa, write, val, size))
		tell_other(o, hpa, write, val, size);
}

/* --- The engine's side --------------------------------------------------- */

int observe_create(struct live *live, struct insn_observer *to,
		   struct diag *diag)
{
	struct observe *o = aligned_alloc(64, sizeof(*o));
	uc_hook hook;

	if (!o)
		return diag_set(diag, -ENOMEM, "out of memory");
	memset(o, 0, sizeof(*o));
	o->live = live;
	o->head = hidden_look(live->hidden);
	o->to = to;
	o->mode = CODE_16;
	o->width = UINT32_MAX;
	o->stale = true;
	o->pc = NO_PC;
	live->observe = o;
	if (hook_add(live->uc, UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE,
		     (union hook_fn){.mem = on_access}, o, &hook))
		return diag_set(diag, -ENOMEM, "Unicorn refused a hook");
	region_hold(live->uc, live->mem->ram_size);
	dirty_find(live->uc, o->head, &o->dirty);
	return 0;
}

void observe_destroy(struct observe *observe)
{
	free(observe);
}

void observe_start(struct observe *observe)
{
	if (observe)
		observe->started = true;
}

void observe_stale(struct observe *observe)
{
	if (observe)
		observe->stale = true;
}

void observe_fault(struct observe *observe)
{
	if (observe)
		observe->to->fault(observe->to);
}

void observe_restart(struct observe *observe)
{
	if (observe)
		observe->to->restart(observe->to);
}
