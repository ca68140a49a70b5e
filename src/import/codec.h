/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decompressors behind one face: gzip, xz and zstd, a member (gzip), stream
 * (xz) or frame (zstd) at a time.
 */
#ifndef NOTRAP_IMPORT_CODEC_H
#define NOTRAP_IMPORT_CODEC_H

#include "base/types.h"

/* Bytes at the beginning that tell which it is. */
#define CODEC_MAGIC 6

struct codec_io {
	const uint8_t *in;
	size_t nr_in;
	uint8_t *out;
	size_t nr_out;
};

enum codec_step {
	CODEC_MORE, /* goes on, perhaps with more input or room only */
	CODEC_END,  /* of the member */
	CODEC_FLAW,
};

struct codec {
	const char *name;
	bool (*is_start)(const uint8_t magic[CODEC_MAGIC]);
	/* A member begins; *state is NULL at first.  False: no memory. */
	bool (*begin)(void **state);
	/* Moves the pointers on; *flaw: what is wrong, in half a line. */
	enum codec_step (*step)(void *state, struct codec_io *io,
				const char **flaw);
	void (*finish)(void *state); /* NULL is fine */
};

/* NULL: plain data. */
const struct codec *codec_find(const uint8_t magic[CODEC_MAGIC]);

/* What else this could be that is not read here: "bzip2"; NULL: nothing. */
const char *codec_foreign(const uint8_t magic[CODEC_MAGIC]);

#endif
