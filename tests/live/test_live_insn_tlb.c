/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * INVPCID and WRPKRU, one by one; RFLAGS.AC of explicit accesses; addresses of
 * 57 bits.  Expected values from the manual's pages of each instruction.
 */
#include "check.h"

#include "arch/exception.h"
#include "run_insn.h"

#define DESC_AT 0x6000u
#define ADDRESS UINT64_C(0xffff812345678abc)
#define WIDE    UINT64_C(0x00ff812345678abc) /* of 57 bits, not of 48 */
#define WILD    UINT64_C(0x01ff812345678abc) /* of neither */

/* RAX: the type, RDI: where the descriptor is. */
static void descriptor(struct fake *f, uint64_t type, uint64_t pcid,
		       uint64_t gva)
{
	f->env.features |= FEATURE_INVPCID;
	f->vcpu.gpr[GPR_RAX] = type;
	f->vcpu.gpr[GPR_RDI] = DESC_AT;
	fake_poke(f, DESC_AT, pcid, 8);
	fake_poke(f, DESC_AT + 8, gva, 8);
}

static void with_pcids(struct fake *f)
{
	f->view.cr4 |= CR4_PCIDE;
}

static void address(struct fake *f)
{
	descriptor(f, INVPCID_ADDRESS, 0, ADDRESS);
}

static void address_of_pcid(struct fake *f)
{
	with_pcids(f);
	descriptor(f, INVPCID_ADDRESS, 0xfff, ADDRESS);
}

static void pcid_without_pcide(struct fake *f)
{
	descriptor(f, INVPCID_ADDRESS, 1, ADDRESS);
}

static void context_without_pcide(struct fake *f)
{
	descriptor(f, INVPCID_CONTEXT, 1, 0);
}

/* The address counts for type 0 alone, the PCID for types 0 and 1. */
static void context(struct fake *f)
{
	with_pcids(f);
	descriptor(f, INVPCID_CONTEXT, 5, WILD);
}

static void all_global(struct fake *f)
{
	descriptor(f, INVPCID_ALL_GLOBAL, 7, WILD);
}

static void all(struct fake *f)
{
	descriptor(f, INVPCID_ALL, 0, 0);
}

static void type_4(struct fake *f)
{
	descriptor(f, 4, 0, 0);
}

static void type_high(struct fake *f)
{
	descriptor(f, UINT64_C(0x100000000), 0, ADDRESS);
}

static void reserved(struct fake *f)
{
	with_pcids(f);
	descriptor(f, INVPCID_ALL, 0x1000, 0);
}

static void reserved_high(struct fake *f)
{
	with_pcids(f);
	descriptor(f, INVPCID_CONTEXT, BIT(63), 0);
}

static void wild(struct fake *f)
{
	descriptor(f, INVPCID_ADDRESS, 0, WILD);
}

static void wide(struct fake *f)
{
	descriptor(f, INVPCID_ADDRESS, 0, WIDE);
}

static void missing(struct fake *f)
{
	address(f);
	f->vcpu.gpr[GPR_RDI] = 0x7ff8; /* its second half is absent */
	fake_map(f, 0x8000, FAKE_ABSENT);
}

static void type_is_eax(struct fake *f)
{
	descriptor(f, UINT64_C(0x100000003), 0, 0);
}

static void check_desc(const char *name, const struct fake *f, uint8_t type,
		       uint64_t pcid, uint64_t gva)
{
	const struct guest_event *ev = fake_last(f, GE_INVPCID);

	check_part(name, "type", ev->reg, type);
	check_part(name, "PCID", ev->value, pcid);
	check_part(name, "address", ev->gva, gva);
	check_part(name, "length", ev->insn_len, 5);
	check_part(name, "read", fake_last(f, GE_ACCESS)->gva, DESC_AT);
	check_part(name, "read, size", fake_last(f, GE_ACCESS)->size, 16);
}

static void was_address(const char *name, struct fake *f)
{
	check_desc(name, f, 0, 0, ADDRESS);
}

static void was_address_of_pcid(const char *name, struct fake *f)
{
	check_desc(name, f, 0, 0xfff, ADDRESS);
}

static void was_wide(const char *name, struct fake *f)
{
	check_desc(name, f, 0, 0, WIDE);
}

