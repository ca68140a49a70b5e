/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/internal.h"

static struct entry *list_add(struct recorder *r)
{
	struct entry *entry;

	if (r->nr == LIST_MAX) {
		recorder_lose(r, "an instruction does more than a recording "
				 "can hold");
		r->nr = 0;
	}
	entry = &r->entry[r->nr++];
	return entry;
}

struct trace_ref *list_ref(struct recorder *r, enum trace_kind kind, gva_t gva,
			   unsigned int size, bool user)
{
	struct entry *entry = list_add(r);

	entry->item.kind = TRACE_ITEM_REFS;
	entry->ref = (struct trace_ref){.gva = gva,
					.count = 1,
					.kind = (uint8_t)kind,
					.size = (uint8_t)size,
					.user = user};
	return &entry->ref;
}

void list_access(struct recorder *r, const struct insn_access *access)
{
	struct trace_ref *ref =
		list_ref(r, access->write ? TRACE_WRITE : TRACE_READ,
			 access->gva, access->size, access->user);

	ref->count = !access->rest;
	ref->ac = access->ac;
}

struct trace_item *list_item(struct recorder *r, enum trace_item_kind kind)
{
	struct entry *entry = list_add(r);

	entry->item = (struct trace_item){.kind = kind};
	return &entry->item;
}

void list_cut(struct recorder *r, uint32_t nr)
{
	if (r->nr > nr)
		r->nr = nr;
}

/* Errors are told by trace_writer_close(). */
void list_write(struct recorder *r)
{
	for (uint32_t i = 0; i < r->nr; i++) {
		const struct entry *entry = &r->entry[i];

		if (entry->item.kind == TRACE_ITEM_REFS)
			trace_write_ref(r->writer, &entry->ref);
		else
			trace_write_item(r->writer, &entry->item);
	}
	r->nr = 0;
	r->mark = 0;
}
