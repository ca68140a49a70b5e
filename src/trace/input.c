/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *path, const char *what, struct diag *diag)
{
	int err = errno;

	return diag_set(diag, -err, "%s: cannot be %s: %s", path, what,
			strerror(err));
}

int input_open(struct input *in, const char *path, struct diag *diag)
{
	struct stat st;
	int err;

	in->path = strdup(path);
	if (!in->path)
		return diag_set(diag, -ENOMEM, "no memory for a file name");
	/* A pipe is refused below; opening it must not wait for a writer. */
	in->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (in->fd < 0) {
		err = fail(path, "opened", diag);
		goto free_path;
	}
	if (fstat(in->fd, &st)) {
		err = fail(path, "opened", diag);
		goto close_file;
	}
	if (!S_ISREG(st.st_mode)) {
		err = diag_set(diag, -EINVAL, "%s: is not a regular file",
			       path);
		goto close_file;
	}
	in->len = (uint64_t)st.st_size;
	return 0;

close_file:
	close(in->fd);
free_path:
	free(in->path);
	return err;
}

void input_close(struct input *in)
{
	close(in->fd);
	free(in->path);
}

int input_read(const struct input *in, uint64_t offset, void *data,
	       uint32_t len, uint32_t *got, struct diag *diag)
{
	char *p = data;

	*got = 0;
	if (offset >= in->len)
		return 0;
	len = (uint32_t)min_u64(len, in->len - offset);
	while (*got < len) {
		ssize_t n = pread(in->fd, p + *got, len - *got,
				  (off_t)(offset + *got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(in->path, "read", diag);
		if (n == 0)
			break;
		*got += (uint32_t)n;
	}
	return 0;
}
