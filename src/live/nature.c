/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/nature.h"

#include "live/code.h"
#include "live/shape.h"

/* Group 5: FF /2 CALL, /3 far CALL, /5 far JMP, /6 PUSH. */
static void group5(struct nature *ret, unsigned int reg)
{
	ret->stack = reg == 2 || reg == 3 || reg == 6;
	ret->descriptors = ret->far = reg == 3 || reg == 5;
}

static void one_byte(struct nature *ret, const struct code *code)
{
	switch (code->opcode) {
	case 0x07: /* POP ES, SS, DS */
	case 0x17:
	case 0x1f:
		ret->descriptors = true;
		ret->stack = true;
		break;
	case 0x06: /* PUSH ES, CS, SS, DS */
	case 0x0e:
	case 0x16:
	case 0x1e:
	case 0x60: /* PUSHA, POPA */
	case 0x61:
	case 0x68: /* PUSH imm */
	case 0x6a:
	case 0x8f: /* POP */
	case 0x9c: /* PUSHF, POPF */
	case 0x9d:
	case 0xc2: /* RET */
	case 0xc3:
	case 0xe8: /* CALL */
		ret->stack = true;
		break;
	case 0xc8: /* ENTER, LEAVE */
	case 0xc9:
		ret->stack = true;
		ret->frame = true;
		break;
	case 0x8e: /* MOV to a segment register, LES, LDS */
	case 0xc4:
	case 0xc5:
		ret->descriptors = true;
		break;
	case 0x9a: /* far CALL, RET, JMP; IRET */
	case 0xca:
	case 0xcb:
	case 0xcf:
	case 0xea:
		ret->stack = true;
		ret->descriptors = true;
		ret->far = true;
		break;
	case 0xd7:
		ret->xlat = true;
		break;
	case 0xff:
		group5(ret, code->reg & 7);
		break;
	default:
		ret->stack = code->opcode >= 0x50 && code->opcode <= 0x5f;
		break;
	}
}

static void two_bytes(struct nature *ret, const struct code *code)
{
	switch (code->opcode) {
	case 0x00: /* LLDT, LTR, VERR, VERW; LAR, LSL; LSS, LFS, LGS */
	case 0x02:
	case 0x03:
	case 0xb2:
	case 0xb4:
	case 0xb5:
		ret->descriptors = true;
		break;
	case 0xa0: /* PUSH FS, GS */
	case 0xa8:
		ret->stack = true;
		break;
	case 0xa1: /* POP FS, GS */
	case 0xa9:
		ret->stack = true;
		ret->descriptors = true;
		break;
	case 0xf7:
		ret->maskmov = true;
		break;
	default:
		break;
	}
}

struct nature nature_of(enum code_mode mode, const uint8_t *bytes, size_t n)
{
	struct nature ret = {0};
	struct code code;

	ret.rep_string = shape_of(mode, bytes, n).rep_string;
	if (!code_parse(mode, bytes, n, &code))
		return ret;
	if (code.map == MAP_1)
		one_byte(&ret, &code);
	else if (code.map == MAP_0F)
		two_bytes(&ret, &code);
	return ret;
}
