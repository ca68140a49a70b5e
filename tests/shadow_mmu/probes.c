/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probes.h"

#include <stdio.h>
#include <string.h>

void say(struct outcome *out, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out->s, sizeof(out->s), fmt, ap);
	va_end(ap);
}

void either(struct outcome *out, bool is, const char *yes, const char *no)
{
	say(out, "%s", is ? yes : no);
}

gva_t yard_page(unsigned int i)
{
	return USER + i * PAGE_SIZE;
}

/* The kernel's address of page i's entry, and of an entry of its directory. */
gva_t yard_entry(unsigned int i)
{
	return WIN + 8 * pt_index(yard_page(i), 1);
}

void open_with(struct rig *rig, const struct setup *s, struct rig_config config)
{
	config.gen = s->gen;
	config.sw = &s->sw;
	config.mode = config.mode ? config.mode : PAGING_4LEVEL;
	rig_open(rig, &config);
	/* With a switch turned round, flaws are what is looked for. */
	rig->dirty_audit = true;
}

/* Page 0 is mapped and was used; its table and its directory are in view. */
void open_yard(struct rig *rig, const struct setup *s)
{
	const struct rig_config config = {
		.bypass = smmu_generation_find(s->gen)->has_bypass};

	open_with(rig, s, config);
	rig_map(rig, yard_page(0), 1, DATA, G_RW);
	rig_map(rig, WIN, 1, rig_entry(rig, USER, 1) & ~PAGE_MASK, G_KRW);
	rig_map(rig, WIN + PAGE_SIZE, 1, rig_entry(rig, USER, 2) & ~PAGE_MASK,
		G_KRW);
	rig_access(rig, WIN, ACC_R);
	rig_access(rig, WIN + PAGE_SIZE, ACC_R);
	rig_access(rig, yard_page(0), ACC_W);
	rig->smmu->cur->last_pt_write_count = 0;
}

struct rig_outcome write_entry(struct rig *rig, unsigned int i, uint64_t val)
{
	return rig_store(rig, yard_entry(i), ACC_W, &val, 8);
}

const char *spte_name(const struct rig *rig, gva_t gva, int level)
{
	const struct spte_values *v = &rig->smmu->v;
	slot_t slot = rig_slot(rig, gva, level);
	uint64_t spte;

	if (slot == NO_SLOT)
		return "no table";
	spte = spte_get(rig->smmu, slot);
	if (is_mmio_mark(v, spte))
		return "IO mark";
	if (is_mmio_spte(v, spte))
		return "frame";
	if (is_shadow_present(v, spte))
		return "mapped";
	if (!has_notrap(v))
		return "absent";
	if (spte == v->trap)
		return v->trap ? "trap" : "absent";
	return v->notrap ? "~0" : "notrap";
}

static void demand_faults(const struct setup *s, struct outcome *out)
{
	unsigned int exits = 0;
	struct rig rig;

	open_yard(&rig, s);
	for (unsigned int i = 1; i <= 12; i++) {
		exits += rig_access(&rig, yard_page(40 * i), ACC_U).exits;
		exits += write_entry(&rig, 40 * i, DATA | G_RW).exits;
		exits += rig_access(&rig, yard_page(40 * i), ACC_U).exits;
	}
	say(out, "%u exits", exits);
	rig_close(&rig);
}

static void write_present(const struct setup *s, struct outcome *out)
{
	struct rig_outcome first, second;
	struct rig rig;

	open_yard(&rig, s);
	first = write_entry(&rig, 60, DATA | G_RW);
	second = write_entry(&rig, 61, DATA | G_RW);
	if (first.end != RIG_EMULATE && !second.exits)
		say(out, "let go");
	else
		either(out,
		       !strcmp(spte_name(&rig, yard_page(60), 1), "mapped"),
		       "mapped", "cleared");
	rig_close(&rig);
}

static void write_absent(const struct setup *s, struct outcome *out)
{
	struct rig rig;

	open_yard(&rig, s);
	rig_poke(&rig, rig_entry(&rig, yard_page(0), 1), 0, 8);
	say(out, "%s", spte_name(&rig, yard_page(0), 1));
	rig_close(&rig);
}

static void write_unsync(const struct setup *s, struct outcome *out)
{
	struct rig rig;

	open_yard(&rig, s);
	write_entry(&rig, 60, DATA | G_RW);
	rig_poke(&rig, rig_entry(&rig, yard_page(0), 1), 0, 8);
	say(out, "%s", spte_name(&rig, yard_page(0), 1));
	rig_close(&rig);
}

