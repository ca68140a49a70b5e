/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 50,000 mutated images.  Whatever the bytes: the loader returns, touches
 * nothing outside RAM and the image (sanitizers see that; here guard bytes
 * do), refuses in one line and then leaves RAM alone, or loads so that the
 * entry is in RAM and the boot information is whole.  tests/fuzz/fuzz_loader.c
 * is the same for a fuzzer.
 */
#include "check.h"

#include <stdlib.h>

#include "base/diag.h"
#include "base/hash.h"
#include "images.h"
#include "platform/loader.h"

#define ROUNDS   50000
#define RAM_SIZE UINT64_C(0x180000)
#define GUARD    4096
#define FILL     0xaa

static const char cmdline[] = "mixed seed=7";

/* Values that sit on the edges of what a field may hold. */
static uint64_t edge_value(uint64_t r, size_t file_size)
{
	const uint64_t base[] = {
		0,          file_size,         LOAD_ADDR, RAM_SIZE,
		0x9000,     0x9fc00,           0xa0000,   0x100000,
		UINT32_MAX, UINT64_C(1) << 32, INT64_MAX, UINT64_MAX,
		VIRT_BASE,  0x7fffffff,        64,        0x10003,
	};

	return base[r % ARRAY_LEN(base)] + (r >> 8) % 9 - 4;
}

/* Fields lie in 200 bytes from img->fields on. */
static void mutate(struct test_image *img, uint64_t *seed)
{
	uint64_t r = next_random(seed);
	size_t at = img->fields + (r >> 16) % 200;
	unsigned int bytes = 1u << ((r >> 8) & 3);

	switch (r % 8) {
	case 0:
		img->data[at] = (uint8_t)(r >> 32);
		break;
	case 1:
		img->data[at] ^= (uint8_t)(1u << (r >> 32 & 7));
		break;
	case 2:
		img->size = (r >> 32) % (img->size + 1);
		break;
	case 3:
		if (!img->mb)
			break;
		put_header(img, img->mb, (uint32_t)(r >> 32) & 0x1ffff);
		break;
	default:
		at &= ~(size_t)(bytes - 1);
		put(img, at, edge_value(r >> 32, img->size), bytes);
		break;
	}
}

static uint64_t le32(const uint8_t *ram, uint64_t gpa)
{
	assert_true(gpa + 4 <= RAM_SIZE);
	return ram[gpa] | (uint64_t)ram[gpa + 1] << 8 |
	       (uint64_t)ram[gpa + 2] << 16 | (uint64_t)ram[gpa + 3] << 24;
}

static void check_accepted(const char *name, const uint8_t *ram,
			   const struct boot_state *state)
{
	uint64_t line;

	assert_true(state->entry < RAM_SIZE);
	if (state->esi) {
		line = le32(ram, state->esi + UINT64_C(0x228));
		check_eq(name, le32(ram, state->esi + UINT64_C(0x202)),
			 0x53726448);
	} else if (state->eax) {
		line = le32(ram, state->ebx + UINT64_C(16));
		check_eq(name, state->eax, 0x2badb002);
		check_eq(name, le32(ram, state->ebx), 0x24d);
	} else {
		line = le32(ram, state->ebx + UINT64_C(24));
		check_eq(name, le32(ram, state->ebx), 0x336ec578);
	}
	assert_true(line + sizeof(cmdline) <= 0x9fc00);
	assert_memory_equal(ram + line, cmdline, sizeof(cmdline));
}

static void check_refused(const char *name, int err, const struct diag *diag)
{
	if (err >= 0 || !diag->msg[0] || strchr(diag->msg, '\n'))
		fail_msg("%s: refused with %d \"%s\"", name, err, diag->msg);
}

static bool is_filled(const uint8_t *bytes, size_t n)
{
	return bytes[0] == FILL && !memcmp(bytes, bytes + 1, n - 1);
}

static void mutations(void **state)
{
	static void (*const build[])(struct test_image *) = {
		build_elf32, build_elf64, build_kludge,
		build_pvh32, build_pvh64, build_bzimage};
	uint8_t *ram = malloc(RAM_SIZE + GUARD);
	unsigned int accepted = 0;
	uint64_t seed = 20071123;
	struct test_image img;
	char name[32];

	(void)state;
	assert_non_null(ram);
	memset(ram, FILL, RAM_SIZE + GUARD);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct boot_files files = {.kernel = {.name = "guest"},
					   .cmdline = cmdline};
		struct boot_state boot = {0};
		struct diag diag = {0};
		uint8_t *exact;
		int err;

		snprintf(name, sizeof(name), "round %u", round);
		build[round % ARRAY_LEN(build)](&img);
		for (uint64_t n = next_random(&seed) % 4 + 1; n; n--)
			mutate(&img, &seed);
		exact = malloc(img.size ? img.size : 1);
		assert_non_null(exact);
		memcpy(exact, img.data, img.size);
		files.kernel.data = exact;
		files.kernel.size = img.size;
		err = loader_load(&files, ram, RAM_SIZE, &boot, &diag);
		free(exact);
		if (err) {
			check_refused(name, err, &diag);
			if (round % 64 == 0 && !is_filled(ram, RAM_SIZE))
				fail_msg("%s: RAM changed", name);
		} else {
			check_accepted(name, ram, &boot);
			memset(ram, FILL, RAM_SIZE);
			accepted++;
		}
		if (!is_filled(ram + RAM_SIZE, GUARD))
			fail_msg("%s: wrote beyond RAM", name);
	}
	/* The mutator neither breaks all images nor none. */
	assert_in_range(accepted, ROUNDS / 50, ROUNDS / 2);
	free(ram);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