static void was_context(const char *name, struct fake *f)
{
	check_desc(name, f, 1, 5, WILD);
}

static void was_all_global(const char *name, struct fake *f)
{
	check_desc(name, f, 2, 7, WILD);
}

/* What is refused is the sink's to refuse: it sees it as it is. */
#define WAS(name, type, pcid, gva)                               \
	static void was_##name(const char *what, struct fake *f) \
	{                                                        \
		check_desc(what, f, type, pcid, gva);            \
	}

WAS(type_4, 4, 0, 0)
WAS(type_high, 15, 0, ADDRESS)
WAS(reserved, 3, 0x1000, 0)
WAS(reserved_high, 1, BIT(63), 0)
WAS(pcid_1, 0, 1, ADDRESS)
WAS(context_1, 1, 1, 0)
WAS(wild, 0, 0, WILD)

static void was_all(const char *name, struct fake *f)
{
	check_desc(name, f, 3, 0, 0);
}

static void keys(struct fake *f)
{
	f->view.cr4 |= CR4_PKE;
	f->vcpu.gpr[GPR_RAX] = UINT64_C(0x1234567890abcdef);
	f->vcpu.gpr[GPR_RCX] = UINT64_C(0xffffffff00000000);
	f->vcpu.gpr[GPR_RDX] = UINT64_C(0xffffffff00000000);
}

static void keys_off(struct fake *f)
{
	keys(f);
	f->view.cr4 &= ~(uint64_t)CR4_PKE;
}

static void keys_ecx(struct fake *f)
{
	keys(f);
	f->vcpu.gpr[GPR_RCX] = 1;
}

static void keys_edx(struct fake *f)
{
	keys(f);
	f->vcpu.gpr[GPR_RDX] = 1;
}

static void pkru_written(const char *name, struct fake *f)
{
	check_part(name, "PKRU", fake_last(f, GE_WRPKRU)->value, 0x90abcdef);
}

/* clang-format off */
#define L  SETUP_LONG
#define P  SETUP_PROTECTED
#define OK 0, 0
#define UD EXC_UD, -1
#define GP EXC_GP, 0

