/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "faults.h"

#include <string.h>

#include "arch/cr.h"
#include "arch/exception.h"

/* Frames. */
#define PML4     UINT64_C(0x1000)
#define PDPT     UINT64_C(0x2000)
#define PD_LOW   UINT64_C(0x3000)
#define PT_LOW   UINT64_C(0x4000)
#define PD_USER  UINT64_C(0x5000)
#define PT_ALIAS UINT64_C(0x6000)
#define LEAVES   UINT64_C(0x100000) /* leaf tables of the user's pages */
#define PAGES    UINT64_C(0x400000) /* the pages, over and over */
#define NR_PAGES 32768u
#define MEMORY   (UINT64_C(256) << 20)

/* Linear addresses. */
#define CODE    UINT64_C(0x10000)
#define HANDLER UINT64_C(0x11000)
#define STACK   UINT64_C(0x12000)
#define IDT     UINT64_C(0x13000)
#define ALIAS   UINT64_C(0x200000) /* of LEAVES */
#define USER    UINT64_C(0x40000000)

#define KERNEL_RW (PTE_P | PTE_W | PTE_A | PTE_D)
#define USER_RW   (KERNEL_RW | PTE_U)

static void put_table(struct trace_writer *w, gpa_t gpa, const uint64_t *table)
{
	const struct trace_item item = {
		.kind = TRACE_ITEM_TABLE, .gpa = gpa, .table = table};

	trace_write_item(w, &item);
}

static void put_tables(struct trace_writer *w)
{
	uint64_t table[7][PT_ENTRIES] = {0};

	table[1][0] = PDPT | USER_RW;
	table[2][0] = PD_LOW | USER_RW;
	table[2][1] = PD_USER | USER_RW;
	table[3][0] = PT_LOW | USER_RW;
	table[3][1] = PT_ALIAS | KERNEL_RW;
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		table[4][i] = (uint64_t)i << PAGE_SHIFT | KERNEL_RW;
		table[5][i] = (LEAVES + i * PAGE_SIZE) | USER_RW;
		table[6][i] = (LEAVES + i * PAGE_SIZE) | KERNEL_RW;
	}
	table[4][CODE >> PAGE_SHIFT] |= PTE_U;
	for (unsigned int i = 1; i < 7; i++)
		put_table(w, i * PAGE_SIZE, table[i]);
}

static void put_ref(struct trace_writer *w, enum trace_kind kind, gva_t gva,
		    bool user, uint32_t count)
{
	const struct trace_ref ref = {.gva = gva,
				      .count = count,
				      .kind = (uint8_t)kind,
				      .size = 8,
				      .user = user};

	trace_write_ref(w, &ref);
}

static void put_implicit(struct trace_writer *w, enum trace_kind kind,
			 gva_t gva)
{
	const struct trace_ref ref = {.gva = gva,
				      .count = 1,
				      .kind = (uint8_t)kind,
				      .size = 8,
				      .implicit = true};

	trace_write_ref(w, &ref);
}

static void put_event(struct trace_writer *w, const struct guest_event *ev)
{
	const struct trace_item item = {.kind = TRACE_ITEM_EVENT, .event = *ev};

	trace_write_item(w, &item);
}

/* The delivery of the fault, SDM vol. 3A: gate, stack. */
static void put_delivery(struct trace_writer *w, gva_t cr2, uint64_t insns)
{
	const struct trace_item fault = {
		.kind = TRACE_ITEM_FAULT, .gva = cr2, .error = PFEC_U | PFEC_W};
	struct guest_event ev = {.kind = GE_DELIVER,
				 .vector = EXC_PF,
				 .type = EVENT_HW_EXC,
				 .has_error = true,
				 .error = PFEC_U | PFEC_W,
				 .cpl = 3,
				 .rip = CODE,
				 .insns = insns};

	trace_write_item(w, &fault);
	put_event(w, &ev);
	put_implicit(w, TRACE_READ, IDT + 16 * EXC_PF);
	put_implicit(w, TRACE_READ, IDT + 16 * EXC_PF + 8);
	for (unsigned int i = 1; i <= 6; i++)
		put_implicit(w, TRACE_WRITE, STACK + PAGE_SIZE - 8 * i);
	ev.kind = GE_DELIVERED;
	ev.rip = HANDLER;
	ev.cpl = 0;
	put_event(w, &ev);
}

static void put_fault(struct trace_writer *w, uint32_t n)
{
	const gva_t page = USER + (uint64_t)n * PAGE_SIZE;
	const uint64_t pte = (PAGES + n % NR_PAGES * PAGE_SIZE) | USER_RW;
	const uint64_t insns = (uint64_t)n * 3;
	const struct guest_event retry = {.kind = GE_RETRY,
					  .gva = page,
					  .rip = CODE,
					  .cpl = 3,
					  .insns = insns + 2};
	struct trace_item entry = {.kind = TRACE_ITEM_TABLE_WRITE,
				   .gpa = LEAVES + 8 * n,
				   .gva = ALIAS + 8 * n,
				   .size = 8};
	static const uint64_t empty[PT_ENTRIES];

	if (n % PT_ENTRIES == 0)
		put_table(w, LEAVES + 8 * n, empty);
	put_ref(w, TRACE_FETCH, CODE, true, 0);
	put_ref(w, TRACE_WRITE, page, true, 1);
	put_delivery(w, page, insns);
	put_ref(w, TRACE_FETCH, HANDLER, false, 1);
	put_ref(w, TRACE_WRITE, ALIAS + 8 * n, false, 1);
	memcpy(entry.bytes, &pte, sizeof(pte));
	trace_write_item(w, &entry);
	put_ref(w, TRACE_FETCH, HANDLER + 8, false, 1);
	put_event(w, &retry);
	put_ref(w, TRACE_FETCH, CODE, true, 1);
	put_ref(w, TRACE_WRITE, page, true, 1);
}

int faults_write(const char *path, uint32_t nr, struct diag *diag)
{
	const struct trace_info info = {
		.granularity = TRACE_PAGES,
		.source = "benchmark",
		.memory = MEMORY,
		.cr0 = CR0_PG | CR0_WP | CR0_PE | CR0_ET,
		.cr3 = PML4,
		.cr4 = CR4_PAE,
		.efer = EFER_LMA | EFER_LME | EFER_NXE,
	};
	struct trace_writer *w;
	int err = trace_writer_create(path, &info, &w, diag);

	if (err)
		return err;
	put_tables(w);
	for (uint32_t n = 0; n < nr; n++)
		put_fault(w, n);
	return trace_writer_close(w, NULL, diag);
}
