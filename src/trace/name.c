/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What items are called, in what people read and type. */
#include "base/bug.h"
#include "trace/trace.h"

static const char *const kinds[] = {
	[TRACE_FETCH] = "fetch",
	[TRACE_READ] = "read",
	[TRACE_WRITE] = "write",
};

static const char *const items[] = {
	[TRACE_ITEM_REFS] = "references",
	[TRACE_ITEM_EVENT] = "event",
	[TRACE_ITEM_TABLE] = "table",
	[TRACE_ITEM_TABLE_WRITE] = "table-write",
	[TRACE_ITEM_TABLE_END] = "table-end",
	[TRACE_ITEM_FAULT] = "fault",
	[TRACE_ITEM_MARK] = "mark",
	[TRACE_ITEM_VCPU] = "vcpu",
};

const char *trace_kind_name(enum trace_kind kind)
{
	BUG_ON((size_t)kind >= ARRAY_LEN(kinds));
	return kinds[kind];
}

const char *trace_item_name(enum trace_item_kind kind)
{
	BUG_ON((size_t)kind >= ARRAY_LEN(items));
	return items[kind];
}
