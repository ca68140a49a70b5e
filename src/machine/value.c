/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CACHE_LINE (1u << CPU_LINE_SHIFT)

/* --- Numbers ------------------------------------------------------------- */

/* Decimal digits at the start of text; NULL: none, or more than max. */
static const char *read_number(const char *text, uint64_t max, uint64_t *ret)
{
	uint64_t val = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9'; at++) {
		unsigned int digit = (unsigned int)(*at - '0');

		if (val > max / 10 || 10 * val > max - digit)
			return NULL;
		val = 10 * val + digit;
	}
	if (at == text)
		return NULL;
	*ret = val;
	return at;
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

/* "MIN..MAX" and nothing behind it. */
static bool read_bounds(const char *text, uint64_t max, struct cost_range *ret)
{
	text = read_number(text, max, &ret->min);
	if (text)
		text = skip_blanks(text);
	if (!text || strncmp(text, "..", 2) != 0)
		return false;
	text = read_number(skip_blanks(text + 2), max, &ret->max);
	return text && !*text;
}

static bool is_ordered(const struct cost_range *range)
{
	return range->min <= range->typ && range->typ <= range->max;
}

static int refuse_range(const struct ini *ini, const struct ini_entry *entry,
			struct diag *diag)
{
	return entry->range ? ini_bad(ini, entry, diag,
				      "%.60s takes no [MIN..MAX]", entry->key)
			    : 0;
}

static int parse_number(const struct ini *ini, const struct ini_entry *entry,
			uint64_t min, uint64_t max, uint64_t *ret,
			struct diag *diag)
{
	uint64_t val = 0;
	const char *end = read_number(entry->value, max, &val);

	if (!end || *end || val < min)
		return ini_bad(ini, entry, diag,
			       "%.60s = %.60s: want a number, %" PRIu64
			       "..%" PRIu64,
			       entry->key, entry->value, min, max);
	*ret = val;
	return 0;
}

int value_number(const struct ini *ini, const struct ini_entry *entry,
		 uint64_t min, uint64_t max, uint64_t *ret, struct diag *diag)
{
	int err = refuse_range(ini, entry, diag);

	return err ? err : parse_number(ini, entry, min, max, ret, diag);
}

int value_range(const struct ini *ini, const struct ini_entry *entry,
		uint64_t min, uint64_t max, struct cost_range *ret,
		struct diag *diag)
{
	struct cost_range range = {0};
	int err = parse_number(ini, entry, min, max, &range.typ, diag);

	if (err)
		return err;
	range = cost_exact(range.typ);
	if (entry->range && (!read_bounds(entry->range, max, &range) ||
			     range.min < min || !is_ordered(&range)))
		return ini_bad(ini, entry, diag,
			       "%.60s = %.60s [%.60s]: want [MIN..MAX] around "
			       "it, within %" PRIu64 "..%" PRIu64,
			       entry->key, entry->value, entry->range, min,
			       max);
	*ret = range;
	return 0;
}

/* --- Words --------------------------------------------------------------- */

int value_yes_no(const struct ini *ini, const struct ini_entry *entry,
		 bool *ret, struct diag *diag)
{
	bool yes = !strcmp(entry->value, "yes");
	int err = refuse_range(ini, entry, diag);

	if (err)
		return err;
	if (!yes && strcmp(entry->value, "no") != 0)
		return ini_bad(ini, entry, diag,
			       "%.60s = %.60s: want yes or no", entry->key,
			       entry->value);
	*ret = yes;
	return 0;
}

int value_text(const struct ini *ini, const struct ini_entry *entry, char *ret,
	       size_t size, struct diag *diag)
{
	int err = refuse_range(ini, entry, diag);

	if (err)
		return err;
	if (strlen(entry->value) >= size)
		return ini_bad(ini, entry, diag, "%.60s: more than %zu letters",
			       entry->key, size - 1);
	snprintf(ret, size, "%s", entry->value);
	return 0;
}

/* The next word of *text, which it advances; false: there is none. */
static bool next_word(const char **text, char *buf, size_t size)
{
	const char *at = skip_blanks(*text);
	size_t len = strcspn(at, " \t");

	*text = at + len;
	if (!len || len >= size)
		return false;
	memcpy(buf, at, len);
	buf[len] = 0;
	return true;
}

struct word {
	const char *name;
	uint64_t val;
};

static const struct word kinds[] = {
	{"fetch", TLB_KIND_FETCH},
	{"load", TLB_KIND_LOAD},
	{"store", TLB_KIND_STORE},
	{NULL, 0},
};

static const struct word sizes[] = {
	{"4k", TLB_SIZE_4K},
	{"2m", TLB_SIZE_2M},
	{"1g", TLB_SIZE_1G},
	{NULL, 0},
};

static const struct word policies[] = {
	{"lru", CPU_LRU},       {"plru", CPU_PLRU}, {"fifo", CPU_FIFO},
	{"random", CPU_RANDOM}, {NULL, 0},
};

static const struct word *find_word(const struct word *words, const char *text,
				    size_t len)
{
	for (; words->name; words++)
		if (strlen(words->name) == len &&
		    !strncmp(words->name, text, len))
			return words;
	return NULL;
}

