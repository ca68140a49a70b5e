/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the loader puts what it may place itself: nothing overlaps, whatever
 * the sizes; an initrd lies as high as it may; and where memory is too small,
 * the line says what is enough, and with that it works.
 */
#include "../share.h"
#include "check.h"

#include <errno.h>
#include <stdlib.h>

#include "loading.h"

#define ROUNDS  4000
#define MIB     UINT64_C(0x100000)
#define RAM_MAX (8 * MIB)

static const char line[] = "root=/dev/ram0";

struct module_at {
	uint64_t gpa, size;
};

/* As the guest reads it. */
static struct module_at module_of(const struct outcome *out, unsigned int i)
{
	const struct boot_state *s = &out->state;
	uint64_t at;

	if (s->eax == 0x2badb002) {
		at = ram_le(out, s->ebx + 24, 4) + 16 * i;
		return (struct module_at){ram_le(out, at, 4),
					  ram_le(out, at + 4, 4) -
						  ram_le(out, at, 4)};
	}
	if (!s->esi) {
		at = ram_le(out, s->ebx + 16, 8) + 32 * i;
		return (struct module_at){ram_le(out, at, 8),
					  ram_le(out, at + 8, 8)};
	}
	return (struct module_at){ram_le(out, s->esi + 0x218, 4),
				  ram_le(out, s->esi + 0x21c, 4)};
}

static const char *line_of(const struct outcome *out)
{
	const struct boot_state *s = &out->state;

	if (s->eax == 0x2badb002)
		return ram_text(out, ram_le(out, s->ebx + 16, 4));
	if (!s->esi)
		return ram_text(out, ram_le(out, s->ebx + 24, 8));
	return ram_text(out, ram_le(out, s->esi + 0x228, 4));
}

/* If everything holds what it should, nothing was put on top of it. */
static void check_whole(const struct loading *what, const struct outcome *out,
			uint64_t load, uint64_t bss)
{
	assert_string_equal(line_of(out), line);
	for (unsigned int i = 0; i < CODE_BYTES; i++)
		check_eq("code", out->ram[load + i], i + 1);
	for (uint64_t i = 0; i < bss; i++)
		if (out->ram[load + CODE_BYTES + i])
			fail_msg("bss is not clear at 0x%" PRIx64
				 " + 0x%" PRIx64,
				 load, i);
	for (unsigned int i = 0; i < what->nr_modules; i++) {
		struct module_at at = module_of(out, i);

		check_eq("size", at.size, what->module_size[i]);
		check_module(what, out, i, at.gpa);
	}
}

/* "memory=5M": the line's number. */
static uint64_t memory_named(const char *msg)
{
	const char *at = strstr(msg, "memory=");

	if (!at)
		fail_msg("no memory= in: %s", msg);
	return strtoull(at + 7, NULL, 10) * MIB;
}

struct shape {
	void (*build)(struct test_image *img);
	size_t paddr, memsz; /* offsets from ph; 0: there are none */
	unsigned int bytes;
	unsigned int modules;
};

static const struct shape shapes[] = {
	{build_elf32, P32_PADDR, P32_MEMSZ, 4, 3},
	{build_pvh32, P32_PADDR, P32_MEMSZ, 4, 3},
	{build_pvh64, P64_PADDR, P64_MEMSZ, 8, 3},
	{build_bzimage, 0, 0, 0, 1},
};

static void set_entry(struct test_image *img, uint64_t load, bool pvh)
{
	if (pvh)
		put(img, img->note + 16, load, 4);
	else
		put(img, E_ENTRY, load, 4);
}

/* Somewhere in low or in high memory. */
static uint64_t random_start(uint64_t *seed)
{
	uint64_t r = next_random(seed);

	return r & 1 ? MIB + (r >> 8) % (2 * MIB) : (r >> 8) % 0x90000;
}

struct round {
	struct test_image img;
	struct loading what;
	uint64_t base, bss; /* of the code, and behind it */
};

