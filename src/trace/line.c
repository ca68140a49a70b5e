/* SPDX-License-Identifier: GPL-2.0-or-later */
/* By hand where it counts: millions of references go through line_ref(). */
#include "trace/line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/pfec.h"
#include "base/bug.h"

static char *put_text(char *p, const char *text)
{
	size_t len = strlen(text);

	memcpy(p, text, len);
	return p + len;
}

static char *put_decimal(char *p, uint64_t val)
{
	char digits[20];
	unsigned int n = 0;

	do {
		digits[n++] = (char)('0' + val % 10);
		val /= 10;
	} while (val);
	while (n)
		*p++ = digits[--n];
	return p;
}

static char *put_hex(char *p, uint64_t val)
{
	unsigned int shift =
		val ? (63 - (unsigned int)__builtin_clzll(val)) & ~3u : 0;

	p = put_text(p, "0x");
	for (;; shift -= 4) {
		*p++ = "0123456789abcdef"[val >> shift & 15];
		if (!shift)
			return p;
	}
}

static char *put_head(char *p, uint64_t n, uint64_t insns, const char *kind)
{
	p = put_decimal(p, n);
	*p++ = ' ';
	p = put_decimal(p, insns);
	*p++ = ' ';
	return put_text(p, kind);
}

char *line_ref(char *p, uint64_t n, uint64_t insns, const struct trace_ref *ref)
{
	p = put_head(p, n, insns, trace_kind_name((enum trace_kind)ref->kind));
	p = put_text(p, ref->user ? " U " : " S ");
	p = put_hex(p, ref->gva);
	*p++ = ' ';
	p = put_decimal(p, ref->size);
	if (ref->count != 1) {
		p = put_text(p, " x");
		p = put_decimal(p, ref->count);
	}
	if (ref->implicit)
		p = put_text(p, " implicit");
	if (ref->ac)
		p = put_text(p, " ac");
	*p++ = '\n';
	return p;
}

/* --- Events -------------------------------------------------------------- */

static char *put_number(char *p, const char *name, uint64_t val)
{
	p = put_text(p, name);
	return put_decimal(p, val);
}

static char *put_address(char *p, const char *name, uint64_t val)
{
	p = put_text(p, name);
	return put_hex(p, val);
}

static const char *type_name(uint8_t type)
{
	static const char *const names[] = {
		[EVENT_EXT_INT] = "interrupt",
		[EVENT_NMI] = "nmi",
		[EVENT_HW_EXC] = "exception",
		[EVENT_SOFT_INT] = "soft-interrupt",
		[EVENT_PRIV_SW_EXC] = "int1",
		[EVENT_SOFT_EXC] = "soft-exception",
	};

	return type < ARRAY_LEN(names) && names[type] ? names[type] : "?";
}

static bool has_type(const struct guest_event *ev)
{
	return ev->type || ev->kind == GE_DELIVER || ev->kind == GE_DELIVERED;
}

/* What struct guest_event says of its member `error`. */
static const char *error_label(const struct guest_event *ev)
{
	switch (ev->kind) {
	case GE_RDMSR:
	case GE_WRMSR:
		return " msr ";
	case GE_IO:
		return " port ";
	default:
		return ev->has_error || ev->error ? " error " : NULL;
	}
}

static char *put_access(char *p, const struct guest_event *ev)
{
	if (ev->kind == GE_IO)
		return put_text(p, ev->access & PFEC_W ? " out" : " in");
	return ev->access ? put_address(p, " access ", ev->access) : p;
}

/* What is 0 is left out; rip and insns close every line. */
static char *put_event(char *p, const struct guest_event *ev)
{
	*p++ = ' ';
	p = put_text(p, trace_event_name(ev->kind));
	if (ev->vector || has_type(ev))
		p = put_number(p, " vector ", ev->vector);
	if (has_type(ev))
		p = put_text(put_text(p, " type "), type_name(ev->type));
	p = put_access(p, ev);
	if (error_label(ev))
		p = put_address(p, error_label(ev), ev->error);
	if (ev->kind == GE_CR_WRITE || ev->kind == GE_CR_READ ||
	    ev->kind == GE_DR)
		p = put_number(p, ev->kind == GE_DR ? " dr " : " cr ", ev->cr);
	if (ev->value || ev->kind == GE_CR_WRITE || ev->kind == GE_WRMSR ||
	    ev->kind == GE_WRPKRU)
		p = put_address(p, ev->kind == GE_DEVICE ? " gpa " : " value ",
				ev->value);
	if (ev->gva || ev->kind == GE_INVLPG || ev->kind == GE_RETRY)
		p = put_address(p, " gva ", ev->gva);
	if (ev->kind == GE_INVPCID)
		p = put_number(p, " type ", ev->reg);
	else if (ev->reg)
		p = put_number(p, " reg ", ev->reg);
	if (ev->size)
		p = put_number(p, " size ", ev->size);
	if (ev->kind == GE_IRQ)
		p = put_number(p, " if_open ", ev->if_open);
	p = put_number(p, " cpl ", ev->cpl);
	if (ev->insn_len)
		p = put_number(p, " length ", ev->insn_len);
	p = put_address(p, " rip ", ev->rip);
	return put_number(p, " insns ", ev->insns);
}

/* --- Other items --------------------------------------------------------- */

static unsigned int present(const uint64_t *table)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		n += table[i] & PTE_P;
	return n;
}

static char *put_table(char *p, const struct trace_item *item)
{
	p = put_address(p, " ", item->gpa);
	p = put_number(p, " ", PT_ENTRIES);
	p = put_number(p, " entries, ", present(item->table));
	return put_text(p, " present");
}

/* The bytes as one number, all digits of it. */
static char *put_write(char *p, const struct trace_item *item)
{
	p = put_address(p, " ", item->gpa);
	p = put_number(p, " ", item->size);
	p = put_text(p, " 0x");
	for (unsigned int i = item->size; i-- > 0;) {
		*p++ = "0123456789abcdef"[item->bytes[i] >> 4];
		*p++ = "0123456789abcdef"[item->bytes[i] & 15];
	}
	return put_address(p, " gva ", item->gva);
}

static char *put_fault(char *p, const struct trace_item *item)
{
	p = put_address(p, " ", item->gva);
	p = put_address(p, " error ", item->error);
	p = put_text(p, " (");
	pfec_text(item->error, p, 80);
	return put_text(p + strlen(p), ")");
}

static char *put_content(char *p, const struct trace_item *item)
{
	switch (item->kind) {
	case TRACE_ITEM_EVENT:
		return put_event(p, &item->event);
	case TRACE_ITEM_TABLE:
		return put_table(p, item);
	case TRACE_ITEM_TABLE_WRITE:
		return put_write(p, item);
	case TRACE_ITEM_TABLE_END:
		return put_address(p, " ", item->gpa);
	case TRACE_ITEM_FAULT:
		return put_fault(p, item);
	case TRACE_ITEM_MARK:
	case TRACE_ITEM_VCPU:
		return put_number(p, " ", item->id);
	case TRACE_ITEM_REFS:
		break;
	}
	BUG("references are no single item");
}

char *line_item(char *p, uint64_t n, uint64_t insns,
		const struct trace_item *item)
{
	p = put_head(p, n, insns, trace_item_name(item->kind));
	p = put_content(p, item);
	*p++ = '\n';
	return p;
}

char *line_entry(char *p, unsigned int index, uint64_t entry)
{
	return p + snprintf(p, LINE_BYTES_MAX, "  %u 0x%" PRIx64 "\n", index,
			    entry);
}
