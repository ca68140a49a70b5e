/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/task.h"

#include <string.h>

#include "arch/exception.h"
#include "live/delivery.h"
#include "live/lin.h"

#define TSS_AVAILABLE 0x9u /* types; bit 1 is the busy one */
#define TSS_BUSY      0xbu
#define TSS16         0x1u
#define TSS_TYPE_32   8u
#define TASK_GATE_OF  0x5u
#define TSS_MIN_LIMIT 0x67u

#define DR7_LOCAL UINT64_C(0x155) /* L0 to L3, LE */

/* The 32-bit TSS, from CR3 on; SDM vol. 3A, "Task-State Segment (TSS)". */
struct tss {
	uint32_t cr3, eip, eflags;
	uint32_t gpr[8];
	uint32_t seg[6]; /* in the order of enum seg_reg */
	uint32_t ldt;
};

#define TSS_CR3 0x1cu
#define TSS_EIP 0x20u

_Static_assert(sizeof(struct tss) == 0x64 - TSS_CR3, "to the LDT");

static bool raise(struct task_switch *t, uint8_t vector, uint32_t selector)
{
	env_raise(t->env, vector, (selector & 0xfffc) | t->ext, t->out);
	return false;
}

static bool transfer(struct task_switch *t, gva_t gva, void *bytes, size_t size,
		     bool write)
{
	uint8_t *p = bytes;

	for (size_t done = 0; done < size; done += 16) {
		struct lin_ref ref = {
			.gva = (uint32_t)(gva + done),
			.size = (uint8_t)min_u64(size - done, 16)};
		bool ok = write ? lin_write(t->env, &ref, p + done, t->out)
				: lin_read(t->env, &ref, p + done, t->out);

		if (!ok)
			return false;
	}
	return true;
}

static bool read_desc(struct task_switch *t, uint16_t selector, uint8_t vector,
		      uint64_t *ret)
{
	const struct dtable *gdtr = &t->env->vcpu->gdtr;

	if ((selector & 4) || (selector | 7u) > gdtr->limit)
		return raise(t, vector, selector);
	return transfer(t, gdtr->base + (selector & ~7u), ret, 8, false);
}

/* IRET complains of its link by #TS, the others of their operand by #GP. */
static bool find_tss(struct task_switch *t, struct segment *tss)
{
	uint8_t vector = t->how == TASK_IRET ? EXC_TS : EXC_GP;
	uint32_t want = t->how == TASK_IRET ? TSS_BUSY : TSS_AVAILABLE;
	uint64_t desc = 0;

	if (!read_desc(t, t->selector, vector, &desc))
		return false;
	if ((DESC_TYPE(desc) | TSS_TYPE_32) != want)
		return raise(t, vector, t->selector);
	if (!(desc & DESC_P))
		return raise(t, EXC_NP, t->selector);
	*tss = delivery_segment(t->selector, desc);
	if (!(DESC_TYPE(desc) & TSS_TYPE_32) ||
	    !(t->env->vcpu->tr.attr >> 8 & TSS_TYPE_32)) {
		t->refused = "a 16-bit task";
		return false;
	}
	return tss->limit >= TSS_MIN_LIMIT || raise(t, EXC_TS, t->selector);
}

static bool set_busy(struct task_switch *t, uint16_t selector, bool busy)
{
	gva_t gva = t->env->vcpu->gdtr.base + (selector & ~7u) + 5;
	uint8_t access = 0;

	if (!transfer(t, gva, &access, 1, false))
		return false;
	access = (uint8_t)(busy ? access | 2 : access & ~2);
	return transfer(t, gva, &access, 1, true);
}

static bool save_old(struct task_switch *t)
{
	const struct vcpu *vcpu = t->env->vcpu;
	struct tss old = {.eip = (uint32_t)t->ip, .eflags = (uint32_t)t->flags};

	for (unsigned int i = 0; i < 8; i++)
		old.gpr[i] = (uint32_t)vcpu->gpr[i];
	for (unsigned int i = 0; i < NR_SEG; i++)
		old.seg[i] = vcpu->seg[i].selector;
	/* CR3 and the LDT stay as they are. */
	return transfer(t, vcpu->tr.base + TSS_EIP, &old.eip,
			offsetof(struct tss, ldt) - offsetof(struct tss, eip),
			true);
}

