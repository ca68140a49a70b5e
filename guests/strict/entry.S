/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the multiboot loader to strict_main(), the way into a snippet and the
 * way out of it by whatever exception it raises.  One source for 32-bit and
 * 64-bit code; the low 16 MiB are mapped one to one, for every ring.
 */
#include "layout.h"

#define MB_MAGIC 0x1badb002
#define MB_FLAGS 0x00000003

#ifdef __x86_64__
#define WORD_SIZE 8
#define PTR       .quad
#define AX        %rax
#define BX        %rbx
#define CX        %rcx
#define DX        %rdx
#define SI        %rsi
#define DI        %rdi
#define BP        %rbp
#define SP        %rsp
#else
#define WORD_SIZE 4
#define PTR       .long
#define AX        %eax
#define BX        %ebx
#define CX        %ecx
#define DX        %edx
#define SI        %esi
#define DI        %edi
#define BP        %ebp
#define SP        %esp
#endif

	.section .header, "ax"
	.code32
	.balign 4
	.long MB_MAGIC
	.long MB_FLAGS
	.long -(MB_MAGIC + MB_FLAGS)

	.globl strict_start
strict_start:
	cli
	cld
	movl $stack_end, %esp
#ifdef __x86_64__
	movl $(pdpt + 7), pml4
	movl $(pd + 7), pdpt
	movl $0x87, %eax
#else
	movl $0x87, %eax
#endif
	movl $pd, %edi
	movl $8, %ecx
1:	movl %eax, (%edi)
#ifdef __x86_64__
	addl $0x200000, %eax
	addl $8, %edi
#else
	addl $0x400000, %eax
	addl $4, %edi
#endif
	loop 1b
	lgdt gdt_pointer
#ifdef __x86_64__
	movl $0x620, %eax /* PAE, OSFXSR, OSXMMEXCPT */
	movl %eax, %cr4
	movl $pml4, %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x101, %eax /* LME, SCE */
	wrmsr
	movl $0x80000033, %eax /* PG, NE, ET, MP, PE */
	movl %eax, %cr0
	ljmp $KERNEL_CS, $1f
	.code64
#else
	movl $0x610, %eax /* PSE, OSFXSR, OSXMMEXCPT */
	movl %eax, %cr4
	movl $pd, %eax
	movl %eax, %cr3
	movl $0x80000033, %eax
	movl %eax, %cr0
	ljmp $KERNEL_CS, $1f
#endif
1:	movl $KERNEL_DS, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl %eax, %fs
	movl %eax, %gs
	call strict_main
1:	cli
	hlt
	jmp 1b

/*
 * void strict_go(const void *snippet, uintptr_t cs, uintptr_t ss, flags):
 * the low bits of CS say in which ring.  Returns by the exception the snippet
 * raises, all registers of the caller's kept.
 */
	.text
	.globl strict_go
strict_go:
#ifdef __x86_64__
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, strict_resume
	movl $user_stack_end, %eax
	testl $3, %esi
	jnz 1f
	leaq -0x400(%rsp), %rax
1:	pushq %rdx
	pushq %rax
	pushq %rcx
	pushq %rsi
	pushq %rdi
	iretq
#else
	pushl %ebx
	pushl %ebp
	pushl %esi
	pushl %edi
	movl 20(%esp), %edi
	movl 24(%esp), %esi
	movl 28(%esp), %edx
	movl 32(%esp), %ecx
	movl %esp, strict_resume
	testl $RFLAGS_VM, %ecx
	jnz 2f
	testl $3, %esi
	jz 1f
	movl $USER_DS, %eax
	movl %eax, %ds
	movl %eax, %es
	pushl %edx
	pushl $user_stack_end
1:	pushl %ecx
	pushl %esi
	pushl %edi
	iretl
2:	pushl $0x500 /* GS, FS, DS, ES */
	pushl $0x400
	pushl $0x300
	pushl $0x200
	pushl $0
	pushl $LOW_STACK
	jmp 1b
#endif

