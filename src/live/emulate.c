/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypervisor's emulator: fetch and decode, load, compute, store, and only
 * then change registers.
 */
#include "live/emulate.h"

#include <string.h>

#include "live/alu.h"
#include "live/live.h"
#include "live/reach.h"

/* The destination, where it is if in memory, and its value before. */
struct dest {
	const struct operand *op;
	gva_t gva;
	uint8_t size;
	uint64_t old;
};

static struct dest dest_of(const struct exec *x)
{
	const struct operand *op = &x->insn->operand[0];
	struct dest dest = {.op = op, .size = (uint8_t)op->size};

	if (op->type == OPERAND_MEM)
		dest.gva = insn_linear(x->insn, op, x->env->vcpu);
	return dest;
}

static bool load_operand(struct exec *x, const struct operand *op,
			 uint64_t *ret, enum insn_status *status)
{
	*ret = 0;
	switch (op->type) {
	case OPERAND_IMM:
		*ret = (uint64_t)op->imm;
		return true;
	case OPERAND_GPR:
		*ret = gpr_read(x->env->vcpu, op);
		return true;
	case OPERAND_MEM:
		return reach_load(x, insn_linear(x->insn, op, x->env->vcpu),
				  ret, (uint8_t)op->size, status);
	default:
		return true;
	}
}

static bool load_dest(struct exec *x, struct dest *ret,
		      enum insn_status *status)
{
	*ret = dest_of(x);
	return load_operand(x, ret->op, &ret->old, status);
}

/* None: 0. */
static bool load_source(struct exec *x, uint64_t *ret, enum insn_status *status)
{
	return load_operand(x, &x->insn->operand[1], ret, status);
}

static bool store_dest(struct exec *x, const struct dest *dest, uint64_t val,
		       enum insn_status *status)
{
	if (dest->op->type == OPERAND_MEM)
		return reach_store(x, dest->gva, &val, dest->size, status);
	gpr_write(x->env->vcpu, dest->op, val);
	return true;
}

static uint64_t extended(const struct exec *x, uint64_t val)
{
	unsigned int shift = 64 - 8u * x->insn->operand[1].size;

	if (x->insn->op != OP_MOVSX)
		return val;
	return (uint64_t)((int64_t)(val << shift) >> shift);
}

static enum insn_status emu_mov(struct exec *x)
{
	struct dest dest = dest_of(x);
	enum insn_status status;
	uint64_t val;

	if (!load_source(x, &val, &status) ||
	    !store_dest(x, &dest, extended(x, val), &status))
		return status;
	return exec_advance(x);
}

static enum insn_status emu_setcc(struct exec *x)
{
	struct dest dest = dest_of(x);
	enum insn_status status;

	if (!store_dest(x, &dest,
			alu_condition(x->insn->cond, x->env->vcpu->rflags),
			&status))
		return status;
	return exec_advance(x);
}

static enum insn_status emu_xchg(struct exec *x)
{
	enum insn_status status;
	struct dest dest;

	uint64_t val;

	if (!load_dest(x, &dest, &status) || !load_source(x, &val, &status) ||
	    !store_dest(x, &dest, val, &status))
		return status;
	gpr_write(x->env->vcpu, &x->insn->operand[1], dest.old);
	return exec_advance(x);
}

static enum insn_status emu_xadd(struct exec *x)
{
	uint64_t rflags = x->env->vcpu->rflags;
	enum insn_status status;
	struct dest dest;
	uint64_t sum, val;

	if (!load_dest(x, &dest, &status) || !load_source(x, &val, &status))
		return status;
	sum = alu(OP_ADD, dest.size, dest.old, val, &rflags);
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
static bool tell_failed(struct exec *x, gva_t gva, uint8_t size,
			enum insn_status *status)
{
	struct guest_event ev = exec_event(x, GE_COMPARE_FAILED);

	if (x->device)
		return true;
	ev.gva = lin_wrap(x->env, gva);
	ev.size = size;
	ev.access = PFEC_W | env_access(x->env);
	if (exec_push(x, &ev))
		return true;
	*status = exec_obey(x);
	return false;
}

static enum insn_status emu_cmpxchg(struct exec *x)
{
	struct vcpu *vcpu = x->env->vcpu;
	uint64_t rflags = vcpu->rflags;
	enum insn_status status;
	struct dest dest;
	uint64_t val;

	if (!load_dest(x, &dest, &status) || !load_source(x, &val, &status))
		return status;
	alu_compare(dest.size, vcpu->gpr[GPR_RAX] & size_mask(dest.size),
		    dest.old, &rflags);
	if (rflags & ALU_ZF) {
		if (!store_dest(x, &dest, val, &status))
			return status;
	} else {
		if (!tell_failed(x, dest.gva, dest.size, &status))
			return status;
		gpr_merge(&vcpu->gpr[GPR_RAX], dest.size, dest.old);
	}
	vcpu->rflags = rflags;
	return exec_advance(x);
}

/* rDX:rAX or rCX:rBX as the bytes of CMPXCHG8B's and 16B's operand. */
static void pair_bytes(const struct vcpu *vcpu, enum gpr low, enum gpr high,
		       unsigned int half, uint8_t ret[REACH_MAX])
{
	memcpy(ret, &vcpu->gpr[low], half);
	memcpy(ret + half, &vcpu->gpr[high], half);
}

static enum insn_status emu_cmpxchg8b(struct exec *x)
{
	const struct operand *op = &x->insn->operand[0];
	struct vcpu *vcpu = x->env->vcpu;
	uint8_t old[REACH_MAX], expected[REACH_MAX], replacement[REACH_MAX];
	gva_t gva = insn_linear(x->insn, op, vcpu);
	unsigned int half = op->size / 2;
	uint64_t low = 0, high = 0;
	enum insn_status status;

	if (!reach_load(x, gva, old, (uint8_t)op->size, &status))
		return status;
	pair_bytes(vcpu, GPR_RAX, GPR_RDX, half, expected);
	if (!memcmp(old, expected, op->size)) {
		pair_bytes(vcpu, GPR_RBX, GPR_RCX, half, replacement);
		if (!reach_store(x, gva, replacement, (uint8_t)op->size,
				 &status))
			return status;
		vcpu->rflags |= ALU_ZF;
		return exec_advance(x);
	}
	if (!tell_failed(x, gva, (uint8_t)op->size, &status))
		return status;
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
	uint64_t val;

	if (!load_dest(x, &dest, &status) || !load_source(x, &val, &status))
		return status;
	val = alu(x->insn->op, dest.size, dest.old, val & size_mask(dest.size),
		  &rflags);
	if (!store_dest(x, &dest, val, &status))
		return status;
	x->env->vcpu->rflags = rflags;
	return exec_advance(x);
}

/* CMP, TEST, BT: as SUB, AND, BTS, whose result goes nowhere. */
static enum insn_status emu_look(struct exec *x)
{
	uint8_t op = x->insn->op == OP_CMP    ? OP_SUB
		     : x->insn->op == OP_TEST ? OP_AND
					      : OP_BTS;
	enum insn_status status;
	struct dest dest;
	uint64_t val;

	if (!load_dest(x, &dest, &status) || !load_source(x, &val, &status))
		return status;
	alu(op, dest.size, dest.old, val & size_mask(dest.size),
	    &x->env->vcpu->rflags);
	return exec_advance(x);
}

static enum insn_status emu_string(struct exec *x)
{
	struct dest dest = dest_of(x);
	enum insn_status status;
	uint64_t val;

	if (exec_rep_is_over(x))
		return exec_advance(x);
	if (!load_source(x, &val, &status) ||
	    !store_dest(x, &dest, val, &status))
		return status;
	exec_step_pointer(x, GPR_RDI, dest.size);
	if (x->insn->op == OP_MOVS)
		exec_step_pointer(x, GPR_RSI, dest.size);
	return exec_iterated(x);
}

static enum insn_status emu_lods(struct exec *x)
{
	enum insn_status status;
	struct dest from;

	if (exec_rep_is_over(x))
		return exec_advance(x);
	if (!load_dest(x, &from, &status))
		return status;
	gpr_merge(&x->env->vcpu->gpr[GPR_RAX], from.size, from.old);
	exec_step_pointer(x, GPR_RSI, from.size);
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
	enum insn_status status;
	uint64_t val;

	if (!load_operand(x, op, &val, &status) ||
	    !reach_store(x, stack_linear(x, rsp), &val, x->insn->opsize,
			 &status))
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

	if (!reach_load(x, stack_linear(x, before), &val, x->insn->opsize,
			&status))
		return status;
	set_stack_pointer(x, before + x->insn->opsize);
	gva = insn_linear(x->insn, &x->insn->operand[0], vcpu);
	if (!reach_store(x, gva, &val, x->insn->opsize, &status)) {
		vcpu->gpr[GPR_RSP] = before;
		return status;
	}
	return exec_advance(x);
}

static enum insn_status dispatch(struct exec *x)
{
	switch (x->insn->op) {
	case OP_MOV:
	case OP_MOVZX:
	case OP_MOVSX:
		return emu_mov(x);
	case OP_CMP:
	case OP_TEST:
	case OP_BT:
		return emu_look(x);
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
	case OP_LODS:
		return emu_lods(x);
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

static struct exec begin(struct live_env *env, const struct insn *insn,
			 struct trap *trap, struct live_end *end)
{
	return (struct exec){
		.env = env,
		.insn = insn,
		.trap = trap,
		.end = end,
		.stepping = env->vcpu->rflags & RFLAGS_TF,
	};
}

enum insn_status emulate_insn(struct live_env *env, struct trap *trap,
			      struct live_end *end)
{
	struct insn insn;
	struct exec x = begin(env, &insn, trap, end);

	if (fetch(env, &insn) && emulate_can(&insn))
		return dispatch(&x);
	insn.length = 0;
	if (!exec_push_kind(&x, GE_EMULATE_FAILED))
		return exec_obey(&x);
	return INSN_NATIVE;
}

/* The memory operands of all that the emulator knows are listed or a stack. */
static bool can_reach(const struct insn *insn)
{
	return insn->op > OP_LAST_SENSITIVE && insn->op <= OP_LAST_REACHING;
}

enum insn_status emulate_device(struct live_env *env,
				const struct device_ref *ref, struct trap *trap,
				struct live_end *end)
{
	struct guest_outcome absent = {.verdict = GO_MMIO, .gpa = ref->gpa};
	struct device_ref device = *ref;
	enum insn_status status;
	struct insn insn;
	struct exec x = begin(env, &insn, trap, end);

	x.device = &device;
	if (ref->access & PFEC_ID || !fetch(env, &insn) || !can_reach(&insn)) {
		env_end(env, &absent, ref->gva,
			ref->access & PFEC_ID
				? " for code"
				: " with an instruction that is not emulated "
				  "for devices",
			end);
		return INSN_END;
	}
	return reach_begin(&x, &status) ? dispatch(&x) : status;
}
