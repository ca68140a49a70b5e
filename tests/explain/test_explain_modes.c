/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is told of a walk, in each paging mode and for each bit that can decide.
 * Guests are tables made by hand, their words are what the manual says of them
 * (SDM vol. 3A, "Paging"), with indices that differ from level to level.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/cr.h"
#include "text.h"
#include "trace/trace.h"

#define LINK  (PTE_P | PTE_W | PTE_U | PTE_A)
#define PAGE_ (PTE_P | PTE_W | PTE_A | PTE_D)
#define USER  (PAGE_ | PTE_U)

#define PAGING (CR0_PG | CR0_PE | CR0_WP | CR0_ET)
#define LONG   (EFER_LME | EFER_LMA | EFER_NXE)
#define MEMORY (UINT64_C(16) << 20)
#define LA(a, b, c, d, e)                                                  \
	((UINT64_C(a) << 48) | (UINT64_C(b) << 39) | (UINT64_C(c) << 30) | \
	 (UINT64_C(d) << 21) | (UINT64_C(e) << 12))

struct entry {
	gpa_t table;
	unsigned int index;
	uint64_t val;
};

#define ENTRIES_MAX 6
#define WORDS_MAX   8

struct scene {
	const char *name;
	uint64_t cr0, cr4, efer;
	uint64_t pdpte1; /* PAE: of 1 GiB to 2 GiB */
	uint32_t pkru;
	const char *features; /* -D features= */
	const char *mmu, *bypass;
	struct entry entry[ENTRIES_MAX];
	gva_t gva;
	uint8_t kind; /* enum trace_kind */
	bool user, ac;
	const char *words[WORDS_MAX];    /* the text has them all */
	const char *no_words[WORDS_MAX]; /* and none of these */
};

