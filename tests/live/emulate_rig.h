/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One instruction for the emulator, its registers and the memory it works on.
 */
#ifndef NOTRAP_TESTS_LIVE_EMULATE_RIG_H
#define NOTRAP_TESTS_LIVE_EMULATE_RIG_H

#include "run_insn.h"

#define TABLE 0x30000u /* where RDI points */
#define VALUE UINT64_C(0x1122334455667788)
#define OLD   UINT64_C(0xa0a1a2a3a4a5a6a7)

/*
 * Put the instruction where the fake's rip is.  RDI leads to TABLE, which holds
 * OLD, RSI to VALUE half a page behind it; the others are VALUE and a number.
 */
void place(struct fake *f, enum setup_mode mode, const char *bytes);

#endif
