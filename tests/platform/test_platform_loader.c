/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loader on hand-built images: what it puts where, what a multiboot guest
 * is told, and that a file which is cut anywhere is refused in one line.
 */
#include "check.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../share.h"
#include "base/diag.h"
#include "loading.h"

#define RAM_SIZE UINT64_C(0x200000)

static void load_one(const struct test_image *img, const char *cmdline,
		     struct outcome *out)
{
	struct loading what = {
		.img = img, .cmdline = cmdline, .ram_size = RAM_SIZE};

	load(&what, out);
}

static void check_info(const char *name, const struct outcome *out,
		       const char *cmdline)
{
	static const uint64_t map[][3] = {
		{0, 0x9fc00, 1},
		{0x9fc00, 0x400, 2},
		{0xf0000, 0x10000, 2},
		{0x100000, RAM_SIZE - 0x100000, 1},
	};
	uint64_t info = out->state.ebx, at;

	check_eq(name, ram_le(out, info, 4), 0x24d);
	check_eq(name, ram_le(out, info + 4, 4), 639);
	check_eq(name, ram_le(out, info + 8, 4), 1024);
	check_eq(name, ram_le(out, info + 20, 4), 0);
	assert_string_equal(ram_text(out, ram_le(out, info + 16, 4)), cmdline);
	assert_string_equal(ram_text(out, ram_le(out, info + 64, 4)), "notrap");
	check_eq(name, ram_le(out, info + 44, 4), sizeof(map) / 3 / 8 * 24);
	at = ram_le(out, info + 48, 4);
	for (size_t i = 0; i < ARRAY_LEN(map); i++, at += 24) {
		check_eq(name, ram_le(out, at, 4), 20);
		check_eq(name, ram_le(out, at + 4, 8), map[i][0]);
		check_eq(name, ram_le(out, at + 12, 8), map[i][1]);
		check_eq(name, ram_le(out, at + 20, 4), map[i][2]);
	}
}

static void check_loaded(const char *name, const struct outcome *out,
			 uint64_t load)
{
	if (out->err)
		fail_msg("%s: refused: %s", name, out->diag.msg);
	check_eq(name, out->state.entry, load);
	for (unsigned int i = 0; i < CODE_BYTES; i++)
		check_eq(name, out->ram[load + i], i + 1);
	for (unsigned int i = 0; i < BSS_BYTES; i++)
		check_eq(name, out->ram[load + CODE_BYTES + i], 0);
	check_eq(name, out->ram[load + CODE_BYTES + BSS_BYTES], FILL);
}

static const struct {
	const char *name;
	void (*build)(struct test_image *img);
} good[] = {
	{"ELF32", build_elf32},         {"ELF64", build_elf64},
	{"a.out kludge", build_kludge}, {"PVH, ELF32", build_pvh32},
	{"PVH, ELF64", build_pvh64},    {"bzImage", build_bzimage},
};

#define NR_MULTIBOOT 3 /* the first ones */

static void good_images(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_MULTIBOOT; i++) {
		struct test_image img;
		struct outcome out;

		good[i].build(&img);
		load_one(&img, "touch pages=4", &out);
		check_loaded(good[i].name, &out, LOAD_ADDR);
		check_eq(good[i].name, out.state.eax, 0x2badb002);
		check_eq(good[i].name, out.state.ebx, 0x9000);
		check_info(good[i].name, &out, "touch pages=4");
		free(out.ram);

		load_one(&img, "", &out);
		check_info(good[i].name, &out, "");
		free(out.ram);
	}
}

/* Edits of a good image.  None of them may be refused. */
static void two_segments(struct test_image *img)
{
	build_elf32(img);
	/* A second program header needs room: move both to the end. */
	memcpy(img->data + 0x400, img->data + img->ph, 32);
	memcpy(img->data + 0x420, img->data + img->ph, 32);
	put(img, E32_PHOFF, 0x400, 4);
	put(img, E32_PHNUM, 2, 2);
	put(img, 0x420 + P32_PADDR, 0x8000, 4);
	put(img, 0x420 + P32_VADDR, 0x8000, 4);
	put(img, 0x420 + P32_MEMSZ, 0x2000, 4);
	img->size = 0x440;
}

static void check_two_segments(const char *name, const struct outcome *out)
{
	check_loaded(name, out, LOAD_ADDR);
	/* 0x9000 is taken by the second segment's bss. */
	check_eq(name, out->state.ebx, 0xa000);
	check_eq(name, out->ram[0x8000], 1);
	check_eq(name, out->ram[0x9fff], 0);
}

static void physical_entry(struct test_image *img)
{
	build_elf32(img);
	put(img, E_ENTRY, LOAD_ADDR + 4, 4);
}

