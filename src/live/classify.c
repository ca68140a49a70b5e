/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From opcode to meaning, for the instructions src/live cares about: the
 * sensitive ones, those the emulator does, and every read-modify-write.
 */
#include "live/classify.h"

static struct operand *add_operand(struct insn *insn, uint8_t type,
				   uint16_t size)
{
	struct operand *op = &insn->operand[insn->nr_operands++];

	*op = (struct operand){.type = type, .size = size};
	return op;
}

void add_gpr(struct insn *insn, const struct code *code, uint8_t reg,
	     uint8_t size)
{
	struct operand *op = add_operand(insn, OPERAND_GPR, size);

	op->high = size == 1 && !code->has_rex && reg >= 4 && reg < 8;
	op->reg = op->high ? reg & 3 : reg;
}

/* The operand ModRM.rm names. */
void add_rm(struct insn *insn, const struct code *code, uint16_t size)
{
	struct operand *op;

	if (!code->is_mem) {
		add_gpr(insn, code, code->rm, (uint8_t)size);
		return;
	}
	op = add_operand(insn, OPERAND_MEM, size);
	op->mem = code->mem;
}

void add_imm(struct insn *insn, const struct code *code, uint8_t size)
{
	add_operand(insn, OPERAND_IMM, size)->imm = code->imm;
}

static void add_const(struct insn *insn, int64_t imm)
{
	add_operand(insn, OPERAND_IMM, 1)->imm = imm;
}

/* DS:rSI (overridable) or ES:rDI. */
static void add_string_mem(struct insn *insn, const struct code *code,
			   uint8_t reg, uint8_t size)
{
	struct operand *op = add_operand(insn, OPERAND_MEM, size);
	uint8_t seg = code->seg != MEM_REG_NONE ? code->seg : SEG_DS;

	op->mem = (struct mem_ref){.base = reg,
				   .index = MEM_REG_NONE,
				   .scale = 1,
				   .seg = reg == GPR_RDI ? SEG_ES : seg};
}

uint8_t rm_reg(struct insn *insn, const struct code *code, uint8_t op,
	       uint8_t size)
{
	add_rm(insn, code, size);
	add_gpr(insn, code, code->reg, size);
	set_access(insn, 0, true, !op_only_looks(op));
	set_access(insn, 1, true, op == OP_XCHG || op == OP_XADD);
	return op;
}

static uint8_t rm_imm(struct insn *insn, const struct code *code, uint8_t op,
		      uint8_t size)
{
	add_rm(insn, code, size);
	add_imm(insn, code, size);
	set_access(insn, 0, true, !op_only_looks(op));
	return op;
}

uint8_t reg_rm(struct insn *insn, const struct code *code, uint8_t op,
	       uint8_t size, uint8_t from)
{
	add_gpr(insn, code, code->reg, size);
	add_rm(insn, code, from);
	set_access(insn, 0, true, !op_only_looks(op));
	set_access(insn, 1, true, false);
	return op;
}

uint8_t rm_only(struct insn *insn, const struct code *code, uint8_t op,
		uint8_t size)
{
	add_rm(insn, code, size);
	set_access(insn, 0, true, true);
	return op;
}

uint8_t other(struct insn *insn, const struct code *code, bool read, bool write)
{
	if (code->has_modrm && code->is_mem) {
		add_rm(insn, code, 0);
		set_access(insn, 0, read, write);
	}
	return OP_OTHER;
}

static const uint8_t alu_op[8] = {OP_ADD, OP_OR,  OP_ADC, OP_SBB,
				  OP_AND, OP_SUB, OP_XOR, OP_CMP};

static uint8_t classify_alu(struct insn *insn, const struct code *code)
{
	uint8_t op = alu_op[code->opcode >> 3 & 7];
	uint8_t size = code_width(code);

	switch (code->opcode & 7) {
	case 0:
	case 1:
		return rm_reg(insn, code, op, size);
	case 2:
	case 3:
		return reg_rm(insn, code, op, size, size);
	default:
		return OP_OTHER;
	}
}

/* 80, 81, 82, 83 */
static uint8_t classify_group1(struct insn *insn, const struct code *code)
{
	return rm_imm(insn, code, alu_op[code->reg & 7],
		      code->opcode == 0x82 ? 1 : code_width(code));
}

