/* SPDX-License-Identifier: GPL-2.0-or-later */
/* classify.c for the opcodes that begin with 0F. */
#include "live/classify.h"

static uint8_t modrm_byte(const struct code *code)
{
	return (uint8_t)(code->mod << 6 | (code->reg & 7) << 3 |
			 (code->rm & 7));
}

/* 0F 01 with a memory operand. */
static uint8_t classify_0f01_mem(struct insn *insn, const struct code *code)
{
	switch (code->reg & 7) {
	case 0: /* SGDT, SIDT */
	case 1:
		return other(insn, code, false, true);
	case 2: /* LGDT, LIDT */
	case 3:
		other(insn, code, true, false);
		return code->mode == CODE_64 ? OP_LGDT : OP_OTHER;
	case 4:
		add_rm(insn, code, 2);
		insn->operand[0].write = true;
		return OP_SMSW;
	case 6:
		add_rm(insn, code, 2);
		insn->operand[0].read = true;
		return OP_LMSW;
	case 7:
		add_rm(insn, code, 1);
		return OP_INVLPG;
	default:
		return other(insn, code, true, false);
	}
}

/* 0F 01 where ModRM is part of the opcode. */
static uint8_t classify_0f01_reg(struct insn *insn, const struct code *code)
{
	uint8_t modrm = modrm_byte(code);

	if ((code->reg & 7) == 4) {
		add_rm(insn, code, code->opsize);
		insn->operand[0].write = true;
		return OP_SMSW;
	}
	if ((code->reg & 7) == 6) {
		add_rm(insn, code, 2);
		insn->operand[0].read = true;
		return OP_LMSW;
	}
	if (modrm >= 0xd8 && modrm <= 0xdf) /* SVM */
		return OP_ABSENT;
	switch (modrm) {
	case 0xc1:
		return OP_VMCALL;
	case 0xc0: /* ENCLV, VMLAUNCH, VMRESUME, VMXOFF */
	case 0xc2:
	case 0xc3:
	case 0xc4:
	case 0xc8: /* MONITOR, MWAIT, ENCLS, VMFUNC */
	case 0xc9:
	case 0xcf:
	case 0xd0: /* XGETBV, XSETBV */
	case 0xd1:
	case 0xd4:
	case 0xfa: /* MONITORX, MWAITX, CLZERO */
	case 0xfb:
	case 0xfc:
		return OP_ABSENT;
	case 0xef:
		return code->osize || code->rep || code->repne ? OP_ABSENT
							       : OP_WRPKRU;
	case 0xf9:
		return OP_RDTSCP;
	default:
		return OP_OTHER;
	}
}

static uint8_t classify_mov_crdr(struct insn *insn, const struct code *code)
{
	bool to = code->opcode & 2;

	insn->cr = code->reg;
	insn->reg = code->rm;
	insn->opsize = code->mode == CODE_64 ? 8 : 4;
	if (code->opcode & 1)
		return to ? OP_MOV_TO_DR : OP_MOV_FROM_DR;
	return to ? OP_MOV_TO_CR : OP_MOV_FROM_CR;
}

/* BT, BTS, BTR, BTC by the two bits that tell them apart. */
static uint8_t classify_bt(struct insn *insn, const struct code *code,
			   unsigned int which, bool imm)
{
	static const uint8_t op[4] = {OP_BT, OP_BTS, OP_BTR, OP_BTC};

	if (imm) {
		rm_only(insn, code, op[which], code->opsize);
		add_imm(insn, code, 1);
	} else {
		rm_reg(insn, code, op[which], code->opsize);
		insn->bit_string = code->is_mem;
	}
	insn->operand[0].write = which != 0;
	return op[which];
}

/* C7 */
static uint8_t classify_group9(struct insn *insn, const struct code *code)
{
	switch (code->reg & 7) {
	case 1:
		if (!code->is_mem)
			return OP_OTHER;
		return rm_only(insn, code, OP_CMPXCHG8B,
			       code->rex & REX_W ? 16 : 8);
	case 4: /* XSAVEC, XSAVES */
	case 5:
		return other(insn, code, false, true);
	case 6: /* RDRAND, VMPTRLD...; RDSEED, RDPID, VMPTRST */
	case 7:
		return OP_ABSENT;
	default:
		return other(insn, code, true, false);
	}
}

/* SSE and MMX opcodes whose memory operand is only written. */
static bool is_vector_store(const struct code *code)
{
	switch (code->opcode) {
	case 0x11:
	case 0x13:
	case 0x17:
	case 0x29:
	case 0x2b:
	case 0x7f:
	case 0xd6:
	case 0xe7:
		return true;
	case 0x7e: /* F3: a load */
		return !code->rep;
	default:
		return false;
	}
}

