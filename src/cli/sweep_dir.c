/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/sweep_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/describe.h"
#include "cli/output.h"

#define POINTS "points"

/* --- Names --------------------------------------------------------------- */

static int no_memory(struct diag *diag)
{
	return diag_set(diag, -ENOMEM, "no memory for a name");
}

int sweep_dir_name(const char *path, const char *name, char **ret,
		   struct diag *diag)
{
	return asprintf(ret, "%s/%s", path, name) < 0 ? no_memory(diag) : 0;
}

static int name_of_point(const char *path, uint64_t id, char **ret,
			 struct diag *diag)
{
	if (asprintf(ret, "%s/" POINTS "/%016" PRIx64 ".json", path, id) < 0)
		return no_memory(diag);
	return 0;
}

/* --- The directory ------------------------------------------------------- */

static int make_dir(const char *path, struct diag *diag)
{
	struct stat st;

	if (!mkdir(path, 0777))
		return 0;
	if (errno != EEXIST)
		return diag_set(diag, -EIO, "cannot make directory %.300s: %s",
				path, strerror(errno));
	if (!stat(path, &st) && !S_ISDIR(st.st_mode))
		return diag_set(diag, -ENOTDIR,
				"%.300s: is a file, want a directory", path);
	return 0;
}

static int write_file(const char *name, const char *text, size_t len,
		      struct diag *diag)
{
	struct output output;
	int err = output_open(name, &output, diag);

	if (err)
		return err;
	fwrite(text, 1, len, output.file); /* the commit asks ferror() */
	return output_commit(&output, diag);
}

/* Left alone if it is the same: other processes may hold a lock on it. */
static int write_plan(const char *name, const struct sweep *sweep,
		      struct diag *diag)
{
	struct sweep_list old = {0};
	char *text = NULL;
	size_t len;
	FILE *out;
	int err;

	err = sweep_list_read(name, &old, diag);
	if (err && err != -ENOENT)
		return err;
	sweep_list_finish(&old);
	out = open_memstream(&text, &len);
	if (!out)
		return diag_set(diag, -ENOMEM, "no memory for the plan");
	sweep_list_write(sweep, out);
	if (fclose(out))
		err = diag_set(diag, -ENOMEM, "no memory for the plan");
	else if (!sweep_list_is_text(name, text))
		err = write_file(name, text, len, diag);
	else
		err = 0;
	free(text);
	return err;
}

int sweep_dir_begin(const char *path, const struct sweep *sweep,
		    struct diag *diag)
{
	char *plan, *points = NULL;
	int err;

	err = sweep_dir_name(path, "plan", &plan, diag);
	if (err)
		return err;
	err = sweep_dir_name(path, POINTS, &points, diag);
	if (!err)
		err = make_dir(path, diag);
	if (!err)
		err = write_plan(plan, sweep, diag);
	if (!err)
		err = make_dir(points, diag);
	free(plan);
	free(points);
	return err;
}

/* "ID.json.PID.N.tmp", as output.c names what it has not finished. */
static bool is_leftover(const char *name, uint64_t *id)
{
	static const char middle[] = ".json.", end[] = ".tmp";
	size_t len = strlen(name);

	if (strspn(name, "0123456789abcdef") != 16 ||
	    strncmp(name + 16, middle, sizeof(middle) - 1) != 0 ||
	    strcmp(name + len - (sizeof(end) - 1), end) != 0)
		return false;
	*id = strtoull(name, NULL, 16);
	return true;
}

static bool slice_has_id(const struct sweep *sweep,
			 const struct sweep_slice *slice, uint64_t id)
{
	for (size_t i = 0; i < sweep->nr_points; i++)
		if (sweep->point[i].id == id)
			return sweep_slice_has(slice, &sweep->point[i]);
	return false;
}

