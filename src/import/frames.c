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

int frames_init(struct guest *g, struct diag *diag)
{
	uint64_t nr;

	g->nr_frames = g->options.memory >> PAGE_SHIFT;
	g->first_frame = (IMAGE_GPA + (UINT64_C(2) << 20)) >> PAGE_SHIFT;
	nr = g->nr_frames - g->first_frame;
	g->frame = calloc(g->nr_frames, sizeof(*g->frame));
	g->order = calloc(nr, sizeof(*g->order));
	g->freed = calloc(nr, sizeof(*g->freed));
	if (!g->frame || !g->order || !g->freed)
		return diag_set(diag, -ENOMEM, "no memory for the model guest");
	for (uint64_t i = 0; i < nr; i++)
		g->order[i] = (uint32_t)(g->first_frame + i);
	if (g->options.seed)
		shuffle(g->order, nr, g->options.seed);
	return 0;
}

void frames_finish(struct guest *g)
{
	for (uint64_t i = 0; g->frame && i < g->nr_frames; i++)
		free(g->frame[i].table);
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
	uint64_t nr = g->nr_frames - g->first_frame;
	gpa_t gpa;

	if (g->nr_freed)
		gpa = (gpa_t)g->freed[--g->nr_freed] << PAGE_SHIFT;
	else if (g->next < nr)
		gpa = (gpa_t)g->order[g->next++] << PAGE_SHIFT;
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
