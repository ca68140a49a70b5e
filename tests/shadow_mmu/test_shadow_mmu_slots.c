/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory slots: MMIO beside RAM, slots that come and go, the dirty log. */
#include <errno.h>
#include <string.h>

#include "rig.h"

#define GVA   UINT64_C(0x400000)
#define DATA  UINT64_C(0x100000)
#define FRAME (DATA >> PAGE_SHIFT)

static struct rig_config config_of(const char *gen)
{
	return (struct rig_config){
		.gen = gen,
		.bypass = smmu_generation_find(gen)->has_bypass,
		.mode = PAGING_4LEVEL,
		.audit = SMMU_AUDIT_ALL,
	};
}

static const struct smmu_generation *each_generation(unsigned int i)
{
	unsigned int nr;
	const struct smmu_generation *gens = smmu_generations(&nr);

	return i < nr ? &gens[i] : NULL;
}

static void set_slot(struct rig *rig, unsigned int id, gfn_t first, gfn_t nr,
		     bool log_dirty)
{
	struct smmu_slot slot = {first, nr, log_dirty};
	struct diag diag;

	assert_int_equal(smmu_set_slot(rig->smmu, id, &slot, &diag), 0);
}

/* RAM with one frame missing, as a device would have it. */
static void make_hole(struct rig *rig, gfn_t hole)
{
	struct smmu_slot ram;

	smmu_get_slot(rig->smmu, 0, &ram);
	set_slot(rig, 0, 0, hole, false);
	set_slot(rig, 1, hole + 1, ram.nr - hole - 1, false);
}

static void refusals(void **state)
{
	static const struct {
		const char *name;
		unsigned int id;
		struct smmu_slot slot;
		int err;
	} cases[] = {
		{"no such slot", SMMU_MAX_SLOTS, {0, 1, false}, -EINVAL},
		{"overlaps slot 0", 1, {0x10, 1, false}, -EINVAL},
		{"begins beyond RAM", 1, {0x401, 0, false}, -EINVAL},
		{"ends beyond RAM", 0, {1, 0x400, false}, -EINVAL},
		{"wraps round", 0, {1, UINT64_MAX, false}, -EINVAL},
		{"as it is", 0, {0, 0x400, false}, 0},
		{"smaller", 0, {0, 0x200, false}, 0},
		{"beside it", 7, {0x200, 0x200, false}, 0},
		{"into its neighbour", 0, {0, 0x201, false}, -EINVAL},
	};
	struct rig_config config = config_of("seed");
	struct rig rig;

	(void)state;
	rig_open(&rig, &config);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct smmu_slot before, after;
		struct diag diag = {0};

		smmu_get_slot(rig.smmu, 0, &before);
		check_eq(cases[i].name,
			 (uint64_t)smmu_set_slot(rig.smmu, cases[i].id,
						 &cases[i].slot, &diag),
			 (uint64_t)cases[i].err);
		check(cases[i].name, !cases[i].err == !diag.msg[0]);
		smmu_get_slot(rig.smmu, 0, &after);
		if (cases[i].err)
			check_eq(cases[i].name, after.nr, before.nr);
	}
	rig_close(&rig);
}

/* A frame in no slot is MMIO, its neighbours are not. */
static void hole_in_ram(void **state)
{
	(void)state;
	for (unsigned int g = 0; each_generation(g); g++) {
		struct rig_config config = config_of(each_generation(g)->name);
		struct rig rig;

		rig_open(&rig, &config);
		make_hole(&rig, FRAME);
		for (int i = -1; i <= 1; i++) {
			gva_t gva = GVA + (gva_t)(i + 1) * PAGE_SIZE;
			gpa_t gpa = DATA + (gpa_t)(int64_t)i * PAGE_SIZE;

			rig_map(&rig, gva, 1, gpa, G_RW);
			check_eq(config.gen, rig_access(&rig, gva, ACC_W).end,
				 i ? RIG_OK : RIG_MMIO);
			check_eq("and again", rig_access(&rig, gva, ACC_R).end,
				 i ? RIG_OK : RIG_MMIO);
		}
		rig_close(&rig);
	}
}

