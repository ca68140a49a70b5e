/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operands that may be traces or results. */
#ifndef NOTRAP_CLI_IS_TRACE_H
#define NOTRAP_CLI_IS_TRACE_H

#include "base/types.h"

/* By the first byte of the file: no text begins like a trace. */
bool is_trace(const char *path);

#endif