/* What cannot be removed is in nobody's way. */
void sweep_dir_clean(const char *path, const struct sweep *sweep,
		     const struct sweep_slice *slice)
{
	struct diag diag;
	char *points;
	struct dirent *entry;
	DIR *dir;

	if (sweep_dir_name(path, POINTS, &points, &diag))
		return;
	dir = opendir(points);
	free(points);
	while (dir && (entry = readdir(dir))) {
		uint64_t id;

		if (is_leftover(entry->d_name, &id) &&
		    slice_has_id(sweep, slice, id))
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
}

/* --- Points -------------------------------------------------------------- */

int sweep_dir_save(const char *path, uint64_t id, const struct report *report,
		   size_t i, struct diag *diag)
{
	struct output output;
	char *name;
	int err;

	err = name_of_point(path, id, &name, diag);
	if (err)
		return err;
	err = output_open(name, &output, diag);
	free(name);
	if (err)
		return err;
	output.is_checked = true; /* by its sum */
	err = report_print_point(report, i, output.file);
	return output_end(&output, err, diag);
}

int sweep_dir_read_point(const char *path, const struct sweep_entry *entry,
			 const struct result *want, struct report *report,
			 struct diag *diag)
{
	char *name;
	FILE *in;
	int err;

	err = name_of_point(path, entry->id, &name, diag);
	if (err)
		return err;
	in = fopen(name, "r");
	if (in) {
		err = report_read_point(report, in, name, want, diag);
		fclose(in);
	} else {
		err = diag_set(diag, -errno, "%.300s: %s", name,
			       strerror(errno));
	}
	free(name);
	if (!err && report_set_path(report, report_nr(report) - 1, entry->path))
		return no_memory(diag);
	return err;
}

int sweep_dir_load(const char *path, const struct sweep *sweep,
		   const struct sweep_point *point, struct report *report,
		   struct diag *diag)
{
	const struct sweep_trace *trace = &sweep->trace[point->trace];
	const struct sweep_entry entry = {point->id, trace->path};
	struct result want = {
		.source_kind = "trace",
		.source_digest = trace->digest,
	};

	describe_config(&sweep->config[point->config].config, &want);
	return sweep_dir_read_point(path, &entry, &want, report, diag);
}

int sweep_dir_load_all(const char *path, const struct sweep *sweep,
		       const struct sweep_slice *slice, struct report *report,
		       struct diag *diag)
{
	for (size_t i = 0; i < sweep->nr_points; i++) {
		const struct sweep_point *point = &sweep->point[i];
		int err;

		if (slice && !sweep_slice_has(slice, point))
			continue;
		err = sweep_dir_load(path, sweep, point, report, diag);
		if (err == -ENOMEM)
			return err;
	}
	return 0;
}

/* --- All of them --------------------------------------------------------- */

static int write_report(const char *path, const char *name,
			int (*print)(const struct report *report, FILE *out),
			const struct report *report, struct diag *diag)
{
	struct output output;
	char *full;
	int err;

	err = sweep_dir_name(path, name, &full, diag);
	if (err)
		return err;
	err = output_open(full, &output, diag);
	free(full);
	if (err)
		return err;
	return output_end(&output, print(report, output.file), diag);
}

/*
 * Who merges last sees all points: each process has saved its own before it
 * asks for the lock.  Where files cannot be locked a later merge is complete.
 */
static int lock_plan(const char *path)
{
	struct diag diag;
	char *name;
	int fd;

	if (sweep_dir_name(path, "plan", &name, &diag))
		return -1;
	fd = open(name, O_RDWR | O_CLOEXEC);
	free(name);
	while (fd >= 0 && flock(fd, LOCK_EX) && errno == EINTR)
		;
	return fd;
}

static int merge(const char *path, const struct sweep *sweep, size_t *nr,
		 struct diag *diag)
{
	struct report *report = report_create();
	int err;

	if (!report)
		return diag_set(diag, -ENOMEM, "no memory for the results");
	err = sweep_dir_load_all(path, sweep, NULL, report, diag);
	*nr = report_nr(report);
	if (!err && *nr)
		err = write_report(path, "sweep.json", report_print_json,
				   report, diag);
	if (!err && *nr)
		err = write_report(path, "sweep.csv", report_print_csv, report,
				   diag);
	report_destroy(report);
	return err;
}

int sweep_dir_merge(const char *path, const struct sweep *sweep, size_t *nr,
		    struct diag *diag)
{
	int lock = lock_plan(path);
	int err = merge(path, sweep, nr, diag);

	if (lock >= 0)
		close(lock);
	return err;
}
