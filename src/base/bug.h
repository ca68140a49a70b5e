/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our own mistakes end the program here, in every build.  Guest faults are
 * values and host trouble is -errno: neither ever comes this way.
 */
#ifndef NOTRAP_BASE_BUG_H
#define NOTRAP_BASE_BUG_H

#include "base/types.h"

_Noreturn void bug_at(const char *file, int line, const char *what);

#define BUG(what) bug_at(__FILE__, __LINE__, what)
#define BUG_ON(cond)                                       \
	do {                                               \
		if (unlikely(cond))                        \
			bug_at(__FILE__, __LINE__, #cond); \
	} while (0)

#endif
