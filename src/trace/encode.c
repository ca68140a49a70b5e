/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two passes: while items come in, ops are numbers of op kinds in the order of
 * their first use; at the end the most frequent get the short ops.
 */
#include "trace/chunk.h"

#include <stdlib.h>

#include "base/bug.h"
#include "base/hash.h"
#include "trace/le.h"

#define ITEM_MARK 0xffffu
_Static_assert(OP_KINDS_MAX < ITEM_MARK, "kinds and items are told apart");

/* Chunks end by records, by bytes, or by kinds; ops hold items as well. */
#define OPS_MAX (2 * CHUNK_RECORDS_MAX)

struct op_kind {
	uint32_t word;
	uint32_t uses;
	uint16_t first; /* number by first use */
};

/*
 * Few kinds are in use at a time, but `number` spreads them over megabytes:
 * the last one of each slot is looked at first.
 */
#define RECENT_BITS 10

struct recent_kind {
	uint32_t word;
	uint32_t number; /* from 1; 0: none */
};

struct encoder {
	enum trace_granularity granularity;
	gva_t fetched[FETCH_SLOTS];
	gva_t touched[DATA_SLOTS];
	struct item_state state;
	uint32_t nr_records, nr_items, nr_ops, nr_kinds;
	uint8_t *delta, *count, *item; /* where the next bytes go */
	struct recent_kind recent[1u << RECENT_BITS];
	struct op_kind kinds[OP_KINDS_MAX];
	uint16_t number[1u << KIND_BITS]; /* of a kind, from 1; 0: none */
	uint16_t ops[OPS_MAX];
	/* The columns; a last reference or item may go beyond the soft limit.
	 */
	uint8_t deltas[CHUNK_RAW_SOFT + 8];
	uint8_t counts[CHUNK_RECORDS_MAX * 3 + 1];
	uint8_t items[CHUNK_RAW_SOFT + ITEM_BYTES_MAX];
	uint8_t raw[CHUNK_RAW_MAX];
};

struct encoder *encoder_create(enum trace_granularity granularity)
{
	struct encoder *enc = calloc(1, sizeof(*enc));

	if (!enc)
		return NULL;
	enc->granularity = granularity;
	encoder_start(enc);
	return enc;
}

void encoder_destroy(struct encoder *enc)
{
	free(enc);
}

void encoder_start(struct encoder *enc)
{
	for (uint32_t i = 0; i < enc->nr_kinds; i++)
		enc->number[enc->kinds[i].word] = 0;
	memset(enc->recent, 0, sizeof(enc->recent));
	memset(enc->fetched, 0, sizeof(enc->fetched));
	memset(enc->touched, 0, sizeof(enc->touched));
	enc->state = (struct item_state){0};
	enc->nr_records = enc->nr_items = enc->nr_ops = enc->nr_kinds = 0;
	enc->delta = enc->deltas;
	enc->count = enc->counts;
	enc->item = enc->items;
}

uint32_t encoder_records(const struct encoder *enc)
{
	return enc->nr_records;
}

uint32_t encoder_items(const struct encoder *enc)
{
	return enc->nr_items;
}

/* Of a reference in raw_bound(): a kind, an op, a difference and a count. */
#define REF_BYTES_MAX (4 + 3 + 8 + 3)

/* The most the chunk can come to, each op being long. */
static size_t raw_bound(const struct encoder *enc)
{
	return RAW_HEADER + enc->nr_kinds * 4 + (size_t)enc->nr_ops * 3 +
	       (size_t)(enc->delta - enc->deltas) +
	       (size_t)(enc->count - enc->counts) +
	       (size_t)(enc->item - enc->items);
}

bool encoder_is_full(const struct encoder *enc)
{
	return enc->nr_records == CHUNK_RECORDS_MAX || enc->nr_ops == OPS_MAX ||
	       enc->nr_kinds == OP_KINDS_MAX ||
	       raw_bound(enc) >= CHUNK_RAW_SOFT;
}