static uint8_t classify_locked(struct insn *insn, const struct code *code)
{
	switch (code->opcode) {
	case 0xa3:
		return classify_bt(insn, code, 0, false);
	case 0xab:
		return classify_bt(insn, code, 1, false);
	case 0xb3:
		return classify_bt(insn, code, 2, false);
	case 0xbb:
		return classify_bt(insn, code, 3, false);
	case 0xba:
		if ((code->reg & 7) < 4)
			return OP_OTHER;
		return classify_bt(insn, code, code->reg & 3, true);
	case 0xa4: /* SHLD, SHRD */
	case 0xa5:
	case 0xac:
	case 0xad:
		return rm_reg(insn, code, OP_OTHER, code->opsize);
	case 0xb0:
	case 0xb1:
		return rm_reg(insn, code, OP_CMPXCHG, code_width(code));
	case 0xb6:
	case 0xb7:
		return reg_rm(insn, code, OP_MOVZX, code->opsize,
			      1 + (code->opcode & 1));
	case 0xbe:
	case 0xbf:
		return reg_rm(insn, code, OP_MOVSX, code->opsize,
			      1 + (code->opcode & 1));
	case 0xc0:
	case 0xc1:
		return rm_reg(insn, code, OP_XADD, code_width(code));
	case 0xc7:
		return classify_group9(insn, code);
	default:
		return other(insn, code, !is_vector_store(code),
			     is_vector_store(code));
	}
}

/* SLDT, STR store; the others read. */
static uint8_t classify_0f00(struct insn *insn, const struct code *code)
{
	if ((code->reg & 7) != 3)
		return other(insn, code, (code->reg & 7) > 1,
			     (code->reg & 7) < 2);
	add_rm(insn, code, 2);
	set_access(insn, 0, true, false);
	return OP_LTR;
}

/* FXSAVE, STMXCSR, XSAVE, XSAVEOPT store. */
static uint8_t classify_0fae(struct insn *insn, const struct code *code)
{
	bool write = (0x59 >> (code->reg & 7)) & 1 && !code->osize;
	uint8_t op = other(insn, code, !write, write);

	if (!code->is_mem)
		return op;
	switch (code->reg & 7) {
	case 1: /* FXRSTOR */
		return OP_LOAD_MXCSR;
	case 2: /* LDMXCSR */
		insn->operand[0].size = 4;
		return OP_LOAD_MXCSR;
	default:
		return op;
	}
}

static uint8_t classify_system(struct insn *insn, const struct code *code)
{
	switch (code->opcode) {
	case 0x00:
		return classify_0f00(insn, code);
	case 0x01:
		return code->is_mem ? classify_0f01_mem(insn, code)
				    : classify_0f01_reg(insn, code);
	case 0x05:
		return OP_SYSCALL;
	case 0x06:
		return OP_CLTS;
	case 0x07:
		return OP_SYSRET;
	case 0x08:
		return OP_INVD;
	case 0x09:
		return OP_WBINVD;
	case 0x30:
		return OP_WRMSR;
	case 0x31:
		return OP_RDTSC;
	case 0x32:
		return OP_RDMSR;
	case 0x33:
		return OP_RDPMC;
	case 0x34:
		return OP_SYSENTER;
	case 0x35:
		return OP_SYSEXIT;
	case 0x37: /* GETSEC, VMREAD, VMWRITE, RSM */
	case 0x78:
	case 0x79:
	case 0xaa:
		return OP_ABSENT;
	case 0xa2:
		return OP_CPUID;
	default:
		return OP_INVALID; /* not of this group */
	}
}

uint8_t classify_0f(struct insn *insn, const struct code *code)
{
	uint8_t op = classify_system(insn, code);

	if (op != OP_INVALID)
		return op;
	if (code->opcode >= 0x20 && code->opcode <= 0x23)
		return classify_mov_crdr(insn, code);
	if ((code->opcode & 0xf0) == 0x90) {
		insn->cond = code->opcode & 0xf;
		add_rm(insn, code, 1);
		insn->operand[0].write = true;
		return OP_SETCC;
	}
	if (code->opcode == 0xc3) { /* MOVNTI */
		if (!code->is_mem || code->rep || code->repne || code->osize)
			return OP_OTHER;
		add_rm(insn, code, code->opsize);
		add_gpr(insn, code, code->reg, code->opsize);
		set_access(insn, 0, false, true);
		insn->operand[1].read = true;
		return OP_MOV;
	}
	if (code->opcode == 0xae)
		return classify_0fae(insn, code);
	return classify_locked(insn, code);
}
