/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An event writes a mask of the fields that are not what was expected of them,
 * then these fields.  A table writes a bitmap of its entries that are not 0,
 * then these entries.
 */
#include "trace/item.h"

#include "base/bug.h"
#include "trace/le.h"

#define GPA_LIMIT BIT(52)

/* Fields of an event in the order of their bytes, and their mask bits. */
enum event_field {
	FIELD_ACCESS,
	FIELD_ERROR,
	FIELD_SIZE,
	FIELD_CPL,
	FIELD_CR,
	FIELD_REG,
	FIELD_VECTOR,
	FIELD_TYPE,
	FIELD_INSN_LEN,
	FIELD_FLAGS, /* has_error, if_open << 1 */
	FIELD_GVA,
	FIELD_RIP,
	FIELD_VALUE,
	FIELD_INSNS,
	NR_FIELDS
};

static const struct {
	uint8_t code;
	const char *name;
} events[NR_GUEST_EVENTS] = {
#define TRACE_EVENT(number, kind, name) [kind] = {number, name},
#include "trace/events.def"
#undef TRACE_EVENT
};

/* Event numbers back to kinds; GE_ACCESS, which no trace holds, for none. */
static const enum guest_event_kind event_kinds[] = {
	[0] = GE_ACCESS,
#define TRACE_EVENT(number, kind, name) [number] = kind,
#include "trace/events.def"
#undef TRACE_EVENT
};

uint8_t trace_event_code(enum guest_event_kind kind)
{
	return (unsigned int)kind < NR_GUEST_EVENTS ? events[kind].code : 0;
}

const char *trace_event_name(enum guest_event_kind kind)
{
	return (unsigned int)kind < NR_GUEST_EVENTS ? events[kind].name : NULL;
}

/* SDM vol. 3C, "VM-Entry Controls for Event Injection": type 1 is reserved. */
static const char *event_flaw(const struct guest_event *ev)
{
	if (!trace_event_code(ev->kind))
		return "an event of a kind that no trace holds";
	if (ev->cpl > 3 || ev->reg > 15 || ev->cr > 15 || ev->insn_len > 15 ||
	    ev->size > GUEST_STORE_MAX)
		return "an event with a field out of range";
	if (ev->type > EVENT_SOFT_EXC || ev->type == 1)
		return "an event of no interruption type";
	return NULL;
}

static const char *frame_flaw(gpa_t gpa)
{
	return gpa & PAGE_MASK || gpa >= GPA_LIMIT
		       ? "a table that is not at a page frame"
		       : NULL;
}

static const char *write_flaw(const struct trace_item *item)
{
	if (!item->size || item->size > GUEST_STORE_MAX)
		return "a table write of no size, or too large";
	if (item->gpa >= GPA_LIMIT ||
	    (item->gpa & PAGE_MASK) + item->size > PAGE_SIZE)
		return "a table write that does not lie in one frame";
	return NULL;
}

const char *trace_item_flaw(const struct trace_item *item)
{
	switch (item->kind) {
	case TRACE_ITEM_EVENT:
		return event_flaw(&item->event);
	case TRACE_ITEM_TABLE:
		if (!item->table)
			return "a table without entries";
		return frame_flaw(item->gpa);
	case TRACE_ITEM_TABLE_END:
		return frame_flaw(item->gpa);
	case TRACE_ITEM_TABLE_WRITE:
		return write_flaw(item);
	case TRACE_ITEM_FAULT:
	case TRACE_ITEM_MARK:
		return NULL;
	case TRACE_ITEM_VCPU:
		return item->id < TRACE_VCPUS_MAX
			       ? NULL
			       : "a processor beyond the last";
	case TRACE_ITEM_REFS:
		break;
	}
	return "an item of no kind";
}

/* Seven bits a byte, least significant first, bit 7: more follow. */
static uint8_t *put_number(uint8_t *p, uint64_t val)
{
	for (; val >= 0x80; val >>= 7)
		*p++ = (uint8_t)(val | 0x80);
	*p++ = (uint8_t)val;
	return p;
}

static uint64_t get_number(struct item_source *src)
{
	uint64_t val = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		uint8_t byte;

		if (src->p == src->end)
			break;
		byte = *src->p++;
		val |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return val;
	}
	src->bad = true;
	return 0;
}

