/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Delivery in protected mode without long mode, and in real mode.  SDM
 * vol. 3A, "Exception- or Interrupt-Handler Procedures"; vol. 3B, "Interrupt
 * and Exception Handling" of real-address mode.
 */
#include "arch/exception.h"
#include "live/delivery.h"
#include "live/lin.h"
#include "live/task.h"

#define TYPE_EXPAND_DOWN (UINT32_C(4) << 8) /* data segments */
#define TYPE_WRITABLE    (UINT32_C(2) << 8)
#define TYPE_CODE        (UINT32_C(8) << 8)
#define TSS_IS_32BIT     (UINT32_C(8) << 8)

/* The stack the frame goes to. */
struct stack {
	struct segment ss;
	gva_t ss_gva;   /* of its descriptor; only if `inner` */
	uint32_t esp;   /* before the first push */
	uint32_t error; /* of a #SS */
	bool inner;
};

static bool read_gate(struct delivery *d, struct gate *ret)
{
	const struct dtable *idtr = &d->env->vcpu->idtr;
	uint32_t offset = d->trap.vector * 8u;
	uint64_t raw;

	if (offset + 7 > idtr->limit)
		return delivery_idt_fault(d, EXC_GP);
	if (!delivery_read(d, idtr->base + offset, &raw, sizeof(raw)))
		return false;
	*ret = (struct gate){
		.selector = (uint16_t)(raw >> 16),
		.offset = (raw & 0xffff) | (raw >> 32 & 0xffff0000),
		.type = raw >> 40 & 0xf,
		.system = !(raw >> 44 & 1),
		.dpl = raw >> 45 & 3,
		.present = raw >> 47 & 1,
	};
	if (ret->type == GATE_INT16 || ret->type == GATE_TRAP16)
		ret->offset &= UINT16_MAX;
	return true;
}

/* ESPn and SSn, or SPn and SSn of a 16-bit TSS. */
static bool read_tss_stack(struct delivery *d, uint16_t *ss, uint32_t *esp)
{
	const struct segment *tr = &d->env->vcpu->tr;
	uint8_t level = d->next.cpl;
	uint8_t raw[6] = {0};

	if (tr->attr & TSS_IS_32BIT) {
		uint32_t offset = 4 + 8u * level;

		if (offset + 5 > tr->limit)
			return delivery_fault(d, EXC_TS, tr->selector & ~3u);
		if (!delivery_read(d, tr->base + offset, raw, 6))
			return false;
		*ss = (uint16_t)(raw[4] | raw[5] << 8);
	} else {
		uint32_t offset = 2 + 4u * level;

		if (offset + 3 > tr->limit)
			return delivery_fault(d, EXC_TS, tr->selector & ~3u);
		if (!delivery_read(d, tr->base + offset, raw, 4))
			return false;
		*ss = (uint16_t)(raw[2] | raw[3] << 8);
		raw[2] = 0;
		raw[3] = 0;
	}
	*esp = (uint32_t)raw[0] | (uint32_t)raw[1] << 8 |
	       (uint32_t)raw[2] << 16 | (uint32_t)raw[3] << 24;
	return true;
}

static bool load_inner_stack(struct delivery *d, struct stack *stack)
{
	uint8_t cpl = d->next.cpl;
	uint32_t error, attr;
	uint16_t selector = 0;
	uint64_t desc;

	if (!read_tss_stack(d, &selector, &stack->esp))
		return false;
	error = selector & ~3u;
	if (!error)
		return delivery_fault(d, EXC_TS, 0);
	if (!delivery_descriptor(d, selector, EXC_TS, &desc, &stack->ss_gva))
		return false;
	stack->ss = delivery_segment(selector, desc);
	attr = stack->ss.attr;
	if ((selector & 3) != cpl || (attr >> 13 & 3) != cpl ||
	    !(attr & SEG_ATTR_S) || attr & TYPE_CODE || !(attr & TYPE_WRITABLE))
		return delivery_fault(d, EXC_TS, error);
	if (!(attr & SEG_ATTR_P))
		return delivery_fault(d, EXC_SS, error);
	stack->inner = true;
	stack->error = error;
	return true;
}

static bool choose_stack(struct delivery *d, struct stack *ret)
{
	const struct vcpu *vcpu = d->env->vcpu;

	*ret = (struct stack){
		.ss = vcpu->seg[SEG_SS],
		.esp = (uint32_t)vcpu->gpr[GPR_RSP],
	};
	return d->next.cpl == vcpu->cpl || load_inner_stack(d, ret);
}

static uint32_t stack_mask(const struct stack *stack)
{
	return stack->ss.attr & SEG_ATTR_DB ? UINT32_MAX : UINT16_MAX;
}

static bool stack_holds(const struct stack *stack, uint32_t offset,
			uint32_t size)
{
	uint64_t last = (uint64_t)offset + size - 1;

	if (stack->ss.attr & TYPE_EXPAND_DOWN)
		return offset > stack->ss.limit && last <= stack_mask(stack);
	return last <= stack->ss.limit;
}

/* Room first: a frame that does not fit leaves no trace. */
static bool check_room(struct delivery *d, const struct frame *frame,
		       const struct stack *stack)
{
	uint32_t esp = stack->esp;

	for (unsigned int i = 0; i < frame->nr; i++) {
		esp = (esp - frame->slot_size) & stack_mask(stack);
		if (!stack_holds(stack, esp, frame->slot_size))
			return delivery_fault(d, EXC_SS, stack->error);
	}
	return true;
}