/* C0, C1, D0..D3: rotate and shift */
static uint8_t classify_group2(struct insn *insn, const struct code *code)
{
	static const uint8_t op[8] = {OP_ROL, OP_ROR, OP_OTHER, OP_OTHER,
				      OP_SHL, OP_SHR, OP_SHL,   OP_SAR};

	rm_only(insn, code, OP_OTHER, code_width(code));
	if (code->opcode < 0xd0)
		add_imm(insn, code, 1);
	else if (code->opcode < 0xd2)
		add_const(insn, 1);
	else
		add_gpr(insn, code, GPR_RCX, 1);
	return op[code->reg & 7];
}

/* F6, F7 */
static uint8_t classify_group3(struct insn *insn, const struct code *code)
{
	switch (code->reg & 7) {
	case 0:
	case 1:
		return rm_imm(insn, code, OP_TEST, code_width(code));
	case 2:
		return rm_only(insn, code, OP_NOT, code_width(code));
	case 3:
		return rm_only(insn, code, OP_NEG, code_width(code));
	default:
		rm_only(insn, code, OP_OTHER, code_width(code));
		set_access(insn, 0, true, false);
		return OP_OTHER;
	}
}

/* In 64-bit mode a push, pop or near branch is 8 bytes unless 66 makes it 2. */
static uint8_t stack_size(const struct code *code)
{
	if (code->mode == CODE_64)
		return code->osize && !(code->rex & REX_W) ? 2 : 8;
	return code->opsize;
}

/* FE, FF */
static uint8_t classify_group45(struct insn *insn, const struct code *code)
{
	switch (code->reg & 7) {
	case 0:
		return rm_only(insn, code, OP_INC, code_width(code));
	case 1:
		return rm_only(insn, code, OP_DEC, code_width(code));
	case 3:
	case 5: /* far */
		if (code->opcode == 0xfe || !code->is_mem)
			return OP_OTHER;
		add_rm(insn, code, 0);
		set_access(insn, 0, true, false);
		if (code->mode == CODE_64)
			return OP_OTHER;
		return (code->reg & 7) == 3 ? OP_FAR_CALL : OP_FAR_JMP;
	case 6:
		if (code->opcode == 0xfe)
			return OP_OTHER;
		insn->opsize = stack_size(code);
		add_rm(insn, code, insn->opsize);
		set_access(insn, 0, true, false);
		return OP_PUSH;
	default:
		return other(insn, code, true, false);
	}
}

static uint8_t push_imm(struct insn *insn, const struct code *code)
{
	insn->opsize = stack_size(code);
	add_imm(insn, code, insn->opsize);
	return OP_PUSH;
}

static uint8_t classify_mov(struct insn *insn, const struct code *code)
{
	uint8_t size = code_width(code);

	switch (code->opcode) {
	case 0x88:
	case 0x89:
		add_rm(insn, code, size);
		add_gpr(insn, code, code->reg, size);
		break;
	case 0x8a:
	case 0x8b:
		add_gpr(insn, code, code->reg, size);
		add_rm(insn, code, size);
		break;
	default: /* C6, C7; /7 with mod 3 is XABORT, XBEGIN */
		if (code->reg & 7)
			return OP_OTHER;
		add_rm(insn, code, size);
		add_imm(insn, code, size);
		break;
	}
	set_access(insn, 0, false, true);
	set_access(insn, 1, true, false);
	return OP_MOV;
}

static uint8_t classify_moffs(struct insn *insn, const struct code *code)
{
	uint8_t seg = code->seg != MEM_REG_NONE ? code->seg : SEG_DS;
	uint8_t size = code_width(code);
	struct operand *mem;

	if (code->opcode < 0xa2)
		add_gpr(insn, code, GPR_RAX, size);
	mem = add_operand(insn, OPERAND_MEM, size);
	mem->mem =
		(struct mem_ref){MEM_REG_NONE, MEM_REG_NONE, 1, seg, code->imm};
	if (code->opcode >= 0xa2)
		add_gpr(insn, code, GPR_RAX, size);
	set_access(insn, 0, false, true);
	set_access(insn, 1, true, false);
	return OP_MOV;
}

