/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/region.h"

#include <stddef.h>

#include "base/bug.h"

/* The pointer is looked for in so many words of the engine. */
#define WORDS_MAX 128

typedef void *region_search(uc_engine *uc, uint64_t at);

/* Unicorn's own; NULL: this build of it does not show it. */
extern region_search find_memory_mapping_x86_64 __attribute__((weak));

/* Unicorn tells who asks by nothing but the engine. */
static _Thread_local struct {
	uc_engine *uc;
	hpa_t size;
	void *region;
} held;

static void *search(uc_engine *uc, uint64_t at)
{
	if (likely(uc == held.uc && at < held.size))
		return held.region;
	return find_memory_mapping_x86_64(uc, at);
}

/* In the engine, the one word that holds it; NULL: not one. */
static region_search **find_pointer(uc_engine *uc, region_search *of)
{
	region_search **words = (region_search **)(void *)uc;
	region_search **found = NULL;

	for (unsigned int i = 0; i < WORDS_MAX; i++) {
		if (words[i] != of)
			continue;
		if (found)
			return NULL;
		found = &words[i];
	}
	return found;
}

bool region_hold(uc_engine *uc, hpa_t size)
{
	region_search **pointer, *own = find_memory_mapping_x86_64;
	void *region;

	if (!own)
		return false;
	pointer = find_pointer(uc, own);
	region = own(uc, 0);
	if (!pointer || !region || own(uc, size - 1) != region)
		return false;
	held.uc = uc;
	held.size = size;
	held.region = region;
	*pointer = search;
	return true;
}

void region_release(uc_engine *uc)
{
	region_search **pointer = find_pointer(uc, search);

	if (pointer)
		*pointer = find_memory_mapping_x86_64;
	if (held.uc == uc)
		held.uc = NULL;
}
