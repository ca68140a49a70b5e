/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/is_trace.h"

#include <stdio.h>
#include <string.h>

#define FIRST_BYTE 0x89 /* docs/trace-format.md, "Header" */

bool is_trace(const char *path)
{
	FILE *file = strcmp(path, "-") != 0 ? fopen(path, "r") : NULL;
	int c = file ? fgetc(file) : EOF;

	if (file)
		fclose(file);
	return c == FIRST_BYTE;
}
