/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/shape.h"

static bool is_prefix(uint8_t byte)
{
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x64:
	case 0x65:
	case 0x66:
	case 0x67:
	case 0xf0:
	case 0xf2:
	case 0xf3:
		return true;
	default:
		return false;
	}
}

/* INS, OUTS; MOVS, CMPS; STOS, LODS, SCAS. */
static bool is_string(uint8_t opcode)
{
	return (opcode >= 0x6c && opcode <= 0x6f) ||
	       (opcode >= 0xa4 && opcode <= 0xa7) ||
	       (opcode >= 0xaa && opcode <= 0xaf);
}

struct shape shape_of(enum code_mode mode, const uint8_t *bytes, size_t n)
{
	struct shape shape = {0};
	bool repeat = false;
	size_t i = 0;

	while (i < n && is_prefix(bytes[i])) {
		repeat |= bytes[i] == 0xf2 || bytes[i] == 0xf3;
		i++;
	}
	if (mode == CODE_64 && i < n && (bytes[i] & 0xf0) == 0x40)
		i++;
	if (i >= n)
		return shape;
	shape.rep_string = repeat && is_string(bytes[i]);
	shape.pushes_flags = bytes[i] == 0x9c;
	shape.pops_flags = bytes[i] == 0x9d || bytes[i] == 0xcf;
	return shape;
}
