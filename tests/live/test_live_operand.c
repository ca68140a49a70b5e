/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which bytes a read-modify-write is about.  (That addresses are right shows
 * in test_live_emulate_host, where a processor computes the same ones.)
 */
#include "check.h"

#include "live/decode.h"
#include "run_insn.h"

/* RDI is 0x1000: which bytes a read-modify-write is about. */
static void test_rmw(void **state)
{
	static const struct {
		const char *bytes;
		gva_t gva;
		bool covers;
	} rmw[] = {
		{"01 07", 0xfff, 0},        {"01 07", 0x1000, 1},
		{"01 07", 0x1003, 1},       {"01 07", 0x1004, 0},
		{"48 01 07", 0x1007, 1},    {"03 07", 0x1000, 0},
		{"39 07", 0x1000, 0},       {"89 07", 0x1000, 0},
		{"ff 07", 0x1000, 1},       {"ff 37", 0x1000, 0},
		{"48 0f c7 0f", 0x100f, 1}, {"0f c7 0f", 0x1008, 0},
		{"f0 0f b1 0f", 0x1000, 1}, {"d3 17", 0x1000, 1},
		{"0f ab 0f", 0x1008, 1},    {"0f ab 0f", 0x1000, 0},
		{"0f a3 0f", 0x1008, 0},    {"64 01 07", 0x1500, 1},
		{"64 01 07", 0x1000, 0},    {"f3 a4", 0x1000, 0},
		{"0f 11 07", 0x1000, 0},    {"0f ac 07 05", 0x1000, 1},
	};
	struct vcpu vcpu = {.gpr[GPR_RDI] = 0x1000, .gpr[GPR_RCX] = 65};

	(void)state;
	vcpu.seg[SEG_FS].base = 0x500;
	for (size_t i = 0; i < ARRAY_LEN(rmw); i++) {
		uint8_t bytes[INSN_BYTES_MAX];
		size_t n = parse_hex(rmw[i].bytes, bytes);
		struct insn insn;

		assert_int_equal(decode_one(CODE_64, bytes, n, &insn), n);
		check_eq(rmw[i].bytes,
			 insn_rmw_covers(&insn, &vcpu, rmw[i].gva),
			 rmw[i].covers);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rmw),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
