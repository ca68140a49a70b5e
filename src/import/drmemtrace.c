/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * drrun -t drmemtrace -tool view, of DynamoRIO 10 and later:
 *
 *     9    2: W0.T3256418 ifetch   5 byte(s) @ 0x00007fc205a61943 e8 b8 ...
 *    10    2: W0.T3256418 write    8 byte(s) @ 0x00007fff9a9e3528 by PC \
 *      0x00007fc205a61943
 *    11    2: W0.T3256418 <marker: system call 15>
 *
 * Numbers of record and instruction, workload and thread, then what it is.
 * Before 11.90 it was T3256418 or 3256418, before 10 one number.  Workloads are
 * processes.
 *
 * Markers, prefetches and flushes are passed over, and so is what a trace has
 * of a kernel's instructions: the model guest has a kernel of its own.
 */
#include <string.h>

#include "import/digits.h"
#include "import/formats.h"
#include "import/insns.h"

#define INSN_SIZE     4 /* of one that was filtered out */
#define INSN_SIZE_MAX 15
#define DATA_SIZE_MAX PAGE_SIZE

#define BLOCK 4096 /* lines */

#define THREAD_BITS 26 /* of a thread's number, beside the workload */

/* --- Which task ----------------------------------------------------------- */

static int enter(struct import *import, struct diag *diag)
{
	struct import_view *view = &import->view;
	struct view_workload *w = &view->workloads[view->workload];
	int err = insns_flush(import, diag);

	import->thread = view->thread;
	if (!w->leader)
		w->leader = view->thread;
	return err ? err
		   : guest_switch(import->guest, w->leader, view->thread, diag);
}

/*
 * The first of a process stands for it: others may still come.  It ends with
 * the trace then.
 */
static int leave(struct import *import, struct diag *diag)
{
	struct import_view *view = &import->view;
	struct view_workload *w = &view->workloads[view->workload];
	int err = insns_flush(import, diag);

	/* Whoever ends, nobody runs then. */
	import->thread = 0;
	if (view->thread == w->leader)
		w->has_ended = true;
	else if (!err)
		err = guest_exit(import->guest, view->thread, diag);
	return err;
}

static int end(struct import *import, struct diag *diag)
{
	int err = insns_flush(import, diag);

	for (size_t i = 0; i < VIEW_WORKLOADS && !err; i++) {
		struct view_workload *w = &import->view.workloads[i];

		if (w->has_ended)
			err = guest_exit(import->guest, w->leader, diag);
	}
	return err;
}

static void skip_blanks(const char **p, const char *end)
{
	while (*p < end && **p == ' ')
		++*p;
}

static bool skip_text(const char **p, const char *end, const char *text,
		      size_t len)
{
	if ((size_t)(end - *p) < len || memcmp(*p, text, len))
		return false;
	*p += len;
	return true;
}

static bool is_numbered(const char *p, const char *end)
{
	return p < end && (*p == ' ' || (*p >= '0' && *p <= '9'));
}

/* W0.T123, T123 or 123. */
static bool parse_task(const char **p, const char *end, struct import_view *ret)
{
	uint64_t workload = 0, thread;

	if (skip_text(p, end, "W", 1) &&
	    (!text_decimal(p, end, &workload) || !skip_text(p, end, ".T", 2)))
		return false;
	skip_text(p, end, "T", 1);
	if (!text_decimal(p, end, &thread) || !skip_text(p, end, " ", 1) ||
	    workload >= VIEW_WORKLOADS || thread >> THREAD_BITS)
		return false;
	ret->workload = (uint32_t)workload;
	ret->thread = (uint32_t)(workload << THREAD_BITS | thread) + 1;
	return true;
}

/*
 * Up to what the line tells.  The numbers mean nothing here and are not looked
 * at; the columns of the next line may be the same ones.
 */
static bool parse_columns(const char **p, const char *end,
			  struct import_view *view)
{
	const char *line = *p, *at = line;

	if (is_numbered(line, end)) {
		at = memchr(line, ':', (size_t)(end - line));
		if (!at)
			return false;
		*p = at + 1;
	}
	skip_blanks(p, end);
	if (!parse_task(p, end, view))
		return false;
	view->at = (size_t)(at - line);
	view->len = (size_t)(*p - at);
	if (view->len > sizeof(view->columns))
		view->len = 0;
	memcpy(view->columns, at, view->len);
	return true;
}

