/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where Unicorn keeps its processor state: behind one of the pointers at the
 * beginning of its engine.  What looks like it has to be what a snapshot says,
 * and to follow the registers when they are changed.  Memory is looked at only
 * where the kernel says that it is mapped, word by word: what checks accesses
 * to the heap would find that some of it is nobody's.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live/hidden_layout.h"

#define UNCHECKED __attribute__((no_sanitize("address", "undefined")))

/* The engine's structure is larger than this, its pointers are among these. */
#define ENGINE_WORDS 128

/* The state begins so far behind where the pointer leads, at most. */
#define PLACE_MAX ((size_t)128 << 10)

#define RANGES_MAX 512

struct range {
	uintptr_t begin, end;
};

struct ranges {
	struct range range[RANGES_MAX];
	size_t nr;
};

/* What is readable and writable. */
static void read_ranges(struct ranges *ranges)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];

	ranges->nr = 0;
	while (maps && ranges->nr < RANGES_MAX &&
	       fgets(line, sizeof(line), maps)) {
		struct range range;
		char rights[5];

		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &range.begin,
			   &range.end, rights) == 3 &&
		    rights[0] == 'r' && rights[1] == 'w')
			ranges->range[ranges->nr++] = range;
	}
	if (maps)
		fclose(maps);
}

/* Bytes that can be read at `at`; 0: none. */
static size_t room_at(const struct ranges *ranges, uintptr_t at)
{
	for (size_t i = 0; i < ranges->nr; i++) {
		const struct range *range = &ranges->range[i];

		if (at >= range->begin && at < range->end)
			return (size_t)(range->end - at);
	}
	return 0;
}

static bool follows(uc_engine *uc, const struct hidden_head *at)
{
	uint64_t val = at->gpr[GPR_RBX], other = ~val;
	bool same;

	uc_reg_write(uc, UC_X86_REG_RBX, &other);
	same = at->gpr[GPR_RBX] == other;
	uc_reg_write(uc, UC_X86_REG_RBX, &val);
	return same;
}

UNCHECKED static bool same_words(const uint64_t *a, const uint64_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

/* n words at `from`. */
static struct hidden_head *find_behind(uc_engine *uc, uint64_t *from, size_t n,
				       const struct hidden_head *want)
{
	const size_t need = sizeof(*want) / sizeof(uint64_t);
	const void *words = want;

	for (size_t i = 0; i + need <= n; i++) {
		void *place = from + i;

		if (same_words(place, words, need) && place != words &&
		    follows(uc, place))
			return place;
	}
	return NULL;
}

UNCHECKED struct hidden_head *hidden_find_place(uc_engine *uc,
						const struct hidden_head *want)
{
	const uintptr_t engine = (uintptr_t)uc;
	struct ranges *ranges = malloc(sizeof(*ranges));
	struct hidden_head *place = NULL;
	size_t words;

	if (!ranges)
		return NULL;
	read_ranges(ranges);
	words = room_at(ranges, engine) / sizeof(uintptr_t);
	for (size_t i = 0; i < ENGINE_WORDS && i < words && !place; i++) {
		uintptr_t from = ((const uintptr_t *)engine)[i];
		size_t room = (size_t)min_u64(room_at(ranges, from), PLACE_MAX);

		if (from % sizeof(uint64_t) == 0)
			place = find_behind(uc, (uint64_t *)from,
					    room / sizeof(uint64_t), want);
	}
	free(ranges);
	return place;
}
