/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which MSRs each processor has, and what they refuse. */
#include "check.h"

#include "arch/cpu_profile.h"
#include "platform/msr.h"

#define P(id) ((uint32_t)PROFILE_ID_##id << PROFILE_SHIFT)

static struct msrs of(uint32_t profile)
{
	struct msrs msrs;

	msrs_init(&msrs, profile, profile == P(K8), 36);
	return msrs;
}

/* 'p': plain ... as in msrs.def; '-': not there. */
static const struct {
	uint32_t number;
	const char *who;
} presence[] = {
	{0x17, "p32-n"},       {0x8b, "p32kn"},
	{0x1b, "-----"},       {0x79, "-----"}, /* to be written only */
	{0xfe, "-32kn"},       {0x119, "-3---"},
	{0x179, "-32kn"},      {0x17b, "-3-k-"},
	{0x1a0, "--2-n"},      {0x20f, "-32kn"},
	{0x1b0, "-----"}, /* Westmere has it, by CPUID.6:ECX[3] */
	{0x210, "-----"},      {0x277, "-32kn"},
	{0x402, "-32kn"},      {0x403, "--2kn"},
	{0x40f, "--2kn"},      {0x412, "-32kn"},
	{0x413, "--2kn"}, /* P6: no MCi_MISC */
	{0x414, "--2-n"},      {0x417, "--2-n"},
	{0x418, "----n"},      {0x423, "----n"},
	{0x424, "-----"},      {0xce, "----n"},
	{0xc0000103, "----n"}, {0xc0010010, "---k-"},
	{0xc0011022, "-----"}, /* K8: only with a password in EDI */
	{0x40000000, "-----"}, {0xffffffff, "-----"},
};

/*
 * Registers that tell the part, "MSR Registers" of the dumps that
 * arch/cpu_profiles.def names; and MCG_CAP as mcelog logs it for the family and
 * model, without CMCI and bit 12 (1c09 on Nehalem).
 */
static const struct {
	uint32_t profile, number;
	uint64_t val;
} held[] = {
	{P(PENTIUM3), 0x17, 0x1100000000000000},
	{P(PENTIUM3), 0x2a, 0xc5880000},
	{P(PENTIUM3), 0x11e, 0x01344531},
	{P(CORE2), 0x17, 0x88040b28},
	{P(CORE2), 0x2a, 0x42c80000},
	{P(CORE2), 0xcd, 0x800},
	{P(CORE2), 0x11e, 0xbe702109},
	{P(CORE2), 0x179, 0x806},
	{P(CORE2), 0x198, 0x0b280b2886000b28},
	{P(CORE2), 0x199, 0xb28},
	{P(NEHALEM), 0x17, 0x0004000000000000},
	{P(NEHALEM), 0xce, 0x0000090040031500},
	{P(NEHALEM), 0x179, 0x1c09 & ~0x1400},
	{P(NEHALEM), 0x198, 0x16},
	{P(NEHALEM), 0x199, 0x16},
	{P(K8), 0xc0010015, 0x0a000000},
	{P(K8), 0xc0010042, 0x00000200000a0a0a},
};

static void hold(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(held); i++) {
		struct msrs msrs = of(held[i].profile);
		uint64_t val = 0;
		char name[32];

		snprintf(name, sizeof(name), "%x of %x", held[i].number,
			 held[i].profile);
		assert_true(msrs_read(&msrs, held[i].number, &val));
		check_eq(name, val, held[i].val);
	}
}

static void exist(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < NR_PROFILES; i++) {
		struct msrs msrs = of(i << PROFILE_SHIFT);

		for (size_t j = 0; j < ARRAY_LEN(presence); j++) {
			char name[32];
			uint64_t val;

			snprintf(name, sizeof(name), "%s %x",
				 cpu_profile((enum cpu_profile_id)i)->name,
				 presence[j].number);
			check_eq(name,
				 msrs_read(&msrs, presence[j].number, &val),
				 presence[j].who[i] != '-');
		}
	}
}

