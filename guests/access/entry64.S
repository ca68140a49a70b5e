/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Long mode: the way in, the accesses, the way back from each. */
#define KERNEL_CS 0x08
#define KERNEL_DS 0x10
#define USER_DS   0x1b /* 0x18, RPL 3 */
#define USER_CS   0x23 /* 0x20, RPL 3 */
#define TSS       0x28

#include "entry.h"

	.section .start, "ax"
	.code32
	.globl _start
_start:
	movl $kernel_stack_end, %esp
	lgdt gdt_pointer
	movl JOB_CR4, %eax
	movl %eax, %cr4
	movl JOB_CR3, %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx
	movl JOB_EFER, %eax
	xorl %edx, %edx
	wrmsr
	movl $0x80000011, %eax /* PG, ET, PE */
	movl %eax, %cr0
	ljmp $KERNEL_CS, $long_mode

	.code64
long_mode:
	movl $KERNEL_DS, %eax
	movl %eax, %ss
	movl %eax, %ds
	movl %eax, %es
	movl $kernel_stack_end, %esp
	call copy_user_code
	call make_tss
	call make_idt
	call access_main

copy_user_code:
	movl $user_start, %esi
	movl $USER_CODE, %edi
	movl $(user_end - user_start), %ecx
	rep movsb
	ret

make_tss:
	movq $fault_stack_end, tss + 4 /* RSP0 */
	movl $tss, %eax
	movw %ax, gdt + TSS + 2
	shrl $16, %eax
	movb %al, gdt + TSS + 4
	movb %ah, gdt + TSS + 7
	movl $TSS, %eax
	ltr %ax
	ret

/* Gates to stubs of STUB_SIZE bytes each. */
make_idt:
	movl $stubs, %eax
	movl $idt, %edi
	movl $32, %ecx
1:	call gate
	addl $STUB_SIZE, %eax
	addl $16, %edi
	loop 1b
	lidt idt_pointer
	ret

gate:	/* at %rdi, to %eax */
	movw %ax, 0(%rdi)
	movw $KERNEL_CS, 2(%rdi)
	movw $0x8e00, 4(%rdi)
	movl %eax, %edx
	shrl $16, %edx
	movw %dx, 6(%rdi)
	movq $0, 8(%rdi)
	ret

/* void access_go(va, value, what) */
	.globl access_go
access_go:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, resume_sp
	movl %edx, %eax
	andl $3, %eax /* 0 read, 1 write, 2 fetch */
	testl $WHAT_USER, %edx
	jnz 2f
	testl $WHAT_AC, %edx
	jz 1f
	pushq $(RFLAGS_AC | 2)
	popfq
1:	call *supervisor_ways(, %rax, 8)
	movl %eax, access_value
	jmp over
2:	pushq $USER_DS
	pushq $USER_STACK_END
	pushq $2
	pushq $USER_CS
	pushq user_ways(, %rax, 8)
	iretq

supervisor_read:
	movl (%rdi), %eax
	ret
supervisor_write:
	movl %esi, (%rdi)
	ret
supervisor_fetch:
	jmp *%rdi /* which returns */

page_fault:
	popq %rax
	movl %eax, access_code
	movq %cr2, %rax
	movq %rax, access_cr2
	jmp over

/* UD2 of user code: its access is over.  (Not INT n: not every KVM has that.) */
invalid_opcode:
	testb $3, 8(%rsp) /* CS */
	jz unexpected_invalid_opcode
	movl %eax, access_value
over:
	movq resume_sp, %rsp
	pushq $2
	popfq
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret

unexpected_invalid_opcode:
	pushq $0
	pushq $6
unexpected: /* vector, error code, RIP on the stack */
	popq %rdi
	popq %rsi
	popq %rdx
	call access_unexpected

	.balign STUB_SIZE
stubs:
	.set n, 0
	.rept 32
	.balign STUB_SIZE
	.if n == 14
	jmp page_fault
	.elseif n == 6
	jmp invalid_opcode
	.else
	.if !HAS_ERROR(n)
	pushq $0
	.endif
	pushq $n
	jmp unexpected
	.endif
	.set n, n + 1
	.endr

user_start:
user_read:
	movl (%rdi), %eax
	ud2
user_write:
	movl %esi, (%rdi)
	ud2
user_fetch:
	call *%rdi
	ud2
user_end:

	.section .rodata
	.balign 8
supervisor_ways:
	.quad supervisor_read, supervisor_write, supervisor_fetch
user_ways:
	.quad USER_CODE, USER_CODE + (user_write - user_start)
	.quad USER_CODE + (user_fetch - user_start)

	.data
	.balign 8
gdt:
	.quad 0
	.quad 0x00af9b000000ffff /* KERNEL_CS */
	.quad 0x00cf93000000ffff
	.quad 0x00cff3000000ffff
	.quad 0x00affb000000ffff /* USER_CS */
	.quad 0x0000890000000067, 0
gdt_end:
gdt_pointer:
	.word gdt_end - gdt - 1
	.quad gdt
idt_pointer:
	.word 32 * 16 - 1
	.quad idt

	.bss
	.balign 16
resume_sp:
	.skip 8
tss:
	.skip 0x68
	.balign 16
idt:
	.skip 32 * 16
	.balign 16
	.skip 4096
kernel_stack_end:
	.skip 4096
fault_stack_end:
