/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUID: every bit of every feature word is named here, set or clear; and the
 * advertised set stays within what Unicorn 2.1's own processor says it has.
 */
#include "check.h"

#include "arch/cpu_features.h"

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
	spells("intel", cpuid_query(&intel, 0, 0, true), "GenuineIntel");
	spells("amd", cpuid_query(&amd, 0, 0, true), "AuthenticAMD");
	spells("amd, extended", cpuid_query(&amd, 0x80000000, 0, true),
	       "AuthenticAMD");
	spells("intel, extended", cpuid_query(&intel, 0x80000000, 0, true), "");
}

/* CPUID.1:EDX, bit by bit: SDM vol. 2A, "Feature Information". */
static const struct {
	const char *name;
	bool set;
} edx1[32] = {
	{"FPU", true},     {"VME", false},    {"DE", true},
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
		struct cpuid_config with_apic = *both[v];
		struct cpuid_regs r = cpuid_query(both[v], 1, 0, false);

		with_apic.apic = true;

		for (unsigned int i = 0; i < 32; i++)
			check_eq(edx1[i].name, r.edx >> i & 1, edx1[i].set);
		check_eq("a local APIC",
			 cpuid_query(&with_apic, 1, 0, false).edx & 1u << 9,
			 1u << 9);
		check_eq("1:ECX is CX16 alone", r.ecx, 1u << 13);
		check_eq("1:EBX is a 64-byte CLFLUSH line", r.ebx, 8u << 8);
	}
}

static void extended(void **state)
{
	uint32_t syscall = 1u << 11, nx = 1u << 20, lm = 1u << 29;
	struct cpuid_regs r;

	(void)state;
	r = cpuid_query(&intel, 0x80000001, 0, true);
	check_eq("intel, 64-bit", r.edx, syscall | nx | lm);
	check_eq("intel, LAHF", r.ecx, 1);
	r = cpuid_query(&intel, 0x80000001, 0, false);
	check_eq("intel, other modes: no SYSCALL", r.edx, nx | lm);
	r = cpuid_query(&amd, 0x80000001, 0, false);
	check_eq("amd repeats leaf 1", r.edx, syscall | nx | lm | 0x0180a17d);
	check_eq("amd, LAHF", r.ecx, 1);
	check_eq("amd, no SVM", r.ecx & 4, 0);
}

static void addresses(void **state)
{
	struct cpuid_config cfg = intel;

	(void)state;
	for (cfg.maxphyaddr = 36; cfg.maxphyaddr <= 52; cfg.maxphyaddr++) {
		cfg.vendor = cfg.maxphyaddr & 1 ? CPUID_INTEL : CPUID_AMD;
		check_eq("widths", cpuid_query(&cfg, 0x80000008, 0, false).eax,
			 48u << 8 | cfg.maxphyaddr);
	}
}

static void no_nx(void **state)
{
	struct cpuid_config configs[] = {intel, amd};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(configs); i++)
		for (uint32_t leaf = 0; leaf < 16; leaf++) {
			uint32_t at = (leaf & 7) | (leaf & 8) << 28;
			struct cpuid_regs with, without;

			configs[i].no_nx = false;
			with = cpuid_query(&configs[i], at, 0, true);
			configs[i].no_nx = true;
			without = cpuid_query(&configs[i], at, 0, true);
			check_eq("NX alone", with.edx ^ without.edx,
				 at == 0x80000001 ? 1 << 20 : 0);
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
	check_eq("last basic leaf", cpuid_query(&intel, 0, 0, true).eax, 1);
	check_eq("last extended leaf",
		 cpuid_query(&amd, 0x80000000, 0, true).eax, 0x80000008);
	for (size_t i = 0; i < ARRAY_LEN(leaves); i++) {
		assert_true(same(cpuid_query(&intel, leaves[i], 0, true),
				 cpuid_query(&intel, 1, 0, true)));
		assert_true(same(cpuid_query(&amd, leaves[i], 0, true), zero));
	}
	for (uint32_t leaf = 0x80000002; leaf <= 0x80000007; leaf++)
		assert_false(same(cpuid_query(&intel, leaf, 0, true),
				  cpuid_query(&intel, 1, 0, true)));
}

