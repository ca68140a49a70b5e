/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See tables.h.  One table maps a window of 2 MiB; frames carry a word that
 * tells them apart.  After each write the entry is flushed with INVLPG and the
 * word behind it is read: the right one, or a page fault where none should be.
 * The same table is also mapped as data, twice, and linked at a second place.
 */
#include "kernel/tables.h"

#include "kernel/console.h"
#include "kernel/frame.h"
#include "kernel/paging.h"
#include "kernel/report.h"
#include "kernel/trap.h"
#include "kernel/x86.h"

#define WINDOW    0xffffc90000200000ull /* what the table maps */
#define SECOND    0xffffc90040200000ull /* the same table, another directory */
#define AS_DATA   0xffffc90000600000ull /* the table itself, twice */
#define RECURSIVE 510ull                /* root entry that is the root */

#define LEAF (PTE_P | PTE_W | PTE_A | PTE_D | paging.nx)
#define TAGS 8ull

static u64 table; /* physical */
static u64 frames[TAGS];
static u64 checks;

static u64 tag_of(u64 i)
{
	return 0x7461670000000000ull + i;
}

/* ---- looking ---- */

static bool can_read(u64 va, u64 *word)
{
	return !user_copy(word, (const void *)va, sizeof(*word));
}

static _Noreturn void wrong(const char *how, u64 va, u64 got, u64 want)
{
	print("%s: at 0x%016llx 0x%llx, not 0x%llx\n", how, va, got, want);
	report_failed("a page-table entry was not followed");
}

/* tag: of the frame that must be there; TAGS: nothing must be. */
static void expect(const char *how, u64 index, u64 tag)
{
	const u64 windows[] = {WINDOW, SECOND};

	for (u64 i = 0; i < ARRAY_LEN(windows); i++) {
		u64 va = windows[i] + index * PAGE_SIZE;
		u64 word = 0;
		bool there = can_read(va, &word);

		checks++;
		if (there != (tag < TAGS))
			wrong(how, va, there, !there);
		if (there && word != tag_of(tag))
			wrong(how, va, word, tag_of(tag));
	}
}

static void flush(u64 index)
{
	invlpg(WINDOW + index * PAGE_SIZE);
	invlpg(SECOND + index * PAGE_SIZE);
}

/* ---- ways to write an entry ---- */

static void by_mov(u64 *pte, u64 val)
{
	pte_write(pte, val);
}

static void by_low_half_first(u64 *pte, u64 val)
{
	volatile u32 *half = (volatile u32 *)pte;

	half[0] = (u32)val;
	half[1] = (u32)(val >> 32);
}

static void by_high_half_first(u64 *pte, u64 val)
{
	volatile u32 *half = (volatile u32 *)pte;

	half[1] = (u32)(val >> 32);
	half[0] = (u32)val;
}

static void by_words(u64 *pte, u64 val)
{
	volatile u16 *part = (volatile u16 *)pte;

	for (u64 i = 4; i-- > 0;)
		part[i] = (u16)(val >> (16 * i));
}

static void by_bytes(u64 *pte, u64 val)
{
	volatile u8 *part = (volatile u8 *)pte;

	for (u64 i = 8; i-- > 0;)
		part[i] = (u8)(val >> (8 * i));
}

/* Two stores, each across the border of two entries. */
static void by_misaligned(u64 *pte, u64 val)
{
	u64 before = pte[-1], after = pte[1];
	volatile u64 *low = (volatile u64 *)((u8 *)pte - 4);
	volatile u64 *high = (volatile u64 *)((u8 *)pte + 4);

	*high = val >> 32 | after << 32;
	*low = before >> 32 | val << 32;
}

static void by_xchg(u64 *pte, u64 val)
{
	__asm__ volatile("xchg %0, %1" : "+r"(val), "+m"(*pte));
}

/* A comparison that fails says what was there, for the next one. */
static void cmpxchg(u64 *pte, u64 old, u64 val)
{
	u8 failed;

	do {
		__asm__ volatile("lock cmpxchg %3, %1"
				 : "+a"(old), "+m"(*pte), "=@ccne"(failed)
				 : "r"(val)
				 : "cc");
	} while (failed);
}