static void make_round(struct round *round, const struct shape *shape,
		       uint64_t *seed)
{
	struct test_image *img = &round->img;
	struct loading *what = &round->what;

	shape->build(img);
	*round = (struct round){.img = *img, .base = BZ_ADDR};
	if (shape->paddr) {
		round->base = random_start(seed);
		round->bss = next_random(seed) % 0x30000;
		put(img, img->ph + shape->paddr, round->base, shape->bytes);
		put(img, img->ph + shape->memsz, CODE_BYTES + round->bss,
		    shape->bytes);
		set_entry(img, round->base, img->note);
	} else {
		put(img, BZ_PREF_ADDRESS, random_start(seed), 8);
		put(img, BZ_INIT_SIZE, next_random(seed) % MIB, 4);
		put(img, BZ_RELOCATABLE, next_random(seed) & 1, 1);
	}
	*what = (struct loading){.img = img, .cmdline = line};
	what->ram_size = 2 * MIB + next_random(seed) % 4 * 0x7f000;
	what->nr_modules =
		(unsigned int)(next_random(seed) % (shape->modules + 1));
	for (unsigned int i = 0; i < what->nr_modules; i++)
		what->module_size[i] = next_random(seed) % 0x60000 + 1;
}

/* Too small: once more with what the line says. */
static void grow(struct loading *what, struct outcome *out)
{
	what->ram_size = memory_named(out->diag.msg);
	assert_true(what->ram_size > out->ram_size);
	assert_true(what->ram_size <= RAM_MAX);
	assert_true(ram_untouched(out));
	free(out->ram);
	load(what, out);
	if (out->err)
		fail_msg("with what it said it needs: %s", out->diag.msg);
}

static void random_places(void **state)
{
	unsigned int rounds = ROUNDS / one_of_cases(), grown = 0, refused = 0;
	uint64_t seed = 20261127;
	static struct round round;

	(void)state;
	for (unsigned int i = 0; i < rounds; i++) {
		struct outcome out;

		make_round(&round, &shapes[i % ARRAY_LEN(shapes)], &seed);
		load(&round.what, &out);
		if (out.err == -EFBIG) {
			grow(&round.what, &out);
			grown++;
		}
		if (out.err)
			refused++;
		else
			check_whole(&round.what, &out, round.base, round.bss);
		free(out.ram);
	}
	/* Both happen, neither most of the time. */
	assert_in_range(grown, rounds / 20, rounds / 2);
	assert_in_range(refused, 1, rounds / 3);
}

/* A segment from the middle of a page: the initrd shares no page with it. */
static void around_the_image(void **state)
{
	struct test_image img;
	struct loading what = {.img = &img,
			       .cmdline = "",
			       .ram_size = 2 * MIB,
			       .nr_modules = 1,
			       .module_size = {4097}};
	struct outcome out;

	(void)state;
	build_pvh32(&img);
	put(&img, img.ph + P32_PADDR, 0x1ff800, 4);
	put(&img, img.ph + P32_MEMSZ, 0x800, 4);
	set_entry(&img, 0x1ff800, true);
	load(&what, &out);
	if (out.err)
		fail_msg("refused: %s", out.diag.msg);
	check_eq("initrd", module_of(&out, 0).gpa, 0x1fd000);
	free(out.ram);
}

/* There is a page in front of the image: for what fits into it. */
static void information_beside_the_image(void **state)
{
	static char args[4000];
	struct test_image img;
	struct loading what = {.img = &img,
			       .cmdline = line,
			       .ram_size = 2 * MIB,
			       .nr_modules = 1,
			       .module_size = {1},
			       .module_args = {"short"}};
	struct outcome out;

	(void)state;
	build_pvh32(&img);
	put(&img, img.ph + P32_PADDR, 0xa000, 4);
	put(&img, img.ph + P32_MEMSZ, 0x5000, 4);
	set_entry(&img, 0xa000, true);
	load(&what, &out);
	check_eq("in front", out.state.ebx, 0x9000);
	check_whole(&what, &out, 0xa000, 0x5000 - CODE_BYTES);
	free(out.ram);

	memset(args, 'x', sizeof(args) - 1);
	what.module_args[0] = args;
	load(&what, &out);
	check_eq("behind", out.state.ebx, 0xf000);
	check_whole(&what, &out, 0xa000, 0x5000 - CODE_BYTES);
	free(out.ram);
}

