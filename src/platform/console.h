/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the guest's serial output goes: the caller's buffer, up to its size,
 * and if wanted a FILE, line by line.  The count and the digest cover every
 * byte, also those that no longer fit.
 *
 * No byte waits for anything but stdio.  A FILE that fails is not written to
 * again and its errno is kept; the run goes on.
 */
#ifndef NOTRAP_PLATFORM_CONSOLE_H
#define NOTRAP_PLATFORM_CONSOLE_H

#include <stdio.h>

#include "base/types.h"

#define CONSOLE_LINE 256 /* longer ones reach the FILE in pieces */

struct console {
	uint8_t *buf; /* the caller's */
	size_t size;
	size_t len; /* bytes in buf */
	FILE *tee;
	int tee_errno; /* 0, or why tee was given up */
	uint64_t total;
	uint64_t digest; /* FNV-1a over all of total */
	uint8_t line[CONSOLE_LINE];
	size_t line_len;
};

/* buf may be NULL with size 0; tee may be NULL. */
void console_init(struct console *con, uint8_t *buf, size_t size, FILE *tee);

void console_put(struct console *con, uint8_t byte);

/* Write a line without its end to the tee as well: at the end of a run. */
void console_flush(struct console *con);

#endif
