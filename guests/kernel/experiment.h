/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workloads that misbehave in kernel mode, to see what a machine says to it.
 */
#ifndef MINI_EXPERIMENT_H
#define MINI_EXPERIMENT_H

#include "common/types.h"

/* An exception with no interrupt table: triple fault. */
_Noreturn void experiment_triple(void);

/* A jump to an address nothing is mapped at: page fault, exit 3. */
_Noreturn void experiment_wild(void);

/* Read, write and read physical memory behind the end of RAM; then "ok". */
_Noreturn void experiment_absent(u64 ram_end);

#endif