static bool skip_columns(const char **p, const char *end,
			 struct import_view *view)
{
	if (view->len && (size_t)(end - *p) > view->at + view->len &&
	    !memcmp(*p + view->at, view->columns, view->len) &&
	    (!view->at || is_numbered(*p, end))) {
		*p += view->at + view->len;
		return true;
	}
	return parse_columns(p, end, view);
}

/* --- References ----------------------------------------------------------- */

/* What was read and is then written is one access. */
static bool joins(struct import *import, gva_t gva, uint32_t size)
{
	struct guest_ref *last = &import->refs[import->nr_refs - 1];

	if (last->kind != TRACE_READ || last->gva != gva || last->size != size)
		return false;
	last->kind = TRACE_WRITE;
	return true;
}

struct line {
	char kind; /* i, r, w; n: not fetched again */
	uint64_t size;
	gva_t gva, pc; /* pc: of data */
};

static bool is_insn(const struct line *line)
{
	return line->kind == 'i' || line->kind == 'n';
}

static bool parse_name(const char **p, const char *end, char *kind)
{
	*kind = **p;
	switch (*kind) {
	case 'i':
		return skip_text(p, end, "ifetch ", 7);
	case 'r':
		return skip_text(p, end, "read ", 5);
	case 'w':
		return skip_text(p, end, "write ", 6);
	case 'n':
		return skip_text(p, end, "non-fetched ", 12);
	default:
		return false;
	}
}

static const char *parse_line(const char *p, const char *end, struct line *ret)
{
	*ret = (struct line){0};
	if (!parse_name(&p, end, &ret->kind))
		return "want ifetch, read, write or a marker";
	skip_blanks(&p, end);
	if (!text_decimal(&p, end, &ret->size) ||
	    !skip_text(&p, end, " byte(s) @ 0x", 13) ||
	    !text_hex(&p, end, &ret->gva))
		return "want N byte(s) @ 0xADDRESS";
	if (is_insn(ret))
		return p == end || *p == ' ' ? NULL : "want 0xADDRESS";
	if (!skip_text(&p, end, " by PC 0x", 9) ||
	    !text_hex(&p, end, &ret->pc) || p != end)
		return "want by PC 0xADDRESS";
	return NULL;
}

/*
 * The short way, for columns as they are today:
 *
 *   write        8 byte(s) @ 0x00007fff9a9e3528 by PC 0x00007fc205a61943
 *   0           12            27               43       52              68
 */
static bool parse_address(const char *p, gva_t *ret)
{
	uint64_t flaws, more;
	uint64_t high = digits_of(digits_load(p), &flaws);
	uint64_t low = digits_of(digits_load(p + 8), &more);

	*ret = (uint64_t)digits_number(high) << 32 | digits_number(low);
	return !(flaws | more);
}

static bool parse_today(const char *p, size_t len, struct line *ret)
{
	uint32_t tens = p[12] == ' ' ? 0 : (uint32_t)(p[12] - '0');
	uint32_t ones = (uint32_t)(p[13] - '0');

	ret->kind = p[0];
	ret->size = tens * 10 + ones;
	ret->pc = 0;
	if (tens > 9 || ones > 9 || memcmp(p + 14, " byte(s) @ 0x", 13) ||
	    !parse_address(p + 27, &ret->gva))
		return false;
	if (!memcmp(p, "ifetch      ", 12))
		return len == 43 || p[43] == ' ';
	return len == 68 &&
	       (!memcmp(p, "read        ", 12) ||
		!memcmp(p, "write       ", 12)) &&
	       !memcmp(p + 43, " by PC 0x", 9) &&
	       parse_address(p + 52, &ret->pc);
}

static const char *parse(const char *p, const char *end, struct line *ret)
{
	size_t len = (size_t)(end - p);

	if (len >= 43 && parse_today(p, len, ret))
		return NULL;
	return parse_line(p, end, ret);
}

static bool is_kernel(gva_t gva)
{
	return gva >= ~(GUEST_USER_END - 1);
}

static const char *flaw_of(const struct line *line)
{
	uint64_t max = is_insn(line) ? INSN_SIZE_MAX : DATA_SIZE_MAX;

	if (!line->size || line->size > max)
		return "no size of an instruction or a reference";
	if (line->gva > GUEST_USER_END - line->size ||
	    line->pc > GUEST_USER_END - INSN_SIZE)
		return "no address of user code";
	return NULL;
}

/* Data of an instruction that is not there: it was filtered out. */
static int find_insn(struct import *import, gva_t pc, struct diag *diag)
{
	const struct guest_ref *last = insns_last(import);
	uint64_t room = PAGE_SIZE - (pc & PAGE_MASK);

	if (last && last->gva == pc)
		return 0;
	return insns_fetch(import, pc, (uint32_t)min_u64(INSN_SIZE, room),
			   diag);
}

