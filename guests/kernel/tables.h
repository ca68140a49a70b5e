/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The workload `tables`: page-table entries written in every way that code
 * writes memory, each followed by a look at what the processor makes of it.
 */
#ifndef MINI_TABLES_H
#define MINI_TABLES_H

#include "common/types.h"

_Noreturn void tables_run(u64 rounds);

#endif
