/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/observe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live/hidden_layout.h"
#include "live/hook.h"
#include "live/internal.h"
#include "live/known.h"

#define NO_PC UINT64_MAX
#define PAGES 256

struct page {
	gva_t gva; /* of the page; bit 0 is set in those that hold something */
	hpa_t hpa;
};

enum told { TOLD_NOTHING, TOLD_BEGIN, TOLD_SINGLE };

struct observe {
	struct live *live;
	struct insn_observer *to;
	bool started;
	bool stale;     /* translations may have changed */
	uint32_t epoch; /* live->code_epoch, as far as it fits */
	bool user;
	enum code_mode mode;
	gva_t width;   /* of linear addresses, as a mask */
	bool flat;     /* ES, SS and DS have no base, as in 64-bit mode */
	bool segments; /* vcpu.seg is good for flat 32-bit code */

	gva_t pc;                 /* of what began last in this block */
	const struct known *insn; /* the same, NULL: cannot be decoded */
	enum told told;           /* of it */
	bool looked;              /* vcpu.gpr is as that began */
	struct vcpu vcpu;
	unsigned int
		echoes; /* reads that only repeat one across a page's end */

	gva_t code_page; /* where `code` leads; bit 0 set: nowhere */
	const uint8_t *code;
	struct page page[PAGES];
	struct known_table known;
};

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

/* Registers change in the midst of an instruction: as it makes its first. */
static void look(struct observe *o)
{
	const struct hidden_head *head;

	if (o->looked)
		return;
	head = hidden_look(o->live->hidden);
	memcpy(o->vcpu.gpr, head->gpr, sizeof(o->vcpu.gpr));
	o->vcpu.rip = head->rip;
	if (o->insn->far_reaching || (o->mode != CODE_64 && !o->segments)) {
		hidden_load_segments(head, &o->vcpu);
		o->segments = o->mode == CODE_32 && o->flat;
	}
	o->looked = true;
}

static cold_path void refresh(struct observe *o)
{
	o->stale = false;
	o->epoch = (uint32_t)o->live->code_epoch;
	o->code_page = 1;
	memset(o->page, 0, sizeof(o->page));
}

static cold_path bool find_page(struct observe *o, gva_t gva, struct page *ret)
{
	hpa_t hpa;

	if (!live_translate(o->live, gva & ~PAGE_MASK, &hpa))
		return false;
	*ret = (struct page){(gva & ~PAGE_MASK) | 1, hpa};
	return true;
}

/* Where the installed tables lead; rights are not looked at. */
static inline bool translate(struct observe *o, gva_t gva, hpa_t *ret)
{
	struct page *page = &o->page[(gva >> PAGE_SHIFT) % PAGES];

	if (unlikely(page->gva != ((gva & ~PAGE_MASK) | 1)) &&
	    !find_page(o, gva, page))
		return false;
	*ret = page->hpa + (gva & PAGE_MASK);
	return true;
}

/* --- Instructions -------------------------------------------------------- */

/* INSN_BYTES_MAX bytes at pc; NULL: they do not all lie on one page. */
static const uint8_t *code_at(struct observe *o, gva_t pc)
{
	hpa_t hpa;

	if ((pc & PAGE_MASK) > PAGE_SIZE - INSN_BYTES_MAX)
		return NULL;
	if (o->code_page != (pc & ~PAGE_MASK)) {
		if (!translate(o, pc & ~PAGE_MASK, &hpa))
			return NULL;
		o->code_page = pc & ~PAGE_MASK;
		o->code = mem_ram(o->live->mem, hpa);
	}
	return o->code + (pc & PAGE_MASK);
}

static cold_path const struct known *learn(struct observe *o,
					   const struct known_key *key)
{
	return known_learn(&o->known, o->live, key, code_at(o, key->pc));
}

static inline const struct known *know(struct observe *o, gva_t pc)
{
	const struct known_key key = {pc, o->epoch, (uint8_t)o->mode};
	const struct known *known = known_find(&o->known, &key);

	return likely(known) ? known : learn(o, &key);
}

