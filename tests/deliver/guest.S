/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's code, copied to where layout.h says.  It uses absolute addresses
 * and short jumps only.
 */
#include "layout.h"

	.section .rodata
	.macro	piece name
	.balign	16
	.globl	\name\()_s, \name\()_e
\name\()_s:
	.endm
	.macro	end name
\name\()_e:
	.endm
	/* The instruction that makes the event. */
	.macro	at name
	.globl	\name\()_at
\name\()_at:
	.endm

	/* Paging off, flat 32-bit segments, as a multiboot loader starts it. */
	.code32
	piece	boot
	lgdt	P_GDTR
	lidt	P_IDTR
	mov	P_CR4, %eax
	mov	%eax, %cr4
	mov	P_CR3, %eax
	mov	%eax, %cr3
	mov	P_EFER, %eax
	test	%eax, %eax
	jz	1f
	mov	$0xc0000080, %ecx
	xor	%edx, %edx
	wrmsr
1:	mov	P_CR0, %eax
	mov	%eax, %cr0
	ljmp	*P_ENTRY
	end	boot

	piece	main32
	mov	$SEL_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	P_STACK, %esp
	mov	$SEL_TSS, %eax
	ltr	%ax
	push	%eax			/* the stack's page table has a shadow */
	pop	%eax
	cmpl	$0, P_IS_USER
	jne	1f
	pushl	P_FLAGS
	popf
	mov	P_STACK_EVENT, %esp
	mov	$TRIGGER_AT, %eax
	jmp	*%eax
1:	mov	$SEL_UDATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	push	$SEL_UDATA
	push	$USER_STACK + 0x1000
	pushl	P_FLAGS
	push	$SEL_UCODE
	push	$USER_CODE
	iret
	end	main32

	.code64
	piece	main64
	mov	$SEL_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	P_STACK, %rsp
	mov	$SEL_TSS, %eax
	ltr	%ax
	push	%rax
	pop	%rax
	cmpl	$0, P_IS_USER
	jne	1f
	pushq	P_FLAGS
	popf
	mov	P_STACK_EVENT, %rsp
	mov	$TRIGGER_AT, %eax
	jmp	*%rax
1:	push	$SEL_UDATA
	push	$USER_STACK + 0x1000
	pushq	P_FLAGS
	push	$SEL_UCODE
	push	$USER_CODE
	iretq
	end	main64

	/* vector, error code, frame: log it; repair what a #PF is about. */
	.macro	log ax, cx, sp, size, cr2
	mov	P_LOG, %ecx
	mov	2 * \size(\sp), \ax
	mov	\ax, (\cx)
	mov	3 * \size(\sp), \ax
	mov	\ax, 8(\cx)
	mov	%cr2, \ax
	mov	\ax, 16(\cx)
	mov	4 * \size(\sp), \ax
	mov	\ax, 24(\cx)
	addl	$LOG_SIZE, P_LOG
	cmpl	$14, 2 * \size(\sp)
	jne	9f
	cmpl	$0, P_REPAIRS
	je	9f
	decl	P_REPAIRS
	mov	P_REPAIR_AT, %ecx
	.endm

	.macro	stubs common, size
	.set	vector, 0
	.rept	256
	.balign	16
	.if	(vector == 8) || (vector == 17) || \
		((vector >= 10) && (vector <= 14))
	.else
	push	$0
	.endif
	push	$vector
	jmp	\common
	.set	vector, vector + 1
	.endr
	.balign	16
	.endm

	.code32
	piece	stubs32
	stubs	common32, 4
common32:
	push	%eax
	push	%ecx
	/* An interrupt comes to CPL 3's segments: they are flat as well. */
	log	%eax, %ecx, %esp, 4, 4
	/* High half first, as a kernel writes a PAE entry; or one of 4 bytes. */
	testl	$0x20, P_CR4
	jz	1f
	mov	P_REPAIR + 4, %eax
	mov	%eax, 4(%ecx)
1:	mov	P_REPAIR, %eax
	mov	%eax, (%ecx)
	mov	%cr2, %eax
	invlpg	(%eax)
	pop	%ecx
	pop	%eax
	add	$8, %esp
	iret
9:	mov	$0, %eax
	out	%eax, $PORT_END
	hlt
	end	stubs32

	.code64
	piece	stubs64
	stubs	common64, 8
common64:
	push	%rax
	push	%rcx
	log	%rax, %rcx, %rsp, 8, 8
	mov	P_REPAIR, %rax
	mov	%rax, (%rcx)
	mov	%cr2, %rax
	invlpg	(%rax)
	pop	%rcx
	pop	%rax
	add	$16, %rsp
	iretq
9:	mov	$0, %eax
	out	%eax, $PORT_END
	hlt
	end	stubs64

	/* Triggers: the same bytes in both modes. */
	.code32
	piece	trigger_de
	xor	%ecx, %ecx
	at	trigger_de
	div	%ecx
	end	trigger_de
	piece	trigger_db		/* TF is set: the trap is behind it */
	nop
	at	trigger_db
	end	trigger_db
	piece	trigger_bp
	at	trigger_bp
	int3
	end	trigger_bp
	piece	trigger_of
	mov	$0x7fffffff, %eax
	add	$1, %eax
	at	trigger_of
	into
	end	trigger_of
	piece	trigger_ud
	at	trigger_ud
	ud2
	end	trigger_ud
	piece	trigger_gp
	mov	$SEL_BEYOND, %eax
	at	trigger_gp
	mov	%eax, %es
	end	trigger_gp
	piece	trigger_np
	mov	$SEL_ABSENT, %eax
	at	trigger_np
	mov	%eax, %es
	end	trigger_np
	piece	trigger_unp
	mov	$SEL_UABSENT, %eax
	at	trigger_unp
	mov	%eax, %es
	end	trigger_unp
	piece	trigger_ss
	mov	$SEL_ABSENT, %eax
	at	trigger_ss
	mov	%eax, %ss
	end	trigger_ss
	piece	trigger_uss
	mov	$SEL_UABSENT, %eax
	at	trigger_uss
	mov	%eax, %ss
	end	trigger_uss
	piece	trigger_pf
	mov	$DATA_PAGE, %ebx
	at	trigger_pf
	mov	%eax, 0x10(%ebx)
	end	trigger_pf
	piece	trigger_int
	at	trigger_int
	int	$VECTOR_INT
	end	trigger_int
	piece	trigger_irq		/* CPL 3 has IOPL 3 */
	mov	$40000, %ecx
	sti
	at	trigger_irq
1:	sub	$1, %ecx
	jnz	1b
	cli
	end	trigger_irq
	piece	trigger_done
	at	trigger_done
	int	$VECTOR_DONE
	end	trigger_done

	.section .note.GNU-stack, "", @progbits
