/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The basic VM-exit reasons by name and by number.  The list itself is
 * exit_reasons.def; nothing else repeats it.
 */
#ifndef NOTRAP_ARCH_EXIT_REASONS_H
#define NOTRAP_ARCH_EXIT_REASONS_H

#include "base/types.h"

enum exit_reason {
#define EXIT(name, number) EXIT_REASON_##name = (number),
#include "arch/exit_reasons.def"
#undef EXIT
};

/* Every listed reason is below this: the size of an array indexed by one. */
#define NR_EXIT_REASONS 65

/*
 * The exit-reason field: the basic reason in 15:0 and, in bit 31, that no exit
 * happened at all but a VM entry that failed on the guest's state.
 */
#define EXIT_REASON_BASIC        UINT32_C(0xffff)
#define EXIT_REASON_FAILED_ENTRY UINT32_C(0x80000000)

/*
 * Name of the basic reason in an exit-reason field (bits above 15:0 are
 * ignored); "UNKNOWN" for a number that is not in the list.  Never NULL.
 */
const char *exit_reason_name(uint32_t reason);

#endif
