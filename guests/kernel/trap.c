/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions and interrupts.  Page faults of user memory are served, whoever
 * caused them; the timer may switch processes if it met user code; anything
 * else is unexpected and ends the run.
 */
#include "kernel/trap.h"

#include "kernel/console.h"
#include "kernel/proc.h"
#include "kernel/report.h"
#include "kernel/timer.h"
#include "kernel/x86.h"

static bool from_user(const struct trap_frame *frame)
{
	return (frame->cs & 3) == 3;
}

static _Noreturn void unexpected(const struct trap_frame *frame, u64 cr2)
{
	print("exception %lu error 0x%lx rip 0x%016lx cr2 0x%016lx %s\n",
	      frame->vector, frame->error, frame->rip, cr2,
	      from_user(frame) ? "user" : "kernel");
	report_counts();
	machine_exit(EXIT_EXCEPTION);
}

/* A copy from or to bad user memory ends early instead. */
static bool fix_up(struct trap_frame *frame)
{
	extern const char user_access_begin[], user_access_end[];
	extern const char user_access_failed[];

	if (frame->rip < (u64)user_access_begin ||
	    frame->rip >= (u64)user_access_end)
		return false;
	frame->rip = (u64)user_access_failed;
	return true;
}

static void page_fault(struct trap_frame *frame)
{
	u64 cr2 = read_cr2();

	if (frame->error >= FAULT_CODES)
		unexpected(frame, cr2);
	stats.faults[frame->error]++;

	switch (proc_page_fault(cr2, frame->error)) {
	case FAULT_DONE:
		return;
	case FAULT_SPURIOUS:
		print("page fault 0x%lx at 0x%016lx rip 0x%016lx\n",
		      frame->error, cr2, frame->rip);
		report_failed("spurious page fault");
	case FAULT_BAD:
		break;
	}
	if (from_user(frame) || !fix_up(frame))
		unexpected(frame, cr2);
}

void trap_handle(struct trap_frame *frame)
{
	if (frame->vector == VEC_PF) {
		page_fault(frame);
		return;
	}
	switch (timer_interrupt(frame->vector)) {
	case TIMER_TICK:
		proc_tick(from_user(frame));
		return;
	case TIMER_NOTHING:
		return;
	case TIMER_NOT_MINE:
		unexpected(frame, read_cr2());
	}
}
