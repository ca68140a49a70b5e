/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * valgrind --tool=lackey --trace-mem=yes:
 *
 *   I  04001000,3     an instruction
 *    L 1ffe,8         its loads, stores and modifications follow
 *    S 1ffe,8
 *    M 1ffe,4
 *
 * Lines of valgrind's own begin with "==".  There are no processes: the whole
 * stream is one.
 */
#include <errno.h>
#include <string.h>

#include "import/formats.h"

/* Requests to valgrind itself are longer than an instruction can be. */
#define INSN_MAX 32
/* XSAVE areas; a system call's arguments. */
#define DATA_MAX PAGE_SIZE

static int flush(struct import *import, struct diag *diag)
{
	if (!import->has_insn)
		return 0;
	import->has_insn = false;
	return guest_execute(import->guest, &import->insn, diag);
}

static int fetch(struct import *import, gva_t gva, uint32_t size,
		 struct diag *diag)
{
	int err = flush(import, diag);

	import->insn.pc = gva;
	import->insn.length = size;
	import->insn.nr = 0;
	import->has_insn = true;
	return err;
}

/* More than an instruction can have belong to a system call, say. */
static int data(struct import *import, gva_t gva, uint32_t size, bool write,
		struct diag *diag)
{
	struct guest_insn *insn = &import->insn;

	if (!import->has_insn)
		return text_malformed(import->text, "data of no instruction",
				      diag);
	if (insn->nr == GUEST_DATA_MAX) {
		int err = flush(import, diag);

		if (err)
			return err;
		import->has_insn = true;
		insn->nr = 0;
	}
	insn->data[insn->nr].gva = gva;
	insn->data[insn->nr].size = size;
	insn->data[insn->nr++].write = write;
	return 0;
}

/* Valgrind's own: ==pid==, --pid--, **pid**; and SB, where a block begins. */
static bool is_no_record(const char *text, size_t len)
{
	if (len < 2)
		return !len;
	if (text[0] == 'S' && text[1] == 'B')
		return true;
	return text[0] == text[1] &&
	       (text[0] == '=' || text[0] == '-' || text[0] == '*');
}

/* "I " or " L", " S", " M"; 0: none of them. */
static char kind_of(const char *text)
{
	if (text[0] == 'I')
		return text[1] == ' ' ? 'I' : 0;
	if (text[0] != ' ')
		return 0;
	return text[1] == 'L' || text[1] == 'S' || text[1] == 'M' ? text[1] : 0;
}

/* Address and size; *p is left where they end. */
static const char *parse(const char **p, const char *end, char kind,
			 uint64_t *gva, uint64_t *size)
{
	if (!text_hex(p, end, gva) || *p == end || *(*p)++ != ',' ||
	    !text_decimal(p, end, size) || *p != end)
		return "want address,size";
	if (!*size || *size > (kind == 'I' ? INSN_MAX : DATA_MAX))
		return "no size of an instruction or a reference";
	if (*gva > GUEST_USER_END - *size)
		return "no address of user code";
	return NULL;
}

static int take_line(struct import *import, const char *text, size_t len,
		     struct diag *diag)
{
	const char *p = text + 3, *end = text + len, *flaw;
	uint64_t gva, size;
	char kind;

	if (is_no_record(text, len))
		return 0;
	kind = len < 4 || text[2] != ' ' ? 0 : kind_of(text);
	if (!kind)
		return text_malformed(import->text, "want I, L, S or M", diag);
	flaw = parse(&p, end, kind, &gva, &size);
	if (flaw)
		return text_malformed(import->text, flaw, diag);
	import->records++;
	if (kind == 'I')
		return fetch(import, gva, (uint32_t)size, diag);
	return data(import, gva, (uint32_t)size, kind != 'L', diag);
}

const struct import_format import_lackey = {
	.name = "lackey",
	.what = "valgrind --tool=lackey --trace-mem=yes",
	.line = take_line,
	.end = flush,
};
