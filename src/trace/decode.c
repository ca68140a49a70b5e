/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hot loop is decode_batch().  It checks no bounds: a batch can go beyond
 * its column by so much only, which is there to be read (DECODE_SLACK), and is
 * looked at before anyone sees the result.
 */
#include "trace/chunk.h"

#include <errno.h>
#include <stdlib.h>

#include "trace/le.h"

/* How an op gets its address, the usual ways first. */
enum path {
	PATH_NEXT,   /* a fetch right after the latest */
	PATH_DATA,   /* data near the latest */
	PATH_FETCH,  /* another fetch */
	PATH_SECOND, /* data near the second latest */
	PATH_FIND,   /* data near none of the two, or at a new place */
};

/* An op kind, ready to use. */
struct op {
	struct trace_ref ref; /* but for the address, and a count above 1 */
	uint64_t delta_mask;
	uint32_t count_mask;
	uint8_t delta_len, count_len;
	uint8_t path;
	uint8_t step; /* the next address is expected so far behind it */
	uint8_t rank; /* of the address to start from */
	uint8_t to;   /* rank of the one that makes room for the new one */
};

/*
 * What the decoding of references goes by, in registers.  So are the two
 * latest addresses of either class: each hangs on those before it, and going
 * through memory would be most of the time it takes.
 */
struct cursor {
	const uint8_t *op, *delta, *count;
	gva_t fetched, fetched_before;
	gva_t touched, touched_before;
};
_Static_assert(FETCH_SLOTS == 2, "no fetch needs an older address");

struct column {
	const uint8_t *p;
	const uint8_t *end;
};

struct decoder {
	enum trace_granularity granularity;
	const uint8_t *ops_end, *deltas_end, *counts_end;
	struct item_source items;
	uint32_t nr_kinds;
	struct cursor cursor;
	gva_t older[DATA_SLOTS]; /* the data addresses of ranks 2 and up */
	uint64_t by_age;         /* where they are, see find() */
	struct item_state state;
	struct op kinds[OP_KINDS_MAX];
	struct trace_ref refs[DECODE_BATCH];
	uint64_t table[PT_ENTRIES];
};

struct decoder *decoder_create(enum trace_granularity granularity)
{
	struct decoder *dec = calloc(1, sizeof(*dec));

	if (dec)
		dec->granularity = granularity;
	return dec;
}

void decoder_destroy(struct decoder *dec)
{
	free(dec);
}

static enum path op_path(const struct op *op, unsigned int delta)
{
	if (op->ref.kind == TRACE_FETCH)
		return op->to || delta ? PATH_FETCH : PATH_NEXT;
	if (op->to > 1)
		return PATH_FIND;
	return op->to ? PATH_SECOND : PATH_DATA;
}

static bool set_kind(struct decoder *dec, struct op *op, uint32_t word)
{
	unsigned int kind = word & 3, size = word >> KIND_SIZE & 0xff;
	unsigned int delta = word >> KIND_DELTA & 7;
	unsigned int rank = word >> KIND_RANK & 7;
	unsigned int count = word >> KIND_COUNT & 3;
	unsigned int slots = kind == TRACE_FETCH ? FETCH_SLOTS : DATA_SLOTS;
	bool full = dec->granularity == TRACE_FULL;

	if (word >> KIND_BITS || kind > TRACE_WRITE || !size ||
	    delta >= DELTA_CLASSES || rank >= slots ||
	    (full && count_length(count)))
		return false;
	*op = (struct op){
		.ref = {.count = count != COUNT_NONE,
			.kind = (uint8_t)kind,
			.size = (uint8_t)size,
			.user = (word & KIND_USER) != 0,
			.implicit = (word & KIND_IMPLICIT) != 0,
			.ac = (word & KIND_AC) != 0},
		.delta_len = (uint8_t)delta_length(delta),
		.count_len = (uint8_t)count_length(count),
		.step = (uint8_t)(full && kind == TRACE_FETCH ? size : 0),
		.rank = (uint8_t)rank,
		.to = (uint8_t)(delta > DELTA_NEAR ? slots - 1 : rank),
	};
	op->path = (uint8_t)op_path(op, delta);
	if (op->delta_len)
		op->delta_mask = ~UINT64_C(0) >> (64 - 8 * op->delta_len);
	if (op->count_len)
		op->count_mask = ~UINT32_C(0) >> (32 - 8 * op->count_len);
	return true;
}

