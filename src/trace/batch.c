/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/batch.h"

#include <string.h>

void batch_item(struct batch *batch, const struct trace_item *item)
{
	struct batch_item *to = &batch->item[batch->nr_items++];

	to->refs = batch->nr_refs;
	to->item = *item;
	if (item->kind != TRACE_ITEM_TABLE)
		return;
	to->item.table = memcpy(batch->table[batch->nr_tables++], item->table,
				sizeof(batch->table[0]));
}
