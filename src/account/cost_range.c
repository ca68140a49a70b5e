/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/cost_range.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The number that *at begins with; *at goes past it. */
static bool take_number(const char **at, uint64_t *ret)
{
	bool hex = !strncmp(*at, "0x", 2);
	const char *digits = hex ? *at + 2 : *at;
	size_t len =
		strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");

	errno = 0;
	*ret = strtoull(digits, NULL, hex ? 16 : 10);
	*at = digits + len;
	return len && !errno;
}

static bool take(const char **at, const char *text)
{
	size_t len = strlen(text);

	if (strncmp(*at, text, len) != 0)
		return false;
	*at += len;
	return true;
}

int cost_range_parse(const char *text, struct cost_range *ret)
{
	struct cost_range range;

	if (!take_number(&text, &range.typ))
		return -EINVAL;
	if (!*text) {
		*ret = cost_exact(range.typ);
		return 0;
	}
	if (!take(&text, ":") || !take_number(&text, &range.min) ||
	    !take(&text, "..") || !take_number(&text, &range.max) || *text)
		return -EINVAL;
	if (range.min > range.typ || range.typ > range.max)
		return -EINVAL;
	*ret = range;
	return 0;
}

void cost_range_text(struct cost_range range, char buf[COST_RANGE_TEXT_MAX])
{
	if (cost_is_exact(range))
		snprintf(buf, COST_RANGE_TEXT_MAX, "%" PRIu64, range.typ);
	else
		snprintf(buf, COST_RANGE_TEXT_MAX,
			 "%" PRIu64 ":%" PRIu64 "..%" PRIu64, range.typ,
			 range.min, range.max);
}
