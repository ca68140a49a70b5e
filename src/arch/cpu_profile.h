/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which processor it is (-D cpu=): what CPUID shows decides what CR4, EFER and
 * the MSRs take.  The number of the profile is the top byte of a processor's
 * word of features, so that both travel together, into trace files too.
 */
#ifndef NOTRAP_ARCH_CPU_PROFILE_H
#define NOTRAP_ARCH_CPU_PROFILE_H

#include "arch/cpuid_bits.h"
#include "arch/vendor.h"

enum profile_vendor {
	PROFILE_INTEL = VENDOR_INTEL,
	PROFILE_AMD = VENDOR_AMD,
	PROFILE_EITHER,
};

enum cpu_profile_id {
#define PROFILE(id, ...) PROFILE_ID_##id,
#include "arch/cpu_profiles.def"
#undef PROFILE
	NR_PROFILES
};

struct cpu_profile {
	const char *name;
	enum profile_vendor vendor;
	uint32_t signature; /* CPUID.1:EAX; 0: plain ones, by vendor */
	uint32_t ecx, edx, ext_ecx, ext_edx;
	uint8_t width; /* physical-address bits */
	bool is_fixed; /* they are all there can be */
	const char *what, *source;
};

/* The option's words, in the order of cpu_profiles.def. */
#define PROFILE_NAMES "plain,pentium3,core2,k8,nehalem"

#define PROFILE_SHIFT 24

static inline enum cpu_profile_id profile_of(uint32_t features)
{
	return (enum cpu_profile_id)(features >> PROFILE_SHIFT);
}

const struct cpu_profile *cpu_profile(enum cpu_profile_id id);

/* EFER, as bits that may be set; 0: there is no such register. */
uint64_t cpu_efer_bits(uint32_t features);

/* The bits of CR4. */
uint64_t cpu_cr4_bits(uint32_t features);

#endif
