/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notrap trap-safety: on which processors do the entries that must fault? */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/formats.h"
#include "cli/output.h"
#include "paging/entry.h"
#include "shadow_mmu/trap.h"
#include "sim/config_type.h"

#define WIDTH_MIN 36
#define WIDTH_MAX 52
#define WIDTHS    (WIDTH_MAX - WIDTH_MIN + 1)

static const struct cli_flag flags[] = {
	{FLAG_FORMAT, "format", "FORMAT", FORMATS_TEXT " (default: table)"},
	{'o', "output", "FILE", "write to FILE, whole or not at all"},
	{FLAG_HELP, "help", NULL, "this text"},
	{0},
};

/* In the order of trap_uses. */
static const struct {
	const char *key, *title;
} use_columns[TRAP_USES] = {
	{"kernel_read", "kernel read"}, {"kernel_write", "write"},
	{"kernel_fetch", "fetch"},      {"user_read", "user read"},
	{"user_write", "write"},        {"user_fetch", "fetch"},
};

static const char *const verdict_keys[] = {
	[TRAP_FAULTS] = "faults",
	[TRAP_LEADS] = "leads",
	[TRAP_MAPS] = "maps",
};

static const char *const verdict_texts[] = {
	[TRAP_FAULTS] = "faults",
	[TRAP_LEADS] = "goes on to a table there",
	[TRAP_MAPS] = "MAPS",
};

static const enum paging_mode modes[] = {PAGING_PAE, PAGING_4LEVEL,
					 PAGING_5LEVEL};

/* --- What is asked ------------------------------------------------------- */

/* Where an entry stands, and all that becomes of it there. */
struct place {
	const struct trap_value *value;
	enum paging_mode mode;
	bool nxe;
	int level;
	int width;
};

struct outcome {
	bool unused; /* nobody has the entry on such a processor */
	enum trap_verdict verdict;
	struct {
		bool maps, through; /* through: by way of a table there */
		uint32_t pfec;
	} use[TRAP_USES];
};

static struct outcome outcome_of(const struct place *place)
{
	struct paging_ctx ctx = {
		.mode = place->mode,
		.wp = true,
		.nxe = place->nxe,
		.has_1g = true, /* that reserves less */
		.maxphyaddr = (uint8_t)place->width,
	};
	uint64_t pte = trap_pte(place->value, place->width);
	struct outcome ret;

	memset(&ret, 0, sizeof(ret)); /* compared byte for byte */
	ret.unused = place->width > place->value->max_width;
	if (ret.unused)
		return ret;
	ret.verdict = trap_judge(&ctx, pte, place->level);
	for (size_t i = 0; i < TRAP_USES; i++) {
		struct walk w =
			paging_meet(&ctx, pte, place->level, trap_uses[i]);

		ret.use[i].maps = !w.fault;
		ret.use[i].through = w.level < place->level;
		ret.use[i].pfec = w.fault ? w.pfec : 0;
	}
	return ret;
}

static bool is_same(const struct place *a, const struct place *b)
{
	struct outcome x = outcome_of(a), y = outcome_of(b);

	return !memcmp(&x, &y, sizeof(x));
}

static int top_level(const struct place *place)
{
	int top = paging_levels(place->mode);

	return top < place->value->max_level ? top : place->value->max_level;
}

/* --- Rows ---------------------------------------------------------------- */

static void use_cells(struct sheet *sheet, const struct outcome *outcome)
{
	for (size_t i = 0; i < TRAP_USES; i++) {
		bool through = outcome->use[i].through;
		const char *open = through ? "(" : "";
		const char *close = through ? ")" : "";

		if (outcome->unused)
			sheet_none(sheet);
		else if (outcome->use[i].maps)
			sheet_text(sheet, "%smaps%s", open, close);
		else
			sheet_text(sheet, "%s0x%" PRIx32 "%s", open,
				   outcome->use[i].pfec, close);
	}
}

static void range_cell(struct sheet *sheet, int from, int to)
{
	if (from == to)
		sheet_text(sheet, "%d", from);
	else
		sheet_text(sheet, "%d-%d", from, to);
}

static void verdict_cell(struct sheet *sheet, const struct outcome *outcome,
			 const char *const *words)
{
	sheet_text(sheet, "%s",
		   outcome->unused ? "not used" : words[outcome->verdict]);
}

