/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to event delivery: one attempt, and the steps its three modes share.
 *
 * Every step returns true, or false with d->out set to what has to be obeyed
 * (or d->refused, with *d->end filled in).
 */
#ifndef NOTRAP_LIVE_DELIVERY_H
#define NOTRAP_LIVE_DELIVERY_H

#include "live/env.h"

struct delivery {
	struct live_env *env;
	struct trap trap;
	struct vcpu next; /* the state after a complete delivery */
	struct guest_outcome out;
	struct live_end *end;
	bool refused;
};

/* A gate of the IDT, or a vector of real mode's table, taken apart. */
struct gate {
	uint16_t selector;
	uint64_t offset;
	uint8_t type; /* descriptor type, bits 3:0 */
	uint8_t dpl;
	uint8_t ist;
	bool present;
	bool system; /* S=0, as a gate must be */
};

#define GATE_TASK   0x5
#define GATE_INT16  0x6
#define GATE_TRAP16 0x7
#define GATE_INT32  0xe /* in long mode: 64-bit */
#define GATE_TRAP32 0xf

/* What is pushed, first slot first. */
#define FRAME_SLOTS 10

struct frame {
	uint64_t slot[FRAME_SLOTS];
	unsigned int nr;
	uint8_t slot_size; /* 2, 4; long mode has 8 */
};

/* One attempt in each mode; true leaves the result in d->next. */
bool deliver_64(struct delivery *d);
bool deliver_protected(struct delivery *d);
bool deliver_real(struct delivery *d);

/* The event is no part of the program: 1, in error codes and for checks. */
uint32_t delivery_ext(const struct delivery *d);

/* An exception during delivery; error: without EXT.  Always false. */
bool delivery_fault(struct delivery *d, uint8_t vector, uint32_t error);

/* #GP or #NP about the vector's own entry of the IDT.  Always false. */
bool delivery_idt_fault(struct delivery *d, uint8_t vector);

/* As the processor itself, whatever CPL is. */
bool delivery_read(struct delivery *d, gva_t gva, void *ret, uint8_t size);

/* The gate's presence, type and DPL; true if it is usable. */
bool delivery_check_gate(struct delivery *d, const struct gate *gate);

/*
 * Load the gate's code segment into d->next: seg[SEG_CS] and cpl.  code64: it
 * must be 64-bit code.  *desc_gva: where the descriptor is.
 */
bool delivery_load_cs(struct delivery *d, uint16_t selector, bool code64,
		      gva_t *desc_gva);

/* A descriptor and where it lies; beyond the table: `vector`(selector). */
bool delivery_descriptor(struct delivery *d, uint16_t selector, uint8_t vector,
			 uint64_t *ret, gva_t *gva);

struct segment delivery_segment(uint16_t selector, uint64_t desc);

/* Set the accessed bit in memory and in *seg if it is clear. */
bool delivery_set_accessed(struct delivery *d, struct segment *seg, gva_t gva);

/* RFLAGS as pushed, and the instruction pointer as pushed. */
uint64_t delivery_flags_image(const struct delivery *d);
uint64_t delivery_return_ip(const struct delivery *d);

void frame_push(struct frame *frame, uint64_t val);

/* RFLAGS of the handler, by the type of its gate. */
void delivery_enter_handler(struct delivery *d, uint8_t gate_type);

#endif
