/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "story.h"

#include <string.h>

/* An event on its way, or the one that its delivery meets. */
struct happening {
	uint8_t vector;
	char class; /* b, c, p, d; 0: nothing */
	bool is_first;
	bool is_exception; /* of hardware's, for the manual's table */
	bool direct;       /* a #PF that did not exit */
	uint64_t error, cr2, rip;
};

struct teller {
	const struct scene *scene;
	const struct policy *policy;
	const struct first_facts *facts;
	struct scene_places places;
	struct story *story;
	uint64_t cr2;
	bool spoilt; /* the page is still wrong */
	bool irq_kept;
};

#define TELLER_STEPS 24

static uint64_t ext(const struct happening *now, const struct teller *t)
{
	return !(now->is_first && t->facts->is_soft);
}

static struct happening page_fault(uint64_t error, uint64_t cr2, uint64_t rip)
{
	return (struct happening){.vector = 14,
				  .class = 'p',
				  .is_exception = true,
				  .error = error,
				  .cr2 = cr2,
				  .rip = rip};
}

static struct happening contributory(uint8_t vector, uint64_t error,
				     uint64_t rip)
{
	return (struct happening){.vector = vector,
				  .class = 'c',
				  .is_exception = true,
				  .error = error,
				  .rip = rip};
}

/* In long mode #DF has a stack of its own, and a #PF that is not the first. */
static bool shares_stack(const struct teller *t, const struct happening *now)
{
	if (t->scene->mode != GUEST_LONG)
		return true;
	if (now->vector == 8)
		return false;
	return now->vector != 14 || t->scene->first == FIRST_PF;
}

/* What the delivery of `now` meets; class 0: nothing. */
static struct happening obstacle(const struct teller *t,
				 const struct happening *now)
{
	const struct scene_places *at = &t->places;
	bool own_gate = now->vector == t->facts->vector;
	uint64_t index = now->vector * 8u + 2 + ext(now, t);
	bool stack = shares_stack(t, now);
	uint64_t rip = now->rip;

	switch (t->scene->obstacle) {
	case MEETS_IDT:
		if (own_gate && t->spoilt)
			return page_fault(0, at->gate, rip);
		break;
	case MEETS_GDT:
		if (own_gate && t->spoilt)
			return page_fault(0, at->segment, rip);
		break;
	case MEETS_TSS:
		if (stack && t->spoilt)
			return page_fault(0, at->ring0, rip);
		break;
	case MEETS_STACK:
	case MEETS_COLD_STACK:
		if (stack && t->spoilt)
			return page_fault(2, at->stack, rip);
		break;
	case MEETS_READONLY_STACK:
		if (stack && t->spoilt)
			return page_fault(3, at->stack, rip);
		break;
	case MEETS_ODD_STACK:
		if (stack)
			return contributory(12, ext(now, t), rip);
		break;
	case MEETS_ABSENT_GATE:
		if (own_gate)
			return contributory(11, index, rip);
		break;
	case MEETS_WRONG_GATE:
	case MEETS_CLOSED_GATE:
		if (own_gate)
			return contributory(13, index, rip);
		break;
	case MEETS_NULL_SEGMENT:
		if (own_gate)
			return contributory(13, ext(now, t), rip);
		break;
	default:
		break;
	}
	return (struct happening){0};
}

/* Does this #PF reach the hypervisor? */
static bool does_exit(const struct teller *t, const struct happening *pf)
{
	const struct policy *p = t->policy;

	if (!p->exits)
		return false;
	if (pf->error & 1 || !p->bypass)
		return true;
	if (t->scene->mode == GUEST_32 && !p->bypass_in_32)
		return true;
	return t->scene->obstacle == MEETS_COLD_STACK &&
	       pf->cr2 == t->places.stack;
}

enum fate {
	FATE_SECOND,
	FATE_DOUBLE,
	FATE_SHUTDOWN,
	FATE_FIRST,
};

static enum fate by_manual(char first, char second)
{
	if (first == 'd' && second != 'b')
		return FATE_SHUTDOWN;
	if (first == 'c' && second == 'c')
		return FATE_DOUBLE;
	if (first == 'p' && second != 'b')
		return FATE_DOUBLE;
	return FATE_SECOND;
}

static enum fate by_rule(enum pf_rule rule, const struct happening *first)
{
	switch (rule) {
	case PF_ON_ANY_PF:
		return first->class == 'p' ? FATE_DOUBLE : FATE_SECOND;
	case PF_ON_OWN_PF:
		return first->class == 'p' && !first->direct ? FATE_DOUBLE
							     : FATE_SECOND;
	case PF_QUEUE:
		if (!first->is_exception)
			return FATE_SECOND;
		return first->class == 'p'   ? FATE_DOUBLE
		       : first->class == 'd' ? FATE_SHUTDOWN
					     : FATE_FIRST;
	case PF_HARDWARE:
		break;
	}
	return by_manual(first->is_exception ? first->class : 'b', 'p');
}

