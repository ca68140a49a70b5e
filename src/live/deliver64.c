/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Delivery in IA-32e mode, from 64-bit and from compatibility code.  SDM
 * vol. 3A, "Exception and Interrupt Handling in 64-bit Mode".
 */
#include "arch/exception.h"
#include "live/delivery.h"
#include "live/lin.h"

/* Offsets in the 64-bit TSS. */
#define TSS64_RSP0 4u
#define TSS64_IST1 36u

static bool read_gate(struct delivery *d, struct gate *ret)
{
	const struct dtable *idtr = &d->env->vcpu->idtr;
	uint32_t offset = d->trap.vector * 16u;
	uint64_t raw[2];

	if (offset + 15 > idtr->limit)
		return delivery_idt_fault(d, EXC_GP);
	if (!delivery_read(d, idtr->base + offset, raw, sizeof(raw)))
		return false;
	*ret = (struct gate){
		.selector = (uint16_t)(raw[0] >> 16),
		.offset = (raw[0] & 0xffff) | (raw[0] >> 32 & 0xffff0000) |
			  raw[1] << 32,
		.type = raw[0] >> 40 & 0xf,
		.system = !(raw[0] >> 44 & 1),
		.dpl = raw[0] >> 45 & 3,
		.present = raw[0] >> 47 & 1,
		.ist = raw[0] >> 32 & 7,
	};
	return true;
}

static bool read_tss_rsp(struct delivery *d, uint32_t offset, uint64_t *ret)
{
	const struct segment *tr = &d->env->vcpu->tr;

	if (offset + 7 > tr->limit)
		return delivery_fault(d, EXC_TS, tr->selector & ~3u);
	return delivery_read(d, tr->base + offset, ret, 8);
}

static void load_null_ss(struct vcpu *next)
{
	next->seg[SEG_SS] = (struct segment){
		.selector = next->cpl,
		.attr = (uint32_t)next->cpl << 13,
	};
}

/* The stack pointer before the first push, aligned as long mode does. */
static bool choose_stack(struct delivery *d, const struct gate *gate,
			 uint64_t *ret)
{
	const struct vcpu *vcpu = d->env->vcpu;
	bool inner = d->next.cpl != vcpu->cpl;
	uint64_t rsp = vcpu->gpr[GPR_RSP];

	if (gate->ist) {
		if (!read_tss_rsp(d, TSS64_IST1 + 8u * (gate->ist - 1u), &rsp))
			return false;
	} else if (inner) {
		if (!read_tss_rsp(d, TSS64_RSP0 + 8u * d->next.cpl, &rsp))
			return false;
	}
	if (inner)
		load_null_ss(&d->next);
	if (!env_is_canonical(d->env, rsp))
		return delivery_fault(d, EXC_SS, 0);
	*ret = rsp & ~UINT64_C(15);
	return true;
}

static bool push_frame(struct delivery *d, const struct frame *frame,
		       uint64_t *rsp)
{
	uint32_t user = d->next.cpl == 3 ? (uint32_t)PFEC_U : 0;

	for (unsigned int i = 0; i < frame->nr; i++) {
		struct lin_ref ref = {
			.gva = *rsp - 8, .access = user, .size = 8};

		if (!env_is_canonical(d->env, ref.gva))
			return delivery_fault(d, EXC_SS, 0);
		if (!lin_write(d->env, &ref, &frame->slot[i], &d->out))
			return false;
		*rsp -= 8;
	}
	return true;
}

bool deliver_64(struct delivery *d)
{
	const struct vcpu *vcpu = d->env->vcpu;
	struct frame frame = {.nr = 0};
	struct gate gate;
	uint64_t rsp = 0;
	gva_t cs_gva;

	if (!read_gate(d, &gate) || !delivery_check_gate(d, &gate) ||
	    !delivery_load_cs(d, gate.selector, true, &cs_gva) ||
	    !choose_stack(d, &gate, &rsp))
		return false;
	if (!env_is_canonical(d->env, gate.offset))
		return delivery_fault(d, EXC_GP, 0);

	frame_push(&frame, vcpu->seg[SEG_SS].selector);
	frame_push(&frame, vcpu->gpr[GPR_RSP]);
	frame_push(&frame, delivery_flags_image(d));
	frame_push(&frame, vcpu->seg[SEG_CS].selector);
	frame_push(&frame, delivery_return_ip(d));
	if (d->trap.has_error)
		frame_push(&frame, d->trap.error);
	if (!push_frame(d, &frame, &rsp) ||
	    !delivery_set_accessed(d, &d->next.seg[SEG_CS], cs_gva))
		return false;

	d->next.gpr[GPR_RSP] = rsp;
	d->next.rip = gate.offset;
	delivery_enter_handler(d, gate.type);
	return true;
}
