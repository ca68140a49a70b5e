/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the multiboot loader (loaders.S: from others) to the kernel's C code, through three of the
 * processor's translations, each tested before the next:
 *   1. paging off,
 *   2. PAE paging (three levels) in 32-bit mode, then paging off again,
 *   3. long mode: four levels, the first GiB in 2M pages at 0 and at -2 GiB;
 *      a fifth level above them if the command line has mode=57.
 * An image in 32-bit code has, instead of the third, its own paging: two levels
 * or PAE's three, the first 768 MiB in large pages at 0 and at 3 GiB.
 * Everything here is linked at its physical address.  No interrupt table yet:
 * an exception is a triple fault.
 */
#include "common/abi.h"

#define MB_MAGIC	0x1badb002
#define MB_FLAGS	0x00000003	/* modules page-aligned, memory size */

#define SERIAL		0x3f8
#define LSR_THRE	0x20
#define EXIT_PORT	0xf4

#define BOOT_CS32	0x08
#define BOOT_DS		0x10
#define BOOT_CS64	0x18

#define CR0_WP		0x00010000
#define CR0_PG		0x80000000
#define CR4_PSE		0x00000010
#define CR4_PAE		0x00000020
#define CR4_LA57	0x00001000
#define MSR_EFER	0xc0000080
#define EFER_SCE	0x00000001
#define EFER_LME	0x00000100
#define EFER_NXE	0x00000800

#define CPUID_PAE	(1 << 6)	/* leaf 1, EDX */
/*
 * NX, LM: leaf 0x80000001, EDX.  SYSCALL, bit 11, comes with long mode; Intel
 * shows it to 64-bit code only.
 */
#define CPUID_EXT	((1 << 20) | (1 << 29))
#define CPUID_LA57	(1 << 16)	/* leaf 7, ECX */

/* The multiboot information: flags, and where the command line is. */
#define MB_FLAGS_AT	0
#define MB_LINE_AT	16
#define MB_HAS_LINE	4

#define KERNEL_TABLE	(PTE_P | PTE_W | PTE_A | PTE_D)

#define SCRATCH_PAGES	4
#define ALIAS		0x40000000	/* the scratch pages once more */
#define PATTERN		0xa11a5000

	.section .boot.header, "ax"
	.balign	4
	.long	MB_MAGIC
	.long	MB_FLAGS
	.long	-(MB_MAGIC + MB_FLAGS)

	.section .boot.text, "ax"
	.code32
	.global	boot_start, serial_init, fail32, boot_stack_top
boot_start:
	cli
	cld
	mov	$boot_stack_top, %esp
	mov	%eax, boot_magic
	mov	%ebx, boot_info
	lgdt	boot_gdt_desc
	ljmp	$BOOT_CS32, $1f
1:	mov	$BOOT_DS, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	call	serial_init

	call	check_unpaged
	mov	$msg_unpaged, %esi
	call	serial_puts

	call	check_processor
	call	pae_on
	call	check_pae
	call	pae_off
	mov	$msg_pae, %esi
	call	serial_puts
	jmp	enter_kernel

/* ---- stage 1: paging off ------------------------------------------------ */

/* Fill the scratch pages with a sequence, then check it. */
check_unpaged:
	mov	$scratch, %edi
	mov	$(SCRATCH_PAGES * 1024), %ecx
	mov	$PATTERN, %eax
1:	mov	%eax, (%edi)
	add	$0x01000193, %eax
	add	$4, %edi
	dec	%ecx
	jnz	1b

	mov	$scratch, %esi
	mov	$(SCRATCH_PAGES * 1024), %ecx
	mov	$PATTERN, %eax
2:	cmp	%eax, (%esi)
	jne	3f
	add	$0x01000193, %eax
	add	$4, %esi
	dec	%ecx
	jnz	2b
	ret
3:	mov	$msg_bad_unpaged, %esi
	mov	$1, %eax
	jmp	fail32

check_processor:
	mov	$1, %eax
	cpuid
	test	$CPUID_PAE, %edx
	jz	1f
	mov	$0x80000000, %eax
	cpuid
	cmp	$0x80000001, %eax
	jb	1f
	mov	$0x80000001, %eax
	cpuid
	and	$CPUID_EXT, %edx
	cmp	$CPUID_EXT, %edx
	jne	1f
	ret
1:	mov	$msg_bad_processor, %esi
	mov	$4, %eax
	jmp	fail32

/* ---- stage 2: PAE ------------------------------------------------------- */

/*
 * The low 2 MiB one to one, and the scratch pages once more at ALIAS, last
 * one first.  A and D start clear: the processor (or whoever plays it) has to
 * set them.  A PDPTE has neither W nor U nor A.
 */
pae_on:
	movl	$(pae_pd_low + PTE_P), pae_pdpt
	movl	$(pae_pd_alias + PTE_P), pae_pdpt + 8
	movl	$(pae_pt_low + PTE_P + PTE_W), pae_pd_low
	movl	$(pae_pt_alias + PTE_P + PTE_W), pae_pd_alias

	mov	$(PTE_P | PTE_W), %eax
	xor	%ecx, %ecx
