/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/frame_set.h"

#include <errno.h>
#include <stdlib.h>

#define ROOM_MIN 64

void frame_set_finish(struct frame_set *set)
{
	free(set->slot);
	*set = (struct frame_set){0};
}

static size_t home(const struct frame_set *set, gfn_t gfn)
{
	return (size_t)(gfn * UINT64_C(0x9e3779b97f4a7c15) >> 20) &
	       (set->room - 1);
}

/* Where it is, or would be. */
static size_t find(const struct frame_set *set, gfn_t gfn)
{
	size_t i = home(set, gfn);

	while (set->slot[i] && set->slot[i] != gfn + 1)
		i = (i + 1) & (set->room - 1);
	return i;
}

bool frame_set_has(const struct frame_set *set, gfn_t gfn)
{
	return set->nr && set->slot[find(set, gfn)];
}

static int grow(struct frame_set *set)
{
	struct frame_set more = {.room = set->room ? 2 * set->room : ROOM_MIN,
				 .nr = set->nr};

	more.slot = calloc(more.room, sizeof(*more.slot));
	if (!more.slot)
		return -ENOMEM;
	for (size_t i = 0; i < set->room; i++)
		if (set->slot[i])
			more.slot[find(&more, set->slot[i] - 1)] = set->slot[i];
	free(set->slot);
	*set = more;
	return 0;
}

int frame_set_add(struct frame_set *set, gfn_t gfn)
{
	size_t i;

	if (2 * set->nr >= set->room && grow(set))
		return -ENOMEM;
	i = find(set, gfn);
	set->nr += !set->slot[i];
	set->slot[i] = gfn + 1;
	return 0;
}

/* Those behind it that would not be found across the gap move into it. */
void frame_set_remove(struct frame_set *set, gfn_t gfn)
{
	size_t mask = set->room - 1, gap, i;

	if (!frame_set_has(set, gfn))
		return;
	gap = i = find(set, gfn);
	for (;;) {
		i = (i + 1) & mask;
		if (!set->slot[i])
			break;
		if (((i - home(set, set->slot[i] - 1)) & mask) <
		    ((i - gap) & mask))
			continue;
		set->slot[gap] = set->slot[i];
		gap = i;
	}
	set->slot[gap] = 0;
	set->nr--;
}
