/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A replay of any items that a reader can hand out, in any order.  Apart from
 * not crashing: the laws of counting hold whatever came.  An audit may well
 * find fault with a guest whose tables change by themselves.  The same items
 * are checked against the rules of order, and followed as a cut does.
 *
 * Bytes: which configuration; how much of the tape of tests/replay comes first;
 * then a byte an item for what it is, and what it needs.
 *
 * With coverage, from the root of the tree:
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -std=c17 \
 *     -Isrc -Itests/replay tests/fuzz/fuzz_replay.c tests/replay/tape.c \
 *     SOURCES of src/{replay,sim,trace,cpu,shadow_mmu,vmx_model,paging,mem} and
 *     src/{account,arch,base} -lzstd -ljansson -o fuzz_replay
 *   ./fuzz_replay -max_len=1024 DIRECTORY tests/fuzz/corpus/replay
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "replay/track.h"
#include "tape.h"
#include "trace/check.h"
#include "trace/item.h"

#include "fuzz.h"

struct input {
	const uint8_t *p, *end;
};

static uint64_t take(struct input *in, unsigned int bytes)
{
	uint64_t val = 0;

	for (unsigned int i = 0; i < bytes; i++)
		val |= (uint64_t)(in->p < in->end ? *in->p++ : 0) << 8 * i;
	return val;
}

/* Mostly places that mean something. */
static gva_t take_address(struct input *in)
{
	static const gva_t places[] = {
		TAPE_PML4,
		TAPE_PDPT,
		TAPE_PD,
		TAPE_PT,
		TAPE_PT2,
		TAPE_CODE,
		TAPE_DATA,
		TAPE_STACK,
		TAPE_HANDLER,
		TAPE_ALIAS,
		0,
		0xfffff000,
		0x100000,
		UINT64_MAX - 4095,
		UINT64_C(1) << 47,
		0x1ff000,
	};
	uint64_t how = take(in, 2);

	if (how >> 15)
		return take(in, 8);
	return places[how & 15] + (how >> 4 & 0x7ff);
}

static uint64_t take_value(struct input *in)
{
	uint64_t how = take(in, 1);

	switch (how & 3) {
	case 0:
		return take(in, 8);
	case 1: /* an entry */
		return (take(in, 1) << PAGE_SHIFT) | take(in, 1) |
		       (how & 4 ? PTE_NX : 0);
	case 2: /* a control register */
		return take(in, 2) | (how & 4 ? UINT64_C(0x80000000) : 0);
	default:
		return take_address(in);
	}
}

static void take_event(struct input *in, struct guest_event *ev)
{
	ev->kind = (enum guest_event_kind)(take(in, 1) % NR_GUEST_EVENTS);
	ev->access = (uint32_t)take(in, 1) & (PFEC_W | PFEC_U | PFEC_ID);
	ev->error = (uint32_t)take(in, 2);
	ev->size = (uint8_t)(take(in, 1) % 17);
	ev->cpl = (uint8_t)take(in, 1) & 3;
	ev->cr = (uint8_t)take(in, 1) & 15;
	ev->reg = (uint8_t)take(in, 1) & 15;
	ev->vector = (uint8_t)take(in, 1);
	ev->type = (uint8_t)(take(in, 1) % 7);
	ev->insn_len = (uint8_t)take(in, 1) & 15;
	ev->has_error = take(in, 1) & 1;
	ev->if_open = take(in, 1) & 1;
	ev->gva = take_address(in);
	ev->rip = take_address(in);
	ev->value = take_value(in);
	ev->insns = take(in, 3);
}

static void take_ref(struct input *in, struct trace_ref *ref)
{
	uint64_t how = take(in, 1);

	*ref = (struct trace_ref){
		.gva = take_address(in),
		.count = how & 1,
		.kind = (uint8_t)((how >> 1) % 3),
		.size = 1,
		.user = how & 0x40,
		.implicit = how & 0x80,
	};
}

/* Marks of these numbers are turns of processors instead. */
#define VCPU_MARK 0xf8

/* False: not what a reader would hand out. */
static bool take_item(struct input *in, struct trace_item *item,
		      struct trace_ref *ref, uint64_t table[PT_ENTRIES])
{
	static const enum trace_item_kind kinds[] = {
		TRACE_ITEM_REFS,        TRACE_ITEM_EVENT,     TRACE_ITEM_TABLE,
		TRACE_ITEM_TABLE_WRITE, TRACE_ITEM_TABLE_END, TRACE_ITEM_FAULT,
		TRACE_ITEM_MARK,        TRACE_ITEM_REFS,
	};

