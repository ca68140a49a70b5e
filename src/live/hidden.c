/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The layout below is that of target/i386 in QEMU 5.0, which Unicorn 2.1 is
 * built from; hidden_calibrate.c checks it on the library at hand.
 */
#include <stdlib.h>
#include <string.h>

#include "live/hidden_layout.h"

void hidden_destroy(struct hidden *hidden)
{
	free(hidden);
}

static struct segment load_segment(const struct hidden_segment *from)
{
	return (struct segment){
		.selector = (uint16_t)from->selector,
		.limit = from->limit,
		.attr = from->flags & SEGMENT_ATTR,
		.base = from->base,
	};
}

static void store_segment(struct hidden_segment *to, const struct segment *from)
{
	to->selector = from->selector;
	to->limit = from->limit;
	to->flags = from->attr;
	to->base = from->base;
}

void hidden_load_segments(const struct hidden_head *head, struct vcpu *vcpu)
{
	for (unsigned int i = 0; i < NR_SEG; i++)
		vcpu->seg[i] = load_segment(&head->seg[i]);
	vcpu->ldtr = load_segment(&head->ldtr);
	vcpu->tr = load_segment(&head->tr);
	vcpu->gdtr = (struct dtable){head->gdtr.base, head->gdtr.limit};
	vcpu->idtr = (struct dtable){head->idtr.base, head->idtr.limit};
}

bool hidden_is_plain(const struct hidden *hidden, enum code_mode mode)
{
	const struct hidden_head *head = hidden->head;

	return !(head->rflags & (RFLAGS_TF | RFLAGS_RF)) &&
	       !(head->hflags & HFLAG_IRQ_SHADOW) &&
	       hidden_mode(head->hflags) == mode;
}

void hidden_load_registers(const struct hidden *hidden, struct vcpu *vcpu)
{
	const struct hidden_head *head = hidden->head;

	memcpy(vcpu->gpr, head->gpr, sizeof(vcpu->gpr));
	vcpu->rip = head->rip;
	vcpu->rflags = head->rflags;
	vcpu->cpl = head->hflags & HFLAG_CPL;
	vcpu->irq_shadow = false;
}

void hidden_load(const struct hidden *hidden, struct vcpu *vcpu)
{
	const struct hidden_head *head = hidden->head;

	hidden_load_registers(hidden, vcpu);
	vcpu->rflags = 0;
	uc_reg_read(hidden->uc, UC_X86_REG_RFLAGS, &vcpu->rflags);
	hidden_load_segments(head, vcpu);
	vcpu->irq_shadow = head->hflags & HFLAG_IRQ_SHADOW;
}

void hidden_store_registers(struct hidden *hidden, const struct vcpu *vcpu)
{
	struct hidden_head *head = hidden->head;

	memcpy(head->gpr, vcpu->gpr, sizeof(head->gpr));
	head->rip = vcpu->rip;
	hidden_retry(hidden);
}

/* Does the address of DS:, ES: or SS: need a base added? */
static bool needs_addseg(const struct vcpu *vcpu, uint32_t hflags)
{
	if (hflags & HFLAG_CS64)
		return false;
	if (!(hflags & HFLAG_PE) || (vcpu->rflags & RFLAGS_VM) ||
	    !(hflags & HFLAG_CS32))
		return true;
	return vcpu->seg[SEG_DS].base || vcpu->seg[SEG_ES].base ||
	       vcpu->seg[SEG_SS].base;
}

/* PE, LMA and what comes from CR0 and CR4 stay as they are. */
static uint32_t hflags_of(const struct vcpu *vcpu, uint32_t old)
{
	uint32_t hflags = old & ~HFLAGS_OF_VCPU;

	hflags |= vcpu->cpl;
	if (vcpu->irq_shadow)
		hflags |= HFLAG_IRQ_SHADOW;
	if ((hflags & HFLAG_LMA) && (vcpu->seg[SEG_CS].attr & SEG_ATTR_L)) {
		hflags |= HFLAG_CS64 | HFLAG_CS32 | HFLAG_SS32;
	} else {
		if (vcpu->seg[SEG_CS].attr & SEG_ATTR_DB)
			hflags |= HFLAG_CS32;
		if (vcpu->seg[SEG_SS].attr & SEG_ATTR_DB)
			hflags |= HFLAG_SS32;
	}
	if (needs_addseg(vcpu, hflags))
		hflags |= HFLAG_ADDSEG;
	return hflags;
}

/*
 * Both ways: Unicorn takes the arithmetic flags from rflags when it enters its
 * loop, and from cc_src while it stays inside.
 */
static void store_rflags(struct hidden *hidden, uint64_t rflags)
{
	struct hidden_head *head = hidden->head;

	head->cc_src = rflags & RFLAGS_CC;
	head->cc_op = hidden->cc_op_flags;
	head->df = rflags & RFLAGS_DF ? -1 : 1;
	head->rflags = rflags | RFLAGS_ONE;
}

void hidden_store(struct hidden *hidden, const struct vcpu *vcpu)
{
	struct hidden_head *head = hidden->head;

	hidden_store_registers(hidden, vcpu);
	store_rflags(hidden, vcpu->rflags);
	for (unsigned int i = 0; i < NR_SEG; i++)
		store_segment(&head->seg[i], &vcpu->seg[i]);
	store_segment(&head->ldtr, &vcpu->ldtr);
	store_segment(&head->tr, &vcpu->tr);
	head->gdtr.base = vcpu->gdtr.base;
	head->gdtr.limit = vcpu->gdtr.limit;
	head->idtr.base = vcpu->idtr.base;
	head->idtr.limit = vcpu->idtr.limit;
	head->hflags = hflags_of(vcpu, head->hflags);
}

void hidden_retry(struct hidden *hidden)
{
	hidden->tail->old_exception = -1;
	hidden->tail->is_int = 0;
}

struct hidden_event hidden_event(const struct hidden *hidden)
{
	return (struct hidden_event){
		.cr2 = hidden->head->cr[2],
		.error = (uint32_t)hidden->tail->error,
		.is_int = hidden->tail->is_int,
	};
}
