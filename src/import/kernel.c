/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the model kernel executes, as references and events.  The numbers of
 * instructions are ours, in the order of what Linux takes; docs/import.md has
 * their sums.
 */
#include <string.h>

#include "arch/exception.h"
#include "import/internal.h"

#define INSN_SIZE 4

/* Registers that a handler or a system call saves, and those of a switch. */
#define SAVED_REGS   15
#define SYSCALL_REGS 21
#define SWITCH_REGS  6

/* A trace that merges runs on a page need not be told them one by one. */
static bool is_run(const struct guest *g, gva_t first, gva_t last)
{
	return g->options.granularity == TRACE_PAGES &&
	       (first ^ last) <= PAGE_MASK;
}

static void fetch(struct guest *g, uint32_t offset, uint32_t count)
{
	const struct trace_ref ref = {
		.gva = KERNEL_TEXT + offset,
		.count = count,
		.kind = TRACE_FETCH,
		.size = INSN_SIZE,
	};

	g->stats.insns += count;
	emit(g, &ref);
}

static void touch(struct guest *g, enum trace_kind kind, gva_t gva,
		  uint32_t count)
{
	const struct trace_ref ref = {
		.gva = gva,
		.count = count,
		.kind = (uint8_t)kind,
		.size = 8,
	};

	emit(g, &ref);
}

/* Straight-line code. */
void kernel_run(struct guest *g, uint32_t offset, uint32_t insns)
{
	if (is_run(g, offset, offset + insns * INSN_SIZE - 1)) {
		fetch(g, offset, insns);
		return;
	}
	for (uint32_t i = 0; i < insns; i++)
		fetch(g, offset + i * INSN_SIZE, 1);
}

static void access_data(struct guest *g, uint32_t at, enum trace_kind kind,
			uint32_t offset)
{
	fetch(g, at, 1);
	touch(g, kind, KERNEL_TEXT + offset, 1);
}

/*
 * nr instructions in a loop of eight, each with a quadword beside the last.  A
 * run is told as its first and the rest, as the first can end other runs.
 */
static void access_many(struct guest *g, uint32_t at, enum trace_kind kind,
			gva_t gva, int step, uint32_t nr)
{
	if (is_run(g, gva, gva + (uint64_t)(step * (int)(nr - 1)))) {
		fetch(g, at, 1);
		touch(g, kind, gva, 1);
		fetch(g, at + INSN_SIZE, nr - 1);
		touch(g, kind, gva + (uint64_t)step, nr - 1);
		return;
	}
	for (uint32_t i = 0; i < nr; i++) {
		fetch(g, at + i % 8 * INSN_SIZE, 1);
		touch(g, kind, gva, 1);
		gva += (uint64_t)step;
	}
}

static void push(struct guest *g, uint32_t at, uint32_t nr)
{
	access_many(g, at, TRACE_WRITE, g->stack - 8, -8, nr);
	g->stack -= 8 * nr;
}

static void pop(struct guest *g, uint32_t at, uint32_t nr)
{
	access_many(g, at, TRACE_READ, g->stack, 8, nr);
	g->stack += 8 * nr;
}

void kernel_read(struct guest *g, gpa_t gpa)
{
	kernel_run(g, OFFSET_FILL + 0x100, 4);
	touch(g, TRACE_READ, KERNEL_DIRECT + gpa, 1);
}

static void tell_store(struct guest *g, gpa_t gpa, uint64_t val)
{
	struct trace_item item = {
		.kind = TRACE_ITEM_TABLE_WRITE,
		.gpa = gpa,
		.gva = KERNEL_DIRECT + gpa,
		.size = 8,
	};

	memcpy(item.bytes, &val, sizeof(val));
	emit_item(g, &item);
}

/* A MOV to memory through the direct map. */
static void store_at(struct guest *g, uint32_t at, gpa_t gpa, uint64_t val)
{
	fetch(g, at, 1);
	touch(g, TRACE_WRITE, KERNEL_DIRECT + gpa, 1);
	if (frame_of(g, gpa)->known)
		tell_store(g, gpa, val);
}

void kernel_store(struct guest *g, gpa_t gpa, uint64_t val)
{
	store_at(g, OFFSET_FILL, gpa, val);
	*space_at(g, gpa) = val;
}

/* Eight stores an iteration, as clear_page makes them. */
void kernel_clear(struct guest *g, gpa_t gpa)
{
	if (!frame_of(g, gpa)->known) {
		access_many(g, OFFSET_COPY, TRACE_WRITE, KERNEL_DIRECT + gpa, 8,
			    PT_ENTRIES);
		return;
	}
	for (uint32_t i = 0; i < PT_ENTRIES; i++)
		store_at(g, OFFSET_COPY + i % 8 * INSN_SIZE, gpa + 8 * i, 0);
}