static uint64_t get_limited(struct item_source *src, uint64_t max)
{
	uint64_t val = get_number(src);

	if (val > max)
		src->bad = true;
	return val;
}

static uint8_t *put_delta(uint8_t *p, uint64_t *last, uint64_t val)
{
	p = put_number(p, zigzag(val - *last));
	*last = val;
	return p;
}

static uint64_t get_delta(struct item_source *src, uint64_t *last)
{
	*last += unzigzag(get_number(src));
	return *last;
}

static uint8_t *put_event(struct item_state *st, uint64_t insns,
			  const struct guest_event *ev, uint8_t *p)
{
	uint64_t ahead = ev->insns - insns, mask = 0;
	uint64_t fields[NR_FIELDS] = {
		[FIELD_ACCESS] = ev->access,
		[FIELD_ERROR] = ev->error,
		[FIELD_SIZE] = ev->size,
		[FIELD_CPL] = ev->cpl,
		[FIELD_CR] = ev->cr,
		[FIELD_REG] = ev->reg,
		[FIELD_VECTOR] = ev->vector,
		[FIELD_TYPE] = ev->type,
		[FIELD_INSN_LEN] = ev->insn_len,
		[FIELD_FLAGS] = (unsigned int)ev->has_error |
				(unsigned int)ev->if_open << 1,
		[FIELD_GVA] = zigzag(ev->gva - st->gva),
		[FIELD_RIP] = zigzag(ev->rip - st->rip),
		[FIELD_VALUE] = ev->value,
		[FIELD_INSNS] = zigzag(ahead - st->ahead),
	};

	for (int i = 0; i < NR_FIELDS; i++)
		mask |= fields[i] ? BIT(i) : 0;
	*p++ = trace_event_code(ev->kind);
	p = put_number(p, mask);
	for (int i = 0; i < NR_FIELDS; i++) {
		if (fields[i])
			p = put_number(p, fields[i]);
	}
	st->gva = ev->gva;
	st->rip = ev->rip;
	st->ahead = ahead;
	return p;
}

static void get_event(struct item_state *st, uint64_t insns,
		      struct item_source *src, struct guest_event *ev)
{
	static const uint64_t limits[NR_FIELDS] = {
		[FIELD_ACCESS] = UINT32_MAX,  [FIELD_ERROR] = UINT32_MAX,
		[FIELD_SIZE] = UINT8_MAX,     [FIELD_CPL] = UINT8_MAX,
		[FIELD_CR] = UINT8_MAX,       [FIELD_REG] = UINT8_MAX,
		[FIELD_VECTOR] = UINT8_MAX,   [FIELD_TYPE] = UINT8_MAX,
		[FIELD_INSN_LEN] = UINT8_MAX, [FIELD_FLAGS] = 3,
		[FIELD_GVA] = UINT64_MAX,     [FIELD_RIP] = UINT64_MAX,
		[FIELD_VALUE] = UINT64_MAX,   [FIELD_INSNS] = UINT64_MAX,
	};
	uint64_t fields[NR_FIELDS] = {0};
	uint64_t code = get_limited(src, ARRAY_LEN(event_kinds) - 1);
	uint64_t mask = get_limited(src, BIT(NR_FIELDS) - 1);

	for (int i = 0; i < NR_FIELDS && !src->bad; i++) {
		if (mask & BIT(i))
			fields[i] = get_limited(src, limits[i]);
	}
	if (src->bad)
		return;
	st->gva += unzigzag(fields[FIELD_GVA]);
	st->rip += unzigzag(fields[FIELD_RIP]);
	st->ahead += unzigzag(fields[FIELD_INSNS]);
	*ev = (struct guest_event){
		.kind = event_kinds[code],
		.access = (uint32_t)fields[FIELD_ACCESS],
		.error = (uint32_t)fields[FIELD_ERROR],
		.size = (uint8_t)fields[FIELD_SIZE],
		.cpl = (uint8_t)fields[FIELD_CPL],
		.cr = (uint8_t)fields[FIELD_CR],
		.reg = (uint8_t)fields[FIELD_REG],
		.vector = (uint8_t)fields[FIELD_VECTOR],
		.type = (uint8_t)fields[FIELD_TYPE],
		.insn_len = (uint8_t)fields[FIELD_INSN_LEN],
		.has_error = fields[FIELD_FLAGS] & 1,
		.if_open = fields[FIELD_FLAGS] & 2,
		.gva = st->gva,
		.rip = st->rip,
		.value = fields[FIELD_VALUE],
		.insns = insns + st->ahead,
	};
}