static enum fate combine(struct teller *t, const struct happening *now,
			 struct happening *second)
{
	bool exits = second->class == 'p' && does_exit(t, second);
	enum fate fate = exits ? by_rule(t->policy->rule, now)
			       : by_manual(now->is_exception ? now->class : 'b',
					   second->class);

	second->direct = !exits;
	if (second->class == 'p' &&
	    (!exits || fate == FATE_SECOND || t->policy->rule == PF_HARDWARE))
		t->cr2 = second->cr2;
	if (exits && now->is_first && t->scene->first == FIRST_IRQ)
		t->irq_kept = t->policy->keeps_irq;
	return fate;
}

static void record(struct teller *t, const struct happening *now)
{
	t->story->record[t->story->nr++] =
		(struct log_record){now->vector, now->error, t->cr2, now->rip};
}

/* Completed.  Soft events save the address behind the instruction. */
static void arrive(struct teller *t, const struct happening *now)
{
	struct happening here = *now;

	if (now->is_first && t->facts->is_soft)
		here.rip += t->scene->first == FIRST_INT ? 2 : 1;
	record(t, &here);
}

static struct happening first_happening(struct teller *t)
{
	struct happening now = {
		.vector = t->facts->vector,
		.class = t->facts->class,
		.is_first = true,
		.is_exception =
			!t->facts->is_soft && t->scene->first != FIRST_IRQ,
		.error = t->places.error,
		.rip = t->places.rip,
	};

	if (t->scene->first == FIRST_PF) {
		now.cr2 = DATA_PAGE + 0x10;
		now.direct = !does_exit(t, &now);
		t->cr2 = now.cr2;
	}
	return now;
}

/* No instruction brings back an interrupt or a single step: it runs on. */
static void arrive_done(struct teller *t)
{
	struct happening done = {.vector = VECTOR_DONE};

	record(t, &done);
}

static void begin(struct teller *t, const struct happening *now)
{
	if (t->story->nr_begun < STORY_MAX)
		t->story->begun[t->story->nr_begun++] = now->vector;
}

/* One event until it, or what becomes of it, arrives.  False: the end. */
static bool deliver(struct teller *t, struct happening now,
		    struct happening *arrived)
{
	for (unsigned int i = 0; i < TELLER_STEPS; i++) {
		struct happening second = obstacle(t, &now);

		begin(t, &now);
		if (!second.class) {
			*arrived = now;
			return true;
		}
		switch (combine(t, &now, &second)) {
		case FATE_SECOND:
			now = second;
			break;
		case FATE_DOUBLE:
			now = (struct happening){.vector = 8,
						 .class = 'd',
						 .is_exception = true,
						 .rip = now.rip};
			break;
		case FATE_SHUTDOWN:
			t->story->end = STORY_SHUTDOWN;
			return false;
		case FATE_FIRST:
			break;
		}
	}
	t->story->end = STORY_ENDLESS;
	return false;
}

/* The handler is on an absent page: a #PF of its own, after the delivery. */
static bool fetch_handler(struct teller *t)
{
	struct happening fetch =
		page_fault(0x10, t->places.handler, t->places.handler);
	bool exits = does_exit(t, &fetch);

	/* A direct one has the bit as the host's NXE is on. */
	if (t->scene->mode == GUEST_32 &&
	    (!t->policy->exits || (exits && !t->policy->repeats_id)))
		fetch.error = 0;

	t->cr2 = fetch.cr2;
	if (!deliver(t, fetch, &fetch))
		return false;
	arrive(t, &fetch);
	return true;
}

void story_tell(const struct scene *s, const struct policy *p,
		struct story *ret)
{
	struct teller t = {.scene = s,
			   .policy = p,
			   .facts = first_facts(s->first),
			   .story = ret,
			   .spoilt = true};
	struct happening first, now;

	*ret = (struct story){.end = STORY_DONE};
	scene_places(s, &t.places);
	first = first_happening(&t);
	if (!deliver(&t, first, &now))
		return;
	if (s->obstacle == MEETS_ABSENT_HANDLER && !fetch_handler(&t))
		return;
	arrive(&t, &now);
	/* A #PF of the delivery is repaired, and the first comes again. */
	if (now.is_first || now.vector != 14)
		return;
	t.spoilt = false;
	if (s->first == FIRST_DB || (s->first == FIRST_IRQ && !t.irq_kept))
		arrive_done(&t);
	else
		arrive(&t, &first);
}
