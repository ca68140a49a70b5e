/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the model kernel executes, as references and events. */
#include <string.h>

#include "arch/exception.h"
#include "import/internal.h"

#define INSN_SIZE 4

/* In each page a part; the rest of a fetch counts nothing. */
void emit_ref(struct guest *g, enum trace_kind kind, gva_t gva, uint32_t size,
	      bool user, uint32_t count)
{
	while (size) {
		uint32_t room = (uint32_t)(PAGE_SIZE - (gva & PAGE_MASK));
		uint32_t part = size < room ? size : room;
		struct trace_ref ref = {
			.gva = gva,
			.count = count,
			.kind = (uint8_t)kind,
			.size = (uint8_t)(part < 255 ? part : 255),
			.user = user,
		};

		trace_write_ref(g->writer, &ref);
		if (kind == TRACE_FETCH)
			g->stats.insns += count;
		count = 0;
		gva += part;
		size -= part;
	}
}

void event_of(struct guest *g, struct guest_event ev)
{
	const struct trace_item item = {.kind = TRACE_ITEM_EVENT, .event = ev};

	trace_write_item(g->writer, &item);
}

/* Straight-line code of 4-byte instructions. */
void kernel_run(struct guest *g, uint32_t offset, unsigned int insns)
{
	for (unsigned int i = 0; i < insns; i++)
		emit_ref(g, TRACE_FETCH, KERNEL_TEXT + offset + i * INSN_SIZE,
			 INSN_SIZE, false, 1);
}

static void kernel_data(struct guest *g, enum trace_kind kind, uint32_t offset)
{
	emit_ref(g, kind, KERNEL_TEXT + offset, 8, false, 1);
}

/* A MOV to memory through the direct map. */
static void store_at(struct guest *g, gpa_t gpa, uint64_t val)
{
	struct frame *frame = frame_of(g, gpa);
	struct trace_item item = {
		.kind = TRACE_ITEM_TABLE_WRITE,
		.gpa = gpa,
		.gva = KERNEL_DIRECT + gpa,
		.size = 8,
	};

	emit_ref(g, TRACE_WRITE, KERNEL_DIRECT + gpa, 8, false, 1);
	if (frame->table)
		frame->table[(gpa & PAGE_MASK) / 8] = val;
	if (!frame->known)
		return;
	memcpy(item.bytes, &val, sizeof(val));
	trace_write_item(g->writer, &item);
}

void kernel_store(struct guest *g, gpa_t gpa, uint64_t val)
{
	kernel_run(g, OFFSET_FILL, 1);
	store_at(g, gpa, val);
}

/* Eight stores an iteration, as clear_page makes them. */
void kernel_clear(struct guest *g, gpa_t gpa)
{
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		kernel_run(g, OFFSET_COPY + i % 8 * INSN_SIZE, 1);
		store_at(g, gpa + 8 * i, 0);
	}
}

void kernel_copy(struct guest *g, gpa_t from, gpa_t to)
{
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		kernel_run(g, OFFSET_COPY + 0x100 + i % 8 * 8, 1);
		emit_ref(g, TRACE_READ, KERNEL_DIRECT + from + 8 * i, 8, false,
			 1);
		kernel_run(g, OFFSET_COPY + 0x104 + i % 8 * 8, 1);
		store_at(g, to + 8 * i, 0);
	}
}

static gva_t stack_of(const struct guest *g)
{
	return KERNEL_TEXT + OFFSET_STACK + (g->current % STACKS) * PAGE_SIZE +
	       PAGE_SIZE;
}

static void implicit(struct guest *g, enum trace_kind kind, gva_t gva)
{
	const struct trace_ref ref = {.gva = gva,
				      .count = 1,
				      .kind = (uint8_t)kind,
				      .size = 8,
				      .implicit = true};

	trace_write_ref(g->writer, &ref);
}

