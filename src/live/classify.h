/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From opcode to meaning.  Private to the decoder: the operand builders that
 * the two opcode maps share.
 */
#ifndef NOTRAP_LIVE_CLASSIFY_H
#define NOTRAP_LIVE_CLASSIFY_H

#include "live/code.h"

/*
 * Fill in op, the flags and the operands of *ret.  OP_OTHER still has its
 * ModRM or string memory operands, with size 0 where the opcode alone does
 * not tell.
 */
void classify(const struct code *code, struct insn *ret);

/* For classify(): opcodes that begin with 0F; returns the op. */
uint8_t classify_0f(struct insn *insn, const struct code *code);

/* Each adds one operand behind those there are. */
void add_gpr(struct insn *insn, const struct code *code, uint8_t reg,
	     uint8_t size);
void add_rm(struct insn *insn, const struct code *code, uint16_t size);
void add_imm(struct insn *insn, const struct code *code, uint8_t size);

static inline void set_access(struct insn *insn, unsigned int nr, bool read,
			      bool write)
{
	insn->operand[nr].read = read;
	insn->operand[nr].write = write;
}

/* Most opcodes come in pairs: the even one is the byte form. */
static inline uint8_t code_width(const struct code *code)
{
	return code->opcode & 1 ? code->opsize : 1;
}

/* CMP, TEST, BT: all they change is flags. */
static inline bool op_only_looks(uint8_t op)
{
	return op == OP_CMP || op == OP_TEST || op == OP_BT;
}

/* `reg, rm`, where rm has its own size and is read; returns op. */
uint8_t reg_rm(struct insn *insn, const struct code *code, uint8_t op,
	       uint8_t size, uint8_t from);

/* `rm, reg` or `rm` with rm read and written; both return op. */
uint8_t rm_reg(struct insn *insn, const struct code *code, uint8_t op,
	       uint8_t size);
uint8_t rm_only(struct insn *insn, const struct code *code, uint8_t op,
		uint8_t size);

/* OP_OTHER, with the memory operand ModRM names if it names one. */
uint8_t other(struct insn *insn, const struct code *code, bool read,
	      bool write);

#endif