static uint8_t classify_string(struct insn *insn, const struct code *code)
{
	uint8_t size = code_width(code);

	switch (code->opcode & 0xfe) {
	case 0xa4:
		add_string_mem(insn, code, GPR_RDI, size);
		add_string_mem(insn, code, GPR_RSI, size);
		set_access(insn, 0, false, true);
		set_access(insn, 1, true, false);
		return OP_MOVS;
	case 0xaa:
		add_string_mem(insn, code, GPR_RDI, size);
		add_gpr(insn, code, GPR_RAX, size);
		set_access(insn, 0, false, true);
		return OP_STOS;
	case 0xa6: /* CMPS */
		add_string_mem(insn, code, GPR_RSI, size);
		add_string_mem(insn, code, GPR_RDI, size);
		set_access(insn, 0, true, false);
		set_access(insn, 1, true, false);
		return OP_OTHER;
	default: /* LODS, SCAS */
		add_string_mem(insn, code,
			       code->opcode >= 0xae ? GPR_RDI : GPR_RSI, size);
		set_access(insn, 0, true, false);
		return code->opcode >= 0xae ? OP_OTHER : OP_LODS;
	}
}

/* 6C..6F */
static uint8_t classify_string_io(struct insn *insn, const struct code *code)
{
	uint8_t size = (uint8_t)min_u64(code_width(code), 4);

	if (code->opcode < 0x6e) {
		add_string_mem(insn, code, GPR_RDI, size);
		insn->operand[0].write = true;
		add_gpr(insn, code, GPR_RDX, 2);
		return OP_INS;
	}
	add_gpr(insn, code, GPR_RDX, 2);
	add_string_mem(insn, code, GPR_RSI, size);
	insn->operand[1].read = true;
	return OP_OUTS;
}

/* E4..E7, EC..EF: operand 0 is the port; `reg` of the other is rAX. */
static uint8_t classify_io(struct insn *insn, const struct code *code)
{
	uint8_t size = (uint8_t)min_u64(code_width(code), 4);

	if (code->opcode & 8) {
		add_gpr(insn, code, GPR_RDX, 2);
	} else {
		add_imm(insn, code, 1);
		insn->operand[0].imm &= 0xff;
	}
	add_gpr(insn, code, GPR_RAX, size);
	return code->opcode & 2 ? OP_OUT : OP_IN;
}

/* D8..DF: rows of ModRM.reg that store. */
static uint8_t classify_x87(struct insn *insn, const struct code *code)
{
	static const uint8_t stores[8] = {0, 0xcc, 0, 0x8e, 0, 0xce, 0, 0xce};
	bool write = stores[code->opcode & 7] >> (code->reg & 7) & 1;

	return other(insn, code, !write, write);
}

static uint8_t classify_misc(struct insn *insn, const struct code *code)
{
	uint8_t opcode = code->opcode;

	if (opcode >= 0x50 && opcode < 0x58) {
		insn->opsize = stack_size(code);
		add_gpr(insn, code, (opcode & 7) | (code->rex & REX_B ? 8 : 0),
			insn->opsize);
		insn->operand[0].read = true;
		return OP_PUSH;
	}
	switch (opcode) {
	case 0x63: /* ARPL, but MOVSXD in 64-bit mode */
		if (code->mode == CODE_64)
			return reg_rm(insn, code, OP_MOVSX, code->opsize,
				      (uint8_t)min_u64(code->opsize, 4));
		return rm_reg(insn, code, OP_OTHER, 2);
	case 0x68:
	case 0x6a:
		return push_imm(insn, code);
	case 0x84:
	case 0x85:
		return rm_reg(insn, code, OP_TEST, code_width(code));
	case 0x86:
	case 0x87:
		return rm_reg(insn, code, OP_XCHG, code_width(code));
	case 0x8c: /* MOV from a segment register */
		add_rm(insn, code, code->is_mem ? 2 : code->opsize);
		set_access(insn, 0, false, true);
		return OP_OTHER;
	case 0x8f:
		if (code->reg & 7)
			return OP_OTHER;
		insn->opsize = stack_size(code);
		add_rm(insn, code, insn->opsize);
		set_access(insn, 0, false, true);
		return OP_POP;
	case 0x90: /* F3 REX.B 90 is XCHG r8, rAX */
		return code->rep && !(code->rex & REX_B) ? OP_PAUSE : OP_OTHER;
	case 0x9a:
		return OP_FAR_CALL;
	case 0xcf:
		return code->mode == CODE_64 ? OP_OTHER : OP_IRET;
	case 0xea:
		return OP_FAR_JMP;
	case 0xf1:
		return OP_INT1;
	case 0xf4:
		return OP_HLT;
	default:
		return other(insn, code, true, false);
	}
}