static const struct {
	const char *name;
	uint32_t profile, number;
	uint64_t val;
	bool ok;
	uint64_t after;
} writes[] = {
	{"PAT", P(CORE2), 0x277, 0x0007010600070106, 1, 0x0007010600070106},
	{"PAT type 2", P(CORE2), 0x277, 0x0007040600070402, 0,
	 0x0007040600070406},
	{"PAT type 3", P(CORE2), 0x277, UINT64_C(3) << 56, 0,
	 0x0007040600070406},
	{"MTRRcap", P(CORE2), 0xfe, 0x508, 0, 0x508},
	{"MTRR_DEF off", P(K8), 0x2ff, 0, 1, 0},
	{"MTRR_DEF type 7", P(K8), 0x2ff, 0xc07, 0, 0xc06},
	{"MTRR_DEF bit 12", P(K8), 0x2ff, 0x1c06, 0, 0xc06},
	{"MTRR base", P(CORE2), 0x200, 0xfffff0006, 1, 0xfffff0006},
	{"MTRR base beyond 36 bits", P(CORE2), 0x200, BIT(36), 0, 0},
	{"MTRR base, bit 8", P(CORE2), 0x200, 0x100, 0, 0},
	{"MTRR base, type 2", P(CORE2), 0x200, 2, 0, 0},
	{"MTRR mask", P(CORE2), 0x201, 0xff0000800, 1, 0xff0000800},
	{"MTRR mask, bit 10", P(CORE2), 0x201, 0x400, 0, 0},
	{"fixed MTRR", P(PENTIUM3), 0x26f, 0x0505050505050505, 1,
	 0x0505050505050505},
	{"fixed MTRR, UC-", P(PENTIUM3), 0x26f, 7, 0, 0x0606060606060606},
	{"MC0_CTL", P(CORE2), 0x400, ~UINT64_C(0), 1, ~UINT64_C(0)},
	{"MC0_STATUS", P(CORE2), 0x401, 1, 0, 0},
	{"MC0_STATUS cleared", P(CORE2), 0x401, 0, 1, 0},
	{"MCG_STATUS", P(CORE2), 0x17a, 8, 0, 0},
	{"BBL_CR_CTL is kept", P(PENTIUM3), 0x119, 0, 1, 0x200000},
	{"PLATFORM_ID", P(CORE2), 0x17, 0x88040b28, 0, 0x88040b28},
	{"EBL_CR_POWERON: enables alone", P(PENTIUM3), 0x2a, 0x3f, 1,
	 0xc188001e},
	/* Bits 31:0, and their sign up to the width. */
	{"PerfCtr0", P(PENTIUM3), 0xc1, 0x80000000, 1, 0xff80000000},
	{"PerfCtr0, high half", P(CORE2), 0xc1, 0x1234567fffffff, 1,
	 0x7fffffff},
	{"PMC3", P(NEHALEM), 0xc4, 0xffffffff, 1, 0xffffffffffff},
	{"PerfEvtSel0", P(PENTIUM3), 0x186, 0xffdfffff, 1, 0xffdfffff},
	{"PerfEvtSel0, bit 21", P(CORE2), 0x186, BIT(21), 0, 0},
	{"PerfEvtSel0, bit 32", P(CORE2), 0x186, BIT(32), 0, 0},
	{"PERFEVTSEL3, AnyThread", P(NEHALEM), 0x189, BIT(21), 1, BIT(21)},
	{"K8 PerfEvtSel0", P(K8), 0xc0010000, 0xffdfffff, 1, 0xffdfffff},
	{"K8 PerfEvtSel0, bit 21", P(K8), 0xc0010000, BIT(21), 0, 0},
	{"THERM_STATUS is kept", P(CORE2), 0x19c, 0x2, 1, 0},
	/* BTS and PEBS are unavailable, and stay so. */
	{"MISC_ENABLE, no FAST_STRINGS", P(CORE2), 0x1a0, 0x1800, 1, 0x1800},
	{"MISC_ENABLE, with BTS", P(CORE2), 0x1a0, 0x1001, 0, 0x1801},
	{"MISC_ENABLE, prefetcher", P(CORE2), 0x1a0, 0x1a01, 1, 0x1a01},
	{"MISC_ENABLE, prefetcher", P(NEHALEM), 0x1a0, 0x1a01, 0, 0x1801},
	{"MISC_ENABLE, no turbo", P(NEHALEM), 0x1a0, BIT(38) | 0x1801, 1,
	 BIT(38) | 0x1801},
	{"DEBUGCTL, P6", P(PENTIUM3), 0x1d9, 0x7f, 1, 0x7f},
	{"DEBUGCTL, P6, bit 7", P(PENTIUM3), 0x1d9, 0x80, 0, 0},
	{"DEBUGCTL without DS: TR", P(CORE2), 0x1d9, 0x40, 0, 0},
	{"DEBUGCTL, LBR and BTF", P(NEHALEM), 0x1d9, 3, 1, 3},
	{"DebugCtl, K8", P(K8), 0x1d9, 0x3f, 1, 0x3f},
	{"DebugCtl, K8, bit 6", P(K8), 0x1d9, 0x40, 0, 0},
	{"MC4_ADDR, P6", P(PENTIUM3), 0x40e, 0, 1, 0},
	{"SYSCFG", P(K8), 0xc0010010, ~UINT64_C(0), 1, 0x7f07ff},
	{"HWCR, FFDIS", P(K8), 0xc0010015, 0x40, 1, 0x0a000040},
	{"TOP_MEM", P(K8), 0xc001001a, 0x123456789a, 1, 0x1234000000},
	{"TSC_AUX", P(NEHALEM), 0xc0000103, 0x12345678, 1, 0x12345678},
	{"TSC_AUX, bit 32", P(NEHALEM), 0xc0000103, BIT(32), 0, 0},
};

static void take(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(writes); i++) {
		struct msrs msrs = of(writes[i].profile);
		uint64_t val = 0;

		check_eq(writes[i].name,
			 msrs_write(&msrs, writes[i].number, writes[i].val),
			 writes[i].ok);
		assert_true(msrs_read(&msrs, writes[i].number, &val));
		check_eq(writes[i].name, val, writes[i].after);
	}
}

static void written_only(void **state)
{
	struct msrs msrs = of(P(CORE2));

	(void)state;
	assert_true(msrs_write(&msrs, 0x79, 0x1234));
	assert_false(msrs_write(&msrs, 0x7a, 0x1234));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exist),
		cmocka_unit_test(hold),
		cmocka_unit_test(written_only),
		cmocka_unit_test(take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
