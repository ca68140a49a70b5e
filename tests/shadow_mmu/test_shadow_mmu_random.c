/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random guests against the slow model.  After every operation:
 *
 *   sound    what the shadow lets through, the guest's tables let through, to
 *            the same address, with A set on the way and D on a write; where
 *            tables go out of sync, or the shadow is a TLB, now or at some
 *            time since the last flush
 *   true     a fault delivered past the hypervisor, and one injected, is the
 *            guest's own, with the right code
 *   live     a reference is through, or somebody's fault, in four tries
 *   quiet    guest memory changes in A and D of the entries walked only
 *   audited  the invariants hold
 *
 * Several processors take turns at random.  Where tables are write-protected
 * before they are read, one may also store in the midst of another one's fault.
 *
 * Flaws of the time that are kept have one exception each (flaws.def); each is
 * counted, and none may show where it does not belong.
 *
 * Usage: test [operations a configuration] [audit all every n] [seed]
 */
#include <stdio.h>
#include <string.h>

#include "../share.h"
#include "checked.h"

#define EPISODE 2000u

static unsigned int operations = 200000;
static unsigned int audit_every = 256;
static uint64_t seed = 1;

static const char *const flaw_names[] = {
#define FLAW(name, what, who) #name,
#include "flaws.def"
#undef FLAW
};

struct combo {
	const char *gen;
	bool bypass;
	unsigned int vcpus;
};

struct bytes {
	gpa_t gpa;
	unsigned int len;
	uint8_t b[8];
};

static struct bytes whole_entry(struct run *run, gpa_t gpa, int level)
{
	struct bytes s = {gpa & ~UINT64_C(7), 8, {0}};
	uint64_t val = world_entry(&run->world, level);

	memcpy(s.b, &val, 8);
	return s;
}

/* Keep n bytes from this offset on. */
static void cut(struct bytes *s, unsigned int from, unsigned int n)
{
	memmove(s->b, s->b + from, n);
	s->gpa += from;
	s->len = n;
}

/* Any bytes anywhere, also across two entries. */
static struct bytes loose_bytes(struct run *run, gpa_t gpa)
{
	struct bytes s = {.len = 1 + world_below(&run->world, 8)};
	uint64_t val = world_rand(&run->world);

	s.gpa = (gpa & ~UINT64_C(7)) + world_below(&run->world, 8);
	if ((s.gpa & PAGE_MASK) + s.len > PAGE_SIZE)
		s.gpa = gpa & ~UINT64_C(7);
	memcpy(s.b, &val, 8);
	return s;
}

/* What is there, again. */
static struct bytes same_bytes(struct run *run, gpa_t gpa)
{
	struct bytes s = loose_bytes(run, gpa);

	memcpy(s.b, run->mirror + s.gpa, s.len);
	return s;
}

/* The entry that is there with a bit changed: rights, A, D or presence. */
static struct bytes other_bit(struct run *run, gpa_t gpa, bool anything)
{
	static const uint64_t bits[] = {BIT(5), BIT(6), 1, 2, 4, BIT(63)};
	uint32_t nr = anything ? ARRAY_LEN(bits) : 2;
	struct bytes s = {gpa & ~UINT64_C(7), 8, {0}};
	uint64_t val;

	memcpy(&val, run->mirror + s.gpa, 8);
	val ^= bits[world_below(&run->world, nr)];
	memcpy(s.b, &val, 8);
	return s;
}

/* Write what may be written: tame upper entries must stay tame. */
static struct bytes what_to_store(struct run *run, gpa_t gpa)
{
	struct world *w = &run->world;
	int level = world_level(gpa >> 12);
	bool anything = w->wild || level <= 1;
	struct bytes s = whole_entry(run, gpa, level ? level : 1);
	uint32_t high;

