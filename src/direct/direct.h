/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory without shadow tables: the processor walks the guest's own, on a
 * machine of its own or beneath EPT.
 *
 * What it has found it remembers as a TLB does, in tables of the pool that a
 * processor without this module (Unicorn, or src/cpu) can walk: a software TLB
 * that no count knows of.  An entry is made by a walk that allowed the access,
 * with A set in every guest entry on the way and D in the last one where it
 * grants writes.  It goes when the guest flushes it, and never later than on
 * hardware: a fault is always judged by the guest's tables as they are, INVLPG
 * takes all of a large page, MOV to CR3 all but global pages, a change of what
 * entries depend on everything.  It may go earlier, as on hardware.
 *
 * With EPT it also says which guest frames have memory behind them: none at
 * first, as a hypervisor finds memory for a frame when it is first touched.
 *
 * Contract: it reads and writes guest tables and pool tables through src/mem
 * and returns a verdict; it counts nothing and knows neither VMX nor the source
 * of events.  When the pool is full it forgets everything.
 */
#ifndef NOTRAP_DIRECT_DIRECT_H
#define NOTRAP_DIRECT_DIRECT_H

#include "base/diag.h"
#include "mem/mem.h"
#include "paging/walk.h"

struct direct;

#define DIRECT_MAX_VCPUS 4
#define DIRECT_MIN_PAGES 64

enum direct_audit_level {
	DIRECT_AUDIT_OFF,
	DIRECT_AUDIT_ENTRY, /* after a fill: the way to the entry, and it */
	DIRECT_AUDIT_TABLE, /* and all entries of its table */
	DIRECT_AUDIT_ALL,   /* after each operation: every table */
};

struct direct_config {
	bool ept;
	bool large;       /* EPT: memory comes in pieces of 2 MiB, not 4 KiB */
	uint8_t nr_vcpus; /* 1..DIRECT_MAX_VCPUS */
	enum direct_audit_level audit;
};

/*
 * mem's pool, DIRECT_MIN_PAGES or more, is this module's alone.  Every
 * processor is to be given its state by direct_set_guest() before anything
 * else.  -ENOMEM with a line; nothing is allocated after this.
 */
int direct_create(const struct direct_config *config, struct mem *mem,
		  struct direct **ret, struct diag *diag);
void direct_destroy(struct direct *direct); /* NULL is fine */

/* The processor that all below is about; 0 at first. */
void direct_select(struct direct *direct, unsigned int vcpu);

/*
 * How the processor walks the guest's tables now.  Everything is forgotten if
 * anything changed that an entry depends on, CR3 apart.  global_pages: CR4.PGE.
 * True: something may have been forgotten.
 */
bool direct_set_guest(struct direct *direct, const struct paging_ctx *guest,
		      bool global_pages);

/* MOV to CR3: guest is the same but for root and PDPTEs. */
void direct_load_cr3(struct direct *direct, const struct paging_ctx *guest);

/* WRPKRU: entries have keys, so that none is forgotten. */
void direct_set_pkru(struct direct *direct, uint32_t pkru);

/* INVLPG, and flushes of everything. */
void direct_flush_page(struct direct *direct, gva_t gva);
void direct_flush(struct direct *direct);

/* What a processor without this module walks: PAE, 4LEVEL or 5LEVEL. */
hpa_t direct_root(const struct direct *direct);
enum paging_mode direct_mode(const struct direct *direct);

enum direct_verdict {
	DIRECT_FILLED, /* try again */
	DIRECT_FAULT,  /* the guest's own fault: pfec */
	/*
	 * A write of a CR0.WP=0 supervisor that no entry lets through and
	 * still denies what the guest denies: emulate the instruction.
	 */
	DIRECT_EMULATE,
	DIRECT_MMIO,     /* no memory at gpa; is_marked */
	DIRECT_UNBACKED, /* EPT: gpa was not touched yet; is_walk */
};

/* The entries that a walk of the guest's tables reads, from the top. */
struct direct_path {
	uint8_t nr;
	bool has_page; /* it has come to a page: */
	gpa_t page;
	gpa_t at[PT_LEVEL_MAX];
};

struct direct_result {
	enum direct_verdict verdict;
	uint32_t pfec;
	gpa_t gpa;
	bool is_walk;   /* touched by the walk of the guest's tables */
	bool is_marked; /* EPT: known to be no memory (direct_mark) */
	uint8_t ad;     /* entries that A or D was set in */
	/* What was read before it ended; beneath EPT, what was translated. */
	struct direct_path path;
};

/*
 * The processor did not find gva, or not with these rights.  access: as for
 * paging_walk(), of the guest.
 */
struct direct_result direct_fault(struct direct *direct, gva_t gva,
				  uint32_t access);

/* The walk that finds gva, rights aside, by the tables as they are. */
void direct_walk(const struct direct *direct, gva_t gva,
		 struct direct_path *ret);

/* Of an entry of the pool: what it comes from. */
struct direct_leaf {
	int level; /* of the guest's entry; 0: paging is off */
	bool global;
};

struct direct_leaf direct_leaf(uint64_t entry);

/* Level of EPT's leaf entries; 0: there is no EPT. */
int direct_ept_leaf(const struct direct *direct);

/* The guest's tables alone, rights aside; no A, no D. */
bool direct_gva_to_gpa(const struct direct *direct, gva_t gva, gpa_t *ret);

/* EPT: is there memory behind gpa, of RAM?  From now on there is. */
bool direct_is_backed(const struct direct *direct, gpa_t gpa);
void direct_back(struct direct *direct, gpa_t gpa);

/*
 * EPT: an entry says now that gpa's frame is no memory.  Only below 4 GiB; what
 * lies above is never known.
 */
void direct_mark(struct direct *direct, gpa_t gpa);

/*
 * Invariants of the tables, each by its name (audit.c): how many passes have
 * failed, and the first.
 */
struct direct_audit {
	uint64_t passes, violations;
	char first[160];
};

void direct_run_audit(struct direct *direct);
const struct direct_audit *direct_audit_result(const struct direct *direct);

#endif
