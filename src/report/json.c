/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A result as a JSON document, schema "notrap-result/1" (docs/result-file.md).
 * Members stand in a fixed order; maps by reason and by error code hold what
 * was seen, by number.  Numbers are integers but for the two ratios.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arch/exit_reasons.h"
#include "arch/paging.h"
#include "report/internal.h"
#include "report/version.h"

/* Members are added to `into`; after the first failure nothing more counts. */
struct builder {
	bool failed;
};

static void put(struct builder *b, json_t *into, const char *key, json_t *val)
{
	if (json_object_set_new(into, key, val))
		b->failed = true;
}

static json_t *put_object(struct builder *b, json_t *into, const char *key)
{
	json_t *object = json_object();

	put(b, into, key, object);
	return object;
}

/* What does not fit in JSON's 63 bits has long stopped to mean anything. */
static void put_u64(struct builder *b, json_t *into, const char *key,
		    uint64_t val)
{
	put(b, into, key, json_integer((json_int_t)min_u64(val, INT64_MAX)));
}

static void put_hex(struct builder *b, json_t *into, const char *key,
		    uint64_t val)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%016" PRIx64, val);
	put(b, into, key, json_string(text));
}

/* Bytes that are not UTF-8 (a path, a guest's line) are written as \xNN. */
static json_t *escaped(const char *text)
{
	char *copy = malloc(4 * strlen(text) + 1);
	char *p = copy;
	json_t *ret;

	if (!copy)
		return NULL;
	for (; *text; text++) {
		if ((unsigned char)*text < 0x80)
			*p++ = *text;
		else
			p += sprintf(p, "\\x%02x", (unsigned char)*text);
	}
	*p = 0;
	ret = json_string(copy);
	free(copy);
	return ret;
}

json_t *json_text(const char *text)
{
	json_t *string = json_string(text);

	return string ? string : escaped(text);
}

static void put_text(struct builder *b, json_t *into, const char *key,
		     const char *text)
{
	put(b, into, key, json_text(text ? text : ""));
}

/* Six decimals: enough, and the same on every host.  0 of 0: null. */
static void put_ratio(struct builder *b, json_t *into, const char *key,
		      uint64_t part, uint64_t whole)
{
	if (whole)
		put(b, into, key,
		    json_real(round(doc_ratio(part, whole) * 1e6) / 1e6));
	else
		put(b, into, key, json_null());
}

static void put_config(struct builder *b, json_t *doc,
		       const struct result *result)
{
	json_t *config = put_object(b, doc, "config");
	json_t *notes = put_object(b, doc, "config_notes");
	json_t *changed = json_array();

	put(b, doc, "config_changed", changed);
	for (unsigned int i = 0; i < result->nr_config; i++) {
		const struct result_setting *set = &result->config[i];

		put_text(b, config, set->key, set->value);
		if (set->note[0])
			put_text(b, notes, set->key, set->note);
		if (set->changed &&
		    json_array_append_new(changed, json_string(set->key)))
			b->failed = true;
	}
}

static void put_source(struct builder *b, json_t *doc,
		       const struct result *result)
{
	json_t *source = put_object(b, doc, "source");

	put_text(b, source, "kind", result->source_kind);
	put_text(b, source, "path", result->source_path);
	put_text(b, source, "args", result->source_args);
	put_hex(b, source, "digest", result->source_digest);
	if (result->source_initrd && *result->source_initrd) {
		put_text(b, source, "initrd", result->source_initrd);
		put_hex(b, source, "initrd_digest",
			result->source_initrd_digest);
	}
}

static void put_guest(struct builder *b, json_t *doc,
		      const struct result *result)
{
	json_t *guest = put_object(b, doc, "guest");

	put_text(b, guest, "status", result->guest_status);
	put_text(b, guest, "line", result->guest_line);
	put(b, guest, "ok", json_boolean(result->guest_ok));
	put_u64(b, guest, "instructions", result->guest_insns);
	put_hex(b, guest, "memory_digest", result->guest_memory_digest);
	put_hex(b, guest, "console_digest", result->guest_console_digest);
	put_hex(b, guest, "fault_digest", result->guest_fault_digest);
}

static void put_exits(struct builder *b, json_t *doc,
		      const struct result *result)
{
	const struct account *acct = result->acct;
	json_t *exits = put_object(b, doc, "exits");
	uint64_t page_faults = 0;
	json_t *map;

	put_u64(b, exits, "total", account_exits_total(acct));
	map = put_object(b, exits, "by_reason");
	for (unsigned int i = 0; i < NR_EXIT_REASONS; i++)
		if (account_exits(acct, i))
			put_u64(b, map, exit_reason_name(i),
				account_exits(acct, i));

	for (unsigned int i = 0; i < NR_CAUSES; i++)
		page_faults += acct->pf_cause[i];
	put_u64(b, exits, "page_fault_total", page_faults);
	map = put_object(b, exits, "page_fault");
	for (unsigned int i = 0; i < NR_CAUSES; i++)
		put_u64(b, map, cause_name((enum pf_cause)i),
			acct->pf_cause[i]);
	put_ratio(b, exits, "per_guest_fault", page_faults,
		  account_faults_direct(acct) + account_faults_injected(acct));
	if (result->where && where_put(exits, result->where))
		b->failed = true;
}

static void put_codes(struct builder *b, json_t *into, const char *key,
		      const uint64_t *one, const uint64_t *more)
{
	json_t *map = put_object(b, into, key);
	char code[8];

	for (unsigned int i = 0; i < NR_PFEC; i++) {
		uint64_t n = one[i] + (more ? more[i] : 0);

		snprintf(code, sizeof(code), "0x%x", i);
		if (n)
			put_u64(b, map, code, n);
	}
}

