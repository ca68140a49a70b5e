/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "Did you mean": the known name nearest to a word that is none.  Distance is
 * the number of letters inserted, dropped, changed or swapped with their
 * neighbour; case does not count, '_' is '-'.  A name of which the word is the
 * last dotted part is near ("exit" and "cost.exit").
 */
#ifndef NOTRAP_BASE_SUGGEST_H
#define NOTRAP_BASE_SUGGEST_H

struct suggest {
	const char *word;
	const char *best; /* the name offered first wins a tie */
	unsigned int distance;
};

void suggest_init(struct suggest *s, const char *word);

/* The name must outlive s. */
void suggest_offer(struct suggest *s, const char *name);

/* NULL if nothing offered is near enough to be a slip of the fingers. */
const char *suggest_best(const struct suggest *s);

#endif
