/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/words.h"

#include <stdbool.h>
#include <string.h>

void words_print(FILE *out, const char *text, int indent, int column)
{
	bool first = true;

	while (*text) {
		int len = (int)strcspn(text, " ");

		if (!first && column + 1 + len > WORDS_WIDTH) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (!first) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", len, text);
		column += len;
		first = false;
		text += len;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}
