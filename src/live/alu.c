/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results and flags of the instructions the emulator does. */
#include "live/alu.h"

#include "base/bug.h"
#include "live/gpr.h"

static uint64_t sign_bit(unsigned int size)
{
	return BIT(8 * size - 1);
}

static void set_flag(uint64_t *rflags, uint64_t flag, bool on)
{
	*rflags = on ? *rflags | flag : *rflags & ~flag;
}

static bool is_even_parity(uint64_t val)
{
	val &= 0xff;
	val ^= val >> 4;
	val ^= val >> 2;
	val ^= val >> 1;
	return !(val & 1);
}

static void set_szp(uint64_t *rflags, unsigned int size, uint64_t result)
{
	set_flag(rflags, ALU_SF, result & sign_bit(size));
	set_flag(rflags, ALU_ZF, !result);
	set_flag(rflags, ALU_PF, is_even_parity(result));
}

static uint64_t alu_add(unsigned int size, uint64_t a, uint64_t b, bool carry,
			uint64_t *rflags)
{
	uint64_t result = (a + b + carry) & size_mask(size);
	/* The carry out of each bit, from operands and sum. */
	uint64_t carries = (a & b) | ((a | b) & ~result);

	set_szp(rflags, size, result);
	set_flag(rflags, ALU_CF, carries & sign_bit(size));
	set_flag(rflags, ALU_AF, carries & 8);
	set_flag(rflags, ALU_OF, (a ^ result) & (b ^ result) & sign_bit(size));
	return result;
}

static uint64_t alu_sub(unsigned int size, uint64_t a, uint64_t b, bool borrow,
			uint64_t *rflags)
{
	uint64_t result = (a - b - borrow) & size_mask(size);
	uint64_t borrows = (~a & b) | ((~a | b) & result);

	set_szp(rflags, size, result);
	set_flag(rflags, ALU_CF, borrows & sign_bit(size));
	set_flag(rflags, ALU_AF, borrows & 8);
	set_flag(rflags, ALU_OF, (a ^ b) & (a ^ result) & sign_bit(size));
	return result;
}

static uint64_t alu_logic(uint8_t op, unsigned int size, uint64_t a, uint64_t b,
			  uint64_t *rflags)
{
	uint64_t result = op == OP_AND ? a & b : op == OP_OR ? a | b : a ^ b;

	set_szp(rflags, size, result);
	set_flag(rflags, ALU_CF | ALU_OF, false);
	return result;
}

/* INC and DEC keep CF. */
static uint64_t alu_step(uint8_t op, unsigned int size, uint64_t a,
			 uint64_t *rflags)
{
	uint64_t flags = *rflags;
	uint64_t result = op == OP_INC ? alu_add(size, a, 1, false, &flags)
				       : alu_sub(size, a, 1, false, &flags);

	*rflags = (flags & ~ALU_CF) | (*rflags & ALU_CF);
	return result;
}

static uint64_t alu_bit(uint8_t op, unsigned int size, uint64_t a, uint64_t b,
			uint64_t *rflags)
{
	uint64_t bit = BIT(b & (8 * size - 1));

	set_flag(rflags, ALU_CF, a & bit);
	if (op == OP_BTS)
		return a | bit;
	return op == OP_BTR ? a & ~bit : a ^ bit;
}

/* OF is defined for a count of 1 alone; processors set it this way always. */
static uint64_t alu_rotate(uint8_t op, unsigned int size, uint64_t a,
			   unsigned int count, uint64_t *rflags)
{
	unsigned int bits = 8 * size;
	unsigned int by = count & (bits - 1);
	uint64_t result = a;
	bool carry;

	if (op == OP_ROR)
		by = (bits - by) & (bits - 1);
	if (by)
		result = (a << by | a >> (bits - by)) & size_mask(size);
	carry = op == OP_ROL ? result & 1 : (result & sign_bit(size)) != 0;
	set_flag(rflags, ALU_CF, carry);
	if (op == OP_ROL)
		set_flag(rflags, ALU_OF,
			 carry != ((result & sign_bit(size)) != 0));
	else
		set_flag(rflags, ALU_OF,
			 (result ^ result << 1) & sign_bit(size));
	return result;
}

