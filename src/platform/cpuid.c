/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of leaves; what depends on the setting is patched in. */
#include "platform/cpuid.h"

#include "base/bug.h"

#define LEAF_FEATURES     0x00000001u
#define LEAF_EXT_FEATURES 0x80000001u
#define LEAF_ADDRESSES    0x80000008u
#define LAST_BASIC        LEAF_FEATURES
#define LINEAR_BITS       48
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
	{0x00000000, {.eax = LAST_BASIC, INTEL_NAME}},
	{LEAF_FEATURES,
	 {INTEL_SIGNATURE, CLFLUSH_LINE, FEATURES_ECX, FEATURES_EDX}},
	{0x80000000, {.eax = LEAF_ADDRESSES}},
	{LEAF_EXT_FEATURES, {.ecx = EXT_ECX, .edx = EXT_EDX}},
};

static const struct leaf amd[] = {
	{0x00000000, {.eax = LAST_BASIC, AMD_NAME}},
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

struct cpuid_regs cpuid_query(const struct cpuid_config *cfg, uint32_t leaf,
			      bool long64)
{
	const struct leaf *found = find_leaf(cfg->vendor, leaf);
	struct cpuid_regs regs;

	BUG_ON(cfg->maxphyaddr < 36 || cfg->maxphyaddr > 52);
	if (!found && cfg->vendor == CPUID_INTEL)
		found = find_leaf(cfg->vendor, LAST_BASIC);
	if (!found)
		return (struct cpuid_regs){0};

	regs = found->regs;
	if (found->leaf == LEAF_ADDRESSES)
		regs.eax |= cfg->maxphyaddr;
	if (found->leaf == LEAF_EXT_FEATURES && cfg->vendor == CPUID_INTEL &&
	    !long64)
		regs.edx &= ~(uint32_t)CPUID_EXT_EDX_SYSCALL;
	return regs;
}
