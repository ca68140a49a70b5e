/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Leaves that a profile has, and those that are made of its features. */
#include "platform/cpuid.h"

#include "arch/cpu_features.h"
#include "arch/cpu_profile.h"
#include "arch/cr.h"
#include "base/bug.h"

#define LEAF_VENDOR       0x00000000u
#define LEAF_FEATURES     0x00000001u
#define LEAF_STRUCTURED   0x00000007u
#define LEAF_EXTENDED     0x80000000u
#define LEAF_EXT_FEATURES 0x80000001u
#define LEAF_NAME         0x80000002u
#define LEAF_ADDRESSES    0x80000008u
#define LINEAR_BITS       48u
#define LINEAR_BITS_LA57  57u
#define CLFLUSH_LINE      (64 / 8 << 8) /* 1:EBX, units of 8 bytes */

/* AMD repeats these bits of leaf 1 in its extended leaf. */
#define AMD_REPEATS UINT32_C(0x0183f3ff)

/* Family 6, model 6, stepping 3 and family 15, model 107, stepping 1. */
#define PLAIN_INTEL 0x00000663u
#define PLAIN_AMD   0x00060fb1u

/* Four characters as they lie in a register. */
#define CHARS(a, b, c, d)                                           \
	((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | \
	 (uint32_t)(d) << 24)

struct leaf {
	enum cpu_profile_id profile;
	uint32_t leaf, subleaf;
	struct cpuid_regs regs;
};

static const struct leaf leaves[] = {
#define LEAF(profile, leaf, subleaf, eax, ebx, ecx, edx) \
	{PROFILE_ID_##profile, leaf, subleaf, {eax, ebx, ecx, edx}},
#include "platform/cpuid_leaves.def"
#undef LEAF
	{PROFILE_ID_PLAIN,
	 LEAF_NAME,
	 0,
	 {CHARS('n', 'o', 't', 'r'), CHARS('a', 'p', ' ', 'm'),
	  CHARS('o', 'd', 'e', 'l'), 0}},
};

static const struct cpu_profile *profile(const struct cpuid_config *cfg)
{
	return cpu_profile(profile_of(cfg->features));
}

/* Bits of a register for the features that are there. */
struct feature_bit {
	uint64_t feature;
	uint64_t bit;
};

static uint32_t show(const struct feature_bit *bits, size_t n,
		     uint32_t features)
{
	uint64_t shown = 0;

	for (size_t i = 0; i < n; i++)
		if (features & bits[i].feature)
			shown |= bits[i].bit;
	return (uint32_t)shown;
}

static const struct feature_bit ebx_7[] = {
	{FEATURE_SMEP, CPUID_7_EBX_SMEP},
	{FEATURE_INVPCID, CPUID_7_EBX_INVPCID},
	{FEATURE_SMAP, CPUID_7_EBX_SMAP},
};
static const struct feature_bit ecx_7[] = {
	{FEATURE_PKU, CPUID_7_ECX_PKU},
	{FEATURE_LA57, CPUID_7_ECX_LA57},
};

static struct cpuid_regs leaf_7(const struct cpuid_config *cfg)
{
	struct cpuid_regs regs = {
		.ebx = show(ebx_7, ARRAY_LEN(ebx_7), cfg->features),
		.ecx = show(ecx_7, ARRAY_LEN(ecx_7), cfg->features),
	};

	if (cfg->cr4 & CR4_PKE)
		regs.ecx |= (uint32_t)CPUID_7_ECX_OSPKE;
	return regs;
}

static uint32_t last_basic(const struct cpuid_config *cfg)
{
	struct cpuid_regs regs = leaf_7(cfg);
	uint32_t last = regs.ebx | regs.ecx ? LEAF_STRUCTURED : LEAF_FEATURES;

	for (size_t i = 0; i < ARRAY_LEN(leaves); i++)
		if (leaves[i].profile == profile_of(cfg->features) &&
		    leaves[i].leaf < LEAF_EXTENDED && leaves[i].leaf > last)
			last = leaves[i].leaf;
	return last;
}

/* 0: the processor has no extended leaves. */
static uint32_t last_extended(const struct cpuid_config *cfg)
{
	return profile(cfg)->ext_edx ? LEAF_ADDRESSES : 0;
}

static struct cpuid_regs vendor_name(const struct cpuid_config *cfg)
{
	if (cfg->vendor == CPUID_AMD)
		return (struct cpuid_regs){.ebx = CHARS('A', 'u', 't', 'h'),
					   .edx = CHARS('e', 'n', 't', 'i'),
					   .ecx = CHARS('c', 'A', 'M', 'D')};
	return (struct cpuid_regs){.ebx = CHARS('G', 'e', 'n', 'u'),
				   .edx = CHARS('i', 'n', 'e', 'I'),
				   .ecx = CHARS('n', 't', 'e', 'l')};
}

static uint32_t signature(const struct cpuid_config *cfg)
{
	if (profile(cfg)->signature)
		return profile(cfg)->signature;
	return cfg->vendor == CPUID_AMD ? PLAIN_AMD : PLAIN_INTEL;
}

static struct cpuid_regs leaf_features(const struct cpuid_config *cfg)
{
	struct cpuid_regs regs = {
		.eax = signature(cfg),
		.ecx = profile(cfg)->ecx,
		.edx = profile(cfg)->edx,
	};

	if (regs.edx & CPUID_1_EDX_CLFSH)
		regs.ebx = CLFLUSH_LINE;
	if (cfg->features & FEATURE_PCID)
		regs.ecx |= (uint32_t)CPUID_1_ECX_PCID;
	if (cfg->apic)
		regs.edx |= (uint32_t)CPUID_1_EDX_APIC;
	return regs;
}

static struct cpuid_regs leaf_ext_features(const struct cpuid_config *cfg,
					   bool long64)
{
	struct cpuid_regs regs = {
		.ecx = profile(cfg)->ext_ecx,
		.edx = profile(cfg)->ext_edx,
	};

	if (cfg->features & FEATURE_1G)
		regs.edx |= (uint32_t)CPUID_EXT_EDX_1G;
	if (cfg->no_nx)
		regs.edx &= ~(uint32_t)CPUID_EXT_EDX_NX;
	if (cfg->vendor == CPUID_AMD) {
		regs.eax = signature(cfg);
		regs.edx |= leaf_features(cfg).edx & AMD_REPEATS;
	} else if (!long64) {
		regs.edx &= ~(uint32_t)CPUID_EXT_EDX_SYSCALL;
	}
	return regs;
}

static struct cpuid_regs leaf_addresses(const struct cpuid_config *cfg)
{
	uint32_t linear =
		cfg->features & FEATURE_LA57 ? LINEAR_BITS_LA57 : LINEAR_BITS;

	return (struct cpuid_regs){.eax = linear << 8 | cfg->maxphyaddr};
}

static struct cpuid_regs leaf_of_profile(const struct cpuid_config *cfg,
					 uint32_t leaf, uint32_t subleaf)
{
	bool has_subleaves = leaf == 4;

	for (size_t i = 0; i < ARRAY_LEN(leaves); i++)
		if (leaves[i].profile == profile_of(cfg->features) &&
		    leaves[i].leaf == leaf &&
		    (!has_subleaves || leaves[i].subleaf == subleaf))
			return leaves[i].regs;
	return (struct cpuid_regs){0};
}

static bool is_there(const struct cpuid_config *cfg, uint32_t leaf)
{
	if (leaf < LEAF_EXTENDED)
		return leaf <= last_basic(cfg);
	return last_extended(cfg) && leaf <= last_extended(cfg);
}

struct cpuid_regs cpuid_query(const struct cpuid_config *cfg, uint32_t leaf,
			      uint32_t subleaf, bool long64)
{
	struct cpuid_regs regs;

	BUG_ON(cfg->maxphyaddr < 36 || cfg->maxphyaddr > 52);
	if (!is_there(cfg, leaf)) {
		if (cfg->vendor == CPUID_AMD)
			return (struct cpuid_regs){0};
		leaf = last_basic(cfg);
	}
	switch (leaf) {
	case LEAF_VENDOR:
		regs = vendor_name(cfg);
		regs.eax = last_basic(cfg);
		return regs;
	case LEAF_FEATURES:
		return leaf_features(cfg);
	case LEAF_STRUCTURED:
		return subleaf ? (struct cpuid_regs){0} : leaf_7(cfg);
	case LEAF_EXTENDED:
		regs = cfg->vendor == CPUID_AMD ? vendor_name(cfg)
						: (struct cpuid_regs){0};
		regs.eax = last_extended(cfg);
		return regs;
	case LEAF_EXT_FEATURES:
		return leaf_ext_features(cfg, long64);
	case LEAF_ADDRESSES:
		return leaf_addresses(cfg);
	default:
		return leaf_of_profile(cfg, leaf, subleaf);
	}
}