	memcpy(&high, run->mirror + s.gpa + 4, 4);
	if (world_chance(w, 8))
		return same_bytes(run, gpa);
	if (level && world_chance(w, 25))
		return other_bit(run, gpa, anything);
	if (anything && world_chance(w, 12))
		return loose_bytes(run, gpa);
	if (world_chance(w, 30) && (anything || (!high && !s.b[7])))
		cut(&s, anything && world_chance(w, 50) ? 4 : 0, 4);
	return s;
}

/*
 * Where an entry of level 1 is all that may be stale: a vTLB's guest flushes
 * after any other, on all processors.
 */
static void flush_after(struct run *run, gpa_t gpa)
{
	unsigned int vcpu = run->vcpu;

	if (!run->rig.gen->sw.vtlb ||
	    (!run->world.wild && world_level(gpa >> 12) <= 1))
		return;
	for (unsigned int i = 0; i < run->nr_vcpus; i++) {
		use_vcpu(run, (vcpu + i) % run->nr_vcpus);
		smmu_sync(run->rig.smmu);
		note_flush(run);
	}
	use_vcpu(run, vcpu);
}

static void store(struct run *run, gpa_t gpa, bool tell)
{
	struct bytes s = what_to_store(run, gpa);

	if (tell)
		smmu_pte_write(run->rig.smmu, s.gpa, s.b, s.len);
	for (gpa_t at = s.gpa & ~UINT64_C(7); at < s.gpa + s.len; at += 8)
		note_change(run, at);
	memcpy(run->rig.mem->ram + s.gpa, s.b, s.len);
	memcpy(run->mirror + s.gpa, s.b, s.len);
	flush_after(run, s.gpa);
}

static void op_access(struct run *run)
{
	static const uint32_t kinds[] = {
		ACC_R, ACC_W, ACC_X, ACC_U, ACC_U | ACC_W, ACC_U | ACC_X,
	};
	uint32_t access = kinds[world_below(&run->world, ARRAY_LEN(kinds))];
	gva_t gva = world_gva(&run->world, run->guest.levels);
	gpa_t gpa = 0;
	enum rig_end end = access_checked(run, gva, access, &gpa);

	run->ends[end]++;
	if (!(access & ACC_W) || !world_chance(&run->world, 60))
		return;
	if (end == RIG_EMULATE)
		store(run, gpa, true);
	else if (end == RIG_OK && !is_protected(run, gpa))
		store(run, gpa, false);
}

/* What is written there is not seen, and not flushed at once. */
static bool may_be_stale(struct run *run, gpa_t gpa)
{
	if (run->rig.gen->sw.vtlb)
		return world_level(gpa >> 12) == 1 ||
		       world_chance(&run->world, 2);
	return is_shadowed(run, gpa) && !is_protected(run, gpa);
}

/* The kernel writes by some other mapping, or was emulated. */
static void op_store(struct run *run)
{
	gpa_t gpa = world_gpa(&run->world);

	/* Stale entries are to be met: write where it goes unseen. */
	for (int i = 0; i < 8 && is_lazy(run) && !may_be_stale(run, gpa); i++)
		gpa = world_gpa(&run->world);
	store(run, gpa, is_protected(run, gpa) || world_chance(&run->world, 5));
}

static void op_invlpg(struct run *run)
{
	gva_t gva = world_gva(&run->world, run->guest.levels);

	smmu_invlpg(run->rig.smmu, gva);
	note_flush_page(run, gva);
}

static void random_roots(struct run *run)
{
	struct smmu_guest *g = &run->rig.guest;
	struct world *w = &run->world;

	int top = g->mode == PAGING_32 ? 2 : g->mode == PAGING_5LEVEL ? 5 : 4;

	g->cr3 = world_table(w, top) << 12;
	for (int i = 0; i < 4; i++) {
		g->pdpte[i] = world_table(w, 2) << 12;
		if (world_chance(w, 70))
			g->pdpte[i] |= 1;
		if (w->wild && world_chance(w, 3)) /* no RAM there */
			g->pdpte[i] |= BIT(30);
	}
}

