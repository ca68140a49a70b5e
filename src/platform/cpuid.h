/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What CPUID says: a plain processor with the features of the x86-64 baseline
 * (psABI level x86-64-v1) plus CMPXCHG16B and LAHF in 64-bit mode, and with
 * nothing that the rest of the model would then have to provide: no
 * virtualization, no hypervisor bit, no machine-check, PAT or MTRRs; and the
 * paging features of arch/cpu_features.h and the local APIC that a
 * configuration asks for.
 * All of it is within what Unicorn's own processor executes.
 *
 * Sources: Intel SDM vol. 2A "CPUID--CPU Identification", AMD APM vol. 3
 * appendix E.  Family and model are chosen plain (Intel 6/6/3, AMD 15/107/1):
 * guests key work-arounds and model-specific MSRs on newer ones.
 */
#ifndef NOTRAP_PLATFORM_CPUID_H
#define NOTRAP_PLATFORM_CPUID_H

#include "base/types.h"

enum cpuid_vendor {
	CPUID_INTEL,
	CPUID_AMD,
};

struct cpuid_config {
	enum cpuid_vendor vendor;
	unsigned int maxphyaddr; /* bits, 36..52 */
	uint32_t features;       /* FEATURE_* */
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

/* CPUID.1:EDX */
#define CPUID_1_EDX_FPU   BIT(0)
#define CPUID_1_EDX_PSE   BIT(3)
#define CPUID_1_EDX_TSC   BIT(4)
#define CPUID_1_EDX_MSR   BIT(5)
#define CPUID_1_EDX_PAE   BIT(6)
#define CPUID_1_EDX_CX8   BIT(8)
#define CPUID_1_EDX_APIC  BIT(9)
#define CPUID_1_EDX_SEP   BIT(11)
#define CPUID_1_EDX_PGE   BIT(13)
#define CPUID_1_EDX_CMOV  BIT(15)
#define CPUID_1_EDX_CLFSH BIT(19)
#define CPUID_1_EDX_MMX   BIT(23)
#define CPUID_1_EDX_FXSR  BIT(24)
#define CPUID_1_EDX_SSE   BIT(25)
#define CPUID_1_EDX_SSE2  BIT(26)
/* CPUID.1:ECX */
#define CPUID_1_ECX_CX16 BIT(13)
#define CPUID_1_ECX_PCID BIT(17)
/* CPUID.(7, 0) */
#define CPUID_7_EBX_SMEP    BIT(7)
#define CPUID_7_EBX_INVPCID BIT(10)
#define CPUID_7_EBX_SMAP    BIT(20)
#define CPUID_7_ECX_PKU     BIT(3)
#define CPUID_7_ECX_OSPKE   BIT(4)
#define CPUID_7_ECX_LA57    BIT(16)
/* CPUID.80000001H */
#define CPUID_EXT_ECX_LAHF    BIT(0)
#define CPUID_EXT_EDX_SYSCALL BIT(11)
#define CPUID_EXT_EDX_NX      BIT(20)
#define CPUID_EXT_EDX_1G      BIT(26)
#define CPUID_EXT_EDX_LM      BIT(29)

/*
 * long64: the processor is in 64-bit mode (Intel shows SYSCALL only there).
 * Leaf 7, which is there only if a feature is shown by it, has one subleaf.  A
 * leaf beyond the last one reads as the last basic leaf on Intel and as zeros
 * on AMD.
 */
struct cpuid_regs cpuid_query(const struct cpuid_config *cfg, uint32_t leaf,
			      uint32_t subleaf, bool long64);

#endif
