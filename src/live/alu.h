/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Integer arithmetic as instructions do it: results and flags.  Pure.
 * SDM vol. 2, each under its instruction's name.  A flag that the manual
 * leaves undefined is left as it was.
 */
#ifndef NOTRAP_LIVE_ALU_H
#define NOTRAP_LIVE_ALU_H

#include "live/decode.h"

#define ALU_CF BIT(0)
#define ALU_PF BIT(2)
#define ALU_AF BIT(4)
#define ALU_ZF BIT(6)
#define ALU_SF BIT(7)
#define ALU_OF BIT(11)

#define ALU_FLAGS (ALU_CF | ALU_PF | ALU_AF | ALU_ZF | ALU_SF | ALU_OF)

/*
 * op: OP_ADD..OP_XOR, OP_INC..OP_NEG (b is ignored), OP_BTS..OP_BTC (b: bit
 * number), OP_ROL..OP_SAR (b: count).  size: 1, 2, 4, 8; operands and result
 * are zero-extended from it.  *rflags is read and updated.
 */
uint64_t alu(uint8_t op, unsigned int size, uint64_t a, uint64_t b,
	     uint64_t *rflags);

/* a - b for its flags alone, as CMP. */
void alu_compare(unsigned int size, uint64_t a, uint64_t b, uint64_t *rflags);

/* Condition 0..15 of Jcc, SETcc, CMOVcc. */
bool alu_condition(uint8_t cond, uint64_t rflags);

#endif
