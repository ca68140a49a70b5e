/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which frames a recording tells as page tables: those that a walk goes
 * through, in the order it does, each once, and not what a large page or an
 * entry that is not present leads to.
 */
#include "tape.h"

#include <inttypes.h>

#include "arch/cr.h"
#include "mem/mem.h"
#include "record/recorder.h"

#define ROOT UINT64_C(0x1000)
#define LOW  UINT64_C(0x2000) /* tables below it, one a level */
#define PAGE UINT64_C(0x40000)
#define GVA  UINT64_C(0x40123456)

#define LEAF    (PAGE | PTE_P)
#define PRESENT (PTE_P | PTE_W)

struct made {
	const char *name;
	enum paging_mode mode;
	uint64_t cr4;
	int large;         /* level of an entry with PS; 0: none has it */
	int absent;        /* of one that is not present */
	unsigned int told; /* frames from the root on */
};

static const struct made cases[] = {
	{"32-bit", PAGING_32, 0, 0, 0, 2},
	{"32-bit, 4 MiB", PAGING_32, CR4_PSE, 2, 0, 1},
	{"32-bit, PS without PSE", PAGING_32, 0, 2, 0, 2},
	{"32-bit, absent", PAGING_32, CR4_PSE, 0, 2, 1},
	{"PAE", PAGING_PAE, CR4_PAE, 0, 0, 3},
	{"PAE, 2 MiB", PAGING_PAE, CR4_PAE, 2, 0, 2},
	{"PAE, absent", PAGING_PAE, CR4_PAE, 0, 2, 2},
	{"4 levels", PAGING_4LEVEL, CR4_PAE, 0, 0, 4},
	{"4 levels, 2 MiB", PAGING_4LEVEL, CR4_PAE, 2, 0, 3},
	{"4 levels, 1 GiB", PAGING_4LEVEL, CR4_PAE, 3, 0, 2},
	{"4 levels, PS of the root", PAGING_4LEVEL, CR4_PAE, 4, 0, 4},
	{"4 levels, absent", PAGING_4LEVEL, CR4_PAE, 0, 3, 2},
	{"5 levels", PAGING_5LEVEL, CR4_PAE, 0, 0, 5},
	{"5 levels, 2 MiB", PAGING_5LEVEL, CR4_PAE, 2, 0, 4},
};

struct guest {
	struct event_sink sink; /* what a simulator would be */
	struct guest_view view;
	struct mem *mem;
	struct recorder *recorder;
};

static void push(struct event_sink *sink, const struct guest_event *ev,
		 struct guest_outcome *out)
{
	(void)sink;
	*out = (struct guest_outcome){.verdict = GO_DONE, .hpa = ev->gva};
}

static bool translate(struct event_sink *sink, gva_t gva, hpa_t *ret)
{
	(void)sink;
	*ret = gva;
	return true;
}

/* Frame number i from the root on. */
static gpa_t frame(unsigned int i)
{
	return i ? LOW + (i - 1) * PAGE_SIZE : ROOT;
}

static void make_tables(struct guest *g, const struct made *made)
{
	int levels = made->mode == PAGING_PAE ? 3 : paging_levels(made->mode);

	for (int level = levels; level; level--) {
		unsigned int i = (unsigned int)(levels - level);
		gpa_t at =
			frame(i) + (gpa_t)paging_entry_size(made->mode) *
					   paging_index(made->mode, GVA, level);
		uint64_t entry = level == 1 ? LEAF : frame(i + 1) | PRESENT;

		if (made->large == level)
			entry |= PTE_PS;
		if (made->absent == level)
			entry &= ~PTE_P;
		if (made->mode == PAGING_PAE && level == 3)
			entry &= ~PTE_W;
		if (made->mode == PAGING_32)
			mem_write_u32(g->mem, at, (uint32_t)entry);
		else
			mem_write_u64(g->mem, at, entry);
	}
}

static void write_cr(struct guest *g, uint8_t cr, uint64_t value)
{
	struct guest_event ev = {.kind = GE_CR_WRITE, .cr = cr, .value = value};
	struct guest_outcome out;

	event_push(recorder_sink(g->recorder), &ev, &out);
}

static void access_twice(struct guest *g)
{
	struct guest_event ev = {
		.kind = GE_ACCESS, .gva = GVA, .size = 1, .rip = GVA};
	struct guest_outcome out;

	event_push(recorder_sink(g->recorder), &ev, &out);
	event_push(recorder_sink(g->recorder), &ev, &out);
}

static void record(const char *path, const struct made *made, struct tape *ret)
{
	struct trace_info info = {.granularity = TRACE_PAGES};
	struct guest g = {.sink = {.push = push, .translate = translate}};
	struct tape_reading how;
	struct diag diag;

	g.sink.view = &g.view;
	assert_int_equal(mem_create(1 << 20, 16, false, &g.mem, &diag), 0);
	assert_int_equal(recorder_create(path, &info, &g.sink, g.mem,
					 &g.recorder, &diag),
			 0);
	make_tables(&g, made);
	g.view.cr0 = CR0_PG | CR0_PE;
	g.view.cr4 = made->cr4;
	g.view.efer = made->mode >= PAGING_4LEVEL ? EFER_LME : 0;
	g.view.guest = made->mode;
	g.view.cr3 = ROOT;
	write_cr(&g, 3, ROOT);
	access_twice(&g);
	if (recorder_finish(g.recorder, 0, &diag))
		fail_msg("%s: %s", made->name, diag.msg);
	mem_destroy(g.mem);
	assert_int_equal(tape_read(ret, path, &how, &diag), 0);
}

static void check_one(const struct made *made)
{
	struct tape tape;
	unsigned int nr = 0;

	record(scratch_path("tables"), made, &tape);
	for (size_t i = 0; i < tape.nr; i++) {
		const struct tape_entry *e = &tape.entries[i];

		if (e->is_ref || e->item.kind != TRACE_ITEM_TABLE)
			continue;
		if (e->item.gpa != frame(nr))
			fail_msg("%s: table %u is 0x%" PRIx64, made->name, nr,
				 e->item.gpa);
		nr++;
	}
	if (nr != made->told)
		fail_msg("%s: %u tables, want %u", made->name, nr, made->told);
	tape_finish(&tape);
}

static void walked(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_one(&cases[i]);
	scratch_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walked),
	};

	return cmocka_run_group_tests_name("record_tables", tests, NULL, NULL);
}
