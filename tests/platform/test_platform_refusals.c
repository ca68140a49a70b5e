/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the loader refuses and what it says: each header field of a good image
 * made wrong, and the first bytes of other kinds of files.
 */
#include "check.h"

#include <errno.h>
#include <stdlib.h>

#include "base/diag.h"
#include "images.h"
#include "platform/loader.h"

#define RAM_SIZE UINT64_C(0x200000)

enum base {
	ELF32,
	ELF64,
	KLUDGE,
	PVH32,
	PVH64,
	BZIMAGE,
};

/* Where at is counted from. */
enum from {
	FILE_START,
	HEADER,
	PHDR,
	NOTE_PHDR, /* PVH: the second */
	NOTE,
};

/*
 * One field of a good image replaced.  Fields of the multiboot header before
 * its checksum make that wrong; FLAGS sets flags with the checksum that fits.
 */
#define FLAGS 0xff

static const struct {
	const char *name;
	enum base base;
	enum from from;
	unsigned int at;
	uint64_t val;
	unsigned int bytes;
	int err;
	const char *words;
} edits[] = {
	{"class 0", ELF32, FILE_START, 4, 0, 1, -ENOEXEC, "of class 0"},
	{"big-endian", ELF64, FILE_START, 5, 2, 1, -ENOEXEC, "byte order 2"},
	{"ARM", ELF32, FILE_START, E_MACHINE, 40, 2, -ENOEXEC,
	 "an ELF32 file for another machine (ARM, e_machine 40)"},
	{"AArch64", ELF64, FILE_START, E_MACHINE, 183, 2, -ENOEXEC, "AArch64"},
	{"x32", ELF32, FILE_START, E_MACHINE, 62, 2, -ENOEXEC,
	 "another machine"},
	{"object", ELF32, FILE_START, E_TYPE, 1, 2, -ENOEXEC, "not linked"},
	{"PIE", ELF64, FILE_START, E_TYPE, 3, 2, -ENOEXEC,
	 "without fixed addresses"},
	{"core", ELF64, FILE_START, E_TYPE, 4, 2, -ENOEXEC, "core dump"},
	{"odd type", ELF64, FILE_START, E_TYPE, 9, 2, -ENOEXEC,
	 "unknown type (e_type 9)"},
	{"phentsize", ELF32, FILE_START, E32_PHENTSIZE, 33, 2, -ENOEXEC,
	 "33 bytes instead of 32"},
	{"phnum beyond the end", ELF32, FILE_START, E32_PHNUM, 60000, 2,
	 -ENOEXEC, "within its program headers"},
	{"PN_XNUM", ELF64, FILE_START, E64_PHNUM, 0xffff, 2, -ENOEXEC,
	 "too many program headers"},
	{"no segments", ELF64, FILE_START, E64_PHNUM, 0, 2, -ENOEXEC,
	 "is not in what the file loads"},
	{"phoff at the end of 64 bits", ELF64, FILE_START, E64_PHOFF,
	 UINT64_MAX - 8, 8, -ENOEXEC, "within its program headers"},
	{"phoff at the end of 32 bits", ELF32, FILE_START, E32_PHOFF,
	 UINT32_MAX - 8, 4, -ENOEXEC, "within its program headers"},
	{"offset beyond the end", ELF32, PHDR, P32_OFFSET, 0x1000, 4, -ENOEXEC,
	 "segment 0 has 0x40 bytes at offset 0x1000"},
	{"offset wraps", ELF64, PHDR, P64_OFFSET, UINT64_MAX - 16, 8, -ENOEXEC,
	 "truncated"},
	{"filesz wraps", ELF64, PHDR, P64_FILESZ, UINT64_MAX, 8, -ENOEXEC,
	 "truncated"},
	{"filesz above memsz", ELF32, PHDR, P32_MEMSZ, 63, 4, -ENOEXEC,
	 "more bytes in the file than in memory"},
	{"memsz beyond RAM", ELF32, PHDR, P32_MEMSZ, 0x2000000, 4, -EFBIG,
	 "needs memory=34M, the guest has 2M"},
	{"memsz one byte beyond RAM", ELF32, PHDR, P32_MEMSZ,
	 RAM_SIZE - LOAD_ADDR + 1, 4, -EFBIG,
	 "it needs memory=3M, the guest has 2M"},
	{"memsz wraps", ELF64, PHDR, P64_MEMSZ, UINT64_MAX, 8, -ENOEXEC,
	 "beyond 4 GiB"},
	{"paddr beyond 4 GiB", ELF64, PHDR, P64_PADDR, UINT64_C(1) << 32, 8,
	 -ENOEXEC, "beyond 4 GiB"},
	{"paddr beyond RAM", ELF32, PHDR, P32_PADDR, 0x1000000, 4, -EFBIG,
	 "needs memory=17M"},
	{"paddr in the ROM area", ELF32, PHDR, P32_PADDR, 0xa0000, 4, -ENOEXEC,
	 "which is no RAM"},
	{"end in the EBDA", ELF32, PHDR, P32_PADDR, 0x9fc00 - 64, 4, -ENOEXEC,
	 "which is no RAM"},
	{"entry nowhere", ELF32, FILE_START, E_ENTRY, 0x1234, 4, -ENOEXEC,
	 "the entry point 0x1234 is not in what the file loads"},
	{"entry in bss", ELF32, FILE_START, E_ENTRY,
	 VIRT_BASE + LOAD_ADDR + CODE_BYTES, 4, -ENOEXEC, "the entry point"},
	{"entry translated to nowhere", ELF32, PHDR, P32_VADDR,
	 VIRT_BASE + LOAD_ADDR - 8000, 4, -ENOEXEC, "the entry point"},
	{"no magic", ELF64, HEADER, 0, 0, 4, -ENOEXEC,
	 "an ELF64 file for x86 with neither a PVH entry nor a multiboot "
	 "header "
	 "in its first 8 KiB"},
	{"multiboot 2", ELF64, HEADER, 0, 0xe85250d6, 4, -ENOEXEC,
	 "nor a multiboot header (it has one of multiboot 2)"},
	{"checksum", ELF32, HEADER, 8, 1, 4, -ENOEXEC,
	 "multiboot header at offset 84 with a wrong checksum"},
	{"video mode", ELF32, HEADER, FLAGS, 0x7, 4, -ENOEXEC,
	 "asks for a video mode"},
	{"required bit 3", ELF32, HEADER, FLAGS, 0x8, 4, -ENOEXEC,
	 "unknown here (flags 0x8)"},
	{"required bit 15", KLUDGE, HEADER, FLAGS, 0x18000, 4, -ENOEXEC,
	 "unknown here (flags 0x18000)"},
	{"kludge without addresses", KLUDGE, HEADER, FLAGS, 3, 4, -ENOEXEC,
	 "is no ELF file and gives no load addresses"},
	{"load above header", KLUDGE, HEADER, 16, LOAD_ADDR, 4, -ENOEXEC,
	 "load_addr above header_addr"},
	{"load before the file", KLUDGE, HEADER, 16, LOAD_ADDR - 49, 4,
	 -ENOEXEC, "load_addr before the file's start"},
	{"load end before load", KLUDGE, HEADER, 20, 4, 4, -ENOEXEC,
	 "load_end_addr not above"},
	{"load end beyond the file", KLUDGE, HEADER, 20,
	 LOAD_ADDR + CODE_BYTES + 1, 4, -ENOEXEC, "truncated at offset 112"},
	{"load end far beyond", KLUDGE, HEADER, 20, UINT32_MAX, 4, -ENOEXEC,
	 "truncated at offset 112"},
	{"bss end before data end", KLUDGE, HEADER, 24,
	 LOAD_ADDR + CODE_BYTES - 1, 4, -ENOEXEC, "before the end of data"},
	{"bss beyond RAM", KLUDGE, HEADER, 24, UINT32_MAX, 4, -EFBIG,
	 "needs memory=4096M"},
	{"entry outside", KLUDGE, HEADER, 28, LOAD_ADDR + CODE_BYTES, 4,
	 -ENOEXEC, "the entry point"},

	{"PVH: type of note", PVH32, NOTE, 8, 17, 4, -ENOEXEC,
	 "with neither a PVH entry nor a multiboot header"},
	{"PVH: owner of note", PVH64, NOTE, 12, 0x6e6559, 4, -ENOEXEC,
	 "with neither a PVH entry"},
	{"PVH: length of the owner", PVH64, NOTE, 0, 3, 4, -ENOEXEC,
	 "with neither a PVH entry"},
	{"PVH: owner beyond the segment", PVH64, NOTE, 0, UINT32_MAX, 4,
	 -ENOEXEC, "with neither a PVH entry"},
	{"PVH: descriptor beyond the segment", PVH64, NOTE, 4, 9, 4, -ENOEXEC,
	 "with neither a PVH entry"},
	{"PVH: descriptor wraps", PVH32, NOTE, 4, UINT32_MAX, 4, -ENOEXEC,
	 "with neither a PVH entry"},
	{"PVH: 2 bytes", PVH32, NOTE, 4, 2, 4, -ENOEXEC,
	 "has a PVH entry of 2 bytes, not 4 or 8"},
	{"PVH: entry outside", PVH32, NOTE, 16, LOAD_ADDR + CODE_BYTES, 4,
	 -ENOEXEC, "the entry point 0x100140 is not in"},
	{"PVH: entry beyond 4 GiB", PVH64, NOTE, 20, 1, 4, -ENOEXEC,
	 "the entry point 0x100100100 is not in"},
	{"PVH: notes beyond the end", PVH32, NOTE_PHDR, P32_FILESZ, 0x1000, 4,
	 -ENOEXEC, "with neither a PVH entry"},
	{"PVH: notes wrap", PVH64, NOTE_PHDR, P64_OFFSET, UINT64_MAX - 8, 8,
	 -ENOEXEC, "with neither a PVH entry"},
	{"PVH: no notes", PVH64, NOTE_PHDR, P64_FILESZ, 0, 8, -ENOEXEC,
	 "with neither a PVH entry"},
	{"PVH: memsz beyond RAM", PVH32, PHDR, P32_MEMSZ, 0x2000000, 4, -EFBIG,
	 "needs memory=34M, the guest has 2M"},
	{"PVH: object", PVH64, FILE_START, E_TYPE, 1, 2, -ENOEXEC,
	 "not linked"},

	{"bzImage: 2.03", BZIMAGE, FILE_START, BZ_VERSION, 0x203, 2, -ENOEXEC,
	 "of boot protocol 2.03, older than 2.04"},
	{"bzImage: zImage", BZIMAGE, FILE_START, BZ_LOADFLAGS, 0, 1, -ENOEXEC,
	 "is a Linux zImage"},
	{"bzImage: short header", BZIMAGE, FILE_START, BZ_JUMP + 1, 0x61, 1,
	 -ENOEXEC, "setup header of 97 bytes is not of boot protocol 2.15"},
	{"bzImage: long header", BZIMAGE, FILE_START, BZ_JUMP + 1, 0x80, 1,
	 -ENOEXEC, "setup header of 128 bytes"},
	{"bzImage: no flag", BZIMAGE, FILE_START, BZ_BOOT_FLAG, 0xaa54, 2,
	 -ENOEXEC, "is not an ELF file"},
	{"bzImage: setup beyond the end", BZIMAGE, FILE_START, BZ_SETUP_SECTS,
	 2, 1, -ENOEXEC, "0x40 bytes at offset 0x600"},
	{"bzImage: code beyond the end", BZIMAGE, FILE_START, BZ_SYSSIZE, 5, 4,
	 -ENOEXEC, "truncated at offset 1088: its code has 0x50 bytes"},
	{"bzImage: much code", BZIMAGE, FILE_START, BZ_SYSSIZE, UINT32_MAX, 4,
	 -ENOEXEC, "its code has 0xffffffff0 bytes"},
	{"bzImage: no code", BZIMAGE, FILE_START, BZ_SYSSIZE, 0, 4, -ENOEXEC,
	 "the entry point 0x100000 is not in"},
	{"bzImage: alignment 0", BZIMAGE, FILE_START, BZ_ALIGNMENT, 0, 4,
	 -ENOEXEC, "alignment of 0x0, which is no power of two"},
	{"bzImage: odd alignment", BZIMAGE, FILE_START, BZ_ALIGNMENT, 0x30000,
	 4, -ENOEXEC, "alignment of 0x30000"},
	{"bzImage: init_size beyond RAM", BZIMAGE, FILE_START, BZ_INIT_SIZE,
	 0x1000000, 4, -EFBIG, "needs memory=18M, the guest has 2M"},
	{"bzImage: pref_address beyond 4 GiB", BZIMAGE, FILE_START,
	 BZ_PREF_ADDRESS, UINT64_C(1) << 32, 8, -ENOEXEC, "beyond 4 GiB"},
	{"bzImage: pref_address wraps", BZIMAGE, FILE_START, BZ_PREF_ADDRESS,
	 UINT64_MAX, 8, -ENOEXEC, "beyond 4 GiB"},
	{"bzImage: the command line is too long", BZIMAGE, FILE_START,
	 BZ_CMDLINE_SIZE, 0, 4, -EINVAL,
	 "command line has 1 bytes, guest takes 0"},
};