/*
 * All of memory's part.  What is left undone by a page fault is done again: the
 * old task's state is the same then, and the busy bit is the last.
 */
static bool exchange(struct task_switch *t, const struct segment *tss,
		     struct tss *state)
{
	const struct segment *tr = &t->env->vcpu->tr;
	bool nests = t->how == TASK_CALL || t->how == TASK_EVENT;
	uint16_t link = tr->selector;

	if (!transfer(t, tss->base + TSS_CR3, state, sizeof(*state), false) ||
	    !save_old(t))
		return false;
	if (nests && !transfer(t, tss->base, &link, sizeof(link), true))
		return false;
	if (!nests && !set_busy(t, tr->selector, false))
		return false;
	return t->how == TASK_IRET || set_busy(t, t->selector, true);
}

static void load_state(struct task_switch *t, const struct segment *tss,
		       const struct tss *state)
{
	struct vcpu *vcpu = t->env->vcpu;
	bool nests = t->how == TASK_CALL || t->how == TASK_EVENT;

	for (unsigned int i = 0; i < 8; i++)
		vcpu->gpr[i] = state->gpr[i];
	vcpu->rip = state->eip;
	vcpu->rflags = state->eflags | RFLAGS_ONE;
	if (nests)
		vcpu->rflags |= RFLAGS_NT;
	vcpu->tr = *tss;
	vcpu->tr.attr |= 2u << 8;
	vcpu->ldtr = (struct segment){.selector = (uint16_t)state->ldt};
	vcpu->irq_shadow = false;
	vcpu->dr[7] &= ~DR7_LOCAL;
	vcpu->cpl = state->eflags & RFLAGS_VM ? 3 : state->seg[SEG_CS] & 3;
	for (unsigned int i = 0; i < NR_SEG; i++)
		vcpu->seg[i] = (struct segment){
			.selector = (uint16_t)state->seg[i],
			.attr = i == SEG_CS || i == SEG_SS
					? (uint32_t)vcpu->cpl << 13
					: 0};
}

static void load_vm86(struct vcpu *vcpu)
{
	for (unsigned int i = 0; i < NR_SEG; i++) {
		struct segment *seg = &vcpu->seg[i];

		seg->base = (uint64_t)seg->selector << 4;
		seg->limit = UINT16_MAX;
		seg->attr = 0xf300;
	}
}

#define ATTR_TYPE(attr) ((attr) >> 8 & 0xf)
#define CODE            8u
#define CONFORMING      4u /* of code */
#define READ_OR_WRITE   2u

/* SDM vol. 3A, table "Exception Conditions Checked During a Task Switch". */
static bool is_right(const struct vcpu *vcpu, enum seg_reg reg, uint32_t attr)
{
	uint32_t type = ATTR_TYPE(attr), dpl = attr >> 13 & 3;
	uint32_t rpl = vcpu->seg[reg].selector & 3;

	if (!(attr & SEG_ATTR_S))
		return false;
	if (reg == SEG_CS)
		return (type & CODE) &&
		       (type & CONFORMING ? dpl <= rpl : dpl == rpl);
	if (reg == SEG_SS)
		return !(type & CODE) && (type & READ_OR_WRITE) && dpl == rpl &&
		       dpl == vcpu->cpl;
	if ((type & CODE) && !(type & READ_OR_WRITE))
		return false;
	return (type & (CODE | CONFORMING)) == (CODE | CONFORMING) ||
	       (dpl >= rpl && dpl >= vcpu->cpl);
}

