/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Big arrays of zeros of which most is never touched, and so costs nothing.
 *
 * calloc() promises zeros, not that it leaves them alone: glibc writes the
 * whole array where MALLOC_PERTURB_ is set, as `meson test` does.  In a build
 * with AddressSanitizer it is calloc() all the same, so that its ends are
 * watched.
 */
#ifndef NOTRAP_BASE_SPARSE_H
#define NOTRAP_BASE_SPARSE_H

#include <stddef.h>

/* nr elements of size bytes, neither of them 0; NULL: out of memory. */
void *sparse_alloc(size_t nr, size_t size);

/* nr and size as they were given; NULL is fine. */
void sparse_free(void *array, size_t nr, size_t size);

#endif