static void refused(const char *name, const void *bytes, size_t size, int err,
		    const char *words)
{
	struct boot_state state = {.entry = 1, .eax = 2, .ebx = 3};
	struct boot_files files = {
		.kernel = {"guest", bytes, size},
		.cmdline = "x",
	};
	struct diag diag = {0};
	uint8_t *ram = calloc(1, RAM_SIZE);
	int got;

	assert_non_null(ram);
	got = loader_load(&files, ram, RAM_SIZE, &state, &diag);
	if (got != err || !strstr(diag.msg, words))
		fail_msg("%s: got %d \"%s\", want %d \"...%s...\"", name, got,
			 diag.msg, err, words);
	for (size_t i = 0; i < RAM_SIZE; i++)
		if (ram[i])
			fail_msg("%s: RAM changed at 0x%zx", name, i);
	check_eq(name, state.entry, 1); /* "untouched on failure" */
	check_eq(name, state.eax, 2);
	check_eq(name, state.ebx, 3);
	free(ram);
}

static void wrong_fields(void **state)
{
	static void (*const build[])(struct test_image *) = {
		[ELF32] = build_elf32,   [ELF64] = build_elf64,
		[KLUDGE] = build_kludge, [PVH32] = build_pvh32,
		[PVH64] = build_pvh64,   [BZIMAGE] = build_bzimage,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		struct test_image img;
		size_t at = edits[i].at;

		build[edits[i].base](&img);
		if (edits[i].from == HEADER)
			at += img.mb;
		if (edits[i].from == PHDR)
			at += img.ph;
		if (edits[i].from == NOTE_PHDR)
			at += img.ph + (edits[i].base == PVH64 ? E64_PHSIZE
							       : E32_PHSIZE);
		if (edits[i].from == NOTE)
			at += img.note;
		if (edits[i].from == HEADER && edits[i].at == FLAGS)
			put_header(&img, img.mb, (uint32_t)edits[i].val);
		else
			put(&img, at, edits[i].val, edits[i].bytes);
		refused(edits[i].name, img.data, img.size, edits[i].err,
			edits[i].words);
	}
}

