/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest of image.h is to see, worked out by a small model of its own:
 * the manual's table for what the processor does, the facts about KVM for what
 * exits.
 */
#ifndef NOTRAP_TESTS_DELIVER_STORY_H
#define NOTRAP_TESTS_DELIVER_STORY_H

#include "image.h"

/* What a hypervisor makes of a #PF that exits within a delivery. */
enum pf_rule {
	PF_HARDWARE, /* as the processor combines */
	PF_ON_ANY_PF,
	PF_ON_OWN_PF,
	PF_QUEUE,
};

struct policy {
	const char *name;
	const char *config;
	bool exits;  /* page faults exit ... */
	bool bypass; /* ... but those with P=0, where the shadow has notrap */
	bool bypass_in_32;
	bool repeats_id; /* I/D of a fetch that exits, whatever EFER.NXE is */
	bool keeps_irq;
	enum pf_rule rule;
};

#define STORY_MAX 16

enum story_end {
	STORY_DONE,
	STORY_SHUTDOWN,
	STORY_ENDLESS,
};

struct story {
	enum story_end end;
	unsigned int nr;
	struct log_record record[STORY_MAX]; /* rip 0: anywhere */
	/* Vectors of all deliveries begun, those that do not arrive too. */
	unsigned int nr_begun;
	uint8_t begun[STORY_MAX];
};

void story_tell(const struct scene *s, const struct policy *p,
		struct story *ret);

#endif
