/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Protected mode: the way in, the accesses, the way back from each. */
#define KERNEL_CS 0x08
#define KERNEL_SS 0x10
#define USER_DS   0x1b /* 0x18, RPL 3: DS and ES in either ring */
#define USER_CS   0x23 /* 0x20, RPL 3 */
#define TSS       0x28

#include "entry.h"

	.section .start, "ax"
	.code32
	.globl _start
_start:
	movl $kernel_stack_end, %esp
	lgdt gdt_pointer
	ljmp $KERNEL_CS, $1f
1:	movl $KERNEL_SS, %eax
	movl %eax, %ss
	movl $USER_DS, %eax
	movl %eax, %ds
	movl %eax, %es
	call copy_user_code
	call make_tss
	call make_idt
	movl JOB_CR4, %eax
	movl %eax, %cr4
	movl JOB_CR3, %eax
	movl %eax, %cr3
	movl $0x80000011, %eax /* PG, ET, PE */
	movl %eax, %cr0
	jmp 2f
2:	call access_main

copy_user_code:
	movl $user_start, %esi
	movl $USER_CODE, %edi
	movl $(user_end - user_start), %ecx
	rep movsb
	ret

make_tss:
	movl $fault_stack_end, tss + 4 /* ESP0 */
	movl $KERNEL_SS, tss + 8
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
	addl $8, %edi
	loop 1b
	lidt idt_pointer
	ret

gate:	/* at %edi, to %eax */
	movw %ax, 0(%edi)
	movw $KERNEL_CS, 2(%edi)
	movw $0x8e00, 4(%edi)
	movl %eax, %edx
	shrl $16, %edx
	movw %dx, 6(%edi)
	ret

/* void access_go(va, value, what) */
	.globl access_go
access_go:
	pushl %ebx
	pushl %ebp
	pushl %esi
	pushl %edi
	movl 20(%esp), %edi
	movl 24(%esp), %esi
	movl 28(%esp), %edx
	movl %esp, resume_sp
	movl %edx, %eax
	andl $3, %eax /* 0 read, 1 write, 2 fetch */
	testl $WHAT_USER, %edx
	jnz 2f
	testl $WHAT_AC, %edx
	jz 1f
	pushl $(RFLAGS_AC | 2)
	popfl
1:	call *supervisor_ways(, %eax, 4)
	movl %eax, access_value
	jmp over
2:	pushl $USER_DS
	pushl $USER_STACK_END
	pushl $2
	pushl $USER_CS
	pushl user_ways(, %eax, 4)
	iretl

supervisor_read:
	movl (%edi), %eax
	ret
supervisor_write:
	movl %esi, (%edi)
	ret
supervisor_fetch:
	jmp *%edi /* which returns */

page_fault:
	popl %eax
	movl %eax, access_code
	movl %cr2, %eax
	movl %eax, access_cr2
	jmp over

/* UD2 of user code: its access is over.  (Not INT n: not every KVM has that.) */
invalid_opcode:
	testb $3, 4(%esp) /* CS */
	jz unexpected_invalid_opcode
	movl %eax, access_value
over:
	movl resume_sp, %esp
	pushl $2
	popfl
	popl %edi
	popl %esi
	popl %ebp
	popl %ebx
	ret

unexpected_invalid_opcode:
	pushl $0
	pushl $6
unexpected: /* vector, error code, EIP on the stack, as arguments */
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
	pushl $0
	.endif
	pushl $n
	jmp unexpected
	.endif
	.set n, n + 1
	.endr

user_start:
user_read:
	movl (%edi), %eax
	ud2
user_write:
	movl %esi, (%edi)
	ud2
user_fetch:
	call *%edi
	ud2
user_end:

	.section .rodata
	.balign 4
supervisor_ways:
	.long supervisor_read, supervisor_write, supervisor_fetch
user_ways:
	.long USER_CODE, USER_CODE + (user_write - user_start)
	.long USER_CODE + (user_fetch - user_start)

	.data
	.balign 8
gdt:
	.quad 0
	.quad 0x00cf9b000000ffff /* KERNEL_CS */
	.quad 0x00cf93000000ffff
	.quad 0x00cff3000000ffff
	.quad 0x00cffb000000ffff /* USER_CS */
	.quad 0x0000890000000067
gdt_end:
gdt_pointer:
	.word gdt_end - gdt - 1
	.long gdt
idt_pointer:
	.word 32 * 8 - 1
	.long idt

	.bss
	.balign 16
resume_sp:
	.skip 4
	.balign 16
tss:
	.skip 0x68
	.balign 16
idt:
	.skip 32 * 8
	.balign 16
	.skip 4096
kernel_stack_end:
	.skip 4096
fault_stack_end:
