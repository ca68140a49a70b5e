/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lane takes a word by xor, rotation and multiplication, which is undone by
 * the reverse: one changed word always changes the lane.  It guards against
 * accidents, not against forgers.
 */
#include "trace/sum.h"

#include "trace/item.h"
#include "trace/le.h"

/* Odd, with bits well spread: 2^64 over the golden ratio; and the first
 * multiplier of the finaliser of MurmurHash3. */
#define MIX  UINT64_C(0x9e3779b97f4a7c15)
#define MIX2 UINT64_C(0xff51afd7ed558ccd)

static inline uint64_t rotate(uint64_t word)
{
	return word << 29 | word >> 35;
}

static inline uint64_t mix(uint64_t lane, uint64_t word)
{
	return rotate(lane ^ word) * MIX;
}

void trace_sum_init(struct trace_sum *sum)
{
	*sum = (struct trace_sum){.other = SUM_LANES};
	for (unsigned int i = 0; i < SUM_LANES; i++)
		sum->lane[i] = i;
}

_Static_assert(sizeof(struct trace_ref) == 16 &&
		       offsetof(struct trace_ref, count) == 8 &&
		       offsetof(struct trace_ref, kind) == 12 &&
		       offsetof(struct trace_ref, size) == 13 &&
		       offsetof(struct trace_ref, user) == 14,
	       "the digest takes all but the address as one number");
_Static_assert(__BYTE_ORDER == __LITTLE_ENDIAN, "and reads it as it lies");

struct ref_sum {
	uint64_t refs, insns;
	uint64_t ends; /* all ends of references within their page, or'ed */
};

/*
 * What one reference adds to a sum; returns its lane.  No branches: what kind
 * comes next is hard to predict.
 */
static inline uint64_t add_ref(struct ref_sum *s, uint64_t lane,
			       const struct trace_ref *ref)
{
	uint64_t rest = get_le64((const uint8_t *)ref +
				 offsetof(struct trace_ref, count));
	uint64_t count = rest & UINT32_MAX, size = rest >> 40 & 0xff;
	uint64_t is_fetch = (rest >> 32 & 0xff) == TRACE_FETCH;

	s->refs += count;
	s->insns += count & (0 - is_fetch);
	s->ends |= (ref->gva & PAGE_MASK) + size - 1;
	return (rotate(lane ^ ref->gva) + rest) * MIX;
}

bool trace_sum_refs(struct trace_sum *sum, const struct trace_ref *refs,
		    uint32_t nr)
{
	unsigned int first = sum->totals.records % SUM_LANES;
	uint64_t a = sum->lane[first], b = sum->lane[(first + 1) % SUM_LANES];
	uint64_t c = sum->lane[(first + 2) % SUM_LANES];
	uint64_t d = sum->lane[(first + 3) % SUM_LANES];
	struct ref_sum s = {0};
	const struct trace_ref *ref = refs, *end = refs + nr;

	for (; end - ref >= SUM_LANES; ref += SUM_LANES) {
		a = add_ref(&s, a, &ref[0]);
		b = add_ref(&s, b, &ref[1]);
		c = add_ref(&s, c, &ref[2]);
		d = add_ref(&s, d, &ref[3]);
	}
	sum->lane[first] = a;
	sum->lane[(first + 1) % SUM_LANES] = b;
	sum->lane[(first + 2) % SUM_LANES] = c;
	sum->lane[(first + 3) % SUM_LANES] = d;
	for (; ref < end; ref++, first++) {
		uint64_t *lane = &sum->lane[first % SUM_LANES];

		*lane = add_ref(&s, *lane, ref);
	}
	sum->totals.refs += s.refs;
	sum->totals.records += nr;
	sum->totals.insns += s.insns;
	return s.ends < PAGE_SIZE;
}

static uint64_t mix_event(uint64_t lane, const struct guest_event *ev)
{
	lane = mix(lane, trace_event_code(ev->kind));
	lane = mix(lane, ev->access | (uint64_t)ev->error << 32);
	lane = mix(lane, ev->size | (uint64_t)ev->cpl << 8 |
				 (uint64_t)ev->cr << 16 |
				 (uint64_t)ev->reg << 24 |
				 (uint64_t)ev->vector << 32 |
				 (uint64_t)ev->type << 40 |
				 (uint64_t)ev->insn_len << 48 |
				 (uint64_t)ev->has_error << 56 |
				 (uint64_t)ev->if_open << 57);
	lane = mix(lane, ev->gva);
	lane = mix(lane, ev->rip);
	lane = mix(lane, ev->value);
	return mix(lane, ev->insns);
}

static uint64_t mix_write(uint64_t lane, const struct trace_item *item)
{
	uint8_t bytes[GUEST_STORE_MAX] = {0};

	memcpy(bytes, item->bytes, item->size);
	lane = mix(lane, item->gpa);
	lane = mix(lane, item->gva);
	lane = mix(lane, item->size);
	lane = mix(lane, get_le64(bytes));
	return mix(lane, get_le64(bytes + 8));
}

/* The number of records before it ties an item to its place among them. */
void trace_sum_item(struct trace_sum *sum, const struct trace_item *item)
{
	uint64_t lane = sum->other;

	lane = mix(lane, sum->totals.records);
	lane = mix(lane, item->kind);
	switch (item->kind) {
	case TRACE_ITEM_EVENT:
		sum->totals.events++;
		lane = mix_event(lane, &item->event);
		break;
	case TRACE_ITEM_TABLE:
		sum->totals.tables++;
		lane = mix(lane, item->gpa);
		for (unsigned int i = 0; i < PT_ENTRIES; i++)
			lane = mix(lane, item->table[i]);
		break;
	case TRACE_ITEM_TABLE_WRITE:
		sum->totals.table_writes++;
		lane = mix_write(lane, item);
		break;
	case TRACE_ITEM_TABLE_END:
		lane = mix(lane, item->gpa);
		break;
	case TRACE_ITEM_FAULT:
		sum->totals.faults++;
		lane = mix(lane, item->gva);
		lane = mix(lane, item->error);
		break;
	case TRACE_ITEM_MARK:
	case TRACE_ITEM_VCPU:
		lane = mix(lane, item->id);
		break;
	case TRACE_ITEM_REFS:
		break;
	}
	sum->other = lane;
}

uint64_t trace_sum_digest(const struct trace_sum *sum)
{
	uint64_t h = mix(0, sum->totals.records);

	for (unsigned int i = 0; i < SUM_LANES; i++)
		h = mix(h, sum->lane[i]);
	h = mix(h, sum->other);
	h ^= h >> 32;
	h *= MIX2;
	return h ^ h >> 32;
}
