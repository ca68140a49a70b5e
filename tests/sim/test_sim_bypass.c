/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest faults that the filter would have passed and that exited all the same:
 * the shadow did not say of them what the guest's tables say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "synth.h"

struct counts {
	uint64_t direct, no_table, trap, protection;
};

static struct counts counts_of(const struct synth *s)
{
	const struct account *acct = sim_account(s->sim);

	return (struct counts){
		.direct = account_faults_direct(acct),
		.no_table = acct->counter[CNT_bypass_no_table],
		.trap = acct->counter[CNT_bypass_trap],
		.protection = acct->fault_injected[PFEC_P | PFEC_W | PFEC_U],
	};
}

/* gpa of the entry of this level for gva; the tables above are there. */
static gpa_t entry_of(const struct synth *s, gva_t gva, int level)
{
	gpa_t table = s->cr3;

	for (int l = 4; l > level; l--)
		table = mem_read_u64(s->mem, table + 8 * pt_index(gva, l)) &
			PTE_ADDR;
	return table + 8 * pt_index(gva, level);
}

#define SECOND (SYNTH_USER + PAGE_SIZE)

static void touch(struct synth *s, gva_t gva)
{
	assert_true(synth_touch(s, gva, PFEC_W, SYNTH_PTE_RW));
}

/* Two pages whose tables are there and shadowed. */
static void warm_up(struct synth *s)
{
	touch(s, SYNTH_USER);
	touch(s, SECOND);
}

static void one_more(struct synth *s)
{
	touch(s, SECOND + PAGE_SIZE);
}

/* A space nobody has run in: its tables are not shadowed but for the root. */
static void new_tables(struct synth *s)
{
	gpa_t cr3 = synth_new_space(s);

	synth_load_cr3(s, cr3);
	synth_pte(s, SYNTH_USER);
	touch(s, SYNTH_USER);
}

/* The guest frees a page table: its shadow is unlinked, what is left traps. */
static void freed_table(struct synth *s)
{
	synth_store(s, entry_of(s, SYNTH_USER, 2), 0);
	touch(s, SECOND);
}

/* A page is unmapped and touched again: update_pte wrote notrap. */
static void unmapped(struct synth *s)
{
	synth_store(s, entry_of(s, SECOND, 1), 0);
	touch(s, SECOND);
}

static void copy_on_write(struct synth *s)
{
	synth_store(s, entry_of(s, SECOND, 1),
		    (mem_read_u64(s->mem, entry_of(s, SECOND, 1)) &
		     ~(PTE_W | PTE_D)));
	touch(s, SECOND);
}

static const struct {
	const char *name;
	void (*act)(struct synth *s);
	struct counts want; /* with the bypass */
} cases[] = {
	{"a demand fault", one_more, {1, 0, 0, 0}},
	{"tables not shadowed", new_tables, {0, 1, 0, 0}},
	{"a page table freed", freed_table, {0, 0, 1, 0}},
	{"a page unmapped", unmapped, {1, 0, 0, 0}},
	{"copy on write", copy_on_write, {0, 0, 0, 1}},
};

/* With the bypass off nothing could have passed. */
static const struct {
	const char *config;
	bool bypass;
} configs[] = {
	{"audit=all mmu=kvm-2.6.25 bypass=on", true},
	{"audit=all mmu=kvm-2.6.25 bypass=off", false},
	{"audit=all mmu=kvm-2.6.20", false},
};

static void check(const char *config, const char *name, const char *what,
		  uint64_t got, uint64_t want)
{
	if (got != want)
		fail_msg("%s: %s: %s: got %llu, want %llu", config, name, what,
			 (unsigned long long)got, (unsigned long long)want);
}

static void faults_that_exit(void **state)
{
	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(configs) * ARRAY_LEN(cases); n++) {
		size_t c = n % ARRAY_LEN(configs), i = n / ARRAY_LEN(configs);
		const char *config = configs[c].config;
		struct counts want = cases[i].want, before, after;
		struct synth s;

		if (!configs[c].bypass)
			want = (struct counts){.protection = want.protection};
		synth_start(&s, config);
		warm_up(&s);
		before = counts_of(&s);
		cases[i].act(&s);
		after = counts_of(&s);
		check(config, cases[i].name, "direct",
		      after.direct - before.direct, want.direct);
		check(config, cases[i].name, "no table",
		      after.no_table - before.no_table, want.no_table);
		check(config, cases[i].name, "trap", after.trap - before.trap,
		      want.trap);
		check(config, cases[i].name, "protection",
		      after.protection - before.protection, want.protection);
		synth_end(&s);
	}
}

/* The filter decides what could have passed, not the bypass. */
static void other_filters(void **state)
{
	static const struct {
		const char *config;
		uint64_t missed;
	} filters[] = {
		{"mmu=kvm-2.6.25 bypass=on", 1},
		/* Only reads of absent pages pass; this is a write. */
		{"mmu=kvm-2.6.25 bypass=on exception-bitmap=0 pfec-mask=3 "
		 "pfec-match=0",
		 0},
		{"mmu=kvm-2.6.25 bypass=on exception-bitmap=0 pfec-mask=3 "
		 "pfec-match=2",
		 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		struct counts before, after;
		struct synth s;

		synth_start(&s, filters[i].config);
		warm_up(&s);
		before = counts_of(&s);
		new_tables(&s);
		after = counts_of(&s);
		check(filters[i].config, "new tables", "no table",
		      after.no_table - before.no_table, filters[i].missed);
		synth_end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_that_exit),
		cmocka_unit_test(other_filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