/* The next len bytes of what is left. */
static bool take(struct column *from, uint32_t len, struct column *ret)
{
	if ((uint64_t)(from->end - from->p) < len)
		return false;
	*ret = (struct column){from->p, from->p + len};
	from->p += len;
	return true;
}

static bool take_columns(struct decoder *dec, const uint8_t *raw, uint32_t len,
			 struct column *kinds)
{
	struct column rest = {raw + RAW_HEADER, raw + len};
	struct column ops, deltas, counts, items;

	if (len < RAW_HEADER)
		return false;
	dec->nr_kinds = get_le32(raw);
	if (dec->nr_kinds > OP_KINDS_MAX ||
	    !take(&rest, dec->nr_kinds * 4, kinds) ||
	    !take(&rest, get_le32(raw + 4), &ops) ||
	    !take(&rest, get_le32(raw + 8), &deltas) ||
	    !take(&rest, get_le32(raw + 12), &counts) ||
	    !take(&rest, get_le32(raw + 16), &items) || rest.p != rest.end)
		return false;
	dec->cursor = (struct cursor){
		.op = ops.p, .delta = deltas.p, .count = counts.p};
	dec->ops_end = ops.end;
	dec->deltas_end = deltas.end;
	dec->counts_end = counts.end;
	dec->items = (struct item_source){items.p, items.end, false};
	return true;
}

/*
 * With fewer kinds than short ops there is no cause for a long op, so that
 * each byte can be looked at alone; with more, no short op can be wrong.
 */
static bool are_short_ops_known(const struct decoder *dec)
{
	bool known = true;

	if (dec->nr_kinds >= OP_ITEM)
		return true;
	for (const uint8_t *p = dec->cursor.op; p < dec->ops_end; p++)
		known &= *p < dec->nr_kinds || *p == OP_ITEM;
	return known;
}

const char *decoder_start(struct decoder *dec, const uint8_t *raw, uint32_t len)
{
	struct column kinds;

	if (!take_columns(dec, raw, len, &kinds))
		return "its columns do not fit";
	for (uint32_t i = 0; i < dec->nr_kinds; i++) {
		if (!set_kind(dec, &dec->kinds[i], get_le32(kinds.p + 4 * i)))
			return "an op of no kind";
	}
	if (!are_short_ops_known(dec))
		return "an op of an unknown kind";
	memset(dec->older, 0, sizeof(dec->older));
	dec->by_age = UINT64_C(0x76543210);
	dec->state = (struct item_state){0};
	return NULL;
}

/*
 * Older addresses stay where they are; what moves is the numbers of their
 * slots, four bits each, latest first.
 */
static inline gva_t find(struct decoder *dec, const struct op *op,
			 const struct cursor *c)
{
	unsigned int to = 4 * (op->to - 2u);
	uint64_t ages = dec->by_age, moved = (UINT64_C(16) << to) - 1;
	uint64_t slot = ages >> to & 15;
	gva_t from = op->rank ? c->touched_before : c->touched;

	if (op->rank >= 2)
		from = dec->older[ages >> 4 * (op->rank - 2u) & 15];
	dec->older[slot] = c->touched_before;
	dec->by_age = (ages & ~moved) | (ages << 4 & moved) | slot;
	return from;
}

static inline gva_t next_delta(const struct op *op, struct cursor *c)
{
	uint64_t val = get_le64(c->delta) & op->delta_mask;

	c->delta += op->delta_len;
	return unzigzag(val);
}