static bool push_frame(struct delivery *d, const struct frame *frame,
		       struct stack *stack)
{
	uint32_t user = d->next.cpl == 3 ? (uint32_t)PFEC_U : 0;
	uint32_t mask = stack_mask(stack);
	uint32_t esp = stack->esp & mask;

	for (unsigned int i = 0; i < frame->nr; i++) {
		struct lin_ref ref = {.access = user, .size = frame->slot_size};

		esp = (esp - frame->slot_size) & mask;
		ref.gva = (stack->ss.base + esp) & UINT32_MAX;
		if (!lin_write(d->env, &ref, &frame->slot[i], &d->out))
			return false;
	}
	stack->esp = (stack->esp & ~mask) | esp;
	return true;
}

static void build_frame(const struct delivery *d, const struct stack *stack,
			struct frame *frame)
{
	const struct vcpu *vcpu = d->env->vcpu;

	if (vcpu->rflags & RFLAGS_VM) {
		frame_push(frame, vcpu->seg[SEG_GS].selector);
		frame_push(frame, vcpu->seg[SEG_FS].selector);
		frame_push(frame, vcpu->seg[SEG_DS].selector);
		frame_push(frame, vcpu->seg[SEG_ES].selector);
	}
	if (stack->inner) {
		frame_push(frame, vcpu->seg[SEG_SS].selector);
		frame_push(frame, vcpu->gpr[GPR_RSP]);
	}
	frame_push(frame, delivery_flags_image(d));
	frame_push(frame, vcpu->seg[SEG_CS].selector);
	frame_push(frame, delivery_return_ip(d));
	if (d->trap.has_error)
		frame_push(frame, d->trap.error);
}

static bool refuse(struct delivery *d, const char *what)
{
	env_stop(d->env, d->end, "%s is not modelled (vector %u)", what,
		 d->trap.vector);
	d->refused = true;
	return false;
}

static bool deliver_by_task(struct delivery *d, uint16_t selector)
{
	struct task_switch t = {
		.env = d->env,
		.how = TASK_EVENT,
		.selector = selector,
		.ext = delivery_ext(d),
		.ip = delivery_return_ip(d),
		.flags = delivery_flags_image(d),
		.has_error = d->trap.has_error,
		.error = d->trap.error,
		.out = &d->out,
	};
	bool done = task_switch(&t);

	if (t.refused)
		return refuse(d, t.refused);
	d->next = *d->env->vcpu;
	return done;
}

/* A handler of virtual-8086 code begins with null data segments. */
static void clear_segments(struct vcpu *next)
{
	static const enum seg_reg data[] = {SEG_ES, SEG_DS, SEG_FS, SEG_GS};

	for (size_t i = 0; i < ARRAY_LEN(data); i++)
		next->seg[data[i]] = (struct segment){.selector = 0};
}

bool deliver_protected(struct delivery *d)
{
	bool from_vm86 = d->env->vcpu->rflags & RFLAGS_VM;
	struct frame frame = {.slot_size = 4};
	struct stack stack;
	struct gate gate;
	gva_t cs_gva;

	if (!read_gate(d, &gate) || !delivery_check_gate(d, &gate))
		return false;
	if (gate.type == GATE_TASK)
		return deliver_by_task(d, gate.selector);
	if (gate.type == GATE_INT16 || gate.type == GATE_TRAP16)
		frame.slot_size = 2;
	if (!delivery_load_cs(d, gate.selector, false, &cs_gva))
		return false;
	if (from_vm86 && d->next.cpl)
		return delivery_fault(d, EXC_GP, gate.selector & ~3u);
	if (!choose_stack(d, &stack))
		return false;

	build_frame(d, &stack, &frame);
	if (!check_room(d, &frame, &stack))
		return false;
	if (gate.offset > d->next.seg[SEG_CS].limit)
		return delivery_fault(d, EXC_GP, 0);
	if (!push_frame(d, &frame, &stack) ||
	    !delivery_set_accessed(d, &d->next.seg[SEG_CS], cs_gva))
		return false;
	if (stack.inner && !delivery_set_accessed(d, &stack.ss, stack.ss_gva))
		return false;

	if (from_vm86)
		clear_segments(&d->next);
	d->next.seg[SEG_SS] = stack.ss;
	d->next.gpr[GPR_RSP] = stack.esp;
	d->next.rip = gate.offset;
	delivery_enter_handler(d, gate.type);
	return true;
}

bool deliver_real(struct delivery *d)
{
	const struct vcpu *vcpu = d->env->vcpu;
	struct frame frame = {.slot_size = 2};
	uint32_t offset = d->trap.vector * 4u;
	struct stack stack;
	uint16_t ivt[2]; /* IP, CS */

	if (offset + 3 > vcpu->idtr.limit)
		return delivery_idt_fault(d, EXC_GP);
	if (!delivery_read(d, vcpu->idtr.base + offset, ivt, sizeof(ivt)))
		return false;
	stack = (struct stack){
		.ss = vcpu->seg[SEG_SS],
		.esp = (uint32_t)vcpu->gpr[GPR_RSP],
	};
	frame_push(&frame, vcpu->rflags);
	frame_push(&frame, vcpu->seg[SEG_CS].selector);
	frame_push(&frame, delivery_return_ip(d));
	if (!check_room(d, &frame, &stack) || !push_frame(d, &frame, &stack))
		return false;

	d->next.seg[SEG_CS].selector = ivt[1];
	d->next.seg[SEG_CS].base = (uint64_t)ivt[1] << 4;
	d->next.rip = ivt[0];
	d->next.gpr[GPR_RSP] = stack.esp;
	d->next.rflags &= ~RFLAGS_AC;
	delivery_enter_handler(d, GATE_INT16);
	return true;
}