/* Tables from 0x1000 on, pages from 0x15000 on. */
static const struct scene scenes[] = {
	{
		.name = "4 levels",
		.cr0 = PAGING,
		.cr4 = CR4_PAE,
		.efer = LONG,
		.entry = {{0x1000, 2, 0x2000 | LINK},
			  {0x2000, 3, 0x3000 | LINK},
			  {0x3000, 4, 0x4000 | LINK},
			  {0x4000, 5, 0x15000 | USER}},
		.gva = LA(0, 2, 3, 4, 5),
		.kind = TRACE_READ,
		.user = true,
		.words = {"4-level paging, CR3 0x1000",
			  "PML4E 0x1000 2 0x2027 P W U A -> table 0x2000",
			  "PDPTE 0x2000 3 0x3027 P W U A -> table 0x3000",
			  "PDE 0x3000 4 0x4027 P W U A -> table 0x4000",
			  "PTE 0x4000 5 0x15067 P W U A D -> page 0x15000",
			  "The guest allows it: guest-physical 0x15000",
			  "Cause: hidden_fill"},
	},
	{
		.name = "2M page, split",
		.cr0 = PAGING,
		.cr4 = CR4_PAE,
		.efer = LONG,
		.entry = {{0x1000, 2, 0x2000 | LINK},
			  {0x2000, 3, 0x3000 | LINK},
			  {0x3000, 4, 0x400000 | USER | PTE_PS}},
		.gva = LA(0, 2, 3, 4, 5),
		.kind = TRACE_READ,
		.user = true,
		.words = {"PDE 0x3000 4 0x4000e7 P W U A D -> 2M page 0x400000",
			  "guest-physical 0x405000",
			  "(metaphysical: no guest table)",
			  " 5 0x405047 P W U D -> page 0x405000"},
		.no_words = {"PTE 0x400000"},
	},
	{
		.name = "5 levels",
		.cr0 = PAGING,
		.cr4 = CR4_PAE | CR4_LA57,
		.efer = LONG,
		.features = "la57",
		.entry = {{0x1000, 1, 0x2000 | LINK},
			  {0x2000, 2, 0x3000 | LINK},
			  {0x3000, 3, 0x4000 | LINK},
			  {0x4000, 4, 0x5000 | LINK},
			  {0x5000, 5, 0x15000 | USER}},
		.gva = LA(1, 2, 3, 4, 5),
		.kind = TRACE_WRITE,
		.user = true,
		.words = {"5-level paging, CR3 0x1000",
			  "PML5E 0x1000 1 0x2027 P W U A -> table 0x2000",
			  "PML4E 0x2000 2 0x3027", "PDPTE 0x3000 3 0x4027",
			  "PDE 0x4000 4 0x5027", "PTE 0x5000 5 0x15067",
			  "guest table reference by KVM's walker 5 60 300"},
	},
	{
		.name = "PAE",
		.cr0 = PAGING,
		.cr4 = CR4_PAE,
		.efer = EFER_NXE,
		.pdpte1 = 0x2000 | PTE_P,
		.entry = {{0x1000, 1, 0x2000 | PTE_P},
			  {0x2000, 4, 0x4000 | LINK},
			  {0x4000, 5, 0x15000 | USER}},
		.gva = LA(0, 0, 1, 4, 5),
		.kind = TRACE_READ,
		.user = true,
		.words = {"PAE paging, CR3 0x1000",
			  "PDPTE register 1 0x2001 P -> table 0x2000",
			  "PDE 0x2000 4 0x4027", "PTE 0x4000 5 0x15067",
			  "It walks the shadow (PAE paging",
			  "guest table reference by KVM's walker 2 60 120"},
		.no_words = {"PML4E"},
	},
	{
		.name = "PAE, no PDPTE",
		.cr0 = PAGING,
		.cr4 = CR4_PAE,
		.efer = EFER_NXE,
		.gva = LA(0, 0, 1, 4, 5),
		.kind = TRACE_READ,
		.user = true,
		.words = {"PDPTE register 1 0x0 P=0: nothing is mapped",
			  "A true guest fault", "error code 0x4",
			  "No VM exit: the fault goes straight"},
	},
	{
		.name = "32 bits",
		.cr0 = PAGING,
		/* Entries of 4 bytes: two in one of these. */
		.entry = {{0x1000, 2, (0x2000 | LINK) << 32},
			  {0x2000, 3, (UINT64_C(0x15000) | USER) << 32}},
		.gva = (5u << 22) | (7u << 12),
		.kind = TRACE_READ,
		.user = true,
		.words = {"32-bit paging, CR3 0x1000",
			  "PDE 0x1000 5 0x2027 P W U A -> table 0x2000",
			  "PTE 0x2000 7 0x15067 P W U A D -> page 0x15000",
			  "guest-physical 0x15000",
			  "It walks the shadow (PAE paging", "quadrant 0"},
	},
	{
		.name = "32 bits, second half of a table",
		.cr0 = PAGING,
		.entry = {{0x1000, 2, (0x2000 | LINK) << 32},
			  {0x2000, 300, UINT64_C(0x15000) | USER}},
		.gva = (5u << 22) | (600u << 12),
		.kind = TRACE_READ,
		.user = true,
		.words = {"PTE 0x2000 600 0x15067", "quadrant 1"},
	},
	{
		.name = "4M page",
		.cr0 = PAGING,
		.cr4 = CR4_PSE,
		.entry = {{0x1000, 3, UINT64_C(0x400000) | USER | PTE_PS}},
		.gva = (6u << 22) | 0x5000,
		.kind = TRACE_READ,
		.user = true,
		.words = {"PDE 0x1000 6 0x4000e7 P W U A D -> 4M page 0x400000",
			  "guest-physical 0x405000", "metaphysical"},
	},
	{
		.name = "PS without CR4.PSE is a table",
		.cr0 = PAGING,
		.entry = {{0x1000, 3, UINT64_C(0x2000) | LINK | PTE_PS},
			  {0x2000, 2, (UINT64_C(0x15000) | USER) << 32}},
		.gva = (6u << 22) | 0x5000,
		.kind = TRACE_READ,
		.user = true,
		.words = {"PDE 0x1000 6 0x20a7 P W U A -> table 0x2000",
			  "PTE 0x2000 5 0x15067"},
	},
	{
		.name = "no write above",
		.cr0 = PAGING,
		.cr4 = CR4_PAE,
		.efer = LONG,
		.entry = {{0x1000, 2, 0x2000 | LINK},
			  {0x2000, 3, 0x3000 | LINK},
			  {0x3000, 4, 0x4000 | (LINK & ~PTE_W)},
			  {0x4000, 5, 0x15000 | USER}},
		.gva = LA(0, 2, 3, 4, 5),
		.kind = TRACE_WRITE,
		.user = true,
		.words = {"present P=1 in every entry: yes",
			  "user U=1 in every entry: allowed",
			  "write W=0 in PDE: denied", "A true guest fault",
			  "error code 0x7"},
	},
	{
		.name = "no write, supervisor, WP=0",
		.cr0 = PAGING & ~CR0_WP,
		.cr4 = CR4_PAE,
		.efer = LONG,
		.entry = {{0x1000, 2, 0x2000 | LINK},
			  {0x2000, 3, 0x3000 | LINK},
			  {0x3000, 4, 0x4000 | LINK},
			  {0x4000, 5, 0x15000 | (USER & ~PTE_W)}},
		.gva = LA(0, 2, 3, 4, 5),
		.kind = TRACE_WRITE,
		.words = {"write W=0 in PTE, CR0.WP=0: allowed to the "
			  "supervisor",
			  "The guest allows it"},
	},
	{
		.name = "no execution",
		.cr0 = PAGING,
		.cr4 = CR4_PAE,
		.efer = LONG,
		.entry = {{0x1000, 2, 0x2000 | LINK},
			  {0x2000, 3, 0x3000 | LINK},
			  {0x3000, 4, 0x4000 | LINK},
			  {0x4000, 5, 0x15000 | USER | PTE_NX}},
		.gva = LA(0, 2, 3, 4, 5),
		.kind = TRACE_FETCH,
		.user = true,
		.words = {"fetch NX=1 in PTE: denied", "error code 0x15"},
	},
	{
		.name = "supervisor page",
		.cr0 = PAGING,
		.cr4 = CR4_PAE,
		.efer = LONG,
		.entry = {{0x1000, 2, 0x2000 | LINK},
			  {0x2000, 3, 0x3000 | LINK},
			  {0x3000, 4, 0x4000 | LINK},
			  {0x4000, 5, 0x15000 | PAGE_}},
		.gva = LA(0, 2, 3, 4, 5),
		.kind = TRACE_READ,
		.user = true,
		.words = {"user U=0 in PTE: denied", "error code 0x5"},
	},
	{
		.name = "reserved bit, which KVM of the time does not see",
		.cr0 = PAGING,
		.cr4 = CR4_PAE,
		.efer = LONG,
		.entry = {{0x1000, 2, 0x2000 | LINK},
			  {0x2000, 3, 0x3000 | LINK},
			  {0x3000, 4, 0x4000 | LINK},
			  {0x4000, 5, 0x15000 | USER | BIT(45)}},
		.gva = LA(0, 2, 3, 4, 5),
		.kind = TRACE_READ,
		.user = true,
		.words = {"P W U A D, reserved bit 45 set",
			  "reserved bit 45 of the PTE are set and must be 0 "
			  "(MAXPHYADDR 40, EFER.NXE=1)",
			  "the guest's tables fault here with 0xd; this "
			  "hypervisor's walker does not see it"},
	},
	{
		.name = "rights above hide absence below from KVM",
		.cr0 = PAGING,
		.cr4 = CR4_PAE,
		.efer = LONG,
		.bypass = "off",
		.entry = {{0x1000, 2, 0x2000 | LINK},
			  {0x2000, 3, 0x3000 | LINK},
			  {0x3000, 4, 0x4000 | (LINK & ~PTE_U)}},
		.gva = LA(0, 2, 3, 4, 5),
		.kind = TRACE_READ,
		.user = true,
		.words =
			{"P=0 in the PTE: no",
			 "would raise #PF with error code 0x4",
			 "It is the guest's entry of level 2 that says no; the "
			 "error code to inject is 0x5",
			 "says 0x5 where the processor's rules give 0x4"},
	},
	{
		.name = "SMEP",
		.cr0 = PAGING,
		.cr4 = CR4_PAE | CR4_SMEP,
		.efer = LONG,
		.features = "smep",
		.entry = {{0x1000, 2, 0x2000 | LINK},
			  {0x2000, 3, 0x3000 | LINK},
			  {0x3000, 4, 0x4000 | LINK},
			  {0x4000, 5, 0x15000 | USER}},
		.gva = LA(0, 2, 3, 4, 5),
		.kind = TRACE_FETCH,
		.words =
			{"CR4.SMEP=1",
			 "supervisor CR4.SMEP=1 and U=1 in every entry: denied",
			 "A true guest fault", "error code 0x11"},
	},
	{
		.name = "SMEP lets data be read",
		.cr0 = PAGING,
		.cr4 = CR4_PAE | CR4_SMEP,
		.efer = LONG,
		.features = "smep",
		.entry = {{0x1000, 2, 0x2000 | LINK},
			  {0x2000, 3, 0x3000 | LINK},
			  {0x3000, 4, 0x4000 | LINK},
			  {0x4000, 5, 0x15000 | USER}},
		.gva = LA(0, 2, 3, 4, 5),
		.kind = TRACE_READ,
		.words = {"The guest allows it"},
		.no_words = {"CR4.SMAP", "supervisor CR4.SMEP"},
	},
	{
		.name = "SMAP",
		.cr0 = PAGING,
		.cr4 = CR4_PAE | CR4_SMAP,
		.efer = LONG,
		.features = "smap",
		.entry = {{0x1000, 2, 0x2000 | LINK},
			  {0x2000, 3, 0x3000 | LINK},
			  {0x3000, 4, 0x4000 | LINK},
			  {0x4000, 5, 0x15000 | USER}},
		.gva = LA(0, 2, 3, 4, 5),
		.kind = TRACE_READ,
		.words =
			{"supervisor CR4.SMAP=1 and U=1 in every entry: denied",
			 "error code 0x1"},
	},
	{
		.name = "SMAP, RFLAGS.AC",
		.cr0 = PAGING,
		.cr4 = CR4_PAE | CR4_SMAP,
		.efer = LONG,
		.features = "smap",
		.entry = {{0x1000, 2, 0x2000 | LINK},
			  {0x2000, 3, 0x3000 | LINK},
			  {0x3000, 4, 0x4000 | LINK},
			  {0x4000, 5, 0x15000 | USER}},
		.gva = LA(0, 2, 3, 4, 5),
		.kind = TRACE_READ,
		.ac = true,
		.words = {"but RFLAGS.AC=1: allowed", "The guest allows it"},
	},
	{
		.name = "protection key",
		.cr0 = PAGING,
		.cr4 = CR4_PAE | CR4_PKE,
		.efer = LONG,
		.features = "pku",
		.pkru = 0x80, /* key 3: WD */
		.entry = {{0x1000, 2, 0x2000 | LINK},
			  {0x2000, 3, 0x3000 | LINK},
			  {0x3000, 4, 0x4000 | LINK},
			  {0x4000, 5, 0x15000 | USER | UINT64_C(3) << 59}},
		.gva = LA(0, 2, 3, 4, 5),
		.kind = TRACE_WRITE,
		.user = true,
		.words = {"P W U A D key=3",
			  "key protection key 3, of which PKRU 0x80 says AD=0 "
			  "WD=1: denied",
			  "error code 0x27"},
	},
};