1:	mov	%eax, pae_pt_low(, %ecx, 8)
	add	$4096, %eax
	inc	%ecx
	cmp	$512, %ecx
	jb	1b

	mov	$(scratch + 4096 * (SCRATCH_PAGES - 1) + PTE_P + PTE_W), %eax
	xor	%ecx, %ecx
2:	mov	%eax, pae_pt_alias(, %ecx, 8)
	sub	$4096, %eax
	inc	%ecx
	cmp	$SCRATCH_PAGES, %ecx
	jb	2b

	mov	%cr4, %eax
	or	$CR4_PAE, %eax
	mov	%eax, %cr4
	mov	$pae_pdpt, %eax
	mov	%eax, %cr3
	mov	%cr0, %eax
	or	$(CR0_PG | CR0_WP), %eax
	mov	%eax, %cr0
	ret

pae_off:
	mov	%cr0, %eax
	and	$~CR0_PG, %eax
	mov	%eax, %cr0
	ret

check_pae:
	/* Write alias pages 0 to 2, only read page 3 (= the first frame). */
	movl	$(PATTERN + 0), ALIAS
	movl	$(PATTERN + 1), ALIAS + 0x1000
	movl	$(PATTERN + 2), ALIAS + 0x2000
	cmpl	$PATTERN, ALIAS + 0x3000	/* left there by stage 1 */
	jne	9f

	/* The same through the one-to-one mapping. */
	cmpl	$(PATTERN + 0), scratch + 0x3000
	jne	9f
	cmpl	$(PATTERN + 1), scratch + 0x2000
	jne	9f
	cmpl	$(PATTERN + 2), scratch + 0x1000
	jne	9f

	/* Written pages: A and D.  Read page: A alone. */
	xor	%ecx, %ecx
1:	mov	pae_pt_alias(, %ecx, 8), %eax
	and	$(PTE_A | PTE_D), %eax
	cmp	$(PTE_A | PTE_D), %eax
	jne	9f
	inc	%ecx
	cmp	$(SCRATCH_PAGES - 1), %ecx
	jb	1b
	mov	pae_pt_alias + 8 * (SCRATCH_PAGES - 1), %eax
	and	$(PTE_A | PTE_D), %eax
	cmp	$PTE_A, %eax
	jne	9f

	/* Turn page 3 to the frame of page 0, and see the old go. */
	movl	$(scratch + 0x3000 + PTE_P + PTE_W), pae_pt_alias + 8 * 3
	invlpg	ALIAS + 0x3000
	cmpl	$PATTERN, ALIAS + 0x3000
	jne	9f
	movl	$~PATTERN, scratch + 0x3000
	cmpl	$~PATTERN, ALIAS + 0x3000
	jne	9f
	ret
9:	mov	$msg_bad_pae, %esi
	mov	$1, %eax
	jmp	fail32

/* ---- stage 3: long mode ------------------------------------------------- */

#ifdef __x86_64__
enter_kernel:
	movl	$(boot_pdpt_low + KERNEL_TABLE), boot_pml4
	movl	$(boot_pdpt_high + KERNEL_TABLE), boot_pml4 + 8 * 511
	movl	$(boot_pd + KERNEL_TABLE), boot_pdpt_low
	movl	$(boot_pd + KERNEL_TABLE), boot_pdpt_high + 8 * 510

	mov	$(KERNEL_TABLE | PTE_PS), %eax
	xor	%ecx, %ecx
1:	mov	%eax, boot_pd(, %ecx, 8)
	add	$0x200000, %eax
	inc	%ecx
	cmp	$512, %ecx
	jb	1b

	call	wants_57
	mov	$boot_pml4, %eax
	jne	2f
	movl	$(boot_pml4 + KERNEL_TABLE), boot_pml5
	movl	$(boot_pml4 + KERNEL_TABLE), boot_pml5 + 8 * 511
	mov	%cr4, %eax
	or	$CR4_LA57, %eax
	mov	%eax, %cr4
	mov	$boot_pml5, %eax
2:	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$(EFER_SCE | EFER_LME | EFER_NXE), %eax
	wrmsr
	mov	%cr0, %eax
	or	$(CR0_PG | CR0_WP), %eax
	mov	%eax, %cr0
	ljmp	$BOOT_CS64, $boot64

/* ZF: the command line has mode=57; without the processor it is an end. */
wants_57:
	mov	boot_info, %ebx
	testl	$MB_HAS_LINE, MB_FLAGS_AT(%ebx)
	jz	2f
	mov	MB_LINE_AT(%ebx), %esi
1:	cmpb	$0, (%esi)
	je	2f
	mov	$mode_57, %edi
	mov	$MODE_57_LEN, %ecx
	push	%esi
	repe cmpsb
	pop	%esi
	je	3f
	inc	%esi
	jmp	1b
2:	or	$1, %esi		/* not ZF */
	ret
3:	xor	%eax, %eax
	cpuid
	cmp	$7, %eax
	jb	4f
	mov	$7, %eax
	xor	%ecx, %ecx
	cpuid
	test	$CPUID_LA57, %ecx
	jz	4f
	cmp	%eax, %eax
	ret