static void op_switch(struct run *run)
{
	struct smmu_guest *g = &run->rig.guest;
	struct world *w = &run->world;
	bool reset = world_chance(w, 25);

	if (reset) {
		static const enum paging_mode modes[] = {
			PAGING_OFF,    PAGING_32,     PAGING_PAE,
			PAGING_4LEVEL, PAGING_4LEVEL, PAGING_5LEVEL};

		g->mode = modes[world_below(w, ARRAY_LEN(modes))];
		/* Without it a tame large page would be a link that denies. */
		g->pse = !w->wild || world_chance(w, 70);
		g->wp = !w->wild || world_chance(w, 70);
	}
	random_roots(run);
	if (reset)
		smmu_reset_context(run->rig.smmu, g);
	else
		smmu_new_cr3(run->rig.smmu, g);
	if (w->wild && world_chance(w, 20)) {
		g->nxe = world_chance(w, 60);
		smmu_set_nxe(run->rig.smmu, g->nxe);
	}
	note_flush(run);
	sync_guest(run);
}

static void op_unprotect(struct run *run)
{
	gva_t gva = world_gva(&run->world, run->guest.levels);
	struct truth t = truth_of(&run->guest, gva);
	bool leads = !t.absent &&
		     !(t.reserved && run->rig.gen->sw.walk_checks_reserved);
	bool was = leads && is_shadowed(run, t.gpa);
	gpa_t gpa;

	REQUIRE(run, smmu_gva_to_gpa(run->rig.smmu, gva, &gpa) == leads);
	REQUIRE(run, !leads || gpa == t.gpa);
	REQUIRE(run, smmu_unprotect(run->rig.smmu, gva) == was);
}

static void audit_now(struct run *run)
{
	struct smmu_audit_report report;

	smmu_run_audit(run->rig.smmu, SMMU_AUDIT_ALL, &report);
	if (report.violations)
		fail_msg("op %llu, %s: %s", (unsigned long long)run->op,
			 run->world.wild ? "wild" : "tame", report.first);
	if (memcmp(run->mirror, run->rig.mem->ram, WORLD_RAM))
		fail_msg("op %llu: guest memory was changed elsewhere",
			 (unsigned long long)run->op);
}

/* Another processor's store, if its own shadow lets it at this moment. */
static void window(void *context, gfn_t gfn)
{
	struct run *run = context;
	struct smmu *smmu = run->rig.smmu;
	struct smmu_vcpu *cur = smmu->cur;
	unsigned int other = world_below(&run->world, run->nr_vcpus);
	gva_t gva = world_gva(&run->world, run->left[other].guest.levels);
	struct walk w;

	if (other == run->vcpu || run->windows_op == run->op)
		return;
	smmu->cur = &smmu->vcpu[other];
	w = rig_walk(&run->rig, gva, ACC_W);
	/* It is out of the guest, and will be served first. */
	w.fault |= smmu->cur->wants_reload || smmu->cur->wants_sync;
	smmu->cur = cur;
	if (w.fault)
		return;
	REQUIRE(run, w.pa >> 12 != gfn && !is_protected(run, w.pa));
	store(run, w.pa, false);
	run->windows_op = run->op;
	run->windows++;
}

static void watch_window(struct run *run)
{
	const struct smmu_window watch = {window, run};
	const struct smmu_switches *sw = &run->rig.gen->sw;

	if (sw->protect_before_prefetch && sw->fetch_rechecks)
		smmu_watch_window(run->rig.smmu, &watch);
}

static void one_operation(struct run *run)
{
	uint32_t dice = world_below(&run->world, 1000);

	if (run->nr_vcpus > 1 && world_chance(&run->world, 30))
		use_vcpu(run, world_below(&run->world, run->nr_vcpus));

	if (dice < 600)
		op_access(run);
	else if (dice < 640)
		op_invlpg(run);
	else if (dice < 970)
		op_store(run);
	else if (dice < 995)
		op_switch(run);
	else
		op_unprotect(run);

	if (smmu_audit_result(run->rig.smmu)->violations)
		fail_msg("op %llu, %s: %s", (unsigned long long)run->op,
			 run->world.wild ? "wild" : "tame",
			 smmu_audit_result(run->rig.smmu)->first);
	if (run->op % audit_every == 0)
		audit_now(run);
}