static int64_t sign_extend(unsigned int size, uint64_t a)
{
	unsigned int shift = 64 - 8 * size;

	return (int64_t)(a << shift) >> shift;
}

/* One step short of the result, whose last shifted-out bit is then CF. */
static uint64_t alu_shift(uint8_t op, unsigned int size, uint64_t a,
			  unsigned int count, uint64_t *rflags)
{
	uint64_t sign = sign_bit(size);
	uint64_t before, result;

	switch (op) {
	case OP_SHL:
		before = a << (count - 1);
		result = before << 1 & size_mask(size);
		set_flag(rflags, ALU_CF, before & sign);
		set_flag(rflags, ALU_OF, (before ^ result) & sign);
		break;
	case OP_SHR:
		before = a >> (count - 1);
		result = before >> 1;
		set_flag(rflags, ALU_CF, before & 1);
		set_flag(rflags, ALU_OF, a & sign);
		break;
	default: /* OP_SAR */
		before = (uint64_t)(sign_extend(size, a) >> (count - 1));
		result = (uint64_t)((int64_t)before >> 1) & size_mask(size);
		set_flag(rflags, ALU_CF, before & 1);
		set_flag(rflags, ALU_OF, false);
		break;
	}
	set_szp(rflags, size, result);
	return result;
}

uint64_t alu(uint8_t op, unsigned int size, uint64_t a, uint64_t b,
	     uint64_t *rflags)
{
	unsigned int count = (unsigned int)b & (size == 8 ? 0x3f : 0x1f);
	bool carry = *rflags & ALU_CF;

	switch (op) {
	case OP_ADD:
		return alu_add(size, a, b, false, rflags);
	case OP_ADC:
		return alu_add(size, a, b, carry, rflags);
	case OP_SUB:
		return alu_sub(size, a, b, false, rflags);
	case OP_SBB:
		return alu_sub(size, a, b, carry, rflags);
	case OP_AND:
	case OP_OR:
	case OP_XOR:
		return alu_logic(op, size, a, b, rflags);
	case OP_INC:
	case OP_DEC:
		return alu_step(op, size, a, rflags);
	case OP_NOT:
		return ~a & size_mask(size);
	case OP_NEG:
		return alu_sub(size, 0, a, false, rflags);
	case OP_BTS:
	case OP_BTR:
	case OP_BTC:
		return alu_bit(op, size, a, b, rflags);
	case OP_ROL:
	case OP_ROR:
		return count ? alu_rotate(op, size, a, count, rflags) : a;
	case OP_SHL:
	case OP_SHR:
	case OP_SAR:
		return count ? alu_shift(op, size, a, count, rflags) : a;
	default:
		BUG("not an operation of the ALU");
	}
}

void alu_compare(unsigned int size, uint64_t a, uint64_t b, uint64_t *rflags)
{
	alu_sub(size, a, b, false, rflags);
}

bool alu_condition(uint8_t cond, uint64_t rflags)
{
	bool less = !(rflags & ALU_SF) != !(rflags & ALU_OF);
	bool holds = false;

	switch (cond >> 1) {
	case 0:
		holds = rflags & ALU_OF;
		break;
	case 1:
		holds = rflags & ALU_CF;
		break;
	case 2:
		holds = rflags & ALU_ZF;
		break;
	case 3:
		holds = rflags & (ALU_CF | ALU_ZF);
		break;
	case 4:
		holds = rflags & ALU_SF;
		break;
	case 5:
		holds = rflags & ALU_PF;
		break;
	case 6:
		holds = less;
		break;
	default:
		holds = less || rflags & ALU_ZF;
		break;
	}
	return holds != (cond & 1);
}
