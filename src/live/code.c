/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking instruction bytes apart.  One table a map says what follows the
 * opcode; everything else is the general format of x86 instructions.
 */
#include "live/code.h"

#include <string.h>

/* What follows an opcode. */
#define F_M     0x01 /* ModRM */
#define F_I8    0x02 /* immediate: 1 byte */
#define F_IZ    0x04 /* 2 or 4 bytes, by operand size */
#define F_IW    0x08 /* 2 bytes */
#define F_IV    0x10 /* 2, 4 or 8 bytes */
#define F_MOFFS 0x20 /* an address, by address size */
#define F_NO64  0x40 /* not in 64-bit mode */
#define F_UD    0x80 /* nobody's opcode (or a prefix, handled before) */

/* The tables' cells; Q, K, X and P exist outside 64-bit mode only. */
#define M  F_M
#define MB (F_M | F_I8)
#define MZ (F_M | F_IZ)
#define B  F_I8
#define Z  F_IZ
#define W  F_IW
#define V  F_IV
#define A  F_MOFFS
#define E  (F_IW | F_I8) /* ENTER */
#define N  F_NO64
#define Q  (F_M | F_NO64)
#define K  (F_I8 | F_NO64)
#define X  (F_M | F_I8 | F_NO64)
#define P  (F_IZ | F_IW | F_NO64) /* a far pointer */
#define U  F_UD

/* clang-format off */
static const uint8_t map_1[256] = {
	/*      0   1   2   3   4   5   6   7   8   9   a   b   c   d   e   f */
	/* 0 */ M,  M,  M,  M,  B,  Z,  N,  N,  M,  M,  M,  M,  B,  Z,  N,  U,
	/* 1 */ M,  M,  M,  M,  B,  Z,  N,  N,  M,  M,  M,  M,  B,  Z,  N,  N,
	/* 2 */ M,  M,  M,  M,  B,  Z,  U,  N,  M,  M,  M,  M,  B,  Z,  U,  N,
	/* 3 */ M,  M,  M,  M,  B,  Z,  U,  N,  M,  M,  M,  M,  B,  Z,  U,  N,
	/* 4 */ 0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
	/* 5 */ 0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
	/* 6 */ N,  N,  Q,  M,  U,  U,  U,  U,  Z,  MZ, B,  MB, 0,  0,  0,  0,
	/* 7 */ B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,  B,
	/* 8 */ MB, MZ, X,  MB, M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,
	/* 9 */ 0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  P,  0,  0,  0,  0,  0,
	/* a */ A,  A,  A,  A,  0,  0,  0,  0,  B,  Z,  0,  0,  0,  0,  0,  0,
	/* b */ B,  B,  B,  B,  B,  B,  B,  B,  V,  V,  V,  V,  V,  V,  V,  V,
	/* c */ MB, MB, W,  0,  Q,  Q,  MB, MZ, E,  0,  W,  0,  0,  B,  N,  0,
	/* d */ M,  M,  M,  M,  K,  K,  N,  0,  M,  M,  M,  M,  M,  M,  M,  M,
	/* e */ B,  B,  B,  B,  B,  B,  B,  B,  Z,  Z,  P,  B,  0,  0,  0,  0,
	/* f */ U,  0,  U,  U,  0,  0,  M,  M,  0,  0,  0,  0,  0,  0,  M,  M,
};

static const uint8_t map_0f[256] = {
	/*      0   1   2   3   4   5   6   7   8   9   a   b   c   d   e   f */
	/* 0 */ M,  M,  M,  M,  U,  0,  0,  0,  0,  0,  U,  0,  U,  M,  0,  MB,
	/* 1 */ M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,
	/* 2 */ M,  M,  M,  M,  U,  U,  U,  U,  M,  M,  M,  M,  M,  M,  M,  M,
	/* 3 */ 0,  0,  0,  0,  0,  0,  U,  0,  U,  U,  U,  U,  U,  U,  U,  U,
	/* 4 */ M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,
	/* 5 */ M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,
	/* 6 */ M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,
	/* 7 */ MB, MB, MB, MB, M,  M,  M,  0,  M,  M,  U,  U,  M,  M,  M,  M,
	/* 8 */ Z,  Z,  Z,  Z,  Z,  Z,  Z,  Z,  Z,  Z,  Z,  Z,  Z,  Z,  Z,  Z,
	/* 9 */ M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,
	/* a */ 0,  0,  0,  M,  MB, M,  U,  U,  0,  0,  0,  M,  MB, M,  M,  M,
	/* b */ M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  MB, M,  M,  M,  M,  M,
	/* c */ M,  M,  MB, M,  MB, MB, MB, M,  0,  0,  0,  0,  0,  0,  0,  0,
	/* d */ M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,
	/* e */ M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,
	/* f */ M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,  M,
};
/* clang-format on */

struct cursor {
	const uint8_t *bytes;
	size_t n;
	size_t pos;
	bool short_of; /* bytes ran out */
};

static uint8_t take_u8(struct cursor *cur)
{
	if (cur->pos >= cur->n) {
		cur->short_of = true;
		return 0;
	}
	return cur->bytes[cur->pos++];
}

/* Little-endian, sign-extended. */
static int64_t take_signed(struct cursor *cur, unsigned int size)
{
	unsigned int shift = 64 - 8 * size;
	uint64_t val = 0;

	for (unsigned int i = 0; i < size; i++)
		val |= (uint64_t)take_u8(cur) << (8 * i);
	return (int64_t)(val << shift) >> shift;
}

static bool take_legacy_prefix(struct code *code, uint8_t byte)
{
	switch (byte) {
	case 0x66:
		code->osize = true;
		return true;
	case 0x67:
		code->asize = true;
		return true;
	case 0xf0:
		code->lock = true;
		return true;
	case 0xf2:
		code->repne = true;
		code->rep = false;
		return true;
	case 0xf3:
		code->rep = true;
		code->repne = false;
		return true;
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
		/* 64-bit mode ignores these four. */
		if (code->mode != CODE_64)
			code->seg = (byte >> 3) & 3;
		return true;
	case 0x64:
		code->seg = SEG_FS;
		return true;
	case 0x65:
		code->seg = SEG_GS;
		return true;
	default:
		return false;
	}
}

_Static_assert(SEG_ES == 0 && SEG_CS == 1 && SEG_SS == 2 && SEG_DS == 3,
	       "bits 4:3 of the prefixes 26, 2E, 36, 3E name the segment");

/* REX counts only directly before the opcode. */
static bool take_prefix(struct code *code, uint8_t byte)
{
	if (take_legacy_prefix(code, byte)) {
		code->has_rex = false;
		code->rex = 0;
		return true;
	}
	if (code->mode != CODE_64 || (byte & 0xf0) != 0x40)
		return false;
	code->has_rex = true;
	code->rex = byte & 0xf;
	return true;
}

static void take_prefixes(struct code *code, struct cursor *cur)
{
	while (cur->pos < cur->n && take_prefix(code, cur->bytes[cur->pos]))
		cur->pos++;
}

/*
 * C4 and C5 are VEX prefixes in 64-bit mode, and elsewhere if LES or LDS
 * would have had a register operand; not in 16-bit code, as real mode and
 * virtual-8086 mode have no VEX.
 */
static bool is_vex(const struct code *code, const struct cursor *cur,
		   uint8_t byte)
{
	if (byte != 0xc4 && byte != 0xc5)
		return false;
	if (code->mode == CODE_64)
		return true;
	return code->mode == CODE_32 && cur->pos < cur->n &&
	       cur->bytes[cur->pos] >= 0xc0;
}

