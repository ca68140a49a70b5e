/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The address space of the phases guest, for C and assembly.  Low memory is
 * mapped one to one in 4K pages for the kernel; user memory is 1 GiB up.
 */
#ifndef PHASES_LAYOUT_H
#define PHASES_LAYOUT_H

#define KERNEL_ENTRY 0x63 /* P W A D: nothing left to set in it */
#define USER_ENTRY   0x67 /* and U */

#define USER_CODE 0x40000000 /* the user's only code; it has no stack */
/* The table under test maps 512 pages here: A the first half, B the rest. */
#define TEST 0x40200000
#define HALF 256
/* Tables mapped as data: that of TEST, and the directory of SPARE. */
#define ALIAS_TABLE     0x40400000
#define ALIAS_DIRECTORY 0x40401000
#define SPARE           0x80000000 /* one page below a directory of its own */

/* The page frames behind TEST, and the one behind SPARE. */
#define TEST_FRAMES 0x200000
#define SPARE_FRAME 0x400000
#define RAM_NEEDED  0x401000

#endif
