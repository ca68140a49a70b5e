/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ROM for Bochs (check-bochs.sh): the image, moved to 2 MiB and started. */
	.code16
	.section .rom, "ax"
rom:
	.incbin IMAGE
image_end:
	.org 0xff00
start:
	cli
	lgdtl %cs:gdtp - rom
	movl %cr0, %eax
	orb $1, %al
	movl %eax, %cr0
	ljmpl $8, $(0xf0000 + (pm - rom))
	.code32
pm:	movl $0x10, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $0xf0000, %esi
	movl $0x200000, %edi
	movl $(image_end - rom), %ecx
	cld
	rep movsb
	movl $0x2badb002, %eax
	movl $0x20000c, %ebx
	jmp *%ebx
	.balign 8
gdt:	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdtp:	.word 23
	.long 0xf0000 + (gdt - rom)
	.org 0xfff0
	.code16
	ljmp $0xf000, $0xff00
	.org 0x10000
