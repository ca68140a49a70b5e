/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks and the address spaces they share.  Slots are used again; what a task
 * is known by is its thread number.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "import/internal.h"

static uint32_t *bucket_of(struct guest *g, uint32_t thread)
{
	return &g->bucket[hash_u64(thread, TASK_BUCKET_BITS)];
}

/* 0: nobody, as idle has no number. */
static uint32_t find(struct guest *g, uint32_t thread)
{
	uint32_t at = *bucket_of(g, thread);

	while (at && g->task[at - 1].thread != thread)
		at = g->task[at - 1].next;
	return at ? at - 1 : 0;
}

static int no_memory(struct guest *g)
{
	if (!g->err)
		g->err = diag_set(&g->diag, -ENOMEM,
				  "no memory for the model guest");
	return g->err;
}

/* A free slot, 0: none.  Slot 0 is idle's. */
static uint32_t task_slot(struct guest *g)
{
	struct task *grown;
	uint32_t i = g->free_task;

	if (i) {
		g->free_task = g->task[i].next;
		return i;
	}
	grown = realloc(g->task, (g->nr_tasks + 1) * sizeof(*grown));
	if (!grown) {
		no_memory(g);
		return 0;
	}
	g->task = grown;
	return g->nr_tasks++;
}

static uint32_t space_slot(struct guest *g)
{
	struct space *grown;
	uint32_t i = g->free_space;

	if (i) {
		g->free_space = g->space[i].next;
		return i;
	}
	grown = realloc(g->space, (g->nr_spaces + 1) * sizeof(*grown));
	if (!grown) {
		no_memory(g);
		return 0;
	}
	g->space = grown;
	g->space[g->nr_spaces] = (struct space){0};
	return g->nr_spaces++;
}

/* An empty one for one user; 0: g->err. */
static uint32_t new_space(struct guest *g)
{
	uint32_t i = space_slot(g);

	if (!i)
		return 0;
	if (space_make(g, &g->space[i]))
		return i;
	g->space[i].next = g->free_space;
	g->free_space = i;
	return 0;
}

/* Takes over the caller's hold on the space. */
static uint32_t new_task(struct guest *g, uint32_t thread, uint32_t space)
{
	uint32_t i = task_slot(g);

	if (!i)
		return 0;
	g->task[i] = (struct task){
		.thread = thread,
		.space = space,
		.cpu = NO_CPU,
		.next = *bucket_of(g, thread),
	};
	*bucket_of(g, thread) = i + 1;
	g->stats.tasks++;
	return i;
}

static void forget_task(struct guest *g, uint32_t i)
{
	uint32_t *at = bucket_of(g, g->task[i].thread);

	while (*at != i + 1)
		at = &g->task[*at - 1].next;
	*at = g->task[i].next;
	g->task[i].next = g->free_task;
	g->free_task = i;
}

/* A user less; the last one takes along what there was. */
static void drop_space(struct guest *g, uint32_t i)
{
	struct space *space = &g->space[i];

	if (--space->users)
		return;
	smp_leave(g, space->root);
	space_clear(g, space);
	if (g->root == space->root)
		kernel_load_cr3(g, FIRST_ROOT);
	frame_free(g, space->root);
	space->next = g->free_space;
	g->free_space = i;
}

int tasks_init(struct guest *g, struct diag *diag)
{
	g->task = calloc(1, sizeof(*g->task));
	g->space = calloc(1, sizeof(*g->space));
	if (!g->task || !g->space)
		return diag_set(diag, -ENOMEM, "no memory for the model guest");
	g->nr_tasks = g->nr_spaces = 1;
	g->space[0].root = FIRST_ROOT;
	g->space[0].users = 1;
	return 0;
}

/* --- Switching ------------------------------------------------------------ */

/*
 * In the kernel, from the stack of the one that ran to the next one's.  CR3
 * stays when idle comes, and when the next one is in the same space.
 */
static void switch_to(struct guest *g, uint32_t next)
{
	kernel_run(g, OFFSET_SCHED, 30);
	g->current = next;
	space_follow(g);
	if (next && space_now(g)->root != g->root)
		kernel_load_cr3(g, space_now(g)->root);
	kernel_switch_stack(g);
	g->task[next].has_run = true;
	g->task[next].cpu = g->vcpu;
	g->stats.switches++;
}

void task_idle(struct guest *g)
{
	kernel_enter(g);
	switch_to(g, 0);
}

/* What was taken for a process has become a thread of `other`'s. */
static void join(struct guest *g, uint32_t task, uint32_t other)
{
	uint32_t old = g->task[task].space;
	uint32_t space = g->task[other].space;

	if (space == old)
		return;
	g->space[space].users++;
	g->task[task].space = space;
	space_follow(g);
	if (task == g->current)
		kernel_load_cr3(g, g->space[space].root);
	drop_space(g, old);
}

