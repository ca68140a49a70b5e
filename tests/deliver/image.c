/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image.h"

#include <stdio.h>
#include <string.h>

#define PTE_BITS    0x63u /* P, W, A, D */
#define PTE_LINK    0x27u /* P, W, U, A */
#define PTE_USER    0x4u
#define PTE_WRITE   0x2u
#define PTE_PRESENT 0x1u
#define FRAMES_AT   0x200000u /* behind the pages from PAGES on */
#define CR4_PAE     0x20u
#define CR0_BITS    0x80010011u /* PG, WP, ET, PE */
#define EFER_NX     0x800u
#define EFER_LONG   0x900u

#define PIECE(name) extern const uint8_t name##_s[], name##_e[];
#define TRIGGER(name) \
	PIECE(trigger_##name) extern const uint8_t trigger_##name##_at[];
PIECE(boot)
PIECE(main32)
PIECE(main64)
PIECE(stubs32)
PIECE(stubs64)
PIECE(trigger_done)
TRIGGER(de)
TRIGGER(db)
TRIGGER(bp)
TRIGGER(of)
TRIGGER(ud)
TRIGGER(gp)
TRIGGER(np)
TRIGGER(unp)
TRIGGER(ss)
TRIGGER(uss)
TRIGGER(pf)
TRIGGER(int)
TRIGGER(irq)

struct piece {
	const uint8_t *start, *end, *at;
};

#define T(name)                                                             \
	{                                                                   \
		trigger_##name##_s, trigger_##name##_e, trigger_##name##_at \
	}

static const struct piece triggers[NR_FIRSTS] = {
	[FIRST_DE] = T(de),   [FIRST_DB] = T(db),   [FIRST_BP] = T(bp),
	[FIRST_OF] = T(of),   [FIRST_UD] = T(ud),   [FIRST_NP] = T(np),
	[FIRST_SS] = T(ss),   [FIRST_GP] = T(gp),   [FIRST_PF] = T(pf),
	[FIRST_INT] = T(int), [FIRST_IRQ] = T(irq),
};
/* A segment that CPL 3 may load. */
static const struct piece user_np = T(unp), user_ss = T(uss);

static const struct first_facts facts[NR_FIRSTS] = {
	[FIRST_DE] = {"#DE", 0, 'c', false, false},
	[FIRST_DB] = {"#DB", 1, 'b', false, false},
	[FIRST_BP] = {"INT3", 3, 'b', true, false},
	[FIRST_OF] = {"INTO", 4, 'b', true, false},
	[FIRST_UD] = {"#UD", 6, 'b', false, false},
	[FIRST_NP] = {"#NP", 11, 'c', false, true},
	[FIRST_SS] = {"#SS", 12, 'c', false, true},
	[FIRST_GP] = {"#GP", 13, 'c', false, true},
	[FIRST_PF] = {"#PF", 14, 'p', false, true},
	[FIRST_INT] = {"INT", VECTOR_INT, 'b', true, false},
	[FIRST_IRQ] = {"interrupt", VECTOR_IRQ, 'b', false, false},
};

const struct first_facts *first_facts(enum first_event first)
{
	return &facts[first];
}

/* --- Which scenes there are ------------------------------------------------
 */

bool scene_exists(const struct scene *s)
{
	if (s->first == FIRST_DB && !s->user)
		return false;
	if (s->first == FIRST_OF && s->mode == GUEST_LONG)
		return false;
	switch (s->obstacle) {
	case MEETS_TSS:
		return s->user;
	case MEETS_ODD_STACK:
		return s->user && s->mode == GUEST_LONG;
	case MEETS_CLOSED_GATE:
		return s->user && facts[s->first].is_soft;
	case MEETS_ABSENT_HANDLER:
		return s->first != FIRST_PF; /* it would fault for ever */
	default:
		return true;
	}
}

void scene_name(const struct scene *s, char buf[80])
{
	static const char *const modes[] = {"long", "pae", "32"};
	static const char *const obstacles[NR_OBSTACLES] = {
		[MEETS_NOTHING] = "nothing",
		[MEETS_IDT] = "no IDT page",
		[MEETS_GDT] = "no GDT page",
		[MEETS_TSS] = "no TSS page",
		[MEETS_STACK] = "no stack",
		[MEETS_READONLY_STACK] = "read-only stack",
		[MEETS_COLD_STACK] = "no stack, cold",
		[MEETS_ODD_STACK] = "odd stack",
		[MEETS_ABSENT_GATE] = "absent gate",
		[MEETS_WRONG_GATE] = "wrong gate",
		[MEETS_NULL_SEGMENT] = "null segment",
		[MEETS_CLOSED_GATE] = "closed gate",
		[MEETS_ABSENT_HANDLER] = "no handler page",
	};

	snprintf(buf, 80, "%s CPL %d: %s, %s", modes[s->mode], s->user ? 3 : 0,
		 facts[s->first].name, obstacles[s->obstacle]);
}

/* --- Where things lie ------------------------------------------------------
 */

static bool is_long(const struct scene *s)
{
	return s->mode == GUEST_LONG;
}

static unsigned int gate_size(const struct scene *s)
{
	return is_long(s) ? 16 : 8;
}

/* The gates of this vector and above begin on the second page of the IDT. */
static unsigned int idt_boundary(const struct scene *s)
{
	unsigned int vector = facts[s->first].vector;

	if (vector < 8)
		return 8;
	if (vector < 14)
		return 14;
	return vector == 14 ? 10 : 16;
}

static uint64_t idt_base(const struct scene *s)
{
	return IDT_PAGES + 0x1000 - idt_boundary(s) * gate_size(s);
}

/* ESP0 or RSP0 is the last on its page in long mode, IST1 on the next. */
static uint64_t tss_base(const struct scene *s)
{
	return TSS_PAGES + (is_long(s) ? 0x1000 - 36 : 0x800);
}

static bool stack_is_odd(const struct scene *s)
{
	return s->obstacle == MEETS_STACK ||
	       s->obstacle == MEETS_READONLY_STACK ||
	       s->obstacle == MEETS_COLD_STACK ||
	       s->obstacle == MEETS_ODD_STACK;
}

/* The stack pointer for events that have no stack of their own. */
static uint64_t event_stack(const struct scene *s)
{
	if (s->obstacle == MEETS_COLD_STACK)
		return COLD_PAGE + 0x1000;
	if (s->obstacle == MEETS_ODD_STACK)
		return UINT64_C(0x800000000000) + 0x1000;
	if (stack_is_odd(s))
		return SPARE_PAGE + 0x1000;
	return s->user ? RING0_PAGE + 0x1000 : STACK_PAGE + 0x1000;
}

/* What the processor says of the event itself. */
static uint64_t own_error(const struct scene *s)
{
	switch (s->first) {
	case FIRST_GP:
		return SEL_BEYOND;
	case FIRST_NP:
	case FIRST_SS:
		return s->user ? SEL_UABSENT & ~3 : SEL_ABSENT;
	case FIRST_PF:
		return s->user ? 6 : 2;
	default:
		return 0;
	}
}

static const struct piece *trigger(const struct scene *s)
{
	if (s->user && s->first == FIRST_NP)
		return &user_np;
	if (s->user && s->first == FIRST_SS)
		return &user_ss;
	return &triggers[s->first];
}

void scene_places(const struct scene *s, struct scene_places *ret)
{
	const struct piece *piece = trigger(s);
	uint64_t code = s->user ? USER_CODE : TRIGGER_AT;
	bool far = s->obstacle == MEETS_ABSENT_HANDLER;

	*ret = (struct scene_places){
		.gate = idt_base(s) + facts[s->first].vector * gate_size(s),
		.segment = GDT_PAGES + SEL_CODE2,
		.ring0 = tss_base(s) + 4,
		.stack = event_stack(s) - (is_long(s) ? 8 : 4),
		.handler = (far ? FAR_PAGE : STUBS_AT) +
			   facts[s->first].vector * 16u,
		.rip = code + (uint64_t)(piece->at - piece->start),
		.error = own_error(s),
	};
	if (s->first == FIRST_IRQ)
		ret->rip = 0;
}

/* --- Page tables -----------------------------------------------------------
 */

struct builder {
	const struct scene *scene;
	uint8_t *ram;
	uint32_t next_table;
	uint32_t root;
};

static void put(struct builder *b, uint64_t at, uint64_t val, unsigned int size)
{
	memcpy(b->ram + at, &val, size);
}

static uint64_t get(const struct builder *b, uint64_t at, unsigned int size)
{
	uint64_t val = 0;

	memcpy(&val, b->ram + at, size);
	return val;
}

static unsigned int entry_size(const struct scene *s)
{
	return s->mode == GUEST_32 ? 4 : 8;
}

static uint32_t new_table(struct builder *b)
{
	b->next_table += 0x1000;
	return b->next_table - 0x1000;
}

/* gpa of the leaf entry; tables are made on the way. */
static uint32_t leaf(struct builder *b, uint64_t gva)
{
	static const int levels[] = {4, 3, 2};
	enum guest_mode mode = b->scene->mode;
	unsigned int bits = mode == GUEST_32 ? 10 : 9;
	unsigned int size = entry_size(b->scene);
	uint64_t table = b->root;

	for (int level = levels[mode];; level--) {
		unsigned int shift = 12 + bits * (unsigned int)(level - 1);
		uint64_t at = table + (gva >> shift & (BIT(bits) - 1)) * size;

		if (level == 1)
			return (uint32_t)at;
		if (!get(b, at, size))
			put(b, at,
			    new_table(b) | (mode == GUEST_PAE && level == 3
						    ? PTE_PRESENT
						    : PTE_LINK),
			    size);
		table = get(b, at, size) & 0xfffff000;
	}
}

static void map(struct builder *b, uint64_t gva, uint64_t pte)
{
	put(b, leaf(b, gva), pte, entry_size(b->scene));
}

/* Pages from PAGES on have their frames in the same order. */
static uint32_t frame_of(uint64_t gva)
{
	return FRAMES_AT + (uint32_t)(gva & 0xff000);
}

static void map_page(struct builder *b, uint64_t gva, uint32_t more)
{
	map(b, gva, frame_of(gva) | PTE_BITS | more);
}

static void map_all(struct builder *b)
{
	static const uint64_t pages[] = {
		IDT_PAGES, IDT_PAGES + 0x1000, GDT_PAGES,  GDT_PAGES + 0x1000,
		TSS_PAGES, TSS_PAGES + 0x1000, STACK_PAGE, RING0_PAGE,
		IST_PAGE,  FAR_PAGE,           SPARE_PAGE,
	};

	b->root = new_table(b);
	for (uint32_t gpa = 0; gpa < FRAMES_AT; gpa += 0x1000)
		map(b, gpa, gpa | PTE_BITS);
	for (size_t i = 0; i < ARRAY_LEN(pages); i++)
		map_page(b, pages[i], 0);
	map_page(b, USER_CODE, PTE_USER);
	map_page(b, USER_STACK, PTE_USER);
	map(b, COLD_PAGE, frame_of(COLD_PAGE) | PTE_BITS);
}

/* The page that is to be wrong, and how the guest repairs it. */
static void spoil_page(struct builder *b, uint64_t gva, uint64_t keep)
{
	uint32_t at = leaf(b, gva);
	unsigned int size = entry_size(b->scene);
	uint64_t was = get(b, at, size);

	put(b, at, was & keep, size);
	put(b, P_REPAIRS, 1, 4);
	put(b, P_REPAIR_AT, at, 8);
	put(b, P_REPAIR, was, 8);
}

static void spoil_pages(struct builder *b)
{
	const struct scene *s = b->scene;
	struct scene_places places;

	scene_places(s, &places);
	switch (s->obstacle) {
	case MEETS_IDT:
		spoil_page(b, places.gate, 0);
		break;
	case MEETS_GDT:
		spoil_page(b, places.segment, 0);
		break;
	case MEETS_TSS:
		spoil_page(b, places.ring0, 0);
		break;
	case MEETS_STACK:
	case MEETS_COLD_STACK:
		spoil_page(b, places.stack, 0);
		break;
	case MEETS_READONLY_STACK:
		spoil_page(b, places.stack, ~(uint64_t)PTE_WRITE);
		break;
	case MEETS_ABSENT_HANDLER:
		spoil_page(b, places.handler, 0);
		break;
	default:
		break;
	}
}

/* --- Descriptors -----------------------------------------------------------
 */

/* gva is one of the pages from PAGES on. */
static void put_at(struct builder *b, uint64_t gva, uint64_t val,
		   unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		b->ram[frame_of(gva + i) + ((gva + i) & 0xfff)] =
			(uint8_t)(val >> 8 * i);
}

static void build_gdt(struct builder *b)
{
	bool lm = is_long(b->scene);
	uint64_t code = lm ? UINT64_C(0x00af9b000000ffff)
			   : UINT64_C(0x00cf9b000000ffff);
	uint64_t dpl3 = UINT64_C(0x600000000000);
	uint64_t data = UINT64_C(0x00cf93000000ffff);
	uint64_t present = UINT64_C(0x800000000000);
	uint64_t tss = tss_base(b->scene);

	put_at(b, GDT_PAGES + SEL_CODE, code, 8);
	put_at(b, GDT_PAGES + SEL_DATA, data, 8);
	put_at(b, GDT_PAGES + (SEL_UCODE & ~7), code | dpl3, 8);
	put_at(b, GDT_PAGES + (SEL_UDATA & ~7), data | dpl3, 8);
	put_at(b, GDT_PAGES + SEL_ABSENT, data & ~present, 8);
	put_at(b, GDT_PAGES + (SEL_UABSENT & ~7), (data & ~present) | dpl3, 8);
	put_at(b, GDT_PAGES + SEL_CODE2, code, 8);
	put_at(b, GDT_PAGES + SEL_TSS,
	       UINT64_C(0x0000890000000067) | (tss & 0xffffff) << 16 |
		       (tss >> 24 & 0xff) << 56,
	       8);
}

static void build_tss(struct builder *b)
{
	uint64_t tss = tss_base(b->scene);

	if (is_long(b->scene)) {
		put_at(b, tss + 4, event_stack(b->scene), 8);
		put_at(b, tss + 36, IST_PAGE + 0x800, 8);
		put_at(b, tss + 44, IST_PAGE + 0x1000, 8);
		return;
	}
	put_at(b, tss + 4, event_stack(b->scene), 4);
	put_at(b, tss + 8, SEL_DATA, 2);
}

/*
 * In long mode #DF and #PF have stacks of their own, but for a #PF that is
 * itself to meet a stack.
 */
static unsigned int ist_of(const struct scene *s, unsigned int vector)
{
	if (!is_long(s))
		return 0;
	if (vector == 8)
		return 1;
	if (vector == 14 && s->first != FIRST_PF)
		return 2;
	return 0;
}

static uint64_t gate(const struct scene *s, unsigned int vector)
{
	bool is_first = vector == facts[s->first].vector;
	uint64_t handler = STUBS_AT + vector * 16u;
	unsigned int access = 0xee; /* interrupt gate, DPL 3 */
	uint64_t selector = SEL_CODE;

	if (is_first && s->obstacle == MEETS_GDT)
		selector = SEL_CODE2;
	if (is_first && s->obstacle == MEETS_NULL_SEGMENT)
		selector = 0;
	if (is_first && s->obstacle == MEETS_ABSENT_GATE)
		access = 0x6e;
	if (is_first && s->obstacle == MEETS_WRONG_GATE)
		access = 0xe2;
	if (is_first && s->obstacle == MEETS_CLOSED_GATE)
		access = 0x8e;
	if (is_first && s->obstacle == MEETS_ABSENT_HANDLER)
		handler = FAR_PAGE + vector * 16u;
	return (handler & 0xffff) | selector << 16 |
	       (uint64_t)ist_of(s, vector) << 32 | (uint64_t)access << 40 |
	       (handler >> 16 & 0xffff) << 48;
}

static void build_idt(struct builder *b)
{
	const struct scene *s = b->scene;

	for (unsigned int v = 0; v < 0x100; v++) {
		uint64_t at = idt_base(s) + v * gate_size(s);

		/* The second page ends before the last vectors do. */
		if (at + gate_size(s) <= IDT_PAGES + 0x2000)
			put_at(b, at, gate(s, v), 8);
	}
}

/* --- Code and parameters ---------------------------------------------------
 */

static void put_piece(struct builder *b, uint64_t at, const uint8_t *start,
		      const uint8_t *end)
{
	memcpy(b->ram + at, start, (size_t)(end - start));
}

#define PUT(b, at, name) put_piece(b, at, name##_s, name##_e)

static void put_code(struct builder *b)
{
	const struct piece *piece = trigger(b->scene);
	uint64_t at = b->scene->user ? frame_of(USER_CODE) : TRIGGER_AT;

	PUT(b, BOOT_AT, boot);
	if (is_long(b->scene)) {
		PUT(b, MAIN_AT, main64);
		PUT(b, STUBS_AT, stubs64);
	} else {
		PUT(b, MAIN_AT, main32);
		PUT(b, STUBS_AT, stubs32);
	}
	/* The far page holds jumps to where the stubs are. */
	for (unsigned int v = 0; v < 0x100; v++) {
		uint32_t from = FAR_PAGE + v * 16, to = STUBS_AT + v * 16;

		b->ram[frame_of(FAR_PAGE) + v * 16] = 0xe9;
		put(b, frame_of(FAR_PAGE) + v * 16 + 1, to - (from + 5), 4);
	}
	put_piece(b, at, piece->start, piece->end);
	put_piece(b, at + (uint64_t)(piece->end - piece->start), trigger_done_s,
		  trigger_done_e);
}

static void put_params(struct builder *b)
{
	const struct scene *s = b->scene;
	uint64_t flags = 2;

	if (s->user)
		flags |= 0x3000; /* IOPL 3 */
	if (s->first == FIRST_DB)
		flags |= 0x100;
	put(b, P_GDTR, 0x1fff, 2);
	put(b, P_GDTR + 2, GDT_PAGES, 4);
	put(b, P_IDTR, 0xfff, 2);
	put(b, P_IDTR + 2, idt_base(s), 4);
	put(b, P_CR0, CR0_BITS, 4);
	put(b, P_CR3, b->root, 4);
	put(b, P_CR4, s->mode == GUEST_32 ? 0 : CR4_PAE, 4);
	put(b, P_EFER,
	    is_long(s)             ? EFER_LONG
	    : s->mode == GUEST_PAE ? EFER_NX
				   : 0,
	    4);
	put(b, P_ENTRY, MAIN_AT, 4);
	put(b, P_ENTRY + 4, SEL_CODE, 2);
	put(b, P_STACK, STACK_PAGE + 0x1000, 8);
	put(b, P_STACK_EVENT, event_stack(s), 8);
	put(b, P_IS_USER, s->user, 4);
	put(b, P_FLAGS, flags, 8);
	put(b, P_LOG, LOG_AT, 8);
}

void scene_build(const struct scene *s, uint8_t *ram)
{
	struct builder b = {.scene = s, .ram = ram, .next_table = TABLES_AT};

	map_all(&b);
	build_gdt(&b);
	build_tss(&b);
	build_idt(&b);
	put_code(&b);
	put_params(&b);
	spoil_pages(&b);
}

unsigned int scene_log(const uint8_t *ram, struct log_record *ret,
		       unsigned int max)
{
	uint64_t end = 0;
	unsigned int nr;

	memcpy(&end, ram + P_LOG, 4);
	nr = (unsigned int)((end - LOG_AT) / LOG_SIZE);
	for (unsigned int i = 0; i < nr && i < max; i++)
		memcpy(&ret[i], ram + LOG_AT + i * LOG_SIZE, LOG_SIZE);
	return nr;
}
