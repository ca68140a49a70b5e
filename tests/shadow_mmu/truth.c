/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "truth.h"

#include <string.h>

static uint64_t bits(int hi, int lo)
{
	uint64_t mask = 0;

	for (int i = lo; i <= hi; i++)
		mask += (uint64_t)1 << i;
	return mask;
}

static uint64_t peek(const struct truth_guest *g, uint64_t at)
{
	uint64_t val;

	if (at + 8 > g->ram_size)
		return 0; /* the hypervisor's choice, see walk.c */
	memcpy(&val, g->ram + at, 8);
	return val;
}

static bool is_reserved(const struct truth_guest *g, uint64_t entry, int level)
{
	bool large = (entry >> 7) & 1;

	if (entry & bits(51, g->maxphyaddr))
		return true;
	if (g->levels == 3 && (entry & bits(62, 52)))
		return true;
	if (!g->nxe && (entry >> 63))
		return true;
	if (level == 4 && large)
		return true;
	if (level == 3 && large && (entry & bits(29, 13)))
		return true;
	return level == 2 && large && (entry & bits(20, 13));
}

static void take_rights(struct truth *t, uint64_t entry)
{
	t->write = t->write && ((entry >> 1) & 1);
	t->user = t->user && ((entry >> 2) & 1);
	t->exec = t->exec && !(entry >> 63);
}

struct truth truth_of(const struct truth_guest *g, uint64_t gva)
{
	struct truth t = {
		.write = true,
		.user = true,
		.exec = true,
		.accessed = true,
	};
	uint64_t table = g->cr3 & bits(51, 12);
	int level = g->levels;

	if (!level) {
		t.gpa = gva;
		return t;
	}
	if (level == 3) {
		uint64_t pdpte = g->pdpte[(gva / 0x40000000) % 4];

		if (pdpte % 2 == 0) {
			t.absent = true;
			t.write_above = t.user_above = t.exec_above = true;
			return t;
		}
		table = pdpte & bits(51, 12);
		level = 2;
	}

	for (;; level--) {
		uint64_t span = (uint64_t)1 << (12 + 9 * (level - 1));
		uint64_t at = table + (gva / span) % 512 * 8;
		uint64_t entry = level == 1 && g->leaf ? *g->leaf : peek(g, at);

		t.entry_at[t.nr_entries++] = at;
		t.write_above = t.write;
		t.user_above = t.user;
		t.exec_above = t.exec;
		if (entry % 2 == 0) {
			t.absent = true;
			return t;
		}
		if (is_reserved(g, entry, level))
			t.reserved = true;
		take_rights(&t, entry);
		t.accessed = t.accessed && ((entry >> 5) & 1);
		if (level == 1 || (level < 4 && ((entry >> 7) & 1))) {
			t.page_level = level;
			t.leaf_accessed = (entry >> 5) & 1;
			t.leaf_dirty = (entry >> 6) & 1;
			t.leaf_nx = entry >> 63;
			t.gpa = (entry & bits(51, 12)) / span * span +
				gva % span;
			return t;
		}
		table = entry & bits(51, 12);
	}
}

static bool allows(const struct truth_guest *g, bool write_ok, bool user_ok,
		   bool exec_ok, bool write, bool user, bool exec)
{
	if (!g->levels)
		return true;
	if (user && !user_ok)
		return false;
	if (write && !write_ok && (user || g->wp))
		return false;
	return !(exec && g->nxe && !exec_ok);
}

bool truth_allows(const struct truth_guest *g, const struct truth *t,
		  bool write, bool user, bool exec)
{
	return !t->absent &&
	       allows(g, t->write, t->user, t->exec, write, user, exec);
}

bool truth_denies_above(const struct truth_guest *g, const struct truth *t,
			bool write, bool user, bool exec)
{
	return !allows(g, t->write_above, t->user_above, t->exec_above, write,
		       user, exec);
}
