/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu/contexts.h"

#include <string.h>

void contexts_init(struct contexts *c)
{
	*c = (struct contexts){.next = 1, .base = 1, .flushes = 1};
}

unsigned int contexts_give(struct contexts *c, unsigned int context)
{
	unsigned int n = c->next;

	if (n == CONTEXT_NUMBERS)
		return 0;
	c->next++;
	c->live[n / 64] |= BIT(n % 64);
	c->number[context] = (uint16_t)n;
	return n;
}

void contexts_flush(struct contexts *c, unsigned int context)
{
	unsigned int n = contexts_number(c, context);

	if (!n)
		return;
	c->live[n / 64] &= ~BIT(n % 64);
	c->number[context] = 0;
	c->flushes++;
}

void contexts_flush_all(struct contexts *c)
{
	if (c->base != c->next)
		c->flushes++;
	c->base = c->next;
}

void contexts_renumber(struct contexts *c, uint16_t map[CONTEXT_NUMBERS])
{
	struct contexts fresh;

	contexts_init(&fresh);
	memset(map, 0, CONTEXT_NUMBERS * sizeof(*map));
	for (unsigned int i = 0; i < CONTEXTS; i++) {
		unsigned int n = contexts_number(c, i);

		if (n)
			map[n] = (uint16_t)contexts_give(&fresh, i);
	}
	*c = fresh;
}
