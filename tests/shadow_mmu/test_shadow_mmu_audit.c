/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each invariant of the audit: break it by hand, and see it named.  And the
 * grades: what each level looks at.
 */
#include <string.h>

#include "rig.h"

#define GVA  UINT64_C(0x400000)
#define DATA UINT64_C(0x100000)
#define GIB  BIT(30)

static struct sp *leaf_table(struct rig *rig)
{
	return sp_of_slot(rig->smmu, rig_slot(rig, GVA, 1));
}

static void set(struct rig *rig, gva_t gva, int level, uint64_t spte)
{
	slot_t slot = rig_slot(rig, gva, level);

	pool_set(&rig->mem->pool, slot_table(slot), slot_index(slot), spte);
}

static void set_guest(struct rig *rig, gva_t gva, int level, uint64_t set_bits,
		      uint64_t clear)
{
	gpa_t at = rig_entry(rig, gva, level);

	mem_write_u64(rig->mem, at,
		      (mem_read_u64(rig->mem, at) & ~clear) | set_bits);
}

static void stray_bit(struct rig *rig)
{
	set(rig, GVA + PAGE_SIZE, 1, SPTE_IO_MARK);
}

static void stale_notrap(struct rig *rig)
{
	set_guest(rig, GVA + PAGE_SIZE, 1, PTE_P, 0);
}

static void notrap_in_split(struct rig *rig)
{
	set(rig, GVA + GIB + PAGE_SIZE, 1, 0);
}

static void mark_on_ram(struct rig *rig)
{
	set_guest(rig, GVA + PAGE_SIZE, 1, DATA | PTE_P, 0);
	set(rig, GVA + PAGE_SIZE, 1, rig->smmu->v.trap | SPTE_IO_MARK);
}

static void leaf_past_ram(struct rig *rig)
{
	set_guest(rig, GVA + PAGE_SIZE, 1, BIT(35) | G_RO, 0);
	set(rig, GVA + PAGE_SIZE, 1, BIT(35) | PTE_P);
}

static void slot_bit(struct rig *rig)
{
	leaf_table(rig)->slot_bitmap = 0;
}

static void other_frame(struct rig *rig)
{
	set_guest(rig, GVA, 1, DATA * 2, 0);
}

static void other_frame_in_split(struct rig *rig)
{
	slot_t slot = rig_slot(rig, GVA + GIB, 1);
	uint64_t spte = spte_get(rig->smmu, slot);

	rmap_remove(rig->smmu, slot, spte);
	set(rig, GVA + GIB, 1, spte + PAGE_SIZE);
	rmap_add(rig->smmu, slot, spte + PAGE_SIZE);
}

static void too_much_w(struct rig *rig)
{
	set_guest(rig, GVA, 1, 0, PTE_W);
}

static void too_much_u(struct rig *rig)
{
	set_guest(rig, GVA, 1, 0, PTE_U);
}

static void nx_missing(struct rig *rig)
{
	set_guest(rig, GVA, 1, PTE_NX, 0);
}

static void not_accessed(struct rig *rig)
{
	set_guest(rig, GVA, 1, 0, PTE_A);
}

static void not_dirty(struct rig *rig)
{
	set_guest(rig, GVA, 1, 0, PTE_D);
}

static void writable_table(struct rig *rig)
{
	slot_t slot = rig_slot(rig, GVA + 2 * PAGE_SIZE, 1);
	uint64_t spte = spte_get(rig->smmu, slot);

	set(rig, GVA + 2 * PAGE_SIZE, 1, spte | PTE_W);
	rmap_add(rig->smmu, slot, spte | PTE_W);
}

static void lost_from_rmap(struct rig *rig)
{
	rig->smmu->rmap[DATA >> PAGE_SHIFT] = NO_SLOT;
}

static void dead_child(struct rig *rig)
{
	leaf_table(rig)->in_use = false;
}

