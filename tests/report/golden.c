/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "report/version.h"

/* The version's digits become "VERSION". */
static char *without_version(const char *text)
{
	const char *version = notrap_version();
	char *ret = NULL;
	size_t size;
	FILE *out = open_memstream(&ret, &size);

	while (*text) {
		if (!strncmp(text, version, strlen(version))) {
			fputs("VERSION", out);
			text += strlen(version);
		} else {
			fputc(*text++, out);
		}
	}
	fclose(out);
	return ret;
}

static char *read_file(const char *path)
{
	char *ret = NULL;
	size_t size;
	FILE *in = fopen(path, "r"), *out;
	int c;

	if (!in)
		fail_msg("%s is missing: run with UPDATE_GOLDEN=1", path);
	out = open_memstream(&ret, &size);
	while ((c = fgetc(in)) != EOF)
		fputc(c, out);
	fclose(in);
	fclose(out);
	return ret;
}

static void write_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
}

static void compare(const char *path, const char *got)
{
	char *want = read_file(path);
	int line = 1;
	size_t i;

	for (i = 0; got[i] && got[i] == want[i]; i++)
		line += got[i] == '\n';
	if (got[i] != want[i])
		fail_msg("%s:%d: got \"%.60s\", want \"%.60s\"", path, line,
			 got + i, want + i);
	free(want);
}

void golden_check(const char *dir, const char *file, const char *text)
{
	char *plain = without_version(text), path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	if (getenv("UPDATE_GOLDEN"))
		write_file(path, plain);
	else
		compare(path, plain);
	free(plain);
}
