/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/types.h"

#define NAMES_TRIED 100

static int fail(struct diag *diag, int err, const char *path)
{
	return diag_set(diag, err, "cannot write %.300s: %s", path,
			strerror(-err));
}

/* A new file beside the target, with the mode a plain open would give. */
static int open_temporary(struct output *output, mode_t mode)
{
	for (int i = 0; i < NAMES_TRIED; i++) {
		int fd;

		free(output->temporary);
		if (asprintf(&output->temporary, "%s.%ld.%d.tmp",
			     output->target, (long)getpid(), i) < 0) {
			output->temporary = NULL;
			return -ENOMEM;
		}
		fd = open(output->temporary,
			  O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
		if (fd >= 0 || errno != EEXIST)
			return fd >= 0 ? fd : -errno;
	}
	return -EEXIST;
}

/* Where the path leads, through symbolic links, whether it is there or not. */
static int find_target(const char *path, char **ret, struct stat *st)
{
	*ret = realpath(path, NULL);
	if (!*ret && errno != ENOENT)
		return -errno;
	if (!*ret) {
		*ret = strdup(path);
		st->st_mode = S_IFREG | 0666;
		return *ret ? 0 : -ENOMEM;
	}
	return stat(*ret, st) ? -errno : 0;
}

static int open_file(struct output *output)
{
	struct stat st;
	int fd, err;

	err = find_target(output->path, &output->target, &st);
	if (err)
		return err;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (S_ISREG(st.st_mode)) {
		fd = open_temporary(output, st.st_mode & 0777);
	} else {
		fd = open(output->target, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
	}
	if (fd < 0)
		return fd;
	output->file = fdopen(fd, "w");
	if (output->file)
		return 0;
	err = -errno;
	close(fd);
	return err;
}

int output_open(const char *path, struct output *ret, struct diag *diag)
{
	int err;

	*ret = (struct output){0};
	if (!path || !strcmp(path, "-")) {
		ret->file = stdout;
		return 0;
	}
	ret->path = strdup(path);
	err = ret->path ? open_file(ret) : -ENOMEM;
	if (!err)
		return 0;
	/* A name that was never made must not be removed. */
	free(ret->temporary);
	ret->temporary = NULL;
	output_abandon(ret);
	fail(diag, err, path);
	return err == -ENOMEM ? err : -EIO;
}

/* stdio keeps that a write failed, not why: see by another one. */
static int ask_again(int fd)
{
	return write(fd, "\n", 1) < 0 ? -errno : -EIO;
}

static int flush(struct output *output)
{
	errno = 0;
	if (fflush(output->file) || ferror(output->file))
		return errno ? -errno : ask_again(fileno(output->file));
	if (output->temporary && !output->is_checked &&
	    fsync(fileno(output->file)))
		return -errno;
	return 0;
}

int output_commit(struct output *output, struct diag *diag)
{
	const char *name = output->path ? output->path : "standard output";
	int err = flush(output);

	if (output->path) {
		if (fclose(output->file) && !err)
			err = -errno;
		output->file = NULL;
	}
	if (!err && output->temporary) {
		if (rename(output->temporary, output->target)) {
			err = -errno;
		} else {
			free(output->temporary);
			output->temporary = NULL;
		}
	}
	if (err)
		fail(diag, err, name);
	output_abandon(output);
	return err ? -EIO : 0;
}

void output_abandon(struct output *output)
{
	if (output->path && output->file)
		fclose(output->file);
	if (output->temporary)
		unlink(output->temporary);
	free(output->temporary);
	free(output->target);
	free(output->path);
	*output = (struct output){0};
}

int output_end(struct output *output, int err, struct diag *diag)
{
	if (!err)
		return output_commit(output, diag);
	output_abandon(output);
	return diag_set(diag, err, "no memory for what is to be written");
}
