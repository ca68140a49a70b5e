/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The serial console (polled, set up by boot.S) and the two ports that speak
 * to whoever runs this machine: exit and marker.
 */
#ifndef MINI_CONSOLE_H
#define MINI_CONSOLE_H

#include "common/types.h"

/* Exit codes; QEMU's isa-debug-exit turns v into status 2v + 1. */
#define EXIT_OK        0
#define EXIT_FAILED    1 /* a workload found something wrong */
#define EXIT_USAGE     2 /* the command line */
#define EXIT_EXCEPTION 3 /* an exception nobody expected */
#define EXIT_MACHINE   4 /* this machine will not do */

void console_write(const char *text, size_t len);

/* Knows %s, %c, %llu, %llx and %016llx. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Port 0xf5: a mark in time, see SYS_MARK. */
void console_mark(u64 val);

/* Ends the machine by port 0xf4; where nobody listens there, stops. */
_Noreturn void machine_exit(u32 code);

/* One line, and EXIT_MACHINE. */
_Noreturn void machine_refused(const char *why);

#endif