/* Eight loads and eight stores an iteration, as copy_page makes them. */
void kernel_copy(struct guest *g, gpa_t from, gpa_t to)
{
	BUG_ON(frame_of(g, to)->known);
	for (uint32_t i = 0; i < PAGE_SIZE; i += 64) {
		access_many(g, OFFSET_COPY + 0x100, TRACE_READ,
			    KERNEL_DIRECT + from + i, 8, 8);
		access_many(g, OFFSET_COPY + 0x120, TRACE_WRITE,
			    KERNEL_DIRECT + to + i, 8, 8);
	}
}

/* --- Entry and return ---------------------------------------------------- */

/* Where TSS.RSP0 is. */
static uint32_t rsp0(const struct guest *g)
{
	return OFFSET_TSS + g->vcpu * TSS_SIZE + 4;
}

static gva_t stack_top(const struct guest *g)
{
	uint32_t slot = g->current % STACKS;

	if (!g->current && g->vcpu)
		slot = STACKS + g->vcpu - 1;
	return KERNEL_TEXT + OFFSET_STACK + (slot + 1) * PAGE_SIZE;
}

void kernel_begin(struct guest *g)
{
	g->stack = stack_top(g);
	kernel_run(g, OFFSET_SCHED + 0x600, 10);
}

void kernel_enter(struct guest *g)
{
	if (!g->current)
		return;
	g->stack = stack_top(g);
	push(g, OFFSET_ENTRY + 0x400, SYSCALL_REGS);
	kernel_run(g, OFFSET_ENTRY + 0x480, 30);
}

void kernel_leave(struct guest *g)
{
	if (!g->current)
		return;
	kernel_run(g, OFFSET_ENTRY + 0x500, 20);
	g->stack = stack_top(g) - 8 * SYSCALL_REGS;
	pop(g, OFFSET_ENTRY + 0x580, SYSCALL_REGS);
}

/* What was saved when the next one was switched away from, and TSS.RSP0. */
void kernel_switch_stack(struct guest *g)
{
	push(g, OFFSET_SCHED + 0x200, SWITCH_REGS);
	g->stack = stack_top(g) - 8 * (SYSCALL_REGS + SWITCH_REGS);
	pop(g, OFFSET_SCHED + 0x240, SWITCH_REGS);
	access_data(g, OFFSET_SCHED + 0x280, TRACE_WRITE, rsp0(g));
	kernel_run(g, OFFSET_SCHED + 0x284, 20);
}

static void implicit(struct guest *g, enum trace_kind kind, gva_t gva)
{
	const struct trace_ref ref = {.gva = gva,
				      .count = 1,
				      .kind = (uint8_t)kind,
				      .size = 8,
				      .implicit = true};

	emit(g, &ref);
}

/* SDM vol. 3A, "Exception and Interrupt Handling in 64-bit Mode". */
static void deliver(struct guest *g, struct guest_event ev)
{
	const gva_t gate = KERNEL_TEXT + OFFSET_IDT + 16 * ev.vector;
	bool user = ev.cpl == 3;

	ev.kind = GE_DELIVER;
	ev.insns = g->stats.insns;
	emit_event(g, ev);
	implicit(g, TRACE_READ, gate);
	implicit(g, TRACE_READ, gate + 8);
	implicit(g, TRACE_READ, KERNEL_TEXT + OFFSET_GDT + 0x10);
	if (user)
		implicit(g, TRACE_READ, KERNEL_TEXT + rsp0(g));
	for (unsigned int i = 0; i < 5u + ev.has_error; i++) {
		g->stack -= 8;
		implicit(g, TRACE_WRITE, g->stack);
	}
	ev.kind = GE_DELIVERED;
	ev.rip = KERNEL_TEXT + OFFSET_ENTRY;
	ev.cpl = 0;
	emit_event(g, ev);
}

void kernel_fault(struct guest *g, gva_t cr2, uint32_t error, gva_t rip,
		  bool user)
{
	const struct trace_item fault = {
		.kind = TRACE_ITEM_FAULT, .gva = cr2, .error = error};

	g->stats.faults++;
	g->stack = user ? stack_top(g) : g->stack & ~UINT64_C(15);
	if (user)
		g->rip = rip;
	emit_item(g, &fault);
	deliver(g, (struct guest_event){.vector = EXC_PF,
					.type = EVENT_HW_EXC,
					.has_error = true,
					.error = error,
					.cpl = user ? 3 : 0,
					.rip = rip});

	/* Save registers; find the area of the address. */
	push(g, OFFSET_ENTRY, SAVED_REGS);
	kernel_run(g, OFFSET_FAULT, 90);
	access_data(g, OFFSET_FAULT + 0x200, TRACE_READ, OFFSET_DATA);
	kernel_run(g, OFFSET_FAULT + 0x204, 90);
	access_data(g, OFFSET_FAULT + 0x400, TRACE_READ, OFFSET_DATA + 0x40);
	access_data(g, OFFSET_FAULT + 0x404, TRACE_WRITE, OFFSET_DATA + 0x80);
	kernel_run(g, OFFSET_FAULT + 0x408, 60);
}

