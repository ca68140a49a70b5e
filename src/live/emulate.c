/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypervisor's emulator: fetch and decode, load, compute, store, and only
 * then change registers.
 */
#include "live/emulate.h"

#include <string.h>

#include "live/alu.h"
#include "live/exec.h"

/* Stores are of at most 8 bytes but for CMPXCHG16B. */
#define EMU_MAX 16

/*
 * An operand's bytes.  False: *status says how the instruction ends, with a
 * page fault if the guest maps nothing there.
 */
static bool emu_load(struct exec *x, gva_t gva, void *ret, uint8_t size,
		     enum insn_status *status)
{
	struct lin_ref ref = {
		.gva = gva, .access = env_access(x->env), .size = size};
	struct lin_span span;

	if (lin_peek(x->env, gva, ret, size) == size)
		return true;
	if (!lin_resolve(x->env, &ref, &span, &x->out)) {
		*status = exec_obey(x);
		return false;
	}
	env_stop(x->env, x->end, "linear 0x%llx can be read but not translated",
		 (unsigned long long)gva);
	*status = INSN_END;
	return false;
}

static bool emu_store(struct exec *x, gva_t gva, const void *bytes,
		      uint8_t size, enum insn_status *status)
{
	if (lin_store(x->env, gva, bytes, size, &x->out))
		return true;
	*status = exec_obey(x);
	return false;
}

/* The destination in memory, its linear address and its old value. */
struct dest {
	gva_t gva;
	uint8_t size;
	uint64_t old;
};

static bool load_dest(struct exec *x, struct dest *ret,
		      enum insn_status *status)
{
	const struct operand *op = &x->insn->operand[0];

	*ret = (struct dest){
		.gva = insn_linear(x->insn, op, x->env->vcpu),
		.size = (uint8_t)op->size,
	};
	return emu_load(x, ret->gva, &ret->old, ret->size, status);
}

static bool store_dest(struct exec *x, const struct dest *dest, uint64_t val,
		       enum insn_status *status)
{
	return emu_store(x, dest->gva, &val, dest->size, status);
}

static uint64_t source(const struct exec *x)
{
	const struct operand *op = &x->insn->operand[1];

	if (x->insn->nr_operands < 2)
		return 0;
	return op->type == OPERAND_IMM ? (uint64_t)op->imm
				       : gpr_read(x->env->vcpu, op);
}

static enum insn_status emu_mov(struct exec *x)
{
	const struct operand *op = &x->insn->operand[0];
	gva_t gva = insn_linear(x->insn, op, x->env->vcpu);
	uint64_t val = source(x);
	enum insn_status status;

	if (!emu_store(x, gva, &val, (uint8_t)op->size, &status))
		return status;
	return exec_advance(x);
}

static enum insn_status emu_setcc(struct exec *x)
{
	gva_t gva = insn_linear(x->insn, &x->insn->operand[0], x->env->vcpu);
	uint8_t val = alu_condition(x->insn->cond, x->env->vcpu->rflags);
	enum insn_status status;

	if (!emu_store(x, gva, &val, 1, &status))
		return status;
	return exec_advance(x);
}

static enum insn_status emu_xchg(struct exec *x)
{
	enum insn_status status;
	struct dest dest;

	if (!load_dest(x, &dest, &status) ||
	    !store_dest(x, &dest, source(x), &status))
		return status;
	gpr_write(x->env->vcpu, &x->insn->operand[1], dest.old);
	return exec_advance(x);
}

static enum insn_status emu_xadd(struct exec *x)
{
	uint64_t rflags = x->env->vcpu->rflags;
	enum insn_status status;
	struct dest dest;
	uint64_t sum;

	if (!load_dest(x, &dest, &status))
		return status;
	sum = alu(OP_ADD, dest.size, dest.old, source(x), &rflags);
	if (!store_dest(x, &dest, sum, &status))
		return status;
	gpr_write(x->env->vcpu, &x->insn->operand[1], dest.old);
	x->env->vcpu->rflags = rflags;
	return exec_advance(x);
}

/*
 * The processor writes the old value back when the comparison fails; KVM's
 * emulator does not, and neither do we: no store, no shadow update.
 */
