/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notrap trace verify: is all of it there, and as it should be? */
#include <errno.h>
#include <inttypes.h>

#include "cli/attention.h"
#include "cli/cmd_trace.h"
#include "cli/help.h"
#include "cli/trace_pass.h"
#include "trace/check.h"

enum {
	FLAG_RULES = 16,
};

static const struct cli_flag flags[] = {
	{FLAG_RULES, "rules", NULL, "list the rules"},
	{FLAG_HELP, "help", NULL, "this text"},
	{0},
};

static void list_rules(void)
{
	for (int i = 0; i < NR_TRACE_RULES; i++)
		help_print_entry(stdout, trace_rule_name((enum trace_rule)i),
				 20, trace_rule_text((enum trace_rule)i));
}

static int take_flag(void *context, int flag, const char *arg)
{
	bool *rules = context;

	(void)arg;
	*rules |= flag == FLAG_RULES;
	return 0;
}

struct verifier {
	struct trace_check *check;
	int err;
};

static bool take_item(void *context, const struct trace_item *item)
{
	struct verifier *v = context;

	v->err = trace_check_item(v->check, item);
	return !v->err;
}

/* Returns how many there are. */
static unsigned int print_broken(const char *path,
				 const struct trace_check *check)
{
	unsigned int broken = 0;

	for (int i = 0; i < NR_TRACE_RULES; i++) {
		enum trace_rule rule = (enum trace_rule)i;
		const char *first;
		uint64_t n = trace_check_broken(check, rule, &first);

		if (!n)
			continue;
		broken++;
		printf("%s: rule %s is broken, ", path, trace_rule_name(rule));
		if (n > 1)
			printf("%" PRIu64 " times, first ", n);
		printf("by item %s: %s\n", first, trace_rule_text(rule));
	}
	return broken;
}

static int print_verdict(const char *path, const struct trace_check *check,
			 const struct trace_reader *reader)
{
	const char *damage = trace_reader_damage(reader);
	unsigned int broken = print_broken(path, check);

	printf("%s: %s, %" PRIu64 " items, digest 0x%016" PRIx64 ", ", path,
	       damage ? "damaged" : "complete", trace_check_items(check),
	       trace_reader_totals(reader)->digest);
	if (broken)
		printf("%u rule%s broken\n", broken, broken > 1 ? "s" : "");
	else
		printf("no rule broken\n");
	if (damage)
		cli_say("%s", damage);
	return damage || broken ? STATUS_FAILED : STATUS_OK;
}

static int check_all(struct trace_reader *reader, const char *path,
		     const volatile int *attention)
{
	struct verifier v = {
		.check = trace_check_create(
			trace_reader_info(reader)->granularity),
	};
	struct trace_pass pass = {
		.reader = reader,
		.label = path,
		.attention = attention,
		.take = take_item,
		.context = &v,
	};
	struct diag diag;
	int status = STATUS_FAILED, err = -ENOMEM;

	if (v.check)
		err = trace_pass(&pass, &diag);
	if (!v.check || v.err)
		err = diag_set(&diag, -ENOMEM, "%s: no memory to check it",
			       path);
	if (err)
		status = cli_fail(err, &diag);
	else if (!pass.interrupted)
		status = print_verdict(path, v.check, reader);
	trace_check_destroy(v.check);
	return status;
}

static int verify(const char *path, const volatile int *attention)
{
	struct trace_reader *reader;
	struct diag diag;
	int err = trace_reader_open(path, &reader, &diag), status;

	if (err)
		return cli_fail(err, &diag);
	status = check_all(reader, path, attention);
	trace_reader_close(reader);
	return status;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
	const volatile int *attention = attention_begin();
	int operand, status;
	bool rules = false;

	status = cli_parse(command, argc, argv, take_flag, &rules, &operand);
	if (status >= 0)
		return status;
	if (rules) {
		list_rules();
		return STATUS_OK;
	}
	if (operand == argc) {
		cli_say("want a TRACE (notrap help trace verify)");
		return STATUS_USAGE;
	}
	status = STATUS_OK;
	for (; operand < argc && !*attention; operand++)
		status = cli_worse(status, verify(argv[operand], attention));
	return *attention ? STATUS_FAILED : status;
}

const struct cli_command cmd_trace_verify = {
	.name = "trace verify",
	.operands = "[OPTION...] TRACE...",
	.summary = "is all of it there, and in order?",
	.about = "Reads all of each TRACE, compares checksums and digest, and "
		 "looks whether its items keep to the order that a recorder "
		 "keeps to. For each rule that is broken prints how often and "
		 "by which item first, then one line for the TRACE.\n"
		 "The status is 1 if one is damaged or breaks a rule. Whether "
		 "the page faults are those of the page tables, notrap replay "
		 "tells.\n",
	.flags = flags,
	.run = run,
};
