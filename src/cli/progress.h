/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far a run is, on a terminal's last line, if it takes longer than a
 * second; erased at the end.  A bar with rate and time left when the end is
 * known, else a spinner with the rate.  On anything but a terminal: nothing.
 */
#ifndef NOTRAP_CLI_PROGRESS_H
#define NOTRAP_CLI_PROGRESS_H

#include <stdio.h>

#include "base/types.h"

struct progress {
	FILE *out;
	bool is_terminal;
	bool is_shown;
	const char *label;
	const char *unit; /* "insns", unless it is set after the start */
	uint64_t total;   /* 0: not known */
	uint64_t began;   /* ns, of the host's clock */
	uint64_t last_shown;
	unsigned int turns; /* of the spinner */
};

void progress_begin(struct progress *progress, FILE *out, const char *label,
		    uint64_t total);
void progress_update(struct progress *progress, uint64_t done);

/* The same as a callback, whose context is the struct progress. */
void progress_show(void *progress, uint64_t done, uint64_t total);

/* Make room for other text; the next update shows it again. */
void progress_hide(struct progress *progress);

/* The line for a moment, `seconds` after the start. */
void progress_line(const struct progress *progress, uint64_t done,
		   double seconds, char *buf, size_t size);

#endif
