/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/codec.h"

#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

/* What a decompressor may take; xz -9 takes 65 MiB, zstd --ultra 128 MiB. */
#define XZ_MEMORY (UINT64_C(256) << 20)

/* --- gzip ---------------------------------------------------------------- */

static bool is_gzip(const uint8_t magic[CODEC_MAGIC])
{
	/* The method, and flags of which three bits must be 0. */
	return !memcmp(magic, "\x1f\x8b\x08", 3) && !(magic[3] & 0xe0);
}

static bool gzip_begin(void **state)
{
	z_stream *z = *state;

	if (z)
		return inflateReset(z) == Z_OK;
	z = calloc(1, sizeof(*z));
	if (z && inflateInit2(z, 16 + MAX_WBITS) != Z_OK) {
		free(z);
		z = NULL;
	}
	*state = z;
	return z;
}

static enum codec_step gzip_step(void *state, struct codec_io *io,
				 const char **flaw)
{
	z_stream *z = state;
	int got;

	z->next_in = (Bytef *)io->in;
	z->avail_in = (uInt)io->nr_in;
	z->next_out = io->out;
	z->avail_out = (uInt)io->nr_out;
	got = inflate(z, Z_NO_FLUSH);
	*io = (struct codec_io){z->next_in, z->avail_in, z->next_out,
				z->avail_out};
	if (got == Z_STREAM_END)
		return CODEC_END;
	if (got == Z_OK || got == Z_BUF_ERROR)
		return CODEC_MORE;
	*flaw = z->msg ? z->msg : "out of memory";
	return CODEC_FLAW;
}

static void gzip_finish(void *state)
{
	if (state)
		inflateEnd(state);
	free(state);
}

/* --- xz ------------------------------------------------------------------ */

static bool is_xz(const uint8_t magic[CODEC_MAGIC])
{
	return !memcmp(magic,
		       "\xfd"
		       "7zXZ",
		       CODEC_MAGIC);
}

static bool xz_begin(void **state)
{
	lzma_stream *xz = *state;

	if (!xz) {
		xz = malloc(sizeof(*xz));
		if (!xz)
			return false;
		*xz = (lzma_stream)LZMA_STREAM_INIT;
		*state = xz;
	}
	return lzma_stream_decoder(xz, XZ_MEMORY, 0) == LZMA_OK;
}

static const char *xz_flaw(lzma_ret got)
{
	switch ((int)got) {
	case LZMA_MEM_ERROR:
		return "out of memory";
	case LZMA_MEMLIMIT_ERROR:
		return "its dictionary is larger than 256 MiB";
	case LZMA_OPTIONS_ERROR:
		return "an option or filter that is not known";
	case LZMA_FORMAT_ERROR:
		return "no header";
	default:
		return "invalid data or wrong check";
	}
}

static enum codec_step xz_step(void *state, struct codec_io *io,
			       const char **flaw)
{
	lzma_stream *xz = state;
	lzma_ret got;

	xz->next_in = io->in;
	xz->avail_in = io->nr_in;
	xz->next_out = io->out;
	xz->avail_out = io->nr_out;
	got = lzma_code(xz, LZMA_RUN);
	*io = (struct codec_io){xz->next_in, xz->avail_in, xz->next_out,
				xz->avail_out};
	if (got == LZMA_STREAM_END)
		return CODEC_END;
	if (got == LZMA_OK || got == LZMA_BUF_ERROR)
		return CODEC_MORE;
	*flaw = xz_flaw(got);
	return CODEC_FLAW;
}

static void xz_finish(void *state)
{
	if (state)
		lzma_end(state);
	free(state);
}

/* --- zstd ---------------------------------------------------------------- */

static bool is_zstd(const uint8_t magic[CODEC_MAGIC])
{
	/* A frame, or one to be skipped, which the library does. */
	return !memcmp(magic, "\x28\xb5\x2f\xfd", 4) ||
	       ((magic[0] & 0xf0) == 0x50 &&
		!memcmp(magic + 1, "\x2a\x4d\x18", 3));
}

static bool zstd_begin(void **state)
{
	if (!*state)
		*state = ZSTD_createDCtx();
	return *state;
}

static enum codec_step zstd_step(void *state, struct codec_io *io,
				 const char **flaw)
{
	ZSTD_inBuffer in = {io->in, io->nr_in, 0};
	ZSTD_outBuffer out = {io->out, io->nr_out, 0};
	size_t got = ZSTD_decompressStream(state, &out, &in);

	*io = (struct codec_io){io->in + in.pos, io->nr_in - in.pos,
				io->out + out.pos, io->nr_out - out.pos};
	if (ZSTD_isError(got)) {
		*flaw = ZSTD_getErrorName(got);
		return CODEC_FLAW;
	}
	return got ? CODEC_MORE : CODEC_END;
}

static void zstd_finish(void *state)
{
	ZSTD_freeDCtx(state);
}

/* ------------------------------------------------------------------------- */

static const struct codec codecs[] = {
	{"gzip", is_gzip, gzip_begin, gzip_step, gzip_finish},
	{"xz", is_xz, xz_begin, xz_step, xz_finish},
	{"zstd", is_zstd, zstd_begin, zstd_step, zstd_finish},
};

const struct codec *codec_find(const uint8_t magic[CODEC_MAGIC])
{
	for (size_t i = 0; i < ARRAY_LEN(codecs); i++)
		if (codecs[i].is_start(magic))
			return &codecs[i];
	return NULL;
}

const char *codec_foreign(const uint8_t magic[CODEC_MAGIC])
{
	if (!memcmp(magic, "BZh", 3) && magic[3] >= '1' && magic[3] <= '9')
		return "bzip2";
	if (!memcmp(magic, "PK\x03\x04", 4))
		return "zip";
	if (!memcmp(magic, "\x04\x22\x4d\x18", 4))
		return "lz4";
	return NULL;
}
