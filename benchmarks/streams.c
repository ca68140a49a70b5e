/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "streams.h"

#include <stdlib.h>

static uint64_t next_random(struct stream *s)
{
	s->random = s->random * UINT64_C(6364136223846793005) +
		    UINT64_C(1442695040888963407);
	return s->random >> 33;
}

static void add(struct stream *s, enum trace_kind kind, gva_t gva, uint8_t size)
{
	if (s->nr < s->room)
		s->refs[s->nr++] =
			(struct trace_ref){.gva = gva & ~(gva_t)(size - 1),
					   .count = 1,
					   .kind = (uint8_t)kind,
					   .size = size,
					   .user = true};
}

static void add_fetch(struct stream *s, gva_t *pc, uint8_t size)
{
	if ((*pc & PAGE_MASK) + size > PAGE_SIZE)
		*pc = (*pc | PAGE_MASK) + 1;
	if (s->nr < s->room)
		s->refs[s->nr++] = (struct trace_ref){.gva = *pc,
						      .count = 1,
						      .kind = TRACE_FETCH,
						      .size = size,
						      .user = true};
	*pc += size;
}

static void make_loop(struct stream *s)
{
	for (uint64_t i = 0; s->nr < s->room; i++) {
		gva_t pc = 0x401000;

		for (int insn = 0; insn < 10; insn++) {
			add_fetch(s, &pc, (uint8_t)(2 + insn % 5));
			if (insn == 2)
				add(s, TRACE_READ, 0x7f0000000000 + 8 * i, 8);
			if (insn == 5)
				add(s, TRACE_READ, 0x7ffe00001000 + i % 4 * 8,
				    8);
			if (insn == 8)
				add(s, TRACE_WRITE, 0x7f0000000000 + 8 * i, 8);
		}
	}
}

static void make_random(struct stream *s)
{
	while (s->nr < s->room) {
		gva_t pc = 0x401000;

		for (int insn = 0; insn < 10; insn++) {
			gva_t gva = 0x7f0000000000 + next_random(s) % BIT(30);

			add_fetch(s, &pc, (uint8_t)(2 + insn % 5));
			add(s, next_random(s) % 2 ? TRACE_READ : TRACE_WRITE,
			    gva, 8);
		}
	}
}

#define FUNCTIONS 500

/* What an instruction does beside being fetched. */
enum act {
	ACT_NONE = 8, /* and all below it */
	ACT_LOCAL,
	ACT_STORE,
	ACT_ARRAY,
	ACT_GLOBAL,
	ACT_HEAP,
	NR_ACTS
};

struct function {
	gva_t entry;
	uint32_t insns, frame, loop; /* loop: where it goes back to */
	uint8_t sizes[64], acts[64];
	gva_t array;
};

static void make_function(struct stream *s, struct function *f, uint32_t n)
{
	f->entry = 0x400000 + n * 0x180;
	f->insns = 16 + (uint32_t)next_random(s) % 48;
	f->loop = (uint32_t)next_random(s) % f->insns;
	f->frame = 16 * (2 + (uint32_t)next_random(s) % 8);
	f->array = 0x600000 + (next_random(s) % 4096) * 0x1000;
	for (uint32_t i = 0; i < f->insns; i++) {
		f->sizes[i] = (uint8_t)(1 + next_random(s) % 7);
		f->acts[i] = (uint8_t)(next_random(s) % NR_ACTS);
	}
}

static void run_insn(struct stream *s, struct function *f, uint32_t i, gva_t sp,
		     uint64_t turn)
{
	switch ((enum act)f->acts[i]) {
	case ACT_LOCAL:
		add(s, TRACE_READ, sp + 8 * (i % 8), 8);
		break;
	case ACT_STORE:
		add(s, TRACE_WRITE, sp + 8 * (i % 8), 8);
		break;
	case ACT_ARRAY:
		add(s, TRACE_READ, f->array + 4 * turn, 4);
		break;
	case ACT_GLOBAL:
		add(s, TRACE_READ, 0x5f0000 + 16 * (i + f->frame), 8);
		break;
	case ACT_HEAP:
		add(s, i % 2 ? TRACE_READ : TRACE_WRITE,
		    0x55550000000 + next_random(s) % 0x40000, 8);
		break;
	default:
		break;
	}
}

static void call(struct stream *s, struct function *fs, uint32_t n, gva_t sp,
		 int depth)
{
	struct function *f = &fs[n];
	uint64_t turns = 1 + next_random(s) % 12;
	uint32_t i = 0;

	sp -= f->frame;
	for (uint64_t turn = 0; turn < turns; turn++) {
		gva_t pc = f->entry;

		for (uint32_t k = 0; k < i; k++)
			pc += f->sizes[k];
		for (; i < f->insns; i++) {
			add_fetch(s, &pc, f->sizes[i]);
			run_insn(s, f, i, sp, turn);
			if (i % 16 == 15 && depth && next_random(s) % 4 == 0)
				call(s, fs, (n * 7 + i) % FUNCTIONS, sp,
				     depth - 1);
		}
		i = f->loop;
	}
}

static void make_program(struct stream *s)
{
	struct function *fs = calloc(FUNCTIONS, sizeof(*fs));

	for (uint32_t n = 0; fs && n < FUNCTIONS; n++)
		make_function(s, &fs[n], n);
	while (fs && s->nr < s->room)
		call(s, fs, (uint32_t)next_random(s) % FUNCTIONS,
		     0x7ffe00010000, 4);
	free(fs);
}

static const struct {
	const char *name;
	void (*make)(struct stream *s);
} kinds[NR_STREAMS] = {
	[STREAM_LOOP] = {"loop", make_loop},
	[STREAM_PROGRAM] = {"program", make_program},
	[STREAM_RANDOM] = {"random", make_random},
};

const char *stream_kind_name(enum stream_kind kind)
{
	return kinds[kind].name;
}

void stream_make(struct stream *s, enum stream_kind kind)
{
	kinds[kind].make(s);
}
