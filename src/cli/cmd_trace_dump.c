/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notrap trace dump: items as lines, from anywhere in a trace. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/attention.h"
#include "cli/cmd_trace.h"
#include "cli/item_set.h"
#include "cli/number.h"
#include "cli/trace_pass.h"
#include "trace/line.h"

enum {
	FLAG_FROM = 16,
	FLAG_COUNT,
	FLAG_KIND,
	FLAG_TABLES,
};

static const struct cli_flag flags[] = {
	{FLAG_FROM, "from", "N", "begin with item N (default: 0)"},
	{FLAG_COUNT, "count", "N", "print at most N items (default: all)"},
	{FLAG_KIND, "kind", "KIND[,KIND...]",
	 "only these: fetch, read, write, event or the name of one (deliver, "
	 "cr-write...), table, table-write, table-end, fault, mark, vcpu"},
	{FLAG_TABLES, "tables", NULL,
	 "below a table its entries that are not 0"},
	{FLAG_HELP, "help", NULL, "this text"},
	{0},
};

struct dump_options {
	uint64_t from, count;
	struct item_set set;
	bool tables;
};

static int take_flag(void *context, int flag, const char *arg)
{
	struct dump_options *options = context;
	struct diag diag;
	int err = 0;

	switch (flag) {
	case FLAG_FROM:
		err = number_parse("--from", arg, UINT64_MAX, &options->from,
				   &diag);
		break;
	case FLAG_COUNT:
		err = number_parse("--count", arg, UINT64_MAX, &options->count,
				   &diag);
		break;
	case FLAG_KIND:
		err = item_set_parse(&options->set, arg, &diag);
		break;
	case FLAG_TABLES:
		options->tables = true;
		break;
	}
	return err ? cli_fail(err, &diag) : 0;
}

/* --- Lines --------------------------------------------------------------- */

#define ROOM (1u << 16)

struct dump {
	const struct dump_options *options;
	uint64_t item;  /* number of the next */
	uint64_t insns; /* before it */
	uint64_t left;  /* to be printed */
	int err;        /* of writing */
	char *end;      /* in text */
	char text[ROOM + LINE_BYTES_MAX];
};

/* Past stdio, as a reader that has seen enough (head) is no failure. */
static void flush(struct dump *dump)
{
	const char *p = dump->text;

	while (p < dump->end && !dump->err) {
		ssize_t n = write(STDOUT_FILENO, p, (size_t)(dump->end - p));

		if (n >= 0)
			p += n;
		else if (errno != EINTR)
			dump->err = -errno;
	}
	dump->end = dump->text;
}

static void end_line(struct dump *dump, char *end)
{
	dump->end = end;
	if (end - dump->text >= ROOM)
		flush(dump);
}

static void dump_refs(struct dump *dump, const struct trace_ref *refs,
		      uint32_t nr)
{
	const struct dump_options *options = dump->options;

	for (uint32_t i = 0; i < nr && dump->left; i++, dump->item++) {
		const struct trace_ref *ref = &refs[i];

		if (dump->item >= options->from &&
		    item_set_has_ref(&options->set, ref)) {
			end_line(dump, line_ref(dump->end, dump->item,
						dump->insns, ref));
			dump->left--;
		}
		if (ref->kind == TRACE_FETCH)
			dump->insns += ref->count;
	}
}

static void dump_item(struct dump *dump, const struct trace_item *item)
{
	const struct dump_options *options = dump->options;
	uint64_t n = dump->item++;

	if (n < options->from || !item_set_has(&options->set, item))
		return;
	end_line(dump, line_item(dump->end, n, dump->insns, item));
	dump->left--;
	if (item->kind != TRACE_ITEM_TABLE || !options->tables)
		return;
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		if (item->table[i])
			end_line(dump,
				 line_entry(dump->end, i, item->table[i]));
}

static bool take_item(void *context, const struct trace_item *item)
{
	struct dump *dump = context;

	if (item->kind == TRACE_ITEM_REFS)
		dump_refs(dump, item->refs, item->nr);
	else
		dump_item(dump, item);
	return dump->left && !dump->err;
}

/* --- The command --------------------------------------------------------- */

static int say_end(const struct dump *dump, const struct trace_pass *pass)
{
	const char *damage = trace_reader_damage(pass->reader);

	if (dump->err == -EPIPE)
		return STATUS_OK;
	if (dump->err) {
		cli_say("cannot write standard output: %s",
			strerror(-dump->err));
		return STATUS_HOST;
	}
	if (damage)
		cli_say("%s", damage);
	return damage || pass->interrupted ? STATUS_FAILED : STATUS_OK;
}

/* A bar on the terminal would get into the lines, or into a pager. */
static bool is_to_file(void)
{
	struct stat st;

	return !fstat(STDOUT_FILENO, &st) && S_ISREG(st.st_mode);
}

static int dump_from(struct dump *dump, struct trace_reader *reader,
		     const char *path)
{
	struct trace_pass pass = {
		.reader = reader,
		.label = is_to_file() ? path : NULL,
		.attention = attention_begin(),
		.take = take_item,
		.context = dump,
	};
	struct diag diag;
	int err = 0;

	if (dump->options->from)
		err = trace_reader_seek_item(reader, dump->options->from,
					     &dump->item, &diag);
	dump->insns = trace_reader_totals(reader)->insns;
	if (!err && dump->left)
		err = trace_pass(&pass, &diag);
	flush(dump);
	return err ? cli_fail(err, &diag) : say_end(dump, &pass);
}

static int dump(const struct dump_options *options, const char *path)
{
	struct dump *dump = calloc(1, sizeof(*dump));
	struct trace_reader *reader;
	struct diag diag;
	int status, err;

	if (!dump) {
		cli_say("no memory");
		return STATUS_HOST;
	}
	dump->options = options;
	dump->left = options->count;
	dump->end = dump->text;
	err = trace_reader_open(path, &reader, &diag);
	if (err) {
		status = cli_fail(err, &diag);
	} else {
		status = dump_from(dump, reader, path);
		trace_reader_close(reader);
	}
	free(dump);
	return status;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
	struct dump_options options = {.count = UINT64_MAX};
	int operand, status;

	item_set_all(&options.set);
	status = cli_parse(command, argc, argv, take_flag, &options, &operand);
	if (status >= 0)
		return status;
	if (operand + 1 != argc) {
		cli_say("want one TRACE, got %d (notrap help trace dump)",
			argc - operand);
		return STATUS_USAGE;
	}
	return dump(&options, argv[operand]);
}

const struct cli_command cmd_trace_dump = {
	.name = "trace dump",
	.operands = "[OPTION...] TRACE",
	.summary = "print items, a line each",
	.about = "Prints a line for each item of TRACE: its number, the "
		 "instructions completed before it, what it is, and its "
		 "fields. Items are numbered as notrap replay numbers them: "
		 "each reference is one.\n"
		 "A reference is fetch, read or write, by U (user) or S "
		 "(supervisor), its linear address and size, and xN where it "
		 "stands for other than one: a run on its page, or, with x0, "
		 "what is no instruction or reference of its own.\n",
	.flags = flags,
	.run = run,
};
