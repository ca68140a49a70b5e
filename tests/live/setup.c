/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "setup.h"

#include "check.h"

void setup_gdt(struct fake *f, unsigned int selector, uint32_t base,
	       uint32_t limit, unsigned int access, unsigned int flags)
{
	uint64_t desc = 0;

	desc |= limit & 0xffff;
	desc |= (uint64_t)(base & 0xffffff) << 16;
	desc |= (uint64_t)access << 40;
	desc |= (uint64_t)(limit >> 16 & 0xf) << 48;
	desc |= (uint64_t)(flags & 0xf0) << 48;
	desc |= (uint64_t)(base >> 24) << 56;
	fake_poke(f, GDT_AT + selector, desc, 8);
}

static bool is_long(const struct fake *f)
{
	return f->view.efer & EFER_LMA;
}

void setup_gate(struct fake *f, unsigned int vector, unsigned int selector,
		uint64_t offset, unsigned int access, unsigned int ist)
{
	uint64_t low = (offset & 0xffff) | (uint64_t)selector << 16 |
		       (uint64_t)ist << 32 | (uint64_t)access << 40 |
		       (offset >> 16 & 0xffff) << 48;

	if (is_long(f)) {
		fake_poke(f, IDT_AT + vector * 16, low, 8);
		fake_poke(f, IDT_AT + vector * 16 + 8, offset >> 32, 8);
	} else if (f->view.cr0 & CR0_PE) {
		fake_poke(f, IDT_AT + vector * 8, low, 8);
	} else {
		fake_poke(f, IDT_AT + vector * 4, offset, 2);
		fake_poke(f, IDT_AT + vector * 4 + 2, selector, 2);
	}
}

static void setup_table(struct fake *f)
{
	unsigned int code = is_long(f) ? F_LONG : F_BIG;

	setup_gdt(f, K_CODE, 0, 0xfffff, A_CODE, code);
	setup_gdt(f, K_DATA, 0, 0xfffff, A_DATA, F_BIG);
	setup_gdt(f, U_CODE32, 0, 0xfffff, A_CODE | A_DPL(3), F_BIG);
	setup_gdt(f, U_DATA, 0, 0xfffff, A_DATA | A_DPL(3), F_BIG);
	setup_gdt(f, U_CODE64, 0, 0xfffff, A_CODE | A_DPL(3), code);
	setup_gdt(f, K_CONF, 0, 0xfffff, A_CODE | 4, code);
	setup_gdt(f, K_ABSENT, 0, 0xfffff, A_CODE & 0x7f, code);
	setup_gdt(f, TSS_SEL, TSS_AT, 0x67, 0x8b, 0);
	setup_gdt(f, K_CODE32, 0, 0xfffff, A_CODE, F_BIG);
	setup_gdt(f, K_FRESH, 0, 0xfffff, A_CODE & ~1u, code);
	setup_gdt(f, K_DATA2, 0, 0xfffff, A_DATA, F_BIG);
	setup_gdt(f, R1_CODE, 0, 0xfffff, A_CODE | A_DPL(1), code);
	setup_gdt(f, R1_DATA, 0, 0xfffff, A_DATA | A_DPL(1), F_BIG);
	setup_gdt(f, K_STACK_FRESH, 0, 0xfffff, A_DATA & ~1u, F_BIG);
	setup_gdt(f, K_STACK_ABSENT, 0, 0xfffff, A_DATA & 0x7f, F_BIG);
	setup_gdt(f, K_STACK_SMALL, 0, 0x903f, A_DATA, 0x40);
	setup_gdt(f, K_STACK_DOWN, 0, 8, A_DATA | 4, F_BIG);
	setup_gdt(f, K_STACK16, 0x10000, 0xffff, A_DATA, 0);
	setup_gdt(f, K_CODE_SMALL, 0, 0xfff, A_CODE, 0x40);
	setup_gdt(f, K_READONLY, 0, 0xfffff, 0x91, F_BIG);
}

static void setup_tss(struct fake *f)
{
	/* No I/O permission map: it begins beyond the limit. */
	fake_poke(f, TSS_AT + 0x66, 0x68, 2);
	if (is_long(f)) {
		fake_poke(f, TSS_AT + 4, RSP0, 8);
		fake_poke(f, TSS_AT + 12, RSP1, 8);
		fake_poke(f, TSS_AT + 36, IST1, 8);
	} else {
		fake_poke(f, TSS_AT + 4, RSP0, 4);
		fake_poke(f, TSS_AT + 8, K_DATA2, 4);
		fake_poke(f, TSS_AT + 12, RSP1, 4);
		fake_poke(f, TSS_AT + 16, R1_DATA | 1, 4);
	}
	f->vcpu.tr = (struct segment){.selector = TSS_SEL,
				      .limit = 0x67,
				      .attr = 0x8b00,
				      .base = TSS_AT};
}

void setup_segment(struct fake *f, enum seg_reg reg, unsigned int selector)
{
	uint64_t desc = fake_peek(f, GDT_AT + (selector & ~7u), 8);
	uint32_t limit = (uint32_t)((desc & 0xffff) | (desc >> 32 & 0xf0000));
	struct segment *seg = &f->vcpu.seg[reg];

	seg->selector = (uint16_t)selector;
	seg->attr = (uint32_t)(desc >> 32) & 0xf0ff00;
	seg->limit = seg->attr & SEG_ATTR_G ? limit << 12 | 0xfff : limit;
	seg->base = (desc >> 16 & 0xffffff) | (desc >> 56) << 24;
}