static void value_cell(struct sheet *sheet, const struct trap_value *value)
{
	if (value->what)
		sheet_text(sheet, "%s 0x%016" PRIx64 "%s (%s)", value->name,
			   value->pte,
			   value->fills ? " and bits 51:MAXPHYADDR" : "",
			   value->what);
	else
		sheet_text(sheet, "0x%016" PRIx64, value->pte);
}

/* Levels from place's to `last`, widths from place's to `widest`, are alike. */
static void merged_row(struct sheet *sheet, const struct place *place, int last,
		       int widest)
{
	struct outcome outcome = outcome_of(place);

	value_cell(sheet, place->value);
	sheet_text(sheet, "%s", paging_mode_name(place->mode));
	range_cell(sheet, place->level, last);
	sheet_text(sheet, "%s", place->nxe ? "on" : "off");
	range_cell(sheet, place->width, widest);
	use_cells(sheet, &outcome);
	verdict_cell(sheet, &outcome, verdict_texts);
}

static bool is_level_alike(struct place a, struct place b)
{
	for (a.width = WIDTH_MIN; a.width <= WIDTH_MAX; a.width++) {
		b.width = a.width;
		if (!is_same(&a, &b))
			return false;
	}
	return true;
}

static int last_alike_level(const struct place *place)
{
	struct place next = *place;

	while (next.level < top_level(place)) {
		next.level++;
		if (!is_level_alike(*place, next))
			return next.level - 1;
	}
	return next.level;
}

static int last_alike_width(const struct place *place)
{
	struct place next = *place;

	while (next.width < WIDTH_MAX) {
		next.width++;
		if (!is_same(place, &next))
			return next.width - 1;
	}
	return next.width;
}

static void merged_rows(struct sheet *sheet, struct place place)
{
	int last, widest;

	for (place.level = 1; place.level <= top_level(&place);
	     place.level = last + 1) {
		last = last_alike_level(&place);
		for (place.width = WIDTH_MIN; place.width <= WIDTH_MAX;
		     place.width = widest + 1) {
			widest = last_alike_width(&place);
			merged_row(sheet, &place, last, widest);
		}
	}
}

static void pte_cell(struct sheet *sheet, const struct place *place)
{
	uint64_t pte = trap_pte(place->value, place->width);

	if (place->width > place->value->max_width)
		sheet_none(sheet);
	else
		sheet_text(sheet, "0x%016" PRIx64, pte);
}

static void single_rows(struct sheet *sheet, struct place place)
{
	for (place.level = 1; place.level <= top_level(&place); place.level++)
		for (place.width = WIDTH_MIN; place.width <= WIDTH_MAX;
		     place.width++) {
			struct outcome outcome = outcome_of(&place);

			sheet_text(sheet, "%s", place.value->name);
			pte_cell(sheet, &place);
			sheet_text(sheet, "%s", paging_mode_name(place.mode));
			sheet_u64(sheet, (uint64_t)place.level);
			sheet_text(sheet, "%s", place.nxe ? "on" : "off");
			sheet_u64(sheet, (uint64_t)place.width);
			use_cells(sheet, &outcome);
			verdict_cell(sheet, &outcome, verdict_keys);
		}
}

/* --- The sheet ----------------------------------------------------------- */

static void columns(struct sheet *sheet, bool merged)
{
	sheet_table(sheet, "entries", "Entries that must fault");
	if (merged) {
		sheet_group_column(sheet, "value", "entry");
	} else {
		sheet_column(sheet, "value", "entry");
		sheet_column(sheet, "pte", "value");
	}
	sheet_column(sheet, "mode", "mode");
	sheet_column(sheet, "level", "level");
	sheet_column(sheet, "host_nxe", "host-nxe");
	sheet_column(sheet, "maxphyaddr", "maxphyaddr");
	for (size_t i = 0; i < TRAP_USES; i++)
		sheet_column(sheet, use_columns[i].key, use_columns[i].title);
	sheet_column(sheet, "verdict", "verdict");
}

static void rows_of(struct sheet *sheet, bool merged,
		    const struct trap_value *value)
{
	struct place place = {.value = value};

	for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
		place.mode = modes[m];
		for (int nxe = 0; nxe < 2; nxe++) {
			place.nxe = nxe;
			if (merged)
				merged_rows(sheet, place);
			else
				single_rows(sheet, place);
		}
	}
}

