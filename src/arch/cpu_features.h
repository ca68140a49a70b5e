/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a processor of the model may have beyond its baseline (-D features=):
 * CPUID shows it, and MOV to CR4 takes its bit.
 */
#ifndef NOTRAP_ARCH_CPU_FEATURES_H
#define NOTRAP_ARCH_CPU_FEATURES_H

#include "base/types.h"

/* The order is that of the option's words; the numbers are in trace files. */
#define FEATURE_LA57    BIT(0) /* 5-level paging */
#define FEATURE_SMEP    BIT(1)
#define FEATURE_SMAP    BIT(2)
#define FEATURE_PKU     BIT(3) /* protection keys of user pages */
#define FEATURE_PCID    BIT(4)
#define FEATURE_INVPCID BIT(5)
#define FEATURE_1G      BIT(6) /* pages of 1 GiB */
#define FEATURE_ALL     BITS(6, 0)

#define FEATURE_NAMES "la57,smep,smap,pku,pcid,invpcid,1g"

#endif
