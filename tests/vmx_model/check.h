/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks for table-driven tests: a failure prints name, got and want. */
#ifndef NOTRAP_TESTS_VMX_MODEL_CHECK_H
#define NOTRAP_TESTS_VMX_MODEL_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/types.h"

#define check_eq(name, got, want)                                          \
	do {                                                               \
		uint64_t got_ = (got), want_ = (want);                     \
		if (got_ != want_)                                         \
			fail_msg("%s: got 0x%" PRIx64 ", want 0x%" PRIx64, \
				 (name), got_, want_);                     \
	} while (0)

/* fn must run into a BUG_ON, which ends the process: let a child do it. */
static inline bool hits_bug(void (*fn)(void))
{
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL); /* cmocka catches it otherwise */
		if (!freopen("/dev/null", "w", stderr))
			_exit(2);
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

#endif