/* What was MMIO is RAM once a slot is there, and MMIO again without it. */
static void slots_come_and_go(void **state)
{
	(void)state;
	for (unsigned int g = 0; each_generation(g); g++) {
		struct rig_config config = config_of(each_generation(g)->name);
		struct rig rig;

		rig_open(&rig, &config);
		make_hole(&rig, FRAME);
		rig_map(&rig, GVA, 1, DATA, G_RW);
		check_eq(config.gen, rig_access(&rig, GVA, ACC_W).end,
			 RIG_MMIO);
		set_slot(&rig, 2, FRAME, 1, false);
		check_eq(config.gen, rig_access(&rig, GVA, ACC_W).end, RIG_OK);
		set_slot(&rig, 2, FRAME, 0, false);
		check_eq(config.gen, rig_access(&rig, GVA, ACC_W).end,
			 RIG_MMIO);
		rig_close(&rig);
	}
}

/* A removed slot with a table in it: the table reads as nothing. */
static void slot_with_a_table_goes(void **state)
{
	struct rig_config config = config_of("kvm-2.6.25");
	struct rig rig;
	gfn_t table;

	(void)state;
	rig_open(&rig, &config);
	rig_map(&rig, GVA, 1, DATA, G_RW);
	check_eq("there", rig_access(&rig, GVA, ACC_R).end, RIG_OK);
	table = rig_entry(&rig, GVA, 1) >> PAGE_SHIFT;
	make_hole(&rig, table);
	check_eq("gone", rig_access(&rig, GVA, ACC_R).end, RIG_INJECT);
	rig_close(&rig);
}

struct log {
	gfn_t gfn[16];
	unsigned int nr;
};

static void note(void *context, gfn_t gfn)
{
	struct log *log = context;

	assert_true(log->nr < ARRAY_LEN(log->gfn));
	log->gfn[log->nr++] = gfn;
}

static struct log read_log(struct rig *rig)
{
	struct log log = {.nr = 0};
	uint64_t nr = smmu_read_dirty_log(rig->smmu, 0, note, &log);

	check_eq("as many as it says", nr, log.nr);
	return log;
}

/* Log all of RAM, with the sptes and tables of the set-up behind us. */
static void start_log(struct rig *rig)
{
	struct smmu_slot ram;

	smmu_get_slot(rig->smmu, 0, &ram);
	set_slot(rig, 0, 0, ram.nr, true);
	check_eq("begins empty", read_log(rig).nr, 0);
}

static void log_of_writes(void **state)
{
	(void)state;
	for (unsigned int g = 0; each_generation(g); g++) {
		struct rig_config config = config_of(each_generation(g)->name);
		struct rig_outcome out;
		struct rig rig;
		struct log log;

		rig_open(&rig, &config);
		for (gva_t i = 0; i < 3; i++)
			rig_map(&rig, GVA + i * PAGE_SIZE, 1,
				DATA + i * PAGE_SIZE, G_RW);
		for (gva_t i = 0; i < 3; i++)
			rig_access(&rig, GVA + i * PAGE_SIZE, ACC_W);
		start_log(&rig);
		check_eq("a read is free", rig_access(&rig, GVA, ACC_R).exits,
			 0);
		check_eq("and not logged", read_log(&rig).nr, 0);

		out = rig_access(&rig, GVA + PAGE_SIZE, ACC_W);
		check_eq("the first write exits", out.exits, 1);
		check_eq("for the log", out.cause, CAUSE_dirty_log);
		out = rig_access(&rig, GVA + PAGE_SIZE, ACC_W);
		check_eq("the second does not", out.exits, 0);
		log = read_log(&rig);
		check_eq(config.gen, log.nr, 1);
		check_eq(config.gen, log.gfn[0], FRAME + 1);
		check_eq("forgotten", read_log(&rig).nr, 0);
		check_eq("and noticed anew",
			 rig_access(&rig, GVA + PAGE_SIZE, ACC_W).cause,
			 CAUSE_dirty_log);
		check_eq("protected", rig_count(&rig, CNT_dirty_log_protected),
			 4);
		rig_close(&rig);
	}
}

/* Every mapping of a frame is write-protected, not the first alone. */
static void log_of_aliases(void **state)
{
	struct rig_config config = config_of("seed");
	struct rig rig;

	(void)state;
	rig_open(&rig, &config);
	for (gva_t i = 0; i < 3; i++) {
		rig_map(&rig, GVA + (i << 30), 1, DATA, G_RW);
		rig_access(&rig, GVA + (i << 30), ACC_W);
	}
	start_log(&rig);
	for (gva_t i = 0; i < 3; i++) {
		check_eq("noticed",
			 rig_access(&rig, GVA + (i << 30), ACC_W).exits, 1);
		check_eq("once", read_log(&rig).nr, 1);
	}
	rig_close(&rig);
}

