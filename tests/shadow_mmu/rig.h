/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest without instructions: RAM, tables in it, and references that go
 * through the shadow as the processor and VMX would take them.  It stands in
 * for src/sim, which these tests may not link.
 */
#ifndef NOTRAP_TESTS_SHADOW_MMU_RIG_H
#define NOTRAP_TESTS_SHADOW_MMU_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "shadow_mmu/internal.h"

/* The guest's entries; A and D as a careful kernel presets them. */
#define G_RW   (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)
#define G_RO   (PTE_P | PTE_U | PTE_A)
#define G_KRW  (PTE_P | PTE_W | PTE_A | PTE_D)
#define G_LINK (PTE_P | PTE_W | PTE_U | PTE_A)

#define ACC_R 0u
#define ACC_W ((uint32_t)PFEC_W)
#define ACC_U ((uint32_t)PFEC_U)
#define ACC_X ((uint32_t)PFEC_ID)
#define AC    ((uint32_t)ACCESS_AC)

struct rig_config {
	const char *gen;
	bool bypass;
	enum paging_mode mode;
	uint64_t ram;       /* 0: 4 MiB */
	uint32_t max_pages; /* 0: 256 */
	enum smmu_audit audit;
	bool installed; /* the pool has twins, as in a live run */
	uint8_t vcpus;  /* 0: one */
	bool wp_off, nxe_off;
	uint32_t features;              /* FEATURE_1G is always on */
	const struct smmu_switches *sw; /* other than gen's; NULL: gen's */
};

struct rig {
	const struct smmu_generation *gen;
	struct mem *mem;
	struct account *acct;
	struct smmu *smmu;
	struct smmu_guest guest;
	bool bypass;
	bool dirty_audit; /* violations are what the test wants */
	gpa_t next_table; /* frames of guest tables, growing */
};

enum rig_end {
	RIG_OK,
	RIG_DIRECT, /* a guest fault past the hypervisor */
	RIG_INJECT,
	RIG_EMULATE,
	RIG_MMIO,
	RIG_LOOP, /* fixed again and again */
};

struct rig_outcome {
	enum rig_end end;
	gpa_t gpa;
	uint32_t pfec;
	unsigned int exits;
	enum pf_cause cause; /* of the last exit */
	uint64_t leaf;       /* spte used, if RIG_OK */
};

/* Paging on, empty top table in frame 1 (PAE: all four PDPTEs, frames 1..4). */
void rig_open(struct rig *rig, const struct rig_config *config);
/* Runs a last audit of everything. */
void rig_close(struct rig *rig);

/* One reference, retried until it is through or somebody's fault. */
struct rig_outcome rig_access(struct rig *rig, gva_t gva, uint32_t access);

/*
 * A store: in place, or emulated on a write-protected frame.  Faults are
 * returned and nothing is written.
 */
struct rig_outcome rig_store(struct rig *rig, gva_t gva, uint32_t access,
			     const void *bytes, unsigned int len);

/* The guest writes physical memory; the shadow MMU is told, as by emulation. */
void rig_poke(struct rig *rig, gpa_t gpa, uint64_t val, unsigned int len);

/* The guest entry there, 4 or 8 bytes. */
uint64_t rig_peek(const struct rig *rig, gpa_t entry);
/* Address of the entry for gva at this level; builds tables above it. */
gpa_t rig_entry(struct rig *rig, gva_t gva, int level);
/* Map: write the entry there. */
void rig_map(struct rig *rig, gva_t gva, int level, gpa_t gpa, uint64_t flags);

/* The guest changes control state: MOV to CR0 or CR4. */
void rig_reset(struct rig *rig);

/* The processor's view. */
struct paging_ctx rig_hardware(const struct rig *rig);
struct walk rig_walk(const struct rig *rig, gva_t gva, uint32_t access);
/* The slot of gva at this level, as the shadow stands; NO_SLOT: no table. */
slot_t rig_slot(const struct rig *rig, gva_t gva, int level);
uint64_t rig_spte(const struct rig *rig, gva_t gva, int level);

uint64_t rig_count(const struct rig *rig, enum counter_id id);
uint64_t rig_seen(const struct rig *rig, enum smmu_observation id);

void rig_switch(struct rig *rig, enum paging_mode mode, uint64_t cr3);

/* name, got, want; ends the test. */
void check_eq(const char *name, uint64_t got, uint64_t want);

static inline void check(const char *name, bool holds)
{
	check_eq(name, holds, true);
}

#endif
