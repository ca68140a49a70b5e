/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames behind the kernel's image, ascending or in a random order. */
#include <errno.h>
#include <stdlib.h>

#include "import/internal.h"

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void shuffle(uint32_t *order, uint64_t nr, uint64_t seed)
{
	for (uint64_t i = nr; i > 1; i--) {
		uint64_t k = next_random(&seed) % i;
		uint32_t other = order[k];

		order[k] = order[i - 1];
		order[i - 1] = other;
	}
}

static uint64_t nr_order(const struct guest *g)
{
	return g->nr_frames - g->first_frame;
}

static gpa_t nth_frame(const struct guest *g, uint64_t n)
{
	return (g->order ? g->order[n] : g->first_frame + n) << PAGE_SHIFT;
}

static bool make_order(struct guest *g)
{
	uint64_t nr = nr_order(g);

	if (!g->options.seed)
		return true;
	g->order = calloc(nr, sizeof(*g->order));
	if (!g->order)
		return false;
	for (uint64_t i = 0; i < nr; i++)
		g->order[i] = (uint32_t)(g->first_frame + i);
	shuffle(g->order, nr, g->options.seed);
	return true;
}

int frames_init(struct guest *g, struct diag *diag)
{
	g->nr_frames = g->options.memory >> PAGE_SHIFT;
	g->first_frame = (IMAGE_GPA + BIT(21)) >> PAGE_SHIFT;
	g->frame = calloc(g->nr_frames, sizeof(*g->frame));
	g->freed = calloc(nr_order(g), sizeof(*g->freed));
	if (!g->frame || !g->freed || !make_order(g))
		return diag_set(diag, -ENOMEM, "no memory for the model guest");
	return 0;
}

/* Only what has been handed out can be a table, and the loader's. */
void frames_finish(struct guest *g)
{
	for (uint64_t i = 0; g->frame && i < g->next; i++)
		free(frame_of(g, nth_frame(g, i))->table);
	for (gpa_t gpa = 0; g->frame && gpa <= FIRST_ROOT; gpa += PAGE_SIZE)
		free(frame_of(g, gpa)->table);
	free(g->frame);
	free(g->order);
	free(g->freed);
}

static gpa_t none_left(struct guest *g)
{
	if (!g->err)
		g->err =
			diag_set(&g->diag, -ENOMEM,
				 "the model guest's %llu MiB are used up; "
				 "give it more with --memory",
				 (unsigned long long)(g->options.memory >> 20));
	return 0;
}

gpa_t frame_alloc(struct guest *g)
{
	gpa_t gpa;

	if (g->nr_freed)
		gpa = (gpa_t)g->freed[--g->nr_freed] << PAGE_SHIFT;
	else if (g->next < nr_order(g))
		gpa = nth_frame(g, g->next++);
	else
		return none_left(g);
	frame_of(g, gpa)->users = 1;
	frame_of(g, gpa)->cached = false;
	g->stats.frames++;
	return gpa;
}

void frame_free(struct guest *g, gpa_t gpa)
{
	struct frame *frame = frame_of(g, gpa);

	BUG_ON(!frame->users);
	if (--frame->users)
		return;
	free(frame->table);
	frame->table = NULL;
	g->freed[g->nr_freed++] = (uint32_t)(gpa >> PAGE_SHIFT);
	g->stats.frames--;
}
