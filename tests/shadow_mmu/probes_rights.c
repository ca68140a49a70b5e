/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of docs/generations.md: control state, rights, and how they are kept. */
#include <string.h>

#include "probes.h"

static void wp0_write(const struct setup *s, struct outcome *out)
{
	struct rig_config config = {.wp_off = true};
	struct rig rig;

	open_with(&rig, s, config);
	rig_map(&rig, yard_page(0), 1, DATA, G_RO | PTE_D);
	rig_access(&rig, yard_page(0), ACC_W);
	either(out, rig_access(&rig, yard_page(0), ACC_U | ACC_W).end == RIG_OK,
	       "user may write", "user may not");
	rig_close(&rig);
}

/* The kernel wrote with WP clear, and sets it. */
static void wp_set(const struct setup *s, struct outcome *out)
{
	struct rig_config config = {.wp_off = true};
	struct rig rig;

	open_with(&rig, s, config);
	rig_map(&rig, yard_page(0), 1, DATA, G_RO | PTE_D);
	rig_access(&rig, yard_page(0), ACC_W);
	rig.guest.wp = true;
	smmu_reset_context(rig.smmu, &rig.guest);
	either(out, rig_access(&rig, yard_page(0), ACC_W).end == RIG_OK,
	       "kernel still may", "kernel may not");
	rig_close(&rig);
}

static void nxe_set(const struct setup *s, struct outcome *out)
{
	struct rig_config config = {.nxe_off = true};
	struct rig rig;

	open_with(&rig, s, config);
	rig_map(&rig, yard_page(0), 1, DATA, G_RW);
	rig_access(&rig, yard_page(0), ACC_X);
	rig.guest.nxe = true;
	smmu_set_nxe(rig.smmu, true);
	either(out, !strcmp(spte_name(&rig, yard_page(0), 1), "mapped"),
	       "tables stay", "tables of its own");
	rig_close(&rig);
}

static void nx_nxe_off(const struct setup *s, struct outcome *out)
{
	struct rig_config config = {.nxe_off = true};
	struct rig_outcome o;
	struct rig rig;

	open_with(&rig, s, config);
	rig_map(&rig, yard_page(0), 1, DATA, G_RW | PTE_NX);
	o = rig_access(&rig, yard_page(0), ACC_X);
	if (o.end == RIG_LOOP)
		say(out, "endless");
	else
		either(out, o.end == RIG_OK, "through", "reserved");
	rig_close(&rig);
}

/* Read-only directory entry, absent page: a write. */
static void right_above_absent(const struct setup *s, struct outcome *out)
{
	struct rig_outcome o;
	struct rig rig;

	open_yard(&rig, s);
	rig_poke(&rig, rig_entry(&rig, LARGE, 2),
		 (rig_entry(&rig, USER, 1) & ~PAGE_MASK) | (G_LINK & ~PTE_W),
		 8);
	o = rig_access(&rig, LARGE + 60 * PAGE_SIZE, ACC_W);
	say(out, "P=%d", (int)(o.pfec & PFEC_P));
	rig_close(&rig);
}

static void fetch_code(const struct setup *s, struct outcome *out)
{
	struct rig_config config = {.nxe_off = true};
	struct rig_outcome o;
	struct rig rig;

	open_with(&rig, s, config);
	o = rig_access(&rig, yard_page(0), ACC_X);
	either(out, o.pfec & PFEC_ID, "I/D=1", "I/D=0");
	rig_close(&rig);
}

/* User code writes a frame that was a table. */
static void user_write(const struct setup *s, struct outcome *out)
{
	struct rig_outcome o;
	struct rig rig;

	open_yard(&rig, s);
	rig_map(&rig, yard_page(60), 1, rig_entry(&rig, USER, 1) & ~PAGE_MASK,
		G_RW);
	rig_map(&rig, LARGE, 1, rig_entry(&rig, USER, 2) & ~PAGE_MASK, G_RW);
	o = rig_access(&rig, LARGE, ACC_U | ACC_W);
	if (o.end == RIG_OK && !rig_count(&rig, CNT_mmu_unshadowed))
		say(out, "through");
	else
		either(out, o.end == RIG_EMULATE, "emulated", "unshadowed");
	rig_close(&rig);
}

static void user_read(const struct setup *s, struct outcome *out)
{
	struct rig rig;

	open_yard(&rig, s);
	rig_map(&rig, LARGE, 1, rig_entry(&rig, USER, 2) & ~PAGE_MASK, G_RW);
	rig_access(&rig, LARGE, ACC_U);
	if (rig_count(&rig, CNT_mmu_unshadowed))
		say(out, "unshadowed");
	else
		either(out, rig_spte(&rig, LARGE, 1) & PTE_W, "writable",
		       "protected");
	rig_close(&rig);
}

