/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where things are in the guest of this directory, for C and for assembly.
 * Below 2 MiB linear is physical; the rest are single pages, named by linear
 * address.
 */
#ifndef NOTRAP_TESTS_DELIVER_LAYOUT_H
#define NOTRAP_TESTS_DELIVER_LAYOUT_H

#define GUEST_RAM 0x400000

#define BOOT_AT    0x10000 /* 32-bit, paging off */
#define MAIN_AT    0x11000 /* kernel code of the mode */
#define TRIGGER_AT 0x12000 /* the first event, CPL 0 */
#define STUBS_AT   0x13000 /* one of 16 bytes for each vector */
#define LOG_AT     0x16000
#define PARAMS_AT  0x17000
#define TABLES_AT  0x20000

/* Parameters, 8 bytes each. */
#define P_GDTR        (PARAMS_AT + 0x00)
#define P_IDTR        (PARAMS_AT + 0x10)
#define P_CR0         (PARAMS_AT + 0x20)
#define P_CR3         (PARAMS_AT + 0x28)
#define P_CR4         (PARAMS_AT + 0x30)
#define P_EFER        (PARAMS_AT + 0x38)
#define P_ENTRY       (PARAMS_AT + 0x40) /* offset 32, selector 16 */
#define P_STACK       (PARAMS_AT + 0x48)
#define P_IS_USER     (PARAMS_AT + 0x50)
#define P_FLAGS       (PARAMS_AT + 0x58)
#define P_REPAIRS     (PARAMS_AT + 0x60)
#define P_REPAIR_AT   (PARAMS_AT + 0x68)
#define P_REPAIR      (PARAMS_AT + 0x70)
#define P_LOG         (PARAMS_AT + 0x78) /* end of the log */
#define P_STACK_EVENT (PARAMS_AT + 0x80) /* CPL 0: ESP at the trigger */

/* Of one record: vector, error code, CR2, saved instruction pointer. */
#define LOG_SIZE 32

#define PAGES      0x40000000
#define IDT_PAGES  (PAGES + 0x0000) /* two */
#define GDT_PAGES  (PAGES + 0x2000) /* two */
#define TSS_PAGES  (PAGES + 0x4000) /* two */
#define STACK_PAGE (PAGES + 0x7000) /* of the kernel's code */
#define RING0_PAGE (PAGES + 0x9000) /* where events from CPL 3 go */
#define IST_PAGE   (PAGES + 0xb000) /* where #PF and #DF go */
#define FAR_PAGE   (PAGES + 0xd000) /* a handler */
#define DATA_PAGE  (PAGES + 0xf000) /* absent: a #PF */
#define USER_CODE  (PAGES + 0x11000)
#define USER_STACK (PAGES + 0x13000)
#define SPARE_PAGE (PAGES + 0x15000) /* another stack for events */
/* Nothing else is mapped by this page table. */
#define COLD_PAGE 0x50040000

#define SEL_CODE    0x08
#define SEL_DATA    0x10
#define SEL_UCODE   0x1b
#define SEL_UDATA   0x23
#define SEL_TSS     0x28 /* two entries */
#define SEL_ABSENT  0x38 /* data, not present */
#define SEL_UABSENT 0x43
#define SEL_CODE2   0x1000 /* on the second page */
#define SEL_BEYOND  0x3ff8

#define VECTOR_IRQ  0x20
#define VECTOR_INT  0x80
#define VECTOR_DONE 0x81

#define PORT_END 0xf4

#endif
