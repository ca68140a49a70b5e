/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The access guest: for each step it stores two page-table entries, flushes
 * the address, makes one access in the ring and way the step asks for, and
 * notes what came of it.  One source for 32-bit and 64-bit code; entry32.S and
 * entry64.S have what cannot be said in C.
 */
#include <stddef.h>

#include "entry.h"
#include "job.h"

_Static_assert(ACCESS_JOB + offsetof(struct access_job, cr3) == JOB_CR3 &&
		       ACCESS_JOB + offsetof(struct access_job, cr4) ==
			       JOB_CR4 &&
		       ACCESS_JOB + offsetof(struct access_job, efer) ==
			       JOB_EFER,
	       "entry.h has the job's addresses");
_Static_assert(USER_CODE == MATRIX_USER_CODE &&
		       USER_STACK_END == MATRIX_USER_STACK + 0x1000,
	       "entry.h has the layout's addresses");
_Static_assert(WHAT_USER == STEP_USER && WHAT_AC == STEP_AC,
	       "entry.h has the step's bits");

#define JOB ((volatile struct access_job *)ACCESS_JOB)

/* entry*.S: makes the access, returns when it is over, fault or not. */
void access_go(uintptr_t va, uint32_t value, uint32_t what);
/* What it calls. */
void access_unexpected(uint32_t vector, uint32_t error, uintptr_t rip);
void access_main(void);

/* Filled by access_go() and the handlers. */
volatile uint32_t access_code, access_value;
volatile uintptr_t access_cr2;

static void wrmsr(uint32_t msr, uint32_t low)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"(low), "d"(0));
}

static void load_cr0(uintptr_t val)
{
	__asm__ volatile("mov %0, %%cr0" : : "r"(val) : "memory");
}

static void load_cr4(uintptr_t val)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(val) : "memory");
}

static void wrpkru(uint32_t val)
{
	__asm__ volatile(".byte 0x0f, 0x01, 0xef" /* WRPKRU */
			 :
			 : "a"(val), "c"(0), "d"(0));
}

static void invlpg(uintptr_t va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

static void finish(uint32_t status)
{
	JOB->status = status;
	for (;;)
		__asm__ volatile("outl %0, $0xf4; hlt" : : "a"(status));
}

/* An exception that is no result: its number, error code and place. */
void access_unexpected(uint32_t vector, uint32_t error, uintptr_t rip)
{
	JOB->vector = vector;
	JOB->error = error;
	JOB->rip = rip;
	finish(ACCESS_EXCEPTION);
}

static uint64_t entry_read(uintptr_t at)
{
	uint64_t entry = *(volatile uint32_t *)at;

	if (JOB->entry_bytes == 8)
		entry |= (uint64_t)((volatile uint32_t *)at)[1] << 32;
	return entry;
}

/* In 32-bit code the half without P first, as kernels do. */
static void entry_write(uintptr_t at, uint64_t entry)
{
	if (entry_read(at) == entry)
		return;
#ifdef __x86_64__
	*(volatile uint64_t *)at = entry;
#else
	if (JOB->entry_bytes == 8)
		((volatile uint32_t *)at)[1] = (uint32_t)(entry >> 32);
	*(volatile uint32_t *)at = (uint32_t)entry;
#endif
}

/*
 * Nothing of the old setting stays in an entry: what a shadow MMU makes of
 * entries that outlive a change of CR0.WP or EFER.NXE is another test's.
 */
static void set_controls(const volatile struct access_step *step)
{
	entry_write((uintptr_t)JOB->upper_at, 0);
	entry_write((uintptr_t)JOB->lower_at, 0);
	load_cr4(step->cr4);
	wrmsr(0xc0000080, step->efer);
	load_cr0(step->cr0);
	if (step->what & STEP_PKRU)
		wrpkru(step->pkru);
}

static uint32_t page_with(uint32_t value)
{
	static const uint32_t pages[] = {MATRIX_PAGE_4K, MATRIX_PAGE_1G,
					 MATRIX_PAGE_2M, MATRIX_PAGE_4M};

	for (unsigned int i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		uintptr_t at = pages[i] + MATRIX_WRITE_AT;

		if (*(volatile uint32_t *)at == value)
			return pages[i];
	}
	return 0;
}

static void do_access(const volatile struct access_step *step,
		      volatile struct access_result *result, uint32_t value)
{
	uintptr_t va = (uintptr_t)JOB->va + step->offset;
	uintptr_t upper_at = (uintptr_t)JOB->upper_at;
	uintptr_t lower_at = (uintptr_t)JOB->lower_at;

	entry_write(upper_at, step->upper);
	entry_write(lower_at, step->lower);
	invlpg(va);
	access_code = ACCESS_NO_FAULT;
	access_cr2 = 0;
	access_value = 0;
	access_go(va, value, step->what);
	result->code = access_code;
	result->cr2 = access_cr2;
	result->upper = entry_read(upper_at);
	result->lower = entry_read(lower_at);
	result->page =
		step->what & STEP_WRITE ? page_with(value) : access_value;
}

void access_main(void)
{
	volatile struct access_step *step;
	volatile struct access_result *result;

	step = (volatile struct access_step *)(uintptr_t)JOB->steps;
	result = (volatile struct access_result *)(uintptr_t)JOB->results;
	for (uint32_t i = 0; i < JOB->nr_steps; i++, step++, result++) {
		if (step->what & STEP_CONTROLS)
			set_controls(step);
		else
			do_access(step, result, i + 1);
		JOB->nr_done = i + 1;
	}
	finish(ACCESS_DONE);
}
