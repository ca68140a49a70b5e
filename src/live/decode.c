/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decoder's outside: one instruction, one block. */
#include "live/decode.h"

#include "live/classify.h"

unsigned int decode_one(enum code_mode mode, const uint8_t *bytes, size_t n,
			struct insn *ret)
{
	struct code code;

	if (!code_parse(mode, bytes, n, &code)) {
		*ret = (struct insn){.op = OP_INVALID, .mode = (uint8_t)mode};
		return 0;
	}
	classify(&code, ret);
	return ret->length;
}

void decode_block(enum code_mode mode, const uint8_t *bytes, size_t n,
		  struct block_scan *scan)
{
	scan->nr = 0;
	scan->nr_sensitive = 0;
	for (size_t at = 0; at < n;) {
		struct insn insn;
		unsigned int length =
			decode_one(mode, bytes + at, n - at, &insn);

		if (!length)
			length = (unsigned int)min_u64(n - at, INSN_BYTES_MAX);
		if (scan->nr < scan->max)
			scan->insn[scan->nr] = (struct block_insn){
				.offset = (uint16_t)at,
				.length = (uint8_t)length,
				.op = insn.op,
			};
		scan->nr++;
		scan->nr_sensitive += op_is_sensitive(insn.op);
		if (insn.op == OP_INVALID)
			return;
		at += length;
	}
}

/*
 * Prefilter.  First opcode bytes: INS, OUTS, IN, OUT, INT1, HLT; second ones
 * after 0F, but for 01, 38 and C7, which the next byte tells apart.
 */
static const uint64_t first_byte[4] = {
	0,
	BITS(0x6f - 64, 0x6c - 64),
	0,
	BITS(0xe7 - 192, 0xe4 - 192) | BITS(0xef - 192, 0xec - 192) |
		BIT(0xf1 - 192) | BIT(0xf4 - 192),
};
static const uint64_t second_byte[4] = {
	BITS(9, 5) | BITS(0x23, 0x20) | BITS(0x35, 0x30) | BIT(0x37),
	BITS(0x79 - 64, 0x78 - 64),
	BIT(0xa2 - 128) | BIT(0xaa - 128),
	0,
};

static bool in_set(const uint64_t set[4], uint8_t byte)
{
	return set[byte >> 6] >> (byte & 63) & 1;
}

static bool may_be_sensitive_0f(uint8_t second, uint8_t third)
{
	switch (second) {
	case 0x01: /* all but SGDT, SIDT, LGDT, LIDT */
		return third >= 0xc0 || (third & 0x38) >= 0x20;
	case 0x38: /* INVEPT, INVVPID, INVPCID */
		return third >= 0x80 && third <= 0x82;
	case 0xc7: /* RDRAND and its group: /6 and /7 */
		return (third & 0x30) == 0x30;
	default:
		return in_set(second_byte, second);
	}
}

static bool may_be_prefix(uint8_t byte)
{
	return (byte & 0xf0) == 0x40 || (byte & 0xe7) == 0x26 ||
	       (byte >= 0x64 && byte <= 0x67) || byte == 0xf0 || byte == 0xf2 ||
	       byte == 0xf3;
}

bool decode_block_may_be_sensitive(const uint8_t *bytes, size_t n)
{
	uint8_t before = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t byte = bytes[i];

		if (in_set(first_byte, byte))
			return true;
		/* PAUSE: F3 and perhaps other prefixes before it. */
		if (byte == 0x90 && may_be_prefix(before))
			return true;
		if (byte == 0x0f &&
		    may_be_sensitive_0f(i + 1 < n ? bytes[i + 1] : 0x05,
					i + 2 < n ? bytes[i + 2] : 0xff))
			return true;
		before = byte;
	}
	return false;
}
