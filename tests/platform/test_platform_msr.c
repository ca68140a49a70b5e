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
	{0x17, "p32-n"},       {0x8b, "p32kn"},       {0x1b, "-----"},
	{0xfe, "-32kn"},       {0x119, "-3---"},      {0x179, "-32kn"},
	{0x17b, "-3-k-"},      {0x1a0, "--2-n"},      {0x20f, "-32kn"},
	{0x210, "-----"},      {0x277, "-32kn"},      {0x413, "-32kn"},
	{0x414, "--2-n"},      {0x417, "--2-n"},      {0x418, "----n"},
	{0x423, "----n"},      {0x424, "-----"},      {0xce, "----n"},
	{0xc0000103, "----n"}, {0xc0010010, "---k-"}, {0xc0011022, "---k-"},
	{0x40000000, "-----"}, {0xffffffff, "-----"},
};

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exist),
		cmocka_unit_test(take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
