/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/sweep_read.h"

#include <errno.h>
#include <stdlib.h>

#include "cli/sweep_dir.h"

/* An entry of one of the plans, and where it stands in all of them. */
struct place {
	struct sweep_entry entry;
	size_t number;
	bool is_first;
};

struct sweep_reading {
	char *const *paths;
	size_t nr;
	struct sweep_list *list;
	struct place *place; /* of all plans, one after the other */
	size_t nr_places;
};

static int by_id(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->entry.id != y->entry.id)
		return x->entry.id < y->entry.id ? -1 : 1;
	return x->number < y->number ? -1 : 1;
}

static int by_number(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->number < y->number ? -1 : 1;
}

static void mark_firsts(struct sweep_reading *r)
{
	qsort(r->place, r->nr_places, sizeof(*r->place), by_id);
	for (size_t i = 0; i < r->nr_places; i++)
		r->place[i].is_first =
			!i || r->place[i].entry.id != r->place[i - 1].entry.id;
	qsort(r->place, r->nr_places, sizeof(*r->place), by_number);
}

static int gather(struct sweep_reading *r, struct diag *diag)
{
	size_t nr = 0;

	for (size_t i = 0; i < r->nr; i++)
		nr += r->list[i].nr;
	r->place = calloc(nr + 1, sizeof(*r->place));
	if (!r->place)
		return diag_set(diag, -ENOMEM, "no memory for the results");
	for (size_t i = 0; i < r->nr; i++) {
		for (size_t n = 0; n < r->list[i].nr; n++) {
			r->place[r->nr_places] = (struct place){
				r->list[i].entry[n], r->nr_places, false};
			r->nr_places++;
		}
	}
	mark_firsts(r);
	return 0;
}

static int read_lists(struct sweep_reading *r, struct diag *diag)
{
	for (size_t i = 0; i < r->nr; i++) {
		char *name;
		int err;

		err = sweep_dir_name(r->paths[i], "plan", &name, diag);
		if (err)
			return err;
		err = sweep_list_read(name, &r->list[i], diag);
		free(name);
		if (err == -ENOENT)
			return diag_set(diag, err,
					"%.300s: a directory that no notrap "
					"sweep has written",
					r->paths[i]);
		if (err)
			return err;
	}
	return 0;
}

static int read_entry(const struct sweep_reading *r,
		      const struct sweep_entry *entry, struct report *report,
		      struct sweep_count *ret, struct diag *diag)
{
	for (size_t i = 0; i < r->nr; i++) {
		int err = sweep_dir_read_point(r->paths[i], entry, NULL, report,
					       diag);

		if (!err) {
			ret->there++;
			return 0;
		}
		if (err == -ENOENT)
			continue;
		if (err != -EINVAL)
			return err;
		if (!ret->damaged++)
			ret->first_damaged = *diag;
	}
	return 0;
}

int sweep_read(char *const *paths, size_t nr, struct report *report,
	       struct sweep_count *ret, struct diag *diag)
{
	struct sweep_reading r = {
		.paths = paths,
		.nr = nr,
		.list = calloc(nr, sizeof(*r.list)),
	};
	int err;

	*ret = (struct sweep_count){0};
	if (!r.list)
		return diag_set(diag, -ENOMEM, "no memory for the results");
	err = read_lists(&r, diag);
	if (!err)
		err = gather(&r, diag);
	for (size_t i = 0; i < r.nr_places && !err; i++) {
		if (!r.place[i].is_first)
			continue;
		ret->planned++;
		err = read_entry(&r, &r.place[i].entry, report, ret, diag);
	}
	for (size_t i = 0; i < nr; i++)
		sweep_list_finish(&r.list[i]);
	free(r.list);
	free(r.place);
	return err;
}
