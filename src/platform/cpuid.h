/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What CPUID says: the features of a profile (arch/cpu_profiles.def), the
 * caches and the name of the processor it was taken from, and the paging
 * features that a configuration asks for (arch/cpu_features.h).  No
 * virtualization, no hypervisor bit, one processor; a local APIC if there is
 * one.
 */
#ifndef NOTRAP_PLATFORM_CPUID_H
#define NOTRAP_PLATFORM_CPUID_H

#include "arch/cpuid_bits.h"
#include "base/types.h"

enum cpuid_vendor {
	CPUID_INTEL,
	CPUID_AMD,
};

struct cpuid_config {
	enum cpuid_vendor vendor;
	unsigned int maxphyaddr; /* bits, 36..52 */
	uint32_t features;       /* FEATURE_*, and the profile */
	uint64_t cr4;            /* PKE shows in leaf 7 */
	bool no_nx;              /* the host runs without */
	bool apic;               /* a local APIC is there and enabled */
};

struct cpuid_regs {
	uint32_t eax;
	uint32_t ebx;
	uint32_t ecx;
	uint32_t edx;
};

/*
 * long64: the processor is in 64-bit mode (Intel shows SYSCALL only there).
 * Leaf 7 is there if a feature is shown by it, or the profile has later ones.
 * A leaf beyond the last one reads as the last basic leaf on Intel and as zeros
 * on AMD.
 */
struct cpuid_regs cpuid_query(const struct cpuid_config *cfg, uint32_t leaf,
			      uint32_t subleaf, bool long64);

#endif