static void put_faults(struct builder *b, json_t *doc,
		       const struct account *acct)
{
	json_t *faults = put_object(b, doc, "guest_faults");
	uint64_t direct = account_faults_direct(acct);
	uint64_t injected = account_faults_injected(acct);

	put_u64(b, faults, "total", direct + injected);
	put_u64(b, faults, "direct", direct);
	put_u64(b, faults, "injected", injected);
	put_codes(b, faults, "by_error_code", acct->fault_direct,
		  acct->fault_injected);
	put_codes(b, faults, "direct_by_error_code", acct->fault_direct, NULL);
	put_codes(b, faults, "injected_by_error_code", acct->fault_injected,
		  NULL);
	if (chains_put(faults, acct))
		b->failed = true;
}

/* Not-present faults: those delivered directly, and all there were. */
static void put_bypass(struct builder *b, json_t *doc,
		       const struct account *acct)
{
	json_t *bypass = put_object(b, doc, "bypass");
	uint64_t direct = 0, possible = 0;

	for (unsigned int i = 0; i < NR_PFEC; i++) {
		if (i & PFEC_P)
			continue;
		direct += acct->fault_direct[i];
		possible += acct->fault_direct[i] + acct->fault_injected[i];
	}
	put_u64(b, bypass, "direct", direct);
	put_u64(b, bypass, "possible", possible);
	put_ratio(b, bypass, "coverage", direct, possible);
}

static void put_cycles(struct builder *b, json_t *doc,
		       const struct account *acct)
{
	json_t *cycles = put_object(b, doc, "cycles");

	put_u64(b, cycles, "total", acct->now);
	for (unsigned int i = 0; i < NR_PARTS; i++)
		put_u64(b, cycles, part_name((enum cost_part)i),
			account_part_cycles(acct, (enum cost_part)i).typ);
}

static void put_latency(struct builder *b, json_t *doc,
			const struct account *acct)
{
	json_t *latency = put_object(b, doc, "latency");
	json_t *map;

	if (latency_put(latency, "guest_fault", &acct->fault_latency->typ))
		b->failed = true;
	map = put_object(b, latency, "exit");
	for (unsigned int i = 0; i < NR_EXIT_REASONS; i++)
		if (account_exits(acct, i) &&
		    latency_put(map, exit_reason_name(i), &acct->exit[i]->typ))
			b->failed = true;
}

static void put_counts(struct builder *b, json_t *doc,
		       const struct account *acct)
{
	json_t *shadow = put_object(b, doc, "shadow");
	json_t *costs = put_object(b, doc, "cost_counts");

	for (unsigned int i = 0; i < NR_COUNTERS; i++)
		put_u64(b, shadow, counter_name((enum counter_id)i),
			acct->counter[i]);
	for (unsigned int i = 0; i < NR_COSTS; i++)
		put_u64(b, costs, cost_info((enum cost_id)i)->key,
			acct->cost_count[i]);
}

/* Of what was charged: the rest is in the files. */
static void put_sources(struct builder *b, json_t *doc,
			const struct result *result)
{
	json_t *sources = put_object(b, doc, "cost_sources");

	for (unsigned int i = 0; i < NR_COSTS; i++) {
		const struct result_origin *origin = &result->origin[i];
		json_t *one;

		if (!result->acct->cost_count[i] || !origin->file[0])
			continue;
		one = put_object(b, sources, cost_info((enum cost_id)i)->key);
		put_text(b, one, "file", origin->file);
		put_text(b, one, "tag", origin->tag);
		put_text(b, one, "source", origin->source);
	}
}

/* Only where references were modelled; they may all have hit. */
static void put_tlb(struct builder *b, json_t *doc, const struct account *acct)
{
	json_t *tlb;

	if (!acct->tlb[TLB_l1i_lookups] && !acct->tlb[TLB_l1d_lookups] &&
	    !acct->tlb[TLB_walks])
		return;
	tlb = put_object(b, doc, "tlb");
	for (unsigned int i = 0; i < NR_TLB_COUNTERS; i++)
		put_u64(b, tlb, tlb_counter_name((enum tlb_counter)i),
			acct->tlb[i]);
}

static void put_checks(struct builder *b, json_t *doc,
		       const struct result *result)
{
	json_t *check = put_object(b, doc, "check");

	put_u64(b, check, "audit_violations", result->audit_violations);
	put_text(b, check, "broken", result->check);
	if (result->nr_strays && stray_put(check, result))
		b->failed = true;
}

json_t *doc_of_result(const struct result *result)
{
	const struct account *acct = result->acct;
	struct builder b = {false};
	json_t *doc = json_object();

	put_text(&b, doc, "schema", RESULT_SCHEMA);
	put_text(&b, doc, "version", notrap_version());
	put_config(&b, doc, result);
	put_source(&b, doc, result);
	put_guest(&b, doc, result);
	put_exits(&b, doc, result);
	put_faults(&b, doc, acct);
	put_bypass(&b, doc, acct);
	put_counts(&b, doc, acct);
	put_sources(&b, doc, result);
	put_tlb(&b, doc, acct);
	put_cycles(&b, doc, acct);
	put_latency(&b, doc, acct);
	if (uncertainty_put(doc, acct))
		b.failed = true;
	put_checks(&b, doc, result);
	if (!b.failed)
		return doc;
	json_decref(doc);
	return NULL;
}

int report_print_json(const struct report *report, FILE *out)
{
	for (size_t i = 0; i < report->nr; i++) {
		if (json_dumpf(report->doc[i], out, DOC_DUMP_FLAGS))
			return 0; /* ferror() tells */
		fputc('\n', out);
	}
	return 0;
}
