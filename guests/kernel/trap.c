/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions and interrupts.  Page faults of user memory are served, whoever
 * caused them; the timer may switch processes if it met user code; anything
 * else is unexpected and ends the run.
 */
#include "kernel/trap.h"

#include "common/abi.h"
#include "kernel/console.h"
#include "kernel/paging.h"
#include "kernel/proc.h"
#include "kernel/report.h"
#include "kernel/timer.h"
#include "kernel/x86.h"

static _Noreturn void unexpected(const struct trap_frame *frame, u64 cr2)
{
	print("exception %llu error 0x%llx rip 0x%016llx cr2 0x%016llx %s\n",
	      (u64)frame->vector, (u64)frame->error, (u64)frame->ip, cr2,
	      frame_is_user(frame) ? "user" : "kernel");
	report_counts();
	machine_exit(EXIT_EXCEPTION);
}

/* A copy from or to bad user memory ends early instead. */
static bool fix_up(struct trap_frame *frame)
{
	extern const char user_access_begin[], user_access_end[];
	extern const char user_access_failed[];

	if (frame->ip < (uptr)user_access_begin ||
	    frame->ip >= (uptr)user_access_end)
		return false;
	frame->ip = (uptr)user_access_failed;
	return true;
}

/* A probe has found what it was to find. */
static bool end_probe(struct trap_frame *frame)
{
	extern const char probe_failed[];

	if (frame_is_user(frame) || !probe_ip || frame->ip != probe_ip)
		return false;
	probe_ip = 0;
	frame->ip = (uptr)probe_failed;
	frame_return(frame, FAULTED | frame->error);
	return true;
}

static void page_fault(struct trap_frame *frame)
{
	u64 cr2 = read_cr2();

	if (frame->error >= FAULT_CODES)
		unexpected(frame, cr2);
	stats.faults[frame->error]++;
	if ((frame->error & PF_P) && end_probe(frame))
		return;

	switch (proc_page_fault(cr2, frame->error)) {
	case FAULT_DONE:
		return;
	case FAULT_SPURIOUS:
		print("page fault 0x%llx at 0x%016llx rip 0x%016llx\n",
		      (u64)frame->error, cr2, (u64)frame->ip);
		report_failed("spurious page fault");
	case FAULT_BAD:
		break;
	}
	if (frame_is_user(frame) ? !proc_catch(frame) : !fix_up(frame))
		unexpected(frame, cr2);
}

void trap_handle(struct trap_frame *frame)
{
	if (frame->vector == VEC_PF) {
		page_fault(frame);
		return;
	}
	if (MINI_LEVELS < 4 && frame->vector == VEC_SYSCALL) {
		syscall_handle(frame);
		return;
	}
	switch (timer_interrupt(frame->vector)) {
	case TIMER_TICK:
		proc_tick(frame_is_user(frame));
		return;
	case TIMER_NOTHING:
		return;
	case TIMER_NOT_MINE:
		unexpected(frame, read_cr2());
	}
}
