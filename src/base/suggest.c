/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Edit distance over three rows of the usual table.  Names are short, so
 * longer words are cut: what is cut off can only make a name less near.
 */
#include "base/suggest.h"

#include <string.h>

#include "base/types.h"

#define WORD_MAX 48

static char fold(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c == '_' ? '-' : c;
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

static unsigned int distance(const char *a, const char *b)
{
	unsigned int rows[3][WORD_MAX + 1];
	unsigned int *before = rows[0], *last = rows[1], *row = rows[2];
	size_t la = strnlen(a, WORD_MAX), lb = strnlen(b, WORD_MAX);

	for (size_t j = 0; j <= lb; j++)
		last[j] = (unsigned int)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned int *unused = before;

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= lb; j++) {
			bool same = fold(a[i - 1]) == fold(b[j - 1]);

			row[j] = least(last[j], row[j - 1]) + 1;
			row[j] = least(row[j], last[j - 1] + !same);
			if (i > 1 && j > 1 &&
			    fold(a[i - 1]) == fold(b[j - 2]) &&
			    fold(a[i - 2]) == fold(b[j - 1]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = last;
		last = row;
		row = unused;
	}
	return last[lb];
}

void suggest_init(struct suggest *s, const char *word)
{
	*s = (struct suggest){.word = word};
}

void suggest_offer(struct suggest *s, const char *name)
{
	const char *dot = strrchr(name, '.');
	unsigned int d = distance(s->word, name);

	if (dot && distance(s->word, dot + 1) <= 1)
		d = least(d, 1 + distance(s->word, dot + 1));
	if (!s->best || d < s->distance) {
		s->best = name;
		s->distance = d;
	}
}

/* A third of the letters may be wrong, two in a short word. */
const char *suggest_best(const struct suggest *s)
{
	size_t len = strlen(s->word);
	size_t most = len < 3 ? 1 : len < 7 ? 2 : len / 3;

	return s->best && s->distance <= most ? s->best : NULL;
}
