/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * perf script after perf record -e exceptions:page_fault_user and others:
 *
 *   bash 123/123 [001] 17.885047: exceptions:page_fault_user: address=0x7f3f \
 *     ip=0x7f3f error_code=0x14
 *
 * A line is found by its time, as a command may be named anything; before it
 * stand, perhaps, [cpu], and the process and the thread, or the thread alone;
 * fields are found by their names, as they change from release to release.
 */
#include <errno.h>
#include <string.h>

#include "import/formats.h"

/* <linux/sched.h> */
#define CLONE_VM UINT64_C(0x100)

struct line {
	uint32_t process, thread;
	uint32_t cpu;    /* UINT32_MAX: not told */
	bool is_made_up; /* by perf, for what there was before */
	const char *name, *fields, *end;
	size_t name_len;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *skip_digits_back(const char *p, const char *start)
{
	while (p > start && is_digit(p[-1]))
		p--;
	return p;
}

static const char *skip_spaces_back(const char *p, const char *start)
{
	while (p > start && p[-1] == ' ')
		p--;
	return p;
}

/* Where a time that ends at p begins; NULL: it is none. */
static const char *time_before(const char *p, const char *start)
{
	const char *dot = skip_digits_back(p, start), *at;

	if (dot == p || dot == start || dot[-1] != '.')
		return NULL;
	at = skip_digits_back(dot - 1, start);
	return at < dot - 1 && at > start && at[-1] == ' ' ? at : NULL;
}

static bool parse_number(const char *p, const char *end, uint32_t *ret)
{
	uint64_t val;

	if (!text_decimal(&p, end, &val) || p != end || val > UINT32_MAX)
		return false;
	*ret = (uint32_t)val;
	return true;
}

/* The [cpu] before p, or p. */
static const char *skip_cpu_back(const char *p, const char *start,
				 uint32_t *ret)
{
	const char *at;

	if (p == start || p[-1] != ']')
		return p;
	at = skip_digits_back(p - 1, start);
	if (at == start || at[-1] != '[')
		return p;
	parse_number(at, p - 1, ret);
	return at - 1;
}

/* "process/thread" or "thread", which end at p. */
static bool parse_task(const char *p, const char *start, struct line *ret)
{
	const char *at = skip_digits_back(p, start), *before;

	if (!parse_number(at, p, &ret->thread))
		return false;
	ret->process = ret->thread;
	if (at > start && at[-1] == '/') {
		before = skip_digits_back(at - 1, start);
		if (!parse_number(before, at - 1, &ret->process))
			return false;
		at = before;
	}
	return at == start || at[-1] == ' ';
}

/* The event's name behind the time, and perhaps the sample's period. */
static bool parse_name(const char *p, const char *end, struct line *ret)
{
	const char *at;

	while (p < end && *p == ' ')
		p++;
	at = p;
	while (at < end && is_digit(*at))
		at++;
	if (at > p && at < end && *at == ' ')
		p = at;
	while (p < end && *p == ' ')
		p++;
	ret->name = p;
	while (p < end && *p != ' ')
		p++;
	ret->fields = p;
	ret->end = end;
	ret->name_len = (size_t)(p - ret->name);
	if (ret->name_len && p[-1] == ':')
		ret->name_len--;
	return ret->name_len;
}

/* 0.000000 */
static bool is_zero(const char *p, const char *end)
{
	while (p < end && (*p == '0' || *p == '.'))
		p++;
	return p == end;
}

static bool parse_line(const char *line, size_t len, struct line *ret)
{
	const char *end = line + len, *p = line;

	while ((p = memchr(p, ':', (size_t)(end - p)))) {
		const char *time = time_before(p, line), *at;

		p++;
		if (!time)
			continue;
		at = skip_spaces_back(time, line);
		ret->cpu = UINT32_MAX;
		at = skip_spaces_back(skip_cpu_back(at, line, &ret->cpu), line);
		ret->is_made_up = is_zero(time, p - 1);
		if (parse_task(at, line, ret))
			return parse_name(p, end, ret);
	}
	return false;
}

/* --- Fields -------------------------------------------------------------- */

static const char *find(const struct line *line, const char *what)
{
	size_t len = strlen(what);
	const char *p = memmem(line->fields, (size_t)(line->end - line->fields),
			       what, len);

	return p ? p + len : NULL;
}

/* With 0x or without. */
static bool hex_field(const struct line *line, const char *name, uint64_t *ret)
{
	const char *p = find(line, name);

	if (!p)
		return false;
	if (line->end - p > 2 && p[0] == '0' && p[1] == 'x')
		p += 2;
	return text_hex(&p, line->end, ret);
}

static bool task_field(const struct line *line, const char *name, uint32_t *ret)
{
	const char *p = find(line, name);
	uint64_t val;

	if (!p || !text_decimal(&p, line->end, &val) || val > UINT32_MAX)
		return false;
	*ret = (uint32_t)val;
	return true;
}

static int malformed(struct import *import, const char *what, struct diag *diag)
{
	return text_malformed(import->text, what, diag);
}

/* The task that the line is of runs now. */
static int begin(struct import *import, const struct line *line,
		 struct diag *diag)
{
	import->records++;
	if (line->cpu != UINT32_MAX)
		guest_on_cpu(import->guest, line->cpu);
	return guest_switch(import->guest, line->process, line->thread, diag);
}

/* --- Events -------------------------------------------------------------- */

static int page_fault(struct import *import, const struct line *line,
		      struct diag *diag)
{
	uint64_t gva, error, ip = UINT64_MAX;
	int err;

