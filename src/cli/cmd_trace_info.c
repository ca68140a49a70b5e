/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notrap trace info: what traces say of themselves, and what is in them. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "arch/pfec.h"
#include "cli/attention.h"
#include "cli/cmd_trace.h"
#include "cli/formats.h"
#include "cli/trace_pass.h"
#include "report/sheet.h"

enum {
	FLAG_QUICK = 16,
};

static const struct cli_flag flags[] = {
	{FLAG_QUICK, "quick", NULL,
	 "look at header and footer only: nothing is verified, and events and "
	 "faults are not told apart"},
	{FLAG_FORMAT, "format", "FORMAT", FORMATS_TEXT " (default: table)"},
	{'o', "output", "FILE", "write to FILE, whole or not at all"},
	{FLAG_HELP, "help", NULL, "this text"},
	{0},
};

struct info_options {
	bool quick;
	enum format format;
	const char *output;
};

static int take_flag(void *context, int flag, const char *arg)
{
	struct info_options *options = context;
	struct diag diag;
	int err = 0;

	switch (flag) {
	case FLAG_QUICK:
		options->quick = true;
		break;
	case FLAG_FORMAT:
		err = format_parse(arg, &options->format, &diag);
		break;
	case 'o':
		options->output = arg;
		break;
	}
	return err ? cli_fail(err, &diag) : 0;
}

/* --- What is in a trace -------------------------------------------------- */

/* Error codes with a meaning are below that. */
#define CODES 64

struct content {
	const char *path;
	struct trace_reader *reader;
	uint64_t bytes;
	bool has_totals;
	struct trace_totals totals;
	/* Of a trace that was read: */
	bool is_read, interrupted;
	uint64_t records[3], refs[3]; /* by enum trace_kind */
	uint64_t item[NR_TRACE_ITEM_KINDS];
	uint64_t event[NR_GUEST_EVENTS];
	uint64_t fault[CODES + 1]; /* the last: all others */
};

static bool take_item(void *context, const struct trace_item *item)
{
	struct content *c = context;

	c->item[item->kind]++;
	switch (item->kind) {
	case TRACE_ITEM_REFS:
		for (uint32_t i = 0; i < item->nr; i++) {
			c->records[item->refs[i].kind]++;
			c->refs[item->refs[i].kind] += item->refs[i].count;
		}
		break;
	case TRACE_ITEM_EVENT:
		c->event[item->event.kind]++;
		break;
	case TRACE_ITEM_FAULT:
		c->fault[min_u64(item->error, CODES)]++;
		break;
	default:
		break;
	}
	return true;
}

static int read_items(struct content *c, const volatile int *attention,
		      struct diag *diag)
{
	struct trace_pass pass = {
		.reader = c->reader,
		.label = c->path,
		.attention = attention,
		.take = take_item,
		.context = c,
	};
	int err = trace_pass(&pass, diag);

	c->is_read = c->has_totals = true;
	c->interrupted = pass.interrupted;
	c->totals = *trace_reader_totals(c->reader);
	return err;
}

/* --- Tables -------------------------------------------------------------- */

enum {
	TABLE_TRACES,
	TABLE_SIZES,
	TABLE_CONTENT,
	TABLE_START,
	TABLE_ITEMS,
	TABLE_FAULTS,
	NR_TABLES
};

static const struct {
	const char *name, *heading;
	struct {
		const char *key, *title;
	} column[11];
} tables[NR_TABLES] = {
	[TABLE_TRACES] = {"traces",
			  "Traces",
			  {{"file", "File"},
			   {"granularity", "Granularity"},
			   {"source", "Source"},
			   {"memory", "Memory"},
			   {"tool", "Tool"},
			   {"image", "Image"},
			   {"initrd", "Initrd"},
			   {"origin", "Origin"}}},
	[TABLE_SIZES] = {"sizes",
			 "Sizes",
			 {{"bytes", "Bytes"},
			  {"chunks", "Chunks"},
			  {"records", "Records"},
			  {"references", "References"},
			  {"instructions", "Instructions"},
			  {"bytes_per_record", "B/record"},
			  {"bytes_per_reference", "B/reference"}}},
	[TABLE_CONTENT] = {"content",
			   "Content",
			   {{"status", "Status"},
			    {"digest", "Digest"},
			    {"events", "Events"},
			    {"tables", "Tables"},
			    {"table_writes", "Table writes"},
			    {"faults", "Faults"}}},
	[TABLE_START] = {"start",
			 "State at the first item",
			 {{"cr0", "CR0"},
			  {"cr3", "CR3"},
			  {"cr4", "CR4"},
			  {"efer", "EFER"},
			  {"pdpte0", "PDPTE0"},
			  {"pdpte1", "PDPTE1"},
			  {"pdpte2", "PDPTE2"},
			  {"pdpte3", "PDPTE3"},
			  {"pkru", "PKRU"},
			  {"features", "Features"}}},
	[TABLE_ITEMS] = {"items",
			 "Items",
			 {{"item", "Item"},
			  {"number", "Number"},
			  {"references", "References"}}},
	[TABLE_FAULTS] = {"faults",
			  "Guest page faults",
			  {{"error_code", "Error code"},
			   {"number", "Number"},
			   {"meaning", "Meaning"}}},
};

static void begin_table(struct sheet *sheet, int t)
{
	sheet_table(sheet, tables[t].name, tables[t].heading);
	sheet_column(sheet, "trace", "#");
	for (size_t i = 0; tables[t].column[i].key; i++)
		sheet_column(sheet, tables[t].column[i].key,
			     tables[t].column[i].title);
}

static void add_number(struct sheet *sheet, bool known, uint64_t val)
{
	if (known)
		sheet_u64(sheet, val);
	else
		sheet_none(sheet);
}

static void add_digest(struct sheet *sheet, uint64_t digest)
{
	if (digest)
		sheet_text(sheet, "0x%016" PRIx64, digest);
	else
		sheet_none(sheet);
}

static void add_trace(struct sheet *sheet, const struct content *c)
{
	const struct trace_info *info = trace_reader_info(c->reader);

	sheet_text(sheet, "%s", c->path);
	sheet_text(sheet, "%s",
		   info->granularity == TRACE_FULL ? "full" : "pages");
	sheet_text(sheet, "%s", info->source);
	add_number(sheet, info->memory, info->memory);
	sheet_text(sheet, "%s", info->tool);
	add_digest(sheet, info->image_digest);
	add_digest(sheet, info->initrd_digest);
	sheet_text(sheet, "%s", info->origin);
}

static void add_sizes(struct sheet *sheet, const struct content *c)
{
	const struct trace_totals *t = &c->totals;
	double bytes = (double)c->bytes;

	sheet_u64(sheet, c->bytes);
	sheet_u64(sheet, trace_reader_chunks(c->reader));
	add_number(sheet, c->has_totals, t->records);
	add_number(sheet, c->has_totals, t->refs);
	add_number(sheet, c->has_totals, t->insns);
	/* By 0: not a number, an empty cell. */
	sheet_real(sheet, bytes / (double)t->records, 3);
	sheet_real(sheet, bytes / (double)t->refs, 3);
}

static const char *status_of(const struct content *c)
{
	if (c->interrupted)
		return "interrupted";
	if (trace_reader_damage(c->reader))
		return "damaged";
	if (c->is_read)
		return "complete";
	return c->has_totals ? "not read" : "no footer";
}

static void add_content(struct sheet *sheet, const struct content *c)
{
	const struct trace_totals *t = &c->totals;

	sheet_text(sheet, "%s", status_of(c));
	if (c->has_totals && !c->interrupted)
		sheet_text(sheet, "0x%016" PRIx64, t->digest);
	else
		sheet_none(sheet);
	add_number(sheet, c->has_totals, t->events);
	add_number(sheet, c->has_totals, t->tables);
	add_number(sheet, c->has_totals, t->table_writes);
	add_number(sheet, c->has_totals, t->faults);
}

static void add_start(struct sheet *sheet, const struct content *c)
{
	const struct trace_info *info = trace_reader_info(c->reader);
	const uint64_t regs[] = {info->cr0,      info->cr3,      info->cr4,
				 info->efer,     info->pdpte[0], info->pdpte[1],
				 info->pdpte[2], info->pdpte[3], info->pkru,
				 info->features};

	for (size_t i = 0; i < ARRAY_LEN(regs); i++)
		sheet_text(sheet, "0x%" PRIx64, regs[i]);
}

static void add_item(struct sheet *sheet, uint64_t trace, const char *name,
		     uint64_t number, const uint64_t *refs)
{
	if (!number)
		return;
	sheet_u64(sheet, trace);
	sheet_text(sheet, "%s", name);
	sheet_u64(sheet, number);
	add_number(sheet, refs, refs ? *refs : 0);
}

static void add_items(struct sheet *sheet, uint64_t trace,
		      const struct content *c)
{
	for (unsigned int kind = 0; kind < ARRAY_LEN(c->refs); kind++)
		add_item(sheet, trace, trace_kind_name((enum trace_kind)kind),
			 c->records[kind], &c->refs[kind]);
	for (unsigned int i = TRACE_ITEM_TABLE; i < NR_TRACE_ITEM_KINDS; i++)
		add_item(sheet, trace, trace_item_name((enum trace_item_kind)i),
			 c->item[i], NULL);
	for (unsigned int i = 0; i < NR_GUEST_EVENTS; i++)
		add_item(sheet, trace,
			 trace_event_name((enum guest_event_kind)i),
			 c->event[i], NULL);
}

static void add_faults(struct sheet *sheet, uint64_t trace,
		       const struct content *c)
{
	char name[16], what[80];

	for (uint32_t code = 0; code <= CODES; code++) {
		if (!c->fault[code])
			continue;
		snprintf(name, sizeof(name), "0x%" PRIx32, code);
		pfec_text(code, what, sizeof(what));
		sheet_u64(sheet, trace);
		sheet_text(sheet, "%s", code < CODES ? name : "other");
		sheet_u64(sheet, c->fault[code]);
		sheet_text(sheet, "%s", code < CODES ? what : "");
	}
}

static void add_table(struct sheet *sheet, int t, uint64_t trace,
		      const struct content *c)
{
	if (t == TABLE_ITEMS) {
		add_items(sheet, trace, c);
		return;
	}
	if (t == TABLE_FAULTS) {
		add_faults(sheet, trace, c);
		return;
	}
	sheet_u64(sheet, trace);
	if (t == TABLE_TRACES)
		add_trace(sheet, c);
	else if (t == TABLE_SIZES)
		add_sizes(sheet, c);
	else if (t == TABLE_CONTENT)
		add_content(sheet, c);
	else
		add_start(sheet, c);
}

static int print(const struct info_options *options,
		 const struct content *content, size_t nr, struct output *out,
		 struct diag *diag)
{
	struct sheet *sheet = sheet_create("notrap-trace/1", "Recorded traces");
	int err;

	for (int t = 0; t < NR_TABLES && sheet; t++) {
		begin_table(sheet, t);
		for (size_t i = 0; i < nr; i++)
			add_table(sheet, t, i + 1, &content[i]);
	}
	err = sheet_print(sheet, format_of_sheet(options->format), out->file);
	sheet_destroy(sheet);
	return output_end(out, err, diag);
}

/* --- The command --------------------------------------------------------- */

static int open_trace(struct content *c, const char *path, struct diag *diag)
{
	uint64_t done;
	int err = trace_reader_open(path, &c->reader, diag);

	if (err)
		return err;
	c->path = path;
	c->has_totals = !trace_reader_footer(c->reader, &c->totals);
	trace_reader_progress(c->reader, &done, &c->bytes);
	return 0;
}

/* What is wrong is told, and not the end. */
static int look(const struct info_options *options, struct content *c,
		const char *path, const volatile int *attention)
{
	struct diag diag;
	int err = open_trace(c, path, &diag);

	if (!err && !options->quick)
		err = read_items(c, attention, &diag);
	if (err)
		return cli_fail(err, &diag);
	if (c->interrupted)
		return STATUS_FAILED;
	if (trace_reader_damage(c->reader)) {
		cli_say("%s", trace_reader_damage(c->reader));
		return STATUS_FAILED;
	}
	return STATUS_OK;
}

static int look_at_all(const struct info_options *options, char **paths,
		       struct content *content, size_t nr, struct output *out)
{
	const volatile int *attention = attention_begin();
	int status = STATUS_OK, err;
	struct diag diag;
	size_t i;

	for (i = 0; i < nr && !*attention; i++) {
		int one = look(options, &content[i], paths[i], attention);

		if (one > STATUS_FAILED)
			return one;
		status = cli_worse(status, one);
	}
	err = print(options, content, i, out, &diag);
	return err ? cli_fail(err, &diag) : status;
}

static int info(const struct info_options *options, char **paths, size_t nr)
{
	struct content *content = calloc(nr, sizeof(*content));
	struct output out;
	struct diag diag;
	int status, err;

	if (!content) {
		cli_say("no memory for %zu traces", nr);
		return STATUS_HOST;
	}
	err = output_open(options->output, &out, &diag);
	status = err ? cli_fail(err, &diag)
		     : look_at_all(options, paths, content, nr, &out);
	output_abandon(&out);
	for (size_t i = 0; i < nr; i++)
		trace_reader_close(content[i].reader);
	free(content);
	return status;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
	struct info_options options = {0};
	int operand, status;

	status = cli_parse(command, argc, argv, take_flag, &options, &operand);
	if (status >= 0)
		return status;
	if (operand == argc) {
		cli_say("want a TRACE (notrap help trace info)");
		return STATUS_USAGE;
	}
	return info(&options, argv + operand, (size_t)(argc - operand));
}

const struct cli_command cmd_trace_info = {
	.name = "trace info",
	.operands = "[OPTION...] TRACE...",
	.summary = "where traces come from, their sizes, what is in them",
	.about = "Prints for each TRACE who recorded what, its granularity and "
		 "size, the control registers it begins with, its items by "
		 "kind and its guest page faults by error code. Reads all of "
		 "it and says whether it is complete; the status is 1 if one "
		 "is not.\n",
	.flags = flags,
	.run = run,
};
