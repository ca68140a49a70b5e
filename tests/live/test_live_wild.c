/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses that are not canonical: branches undone, stacks told apart. */
#include "check.h"

#include "live/wild.h"
#include "run_insn.h"
#include "setup.h"

#define RSP  UINT64_C(0x1000)
#define WILD UINT64_C(0x800000000000)

static void undo(void **state)
{
	static const struct {
		const char *bytes;
		bool is_branch;
		uint64_t rsp; /* before it */
	} rows[] = {
		{"c3", true, RSP - 8},
		{"c2 10 00", true, RSP - 0x18},
		{"ff d0", true, RSP + 8},
		{"ff e0", true, RSP},
		{"e8 00 00 00 00", true, RSP + 8},
		{"eb 00", true, RSP},
		{"ff 30", false, RSP},
		{"0f 05", false, RSP},
		{"cb", false, RSP},
		{"90", false, RSP},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t bytes[INSN_BYTES_MAX];
		size_t n = parse_hex(rows[i].bytes, bytes);
		uint64_t rsp = RSP;

		check_part(rows[i].bytes, "is a branch",
			   wild_undo_branch(bytes, n, &rsp), rows[i].is_branch);
		check_part(rows[i].bytes, "RSP", rsp, rows[i].rsp);
	}
}

static void stack(void **state)
{
	static const struct {
		const char *bytes;
		uint64_t rsp, rbp, rax;
		bool by_stack;
	} rows[] = {
		{"8b 00", RSP, RSP, WILD, false},       /* MOV (rax) */
		{"8b 45 00", RSP, WILD, RSP, true},     /* MOV (rbp) */
		{"64 8b 45 00", RSP, WILD, RSP, false}, /* FS: */
		{"50", WILD + 8, RSP, RSP, true},       /* PUSH */
		{"58", WILD, RSP, RSP, true},           /* POP */
		{"ff 30", RSP, RSP, WILD, false},       /* PUSH (rax) */
		{"ff 30", WILD + 8, RSP, WILD, true},
		{"90", WILD, WILD, WILD, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t bytes[INSN_BYTES_MAX];
		size_t n = parse_hex(rows[i].bytes, bytes);
		struct fake f;

		fake_init(&f);
		setup_mode(&f, SETUP_LONG);
		f.vcpu.gpr[GPR_RSP] = rows[i].rsp;
		f.vcpu.gpr[GPR_RBP] = rows[i].rbp;
		f.vcpu.gpr[GPR_RAX] = rows[i].rax;
		check_part(rows[i].bytes, "by the stack",
			   wild_by_stack(&f.env, bytes, n), rows[i].by_stack);
		fake_finish(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(undo),
		cmocka_unit_test(stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
