/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trap.S for 32-bit code.  Segments are flat and not changed on the way: the
 * kernel's data segments are the user's.  System calls come by INT 0x80.
 */
#include "kernel/x86.h"

#define STUB_SIZE	16

	.macro	forbid_user
	cmpb	$0, has_smap
	je	1f
	clac
1:
	.endm

	.macro	allow_user
	cmpb	$0, has_smap
	je	1f
	stac
1:
	.endm

	.text
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
	push	%eax
	push	%ecx
	push	%edx
	push	%ebx
	push	%ebp
	push	%esi
	push	%edi
	cld
	forbid_user
	push	%esp
	call	trap_handle
	add	$4, %esp
	.global	trap_return
trap_return:
	pop	%edi
	pop	%esi
	pop	%ebp
	pop	%ebx
	pop	%edx
	pop	%ecx
	pop	%eax
	add	$8, %esp		/* vector, error code */
	iret

/* void switch_stack(u32 *save_sp, u32 load_sp) */
	.balign	16
	.global	switch_stack
switch_stack:
	mov	4(%esp), %eax
	mov	8(%esp), %edx
	push	%ebx
	push	%ebp
	push	%esi
	push	%edi
	mov	%esp, (%eax)
	mov	%edx, %esp
	pop	%edi
	pop	%esi
	pop	%ebp
	pop	%ebx
	ret

/*
 * u32 user_copy(void *dst, const void *src, u32 len)
 * u32 user_set(void *dst, u32 byte, u32 len)
 */
	.balign	16
	.global	user_copy
user_copy:
	push	%esi
	push	%edi
	mov	12(%esp), %edi
	mov	16(%esp), %esi
	mov	20(%esp), %ecx
	allow_user
	.global	user_access_begin
user_access_begin:
	rep movsb
	jmp	user_access_failed
	.global	user_set
user_set:
	push	%esi
	push	%edi
	mov	12(%esp), %edi
	mov	16(%esp), %eax
	mov	20(%esp), %ecx
	allow_user
	rep stosb
	.global	user_access_end
user_access_end:
	.global	user_access_failed
user_access_failed:
	forbid_user
	mov	%ecx, %eax
	pop	%edi
	pop	%esi
	ret

/* u32 probe_read(u32 addr), probe_write, probe_exec */
	.macro	begin_probe
	mov	4(%esp), %edx
	mov	%esp, probe_sp
	movl	$1f, probe_ip
	xor	%eax, %eax
	.endm

	.balign	16
	.global	probe_read
probe_read:
	begin_probe
1:	mov	(%edx), %cl
	jmp	probe_done
	.global	probe_write
probe_write:
	begin_probe
1:	movb	$0xc3, (%edx)		/* what PROBE_EXEC may find: RET */
	jmp	probe_done
	.global	probe_exec
probe_exec:
	begin_probe
	mov	%edx, probe_ip		/* it is fetched that faults */
1:	call	*%edx
	xor	%eax, %eax
probe_done:
	movl	$0, probe_ip
	ret
	.global	probe_failed
probe_failed:
	mov	probe_sp, %esp
	ret

	.bss
	.balign	4
	.global	probe_ip
probe_ip:
	.skip	4
probe_sp:
	.skip	4
	.global	has_smap
has_smap:
	.skip	1

	.section .note.GNU-stack, "", @progbits