static int take_data(struct import *import, const struct line *line,
		     struct diag *diag)
{
	bool write = line->kind == 'w';
	uint32_t size = (uint32_t)line->size;
	int err = find_insn(import, line->pc, diag);

	if (err || (write && joins(import, line->gva, size)))
		return err;
	return insns_data(import, write ? TRACE_WRITE : TRACE_READ, line->gva,
			  size, diag);
}

static int take_reference(struct import *import, const struct line *line,
			  struct diag *diag)
{
	int err = 0;

	import->records++;
	if (import->view.thread != import->thread)
		err = enter(import, diag);
	if (err || line->kind == 'n')
		return err;
	if (line->kind == 'i')
		return insns_fetch(import, line->gva, (uint32_t)line->size,
				   diag);
	return take_data(import, line, diag);
}

/* --- Lines ---------------------------------------------------------------- */

static bool begins(const char *p, const char *end, const char *text)
{
	return skip_text(&p, end, text, strlen(text));
}

/* Heads, tails and rules. */
static bool is_frame(const char *p, const char *end)
{
	static const char *const beginnings[] = {
		"Output format:", "<--record#->", "<record#>",
		"------------",   "============", "View tool results:",
		"<marker: ", /* of no thread yet */
	};

	for (size_t i = 0; i < ARRAY_LEN(beginnings); i++)
		if (begins(p, end, beginnings[i]))
			return true;
	skip_blanks(&p, end);
	if (p == end)
		return true;
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return begins(p, end, " : total ");
}

static bool is_passed_over(const char *p, const char *end)
{
	static const char *const beginnings[] = {
		"pref",
		"iflush ",
		"dflush ",
	};

	for (size_t i = 0; i < ARRAY_LEN(beginnings); i++)
		if (begins(p, end, beginnings[i]))
			return true;
	return false;
}

/* Bytes of an instruction that have no room in the line before. */
static bool is_spillover(const char *p, const char *end)
{
	uint64_t val;

	do {
		skip_blanks(&p, end);
	} while (text_hex(&p, end, &val));
	return p == end;
}

/* Between the markers of a kernel's sequence is that kernel's. */
static int take_marker(struct import *import, const char *p, const char *end,
		       struct diag *diag)
{
	struct import_view *view = &import->view;

	if (begins(p, end, "<thread "))
		return leave(import, diag);
	if (begins(p, end, "<marker: trace start for "))
		view->kernel = view->thread;
	if (begins(p, end, "<marker: trace end for "))
		view->kernel = 0;
	import->others++;
	return 0;
}

static int take_details(struct import *import, const char *p, const char *end,
			struct diag *diag)
{
	const char *flaw;
	struct line line;

	if (begins(p, end, "<"))
		return take_marker(import, p, end, diag);
	if (is_spillover(p, end))
		return 0;
	flaw = parse(p, end, &line);
	if (import->view.kernel == import->view.thread ||
	    (flaw ? is_passed_over(p, end)
		  : is_kernel(line.gva) || is_kernel(line.pc))) {
		import->others++;
		return 0;
	}
	if (!flaw)
		flaw = flaw_of(&line);
	if (flaw)
		return text_malformed(import->text, flaw, diag);
	return take_reference(import, &line, diag);
}

static int take_line(struct import *import, const char *text, size_t len,
		     struct diag *diag)
{
	const char *p = text, *end = text + len;

	if (len && end[-1] == '\r')
		end--;
	if (skip_columns(&p, end, &import->view))
		return take_details(import, p, end, diag);
	if (is_frame(text, end))
		return 0;
	return text_malformed(import->text, "want W0.T1 and what it does",
			      diag);
}

static int take_block(struct import *import, struct diag *diag)
{
	const char *p, *end, *newline;
	int err = 0;

	if (!text_block(import->text, &p, &end))
		return 0;
	for (int i = 0; p < end && i < BLOCK && !err; i++, p = newline + 1) {
		newline = memchr(p, '\n', (size_t)(end - p));
		text_taken(import->text, newline + 1, 1);
		err = take_line(import, p, (size_t)(newline - p), diag);
	}
	return err;
}

const struct import_format import_drmemtrace = {
	.name = "drmemtrace",
	.what = "drrun -t drmemtrace -tool view",
	.has_tasks = true,
	.line = take_line,
	.block = take_block,
	.end = end,
};
