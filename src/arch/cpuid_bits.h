/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bits of CPUID that the model knows.  SDM vol. 2A, "CPUID--CPU
 * Identification"; AMD APM vol. 3, appendix E.
 */
#ifndef NOTRAP_ARCH_CPUID_BITS_H
#define NOTRAP_ARCH_CPUID_BITS_H

#include "base/types.h"

/* CPUID.1:EDX */
#define CPUID_1_EDX_FPU   BIT(0)
#define CPUID_1_EDX_VME   BIT(1)
#define CPUID_1_EDX_DE    BIT(2)
#define CPUID_1_EDX_PSE   BIT(3)
#define CPUID_1_EDX_TSC   BIT(4)
#define CPUID_1_EDX_MSR   BIT(5)
#define CPUID_1_EDX_PAE   BIT(6)
#define CPUID_1_EDX_MCE   BIT(7)
#define CPUID_1_EDX_CX8   BIT(8)
#define CPUID_1_EDX_APIC  BIT(9)
#define CPUID_1_EDX_SEP   BIT(11)
#define CPUID_1_EDX_MTRR  BIT(12)
#define CPUID_1_EDX_PGE   BIT(13)
#define CPUID_1_EDX_MCA   BIT(14)
#define CPUID_1_EDX_CMOV  BIT(15)
#define CPUID_1_EDX_PAT   BIT(16)
#define CPUID_1_EDX_PSE36 BIT(17)
#define CPUID_1_EDX_CLFSH BIT(19)
#define CPUID_1_EDX_MMX   BIT(23)
#define CPUID_1_EDX_FXSR  BIT(24)
#define CPUID_1_EDX_SSE   BIT(25)
#define CPUID_1_EDX_SSE2  BIT(26)
/* CPUID.1:ECX */
#define CPUID_1_ECX_SSE3   BIT(0)
#define CPUID_1_ECX_SSSE3  BIT(9)
#define CPUID_1_ECX_CX16   BIT(13)
#define CPUID_1_ECX_PCID   BIT(17)
#define CPUID_1_ECX_SSE41  BIT(19)
#define CPUID_1_ECX_SSE42  BIT(20)
#define CPUID_1_ECX_POPCNT BIT(23)
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
#define CPUID_EXT_EDX_RDTSCP  BIT(27)
#define CPUID_EXT_EDX_LM      BIT(29)

#endif
