/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * perf script after perf record -e exceptions:page_fault_user, and perhaps
 * -e exceptions:page_fault_kernel and sched:sched_process_{fork,exit}:
 *
 *   bash 123/123 [001] 17.885047: exceptions:page_fault_user: address=0x7f3f \
 *     ip=0x7f3f error_code=0x14
 *
 * Fields are found by their names, as they change from release to release; the
 * number before the [cpu] is the process (pid/tid) or the thread (tid alone).
 */
#include <errno.h>
#include <string.h>

#include "import/formats.h"

static const char *find(const char *line, size_t len, const char *what)
{
	return memmem(line, len, what, strlen(what));
}

/* name=0xHEX or name=HEX */
static bool field(const char *line, size_t len, const char *name, uint64_t *ret)
{
	const char *end = line + len, *p = find(line, len, name);

	if (!p)
		return false;
	p += strlen(name);
	if (end - p > 2 && p[0] == '0' && p[1] == 'x')
		p += 2;
	return text_hex(&p, end, ret);
}

static bool decimal_field(const char *line, size_t len, const char *name,
			  uint64_t *ret)
{
	const char *p = find(line, len, name);

	if (!p)
		return false;
	p += strlen(name);
	return text_decimal(&p, line + len, ret);
}

/* The number, or the first of two, before " [". */
static bool process(const char *line, size_t len, uint64_t *ret)
{
	const char *p = find(line, len, " [");

	if (!p)
		return false;
	while (p > line && p[-1] == ' ')
		p--;
	while (p > line && ((p[-1] >= '0' && p[-1] <= '9') || p[-1] == '/'))
		p--;
	return text_decimal(&p, line + len, ret);
}

static int page_fault(struct import *import, const char *line, size_t len,
		      struct diag *diag)
{
	uint64_t pid, gva, error, ip = 0;
	int err;

	if (!process(line, len, &pid) || pid > UINT32_MAX)
		return text_malformed(import->text,
				      "want a process before [cpu]", diag);
	if (!field(line, len, " address=", &gva) ||
	    !field(line, len, " error_code=", &error) || error > UINT32_MAX)
		return text_malformed(import->text,
				      "want address= and error_code=", diag);
	/* The kernel's come as names of functions. */
	field(line, len, " ip=0x", &ip);
	import->records++;
	/* Process 0 is the model kernel's own. */
	err = guest_switch(import->guest, (uint32_t)pid + 1, diag);
	if (err)
		return err;
	return guest_fault(import->guest, gva, (uint32_t)error, ip, diag);
}

static int fork_event(struct import *import, const char *line, size_t len,
		      struct diag *diag)
{
	uint64_t parent, child;
	int err;

	if (!decimal_field(line, len, " pid=", &parent) ||
	    !decimal_field(line, len, " child_pid=", &child))
		return text_malformed(import->text,
				      "want pid= and child_pid=", diag);
	import->records++;
	err = guest_switch(import->guest, (uint32_t)parent + 1, diag);
	return err ? err : guest_fork(import->guest, (uint32_t)child + 1, diag);
}

static int exit_event(struct import *import, const char *line, size_t len,
		      struct diag *diag)
{
	uint64_t pid;

	if (!decimal_field(line, len, " pid=", &pid))
		return text_malformed(import->text, "want pid=", diag);
	import->records++;
	return guest_exit(import->guest, (uint32_t)pid + 1, diag);
}

/* exec: what there was of memory goes. */
static int exec_event(struct import *import, const char *line, size_t len,
		      struct diag *diag)
{
	uint64_t pid;
	int err;

	if (!decimal_field(line, len, " pid=", &pid))
		return text_malformed(import->text, "want pid=", diag);
	import->records++;
	err = guest_exit(import->guest, (uint32_t)pid + 1, diag);
	return err ? err : guest_switch(import->guest, (uint32_t)pid + 1, diag);
}

static bool is_blank(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
			return false;
	return true;
}

static int line(struct import *import, const char *text, size_t len,
		struct diag *diag)
{
	if (is_blank(text, len) || text[0] == '#')
		return 0;
	if (find(text, len, "page_fault_user:") ||
	    find(text, len, "page_fault_kernel:"))
		return page_fault(import, text, len, diag);
	if (find(text, len, "sched_process_fork:"))
		return fork_event(import, text, len, diag);
	if (find(text, len, "sched_process_exit:"))
		return exit_event(import, text, len, diag);
	if (find(text, len, "sched_process_exec:"))
		return exec_event(import, text, len, diag);
	return text_malformed(import->text, "no event that is known here",
			      diag);
}

const struct import_format import_perf = {
	.name = "perf",
	.what = "perf script of exceptions:page_fault_user",
	.line = line,
};