/* One table below a read-only and a writable directory entry. */
static void shared_table(const struct setup *s, struct outcome *out)
{
	struct rig rig;

	open_yard(&rig, s);
	rig_poke(&rig, rig_entry(&rig, TWIN, 2),
		 (rig_entry(&rig, USER, 1) & ~PAGE_MASK) | (G_LINK & ~PTE_W),
		 8);
	rig_access(&rig, TWIN, ACC_R);
	either(out, rig_slot(&rig, TWIN, 1) == rig_slot(&rig, USER, 1),
	       "one shadow", "one each");
	rig_close(&rig);
}

/* Two such, and a write of the table. */
static void two_roles(const struct setup *s, struct outcome *out)
{
	struct rig rig;

	open_yard(&rig, s);
	rig_poke(&rig, rig_entry(&rig, TWIN, 2),
		 (rig_entry(&rig, USER, 1) & ~PAGE_MASK) | (G_LINK & ~PTE_W),
		 8);
	rig_access(&rig, TWIN, ACC_R);
	either(out, write_entry(&rig, 60, DATA | G_RW).end == RIG_EMULATE,
	       "emulated", "let go");
	rig_close(&rig);
}

/*
 * Two ways to one directory, by entries of other rights; what is first used
 * below it is read-only for both.
 */
static void shared_directory(const struct setup *s, struct outcome *out)
{
	const gva_t twin = USER + (UINT64_C(3) << 30);
	gva_t ro = USER + (UINT64_C(5) << 21);
	struct rig rig;

	open_with(&rig, s, (struct rig_config){0});
	rig_map(&rig, USER, 1, DATA, G_RW);
	/* A read-only page table beside USER's. */
	rig_map(&rig, ro, 1, DATA, G_RW);
	rig_poke(&rig, rig_entry(&rig, ro, 2),
		 mem_read_u64(rig.mem, rig_entry(&rig, ro, 2)) &
			 ~(uint64_t)PTE_W,
		 8);
	rig_poke(&rig, rig_entry(&rig, twin, 3),
		 (rig_entry(&rig, USER, 2) & ~PAGE_MASK) | (G_LINK & ~PTE_W),
		 8);
	rig_access(&rig, ro, ACC_R);
	rig_access(&rig, ro + (twin - USER), ACC_R);
	rig_access(&rig, USER, ACC_W);
	either(out, rig_access(&rig, twin, ACC_U | ACC_W).end == RIG_OK,
	       "rights mix", "rights kept");
	rig_close(&rig);
}

/* Two large entries of one frame, the first writable. */
static void large_rights(const struct setup *s, struct outcome *out)
{
	struct rig rig;

	open_yard(&rig, s);
	rig_map(&rig, LARGE, 2, 0, G_RW | PTE_PS);
	rig_map(&rig, LARGE + BIT(21), 2, 0, G_RO | PTE_D | PTE_PS);
	rig_access(&rig, LARGE, ACC_W);
	rig_access(&rig, LARGE + BIT(21), ACC_R);
	either(out,
	       rig_slot(&rig, LARGE, 1) == rig_slot(&rig, LARGE + BIT(21), 1),
	       "one shadow", "one each");
	rig_close(&rig);
}

/* Linked clean, by a read; then one page of it is written. */
static void large_dirty(const struct setup *s, struct outcome *out)
{
	slot_t clean;
	struct rig rig;

	open_yard(&rig, s);
	rig_map(&rig, LARGE, 2, 0, (G_RW & ~PTE_D) | PTE_PS);
	rig_access(&rig, LARGE, ACC_R);
	clean = rig_slot(&rig, LARGE, 1);
	/* D is set where nobody tells the shadow. */
	mem_write_u64(rig.mem, rig_entry(&rig, LARGE, 2), G_RW | PTE_PS);
	rig_access(&rig, LARGE, ACC_W);
	either(out, rig_slot(&rig, LARGE, 1) == clean, "the same pieces",
	       "found anew");
	rig_close(&rig);
}

/* The entry lost W; nothing was told, and a read refills. */
static void refill(const struct setup *s, struct outcome *out)
{
	struct rig rig;

	open_yard(&rig, s);
	mem_write_u64(rig.mem, rig_entry(&rig, USER, 1), DATA | G_RO);
	/* A fetch fault on a page that it may run: a fault to fill by. */
	smmu_page_fault(rig.smmu, USER, PFEC_P);
	either(out, rig_spte(&rig, USER, 1) & PTE_W, "W stays", "as the entry");
	rig_close(&rig);
}

static void spte_accessed(const struct setup *s, struct outcome *out)
{
	struct rig rig;

	open_yard(&rig, s);
	rig_map(&rig, yard_page(60), 1, DATA, G_RW);
	smmu_page_fault(rig.smmu, yard_page(60), 0);
	either(out, rig_spte(&rig, yard_page(60), 1) & PTE_A, "A=1", "A=0");
	rig_close(&rig);
}

/* A write sets D in an entry that two shadows have. */
static void dirty_told(const struct setup *s, struct outcome *out)
{
	uint64_t told;
	struct rig rig;

	open_yard(&rig, s);
	rig_map(&rig, yard_page(60), 1, DATA, G_RW & ~PTE_D);
	told = rig_count(&rig, CNT_mmu_pte_write);
	rig_access(&rig, yard_page(60), ACC_W);
	either(out, rig_count(&rig, CNT_mmu_pte_write) > told, "told",
	       "not told");
	rig_close(&rig);
}