/* A file of zeros with a few bytes set. */
static const struct {
	const char *name;
	size_t size;
	struct {
		size_t at;
		const char *bytes;
		size_t len;
	} mark[2];
	const char *words;
} kinds[] = {
#define AT(at, bytes)                        \
	{                                    \
		at, bytes, sizeof(bytes) - 1 \
	}
	{"script", 64, {AT(0, "#!/bin/sh\n")}, "is a script"},
	{"PE",
	 0x100,
	 {AT(0, "MZ"), AT(0x3c, "\x80\0\0\0PE")},
	 "is a DOS or Windows program"},
	{"PE header",
	 0x100,
	 {AT(0, "MZ"), AT(0x40, "PE\0\0")},
	 "is a DOS or Windows program"},
	{"gzip", 64, {AT(0, "\x1f\x8b\x08")}, "is a gzip file"},
	{"xz", 64, {AT(0, "\xfd\x37zXZ\0")}, "is an xz file"},
	{"cpio", 256, {AT(0, "070701000")}, "is a cpio archive"},
	{"Debian package", 64, {AT(0, "!<arch>\n")}, "ar archive"},
	{"qcow2", 64, {AT(0, "QFI\xfb")}, "qcow2"},
	{"tar", 512, {AT(257, "ustar")}, "is a tar archive"},
	{"disk", 512, {AT(510, "\x55\xaa")}, "is a boot sector or disk"},
	{"CD", 0x8010, {AT(0x8001, "CD001")}, "is a CD image"},
	{"zeros", 4096, {{0}}, "is not an ELF file and has no multiboot"},
	{"half a mark",
	 3,
	 {AT(0, "\x7f"
		"EL")},
	 "is not an ELF file and has"},
	{"ELF magic alone",
	 4,
	 {AT(0, "\x7f"
		"ELF")},
	 "is an ELF file truncated at offset 4, within its ELF header"},
	{"empty", 0, {{0}}, "is empty"},
#undef AT
};