static void fill_tables(struct run *run)
{
	for (uint64_t gfn = 1; gfn <= WORLD_TABLES; gfn++)
		for (uint64_t i = 0; i < 512; i++)
			mem_write_u64(
				run->rig.mem, gfn << 12 | i << 3,
				world_entry(&run->world, world_level(gfn)));
	memcpy(run->mirror, run->rig.mem->ram, WORLD_RAM);
}

/* In the same space as the first. */
static void begin_vcpu(struct run *run, unsigned int vcpu)
{
	struct run_vcpu *left = &run->left[vcpu];

	left->rig_guest = run->rig.guest;
	left->guest = run->guest;
	left->flushed = run->op;
	left->nr_flushed_one = 0;
}

static void episode(struct run *run, const struct combo *combo, unsigned int nr)
{
	struct rig_config config = {
		.gen = combo->gen,
		.bypass = combo->bypass,
		.mode = PAGING_4LEVEL,
		.ram = WORLD_RAM,
		.max_pages = SMMU_MIN_PAGES,
		.audit = SMMU_AUDIT_ENTRY,
		.vcpus = (uint8_t)combo->vcpus,
	};

	rig_open(&run->rig, &config);
	run->wp_was_off = false;
	run->nr_was = 0;
	note_flush(run);
	run->world.wild = nr % 2;
	run->world.large_rights = run->rig.gen->sw.role_hugepage_access;
	fill_tables(run);
	/* The context was loaded over empty RAM. */
	sp_unprotect(run->rig.smmu, 1);
	sync_guest(run);
	for (unsigned int i = 1; i < run->nr_vcpus; i++)
		begin_vcpu(run, i);
	watch_window(run);
	for (unsigned int i = 0; i < EPISODE; i++, run->op++)
		one_operation(run);
	use_vcpu(run, 0);
	audit_now(run);
	run->unsyncs += rig_count(&run->rig, CNT_mmu_unsync);
	rig_close(&run->rig);
}

static void report_flaws(const struct run *run, const struct combo *combo)
{
	print_message("# %s bypass=%s: through %llu direct %llu injected %llu "
		      "emulated %llu mmio %llu; flaws:",
		      combo->gen, combo->bypass ? "on" : "off",
		      (unsigned long long)run->ends[RIG_OK],
		      (unsigned long long)run->ends[RIG_DIRECT],
		      (unsigned long long)run->ends[RIG_INJECT],
		      (unsigned long long)run->ends[RIG_EMULATE],
		      (unsigned long long)run->ends[RIG_MMIO]);
	for (int i = 0; i < NR_FLAWS; i++)
		print_message(" %s %llu", flaw_names[i],
			      (unsigned long long)run->flaws[i]);
	print_message("; stale %llu, unsync %llu, in windows %llu",
		      (unsigned long long)run->stale,
		      (unsigned long long)run->unsyncs,
		      (unsigned long long)run->windows);
	print_message("\n");
}

/* An exception that never applies is not needed. */
static void check_flaws(const struct run *run, const struct combo *combo)
{
	const struct smmu_switches *sw = &smmu_generation_find(combo->gen)->sw;

	/*
	 * With all of the control state in the key it takes rare ways, and a
	 * wild guest of a vTLB flushes too often.
	 */
	check("rights", run->flaws[FLAW_rights] > 0 || sw->role_wp || sw->vtlb);
	check("check order",
	      (run->flaws[FLAW_check_order] > 0) == !sw->walk_goes_on);
	check("reserved",
	      (run->flaws[FLAW_reserved] > 0) == !sw->walk_checks_reserved);
	check("large dirty", (run->flaws[FLAW_large_dirty] > 0) ==
				     (!sw->role_access && !sw->vtlb));
	check("nx loop", (run->flaws[FLAW_nx_loop] > 0) == !sw->role_access);
	check("nonpaging write", (run->flaws[FLAW_nonpaging_write] >
				  0) == (!sw->nonpaging_protects && !sw->vtlb));
	check("fetch bit", (run->flaws[FLAW_fetch_bit] > 0) == combo->bypass ||
				   sw->gnp_sptes);
}

