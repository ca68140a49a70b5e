/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What C and assembly of the strict guest share. */
#ifndef NOTRAP_GUESTS_STRICT_LAYOUT_H
#define NOTRAP_GUESTS_STRICT_LAYOUT_H

/* Selectors. */
#define KERNEL_CS  0x08
#define KERNEL_DS  0x10
#define USER_CS    0x1b
#define USER_DS    0x23
#define TSS_SEL    0x28 /* two entries in 64-bit code */
#define ABSENT_CS  0x38
#define ABSENT_DS  0x40
#define SMALL_DS   0x48 /* limit 0xff */
#define TSS2_SEL   0x50
#define CODE16_SEL 0x58
#define DATA16_SEL 0x60
#define COMPAT_CS  0x6b /* 32-bit, ring 3 */
#define GATE_SEL   0x70 /* a task gate */
#define TSS_DF_SEL 0x78
#define GDT_SIZE   0x80

#define VECTOR_DONE   0x41 /* a snippet has run to its end */
#define VECTOR_KERNEL 0x42 /* gate of ring 0 only */
#define VECTOR_ABSENT 0x43 /* gate that is not present */
#define VECTOR_TASK   0x44 /* task gate, 32-bit code */
#define NR_GATES      0x48 /* of the IDT; beyond is #GP */

#define RFLAGS_TF 0x100
#define RFLAGS_NT 0x4000
#define RFLAGS_RF 0x10000
#define RFLAGS_VM 0x20000

/* Low memory: snippets of virtual-8086 and real mode are copied here. */
#define LOW_CODE  0x8000
#define LOW_STACK 0x7000
#define LOW_IVT   0x6000

#endif
