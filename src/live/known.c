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

static bool is_direct(const struct known_detail *detail, enum code_mode mode)
{
	const struct nature *nature = &detail->nature;
	const struct insn *insn = &detail->insn;

	return mode != CODE_16 && insn->adsize == (mode == CODE_64 ? 8 : 4) &&
	       !insn->bit_string && insn->op != OP_POP &&
	       !nature->descriptors && !nature->stack && !nature->frame &&
	       !nature->xlat && !nature->maskmov;
}

/* Without an operand in memory. */
static void set_on_stack(struct known *known, const struct known_detail *detail,
			 enum code_mode mode)
{
	const struct nature *nature = &detail->nature;

	known->direct = mode != CODE_16 && nature->stack && !nature->frame &&
			!known->far_reaching;
	if (known->direct && !nature->stack_often && !nature->late)
		known->alone = KNOWN_READ | KNOWN_WRITE;
	known->width = 0;
	known->rmw = false;
	known->size = PAGE_SIZE;
	known->disp = 0 - (uint64_t)PAGE_SIZE / 2;
	known->has_base = true;
	known->base = GPR_RSP;
	known->scale = known->index = 0;
	known->has_seg = false;
	known->seg = SEG_FS;
}

static void set_direct(struct known *known, const struct known_detail *detail,
		       enum code_mode mode)
{
	const struct nature *nature = &detail->nature;
	const struct insn *insn = &detail->insn;
	const struct operand *op = NULL;

	known->direct = is_direct(detail, mode);
	known->alone = 0;
	for (unsigned int i = 0; i < insn->nr_operands; i++) {
		if (insn->operand[i].type != OPERAND_MEM)
			continue;
		known->direct =
			known->direct && !op &&
			(insn->operand[i].mem.seg != SEG_CS || mode == CODE_64);
		op = &insn->operand[i];
	}
	if (!op) {
		set_on_stack(known, detail, mode);
		return;
	}
	if (!known->direct)
		return;
	known->rmw = op->read && op->write;
	known->width = (uint8_t)op->size;
	if (op->size && op->size <= 8 && !known->rep && !nature->late)
		known->alone =
			known->rmw ? KNOWN_WRITE : KNOWN_READ | KNOWN_WRITE;
	known->size = operand_reach(op);
	known->disp = (uint64_t)op->mem.disp;
	if (op->mem.base == MEM_REG_RIP)
		known->disp += known->pc + known->length;
	known->has_base = op->mem.base < NR_GPR;
	known->base = known->has_base ? op->mem.base : 0;
	known->has_seg = op->mem.seg >= SEG_FS;
	known->seg = (known->has_seg ? op->mem.seg : SEG_FS) & 7u;
	known->scale = op->mem.index < NR_GPR ? op->mem.scale : 0;
	known->index = known->scale ? op->mem.index : 0;
}

static const struct known *decode(struct known_table *table,
				  const struct live *live,
				  const struct known_key *key,
				  enum code_mode mode)
{
	unsigned int slot = known_slot(key->pc);
	struct known *known = &table->known[slot];
	struct known_detail *detail = &table->detail[slot];
	struct insn *insn = &detail->insn;
	uint8_t bytes[INSN_BYTES_MAX] = {0};
	size_t n = live_fetch(live, key->pc, bytes, sizeof(bytes));

	known->epoch = 0;
	if (!n || !decode_one(mode, bytes, n, insn))
		return NULL;
	known->pc = key->pc;
	known->epoch = key->epoch;
	known->length = insn->length;
	table->code[slot].mode = mode;
	memcpy(table->code[slot].bytes, bytes, sizeof(bytes));
	detail->nature = nature_of(mode, bytes, n);
	known->rep = detail->nature.rep_string;
	known->emulated = emulate_can(insn);
	known->pair = insn->op == OP_CMPXCHG8B;
	known->compares = known->pair || insn->op == OP_CMPXCHG;
	known->wide = known->pair && insn->operand[0].size == 16;
	known->far_reaching =
		detail->nature.descriptors || uses_base(insn, mode);
	set_direct(known, detail, mode);
	return known;
}

const struct known *known_learn(struct known_table *table,
				const struct live *live,
				const struct known_key *key,
				enum code_mode mode, const uint8_t *bytes)
{
	unsigned int slot = known_slot(key->pc);
	struct known *known = &table->known[slot];
	const struct known_code *code = &table->code[slot];

	if (!bytes || known->pc != key->pc || code->mode != mode ||
	    !known->epoch || memcmp(code->bytes, bytes, known->length) != 0)
		return decode(table, live, key, mode);
	known->epoch = key->epoch;
	return known;
}