static void weak_link(struct rig *rig)
{
	set(rig, GVA, 2, rig_spte(rig, GVA, 2) & ~PTE_W);
}

static void wrong_child(struct rig *rig)
{
	set_guest(rig, GVA, 2, 0x80000, 0);
}

static void wrong_child_in_split(struct rig *rig)
{
	struct sp *sp = sp_of_slot(rig->smmu, rig_slot(rig, GVA + GIB, 1));

	sp->gfn++;
}

static void unknown_parent(struct rig *rig)
{
	leaf_table(rig)->parents = NO_SLOT;
}

static void pool_level(struct rig *rig)
{
	rig->mem->pool.level[pool_page(leaf_table(rig)->table)] = 3;
}

static void wrong_bucket(struct rig *rig)
{
	leaf_table(rig)->role ^= 1u << ROLE_ACCESS_SHIFT;
	sp_of_slot(rig->smmu, rig_slot(rig, GVA, 2))->hash_prev = 1;
}

static void stray_parent(struct rig *rig)
{
	slot_t slot = rig_slot(rig, GVA, 2) + 1;

	parent_add(rig->smmu, leaf_table(rig), slot);
}

static void root_count(struct rig *rig)
{
	sp_of_table(rig->smmu, smmu_root(rig->smmu))->root_count++;
}

static void active_list(struct rig *rig)
{
	rig->smmu->newest = rig->smmu->sp[rig->smmu->newest].older;
}

static void over_budget(struct rig *rig)
{
	rig->smmu->max_pages = rig->smmu->nr_used - 1;
}

static void hash_lost(struct rig *rig)
{
	rig->smmu->hash[leaf_table(rig)->gfn] = NO_PAGE;
}

static void rmap_extra(struct rig *rig)
{
	slot_t slot = rig_slot(rig, GVA + PAGE_SIZE, 1);

	rmap_add(rig->smmu, slot, DATA | PTE_P | PTE_W);
}

static void notrap_unsync(struct rig *rig)
{
	rig->smmu->sw.unsync_update_traps = true;
	leaf_table(rig)->unsync = true;
	set(rig, GVA + PAGE_SIZE, 1, 0);
}

static void upper_unsync(struct rig *rig)
{
	sp_of_table(rig->smmu, smmu_root(rig->smmu))->unsync = true;
}

static void unsync_twice(struct rig *rig)
{
	struct sp *sp = leaf_table(rig);

	sp_get(rig->smmu, sp->gfn, sp->role ^ (1u << ROLE_ACCESS_SHIFT),
	       NO_SLOT);
	sp->unsync = true;
	sync_mark_parents(rig->smmu, sp);
}

static void unsync_unknown(struct rig *rig)
{
	leaf_table(rig)->unsync = true;
}

