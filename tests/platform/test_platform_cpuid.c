/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUID: every bit of every feature word is named here, set or clear; and the
 * advertised set stays within what Unicorn 2.1's own processor says it has.
 */
#include "check.h"

#include "platform/cpuid.h"

static const struct cpuid_config intel = {CPUID_INTEL, 40};
static const struct cpuid_config amd = {CPUID_AMD, 36};

static void spells(const char *name, struct cpuid_regs r, const char *want)
{
	uint32_t words[3] = {r.ebx, r.edx, r.ecx};
	char got[13] = {0};

	memcpy(got, words, sizeof(words));
	if (strcmp(got, want))
		fail_msg("%s: got %s, want %s", name, got, want);
}

static void vendors(void **state)
{
	(void)state;
	spells("intel", cpuid_query(&intel, 0, true), "GenuineIntel");
	spells("amd", cpuid_query(&amd, 0, true), "AuthenticAMD");
	spells("amd, extended", cpuid_query(&amd, 0x80000000, true),
	       "AuthenticAMD");
	spells("intel, extended", cpuid_query(&intel, 0x80000000, true), "");
}

/* CPUID.1:EDX, bit by bit: SDM vol. 2A, "Feature Information". */
static const struct {
	const char *name;
	bool set;
} edx1[32] = {
	{"FPU", true},     {"VME", false},    {"DE", false},
	{"PSE", true},     {"TSC", true},     {"MSR", true},
	{"PAE", true},     {"MCE", false},    {"CX8", true},
	{"APIC", false},   {"bit 10", false}, {"SEP", true},
	{"MTRR", false},   {"PGE", true},     {"MCA", false},
	{"CMOV", true},    {"PAT", false},    {"PSE-36", false},
	{"PSN", false},    {"CLFSH", true},   {"bit 20", false},
	{"DS", false},     {"ACPI", false},   {"MMX", true},
	{"FXSR", true},    {"SSE", true},     {"SSE2", true},
	{"SS", false},     {"HTT", false},    {"TM", false},
	{"bit 30", false}, {"PBE", false},
};

static void features(void **state)
{
	const struct cpuid_config *both[] = {&intel, &amd};

	(void)state;
	for (size_t v = 0; v < ARRAY_LEN(both); v++) {
		struct cpuid_regs r = cpuid_query(both[v], 1, false);

		for (unsigned int i = 0; i < 32; i++)
			check_eq(edx1[i].name, r.edx >> i & 1, edx1[i].set);
		check_eq("1:ECX is CX16 alone", r.ecx, 1u << 13);
		check_eq("1:EBX is a 64-byte CLFLUSH line", r.ebx, 8u << 8);
	}
}

static void extended(void **state)
{
	uint32_t syscall = 1u << 11, nx = 1u << 20, lm = 1u << 29;
	struct cpuid_regs r;

	(void)state;
	r = cpuid_query(&intel, 0x80000001, true);
	check_eq("intel, 64-bit", r.edx, syscall | nx | lm);
	check_eq("intel, LAHF", r.ecx, 1);
	r = cpuid_query(&intel, 0x80000001, false);
	check_eq("intel, other modes: no SYSCALL", r.edx, nx | lm);
	r = cpuid_query(&amd, 0x80000001, false);
	check_eq("amd repeats leaf 1", r.edx, syscall | nx | lm | 0x0180a179);
	check_eq("amd, LAHF", r.ecx, 1);
	check_eq("amd, no SVM", r.ecx & 4, 0);
}

static void addresses(void **state)
{
	struct cpuid_config cfg = intel;

	(void)state;
	for (cfg.maxphyaddr = 36; cfg.maxphyaddr <= 52; cfg.maxphyaddr++) {
		cfg.vendor = cfg.maxphyaddr & 1 ? CPUID_INTEL : CPUID_AMD;
		check_eq("widths", cpuid_query(&cfg, 0x80000008, false).eax,
			 48u << 8 | cfg.maxphyaddr);
	}
}

static bool same(struct cpuid_regs a, struct cpuid_regs b)
{
	return !memcmp(&a, &b, sizeof(a));
}

static void beyond_the_last_leaf(void **state)
{
	static const uint32_t leaves[] = {2, 7, 0x40000000, 0x80000009,
					  0xffffffff};
	struct cpuid_regs zero = {0};

	(void)state;
	check_eq("last basic leaf", cpuid_query(&intel, 0, true).eax, 1);
	check_eq("last extended leaf", cpuid_query(&amd, 0x80000000, true).eax,
		 0x80000008);
	for (size_t i = 0; i < ARRAY_LEN(leaves); i++) {
		assert_true(same(cpuid_query(&intel, leaves[i], true),
				 cpuid_query(&intel, 1, true)));
		assert_true(same(cpuid_query(&amd, leaves[i], true), zero));
	}
	for (uint32_t leaf = 0x80000002; leaf <= 0x80000007; leaf++)
		assert_false(same(cpuid_query(&intel, leaf, true),
				  cpuid_query(&intel, 1, true)));
}

static void brand(void **state)
{
	struct cpuid_regs r[3];

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		r[i] = cpuid_query(&intel, 0x80000002 + i, true);
	assert_string_equal((const char *)r, "notrap model");
}

/* What Unicorn 2.1.1 answers to CPUID by itself: we may only say less. */
static void within_unicorn(void **state)
{
	struct cpuid_regs r = cpuid_query(&intel, 1, true);

	(void)state;
	check_eq("1:EDX", r.edx & ~0x078bfbfdu, 0);
	check_eq("1:ECX", r.ecx & ~0x80002001u, 0);
	r = cpuid_query(&amd, 0x80000001, true);
	check_eq("80000001:EDX", r.edx & ~0x2193fbfdu, 0);
	check_eq("80000001:ECX", r.ecx & ~0x00000005u, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vendors),
		cmocka_unit_test(features),
		cmocka_unit_test(extended),
		cmocka_unit_test(addresses),
		cmocka_unit_test(beyond_the_last_leaf),
		cmocka_unit_test(brand),
		cmocka_unit_test(within_unicorn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
