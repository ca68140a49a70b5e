/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A call of the loader with everything at its edges, and what came of it. */
#ifndef NOTRAP_TESTS_PLATFORM_LOADING_H
#define NOTRAP_TESTS_PLATFORM_LOADING_H

#include "base/diag.h"
#include "images.h"
#include "platform/loader.h"

#define FILL 0xaa /* what RAM holds before */

struct loading {
	const struct test_image *img;
	const char *cmdline;
	uint64_t ram_size;
	unsigned int nr_modules;
	size_t module_size[LOADER_MODULES];
	const char *module_args[LOADER_MODULES]; /* NULL is "" */
};

struct outcome {
	int err;
	struct boot_state state;
	struct diag diag;
	uint8_t *ram; /* free() it */
	uint64_t ram_size;
};

/*
 * RAM and files are exact allocations: what is read or written beyond them a
 * sanitizer sees.
 */
void load(const struct loading *what, struct outcome *out);

/* Byte `at` of module i. */
uint8_t module_byte(unsigned int i, size_t at);

uint64_t ram_le(const struct outcome *out, uint64_t gpa, unsigned int bytes);
const char *ram_text(const struct outcome *out, uint64_t gpa);
bool ram_untouched(const struct outcome *out);

/* Module i of `what` lies at gpa, all of it. */
void check_module(const struct loading *what, const struct outcome *out,
		  unsigned int i, uint64_t gpa);

#endif