static const struct {
	const char *name;
	void (*corrupt)(struct rig *rig);
	enum smmu_audit level; /* the cheapest that sees it */
} cases[] = {
	{"an absent spte is trap, notrap or the MMIO mark", stray_bit,
	 SMMU_AUDIT_ENTRY},
	{"notrap stands for an absent guest entry", stale_notrap,
	 SMMU_AUDIT_ENTRY},
	{"notrap is in no metaphysical table", notrap_in_split,
	 SMMU_AUDIT_ENTRY},
	{"the MMIO mark stands for no RAM", mark_on_ram, SMMU_AUDIT_ENTRY},
	{"a leaf maps RAM", leaf_past_ram, SMMU_AUDIT_ENTRY},
	{"a table that maps RAM has its slot bit", slot_bit, SMMU_AUDIT_ENTRY},
	{"a leaf maps the frame its guest entry names", other_frame,
	 SMMU_AUDIT_ENTRY},
	{"a leaf maps the frame its guest entry names", other_frame_in_split,
	 SMMU_AUDIT_ENTRY},
	{"a leaf grants no right its guest entry lacks", too_much_w,
	 SMMU_AUDIT_ENTRY},
	{"a leaf grants no right its guest entry lacks", too_much_u,
	 SMMU_AUDIT_ENTRY},
	{"a leaf grants no right its guest entry lacks", nx_missing,
	 SMMU_AUDIT_ENTRY},
	{"a leaf's guest entry is accessed", not_accessed, SMMU_AUDIT_ENTRY},
	{"a writable leaf's guest entry is dirty", not_dirty, SMMU_AUDIT_ENTRY},
	{"no leaf may write a frame whose shadow is in sync", writable_table,
	 SMMU_AUDIT_ENTRY},
	{"a leaf is in its frame's rmap", lost_from_rmap, SMMU_AUDIT_ENTRY},
	{"an upper spte links a live table one level down", dead_child,
	 SMMU_AUDIT_ENTRY},
	{"an upper spte links a live table one level down", weak_link,
	 SMMU_AUDIT_ENTRY},
	{"a linked table shadows what the guest names", wrong_child,
	 SMMU_AUDIT_ENTRY},
	{"a linked table shadows what the guest names", wrong_child_in_split,
	 SMMU_AUDIT_ENTRY},
	{"a linked table knows its parent", unknown_parent, SMMU_AUDIT_ENTRY},
	{"the pool knows a table's level", pool_level, SMMU_AUDIT_TABLE},
	{"a table is in its bucket once", wrong_bucket, SMMU_AUDIT_TABLE},
	{"a table's parents link to it", stray_parent, SMMU_AUDIT_TABLE},
	{"a table's root count is that of the roots", root_count,
	 SMMU_AUDIT_TABLE},
	{"notrap is in no table that is out of sync", notrap_unsync,
	 SMMU_AUDIT_ENTRY},
	{"only a guest's leaf table is out of sync", upper_unsync,
	 SMMU_AUDIT_TABLE},
	{"a table out of sync is its frame's only shadow", unsync_twice,
	 SMMU_AUDIT_TABLE},
	{"what is out of sync is flagged in each parent", unsync_unknown,
	 SMMU_AUDIT_TABLE},
	{"the active list holds what is in use", active_list, SMMU_AUDIT_ALL},
	{"the page budget is kept", over_budget, SMMU_AUDIT_ALL},
	{"the hash holds what is in use", hash_lost, SMMU_AUDIT_ALL},
	{"rmaps are the inverse of the sptes", rmap_extra, SMMU_AUDIT_ALL},
};

/* A mapped page, a split large page, a table mapped as data. */
static void open_rich(struct rig *rig)
{
	const struct rig_config config = {
		.gen = "seed",
		.bypass = true,
		.mode = PAGING_4LEVEL,
	};

	rig_open(rig, &config);
	rig_map(rig, GVA, 1, DATA, G_RW);
	rig_map(rig, GVA + GIB, 2, 0, G_RW | PTE_PS);
	rig_map(rig, GVA + 2 * PAGE_SIZE, 1, PAGE_SIZE, G_RW);
	rig_access(rig, GVA, ACC_W);
	rig_access(rig, GVA + GIB, ACC_W);
	rig_access(rig, GVA + 2 * PAGE_SIZE, ACC_R);
}

/* The corruption is real: the state is thrown away, not closed. */
static void drop(struct rig *rig)
{
	smmu_drop(rig->smmu);
	mem_destroy(rig->mem);
	account_destroy(rig->acct);
}

static bool is_seen(struct rig *rig, enum smmu_audit level, const char *name)
{
	struct smmu_audit_report report;

	smmu_run_audit(rig->smmu, level, &report);
	return report.violations && strstr(report.first, name);
}

static void each_invariant_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig rig;

		open_rich(&rig);
		check("clean before", !is_seen(&rig, SMMU_AUDIT_ALL, ""));
		cases[i].corrupt(&rig);
		check(cases[i].name,
		      is_seen(&rig, cases[i].level, cases[i].name));
		drop(&rig);
	}
}

