/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A page fault's error code in words, for people. */
#ifndef NOTRAP_ARCH_PFEC_H
#define NOTRAP_ARCH_PFEC_H

#include <stddef.h>

#include "base/types.h"

/* "not present, write, user"; 80 bytes are enough for every code. */
void pfec_text(uint32_t pfec, char *buf, size_t size);

#endif