static int print(const struct trap_value *values, unsigned int nr,
		 enum sheet_format format, FILE *out)
{
	bool merged = format == SHEET_TABLE || format == SHEET_MD;
	struct sheet *sheet =
		sheet_create("notrap-trap-safety/1", "Entries that must fault");
	int err;

	if (!sheet)
		return -ENOMEM;
	columns(sheet, merged);
	for (unsigned int i = 0; i < nr; i++)
		rows_of(sheet, merged, &values[i]);
	sheet_note(sheet, "Numbers are page-fault error codes, with the rights "
			  "above the entry granted and CR0.WP on.");
	sheet_note(sheet, "In brackets: the entry is taken for a link to a "
			  "table; nothing is there and reads as all ones.");
	sheet_note(sheet, "A run whose entries would not all fault is refused "
			  "unless unsafe-trap=force.");
	err = sheet_print(sheet, format, out);
	sheet_destroy(sheet);
	return err;
}

/* --- The command --------------------------------------------------------- */

#define VALUES_MAX 64

struct options {
	const char *output;
	enum format format;
	struct trap_value own[VALUES_MAX];
};

static int take_flag(void *context, int flag, const char *arg)
{
	struct options *options = context;
	struct diag diag;
	int err = 0;

	if (flag == 'o')
		options->output = arg;
	else if (flag == FLAG_FORMAT)
		err = format_parse(arg, &options->format, &diag);
	return err ? cli_fail(err, &diag) : 0;
}

/* paging_meet() keeps its tables in the pool's first frames. */
static bool is_usable(uint64_t pte)
{
	uint64_t to = pte & PTE_ADDR;

	return to < POOL_BASE || to >= pool_page_hpa(PT_LEVEL_MAX);
}

static int parse_value(const char *text, struct trap_value *ret,
		       struct diag *diag)
{
	*ret = (struct trap_value){.name = text,
				   .max_level = PT_LEVEL_MAX,
				   .max_width = WIDTH_MAX};
	if (config_parse_value((struct config_type){.kind = TYPE_U64}, text,
			       &ret->pte))
		return diag_set(diag, -EINVAL,
				"%.60s: want the value of an entry, as 0x1",
				text);
	if (!is_usable(ret->pte))
		return diag_set(diag, -EINVAL,
				"%.60s: leads to a frame of the model's own",
				text);
	return 0;
}

static int print_to(const struct options *options,
		    const struct trap_value *values, unsigned int nr,
		    struct diag *diag)
{
	struct output output;
	int err = output_open(options->output, &output, diag);

	if (err)
		return err;
	err = print(values, nr, format_of_sheet(options->format), output.file);
	return output_end(&output, err, diag);
}

static int run(const struct cli_command *command, int argc, char **argv)
{
	struct options options = {0};
	const struct trap_value *values = options.own;
	unsigned int nr = 0;
	struct diag diag;
	int operand, status, err = 0;

	status = cli_parse(command, argc, argv, take_flag, &options, &operand);
	if (status >= 0)
		return status;
	if (argc - operand > VALUES_MAX) {
		cli_say("more than %d values", VALUES_MAX);
		return STATUS_USAGE;
	}
	for (; operand < argc && !err; operand++)
		err = parse_value(argv[operand], &options.own[nr++], &diag);
	if (!nr)
		values = trap_values(&nr);
	if (!err)
		err = print_to(&options, values, nr, &diag);
	return err ? cli_fail(err, &diag) : STATUS_OK;
}

const struct cli_command cmd_trap_safety = {
	.name = "trap-safety",
	.operands = "[OPTION...] [VALUE...]",
	.summary = "which processors fault on the shadow's trap entries",
	.about =
		"The bypass rests on shadow entries that are present and fault "
		"because of their reserved bits. Which bits are reserved "
		"depends on the processor's MAXPHYADDR, on EFER.NXE and on the "
		"paging mode. For each such entry, or each VALUE (as "
		"0xfffffffffffff001), and each mode, level, NXE and width: the "
		"error code of each use, or that the processor translates it.\n"
		"Tables show ranges; json and csv have a row for each width "
		"and level.\n",
	.flags = flags,
	.run = run,
};