static enum insn_status emu_cmpxchg(struct exec *x)
{
	struct vcpu *vcpu = x->env->vcpu;
	uint64_t rflags = vcpu->rflags;
	enum insn_status status;
	struct dest dest;

	if (!load_dest(x, &dest, &status))
		return status;
	alu_compare(dest.size, vcpu->gpr[GPR_RAX] & size_mask(dest.size),
		    dest.old, &rflags);
	if (!(rflags & ALU_ZF))
		gpr_merge(&vcpu->gpr[GPR_RAX], dest.size, dest.old);
	else if (!store_dest(x, &dest, source(x), &status))
		return status;
	vcpu->rflags = rflags;
	return exec_advance(x);
}

/* rDX:rAX or rCX:rBX as the bytes of CMPXCHG8B's and 16B's operand. */
static void pair_bytes(const struct vcpu *vcpu, enum gpr low, enum gpr high,
		       unsigned int half, uint8_t ret[EMU_MAX])
{
	memcpy(ret, &vcpu->gpr[low], half);
	memcpy(ret + half, &vcpu->gpr[high], half);
}

static enum insn_status emu_cmpxchg8b(struct exec *x)
{
	const struct operand *op = &x->insn->operand[0];
	struct vcpu *vcpu = x->env->vcpu;
	uint8_t old[EMU_MAX], expected[EMU_MAX], replacement[EMU_MAX];
	gva_t gva = insn_linear(x->insn, op, vcpu);
	unsigned int half = op->size / 2;
	uint64_t low = 0, high = 0;
	enum insn_status status;

	if (!emu_load(x, gva, old, (uint8_t)op->size, &status))
		return status;
	pair_bytes(vcpu, GPR_RAX, GPR_RDX, half, expected);
	if (!memcmp(old, expected, op->size)) {
		pair_bytes(vcpu, GPR_RBX, GPR_RCX, half, replacement);
		if (!emu_store(x, gva, replacement, (uint8_t)op->size, &status))
			return status;
		vcpu->rflags |= ALU_ZF;
		return exec_advance(x);
	}
	memcpy(&low, old, half);
	memcpy(&high, old + half, half);
	gpr_merge(&vcpu->gpr[GPR_RAX], half, low);
	gpr_merge(&vcpu->gpr[GPR_RDX], half, high);
	vcpu->rflags &= ~ALU_ZF;
	return exec_advance(x);
}

static enum insn_status emu_alu(struct exec *x)
{
	uint64_t rflags = x->env->vcpu->rflags;
	enum insn_status status;
	struct dest dest;
	uint64_t result;

	if (!load_dest(x, &dest, &status))
		return status;
	result = alu(x->insn->op, dest.size, dest.old,
		     source(x) & size_mask(dest.size), &rflags);
	if (!store_dest(x, &dest, result, &status))
		return status;
	x->env->vcpu->rflags = rflags;
	return exec_advance(x);
}

static enum insn_status emu_string(struct exec *x)
{
	const struct operand *to = &x->insn->operand[0];
	const struct operand *from = &x->insn->operand[1];
	struct vcpu *vcpu = x->env->vcpu;
	gva_t gva = insn_linear(x->insn, to, vcpu);
	uint8_t size = (uint8_t)to->size;
	uint64_t val = vcpu->gpr[GPR_RAX];
	enum insn_status status;

	if (exec_rep_is_over(x))
		return exec_advance(x);
	if (x->insn->op == OP_MOVS &&
	    !emu_load(x, insn_linear(x->insn, from, vcpu), &val, size, &status))
		return status;
	if (!emu_store(x, gva, &val, size, &status))
		return status;
	exec_step_pointer(x, GPR_RDI, size);
	if (x->insn->op == OP_MOVS)
		exec_step_pointer(x, GPR_RSI, size);
	return exec_iterated(x);
}

static unsigned int stack_width(const struct exec *x)
{
	if (x->insn->mode == CODE_64)
		return 8;
	return x->env->vcpu->seg[SEG_SS].attr & SEG_ATTR_DB ? 4 : 2;
}

