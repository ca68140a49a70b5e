/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The slow model: what the guest's own tables say of an address, read the
 * plain way and written without any of the code under test.  Numbers instead
 * of names, one step a line; SDM vol. 3A, "4-Level Paging", "PAE Paging".
 */
#ifndef NOTRAP_TESTS_SHADOW_MMU_TRUTH_H
#define NOTRAP_TESTS_SHADOW_MMU_TRUTH_H

#include <stdbool.h>
#include <stdint.h>

struct truth_guest {
	const uint8_t *ram;
	uint64_t ram_size;
	int levels; /* 0: paging off, 2: 32-bit, 3: PAE, 4, 5 */
	uint64_t cr3;
	uint64_t pdpte[4];
	bool wp, nxe, pse;
	int maxphyaddr;
	const uint64_t *leaf; /* instead of the entry of level 1; NULL: none */
};

struct truth {
	bool absent;
	uint64_t gpa; /* if not absent */
	int page_level;
	uint64_t entry_at[5]; /* addresses of the entries read, top first */
	int nr_entries;
	bool write, user, exec; /* allowed by all entries */
	/* A right is missing in an entry above the one that is absent. */
	bool write_above, user_above, exec_above;
	bool reserved; /* a present entry has a reserved bit set */
	bool accessed; /* all present entries of the way */
	bool leaf_accessed, leaf_dirty, leaf_nx;
};

struct truth truth_of(const struct truth_guest *g, uint64_t gva);

/* May this access happen?  Reserved bits are not looked at. */
bool truth_allows(const struct truth_guest *g, const struct truth *t,
		  bool write, bool user, bool exec);

/* Does an entry above the absent one already forbid it? */
bool truth_denies_above(const struct truth_guest *g, const struct truth *t,
			bool write, bool user, bool exec);

#endif
