/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/known.h"

#include <string.h>

#include "live/emulate.h"
#include "live/internal.h"

/* Of a segment that has one in 64-bit mode, or in flat 32-bit code may have. */
static bool uses_base(const struct insn *insn, enum code_mode mode)
{
	for (unsigned int i = 0; i < insn->nr_operands; i++) {
		unsigned int seg = insn->operand[i].mem.seg;

		if (insn->operand[i].type == OPERAND_MEM &&
		    (seg >= SEG_FS || (seg == SEG_CS && mode != CODE_64)))
			return true;
	}
	return false;
}

static bool is_direct(const struct known *known,
		      const struct known_detail *detail)
{
	const struct nature *nature = &detail->nature;
	const struct insn *insn = &detail->insn;

	return known->mode != CODE_16 &&
	       insn->adsize == (known->mode == CODE_64 ? 8 : 4) &&
	       !insn->bit_string && insn->op != OP_POP &&
	       !nature->descriptors && !nature->stack && !nature->frame &&
	       !nature->xlat && !nature->maskmov;
}

/* Without an operand in memory. */
static void set_on_stack(struct known *known, const struct nature *nature)
{
	known->on_stack = known->mode != CODE_16 && nature->stack &&
			  !nature->frame && !known->far_reaching;
	known->direct = known->on_stack;
	known->single =
		known->on_stack && !nature->stack_often && !nature->late;
	known->rmw = false;
	known->size = PAGE_SIZE;
	known->disp = 0 - (uint64_t)PAGE_SIZE / 2;
	known->has_base = true;
	known->base = GPR_RSP;
	known->scale = known->index = 0;
	known->has_seg = false;
	known->seg = SEG_FS;
}

static void set_direct(struct known *known, const struct known_detail *detail)
{
	const struct nature *nature = &detail->nature;
	const struct insn *insn = &detail->insn;
	const struct operand *op = NULL;

	known->direct = is_direct(known, detail);
	known->single = false;
	known->on_stack = false;
	for (unsigned int i = 0; i < insn->nr_operands; i++) {
		if (insn->operand[i].type != OPERAND_MEM)
			continue;
		known->direct = known->direct && !op &&
				(insn->operand[i].mem.seg != SEG_CS ||
				 known->mode == CODE_64);
		op = &insn->operand[i];
	}
	if (!op) {
		set_on_stack(known, nature);
		return;
	}
	if (!known->direct)
		return;
	known->single =
		op->size && op->size <= 8 && !known->rep && !nature->late;
	known->rmw = op->read && op->write;
	known->size = operand_reach(op);
	known->disp = (uint64_t)op->mem.disp;
	if (op->mem.base == MEM_REG_RIP)
		known->disp += known->pc + known->length;
	known->has_base = op->mem.base < NR_GPR;
	known->base = known->has_base ? op->mem.base : 0;
	known->has_seg = op->mem.seg >= SEG_FS;
	known->seg = known->has_seg ? op->mem.seg : SEG_FS;
	known->scale = op->mem.index < NR_GPR ? op->mem.scale : 0;
	known->index = known->scale ? op->mem.index : 0;
}

static const struct known *decode(struct known *known,
				  struct known_detail *detail,
				  const struct live *live,
				  const struct known_key *key)
{
	struct insn *insn = &detail->insn;
	enum code_mode mode = (enum code_mode)key->mode;
	uint8_t bytes[INSN_BYTES_MAX] = {0};
	size_t n = live_fetch(live, key->pc, bytes, sizeof(bytes));

	known->length = 0;
	if (!n || !decode_one(mode, bytes, n, insn))
		return NULL;
	known->pc = key->pc;
	known->epoch = key->epoch;
	known->mode = key->mode;
	known->length = insn->length;
	memcpy(detail->bytes, bytes, sizeof(bytes));
	detail->nature = nature_of(mode, bytes, n);
	known->rep = detail->nature.rep_string;
	known->emulated = emulate_can(insn);
	known->wide = insn->op == OP_CMPXCHG8B && insn->operand[0].size == 16;
	known->far_reaching =
		detail->nature.descriptors || uses_base(insn, mode);
	set_direct(known, detail);
	return known;
}

const struct known *known_learn(struct known_table *table,
				const struct live *live,
				const struct known_key *key,
				const uint8_t *bytes)
{
	unsigned int slot = known_slot(key->pc);
	struct known *known = &table->known[slot];
	struct known_detail *detail = &table->detail[slot];

	if (!bytes || known->pc != key->pc || known->mode != key->mode ||
	    !known->length || memcmp(detail->bytes, bytes, known->length) != 0)
		return decode(known, detail, live, key);
	known->epoch = key->epoch;
	return known;
}
