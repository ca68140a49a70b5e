/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of leaves; what depends on the setting is patched in. */
#include "platform/cpuid.h"

#include "arch/cpu_features.h"
#include "arch/cr.h"
#include "base/bug.h"

#define LEAF_VENDOR       0x00000000u
#define LEAF_FEATURES     0x00000001u
#define LEAF_STRUCTURED   0x00000007u
#define LEAF_EXT_FEATURES 0x80000001u
#define LEAF_ADDRESSES    0x80000008u
#define LAST_BASIC        LEAF_FEATURES
#define LINEAR_BITS       48
#define LINEAR_BITS_LA57  57u
#define CLFLUSH_LINE      (64 / 8 << 8) /* 1:EBX, units of 8 bytes */

#define FEATURES_ECX CPUID_1_ECX_CX16
#define FEATURES_EDX                                              \
	(CPUID_1_EDX_FPU | CPUID_1_EDX_PSE | CPUID_1_EDX_TSC |    \
	 CPUID_1_EDX_MSR | CPUID_1_EDX_PAE | CPUID_1_EDX_CX8 |    \
	 CPUID_1_EDX_SEP | CPUID_1_EDX_PGE | CPUID_1_EDX_CMOV |   \
	 CPUID_1_EDX_CLFSH | CPUID_1_EDX_MMX | CPUID_1_EDX_FXSR | \
	 CPUID_1_EDX_SSE | CPUID_1_EDX_SSE2)
#define EXT_ECX CPUID_EXT_ECX_LAHF
#define EXT_EDX (CPUID_EXT_EDX_SYSCALL | CPUID_EXT_EDX_NX | CPUID_EXT_EDX_LM)
/* AMD repeats these bits of leaf 1 in its extended leaf. */
#define AMD_REPEATS                                             \
	(FEATURES_EDX & ~(CPUID_1_EDX_SEP | CPUID_1_EDX_CLFSH | \
			  CPUID_1_EDX_SSE | CPUID_1_EDX_SSE2))

/* Family 6, model 6, stepping 3 and family 15, model 107, stepping 1. */
#define INTEL_SIGNATURE 0x00000663u
#define AMD_SIGNATURE   0x00060fb1u

/* Four characters as they lie in a register. */
#define CHARS(a, b, c, d)                                           \
	((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | \
	 (uint32_t)(d) << 24)

struct leaf {
	uint32_t leaf;
	struct cpuid_regs regs;
};

/* EBX, EDX, ECX in this order spell the vendor. */
#define INTEL_NAME                                                          \
	.ebx = CHARS('G', 'e', 'n', 'u'), .edx = CHARS('i', 'n', 'e', 'I'), \
	.ecx = CHARS('n', 't', 'e', 'l')
#define AMD_NAME                                                            \
	.ebx = CHARS('A', 'u', 't', 'h'), .edx = CHARS('e', 'n', 't', 'i'), \
	.ecx = CHARS('c', 'A', 'M', 'D')

static const struct leaf intel[] = {
	{LEAF_VENDOR, {INTEL_NAME}},
	{LEAF_FEATURES,
	 {INTEL_SIGNATURE, CLFLUSH_LINE, FEATURES_ECX, FEATURES_EDX}},
	{0x80000000, {.eax = LEAF_ADDRESSES}},
	{LEAF_EXT_FEATURES, {.ecx = EXT_ECX, .edx = EXT_EDX}},
};

static const struct leaf amd[] = {
	{LEAF_VENDOR, {AMD_NAME}},
	{LEAF_FEATURES,
	 {AMD_SIGNATURE, CLFLUSH_LINE, FEATURES_ECX, FEATURES_EDX}},
	{0x80000000, {.eax = LEAF_ADDRESSES, AMD_NAME}},
	{LEAF_EXT_FEATURES, {AMD_SIGNATURE, 0, EXT_ECX, EXT_EDX | AMD_REPEATS}},
};

/* The brand string, leaves without content, and the address widths. */
static const struct leaf common[] = {
	{0x80000002,
	 {CHARS('n', 'o', 't', 'r'), CHARS('a', 'p', ' ', 'm'),
	  CHARS('o', 'd', 'e', 'l'), 0}},
	{0x80000003, {0}},
	{0x80000004, {0}},
	{0x80000005, {0}},
	{0x80000006, {0}},
	{0x80000007, {0}},
	{LEAF_ADDRESSES, {.eax = LINEAR_BITS << 8}},
};

static const struct leaf *find_in(const struct leaf *table, size_t n,
				  uint32_t leaf)
{
	for (size_t i = 0; i < n; i++)
		if (table[i].leaf == leaf)
			return &table[i];
	return NULL;
}

static const struct leaf *find_leaf(enum cpuid_vendor vendor, uint32_t leaf)
{
	const struct leaf *found = find_in(common, ARRAY_LEN(common), leaf);

	if (found)
		return found;
	if (vendor == CPUID_INTEL)
		return find_in(intel, ARRAY_LEN(intel), leaf);
	return find_in(amd, ARRAY_LEN(amd), leaf);
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

	return regs.ebx | regs.ecx ? LEAF_STRUCTURED : LAST_BASIC;
}

/* What the setting makes of a leaf of the tables. */
static struct cpuid_regs patch(const struct cpuid_config *cfg,
			       const struct leaf *found, bool long64)
{
	struct cpuid_regs regs = found->regs;

	switch (found->leaf) {
	case LEAF_VENDOR:
		regs.eax = last_basic(cfg);
		break;
	case LEAF_FEATURES:
		if (cfg->features & FEATURE_PCID)
			regs.ecx |= (uint32_t)CPUID_1_ECX_PCID;
		if (cfg->apic)
			regs.edx |= (uint32_t)CPUID_1_EDX_APIC;
		break;
	case LEAF_ADDRESSES:
		if (cfg->features & FEATURE_LA57)
			regs.eax = LINEAR_BITS_LA57 << 8;
		regs.eax |= cfg->maxphyaddr;
		break;
	case LEAF_EXT_FEATURES:
		if (cfg->features & FEATURE_1G)
			regs.edx |= (uint32_t)CPUID_EXT_EDX_1G;
		if (cfg->vendor == CPUID_INTEL && !long64)
			regs.edx &= ~(uint32_t)CPUID_EXT_EDX_SYSCALL;
		if (cfg->no_nx)
			regs.edx &= ~(uint32_t)CPUID_EXT_EDX_NX;
		break;
	default:
		break;
	}
	return regs;
}

struct cpuid_regs cpuid_query(const struct cpuid_config *cfg, uint32_t leaf,
			      uint32_t subleaf, bool long64)
{
	uint32_t last = last_basic(cfg);
	const struct leaf *found = find_leaf(cfg->vendor, leaf);

	BUG_ON(cfg->maxphyaddr < 36 || cfg->maxphyaddr > 52);
	if (!found && cfg->vendor == CPUID_INTEL && leaf > last)
		leaf = last;
	if (leaf == LEAF_STRUCTURED && last == LEAF_STRUCTURED)
		return subleaf ? (struct cpuid_regs){0} : leaf_7(cfg);
	found = find_leaf(cfg->vendor, leaf);
	return found ? patch(cfg, found, long64) : (struct cpuid_regs){0};
}
