/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUID of each profile against a dump of the real processor: InstLatx64
 * (github.com/InstLatx64/InstLatx64, commit 087af2c), first logical processor.
 * What the model leaves out (arch/cpu_profiles.def) is a mask beside it; any
 * other bit has to be the processor's own.
 */
#include "check.h"

#include "arch/cpu_profile.h"
#include "platform/cpuid.h"

#define B(n) (UINT32_C(1) << (n))
#define ALL  UINT32_MAX

/* 1:EDX: VME, APIC, PSN, DS, ACPI, SS, HTT, TM, PBE. */
#define NO_EDX \
	(B(1) | B(9) | B(18) | B(21) | B(22) | B(27) | B(28) | B(29) | B(31))
/* 1:ECX: DTES64, MONITOR, DS-CPL, VMX, SMX, EST, TM2, xTPR, PDCM. */
#define NO_ECX   (B(2) | B(3) | B(4) | B(5) | B(6) | B(7) | B(8) | B(14) | B(15))
#define NO_ID    0xffff0000u /* 1:EBX: APIC, logical processors */
#define NO_SHARE 0xffffc000u /* 4:EAX: threads that share it */
/* 80000001:EDX: VME, APIC, MMX+, both of 3DNow!. */
#define NO_AMD (B(1) | B(9) | B(22) | B(30) | B(31))

struct word {
	uint32_t leaf, subleaf;
	struct cpuid_regs dump, left_out;
};

/* GenuineIntel0000673_P3_Katmai_CPUID.txt */
static const struct word pentium3[] = {
	{0, 0, {3, 0x756e6547, 0x6c65746e, 0x49656e69}, {1, 0, 0, 0}},
	{1, 0, {0x673, 0, 0, 0x0387f9ff}, {0, 0, 0, NO_EDX}},
	{2, 0, {0x03020101, 0, 0, 0x0c040843}, {0}},
};

/* GenuineIntel00006F6_Conroe_CPUID.txt */
static const struct word core2[] = {
	{0, 0, {0xa, 0x756e6547, 0x6c65746e, 0x49656e69}, {0}},
	{1,
	 0,
	 {0x6f6, 0x00020800, 0x0000e3bd, 0xbfebfbff},
	 {0, NO_ID, NO_ECX, NO_EDX}},
	{2, 0, {0x05b0b101, 0x005657f0, 0, 0x2cb43049}, {0}},
	{3, 0, {0, 0, 0, 0}, {0}},
	{4, 0, {0x04000121, 0x01c0003f, 0x3f, 1}, {NO_SHARE, 0, 0, 0}},
	{4, 1, {0x04000122, 0x01c0003f, 0x3f, 1}, {NO_SHARE, 0, 0, 0}},
	{4, 2, {0x04004143, 0x03c0003f, 0xfff, 1}, {NO_SHARE, 0, 0, 0}},
	{5, 0, {0x40, 0x40, 3, 0x20}, {ALL, ALL, ALL, ALL}},
	{6, 0, {1, 2, 1, 0}, {ALL, ALL, ALL, ALL}},
	{8, 0, {0x400, 0, 0, 0}, {ALL, 0, 0, 0}},
	{0xa, 0, {0x07280202, 0, 0, 0}, {ALL, 0, 0, 0}},
	{0x80000000, 0, {0x80000008, 0, 0, 0}, {0}},
	{0x80000001, 0, {0, 0, 1, 0x20100000}, {0}},
	{0x80000002, 0, {0x65746e49, 0x2952286c, 0x726f4320, 0x4d542865}, {0}},
	{0x80000003, 0, {0x43203229, 0x20205550, 0x20202020, 0x58202020}, {0}},
	{0x80000004, 0, {0x30303836, 0x20402020, 0x33392e32, 0x007a4847}, {0}},
	{0x80000005, 0, {0, 0, 0, 0}, {0}},
	{0x80000006, 0, {0, 0, 0x10008040, 0}, {0}},
	{0x80000007, 0, {0, 0, 0, 0}, {0}},
	{0x80000008, 0, {0x3024, 0, 0, 0}, {0}},
};

/* AuthenticAMD0000F4A_K8_Clawhammer_CPUID.txt */
static const struct word k8[] = {
	{0, 0, {1, 0x68747541, 0x444d4163, 0x69746e65}, {0}},
	{1, 0, {0xf4a, 0x800, 0, 0x078bfbff}, {0, 0, 0, NO_EDX}},
	{0x80000000,
	 0,
	 {0x80000018, 0x68747541, 0x444d4163, 0x69746e65},
	 {0x10, 0, 0, 0}},
	{0x80000001, 0, {0xf4a, 0x106, 0, 0xe1d3fbff}, {0, ALL, 0, NO_AMD}},
	{0x80000002, 0, {0x20444d41, 0x6c687441, 0x74286e6f, 0x3620296d}, {0}},
	{0x80000003, 0, {0x72502034, 0x7365636f, 0x20726f73, 0x30303832}, {0}},
	{0x80000004, 0, {0x2b, 0, 0, 0}, {0}},
	{0x80000005, 0, {0xff08ff08, 0xff20ff20, 0x40020140, 0x40020140}, {0}},
	{0x80000006, 0, {0, 0x42004200, 0x02008140, 0}, {0}},
	{0x80000007, 0, {0, 0, 0, 0xf}, {0, 0, 0, ALL}},
	{0x80000008, 0, {0x3028, 0, 0, 0}, {0}},
};

