/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "seq.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tape.h"

/* In memory where there is such a place: hundreds of files go to the disk. */
static char box[64];

const char *box_file(const char *name)
{
	static char path[4][400];
	static unsigned int n;
	char *p = path[n++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", box, name);
	return p;
}

int box_make(void **state)
{
	(void)state;
	snprintf(box, sizeof(box), "%s/test_replay_cut.XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	return !mkdtemp(box);
}

int box_remove(void **state)
{
	DIR *dir = opendir(box);
	struct dirent *entry;
	int left = 0;

	(void)state;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		unlink(box_file(entry->d_name));
		left++;
	}
	closedir(dir);
	return rmdir(box) || left;
}

static void add(struct seq *seq, const struct trace_item *item,
		const struct trace_ref *ref)
{
	uint32_t i = seq->nr++;

	assert_in_range(i, 0, ITEMS_MAX - 1);
	seq->item[i] = *item;
	if (ref) {
		seq->ref[i] = *ref;
		seq->item[i].refs = &seq->ref[i];
		seq->item[i].nr = 1;
	}
	if (item->kind == TRACE_ITEM_TABLE) {
		memcpy(seq->table[i], item->table, sizeof(seq->table[i]));
		seq->item[i].table = seq->table[i];
	}
}

struct seq *seq_load(const char *path)
{
	struct seq *seq = calloc(1, sizeof(*seq));
	struct trace_reader *reader;
	struct trace_item item;
	struct diag diag;

	if (trace_reader_open(path, &reader, &diag))
		fail_msg("%s", diag.msg);
	seq->info = *trace_reader_info(reader);
	while (trace_read(reader, &item, &diag) > 0) {
		for (uint32_t i = 0; i < item.nr; i++)
			add(seq, &item, &item.refs[i]);
		if (item.kind != TRACE_ITEM_REFS)
			add(seq, &item, NULL);
	}
	if (trace_reader_damage(reader))
		fail_msg("%s", trace_reader_damage(reader));
	seq->totals = *trace_reader_totals(reader);
	trace_reader_close(reader);
	return seq;
}

bool seq_item_is_equal(const struct trace_item *a, const struct trace_item *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == TRACE_ITEM_REFS)
		return !memcmp(a->refs, b->refs, sizeof(*a->refs));
	if (a->kind == TRACE_ITEM_EVENT)
		return !memcmp(&a->event, &b->event, sizeof(a->event));
	if (a->kind == TRACE_ITEM_TABLE)
		return a->gpa == b->gpa &&
		       !memcmp(a->table, b->table, PAGE_SIZE);
	return a->gpa == b->gpa && a->gva == b->gva && a->size == b->size &&
	       a->error == b->error && a->id == b->id &&
	       !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

void seq_write(const struct seq *seq, const char *path)
{
	struct trace_writer *writer;
	struct diag diag;

	if (trace_writer_create(path, &seq->info, &writer, &diag))
		fail_msg("%s", diag.msg);
	for (uint32_t i = 0; i < seq->nr; i++)
		trace_write_item(writer, &seq->item[i]);
	if (trace_writer_close(writer, NULL, &diag))
		fail_msg("%s", diag.msg);
}

static struct trace_item event(enum guest_event_kind kind, uint64_t insns)
{
	return (struct trace_item){.kind = TRACE_ITEM_EVENT,
				   .event = {.kind = kind, .insns = insns}};
}

static void add_fetch(struct seq *seq, gva_t gva, uint32_t count)
{
	const struct trace_item refs = {.kind = TRACE_ITEM_REFS};
	const struct trace_ref ref = {
		.gva = gva, .count = count, .size = 2, .kind = TRACE_FETCH};

	add(seq, &refs, &ref);
}

static void add_deliver(struct seq *seq, uint64_t insns)
{
	const struct trace_item refs = {.kind = TRACE_ITEM_REFS};
	const struct trace_ref push = {.gva = TAPE_STACK + 0xff0,
				       .count = 1,
				       .size = 8,
				       .kind = TRACE_WRITE,
				       .implicit = true};
	struct trace_item item = event(GE_DELIVER, insns);

	item.event.vector = 32;
	add(seq, &item, NULL);
	add(seq, &refs, &push);
	item.event.kind = GE_DELIVERED;
	add(seq, &item, NULL);
}

struct seq *seq_whole(void)
{
	const struct trace_item mark = {.kind = TRACE_ITEM_MARK, .id = 9};
	const struct trace_item gone = {.kind = TRACE_ITEM_TABLE_END,
					.gpa = TAPE_PT2};
	struct seq *seq = calloc(1, sizeof(*seq));
	struct trace_item item;
	struct tape tape;

	tape_init(&tape);
	seq->info = tape_info();
	for (uint32_t i = 0; i < tape.nr; i++)
		add(seq, &tape.item[i],
		    tape.item[i].kind == TRACE_ITEM_REFS ? &tape.ref[i] : NULL);
	/* Within the instruction of the tape's last write. */
	add(seq, &mark, NULL);

	item = event(GE_IRQ, 5);
	item.event.if_open = true;
	add(seq, &item, NULL);
	add_deliver(seq, 5);
	add_fetch(seq, TAPE_HANDLER, 1);
	item = event(GE_CR_WRITE, 5);
	item.event.cr = 0;
	item.event.value = seq->info.cr0 | UINT64_C(2);
	item.event.size = 8;
	add(seq, &item, NULL);
	add_fetch(seq, TAPE_HANDLER + 2, 1);

	item = event(GE_IRQ, 7);
	add(seq, &item, NULL);
	add_fetch(seq, TAPE_HANDLER + 4, 1);
	item = event(GE_IRQ_WINDOW, 8);
	add(seq, &item, NULL);
	add_deliver(seq, 8);
	add_fetch(seq, TAPE_HANDLER, 1);
	item = event(GE_IO, 8);
	item.event.access = PFEC_W;
	item.event.error = GUEST_MARKER_PORT;
	item.event.size = 1;
	item.event.value = GUEST_REGION_BEGINS;
	add(seq, &item, NULL);
	add_fetch(seq, TAPE_HANDLER + 6, 1);
	add(seq, &gone, NULL);
	add_fetch(seq, TAPE_HANDLER + 8, 1);
	add_fetch(seq, TAPE_HANDLER + 10, 1);
	item.event.insns = 11;
	item.event.value = GUEST_REGION_ENDS;
	add(seq, &item, NULL);
	add_fetch(seq, TAPE_HANDLER + 12, 1);
	return seq;
}
