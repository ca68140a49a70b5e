/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KVM's shadow MMU of 2007: shadow pages keyed by gfn and role, reverse maps,
 * write-protected guest tables, and the trap and notrap entries of the bypass.
 *
 * Contract: it reads and writes guest tables and shadow tables through
 * src/mem, counts in src/account, and returns a verdict; the caller injects,
 * emulates, flushes and counts the exit.  It knows neither VMX nor the source
 * of events.  It never fails for want of shadow pages: it recycles.
 */
#ifndef NOTRAP_SHADOW_MMU_SMMU_H
#define NOTRAP_SHADOW_MMU_SMMU_H

#include "account/account.h"
#include "mem/mem.h"
#include "paging/walk.h"

/* The named switches of the mechanisms (switches.def). */
struct smmu_switches {
#define SWITCH(name, what) bool name;
#include "shadow_mmu/switches.def"
#undef SWITCH
};

enum smmu_switch {
#define SWITCH(name, what) SMMU_SWITCH_##name,
#include "shadow_mmu/switches.def"
#undef SWITCH
	NR_SMMU_SWITCHES
};

const char *smmu_switch_name(enum smmu_switch id);
const char *smmu_switch_what(enum smmu_switch id);
bool smmu_switch_get(const struct smmu_switches *sw, enum smmu_switch id);
void smmu_switch_set(struct smmu_switches *sw, enum smmu_switch id, bool on);

/* A generation is a set of switches (generations.def). */
struct smmu_generation {
	const char *name; /* "kvm-2.6.25" */
	const char *what; /* one line */
	struct smmu_switches sw;
	/* The hypervisor of that time had the bypass. */
	bool has_bypass;
};

/* All generations in order of time; *nr is their number. */
const struct smmu_generation *smmu_generations(unsigned int *nr);
const struct smmu_generation *smmu_generation_find(const char *name);

enum smmu_audit {
	SMMU_AUDIT_OFF,
	SMMU_AUDIT_ENTRY, /* the slots an operation touched */
	SMMU_AUDIT_TABLE, /* their whole tables */
	SMMU_AUDIT_ALL,   /* every shadow page, rmap, hash and count */
};

struct smmu_config {
	struct smmu_switches sw;
	/*
	 * The two non-present values (kvm_mmu_set_nonpresent_ptes): ~0xffe and
	 * 0 with the bypass, 0 and 0 without.
	 */
	uint64_t trap_pte;
	uint64_t notrap_pte;
	uint32_t max_pages; /* page budget, at least SMMU_MIN_PAGES */
	uint8_t maxphyaddr; /* of the guest, for the address field */
	uint32_t features;  /* FEATURE_1G, FEATURE_PKU: the guest's CPUID */
	uint8_t nr_vcpus;   /* processors, up to SMMU_MAX_VCPUS; 0 is 1 */
	enum smmu_audit audit;
};

#define SMMU_TRAP_PTE  (~UINT64_C(0xffe))
#define SMMU_GNP_PTE   (~UINT64_C(0)) /* Xen's guest-not-present */
#define SMMU_MIN_PAGES 64
#define SMMU_MAX_VCPUS 4 /* KVM_MAX_VCPUS of 2.6.24 */

/*
 * The values of these switches, with and without the bypass: those above, or
 * with gnp_sptes 0 and ~0, as long as ~0 has bits that are reserved.
 */
void smmu_set_values(struct smmu_config *config, bool bypass);

struct smmu;

/*
 * mem's pool must have at least max_pages free pages and one a processor.
 * -EINVAL (budget too small or beyond the pool) and -ENOMEM with a line.
 * Nothing is allocated after this.
 */
int smmu_create(const struct smmu_config *config, struct mem *mem,
		struct account *acct, struct smmu **ret, struct diag *diag);
void smmu_destroy(struct smmu *smmu); /* NULL is fine */

/*
 * The processor that every call below is about, until the next of these; 0 at
 * first.  Each has its roots, its control state and its fork detector; tables,
 * their budget and all that is known of frames are the guest's.
 */
void smmu_select(struct smmu *smmu, unsigned int vcpu);

/*
 * The selected processor has taken rights away that others' TLBs may still
 * hold (kvm_flush_remote_tlbs), since this was last asked.  They must be
 * flushed before they go on.
 */
bool smmu_take_remote_flush(struct smmu *smmu);

