/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Says what a file is that we do not start, so that the user sees at once
 * what went wrong.  Marks are taken from the formats' own descriptions.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "platform/image.h"

/* A mark and the words for it; the first that matches wins. */
static const struct {
	uint64_t offset;
	const char *mark;
	size_t len;
	const char *what;
} kinds[] = {
#define KIND(offset, mark, what)                     \
	{                                            \
		offset, mark, sizeof(mark) - 1, what \
	}
	KIND(0, "#!", "a script"),
	KIND(0, "MZ", "a DOS or Windows program (MZ)"),
	KIND(0, "\x1f\x8b", "a gzip file"),
	KIND(0,
	     "\xfd"
	     "7zXZ\0",
	     "an xz file"),
	KIND(0, "\x28\xb5\x2f\xfd", "a zstd file"),
	KIND(0, "BZh", "a bzip2 file"),
	KIND(0, "070701", "a cpio archive (an initrd?)"),
	KIND(0, "!<arch>\n", "an ar archive or Debian package"),
	KIND(0, "QFI\xfb", "a QEMU disk image (qcow2)"),
	KIND(0, "\xca\xfe\xba\xbe", "a Java class or Mach-O file"),
	KIND(0, "\xcf\xfa\xed\xfe", "a Mach-O file"),
	KIND(0, "PK\3\4", "a zip file"),
	KIND(257, "ustar", "a tar archive"),
	KIND(0x8001, "CD001", "a CD image"),
	KIND(510, "\x55\xaa", "a boot sector or disk image"),
#undef KIND
};

static bool has_mark(const struct image *img, uint64_t offset, const char *mark,
		     size_t len)
{
	return image_has(img, offset, len) &&
	       !memcmp(img->data + offset, mark, len);
}

/* "MZ" and at the offset that 0x3c gives, "PE\0\0". */
static bool is_pe(const struct image *img)
{
	return has_mark(img, 0, "MZ", 2) && image_has(img, 0x3c, 4) &&
	       has_mark(img, image_le32(img, 0x3c), "PE\0\0", 4);
}

/* Multiboot 2 has its own magic, within the first 32 KiB, 8-byte aligned. */
static bool is_multiboot2(const struct image *img)
{
	for (uint64_t at = 0; at < 0x8000; at += 8)
		if (has_mark(img, at, "\xd6\x50\x52\xe8", 4))
			return true;
	return false;
}

static bool is_text(const struct image *img)
{
	uint64_t n = min_u64(img->size, 512);

	for (uint64_t i = 0; i < n; i++) {
		uint8_t c = img->data[i];

		if ((c < ' ' || c > '~') && c != '\n' && c != '\t' && c != '\r')
			return false;
	}
	return true;
}

static const char *kind_of(const struct image *img)
{
	if (is_pe(img))
		return "a PE executable (Windows or EFI)";
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (has_mark(img, kinds[i].offset, kinds[i].mark, kinds[i].len))
			return kinds[i].what;
	if (is_text(img))
		return "a text file";
	return "not an ELF file and has no multiboot header";
}

/* linux/elfnote-lto.h, build-salt.h: every vmlinux since 4.19 has the salt. */
#define LINUX_BUILD_SALT 0x100

static int refuse_elf(const struct image *img, struct diag *diag)
{
	struct elf_note salt;
	struct elf elf;
	int err;

	err = elf_open(img, &elf, diag);
	if (err)
		return err;
	if (elf_find_note(img, &elf, "Linux", LINUX_BUILD_SALT, &salt))
		return diag_set(diag, -ENOEXEC,
				"%s is a Linux kernel without an entry for "
				"PVH: run its bzImage (vmlinuz)",
				img->name);
	return diag_set(diag, -ENOEXEC,
			"%s is an ELF%u file for x86 with neither a PVH entry "
			"nor a multiboot header%s: not a bootable guest",
			img->name, elf.bits,
			is_multiboot2(img) ? " (it has one of multiboot 2)"
					   : " in its first 8 KiB");
}

int image_refuse(const struct image *img, struct diag *diag)
{
	struct mb_header mb;

	if (!multiboot_find(img, &mb) && mb.bad_checksum)
		return diag_set(diag, -ENOEXEC,
				"%s has a multiboot header at offset %" PRIu64
				" with a wrong checksum",
				img->name, mb.offset);
	if (image_is_elf(img))
		return refuse_elf(img, diag);
	return diag_set(diag, -ENOEXEC,
			"%s is %s: only multiboot images and Linux kernels can "
			"be run",
			img->name, kind_of(img));
}