static inline void note_mode(struct observe *o, enum code_mode mode)
{
	uint32_t hflags = hidden_look(o->live->hidden)->hflags;

	o->mode = mode;
	o->width = mode == CODE_64 ? UINT64_MAX : UINT32_MAX;
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
	now = hidden_now(hidden_look(live->hidden));
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

/* What an access was matched to. */
struct match {
	gva_t gva;
	bool supervisor; /* whatever CPL is */
	bool rmw;
	bool rest; /* it began in the page before */
};

/* Is `gva`, whose page offset is that of hpa, where hpa is? */
static inline bool leads_to(struct observe *o, gva_t gva, hpa_t hpa)
{
	hpa_t found;

	return translate(o, gva, &found) && found == hpa;
}

static gva_t wrap(const struct observe *o, gva_t gva)
{
	return gva & o->width;
}

/* Somewhere in [base, base + window)? */
static bool find_behind(struct observe *o, gva_t base, uint64_t window,
			hpa_t hpa, struct match *ret)
{
	for (uint64_t at = (hpa - base) & PAGE_MASK; at < window;
	     at += PAGE_SIZE) {
		if (!leads_to(o, wrap(o, base + at), hpa))
			continue;
		ret->gva = wrap(o, base + at);
		return true;
	}
	return false;
}

static bool find_operand(struct observe *o, const struct insn *insn, hpa_t hpa,
			 struct match *ret)
{
	for (unsigned int i = 0; i < insn->nr_operands; i++) {
		const struct operand *op = &insn->operand[i];
		gva_t gva;

		if (op->type != OPERAND_MEM)
			continue;
		gva = insn_linear(insn, op, &o->vcpu);
		/* POP computes its address after RSP has moved. */
		if (insn->op == OP_POP && op->mem.base == GPR_RSP)
			gva += insn->opsize;
		if (!find_behind(o, gva, operand_reach(op), hpa, ret))
			continue;
		ret->rmw = op->read && op->write;
		return true;
	}
	return false;
}

/* Half a page to either side of a register. */
static bool find_around(struct observe *o, uint64_t reg, hpa_t hpa,
			struct match *ret)
{
	uint64_t base = o->mode == CODE_64 ? 0 : o->vcpu.seg[SEG_SS].base;

	if (o->mode != CODE_64)
		reg &= o->vcpu.seg[SEG_SS].attr & SEG_ATTR_DB ? UINT32_MAX
							      : UINT16_MAX;
	return find_behind(o, base + reg - PAGE_SIZE / 2, PAGE_SIZE, hpa, ret);
}

static bool find_descriptor(struct observe *o, hpa_t hpa, struct match *ret)
{
	const struct vcpu *vcpu = &o->vcpu;

	ret->supervisor = true;
	return find_behind(o, vcpu->gdtr.base, vcpu->gdtr.limit + 1, hpa,
			   ret) ||
	       find_behind(o, vcpu->ldtr.base, (uint64_t)vcpu->ldtr.limit + 1,
			   hpa, ret) ||
	       find_behind(o, vcpu->tr.base, 104, hpa, ret);
}

/*
 * What can be reached is less than a page.  No branches on what the operand
 * has: they would be hard to predict.
 */
static inline bool find_directly(struct observe *o, hpa_t hpa,
				 struct match *ret)
{
	const struct hidden_head *head = hidden_look(o->live->hidden);
	const struct known *known = o->insn;
	gva_t gva = known->disp + head->gpr[known->base] * known->has_base +
		    head->gpr[known->index] * known->scale +
		    head->seg[known->seg].base * known->has_seg;
	gva_t behind = (hpa - gva) & PAGE_MASK;

	ret->rmw = known->rmw;
	ret->gva = wrap(o, gva + behind);
	return behind < known->size && leads_to(o, ret->gva, hpa);
}

static bool find_indirectly(struct observe *o, hpa_t hpa, struct match *ret)
{
	const struct known_detail *detail = known_detail(&o->known, o->insn);
	const struct nature *nature = &detail->nature;
	const struct vcpu *vcpu = &o->vcpu;

	look(o);
	if (find_operand(o, &detail->insn, hpa, ret))
		return true;
	if (nature->stack && find_around(o, vcpu->gpr[GPR_RSP], hpa, ret))
		return true;
	if (nature->frame && find_around(o, vcpu->gpr[GPR_RBP], hpa, ret))
		return true;
	if (nature->xlat)
		return find_behind(o,
				   vcpu->gpr[GPR_RBX] +
					   (vcpu->gpr[GPR_RAX] & 0xff) +
					   vcpu->seg[SEG_DS].base,
				   1, hpa, ret);
	if (nature->maskmov)
		return find_behind(o, vcpu->gpr[GPR_RDI], 16, hpa, ret);
	return nature->descriptors && find_descriptor(o, hpa, ret);
}

static inline bool find(struct observe *o, hpa_t hpa, struct match *ret)
{
	return likely(o->insn->direct && o->flat)
		       ? find_directly(o, hpa, ret)
		       : find_indirectly(o, hpa, ret);
}

static bool has_ac(const struct observe *o)
{
	return !o->user && (hidden_look(o->live->hidden)->rflags & RFLAGS_AC) &&
	       (o->live->sink->view->cr4 & CR4_SMAP);
}

static void tell(struct observe *o, const struct match *match, hpa_t hpa,
		 bool write, uint64_t val, unsigned int size, bool alone)
{
	struct insn_access access = {
		.gva = match->gva,
		.gpa = hpa,
		.size = (uint8_t)size,
		.write = write,
		.user = o->user && !match->supervisor,
		.ac = has_ac(o) && !match->supervisor,
		.rest = match->rest,
	};

	if (write)
		memcpy(access.bytes, &val, sizeof(val));
	if (alone) {
		struct insn_begin begin = begin_of(o);

		o->told = TOLD_SINGLE;
		o->to->single(o->to, &begin, &access);
		return;
	}
	tell_begin(o);
	o->to->access(o->to, &access);
}

/* Its only access, and all on one page: nothing of it will be taken back. */
static bool is_alone(const struct observe *o, unsigned int size)
{
	const struct known *insn = o->insn;

	return insn->single && o->told == TOLD_NOTHING &&
	       (size == insn->size || insn->on_stack);
}

static void on_access(uc_engine *uc, uc_mem_type type, uint64_t hpa, int bytes,
		      int64_t value, void *data)
{
	struct observe *o = data;
	bool write = type == UC_MEM_WRITE;
	unsigned int size = (unsigned int)bytes;
	unsigned int first =
		(unsigned int)min_u64(size, PAGE_SIZE - (hpa & PAGE_MASK));
	struct match match = {0};
	uint64_t val = (uint64_t)value;

	(void)uc;
	if (!o->started || o->live->ended || o->live->paused)
		return;
	if (!note_insn(o, hidden_now(hidden_look(o->live->hidden)).pc) ||
	    o->told == TOLD_SINGLE)
		o->insn = NULL; /* which is to be told */
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
	if (first == size) {
		tell(o, &match, hpa, write, val, size, is_alone(o, size));
		return;
	}
	tell(o, &match, hpa, write, val, first, false);
	match.gva = wrap(o, match.gva + first);
	match.rest = true;
	/* Not mapped: it is about to fault. */
	if (translate(o, match.gva, &hpa))
		tell(o, &match, hpa, write, val >> 8 * first, size - first,
		     false);
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
	o->to = to;
	o->stale = true;
	o->pc = NO_PC;
	live->observe = o;
	if (hook_add(live->uc, UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE,
		     (union hook_fn){.mem = on_access}, o, &hook))
		return diag_set(diag, -ENOMEM, "Unicorn refused a hook");
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
