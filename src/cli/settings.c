/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/settings.h"

#include <stdio.h>
#include <string.h>

#include "sim/config.h"

static void describe_mmus(char *buf, size_t size)
{
	struct mmu_choice choice;
	size_t len = strlen(buf);

	for (unsigned int i = 0; mmu_choice(i, &choice) && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s (%s)",
					i ? ", " : ": ", choice.name,
					choice.what);
}

static void describe(unsigned int i, struct setting *ret)
{
	struct config_key key;
	char buf[32];

	config_key(i, &key, buf);
	snprintf(ret->term, sizeof(ret->term), "%s=%s", key.key, key.def);
	if (i == OPT_mmu) {
		snprintf(ret->text, sizeof(ret->text), "%s", key.help);
		describe_mmus(ret->text, sizeof(ret->text));
	} else if (i < NR_OPTIONS || config_is_switch(i)) {
		snprintf(ret->text, sizeof(ret->text), "%s [%s]", key.help,
			 key.values);
	} else {
		const struct cost_info *cost =
			cost_info((enum cost_id)(i - NR_OPTIONS));

		snprintf(ret->text, sizeof(ret->text),
			 "cycles for: %s (part: %s; source: %s) [%s]", key.help,
			 part_name(cost->part), cost->source, key.values);
	}
}

void settings_each(void (*take)(void *context, const struct setting *setting),
		   void *context)
{
	struct setting setting;

	for (unsigned int i = 0; i < config_nr_keys(); i++) {
		describe(i, &setting);
		take(context, &setting);
	}
}
