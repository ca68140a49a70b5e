/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A result in a file of its own, as a sweep keeps them: one object with a sum
 * over all else it says as its last member, so that damage does not pass for a
 * result.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "report/internal.h"

#define SUM "sum"

/* The sum of a document that has none; NULL: out of memory. */
static json_t *sum_of(const json_t *doc)
{
	char *text = json_dumps(doc, DOC_DUMP_FLAGS);
	char sum[24];

	if (!text)
		return NULL;
	snprintf(sum, sizeof(sum), "0x%016" PRIx64,
		 fnv64(FNV64_INIT, text, strlen(text)));
	free(text);
	return json_string(sum);
}

int report_print_point(const struct report *report, size_t i, FILE *out)
{
	json_t *doc = json_copy(report->doc[i]);
	int err = json_object_set_new(doc, SUM, sum_of(report->doc[i]));

	if (!err) {
		json_dumpf(doc, out, DOC_DUMP_FLAGS); /* ferror() tells */
		fputc('\n', out);
	}
	json_decref(doc);
	return err ? -ENOMEM : 0;
}

/* Takes the sum out of the document; false: it was another. */
static bool take_sum(json_t *doc)
{
	json_t *sum = json_incref(json_object_get(doc, SUM)), *want;
	bool ret;

	json_object_del(doc, SUM);
	want = sum_of(doc);
	ret = json_equal(sum, want);
	json_decref(want);
	json_decref(sum);
	return ret;
}

static bool is_well(const json_t *doc)
{
	return json_is_true(doc_at(doc, "guest/ok")) &&
	       !*doc_text(doc, "check/broken") &&
	       !doc_u64(doc, "check/audit_violations");
}

/* Members that make a result the one that is looked for. */
static const char *const identity[] = {"version", "config", "source/kind",
				       "source/digest"};

static bool is_wanted(const json_t *doc, const struct result *want)
{
	struct latency none = {0};
	struct account acct = {.fault_latency = &none};
	struct result like = *want;
	bool ret = is_well(doc);
	json_t *other;

	like.acct = &acct;
	other = doc_of_result(&like);
	for (size_t k = 0; k < ARRAY_LEN(identity) && ret; k++)
		ret = json_equal(doc_at(doc, identity[k]),
				 doc_at(other, identity[k]));
	json_decref(other);
	return ret;
}

static int check_file(const struct report *file, const char *name,
		      const struct result *want, struct diag *diag)
{
	if (file->nr != 1 || !take_sum(file->doc[0]))
		return diag_set(diag, -EINVAL,
				"%.300s: not as it was written: its sum is "
				"another",
				name);
	if (want && !is_wanted(file->doc[0], want))
		return diag_set(diag, -ESTALE, "%.300s: of another run", name);
	return 0;
}

int report_read_point(struct report *report, FILE *in, const char *name,
		      const struct result *want, struct diag *diag)
{
	struct report *file = report_create();
	int err;

	if (!file)
		return diag_set(diag, -ENOMEM, "no memory for a result");
	err = report_read(file, in, name, diag);
	if (!err)
		err = check_file(file, name, want, diag);
	if (!err)
		err = report_add_doc(report, json_incref(file->doc[0]), diag);
	report_destroy(file);
	return err;
}

int report_set_path(struct report *report, size_t i, const char *path)
{
	json_t *source = (json_t *)doc_at(report->doc[i], "source");

	return json_object_set_new(source, "path", json_text(path)) ? -ENOMEM
								    : 0;
}
