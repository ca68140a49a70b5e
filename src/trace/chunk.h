/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of a chunk, before compression: items to bytes and back.
 *
 * References are what counts: each is one op byte, which stands for a
 * combination of kind, size, rights and lengths out of the chunk's own list of
 * op kinds, and a difference of 0 to 8 bytes to one of the last addresses.  No
 * step of their decoding depends on a branch the data chooses, but for a
 * change of the order of these addresses.
 *
 * Nothing carries over from one chunk to the next.
 */
#ifndef NOTRAP_TRACE_CHUNK_H
#define NOTRAP_TRACE_CHUNK_H

#include "trace/format.h"
#include "trace/item.h"
#include "trace/trace.h"

struct encoder;

struct encoder *encoder_create(enum trace_granularity granularity);
void encoder_destroy(struct encoder *enc);

void encoder_start(struct encoder *enc); /* begin a chunk */

/*
 * Not to be called when the chunk is full.  encoder_refs() returns how many of
 * these nr, one at least, went in before it was.  insns: the sum of fetches so
 * far, from which the clock of an event is a small difference.
 */
uint32_t encoder_refs(struct encoder *enc, const struct trace_ref *refs,
		      uint32_t nr);
void encoder_item(struct encoder *enc, uint64_t insns,
		  const struct trace_item *item);
bool encoder_is_full(const struct encoder *enc);

uint32_t encoder_records(const struct encoder *enc);
uint32_t encoder_items(const struct encoder *enc);

/* The bytes of the chunk; valid until encoder_start(). */
const uint8_t *encoder_finish(struct encoder *enc, uint32_t *len);

/* References come in batches of up to this. */
#define DECODE_BATCH 2048u

/* What must be readable behind the bytes given to decoder_start(). */
#define DECODE_SLACK (DECODE_BATCH * 8 + 8)

struct decoder;

struct decoder *decoder_create(enum trace_granularity granularity);
void decoder_destroy(struct decoder *dec);

/* NULL, or what is wrong with the bytes. */
const char *decoder_start(struct decoder *dec, const uint8_t *raw,
			  uint32_t len);

/*
 * 1: an item, valid until the next call; 0: no more; -EINVAL: *flaw says why.
 * What a reference may be is not looked at, see trace_sum_refs().
 */
int decoder_next(struct decoder *dec, uint64_t insns, struct trace_item *item,
		 const char **flaw);

#endif
