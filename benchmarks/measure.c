/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "arch/cr.h"
#include "arch/paging.h"

#define TABLES UINT64_C(0x1000000)
#define ENTRY  (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)

double measure_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void measure_die(const char *line)
{
	fprintf(stderr, "benchmark: %s\n", line);
	exit(1);
}

/* A table whose first nr entries lead to pages one after the other. */
static void put_table(struct trace_writer *w, gpa_t at, gpa_t first,
		      uint64_t nr)
{
	uint64_t table[PT_ENTRIES] = {0};
	const struct trace_item item = {
		.kind = TRACE_ITEM_TABLE, .gpa = at, .table = table};

	for (uint64_t i = 0; i < nr && i < PT_ENTRIES; i++)
		table[i] = (first + i * PAGE_SIZE) | ENTRY;
	trace_write_item(w, &item);
}

/* PML4, PDPT, PD, and a leaf table for every 2 MiB. */
static void put_tables(struct trace_writer *w, gpa_t at, uint64_t size)
{
	uint64_t leaves = size / (PT_ENTRIES * PAGE_SIZE);
	gpa_t first = at + 3 * PAGE_SIZE;

	put_table(w, at, at + PAGE_SIZE, 1);
	put_table(w, at + PAGE_SIZE, at + 2 * PAGE_SIZE, 1);
	put_table(w, at + 2 * PAGE_SIZE, first, leaves);
	for (uint64_t i = 0; i < leaves; i++)
		put_table(w, first + i * PAGE_SIZE, i * PT_ENTRIES * PAGE_SIZE,
			  PT_ENTRIES);
}

void measure_write(const struct stream *s, const struct measure_guest *guest,
		   const char *path)
{
	uint64_t size = guest->memory - (guest->is_paged ? TABLES : 0);
	struct trace_info info = {.granularity = guest->granularity,
				  .source = "benchmark",
				  .cr0 = 0x11,
				  .memory = guest->memory};
	struct trace_writer *w;
	struct diag diag;

	if (guest->is_paged) {
		info.cr0 = CR0_PE | CR0_ET | CR0_WP | CR0_PG;
		info.cr3 = size;
		info.cr4 = CR4_PAE;
		info.efer = EFER_LME | EFER_LMA;
	}
	if (trace_writer_create(path, &info, &w, &diag))
		measure_die(diag.msg);
	if (guest->is_paged)
		put_tables(w, size, size);
	for (uint32_t i = 0; i < s->nr; i++) {
		struct trace_ref ref = s->refs[i];

		ref.gva %= size;
		trace_write_ref(w, &ref);
	}
	if (trace_writer_close(w, NULL, &diag))
		measure_die(diag.msg);
}

struct trace_reader *measure_open(const char *path)
{
	struct trace_reader *r;
	struct diag diag;

	if (trace_reader_open(path, &r, &diag))
		measure_die(diag.msg);
	return r;
}
