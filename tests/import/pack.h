/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compressed data, made by the libraries themselves. */
#ifndef NOTRAP_TESTS_IMPORT_PACK_H
#define NOTRAP_TESTS_IMPORT_PACK_H

#include <stddef.h>
#include <stdint.h>

enum pack_kind {
	PACK_PLAIN,
	PACK_GZIP,
	PACK_XZ,
	PACK_ZSTD,
	NR_PACKS,
};

extern const char *const pack_names[NR_PACKS];

struct bytes {
	uint8_t *data;
	size_t len, room;
};

/* Appends; free(bytes->data). */
void bytes_add(struct bytes *bytes, const void *data, size_t len);
void bytes_add_text(struct bytes *bytes, const char *text);

/* Appends a member, with a check of its contents. */
void pack_add(struct bytes *bytes, enum pack_kind kind, const void *data,
	      size_t len);

#endif
