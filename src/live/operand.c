/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where an instruction's memory operands lie, given the registers. */
#include "live/gpr.h"

static uint64_t reg_value(const struct insn *insn, const struct vcpu *vcpu,
			  uint8_t reg)
{
	if (reg == MEM_REG_NONE)
		return 0;
	if (reg == MEM_REG_RIP)
		return vcpu->rip + insn->length;
	return vcpu->gpr[reg];
}

/*
 * SDM vol. 2A, "BT": a register bit offset is a signed number that may point
 * outside the operand; the operand moves by whole operand sizes.
 */
static uint64_t bit_string_step(const struct insn *insn,
				const struct vcpu *vcpu)
{
	const struct operand *offset = &insn->operand[1];
	unsigned int bits = 8 * offset->size;
	int64_t bit =
		(int64_t)(vcpu->gpr[offset->reg] << (64 - bits)) >> (64 - bits);

	/* Down to a whole operand, then from bits to bytes. */
	return (uint64_t)((bit & ~(int64_t)(bits - 1)) / 8);
}

gva_t insn_linear(const struct insn *insn, const struct operand *operand,
		  const struct vcpu *vcpu)
{
	const struct mem_ref *mem = &operand->mem;
	uint64_t ea = reg_value(insn, vcpu, mem->base) + (uint64_t)mem->disp;

	ea += reg_value(insn, vcpu, mem->index) * mem->scale;
	if (insn->bit_string)
		ea += bit_string_step(insn, vcpu);
	ea &= size_mask(insn->adsize);
	if (insn->mode != CODE_64)
		return (ea + vcpu->seg[mem->seg].base) & size_mask(4);
	/* 64-bit mode: only FS and GS have a base. */
	if (mem->seg == SEG_FS || mem->seg == SEG_GS)
		ea += vcpu->seg[mem->seg].base;
	return ea;
}

bool insn_rmw_covers(const struct insn *insn, const struct vcpu *vcpu,
		     gva_t gva)
{
	for (unsigned int i = 0; i < insn->nr_operands; i++) {
		const struct operand *op = &insn->operand[i];

		if (op->type != OPERAND_MEM || !op->read || !op->write)
			continue;
		if (gva - insn_linear(insn, op, vcpu) < op->size)
			return true;
	}
	return false;
}