/* From 1. */
static cold_path uint32_t number_of(struct encoder *enc, uint32_t word)
{
	uint16_t number = enc->number[word];

	if (!number) {
		number = (uint16_t)++enc->nr_kinds;
		enc->number[word] = number;
		enc->kinds[number - 1] = (struct op_kind){
			.word = word, .first = (uint16_t)(number - 1)};
	}
	return number;
}

static inline void put_op(struct encoder *enc, uint32_t word)
{
	struct recent_kind *recent = &enc->recent[hash_u64(word, RECENT_BITS)];

	if (unlikely(recent->word != word || !recent->number))
		*recent = (struct recent_kind){word, number_of(enc, word)};
	enc->kinds[recent->number - 1].uses++;
	enc->ops[enc->nr_ops++] = (uint16_t)(recent->number - 1);
}

static unsigned int delta_class(uint64_t val)
{
	if (val < BIT(8))
		return val != 0;
	return val < BIT(16) ? 2 : val < BIT(32) ? 3 : 4;
}

/* The difference takes a byte at most: its zigzag() is less than BIT(8). */
static inline bool is_close(gva_t gva, gva_t slot)
{
	return gva - slot + BIT(7) < BIT(8);
}

/* A bit for each that is.  No branches: which it is is hard to predict. */
static inline uint32_t close_slots(const gva_t *slots, unsigned int nr,
				   gva_t gva)
{
	uint32_t ret = 0;

	for (unsigned int i = 0; i < nr; i++)
		ret |= (uint32_t)is_close(gva, slots[i]) << i;
	return ret;
}

/* The slot from which the difference is the shortest; the latest of those. */
static unsigned int nearest(const gva_t *slots, unsigned int nr, gva_t gva)
{
	unsigned int best = delta_class(zigzag(gva - slots[0])), rank = 0;

	for (unsigned int i = 1; i < nr; i++) {
		unsigned int class = delta_class(zigzag(gva - slots[i]));

		if (class < best) {
			best = class;
			rank = i;
		}
	}
	return rank;
}

/* A full trace expects the next instruction after this one. */
static inline void remember(gva_t *slots, unsigned int nr, unsigned int to,
			    gva_t gva)
{
	for (unsigned int i = nr - 1; i; i--)
		slots[i] = i <= to ? slots[i - 1] : slots[i];
	slots[0] = gva;
}

/* The first slot that is close, or the nearest one. */
static inline uint32_t put_delta(struct encoder *enc, gva_t *slots,
				 unsigned int nr, gva_t gva, gva_t next)
{
	uint32_t close = close_slots(slots, nr, gva);
	unsigned int rank = likely(close) ? (unsigned int)__builtin_ctz(close)
					  : nearest(slots, nr, gva);
	uint64_t delta = zigzag(gva - slots[rank]);
	unsigned int length = delta_class(delta);

	put_le64(enc->delta, delta);
	enc->delta += delta_length(length);
	remember(slots, nr, length > DELTA_NEAR ? nr - 1 : rank, next);
	return length << KIND_DELTA | rank << KIND_RANK;
}

static inline uint32_t put_address(struct encoder *enc,
				   const struct trace_ref *ref)
{
	bool ahead = enc->granularity == TRACE_FULL;

	if (ref->kind == TRACE_FETCH)
		return put_delta(enc, enc->fetched, FETCH_SLOTS, ref->gva,
				 ref->gva + (ahead ? ref->size : 0));
	return put_delta(enc, enc->touched, DATA_SLOTS, ref->gva, ref->gva);
}

static uint32_t put_count(struct encoder *enc, uint32_t count)
{
	uint32_t more = count - 1;
	unsigned int length = !more ? 0 : more < BIT(8) ? 1 : 2;

	if (!count)
		length = COUNT_NONE;
	put_le32(enc->count, more);
	enc->count += count_length(length);
	return length << KIND_COUNT;
}

