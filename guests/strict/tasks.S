/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 32-bit code: the tasks of checks32.def, and the way to real mode and back. */
#include "layout.h"

	.text
	/* Note what is seen and go back. */
	.globl task2_calls
task2_calls:
	call task2_note
	iretl
	jmp task2_calls

	.globl task2_jumps
task2_jumps:
	call task2_note
	ljmp $TSS_SEL, $0
	jmp task2_jumps

task2_note:
	incl task2_runs
	pushfl
	popl task2_flags
	movl $0, %eax
	strw %ax
	movl %eax, %ebx
	andl $~7, %ebx
	movl gdt + 2(%ebx), %ebx
	andl $0xffffff, %ebx
	movl (%ebx), %eax
	movl %eax, task2_link
	movl $0x5555, %eax
	ret

	/*
	 * The exception of task_df_vector: tell strict_outcome, then let the
	 * task that was interrupted leave its snippet.
	 */
	.globl task_df_entry
task_df_entry:
	popl strict_outcome + 4
	movl task_df_vector, %eax
	movl %eax, strict_outcome
	movl gdt + TSS_SEL + 2, %ebx
	andl $0xffffff, %ebx
	movl 0x20(%ebx), %eax
	movl %eax, strict_outcome + 8
	movl 0x24(%ebx), %eax
	movl %eax, strict_outcome + 16
	movl $strict_leave, 0x20(%ebx)
	movl $2, 0x24(%ebx)
	movl $KERNEL_CS, 0x4c(%ebx)
	movl $KERNEL_DS, 0x50(%ebx)
	movl $KERNEL_DS, 0x54(%ebx)
	movl $KERNEL_DS, 0x48(%ebx)
	movl $stack_end, 0x38(%ebx)
	iretl
	jmp task_df_entry

/* Copied to LOW_CODE, whose code and data segments real mode then uses. */
#define LOW(label) ((label) - real_start + LOW_CODE)

	.globl strict_real
strict_real:
	pushal
	movl $real_start, %esi
	movl $LOW_CODE, %edi
	movl $(real_end - real_start), %ecx
	rep movsb
	movl %esp, real_esp
	movl %cr0, %eax
	movl %eax, real_cr0
	andl $0x7fffffff, %eax
	movl %eax, %cr0
	ljmp $CODE16_SEL, $LOW(real_16)
back_32:
	movl $KERNEL_DS, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl %eax, %fs
	movl %eax, %gs
	movl real_esp, %esp
	movl real_cr0, %eax
	movl %eax, %cr0
	movl $LOW(real_notes), %esi
	movl $real_seen, %edi
	movl $16, %ecx
	rep movsw
	popal
	ret

	.macro note /* of AX; BX is the next one */
	movw %ax, (%bx)
	addw $2, %bx
	.endm

	.balign 16
real_start:
	.code16
real_16:
	movw $DATA16_SEL, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movl %cr0, %eax
	andb $~1, %al
	movl %eax, %cr0
	ljmp $0, $LOW(real_mode)
real_mode:
	xorw %ax, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movl $LOW_STACK, %esp
	lidtl LOW(real_ivt)
	/* Vectors 0..31 of the table. */
	movw $LOW_IVT, %di
	movw $LOW(real_vectors), %ax
	movw $0x30, %cx
1:	movw %ax, (%di)
	movw $0, 2(%di)
	addw $4, %di
	addw $(real_vector1 - real_vectors), %ax
	loop 1b
	movw $LOW(real_n20), LOW_IVT + 4 * 0x20
	movw $LOW(real_notes), %bx

	int $0x20 /* 0 */
	note

	.macro must_fault code:vararg /* skipped by what AX then says */
	movw $LOW(7f), LOW(real_skip)
	movw $LOW(8f), LOW(real_at)
8:	\code
7:	note
	.endm

	xorw %cx, %cx
	must_fault divw %cx
	movw $0xffff, %si
	must_fault movw (%si), %ax
	must_fault int $0x80
	must_fault ud2
	must_fault lldt %ax
	movl %cr0, %eax
	andw $1, %ax
	note
	/* TF: the trap comes behind the NOP. */
	movw $LOW(7f), LOW(real_skip)
	movw $LOW(8f), LOW(real_at)
	pushw $0x102
	popfw
	nop
8:	nop
7:	note

	lidtl LOW(real_no_idt)
	movl %cr0, %eax
	orb $1, %al
	movl %eax, %cr0
	ljmpl $KERNEL_CS, $LOW(real_32)
	.code32
real_32:
	movw $0x1ee7, %ax
	movw %ax, LOW(real_notes) + 16
	jmp *LOW(real_back)
	.code16
real_n20:
	movw $0x20, %ax
	iretw

	/* AX says which; the place has to be real_at; goes on at real_skip. */
	.balign 8
real_vectors:
	.set n, 0
	.rept 0x30
	pushw $n
	jmp real_caught
	.balign 8
	.if n == 0
real_vector1:
	.endif
	.set n, n + 1
	.endr
real_caught:
	popw %ax
	orw $0x100, %ax
	popw %dx
	cmpw %dx, LOW(real_at)
	je 1f
	orw $0x4000, %ax
1:	addw $4, %sp
	jmp *LOW(real_skip)

	.balign 4
real_skip: .word 0
real_at: .word 0
real_ivt:
	.word 0x30 * 4 - 1
	.long LOW_IVT
real_no_idt:
	.word 0
	.long 0
real_back: .long back_32
	.balign 4
real_notes: .skip 32
real_end:
	.code32

	.bss
	.balign 4
	.globl task2_runs
task2_runs: .skip 4
	.globl task2_flags
task2_flags: .skip 4
	.globl task2_link
task2_link: .skip 4
	.globl task_df_vector
task_df_vector: .skip 4
real_esp: .skip 4
real_cr0: .skip 4
	.globl real_seen
real_seen: .skip 32
	.skip 512
	.globl task_df_stack_end
task_df_stack_end:
