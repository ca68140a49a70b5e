/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rig.h"

#include <inttypes.h>
#include <string.h>

#define MAXPHYADDR 36
#define MAX_TRIES  4

void check_eq(const char *name, uint64_t got, uint64_t want)
{
	if (got != want)
		fail_msg("%s: got 0x%" PRIx64 ", want 0x%" PRIx64, name, got,
			 want);
}

static void set_roots(struct rig *rig)
{
	rig->guest.cr3 = 1 * PAGE_SIZE;
	rig->next_table = 2 * PAGE_SIZE;
	if (rig->guest.mode != PAGING_PAE)
		return;
	for (unsigned int i = 0; i < 4; i++)
		rig->guest.pdpte[i] = (i + 1) * PAGE_SIZE | PTE_P;
	rig->next_table = 5 * PAGE_SIZE;
}

void rig_open(struct rig *rig, const struct rig_config *config)
{
	uint32_t pages = config->max_pages ? config->max_pages : 256;
	unsigned int vcpus = config->vcpus ? config->vcpus : 1;
	struct smmu_config mmu;
	struct diag diag;

	*rig = (struct rig){
		.gen = smmu_generation_find(config->gen),
		.acct = account_create(),
		.bypass = config->bypass,
		.guest = {.mode = config->mode,
			  .wp = !config->wp_off,
			  .nxe = !config->nxe_off},
	};
	assert_non_null(rig->gen);
	assert_non_null(rig->acct);
	mmu = (struct smmu_config){
		.sw = config->sw ? *config->sw : rig->gen->sw,
		.max_pages = pages,
		.maxphyaddr = MAXPHYADDR,
		.features = FEATURE_1G | config->features,
		.nr_vcpus = config->vcpus,
		.audit = config->audit,
	};
	smmu_set_values(&mmu, config->bypass);
	assert_int_equal(mem_create(config->ram ? config->ram : 4 << 20,
				    pages + vcpus, config->installed, &rig->mem,
				    &diag),
			 0);
	assert_int_equal(
		smmu_create(&mmu, rig->mem, rig->acct, &rig->smmu, &diag), 0);
	set_roots(rig);
	for (unsigned int i = vcpus; i-- > 0;) {
		smmu_select(rig->smmu, i);
		smmu_reset_context(rig->smmu, &rig->guest);
	}
}

void rig_close(struct rig *rig)
{
	struct smmu_audit_report last;

	smmu_run_audit(rig->smmu, SMMU_AUDIT_ALL, &last);
	if (!rig->dirty_audit && last.violations)
		fail_msg("last audit: %s", last.first);
	if (!rig->dirty_audit && smmu_audit_result(rig->smmu)->violations)
		fail_msg("audit: %s", smmu_audit_result(rig->smmu)->first);
	smmu_destroy(rig->smmu);
	check_eq("frames free after destroy", rig->mem->pool.nr_free,
		 rig->mem->pool.nr_pages);
	mem_destroy(rig->mem);
	account_destroy(rig->acct);
}

struct paging_ctx rig_hardware(const struct rig *rig)
{
	bool pages = rig->guest.mode != PAGING_OFF;
	struct paging_ctx ctx = {
		.mode = smmu_shadow_mode(rig->smmu),
		.root = smmu_root(rig->smmu),
		.wp = true,
		.nxe = true,
		/* With paging off, as KVM does, whatever the guest has. */
		.smep = pages && rig->guest.smep,
		.smap = pages && rig->guest.smap,
		.pke = pages && rig->guest.pke,
		.pkru = rig->guest.pkru,
		.maxphyaddr = MAXPHYADDR,
	};

	if (ctx.mode == PAGING_PAE)
		for (unsigned int i = 0; i < 4; i++)
			ctx.pdpte[i] = pool_get(&rig->mem->pool, ctx.root, i);
	return ctx;
}

struct walk rig_walk(const struct rig *rig, gva_t gva, uint32_t access)
{
	struct paging_ctx ctx = rig_hardware(rig);

	return paging_walk(&ctx, rig->mem, gva, access);
}

/* The processor sets A and D where it finds the entry: in the twin, if any. */
static void processor_marks(struct rig *rig, const struct walk *w,
			    uint32_t access)
{
	uint64_t bits = PTE_A | ((access & PFEC_W) ? PTE_D : 0);
	struct pool *pool = &rig->mem->pool;
	uint32_t page = pool_page(w->table);

	if (pool->installed)
		pool->installed[page][w->index] = w->leaf | bits;
	else
		pool->model[page][w->index] |= bits;
}

struct rig_outcome rig_access(struct rig *rig, gva_t gva, uint32_t access)
{
	struct rig_outcome out = {.end = RIG_LOOP};