static void check_physical_entry(const char *name, const struct outcome *out)
{
	check_eq(name, (uint64_t)-out->err, 0);
	check_eq(name, out->state.entry, LOAD_ADDR + 4);
}

static void entry_inside(struct test_image *img)
{
	build_elf64(img);
	put(img, E_ENTRY, UINT64_C(0xffffffff80000000) + LOAD_ADDR + 63, 8);
}

static void check_entry_inside(const char *name, const struct outcome *out)
{
	check_eq(name, (uint64_t)-out->err, 0);
	check_eq(name, out->state.entry, LOAD_ADDR + 63);
}

static void skipped_segments(struct test_image *img)
{
	two_segments(img);
	/* A note that points nowhere, in front; and one without memory. */
	put(img, 0x400 + P_TYPE, 4, 4);
	put(img, 0x400 + P32_OFFSET, 0xffffff00, 4);
	memcpy(img->data + 0x440, img->data + 0x420, 32);
	put(img, 0x440 + P32_PADDR, 0xb8000, 4);
	put(img, 0x440 + P32_FILESZ, 0, 4);
	put(img, 0x440 + P32_MEMSZ, 0, 4);
	put(img, E32_PHNUM, 3, 2);
	put(img, E_ENTRY, 0x8000, 4);
	img->size = 0x460;
}

static void check_skipped_segments(const char *name, const struct outcome *out)
{
	check_eq(name, (uint64_t)-out->err, 0);
	check_eq(name, out->state.entry, 0x8000);
	check_eq(name, out->ram[LOAD_ADDR], FILL);
}

static void entry_in_second(struct test_image *img)
{
	two_segments(img);
	put(img, 0x420 + P32_VADDR, VIRT_BASE + 0x200000, 4);
	put(img, E_ENTRY, VIRT_BASE + 0x200004, 4);
}

static void check_entry_in_second(const char *name, const struct outcome *out)
{
	check_eq(name, (uint64_t)-out->err, 0);
	check_eq(name, out->state.entry, 0x8004);
}

static void second_header(struct test_image *img)
{
	build_elf32(img);
	/* Magic with a wrong checksum first, the good one late. */
	put(img, img->mb + 8, 0, 4);
	put_header(img, 8192 - 12, 0);
	img->size = 8192;
}

static void optional_flags(struct test_image *img)
{
	build_elf32(img);
	put_header(img, img->mb, 0xfffe0003);
}

static void whole_file(struct test_image *img)
{
	build_kludge(img);
	put(img, img->mb + 20, 0, 4); /* load_end_addr: up to the file's end */
}

static void check_plain(const char *name, const struct outcome *out)
{
	check_loaded(name, out, LOAD_ADDR);
}

static void no_bss(struct test_image *img)
{
	build_kludge(img);
	put(img, img->mb + 24, 0, 4);
}

static void check_no_bss(const char *name, const struct outcome *out)
{
	check_eq(name, (uint64_t)-out->err, 0);
	check_eq(name, out->ram[LOAD_ADDR + 63], 64);
	check_eq(name, out->ram[LOAD_ADDR + 64], FILL);
}

static void up_to_the_end(struct test_image *img)
{
	build_elf32(img);
	put(img, img->ph + P32_MEMSZ, RAM_SIZE - LOAD_ADDR, 4);
}

static void check_up_to_the_end(const char *name, const struct outcome *out)
{
	check_eq(name, (uint64_t)-out->err, 0);
	check_eq(name, out->ram[RAM_SIZE - 1], 0);
}

static const struct {
	const char *name;
	void (*build)(struct test_image *img);
	void (*check)(const char *name, const struct outcome *out);
} accepted[] = {
	{"two segments, one where the information would go", two_segments,
	 check_two_segments},
	{"a physical entry point", physical_entry, check_physical_entry},
	{"a virtual entry point inside", entry_inside, check_entry_inside},
	{"a virtual entry point in the second segment", entry_in_second,
	 check_entry_in_second},
	{"segments that load nothing", skipped_segments,
	 check_skipped_segments},
	{"the header at the last possible place", second_header, check_plain},
	{"unknown optional flags", optional_flags, check_plain},
	{"kludge: load_end_addr 0", whole_file, check_plain},
	{"kludge: bss_end_addr 0", no_bss, check_no_bss},
	{"bss up to the last byte of RAM", up_to_the_end, check_up_to_the_end},
};

static void accepted_images(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
		struct test_image img;
		struct outcome out;

		accepted[i].build(&img);
		load_one(&img, "x", &out);
		accepted[i].check(accepted[i].name, &out);
		check_info(accepted[i].name, &out, "x");
		free(out.ram);
	}
}

/*
 * Every length of a file shorter than its last needed byte is refused in one
 * line, and RAM keeps what it had.
 */