static uint32_t new_process(struct guest *g, uint32_t thread)
{
	uint32_t space = new_space(g);

	return space ? new_task(g, thread, space) : 0;
}

static uint32_t new_thread(struct guest *g, uint32_t thread, uint32_t leader)
{
	uint32_t space = g->task[leader].space;

	g->space[space].users++;
	return new_task(g, thread, space);
}

/* Found or made; 0: g->err. */
static uint32_t task_of(struct guest *g, uint32_t process, uint32_t thread)
{
	uint32_t task = find(g, thread), leader = find(g, process);

	if (process == thread)
		return task ? task : new_process(g, thread);
	/* A leader may end before its threads. */
	if (!task && !leader)
		leader = new_process(g, process);
	if (task && leader)
		join(g, task, leader);
	if (!task && leader)
		task = new_thread(g, thread, leader);
	return task;
}

static bool is_running(struct guest *g, uint32_t process, uint32_t thread)
{
	const struct task *task = &g->task[g->current];
	uint32_t leader;

	if (!g->current || task->thread != thread)
		return false;
	leader = process == thread ? 0 : find(g, process);
	return !leader || g->task[leader].space == task->space;
}

int guest_switch(struct guest *g, uint32_t process, uint32_t thread,
		 struct diag *diag)
{
	uint32_t task;

	smp_place(g, find(g, thread));
	if (is_running(g, process, thread))
		return guest_error(g, diag);
	kernel_enter(g);
	task = task_of(g, process, thread);
	if (task && task != g->current)
		switch_to(g, task);
	kernel_leave(g);
	return guest_error(g, diag);
}

/* --- System calls --------------------------------------------------------- */

static void fork_space(struct guest *g, uint32_t thread)
{
	uint32_t child = new_process(g, thread);

	if (!child)
		return;
	g->stats.forks++;
	space_copy(g, &g->space[g->task[child].space]);
}

/* A number is used again, and nobody has told how its last bearer ended. */
static void end_last(struct guest *g, uint32_t thread)
{
	uint32_t task = g->current, vcpu = g->vcpu;
	struct diag diag;

	guest_exit(g, thread, &diag);
	smp_use(g, vcpu);
	if (g->current == task)
		return;
	switch_to(g, task);
	kernel_leave(g);
}

int guest_clone(struct guest *g, uint32_t thread, bool shares_memory,
		struct diag *diag)
{
	uint32_t task = find(g, thread);

	BUG_ON(!g->current);
	if (task == g->current)
		return guest_error(g, diag);
	if (task && g->task[task].has_run) {
		end_last(g, thread);
		task = 0;
	}
	if (task && !shares_memory)
		return guest_error(g, diag);
	kernel_enter(g);
	kernel_run(g, OFFSET_TASK, 300);
	if (task)
		join(g, task, g->current);
	else if (shares_memory)
		new_thread(g, thread, g->current);
	else
		fork_space(g, thread);
	kernel_leave(g);
	return guest_error(g, diag);
}

int guest_exec(struct guest *g, struct diag *diag)
{
	uint32_t old = g->task[g->current].space;
	uint32_t space;

	BUG_ON(!g->current);
	kernel_enter(g);
	kernel_run(g, OFFSET_TASK + 0x800, 400);
	space = new_space(g);
	if (space) {
		g->task[g->current].space = space;
		space_follow(g);
		kernel_load_cr3(g, space_now(g)->root);
		drop_space(g, old);
	}
	kernel_leave(g);
	return guest_error(g, diag);
}

int guest_exit(struct guest *g, uint32_t thread, struct diag *diag)
{
	uint32_t task = find(g, thread);

	if (!task)
		return guest_error(g, diag);
	smp_place(g, task);
	kernel_enter(g);
	if (task != g->current)
		switch_to(g, task);
	kernel_run(g, OFFSET_TASK + 0x1000, 300);
	drop_space(g, g->task[task].space);
	switch_to(g, 0);
	forget_task(g, task);
	return guest_error(g, diag);
}

int guest_unmap(struct guest *g, gva_t gva, uint64_t size, struct diag *diag)
{
	uint64_t room = gva < GUEST_USER_END ? GUEST_USER_END - gva : 0;

	BUG_ON(!g->current);
	if (!size || !room)
		return guest_error(g, diag);
	kernel_enter(g);
	kernel_run(g, OFFSET_TASK + 0x1800, 200);
	space_unmap(g, gva & ~PAGE_MASK,
		    (gva + min_u64(size, room) - 1) | PAGE_MASK, true);
	kernel_leave(g);
	return guest_error(g, diag);
}