static void cmpxchg8b(u64 *pte, u64 old, u64 val)
{
	u32 low = (u32)old, high = (u32)(old >> 32);
	u8 failed;

	do {
		__asm__ volatile("lock cmpxchg8b %2"
				 : "+a"(low), "+d"(high), "+m"(*pte),
				   "=@ccne"(failed)
				 : "b"((u32)val), "c"((u32)(val >> 32))
				 : "cc");
	} while (failed);
}

/* The entry and its neighbour; 16-byte alignment is the caller's. */
static void cmpxchg16b(u64 *pte, u64 low, u64 high, u64 val)
{
	u64 neighbour = pte[1];
	u8 failed;

	do {
		__asm__ volatile("lock cmpxchg16b (%5)"
				 : "+a"(low), "+d"(high), "=@ccne"(failed)
				 : "b"(val), "c"(neighbour), "r"(pte)
				 : "cc", "memory");
	} while (failed);
}

static void by_cmpxchg(u64 *pte, u64 val)
{
	cmpxchg(pte, *pte, val);
}

static void by_cmpxchg8b(u64 *pte, u64 val)
{
	cmpxchg8b(pte, *pte, val);
}

static void by_cmpxchg16b(u64 *pte, u64 val)
{
	cmpxchg16b(pte, pte[0], pte[1], val);
}

/* As Linux clears an entry of PAE's: without a look at it before. */
static void by_blind_cmpxchg(u64 *pte, u64 val)
{
	cmpxchg(pte, ~*pte, val);
}

static void by_blind_cmpxchg8b(u64 *pte, u64 val)
{
	cmpxchg8b(pte, *pte ^ 1ull << 63, val);
}

static void by_blind_cmpxchg16b(u64 *pte, u64 val)
{
	cmpxchg16b(pte, pte[0], ~pte[1], val);
}

static void by_and_or(u64 *pte, u64 val)
{
	__asm__ volatile("lock andq %1, %0" : "+m"(*pte) : "r"(val) : "cc");
	__asm__ volatile("lock orq %1, %0" : "+m"(*pte) : "r"(val) : "cc");
}

static void by_xadd(u64 *pte, u64 val)
{
	u64 step = val - *pte;

	__asm__ volatile("lock xadd %0, %1" : "+r"(step), "+m"(*pte) : : "cc");
}

static void by_push(u64 *pte, u64 val)
{
	__asm__ volatile("mov %%rsp, %%rdx\n\t"
			 "lea 8(%0), %%rsp\n\t"
			 "push %1\n\t"
			 "mov %%rdx, %%rsp"
			 :
			 : "r"(pte), "r"(val)
			 : "rdx", "memory");
}

static void by_stos(u64 *pte, u64 val)
{
	u64 count = 1;

	__asm__ volatile("rep stosq"
			 : "+D"(pte), "+c"(count)
			 : "a"(val)
			 : "memory");
}

static void by_movs(u64 *pte, u64 val)
{
	u64 *from = &val;
	u64 count = 1;

	__asm__ volatile("rep movsq"
			 : "+D"(pte), "+S"(from), "+c"(count)
			 :
			 : "memory");
}

/* An instruction that a hypervisor's emulator leaves to the processor. */
static void by_fpu(u64 *pte, u64 val)
{
	__asm__ volatile("fildll %1\n\t"
			 "fistpll %0"
			 : "=m"(*pte)
			 : "m"(val));
}

static const struct way {
	const char *name;
	void (*write)(u64 *pte, u64 val);
} ways[] = {
	{"mov", by_mov},
	{"mov, low half first", by_low_half_first},
	{"mov, high half first", by_high_half_first},
	{"words", by_words},
	{"bytes", by_bytes},
	{"across two entries", by_misaligned},
	{"xchg", by_xchg},
	{"cmpxchg", by_cmpxchg},
	{"cmpxchg8b", by_cmpxchg8b},
	{"cmpxchg16b", by_cmpxchg16b},
	{"cmpxchg, twice", by_blind_cmpxchg},
	{"cmpxchg8b, twice", by_blind_cmpxchg8b},
	{"cmpxchg16b, twice", by_blind_cmpxchg16b},
	{"and, or", by_and_or},
	{"xadd", by_xadd},
	{"push", by_push},
	{"rep stos", by_stos},
	{"rep movs", by_movs},
	{"fistp", by_fpu},
};