static void every_truncation(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct test_image img;
		size_t whole;

		good[i].build(&img);
		whole = img.size;
		for (img.size = 0; img.size < whole;
		     img.size += one_of_cases()) {
			struct outcome out;
			char at[32];

			load_one(&img, "x", &out);
			snprintf(at, sizeof(at), "%zu", img.size);
			if (out.err != -ENOEXEC || !out.diag.msg[0] ||
			    strchr(out.diag.msg, '\n'))
				fail_msg("%s cut at %s: %d, \"%s\"",
					 good[i].name, at, out.err,
					 out.diag.msg);
			if (img.size >= img.told && !strstr(out.diag.msg, at))
				fail_msg("%s cut at %s: \"%s\"", good[i].name,
					 at, out.diag.msg);
			if (img.size % 16 == 0 && !ram_untouched(&out))
				fail_msg("%s cut at %s: RAM changed",
					 good[i].name, at);
			free(out.ram);
		}
	}
}

static void bad_sizes(void **state)
{
	struct test_image test;
	struct boot_files files = {.kernel = {"guest", test.data, 0}};
	struct boot_state boot;
	struct diag diag;
	char *line = malloc(LOADER_CMDLINE_MAX + 2);
	uint8_t *ram = malloc(LOADER_RAM_MIN);

	(void)state;
	assert_non_null(line);
	assert_non_null(ram);
	build_elf32(&test);
	files.kernel.size = test.size;
	memset(line, 'a', LOADER_CMDLINE_MAX + 1);
	line[LOADER_CMDLINE_MAX + 1] = '\0';
	files.cmdline = line;
	assert_int_equal(loader_load(&files, ram, LOADER_RAM_MIN, &boot, &diag),
			 -EINVAL);
	assert_non_null(strstr(diag.msg, "4096 bytes"));
	line[LOADER_CMDLINE_MAX] = '\0';
	assert_int_equal(loader_load(&files, ram, LOADER_RAM_MIN, &boot, &diag),
			 0);
	assert_int_equal(
		loader_load(&files, ram, LOADER_RAM_MIN - 1, &boot, &diag),
		-EINVAL);
	assert_int_equal(
		loader_load(&files, ram, UINT64_C(1) << 32, &boot, &diag),
		-EINVAL);
	free(line);
	free(ram);
}

static void write_file(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

static void refused_path(const char *path, int err, const char *words)
{
	struct diag diag = {0};
	struct image img;
	int got = image_read(path, &img, &diag);

	if (got != err || !strstr(diag.msg, words) || strchr(diag.msg, '\n'))
		fail_msg("%s: got %d \"%s\", want %d \"...%s...\"", path, got,
			 diag.msg, err, words);
}

static void paths(void **state)
{
	char dir[] = "/tmp/test_platform_loader.XXXXXX";
	char path[128], odd[512];
	struct test_image img;
	struct image got;
	struct diag diag;

	(void)state;
	assert_non_null(mkdtemp(dir));
	build_elf64(&img);
	snprintf(path, sizeof(path), "%s/guest", dir);
	write_file(path, img.data, img.size);
	assert_int_equal(image_read(path, &got, &diag), 0);
	assert_string_equal(got.name, path);
	check_eq("size", got.size, img.size);
	assert_memory_equal(got.data, img.data, img.size);
	image_free(&got);

	write_file(path, "", 0);
	assert_int_equal(image_read(path, &got, &diag), 0);
	check_eq("empty", got.size, 0);
	image_free(&got);
	unlink(path);
	refused_path(path, -ENOENT, "No such file");
	refused_path(dir, -EISDIR, "is a directory");
	refused_path("/dev/null", -ENOEXEC, "is not a regular file");
	assert_int_equal(mkfifo(path, 0600), 0);
	refused_path(path, -ENOEXEC, "is not a regular file");
	unlink(path);

	/* A long name with a newline in it still makes one line. */
	memset(odd, 'x', sizeof(odd));
	memcpy(odd, "/tmp/", 5);
	memcpy(odd + sizeof(odd) - 8, "\nthe end", 8);
	odd[sizeof(odd) - 1] = '\0';
	refused_path(odd, -ENAMETOOLONG, "?the en: ");
	rmdir(dir);
}

/* Much larger than any image: refused before it is read. */
static void huge_file(void **state)
{
	char path[] = "/tmp/test_platform_huge.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	if (!ftruncate(fd, (off_t)IMAGE_SIZE_MAX + 1))
		refused_path(path, -EFBIG, "1024 MiB");
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_images),
		cmocka_unit_test(accepted_images),
		cmocka_unit_test(every_truncation),
		cmocka_unit_test(bad_sizes),
		cmocka_unit_test(paths),
		cmocka_unit_test(huge_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
