/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tape.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void tape_init(struct tape *t)
{
	*t = (struct tape){0};
}

void tape_finish(struct tape *t)
{
	for (size_t i = 0; i < t->nr; i++)
		free(t->entries[i].table);
	free(t->entries);
	tape_init(t);
}

static struct tape_entry *add_entry(struct tape *t)
{
	if (t->nr == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->entries = realloc(t->entries, t->room * sizeof(*t->entries));
		assert_non_null(t->entries);
	}
	t->entries[t->nr] = (struct tape_entry){0};
	return &t->entries[t->nr++];
}

void tape_add_ref(struct tape *t, const struct trace_ref *ref)
{
	struct tape_entry *e = add_entry(t);

	e->is_ref = true;
	e->ref = *ref;
}

void tape_add_item(struct tape *t, const struct trace_item *item)
{
	struct tape_entry *e;

	if (item->kind == TRACE_ITEM_REFS) {
		for (uint32_t i = 0; i < item->nr; i++)
			tape_add_ref(t, &item->refs[i]);
		return;
	}
	e = add_entry(t);
	e->item = *item;
	if (item->table) {
		size_t size = PT_ENTRIES * sizeof(*item->table);

		e->table = malloc(size);
		assert_non_null(e->table);
		memcpy(e->table, item->table, size);
		e->item.table = e->table;
	}
}

static bool same_ref(const struct trace_ref *a, const struct trace_ref *b)
{
	return a->gva == b->gva && a->count == b->count && a->kind == b->kind &&
	       a->size == b->size && a->user == b->user &&
	       a->implicit == b->implicit && a->ac == b->ac;
}

static bool same_event(const struct guest_event *a, const struct guest_event *b)
{
	return a->kind == b->kind && a->access == b->access &&
	       a->error == b->error && a->size == b->size && a->cpl == b->cpl &&
	       a->cr == b->cr && a->reg == b->reg && a->vector == b->vector &&
	       a->type == b->type && a->insn_len == b->insn_len &&
	       a->has_error == b->has_error && a->if_open == b->if_open &&
	       a->gva == b->gva && a->rip == b->rip && a->value == b->value &&
	       a->insns == b->insns;
}

static bool same_table(const uint64_t *a, const uint64_t *b)
{
	if (!a || !b)
		return a == b;
	return !memcmp(a, b, PT_ENTRIES * sizeof(*a));
}

static bool same_item(const struct trace_item *a, const struct trace_item *b)
{
	return a->kind == b->kind && same_event(&a->event, &b->event) &&
	       a->gpa == b->gpa && a->gva == b->gva && a->size == b->size &&
	       !memcmp(a->bytes, b->bytes, sizeof(a->bytes)) &&
	       a->error == b->error && a->id == b->id &&
	       same_table(a->table, b->table);
}

static bool same_entry(const struct tape_entry *a, const struct tape_entry *b)
{
	if (a->is_ref != b->is_ref)
		return false;
	return a->is_ref ? same_ref(&a->ref, &b->ref)
			 : same_item(&a->item, &b->item);
}

static void print_entry(const char *what, const struct tape_entry *e)
{
	const struct guest_event *ev = &e->item.event;

	if (e->is_ref)
		print_error("%s: ref kind %d gva 0x%" PRIx64 " size %d count "
			    "%" PRIu32 " user %d implicit %d ac %d\n",
			    what, e->ref.kind, e->ref.gva, e->ref.size,
			    e->ref.count, e->ref.user, e->ref.implicit,
			    e->ref.ac);
	else
		print_error("%s: item %d gpa 0x%" PRIx64 " gva 0x%" PRIx64
			    " size %d error 0x%" PRIx32 " id %" PRIu32
			    " event %d (access 0x%" PRIx32 " error 0x%" PRIx32
			    " gva 0x%" PRIx64 " rip 0x%" PRIx64
			    " value 0x%" PRIx64 " insns %" PRIu64 ")\n",
			    what, e->item.kind, e->item.gpa, e->item.gva,
			    e->item.size, e->item.error, e->item.id, ev->kind,
			    ev->access, ev->error, ev->gva, ev->rip, ev->value,
			    ev->insns);
}

void tape_check_prefix(const char *name, const struct tape *got,
		       const struct tape *want)
{
	if (got->nr > want->nr)
		fail_msg("%s: got %zu entries, want %zu at most", name, got->nr,
			 want->nr);
	for (size_t i = 0; i < got->nr; i++) {
		if (same_entry(&got->entries[i], &want->entries[i]))
			continue;
		print_entry("got ", &got->entries[i]);
		print_entry("want", &want->entries[i]);
		fail_msg("%s: entry %zu of %zu differs", name, i, want->nr);
	}
}

void tape_check_equal(const char *name, const struct tape *got,
		      const struct tape *want)
{
	tape_check_prefix(name, got, want);
	if (got->nr != want->nr)
		fail_msg("%s: got %zu entries, want %zu", name, got->nr,
			 want->nr);
}

/*
 * Nothing is emitted here: runs stay where they began, and a closed one is
 * only never looked at again.  The oldest open one tells how many would be
 * held back.
 */
struct merger {
	struct tape *to;
	size_t open[2]; /* index + 1, 0: none */
	size_t first;   /* no run before this is held */
};

static size_t oldest_open(const struct merger *m)
{
	size_t oldest = m->to->nr;

	for (int i = 0; i < 2; i++) {
		if (m->open[i] && m->open[i] - 1 < oldest)
			oldest = m->open[i] - 1;
	}
	return oldest;
}