	if (!hex_field(line, " address=", &gva) ||
	    !hex_field(line, " error_code=", &error) || error > UINT32_MAX)
		return malformed(import, "want address= and error_code=", diag);
	/* In the kernel they are names of functions. */
	hex_field(line, " ip=0x", &ip);
	err = begin(import, line, diag);
	return err ? err
		   : guest_fault(import->guest, gva, (uint32_t)error, ip, diag);
}

static int task_newtask(struct import *import, const struct line *line,
			struct diag *diag)
{
	uint64_t flags;
	uint32_t child;
	int err;

	if (!task_field(line, " pid=", &child) ||
	    !hex_field(line, " clone_flags=", &flags))
		return malformed(import, "want pid= and clone_flags=", diag);
	err = begin(import, line, diag);
	return err ? err
		   : guest_clone(import->guest, child, flags & CLONE_VM, diag);
}

/* Of a process or of a thread: that it does not say. */
static int sched_fork(struct import *import, const struct line *line,
		      struct diag *diag)
{
	uint32_t child;
	int err;

	if (!task_field(line, " child_pid=", &child))
		return malformed(import, "want child_pid=", diag);
	err = begin(import, line, diag);
	return err ? err : guest_clone(import->guest, child, false, diag);
}

static int sched_exit(struct import *import, const struct line *line,
		      struct diag *diag)
{
	uint32_t thread;

	if (!task_field(line, " pid=", &thread))
		return malformed(import, "want pid=", diag);
	import->records++;
	return guest_exit(import->guest, thread, diag);
}

/* A thread that is not the first takes the number of the first. */
static int sched_exec(struct import *import, const struct line *line,
		      struct diag *diag)
{
	uint32_t process, thread;
	int err = 0;

	if (!task_field(line, " pid=", &process) ||
	    !task_field(line, " old_pid=", &thread))
		return malformed(import, "want pid= and old_pid=", diag);
	import->records++;
	if (import->has_exec_record)
		return 0;
	if (thread != process)
		err = guest_exit(import->guest, thread, diag);
	if (!err)
		err = guest_switch(import->guest, process, process, diag);
	return err ? err : guest_exec(import->guest, diag);
}

static int enter_munmap(struct import *import, const struct line *line,
			struct diag *diag)
{
	uint64_t gva, size;
	int err;

