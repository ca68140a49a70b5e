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
	uint64_t val = 0;
	size_t size = g->levels == 2 ? 4 : 8;

	if (at + size > g->ram_size)
		return 0; /* the hypervisor's choice, see walk.c */
	memcpy(&val, g->ram + at, size);
	return val;
}

static bool is_reserved(const struct truth_guest *g, uint64_t entry, int level)
{
	bool large = (entry >> 7) & 1;

	/* 32-bit: 20:13 are 39:32 of the address of 4 MiB. */
	if (g->levels == 2)
		return level == 2 && large && g->pse &&
		       (entry & bits(21, 13 + g->maxphyaddr - 32));
	if (entry & bits(51, g->maxphyaddr))
		return true;
	if (g->levels == 3 && (entry & bits(62, 52)))
		return true;
	if (!g->nxe && (entry >> 63))
		return true;
	if (level >= 4 && large)
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

static bool is_page(const struct truth_guest *g, uint64_t entry, int level)
{
	if (level == 1)
		return true;
	if (level > 3 || !((entry >> 7) & 1))
		return false;
	return g->levels != 2 || g->pse;
}

static uint64_t page_base(const struct truth_guest *g, uint64_t entry,
			  uint64_t span)
{
	if (g->levels == 2 && span > 4096)
		return (entry & bits(31, 22)) + ((entry >> 13) % 256 << 32);
	return (entry & bits(51, 12)) / span * span;
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
		int bits_each = g->levels == 2 ? 10 : 9;
		uint64_t size = g->levels == 2 ? 4 : 8;
		uint64_t span = (uint64_t)1 << (12 + bits_each * (level - 1));
		uint64_t at = table + (gva / span) % (4096 / size) * size;
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
		if (is_page(g, entry, level)) {
			t.page_level = level;
			t.leaf_accessed = (entry >> 5) & 1;
			t.leaf_dirty = (entry >> 6) & 1;
			t.leaf_nx = entry >> 63;
			t.gpa = page_base(g, entry, span) + gva % span;
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
