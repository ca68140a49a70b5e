/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each protocol hands to the guest, field by field: read from RAM by
 * offsets that are written down here once more, from the protocols' own
 * tables, and the registers.
 */
#include "check.h"

#include <stdlib.h>

#include "loading.h"

#define RAM_SIZE UINT64_C(0x200000)

static const char line[] = "console=ttyS0 quiet";

static void load_with(void (*build)(struct test_image *img),
		      unsigned int nr_modules, struct loading *what,
		      struct outcome *out)
{
	static struct test_image img;

	build(&img);
	*what = (struct loading){
		.img = &img,
		.cmdline = line,
		.ram_size = RAM_SIZE,
		.nr_modules = nr_modules,
		.module_size = {4097, 1, 4096},
		.module_args = {NULL, "a b,c", "d"},
	};
	load(what, out);
	if (out->err)
		fail_msg("refused: %s", out->diag.msg);
}

static void check_state(const struct outcome *out,
			const struct boot_state *want)
{
	check_eq("eip", out->state.entry, want->entry);
	check_eq("eax", out->state.eax, want->eax);
	check_eq("ebx", out->state.ebx, want->ebx);
	check_eq("esi", out->state.esi, want->esi);
	check_eq("gdt limit", out->state.gdt_limit, want->gdt_limit);
	check_eq("cs", out->state.cs, want->cs);
	check_eq("ds", out->state.ds, want->ds);
}

/* Entries of the map: start, size, type. */
static const uint64_t map[][3] = {
	{0, 0x9fc00, 1},
	{0x9fc00, 0x400, 2},
	{0xf0000, 0x10000, 2},
	{0x100000, RAM_SIZE - 0x100000, 1},
};

/* --- Multiboot ------------------------------------------------------------ */

static void multiboot_modules(void **state)
{
	struct loading what;
	struct outcome out;
	uint64_t mods;

	(void)state;
	load_with(build_elf32, 3, &what, &out);
	check_state(&out, &(struct boot_state){.entry = LOAD_ADDR,
					       .eax = 0x2badb002,
					       .ebx = out.state.ebx,
					       .cs = 8,
					       .ds = 16});
	check_eq("mods_count", ram_le(&out, out.state.ebx + 20, 4), 3);
	mods = ram_le(&out, out.state.ebx + 24, 4);
	for (unsigned int i = 0; i < 3; i++, mods += 16) {
		/* Behind the image, page after page: 0x101000 is its end. */
		static const uint32_t start[] = {0x102000, 0x104000, 0x105000};
		static const char *const args[] = {"", "a b,c", "d"};

		check_eq("mod_start", ram_le(&out, mods, 4), start[i]);
		check_eq("mod_end", ram_le(&out, mods + 4, 4),
			 start[i] + what.module_size[i]);
		assert_string_equal(ram_text(&out, ram_le(&out, mods + 8, 4)),
				    args[i]);
		check_eq("reserved", ram_le(&out, mods + 12, 4), 0);
		check_module(&what, &out, i, start[i]);
	}
	free(out.ram);
}

/* --- PVH ------------------------------------------------------------------ */

static void check_start_info(const struct outcome *out, unsigned int nr)
{
	uint64_t info = out->state.ebx, at;

	check_eq("magic", ram_le(out, info, 4), 0x336ec578);
	check_eq("version", ram_le(out, info + 4, 4), 1);
	check_eq("flags", ram_le(out, info + 8, 4), 0);
	check_eq("nr_modules", ram_le(out, info + 12, 4), nr);
	check_eq("modlist, if any", ram_le(out, info + 16, 8) != 0, nr != 0);
	assert_string_equal(ram_text(out, ram_le(out, info + 24, 8)), line);
	check_eq("rsdp", ram_le(out, info + 32, 8), 0);
	at = ram_le(out, info + 40, 8);
	check_eq("memmap_entries", ram_le(out, info + 48, 4), ARRAY_LEN(map));
	check_eq("reserved", ram_le(out, info + 52, 4), 0);
	for (size_t i = 0; i < ARRAY_LEN(map); i++, at += 24) {
		check_eq("addr", ram_le(out, at, 8), map[i][0]);
		check_eq("size", ram_le(out, at + 8, 8), map[i][1]);
		check_eq("type", ram_le(out, at + 16, 4), map[i][2]);
		check_eq("reserved", ram_le(out, at + 20, 4), 0);
	}
}

