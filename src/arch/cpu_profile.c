/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/cpu_profile.h"

#include "arch/cpu_features.h"
#include "arch/cr.h"
#include "base/bug.h"

static const struct cpu_profile profiles[NR_PROFILES] = {
#define PROFILE(id, name, vendor, signature, ecx, edx, ext_ecx, ext_edx, \
		width, is_fixed, what, source)                           \
	{name,                                                           \
	 vendor,                                                         \
	 signature,                                                      \
	 (uint32_t)(ecx),                                                \
	 (uint32_t)(edx),                                                \
	 (uint32_t)(ext_ecx),                                            \
	 (uint32_t)(ext_edx),                                            \
	 width,                                                          \
	 is_fixed,                                                       \
	 what,                                                           \
	 source},
#include "arch/cpu_profiles.def"
#undef PROFILE
};

const struct cpu_profile *cpu_profile(enum cpu_profile_id id)
{
	BUG_ON(id >= NR_PROFILES);
	return &profiles[id];
}

/* What is set in EFER and CR4 by what CPUID shows: bit, bits. */
struct enables {
	uint64_t shown, takes;
};

static uint64_t enabled(const struct enables *table, size_t n, uint64_t shown)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < n; i++)
		if (shown & table[i].shown)
			bits |= table[i].takes;
	return bits;
}

/* SDM vol. 3A, "Control Registers", under CR4. */
static const struct enables by_edx[] = {
	{CPUID_1_EDX_VME, CR4_VME | CR4_PVI}, {CPUID_1_EDX_DE, CR4_DE},
	{CPUID_1_EDX_PSE, CR4_PSE},           {CPUID_1_EDX_TSC, CR4_TSD},
	{CPUID_1_EDX_PAE, CR4_PAE},           {CPUID_1_EDX_MCE, CR4_MCE},
	{CPUID_1_EDX_PGE, CR4_PGE},           {CPUID_1_EDX_FXSR, CR4_OSFXSR},
	{CPUID_1_EDX_SSE, CR4_OSXMMEXCPT},
};
static const struct enables by_feature[] = {
	{FEATURE_LA57, CR4_LA57},  {FEATURE_SMEP, CR4_SMEP},
	{FEATURE_SMAP, CR4_SMAP},  {FEATURE_PKU, CR4_PKE},
	{FEATURE_PCID, CR4_PCIDE},
};
static const struct enables efer_by_edx[] = {
	{CPUID_EXT_EDX_SYSCALL, EFER_SCE},
	{CPUID_EXT_EDX_NX, EFER_NXE},
	{CPUID_EXT_EDX_LM, EFER_LME | EFER_LMA},
};

uint64_t cpu_cr4_bits(uint32_t features)
{
	/* RDPMC came with the P6 family; nothing shows it. */
	return CR4_PCE |
	       enabled(by_edx, ARRAY_LEN(by_edx),
		       cpu_profile(profile_of(features))->edx) |
	       enabled(by_feature, ARRAY_LEN(by_feature), features);
}

uint64_t cpu_efer_bits(uint32_t features)
{
	return enabled(efer_by_edx, ARRAY_LEN(efer_by_edx),
		       cpu_profile(profile_of(features))->ext_edx);
}
