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

_Noreturn void experiment_absent(u64 ram_end)
{
	u64 pa = page_up(ram_end) + ABSENT_GAP;
	volatile u32 *p = kernel_map_frame(pa);
	u64 before = *p;

	*p = 0x600df00d;
	print("absent memory at 0x%llx: 0x%llx, after a write 0x%llx\n", pa,
	      before, (u64)*p);
	report_end(true, 0);
}
