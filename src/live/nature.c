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
	case 0x60: /* PUSHA, POPA */
	case 0x61:
		ret->stack = true;
		ret->stack_often = true;
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

/*
 * With MEM hooks, Unicorn writes rip before loads and stores of its own code
 * (gen_op_ld_v, gen_op_st_v in its target/i386/translate.c).  What goes through
 * a helper, an atomic operation, or vector and x87 registers is not in these.
 */
static bool is_stamped_one_byte(const struct code *code)
{
	uint8_t op = code->opcode;

	if (op < 0x40)
		return (op & 7) < 6;
	if (op == 0x86 || op == 0x87) /* XCHG is atomic */
		return false;
	if (op == 0xff)
		return (code->reg & 7) != 3 && (code->reg & 7) != 5;
	return (op >= 0x50 && op <= 0x5f) || op == 0x63 || op == 0x68 ||
	       op == 0x69 || op == 0x6a || op == 0x6b ||
	       (op >= 0x80 && op <= 0x8b) || op == 0x8d || op == 0x8f ||
	       op == 0x9c || op == 0x9d || (op >= 0xa0 && op <= 0xa7) ||
	       (op >= 0xaa && op <= 0xaf) || op == 0xc0 || op == 0xc1 ||
	       op == 0xc2 || op == 0xc3 || op == 0xc6 || op == 0xc7 ||
	       op == 0xc9 || (op >= 0xd0 && op <= 0xd3) || op == 0xe8 ||
	       op == 0xf6 || op == 0xf7 || op == 0xfe;
}

static bool is_stamped_two_bytes(uint8_t op)
{
	return op == 0x0d || op == 0x18 || op == 0x1f || /* none at all */
	       (op >= 0x40 && op <= 0x4f) || (op >= 0x90 && op <= 0x9f) ||
	       op == 0xa3 || op == 0xa4 || op == 0xa5 || op == 0xab ||
	       op == 0xac || op == 0xad || op == 0xaf || op == 0xb0 ||
	       op == 0xb1 || op == 0xb3 || op == 0xb6 || op == 0xb7 ||
	       op == 0xba || op == 0xbb || op == 0xbc || op == 0xbd ||
	       op == 0xbe || op == 0xbf || op == 0xc0 || op == 0xc1;
}

static bool is_stamped(const struct code *code)
{
	if (code->lock)
		return false;
	if (code->map == MAP_1)
		return is_stamped_one_byte(code);
	return code->map == MAP_0F && is_stamped_two_bytes(code->opcode);
}

static bool has_access(const struct code *code, const struct nature *nature)
{
	return code->is_mem || nature->stack || nature->frame ||
	       nature->descriptors || nature->xlat || nature->maskmov;
}

/*
 * A quotient too large, reserved bits of MXCSR, a branch to an address that is
 * not canonical.
 */
static bool is_late(const struct code *code)
{
	unsigned int reg = code->reg & 7;

	if (code->map == MAP_0F)
		return code->opcode == 0xae && reg == 2; /* LDMXCSR */
	if (code->map != MAP_1)
		return false;
	switch (code->opcode) {
	case 0xc2: /* RET, CALL */
	case 0xc3:
	case 0xe8:
		return true;
	case 0xf6: /* DIV, IDIV */
	case 0xf7:
		return reg == 6 || reg == 7;
	case 0xff: /* CALL, JMP */
		return reg == 2 || reg == 4;
	default:
		return false;
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
	ret.late = is_late(&code);
	ret.unstamped = has_access(&code, &ret) && !is_stamped(&code);
	return ret;
}
