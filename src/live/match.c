/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which operand an access is of, where that takes more than a sum. */
#include <string.h>

#include "live/internal.h"
#include "live/observe_internal.h"

/* Registers change in the midst of an instruction: as it makes its first. */
static void look(struct observe *o)
{
	const struct hidden_head *head = o->head;

	if (o->looked)
		return;
	memcpy(o->vcpu.gpr, head->gpr, sizeof(o->vcpu.gpr));
	o->vcpu.rip = head->rip;
	if (o->insn->far_reaching || (o->mode != CODE_64 && !o->segments)) {
		hidden_load_segments(head, &o->vcpu);
		o->segments = o->mode == CODE_32 && o->flat;
	}
	o->looked = true;
}

/* Somewhere in [base, base + window)? */
static bool find_behind(struct observe *o, gva_t base, uint64_t window,
			hpa_t hpa, struct match *ret)
{
	for (uint64_t at = (hpa - base) & PAGE_MASK; at < window;
	     at += PAGE_SIZE) {
		if (!observe_leads(o, observe_wrap(o, base + at), hpa))
			continue;
		ret->gva = observe_wrap(o, base + at);
		return true;
	}
	return false;
}

static bool find_operand(struct observe *o, const struct insn *insn, hpa_t hpa,
			 struct match *ret)
{
	for (unsigned int i = 0; i < insn->nr_operands; i++) {
		const struct operand *op = &insn->operand[i];
		gva_t gva;

		if (op->type != OPERAND_MEM)
			continue;
		gva = insn_linear(insn, op, &o->vcpu);
		/* POP computes its address after RSP has moved. */
		if (insn->op == OP_POP && op->mem.base == GPR_RSP)
			gva += insn->opsize;
		if (!find_behind(o, gva, operand_reach(op), hpa, ret))
			continue;
		ret->rmw = op->read && op->write;
		return true;
	}
	return false;
}

/* Half a page to either side of a register. */
static bool find_around(struct observe *o, uint64_t reg, hpa_t hpa,
			struct match *ret)
{
	uint64_t base = o->mode == CODE_64 ? 0 : o->vcpu.seg[SEG_SS].base;

	if (o->mode != CODE_64)
		reg &= o->vcpu.seg[SEG_SS].attr & SEG_ATTR_DB ? UINT32_MAX
							      : UINT16_MAX;
	return find_behind(o, base + reg - PAGE_SIZE / 2, PAGE_SIZE, hpa, ret);
}

static bool find_descriptor(struct observe *o, hpa_t hpa, struct match *ret)
{
	const struct vcpu *vcpu = &o->vcpu;

	ret->supervisor = true;
	return find_behind(o, vcpu->gdtr.base, vcpu->gdtr.limit + 1, hpa,
			   ret) ||
	       find_behind(o, vcpu->ldtr.base, (uint64_t)vcpu->ldtr.limit + 1,
			   hpa, ret) ||
	       find_behind(o, vcpu->tr.base, 104, hpa, ret);
}

bool match_indirectly(struct observe *o, hpa_t hpa, struct match *ret)
{
	const struct known_detail *detail = known_detail(&o->known, o->insn);
	const struct nature *nature = &detail->nature;
	const struct vcpu *vcpu = &o->vcpu;

	look(o);
	if (find_operand(o, &detail->insn, hpa, ret))
		return true;
	if (nature->stack && find_around(o, vcpu->gpr[GPR_RSP], hpa, ret))
		return true;
	if (nature->frame && find_around(o, vcpu->gpr[GPR_RBP], hpa, ret))
		return true;
	if (nature->xlat)
		return find_behind(o,
				   vcpu->gpr[GPR_RBX] +
					   (vcpu->gpr[GPR_RAX] & 0xff) +
					   vcpu->seg[SEG_DS].base,
				   1, hpa, ret);
	if (nature->maskmov)
		return find_behind(o, vcpu->gpr[GPR_RDI], 16, hpa, ret);
	return nature->descriptors && find_descriptor(o, hpa, ret);
}
