/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file of the host's, read whole into memory. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/image.h"

/* A name fit for one line: its end if it is long, no control characters. */
static void printable_name(char *to, const char *path)
{
	size_t len = strlen(path);
	size_t skip = len > IMAGE_NAME_MAX ? len - IMAGE_NAME_MAX : 0;

	len -= skip;
	for (size_t i = 0; i < len; i++) {
		char c = path[skip + i];

		to[i] = (unsigned char)c < ' ' || c == 127 ? '?' : c;
	}
	to[len] = '\0';
}

/* Regular files only: a directory has no bytes and a pipe could block. */
static int check_file(int fd, const char *name, uint64_t *size,
		      struct diag *diag)
{
	struct stat st;
	int err;

	if (fstat(fd, &st)) {
		err = -errno;
		return diag_set(diag, err, "%s: %s", name, strerror(-err));
	}
	if (S_ISDIR(st.st_mode))
		return diag_set(diag, -EISDIR, "%s is a directory", name);
	if (!S_ISREG(st.st_mode))
		return diag_set(diag, -ENOEXEC, "%s is not a regular file",
				name);
	if ((uint64_t)st.st_size > IMAGE_SIZE_MAX)
		return diag_set(diag, -EFBIG,
				"%s has %" PRIu64 " MiB, more than a guest is "
				"given",
				name, (uint64_t)st.st_size / MIB);
	*size = (uint64_t)st.st_size;
	return 0;
}

/* Up to *len bytes; *len becomes what there is. */
static int read_all(int fd, uint8_t *to, uint64_t *len)
{
	uint64_t done = 0;

	while (done < *len) {
		ssize_t n = read(fd, to + done, *len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += (uint64_t)n;
	}
	*len = done;
	return 0;
}

int image_read(const char *path, struct image *ret, struct diag *diag)
{
	struct image img = {.data = NULL};
	uint8_t *data;
	int fd, err;

	printable_name(img.name, path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		err = -errno;
		return diag_set(diag, err, "%s: %s", img.name, strerror(-err));
	}
	err = check_file(fd, img.name, &img.size, diag);
	if (err)
		goto close_fd;

	data = malloc(img.size + 1); /* an empty file is no special case here */
	if (!data) {
		err = diag_set(diag, -ENOMEM, "%s: out of memory", img.name);
		goto close_fd;
	}
	err = read_all(fd, data, &img.size);
	if (err) {
		diag_set(diag, err, "%s: %s", img.name, strerror(-err));
		goto free_data;
	}
	close(fd);
	img.data = data;
	*ret = img;
	return 0;

free_data:
	free(data);
close_fd:
	close(fd);
	return err;
}

void image_free(struct image *img)
{
	free((void *)img->data); /* image_read() allocated it */
	img->data = NULL;
}
