/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/wild.h"

#include "live/code.h"
#include "live/decode.h"
#include "live/nature.h"

bool wild_by_stack(const struct live_env *env, const uint8_t *bytes, size_t n)
{
	uint64_t rsp = env->vcpu->gpr[GPR_RSP];
	struct insn insn;

	if (!n || !decode_one(CODE_64, bytes, n, &insn))
		return false;
	for (uint8_t i = 0; i < insn.nr_operands; i++) {
		const struct operand *op = &insn.operand[i];

		if (op->type == OPERAND_MEM && op->mem.seg == SEG_SS &&
		    !env_is_canonical(env, insn_linear(&insn, op, env->vcpu)))
			return true;
	}
	return nature_of(CODE_64, bytes, n).stack &&
	       !(env_is_canonical(env, rsp) && env_is_canonical(env, rsp - 8));
}

bool wild_undo_branch(const uint8_t *bytes, size_t n, uint64_t *rsp)
{
	struct code code;

	if (!code_parse(CODE_64, bytes, n, &code) || code.map != MAP_1)
		return false;
	switch (code.opcode) {
	case 0xc2: /* RET */
		*rsp -= 8 + (uint16_t)code.imm;
		return true;
	case 0xc3:
		*rsp -= 8;
		return true;
	case 0xe8: /* CALL */
		*rsp += 8;
		return true;
	case 0xe9: /* JMP */
	case 0xeb:
		return true;
	case 0xff:
		if ((code.reg & 7) == 2)
			*rsp += 8;
		return (code.reg & 7) == 2 || (code.reg & 7) == 4;
	default:
		return false;
	}
}