/* ---- the workload ---- */

/* Where the entry can be written: three mappings of one table. */
static u64 *place(u64 which, u64 index)
{
	switch (which) {
	case 0:
		return (u64 *)p2v(table) + index;
	case 1:
		return (u64 *)AS_DATA + index;
	case 2:
		return (u64 *)(AS_DATA + PAGE_SIZE) + index;
	default:
		/* Three levels of the root's own entry, then the window's. */
		return (u64 *)(0xffff000000000000ull | RECURSIVE << 39 |
			       (WINDOW >> 9 & 0x7ffffff000ull)) +
		       index;
	}
}

#define PLACES 4ull

static void one_way(const struct way *way, u64 index, u64 round)
{
	u64 tag = (index + round) % TAGS, other = (tag + 1) % TAGS;

	way->write(place(round % PLACES, index), frames[tag] | LEAF);
	flush(index);
	expect(way->name, index, tag);
	way->write(place((round + 1) % PLACES, index), frames[other] | LEAF);
	flush(index);
	expect(way->name, index, other);
	way->write(place((round + 2) % PLACES, index), 0);
	flush(index);
	expect(way->name, index, TAGS);
}

/* The whole table at once, as a kernel clears or copies it. */
static void all_at_once(void)
{
	u64 *pte = place(0, 0), count = TABLE_LEN;

	for (u64 i = 0; i < TABLE_LEN; i++)
		by_mov(&pte[i], frames[i % TAGS] | LEAF);
	root_load_kernel();
	tlb_flush_all();
	for (u64 i = 0; i < TABLE_LEN; i += 37)
		expect("filled", i, i % TAGS);
	__asm__ volatile("rep stosq"
			 : "+D"(pte), "+c"(count)
			 : "a"(0)
			 : "memory");
	tlb_flush_all();
	for (u64 i = 0; i < TABLE_LEN; i += 37)
		expect("cleared", i, TAGS);
}

/* A right taken away and given back; the write must fault meanwhile. */
static void write_protection(u64 index)
{
	u64 va = WINDOW + index * PAGE_SIZE, word = tag_of(1);
	u64 *pte = place(0, index);

	by_mov(pte, frames[1] | LEAF);
	flush(index);
	if (user_copy((void *)va, &word, sizeof(word)))
		wrong("writable", va, 0, 1);
	by_mov(pte, (frames[1] | LEAF) & ~(u64)PTE_W);
	flush(index);
	if (!user_copy((void *)va, &word, sizeof(word)))
		wrong("read-only", va, 1, 0);
	by_mov(pte, frames[1] | LEAF);
	flush(index);
	if (user_copy((void *)va, &word, sizeof(word)))
		wrong("writable again", va, 0, 1);
	by_mov(pte, 0);
	flush(index);
	checks += 3;
}

static void set_up(void)
{
	u64 root = root_of_kernel();

	pte_make(root, WINDOW, TABLE_KERNEL);
	table = *entry_make(root, WINDOW, 2, TABLE_KERNEL) & PTE_ADDR;
	by_mov(entry_make(root, SECOND, 2, TABLE_KERNEL), table | TABLE_KERNEL);
	for (u64 i = 0; i < 2; i++)
		by_mov(pte_make(root, AS_DATA + i * PAGE_SIZE, TABLE_KERNEL),
		       table | LEAF);
	by_mov((u64 *)p2v(root) + RECURSIVE, root | TABLE_KERNEL);
	tlb_flush_all();

	for (u64 i = 0; i < TAGS; i++) {
		frames[i] = frame_alloc();
		*(u64 *)p2v(frames[i]) = tag_of(i);
	}
}

_Noreturn void tables_run(u64 rounds)
{
	set_up();
	for (u64 round = 0; round < rounds; round++) {
		/* Even: CMPXCHG16B. Not the first or last: neighbours. */
		for (u64 i = 0; i < ARRAY_LEN(ways); i++)
			one_way(&ways[i], 2 + 2 * ((i + round * 3) % 250),
				round);
		write_protection(5 + round % 500);
		all_at_once();
	}
	print("tables: %llu looks\n", checks);
	report_end(true, checks);
}