	if (!hex_field(line, " addr: ", &gva) ||
	    !hex_field(line, " len: ", &size))
		return malformed(import, "want addr: and len:", diag);
	err = begin(import, line, diag);
	return err ? err : guest_unmap(import->guest, gva, size, diag);
}

/* (process:thread):(parent process:parent thread) */
static int record_fork(struct import *import, const struct line *line,
		       struct diag *diag)
{
	const char *p = line->name + strlen("PERF_RECORD_FORK");
	static const char *const before[] = {"(", ":", "):(", ":"};
	uint64_t number[4];
	int err;

	for (unsigned int i = 0; i < 4; i++) {
		size_t len = strlen(before[i]);

		if ((size_t)(line->end - p) < len || memcmp(p, before[i], len))
			break;
		p += len;
		if (!text_decimal(&p, line->end, &number[i]) ||
		    number[i] > UINT32_MAX)
			break;
		if (i < 3)
			continue;
		err = begin(import, line, diag);
		return err ? err
			   : guest_clone(import->guest, (uint32_t)number[1],
					 number[0] == number[2], diag);
	}
	return malformed(import, "want (process:thread):(process:thread)",
			 diag);
}

static int record_exit(struct import *import, const struct line *line,
		       struct diag *diag)
{
	import->records++;
	return guest_exit(import->guest, line->thread, diag);
}

/* A new name; by exec, if it says so. */
static int record_comm(struct import *import, const struct line *line,
		       struct diag *diag)
{
	int err;

	if (line->end - line->fields < 6 || memcmp(line->fields, " exec:", 6)) {
		import->others++;
		return 0;
	}
	import->has_exec_record = true;
	err = begin(import, line, diag);
	return err ? err : guest_exec(import->guest, diag);
}

static const struct event {
	const char *name; /* with "(" at its end: only the beginning */
	int (*take)(struct import *import, const struct line *line,
		    struct diag *diag);
} events[] = {
	{"exceptions:page_fault_user", page_fault},
	{"exceptions:page_fault_kernel", page_fault},
	{"task:task_newtask", task_newtask},
	{"sched:sched_process_fork", sched_fork},
	{"sched:sched_process_exec", sched_exec},
	{"sched:sched_process_exit", sched_exit},
	{"syscalls:sys_enter_munmap", enter_munmap},
	{"PERF_RECORD_FORK(", record_fork},
	{"PERF_RECORD_EXIT(", record_exit},
	{"PERF_RECORD_COMM", record_comm},
};

static bool is_called(const struct line *line, const char *name)
{
	size_t len = strlen(name);

	if (name[len - 1] != '(')
		return line->name_len == len && !memcmp(line->name, name, len);
	return line->name_len > len && !memcmp(line->name, name, len);
}

static int take(struct import *import, const struct line *line,
		struct diag *diag)
{
	for (size_t i = 0; i < ARRAY_LEN(events) && !line->is_made_up; i++)
		if (is_called(line, events[i].name))
			return events[i].take(import, line, diag);
	import->others++;
	return 0;
}

/* Blank, a comment of perf's, or a line of a call chain. */
static bool is_no_line(const char *text, size_t len)
{
	if (!len || text[0] == '#' || text[0] == '\t')
		return true;
	for (size_t i = 0; i < len; i++)
		if (text[i] != ' ' && text[i] != '\r')
			return false;
	return true;
}

static int take_line(struct import *import, const char *text, size_t len,
		     struct diag *diag)
{
	struct line line;

	if (is_no_line(text, len))
		return 0;
	if (!parse_line(text, len, &line))
		return malformed(import,
				 "want a task, [cpu] time: event:", diag);
	return take(import, &line, diag);
}

const struct import_format import_perf = {
	.name = "perf",
	.what = "perf script of exceptions:page_fault_user",
	.has_tasks = true,
	.line = take_line,
};
