/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loop of a delivery, and the steps all modes share. */
#include "live/deliver.h"

#include <stdio.h>

#include "arch/exception.h"
#include "live/debug.h"
#include "live/delivery.h"
#include "live/lin.h"
#include "live/live.h"

/*
 * A delivery starts over for each exit in its midst and for each exception
 * that replaces it.  One delivery makes fewer than 20 references, so this many
 * starts without success are a mistake of the sink's.
 */
#define DELIVER_TRIES 256

static bool is_software(const struct trap *trap)
{
	return trap->type == EVENT_SOFT_INT || trap->type == EVENT_SOFT_EXC ||
	       trap->type == EVENT_PRIV_SW_EXC;
}

uint32_t delivery_ext(const struct delivery *d)
{
	return d->trap.type != EVENT_SOFT_INT && d->trap.type != EVENT_SOFT_EXC;
}

bool delivery_fault(struct delivery *d, uint8_t vector, uint32_t error)
{
	env_raise(d->env, vector, error | delivery_ext(d), &d->out);
	return false;
}

bool delivery_idt_fault(struct delivery *d, uint8_t vector)
{
	/* Bit 1: the index is one of the IDT. */
	return delivery_fault(d, vector, d->trap.vector * 8u + 2);
}

bool delivery_read(struct delivery *d, gva_t gva, void *ret, uint8_t size)
{
	struct lin_ref ref = {.gva = gva, .size = size};

	return lin_read(d->env, &ref, ret, &d->out);
}

static bool is_gate_type(uint8_t type, bool lma)
{
	switch (type) {
	case GATE_TASK:
	case GATE_INT16:
	case GATE_TRAP16:
		return !lma;
	case GATE_INT32:
	case GATE_TRAP32:
		return true;
	default:
		return false;
	}
}

bool delivery_check_gate(struct delivery *d, const struct gate *gate)
{
	bool is_program = !delivery_ext(d); /* INT n, INT3, INTO */

	if (!gate->system || !is_gate_type(gate->type, env_efer_lma(d->env)))
		return delivery_idt_fault(d, EXC_GP);
	if (is_program && gate->dpl < d->env->vcpu->cpl)
		return delivery_idt_fault(d, EXC_GP);
	if (!gate->present)
		return delivery_idt_fault(d, EXC_NP);
	return true;
}

bool delivery_descriptor(struct delivery *d, uint16_t selector, uint8_t vector,
			 uint64_t *ret, gva_t *gva)
{
	const struct vcpu *vcpu = d->env->vcpu;
	uint32_t offset = selector & ~7u;
	uint32_t limit = vcpu->gdtr.limit;
	gva_t base = vcpu->gdtr.base;

	if (selector & 4) {
		limit = vcpu->ldtr.attr & SEG_ATTR_P ? vcpu->ldtr.limit : 0;
		base = vcpu->ldtr.base;
	}
	if (offset + 7 > limit)
		return delivery_fault(d, vector, selector & ~3u);
	*gva = base + offset;
	return delivery_read(d, *gva, ret, 8);
}

/* SDM vol. 3A, "Segment Descriptors". */
struct segment delivery_segment(uint16_t selector, uint64_t desc)
{
	uint32_t attr = (uint32_t)(desc >> 32) & 0xf0ff00;
	uint32_t limit = (uint32_t)((desc & 0xffff) | (desc >> 32 & 0xf0000));

	return (struct segment){
		.selector = selector,
		.attr = attr,
		.limit = attr & SEG_ATTR_G ? limit << 12 | 0xfff : limit,
		.base = (desc >> 16 & 0xffffff) | (desc >> 32 & 0xff000000),
	};
}

#define TYPE_CODE       (UINT32_C(8) << 8) /* of SEG_ATTR_TYPE */
#define TYPE_CONFORMING (UINT32_C(4) << 8)
#define TYPE_ACCESSED   (UINT32_C(1) << 8)

bool delivery_load_cs(struct delivery *d, uint16_t selector, bool code64,
		      gva_t *desc_gva)
{
	uint8_t cpl = d->env->vcpu->cpl;
	uint32_t error = selector & ~3u;
	struct segment cs;
	uint64_t desc;
	uint8_t dpl;

	if (!error)
		return delivery_fault(d, EXC_GP, 0);
	if (!delivery_descriptor(d, selector, EXC_GP, &desc, desc_gva))
		return false;
	cs = delivery_segment(selector, desc);
	dpl = (uint8_t)(cs.attr >> 13 & 3);
	if (!(cs.attr & SEG_ATTR_S) || !(cs.attr & TYPE_CODE) || dpl > cpl)
		return delivery_fault(d, EXC_GP, error);
	if (code64 && (!(cs.attr & SEG_ATTR_L) || cs.attr & SEG_ATTR_DB))
		return delivery_fault(d, EXC_GP, error);
	if (!(cs.attr & SEG_ATTR_P))
		return delivery_fault(d, EXC_NP, error);
	if (cs.attr & TYPE_CONFORMING)
		dpl = cpl;
	cs.selector = (uint16_t)(error | dpl);
	d->next.seg[SEG_CS] = cs;
	d->next.cpl = dpl;
	return true;
}

