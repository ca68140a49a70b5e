/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "import/codec.h"

#define BUFFER   (UINT32_C(256) << 10)
#define READ_MAX (UINT32_C(1) << 30)

struct stream {
	const char *name;
	int fd;
	bool ended; /* the file, not what is left in the buffer */
	uint64_t done, total;
	const struct codec *codec; /* NULL: plain */
	void *state;
	bool in_member;
	size_t at, filled;
	uint8_t buffer[BUFFER];
};

/* --- The file ------------------------------------------------------------ */

static int open_file(struct stream *s, const char *path, struct diag *diag)
{
	bool is_stdin = !strcmp(path, "-");
	struct stat st;
	int err = 0;

	s->name = is_stdin ? "standard input" : path;
	s->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0 || fstat(s->fd, &st))
		err = -errno;
	else if (S_ISDIR(st.st_mode))
		err = -EISDIR;
	if (err)
		return diag_set(diag, err, "%.300s: %s", s->name,
				strerror(-err));
	s->total = (uint64_t)st.st_size; /* of a pipe: 0 */
	return 0;
}

static int read_file(struct stream *s, void *data, size_t len, size_t *got,
		     struct diag *diag)
{
	ssize_t n;

	do {
		n = read(s->fd, data, len);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return diag_set(diag, -EIO, "%.300s: %s", s->name,
				strerror(errno));
	*got = (size_t)n;
	s->done += (uint64_t)n;
	s->ended = !n;
	return 0;
}

static size_t left(const struct stream *s)
{
	return s->filled - s->at;
}

/* At least `want` bytes in the buffer, if the file has them. */
static int fill(struct stream *s, size_t want, struct diag *diag)
{
	size_t got;
	int err;

	if (left(s) >= want)
		return 0;
	memmove(s->buffer, s->buffer + s->at, left(s));
	s->filled = left(s);
	s->at = 0;
	while (s->filled < want && !s->ended) {
		err = read_file(s, s->buffer + s->filled, BUFFER - s->filled,
				&got, diag);
		if (err)
			return err;
		s->filled += got;
	}
	return 0;
}

/* The next bytes, zeros behind the end. */
static int peek(struct stream *s, uint8_t magic[CODEC_MAGIC], struct diag *diag)
{
	int err = fill(s, CODEC_MAGIC, diag);

	memset(magic, 0, CODEC_MAGIC);
	memcpy(magic, s->buffer + s->at,
	       left(s) < CODEC_MAGIC ? left(s) : CODEC_MAGIC);
	return err;
}

/* --- Compressed data ----------------------------------------------------- */

static int damaged(const struct stream *s, const char *what, struct diag *diag)
{
	return diag_set(diag, -EINVAL,
			"%.300s: damaged %s data before byte %" PRIu64 ": %s",
			s->name, s->codec->name, s->done - left(s), what);
}

/* Zeros may fill up what comes after a member: tapes and xz do so. */
static int skip_padding(struct stream *s, struct diag *diag)
{
	int err = 0;

	do {
		while (left(s) && !s->buffer[s->at])
			s->at++;
		if (!left(s))
			err = fill(s, 1, diag);
	} while (!err && left(s) && !s->buffer[s->at]);
	return err;
}

/* The next member begins, or the end of the file is here: !in_member. */
static int begin_member(struct stream *s, struct diag *diag)
{
	uint8_t magic[CODEC_MAGIC];
	int err = skip_padding(s, diag);

	if (!err)
		err = peek(s, magic, diag);
	if (err || !left(s))
		return err;
	if (!s->codec->is_start(magic))
		return diag_set(diag, -EINVAL,
				"%.300s: %s data end at byte %" PRIu64
				", and what follows is something else",
				s->name, s->codec->name, s->done - left(s));
	if (!s->codec->begin(&s->state))
		return diag_set(diag, -ENOMEM, "%.300s: no memory to unpack %s",
				s->name, s->codec->name);
	s->in_member = true;
	return 0;
}

/* Whatever comes out, perhaps nothing; a member may end. */
static int step(struct stream *s, uint8_t *data, size_t len, size_t *got,
		struct diag *diag)
{
	struct codec_io io = {s->buffer + s->at, left(s), data, len};
	const char *flaw;
	bool is_stuck;

	switch (s->codec->step(s->state, &io, &flaw)) {
	case CODEC_END:
		s->in_member = false;
		break;
	case CODEC_FLAW:
		s->at = s->filled - io.nr_in;
		return damaged(s, flaw, diag);
	case CODEC_MORE:
		break;
	}
	*got = len - io.nr_out;
	is_stuck = s->in_member && !*got && io.nr_in == left(s);
	s->at = s->filled - io.nr_in;
	if (!is_stuck)
		return 0;
	if (left(s))
		return damaged(s, "makes no sense", diag);
	if (s->ended)
		return diag_set(diag, -EINVAL,
				"%.300s: the %s data end too early, after "
				"byte %" PRIu64,
				s->name, s->codec->name, s->done);
	return fill(s, 1, diag);
}

static int unpack(struct stream *s, void *data, size_t len, size_t *got,
		  struct diag *diag)
{
	int err = 0;

	while (!err && !*got) {
		if (!s->in_member)
			err = begin_member(s, diag);
		if (err || !s->in_member)
			break;
		err = step(s, data, len, got, diag);
	}
	return err;
}

/* --- Both ---------------------------------------------------------------- */

static int find_codec(struct stream *s, struct diag *diag)
{
	uint8_t magic[CODEC_MAGIC];
	int err = peek(s, magic, diag);

	if (err)
		return err;
	if (codec_foreign(magic))
		return diag_set(diag, -EINVAL,
				"%.300s: is compressed by %s, which is not "
				"read here (gzip, xz and zstd are)",
				s->name, codec_foreign(magic));
	s->codec = codec_find(magic);
	return 0;
}

int stream_open(const char *path, struct stream **ret, struct diag *diag)
{
	struct stream *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return diag_set(diag, -ENOMEM, "no memory to read %.300s",
				path);
	err = open_file(s, path, diag);
	if (!err)
		err = find_codec(s, diag);
	if (err) {
		stream_close(s);
		return err;
	}
	*ret = s;
	return 0;
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	if (s->codec)
		s->codec->finish(s->state);
	if (s->fd > STDIN_FILENO)
		close(s->fd);
	free(s);
}

const char *stream_name(const struct stream *s)
{
	return s->name;
}

/* What was looked at first, then straight from the file. */
static int read_plain(struct stream *s, void *data, size_t len, size_t *got,
		      struct diag *diag)
{
	if (!left(s))
		return read_file(s, data, len, got, diag);
	*got = left(s) < len ? left(s) : len;
	memcpy(data, s->buffer + s->at, *got);
	s->at += *got;
	return 0;
}

int stream_read(struct stream *s, void *data, size_t len, size_t *got,
		struct diag *diag)
{
	if (len > READ_MAX)
		len = READ_MAX;
	*got = 0;
	if (s->codec)
		return unpack(s, data, len, got, diag);
	return read_plain(s, data, len, got, diag);
}

void stream_progress(const struct stream *s, uint64_t *done, uint64_t *total)
{
	*done = s->done;
	*total = s->total;
}
