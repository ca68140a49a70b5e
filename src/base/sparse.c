/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/sparse.h"

#include <stdlib.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define IS_WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_WATCHED 1
#endif
#endif

#ifdef IS_WATCHED

void *sparse_alloc(size_t nr, size_t size)
{
	return calloc(nr, size);
}

void sparse_free(void *array, size_t nr, size_t size)
{
	(void)nr;
	(void)size;
	free(array);
}

#else

void *sparse_alloc(size_t nr, size_t size)
{
	void *array;
	size_t bytes;

	if (__builtin_mul_overflow(nr, size, &bytes))
		return NULL;
	array = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return array == MAP_FAILED ? NULL : array;
}

void sparse_free(void *array, size_t nr, size_t size)
{
	if (array)
		munmap(array, nr * size);
}

#endif
