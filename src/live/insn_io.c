/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IN, OUT, INS, OUTS: permission, the event, the device. */
#include <inttypes.h>
#include <stdio.h>

#include "arch/exception.h"
#include "live/exec.h"
#include "live/live.h"
#include "platform/platform.h"

#define TSS_IO_MAP_BASE 0x66u
#define TSS_TYPE        UINT32_C(0x900) /* 32- or 64-bit, busy or not */
#define TSS_TYPE_MASK   UINT32_C(0xd00)

struct io {
	uint16_t port;
	uint8_t size;
	bool out;
};

static bool tss_read(struct exec *x, uint32_t offset, uint16_t *ret)
{
	struct lin_ref ref = {.gva = x->env->vcpu->tr.base + offset, .size = 2};

	return lin_read(x->env, &ref, ret, &x->out);
}

/*
 * SDM vol. 1, "I/O Permission Bit Map".  False: *status says how the
 * instruction ends.
 */
static bool check_bitmap(struct exec *x, const struct io *io,
			 enum insn_status *status)
{
	const struct segment *tr = &x->env->vcpu->tr;
	uint16_t base, bits;
	uint32_t offset;

	if ((tr->attr & TSS_TYPE_MASK) != TSS_TYPE ||
	    TSS_IO_MAP_BASE + 1 > tr->limit)
		goto refuse;
	if (!tss_read(x, TSS_IO_MAP_BASE, &base))
		goto obey;
	offset = base + io->port / 8u;
	if (offset + 1 > tr->limit)
		goto refuse;
	if (!tss_read(x, offset, &bits))
		goto obey;
	if ((uint32_t)bits >> (io->port & 7) & ((1u << io->size) - 1))
		goto refuse;
	return true;
refuse:
	*status = exec_raise(x, EXC_GP);
	return false;
obey:
	*status = exec_obey(x);
	return false;
}

static bool check_permission(struct exec *x, const struct io *io,
			     enum insn_status *status)
{
	const struct vcpu *vcpu = x->env->vcpu;
	uint64_t iopl = (vcpu->rflags & RFLAGS_IOPL) >> 12;

	if (!(x->env->sink->view->cr0 & CR0_PE))
		return true;
	if (!(vcpu->rflags & RFLAGS_VM) && vcpu->cpl <= iopl)
		return true;
	return check_bitmap(x, io, status);
}

/* val: what an OUT from a register writes, else 0. */
static bool push_io(struct exec *x, const struct io *io, uint8_t how,
		    uint64_t val)
{
	struct guest_event ev = exec_event(x, GE_IO);

	ev.error = io->port;
	ev.size = io->size;
	ev.access = io->out ? (uint32_t)PFEC_W : 0;
	ev.reg = how;
	ev.value = val;
	return exec_push(x, &ev);
}

static uint32_t read_port(struct exec *x, const struct io *io)
{
	return platform_io_read(x->env->platform, io->port, io->size,
				x->env->now);
}

/* The instruction is done; a write may have ended the run. */
static enum insn_status end_of_write(struct exec *x, uint64_t rip,
				     enum insn_status status)
{
	struct platform_stop stop = platform_stop(x->env->platform);

	if (stop.kind == PLATFORM_RUNS)
		return status;
	*x->end = (struct live_end){
		.status = stop.kind == PLATFORM_EXIT ? LIVE_EXIT : LIVE_RESET,
		.value = stop.value,
		.rip = rip,
	};
	if (stop.kind == PLATFORM_EXIT)
		snprintf(x->end->line, sizeof(x->end->line),
			 "the guest exited with %" PRIu32, stop.value);
	else
		snprintf(x->end->line, sizeof(x->end->line),
			 "the guest asked for a reset");
	return INSN_END;
}

static void write_port(struct exec *x, const struct io *io, uint32_t val)
{
	platform_io_write(x->env->platform, io->port, io->size, val,
			  x->env->now);
}

static uint16_t port_of(const struct exec *x, const struct operand *op)
{
	if (op->type == OPERAND_IMM)
		return (uint16_t)op->imm;
	return (uint16_t)gpr_read(x->env->vcpu, op);
}

enum insn_status exec_io(struct exec *x)
{
	const struct operand *port = &x->insn->operand[0];
	const struct operand *data = &x->insn->operand[1];
	uint64_t rip = x->env->vcpu->rip;
	struct io io = {
		.port = port_of(x, port),
		.size = (uint8_t)data->size,
		.out = x->insn->op == OP_OUT,
	};
	enum insn_status status;
	uint64_t val = 0;

	if (!check_permission(x, &io, &status))
		return status;
	if (io.out)
		val = gpr_read(x->env->vcpu, data);
	if (!push_io(x, &io, port->type == OPERAND_IMM ? GUEST_IO_IMM : 0, val))
		return exec_obey(x);
	if (!io.out) {
		gpr_write(x->env->vcpu, data, read_port(x, &io));
		return exec_advance(x);
	}
	write_port(x, &io, (uint32_t)val);
	return end_of_write(x, rip, exec_advance(x));
}

/*
 * The destination is asked for before the port is read: a fault must not
 * lose what the device gave.
 */
static enum insn_status exec_ins(struct exec *x, const struct io *io)
{
	struct lin_ref ref = {
		.gva = insn_linear(x->insn, &x->insn->operand[0], x->env->vcpu),
		.access = env_access(x->env) | PFEC_W,
		.size = io->size,
	};
	struct lin_span span;
	uint32_t val;

	if (lin_resolve(x->env, &ref, &span, &x->out)) {
		val = read_port(x, io);
		lin_copy_to(x->env, &span, &val);
	} else if (x->out.verdict == GO_EMULATE) {
		val = read_port(x, io);
		if (!lin_store(x->env, ref.gva, &val, ref.size, &x->out))
			return exec_obey(x);
	} else {
		return exec_obey(x);
	}
	exec_step_pointer(x, GPR_RDI, io->size);
	return exec_iterated(x);
}

static enum insn_status exec_outs(struct exec *x, const struct io *io)
{
	struct lin_ref ref = {
		.gva = insn_linear(x->insn, &x->insn->operand[1], x->env->vcpu),
		.access = env_access(x->env),
		.size = io->size,
	};
	uint64_t rip = x->env->vcpu->rip;
	uint32_t val = 0;

	if (!lin_read(x->env, &ref, &val, &x->out))
		return exec_obey(x);
	write_port(x, io, val);
	exec_step_pointer(x, GPR_RSI, io->size);
	return end_of_write(x, rip, exec_iterated(x));
}

enum insn_status exec_string_io(struct exec *x)
{
	bool out = x->insn->op == OP_OUTS;
	struct io io = {
		.port = (uint16_t)x->env->vcpu->gpr[GPR_RDX],
		.size = (uint8_t)x->insn->operand[out].size,
		.out = out,
	};
	enum insn_status status;

	if (!check_permission(x, &io, &status))
		return status;
	if (exec_rep_is_over(x))
		return exec_advance(x);
	if (!push_io(x, &io,
		     exec_is_rep(x) ? GUEST_IO_STRING | GUEST_IO_REP
				    : GUEST_IO_STRING,
		     0))
		return exec_obey(x);
	return out ? exec_outs(x, &io) : exec_ins(x, &io);
}
