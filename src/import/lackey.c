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

#include "import/digits.h"
#include "import/formats.h"
#include "import/insns.h"

/* Requests to valgrind itself are longer than an instruction can be. */
#define INSN_MAX 32
/* XSAVE areas; a system call's arguments. */
#define DATA_MAX PAGE_SIZE

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
	if (!flaw && kind != 'I' && !import->nr_refs)
		flaw = "data of no instruction";
	if (flaw)
		return text_malformed(import->text, flaw, diag);
	import->records++;
	if (kind == 'I')
		return insns_fetch(import, gva, (uint32_t)size, diag);
	return insns_data(import, kind == 'L' ? TRACE_READ : TRACE_WRITE, gva,
			  (uint32_t)size, diag);
}

/* --- The short way -------------------------------------------------------- */

/*
 * What valgrind writes and nothing else: lower-case digits, 8 to 15 of them,
 * and a size of one digit or two.
 */
#define BLOCK_LINES 4096

struct record {
	gva_t gva;
	uint32_t size;
	uint32_t kind; /* the three characters before the address */
};

#define KIND_INSN   UINT32_C(0x202049) /* "I  " */
#define KIND_LOAD   UINT32_C(0x204c20) /* " L " */
#define KIND_STORE  UINT32_C(0x205320) /* " S " */
#define KIND_MODIFY UINT32_C(0x204d20) /* " M " */

/* One digit or two, then a newline; NULL: something else. */
static const char *parse_size(const char *p, uint32_t *ret)
{
	uint32_t first = (uint32_t)(p[0] - '0'), second;

	*ret = first;
	if (likely(p[1] == '\n' && first < 10))
		return p + 2;
	second = (uint32_t)(p[1] - '0');
	*ret = first * 10 + second;
	return p[2] == '\n' && first < 10 && second < 10 ? p + 3 : NULL;
}

static bool is_record(const struct record *r)
{
	bool is_insn = r->kind == KIND_INSN;

	return (is_insn || r->kind == KIND_LOAD || r->kind == KIND_STORE ||
		r->kind == KIND_MODIFY) &&
	       r->size - 1 < (is_insn ? INSN_MAX : DATA_MAX) &&
	       r->gva <= GUEST_USER_END - DATA_MAX;
}

/* Behind the line; NULL: let take_line() see it. */
static inline const char *parse_fast(const char *p, struct record *ret)
{
	uint64_t low = digits_load(p + 11), comma = low ^ EACH(',');
	uint64_t high_flaws, low_flaws, high_digits, low_digits;
	unsigned int bits; /* of digits in `low` */

	ret->kind = (uint32_t)digits_load(p) & 0xffffff;
	comma = (comma - EACH(1)) & ~comma & EACH(0x80);
	if (!comma)
		return NULL;
	bits = (unsigned int)__builtin_ctzll(comma) & ~7u;
	high_digits = digits_of(digits_load(p + 3), &high_flaws);
	low_digits = digits_of(low, &low_flaws);
	if (high_flaws | (low_flaws & (BIT(bits) - 1)))
		return NULL;
	ret->gva = (uint64_t)digits_number(high_digits) << bits / 2 |
		   (uint64_t)digits_number(low_digits) >> (32 - bits / 2);
	p = parse_size(p + 11 + bits / 8 + 1, &ret->size);
	return p && is_record(ret) ? p : NULL;
}

static int take_block(struct import *import, struct diag *diag)
{
	uint64_t lines = 0;
	const char *p, *end, *next;
	struct record r;
	int err = 0;

	if (!text_block(import->text, &p, &end))
		return 0;
	while (p < end && lines < BLOCK_LINES && !err) {
		next = parse_fast(p, &r);
		if (!next || (r.kind != KIND_INSN && !import->nr_refs))
			break;
		if (r.kind == KIND_INSN)
			err = insns_fetch(import, r.gva, r.size, diag);
		else
			err = insns_data(import,
					 r.kind == KIND_LOAD ? TRACE_READ
							     : TRACE_WRITE,
					 r.gva, r.size, diag);
		p = next;
		lines++;
	}
	import->records += lines;
	text_taken(import->text, p, lines);
	return err;
}

const struct import_format import_lackey = {
	.name = "lackey",
	.what = "valgrind --tool=lackey --trace-mem=yes",
	.line = take_line,
	.block = take_block,
	.end = insns_flush,
};
