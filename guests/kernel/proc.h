/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes: creation, end, and who runs.  Process 0 is the idle loop, on the
 * boot stack and without memory of its own; process 1 runs the workload, and
 * its end is the end of the run.
 */
#ifndef MINI_PROC_H
#define MINI_PROC_H

#include "common/types.h"
#include "kernel/mm.h"
#include "kernel/trap.h"

#define MAX_PROCS 32

struct wait_result;

/* The program to run and its arguments. */
struct program {
	u64 number;
	u64 args[3];
};

/* Make process 1 and become the idle loop. */
_Noreturn void proc_start(const struct program *program);

/* For traps. */
enum fault_result proc_page_fault(u64 va, u64 code);
void proc_tick(bool from_user);
bool proc_catch(struct trap_frame *frame); /* true: it goes on */

/* For system calls of the running process; frame is its way in. */
struct mm *proc_mm(void);
void proc_yield(void);
void proc_set_catch(u64 ip);
void proc_sleep(u64 ticks);
u64 proc_fork(const struct trap_frame *frame);
u64 proc_wait(struct wait_result *ret); /* pid, or -E_CHILD: ret untouched */
void proc_exec(struct trap_frame *frame, const struct program *program);
_Noreturn void proc_exit(u64 status, u64 value);

#endif