static uint8_t classify_map1(struct insn *insn, const struct code *code)
{
	uint8_t opcode = code->opcode;

	if (opcode < 0x40 && (opcode & 7) < 6)
		return classify_alu(insn, code);
	if (opcode >= 0x6c && opcode <= 0x6f)
		return classify_string_io(insn, code);
	if (opcode >= 0x80 && opcode <= 0x83)
		return classify_group1(insn, code);
	if ((opcode >= 0x88 && opcode <= 0x8b) || (opcode & 0xfe) == 0xc6)
		return classify_mov(insn, code);
	if (opcode >= 0xa0 && opcode <= 0xa3)
		return classify_moffs(insn, code);
	if (opcode >= 0xa4 && opcode <= 0xaf && (opcode & 0xfe) != 0xa8)
		return classify_string(insn, code);
	if ((opcode & 0xfe) == 0xc0 || (opcode & 0xfc) == 0xd0)
		return classify_group2(insn, code);
	if ((opcode & 0xf4) == 0xe4)
		return classify_io(insn, code);
	if ((opcode & 0xf8) == 0xd8)
		return classify_x87(insn, code);
	if ((opcode & 0xfe) == 0xf6)
		return classify_group3(insn, code);
	if ((opcode & 0xfe) == 0xfe)
		return classify_group45(insn, code);
	return classify_misc(insn, code);
}

static uint8_t classify_invpcid(struct insn *insn, const struct code *code)
{
	if (!code->is_mem || code->rep || code->repne)
		return OP_ABSENT;
	add_gpr(insn, code, code->reg, code->mode == CODE_64 ? 8 : 4);
	add_rm(insn, code, 16);
	set_access(insn, 0, true, false);
	set_access(insn, 1, true, false);
	return OP_INVPCID;
}

/* 0F 38, 0F 3A and what has a VEX prefix (BMI, AVX). */
static uint8_t classify_0f38(struct insn *insn, const struct code *code)
{
	bool bare = !code->vex && !code->rep && !code->repne;

	if (!code->vex && code->map == MAP_0F38) {
		/* INVEPT, INVVPID, INVPCID */
		if (code->osize && code->opcode == 0x82)
			return classify_invpcid(insn, code);
		if (code->osize && code->opcode >= 0x80 && code->opcode <= 0x82)
			return OP_ABSENT;
		if (bare && code->opcode == 0xf1) /* MOVBE to memory */
			return other(insn, code, false, true);
	}
	return other(insn, code, true, false);
}

/* SDM vol. 2, "LOCK--Assert LOCK# Signal Prefix"; else it is #UD. */
static bool may_be_locked(const struct insn *insn)
{
	const struct operand *dest = &insn->operand[0];

	return insn->op >= OP_XCHG && insn->op <= OP_BTC && insn->nr_operands &&
	       dest->type == OPERAND_MEM && dest->write;
}

_Static_assert(OP_XCHG < OP_CMPXCHG8B && OP_CMPXCHG8B < OP_ADD &&
		       OP_NEG < OP_BTS && OP_BTC + 1 == OP_ROL,
	       "what LOCK goes with lies together");

void classify(const struct code *code, struct insn *ret)
{
	*ret = (struct insn){
		.length = code->length,
		.mode = (uint8_t)code->mode,
		.opsize = code->opsize,
		.adsize = code->adsize,
		.lock = code->lock,
		.rep = code->rep,
		.repne = code->repne,
	};
	if (code->vex || code->map > MAP_0F)
		ret->op = classify_0f38(ret, code);
	else if (code->map == MAP_0F)
		ret->op = classify_0f(ret, code);
	else
		ret->op = classify_map1(ret, code);
	if (ret->lock && !may_be_locked(ret))
		ret->op = OP_ABSENT;
}