static void setup_real_segments(struct fake *f)
{
	for (int i = 0; i < NR_SEG; i++)
		f->vcpu.seg[i] =
			(struct segment){.limit = 0xffff, .attr = 0x9300};
	f->vcpu.seg[SEG_CS].selector = 0x800;
	f->vcpu.seg[SEG_CS].base = 0x8000;
	f->vcpu.seg[SEG_SS].selector = 0x700;
	f->vcpu.seg[SEG_SS].base = 0x7000;
	f->vcpu.rip = KERNEL_RIP - 0x8000;
	f->vcpu.gpr[GPR_RSP] = 0x12342000; /* the upper half must survive */
}

void setup_mode(struct fake *f, enum setup_mode mode)
{
	static const uint64_t cr0[] = {CR0_PG | CR0_PE, CR0_PE, 0};

	f->view.cr0 = cr0[mode];
	f->view.efer = mode == SETUP_LONG ? EFER_LMA | EFER_LME | EFER_SCE : 0;
	f->vcpu.gdtr = (struct dtable){GDT_AT, GDT_LIMIT};
	f->vcpu.idtr = (struct dtable){IDT_AT, 0xfff};
	f->vcpu.rflags = RFLAGS_ONE | RFLAGS_IF | 0x55;
	f->vcpu.cpl = 0;
	setup_table(f);
	for (unsigned int i = 0; i < 256; i++)
		setup_gate(f, i, mode == SETUP_REAL ? 0xe00 : K_CODE,
			   mode == SETUP_REAL ? i * 16 : handler_of(i),
			   G_INT(0), 0);
	if (mode == SETUP_REAL) {
		setup_real_segments(f);
		return;
	}
	setup_tss(f);
	setup_segment(f, SEG_CS, K_CODE);
	setup_segment(f, SEG_SS, K_DATA);
	setup_segment(f, SEG_DS, K_DATA);
	setup_segment(f, SEG_ES, K_DATA);
	f->vcpu.rip = KERNEL_RIP;
	f->vcpu.gpr[GPR_RSP] = KERNEL_STACK;
}

void setup_user(struct fake *f)
{
	bool is64 = f->view.efer & EFER_LMA;

	setup_segment(f, SEG_CS, (is64 ? U_CODE64 : U_CODE32) | 3);
	setup_segment(f, SEG_SS, U_DATA | 3);
	f->vcpu.cpl = 3;
	f->vcpu.rip = USER_RIP;
	f->vcpu.gpr[GPR_RSP] = USER_STACK;
}

static void check_segment(const char *name, const char *what, unsigned int nr,
			  const struct segment *got, const struct segment *want)
{
	char part[32];

	snprintf(part, sizeof(part), "%s %u selector", what, nr);
	check_part(name, part, got->selector, want->selector);
	snprintf(part, sizeof(part), "%s %u base", what, nr);
	check_part(name, part, got->base, want->base);
	snprintf(part, sizeof(part), "%s %u limit", what, nr);
	check_part(name, part, got->limit, want->limit);
	snprintf(part, sizeof(part), "%s %u attr", what, nr);
	check_part(name, part, got->attr, want->attr);
}

void check_vcpu(const char *name, const struct vcpu *got,
		const struct vcpu *want)
{
	char part[32];

	check_part(name, "rip", got->rip, want->rip);
	check_part(name, "rflags", got->rflags, want->rflags);
	check_part(name, "cpl", got->cpl, want->cpl);
	check_part(name, "irq_shadow", got->irq_shadow, want->irq_shadow);
	for (unsigned int i = 0; i < NR_GPR; i++) {
		snprintf(part, sizeof(part), "gpr %u", i);
		check_part(name, part, got->gpr[i], want->gpr[i]);
	}
	for (unsigned int i = 0; i < NR_SEG; i++)
		check_segment(name, "segment", i, &got->seg[i], &want->seg[i]);
	check_segment(name, "ldtr", 0, &got->ldtr, &want->ldtr);
	check_segment(name, "tr", 0, &got->tr, &want->tr);
	check_part(name, "gdtr", got->gdtr.base, want->gdtr.base);
	check_part(name, "idtr", got->idtr.base, want->idtr.base);
	for (unsigned int i = 0; i < 8; i++) {
		snprintf(part, sizeof(part), "dr %u", i);
		check_part(name, part, got->dr[i], want->dr[i]);
	}
	check_part(name, "star", got->star, want->star);
	check_part(name, "lstar", got->lstar, want->lstar);
	check_part(name, "cstar", got->cstar, want->cstar);
	check_part(name, "sfmask", got->sfmask, want->sfmask);
	check_part(name, "sysenter_cs", got->sysenter_cs, want->sysenter_cs);
	check_part(name, "sysenter_esp", got->sysenter_esp, want->sysenter_esp);
	check_part(name, "sysenter_eip", got->sysenter_eip, want->sysenter_eip);
	check_part(name, "tsc_offset", got->tsc_offset, want->tsc_offset);
}
