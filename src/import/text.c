/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "import/stream.h"

#define LINE_LEN_MAX (UINT32_C(64) << 10)
#define BUFFER       (UINT32_C(256) << 10) /* stays in a cache */

struct text {
	struct stream *stream;
	bool lenient, ended, cutting;
	uint64_t number; /* of the line or record */
	size_t size;     /* of a record, 0: lines */
	uint64_t skipped;
	size_t at, filled;
	char buffer[BUFFER + TEXT_SLACK];
};

int text_open(const char *path, bool lenient, struct text **ret,
	      struct diag *diag)
{
	struct text *text = malloc(sizeof(*text));
	int err;

	if (!text)
		return diag_set(diag, -ENOMEM, "no memory to read %.300s",
				path);
	*text = (struct text){.lenient = lenient};
	err = stream_open(path, &text->stream, diag);
	if (err) {
		text_close(text);
		return err;
	}
	*ret = text;
	return 0;
}

void text_close(struct text *text)
{
	if (!text)
		return;
	stream_close(text->stream);
	free(text);
}

/* What is left moves to the front, more comes behind it. */
static int fill(struct text *text, struct diag *diag)
{
	size_t left = text->filled - text->at, got;
	int err;

	memmove(text->buffer, text->buffer + text->at, left);
	text->at = 0;
	text->filled = left;
	err = stream_read(text->stream, text->buffer + left, BUFFER - left,
			  &got, diag);
	text->filled += got;
	text->ended = !got;
	return err;
}

static const char *find_newline(const struct text *text)
{
	return memchr(text->buffer + text->at, '\n', text->filled - text->at);
}

/* Up to the newline, to the end of the file, or too much. */
static int next(struct text *text, const char **line, size_t *len,
		struct diag *diag)
{
	const char *newline;

	while (!(newline = find_newline(text)) && !text->ended &&
	       text->filled - text->at < LINE_LEN_MAX) {
		int err = fill(text, diag);

		if (err)
			return err;
	}
	*line = text->buffer + text->at;
	if (newline && newline - *line <= (ptrdiff_t)LINE_LEN_MAX) {
		*len = (size_t)(newline - *line);
		text->at += *len + 1;
		return 1;
	}
	*len = text->filled - text->at;
	if (!*len)
		return 0;
	if (*len > LINE_LEN_MAX)
		*len = LINE_LEN_MAX;
	text->cutting = !text->ended; /* at the end there is never so much */
	text->at += *len;
	return 1;
}

int text_line(struct text *text, const char **line, size_t *len,
	      struct diag *diag)
{
	int got;

	/* The rest of a line that was cut. */
	while (text->cutting) {
		text->cutting = false;
		got = next(text, line, len, diag);
		if (got <= 0)
			return got;
	}
	got = next(text, line, len, diag);
	text->number += got > 0;
	if (got > 0 && *len && (*line)[*len - 1] == '\r')
		--*len;
	return got;
}

int text_record(struct text *text, size_t size, const uint8_t **record,
		struct diag *diag)
{
	text->size = size;
	while (text->filled - text->at < size && !text->ended) {
		int err = fill(text, diag);

		if (err)
			return err;
	}
	if (text->filled == text->at)
		return 0;
	text->number++;
	if (text->filled - text->at < size)
		return text_malformed(text, "the file ends in the middle of it",
				      diag);
	*record = (const uint8_t *)text->buffer + text->at;
	text->at += size;
	return 1;
}

bool text_block(const struct text *text, const char **from, const char **end)
{
	const char *last;

	*from = text->buffer + text->at;
	last = memrchr(*from, '\n', text->filled - text->at);
	if (!last || text->cutting)
		return false;
	*end = last + 1;
	return true;
}

void text_taken(struct text *text, const char *to, uint64_t lines)
{
	text->at = (size_t)(to - text->buffer);
	text->number += lines;
}

size_t text_records(const struct text *text, size_t size, const uint8_t **from)
{
	*from = (const uint8_t *)text->buffer + text->at;
	return (text->filled - text->at) / size;
}

void text_records_taken(struct text *text, size_t size, size_t nr)
{
	text->at += size * nr;
	text->number += nr;
}

int text_malformed(struct text *text, const char *what, struct diag *diag)
{
	if (text->lenient) {
		text->skipped++;
		return 0;
	}
	if (text->size)
		return diag_set(diag, -EINVAL,
				"%.300s: record %" PRIu64 " (byte %" PRIu64
				"): %s",
				stream_name(text->stream), text->number,
				(text->number - 1) * text->size, what);
	return diag_set(diag, -EINVAL, "%.300s:%" PRIu64 ": %s",
			stream_name(text->stream), text->number, what);
}

uint64_t text_skipped(const struct text *text)
{
	return text->skipped;
}

void text_progress(const struct text *text, uint64_t *done, uint64_t *total)
{
	stream_progress(text->stream, done, total);
}