static void read_only_rmap(const struct setup *s, struct outcome *out)
{
	struct rig rig;

	open_yard(&rig, s);
	rig_map(&rig, yard_page(60), 1, 2 * DATA, G_RO);
	rig_access(&rig, yard_page(60), ACC_R);
	either(out, rig.smmu->rmap[2 * DATA >> PAGE_SHIFT] != NO_SLOT,
	       "in the rmap", "in none");
	rig_close(&rig);
}

static void growing_flush(const struct setup *s, struct outcome *out)
{
	uint64_t flushes;
	struct rig rig;

	open_yard(&rig, s);
	flushes = rig_count(&rig, CNT_remote_tlb_flush);
	rig_poke(&rig, rig_entry(&rig, yard_page(60), 1), DATA | G_RW, 8);
	either(out, rig_count(&rig, CNT_remote_tlb_flush) > flushes, "flushed",
	       "not flushed");
	rig_close(&rig);
}

/* Paging is turned off and a directory written. */
static void paging_off(const struct setup *s, struct outcome *out)
{
	struct rig_outcome o;
	uint64_t val = 0;
	struct rig rig;
	gpa_t dir;

	open_yard(&rig, s);
	dir = rig_entry(&rig, USER, 2);
	rig_switch(&rig, PAGING_OFF, 0);
	o = rig_store(&rig, dir, ACC_W, &val, 8);
	either(out, o.end == RIG_EMULATE, "emulated", "unseen");
	rig_close(&rig);
}

static void neighbours(const struct setup *s, struct outcome *out)
{
	unsigned int present = 0;
	struct rig rig;

	open_yard(&rig, s);
	for (unsigned int i = 0; i < 128; i++)
		rig_map(&rig, LARGE + i * PAGE_SIZE, 1, DATA, G_RW);
	rig_access(&rig, LARGE + 16 * PAGE_SIZE, ACC_R);
	for (unsigned int i = 0; i < 128; i++)
		present += !strcmp(spte_name(&rig, LARGE + i * PAGE_SIZE, 1),
				   "mapped");
	say(out, "%u sptes", present);
	rig_close(&rig);
}

/* The guest entry changes while its table is linked. */
struct change_in_window {
	struct rig *rig;
	gpa_t table, at;
	uint64_t val;
	bool done;
};

static void change_there(void *context, gfn_t gfn)
{
	struct change_in_window *c = context;

	if (gfn != c->table >> PAGE_SHIFT || c->done)
		return;
	c->done = true;
	mem_write_u64(c->rig->mem, c->at, c->val);
}

static void entry_changes(const struct setup *s, struct outcome *out)
{
	struct change_in_window c = {0};
	struct smmu_window watch = {change_there, &c};
	struct smmu_result r;
	struct rig rig;

	open_with(&rig, s, (struct rig_config){0});
	rig_map(&rig, USER, 1, DATA, G_RW);
	c.rig = &rig;
	c.table = rig_entry(&rig, USER, 1) & ~PAGE_MASK;
	c.at = rig_entry(&rig, USER, 1);
	c.val = (DATA + PAGE_SIZE) | G_RW;
	smmu_watch_window(rig.smmu, &watch);
	r = smmu_page_fault(rig.smmu, USER, 0);
	check_eq("fixed", r.verdict, SMMU_FIXED);
	if (!c.done)
		say(out, "-");
	else
		either(out, rig_slot(&rig, USER, 1) == NO_SLOT, "gives up",
		       "fills what it saw");
	rig_close(&rig);
}

const struct probe rights_probes[] = {
	{"CR0.WP=0 write to a read-only page, then user code", wp0_write},
	{"the same, then CR0.WP is set", wp_set},
	{"EFER.NXE is set", nxe_set},
	{"fetch, NX is set but NXE off", nx_nxe_off},
	{"write, a missing right above an absent entry", right_above_absent},
	{"fetch fault injected, NXE off", fetch_code},
	{"user code writes a page that was a directory", user_write},
	{"user code reads one that it may write", user_read},
	{"a table below two entries of other rights", shared_table},
	{"the same, and the table is written", two_roles},
	{"a directory below two entries of other rights", shared_directory},
	{"two large entries of one frame, other rights", large_rights},
	{"large entry became dirty", large_dirty},
	{"refill after the entry lost W unseen", refill},
	{"spte made by a fault", spte_accessed},
	{"D set by the walk", dirty_told},
	{"read-only spte", read_only_rmap},
	{"other processors' TLBs, entry becomes present", growing_flush},
	{"paging off, a directory is written", paging_off},
	{"neighbours of a fault's spte", neighbours},
	{"entry changes while its table is linked", entry_changes},
};
const size_t nr_rights_probes = ARRAY_LEN(rights_probes);
