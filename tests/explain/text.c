/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

char text_path[64];

static char directory[] = "/tmp/explain.XXXXXX";

int text_begin(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	snprintf(text_path, sizeof(text_path), "%s/t.ntr", directory);
	return 0;
}

int text_end(void **state)
{
	(void)state;
	unlink(text_path);
	return rmdir(directory);
}

static void squeeze(char *text)
{
	char *to = text;

	for (const char *p = text; *p; p++) {
		bool blank = *p == ' ' || *p == '\n';

		if (!blank)
			*to++ = *p;
		else if (to > text && to[-1] != ' ')
			*to++ = ' ';
	}
	*to = 0;
}

char *text_of(const struct config *config, enum explain_by by, uint64_t n)
{
	const struct explain_request request = {
		.path = text_path, .config = config, .by = by, .n = n};
	struct prose *prose;
	struct diag diag;
	char *text = NULL;
	size_t size;
	FILE *out;

	if (explain(&request, &prose, &diag))
		fail_msg("%s", diag.msg);
	out = open_memstream(&text, &size);
	assert_non_null(out);
	assert_int_equal(prose_print(prose, PROSE_TEXT, out), 0);
	fclose(out);
	prose_destroy(prose);
	squeeze(text);
	return text;
}
