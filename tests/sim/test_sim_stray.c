/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A processor that has no reserved bits left in trap entries (52 bits, NXE):
 * which references go astray is counted, and nothing else changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/cr.h"
#include "arch/exception.h"
#include "sim/trap_check.h"
#include "synth.h"

#define FORCED "audit=all maxphyaddr=52 unsafe-trap=force "
#define SAFE   "audit=all maxphyaddr=51 "

/* Mapped by the guest, and not in the shadow yet: the stack's table has them.
 */
#define FRESH   UINT64_C(0x40000)
#define NOWHERE UINT64_C(0xffffffffff000)

static uint64_t wrong(const struct synth *s)
{
	return synth_counter(s, CNT_wrong_translations);
}

static void read_page(struct synth *s, gpa_t gpa)
{
	synth_kernel_access(s, SYNTH_DIRECT + gpa, 0);
}

/* Each first read of a page; the second finds it in the shadow. */
static void kernel_reads(void **state)
{
	struct synth s;
	uint64_t before;

	(void)state;
	synth_start(&s, FORCED "mmu=kvm-2.6.25");
	before = wrong(&s);
	for (int round = 0; round < 2; round++)
		for (gpa_t i = 0; i < 10; i++)
			read_page(&s, FRESH + i * PAGE_SIZE + 8 * i);
	assert_int_equal(wrong(&s) - before, 10);
	synth_end(&s);
}

/* trap has neither W nor U, and is no-execute: these uses fault. */
static void other_uses(void **state)
{
	struct synth s;
	uint64_t before;

	(void)state;
	synth_start(&s, FORCED "mmu=kvm-2.6.25");
	synth_touch(&s, SYNTH_USER, PFEC_W, SYNTH_PTE_RW);
	before = wrong(&s);
	synth_kernel_access(&s, SYNTH_DIRECT + FRESH, PFEC_W);
	synth_kernel_access(&s, SYNTH_DIRECT + FRESH + PAGE_SIZE, PFEC_ID);
	for (gva_t i = 1; i < 4; i++)
		synth_touch(&s, SYNTH_USER + i * PAGE_SIZE, 0, SYNTH_PTE_RO);
	/* The handler's stores write through the direct map. */
	assert_int_equal(wrong(&s), before);
	synth_end(&s);
}

/*
 * No leaf table yet: the processor takes trap for a link, and what it reads
 * there, all ones, for a page.  The fill then makes the whole way.
 */
static void no_table(void **state)
{
	struct synth s;
	uint64_t before;

	(void)state;
	synth_start(&s, FORCED "mmu=kvm-2.6.25");
	before = wrong(&s);
	read_page(&s, 0x800000);
	assert_int_equal(wrong(&s) - before, 1);
	assert_int_equal(synth_cause(&s, CAUSE_spurious), 0);
	synth_end(&s);
}

static void told(void **state)
{
	const struct sim_stray *stray;
	unsigned int nr;
	struct synth s;

	(void)state;
	synth_start(&s, FORCED "mmu=seed");
	sim_strays(s.sim, &nr);
	assert_int_equal(nr, 0);
	for (gpa_t i = 0; i < 20; i++)
		read_page(&s, FRESH + i * PAGE_SIZE + 8 * i);
	stray = sim_strays(s.sim, &nr);
	assert_int_equal(nr, SIM_STRAYS_MAX);
	assert_int_equal(wrong(&s), 20);
	for (gpa_t i = 0; i < nr; i++) {
		assert_int_equal(stray[i].gva,
				 SYNTH_DIRECT + FRESH + i * (PAGE_SIZE + 8));
		assert_int_equal(stray[i].hpa, NOWHERE + 8 * i);
		assert_int_equal(stray[i].gpa, FRESH + i * (PAGE_SIZE + 8));
		assert_int_equal(stray[i].rip, SYNTH_DIRECT + 0x100000);
		assert_int_equal(stray[i].access, 0);
	}
	synth_end(&s);
}

/* A guest that does a bit of everything. */
static void live_a_little(struct synth *s)
{
	for (int n = 0; n < 3; n++) {
		synth_load_cr3(s, synth_new_space(s));
		for (gva_t i = 0; i < 6; i++) {
			gva_t gva = SYNTH_USER + i * PAGE_SIZE;

			synth_touch(s, gva, i & 1 ? PFEC_W : 0, SYNTH_PTE_RO);
			read_page(s, FRESH + (i + 8 * (gva_t)n) * PAGE_SIZE);
			synth_touch(s, gva, PFEC_W, SYNTH_PTE_RW);
		}
		synth_store(s, synth_pte(s, SYNTH_USER), 0);
		synth_touch(s, SYNTH_USER, 0, SYNTH_PTE_RW);
	}
}

/* All that was counted, but for the wrong translations. */
static struct account counted(struct synth *s, const char *config)
{
	struct account ret;

	synth_start(s, config);
	live_a_little(s);
	ret = *sim_account(s->sim);
	return ret;
}

static void nothing_else_changes(void **state)
{
	static const char *const mmus[] = {"mmu=seed", "mmu=kvm-2.6.25"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(mmus); i++) {
		struct account safe, forced;
		struct synth a, b;
		char config[80];

		snprintf(config, sizeof(config), SAFE "%s", mmus[i]);
		safe = counted(&a, config);
		snprintf(config, sizeof(config), FORCED "%s", mmus[i]);
		forced = counted(&b, config);
		assert_int_equal(safe.counter[CNT_wrong_translations], 0);
		assert_true(forced.counter[CNT_wrong_translations] > 3);
		forced.counter[CNT_wrong_translations] = 0;
		assert_memory_equal(safe.counter, forced.counter,
				    sizeof(safe.counter));
		assert_memory_equal(safe.pf_cause, forced.pf_cause,
				    sizeof(safe.pf_cause));
		assert_memory_equal(safe.fault_direct, forced.fault_direct,
				    sizeof(safe.fault_direct));
		assert_memory_equal(safe.fault_injected, forced.fault_injected,
				    sizeof(safe.fault_injected));
		assert_int_equal(safe.now, forced.now);
		assert_int_equal(sim_fault_digest(a.sim),
				 sim_fault_digest(b.sim));
		assert_int_equal(mem_ram_digest(a.mem), mem_ram_digest(b.mem));
		synth_end(&a);
		synth_end(&b);
	}
}

static void never_when_safe(void **state)
{
	static const char *const configs[] = {
		SAFE,
		"audit=all maxphyaddr=36 unsafe-trap=force",
		FORCED "bypass=off",
		FORCED "mmu=kvm-2.6.24",
		FORCED "vendor=amd",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
		struct synth s;

		synth_start(&s, configs[i]);
		live_a_little(&s);
		assert_int_equal(wrong(&s), 0);
		synth_end(&s);
	}
}

static void marker(struct synth *s, uint64_t val)
{
	synth_push(s, (struct guest_event){.kind = GE_IO,
					   .error = GUEST_MARKER_PORT,
					   .size = 1,
					   .access = PFEC_W,
					   .value = val});
}

/* roi=on: those of the region, in count and list. */
static void of_the_region(void **state)
{
	const struct sim_stray *stray;
	unsigned int nr;
	struct synth s;

	(void)state;
	synth_start(&s, FORCED "mmu=kvm-2.6.25 roi=on");
	read_page(&s, FRESH);
	marker(&s, GUEST_REGION_BEGINS);
	read_page(&s, FRESH + 5 * PAGE_SIZE);
	marker(&s, GUEST_REGION_ENDS);
	read_page(&s, FRESH + 6 * PAGE_SIZE);
	stray = sim_strays(s.sim, &nr);
	assert_int_equal(nr, 1);
	assert_int_equal(stray[0].gpa, FRESH + 5 * PAGE_SIZE);
	assert_int_equal(wrong(&s), 1);
	synth_end(&s);
}

/* The guest cannot turn on what its host has not. */
static void without_nxe(void **state)
{
	struct guest_event ev = {.kind = GE_WRMSR,
				 .error = MSR_EFER,
				 .value = EFER_LME | EFER_NXE};
	struct config config;
	struct guest_outcome out;
	struct diag diag;
	struct mem *mem;
	struct sim *sim;

	(void)state;
	for (int nxe = 0; nxe < 2; nxe++) {
		config_init(&config);
		assert_int_equal(config_set(&config, "host-nxe",
					    nxe ? "on" : "off", &diag),
				 0);
		assert_int_equal(mem_create(SYNTH_RAM, sim_pool_pages(&config),
					    false, &mem, &diag),
				 0);
		assert_int_equal(sim_create(&config, mem, &sim, &diag), 0);
		event_push(sim_sink(sim), &ev, &out);
		if (nxe) {
			assert_int_equal(out.verdict, GO_DONE);
		} else {
			assert_int_equal(out.verdict, GO_FAULT);
			assert_int_equal(out.vector, EXC_GP);
		}
		sim_destroy(sim);
		mem_destroy(mem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_reads),
		cmocka_unit_test(other_uses),
		cmocka_unit_test(no_table),
		cmocka_unit_test(told),
		cmocka_unit_test(nothing_else_changes),
		cmocka_unit_test(never_when_safe),
		cmocka_unit_test(of_the_region),
		cmocka_unit_test(without_nxe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