	*item = (struct trace_item){.kind = kinds[take(in, 1) & 7]};
	switch (item->kind) {
	case TRACE_ITEM_REFS:
		take_ref(in, ref);
		item->refs = ref;
		item->nr = 1;
		return true;
	case TRACE_ITEM_EVENT:
		take_event(in, &item->event);
		break;
	case TRACE_ITEM_TABLE:
		item->gpa = take_address(in) & ~PAGE_MASK;
		item->table = table;
		memset(table, 0, PT_ENTRIES * sizeof(*table));
		for (uint64_t n = take(in, 1) & 15; n; n--)
			table[take(in, 2) % PT_ENTRIES] = take_value(in);
		break;
	case TRACE_ITEM_TABLE_WRITE:
		item->gva = take_address(in);
		item->gpa = take_address(in);
		item->size = (uint8_t)(1 + take(in, 1) % 16);
		for (unsigned int i = 0; i < 2; i++) {
			uint64_t val = take_value(in);

			memcpy(item->bytes + 8 * i, &val, 8);
		}
		memset(item->bytes + item->size, 0,
		       (size_t)(GUEST_STORE_MAX - item->size));
		break;
	case TRACE_ITEM_TABLE_END:
		item->gpa = take_address(in) & ~PAGE_MASK;
		break;
	case TRACE_ITEM_FAULT:
		item->gva = take_address(in);
		item->error = (uint32_t)take(in, 1);
		break;
	case TRACE_ITEM_MARK:
	case TRACE_ITEM_VCPU:
		item->id = (uint32_t)take(in, 1);
		if (item->id >= VCPU_MARK) {
			item->kind = TRACE_ITEM_VCPU;
			item->id -= VCPU_MARK;
		}
		break;
	}
	return !trace_item_flaw(item);
}

/* Who takes the items. */
struct takers {
	struct replay_lane *lane;
	struct trace_check *check;
	struct track *track;
};

static void give(struct takers *takers, const struct trace_item *item)
{
	replay_lane_item(takers->lane, item);
	BUG_ON(trace_check_item(takers->check, item));
	track_item(takers->track, item);
}

static void finish(struct takers *takers)
{
	const uint64_t *table;
	gpa_t gpa = 0;

	replay_lane_finish(takers->lane);
	BUG_ON(sim_check(replay_lane_sim(takers->lane)));
	replay_lane_destroy(takers->lane);
	trace_check_destroy(takers->check);
	for (; track_table(takers->track, &gpa, &table); gpa += PAGE_SIZE)
		BUG_ON(gpa & PAGE_MASK);
	track_destroy(takers->track);
}

static struct takers takers_of(uint64_t how)
{
	static const char *const mmu[] = {"kvm-2.6.20", "kvm-2.6.20-rc3",
					  "seed", "kvm-2.6.25"};
	struct trace_info paging = tape_info();
	const struct trace_info start = {
		.memory = 1 << 20,
		.cr0 = 0x11,
		.nr_others = 2,
		.other = {{.cr0 = 0x11}, {.cr0 = 0x10}}};
	const struct trace_info *info = how & 0x80 ? &start : &paging;
	struct takers takers;
	struct config config;
	struct diag diag;

	/* The second processor begins where the first does. */
	paging.nr_others = 1;
	paging.other[0] = trace_vcpu_of(&paging, 0);
	config_init(&config);
	BUG_ON(config_set(&config, "mmu", mmu[how & 3], &diag) ||
	       config_set(&config, "bypass", how & 4 ? "on" : "off", &diag) ||
	       config_set(&config, "shadow-pages", "64", &diag) ||
	       config_set(&config, "invlpg-exiting", how & 8 ? "on" : "off",
			  &diag) ||
	       config_set(&config, "cr3-targets", how & 16 ? "2" : "0", &diag));
	config = config_effective(&config);
	BUG_ON(replay_lane_create(&config, info, &takers.lane, &diag) ||
	       track_create(info, &takers.track, &diag));
	takers.check = trace_check_create(TRACE_FULL);
	BUG_ON(!takers.check);
	return takers;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, data + size};
	uint64_t table[PT_ENTRIES];
	struct takers takers;
	struct trace_item item;
	struct trace_ref ref;
	struct tape tape;
	uint64_t first;

	takers = takers_of(take(&in, 1));
	tape_init(&tape);
	first = take(&in, 1) % (tape.nr + 1);
	for (uint32_t i = 0; i < first; i++) {
		if (tape.item[i].kind == TRACE_ITEM_REFS)
			tape.item[i].refs = &tape.ref[i];
		give(&takers, &tape.item[i]);
	}
	while (in.p < in.end)
		if (take_item(&in, &item, &ref, table))
			give(&takers, &item);
	finish(&takers);
	return 0;
}
