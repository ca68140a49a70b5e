/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUID, CR4 and EFER; and what paging.c and trap.S go by. */
#include "kernel/features.h"

#include "common/abi.h"
#include "kernel/console.h"
#include "kernel/paging.h"
#include "kernel/trap.h"
#include "kernel/x86.h"

enum cpuid_reg { LEAF_1_ECX, LEAF_7_EBX, LEAF_7_ECX, NO_REG };

static const struct {
	enum key key;
	const char *name;
	enum cpuid_reg reg;
	u32 bit;
	u32 cr4; /* 0: none */
	u32 rights;
	bool is_long; /* not in 32-bit code */
} features[] = {
	{KEY_SMEP, "SMEP", LEAF_7_EBX, 1u << 7, CR4_SMEP, RIGHTS_SMEP, false},
	{KEY_SMAP, "SMAP", LEAF_7_EBX, 1u << 20, CR4_SMAP, RIGHTS_SMAP, false},
	{KEY_PKU, "PKU", LEAF_7_ECX, 1u << 3, CR4_PKE, RIGHTS_PKU, true},
	{KEY_PCID, "PCID", LEAF_1_ECX, 1u << 17, CR4_PCIDE, 0, true},
	{KEY_INVPCID, "INVPCID", LEAF_7_EBX, 1u << 10, 0, 0, true},
	{KEY_GLOBAL, "global pages", NO_REG, 0, CR4_PGE, 0, false},
};

static u32 cpuid_word(enum cpuid_reg reg)
{
	if (reg == NO_REG)
		return 0;
	if (reg == LEAF_1_ECX)
		return cpuid(1).ecx;
	if (cpuid(0).eax < 7)
		return 0;
	return reg == LEAF_7_EBX ? cpuid(7).ebx : cpuid(7).ecx;
}

/* NX is no matter of 2 levels; boot.S has turned it on for 4. */
static void init_nx(bool wanted)
{
	if (MINI_LEVELS == 2)
		return;
	paging.nx = wanted ? 1ull << 63 : 0;
	if (wanted) {
		paging.features |= RIGHTS_NX;
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
	} else {
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~(u64)EFER_NXE);
	}
}

void features_init(const struct config *config)
{
	const u64 *val = config->val;

	paging.levels = MINI_LEVELS;
	if (MINI_LEVELS == 4 && (read_cr4() & CR4_LA57))
		paging.levels = 5;
	init_nx(val[KEY_NX]);
	for (size_t i = 0; i < ARRAY_LEN(features); i++) {
		u32 bit = features[i].bit;

		if (!val[features[i].key])
			continue;
		if ((features[i].is_long && MINI_LEVELS < 4) ||
		    (cpuid_word(features[i].reg) & bit) != bit) {
			print("this processor lacks %s\n", features[i].name);
			machine_exit(EXIT_MACHINE);
		}
		write_cr4(read_cr4() | features[i].cr4);
		paging.features |= features[i].rights;
	}
	has_smap = (u8)val[KEY_SMAP];
	paging.global = val[KEY_GLOBAL] ? PTE_G : 0;
	paging.pcid = val[KEY_PCID];
	paging.invpcid = val[KEY_INVPCID];
}
