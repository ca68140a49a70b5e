/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --kind: which items of a trace are wanted. */
#ifndef NOTRAP_CLI_ITEM_SET_H
#define NOTRAP_CLI_ITEM_SET_H

#include "trace/trace.h"

/* A bit each, by enum trace_kind, trace_item_kind, guest_event_kind. */
struct item_set {
	uint32_t refs, items, events;
};

void item_set_all(struct item_set *set);

/* "fault,deliver,write".  -EINVAL with a line. */
int item_set_parse(struct item_set *set, const char *list, struct diag *diag);

static inline bool item_set_has_ref(const struct item_set *set,
				    const struct trace_ref *ref)
{
	return set->refs >> ref->kind & 1;
}

static inline bool item_set_has(const struct item_set *set,
				const struct trace_item *item)
{
	if (item->kind == TRACE_ITEM_EVENT)
		return set->events >> item->event.kind & 1;
	return set->items >> item->kind & 1;
}

#endif
