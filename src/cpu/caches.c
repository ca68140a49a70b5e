/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu/caches.h"

#include <string.h>

/* At least one line. */
static uint32_t share_of(uint32_t whole, unsigned int percent)
{
	uint64_t part = (uint64_t)whole * percent / 100;

	return part ? (uint32_t)part : 1;
}

int caches_init(struct caches *caches, const struct cpu_geometry *geometry)
{
	memset(caches, 0, sizeof(*caches));
	for (int i = 0; i < CPU_CACHES; i++) {
		struct cpu_array shape = geometry->cache[i];
		int err;

		if (shape.sets > 1)
			shape.sets =
				share_of(shape.sets, geometry->table_share);
		else if (shape.sets)
			shape.ways = (uint16_t)share_of(shape.ways,
							geometry->table_share);
		err = assoc_init(&caches->level[i], &shape);
		if (err)
			return err;
	}
	return 0;
}

void caches_finish(struct caches *caches)
{
	for (int i = 0; i < CPU_CACHES; i++)
		assoc_finish(&caches->level[i]);
}

void caches_expect(const struct caches *caches, hpa_t at)
{
	uint64_t line = at >> CPU_LINE_SHIFT;

	for (int i = CACHE_L2; i < CPU_CACHES; i++) {
		const struct assoc *a = &caches->level[i];
		uint32_t set = a->sets ? assoc_set(a, line) : 0;

		if (!a->sets)
			continue;
		__builtin_prefetch(assoc_at(a, set));
		__builtin_prefetch(&a->tag[set * a->ways]);
	}
}
