/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/against.h"

#include <math.h>
#include <string.h>

typedef bool (*is_pair_fn)(const json_t *one, const json_t *doc);

static size_t place_of(const struct report *report, const json_t *doc)
{
	size_t i = 0;

	while (i < report->nr && report->doc[i] != doc)
		i++;
	return i;
}

/* Mostly nearby, so that is where to begin. */
static const json_t *find_near(const struct report *report, const json_t *doc,
			       is_pair_fn is_pair)
{
	size_t i = place_of(report, doc);

	for (size_t away = 0; away < report->nr; away++) {
		const json_t *near[] = {
			i >= away ? report->doc[i - away] : NULL,
			i + away < report->nr ? report->doc[i + away] : NULL,
		};

		for (size_t k = 0; k < ARRAY_LEN(near); k++)
			if (near[k] && doc_has_same_source(near[k], doc) &&
			    is_pair(near[k], doc))
				return near[k];
	}
	return NULL;
}

const json_t *against_off(const struct report *report, const json_t *doc)
{
	if (strcmp(doc_setting(doc, "bypass"), "on") != 0)
		return NULL;
	return find_near(report, doc, doc_is_bypass_pair);
}

/* Settings that a run without a hypervisor does not look at. */
static bool is_of_hypervisor(const char *key)
{
	static const char *const keys[] = {
		"mmu",         "bypass",      "hypervisor",
		"vpid",        "ept-pages",   "shadow-pages",
		"unsafe-trap", "pfec-mask",   "pfec-match",
		"cr3-targets", "dirty-log",   "invlpg-exiting",
		"hlt-exiting", "tsc-exiting", "exception-bitmap",
		"host-nxe",    "audit",
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (!strcmp(keys[i], key))
			return true;
	return !strncmp(key, "switch.", 7);
}

static bool is_unpaid(const json_t *doc, const char *key)
{
	return !strncmp(key, "cost.", 5) &&
	       !doc_member(json_object_get(doc, "cost_counts"), key);
}

static bool is_native_of(const json_t *native, const json_t *doc)
{
	json_t *config = json_object_get(native, "config");
	const char *key;
	json_t *val;

	if (strcmp(doc_setting(native, "mmu"), "native") != 0)
		return false;
	json_object_foreach(config, key, val)
	{
		if (!is_of_hypervisor(key) && !is_unpaid(native, key) &&
		    !doc_has_same_setting(native, doc, key))
			return false;
	}
	return true;
}

const json_t *against_native(const struct report *report, const json_t *doc)
{
	return find_near(report, doc, is_native_of);
}

static double ratio(const json_t *doc, const json_t *other)
{
	return other ? doc_ratio(doc_u64(doc, "cycles/total"),
				 doc_u64(other, "cycles/total"))
		     : (double)NAN;
}

double against_off_saved(const struct report *report, const json_t *doc)
{
	return 100 * (1 - ratio(doc, against_off(report, doc)));
}

double against_native_times(const struct report *report, const json_t *doc)
{
	return ratio(doc, against_native(report, doc));
}
