/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "emulate_rig.h"

#include <string.h>

void place(struct fake *f, enum setup_mode mode, const char *bytes)
{
	uint8_t code[INSN_BYTES_MAX];
	size_t n = parse_hex(bytes, code);

	fake_init(f);
	setup_mode(f, mode);
	memcpy(mem_ram(f->mem, KERNEL_RIP), code, n);
	for (unsigned int i = 0; i < NR_GPR; i++)
		if (i != GPR_RSP)
			f->vcpu.gpr[i] = VALUE + i;
	f->vcpu.gpr[GPR_RDI] = TABLE;
	f->vcpu.gpr[GPR_RSI] = TABLE + 0x800;
	fake_poke(f, TABLE, OLD, 8);
	fake_poke(f, TABLE + 0x800, VALUE, 8);
}
