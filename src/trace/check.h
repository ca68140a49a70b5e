/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does a sequence of items keep to the order that docs/trace-format.md asks
 * for?  Rules are named (rules.def), each is looked at for every item.
 * Nothing is simulated: whether the faults are those of the page tables, a
 * replay tells.
 */
#ifndef NOTRAP_TRACE_CHECK_H
#define NOTRAP_TRACE_CHECK_H

#include "trace/line.h"
#include "trace/trace.h"

enum trace_rule {
#define RULE(id, name, text) RULE_##id,
#include "trace/rules.def"
#undef RULE
	NR_TRACE_RULES
};

struct trace_check;

/* NULL: no memory. */
struct trace_check *trace_check_create(enum trace_granularity granularity);
void trace_check_destroy(struct trace_check *check); /* NULL is fine */

/* In order, from the first on.  -ENOMEM: a frame could not be noted. */
int trace_check_item(struct trace_check *check, const struct trace_item *item);

uint64_t trace_check_items(const struct trace_check *check);

/* How often a rule was broken; *first: the item where it was at first, as a
 * line without newline. */
uint64_t trace_check_broken(const struct trace_check *check,
			    enum trace_rule rule, const char **first);

const char *trace_rule_name(enum trace_rule rule);
const char *trace_rule_text(enum trace_rule rule);

#endif
