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
