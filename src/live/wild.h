/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses in 64-bit code that are not canonical.  The processor raises #SS
 * where the stack segment was meant and refuses a branch before it is taken;
 * Unicorn raises #GP for all, and for a branch at its target.  SDM vol. 3A,
 * "Stack Fault Exception (#SS)"; vol. 2, "JMP--Jump".
 */
#ifndef NOTRAP_LIVE_WILD_H
#define NOTRAP_LIVE_WILD_H

#include "live/env.h"

/* Does this instruction, about to run, refer to such an address by SS? */
bool wild_by_stack(const struct live_env *env, const uint8_t *bytes, size_t n);

/*
 * bytes: a near branch that has been taken.  True: *rsp is as it was before.
 * False: some other instruction.
 */
bool wild_undo_branch(const uint8_t *bytes, size_t n, uint64_t *rsp);

#endif