static bool load_segment(struct task_switch *t, enum seg_reg reg)
{
	struct vcpu *vcpu = t->env->vcpu;
	uint16_t selector = vcpu->seg[reg].selector;
	const struct dtable gdt = vcpu->gdtr;
	uint32_t limit = selector & 4 ? vcpu->ldtr.limit : gdt.limit;
	gva_t base = selector & 4 ? vcpu->ldtr.base : gdt.base;
	struct segment seg;
	uint64_t desc = 0;

	if (!(selector & ~3) && reg != SEG_CS && reg != SEG_SS)
		return true;
	if (!(selector & ~3) || (selector | 7u) > limit)
		return raise(t, EXC_TS, selector);
	base += selector & ~7u;
	if (!transfer(t, base, &desc, sizeof(desc), false))
		return false;
	seg = delivery_segment(selector, desc);
	if (!is_right(vcpu, reg, seg.attr))
		return raise(t, EXC_TS, selector);
	if (!(seg.attr & SEG_ATTR_P))
		return raise(t, reg == SEG_SS ? EXC_SS : EXC_NP, selector);
	if (!(seg.attr & BIT(8))) { /* accessed */
		uint8_t access;

		seg.attr |= (uint32_t)BIT(8);
		access = (uint8_t)(seg.attr >> 8);
		if (!transfer(t, base + 5, &access, 1, true))
			return false;
	}
	vcpu->seg[reg] = seg;
	return true;
}

#define LDT_TYPE 2u

static bool load_ldt(struct task_switch *t)
{
	struct vcpu *vcpu = t->env->vcpu;
	uint16_t selector = vcpu->ldtr.selector;
	uint64_t desc = 0;

	if (!(selector & ~3))
		return true;
	if (!read_desc(t, selector, EXC_TS, &desc))
		return false;
	if (DESC_TYPE(desc) != LDT_TYPE || !(desc & DESC_P))
		return raise(t, EXC_TS, selector);
	vcpu->ldtr = delivery_segment(selector, desc);
	return true;
}

static bool load_segments(struct task_switch *t)
{
	static const enum seg_reg order[] = {SEG_CS, SEG_SS, SEG_DS,
					     SEG_ES, SEG_FS, SEG_GS};

	if (!load_ldt(t))
		return false;
	if (t->env->vcpu->rflags & RFLAGS_VM) {
		load_vm86(t->env->vcpu);
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		if (!load_segment(t, order[i]))
			return false;
	return true;
}

static bool push_error(struct task_switch *t)
{
	struct vcpu *vcpu = t->env->vcpu;
	const struct segment *ss = &vcpu->seg[SEG_SS];
	uint64_t mask = ss->attr & SEG_ATTR_DB ? UINT32_MAX : UINT16_MAX;
	uint64_t esp = (vcpu->gpr[GPR_RSP] - 4) & mask;
	struct lin_ref ref = {.gva = (uint32_t)(ss->base + esp),
			      .access = vcpu->cpl == 3 ? (uint32_t)PFEC_U : 0,
			      .size = 4};

	if (!t->has_error)
		return true;
	if (!lin_write(t->env, &ref, &t->error, t->out))
		return false;
	vcpu->gpr[GPR_RSP] = (vcpu->gpr[GPR_RSP] & ~mask) | esp;
	return true;
}

static bool tell(struct task_switch *t, uint32_t cr3)
{
	struct guest_event ev = env_event(t->env, GE_TASK_SWITCH);

	ev.error = t->selector;
	ev.reg = (uint8_t)t->how;
	ev.value = cr3;
	ev.insn_len = t->insn_len;
	event_push(t->env->sink, &ev, t->out);
	return t->out->verdict == GO_DONE;
}

bool task_switch(struct task_switch *t)
{
	struct tss state;
	struct segment tss;

	if (!find_tss(t, &tss) || !exchange(t, &tss, &state) ||
	    !tell(t, state.cr3))
		return false;
	load_state(t, &tss, &state);
	return load_segments(t) && push_error(t);
}

enum task_target task_target(const struct live_env *env, uint16_t selector,
			     uint64_t *desc)
{
	const struct vcpu *vcpu = env->vcpu;
	bool local = selector & 4;
	uint32_t limit = local ? vcpu->ldtr.limit : vcpu->gdtr.limit;
	gva_t base = local ? vcpu->ldtr.base : vcpu->gdtr.base;

	if (!(selector & ~3) || (selector | 7u) > limit ||
	    lin_peek(env, base + (selector & ~7u), desc, 8) != 8)
		return TASK_NONE;
	switch (DESC_TYPE(*desc)) {
	case TSS16:
	case TSS16 | 2:
	case TSS_AVAILABLE:
	case TSS_BUSY:
		return TASK_TSS;
	case TASK_GATE_OF:
		return TASK_GATE;
	default:
		return TASK_NONE;
	}
}