/* What a bzImage claims is kept free, though nothing is loaded there. */
static void claimed_memory(void **state)
{
	struct test_image img;
	struct loading what = {.img = &img,
			       .cmdline = "",
			       .ram_size = 2 * MIB,
			       .nr_modules = 1,
			       .module_size = {1}};
	struct outcome out;

	(void)state;
	build_bzimage(&img);
	put(&img, BZ_PREF_ADDRESS, 0x150000, 8);
	put(&img, BZ_INIT_SIZE, 0x200000 - 0x150000, 4);
	load(&what, &out);
	check_eq("below the claim", module_of(&out, 0).gpa, 0x14f000);
	free(out.ram);

	/* Relocatable: the first aligned address from where it is loaded. */
	put(&img, BZ_PREF_ADDRESS, 0, 8);
	put(&img, BZ_ALIGNMENT, 0x80000, 4);
	put(&img, BZ_INIT_SIZE, 0x80001, 4);
	load(&what, &out);
	check_eq("needs", (uint64_t)-out.err, 0);
	check_eq("above the claim", module_of(&out, 0).gpa, 0x1ff000);
	free(out.ram);

	/* Which may be beyond: 2 MiB, of all the RAM there is the last page. */
	put(&img, BZ_ALIGNMENT, 0x200000, 4);
	put(&img, BZ_INIT_SIZE, 0x1000, 4);
	what.ram_size = 2 * MIB + 0x1000;
	load(&what, &out);
	check_eq("behind the code", (uint64_t)-out.err, 0);
	check_eq("below the aligned claim", module_of(&out, 0).gpa, 0x1ff000);
	free(out.ram);
	what.ram_size = 2 * MIB;
	load(&what, &out);
	check_eq("a page is missing", (uint64_t)-out.err, EFBIG);
	free(out.ram);

	/* Not: exactly where it asks to run. */
	put(&img, BZ_RELOCATABLE, 0, 1);
	put(&img, BZ_PREF_ADDRESS, 0x200000, 8);
	load(&what, &out);
	check_eq("needs more", (uint64_t)-out.err, EFBIG);
	check_eq("so much", memory_named(out.diag.msg), 3 * MIB);
	free(out.ram);

	put(&img, BZ_PREF_ADDRESS, 0xc0000, 8);
	load(&what, &out);
	check_eq("no RAM there", (uint64_t)-out.err, ENOEXEC);
	free(out.ram);
}

/* The last byte of an initrd may lie at initrd_addr_max, not behind. */
static void initrd_limit(void **state)
{
	struct test_image img;
	struct loading what = {.img = &img,
			       .cmdline = "",
			       .ram_size = 2 * MIB,
			       .nr_modules = 1,
			       .module_size = {4096}};
	struct outcome out;

	(void)state;
	build_bzimage(&img);
	put(&img, BZ_INITRD_MAX, 0x1affff, 4);
	load(&what, &out);
	check_eq("up to it", module_of(&out, 0).gpa, 0x1af000);
	free(out.ram);

	put(&img, BZ_INITRD_MAX, 0x1afffe, 4);
	load(&what, &out);
	check_eq("a page less", module_of(&out, 0).gpa, 0x1ae000);
	free(out.ram);

	put(&img, BZ_INITRD_MAX, 0x100800, 4);
	load(&what, &out);
	check_eq("no room", (uint64_t)-out.err, EFBIG);
	assert_non_null(strstr(out.diag.msg, "does not fit below 0x100801"));
	assert_true(ram_untouched(&out));
	free(out.ram);
}

/* PVH has no such field: below 896 MiB. */
static void pvh_limit(void **state)
{
	struct test_image img;
	struct loading what = {.img = &img,
			       .cmdline = "",
			       .ram_size = 1000 * MIB,
			       .nr_modules = 1,
			       .module_size = {8192}};
	struct boot_module module = {{"initrd", img.data, 1}, ""};
	struct boot_files files = {{"guest", img.data, 0}, "", &module, 1};
	uint8_t *ram = calloc(1, what.ram_size);
	struct boot_state boot;
	struct diag diag;

	(void)state;
	if (!ram)
		skip();
	build_pvh64(&img);
	files.kernel.size = img.size;
	assert_int_equal(loader_load(&files, ram, what.ram_size, &boot, &diag),
			 0);
	check_eq("below 0x38000000", ram[0x37fff000], 0x7f);
	free(ram);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_places),
		cmocka_unit_test(around_the_image),
		cmocka_unit_test(information_beside_the_image),
		cmocka_unit_test(claimed_memory),
		cmocka_unit_test(initrd_limit),
		cmocka_unit_test(pvh_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
