/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Creation, and the context: which roots the processor walks for the guest's
 * control state.
 *
 * A guest with paging off, with 32-bit paging or with PAE is shadowed by a PAE
 * tree: one frame of four PDPTEs over up to four level-2 roots.  A root is
 * pinned by root_count; an old context's tables stay in the hash and are found
 * again.
 */
#include "shadow_mmu/smmu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/sparse.h"
#include "shadow_mmu/internal.h"

/* facts: KVM had 1024 buckets, hashed by gfn modulo that. */
#define MIN_BUCKETS 1024u

static size_t nr_entries(const struct smmu *smmu)
{
	return (size_t)smmu->mem->pool.nr_pages * PT_ENTRIES;
}

static int alloc_arrays(struct smmu *smmu)
{
	uint32_t pages = smmu->mem->pool.nr_pages;
	uint32_t buckets = MIN_BUCKETS;
	size_t entries = nr_entries(smmu);

	while (buckets < smmu->max_pages)
		buckets *= 2;
	smmu->hash_mask = buckets - 1;
	smmu->nr_gfns = smmu->mem->ram_size >> PAGE_SHIFT;

	smmu->sp = calloc(pages, sizeof(*smmu->sp));
	smmu->link = sparse_alloc(entries, sizeof(*smmu->link));
	smmu->rmap = malloc(smmu->nr_gfns * sizeof(*smmu->rmap));
	smmu->hash = malloc(buckets * sizeof(*smmu->hash));
	smmu->slot_of = calloc(smmu->nr_gfns, sizeof(*smmu->slot_of));
	smmu->dirty = calloc(smmu->nr_gfns / 64 + 1, sizeof(*smmu->dirty));
	if (!smmu->sp || !smmu->link || !smmu->rmap || !smmu->hash ||
	    !smmu->slot_of || !smmu->dirty)
		return -ENOMEM;
	smmu->slot[0].nr = smmu->nr_gfns;

	if (smmu->audit != SMMU_AUDIT_OFF)
		smmu->made_from =
			sparse_alloc(entries, sizeof(*smmu->made_from));
	if (smmu->audit != SMMU_AUDIT_OFF && !smmu->made_from)
		return -ENOMEM;

	/* All ones: NO_SLOT and NO_PAGE. */
	memset(smmu->rmap, 0xff, smmu->nr_gfns * sizeof(*smmu->rmap));
	memset(smmu->hash, 0xff, buckets * sizeof(*smmu->hash));
	return 0;
}

static unsigned int nr_vcpus(const struct smmu_config *config)
{
	return config->nr_vcpus ? config->nr_vcpus : 1;
}

static int check_config(const struct smmu_config *config, const struct mem *mem,
			struct diag *diag)
{
	if (config->max_pages < SMMU_MIN_PAGES)
		return diag_set(diag, -EINVAL,
				"a budget of %u shadow pages is too small: at "
				"least %u",
				config->max_pages, SMMU_MIN_PAGES);
	if (mem->pool.nr_free < config->max_pages + nr_vcpus(config))
		return diag_set(diag, -EINVAL,
				"%u shadow pages and a PAE root a processor do "
				"not fit a pool of %u frames",
				config->max_pages, mem->pool.nr_free);
	return 0;
}

/* Reserved bits are what MMIO sptes are known by, and the processor has none
 * left with 52 address bits. */
static struct spte_values spte_values(const struct smmu_config *config)
{
	struct spte_values v = {config->trap_pte, config->notrap_pte, 0};

	if (config->sw.mmio_sptes && config->maxphyaddr < 52)
		v.mmio = BITS(51, config->maxphyaddr) | PTE_P;
	return v;
}

int smmu_create(const struct smmu_config *config, struct mem *mem,
		struct account *acct, struct smmu **ret, struct diag *diag)
{
	struct smmu *smmu;
	int err = check_config(config, mem, diag);

	if (err)
		return err;
	smmu = calloc(1, sizeof(*smmu));
	if (!smmu)
		goto no_memory;

	smmu->cur = &smmu->vcpu[0];
	smmu->nr_vcpus = nr_vcpus(config);
	BUG_ON(smmu->nr_vcpus > SMMU_MAX_VCPUS);
	smmu->mem = mem;
	smmu->acct = acct;
	smmu->sw = config->sw;
	smmu->v = spte_values(config);
	smmu->maxphyaddr = config->maxphyaddr;
	smmu->features = config->features;
	smmu->max_pages = config->max_pages;
	smmu->audit = config->audit;
	smmu->newest = NO_PAGE;
	smmu->oldest = NO_PAGE;
	if (alloc_arrays(smmu))
		goto free_smmu;
	for (unsigned int i = 0; i < smmu->nr_vcpus; i++) {
		smmu->vcpu[i].last_updated = NO_SLOT;
		smmu->vcpu[i].pae_root = pool_alloc(&mem->pool, 3);
	}
	*ret = smmu;
	return 0;

free_smmu:
	smmu_destroy(smmu);
no_memory:
	return diag_set(diag, -ENOMEM,
			"no host memory for a shadow MMU of %u pages",
			config->max_pages);
}

