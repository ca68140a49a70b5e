/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "live/sites.h"

#define SITES_BITS_MIN 10

int sites_create(struct sites *ret)
{
	struct sites sites = {.bits = SITES_BITS_MIN};

	sites.site = calloc(1u << SITES_BITS_MIN, sizeof(*sites.site));
	if (!sites.site)
		return -ENOMEM;
	*ret = sites;
	return 0;
}

void sites_destroy(struct sites *sites)
{
	free(sites->site);
	*sites = (struct sites){0};
}

void sites_clear(struct sites *sites)
{
	memset(sites->site, 0, sizeof(*sites->site) << sites->bits);
	sites->nr = 0;
}

static struct site *find_slot(const struct sites *sites, gva_t pc)
{
	uint32_t mask = (1u << sites->bits) - 1;
	uint32_t at = hash_u64(pc, sites->bits);

	while (sites->site[at].used && sites->site[at].pc != pc)
		at = (at + 1) & mask;
	return &sites->site[at];
}

struct site *sites_find(const struct sites *sites, gva_t pc)
{
	struct site *site = find_slot(sites, pc);

	return site->used ? site : NULL;
}

static int grow(struct sites *sites)
{
	struct site *old = sites->site;
	uint32_t nr_old = 1u << sites->bits;
	struct site *bigger = calloc((size_t)nr_old * 2, sizeof(*bigger));

	if (!bigger)
		return -ENOMEM;
	sites->site = bigger;
	sites->bits++;
	for (uint32_t i = 0; i < nr_old; i++)
		if (old[i].used)
			*find_slot(sites, old[i].pc) = old[i];
	free(old);
	return 0;
}

struct site *sites_add(struct sites *sites, gva_t pc)
{
	struct site *site = sites_find(sites, pc);

	if (site)
		return site;
	if (sites->nr >= (1u << sites->bits) / 2 && grow(sites))
		return NULL;
	site = find_slot(sites, pc);
	*site = (struct site){.pc = pc, .used = true};
	sites->nr++;
	return site;
}

const struct insn *site_decode(struct site *site, enum code_mode mode,
			       const uint8_t *bytes, size_t n)
{
	struct insn *insn = &site->insn;

	if (insn->length && insn->mode == mode && n >= insn->length &&
	    !memcmp(bytes, site->bytes, insn->length))
		return insn;
	*insn = (struct insn){0};
	if (n)
		decode_one(mode, bytes, n, insn);
	memcpy(site->bytes, bytes, n);
	return insn;
}
