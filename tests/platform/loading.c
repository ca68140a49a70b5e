/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check.h"

#include "loading.h"

#include <stdlib.h>

static uint8_t *exact_copy(const uint8_t *from, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	memcpy(copy, from, size);
	return copy;
}

uint8_t module_byte(unsigned int i, size_t at)
{
	return (uint8_t)(at * 7 + i * 31 + 1);
}

static uint8_t *make_module(unsigned int i, size_t size)
{
	uint8_t *data = malloc(size ? size : 1);

	assert_non_null(data);
	for (size_t at = 0; at < size; at++)
		data[at] = module_byte(i, at);
	return data;
}

void load(const struct loading *what, struct outcome *out)
{
	struct boot_module module[LOADER_MODULES + 1] = {0};
	uint8_t *kernel = exact_copy(what->img->data, what->img->size);
	struct boot_files files = {
		.kernel = {"guest", kernel, what->img->size},
		.cmdline = what->cmdline,
		.module = module,
		.nr_modules = what->nr_modules,
	};

	for (unsigned int i = 0; i < what->nr_modules; i++) {
		const char *args = what->module_args[i];
		size_t size = what->module_size[i];

		module[i].args = args ? args : "";
		snprintf(module[i].image.name, sizeof(module[i].image.name),
			 "module%u", i);
		module[i].image.data = make_module(i, size);
		module[i].image.size = size;
	}
	*out = (struct outcome){.ram_size = what->ram_size,
				.ram = malloc(what->ram_size)};
	assert_non_null(out->ram);
	memset(out->ram, FILL, what->ram_size);
	out->err = loader_load(&files, out->ram, what->ram_size, &out->state,
			       &out->diag);
	for (unsigned int i = 0; i < what->nr_modules; i++)
		image_free(&module[i].image);
	free(kernel);
}

uint64_t ram_le(const struct outcome *out, uint64_t gpa, unsigned int bytes)
{
	uint64_t val = 0;

	assert_true(gpa <= out->ram_size && bytes <= out->ram_size - gpa);
	for (unsigned int i = 0; i < bytes; i++)
		val |= (uint64_t)out->ram[gpa + i] << (8 * i);
	return val;
}

const char *ram_text(const struct outcome *out, uint64_t gpa)
{
	assert_true(gpa < out->ram_size);
	assert_non_null(memchr(out->ram + gpa, 0, out->ram_size - gpa));
	return (const char *)out->ram + gpa;
}

bool ram_untouched(const struct outcome *out)
{
	return out->ram[0] == FILL &&
	       !memcmp(out->ram, out->ram + 1, out->ram_size - 1);
}

void check_module(const struct loading *what, const struct outcome *out,
		  unsigned int i, uint64_t gpa)
{
	check_eq("a module begins on a page", gpa & PAGE_MASK, 0);
	assert_true(gpa >= 0x100000);
	assert_true(gpa + what->module_size[i] <= out->ram_size);
	for (size_t at = 0; at < what->module_size[i]; at++)
		if (out->ram[gpa + at] != module_byte(i, at))
			fail_msg("module %u at 0x%" PRIx64 ": byte %zu is not "
				 "its own",
				 i, gpa, at);
}