#define BITMAP_BYTES (PT_ENTRIES / 8)

static uint8_t *put_table(const uint64_t *table, uint8_t *p)
{
	uint8_t *bitmap = p;

	memset(bitmap, 0, BITMAP_BYTES);
	p += BITMAP_BYTES;
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		if (!table[i])
			continue;
		bitmap[i / 8] = (uint8_t)(bitmap[i / 8] | 1u << i % 8);
		p = put_le64(p, table[i]);
	}
	return p;
}

static void get_table(struct item_source *src, uint64_t *table)
{
	const uint8_t *bitmap = src->p;

	if (src->end - src->p < BITMAP_BYTES) {
		src->bad = true;
		return;
	}
	src->p += BITMAP_BYTES;
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		table[i] = 0;
		if (!(bitmap[i / 8] & 1u << i % 8))
			continue;
		if (src->end - src->p < 8) {
			src->bad = true;
			return;
		}
		table[i] = get_le64(src->p);
		src->p += 8;
	}
}

static void get_bytes(struct item_source *src, uint8_t *bytes, uint64_t size)
{
	if (size > GUEST_STORE_MAX || (uint64_t)(src->end - src->p) < size) {
		src->bad = true;
		return;
	}
	memcpy(bytes, src->p, size);
	src->p += size;
}

uint8_t *item_put(struct item_state *st, uint64_t insns,
		  const struct trace_item *item, uint8_t *p)
{
	*p++ = (uint8_t)item->kind;
	switch (item->kind) {
	case TRACE_ITEM_EVENT:
		return put_event(st, insns, &item->event, p);
	case TRACE_ITEM_TABLE:
		p = put_delta(p, &st->gpa, item->gpa);
		return put_table(item->table, p);
	case TRACE_ITEM_TABLE_WRITE:
		p = put_delta(p, &st->gpa, item->gpa);
		p = put_delta(p, &st->gva, item->gva);
		*p++ = item->size;
		memcpy(p, item->bytes, item->size);
		return p + item->size;
	case TRACE_ITEM_TABLE_END:
		return put_delta(p, &st->gpa, item->gpa);
	case TRACE_ITEM_FAULT:
		p = put_delta(p, &st->gva, item->gva);
		return put_number(p, item->error);
	case TRACE_ITEM_MARK:
	case TRACE_ITEM_VCPU:
		return put_number(p, item->id);
	case TRACE_ITEM_REFS:
		break;
	}
	BUG("references have ops of their own");
}

static void get_content(struct item_state *st, uint64_t insns,
			struct item_source *src, struct trace_item *item,
			uint64_t table[PT_ENTRIES])
{
	switch (item->kind) {
	case TRACE_ITEM_EVENT:
		get_event(st, insns, src, &item->event);
		return;
	case TRACE_ITEM_TABLE:
		item->gpa = get_delta(src, &st->gpa);
		item->table = table;
		get_table(src, table);
		return;
	case TRACE_ITEM_TABLE_WRITE:
		item->gpa = get_delta(src, &st->gpa);
		item->gva = get_delta(src, &st->gva);
		item->size = (uint8_t)get_limited(src, GUEST_STORE_MAX);
		get_bytes(src, item->bytes, item->size);
		return;
	case TRACE_ITEM_TABLE_END:
		item->gpa = get_delta(src, &st->gpa);
		return;
	case TRACE_ITEM_FAULT:
		item->gva = get_delta(src, &st->gva);
		item->error = (uint32_t)get_limited(src, UINT32_MAX);
		return;
	case TRACE_ITEM_MARK:
	case TRACE_ITEM_VCPU:
		item->id = (uint32_t)get_limited(src, UINT32_MAX);
		return;
	case TRACE_ITEM_REFS:
		break;
	}
	src->bad = true;
}

void item_get(struct item_state *st, uint64_t insns, struct item_source *src,
	      struct trace_item *item, uint64_t table[PT_ENTRIES])
{
	*item = (struct trace_item){
		.kind = (enum trace_item_kind)get_limited(
			src, NR_TRACE_ITEM_KINDS - 1),
	};
	if (!src->bad)
		get_content(st, insns, src, item, table);
	if (!src->bad && trace_item_flaw(item))
		src->bad = true;
}