static bool take_vex(struct code *code, struct cursor *cur, uint8_t first)
{
	uint8_t b1 = take_u8(cur);
	uint8_t b2 = b1; /* the byte with W, vvvv, L, pp */

	if (code->has_rex || code->osize || code->rep || code->repne ||
	    code->lock)
		return false;
	code->vex = true;
	code->has_rex = true;
	code->map = MAP_0F;
	code->rex = b1 & 0x80 ? 0 : REX_R;
	if (first == 0xc4) {
		code->rex |= (uint8_t)((b1 & 0x40 ? 0 : REX_X) |
				       (b1 & 0x20 ? 0 : REX_B));
		b2 = take_u8(cur);
		if (b2 & 0x80)
			code->rex |= REX_W;
		switch (b1 & 0x1f) {
		case 1:
			break;
		case 2:
			code->map = MAP_0F38;
			break;
		case 3:
			code->map = MAP_0F3A;
			break;
		default:
			return false;
		}
	}
	code->osize = (b2 & 3) == 1;
	code->rep = (b2 & 3) == 2;
	code->repne = (b2 & 3) == 3;
	code->opcode = take_u8(cur);
	return true;
}

static bool take_opcode(struct code *code, struct cursor *cur)
{
	uint8_t byte = take_u8(cur);

	if (is_vex(code, cur, byte))
		return take_vex(code, cur, byte);
	code->map = MAP_1;
	if (byte == 0x0f) {
		code->map = MAP_0F;
		byte = take_u8(cur);
		if (byte == 0x38 || byte == 0x3a) {
			code->map = byte == 0x38 ? MAP_0F38 : MAP_0F3A;
			byte = take_u8(cur);
		}
	}
	code->opcode = byte;
	return true;
}

static uint8_t code_shape(const struct code *code)
{
	switch (code->map) {
	case MAP_1:
		return map_1[code->opcode];
	case MAP_0F:
		/* SSE4A's EXTRQ and INSERTQ with two immediates. */
		if (code->opcode == 0x78 && (code->osize || code->repne))
			return F_M | F_IW;
		return map_0f[code->opcode];
	case MAP_0F38:
		return M;
	default:
		return MB;
	}
}

static void set_sizes(struct code *code)
{
	switch (code->mode) {
	case CODE_16:
		code->opsize = code->osize ? 4 : 2;
		code->adsize = code->asize ? 4 : 2;
		return;
	case CODE_32:
		code->opsize = code->osize ? 2 : 4;
		code->adsize = code->asize ? 2 : 4;
		return;
	case CODE_64:
		code->opsize = code->rex & REX_W ? 8 : code->osize ? 2 : 4;
		code->adsize = code->asize ? 4 : 8;
		return;
	}
}

/* SDM vol. 2A, "16-Bit Addressing Forms with the ModR/M Byte". */
static void take_mem16(struct code *code, struct cursor *cur)
{
	static const uint8_t base[8] = {GPR_RBX, GPR_RBX, GPR_RBP, GPR_RBP,
					GPR_RSI, GPR_RDI, GPR_RBP, GPR_RBX};
	static const uint8_t index[8] = {
		GPR_RSI,      GPR_RDI,      GPR_RSI,      GPR_RDI,
		MEM_REG_NONE, MEM_REG_NONE, MEM_REG_NONE, MEM_REG_NONE};
	unsigned int rm = code->rm & 7;

	code->mem.base = base[rm];
	code->mem.index = index[rm];
	code->mem.scale = 1;
	if (code->mod == 0 && rm == 6)
		code->mem.base = MEM_REG_NONE;
	if (code->mod == 1)
		code->mem.disp = take_signed(cur, 1);
	else if (code->mod == 2 || code->mem.base == MEM_REG_NONE)
		code->mem.disp = take_signed(cur, 2);
}

static void take_sib(struct code *code, struct cursor *cur)
{
	uint8_t sib = take_u8(cur);
	uint8_t index = (uint8_t)((sib >> 3 & 7) | (code->rex & REX_X ? 8 : 0));

	code->mem.scale = (uint8_t)(1 << (sib >> 6));
	code->mem.index = index == GPR_RSP ? MEM_REG_NONE : index;
	code->mem.base = (uint8_t)((sib & 7) | (code->rex & REX_B ? 8 : 0));
	if ((sib & 7) == GPR_RBP && code->mod == 0)
		code->mem.base = MEM_REG_NONE;
}