static inline gva_t next_fetch(const struct op *op, struct cursor *c)
{
	gva_t gva = op->rank ? c->fetched_before : c->fetched;

	gva += next_delta(op, c);
	if (op->to)
		c->fetched_before = c->fetched;
	c->fetched = gva + op->step;
	return gva;
}

static inline gva_t next_gva(struct decoder *dec, const struct op *op,
			     struct cursor *c)
{
	gva_t gva;

	if (likely(op->path == PATH_NEXT)) {
		gva = c->fetched;
		c->fetched += op->step;
		return gva;
	}
	if (op->path == PATH_DATA) {
		c->touched += next_delta(op, c);
		return c->touched;
	}
	if (op->path == PATH_FETCH)
		return next_fetch(op, c);

	gva = op->path == PATH_SECOND ? c->touched_before : find(dec, op, c);
	gva += next_delta(op, c);
	c->touched_before = c->touched;
	c->touched = gva;
	return gva;
}

/* No op takes less than a byte: so many references there can be at most. */
static struct trace_ref *batch_end(struct decoder *dec, struct trace_ref *ref,
				   const uint8_t *op)
{
	ptrdiff_t room = dec->refs + DECODE_BATCH - ref;
	ptrdiff_t left = dec->ops_end > op ? dec->ops_end - op : 0;

	return ref + (left < room ? left : room);
}

/* A batch ends at an item.  Returns its length, 0: a number is too high. */
static uint32_t decode_batch(struct decoder *dec)
{
	bool counted = dec->granularity != TRACE_FULL;
	struct cursor c = dec->cursor;
	struct trace_ref *ref = dec->refs, *end = batch_end(dec, ref, c.op);

	for (; ref < end; ref++) {
		uint32_t number = *c.op;
		const struct op *op;

		if (unlikely(number >= OP_ITEM)) {
			if (number == OP_ITEM)
				break;
			number = c.op[1] | (uint32_t)c.op[2] << 8;
			if (number >= dec->nr_kinds)
				return 0;
			c.op += 2;
			end = batch_end(dec, ref, c.op);
		}
		c.op++;
		op = &dec->kinds[number];
		*ref = op->ref;
		ref->gva = next_gva(dec, op, &c);
		if (counted) {
			ref->count += get_le32(c.count) & op->count_mask;
			c.count += op->count_len;
		}
	}
	dec->cursor = c;
	return (uint32_t)(ref - dec->refs);
}

static int next_item(struct decoder *dec, uint64_t insns,
		     struct trace_item *item, const char **flaw)
{
	dec->cursor.op++;
	item_get(&dec->state, insns, &dec->items, item, dec->table);
	if (!dec->items.bad)
		return 1;
	*flaw = "an item that makes no sense";
	return -EINVAL;
}

static int end_chunk(const struct decoder *dec, const char **flaw)
{
	if (dec->cursor.delta == dec->deltas_end &&
	    dec->cursor.count == dec->counts_end &&
	    dec->items.p == dec->items.end)
		return 0;
	*flaw = "bytes that belong to no item";
	return -EINVAL;
}

int decoder_next(struct decoder *dec, uint64_t insns, struct trace_item *item,
		 const char **flaw)
{
	uint32_t nr;

	if (dec->cursor.op == dec->ops_end)
		return end_chunk(dec, flaw);
	if (*dec->cursor.op == OP_ITEM)
		return next_item(dec, insns, item, flaw);

	nr = decode_batch(dec);
	if (!nr || dec->cursor.op > dec->ops_end ||
	    dec->cursor.delta > dec->deltas_end ||
	    dec->cursor.count > dec->counts_end) {
		*flaw = "references that make no sense";
		return -EINVAL;
	}
	*item = (struct trace_item){
		.kind = TRACE_ITEM_REFS, .refs = dec->refs, .nr = nr};
	return 1;
}