	for (int i = 0; i <= MAX_TRIES; i++) {
		struct smmu_result r;
		struct walk w;

		smmu_enter(rig->smmu);
		w = rig_walk(rig, gva, access);
		out.pfec = w.pfec;
		if (!w.fault) {
			processor_marks(rig, &w, access);
			out.end = RIG_OK;
			out.gpa = w.pa;
			out.leaf = w.leaf;
			return out;
		}
		if (rig->bypass && !(w.pfec & PFEC_P)) {
			out.end = RIG_DIRECT;
			return out;
		}

		out.exits++;
		r = smmu_page_fault(rig->smmu, gva,
				    w.pfec | (access & ACCESS_AC));
		rig->acct->pf_cause[r.cause]++;
		out.cause = r.cause;
		out.gpa = r.gpa;
		switch (r.verdict) {
		case SMMU_FIXED:
			continue;
		case SMMU_INJECT:
			out.end = RIG_INJECT;
			out.pfec = r.pfec;
			return out;
		case SMMU_EMULATE:
			out.end = RIG_EMULATE;
			return out;
		case SMMU_MMIO:
			out.end = RIG_MMIO;
			return out;
		}
	}
	return out;
}

struct rig_outcome rig_store(struct rig *rig, gva_t gva, uint32_t access,
			     const void *bytes, unsigned int len)
{
	struct rig_outcome out = rig_access(rig, gva, access | ACC_W);

	if (out.end == RIG_EMULATE)
		smmu_pte_write(rig->smmu, out.gpa, bytes, len);
	if (out.end == RIG_EMULATE || out.end == RIG_OK)
		memcpy(mem_ram(rig->mem, out.gpa), bytes, len);
	return out;
}

void rig_poke(struct rig *rig, gpa_t gpa, uint64_t val, unsigned int len)
{
	smmu_pte_write(rig->smmu, gpa, &val, len);
	memcpy(mem_ram(rig->mem, gpa), &val, len);
}

uint64_t rig_peek(const struct rig *rig, gpa_t entry)
{
	return rig->guest.mode == PAGING_32 ? mem_read_u32(rig->mem, entry)
					    : mem_read_u64(rig->mem, entry);
}

gpa_t rig_entry(struct rig *rig, gva_t gva, int level)
{
	enum paging_mode mode = rig->guest.mode;
	unsigned int size = paging_entry_size(mode);
	gpa_t table = rig->guest.cr3;

	if (mode == PAGING_PAE)
		table = rig->guest.pdpte[(gva >> 30) & 3] & PTE_ADDR;
	for (int at = paging_levels(mode); at > level; at--) {
		gpa_t gpa = table + (gpa_t)size * paging_index(mode, gva, at);
		uint64_t entry = rig_peek(rig, gpa);

		if (!(entry & PTE_P)) {
			entry = rig->next_table | G_LINK;
			rig->next_table += PAGE_SIZE;
			rig_poke(rig, gpa, entry, size);
		}
		table = entry & PTE_ADDR;
	}
	return table + (gpa_t)size * paging_index(mode, gva, level);
}

void rig_map(struct rig *rig, gva_t gva, int level, gpa_t gpa, uint64_t flags)
{
	rig_poke(rig, rig_entry(rig, gva, level), gpa | flags,
		 paging_entry_size(rig->guest.mode));
}

slot_t rig_slot(const struct rig *rig, gva_t gva, int level)
{
	hpa_t table = smmu_root(rig->smmu);
	int at = paging_levels(smmu_shadow_mode(rig->smmu));

	if (smmu_shadow_mode(rig->smmu) == PAGING_PAE)
		table = pool_get(&rig->mem->pool, table, (gva >> 30) & 3) &
			PTE_ADDR;
	for (; table && at > level; at--) {
		uint64_t spte = spte_get(rig->smmu,
					 slot_make(table, pt_index(gva, at)));

		if (!is_shadow_present(&rig->smmu->v, spte))
			return NO_SLOT;
		table = spte & PTE_ADDR;
	}
	return table ? slot_make(table, pt_index(gva, level)) : NO_SLOT;
}

uint64_t rig_spte(const struct rig *rig, gva_t gva, int level)
{
	slot_t slot = rig_slot(rig, gva, level);

	if (slot == NO_SLOT)
		fail_msg("no shadow table of level %d for 0x%" PRIx64, level,
			 gva);
	return spte_get(rig->smmu, slot);
}

uint64_t rig_count(const struct rig *rig, enum counter_id id)
{
	return rig->acct->counter[id];
}

uint64_t rig_seen(const struct rig *rig, enum smmu_observation id)
{
	return smmu_audit_result(rig->smmu)->observed[id];
}

void rig_switch(struct rig *rig, enum paging_mode mode, uint64_t cr3)
{
	bool same = rig->guest.mode == mode && mode != PAGING_OFF;

	rig->guest.mode = mode;
	rig->guest.cr3 = cr3;
	if (same)
		smmu_new_cr3(rig->smmu, &rig->guest);
	else
		smmu_reset_context(rig->smmu, &rig->guest);
}

void rig_reset(struct rig *rig)
{
	smmu_reset_context(rig->smmu, &rig->guest);
}
