/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The exit decisions that take more than a bit test.  SDM vol. 3C,
 * "Instructions That Cause VM Exits Conditionally" for what exits, "Changes to
 * Instruction Behavior in VMX Non-Root Operation" for what happens if not.
 */
#include "vmx_model/decide.h"

static const struct {
	enum exit_reason reason;
	uint32_t proc;
	uint32_t proc2;
} insns[NR_VMX_INSNS] = {
#define INSN(name, reason, proc, proc2) \
	[VMX_INSN_##name] = {EXIT_REASON_##reason, proc, proc2},
#include "vmx_model/insns.def"
#undef INSN
};

bool vmx_insn_exits(const struct vmx_controls *c, enum vmx_insn insn)
{
	uint32_t missing = insns[insn].proc & ~c->proc;
	uint32_t missing2 = insns[insn].proc2 & ~c->proc2;

	return !c->off && !missing && !missing2;
}

enum exit_reason vmx_insn_reason(enum vmx_insn insn)
{
	return insns[insn].reason;
}

/* Bits of the mask are the hypervisor's, the others the guest's. */
static uint64_t blend(uint64_t mask, uint64_t host, uint64_t guest)
{
	return (host & mask) | (guest & ~mask);
}

static struct vmx_cr_result masked_write(uint64_t mask, uint64_t shadow,
					 uint64_t hw, uint64_t source)
{
	return (struct vmx_cr_result){
		.exits = (source ^ shadow) & mask,
		.value = blend(mask, hw, source),
	};
}

static bool is_cr3_target(const struct vmx_controls *c, uint64_t cr3)
{
	for (uint32_t i = 0; i < c->cr3_target_count; i++) {
		if (c->cr3_target[i] == cr3)
			return true;
	}
	return false;
}

struct vmx_cr_result vmx_cr_write(const struct vmx_controls *c, unsigned int cr,
				  uint64_t hw, uint64_t source)
{
	struct vmx_cr_result r = {.value = source};

	switch (cr) {
	case 0:
		return masked_write(c->cr0_mask, c->cr0_shadow, hw, source);
	case 2:
		break;
	case 3:
		r.exits = (c->proc & VMX_PROC_CR3_LOAD_EXITING) &&
			  !is_cr3_target(c, source);
		break;
	case 4:
		return masked_write(c->cr4_mask, c->cr4_shadow, hw, source);
	case 8:
		r.exits = c->proc & VMX_PROC_CR8_LOAD_EXITING;
		break;
	default:
		BUG("no such control register");
	}
	return r;
}

struct vmx_cr_result vmx_cr_read(const struct vmx_controls *c, unsigned int cr,
				 uint64_t hw)
{
	struct vmx_cr_result r = {.value = hw};

	switch (cr) {
	case 0:
		r.value = blend(c->cr0_mask, c->cr0_shadow, hw);
		break;
	case 2:
		break;
	case 3:
		r.exits = c->proc & VMX_PROC_CR3_STORE_EXITING;
		break;
	case 4:
		r.value = blend(c->cr4_mask, c->cr4_shadow, hw);
		break;
	case 8:
		r.exits = c->proc & VMX_PROC_CR8_STORE_EXITING;
		break;
	default:
		BUG("no such control register");
	}
	return r;
}

/* With TS masked but 0 in the shadow there is nothing to clear: no exit. */
struct vmx_cr_result vmx_clts(const struct vmx_controls *c, uint64_t hw)
{
	return (struct vmx_cr_result){
		.exits = c->cr0_mask & c->cr0_shadow & CR0_TS,
		.value = blend(c->cr0_mask, hw, hw & ~CR0_TS),
	};
}

/*
 * LMSW loads CR0 3:0 but cannot clear PE: a 0 there is no attempt to change
 * it, whatever mask and shadow say.
 */
struct vmx_cr_result vmx_lmsw(const struct vmx_controls *c, uint64_t hw,
			      uint16_t source)
{
	uint64_t mp_em_ts = CR0_MP | CR0_EM | CR0_TS;
	uint64_t differs = source ^ c->cr0_shadow;
	uint64_t sets_pe = source & ~c->cr0_shadow & CR0_PE;
	uint64_t loaded = (hw & ~mp_em_ts) | (source & (mp_em_ts | CR0_PE));

	return (struct vmx_cr_result){
		.exits = c->cr0_mask & ((differs & mp_em_ts) | sets_pe),
		.value = blend(c->cr0_mask, hw, loaded),
	};
}

static bool bitmap_test(const uint8_t *bitmap, uint32_t bit)
{
	BUG_ON(!bitmap); /* the controls say that it is there */
	return bitmap[bit / 8] & BIT(bit % 8);
}

static bool port_exits(const struct vmx_controls *c, uint32_t port)
{
	if (port < 0x8000)
		return bitmap_test(c->io_bitmap_a, port);
	return bitmap_test(c->io_bitmap_b, port - 0x8000);
}

bool vmx_io_exits(const struct vmx_controls *c, uint16_t port,
		  unsigned int size)
{
	uint32_t end = (uint32_t)port + size;

	if (!(c->proc & VMX_PROC_USE_IO_BITMAPS))
		return c->proc & VMX_PROC_UNCOND_IO_EXITING;
	if (end > 0x10000) /* wraps around the I/O space */
		return true;
	for (uint32_t p = port; p < end; p++) {
		if (port_exits(c, p))
			return true;
	}
	return false;
}

/* The MSR bitmap: four times 1 KiB, one bit for each of 8192 MSRs. */
#define MSR_BITMAP_MSRS  UINT32_C(0x2000)
#define MSR_BITMAP_HIGH  UINT32_C(0xc0000000)
#define MSR_BITMAP_BYTES 1024

bool vmx_msr_exits(const struct vmx_controls *c, uint32_t msr, bool write)
{
	uint32_t part = write ? 2 : 0;

	if (!(c->proc & VMX_PROC_USE_MSR_BITMAPS))
		return !c->off;
	if (msr >= MSR_BITMAP_HIGH) {
		msr -= MSR_BITMAP_HIGH;
		part++;
	}
	if (msr >= MSR_BITMAP_MSRS)
		return true;
	return bitmap_test(c->msr_bitmap, part * MSR_BITMAP_BYTES * 8 + msr);
}