/* Each feature shows by its own bit, and by nothing else. */
static void paging_features(void **state)
{
	static const struct {
		uint64_t feature;
		uint32_t ecx1, ebx7, ecx7, edx81;
		uint32_t linear;
	} cases[] = {
		{FEATURE_LA57, 0, 0, 1u << 16, 0, 57},
		{FEATURE_SMEP, 0, 1u << 7, 0, 0, 48},
		{FEATURE_SMAP, 0, 1u << 20, 0, 0, 48},
		{FEATURE_PKU, 0, 0, 1u << 3, 0, 48},
		{FEATURE_PCID, 1u << 17, 0, 0, 0, 48},
		{FEATURE_INVPCID, 0, 1u << 10, 0, 0, 48},
		{FEATURE_1G, 0, 0, 0, 1u << 26, 48},
	};

	(void)state;
	for (unsigned int i = 0; i < 2 * ARRAY_LEN(cases); i++) {
		const size_t at = i / 2;
		struct cpuid_config none = i & 1 ? amd : intel, cfg = none;
		bool leaf7 = cases[at].ebx7 | cases[at].ecx7;
		struct cpuid_regs r, plain;

		cfg.features = (uint32_t)cases[at].feature;
		r = cpuid_query(&cfg, 0, 0, true);
		check_eq("last basic leaf", r.eax, leaf7 ? 7 : 1);
		r = cpuid_query(&cfg, 1, 0, true);
		plain = cpuid_query(&none, 1, 0, true);
		check_eq("1:ECX", r.ecx, plain.ecx | cases[at].ecx1);
		check_eq("1:EDX", r.edx, plain.edx);
		if (leaf7) {
			r = cpuid_query(&cfg, 7, 0, true);
			check_eq("7:EAX", r.eax, 0);
			check_eq("7:EBX", r.ebx, cases[at].ebx7);
			check_eq("7:ECX", r.ecx, cases[at].ecx7);
			check_eq("7:EDX", r.edx, 0);
			r = cpuid_query(&cfg, 7, 1, true);
			check_eq("no second subleaf",
				 r.eax | r.ebx | r.ecx | r.edx, 0);
			r = cpuid_query(&cfg, 4, 0, true);
			check_eq("no leaf 4", r.eax | r.ebx | r.ecx | r.edx, 0);
		}
		r = cpuid_query(&cfg, 0x80000001, 0, true);
		plain = cpuid_query(&none, 0x80000001, 0, true);
		check_eq("80000001:EDX", r.edx, plain.edx | cases[at].edx81);
		check_eq("80000008", cpuid_query(&cfg, 0x80000008, 0, true).eax,
			 cases[at].linear << 8 | none.maxphyaddr);
	}
}

/* OSPKE is CR4.PKE; beyond leaf 7 Intel shows leaf 7. */
static void protection_keys_on(void **state)
{
	struct cpuid_config cfg = intel;

	(void)state;
	cfg.features = FEATURE_PKU;
	cfg.cr4 = 1u << 22;
	check_eq("OSPKE", cpuid_query(&cfg, 7, 0, true).ecx, 0x18);
	check_eq("beyond", cpuid_query(&cfg, 0x16, 0, true).ecx, 0x18);
	cfg.vendor = CPUID_AMD;
	check_eq("beyond, AMD", cpuid_query(&cfg, 0x16, 0, true).ecx, 0);
}

static void brand(void **state)
{
	struct cpuid_regs r[3];

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		r[i] = cpuid_query(&intel, 0x80000002 + i, 0, true);
	assert_string_equal((const char *)r, "notrap model");
}

/* What Unicorn 2.1.1 answers to CPUID by itself: we may only say less. */
static void within_unicorn(void **state)
{
	struct cpuid_regs r = cpuid_query(&intel, 1, 0, true);

	(void)state;
	check_eq("1:EDX", r.edx & ~0x078bfbfdu, 0);
	check_eq("1:ECX", r.ecx & ~0x80002001u, 0);
	r = cpuid_query(&amd, 0x80000001, 0, true);
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
		cmocka_unit_test(no_nx),
		cmocka_unit_test(beyond_the_last_leaf),
		cmocka_unit_test(paging_features),
		cmocka_unit_test(protection_keys_on),
		cmocka_unit_test(brand),
		cmocka_unit_test(within_unicorn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