static void free_vcpus(struct run *run)
{
	free(run->flushed_one);
	for (unsigned int i = 0; i < run->nr_vcpus; i++)
		if (i != run->vcpu)
			free(run->left[i].flushed_one);
}

static void random_guests(void **state)
{
	const struct combo *combo = *state;
	struct run run = {.world = {.rng = seed * 0x9e3779b97f4a7c15 + 1},
			  .nr_vcpus = combo->vcpus};
	/* Several processors do not show more in each operation. */
	unsigned int nr = operations / (combo->vcpus > 1 ? 4 : 1);
	unsigned int episodes = (nr + EPISODE - 1) / EPISODE;

	run.mirror = malloc(WORLD_RAM);
	assert_non_null(run.mirror);
	for (unsigned int i = 0; i < episodes; i++)
		episode(&run, combo, i);
	report_flaws(&run, combo);
	if (nr >= 50000)
		check("stale references", !run.stale == !is_lazy(&run));
	if (run.rig.gen->sw.protect_before_prefetch && run.nr_vcpus > 1)
		check("stores in the window", run.windows > 0);
	free(run.was);
	free_vcpus(&run);
	if (nr >= 200000)
		check_flaws(&run, combo);
	free(run.mirror);
}

static struct combo combos[] = {
	{"kvm-2.6.20-rc3", false, 1},
	{"kvm-2.6.20-rc3", false, 3},
	{"kvm-2.6.20", false, 1},
	{"kvm-2.6.24", false, 1},
	{"seed", false, 1},
	{"seed", true, 1},
	{"kvm-2.6.25", false, 1},
	{"kvm-2.6.25", true, 1},
	{"kvm-2.6.28", false, 1},
	{"kvm-2.6.28", true, 1},
	{"kvm-2.6.20", false, 2},
	{"kvm-2.6.24", false, 3},
	{"seed", true, 3},
	{"kvm-2.6.25", true, 4},
	{"kvm-2.6.28", false, 2},
	{"kvm-2.6.28", true, 4},
	{"kvm-2.6.38", false, 1},
	{"kvm-2.6.38", true, 1},
	{"kvm-3.1", false, 1},
	{"xen", false, 1},
	{"kvm-2.6.38", true, 3},
	{"kvm-3.1", false, 2},
	{"xen", false, 3},
};

#define NR_COMBOS ARRAY_LEN(combos)

int main(int argc, char **argv)
{
	static char names[NR_COMBOS][64];
	struct CMUnitTest tests[NR_COMBOS];

	for (size_t i = 0; i < NR_COMBOS; i++) {
		snprintf(names[i], sizeof(names[i]), "random_%s%s, %u",
			 combos[i].gen, combos[i].bypass ? "_bypass" : "",
			 combos[i].vcpus);
		tests[i] = (struct CMUnitTest){names[i], random_guests, NULL,
					       NULL, &combos[i]};
	}

	operations /= one_of_cases();
	if (argc > 1)
		operations = (unsigned int)strtoul(argv[1], NULL, 0);
	if (argc > 2)
		audit_every = (unsigned int)strtoul(argv[2], NULL, 0);
	if (argc > 3)
		seed = strtoull(argv[3], NULL, 0);
	if (!operations || !audit_every)
		return EXIT_FAILURE;
	return cmocka_run_group_tests_name("shadow_mmu_random", tests, NULL,
					   NULL);
}