static void iret(struct guest *g)
{
	fetch(g, OFFSET_ENTRY + 0x300, 1);
	for (unsigned int i = 0; i < 5; i++) {
		touch(g, TRACE_READ, g->stack, 1);
		g->stack += 8;
	}
}

/* The error code is skipped, IRET takes the five others. */
void kernel_resume(struct guest *g, gva_t cr2, gva_t rip, bool user)
{
	kernel_run(g, OFFSET_ENTRY + 0x200, 20);
	pop(g, OFFSET_ENTRY + 0x280, SAVED_REGS);
	g->stack += 8;
	iret(g);
	emit_event(g, (struct guest_event){.kind = GE_RETRY,
					   .gva = cr2,
					   .rip = rip,
					   .cpl = user ? 3 : 0,
					   .insns = g->stats.insns});
}

/* Linux's INVALIDATE_TLB_VECTOR of 2007. */
#define IPI_VECTOR 0xfd

/* Idle is in the kernel, all others in user code. */
void kernel_interrupt(struct guest *g)
{
	bool user = g->current;
	struct guest_event ev = {.kind = GE_IRQ,
				 .vector = IPI_VECTOR,
				 .type = EVENT_EXT_INT,
				 .if_open = true,
				 .cpl = user ? 3 : 0,
				 .rip = user ? g->rip
					     : KERNEL_TEXT + OFFSET_SCHED,
				 .insns = g->stats.insns};

	emit_event(g, ev);
	g->stack = user ? stack_top(g) : g->stack & ~UINT64_C(15);
	ev.if_open = false;
	deliver(g, ev);
	push(g, OFFSET_ENTRY + 0x600, SAVED_REGS);
	access_data(g, OFFSET_IPI + 0x200, TRACE_READ, OFFSET_DATA + 0x200);
}

/* --- Instructions that may exit ------------------------------------------ */

static void sensitive(struct guest *g, uint32_t offset, struct guest_event ev)
{
	ev.rip = KERNEL_TEXT + offset;
	ev.insns = g->stats.insns;
	ev.insn_len = INSN_SIZE;
	fetch(g, offset, 1);
	emit_event(g, ev);
}

void kernel_invlpg(struct guest *g, gva_t gva)
{
	sensitive(g, OFFSET_FILL + 0x40,
		  (struct guest_event){.kind = GE_INVLPG, .gva = gva});
}

void kernel_load_cr3(struct guest *g, gpa_t root)
{
	g->root = root;
	space_tell(g, root);
	sensitive(g, OFFSET_SCHED + 0x80,
		  (struct guest_event){.kind = GE_CR_WRITE,
				       .cr = 3,
				       .size = 8,
				       .value = root});
}

void kernel_out(struct guest *g, uint16_t port, uint8_t val)
{
	sensitive(g, OFFSET_SCHED + 0x400,
		  (struct guest_event){
			  .kind = GE_IO,
			  .access = PFEC_W,
			  .error = port,
			  .size = 1,
			  .reg = port < 256 ? GUEST_IO_IMM : 0,
			  .value = val,
		  });
}

/* x2APIC, which needs no memory-mapped registers. */
#define MSR_X2APIC_EOI 0x80b
#define MSR_X2APIC_ICR 0x830

static void write_apic(struct guest *g, uint32_t offset, uint32_t msr,
		       uint64_t val)
{
	sensitive(g, offset,
		  (struct guest_event){
			  .kind = GE_WRMSR, .error = msr, .value = val});
}

void kernel_send_ipi(struct guest *g, uint32_t vcpu)
{
	access_data(g, OFFSET_IPI, TRACE_WRITE, OFFSET_DATA + 0x200);
	kernel_run(g, OFFSET_IPI + 0x10, 20);
	write_apic(g, OFFSET_IPI + 0x80, MSR_X2APIC_ICR,
		   (uint64_t)vcpu << 32 | IPI_VECTOR);
}

void kernel_end_interrupt(struct guest *g, gva_t stack)
{
	access_data(g, OFFSET_IPI + 0x280, TRACE_WRITE, OFFSET_DATA + 0x240);
	write_apic(g, OFFSET_IPI + 0x2c0, MSR_X2APIC_EOI, 0);
	pop(g, OFFSET_ENTRY + 0x680, SAVED_REGS);
	iret(g);
	g->stack = stack;
}
