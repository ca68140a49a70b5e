/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest-physical addresses that the matrix, its guests and its hosts share. */
#ifndef NOTRAP_TESTS_ORACLE_LAYOUT_H
#define NOTRAP_TESTS_ORACLE_LAYOUT_H

#define MATRIX_RAM 0x1000000 /* 16 MiB */

/* Tables that lead to the address under test; the top one is the root. */
#define MATRIX_TABLE(level) (0x60000 + (level)*0x1000)
/* Tables of the one-to-one map. */
#define MATRIX_OWN_PT(n) (0x66000 + (n)*0x1000) /* 0..3 */
#define MATRIX_OWN_PD    0x6a000
#define MATRIX_OWN_PDPT  0x6b000
#define MATRIX_OWN_PML4  0x6c000

/* User code and its stack: the only pages of the map with U. */
#define MATRIX_USER_CODE  0x70000
#define MATRIX_USER_STACK 0x71000

/* Where an access may end: by a 4K, 1G, 2M and 4M page. */
#define MATRIX_PAGE_4K 0x806000
#define MATRIX_PAGE_1G 0x805000
#define MATRIX_PAGE_2M 0xa05000
#define MATRIX_PAGE_4M 0xc05000

/* Each of these pages: code to be called, a word to read, one to write. */
#define MATRIX_FETCH_AT 0
#define MATRIX_READ_AT  8
#define MATRIX_WRITE_AT 64

#endif
