/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

const char *const pack_names[NR_PACKS] = {"plain", "gzip", "xz", "zstd"};

void bytes_add(struct bytes *bytes, const void *data, size_t len)
{
	if (bytes->len + len >= bytes->room) {
		bytes->room = 2 * (bytes->len + len) + 1;
		bytes->data = realloc(bytes->data, bytes->room);
		assert_non_null(bytes->data);
	}
	memcpy(bytes->data + bytes->len, data, len);
	bytes->len += len;
}

void bytes_add_text(struct bytes *bytes, const char *text)
{
	bytes_add(bytes, text, strlen(text));
}

static size_t gzip(uint8_t *out, size_t room, const void *data, size_t len)
{
	z_stream z = {.next_in = (Bytef *)data,
		      .avail_in = (uInt)len,
		      .next_out = out,
		      .avail_out = (uInt)room};

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8,
				      Z_DEFAULT_STRATEGY),
			 Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return room - z.avail_out;
}

static size_t xz(uint8_t *out, size_t room, const void *data, size_t len)
{
	size_t used = 0;

	assert_int_equal(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC64, NULL,
						 data, len, out, &used, room),
			 LZMA_OK);
	return used;
}

static size_t zstd(uint8_t *out, size_t room, const void *data, size_t len)
{
	ZSTD_CCtx *ctx = ZSTD_createCCtx();
	size_t used;

	assert_non_null(ctx);
	ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 1);
	used = ZSTD_compress2(ctx, out, room, data, len);
	assert_false(ZSTD_isError(used));
	ZSTD_freeCCtx(ctx);
	return used;
}

void pack_add(struct bytes *bytes, enum pack_kind kind, const void *data,
	      size_t len)
{
	size_t room = len + len / 8 + 4096, used = 0;
	uint8_t *out = malloc(room);

	assert_non_null(out);
	switch (kind) {
	case PACK_GZIP:
		used = gzip(out, room, data, len);
		break;
	case PACK_XZ:
		used = xz(out, room, data, len);
		break;
	case PACK_ZSTD:
		used = zstd(out, room, data, len);
		break;
	case PACK_PLAIN:
	case NR_PACKS:
		memcpy(out, data, len);
		used = len;
		break;
	}
	bytes_add(bytes, out, used);
	free(out);
}
