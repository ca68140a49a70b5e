/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where every program begins, and fork.
 */
#include "common/abi.h"

	.section .start, "ax"
	.global	start
start:
#ifdef __x86_64__
	mov	%r10, %rcx
#else
	push	%ebp
	push	%edi
	push	%esi
	push	%edx
	push	%ecx
	push	%ebx
	push	$0
	push	%eax
#endif
	call	user_main		/* touches the first stack page */
	ud2

/*
 * u64 u_fork(void)
 * Writes to the stack right after the fork, so that its copy on write is
 * always a user-mode fault, whatever the compiler makes of the caller.
 */
	.text
	.global	u_fork
u_fork:
	mov	$SYS_FORK, %eax
#ifdef __x86_64__
	syscall
	push	%rax
	pop	%rax
#else
	push	%ebx
	xor	%ebx, %ebx		/* no arguments */
	int	$0x80
	push	%eax
	pop	%eax
	pop	%ebx
#endif
	ret

/*
 * u64 try_read(void *addr), try_write, try_exec: 0, or FAULTED and the error
 * code.  try_failed is what SYS_CATCH is told, and finds the stack as it was.
 */
	.balign	16
	.global	try_read
	.global	try_write
	.global	try_exec
	.global	try_failed
#ifdef __x86_64__
try_read:
	mov	(%rdi), %cl
	jmp	1f
try_write:
	movb	$0xc3, (%rdi)		/* what try_exec() may find: RET */
	jmp	1f
try_exec:
	lea	1f(%rip), %rax
	push	%rax
	jmp	*%rdi			/* its RET goes on at 1 */
1:	xor	%eax, %eax
try_failed:
	ret
	.global	try_exec_failed
try_exec_failed:
	add	$8, %rsp
	ret
#else
try_read:
	mov	4(%esp), %edx
	mov	(%edx), %cl
	jmp	1f
try_write:
	mov	4(%esp), %edx
	movb	$0xc3, (%edx)
	jmp	1f
try_exec:
	mov	4(%esp), %edx
	push	$1f
	jmp	*%edx
1:	xor	%eax, %eax
	xor	%edx, %edx
try_failed:
	ret
	.global	try_exec_failed
try_exec_failed:
	add	$4, %esp
	ret
#endif

	.global	just_ret		/* something of a program to execute */
just_ret:
	ret

	.section .note.GNU-stack, "", @progbits