void smmu_select(struct smmu *smmu, unsigned int vcpu)
{
	BUG_ON(vcpu >= smmu->nr_vcpus);
	smmu->cur = &smmu->vcpu[vcpu];
}

void smmu_watch_window(struct smmu *smmu, const struct smmu_window *window)
{
	smmu->window = *window;
}

bool smmu_take_remote_flush(struct smmu *smmu)
{
	bool flush = smmu->flush_others;

	smmu->flush_others = false;
	return flush;
}

static void put_root(struct smmu *smmu, hpa_t table)
{
	struct sp *sp = sp_of_table(smmu, table);

	if (--sp->root_count)
		return;
	if (smmu->sw.vtlb)
		vtlb_drop(smmu, sp);
	else if (sp->invalid)
		sp_zap(smmu, sp);
}

static void free_roots(struct smmu *smmu)
{
	struct pool *pool = &smmu->mem->pool;

	if (!smmu->cur->root)
		return;
	if (smmu->cur->root != smmu->cur->pae_root) {
		put_root(smmu, smmu->cur->root);
		smmu->cur->root = 0;
		return;
	}
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t pdpte = pool_get(pool, smmu->cur->pae_root, i);

		if (pdpte & PTE_P)
			put_root(smmu, pdpte & PTE_ADDR);
		pool_set(pool, smmu->cur->pae_root, i, 0);
	}
	smmu->cur->root = 0;
}

void smmu_drop(struct smmu *smmu)
{
	free(smmu->sp);
	sparse_free(smmu->link, nr_entries(smmu), sizeof(*smmu->link));
	free(smmu->rmap);
	free(smmu->hash);
	free(smmu->slot_of);
	free(smmu->dirty);
	sparse_free(smmu->made_from, nr_entries(smmu),
		    sizeof(*smmu->made_from));
	free(smmu);
}

void smmu_destroy(struct smmu *smmu)
{
	if (!smmu)
		return;
	if (smmu->sp) {
		for (unsigned int i = 0; i < smmu->nr_vcpus; i++) {
			smmu_select(smmu, i);
			free_roots(smmu);
		}
		while (smmu->newest != NO_PAGE)
			sp_zap(smmu, &smmu->sp[smmu->newest]);
	}
	for (unsigned int i = 0; i < smmu->nr_vcpus; i++)
		if (smmu->vcpu[i].pae_root)
			pool_free(&smmu->mem->pool, smmu->vcpu[i].pae_root);
	smmu_drop(smmu);
}

static uint32_t root_key(const struct smmu *smmu, gva_t gva, int level,
			 gfn_t *gfn)
{
	bool metaphysical = smmu->cur->guest.mode == PAGING_OFF;
	unsigned int access = smmu->sw.role_access ? ACC_ALL : 0;

	if (smmu->sw.vtlb && !metaphysical)
		return vtlb_key(smmu, gva, level, gfn);
	return role_make(smmu->cur->glevels, gva, level, metaphysical, access) |
	       guest_role(smmu) | role_control(smmu);
}

static hpa_t load_root(struct smmu *smmu, gfn_t gfn, gva_t gva, int level)
{
	uint32_t role = root_key(smmu, gva, level, &gfn);
	struct sp *sp = sp_get(smmu, gfn, role, NO_SLOT);

	account_count(smmu->acct, CNT_mmu_root_load);
	sp->root_count++;
	return sp->table;
}

/* What a PDPTE of the root stands for; a 32-bit directory has four parts. */
static uint64_t guest_pdpte(const struct smmu_guest *guest, unsigned int i)
{
	if (guest->mode == PAGING_PAE)
		return guest->pdpte[i];
	return guest->mode == PAGING_32 ? guest->cr3 | PTE_P : PTE_P;
}

static void load_pae_root(struct smmu *smmu, unsigned int i, uint64_t pdpte)
{
	hpa_t table = load_root(smmu, (pdpte & PTE_ADDR) >> PAGE_SHIFT,
				(gva_t)i << 30, 2);

	pool_set(&smmu->mem->pool, smmu->cur->pae_root, i, table | PTE_P);
}

/* An absent PDPTE stays 0: its fault needs no exit, and never changes. */
static void alloc_pae_roots(struct smmu *smmu)
{
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t pdpte = guest_pdpte(&smmu->cur->guest, i);

		if (pdpte & PTE_P)
			load_pae_root(smmu, i, pdpte);
	}
	smmu->cur->root = smmu->cur->pae_root;
}

