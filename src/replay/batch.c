/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "replay/batch.h"

#include <string.h>

static bool has_room(const struct batch *batch, const struct trace_item *item)
{
	return batch->nr < BATCH_ITEMS &&
	       item->nr <= BATCH_REFS - batch->nr_refs &&
	       (!item->table || batch->nr_tables < BATCH_TABLES);
}

bool batch_add(struct batch *batch, const struct trace_item *item)
{
	struct trace_item *copy;

	if (!has_room(batch, item))
		return false;
	copy = &batch->item[batch->nr++];
	*copy = *item;
	if (item->nr) {
		copy->refs = &batch->ref[batch->nr_refs];
		memcpy(&batch->ref[batch->nr_refs], item->refs,
		       item->nr * sizeof(*item->refs));
		batch->nr_refs += item->nr;
	}
	if (item->table) {
		copy->table = batch->table[batch->nr_tables];
		memcpy(batch->table[batch->nr_tables++], item->table,
		       sizeof(*batch->table));
	}
	return true;
}
