/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file is there whole or as it was before, whatever goes wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cli/output.h"

struct box {
	char dir[64];
	char path[128];
};

static int set_up(void **state)
{
	struct box *box = calloc(1, sizeof(*box));

	strcpy(box->dir, "/tmp/notrap-output-XXXXXX");
	if (!mkdtemp(box->dir))
		return -1;
	snprintf(box->path, sizeof(box->path), "%s/result", box->dir);
	*state = box;
	return 0;
}

static unsigned int files_in(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	unsigned int nr = 0;

	while ((entry = readdir(dir)))
		nr += entry->d_name[0] != '.';
	closedir(dir);
	return nr;
}

static int tear_down(void **state)
{
	struct box *box = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", box->dir);
	if (system(command))
		return -1;
	free(box);
	return 0;
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void check_holds(const char *path, const char *want)
{
	FILE *file = fopen(path, "r");
	char got[64] = "";

	assert_non_null(file);
	got[fread(got, 1, sizeof(got) - 1, file)] = 0;
	fclose(file);
	assert_string_equal(got, want);
}

static void test_commit(void **state)
{
	struct box *box = *state;
	struct output output;
	struct diag diag;

	assert_int_equal(output_open(box->path, &output, &diag), 0);
	fputs("all of it", output.file);
	/* Not before it is whole. */
	assert_int_equal(access(box->path, F_OK), -1);
	assert_int_equal(output_commit(&output, &diag), 0);
	check_holds(box->path, "all of it");
	assert_int_equal(files_in(box->dir), 1);
}

static void test_replace(void **state)
{
	struct box *box = *state;
	struct output output;
	struct diag diag;
	struct stat st;

	put(box->path, "old");
	assert_int_equal(chmod(box->path, 0640), 0);
	assert_int_equal(output_open(box->path, &output, &diag), 0);
	fputs("new", output.file);
	fflush(output.file);
	check_holds(box->path, "old");
	assert_int_equal(output_commit(&output, &diag), 0);
	check_holds(box->path, "new");
	assert_int_equal(stat(box->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(files_in(box->dir), 1);
}

static void test_abandon(void **state)
{
	struct box *box = *state;
	struct output output;
	struct diag diag;

	put(box->path, "old");
	assert_int_equal(output_open(box->path, &output, &diag), 0);
	fputs("new", output.file);
	output_abandon(&output);
	check_holds(box->path, "old");
	assert_int_equal(files_in(box->dir), 1);
	output_abandon(&output);
}

/* A disk that is full: no byte past the first 4096 can be written. */
static void test_full_disk(void **state)
{
	struct rlimit limit = {4096, RLIM_INFINITY}, before;
	struct box *box = *state;
	struct output output;
	struct diag diag = {""};
	int err;

	put(box->path, "old");
	assert_int_equal(output_open(box->path, &output, &diag), 0);
	getrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	for (int i = 0; i < 10000; i++)
		fputs("many words ", output.file);
	err = output_commit(&output, &diag);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_true(err < 0);
	assert_non_null(strstr(diag.msg, box->path));
	assert_null(strchr(diag.msg, '\n'));
	check_holds(box->path, "old");
	assert_int_equal(files_in(box->dir), 1);
}

/* Root could replace /dev/full itself: it gets one of its own. */
static const char *full_device(struct box *box)
{
	if (geteuid() != 0)
		return "/dev/full";
	if (mknod(box->path, S_IFCHR | 0600, makedev(1, 7)) ||
	    access(box->path, W_OK))
		skip();
	return box->path;
}

static void test_full_device(void **state)
{
	const char *path = full_device(*state);
	struct output output;
	struct diag diag = {""};
	struct stat st;

	if (output_open(path, &output, &diag))
		skip(); /* devices do not work on this file system */
	fputs("words", output.file);
	assert_true(output_commit(&output, &diag) < 0);
	assert_non_null(strstr(diag.msg, ": No space left on device"));
	/* The device is still there. */
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISCHR(st.st_mode));
}

static void test_cannot_open(void **state)
{
	struct box *box = *state;
	struct output output;
	struct diag diag = {""};
	char path[160];

	assert_true(output_open(box->dir, &output, &diag) < 0);
	assert_non_null(strstr(diag.msg, "Is a directory"));
	snprintf(path, sizeof(path), "%s/no/such", box->dir);
	assert_true(output_open(path, &output, &diag) < 0);
	assert_non_null(strstr(diag.msg, "No such file or directory"));
	assert_int_equal(files_in(box->dir), 0);
	if (geteuid() == 0)
		return; /* root may write anywhere */
	assert_int_equal(chmod(box->dir, 0500), 0);
	assert_true(output_open(box->path, &output, &diag) < 0);
	assert_non_null(strstr(diag.msg, "Permission denied"));
	assert_int_equal(chmod(box->dir, 0700), 0);
}

/* A symbolic link stays one, and what it leads to is replaced. */
static void test_link(void **state)
{
	struct box *box = *state;
	struct output output;
	struct diag diag;
	struct stat st;
	char link[160];

	snprintf(link, sizeof(link), "%s/link", box->dir);
	put(box->path, "old");
	assert_int_equal(symlink("result", link), 0);
	assert_int_equal(output_open(link, &output, &diag), 0);
	fputs("new", output.file);
	assert_int_equal(output_commit(&output, &diag), 0);
	check_holds(box->path, "new");
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
}

static void test_two_at_once(void **state)
{
	struct box *box = *state;
	struct output a, b;
	struct diag diag;

	assert_int_equal(output_open(box->path, &a, &diag), 0);
	assert_int_equal(output_open(box->path, &b, &diag), 0);
	fputs("a", a.file);
	fputs("b", b.file);
	assert_int_equal(output_commit(&a, &diag), 0);
	check_holds(box->path, "a");
	assert_int_equal(output_commit(&b, &diag), 0);
	check_holds(box->path, "b");
	assert_int_equal(files_in(box->dir), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
		TEST(test_commit),      TEST(test_replace),
		TEST(test_abandon),     TEST(test_full_disk),
		TEST(test_full_device), TEST(test_cannot_open),
		TEST(test_link),        TEST(test_two_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
