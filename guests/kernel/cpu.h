/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processor's own tables: GDT, TSS, IDT, and the SYSCALL registers.
 */
#ifndef MINI_CPU_H
#define MINI_CPU_H

#include "common/types.h"

/* From here on exceptions are reported instead of ending in a reset. */
void cpu_init(void);

/* Where interrupts and system calls of user code find the kernel's stack. */
void cpu_set_kernel_stack(u64 top);

/* The next interrupt or exception becomes a triple fault. */
void cpu_drop_idt(void);

#endif