static const struct insn_case cases[] = {
	{"INVPCID RAX, [RDI]", L, 0, "66 0f 38 82 07", address,
	 INSN_DONE, GE_INVPCID, OK, NULL, was_address},
	{"INVPCID of a PCID", L, 0, "66 0f 38 82 07", address_of_pcid,
	 INSN_DONE, GE_INVPCID, OK, NULL, was_address_of_pcid},
	{"INVPCID, context", L, 0, "66 0f 38 82 07", context,
	 INSN_DONE, GE_INVPCID, OK, NULL, was_context},
	{"INVPCID, all with globals", L, 0, "66 0f 38 82 07", all_global,
	 INSN_DONE, GE_INVPCID, OK, NULL, was_all_global},
	{"INVPCID, all", L, 0, "66 0f 38 82 07", all,
	 INSN_DONE, GE_INVPCID, OK, NULL, was_all},
	{"INVPCID EAX, [EDI] in 32-bit code", P, 0, "66 0f 38 82 07", type_is_eax,
	 INSN_DONE, GE_INVPCID, OK, NULL, was_all},
	{"INVPCID at CPL 3", L, 1, "66 0f 38 82 07", address,
	 INSN_FAULT, NO_EVENT, GP, NULL, NULL},
	{"INVPCID is not offered", L, 0, "66 0f 38 82 07", NULL,
	 INSN_FAULT, NO_EVENT, UD, NULL, NULL},
	{"INVPCID is not offered, CPL 3", L, 1, "66 0f 38 82 07", NULL,
	 INSN_FAULT, NO_EVENT, UD, NULL, NULL},
	{"INVPCID with a register", L, 0, "66 0f 38 82 c7", address,
	 INSN_FAULT, NO_EVENT, UD, NULL, NULL},
	{"INVPCID with F3", L, 0, "66 f3 0f 38 82 07", address,
	 INSN_FAULT, NO_EVENT, UD, NULL, NULL},
	{"INVPCID, type 4", L, 0, "66 0f 38 82 07", type_4,
	 INSN_DONE, GE_INVPCID, OK, NULL, was_type_4},
	{"INVPCID, type beyond 32 bits", L, 0, "66 0f 38 82 07", type_high,
	 INSN_DONE, GE_INVPCID, OK, NULL, was_type_high},
	{"INVPCID, bit 12 of the PCID", L, 0, "66 0f 38 82 07", reserved,
	 INSN_DONE, GE_INVPCID, OK, NULL, was_reserved},
	{"INVPCID, bit 63 of the PCID", L, 0, "66 0f 38 82 07", reserved_high,
	 INSN_DONE, GE_INVPCID, OK, NULL, was_reserved_high},
	{"INVPCID, PCID 1 without PCIDE", L, 0, "66 0f 38 82 07", pcid_without_pcide,
	 INSN_DONE, GE_INVPCID, OK, NULL, was_pcid_1},
	{"INVPCID, context 1 without PCIDE", L, 0, "66 0f 38 82 07", context_without_pcide,
	 INSN_DONE, GE_INVPCID, OK, NULL, was_context_1},
	{"INVPCID, no address", L, 0, "66 0f 38 82 07", wild,
	 INSN_DONE, GE_INVPCID, OK, NULL, was_wild},
	{"INVPCID, 57 bits on a processor of 48", L, 0, "66 0f 38 82 07", wide,
	 INSN_DONE, GE_INVPCID, OK, NULL, was_wide},
	{"INVPCID, operand missing", L, 0, "66 0f 38 82 07", missing,
	 INSN_FAULT, NO_EVENT, EXC_PF, 0, NULL, NULL},

	{"WRPKRU", L, 0, "0f 01 ef", keys,
	 INSN_NATIVE, GE_WRPKRU, OK, NULL, pkru_written},
	{"WRPKRU at CPL 3", L, 1, "0f 01 ef", keys,
	 INSN_NATIVE, GE_WRPKRU, OK, NULL, pkru_written},
	{"WRPKRU without PKE", L, 1, "0f 01 ef", keys_off,
	 INSN_FAULT, NO_EVENT, UD, NULL, NULL},
	{"WRPKRU, ECX", L, 1, "0f 01 ef", keys_ecx,
	 INSN_FAULT, NO_EVENT, GP, NULL, NULL},
	{"WRPKRU, EDX", L, 0, "0f 01 ef", keys_edx,
	 INSN_FAULT, NO_EVENT, GP, NULL, NULL},
	{"WRPKRU with 66", L, 0, "66 0f 01 ef", keys,
	 INSN_FAULT, NO_EVENT, UD, NULL, NULL},
	{"LOCK WRPKRU", L, 0, "f0 0f 01 ef", keys,
	 INSN_FAULT, NO_EVENT, UD, NULL, NULL},
};
/* clang-format on */

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		run_insn_case(&cases[i]);
}

/* Explicit accesses, by CPL, RFLAGS.AC and CR4.SMAP. */
static void test_access(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f);
	for (unsigned int i = 0; i < 8; i++) {
		bool user = i & 1, ac = i & 2, smap = i & 4;
		uint32_t want = user         ? (uint32_t)PFEC_U
				: ac && smap ? (uint32_t)ACCESS_AC
					     : 0;

		setup_mode(&f, SETUP_LONG);
		if (user)
			setup_user(&f);
		if (ac)
			f.vcpu.rflags |= RFLAGS_AC;
		f.view.cr4 = smap ? CR4_SMAP : 0;
		check_eq("access", env_access(&f.env), want);
	}
	fake_finish(&f);
}

static void test_widths(void **state)
{
	struct fake f;

	(void)state;
	fake_init(&f);
	for (unsigned int i = 0; i < 4; i++) {
		bool la57 = i & 1, has_la57 = i & 2;

		f.view.cr4 = la57 ? CR4_LA57 : 0;
		f.env.features = has_la57 ? FEATURE_LA57 : 0;
		assert_true(env_is_canonical(&f.env, ADDRESS));
		assert_true(env_may_hold(&f.env, ADDRESS));
		assert_false(env_is_canonical(&f.env, WILD));
		assert_false(env_may_hold(&f.env, WILD));
		check_eq("57 bits as an address",
			 env_is_canonical(&f.env, WIDE), la57);
		check_eq("57 bits in a register", env_may_hold(&f.env, WIDE),
			 has_la57);
	}
	fake_finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_access),
		cmocka_unit_test(test_widths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
