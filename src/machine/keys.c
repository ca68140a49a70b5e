/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/keys.h"

#include <errno.h>
#include <string.h>

#include "account/account.h"
#include "base/suggest.h"

static const struct {
	enum machine_kind kind;
	struct machine_key key;
} plain[] = {
#define KEY(kind, section, key, what) {kind, {section, key, what}},
#include "machine/keys.def"
#undef KEY
};

static bool is_cost_of(enum cost_id id, enum machine_kind kind)
{
	return cost_info(id)->owner ==
	       (kind == KIND_MACHINE ? OWNER_HARDWARE : OWNER_SOFTWARE);
}

/* Number n of the costs of this kind. */
static bool cost_key(enum machine_kind kind, unsigned int n,
		     struct machine_key *ret)
{
	for (unsigned int i = 0; i < NR_COSTS; i++) {
		const struct cost_info *cost = cost_info((enum cost_id)i);

		if (!is_cost_of((enum cost_id)i, kind) || n--)
			continue;
		*ret = (struct machine_key){"costs", cost->key, cost->what};
		return true;
	}
	return false;
}

static bool plain_key(enum machine_kind kind, unsigned int *n,
		      struct machine_key *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
		if (plain[i].kind != kind || (*n)--)
			continue;
		*ret = plain[i].key;
		return true;
	}
	return false;
}

bool machine_key(enum machine_kind kind, unsigned int i,
		 struct machine_key *ret)
{
	if (plain_key(kind, &i, ret))
		return true;
	if (kind == KIND_MACHINE && i < NR_MACHINE_FEATURES) {
		enum machine_feature id = (enum machine_feature)i;

		*ret = (struct machine_key){"features", machine_feature_key(id),
					    machine_feature_what(id)};
		return true;
	}
	return cost_key(kind,
			i - (kind == KIND_MACHINE ? NR_MACHINE_FEATURES : 0),
			ret);
}

bool machine_has_free_keys(enum machine_kind kind, const char *section)
{
	return kind == KIND_MACHINE && !strcmp(section, "tlb");
}

static const char *const dirs[] = {
	[KIND_MACHINE] = "machines",
	[KIND_HYPERVISOR] = "hypervisors",
};

static int refuse_key(enum machine_kind kind, const struct ini *ini,
		      const struct ini_entry *entry, struct diag *diag)
{
	enum machine_kind other =
		kind == KIND_MACHINE ? KIND_HYPERVISOR : KIND_MACHINE;
	struct machine_key key;
	struct suggest near;

	for (unsigned int i = 0; machine_key(other, i, &key); i++)
		if (!strcmp(key.section, entry->section) &&
		    !strcmp(key.key, entry->key))
			return ini_bad(ini, entry, diag,
				       "%.60s belongs in a file of %s/",
				       entry->key, dirs[other]);
	suggest_init(&near, entry->key);
	for (unsigned int i = 0; machine_key(kind, i, &key); i++)
		if (!strcmp(key.section, entry->section))
			suggest_offer(&near, key.key);
	if (!suggest_best(&near))
		return ini_bad(ini, entry, diag, "[%.60s] has no key \"%.60s\"",
			       entry->section, entry->key);
	return ini_bad(ini, entry, diag,
		       "[%.60s] has no key \"%.60s\"; did you mean \"%s\"?",
		       entry->section, entry->key, suggest_best(&near));
}

static bool is_known(enum machine_kind kind, const struct ini_entry *entry)
{
	struct machine_key key;

	if (machine_has_free_keys(kind, entry->section))
		return true;
	for (unsigned int i = 0; machine_key(kind, i, &key); i++)
		if (!strcmp(key.section, entry->section) &&
		    !strcmp(key.key, entry->key))
			return true;
	return false;
}

int machine_check_keys(enum machine_kind kind, const struct ini *ini,
		       struct diag *diag)
{
	struct machine_key key;

	for (size_t i = 0; i < ini->nr; i++)
		if (!is_known(kind, &ini->entry[i]))
			return refuse_key(kind, ini, &ini->entry[i], diag);
	for (unsigned int i = 0; machine_key(kind, i, &key); i++)
		if (!ini_find(ini, key.section, key.key))
			return diag_set(diag, -EINVAL, "%.160s: [%s] has no %s",
					ini->name, key.section, key.key);
	return 0;
}
