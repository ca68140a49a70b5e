/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest whose only purpose is an event that is hard to deliver, as bytes in
 * memory: the first event, and what its delivery meets.
 */
#ifndef NOTRAP_TESTS_DELIVER_IMAGE_H
#define NOTRAP_TESTS_DELIVER_IMAGE_H

#include "base/types.h"
#include "layout.h"

enum guest_mode { GUEST_LONG, GUEST_PAE, GUEST_32, NR_GUEST_MODES };

enum first_event {
	FIRST_DE,
	FIRST_DB, /* a single step; CPL 3 only */
	FIRST_BP,
	FIRST_OF, /* INTO; not in long mode */
	FIRST_UD,
	FIRST_NP,
	FIRST_SS,
	FIRST_GP,
	FIRST_PF,
	FIRST_INT,
	FIRST_IRQ,
	NR_FIRSTS
};

enum obstacle {
	MEETS_NOTHING, /* but hidden faults */
	MEETS_IDT,     /* the gate's page is absent */
	MEETS_GDT,     /* so is that of the handler's code segment */
	MEETS_TSS,     /* so is that of the stack pointer; CPL 3 only */
	MEETS_STACK,   /* so is the stack's */
	MEETS_READONLY_STACK,
	MEETS_COLD_STACK,   /* absent, and nothing has a shadow there */
	MEETS_ODD_STACK,    /* not canonical; long mode, CPL 3 */
	MEETS_ABSENT_GATE,  /* its P bit */
	MEETS_WRONG_GATE,   /* its type */
	MEETS_NULL_SEGMENT, /* the gate's selector */
	MEETS_CLOSED_GATE,  /* DPL 0, from CPL 3 by INT */
	MEETS_ABSENT_HANDLER,
	NR_OBSTACLES
};

struct scene {
	enum guest_mode mode;
	enum first_event first;
	enum obstacle obstacle;
	bool user; /* CPL 3 */
};

bool scene_exists(const struct scene *s);
void scene_name(const struct scene *s, char buf[80]);

struct first_facts {
	const char *name;
	uint8_t vector;
	char class;   /* of the manual's table: b, c, p */
	bool is_soft; /* INT n, INT3, INTO: EXT=0 */
	bool has_error;
};

const struct first_facts *first_facts(enum first_event first);

/* Where things come to lie in this scene, as linear addresses. */
struct scene_places {
	uint64_t gate;    /* of the first event's vector */
	uint64_t segment; /* descriptor of its handler's code */
	uint64_t ring0;   /* the TSS's stack pointer: its address ... */
	uint64_t stack;   /* ... and where the first slot of a frame goes */
	uint64_t handler;
	uint64_t rip;   /* of the event; 0: anywhere in the loop */
	uint64_t error; /* error code of the event itself */
};

void scene_places(const struct scene *s, struct scene_places *ret);

/* ram: GUEST_RAM zeros.  Starts at BOOT_AT as multiboot has it. */
void scene_build(const struct scene *s, uint8_t *ram);

struct log_record {
	uint64_t vector, error, cr2, rip;
};

/* How many records there are; at most max are copied. */
unsigned int scene_log(const uint8_t *ram, struct log_record *ret,
		       unsigned int max);

#endif