bool delivery_set_accessed(struct delivery *d, struct segment *seg, gva_t gva)
{
	struct lin_ref ref = {.gva = gva + 5, .size = 1};
	uint8_t byte;

	if (seg->attr & TYPE_ACCESSED)
		return true;
	seg->attr |= TYPE_ACCESSED;
	byte = (uint8_t)(seg->attr >> 8);
	return lin_write(d->env, &ref, &byte, &d->out);
}

/*
 * SDM vol. 3B, "Instruction-Breakpoint Exception Condition": RF is pushed as 1
 * by faults, so that the instruction can be resumed, but for #DB: that of a
 * breakpoint is a fault too, yet its handler sets RF if it wants to.  INT n has
 * been executed, which clears RF.
 */
uint64_t delivery_flags_image(const struct delivery *d)
{
	const struct trap *trap = &d->trap;
	uint64_t flags = d->env->vcpu->rflags;

	if (trap->type == EVENT_HW_EXC && trap->vector != EXC_DB &&
	    trap->vector != EXC_MC)
		return flags | RFLAGS_RF;
	return is_software(trap) ? flags & ~RFLAGS_RF : flags;
}

uint64_t delivery_return_ip(const struct delivery *d)
{
	uint64_t ip = d->env->vcpu->rip;

	if (is_software(&d->trap))
		ip += d->trap.insn_len;
	switch (env_code_mode(d->env)) {
	case CODE_16:
		return ip & UINT16_MAX;
	case CODE_32:
		return ip & UINT32_MAX;
	default:
		return ip;
	}
}

void frame_push(struct frame *frame, uint64_t val)
{
	BUG_ON(frame->nr == FRAME_SLOTS);
	frame->slot[frame->nr++] = val;
}

void delivery_enter_handler(struct delivery *d, uint8_t gate_type)
{
	d->next.rflags &= ~(RFLAGS_TF | RFLAGS_NT | RFLAGS_RF | RFLAGS_VM);
	/* Trap gates (odd types) leave IF as it is. */
	if (!(gate_type & 1))
		d->next.rflags &= ~RFLAGS_IF;
}

static bool deliver_once(struct delivery *d)
{
	d->next = *d->env->vcpu;
	if (env_efer_lma(d->env))
		return deliver_64(d);
	if (d->env->sink->view->cr0 & CR0_PE)
		return deliver_protected(d);
	return deliver_real(d);
}

static void push_delivery(struct delivery *d, enum guest_event_kind kind)
{
	struct guest_event ev = env_event(d->env, kind);

	ev.vector = d->trap.vector;
	ev.type = d->trap.type;
	ev.has_error = d->trap.has_error;
	ev.error = d->trap.error;
	ev.insn_len = d->trap.insn_len;
	event_push(d->env->sink, &ev, &d->out);
}

static void commit(struct delivery *d)
{
	d->next.irq_shadow = false;
	if (d->trap.type == EVENT_HW_EXC && d->trap.vector == EXC_DB)
		d->next.dr[7] &= ~DR7_GD;
	*d->env->vcpu = d->next;
}

static void end_delivery(struct delivery *d)
{
	char doing[64];

	if (d->refused)
		return;
	snprintf(doing, sizeof(doing), " while vector %u was delivered",
		 d->trap.vector);
	env_end(d->env, &d->out, d->env->gva, doing, d->end);
}

bool deliver_event(struct live_env *env, const struct trap *trap,
		   struct live_end *end)
{
	struct delivery d = {.env = env, .trap = *trap, .end = end};

	for (int i = 0; i < DELIVER_TRIES; i++) {
		push_delivery(&d, GE_DELIVER);
		if (d.out.verdict == GO_DONE && deliver_once(&d)) {
			commit(&d);
			push_delivery(&d, GE_DELIVERED);
			if (d.out.verdict == GO_DONE)
				return true;
			end_delivery(&d);
			return false;
		}
		if (d.refused ||
		    (d.out.verdict != GO_FAULT && d.out.verdict != GO_DONE)) {
			end_delivery(&d);
			return false;
		}
		if (d.out.verdict == GO_FAULT) {
			d.trap = trap_of_outcome(&d.out);
			/* The instruction's length outlives an exit. */
			if (is_software(&d.trap))
				d.trap.insn_len = trap->insn_len;
		}
	}
	env_stop(env, end, "delivery of vector %u starts over without end",
		 d.trap.vector);
	return false;
}
