/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers and limits of the file format that reader and writer share.  What
 * they mean is told in docs/trace-format.md; nothing here is a struct that is
 * written as it lies in memory.
 */
#ifndef NOTRAP_TRACE_FORMAT_H
#define NOTRAP_TRACE_FORMAT_H

#include "base/types.h"

/* As PNG's: not text, and a transfer as text would break it visibly. */
#define FILE_MAGIC     "\x89NTR\r\n\x1a\n"
#define FILE_MAGIC_LEN 8
#define FILE_END       "\x1a\nRTN\r\n\x89"

#define HEADER_FIXED    20 /* magic, version, length of text, CRC */
#define HEADER_TEXT_MAX 4096

#define CHUNK_MAGIC  UINT32_C(0x4b43544e) /* "NTCK" */
#define INDEX_MAGIC  UINT32_C(0x5849544e) /* "NTIX" */
#define FOOTER_MAGIC UINT32_C(0x5446544e) /* "NTFT" */

#define CHUNK_HEADER 56
#define CHUNK_CRC    52 /* its place */

#define INDEX_HEADER 12 /* magic, number of entries */
#define INDEX_ENTRY  16

#define FOOTER_LEN 96
#define FOOTER_CRC 84 /* its place; then comes FILE_END */

/* A writer ends a chunk when one of these is reached... */
#define CHUNK_RECORDS_MAX (1u << 19)
#define CHUNK_RAW_SOFT    (UINT32_C(3) << 20)
/* ...so that, whatever the last item was, it never gets beyond this. */
#define CHUNK_RAW_MAX  (UINT32_C(4) << 20)
#define CHUNK_ZSTD_MAX (CHUNK_RAW_MAX + (CHUNK_RAW_MAX >> 8) + 1024)

/* Raw chunk: five numbers, then op kinds, ops, deltas, counts, items. */
#define RAW_HEADER 20

/*
 * An op kind, a 32-bit word of which bits 31..21 are 0.  Bits 1..0 are the
 * enum trace_kind.
 */
#define KIND_USER     BIT(2)
#define KIND_IMPLICIT BIT(3)
#define KIND_SIZE     4  /* 8 bits */
#define KIND_DELTA    12 /* 3 bits: length of the address difference */
#define KIND_RANK     15 /* 3 bits: of the address it is taken from */
#define KIND_COUNT    18 /* 2 bits: length of the count */
#define KIND_AC       BIT(20)
#define KIND_BITS     21

/* Classes of differences, 0..4, and of counts, 0..3: their lengths in bytes. */
#define DELTA_CLASSES 5

static inline unsigned int delta_length(unsigned int of)
{
	return of ? 1u << (of - 1) : 0;
}

static inline unsigned int count_length(unsigned int of)
{
	return of == 1 ? 1 : of == 2 ? 3 : 0;
}

/* A difference of a longer class is to a place that was not known. */
#define DELTA_NEAR 2

/* The count is 0; otherwise what is written is the count less 1. */
#define COUNT_NONE 3

/* Ops below this are numbers of kinds, the most frequent ones. */
#define OP_ITEM 254u /* the next item */
#define OP_LONG 255u /* the number of a kind follows, 16 bits */

#define OP_KINDS_MAX 4096u

/* Last addresses kept, latest first, for fetches and for data. */
#define FETCH_SLOTS 2u
#define DATA_SLOTS  8u

#endif
