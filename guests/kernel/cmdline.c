/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One table of workloads, one of keys; parsing and printing both use them.
 */
#include "kernel/cmdline.h"

#include "kernel/console.h"
#include "kernel/timer.h"

#define MAX_WORDS 64

static const char *const workloads[WORK_COUNT] = {
	[WORK_HELLO] = "hello",   [WORK_TOUCH] = "touch",
	[WORK_FORK] = "fork",     [WORK_SWITCH] = "switch",
	[WORK_MMAP] = "mmap",     [WORK_MIXED] = "mixed",
	[WORK_SPIN] = "spin",     [WORK_TRIPLE] = "triple",
	[WORK_WILD] = "wild",     [WORK_ABSENT] = "absent",
	[WORK_TABLES] = "tables", [WORK_RIGHTS] = "rights",
	[WORK_STRIDE] = "stride",
};

#define ANY WORK_COUNT /* a key of all workloads */

/* The words some keys take for 0 and 1, as in cmdline.h. */
static const char *const rw[] = {"w", "r"};
static const char *const by[] = {"user", "kernel"};
static const char *const timer[] = {"pit", "apic"};
static const char *const direct[] = {"4k", "2m"};
#if MINI_LEVELS == 4
static const char *const mode[] = {"64", "57"};
#define MODES 1
#elif MINI_LEVELS == 3
static const char *const mode[] = {"pae"};
#define MODES 0
#else
static const char *const mode[] = {"32"};
#define MODES 0
#endif

struct key_info {
	const char *name;
	enum key key;
	enum workload workload;
	u64 preset;
	u64 min, max;
	const char *const *words; /* NULL: takes a number */
	bool is_rare;             /* told only if it is not as preset */
};

/* A key may have a line for each workload. */
static const struct key_info keys[] = {
	{"pages", KEY_PAGES, WORK_TOUCH, 64, 1, 262144, NULL},
	{"rw", KEY_RW, WORK_TOUCH, 0, 0, 1, rw},
	{"by", KEY_BY, WORK_TOUCH, 0, 0, 1, by},
	{"again", KEY_AGAIN, WORK_TOUCH, 0, 0, 1000000, NULL},
	{"populate", KEY_POPULATE, WORK_TOUCH, 0, 0, 1, NULL},
	{"procs", KEY_PROCS, WORK_FORK, 4, 1, 1000000, NULL},
	{"pages", KEY_PAGES, WORK_FORK, 16, 0, 262144, NULL},
	{"size", KEY_SIZE, WORK_FORK, 0, 0, 262144, NULL},
	{"exec", KEY_EXEC, WORK_FORK, 0, 0, 1, NULL},
	{"rounds", KEY_ROUNDS, WORK_SWITCH, 64, 1, 10000000, NULL},
	{"pages", KEY_PAGES, WORK_SWITCH, 1, 1, 8192, NULL, true},
	{"pages", KEY_PAGES, WORK_STRIDE, 64, 1, 65536, NULL},
	{"stride", KEY_STRIDE, WORK_STRIDE, 4096, 64, 1048576, NULL},
	{"rounds", KEY_ROUNDS, WORK_STRIDE, 4, 1, 1000000, NULL},
	{"rounds", KEY_ROUNDS, WORK_MMAP, 16, 1, 10000000, NULL},
	{"rounds", KEY_ROUNDS, WORK_TABLES, 8, 1, 1000000, NULL},
	{"rounds", KEY_ROUNDS, WORK_RIGHTS, 4, 1, 1000000, NULL},
	{"seed", KEY_SEED, WORK_MIXED, 1, 0, ~0ull, NULL},
	{"rounds", KEY_ROUNDS, WORK_MIXED, 64, 1, 10000000, NULL},
	{"procs", KEY_PROCS, WORK_MIXED, 4, 1, 8, NULL},
	{"hz", KEY_HZ, ANY, 1000, 0, HZ_MAX, NULL},
	{"timer", KEY_TIMER, ANY, 0, 0, 1, timer, true},
	{"direct", KEY_DIRECT, ANY, 0, 0, 1, direct},
	{"warm", KEY_WARM, ANY, WARM_AUTO, 0, WARM_MAX, NULL},
	{"mode", KEY_MODE, ANY, 0, 0, MODES, mode, true},
	{"nx", KEY_NX, ANY, 1, 0, 1, NULL, true},
	{"smep", KEY_SMEP, ANY, 0, 0, 1, NULL, true},
	{"smap", KEY_SMAP, ANY, 0, 0, 1, NULL, true},
	{"pku", KEY_PKU, ANY, 0, 0, 1, NULL, true},
	{"pcid", KEY_PCID, ANY, 0, 0, 1, NULL, true},
	{"invpcid", KEY_INVPCID, ANY, 0, 0, 1, NULL, true},
	{"global", KEY_GLOBAL, ANY, 0, 0, 1, NULL, true},
};

static bool belongs_to(const struct key_info *key, enum workload workload)
{
	return key->workload == workload || key->workload == ANY;
}

/* ---- words ---- */

static size_t split(char *line, char **words)
{
	size_t n = 0;

	for (;;) {
		while (*line == ' ' || *line == '\t' || *line == '\n')
			*line++ = 0;
		if (!*line)
			return n;
		if (n == MAX_WORDS) {
			print("command line has too many words\n");
			machine_exit(EXIT_USAGE);
		}
		words[n++] = line;
		while (*line && *line != ' ' && *line != '\t' && *line != '\n')
			line++;
	}
}

static enum workload workload_by_name(const char *word)
{
	u32 i;

	for (i = 0; i < WORK_COUNT; i++)
		if (str_equal(word, workloads[i]))
			break;
	return (enum workload)i;
}

static bool has_char(const char *word, char c)
{
	while (*word && *word != c)
		word++;
	return *word == c;
}

/* Does word begin with "name="?  Gives the value's place, or NULL. */
static const char *value_of(const char *word, const char *name)
{
	while (*name)
		if (*word++ != *name++)
			return NULL;
	return *word == '=' ? word + 1 : NULL;
}

static bool is_key(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (value_of(word, keys[i].name))
			return true;
	return false;
}

/*
 * Loaders put the image's name in front.  A word there is skipped if it is
 * neither workload nor key and looks like a file name, or if the workload
 * comes later.
 */
static size_t count_prefix(char **words, size_t n)
{
	size_t work = 0;
	size_t i;

	while (work < n && workload_by_name(words[work]) == WORK_COUNT)
		work++;
	for (i = 0; i < n; i++) {
		bool is_name =
			has_char(words[i], '/') ||
			(has_char(words[i], '.') && !has_char(words[i], '='));

		if (i == work || is_key(words[i]))
			break;
		if (!is_name && work == n)
			break;
	}
	return i;
}

/* ---- values ---- */

/* Decimal, or hexadecimal after 0x. */
static bool parse_number(const char *text, u64 *ret)
{
	u64 radix = 10;
	u64 val = 0;

	if (text[0] == '0' && text[1] == 'x') {
		radix = 16;
		text += 2;
	}
	if (!*text)
		return false;
	for (; *text; text++) {
		u64 digit;

		if (*text >= '0' && *text <= '9')
			digit = (u64)(*text - '0');
		else if (*text >= 'a' && *text <= 'f')
			digit = (u64)(*text - 'a') + 10;
		else
			return false;
		if (digit >= radix || val > (~0ull - digit) / radix)
			return false;
		val = val * radix + digit;
	}
	*ret = val;
	return true;
}

static bool parse_value(const struct key_info *key, const char *text, u64 *ret)
{
	u64 val;

	for (u64 i = 0; key->words && i <= key->max; i++) {
		if (str_equal(text, key->words[i])) {
			*ret = i;
			return true;
		}
	}
	if (key->words || !parse_number(text, &val))
		return false;
	if (val < key->min || val > key->max)
		return false;
	if (key->key == KEY_HZ && val && val < HZ_MIN)
		return false;
	*ret = val;
	return true;
}

static _Noreturn void bad_value(const struct key_info *key, const char *word)
{
	print("bad value in '%s': want ", word);
	if (key->words && key->max)
		print("%s or %s\n", key->words[0], key->words[1]);
	else if (key->words)
		print("%s\n", key->words[0]);
	else if (key->key == KEY_HZ)
		print("0, or %llu to %llu\n", (u64)HZ_MIN, key->max);
	else
		print("a number from %llu to %llu\n", key->min, key->max);
	machine_exit(EXIT_USAGE);
}

static void take_key(struct config *config, const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *text = value_of(word, keys[i].name);

		if (!text || !belongs_to(&keys[i], config->workload))
			continue;
		if (!parse_value(&keys[i], text, &config->val[keys[i].key]))
			bad_value(&keys[i], word);
		return;
	}
	if (is_key(word))
		print("key '%s' has no meaning for %s\n", word,
		      workloads[config->workload]);
	else if (has_char(word, '='))
		print("unknown key '%s'\n", word);
	else
		print("unknown workload '%s'\n", word);
	machine_exit(EXIT_USAGE);
}

/* ---- the whole line ---- */

static void take_workload(struct config *config, char **words, size_t n)
{
	bool found = false;

	config->workload = WORK_HELLO;
	for (size_t i = 0; i < n; i++) {
		enum workload workload = workload_by_name(words[i]);

		if (workload == WORK_COUNT)
			continue;
		if (found) {
			print("two workloads: '%s' and '%s'\n",
			      workloads[config->workload], words[i]);
			machine_exit(EXIT_USAGE);
		}
		config->workload = workload;
		found = true;
	}
}

void cmdline_parse(char *line, struct config *ret)
{
	char *words[MAX_WORDS];
	size_t n = split(line, words);
	size_t i = count_prefix(words, n);

	take_workload(ret, words + i, n - i);
	for (size_t k = 0; k < ARRAY_LEN(keys); k++)
		if (belongs_to(&keys[k], ret->workload))
			ret->val[keys[k].key] = keys[k].preset;
	for (; i < n; i++)
		if (workload_by_name(words[i]) == WORK_COUNT)
			take_key(ret, words[i]);
}

void cmdline_print(const struct config *config)
{
	print("%s", workloads[config->workload]);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		u64 val = config->val[keys[i].key];

		if (!belongs_to(&keys[i], config->workload) ||
		    (keys[i].is_rare && val == keys[i].preset))
			continue;
		print(" %s=", keys[i].name);
		if (keys[i].words)
			print("%s", keys[i].words[val]);
		else
			print("%llu", val);
	}
	print("\n");
}