static void pvh(void **state)
{
	static void (*const build[])(struct test_image *) = {build_pvh32,
							     build_pvh64};

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct loading what;
		struct outcome out;

		load_with(build[i], 0, &what, &out);
		check_state(&out, &(struct boot_state){.entry = LOAD_ADDR,
						       .ebx = 0x9000,
						       .cs = 8,
						       .ds = 16});
		check_start_info(&out, 0);
		check_eq("code", out.ram[LOAD_ADDR + 63], 64);
		check_eq("bss", out.ram[LOAD_ADDR + 64], 0);
		free(out.ram);
	}
}

static void pvh_modules(void **state)
{
	struct loading what;
	struct outcome out;
	uint64_t mods;

	(void)state;
	load_with(build_pvh64, 3, &what, &out);
	check_start_info(&out, 3);
	mods = ram_le(&out, out.state.ebx + 16, 8);
	for (unsigned int i = 0; i < 3; i++, mods += 32) {
		/* Down from the end of RAM. */
		static const uint32_t start[] = {0x1fe000, 0x1fd000, 0x1fc000};
		static const char *const args[] = {"", "a b,c", "d"};

		check_eq("paddr", ram_le(&out, mods, 8), start[i]);
		check_eq("size", ram_le(&out, mods + 8, 8),
			 what.module_size[i]);
		assert_string_equal(ram_text(&out, ram_le(&out, mods + 16, 8)),
				    args[i]);
		check_eq("reserved", ram_le(&out, mods + 24, 8), 0);
		check_module(&what, &out, i, start[i]);
	}
	free(out.ram);
}

/* A note of 8-byte alignment, its descriptor on the next multiple of 8. */
static void pvh_wide_notes(void **state)
{
	struct test_image img;
	struct loading what = {
		.img = &img, .cmdline = "", .ram_size = RAM_SIZE};
	struct outcome out;
	size_t ph;

	(void)state;
	build_pvh64(&img);
	ph = img.ph + E64_PHSIZE;
	memset(img.data + 0x800, 0, 64);
	put(&img, 0x800, 5, 4); /* "GNU?", 12 + 5 up to 24 */
	put(&img, 0x804, 3, 4); /* 24 + 3 up to 32 */
	put(&img, 0x808, 18, 4);
	memcpy(img.data + 0x80c, "GNU?", 4);
	put(&img, 0x820, 4, 4);
	put(&img, 0x824, 4, 4);
	put(&img, 0x828, 18, 4);
	memcpy(img.data + 0x82c, "Xen", 4);
	put(&img, 0x830, LOAD_ADDR + 8, 4);
	put(&img, ph + P64_OFFSET, 0x800, 8);
	put(&img, ph + P64_FILESZ, 0x34, 8);
	put(&img, ph + P64_ALIGN, 8, 8);
	img.size = 0x834;
	load(&what, &out);
	if (out.err)
		fail_msg("refused: %s", out.diag.msg);
	check_eq("entry", out.state.entry, LOAD_ADDR + 8);
	free(out.ram);
}

/* PVH goes before multiboot if a file has both. */
static void pvh_first(void **state)
{
	struct test_image img;
	struct loading what = {
		.img = &img, .cmdline = "", .ram_size = RAM_SIZE};
	struct outcome out;

	(void)state;
	build_pvh32(&img);
	put_header(&img, 0x400, 3);
	img.size = 0x500;
	load(&what, &out);
	check_eq("magic", ram_le(&out, out.state.ebx, 4), 0x336ec578);
	free(out.ram);
}

/* --- bzImage -------------------------------------------------------------- */

static void put_at(uint8_t *to, uint64_t val, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		to[i] = (uint8_t)(val >> (8 * i));
}

/* All 4096 bytes: the header's, those that are filled in, and zeros. */
static void check_zero_page(const struct outcome *out,
			    const struct test_image *img, uint64_t initrd,
			    uint64_t initrd_size)
{
	uint64_t page = out->state.esi;
	uint8_t want[4096] = {0};

	memcpy(want + 0x1f1, img->data + 0x1f1, 0x26c - 0x1f1);
	want[0x1e8] = ARRAY_LEN(map);
	put_at(want + 0x1fa, 0xffff, 2); /* vid_mode: normal */
	put_at(want + 0x210, 0xff, 1);   /* a loader without a number */
	put_at(want + 0x218, initrd, 4);
	put_at(want + 0x21c, initrd_size, 4);
	put_at(want + 0x228, ram_le(out, page + 0x228, 4), 4);
	for (size_t i = 0; i < ARRAY_LEN(map); i++) {
		put_at(want + 0x2d0 + 20 * i, map[i][0], 8);
		put_at(want + 0x2d8 + 20 * i, map[i][1], 8);
		put_at(want + 0x2e0 + 20 * i, map[i][2], 4);
	}
	for (size_t i = 0; i < sizeof(want); i++)
		if (out->ram[page + i] != want[i])
			fail_msg("zero page, 0x%zx: got 0x%x, want 0x%x", i,
				 out->ram[page + i], want[i]);
	assert_string_equal(ram_text(out, ram_le(out, page + 0x228, 4)), line);
}

static void check_gdt(const struct outcome *out)
{
	static const uint64_t want[] = {0, 0, 0x00cf9b000000ffff,
					0x00cf93000000ffff};

	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		check_eq("descriptor", ram_le(out, out->state.gdt + 8 * i, 8),
			 want[i]);
}

static void bzimage(void **state)
{
	(void)state;
	for (unsigned int nr = 0; nr < 2; nr++) {
		struct loading what;
		struct outcome out;

		load_with(build_bzimage, nr, &what, &out);
		check_state(&out, &(struct boot_state){.entry = 0x100000,
						       .esi = 0x9000,
						       .gdt_limit = 0x1f,
						       .cs = 0x10,
						       .ds = 0x18});
		check_zero_page(&out, what.img, nr ? 0x1fe000 : 0,
				nr ? 4097 : 0);
		check_gdt(&out);
		for (unsigned int i = 0; i < CODE_BYTES; i++)
			check_eq("code", out.ram[0x100000 + i], i + 1);
		check_eq("behind the code", out.ram[0x100000 + CODE_BYTES],
			 FILL);
		if (nr)
			check_module(&what, &out, 0, 0x1fe000);
		free(out.ram);
	}
}

/* Older headers are shorter; a field that is not there has its old meaning. */
static const struct {
	const char *name;
	uint16_t version;
	uint8_t len; /* of the header from 0x202 on */
	size_t cmdline;
	bool good;
} versions[] = {
	{"2.04 ends behind initrd_addr_max", 0x204, 0x2e, 255, true},
	{"2.04 has 255 bytes of command line", 0x204, 0x2e, 256, false},
	{"2.05 ends behind relocatable_kernel", 0x205, 0x33, 255, true},
	{"2.05 has 255 bytes of command line", 0x205, 0x33, 256, false},
	{"2.06 says how many", 0x206, 0x3a, BZ_CMDLINE, true},
	{"2.06 and not more", 0x206, 0x3a, BZ_CMDLINE + 1, false},
	{"2.09 knows no init_size", 0x209, 0x56, 10, true},
	{"2.10 ends behind init_size", 0x20a, 0x62, 10, true},
	{"later ones may be longer", 0x2ff, 0x7f, 10, true},
};

static void bzimage_versions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct test_image img;
		char cmdline[LOADER_CMDLINE_MAX] = "";
		struct loading what = {
			.img = &img, .cmdline = cmdline, .ram_size = RAM_SIZE};
		struct outcome out;

		build_bzimage(&img);
		put(&img, BZ_VERSION, versions[i].version, 2);
		put(&img, BZ_JUMP + 1, versions[i].len, 1);
		/* More than there is, where the field is none. */
		if (versions[i].version < 0x20a)
			put(&img, BZ_INIT_SIZE, 0x10000000, 4);
		memset(cmdline, 'x', versions[i].cmdline);
		load(&what, &out);
		if (!out.err != versions[i].good)
			fail_msg("%s: %s", versions[i].name, out.diag.msg);
		if (!out.err)
			check_eq(versions[i].name,
				 out.ram[out.state.esi + 0x202 +
					 versions[i].len],
				 0);
		free(out.ram);
	}
}

/* setup_sects of 0 means 4. */
static void bzimage_old_setup(void **state)
{
	struct test_image img;
	struct loading what = {
		.img = &img, .cmdline = "", .ram_size = RAM_SIZE};
	struct outcome out;

	(void)state;
	build_bzimage(&img);
	memcpy(img.data + 5 * 512, img.data + img.code, CODE_BYTES);
	memset(img.data + img.code, 0, CODE_BYTES);
	img.size = 5 * 512 + CODE_BYTES;
	put(&img, BZ_SETUP_SECTS, 0, 1);
	load(&what, &out);
	check_eq("code", out.ram[0x100000 + 63], 64);
	free(out.ram);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(multiboot_modules),
		cmocka_unit_test(pvh),
		cmocka_unit_test(pvh_modules),
		cmocka_unit_test(pvh_wide_notes),
		cmocka_unit_test(pvh_first),
		cmocka_unit_test(bzimage),
		cmocka_unit_test(bzimage_versions),
		cmocka_unit_test(bzimage_old_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
