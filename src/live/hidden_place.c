/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where Unicorn keeps its processor state: behind one of the pointers at the
 * beginning of its engine.  What looks like it has to follow the registers when
 * they are changed, and to be what a snapshot says, all of it.  Memory is
 * looked at only where the kernel says that it is mapped.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live/hidden_layout.h"

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

static bool follows(const struct hidden *hidden, const struct hidden_head *at)
{
	uint64_t val = at->gpr[GPR_RBX], other = ~val;
	bool same;

	uc_reg_write(hidden->uc, UC_X86_REG_RBX, &other);
	same = at->gpr[GPR_RBX] == other;
	uc_reg_write(hidden->uc, UC_X86_REG_RBX, &val);
	return same;
}

static const struct hidden_head *find_behind(const struct hidden *hidden,
					     uintptr_t from, size_t room,
					     const uint64_t pattern[NR_GPR])
{
	const size_t need = sizeof(struct hidden_head);

	for (size_t at = 0; at + need <= room; at += sizeof(uint64_t)) {
		const uint8_t *bytes = (const uint8_t *)from + at;
		const void *place = bytes;

		if (memcmp(bytes, pattern, sizeof(uint64_t) * NR_GPR) ||
		    memcmp(bytes, &hidden->head, need))
			continue;
		if (place != &hidden->head && follows(hidden, place))
			return place;
	}
	return NULL;
}

const struct hidden_head *hidden_find_place(struct hidden *hidden,
					    const uint64_t pattern[NR_GPR])
{
	const uintptr_t engine = (uintptr_t)hidden->uc;
	struct ranges *ranges = malloc(sizeof(*ranges));
	const struct hidden_head *place = NULL;
	size_t words;

	if (!ranges)
		return NULL;
	read_ranges(ranges);
	words = room_at(ranges, engine) / sizeof(uintptr_t);
	for (size_t i = 0; i < ENGINE_WORDS && i < words && !place; i++) {
		uintptr_t from;
		size_t room;

		memcpy(&from, (const uint8_t *)engine + i * sizeof(from),
		       sizeof(from));
		if (!from || from % sizeof(uint64_t))
			continue;
		room = room_at(ranges, from);
		if (room > PLACE_MAX)
			room = PLACE_MAX;
		place = find_behind(hidden, from, room, pattern);
	}
	free(ranges);
	return place;
}
