/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user programs as a flat binary, whole pages: mm.c maps these very
 * frames, read-only, as a file's pages would be.
 */
	.section .user_image, "a"
	.balign	4096
	.global	user_image
user_image:
	.incbin	USER_BIN
	.balign	4096
	.global	user_image_end
user_image_end:

	.section .note.GNU-stack, "", @progbits
