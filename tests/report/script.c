/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

int script_try(const struct report *report, const struct report_plot *request,
	       char **ret, struct diag *diag)
{
	size_t size;
	FILE *out = open_memstream(ret, &size);
	int err = report_print_plot(report, request, out, diag);

	fclose(out);
	return err;
}

char *script_of(const struct report *report, enum report_image image)
{
	struct report_plot request = {.image = image};
	struct diag diag = {""};
	char *text = NULL;

	if (script_try(report, &request, &text, &diag))
		fail_msg("%s", diag.msg);
	return text;
}

/* Outside of strings a script holds none of this; inside, only escapes. */
void script_check_tame(const char *script)
{
	bool in_string = false;

	for (const char *p = script; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '\\' && in_string && p[1]) {
			p++;
			continue;
		}
		if (c == '"')
			in_string = !in_string;
		if (c == '\n' && in_string)
			fail_msg("a string is open at \"%.30s\"", p - 20);
		if (c == '`' || c == '!' || c == '\'' || c == '@' || c > 126 ||
		    (c < ' ' && c != '\n'))
			fail_msg("byte 0x%02x in the script: \"%.30s\"", c,
				 p - 20);
		if (!in_string && !strncmp(p, "system", 6))
			fail_msg("a command in the script");
	}
	assert_false(in_string);
}
