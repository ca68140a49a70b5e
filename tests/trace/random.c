/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "random.h"

#include <stdio.h>
#include <string.h>

void rng_init(struct rng *rng, uint64_t seed)
{
	*rng = (struct rng){.state = seed * 2 + 1,
			    .pc = 0x401000,
			    .stack = 0x7ffffffde000,
			    .heap = 0x55555555a000};
}

/* xorshift64* (Marsaglia, Vigna). */
uint64_t rng_next(struct rng *rng)
{
	uint64_t x = rng->state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	rng->state = x;
	return x * UINT64_C(0x2545f4914f6cdd1d);
}

uint64_t rng_below(struct rng *rng, uint64_t limit)
{
	return (rng_next(rng) >> 11) % limit;
}

static bool one_in(struct rng *rng, uint64_t n)
{
	return rng_below(rng, n) == 0;
}

static void fit_page(struct trace_ref *ref)
{
	if ((ref->gva & PAGE_MASK) + ref->size > PAGE_SIZE)
		ref->size = (uint8_t)(PAGE_SIZE - (ref->gva & PAGE_MASK));
}

void random_program_ref(struct rng *rng, struct trace_ref *ref)
{
	*ref = (struct trace_ref){.count = 1, .user = true};
	if (!one_in(rng, 3)) {
		ref->gva = rng->pc;
		ref->size = (uint8_t)(1 + rng_below(rng, 7));
		rng->pc += ref->size;
		if (one_in(rng, 8))
			rng->pc = 0x401000 + rng_below(rng, 0x6000);
	} else if (one_in(rng, 2)) {
		rng->stack += 8 * rng_below(rng, 8) - 24;
		ref->gva = rng->stack;
		ref->size = 8;
		ref->kind = one_in(rng, 2) ? TRACE_READ : TRACE_WRITE;
	} else {
		rng->heap += one_in(rng, 20) ? rng_below(rng, 1 << 22) : 4;
		ref->gva = rng->heap;
		ref->size = (uint8_t)(1u << rng_below(rng, 7));
		ref->kind = one_in(rng, 4) ? TRACE_WRITE : TRACE_READ;
	}
	fit_page(ref);
}

static uint64_t any_number(struct rng *rng)
{
	switch (rng_below(rng, 5)) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX - rng_below(rng, 3);
	case 2:
		return rng_below(rng, 256);
	case 3:
		return BIT(rng_below(rng, 64));
	default:
		return rng_next(rng);
	}
}

void random_ref(struct rng *rng, bool counted, struct trace_ref *ref)
{
	*ref = (struct trace_ref){
		.gva = any_number(rng),
		.count = !one_in(rng, 8),
		.kind = (uint8_t)rng_below(rng, 3),
		.size = (uint8_t)(1 + rng_below(rng, 255)),
		.user = one_in(rng, 2),
		.implicit = one_in(rng, 4),
		.ac = one_in(rng, 4),
	};
	if (counted && one_in(rng, 2))
		ref->count = (uint32_t)(any_number(rng) % TRACE_COUNT_MAX) + 1;
	fit_page(ref);
}

static void random_event(struct rng *rng, struct guest_event *ev)
{
	static const uint8_t types[] = {0, 2, 3, 4, 5, 6};

	do {
		ev->kind =
			(enum guest_event_kind)rng_below(rng, NR_GUEST_EVENTS);
	} while (ev->kind == GE_ACCESS || ev->kind == GE_STORE);
	ev->gva = any_number(rng);
	ev->rip = any_number(rng);
	ev->insns = any_number(rng);
	ev->cpl = (uint8_t)rng_below(rng, 4);
	if (one_in(rng, 3))
		return;
	ev->access = (uint32_t)any_number(rng);
	ev->error = (uint32_t)any_number(rng);
	ev->size = (uint8_t)rng_below(rng, GUEST_STORE_MAX + 1);
	ev->cr = (uint8_t)rng_below(rng, 16);
	ev->reg = (uint8_t)rng_below(rng, 16);
	ev->vector = (uint8_t)any_number(rng);
	ev->type = types[rng_below(rng, sizeof(types))];
	ev->insn_len = (uint8_t)rng_below(rng, 16);
	ev->has_error = one_in(rng, 2);
	ev->if_open = one_in(rng, 2);
	ev->value = any_number(rng);
}

static void random_write(struct rng *rng, struct trace_item *item)
{
	item->size = (uint8_t)(1 + rng_below(rng, GUEST_STORE_MAX));
	item->gpa = any_number(rng) % BIT(52);
	if ((item->gpa & PAGE_MASK) + item->size > PAGE_SIZE)
		item->gpa &= ~PAGE_MASK;
	item->gva = any_number(rng);
	for (int i = 0; i < item->size; i++)
		item->bytes[i] = (uint8_t)any_number(rng);
}

void random_item(struct rng *rng, struct trace_item *item,
		 uint64_t table[PT_ENTRIES])
{
	uint64_t sparse = 1 + rng_below(rng, 600);

	*item = (struct trace_item){
		.kind = (enum trace_item_kind)(
			1 + rng_below(rng, NR_TRACE_ITEM_KINDS - 1))};
	switch (item->kind) {
	case TRACE_ITEM_EVENT:
		random_event(rng, &item->event);
		break;
	case TRACE_ITEM_TABLE:
		item->gpa = any_number(rng) % BIT(52) & ~PAGE_MASK;
		item->table = table;
		for (int i = 0; i < PT_ENTRIES; i++)
			table[i] = one_in(rng, sparse) ? any_number(rng) : 0;
		break;
	case TRACE_ITEM_TABLE_WRITE:
		random_write(rng, item);
		break;
	case TRACE_ITEM_TABLE_END:
		item->gpa = any_number(rng) % BIT(52) & ~PAGE_MASK;
		break;
	case TRACE_ITEM_FAULT:
		item->gva = any_number(rng);
		item->error = (uint32_t)any_number(rng);
		break;
	case TRACE_ITEM_VCPU:
		item->id = (uint32_t)rng_below(rng, TRACE_VCPUS_MAX);
		break;
	default:
		item->id = (uint32_t)any_number(rng);
		break;
	}
}

struct trace_info random_info(struct rng *rng,
			      enum trace_granularity granularity)
{
	struct trace_info info = {
		.granularity = granularity,
		.memory = any_number(rng),
		.cr0 = any_number(rng),
		.cr3 = any_number(rng),
		.cr4 = any_number(rng),
		.efer = any_number(rng),
	};

	for (int i = 0; i < 4; i++)
		info.pdpte[i] = any_number(rng);
	info.nr_others = (uint32_t)rng_below(rng, TRACE_VCPUS_MAX);
	for (unsigned int i = 0; i < info.nr_others; i++) {
		struct trace_vcpu *other = &info.other[i];

		*other = trace_vcpu_of(&info, 0);
		other->cr3 = any_number(rng);
		other->pdpte[i] = any_number(rng);
		other->pkru = one_in(rng, 2) ? any_number(rng) : 0;
	}
	if (one_in(rng, 2))
		info.pkru = any_number(rng);
	if (one_in(rng, 2))
		info.features = any_number(rng) & 0x4ffffff;
	if (one_in(rng, 2))
		info.image_digest = any_number(rng);
	if (one_in(rng, 2))
		info.initrd_digest = any_number(rng);
	snprintf(info.source, sizeof(info.source), "test");
	snprintf(info.tool, sizeof(info.tool), "a \"tool\"\t\\");
	memset(info.origin, 0x1f, rng_below(rng, sizeof(info.origin)));
	return info;
}