static void other_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		uint8_t *file = calloc(1, kinds[i].size + 1);

		assert_non_null(file);
		for (size_t j = 0; j < ARRAY_LEN(kinds[i].mark); j++)
			if (kinds[i].mark[j].bytes)
				memcpy(file + kinds[i].mark[j].at,
				       kinds[i].mark[j].bytes,
				       kinds[i].mark[j].len);
		refused(kinds[i].name, file, kinds[i].size, -ENOEXEC,
			kinds[i].words);
		free(file);
	}
}

static void real_pe_and_text(void **state)
{
	static const char text[] = "touch pages=1024\n";
	uint8_t pe[0x100] = "MZ";

	(void)state;
	pe[0x3c] = 0x80;
	memcpy(pe + 0x80, "PE", 2);
	refused("PE", pe, sizeof(pe), -ENOEXEC, "is a PE executable");
	refused("text", text, sizeof(text) - 1, -ENOEXEC, "is a text file");
}

/* More segments than the loader keeps, each with a byte of memory. */
static void too_many_segments(void **state)
{
	struct test_image img;

	(void)state;
	build_elf32(&img);
	for (size_t i = 0; i <= LOADER_SEGMENTS; i++)
		memcpy(img.data + 0x1000 + 32 * i, img.data + img.ph, 32);
	put(&img, E32_PHOFF, 0x1000, 4);
	put(&img, E32_PHNUM, LOADER_SEGMENTS + 1, 2);
	img.size = 0x2000;
	refused("65 segments", img.data, img.size, -ENOEXEC,
		"more than 64 segments");
}

