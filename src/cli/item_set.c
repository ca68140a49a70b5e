/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/item_set.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"

#define ALL UINT32_MAX

_Static_assert(NR_GUEST_EVENTS <= 32, "a bit for each");

void item_set_all(struct item_set *set)
{
	*set = (struct item_set){ALL, ALL, ALL};
}

static bool is_word(struct suggest *near, const char *name)
{
	if (!name)
		return false;
	suggest_offer(near, name);
	return !strcmp(near->word, name);
}

static bool add_word(struct item_set *set, struct suggest *near)
{
	for (unsigned int i = TRACE_FETCH; i <= TRACE_WRITE; i++) {
		if (is_word(near, trace_kind_name((enum trace_kind)i))) {
			set->refs |= 1u << i;
			return true;
		}
	}
	for (unsigned int i = TRACE_ITEM_EVENT; i < NR_TRACE_ITEM_KINDS; i++) {
		if (is_word(near, trace_item_name((enum trace_item_kind)i))) {
			set->items |= 1u << i;
			set->events |= i == TRACE_ITEM_EVENT ? ALL : 0;
			return true;
		}
	}
	for (unsigned int i = 0; i < NR_GUEST_EVENTS; i++) {
		if (is_word(near, trace_event_name((enum guest_event_kind)i))) {
			set->events |= 1u << i;
			return true;
		}
	}
	return false;
}

int item_set_parse(struct item_set *set, const char *list, struct diag *diag)
{
	*set = (struct item_set){0};
	for (;;) {
		int len = (int)strcspn(list, ",");
		struct suggest near;
		char word[32];

		snprintf(word, sizeof(word), "%.*s", len, list);
		suggest_init(&near, word);
		if (!add_word(set, &near)) {
			const char *best = suggest_best(&near);

			return diag_set(diag, -EINVAL,
					"--kind %s: no kind of item%s%s%s",
					word, best ? "; did you mean \"" : "",
					best ? best : "", best ? "\"?" : "");
		}
		list += len;
		if (!*list)
			return 0;
		list++;
	}
}