4:	mov	$msg_bad_57, %esi
	mov	$4, %eax
	jmp	fail32

	.code64
boot64:
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	mov	boot_magic, %edi
	mov	boot_info, %esi
	mov	$idle_stack_top, %rsp
	mov	$kmain, %rax
	call	*%rax
	ud2				/* kmain does not return */
#else
enter_kernel:
	mov	$(KERNEL_TABLE | PTE_PS), %eax
	xor	%ecx, %ecx
#if MINI_LEVELS == 2
1:	mov	%eax, boot_pd(, %ecx, 4)
	mov	%eax, boot_pd + 4 * 768(, %ecx, 4)
	add	$0x400000, %eax
	inc	%ecx
	cmp	$192, %ecx
	jb	1b

	mov	%cr4, %eax
	and	$~CR4_PAE, %eax
	or	$CR4_PSE, %eax
	mov	%eax, %cr4
	mov	$boot_pd, %eax
#else
1:	mov	%eax, boot_pd(, %ecx, 8)
	add	$0x200000, %eax
	inc	%ecx
	cmp	$384, %ecx
	jb	1b

	movl	$(boot_pd + PTE_P), boot_pdpt_low
	movl	$(boot_pd + PTE_P), boot_pdpt_low + 8 * 3
	mov	$boot_pdpt_low, %eax
#endif
	mov	%eax, %cr3
	mov	%cr0, %eax
	or	$(CR0_PG | CR0_WP), %eax
	mov	%eax, %cr0
	mov	$idle_stack_top, %esp
	push	boot_info
	push	boot_magic
	mov	$kmain, %eax
	call	*%eax
	ud2				/* kmain does not return */
#endif

/* ---- console and end, 32-bit -------------------------------------------- */

	.code32
/* 115200 baud, 8N1, FIFOs on, no interrupts. */
serial_init:
	mov	$uart_setup, %esi
1:	movzwl	(%esi), %edx
	test	%edx, %edx
	jz	2f
	mov	2(%esi), %al
	out	%al, %dx
	add	$3, %esi
	jmp	1b
2:	ret

/* %esi: text, ended by a zero byte. */
serial_puts:
	mov	(%esi), %bl
	test	%bl, %bl
	jz	2f
	mov	$(SERIAL + 5), %edx
1:	in	%dx, %al
	test	$LSR_THRE, %al
	jz	1b
	mov	%bl, %al
	mov	$SERIAL, %edx
	out	%al, %dx
	inc	%esi
	jmp	serial_puts
2:	ret

/* %esi: message, %eax: exit code. */
fail32:
	push	%eax
	call	serial_puts
	pop	%eax
	mov	$EXIT_PORT, %edx
	out	%eax, %dx
1:	hlt
	jmp	1b

	.section .boot.data, "aw"
boot_magic:
	.long	0
boot_info:
	.long	0

	.macro	uart reg, val
	.short	SERIAL + \reg
	.byte	\val
	.endm
uart_setup:
	uart	1, 0x00			/* no interrupts */
	uart	3, 0x80			/* divisor latch */
	uart	0, 0x01			/* 115200 baud */
	uart	1, 0x00
	uart	3, 0x03			/* 8 bits, no parity, 1 stop */
	uart	2, 0x07			/* FIFOs on and empty */
	uart	4, 0x03			/* DTR, RTS */
	.short	0

msg_unpaged:
	.asciz	"paging off: ok\n"
msg_pae:
	.asciz	"pae paging: ok\n"
msg_bad_unpaged:
	.asciz	"FAILED paging off: memory does not hold what was written\n"
msg_bad_pae:
	.asciz	"FAILED pae paging: wrong data or wrong A/D bits\n"
#ifdef __x86_64__
mode_57:
	.ascii	"mode=57"
	.set	MODE_57_LEN, . - mode_57
msg_bad_57:
	.asciz	"this processor lacks 5-level paging\n"
#endif
msg_bad_processor:
	.asciz	"this processor lacks PAE, NX or long mode\n"

	.balign	8
boot_gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* 32-bit code, accessed */
	.quad	0x00cf93000000ffff	/* data, accessed */
	.quad	0x00af9b000000ffff	/* 64-bit code, accessed */
boot_gdt_desc:
	.short	. - boot_gdt - 1
	.long	boot_gdt

	.section .boot.bss, "aw", @nobits
	.balign	4096
scratch:
	.skip	4096 * SCRATCH_PAGES
pae_pd_low:
	.skip	4096
pae_pd_alias:
	.skip	4096
pae_pt_low:
	.skip	4096
pae_pt_alias:
	.skip	4096
boot_pml4:
	.skip	4096
boot_pdpt_low:
	.skip	4096
boot_pdpt_high:
	.skip	4096
boot_pd:
	.skip	4096
boot_pml5:
	.skip	4096
pae_pdpt:
	.skip	32
	.balign	16
	.skip	1024
boot_stack_top:

	.section .bss
	.balign	16
	.skip	8192
	.global	idle_stack_top
idle_stack_top:

	.section .note.GNU-stack, "", @progbits