static void pae_roots(void **state)
{
	const struct rig_config config = {.gen = "seed", .mode = PAGING_PAE};
	struct rig rig;

	(void)state;
	rig_open(&rig, &config);
	check("clean before", !is_seen(&rig, SMMU_AUDIT_ALL, ""));
	pool_set(&rig.mem->pool, rig.smmu->cur->pae_root, 1,
		 pool_get(&rig.mem->pool, rig.smmu->cur->pae_root, 1) | PTE_W);
	check("seen", is_seen(&rig, SMMU_AUDIT_ALL,
			      "PAE roots are absent or level 2, P alone"));
	drop(&rig);
}

/* The grade decides what an operation's own audits look at. */
static void grades(void **state)
{
	static const struct {
		enum smmu_audit level;
		bool slot, table, elsewhere;
	} want[] = {
		{SMMU_AUDIT_OFF, false, false, false},
		{SMMU_AUDIT_ENTRY, true, false, false},
		{SMMU_AUDIT_TABLE, true, true, false},
		{SMMU_AUDIT_ALL, true, true, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		for (int where = 0; where < 3; where++) {
			const bool seen[] = {want[i].slot, want[i].table,
					     want[i].elsewhere};
			struct rig rig;

			open_rich(&rig);
			rig.smmu->audit = want[i].level;
			/* The slot itself; a neighbour; another table. */
			if (where == 0)
				set_guest(&rig, GVA, 1, 0, PTE_U);
			else if (where == 1)
				stale_notrap(&rig);
			else
				notrap_in_split(&rig);
			smmu_page_fault(rig.smmu, GVA, PFEC_P);
			check_eq("seen",
				 smmu_audit_result(rig.smmu)->violations > 0,
				 seen[where]);
			check_eq("audits counted", rig_count(&rig, CNT_audits),
				 want[i].level == SMMU_AUDIT_OFF ? 0 : 2);
			drop(&rig);
		}
	}
}

/* A table that is freed with something in it. */
static void freed_table(void **state)
{
	struct rig rig;
	struct sp *sp;

	(void)state;
	open_rich(&rig);
	rig.smmu->audit = SMMU_AUDIT_ENTRY;
	sp = leaf_table(&rig);
	audit_freed(rig.smmu, sp);
	check("seen", strstr(smmu_audit_result(rig.smmu)->first,
			     "a freed table is empty") != NULL);
	drop(&rig);
}

/* Only the first violation is told, all are counted. */
static void first_is_kept(void **state)
{
	struct smmu_audit_report report;
	struct rig rig;

	(void)state;
	open_rich(&rig);
	not_dirty(&rig);
	stale_notrap(&rig);
	smmu_run_audit(rig.smmu, SMMU_AUDIT_ENTRY, &report);
	check_eq("counted", report.violations, 2);
	check("where", strstr(report.first, "level 1 index 0 spte 0x") ||
			       strstr(report.first, "level 1 index 1 spte 0x"));
	check_eq("not mixed with its own",
		 smmu_audit_result(rig.smmu)->violations, 0);
	drop(&rig);
}

/* A table goes out of sync unflagged: a flush does not find it. */
static void unsync_after_flush(void **state)
{
	const struct rig_config config = {
		.gen = "kvm-2.6.28",
		.mode = PAGING_4LEVEL,
		.audit = SMMU_AUDIT_TABLE,
	};
	struct rig rig;

	(void)state;
	rig_open(&rig, &config);
	rig_map(&rig, GVA, 1, DATA, G_RW);
	rig_access(&rig, GVA, ACC_W);
	smmu_sync(rig.smmu);
	check_eq("clean", smmu_audit_result(rig.smmu)->violations, 0);
	leaf_table(&rig)->unsync = true;
	smmu_sync(rig.smmu);
	check("seen", strstr(smmu_audit_result(rig.smmu)->first,
			     "no table below the roots is out of sync"));
	leaf_table(&rig)->unsync = false;
	rig.dirty_audit = true;
	rig_close(&rig);
}

static void replace(struct rig *rig, uint64_t spte)
{
	rmap_remove(rig->smmu, rig_slot(rig, GVA, 1), rig_spte(rig, GVA, 1));
	set(rig, GVA, 1, spte);
	rmap_add(rig->smmu, rig_slot(rig, GVA, 1), spte);
}

/*
 * In a table out of sync an spte may grant what its entry granted when it was
 * made, whatever that says now; and nothing else.
 */
static void unsync_is_as_made(void **state)
{
	const struct rig_config config = {
		.gen = "kvm-2.6.28",
		.mode = PAGING_4LEVEL,
		.audit = SMMU_AUDIT_ENTRY,
	};
	const struct {
		const char *name;
		uint64_t spte;
		bool ok;
	} sptes[] = {
		{"as made", DATA | PTE_P | PTE_U, true},
		{"less", DATA | PTE_P, true},
		{"more", DATA | PTE_P | PTE_U | PTE_W, false},
		{"elsewhere", 2 * DATA | PTE_P | PTE_U, false},
	};
	struct smmu_audit_report report;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sptes); i++) {
		struct rig rig;

		rig_open(&rig, &config);
		rig_map(&rig, GVA, 1, DATA, G_RO);
		rig_access(&rig, GVA, ACC_R);
		check("let go", !sync_needs_protection(
					rig.smmu, leaf_table(&rig)->gfn, true));
		set_guest(&rig, GVA, 1, 0, UINT64_MAX);
		replace(&rig, sptes[i].spte);
		smmu_run_audit(rig.smmu, SMMU_AUDIT_ENTRY, &report);
		check_eq(sptes[i].name, report.violations == 0, sptes[i].ok);
		replace(&rig, DATA | PTE_P | PTE_U);
		rig.dirty_audit = true;
		rig_close(&rig);
	}
}

