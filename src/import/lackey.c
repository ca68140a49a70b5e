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

#include "import/formats.h"

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
	import->insn.length = (uint8_t)size;
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

static int line(struct import *import, const char *text, size_t len,
		struct diag *diag)
{
	const char *p = text + 3, *end = text + len;
	uint64_t gva, size;
	char kind;

	if (len >= 2 && text[0] == '=' && text[1] == '=')
		return 0;
	if (len < 6 || text[2] != ' ')
		return text_malformed(import->text, "no line of lackey", diag);
	kind = text[0] == 'I' ? 'I' : text[1];
	if (!text_hex(&p, end, &gva) || p == end || *p++ != ',' ||
	    !text_decimal(&p, end, &size) || p != end)
		return text_malformed(import->text, "want address,size", diag);
	if (gva >> 47 || !size || size > (kind == 'I' ? 15 : 4096))
		return text_malformed(import->text,
				      "no address or size of user code", diag);
	import->records++;
	switch (kind) {
	case 'I':
		return fetch(import, gva, (uint32_t)size, diag);
	case 'L':
		return data(import, gva, (uint32_t)size, false, diag);
	case 'S':
	case 'M':
		return data(import, gva, (uint32_t)size, true, diag);
	default:
		return text_malformed(import->text, "want I, L, S or M", diag);
	}
}

const struct import_format import_lackey = {
	.name = "lackey",
	.what = "valgrind --tool=lackey --trace-mem=yes",
	.line = line,
	.end = flush,
};
