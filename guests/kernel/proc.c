/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table of processes, round robin among those that can run.  A process's
 * kernel stack is one frame, seen through the direct map; it outlives the
 * process until the parent has waited for it.
 */
#include "kernel/proc.h"

#include "kernel/cpu.h"
#include "kernel/frame.h"
#include "kernel/paging.h"
#include "kernel/report.h"
#include "kernel/timer.h"
#include "kernel/x86.h"

enum state {
	FREE,
	READY, /* or running */
	WAITING,
	SLEEPING,
	ZOMBIE,
};

struct proc {
	enum state state;
	struct mm mm;
	u64 stack_pa; /* frame of the kernel stack */
	uptr sp;      /* on that stack, while another process runs */
	u64 catch;    /* see SYS_CATCH; 0: nowhere */
	struct proc *parent;
	u64 wake_tick;
	struct wait_result result;
};

void switch_stack(uptr *save_sp, uptr load_sp); /* trap.S */

static struct proc procs[MAX_PROCS];
static struct proc *const idle = &procs[0];
static struct proc *const init = &procs[1];
static struct proc *current = &procs[0];
static u64 frames_at_start;

static u64 proc_pid(const struct proc *proc)
{
	return (u64)(proc - procs);
}

static u64 stack_top(const struct proc *proc)
{
	return (uptr)p2v(proc->stack_pa) + PAGE_SIZE;
}

/* Where the frame of a process in user mode lies while it is in the kernel. */
static struct trap_frame *user_frame(const struct proc *proc)
{
	return (struct trap_frame *)(uptr)stack_top(proc) - 1;
}

/* ---- who runs ---- */

static struct proc *pick_next(void)
{
	u64 start = proc_pid(current);

	for (u64 i = 1; i <= MAX_PROCS; i++) {
		struct proc *proc = &procs[(start + i) % MAX_PROCS];

		if (proc != idle && proc->state == READY)
			return proc;
	}
	return idle;
}

static void load_mm(struct proc *proc)
{
	root_load(proc->mm.root, proc_pid(proc), proc->mm.is_new);
	proc->mm.is_new = false;
}

static void schedule(void)
{
	struct proc *prev = current;
	struct proc *next = pick_next();

	if (next == prev)
		return;
	stats.switches++;
	current = next;
	if (next != idle) {
		cpu_set_kernel_stack(stack_top(next));
		load_mm(next); /* idle keeps what is loaded */
	}
	switch_stack(&prev->sp, next->sp);
}

void proc_yield(void)
{
	schedule();
}

void proc_sleep(u64 ticks)
{
	if (timer_is_on() && ticks) {
		current->wake_tick = stats.ticks + ticks;
		current->state = SLEEPING;
	}
	schedule();
}

void proc_tick(bool from_user)
{
	stats.ticks++;
	for (size_t i = 0; i < MAX_PROCS; i++)
		if (procs[i].state == SLEEPING &&
		    procs[i].wake_tick <= stats.ticks)
			procs[i].state = READY;
	if (from_user)
		schedule();
}

/* ---- creation ---- */

static struct proc *proc_alloc(void)
{
	for (size_t i = 1; i < MAX_PROCS; i++) {
		struct proc *proc = &procs[i];

		if (proc->state != FREE)
			continue;
		proc->stack_pa = frame_alloc();
		return proc;
	}
	return NULL;
}

/* Ready to leave the kernel with user_frame() when it is switched to. */
static void proc_make_ready(struct proc *proc)
{
	extern const char trap_return[];
	uptr *sp = (uptr *)user_frame(proc);

	*--sp = (uptr)trap_return;
	sp -= SWITCH_REGISTERS; /* what switch_stack pops: anything */
	proc->sp = (uptr)sp;
	proc->state = READY;
}

u64 proc_fork(const struct trap_frame *frame)
{
	struct proc *child = proc_alloc();

	if (!child)
		return sys_error(E_NOMEM);
	child->parent = current;
	child->catch = 0;
	mm_fork(&child->mm, &current->mm);
	*user_frame(child) = *frame;
	frame_return(user_frame(child), 0);
	proc_make_ready(child);
	return proc_pid(child);
}

void proc_exec(struct trap_frame *frame, const struct program *program)
{
	struct mm old = current->mm;

	current->catch = 0;
	mm_init(&current->mm);
	load_mm(current);
	mm_destroy(&old);
	frame_enter(frame, program->number, program->args);
}

/* ---- end ---- */

static _Noreturn void end_of_run(u64 status, u64 value)
{
	for (size_t i = 0; i < MAX_PROCS; i++)
		if (&procs[i] != init && procs[i].state != FREE &&
		    &procs[i] != idle)
			report_failed("processes left behind");
	frame_put(init->stack_pa);
	if (frames_available() != frames_at_start)
		report_failed("page frames lost");
	report_end(status == STATUS_OK, value);
}

_Noreturn void proc_exit(u64 status, u64 value)
{
	root_load_kernel();
	mm_destroy(&current->mm);
	if (current == init)
		end_of_run(status, value);

	current->result = (struct wait_result){status, value};
	current->state = ZOMBIE;
	if (current->parent->state == WAITING)
		current->parent->state = READY;
	schedule();
	report_failed("a dead process ran");
}

static struct proc *find_child(bool dead)
{
	for (size_t i = 1; i < MAX_PROCS; i++) {
		struct proc *proc = &procs[i];

		if (proc->state == FREE || proc->parent != current)
			continue;
		if (!dead || proc->state == ZOMBIE)
			return proc;
	}
	return NULL;
}

u64 proc_wait(struct wait_result *ret)
{
	struct proc *child;

	for (;;) {
		if (!find_child(false))
			return sys_error(E_CHILD);
		child = find_child(true);
		if (child)
			break;
		current->state = WAITING;
		schedule();
	}
	*ret = child->result;
	frame_put(child->stack_pa);
	child->state = FREE;
	return proc_pid(child);
}

/* ---- the rest ---- */

struct mm *proc_mm(void)
{
	return &current->mm;
}

enum fault_result proc_page_fault(u64 va, u64 code)
{
	if (!current->mm.root || va >= mm_user_end())
		return FAULT_BAD;
	return mm_fault(&current->mm, va, code);
}

void proc_set_catch(u64 ip)
{
	current->catch = ip;
}

bool proc_catch(struct trap_frame *frame)
{
	if (!current->catch)
		return false;
	frame->ip = (uptr)current->catch;
	frame_return(frame, FAULTED | frame->error);
	return true;
}

_Noreturn void proc_start(const struct program *program)
{
	idle->state = READY;
	frames_at_start = frames_available();
	proc_alloc();
	mm_init(&init->mm);
	frame_enter(user_frame(init), program->number, program->args);
	proc_make_ready(init);

	for (;;) {
		schedule();
		if (!timer_is_on())
			report_failed("nobody can run");
		wait_for_interrupt();
	}
}
