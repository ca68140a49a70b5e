/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of one instruction taken apart: prefixes, opcode, ModRM, SIB,
 * displacement, immediate.  SDM vol. 2, "Instruction Format" and "Opcode Map".
 *
 * Knows the shape of every opcode but the meaning of none; EVEX is left out
 * (no processor we model has it).
 */
#ifndef NOTRAP_LIVE_CODE_H
#define NOTRAP_LIVE_CODE_H

#include "live/decode.h"

enum code_map {
	MAP_1,    /* one opcode byte */
	MAP_0F,   /* 0F xx */
	MAP_0F38, /* 0F 38 xx */
	MAP_0F3A, /* 0F 3A xx */
};

#define REX_B BIT(0)
#define REX_X BIT(1)
#define REX_R BIT(2)
#define REX_W BIT(3)

struct code {
	enum code_mode mode;
	uint8_t length;
	uint8_t map;
	uint8_t opcode;
	bool lock, rep, repne; /* F0, F3, F2 */
	bool osize, asize;     /* 66, 67 */
	bool vex;
	bool has_rex;
	uint8_t rex;    /* low four bits */
	uint8_t seg;    /* override that counts, or MEM_REG_NONE */
	uint8_t opsize; /* 2, 4, 8 */
	uint8_t adsize; /* 2, 4, 8 */
	bool has_modrm;
	bool is_mem; /* ModRM names memory: mem is filled in */
	uint8_t mod;
	uint8_t reg; /* REX.R applied */
	uint8_t rm;  /* REX.B applied; of a register operand */
	struct mem_ref mem;
	uint8_t imm_size; /* 0: none */
	int64_t imm;      /* sign-extended from imm_size */
};

/* False: no such instruction in this mode, or it does not fit in n bytes. */
bool code_parse(enum code_mode mode, const uint8_t *bytes, size_t n,
		struct code *ret);

#endif
