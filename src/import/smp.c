/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several processors take turns, each between two instructions.  A task that
 * is new goes to the next one in turn and stays, unless the input tells where
 * it ran.
 *
 * What one processor takes away from an address space, the others that have it
 * in CR3 must forget: they are interrupted, one after the other, while it
 * waits.  Idle ones keep the last space, as Linux's lazy TLBs do, until it
 * goes.
 */
#include "import/internal.h"

void smp_use(struct guest *g, uint32_t vcpu)
{
	const struct trace_item turn = {.kind = TRACE_ITEM_VCPU, .id = vcpu};
	const struct cpu *cpu = &g->left[vcpu];

	if (vcpu == g->vcpu)
		return;
	g->left[g->vcpu] =
		(struct cpu){true, g->current, g->root, g->stack, g->rip};
	emit_item(g, &turn);
	g->vcpu = vcpu;
	g->current = cpu->current;
	g->root = cpu->begun ? cpu->root : FIRST_ROOT;
	g->stack = cpu->stack;
	g->rip = cpu->rip;
	space_follow(g);
	if (!cpu->begun)
		kernel_begin(g);
}

void guest_on_cpu(struct guest *g, uint32_t cpu)
{
	g->want_vcpu = cpu % nr_vcpus(g);
}

/* The processor that has it in its hands, or NO_CPU. */
static uint32_t runs_on(const struct guest *g, uint32_t task)
{
	if (g->current == task)
		return g->vcpu;
	for (uint32_t i = 0; i < nr_vcpus(g); i++)
		if (i != g->vcpu && g->left[i].current == task)
			return i;
	return NO_CPU;
}

static uint32_t choose(struct guest *g, uint32_t task)
{
	uint32_t want = g->want_vcpu;

	g->want_vcpu = NO_CPU;
	if (want != NO_CPU)
		return want;
	if (task && g->task[task].cpu != NO_CPU)
		return g->task[task].cpu;
	return g->next_vcpu++ % nr_vcpus(g);
}

void smp_place(struct guest *g, uint32_t task)
{
	uint32_t to, from;

	if (nr_vcpus(g) == 1)
		return;
	to = choose(g, task);
	from = task ? runs_on(g, task) : NO_CPU;
	if (from != NO_CPU && from != to) {
		smp_use(g, from);
		task_idle(g);
	}
	smp_use(g, to);
}

/* pages NULL: all of it, by a load of this root. */
static void flush_on(struct guest *g, uint32_t vcpu, gpa_t root,
		     const gva_t *pages, uint32_t nr)
{
	uint32_t sender = g->vcpu;
	gva_t stack;

	g->stats.ipis++;
	kernel_send_ipi(g, vcpu);
	smp_use(g, vcpu);
	stack = g->stack;
	kernel_interrupt(g);
	for (uint32_t i = 0; pages && i < nr; i++)
		kernel_invlpg(g, pages[i]);
	if (!pages)
		kernel_load_cr3(g, root);
	kernel_end_interrupt(g, stack);
	smp_use(g, sender);
	/* It has waited for this. */
	kernel_run(g, OFFSET_IPI + 0x100, 20);
}

void smp_shoot_down(struct guest *g, const gva_t *pages, uint32_t nr)
{
	gpa_t root = g->root;

	for (uint32_t i = 0; i < nr_vcpus(g); i++)
		if (i != g->vcpu && g->left[i].begun && g->left[i].root == root)
			flush_on(g, i, root, nr > INVLPG_MAX ? NULL : pages,
				 nr);
}

void smp_leave(struct guest *g, gpa_t root)
{
	for (uint32_t i = 0; i < nr_vcpus(g); i++)
		if (i != g->vcpu && g->left[i].begun && g->left[i].root == root)
			flush_on(g, i, FIRST_ROOT, NULL, 0);
}