static gva_t stack_linear(const struct exec *x, uint64_t rsp)
{
	rsp &= size_mask(stack_width(x));
	if (x->insn->mode == CODE_64)
		return rsp;
	return (x->env->vcpu->seg[SEG_SS].base + rsp) & UINT32_MAX;
}

/* rSP with the stack's width: a 16-bit stack keeps the rest of ESP. */
static void set_stack_pointer(struct exec *x, uint64_t rsp)
{
	gpr_merge(&x->env->vcpu->gpr[GPR_RSP], stack_width(x), rsp);
}

static enum insn_status emu_push(struct exec *x)
{
	const struct operand *op = &x->insn->operand[0];
	struct vcpu *vcpu = x->env->vcpu;
	uint64_t rsp = vcpu->gpr[GPR_RSP] - x->insn->opsize;
	uint64_t val = (uint64_t)op->imm;
	enum insn_status status;

	if (op->type == OPERAND_GPR)
		val = gpr_read(vcpu, op);
	else if (op->type == OPERAND_MEM &&
		 !emu_load(x, insn_linear(x->insn, op, vcpu), &val,
			   (uint8_t)op->size, &status))
		return status;
	if (!emu_store(x, stack_linear(x, rsp), &val, x->insn->opsize, &status))
		return status;
	set_stack_pointer(x, rsp);
	return exec_advance(x);
}

/* The destination's address is computed after rSP has moved. */
static enum insn_status emu_pop(struct exec *x)
{
	struct vcpu *vcpu = x->env->vcpu;
	uint64_t before = vcpu->gpr[GPR_RSP];
	enum insn_status status;
	uint64_t val = 0;
	gva_t gva;

	if (!emu_load(x, stack_linear(x, before), &val, x->insn->opsize,
		      &status))
		return status;
	set_stack_pointer(x, before + x->insn->opsize);
	gva = insn_linear(x->insn, &x->insn->operand[0], vcpu);
	if (!emu_store(x, gva, &val, x->insn->opsize, &status)) {
		vcpu->gpr[GPR_RSP] = before;
		return status;
	}
	return exec_advance(x);
}

static enum insn_status dispatch(struct exec *x)
{
	switch (x->insn->op) {
	case OP_MOV:
		return emu_mov(x);
	case OP_SETCC:
		return emu_setcc(x);
	case OP_XCHG:
		return emu_xchg(x);
	case OP_XADD:
		return emu_xadd(x);
	case OP_CMPXCHG:
		return emu_cmpxchg(x);
	case OP_CMPXCHG8B:
		return emu_cmpxchg8b(x);
	case OP_MOVS:
	case OP_STOS:
		return emu_string(x);
	case OP_PUSH:
		return emu_push(x);
	case OP_POP:
		return emu_pop(x);
	default:
		return emu_alu(x);
	}
}

bool emulate_can(const struct insn *insn)
{
	if (!op_is_emulated(insn->op))
		return false;
	return insn->op == OP_PUSH || insn->operand[0].type == OPERAND_MEM;
}

static bool fetch(const struct live_env *env, struct insn *ret)
{
	enum code_mode mode = env_code_mode(env);
	uint8_t bytes[INSN_BYTES_MAX];
	gva_t gva = env->vcpu->rip;
	size_t n;

	if (mode != CODE_64)
		gva = (gva + env->vcpu->seg[SEG_CS].base) & UINT32_MAX;
	n = lin_peek(env, gva, bytes, sizeof(bytes));
	return n && decode_one(mode, bytes, n, ret);
}

enum insn_status emulate_insn(struct live_env *env, struct trap *trap,
			      struct live_end *end)
{
	struct insn insn;
	struct exec x = {
		.env = env,
		.insn = &insn,
		.trap = trap,
		.end = end,
		.stepping = env->vcpu->rflags & RFLAGS_TF,
	};

	if (fetch(env, &insn) && emulate_can(&insn))
		return dispatch(&x);
	insn.length = 0;
	if (!exec_push_kind(&x, GE_EMULATE_FAILED))
		return exec_obey(&x);
	return INSN_NATIVE;
}