/* An MMIO spte of 3.1, and what it may not be. */
static void mmio_spte_is_its_entry(void **state)
{
	const struct rig_config config = {
		.gen = "kvm-3.1",
		.mode = PAGING_4LEVEL,
	};
	const uint64_t frame = UINT64_C(0xfee00000);
	const struct {
		const char *name;
		uint64_t change; /* of the spte */
		bool ok;
	} sptes[] = {
		{"as made", 0, true},
		{"without U", PTE_U, true},
		{"with W", PTE_W, false},
		{"of another frame", PAGE_SIZE, false},
		{"of RAM", frame ^ DATA, false},
	};
	struct smmu_audit_report report;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sptes); i++) {
		struct rig rig;

		rig_open(&rig, &config);
		rig_map(&rig, GVA, 1, frame, G_RO);
		check_eq("MMIO", rig_access(&rig, GVA, ACC_R).end, RIG_MMIO);
		set(&rig, GVA, 1, rig_spte(&rig, GVA, 1) ^ sptes[i].change);
		smmu_run_audit(rig.smmu, SMMU_AUDIT_ENTRY, &report);
		check_eq(sptes[i].name, report.violations == 0, sptes[i].ok);
		check(sptes[i].name,
		      sptes[i].ok || strstr(report.first, "an MMIO spte is"));
		rig.dirty_audit = true;
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_invariant_is_named),
		cmocka_unit_test(pae_roots),
		cmocka_unit_test(grades),
		cmocka_unit_test(freed_table),
		cmocka_unit_test(first_is_kept),
		cmocka_unit_test(unsync_after_flush),
		cmocka_unit_test(unsync_is_as_made),
		cmocka_unit_test(mmio_spte_is_its_entry),
	};

	return cmocka_run_group_tests_name("shadow_mmu_audit", tests, NULL,
					   NULL);
}