/* Roots stay, but for PDPTEs that come or go. */
static void vtlb_new_cr3(struct smmu *smmu, const struct smmu_guest *guest)
{
	struct pool *pool = &smmu->mem->pool;

	smmu->cur->guest = *guest;
	vtlb_flush(smmu, true);
	for (unsigned int i = 0; i < 4 && guest->mode == PAGING_PAE; i++) {
		uint64_t root = pool_get(pool, smmu->cur->pae_root, i);
		uint64_t pdpte = guest->pdpte[i];

		if ((root & PTE_P) && !(pdpte & PTE_P)) {
			put_root(smmu, root & PTE_ADDR);
			pool_set(pool, smmu->cur->pae_root, i, 0);
		} else if (!(root & PTE_P) && (pdpte & PTE_P)) {
			sp_recycle(smmu);
			load_pae_root(smmu, i, pdpte);
		}
	}
}

/* kvm_mmu_load: what is below the roots is synced then. */
static void alloc_roots(struct smmu *smmu)
{
	const struct smmu_guest *guest = &smmu->cur->guest;

	sp_recycle(smmu);
	if (paging_is_long(guest->mode))
		smmu->cur->root =
			load_root(smmu, (guest->cr3 & PTE_ADDR) >> PAGE_SHIFT,
				  0, paging_levels(guest->mode));
	else
		alloc_pae_roots(smmu);
	smmu->cur->wants_reload = false;
	smmu_sync(smmu);
}

void smmu_enter(struct smmu *smmu)
{
	if (unlikely(smmu->cur->wants_reload)) {
		free_roots(smmu);
		alloc_roots(smmu);
	} else if (unlikely(smmu->cur->wants_sync)) {
		smmu_sync(smmu);
	}
}

/* Once a table is shadowed, PT writes fill sptes with paging off, too. */
static void take_guest(struct smmu *smmu, const struct smmu_guest *guest)
{
	smmu->cur->guest = *guest;
	smmu->paging_seen |= guest->mode != PAGING_OFF;
	smmu->wp0_seen |= !guest->wp && smmu->paging_seen;
	smmu->nxe0_seen |= !guest->nxe && smmu->paging_seen;
}

void smmu_reset_context(struct smmu *smmu, const struct smmu_guest *guest)
{
	static const unsigned int glevels[] = {
		[PAGING_OFF] = 0,    [PAGING_32] = 2,     [PAGING_PAE] = 3,
		[PAGING_4LEVEL] = 4, [PAGING_5LEVEL] = 5,
	};

	free_roots(smmu);
	take_guest(smmu, guest);
	smmu->cur->glevels = glevels[guest->mode];
	alloc_roots(smmu);
}

static bool is_same_cr3(const struct smmu_guest *a, const struct smmu_guest *b)
{
	return a->mode == b->mode && a->cr3 == b->cr3 &&
	       (a->mode != PAGING_PAE ||
		!memcmp(a->pdpte, b->pdpte, sizeof(a->pdpte)));
}

void smmu_new_cr3(struct smmu *smmu, const struct smmu_guest *guest)
{
	bool same = is_same_cr3(&smmu->cur->guest, guest);

	if (smmu->sw.vtlb && guest->mode != PAGING_OFF) {
		vtlb_new_cr3(smmu, guest);
		return;
	}
	/* nonpaging_new_cr3 does nothing */
	if (guest->mode == PAGING_OFF ||
	    (same && smmu->sw.same_cr3_keeps_roots)) {
		take_guest(smmu, guest);
		smmu_sync(smmu);
		return;
	}
	free_roots(smmu);
	take_guest(smmu, guest);
	alloc_roots(smmu);
}

void smmu_set_pkru(struct smmu *smmu, uint32_t pkru)
{
	smmu->cur->guest.pkru = pkru;
}

void smmu_set_nxe(struct smmu *smmu, bool nxe)
{
	struct smmu_guest guest = smmu->cur->guest;
	bool other = guest.nxe != nxe;

	guest.nxe = nxe;
	if (!other || !smmu->sw.role_nxe || guest.mode == PAGING_OFF) {
		take_guest(smmu, &guest);
		return;
	}
	free_roots(smmu);
	take_guest(smmu, &guest);
	alloc_roots(smmu);
}

hpa_t smmu_root(const struct smmu *smmu)
{
	return smmu->cur->root;
}

enum paging_mode smmu_shadow_mode(const struct smmu *smmu)
{
	const struct smmu_vcpu *cur = smmu->cur;

	return cur->root == cur->pae_root ? PAGING_PAE : cur->guest.mode;
}

bool smmu_is_shadowed(const struct smmu *smmu, gfn_t gfn)
{
	return sp_lookup(smmu, gfn) != NULL;
}

bool smmu_unprotect(struct smmu *smmu, gva_t gva)
{
	gpa_t gpa;

	if (!smmu_gva_to_gpa(smmu, gva, &gpa))
		return false;
	return sp_unprotect(smmu, gpa >> PAGE_SHIFT) > 0;
}

const struct smmu_audit_report *smmu_audit_result(const struct smmu *smmu)
{
	return &smmu->total;
}
