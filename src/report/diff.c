/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counting aligned exits by what became of them, and keeping some. */
#include "report/diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/diff_tally.h"

static void keep(struct diff *diff, const struct align_exit *a,
		 const struct align_exit *b)
{
	struct diff_row *row;

	if (diff->nr_rows >= diff->window.limit) {
		diff->left_out++;
		return;
	}
	if (diff->nr_rows == diff->room) {
		size_t room = diff->room ? 2 * diff->room : 64;
		struct diff_row *grown =
			realloc(diff->row, room * sizeof(*grown));

		if (!grown) {
			diff->failed = true;
			return;
		}
		diff->row = grown;
		diff->room = room;
	}
	row = &diff->row[diff->nr_rows++];
	*row = (struct diff_row){.has_a = a, .has_b = b};
	if (a)
		row->a = *a;
	if (b)
		row->b = *b;
}

static bool is_wanted(const struct diff_window *window, uint64_t position,
		      bool differs)
{
	if (!window->list || (!differs && !window->all))
		return false;
	return position >= window->from &&
	       (!window->count || position - window->from < window->count);
}

static void take_pair(void *context, const struct align_exit *a,
		      const struct align_exit *b)
{
	struct diff *diff = context;
	unsigned int of_a = diff_kind_of(a), of_b = diff_kind_of(b);
	struct diff_tally *tally = &diff->tally[of_a][of_b];

	tally->exits++;
	tally->cycles[ALIGN_A] += a ? a->cycles : 0;
	tally->cycles[ALIGN_B] += b ? b->cycles : 0;
	if (is_wanted(&diff->window, a ? a->position : b->position,
		      of_a != of_b))
		keep(diff, a, b);
}

struct diff *diff_create(const struct diff_window *window)
{
	struct diff *diff = calloc(1, sizeof(*diff));

	if (!diff)
		return NULL;
	diff->window = *window;
	diff->align = align_create(take_pair, diff);
	if (diff->align)
		return diff;
	free(diff);
	return NULL;
}

void diff_destroy(struct diff *diff)
{
	if (!diff)
		return;
	align_destroy(diff->align);
	free(diff->row);
	free(diff);
}

void diff_add(struct diff *diff, enum align_side side,
	      const struct align_exit *exit)
{
	if (align_add(diff->align, side, exit))
		diff->failed = true;
}

void diff_settle(struct diff *diff, uint64_t position)
{
	align_settle(diff->align, position);
}

/* Both sides do it at one position, before anything there is settled. */
void diff_forget(struct diff *diff, enum align_side side)
{
	align_forget(diff->align, side);
	memset(diff->tally, 0, sizeof(diff->tally));
	diff->nr_rows = 0;
	diff->left_out = 0;
}
