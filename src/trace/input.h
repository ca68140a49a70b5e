/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A regular file, read at offsets; as long as it was when it was opened. */
#ifndef NOTRAP_TRACE_INPUT_H
#define NOTRAP_TRACE_INPUT_H

#include "base/diag.h"
#include "base/types.h"

struct input {
	char *path;
	int fd;
	uint64_t len;
};

/* 0 or -errno with a line. */
int input_open(struct input *in, const char *path, struct diag *diag);
void input_close(struct input *in);

/*
 * Up to len bytes; *got is less than len only at the end of the file, which
 * may have become shorter.  0 or -errno with a line.
 */
int input_read(const struct input *in, uint64_t offset, void *data,
	       uint32_t len, uint32_t *got, struct diag *diag);

#endif
