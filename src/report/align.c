/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/align.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"

/* More exits than that at one position are paired in their order. */
#define LOOK_MAX 64

/* Exits [first, nr) wait. */
struct queue {
	struct align_exit *exit;
	size_t first, nr, room;
};

struct align {
	struct queue queue[2];
	align_pair_fn *pair;
	void *context;
};

struct align *align_create(align_pair_fn *pair, void *context)
{
	struct align *align = calloc(1, sizeof(*align));

	if (!align)
		return NULL;
	align->pair = pair;
	align->context = context;
	return align;
}

void align_destroy(struct align *align)
{
	if (!align)
		return;
	free(align->queue[ALIGN_A].exit);
	free(align->queue[ALIGN_B].exit);
	free(align);
}

static int make_room(struct queue *queue)
{
	size_t room = queue->room ? 2 * queue->room : 256;
	struct align_exit *grown;

	if (queue->nr < queue->room)
		return 0;
	grown = realloc(queue->exit, room * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	queue->exit = grown;
	queue->room = room;
	return 0;
}

int align_add(struct align *align, enum align_side side,
	      const struct align_exit *exit)
{
	struct queue *queue = &align->queue[side];
	int err = make_room(queue);

	if (err)
		return err;
	BUG_ON(queue->nr > queue->first &&
	       exit->position < queue->exit[queue->nr - 1].position);
	queue->exit[queue->nr++] = *exit;
	return 0;
}

void align_forget(struct align *align, enum align_side side)
{
	align->queue[side].first = 0;
	align->queue[side].nr = 0;
}

/* Exits at one position. */
struct here {
	const struct align_exit *exit;
	size_t nr;
};

/* None of these is the same as another. */
static void pair_in_order(const struct align *align, struct here a,
			  struct here b)
{
	for (size_t i = 0; i < a.nr || i < b.nr; i++)
		align->pair(align->context, i < a.nr ? &a.exit[i] : NULL,
			    i < b.nr ? &b.exit[i] : NULL);
}

static struct here part(struct here all, size_t from, size_t to)
{
	return (struct here){all.exit + from, to - from};
}

/* Longest common subsequence, from the end: len[i][j] of what follows. */
static void measure(struct here a, struct here b,
		    uint8_t len[LOOK_MAX + 1][LOOK_MAX + 1])
{
	for (size_t i = a.nr + 1; i-- > 0;) {
		for (size_t j = b.nr + 1; j-- > 0;) {
			if (i == a.nr || j == b.nr)
				len[i][j] = 0;
			else if (align_is_same(&a.exit[i], &b.exit[j]))
				len[i][j] = (uint8_t)(len[i + 1][j + 1] + 1);
			else
				len[i][j] = len[i + 1][j] > len[i][j + 1]
						    ? len[i + 1][j]
						    : len[i][j + 1];
		}
	}
}

static void pair_here(const struct align *align, struct here a, struct here b)
{
	uint8_t len[LOOK_MAX + 1][LOOK_MAX + 1];
	size_t i = 0, j = 0, i_left = 0, j_left = 0;

	if (a.nr > LOOK_MAX || b.nr > LOOK_MAX) {
		pair_in_order(align, a, b);
		return;
	}
	measure(a, b, len);
	while (i < a.nr && j < b.nr) {
		if (align_is_same(&a.exit[i], &b.exit[j])) {
			pair_in_order(align, part(a, i_left, i),
				      part(b, j_left, j));
			align->pair(align->context, &a.exit[i++], &b.exit[j++]);
			i_left = i;
			j_left = j;
		} else if (len[i + 1][j] >= len[i][j + 1]) {
			i++;
		} else {
			j++;
		}
	}
	pair_in_order(align, part(a, i_left, a.nr), part(b, j_left, b.nr));
}

static uint64_t next_position(const struct queue *queue)
{
	return queue->first < queue->nr ? queue->exit[queue->first].position
					: UINT64_MAX;
}

static struct here take(struct queue *queue, uint64_t position)
{
	struct here here = {queue->exit + queue->first, 0};

	while (queue->first < queue->nr &&
	       queue->exit[queue->first].position == position) {
		queue->first++;
		here.nr++;
	}
	return here;
}

static void move_up(struct queue *queue)
{
	size_t left = queue->nr - queue->first;

	if (left && queue->first)
		memmove(queue->exit, queue->exit + queue->first,
			left * sizeof(*queue->exit));
	queue->first = 0;
	queue->nr = left;
}

void align_settle(struct align *align, uint64_t position)
{
	struct queue *a = &align->queue[ALIGN_A];
	struct queue *b = &align->queue[ALIGN_B];

	for (;;) {
		uint64_t at = min_u64(next_position(a), next_position(b));
		struct here in_a, in_b;

		if (at >= position)
			break;
		in_a = take(a, at);
		in_b = take(b, at);
		pair_here(align, in_a, in_b);
	}
	move_up(a);
	move_up(b);
}
