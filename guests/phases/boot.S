/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the multiboot loader straight into long mode with the final tables,
 * which are part of the image; and the user's code.
 */
#include "phases/layout.h"

#define MB_MAGIC	0x1badb002
#define MB_FLAGS	0x00000003	/* modules page-aligned, memory size */

#define BOOT_DS		0x10
#define BOOT_CS64	0x18

#define CR0_WP		0x00010000
#define CR0_PG		0x80000000
#define CR4_PAE		0x00000020
#define MSR_EFER	0xc0000080
#define EFER_LME	0x00000100

#define CODE_ENTRY	0x65		/* P U A D */
#define FRESH_ENTRY	0x07		/* P W U */

	.section .boot, "ax"
	.balign	4
	.long	MB_MAGIC
	.long	MB_FLAGS
	.long	-(MB_MAGIC + MB_FLAGS)

	.code32
	.global	boot_start
boot_start:
	cli
	cld
	mov	%eax, %edi
	mov	%ebx, %esi
	lgdt	boot_gdt_desc
	mov	%cr4, %eax
	or	$CR4_PAE, %eax
	mov	%eax, %cr4
	mov	$phases_root, %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$EFER_LME, %eax
	wrmsr
	mov	%cr0, %eax
	or	$(CR0_PG | CR0_WP), %eax
	mov	%eax, %cr0
	ljmp	$BOOT_CS64, $1f

	.code64
1:	mov	$BOOT_DS, %eax
	mov	%eax, %ss
	mov	%eax, %ds
	mov	%eax, %es
	mov	$boot_stack_top, %rsp
	call	phases_main
	ud2				/* it does not return */

	.section .data
	.balign	8
boot_gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* 32-bit code, accessed */
	.quad	0x00cf93000000ffff	/* data, accessed */
	.quad	0x00af9b000000ffff	/* 64-bit code, accessed */
boot_gdt_desc:
	.short	. - boot_gdt - 1
	.long	boot_gdt

	.bss
	.balign	16
	.skip	4096
boot_stack_top:

/*
 * What user code may do, each from its own entry: RDI an address, RSI how
 * often; the result in RAX.  UD2 ends it.
 */
	.section .user, "ax"
	.balign	4096
	.global	user_code
user_code:
	.global	user_read
user_read:			/* adds up the first bytes of pages */
	xor	%eax, %eax
1:	movzbl	(%rdi), %edx
	add	%rdx, %rax
	add	$4096, %rdi
	dec	%rsi
	jnz	1b
	ud2

	.global	user_write
user_write:			/* their numbers, from 1, into pages */
	xor	%eax, %eax
1:	inc	%eax
	mov	%al, (%rdi)
	add	$4096, %rdi
	dec	%rsi
	jnz	1b
	ud2

	.global	user_rewrite
user_rewrite:			/* entries of a table, by what they are */
	mov	(%rdi), %rax
	mov	%rax, (%rdi)
	add	$8, %rdi
	dec	%rsi
	jnz	user_rewrite
	ud2
	.balign	4096

/*
 * The page tables as the guest begins.  A mapping of TEST's first half has
 * neither A nor D; its second half is absent.
 */
	.section .tables, "aw"
	.balign	4096
	.global	tables_begin
tables_begin:
	.global	phases_root
phases_root:
	.quad	directories + USER_ENTRY
	.balign	4096
directories:
	.quad	directory_low + KERNEL_ENTRY
	.quad	directory_user + USER_ENTRY
	.quad	directory_spare + USER_ENTRY
	.balign	4096
directory_low:
	.quad	table_low + KERNEL_ENTRY
	.balign	4096
table_low:
	.set	frame, 0
	.rept	512
	.quad	frame + KERNEL_ENTRY
	.set	frame, frame + 4096
	.endr
directory_user:
	.quad	table_code + USER_ENTRY
	.quad	table_test + USER_ENTRY
	.quad	table_alias + USER_ENTRY
	.balign	4096
table_code:
	.quad	user_code + CODE_ENTRY
	.balign	4096
	.global	table_test
table_test:
	.set	frame, TEST_FRAMES
	.rept	HALF
	.quad	frame + FRESH_ENTRY
	.set	frame, frame + 4096
	.endr
	.balign	4096
table_alias:
	.quad	table_test + USER_ENTRY
	.quad	directory_spare + USER_ENTRY
	.balign	4096
directory_spare:
	.quad	table_spare + USER_ENTRY
	.balign	4096
table_spare:
	.quad	SPARE_FRAME + USER_ENTRY
	.balign	4096
	.global	tables_end
tables_end:

	.section .note.GNU-stack, "", @progbits