static inline void put_ref(struct encoder *enc, const struct trace_ref *ref)
{
	uint32_t word = ref->kind | (uint32_t)ref->size << KIND_SIZE;

	if (ref->user)
		word |= KIND_USER;
	if (ref->implicit)
		word |= KIND_IMPLICIT;
	if (ref->ac)
		word |= KIND_AC;
	word |= put_address(enc, ref);
	word |= put_count(enc, ref->count);
	put_op(enc, word);
	enc->nr_records++;
}

/* The chunk is not full before so many more. */
static uint64_t sure_room(const struct encoder *enc)
{
	uint64_t bytes = CHUNK_RAW_SOFT - raw_bound(enc);
	uint64_t room = (bytes + REF_BYTES_MAX - 1) / REF_BYTES_MAX;

	room = min_u64(room, CHUNK_RECORDS_MAX - enc->nr_records);
	room = min_u64(room, OPS_MAX - enc->nr_ops);
	return min_u64(room, OP_KINDS_MAX - enc->nr_kinds);
}

uint32_t encoder_refs(struct encoder *enc, const struct trace_ref *refs,
		      uint32_t nr)
{
	uint32_t done = 0;

	do {
		uint64_t sure = min_u64(nr - done, sure_room(enc));

		while (sure--)
			put_ref(enc, &refs[done++]);
	} while (done < nr && !encoder_is_full(enc));
	return done;
}

void encoder_item(struct encoder *enc, uint64_t insns,
		  const struct trace_item *item)
{
	enc->item = item_put(&enc->state, insns, item, enc->item);
	enc->ops[enc->nr_ops++] = ITEM_MARK;
	enc->nr_items++;
}

static int by_uses(const void *a, const void *b)
{
	const struct op_kind *x = a, *y = b;

	if (x->uses != y->uses)
		return x->uses < y->uses ? 1 : -1;
	return x->first < y->first ? -1 : 1;
}

static uint8_t *put_ops(struct encoder *enc, uint8_t *p)
{
	uint16_t rank[OP_KINDS_MAX];

	for (uint32_t i = 0; i < enc->nr_kinds; i++)
		rank[enc->kinds[i].first] = (uint16_t)i;
	for (uint32_t i = 0; i < enc->nr_ops; i++) {
		uint16_t op = enc->ops[i];

		if (op == ITEM_MARK) {
			*p++ = OP_ITEM;
		} else if (rank[op] < OP_ITEM) {
			*p++ = (uint8_t)rank[op];
		} else {
			*p++ = OP_LONG;
			*p++ = (uint8_t)(rank[op] & 0xff);
			*p++ = (uint8_t)(rank[op] >> 8);
		}
	}
	return p;
}

static uint8_t *put_column(uint8_t *p, const uint8_t *from, const uint8_t *end)
{
	memcpy(p, from, (size_t)(end - from));
	return p + (end - from);
}

const uint8_t *encoder_finish(struct encoder *enc, uint32_t *len)
{
	uint8_t *p = enc->raw + RAW_HEADER, *ops, *header = enc->raw;

	BUG_ON(raw_bound(enc) > CHUNK_RAW_MAX);
	qsort(enc->kinds, enc->nr_kinds, sizeof(enc->kinds[0]), by_uses);
	for (uint32_t i = 0; i < enc->nr_kinds; i++)
		p = put_le32(p, enc->kinds[i].word);
	ops = p;
	p = put_ops(enc, p);

	header = put_le32(header, enc->nr_kinds);
	header = put_le32(header, (uint32_t)(p - ops));
	header = put_le32(header, (uint32_t)(enc->delta - enc->deltas));
	header = put_le32(header, (uint32_t)(enc->count - enc->counts));
	put_le32(header, (uint32_t)(enc->item - enc->items));

	p = put_column(p, enc->deltas, enc->delta);
	p = put_column(p, enc->counts, enc->count);
	p = put_column(p, enc->items, enc->item);
	*len = (uint32_t)(p - enc->raw);
	return enc->raw;
}