static bool can_join(const struct trace_ref *run, const struct trace_ref *ref)
{
	if ((run->gva ^ ref->gva) >= PAGE_SIZE || run->user != ref->user ||
	    run->implicit != ref->implicit || run->ac != ref->ac)
		return false;
	if ((uint64_t)run->count + ref->count > TRACE_COUNT_MAX)
		return false;
	return run->kind != TRACE_READ || ref->kind != TRACE_WRITE;
}

/* What no item ended has lost its place on the page. */
static void merge_close(struct merger *m, size_t *open,
			const struct trace_ref *next)
{
	struct trace_ref *run = *open ? &m->to->entries[*open - 1].ref : NULL;

	*open = 0;
	if (!run)
		return;
	run->gva -= run->gva % PAGE_SIZE;
	if (run->kind != TRACE_FETCH)
		run->size = 1;
	else if (run->size <= 15)
		/* The next page may have the rest of its last one. */
		run->size = next && next->count == 0 &&
					    next->gva - run->gva == PAGE_SIZE
				    ? 16
				    : 17;
}

static void merge_ref(struct merger *m, const struct trace_ref *ref)
{
	size_t *open = &m->open[ref->kind == TRACE_FETCH ? 0 : 1];

	if (*open) {
		struct trace_ref *run = &m->to->entries[*open - 1].ref;

		if (can_join(run, ref)) {
			run->count += ref->count;
			return;
		}
	}
	merge_close(m, open, ref);
	if (m->to->nr - oldest_open(m) >= 32) {
		merge_close(m, &m->open[0], NULL);
		merge_close(m, &m->open[1], NULL);
	}
	tape_add_ref(m->to, ref);
	*open = m->to->nr;
}

void tape_merge(const struct tape *from, struct tape *to)
{
	struct merger m = {.to = to};

	tape_init(to);
	for (size_t i = 0; i < from->nr; i++) {
		const struct tape_entry *e = &from->entries[i];

		if (e->is_ref) {
			merge_ref(&m, &e->ref);
			continue;
		}
		m.open[0] = m.open[1] = 0;
		tape_add_item(to, &e->item);
	}
}

struct trace_totals tape_totals(const struct tape *t)
{
	struct trace_totals sum = {0};

	for (size_t i = 0; i < t->nr; i++) {
		const struct tape_entry *e = &t->entries[i];

		if (e->is_ref) {
			sum.records++;
			sum.refs += e->ref.count;
			if (e->ref.kind == TRACE_FETCH)
				sum.insns += e->ref.count;
		}
		sum.events += !e->is_ref && e->item.kind == TRACE_ITEM_EVENT;
		sum.tables += !e->is_ref && e->item.kind == TRACE_ITEM_TABLE;
		sum.table_writes +=
			!e->is_ref && e->item.kind == TRACE_ITEM_TABLE_WRITE;
		sum.faults += !e->is_ref && e->item.kind == TRACE_ITEM_FAULT;
	}
	return sum;
}

void tape_write(const struct tape *t, const char *path,
		const struct trace_info *info, struct trace_totals *totals)
{
	struct trace_writer *w;
	struct diag diag;

	if (trace_writer_create(path, info, &w, &diag))
		fail_msg("create: %s", diag.msg);
	for (size_t i = 0; i < t->nr; i++) {
		const struct tape_entry *e = &t->entries[i];

		if (e->is_ref)
			trace_write_ref(w, &e->ref);
		else
			trace_write_item(w, &e->item);
	}
	if (trace_writer_close(w, totals, &diag))
		fail_msg("close: %s", diag.msg);
}

int tape_read(struct tape *t, const char *path, struct tape_reading *how,
	      struct diag *diag)
{
	struct trace_reader *r;
	struct trace_item item;
	const char *damage;
	int got;

	tape_init(t);
	got = trace_reader_open(path, &r, diag);
	if (got)
		return got;
	for (;;) {
		got = trace_read(r, &item, diag);
		if (got <= 0)
			break;
		tape_add_item(t, &item);
	}
	damage = trace_reader_damage(r);
	snprintf(how->damage, sizeof(how->damage), "%s", damage ? damage : "");
	how->totals = *trace_reader_totals(r);
	how->info = *trace_reader_info(r);
	trace_reader_close(r);
	return got;
}

/*
 * One directory a process, made when it is asked for; in memory if that can
 * be, as files are rewritten by the thousand.
 */
static char *scratch_dir(void)
{
	static char dir[64];

	if (!dir[0]) {
		strcpy(dir, "/dev/shm/notrap-trace.XXXXXX");
		if (mkdtemp(dir))
			return dir;
		strcpy(dir, "/tmp/notrap-trace.XXXXXX");
		assert_non_null(mkdtemp(dir));
	}
	return dir;
}

const char *scratch_path(const char *name)
{
	static char path[8][192];
	static unsigned int next;
	char *ret = path[next++ % 8];

	snprintf(ret, sizeof(path[0]), "%s/%s", scratch_dir(), name);
	return ret;
}

void scratch_remove(void)
{
	DIR *dir = opendir(scratch_dir());
	struct dirent *e;

	assert_non_null(dir);
	while ((e = readdir(dir))) {
		if (e->d_name[0] != '.')
			unlink(scratch_path(e->d_name));
	}
	closedir(dir);
	rmdir(scratch_dir());
	scratch_dir()[0] = 0;
}

uint8_t *file_load(const char *path, size_t *len)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	size_t room = 0;

	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	*len = 0;
	do {
		room += 1 << 20;
		data = realloc(data, room);
		assert_non_null(data);
		*len += fread(data + *len, 1, room - *len, file);
	} while (*len == room);
	fclose(file);
	return data;
}

void file_store(const char *path, const uint8_t *data, size_t len)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}
