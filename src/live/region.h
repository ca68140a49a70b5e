/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unicorn's search for the memory region of a physical address.
 *
 * With a MEM hook Unicorn searches its map at every access, which took a
 * twelfth of the time of a recording.  It does so by a pointer to a function in
 * its engine; that is led to one here, which knows the region of guest memory
 * and asks Unicorn's own for any other.  Where the pointer is not found nothing
 * is changed: it is a matter of speed alone.
 */
#ifndef NOTRAP_LIVE_REGION_H
#define NOTRAP_LIVE_REGION_H

#include <stdbool.h>
#include <unicorn/unicorn.h>

#include "base/types.h"

/*
 * [0, size) is mapped as one, and stays so until region_release().  Of several
 * engines in a thread the last one gains by it, the others lose nothing. False:
 * this Unicorn searches in another way.
 */
bool region_hold(uc_engine *uc, hpa_t size);

/* Before uc_close(); of one that is not held, too. */
void region_release(uc_engine *uc);

#endif