static void take_mem32(struct code *code, struct cursor *cur)
{
	bool disp32 = code->mod == 2;

	code->mem.base = code->rm;
	code->mem.index = MEM_REG_NONE;
	code->mem.scale = 1;
	if ((code->rm & 7) == GPR_RSP) {
		take_sib(code, cur);
		disp32 |= code->mem.base == MEM_REG_NONE;
	} else if ((code->rm & 7) == GPR_RBP && code->mod == 0) {
		code->mem.base =
			code->mode == CODE_64 ? MEM_REG_RIP : MEM_REG_NONE;
		disp32 = true;
	}
	if (disp32)
		code->mem.disp = take_signed(cur, 4);
	else if (code->mod == 1)
		code->mem.disp = take_signed(cur, 1);
}

static uint8_t default_seg(const struct mem_ref *mem)
{
	return mem->base == GPR_RBP || mem->base == GPR_RSP ? SEG_SS : SEG_DS;
}

/* MOV CR and MOV DR take ModRM as two registers, whatever its mod field. */
static bool modrm_is_always_register(const struct code *code)
{
	return code->map == MAP_0F && code->opcode >= 0x20 &&
	       code->opcode <= 0x23;
}

static void take_modrm(struct code *code, struct cursor *cur)
{
	uint8_t modrm = take_u8(cur);

	code->has_modrm = true;
	code->mod = modrm >> 6;
	code->reg = (uint8_t)((modrm >> 3 & 7) | (code->rex & REX_R ? 8 : 0));
	code->rm = (uint8_t)((modrm & 7) | (code->rex & REX_B ? 8 : 0));
	if (code->mod == 3 || modrm_is_always_register(code))
		return;

	code->is_mem = true;
	if (code->adsize == 2)
		take_mem16(code, cur);
	else
		take_mem32(code, cur);
	code->mem.seg =
		code->seg != MEM_REG_NONE ? code->seg : default_seg(&code->mem);
}

/* Group 3 (F6, F7): TEST has an immediate, the others have none. */
static uint8_t add_group3_imm(const struct code *code, uint8_t shape)
{
	if (code->map != MAP_1 || (code->reg & 7) > 1)
		return shape;
	if (code->opcode == 0xf6)
		return shape | F_I8;
	return code->opcode == 0xf7 ? shape | F_IZ : shape;
}

/*
 * A near branch with prefix 66 in 64-bit code has a 16-bit offset on AMD's
 * processors and in Unicorn, which we have to agree with; Intel's ignore it.
 */
static void take_imm(struct code *code, struct cursor *cur, uint8_t shape)
{
	uint8_t size = 0;

	if (shape & F_IV)
		size = code->opsize;
	else if (shape & F_IZ)
		size = code->opsize == 2 ? 2 : 4;
	else if (shape & F_IW)
		size = 2;
	else if (shape & F_I8)
		size = 1;
	else if (shape & F_MOFFS)
		size = code->adsize;
	if (!size)
		return;
	code->imm_size = size;
	code->imm = take_signed(cur, size);
	/* The second of two: a far pointer's selector, ENTER's level. */
	if ((shape & P) == P)
		take_signed(cur, 2);
	if ((shape & E) == E)
		take_signed(cur, 1);
}

bool code_parse(enum code_mode mode, const uint8_t *bytes, size_t n,
		struct code *ret)
{
	struct cursor cur = {bytes, min_u64(n, INSN_BYTES_MAX), 0, false};
	struct code code = {.mode = mode, .seg = MEM_REG_NONE};
	uint8_t shape;

	take_prefixes(&code, &cur);
	if (!take_opcode(&code, &cur))
		return false;
	set_sizes(&code);
	shape = code_shape(&code);
	if (shape & F_UD || (shape & F_NO64 && mode == CODE_64))
		return false;
	if (shape & F_M) {
		take_modrm(&code, &cur);
		shape = add_group3_imm(&code, shape);
	}
	take_imm(&code, &cur, shape);
	if (cur.short_of)
		return false;
	code.length = (uint8_t)cur.pos;
	*ret = code;
	return true;
}