/* A vmlinux as it was before PVH is known by the note of its build. */
static void linux_without_pvh(void **state)
{
	struct test_image img;

	(void)state;
	build_pvh64(&img);
	put(&img, img.note, 6, 4);
	put(&img, img.note + 4, 4, 4);
	put(&img, img.note + 8, 0x100, 4);
	memcpy(img.data + img.note + 12, "Linux", 6);
	refused("Linux", img.data, img.size, -ENOEXEC,
		"is a Linux kernel without an entry for PVH: run its bzImage");
}

static void refused_modules(const char *name,
			    void (*build)(struct test_image *), unsigned int nr,
			    uint64_t size, const char *args, const char *words)
{
	struct boot_module module[LOADER_MODULES + 1];
	struct boot_state state = {0};
	struct test_image img;
	struct boot_files files = {{"guest", img.data, 0}, "x", module, nr};
	struct diag diag = {0};
	uint8_t *ram = calloc(1, RAM_SIZE);
	int got;

	assert_non_null(ram);
	build(&img);
	files.kernel.size = img.size;
	for (unsigned int i = 0; i < nr; i++)
		module[i] =
			(struct boot_module){{"initrd", img.data, size}, args};
	got = loader_load(&files, ram, RAM_SIZE, &state, &diag);
	if (got != -EINVAL || !strstr(diag.msg, words))
		fail_msg("%s: got %d \"%s\", want \"...%s...\"", name, got,
			 diag.msg, words);
	check_eq(name, ram[0x9000], 0);
	free(ram);
}

static void modules(void **state)
{
	static char args[LOADER_CMDLINE_MAX + 2];

	(void)state;
	memset(args, 'a', sizeof(args) - 1);
	refused_modules("17", build_elf32, LOADER_MODULES + 1, 16, "",
			"more than 16 modules");
	refused_modules("empty", build_pvh32, 1, 0, "", "initrd is empty");
	refused_modules("arguments", build_pvh64, 1, 16, args,
			"a module's command line has 4096 bytes");
	refused_modules("two for Linux", build_bzimage, 2, 16, "",
			"takes one initrd");
	refused_modules("arguments for Linux", build_bzimage, 1, 16, "x",
			"no arguments for it");
}

/* An image that fills low memory leaves no page for the information. */
static void no_room_for_information(void **state)
{
	struct test_image img;

	(void)state;
	build_elf32(&img);
	put(&img, img.ph + P32_PADDR, 0x9001, 4);
	put(&img, img.ph + P32_MEMSZ, 0x9fc00 - 0x9001, 4);
	refused("low memory full", img.data, img.size, -ENOEXEC,
		"leaves no room for the boot information");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_fields),
		cmocka_unit_test(other_files),
		cmocka_unit_test(real_pe_and_text),
		cmocka_unit_test(too_many_segments),
		cmocka_unit_test(linux_without_pvh),
		cmocka_unit_test(modules),
		cmocka_unit_test(no_room_for_information),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