/*
 * For tests: open() is called while the shadow of guest table gfn is made,
 * between the two things that make it true: reading the table and write-
 * protecting its frame.  It is the moment for another processor to write guest
 * memory, where its own shadow lets it; no function here may be called.
 */
struct smmu_window {
	void (*open)(void *context, gfn_t gfn); /* NULL: nobody looks */
	void *context;
};

void smmu_watch_window(struct smmu *smmu, const struct smmu_window *window);

/* What of the guest's control state the shadow depends on. */
struct smmu_guest {
	enum paging_mode mode;
	uint64_t cr3;
	uint64_t pdpte[4]; /* PAE */
	bool wp;           /* CR0.WP */
	bool nxe;          /* EFER.NXE */
	bool pse;          /* CR4.PSE, 32-bit paging */
	bool pge;          /* CR4.PGE, for a vTLB */
	bool smep, smap;   /* CR4 */
	bool pke;          /* CR4.PKE */
	uint32_t pkru;
};

/*
 * A memory slot: guest frames there are.  What is in none is MMIO.  At
 * creation slot 0 is all of mem's RAM.
 */
#define SMMU_MAX_SLOTS 8 /* KVM_MEMORY_SLOTS of 2.6.24 */

struct smmu_slot {
	gfn_t first;
	gfn_t nr;       /* 0: the slot is not there */
	bool log_dirty; /* KVM_MEM_LOG_DIRTY_PAGES */
};

/*
 * Put a slot in place of what it was (KVM_SET_USER_MEMORY_REGION).  Frames that
 * come or go zap every shadow page, so no MMIO mark outlives a new slot and no
 * spte a removed one.  With log_dirty its log begins empty.  -EINVAL with a
 * line, and nothing changed: no such slot, beyond mem's RAM, an overlap.
 */
int smmu_set_slot(struct smmu *smmu, unsigned int id,
		  const struct smmu_slot *slot, struct diag *diag);
void smmu_get_slot(const struct smmu *smmu, unsigned int id,
		   struct smmu_slot *ret);

/*
 * KVM_GET_DIRTY_LOG: tell (if not NULL) each frame that could have been written
 * since the last time, in order, and make the next write to each be noticed.
 * Returns their number; 0 if the slot has no log.  The caller flushes its own
 * processor's TLB.
 */
uint64_t smmu_read_dirty_log(struct smmu *smmu, unsigned int id,
			     void (*tell)(void *context, gfn_t gfn),
			     void *context);

/*
 * CR0.PG, CR0.WP, CR4's paging bits or the mode changed: drop the roots and set
 * up anew (kvm_mmu_reset_context, then mmu_alloc_roots).  Shadow pages stay.
 * To be called once for each processor after smmu_create(), before anything
 * else.
 */
void smmu_reset_context(struct smmu *smmu, const struct smmu_guest *guest);

/*
 * MOV to CR3: drop the roots, look the new ones up in the hash
 * (paging_new_cr3); before 2.6.25 also if nothing changes.  The caller has
 * checked that the address is RAM; one outside is a #GP of the caller's.
 */
void smmu_new_cr3(struct smmu *smmu, const struct smmu_guest *guest);

/*
 * INVLPG at gva, and any other flush of this processor's translations: what
 * the guest wrote to tables that are out of sync holds from now on, as it does
 * after a root load; a vTLB drops what it has there, or all.  Nothing to do
 * where tables are always in sync.
 */
void smmu_invlpg(struct smmu *smmu, gva_t gva);
void smmu_sync(struct smmu *smmu);

/*
 * To be called before the processor enters the guest, and when emulated bytes
 * have landed: a root that was zapped is loaded anew, tables that were linked
 * out of sync are synced.  smmu_root() may change.
 */
void smmu_enter(struct smmu *smmu);

/* WRPKRU: the guest walk judges by it; sptes carry keys, not rights. */
void smmu_set_pkru(struct smmu *smmu, uint32_t pkru);

/*
 * EFER.NXE changed.  KVM of the time dropped nothing then; with role_nxe new
 * roots are loaded.
 */
void smmu_set_nxe(struct smmu *smmu, bool nxe);

/* Shadow root for the processor, and how the processor walks it. */
hpa_t smmu_root(const struct smmu *smmu);
enum paging_mode smmu_shadow_mode(const struct smmu *smmu);