/* What the hypervisor writes for the guest is in the log as well. */
static void log_of_hypervisor_writes(void **state)
{
	struct rig_config config = config_of("kvm-2.6.25");
	struct rig rig;
	struct log log;
	gpa_t entry;

	(void)state;
	rig_open(&rig, &config);
	rig_map(&rig, GVA, 1, DATA, G_RW);
	rig_access(&rig, GVA, ACC_W);
	entry = rig_entry(&rig, GVA + PAGE_SIZE, 1);
	start_log(&rig);

	rig_poke(&rig, entry, DATA | PTE_P | PTE_W | PTE_U, 8);
	log = read_log(&rig);
	check_eq("an emulated write", log.nr, 1);
	check_eq("to the table", log.gfn[0], entry >> PAGE_SHIFT);

	check_eq("reads", rig_access(&rig, GVA + PAGE_SIZE, ACC_R).end, RIG_OK);
	log = read_log(&rig);
	check_eq("the A bit", log.nr, 1);
	check_eq("in the table", log.gfn[0], entry >> PAGE_SHIFT);
	rig_close(&rig);
}

/* Guest paging off: the fills are others, the log is the same. */
static void log_without_paging(void **state)
{
	(void)state;
	for (unsigned int g = 0; each_generation(g); g++) {
		struct rig_config config = config_of(each_generation(g)->name);
		struct rig rig;
		struct log log;

		config.mode = PAGING_OFF;
		rig_open(&rig, &config);
		start_log(&rig);
		check_eq(config.gen, rig_access(&rig, DATA, ACC_W).end, RIG_OK);
		log = read_log(&rig);
		check_eq(config.gen, log.nr, 1);
		check_eq(config.gen, log.gfn[0], FRAME);
		check_eq(config.gen, rig_access(&rig, DATA, ACC_W).end, RIG_OK);
		check_eq(config.gen, read_log(&rig).nr, 1);
		rig_close(&rig);
	}
}

/* The seed: trap has W clear, as the scan looks at W alone. */
static void scan_passes_trap_over(void **state)
{
	struct rig_config config = config_of("seed");
	struct rig rig;

	(void)state;
	check_eq("W", SMMU_TRAP_PTE & PTE_W, 0);
	rig_open(&rig, &config);
	rig_map(&rig, GVA, 1, DATA, G_RW);
	rig_map(&rig, GVA + PAGE_SIZE, 1, DATA, G_RW);
	rig_access(&rig, GVA, ACC_W);
	check_eq("a trap beside it", rig_spte(&rig, GVA + PAGE_SIZE, 1),
		 rig.smmu->v.trap);
	start_log(&rig);
	check_eq("still a trap", rig_spte(&rig, GVA + PAGE_SIZE, 1),
		 rig.smmu->v.trap);
	check_eq("still a notrap", rig_spte(&rig, GVA + 2 * PAGE_SIZE, 1),
		 rig.smmu->v.notrap);
	check_eq("one lost W", rig_count(&rig, CNT_dirty_log_protected), 1);
	rig_close(&rig);
}

/* A log that is not kept is not read, and costs nothing. */
static void no_log(void **state)
{
	struct rig_config config = config_of("seed");
	struct rig rig;

	(void)state;
	rig_open(&rig, &config);
	rig_map(&rig, GVA, 1, DATA, G_RW);
	rig_access(&rig, GVA, ACC_W);
	check_eq("nothing", smmu_read_dirty_log(rig.smmu, 0, NULL, NULL), 0);
	check_eq("not counted", rig_count(&rig, CNT_dirty_log_reads), 0);
	check_eq("no exit", rig_access(&rig, GVA, ACC_W).exits, 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals),
		cmocka_unit_test(hole_in_ram),
		cmocka_unit_test(slots_come_and_go),
		cmocka_unit_test(slot_with_a_table_goes),
		cmocka_unit_test(log_of_writes),
		cmocka_unit_test(log_of_aliases),
		cmocka_unit_test(log_of_hypervisor_writes),
		cmocka_unit_test(log_without_paging),
		cmocka_unit_test(scan_passes_trap_over),
		cmocka_unit_test(no_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
