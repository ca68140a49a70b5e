/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A scene on a whole machine: Unicorn, devices, the simulator, a recorder. */
#ifndef NOTRAP_TESTS_DELIVER_PLAY_H
#define NOTRAP_TESTS_DELIVER_PLAY_H

#include "live/live.h"
#include "record/recorder.h"
#include "sim/sim.h"
#include "story.h"

#define NR_POLICIES 8
extern const struct policy policies[NR_POLICIES];

struct machine {
	struct mem *mem;
	struct sim *sim;
	struct platform *platform;
	struct live *live;
	struct recorder *recorder; /* NULL: nobody records */
};

void play_config(struct config *config, const char *text);

/* record: a path for the trace, or NULL. */
void machine_start(struct machine *m, const struct scene *scene,
		   const struct policy *policy, const char *record);
void machine_end(struct machine *m);

/* Did it end as the story does? */
bool play_ends_so(const struct live_end *end, enum story_end want);

/*
 * Call body for scenes of this mode under each policy: for each policy another
 * one of `share` parts; 1: all.  Returns how many.
 */
unsigned int play_scenes(enum guest_mode mode, unsigned int share,
			 void (*body)(const struct scene *scene,
				      const struct policy *policy));

#endif