/* "a+b" of the words, each once; 0: it is not. */
static uint8_t read_set(const struct word *words, const char *text)
{
	uint64_t set = 0;

	for (;; text++) {
		size_t len = strcspn(text, "+");
		const struct word *word = find_word(words, text, len);

		if (!word || (set & word->val))
			return 0;
		set |= word->val;
		text += len;
		if (!*text)
			return (uint8_t)set;
	}
}

/* --- Arrays -------------------------------------------------------------- */

/* Bytes of "32K" and "4M"; numbers of anything else end before the letter. */
static const char *read_bytes(const char *text, uint64_t max, uint64_t *ret)
{
	unsigned int shift;

	text = read_number(text, max, ret);
	if (!text)
		return NULL;
	shift = *text == 'K' ? 10 : *text == 'M' ? 20 : 0;
	if (*ret > max >> shift)
		return NULL;
	*ret <<= shift;
	return text + !!shift;
}

/* Entries and ways, as an array; false: it cannot be built. */
static bool shape(uint64_t entries, const char *ways_text,
		  struct cpu_array *ret)
{
	const char *end;
	uint64_t ways;

	if (!strcmp(ways_text, "full")) {
		ways = entries;
	} else {
		end = read_number(ways_text, CPU_WAYS_MAX, &ways);
		if (!end || *end)
			return false;
	}
	if (!entries || !ways || ways > CPU_WAYS_MAX || entries % ways)
		return false;
	ret->ways = (uint16_t)ways;
	ret->sets = (uint32_t)(entries / ways);
	return true;
}

/* "N/WAYS [POLICY]" or "0"; each unit is so many of what N counts. */
static bool read_array(const char *text, unsigned int unit,
		       struct cpu_array *ret)
{
	struct cpu_array array = {.policy = CPU_LRU};
	const struct word *policy;
	char word[24];
	const char *ways;
	uint64_t n = 0;

	if (!next_word(&text, word, sizeof(word)))
		return false;
	ways = unit > 1 ? read_bytes(word, UINT32_MAX, &n)
			: read_number(word, UINT32_MAX, &n);
	if (!ways || n % unit)
		return false;
	if (*ways == '/') {
		if (!shape(n / unit, ways + 1, &array))
			return false;
	} else if (*ways || n) {
		return false;
	}
	if (next_word(&text, word, sizeof(word))) {
		policy = find_word(policies, word, strlen(word));
		if (!policy || !array.sets)
			return false;
		array.policy = (uint8_t)policy->val;
	}
	if (*skip_blanks(text))
		return false;
	*ret = array;
	return true;
}

static int parse_array(const struct ini *ini, const struct ini_entry *entry,
		       unsigned int unit, const char *want,
		       struct cpu_array *ret, struct diag *diag)
{
	int err = refuse_range(ini, entry, diag);

	if (!err && !read_array(entry->value, unit, ret))
		err = ini_bad(ini, entry, diag, "%.60s = %.60s: want %s",
			      entry->key, entry->value, want);
	return err;
}

int value_array(const struct ini *ini, const struct ini_entry *entry,
		struct cpu_array *ret, struct diag *diag)
{
	return parse_array(
		ini, entry, 1,
		"ENTRIES/WAYS (up to 256 ways, which divide the "
		"entries, or full), then perhaps lru, plru, fifo or random; "
		"or 0",
		ret, diag);
}

int value_cache(const struct ini *ini, const struct ini_entry *entry,
		struct cpu_array *ret, struct diag *diag)
{
	return parse_array(ini, entry, CACHE_LINE,
			   "BYTES/WAYS of whole lines of 64 bytes, as 32K/8, "
			   "then perhaps lru, plru, fifo or random; or 0",
			   ret, diag);
}

static bool read_tlb(const char *text, struct tlb_array_desc *ret)
{
	char level[4], kind[24], size[24];

	if (!next_word(&text, level, sizeof(level)) ||
	    !next_word(&text, kind, sizeof(kind)) ||
	    !next_word(&text, size, sizeof(size)))
		return false;
	if (strcmp(level, "1") != 0 && strcmp(level, "2") != 0)
		return false;
	ret->level = (uint8_t)(level[0] - '0');
	ret->kinds = read_set(kinds, kind);
	ret->sizes = read_set(sizes, size);
	return ret->kinds && ret->sizes && read_array(text, 1, &ret->array) &&
	       ret->array.sets;
}

int value_tlb(const struct ini *ini, const struct ini_entry *entry,
	      struct tlb_array_desc *ret, struct diag *diag)
{
	struct tlb_array_desc tlb = {.level = 0};
	int err = refuse_range(ini, entry, diag);

	if (err)
		return err;
	if (strlen(entry->key) >= sizeof(tlb.name))
		return ini_bad(ini, entry, diag,
			       "%.60s: a name of more than %zu letters",
			       entry->key, sizeof(tlb.name) - 1);
	snprintf(tlb.name, sizeof(tlb.name), "%s", entry->key);
	if (!read_tlb(entry->value, &tlb))
		return ini_bad(ini, entry, diag,
			       "%.60s = %.60s: want LEVEL KINDS SIZES "
			       "ENTRIES/WAYS [POLICY], as 1 load+store 4k 64/4 "
			       "lru",
			       entry->key, entry->value);
	*ret = tlb;
	return 0;
}
