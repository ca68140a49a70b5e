/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file of the temporary name may be there: left by a writer that was killed,
 * which is overwritten, or another's that is at work, which holds a lock.
 */
#include "trace/output.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const struct outfile *out, const char *what, struct diag *diag)
{
	int err = errno;

	return diag_set(diag, -err, "%s: cannot %s: %s", out->path, what,
			strerror(err));
}

static bool is_same_file(int fd, const char *path)
{
	struct stat by_fd, by_path;

	return !fstat(fd, &by_fd) && !stat(path, &by_path) &&
	       by_fd.st_dev == by_path.st_dev && by_fd.st_ino == by_path.st_ino;
}

/*
 * Between opening and locking, the writer before us may have renamed the file:
 * then what we have locked is its finished one.
 */
static int open_locked(struct outfile *out, struct diag *diag)
{
	for (;;) {
		out->fd = open(out->temp,
			       O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
		if (out->fd < 0)
			return fail(out, "be created", diag);
		if (flock(out->fd, LOCK_EX | LOCK_NB)) {
			int err = diag_set(diag, -EBUSY,
					   "%s: is being written by another",
					   out->path);

			close(out->fd);
			return err;
		}
		if (is_same_file(out->fd, out->temp))
			return 0;
		close(out->fd);
	}
}

/* A rename would replace what is there: a device, say. */
static int check_path(const struct outfile *out, struct diag *diag)
{
	struct stat st;

	if (!stat(out->path, &st) && !S_ISREG(st.st_mode))
		return diag_set(diag, -EINVAL, "%s: is not a regular file",
				out->path);
	return 0;
}

static int set_paths(struct outfile *out, const char *path, struct diag *diag)
{
	size_t size = strlen(path) + sizeof(".tmp");

	*out = (struct outfile){.fd = -1};
	out->path = strdup(path);
	out->temp = malloc(size);
	if (!out->path || !out->temp)
		return diag_set(diag, -ENOMEM, "no memory for a file name");
	snprintf(out->temp, size, "%s.tmp", path);
	return 0;
}

static void free_paths(struct outfile *out)
{
	free(out->path);
	free(out->temp);
}

int outfile_open(struct outfile *out, const char *path, struct diag *diag)
{
	int err = set_paths(out, path, diag);

	if (!err)
		err = check_path(out, diag);
	if (!err)
		err = open_locked(out, diag);
	if (err)
		goto free_paths;

	if (ftruncate(out->fd, 0)) {
		err = fail(out, "be emptied", diag);
		goto close_file;
	}
	return 0;

close_file:
	close(out->fd);
free_paths:
	free_paths(out);
	return err;
}

int outfile_write(struct outfile *out, const void *data, size_t len,
		  struct diag *diag)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(out->fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(out, "be written", diag);
		p += n;
		len -= (size_t)n;
		out->len += (uint64_t)n;
	}
	return 0;
}

int outfile_read(const struct outfile *out, uint64_t offset, void *data,
		 size_t len, struct diag *diag)
{
	char *p = data;

	while (len) {
		ssize_t n = pread(out->fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO; /* it was written, and is not there */
		if (n <= 0)
			return fail(out, "be read back", diag);
		p += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

/* So that the name survives a crash, too.  Not every file system can. */
static void sync_directory(const char *path)
{
	char *copy = strdup(path);
	int fd;

	if (!copy)
		return;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(copy);
}

int outfile_commit(struct outfile *out, struct diag *diag)
{
	int err = 0;

	if (fsync(out->fd))
		err = fail(out, "be written to the disk", diag);
	else if (rename(out->temp, out->path))
		err = fail(out, "be given its name", diag);
	if (err) {
		outfile_abort(out);
		return err;
	}
	sync_directory(out->path);
	close(out->fd);
	free_paths(out);
	return 0;
}

void outfile_abort(struct outfile *out)
{
	unlink(out->temp);
	close(out->fd);
	free_paths(out);
}