/* GenuineIntel00106E5_Lynnfield_CPUID.txt */
static const struct word nehalem[] = {
	{0, 0, {0xb, 0x756e6547, 0x6c65746e, 0x49656e69}, {1, 0, 0, 0}},
	{1,
	 0,
	 {0x106e5, 0x00100800, 0x0098e3fd, 0xbfebfbff},
	 {0, NO_ID, NO_ECX, NO_EDX}},
	{2, 0, {0x55035a01, 0x00f0b2e4, 0, 0x09ca212c}, {0}},
	{3, 0, {0, 0, 0, 0}, {0}},
	{4, 0, {0x1c004121, 0x01c0003f, 0x3f, 0}, {NO_SHARE, 0, 0, 0}},
	{4, 1, {0x1c004122, 0x00c0003f, 0x7f, 0}, {NO_SHARE, 0, 0, 0}},
	{4, 2, {0x1c004143, 0x01c0003f, 0x1ff, 0}, {NO_SHARE, 0, 0, 0}},
	{4, 3, {0x1c03c163, 0x03c0003f, 0x1fff, 2}, {NO_SHARE, 0, 0, 0}},
	{5, 0, {0x40, 0x40, 3, 0x1120}, {ALL, ALL, ALL, ALL}},
	{6, 0, {3, 2, 1, 0}, {ALL, ALL, ALL, ALL}},
	{0xa, 0, {0x07300403, 0x44, 0, 0x603}, {ALL, ALL, 0, ALL}},
	{0x80000000, 0, {0x80000008, 0, 0, 0}, {0}},
	{0x80000001, 0, {0, 0, 1, 0x28100000}, {0}},
	{0x80000002, 0, {0x65746e49, 0x2952286c, 0x726f4320, 0x4d542865}, {0}},
	{0x80000003, 0, {0x37692029, 0x55504320, 0x20202020, 0x20202020}, {0}},
	{0x80000004, 0, {0x30363820, 0x20402020, 0x30382e32, 0x007a4847}, {0}},
	{0x80000005, 0, {0, 0, 0, 0}, {0}},
	{0x80000006, 0, {0, 0, 0x01006040, 0}, {0}},
	{0x80000007, 0, {0, 0, 0, 0x100}, {0, 0, 0, ALL}},
	{0x80000008, 0, {0x3024, 0, 0, 0}, {0}},
};

static const struct {
	enum cpu_profile_id profile;
	const struct word *words;
	size_t n;
} dumps[] = {
	{PROFILE_ID_PENTIUM3, pentium3, ARRAY_LEN(pentium3)},
	{PROFILE_ID_CORE2, core2, ARRAY_LEN(core2)},
	{PROFILE_ID_K8, k8, ARRAY_LEN(k8)},
	{PROFILE_ID_NEHALEM, nehalem, ARRAY_LEN(nehalem)},
};

static void compare(const struct cpuid_config *cfg, const char *name,
		    const struct word *w)
{
	struct cpuid_regs r = cpuid_query(cfg, w->leaf, w->subleaf, false);
	const uint32_t got[] = {r.eax, r.ebx, r.ecx, r.edx};
	const uint32_t dump[] = {w->dump.eax, w->dump.ebx, w->dump.ecx,
				 w->dump.edx};
	const uint32_t out[] = {w->left_out.eax, w->left_out.ebx,
				w->left_out.ecx, w->left_out.edx};

	for (size_t i = 0; i < ARRAY_LEN(got); i++) {
		char what[48];

		snprintf(what, sizeof(what), "%s %x.%u:E%cX", name, w->leaf,
			 w->subleaf, "ABCD"[i]);
		check_eq(what, got[i], dump[i] & ~out[i]);
	}
}

/* The last leaf is by one less where the last one is left out: P3, Nehalem. */
static void as_dumped(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dumps); i++) {
		const struct cpu_profile *p = cpu_profile(dumps[i].profile);
		struct cpuid_config cfg = {
			.vendor = p->vendor == PROFILE_AMD ? CPUID_AMD
							   : CPUID_INTEL,
			.maxphyaddr = p->width,
			.features = (uint32_t)dumps[i].profile << PROFILE_SHIFT,
		};

		for (size_t j = 0; j < dumps[i].n; j++)
			compare(&cfg, p->name, &dumps[i].words[j]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_dumped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
