/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/dirty.h"

#include <stddef.h>

#define UNCHECKED __attribute__((no_sanitize("address", "undefined")))

/* The processor is behind one of so many words of the engine. */
#define ENGINE_WORDS 128

/* It has its state so far behind its beginning, at most, */
#define STATE_MAX ((uintptr_t)128 << 10)

/* and a pointer to it among its first words. */
#define CPU_WORDS 64

/* NULL: this build of Unicorn does not show it. */
extern void tlb_set_dirty_x86_64(void *cpu, uint64_t gva) __attribute__((weak));

UNCHECKED static bool leads_to(uintptr_t cpu, uintptr_t state)
{
	const uintptr_t *word = (const uintptr_t *)cpu;

	if (cpu % sizeof(*word) != 0 || cpu >= state ||
	    state - cpu > STATE_MAX || state - cpu < CPU_WORDS * sizeof(*word))
		return false;
	for (size_t i = 0; i < CPU_WORDS; i++)
		if (word[i] == state)
			return true;
	return false;
}

UNCHECKED bool dirty_find(uc_engine *uc, const void *state, struct dirty *ret)
{
	const uintptr_t *word = (const uintptr_t *)(const void *)uc;
	uintptr_t cpu = 0;

	ret->cpu = NULL;
	if (!tlb_set_dirty_x86_64)
		return false;
	for (size_t i = 0; i < ENGINE_WORDS; i++) {
		if (!leads_to(word[i], (uintptr_t)state) || word[i] == cpu)
			continue;
		if (cpu)
			return false; /* there are two */
		cpu = word[i];
	}
	ret->cpu = (void *)cpu;
	return cpu != 0;
}

void dirty_set(const struct dirty *dirty, gva_t gva)
{
	if (dirty->cpu)
		tlb_set_dirty_x86_64(dirty->cpu, gva);
}
