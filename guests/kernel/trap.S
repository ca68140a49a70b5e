/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ways into the kernel and out of it: 256 interrupt stubs, SYSCALL, the
 * switch between two kernel stacks, and copies from and to user memory that
 * survive a bad address.  Each way in leaves a struct trap_frame (trap.h) on
 * the process's kernel stack.  Interrupts are off throughout the kernel; the
 * idle loop is the exception.
 */
#include "common/abi.h"
#include "kernel/x86.h"

#define STUB_SIZE	16

	.macro	save_registers
	push	%rdi
	push	%rsi
	push	%rdx
	push	%rcx
	push	%rax
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	.endm

	.macro	restore_registers
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rax
	pop	%rcx
	pop	%rdx
	pop	%rsi
	pop	%rdi
	.endm

	/* Whatever RFLAGS.AC was where this came from. */
	.macro	forbid_user
	cmpb	$0, has_smap(%rip)
	je	1f
	clac
1:
	.endm

	.macro	allow_user
	cmpb	$0, has_smap(%rip)
	je	1f
	stac
1:
	.endm

	.text

/*
 * One stub a vector, STUB_SIZE bytes apart.  The processor pushes an error
 * code for some; the others push a zero in its place.
 */
	.balign	STUB_SIZE
	.global	trap_stubs
trap_stubs:
	.set	vector, 0
	.rept	VEC_COUNT
	.balign	STUB_SIZE
	.if	!(vector == 8 || (vector >= 10 && vector <= 14) || \
		  vector == 17 || vector == 21 || vector == 29 || vector == 30)
	push	$0
	.endif
	push	$vector
	jmp	trap_common
	.set	vector, vector + 1
	.endr

	.balign	16
trap_common:
	save_registers
	cld
	forbid_user
	mov	%rsp, %rdi
	call	trap_handle
	.global	trap_return
trap_return:
	restore_registers
	add	$16, %rsp		/* vector, error code */
	iretq

/*
 * SYSCALL leaves RIP in RCX and RFLAGS in R11, and RSP is still the user's.
 * One processor, interrupts off: a static variable holds it for a moment.
 */
	.balign	16
	.global	syscall_entry
syscall_entry:
	mov	%rsp, user_rsp(%rip)
	mov	kernel_sp(%rip), %rsp
	push	$USER_DS
	push	user_rsp(%rip)
	push	%r11
	push	$USER_CS
	push	%rcx
	push	$0
	push	$FRAME_SYSCALL
	save_registers
	mov	%rsp, %rdi
	call	syscall_handle
	restore_registers
	add	$16, %rsp
	/*
	 * The frame's RIP is canonical: user code is mapped at USER_TEXT
	 * only, so no SYSCALL ends at the top of the lower half.
	 */
	pop	%rcx
	add	$8, %rsp		/* CS */
	pop	%r11
	pop	%rsp
	sysretq

/* void switch_stack(u64 *save_rsp, u64 load_rsp) */
	.balign	16
	.global	switch_stack
switch_stack:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, (%rdi)
	mov	%rsi, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

/*
 * u64 user_copy(void *dst, const void *src, u64 len)
 * u64 user_set(void *dst, u64 byte, u64 len)
 * Both give the number of bytes not done.  A page fault between
 * user_access_begin and user_access_end that cannot be resolved goes on at
 * user_access_failed (trap.c).
 */
	.balign	16
	.global	user_access_begin
user_access_begin:
	.global	user_copy
user_copy:
	allow_user
	mov	%rdx, %rcx
	rep movsb
	forbid_user
	xor	%eax, %eax
	ret
	.global	user_set
user_set:
	allow_user
	mov	%rsi, %rax
	mov	%rdx, %rcx
	rep stosb
	forbid_user
	xor	%eax, %eax
	ret
	.global	user_access_end
user_access_end:
	.global	user_access_failed
user_access_failed:
	forbid_user
	mov	%rcx, %rax
	ret

/*
 * u64 probe_read(u64 addr), probe_write, probe_exec: one instruction is tried.
 * trap.c goes on at probe_failed, with the result in RAX.
 */
	.macro	begin_probe
	mov	%rsp, probe_rsp(%rip)
	lea	1f(%rip), %rax
	mov	%rax, probe_ip(%rip)
	xor	%eax, %eax
	.endm

	.balign	16
	.global	probe_read
probe_read:
	begin_probe
1:	mov	(%rdi), %cl
	jmp	probe_done
	.global	probe_write
probe_write:
	begin_probe
1:	movb	$0xc3, (%rdi)		/* what PROBE_EXEC may find: RET */
	jmp	probe_done
	.global	probe_exec
probe_exec:
	begin_probe
	mov	%rdi, probe_ip(%rip)	/* it is fetched that faults */
1:	call	*%rdi
	xor	%eax, %eax
probe_done:
	movq	$0, probe_ip(%rip)
	ret
	.global	probe_failed
probe_failed:
	mov	probe_rsp(%rip), %rsp
	ret

	.bss
	.balign	8
user_rsp:
	.skip	8
	.global	kernel_sp		/* top of the process's kernel stack */
kernel_sp:
	.skip	8
	.global	probe_ip
probe_ip:
	.skip	8
probe_rsp:
	.skip	8
	.global	has_smap
has_smap:
	.skip	1

	.section .note.GNU-stack, "", @progbits