/* Does writing so many entries of a directory zap it? */
static void writes_in_a_row(const struct setup *s, bool used, bool zeros,
			    struct outcome *out)
{
	struct rig rig;

	open_yard(&rig, s);
	for (unsigned int i = 0; i < 4; i++) {
		rig_poke(&rig, rig_entry(&rig, yard_page(60 + i), 1),
			 zeros ? 0 : DATA | G_RW, 8);
		if (used && rig_slot(&rig, yard_page(60 + i), 1) != NO_SLOT &&
		    !rig_walk(&rig, yard_page(60 + i), ACC_R).fault)
			rig_access(&rig, yard_page(60 + i), ACC_R);
	}
	either(out, rig_count(&rig, CNT_mmu_flooded), "zapped", "kept");
	rig_close(&rig);
}

static void fork_writes(const struct setup *s, struct outcome *out)
{
	writes_in_a_row(s, false, false, out);
}

static void used_writes(const struct setup *s, struct outcome *out)
{
	writes_in_a_row(s, true, false, out);
}

static void zero_writes(const struct setup *s, struct outcome *out)
{
	struct rig rig;

	open_yard(&rig, s);
	rig_poke(&rig, rig_entry(&rig, yard_page(60), 1), 0, 8);
	rig_poke(&rig, rig_entry(&rig, yard_page(61), 1), 0, 8);
	either(out, rig_count(&rig, CNT_mmu_flooded), "zapped", "kept");
	rig_close(&rig);
}

static void fault_between(const struct setup *s, struct outcome *out)
{
	struct rig rig;

	open_yard(&rig, s);
	rig_map(&rig, LARGE, 1, DATA, G_RW);
	rig.smmu->cur->last_pt_write_count = 0;
	rig.smmu->cur->last_updated = NO_SLOT;
	rig_poke(&rig, rig_entry(&rig, yard_page(60), 1), DATA | G_RW, 8);
	rig_poke(&rig, rig_entry(&rig, yard_page(61), 1), DATA | G_RW, 8);
	rig_access(&rig, LARGE, ACC_R);
	rig.smmu->cur->last_updated = NO_SLOT;
	rig_poke(&rig, rig_entry(&rig, yard_page(62), 1), DATA | G_RW, 8);
	either(out, rig_count(&rig, CNT_mmu_flooded), "zapped", "kept");
	rig_close(&rig);
}

static void short_write(const struct setup *s, struct outcome *out)
{
	struct rig rig;

	open_yard(&rig, s);
	rig_poke(&rig, rig_entry(&rig, yard_page(60), 1), 1, 2);
	either(out, rig_count(&rig, CNT_mmu_flooded), "zapped", "kept");
	rig_close(&rig);
}

static void new_table(const struct setup *s, struct outcome *out)
{
	struct rig rig;

	open_yard(&rig, s);
	say(out, "%s", spte_name(&rig, yard_page(300), 1));
	rig_close(&rig);
}

static void new_table_32(const struct setup *s, struct outcome *out)
{
	const struct rig_config config = {
		.bypass = smmu_generation_find(s->gen)->has_bypass,
		.mode = PAGING_32};
	struct rig rig;

	open_with(&rig, s, config);
	rig_map(&rig, yard_page(0), 1, DATA, G_RW);
	rig_access(&rig, yard_page(0), ACC_R);
	say(out, "%s", spte_name(&rig, yard_page(9), 1));
	rig_close(&rig);
}

static void new_table_off(const struct setup *s, struct outcome *out)
{
	struct rig rig;

	open_with(&rig, s, (struct rig_config){0});
	rig_map(&rig, yard_page(0), 1, DATA, G_RW);
	rig_access(&rig, yard_page(0), ACC_R);
	either(out, rig.acct->cost_count[COST_PREFETCH_PAGE], "read ahead",
	       "not read");
	rig_close(&rig);
}

/* The directory names a frame past the end of RAM. */
static void table_not_in_ram(const struct setup *s, struct outcome *out)
{
	struct rig rig;

	open_yard(&rig, s);
	rig_poke(&rig, rig_entry(&rig, LARGE, 2), (UINT64_C(8) << 20) | G_LINK,
		 8);
	rig_access(&rig, LARGE, ACC_R);
	/* The guest's fault links nothing; the table is asked for by hand. */
	sp_get(rig.smmu, 8 << 8,
	       sp_of_slot(rig.smmu, rig_slot(&rig, USER, 1))->role, NO_SLOT);
	{
		const struct sp *sp = &rig.smmu->sp[rig.smmu->newest];
		uint64_t spte = spte_get(rig.smmu, slot_make(sp->table, 7));

		if (!has_notrap(&rig.smmu->v) || spte == rig.smmu->v.trap)
			either(out, rig.smmu->v.trap, "trap", "absent");
		else
			say(out, "notrap");
	}
	rig_close(&rig);
}

struct store_in_window {
	struct rig *rig;
	gpa_t at;
	bool saw, done;
};

/* Another processor stores while a table is being made. */
static void store_there(void *context, gfn_t gfn)
{
	struct store_in_window *w = context;

	if (gfn != w->at >> PAGE_SHIFT || w->done)
		return;
	w->done = true;
	/* By a mapping that is writable still, or not any more. */
	w->saw = !(rig_walk(w->rig, WIN, ACC_W).fault);
	if (w->saw)
		mem_write_u64(w->rig->mem, w->at, DATA | G_RW);
}

static void protect_order(const struct setup *s, struct outcome *out)
{
	struct store_in_window w = {0};
	struct smmu_window watch = {store_there, &w};
	struct rig rig;

	open_with(&rig, s,
		  (struct rig_config){
			  .bypass = smmu_generation_find(s->gen)->has_bypass});
	rig_map(&rig, yard_page(0), 1, DATA, G_RW);
	w.rig = &rig;
	w.at = rig_entry(&rig, yard_page(60), 1);
	rig_map(&rig, WIN, 1, w.at & ~PAGE_MASK, G_KRW);
	rig_access(&rig, WIN, ACC_W); /* a writable mapping of a data frame */
	smmu_watch_window(rig.smmu, &watch);
	rig_access(&rig, yard_page(0), ACC_R);
	if (!w.done)
		say(out, "-");
	else
		either(out, w.saw, "missed", "seen");
	rig_close(&rig);
}

static void root_zapped(const struct setup *s, struct outcome *out)
{
	struct rig rig;
	uint64_t loads;

	open_yard(&rig, s);
	loads = rig_count(&rig, CNT_mmu_root_load);
	if (!sp_unprotect(rig.smmu, rig.guest.cr3 >> PAGE_SHIFT)) {
		say(out, "-");
		rig_close(&rig);
		return;
	}
	smmu_enter(rig.smmu);
	either(out, rig_count(&rig, CNT_mmu_root_load) > loads, "loaded anew",
	       "emptied");
	rig_close(&rig);
}

static bool invlpg_exits(const struct setup *s)
{
	return s->sw.unsync || s->sw.vtlb || s->sw.invlpg_exits;
}

static void invlpg_in_sync(const struct setup *s, struct outcome *out)
{
	struct rig rig;

	open_yard(&rig, s);
	smmu_invlpg(rig.smmu, yard_page(0));
	if (!invlpg_exits(s))
		say(out, "no exit");
	else
		either(out, !strcmp(spte_name(&rig, yard_page(0), 1), "mapped"),
		       "exit: kept", "exit: dropped");
	rig_close(&rig);
}

static void invlpg_unsync(const struct setup *s, struct outcome *out)
{
	struct rig rig;

	open_yard(&rig, s);
	write_entry(&rig, 0, (DATA + PAGE_SIZE) | G_RW);
	smmu_invlpg(rig.smmu, yard_page(0));
	if (!rig_count(&rig, CNT_mmu_unsync))
		say(out, "-");
	else
		either(out, !strcmp(spte_name(&rig, yard_page(0), 1), "mapped"),
		       "filled anew", "dropped");
	rig_close(&rig);
}

static void same_cr3(const struct setup *s, struct outcome *out)
{
	struct rig rig;
	uint64_t loads;

	open_yard(&rig, s);
	loads = rig_count(&rig, CNT_mmu_root_load);
	smmu_new_cr3(rig.smmu, &rig.guest);
	if (rig_slot(&rig, yard_page(0), 1) == NO_SLOT)
		say(out, "tables dropped");
	else
		either(out, rig_count(&rig, CNT_mmu_root_load) > loads,
		       "roots anew", "roots stay");
	rig_close(&rig);
}

/* One table holds global pages alone, another does not. */
static void cr3_global(const struct setup *s, struct outcome *out)
{
	bool global, local;
	struct rig rig;

	open_yard(&rig, s);
	rig.guest.pge = true;
	rig_reset(&rig);
	rig_map(&rig, LARGE, 1, DATA, G_RW | PTE_G);
	rig_access(&rig, LARGE, ACC_R);
	rig_access(&rig, yard_page(0), ACC_R);
	smmu_new_cr3(rig.smmu, &rig.guest);
	global = rig_slot(&rig, LARGE, 1) != NO_SLOT;
	local = rig_slot(&rig, yard_page(0), 1) != NO_SLOT;
	if (global == local)
		either(out, global, "both stay", "both dropped");
	else
		either(out, global, "the global one stays", "?");
	rig_close(&rig);
}

/* A table changed out of sight, then MOV CR3. */
static void cr3_syncs(const struct setup *s, struct outcome *out)
{
	struct rig rig;

	open_yard(&rig, s);
	rig_map(&rig, yard_page(7), 1, DATA, G_RW);
	rig_access(&rig, yard_page(7), ACC_R);
	write_entry(&rig, 0, 0);
	smmu_new_cr3(rig.smmu, &rig.guest);
	if (rig_slot(&rig, yard_page(0), 1) == NO_SLOT)
		say(out, "dropped");
	else if (!rig_count(&rig, CNT_mmu_unsync))
		say(out, "-");
	else
		say(out, "synced: %s", spte_name(&rig, yard_page(0), 1));
	rig_close(&rig);
}

static void mmio(const struct setup *s, struct outcome *out)
{
	uint64_t walks;
	struct rig rig;

	open_yard(&rig, s);
	rig_map(&rig, yard_page(60), 1, NO_RAM, G_RW);
	rig_access(&rig, yard_page(60), ACC_W);
	walks = rig.acct->cost_count[COST_GUEST_WALK_REF];
	rig_access(&rig, yard_page(60), ACC_W);
	walks = rig.acct->cost_count[COST_GUEST_WALK_REF] - walks;
	say(out, "%s%s", spte_name(&rig, yard_page(60), 1),
	    walks ? "" : ", no walk");
	rig_close(&rig);
}

static void absent_again(const struct setup *s, struct outcome *out)
{
	struct rig_outcome o;
	uint64_t walks;
	struct rig rig;

	open_yard(&rig, s);
	rig_poke(&rig, rig_entry(&rig, yard_page(0), 1), 0, 8);
	walks = rig.acct->cost_count[COST_GUEST_WALK_REF];
	o = rig_access(&rig, yard_page(0), ACC_U);
	walks = rig.acct->cost_count[COST_GUEST_WALK_REF] - walks;
	if (o.end == RIG_DIRECT)
		say(out, "direct");
	else if (o.end == RIG_OK)
		say(out, "through: not flushed");
	else
		say(out, "exit, %s", walks ? "walk" : "no walk");
	rig_close(&rig);
}

static void reserved_bit(const struct setup *s, struct outcome *out)
{
	struct rig_outcome o;
	struct rig rig;

	open_yard(&rig, s);
	rig_map(&rig, yard_page(60), 1, DATA | BIT(50), G_RW & ~PTE_A);
	o = rig_access(&rig, yard_page(60), ACC_R);
	if (o.end == RIG_INJECT && (o.pfec & PFEC_RSVD))
		say(out, "RSVD");
	else
		either(out, o.end == RIG_MMIO, "MMIO", "?");
	rig_close(&rig);
}

static void reserved_written(const struct setup *s, struct outcome *out)
{
	struct rig rig;

	open_yard(&rig, s);
	rig_poke(&rig, rig_entry(&rig, yard_page(60), 1),
		 (DATA | BIT(50)) & ~PTE_P, 8);
	say(out, "%s", spte_name(&rig, yard_page(60), 1));
	rig_close(&rig);
}

const struct probe table_probes[] = {
	{"12 demand faults in one table", demand_faults},
	{"guest fault, entry absent since a write", absent_again},
	{"page-table write, entry becomes present", write_present},
	{"page-table write, entry becomes absent", write_absent},
	{"the same, emulated, in a table out of sync", write_unsync},
	{"4 writes in a row to one table", fork_writes},
	{"the same, each entry used at once", used_writes},
	{"a fault elsewhere before the third write", fault_between},
	{"2 writes of zeros in a row", zero_writes},
	{"page-table write of 2 bytes", short_write},
	{"new table, absent entry", new_table},
	{"the same, a 32-bit guest's", new_table_32},
	{"new table, bypass off", new_table_off},
	{"new table that is not in RAM", table_not_in_ram},
	{"store by another processor as the table is made", protect_order},
	{"root zapped while in use", root_zapped},
	{"INVLPG, table in sync", invlpg_in_sync},
	{"INVLPG, table out of sync", invlpg_unsync},
	{"MOV CR3, the same value", same_cr3},
	{"MOV CR3, a table of global pages, one of others", cr3_global},
	{"MOV CR3, an entry was cleared unseen", cr3_syncs},
	{"MMIO, the second access", mmio},
	{"entry with a reserved bit, access", reserved_bit},
	{"absent entry with a reserved bit, written", reserved_written},
};
const size_t nr_table_probes = ARRAY_LEN(table_probes);
