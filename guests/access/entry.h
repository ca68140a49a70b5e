/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For the assembler: job.h in numbers (checked by access.c's build). */
#define JOB_CR3  0x50010
#define JOB_CR4  0x50014
#define JOB_EFER 0x50018

#define USER_CODE      0x70000
#define USER_STACK_END 0x72000

#define WHAT_USER 4
#define WHAT_AC   8

#define RFLAGS_AC 0x40000
#define STUB_SIZE 16

/* #DF, #TS, #NP, #SS, #GP, #PF, #AC push an error code. */
#define HAS_ERROR(v) ((v) == 8 || ((v) >= 10 && (v) <= 14) || (v) == 17)
