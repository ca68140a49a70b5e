/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bzImage around FLAT, which is mini's memory from 1 MiB on, bss included:
 * boot sector and setup sector with the header of boot protocol 2.15
 * (Documentation/arch/x86/boot.rst), then the protected-mode code.  There is
 * no real-mode code: a loader must use the 32-bit protocol.
 */
#define LOAD_ADDRESS	0x100000
#define LOADED_HIGH	1
#define LINE_MAX	1023
#define INITRD_MAX	0x3fffffff	/* mini maps the first GiB */

	.section .bzimage, "ax"
	.code16
	.org	0x1f1
	.byte	1			/* setup_sects */
	.short	0
	.long	(code_end - code) / 16	/* syssize */
	.short	0, 0xffff, 0		/* ..., vid_mode, root_dev */
	.short	0xaa55			/* boot_flag */
	.byte	0xeb, header_end - 1f
1:	.ascii	"HdrS"
	.short	0x20f			/* version */
	.long	0
	.short	0x1000
	.short	name - 0x200		/* kernel_version */
	.byte	0			/* type_of_loader */
	.byte	LOADED_HIGH		/* loadflags */
	.short	0x8000
	.long	LOAD_ADDRESS		/* code32_start */
	.long	0, 0			/* initrd: the loader's */
	.long	0
	.short	0
	.byte	0, 0
	.long	0			/* cmd_line_ptr: the loader's */
	.long	INITRD_MAX		/* initrd_addr_max */
	.long	0x1000			/* kernel_alignment */
	.byte	0			/* relocatable_kernel */
	.byte	0
	.short	0			/* xloadflags */
	.long	LINE_MAX		/* cmdline_size */
	.long	0
	.quad	0
	.long	0, 0
	.quad	0			/* setup_data */
	.quad	LOAD_ADDRESS		/* pref_address */
	.long	code_end - code		/* init_size */
	.long	0, 0
header_end:
2:	hlt
	jmp	2b
name:
	.asciz	"mini"

	.org	0x400
code:
	.incbin	FLAT
	.balign	16
code_end:

	.section .note.GNU-stack, "", @progbits
