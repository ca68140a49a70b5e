/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Choosing results by their settings. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/plot_axis.h"

/* What there is instead: "off, on". */
static void list_values(const struct plot_axis *axis, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = 0;
	for (size_t i = 0; i < axis->nr && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s",
					i ? ", " : "", axis->value[i].text);
}

/* Marks the values of the axis that are in the list. */
static int find_values(const struct plot_axis *axis, const char *values,
		       bool *wanted, struct diag *diag)
{
	const char *next = values - 1;

	do {
		size_t len = strcspn(++next, ",");
		bool found = false;
		char list[256];

		for (size_t i = 0; i < axis->nr; i++) {
			if (strlen(axis->value[i].text) != len ||
			    memcmp(axis->value[i].text, next, len) != 0)
				continue;
			wanted[i] = true;
			found = true;
		}
		if (!found) {
			list_values(axis, list, sizeof(list));
			return diag_set(diag, -EINVAL,
					"no result has %.60s=%.*s; there are "
					"%s",
					axis->key, (int)min_u64(len, 60), next,
					list);
		}
		next += len;
	} while (*next);
	return 0;
}

/* Results that are not kept go; what differs is found anew. */
static int drop_others(struct report *report, const bool *kept)
{
	size_t nr = report->nr;
	int err = 0;

	json_object_clear(report->differing);
	json_object_clear(report->changed);
	json_object_clear(report->sources);
	report->nr = 0;
	for (size_t i = 0; i < nr; i++) {
		json_t *doc = report->doc[i];

		if (kept[i] && !err)
			err = label_note(report, doc);
		if (kept[i] && !err)
			report->doc[report->nr++] = doc;
		else
			json_decref(doc);
	}
	return err;
}

static int keep(struct report *report, const struct plot_axis *axis,
		const char *values, struct diag *diag)
{
	bool *wanted = calloc(axis->nr + 1, sizeof(*wanted));
	bool *kept = calloc(report->nr + 1, sizeof(*kept));
	int err = wanted && kept ? 0 : -ENOMEM;

	if (!err)
		err = find_values(axis, values, wanted, diag);
	for (size_t i = 0; i < report->nr && !err; i++)
		kept[i] = wanted[axis_place(axis, report, report->doc[i])];
	if (!err)
		err = drop_others(report, kept);
	free(wanted);
	free(kept);
	return err;
}

int report_keep(struct report *report, const char *only, struct diag *diag)
{
	size_t len = strcspn(only, "=");
	struct plot_axis axis;
	char key[64];
	int err;

	if (!only[len])
		return diag_set(diag, -EINVAL,
				"\"%.60s\": want KEY=VALUE[,VALUE...]", only);
	snprintf(key, sizeof(key), "%.*s", (int)min_u64(len, sizeof(key)),
		 only);
	err = axis_init(&axis, report, key, diag);
	if (!err) {
		err = keep(report, &axis, only + len + 1, diag);
		axis_finish(&axis);
	}
	if (err == -ENOMEM)
		diag_set(diag, err, "no memory for the results");
	return err;
}