/* SDM vol. 3A, "Interrupt and Exception Handling in 64-bit Mode". */
void kernel_deliver(struct guest *g, gva_t cr2, uint32_t error, gva_t rip,
		    bool user)
{
	struct guest_event ev = {
		.kind = GE_DELIVER,
		.vector = EXC_PF,
		.type = EVENT_HW_EXC,
		.has_error = true,
		.error = error,
		.cpl = user ? 3 : 0,
		.rip = rip,
		.insns = g->stats.insns,
	};
	const struct trace_item fault = {
		.kind = TRACE_ITEM_FAULT, .gva = cr2, .error = error};
	gva_t stack = stack_of(g) - (user ? 0 : 0x400);

	g->stats.faults++;
	trace_write_item(g->writer, &fault);
	event_of(g, ev);
	implicit(g, TRACE_READ, KERNEL_TEXT + OFFSET_IDT + 16 * EXC_PF);
	implicit(g, TRACE_READ, KERNEL_TEXT + OFFSET_IDT + 16 * EXC_PF + 8);
	implicit(g, TRACE_READ, KERNEL_TEXT + OFFSET_GDT + 0x10);
	if (user)
		implicit(g, TRACE_READ, KERNEL_TEXT + OFFSET_TSS + 4);
	for (unsigned int i = 1; i <= 6; i++)
		implicit(g, TRACE_WRITE, stack - 8 * i);
	ev.kind = GE_DELIVERED;
	ev.rip = KERNEL_TEXT + OFFSET_ENTRY;
	ev.cpl = 0;
	event_of(g, ev);

	/* Entry saves registers; the handler looks for the area. */
	for (unsigned int i = 0; i < 15; i++) {
		kernel_run(g, OFFSET_ENTRY + i * INSN_SIZE, 1);
		emit_ref(g, TRACE_WRITE, stack - 56 - 8 * i, 8, false, 1);
	}
	kernel_run(g, OFFSET_FAULT, 60);
	kernel_data(g, TRACE_READ, OFFSET_DATA);
	kernel_run(g, OFFSET_FAULT + 60 * INSN_SIZE, 40);
	kernel_data(g, TRACE_READ, OFFSET_DATA + 0x40);
	kernel_data(g, TRACE_WRITE, OFFSET_DATA + 0x80);
}

void kernel_return(struct guest *g, gva_t cr2, gva_t rip, int cpl)
{
	gva_t stack = stack_of(g);

	kernel_run(g, OFFSET_ENTRY + 0x200, 20);
	for (unsigned int i = 1; i <= 5; i++)
		emit_ref(g, TRACE_READ, stack - 8 * i, 8, false, 1);
	if (cpl >= 0)
		event_of(g, (struct guest_event){.kind = GE_RETRY,
						 .gva = cr2,
						 .rip = rip,
						 .cpl = (uint8_t)cpl,
						 .insns = g->stats.insns});
}

/* An instruction of the kernel that may exit. */
static void sensitive(struct guest *g, uint32_t offset, struct guest_event ev)
{
	ev.rip = KERNEL_TEXT + offset;
	ev.insns = g->stats.insns;
	ev.insn_len = 3;
	kernel_run(g, offset, 1);
	event_of(g, ev);
}

void kernel_invlpg(struct guest *g, gva_t gva)
{
	sensitive(g, OFFSET_FILL + 0x40,
		  (struct guest_event){.kind = GE_INVLPG, .gva = gva});
}

void kernel_load_cr3(struct guest *g, gpa_t root)
{
	kernel_run(g, OFFSET_SCHED, 30);
	sensitive(g, OFFSET_SCHED + 0x80,
		  (struct guest_event){.kind = GE_CR_WRITE,
				       .cr = 3,
				       .size = 8,
				       .value = root});
	kernel_run(g, OFFSET_SCHED + 0x84, 30);
}

void kernel_out(struct guest *g, uint16_t port, uint8_t val)
{
	sensitive(g, OFFSET_SCHED + 0x400,
		  (struct guest_event){.kind = GE_IO,
				       .access = PFEC_W,
				       .error = port,
				       .size = 1,
				       .reg = port < 256 ? 4 : 0,
				       .value = val});
}
