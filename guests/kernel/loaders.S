/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entered by other loaders than multiboot's: what they left is turned into
 * multiboot information, after a look at what their protocols promise.
 *   pvh_start    Xen's PVH ABI: EBX = hvm_start_info
 *   linux_start  Linux' 32-bit boot protocol: ESI = the zero page.  It is the
 *                first byte of the image.
 * Of several modules only the first is kept.
 */
#define PVH_NOTE	18
#define PVH_MAGIC	0x336ec578
#define PVH_NR_MODULES	12
#define PVH_MODULES	16
#define PVH_LINE	24
#define PVH_MAP		40
#define PVH_MAP_LEN	48
#define PVH_MAP_ENTRY	24

#define ZP_MAP_LEN	0x1e8
#define ZP_MAGIC	0x202
#define ZP_INITRD	0x218
#define ZP_INITRD_SIZE	0x21c
#define ZP_LINE		0x228
#define ZP_MAP		0x2d0
#define ZP_MAP_ENTRY	20
#define HDRS		0x53726448
#define ZP_CS		0x10
#define ZP_DS		0x18

#define MAP_RAM		1
#define UPPER_START	0x100000

#define MB_LOADED	0x2badb002
#define MB_FLAGS	0xd		/* memory, command line, modules */

	.section .note.Xen, "a", @note
	.balign	4
	.long	4
	.long	4
	.long	PVH_NOTE
	.asciz	"Xen"
	.long	pvh_start

	.section .boot.header, "ax"
	.code32
	jmp	linux_start
	.balign	8

	.section .boot.text, "ax"
	.code32
	.global	pvh_start
pvh_start:
	cli
	cld
	mov	$boot_stack_top, %esp
	mov	$msg_bad_pvh, %edi
	cmpl	$PVH_MAGIC, (%ebx)
	jne	refused
	mov	PVH_LINE(%ebx), %eax
	mov	%eax, made_line
	mov	PVH_MAP(%ebx), %esi
	mov	PVH_MAP_LEN(%ebx), %ecx
	mov	$PVH_MAP_ENTRY, %edx
	call	find_memory
	cmpl	$0, PVH_NR_MODULES(%ebx)
	je	as_multiboot
	mov	PVH_MODULES(%ebx), %esi
	mov	(%esi), %eax
	mov	8(%esi), %ecx
	mov	16(%esi), %edx
	call	keep_module

as_multiboot:
	mov	$MB_LOADED, %eax
	mov	$made_info, %ebx
	jmp	boot_start

linux_start:
	cli
	cld
	mov	$boot_stack_top, %esp
	or	%edi, %ebx
	or	%ebp, %ebx
	mov	$msg_bad_linux, %edi
	jnz	refused
	mov	$ZP_DS, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	ljmp	$ZP_CS, $1f
1:	cmpl	$HDRS, ZP_MAGIC(%esi)
	jne	refused
	mov	%esi, %ebx
	mov	ZP_LINE(%ebx), %eax
	mov	%eax, made_line
	lea	ZP_MAP(%ebx), %esi
	movzbl	ZP_MAP_LEN(%ebx), %ecx
	mov	$ZP_MAP_ENTRY, %edx
	call	find_memory
	mov	ZP_INITRD_SIZE(%ebx), %ecx
	test	%ecx, %ecx
	jz	as_multiboot
	mov	ZP_INITRD(%ebx), %eax
	mov	$nothing, %edx
	call	keep_module
	jmp	as_multiboot

/* %esi: map, %ecx: its length, %edx: bytes of an entry, %edi: complaint. */
find_memory:
	test	%ecx, %ecx
	jz	refused
	cmpl	$UPPER_START, (%esi)
	jne	1f
	cmpl	$MAP_RAM, 16(%esi)
	je	2f
1:	add	%edx, %esi
	dec	%ecx
	jmp	find_memory
2:	mov	8(%esi), %eax
	shr	$10, %eax
	mov	%eax, made_upper
	ret

/* %eax: address, %ecx: size, %edx: command line. */
keep_module:
	add	%eax, %ecx
	mov	%eax, made_module
	mov	%ecx, made_module + 4
	mov	%edx, made_module + 8
	movl	$1, made_count
	ret

/* %edi: complaint. */
refused:
	call	serial_init
	mov	%edi, %esi
	mov	$4, %eax
	jmp	fail32

	.section .boot.data, "aw"
	.balign	4
made_info:
	.long	MB_FLAGS
	.long	0
made_upper:
	.long	0
	.long	0
made_line:
	.long	0
made_count:
	.long	0
	.long	made_module
made_module:
	.long	0, 0, 0, 0
nothing:
	.byte	0
msg_bad_pvh:
	.asciz	"not started as PVH says\n"
msg_bad_linux:
	.asciz	"not started as Linux' 32-bit boot protocol says\n"

	.section .note.GNU-stack, "", @progbits