enum smmu_verdict {
	SMMU_FIXED,  /* retry the access */
	SMMU_INJECT, /* a guest fault: pfec is the code to inject */
	/*
	 * A write to a guest table, or one of a CR0.WP=0 supervisor that no
	 * spte can let through: emulate the instruction.
	 */
	SMMU_EMULATE,
	SMMU_MMIO, /* no memory slot behind gpa */
};

struct smmu_result {
	enum smmu_verdict verdict;
	enum pf_cause cause;
	uint32_t pfec;
	gpa_t gpa;     /* valid unless SMMU_INJECT */
	uint8_t level; /* SMMU_INJECT: of the guest entry that says no */
};

/*
 * A page-fault exit at gva with the hardware's error code, and ACCESS_AC of
 * the reference, which the hypervisor takes from RFLAGS.  Counts pf_fixed
 * and all mmu_ counters, charges walk, fill, allocation and zaps; the cause is
 * returned for the caller to count, as pf_guest, injection, emulation and the
 * exit itself are.
 */
struct smmu_result smmu_page_fault(struct smmu *smmu, gva_t gva, uint32_t pfec);

/*
 * An emulated write to guest memory, before its bytes reach it
 * (kvm_mmu_pte_write).  bytes 1..8, within one page.  Harmless for a frame
 * that is not shadowed.  The bytes must land before the next call of any
 * function here: an audit would miss them.
 */
void smmu_pte_write(struct smmu *smmu, gpa_t gpa, const void *bytes,
		    unsigned int len);

/* Is gfn shadowed as a page table (the emulator must call pte_write)? */
bool smmu_is_shadowed(const struct smmu *smmu, gfn_t gfn);

/*
 * The instruction could not be emulated: unshadow what is behind gva.  True if
 * anything was (kvm_mmu_unprotect_page_virt): re-enter and run it natively.
 */
bool smmu_unprotect(struct smmu *smmu, gva_t gva);

/* The guest walk of this generation, with no side effect. */
bool smmu_gva_to_gpa(const struct smmu *smmu, gva_t gva, gpa_t *ret);

/* What a shadow entry is, for one who tells of it. */
enum smmu_spte_kind {
	SMMU_SPTE_PRESENT, /* maps a page or links a table */
	SMMU_SPTE_ABSENT, /* not present; without the bypass there is one way */
	SMMU_SPTE_TRAP,   /* nothing is known: the fault must exit */
	SMMU_SPTE_NOTRAP, /* the guest has nothing either: it need not */
	SMMU_SPTE_MMIO,   /* no memory behind it */
	NR_SMMU_SPTE_KINDS
};

enum smmu_spte_kind smmu_spte_kind(const struct smmu *smmu, uint64_t spte);

/* A shadow page by its frame, which is one or was the last to be given back. */
struct smmu_page {
	gfn_t gfn;
	int level;
	unsigned int glevels, quadrant;
	bool metaphysical;
	bool is_private;     /* of a vTLB: gfn is of the linear address */
	unsigned int access; /* bits 0 execute, 1 write, 2 user: the role's */
	bool is_root;
	bool unsync;      /* the guest may write its table unseen */
	bool is_pae_root; /* the frame of four PDPTEs: nothing else is set */
};

struct smmu_page smmu_page(const struct smmu *smmu, hpa_t table);

/* Shadow pages there are now, without the frames of PDPTEs. */
uint32_t smmu_nr_pages(const struct smmu *smmu);

/* What an audit sees that is no violation (observations.def). */
enum smmu_observation {
#define OBSERVATION(name, what) SMMU_SEEN_##name,
#include "shadow_mmu/observations.def"
#undef OBSERVATION
	NR_SMMU_OBSERVATIONS
};

const char *smmu_observation_name(enum smmu_observation id);
const char *smmu_observation_what(enum smmu_observation id);

struct smmu_audit_report {
	uint64_t violations;
	uint64_t observed[NR_SMMU_OBSERVATIONS]; /* sightings */
	/* The first violation: invariant name, and where. */
	char first[256];
};

/*
 * Run an audit now, whatever the configured level.  No operation is at hand,
 * so SMMU_AUDIT_ENTRY and SMMU_AUDIT_TABLE look at every entry and table.
 */
void smmu_run_audit(struct smmu *smmu, enum smmu_audit level,
		    struct smmu_audit_report *ret);

/* Sum over all audits this smmu ran by itself. */
const struct smmu_audit_report *smmu_audit_result(const struct smmu *smmu);

#endif
