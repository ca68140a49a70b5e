/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the command line wants of the processor's paging. */
#ifndef MINI_FEATURES_H
#define MINI_FEATURES_H

#include "kernel/cmdline.h"

/* Before the kernel's map is built; what there is not ends the run. */
void features_init(const struct config *config);

#endif
