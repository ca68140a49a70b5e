/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text to number and back, for each type of setting. */
#include "sim/config_type.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bug.h"
#include "sim/config.h"
#include "sim/mmus.h"

static const struct {
	char suffix;
	unsigned int shift;
} units[] = {{'G', 30}, {'M', 20}, {'K', 10}};

/* Item i of a list "a,b,c"; its length in *len, 0 past the end. */
static const char *list_item(const char *list, uint64_t i, size_t *len)
{
	for (; i; i--) {
		list += strcspn(list, ",");
		if (*list)
			list++;
	}
	*len = strcspn(list, ",");
	return list;
}

static int parse_choice(const char *list, const char *text, uint64_t *ret)
{
	for (uint64_t i = 0;; i++) {
		size_t len;
		const char *item = list_item(list, i, &len);

		if (!len)
			return -EINVAL;
		if (strlen(text) == len && !memcmp(item, text, len)) {
			*ret = i;
			return 0;
		}
	}
}

static uint64_t whole_set(const char *list)
{
	uint64_t n = 0;
	size_t len;

	while (list_item(list, n, &len), len)
		n++;
	return BITS(n - 1, 0);
}

/* Words of the list, joined by '+'. */
static int parse_set(const char *list, const char *text, uint64_t *ret)
{
	uint64_t set = 0;

	if (!strcmp(text, "none") || !strcmp(text, "all")) {
		*ret = *text == 'a' ? whole_set(list) : 0;
		return 0;
	}
	for (;; text++) {
		size_t len = strcspn(text, "+");
		char word[32];
		uint64_t i;

		if (!len || len >= sizeof(word))
			return -EINVAL;
		memcpy(word, text, len);
		word[len] = '\0';
		if (parse_choice(list, word, &i))
			return -EINVAL;
		set |= BIT(i);
		text += len;
		if (!*text)
			break;
	}
	*ret = set;
	return 0;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* Decimal or 0x: digits up to *end, which must not be all there is. */
static int parse_digits(const char *text, const char **end, uint64_t *ret)
{
	unsigned int base = 10;
	uint64_t val = 0;
	const char *p = text;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		base = 16;
		p += 2;
	}
	for (text = p; digit_of(*p) < (int)base; p++) {
		unsigned int digit = (unsigned int)digit_of(*p);

		if (val > (UINT64_MAX - digit) / base)
			return -EINVAL;
		val = val * base + digit;
	}
	if (p == text)
		return -EINVAL;
	*end = p;
	*ret = val;
	return 0;
}

static int parse_u64(const char *text, uint64_t *ret)
{
	const char *end;
	uint64_t val;

	if (parse_digits(text, &end, &val) || *end)
		return -EINVAL;
	*ret = val;
	return 0;
}

static int parse_size(const char *text, uint64_t *ret)
{
	unsigned int shift = 0;
	const char *end;
	uint64_t val;

	if (parse_digits(text, &end, &val))
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if ((*end & ~0x20) == units[i].suffix) {
			shift = units[i].shift;
			end++;
			break;
		}
	}
	if (*end || val > UINT64_MAX >> shift)
		return -EINVAL;
	*ret = val << shift;
	return 0;
}

static int parse_hex(const char *text, uint64_t *ret)
{
	uint64_t val;

	if (!strcmp(text, "auto")) {
		*ret = CONFIG_AUTO;
		return 0;
	}
	if (parse_u64(text, &val) || val == CONFIG_AUTO)
		return -EINVAL;
	*ret = val;
	return 0;
}

static int parse_mmu(const char *text, uint64_t *ret)
{
	struct mmu_choice choice;

	for (uint64_t i = 0; mmu_choice(i, &choice); i++) {
		if (!strcmp(choice.name, text)) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

int config_parse_value(struct config_type type, const char *text, uint64_t *ret)
{
	switch (type.kind) {
	case TYPE_CHOICE:
		return parse_choice(type.choices, text, ret);
	case TYPE_SET:
		return parse_set(type.choices, text, ret);
	case TYPE_U64:
		return parse_u64(text, ret);
	case TYPE_SIZE:
		return parse_size(text, ret);
	case TYPE_HEX:
		return parse_hex(text, ret);
	case TYPE_MMU:
		return parse_mmu(text, ret);
	case TYPE_MACHINE:
	case TYPE_HYPERVISOR:
		break;
	}
	BUG("no number is made of this type of option");
}

static void print_size(uint64_t val, char *buf, size_t size)
{
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (val && !(val & BITS(units[i].shift - 1, 0))) {
			snprintf(buf, size, "%" PRIu64 "%c",
				 val >> units[i].shift, units[i].suffix);
			return;
		}
	}
	snprintf(buf, size, "%" PRIu64, val);
}

static void print_set(const char *list, uint64_t set, char *buf, size_t size)
{
	size_t at = 0, len;

	if (!set || set == whole_set(list)) {
		snprintf(buf, size, "%s", set ? "all" : "none");
		return;
	}
	for (unsigned int i = 0; set >> i; i++) {
		const char *item = list_item(list, i, &len);

		if (!(set >> i & 1) || at >= size)
			continue;
		at += (size_t)snprintf(buf + at, size - at, "%s%.*s",
				       at ? "+" : "", (int)len, item);
	}
}

void config_print_value(struct config_type type, uint64_t val, char *buf,
			size_t size)
{
	struct mmu_choice choice;
	const char *item;
	size_t len;

	switch (type.kind) {
	case TYPE_CHOICE:
		item = list_item(type.choices, val, &len);
		snprintf(buf, size, "%.*s", (int)len, item);
		return;
	case TYPE_SET:
		print_set(type.choices, val, buf, size);
		return;
	case TYPE_U64:
		snprintf(buf, size, "%" PRIu64, val);
		return;
	case TYPE_SIZE:
		print_size(val, buf, size);
		return;
	case TYPE_HEX:
		if (val == CONFIG_AUTO)
			snprintf(buf, size, "auto");
		else
			snprintf(buf, size, "0x%" PRIx64, val);
		return;
	case TYPE_MMU:
		BUG_ON(!mmu_choice(val, &choice));
		snprintf(buf, size, "%s", choice.name);
		return;
	case TYPE_MACHINE:
	case TYPE_HYPERVISOR:
		break;
	}
	BUG("this type of option has no number");
}
