/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shrink.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t count(const bool *keep, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		kept += keep[i];
	return kept;
}

/* Leave out up to `part` kept ones from *at on; *at moves behind them. */
static void leave_out(bool *keep, size_t n, size_t *at, size_t part)
{
	for (; *at < n && part; ++*at) {
		part -= keep[*at];
		keep[*at] = false;
	}
}

size_t shrink(bool *keep, size_t n, bool (*fails)(void *context), void *context,
	      unsigned int tries)
{
	bool *before = malloc(n ? n : 1);
	size_t part = (count(keep, n) + 1) / 2;
	bool smaller = false;

	while (before && part && tries) {
		for (size_t at = 0; at < n && tries; tries--) {
			memcpy(before, keep, n);
			leave_out(keep, n, &at, part);
			if (!memcmp(before, keep, n))
				break;
			if (fails(context))
				smaller = true;
			else
				memcpy(keep, before, n);
		}
		/* One that could not go may be able to, once others are. */
		if (part > 1)
			part = (part + 1) / 2;
		else if (!smaller)
			break;
		else
			smaller = false;
	}
	free(before);
	return count(keep, n);
}

bool survives(void (*work)(void *context), void *context, bool quiet,
	      unsigned int seconds)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		abort();
	if (!pid) {
		int nowhere = quiet ? open("/dev/null", O_WRONLY) : -1;

		if (nowhere >= 0) {
			dup2(nowhere, STDOUT_FILENO);
			dup2(nowhere, STDERR_FILENO);
		}
		alarm(seconds);
		work(context);
		fflush(NULL);
		_exit(EXIT_SUCCESS);
	}
	if (waitpid(pid, &status, 0) != pid)
		abort();
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}
