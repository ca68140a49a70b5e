/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notrap machines: the processors there are, or every number of one. */
#include <errno.h>
#include <string.h>

#include "base/bug.h"
#include "cli/cli.h"
#include "cli/formats.h"
#include "cli/output.h"
#include "machine/keys.h"
#include "machine/machine.h"

static const struct cli_flag flags[] = {
	{FLAG_HYPERVISORS, "hypervisors", NULL,
	 "the software's files in place of the processors'"},
	{FLAG_FORMAT, "format", "FORMAT", FORMATS_TEXT " (default: table)"},
	{'o', "output", "FILE", "write to FILE, whole or not at all"},
	{FLAG_HELP, "help", NULL, "this text"},
	{0},
};

struct options {
	enum machine_kind kind;
	const char *output;
	enum format format;
};

static int take_flag(void *context, int flag, const char *arg)
{
	struct options *options = context;
	struct diag diag;
	int err = 0;

	if (flag == 'o')
		options->output = arg;
	else if (flag == FLAG_HYPERVISORS)
		options->kind = KIND_HYPERVISOR;
	else if (flag == FLAG_FORMAT)
		err = format_parse(arg, &options->format, &diag);
	return err ? cli_fail(err, &diag) : 0;
}

/* --- The list --------------------------------------------------------------
 */

static const char *vendor_name(enum profile_vendor vendor)
{
	return vendor == PROFILE_INTEL ? "intel"
	       : vendor == PROFILE_AMD ? "amd"
				       : "either";
}

static void put_features(struct sheet *sheet,
			 const struct machine_model *machine)
{
	char text[200] = "";
	size_t len = 0;

	for (unsigned int i = 0; i < NR_MACHINE_FEATURES; i++)
		if (machine_has(machine, (enum machine_feature)i))
			len += (size_t)snprintf(
				text + len, sizeof(text) - len, "%s%s",
				len ? " " : "",
				machine_feature_key((enum machine_feature)i));
	sheet_text(sheet, "%s", text);
}

static void put_cost(struct sheet *sheet, struct cost_range cost)
{
	char text[COST_RANGE_TEXT_MAX];

	cost_range_text(cost, text);
	sheet_text(sheet, "%s", text);
}

static void list_machines(struct sheet *sheet)
{
	size_t nr;
	const struct machine_file *file = machine_files(KIND_MACHINE, &nr);

	sheet_table(sheet, "machines", "Processors (-D machine=NAME)");
	sheet_column(sheet, "name", "name");
	sheet_column(sheet, "part", "part");
	sheet_column(sheet, "year", "year");
	sheet_column(sheet, "vendor", "vendor");
	sheet_column(sheet, "mhz", "MHz");
	sheet_column(sheet, "maxphyaddr", "bits");
	sheet_column(sheet, "cost.exit", "exit");
	sheet_column(sheet, "features", "features");
	for (size_t i = 0; i < nr; i++) {
		struct machine_model machine;
		struct diag diag;

		if (machine_load(file[i].name, &machine, &diag))
			BUG(diag.msg);
		sheet_text(sheet, "%s", file[i].name);
		sheet_text(sheet, "%s", machine.part);
		sheet_u64(sheet, machine.year);
		sheet_text(sheet, "%s", vendor_name(machine.vendor));
		sheet_u64(sheet, machine.mhz);
		sheet_u64(sheet, machine.width);
		put_cost(sheet, machine.cost[COST_EXIT]);
		put_features(sheet, &machine);
	}
	sheet_note(sheet, "exit: cycles of VM exit and entry, typical and "
			  "range. notrap machines NAME tells every number and "
			  "its source.");
}

static void list_hypervisors(struct sheet *sheet)
{
	size_t nr;
	const struct machine_file *file = machine_files(KIND_HYPERVISOR, &nr);

	sheet_table(sheet, "hypervisors", "Hypervisors (-D hypervisor=NAME)");
	sheet_column(sheet, "name", "name");
	sheet_column(sheet, "what", "what");
	sheet_column(sheet, "mmus", "hypervisor=era: of mmu=");
	sheet_column(sheet, "cost.dispatch", "dispatch");
	for (size_t i = 0; i < nr; i++) {
		struct hypervisor hv;
		struct diag diag;

		if (hypervisor_load(file[i].name, &hv, &diag))
			BUG(diag.msg);
		sheet_text(sheet, "%s", file[i].name);
		sheet_text(sheet, "%s", hv.what);
		sheet_text(sheet, "%s", hv.mmus);
		put_cost(sheet, hv.cost[COST_DISPATCH]);
	}
	sheet_note(sheet, "dispatch: cycles around any exit, typical and "
			  "range. notrap machines --hypervisors NAME tells "
			  "every number and its source.");
}

/* --- One of them ------------------------------------------------------------
 */

static const char *what_of(enum machine_kind kind,
			   const struct ini_entry *entry)
{
	struct machine_key key;

	for (unsigned int i = 0; machine_key(kind, i, &key); i++)
		if (!strcmp(key.section, entry->section) &&
		    !strcmp(key.key, entry->key))
			return key.what;
	return "level, references, page sizes, entries/ways";
}

/* "5..20" of the brackets, in two cells; the value twice if there are none. */
static void put_range(struct sheet *sheet, const struct ini_entry *entry)
{
	const char *dots = entry->range ? strstr(entry->range, "..") : NULL;

	if (!dots) {
		sheet_none(sheet);
		sheet_none(sheet);
		return;
	}
	sheet_text(sheet, "%.*s", (int)(dots - entry->range), entry->range);
	sheet_text(sheet, "%s", dots + 2 + strspn(dots + 2, " "));
}

static void put_entries(struct sheet *sheet, enum machine_kind kind,
			const struct ini *ini)
{
	sheet_table(sheet, "numbers", ini->name);
	sheet_group_column(sheet, "section", "");
	sheet_column(sheet, "key", "key");
	sheet_column(sheet, "value", "value");
	sheet_column(sheet, "min", "min");
	sheet_column(sheet, "max", "max");
	sheet_column(sheet, "tag", "tag");
	sheet_column(sheet, "source", "source");
	sheet_column(sheet, "what", NULL);
	for (size_t i = 0; i < ini->nr; i++) {
		const struct ini_entry *entry = &ini->entry[i];

		sheet_text(sheet, "%s", entry->section);
		sheet_text(sheet, "%s", entry->key);
		sheet_text(sheet, "%s", entry->value);
		put_range(sheet, entry);
		sheet_text(sheet, "%s", ini_tag_name(entry->tag));
		sheet_text(sheet, "%s", entry->source);
		sheet_text(sheet, "%s", what_of(kind, entry));
	}
	for (int i = 0; i < NR_INI_TAGS; i++)
		sheet_note(sheet, "%s: %s", ini_tag_name((enum ini_tag)i),
			   ini_tag_what((enum ini_tag)i));
}

/* Shown only if a run would take it. */
static int understand(enum machine_kind kind, const struct ini *ini,
		      struct diag *diag)
{
	struct machine_model machine;
	struct hypervisor hv;

	return kind == KIND_MACHINE ? machine_from_ini(ini, &machine, diag)
				    : hypervisor_from_ini(ini, &hv, diag);
}

/* --- The command -------------------------------------------------------------
 */

static int fill(struct sheet *sheet, enum machine_kind kind, const char *which,
		struct diag *diag)
{
	uint64_t digest;
	struct ini ini;
	int err;

	if (!which) {
		if (kind == KIND_MACHINE)
			list_machines(sheet);
		else
			list_hypervisors(sheet);
		return 0;
	}
	err = machine_read(kind, which, &ini, &digest, diag);
	if (err)
		return err;
	err = understand(kind, &ini, diag);
	if (!err)
		put_entries(sheet, kind, &ini);
	ini_finish(&ini);
	return err;
}

static int print(const struct options *options, const char *which,
		 struct diag *diag)
{
	struct sheet *sheet = sheet_create("notrap-machines/1", "Machines");
	struct output output;
	int err;

	if (!sheet)
		return diag_set(diag, -ENOMEM, "no memory for the table");
	err = fill(sheet, options->kind, which, diag);
	if (!err)
		err = output_open(options->output, &output, diag);
	if (!err) {
		err = sheet_print(sheet, format_of_sheet(options->format),
				  output.file);
		err = output_end(&output, err, diag);
	}
	sheet_destroy(sheet);
	return err;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
	struct options options = {.kind = KIND_MACHINE};
	struct diag diag;
	int operand, status, err;

	status = cli_parse(command, argc, argv, take_flag, &options, &operand);
	if (status >= 0)
		return status;
	if (argc - operand > 1) {
		cli_say("notrap machines tells of one at a time");
		return STATUS_USAGE;
	}
	err = print(&options, operand < argc ? argv[operand] : NULL, &diag);
	return err ? cli_fail(err, &diag) : STATUS_OK;
}

const struct cli_command cmd_machines = {
	.name = "machines",
	.operands = "[OPTION...] [NAME|FILE.ini]",
	.summary = "processors and hypervisors, every number and its source",
	.about =
		"Cycles are counts times costs. The hardware's costs and the "
		"shape of its TLBs and caches are a processor's (-D machine=), "
		"the software's are a hypervisor's (-D hypervisor=). Without "
		"NAME lists what there is; with it, every number of that one, "
		"its range, how much it is worth and where it comes from.\n"
		"A FILE.ini of one's own is shown and checked alike "
		"(docs/machines.md).\n",
	.flags = flags,
	.run = run,
};
