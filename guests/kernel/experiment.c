/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See experiment.h.  What absent memory gives is the machine's choice, so the
 * values are printed and not checked.
 */
#include "kernel/experiment.h"

#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/paging.h"
#include "kernel/report.h"

#if MINI_LEVELS == 4
#define NOWHERE 0xffff900000000000ull /* canonical, never mapped */
#else
#define NOWHERE 0xfff00000ull
#endif
#define COPIED     24
#define ABSENT_GAP 0x1000000ull /* well behind the end of RAM */

_Noreturn void experiment_triple(void)
{
	cpu_drop_idt();
	__asm__ volatile("int3");
	report_failed("an exception without an interrupt table was survived");
}

_Noreturn void experiment_wild(void)
{
	__asm__ volatile("jmp *%0" : : "r"((uptr)NOWHERE));
	report_failed("a jump to nowhere was survived");
}

/*
 * In each way that drivers have; returns how many of the bytes that came to
 * RAM are not all ones.
 */
static u64 reach_absent(volatile void *device)
{
	static u8 bytes[COPIED];
	void *to = bytes;
	const volatile void *from = device;
	uptr n = COPIED;
	u32 val = 5;
	u64 others = 0;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n)::"memory");
	to = (void *)(uptr)device;
	n = COPIED;
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(0) : "memory");
	__asm__ volatile("orl $1, (%1)\n\t"
			 "lock incl 4(%1)\n\t"
			 "xchgl %0, 8(%1)\n\t"
			 "testb $1, 12(%1)\n\t"
			 "cmpw $0, 16(%1)\n\t"
			 "movzbl 20(%1), %0"
			 : "+r"(val)
			 : "r"(device)
			 : "memory", "cc");
	for (uptr i = 0; i < COPIED; i++)
		others += bytes[i] != 0xff;
	return others + (val != 0xff);
}

_Noreturn void experiment_absent(u64 ram_end)
{
	u64 pa = page_up(ram_end) + ABSENT_GAP;
	volatile u32 *p = kernel_map_frame(FRAME_EXPERIMENT, pa);
	u64 before = *p;

	*p = 0x600df00d;
	print("absent memory at 0x%llx: 0x%llx, after a write 0x%llx\n", pa,
	      before, (u64)*p);
	print("bytes that are not all ones: %llu\n", reach_absent(p));
	report_end(true, 0);
}
