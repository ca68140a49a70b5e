/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One check: a snippet of code, the ring it runs in, and the exception that has
 * to end it.  checks*.def have them; main.c runs them.
 */
#ifndef NOTRAP_GUESTS_STRICT_CHECK_H
#define NOTRAP_GUESTS_STRICT_CHECK_H

#include "common/types.h"
#include "layout.h"

typedef uintptr_t word;

enum ring {
	RING0,
	RING3,
	VM86,   /* 32-bit code only */
	COMPAT, /* ring 3 in 32-bit code, under long mode */
};

enum cpuid_register { EBX, ECX, EDX };

/* A bit of CPUID that has to be, or must not be, there. */
struct feature {
	enum { ANY, HAS, LACKS } wanted;
	uint32_t leaf;
	enum cpuid_register reg;
	uint8_t bit;
};

struct check {
	const char *name;
	const uint8_t *code, *end;
	const uint8_t *at; /* where the exception has to be raised */
	enum ring ring;
	word vector;
	word error;    /* NO_CODE: none */
	word flags;    /* to begin with */
	word cr0, cr4; /* bits to set before it */
	word dr6;      /* bits that have to be set afterwards */
	word ax;
	bool has_ax;         /* rAX has to be `ax` afterwards */
	struct feature when; /* only then */
	bool strays;         /* QEMU's TCG takes it for good, or goes astray */
	void (*prepare)(void);
};

#define NO_CODE ((word)-1)

/* How a snippet ended; entry.S fills it in. */
struct outcome {
	word vector, error, ip, cs, flags, sp, ss;
	word ax, handler_sp;
	word vm_es, vm_ds, vm_gs;
	word cx, dx;
};

extern volatile struct outcome strict_outcome;
extern const uint8_t strict_stubs[];
extern uint64_t gdt[];
extern word idt[];
extern uint8_t strict_page[]; /* 4 KiB */

void strict_go(const void *snippet, word cs, word ss, word flags);
void strict_main(void);
void strict_caught(void);

void strict_real(void); /* 32-bit code: to real mode and back */

/* Prints the line of a check. */
void strict_line(const char *name, const char *wrong, word got, word want);

#define STRICT_STUB(vector) ((word)strict_stubs + 16 * (word)(vector))

#endif
