/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tape.h"

#include <string.h>

#include "arch/cr.h"
#include "arch/exception.h"

#define PTE_KERNEL (PTE_P | PTE_W | PTE_A | PTE_D)
#define PTE_USER   (PTE_KERNEL | PTE_U)

static struct trace_item *add(struct tape *tape, enum trace_item_kind kind)
{
	struct trace_item *item = &tape->item[tape->nr++];

	*item = (struct trace_item){.kind = kind};
	return item;
}

static uint32_t add_ref(struct tape *tape, enum trace_kind kind, gva_t gva,
			bool user, uint32_t count)
{
	uint32_t at = tape->nr;

	add(tape, TRACE_ITEM_REFS)->nr = 1;
	tape->ref[at] = (struct trace_ref){.gva = gva,
					   .count = count,
					   .kind = (uint8_t)kind,
					   .size = 8,
					   .user = user};
	return at;
}

static struct guest_event *add_event(struct tape *tape,
				     enum guest_event_kind kind, gva_t rip,
				     uint64_t insns)
{
	struct guest_event *ev = &add(tape, TRACE_ITEM_EVENT)->event;

	*ev = (struct guest_event){.kind = kind, .rip = rip, .insns = insns};
	return ev;
}

static void add_table(struct tape *tape, unsigned int i, gpa_t gpa)
{
	struct trace_item *item = add(tape, TRACE_ITEM_TABLE);

	item->gpa = gpa;
	item->table = tape->table[i];
}

static void add_tables(struct tape *tape)
{
	tape->table[0][0] = TAPE_PDPT | PTE_USER;
	tape->table[1][0] = TAPE_PD | PTE_USER;
	tape->table[2][0] = TAPE_PT | PTE_USER;
	tape->table[3][TAPE_CODE >> 12] = 0x15000 | PTE_USER;
	tape->table[3][TAPE_STACK >> 12] = 0x18000 | PTE_KERNEL;
	tape->table[3][TAPE_HANDLER >> 12] = 0x19000 | PTE_KERNEL;
	tape->table[2][1] = TAPE_PT2 | PTE_KERNEL;
	tape->table[4][0] = TAPE_PT | PTE_KERNEL;
	for (unsigned int i = 0; i < 5; i++)
		add_table(tape, i, TAPE_PML4 + i * PAGE_SIZE);
}

static void add_fault(struct tape *tape)
{
	struct trace_item *item;
	struct guest_event *ev;

	add_ref(tape, TRACE_FETCH, TAPE_CODE + 8, true, 0);
	tape->at_read = add_ref(tape, TRACE_READ, TAPE_DATA + 0x10, true, 1);
	tape->at_fault = tape->nr;
	item = add(tape, TRACE_ITEM_FAULT);
	item->gva = TAPE_DATA + 0x10;
	item->error = PFEC_U;

	tape->at_deliver = tape->nr;
	ev = add_event(tape, GE_DELIVER, TAPE_CODE + 8, 1);
	ev->vector = EXC_PF;
	ev->type = EVENT_HW_EXC;
	ev->has_error = true;
	ev->error = PFEC_U;
	ev->cpl = 3;
	tape->at_push =
		add_ref(tape, TRACE_WRITE, TAPE_STACK + 0xff8, false, 1);
	tape->ref[tape->at_push].implicit = true;
	*add_event(tape, GE_DELIVERED, TAPE_HANDLER, 1) =
		(struct guest_event){.kind = GE_DELIVERED,
				     .vector = EXC_PF,
				     .type = EVENT_HW_EXC,
				     .has_error = true,
				     .error = PFEC_U,
				     .rip = TAPE_HANDLER,
				     .insns = 1};
}

static void add_handler(struct tape *tape)
{
	const uint64_t pte = TAPE_PTE;
	const unsigned int slot = 8 * (unsigned int)(TAPE_DATA >> 12);
	struct trace_item *item;
	struct guest_event *ev;

	add_ref(tape, TRACE_FETCH, TAPE_HANDLER, false, 1);
	tape->at_write =
		add_ref(tape, TRACE_WRITE, TAPE_ALIAS + slot, false, 1);
	tape->at_value = tape->nr;
	item = add(tape, TRACE_ITEM_TABLE_WRITE);
	item->gpa = TAPE_PT + slot;
	item->gva = TAPE_ALIAS + slot;
	item->size = 8;
	memcpy(item->bytes, &pte, sizeof(pte));

	add_ref(tape, TRACE_FETCH, TAPE_HANDLER + 8, false, 1);
	ev = add_event(tape, GE_RETRY, TAPE_CODE + 8, 3);
	ev->gva = TAPE_DATA + 0x10;
	add_ref(tape, TRACE_FETCH, TAPE_CODE + 8, true, 1);
	add_ref(tape, TRACE_READ, TAPE_DATA + 0x10, true, 1);
	add_ref(tape, TRACE_FETCH, TAPE_CODE + 16, true, 1);
	add_ref(tape, TRACE_WRITE, TAPE_DATA + 0x18, true, 1);
}

void tape_init(struct tape *tape)
{
	*tape = (struct tape){0};
	add_tables(tape);
	add_ref(tape, TRACE_FETCH, TAPE_CODE, true, 1);
	add_fault(tape);
	add_handler(tape);
}

struct trace_info tape_info(void)
{
	return (struct trace_info){
		.granularity = TRACE_FULL,
		.memory = 1 << 20,
		.cr0 = CR0_PG | CR0_WP | CR0_PE | CR0_ET,
		.cr3 = TAPE_PML4,
		.cr4 = CR4_PAE,
		.efer = EFER_LMA | EFER_LME | EFER_NXE,
	};
}

void tape_play_to(struct tape *tape, struct replay_lane *lane, uint32_t end)
{
	for (; tape->played < end; tape->played++) {
		struct trace_item *item = &tape->item[tape->played];

		if (item->kind == TRACE_ITEM_REFS)
			item->refs = &tape->ref[tape->played];
		replay_lane_item(lane, item);
	}
}

void tape_play(struct tape *tape, struct replay_lane *lane)
{
	tape_play_to(tape, lane, tape->nr);
	replay_lane_finish(lane);
}

void tape_remove(struct tape *tape, uint32_t at)
{
	tape->nr--;
	for (uint32_t i = at; i < tape->nr; i++) {
		tape->item[i] = tape->item[i + 1];
		tape->ref[i] = tape->ref[i + 1];
	}
}

void tape_repeat(struct tape *tape, uint32_t at)
{
	for (uint32_t i = tape->nr++; i > at; i--) {
		tape->item[i] = tape->item[i - 1];
		tape->ref[i] = tape->ref[i - 1];
	}
}
