/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where every program begins, and fork.
 */
#include "common/abi.h"

	.section .start, "ax"
	.global	start
start:
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
	syscall
	push	%rax
	pop	%rax
	ret

	.section .note.GNU-stack, "", @progbits