static void add_tables(const struct scene *s, struct trace_writer *w)
{
	for (gpa_t gpa = 0x1000; gpa <= 0x5000; gpa += PAGE_SIZE) {
		uint64_t table[PT_ENTRIES] = {0};
		const struct trace_item item = {
			.kind = TRACE_ITEM_TABLE, .gpa = gpa, .table = table};
		bool any = gpa == 0x1000;

		for (size_t i = 0; i < ENTRIES_MAX; i++) {
			if (s->entry[i].table != gpa)
				continue;
			table[s->entry[i].index] = s->entry[i].val;
			any = true;
		}
		if (any)
			trace_write_item(w, &item);
	}
}

static void write_trace(const struct scene *s)
{
	const struct trace_info info = {
		.granularity = TRACE_FULL,
		.memory = MEMORY,
		.source = "test",
		.cr0 = s->cr0,
		.cr3 = 0x1000,
		.cr4 = s->cr4,
		.efer = s->efer,
		.pdpte = {0, s->pdpte1, 0, 0},
	};
	const struct trace_ref ref = {
		.gva = s->gva,
		.count = 1,
		.kind = s->kind,
		.size = 4,
		.user = s->user,
		.ac = s->ac,
	};
	const struct trace_item wrpkru = {
		.kind = TRACE_ITEM_EVENT,
		.event = {.kind = GE_WRPKRU, .value = s->pkru},
	};
	struct trace_writer *w;
	struct diag diag;

	if (trace_writer_create(text_path, &info, &w, &diag))
		fail_msg("%s: %s", s->name, diag.msg);
	add_tables(s, w);
	if (s->pkru)
		trace_write_item(w, &wrpkru);
	trace_write_ref(w, &ref);
	if (trace_writer_close(w, NULL, &diag))
		fail_msg("%s: %s", s->name, diag.msg);
}

static void set(struct config *config, const char *key, const char *value)
{
	struct diag diag;

	if (value && config_set(config, key, value, &diag))
		fail_msg("%s", diag.msg);
}

/* free() it. */
static char *text_of_scene(const struct scene *s)
{
	struct config config;

	config_init(&config);
	set(&config, "mmu", s->mmu);
	set(&config, "bypass", s->bypass);
	set(&config, "features", s->features);
	write_trace(s);
	return text_of(&config, EXPLAIN_GVA, s->gva);
}

static void every_scene(void **state)
{
	bool failed = false;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scenes); i++) {
		const struct scene *s = &scenes[i];
		char *text = text_of_scene(s);

		for (size_t k = 0; k < WORDS_MAX; k++) {
			if (s->words[k] && !strstr(text, s->words[k])) {
				print_error("%s: not there: \"%s\" in: %s\n",
					    s->name, s->words[k], text);
				failed = true;
			}
			if (s->no_words[k] && strstr(text, s->no_words[k])) {
				print_error("%s: there: \"%s\"\n", s->name,
					    s->no_words[k]);
				failed = true;
			}
		}
		free(text);
	}
	assert_false(failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_scene),
	};

	return cmocka_run_group_tests(tests, text_begin, text_end);
}
