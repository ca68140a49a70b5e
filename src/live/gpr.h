/* SPDX-License-Identifier: GPL-2.0-or-later */
/* General registers by size, as instructions name them. */
#ifndef NOTRAP_LIVE_GPR_H
#define NOTRAP_LIVE_GPR_H

#include "live/decode.h"

static inline uint64_t size_mask(unsigned int size)
{
	return size >= 8 ? ~UINT64_C(0) : BIT(8 * size) - 1;
}

static inline uint64_t gpr_read(const struct vcpu *vcpu,
				const struct operand *op)
{
	return vcpu->gpr[op->reg] >> (op->high ? 8 : 0) & size_mask(op->size);
}

/* 4 bytes clear the upper half; 1 and 2 bytes keep the rest. */
static inline void gpr_merge(uint64_t *reg, unsigned int size, uint64_t val)
{
	uint64_t mask = size_mask(size);

	*reg = size == 4 ? val & mask : (*reg & ~mask) | (val & mask);
}

static inline void gpr_write(struct vcpu *vcpu, const struct operand *op,
			     uint64_t val)
{
	uint64_t *reg = &vcpu->gpr[op->reg];

	if (op->high)
		*reg = (*reg & ~UINT64_C(0xff00)) | (val & 0xff) << 8;
	else
		gpr_merge(reg, op->size, val);
}

/* A string instruction's pointer or counter, `size` bytes of it. */
static inline void gpr_add(struct vcpu *vcpu, uint8_t reg, unsigned int size,
			   uint64_t by)
{
	gpr_merge(&vcpu->gpr[reg], size, vcpu->gpr[reg] + by);
}

#endif
