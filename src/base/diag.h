/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One clear line about a failure a user can cause or cure: what and where.
 * The function that fails writes the line and returns -errno; only the edge
 * (cli) prints it.
 */
#ifndef NOTRAP_BASE_DIAG_H
#define NOTRAP_BASE_DIAG_H

struct diag {
	char msg[512];
};

/* Writes the line (no newline in it, no "notrap:") and returns err. */
__attribute__((format(printf, 3, 4))) int diag_set(struct diag *diag, int err,
						   const char *fmt, ...);

#endif