/* Stubs of all vectors: error code (or -1), vector. */
	.balign 16
	.globl strict_stubs
strict_stubs:
	.set n, 0
	.rept NR_GATES
	.balign 16
	.if n != 8 && !(n >= 10 && n <= 14) && n != 17
	push $-1
	.endif
	push $n
	jmp caught
	.set n, n + 1
	.endr

/* Vector, error code, rIP, CS, RFLAGS[, rSP, SS[, ES, DS, FS, GS]] */
caught:
	.globl strict_caught
strict_caught:
	cld
	push AX
#ifndef __x86_64__
	movl $KERNEL_DS, %eax
	movl %eax, %ds
	movl %eax, %es
#endif
	pop AX
	mov AX, strict_outcome + 7 * WORD_SIZE
	mov CX, strict_outcome + 12 * WORD_SIZE
	mov DX, strict_outcome + 13 * WORD_SIZE
	mov SP, AX
	xor CX, CX
1:	mov (AX, CX, WORD_SIZE), DX
	mov DX, strict_outcome(, CX, WORD_SIZE)
	inc CX
	cmp $7, CX
	jb 1b
	mov SP, strict_outcome + 8 * WORD_SIZE
#ifndef __x86_64__
	movl 28(%esp), %edx
	movl %edx, strict_outcome + 9 * WORD_SIZE /* ES of VM86 */
	movl 32(%esp), %edx
	movl %edx, strict_outcome + 10 * WORD_SIZE
	movl 40(%esp), %edx
	movl %edx, strict_outcome + 11 * WORD_SIZE /* GS */
#endif
	.globl strict_leave
strict_leave:
	mov strict_resume, SP
	push $2
#ifdef __x86_64__
	popfq
	movl $KERNEL_DS, %eax
	movl %eax, %ss
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
#else
	popfl
	movl $KERNEL_DS, %eax
	movl %eax, %ss
	popl %edi
	popl %esi
	popl %ebp
	popl %ebx
#endif
	ret

	.globl strict_done
strict_done:
	int $VECTOR_DONE

	.data
	.balign 16
	.globl gdt
gdt:
	.quad 0
#ifdef __x86_64__
	.quad 0x00af9b000000ffff /* KERNEL_CS */
#else
	.quad 0x00cf9b000000ffff
#endif
	.quad 0x00cf93000000ffff
#ifdef __x86_64__
	.quad 0x00affb000000ffff /* USER_CS */
#else
	.quad 0x00cffb000000ffff
#endif
	.quad 0x00cff3000000ffff
	.quad 0, 0 /* TSS_SEL */
	.quad 0x00cf1b000000ffff /* ABSENT_CS */
	.quad 0x00cf13000000ffff
	.quad 0x00409300000000ff /* SMALL_DS */
	.quad 0 /* TSS2_SEL */
	.quad 0x00009b000000ffff /* CODE16_SEL */
	.quad 0x000093000000ffff
	.quad 0x00cffb000000ffff /* COMPAT_CS */
	.quad 0x0000850000500000 /* GATE_SEL: to TSS2_SEL */
	.quad 0 /* TSS_DF_SEL */
	.globl gdt_pointer
gdt_pointer:
	.word GDT_SIZE - 1
	PTR gdt
	.globl idt_pointer
idt_pointer:
	.word NR_GATES * 2 * WORD_SIZE - 1
	PTR idt

	.bss
	.balign 4096
pml4:	.skip 4096
pdpt:	.skip 4096
pd:	.skip 4096
	.globl strict_page
strict_page:
	.skip 4096
	.globl idt
idt:	.skip NR_GATES * 2 * WORD_SIZE
	.balign 16
	.globl strict_outcome
strict_outcome:
	.skip 16 * WORD_SIZE
strict_resume:
	.skip WORD_SIZE
	.balign 16
	.skip 8192
	.globl stack_end
stack_end:
	.skip 4096
	.globl strict_fault_stack_end
strict_fault_stack_end:
	.skip 4096
user_stack_end:
