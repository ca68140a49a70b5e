/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a path to a guest ready to start: read the file, let the reader of its
 * format make a plan, check the plan against RAM, find room for the boot
 * information, and only then write.
 */
#include "platform/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/image.h"

#define BOOT_EAX   0x2badb002u
#define INFO_FIRST UINT64_C(0x9000)

#define NAME_MAX_SHOWN 200

/* A name fit for one line: its end if it is long, no control characters. */
static void printable_name(char *to, const char *path)
{
	size_t len = strlen(path);
	size_t skip = len > NAME_MAX_SHOWN ? len - NAME_MAX_SHOWN : 0;

	len -= skip;
	for (size_t i = 0; i < len; i++) {
		char c = path[skip + i];

		to[i] = (unsigned char)c < ' ' || c == 127 ? '?' : c;
	}
	to[len] = '\0';
}

static int check_args(uint64_t ram_size, const char *cmdline, struct diag *diag)
{
	if (ram_size < LOADER_RAM_MIN || ram_size > UINT32_MAX)
		return diag_set(diag, -EINVAL,
				"memory: %" PRIu64
				" KiB is not between %" PRIu64 " KiB and 4 GiB",
				ram_size / 1024, LOADER_RAM_MIN / 1024);
	if (strlen(cmdline) > LOADER_CMDLINE_MAX)
		return diag_set(diag, -EINVAL,
				"the guest's command line has %zu bytes, more "
				"than %d",
				strlen(cmdline), LOADER_CMDLINE_MAX);
	return 0;
}

/* Where the guest's memory map has RAM: below the EBDA or above 1 MiB. */
static bool in_ram(const struct segment *seg, uint64_t ram_size)
{
	uint64_t end = seg->gpa < LOW_END ? LOW_END : ram_size;

	return (seg->gpa < LOW_END || seg->gpa >= HIGH_START) &&
	       seg->gpa <= end && seg->mem_size <= end - seg->gpa;
}

static int check_segment(const struct image *img, const struct segment *seg,
			 uint64_t ram_size, struct diag *diag)
{
	uint64_t end = seg->gpa + seg->mem_size;

	if (in_ram(seg, ram_size))
		return 0;
	if (end < seg->gpa || end > UINT64_C(1) << 32)
		return diag_set(diag, -ENOEXEC,
				"%s: 0x%" PRIx64 " bytes at 0x%" PRIx64
				" are beyond 4 GiB",
				img->name, seg->mem_size, seg->gpa);
	if (end <= ram_size)
		return diag_set(diag, -ENOEXEC,
				"%s: 0x%" PRIx64 " bytes at 0x%" PRIx64
				" reach into 0x9fc00-0x100000, which is no RAM",
				img->name, seg->mem_size, seg->gpa);
	return diag_set(diag, -EFBIG,
			"%s is too big: it ends at 0x%" PRIx64
			" and needs memory=%" PRIu64 "M, the guest has %" PRIu64
			"M",
			img->name, end, (end + MIB - 1) / MIB, ram_size / MIB);
}

static bool is_loaded_code(const struct load_plan *plan, uint64_t gpa)
{
	for (unsigned int i = 0; i < plan->nr; i++)
		if (ranges_overlap(plan->seg[i].gpa, plan->seg[i].file_size,
				   gpa, 1))
			return true;
	return false;
}

static int check_plan(const struct image *img, const struct load_plan *plan,
		      uint64_t ram_size, struct diag *diag)
{
	int err;

	for (unsigned int i = 0; i < plan->nr; i++) {
		err = check_segment(img, &plan->seg[i], ram_size, diag);
		if (err)
			return err;
	}
	if (!is_loaded_code(plan, plan->entry))
		return diag_set(diag, -ENOEXEC,
				"%s: the entry point 0x%" PRIx64
				" is not in what the file loads",
				img->name, plan->entry);
	return 0;
}

static bool is_free(const struct load_plan *plan, uint64_t gpa, uint64_t len)
{
	for (unsigned int i = 0; i < plan->nr; i++)
		if (ranges_overlap(plan->seg[i].gpa, plan->seg[i].mem_size, gpa,
				   len))
			return false;
	return true;
}

static int place_info(const struct image *img, const struct load_plan *plan,
		      uint64_t len, uint64_t *ret, struct diag *diag)
{
	for (uint64_t at = INFO_FIRST; at + len <= LOW_END; at += PAGE_SIZE) {
		if (is_free(plan, at, len)) {
			*ret = at;
			return 0;
		}
	}
	return diag_set(diag, -ENOEXEC,
			"%s leaves no room for the boot information between "
			"0x%" PRIx64 " and 0x%" PRIx64,
			img->name, INFO_FIRST, LOW_END);
}

static int make_plan(const struct image *img, struct load_plan *ret,
		     struct diag *diag)
{
	struct mb_header mb;
	struct elf elf;
	int err;

	if (!multiboot_find(img, &mb))
		return image_refuse(img, diag);
	err = multiboot_check(img, &mb, diag);
	if (err)
		return err;
	if (multiboot_has_addresses(&mb))
		return multiboot_plan(img, &mb, ret, diag);
	if (!image_is_elf(img))
		return diag_set(diag, -ENOEXEC,
				"%s has a multiboot header, but is no ELF file "
				"and gives no load addresses",
				img->name);
	err = elf_open(img, &elf, diag);
	if (err)
		return err;
	return elf_plan(img, &elf, ret, diag);
}

static void copy_segments(const struct image *img, const struct load_plan *plan,
			  uint8_t *ram)
{
	for (unsigned int i = 0; i < plan->nr; i++) {
		const struct segment *seg = &plan->seg[i];

		memcpy(ram + seg->gpa, img->data + seg->offset, seg->file_size);
		memset(ram + seg->gpa + seg->file_size, 0,
		       seg->mem_size - seg->file_size);
	}
}

int loader_load_image(const struct image *img, const char *cmdline,
		      uint8_t *ram, uint64_t size, struct boot_state *ret,
		      struct diag *diag)
{
	struct load_plan plan;
	uint64_t info = 0;
	int err;

	if (!cmdline)
		cmdline = "";
	err = check_args(size, cmdline, diag);
	if (err)
		return err;
	if (!img->size)
		return diag_set(diag, -ENOEXEC, "%s is empty", img->name);
	err = make_plan(img, &plan, diag);
	if (err)
		return err;
	err = check_plan(img, &plan, size, diag);
	if (err)
		return err;
	err = place_info(img, &plan, multiboot_info_size(cmdline), &info, diag);
	if (err)
		return err;

	copy_segments(img, &plan, ram);
	multiboot_write_info(ram, size, info, cmdline);
	*ret = (struct boot_state){
		.entry = (uint32_t)plan.entry,
		.eax = BOOT_EAX,
		.ebx = (uint32_t)info,
	};
	return 0;
}

/* Regular files only: a directory has no bytes and a pipe could block. */
static int check_file(int fd, const char *name, uint64_t *size,
		      struct diag *diag)
{
	struct stat st;
	int err;

	if (fstat(fd, &st)) {
		err = -errno;
		return diag_set(diag, err, "%s: %s", name, strerror(-err));
	}
	if (S_ISDIR(st.st_mode))
		return diag_set(diag, -EISDIR, "%s is a directory", name);
	if (!S_ISREG(st.st_mode))
		return diag_set(diag, -ENOEXEC, "%s is not a regular file",
				name);
	if ((uint64_t)st.st_size > LOADER_FILE_MAX)
		return diag_set(diag, -EFBIG,
				"%s has %" PRIu64 " MiB: no multiboot image "
				"is that large",
				name, (uint64_t)st.st_size / MIB);
	*size = (uint64_t)st.st_size;
	return 0;
}

/* Up to *len bytes; *len becomes what there is. */
static int read_all(int fd, uint8_t *to, uint64_t *len)
{
	uint64_t done = 0;

	while (done < *len) {
		ssize_t n = read(fd, to + done, *len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += (uint64_t)n;
	}
	*len = done;
	return 0;
}

static int read_file(const char *path, const char *name, uint8_t **ret,
		     uint64_t *ret_size, struct diag *diag)
{
	uint64_t size = 0;
	uint8_t *data;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		err = -errno;
		return diag_set(diag, err, "%s: %s", name, strerror(-err));
	}
	err = check_file(fd, name, &size, diag);
	if (err)
		goto close_fd;

	data = malloc(size + 1); /* an empty file is no special case here */
	if (!data) {
		err = diag_set(diag, -ENOMEM, "%s: out of memory", name);
		goto close_fd;
	}
	err = read_all(fd, data, &size);
	if (err) {
		diag_set(diag, err, "%s: %s", name, strerror(-err));
		goto free_data;
	}
	close(fd);
	*ret = data;
	*ret_size = size;
	return 0;

free_data:
	free(data);
close_fd:
	close(fd);
	return err;
}

int loader_load(const char *path, const char *cmdline, uint8_t *ram,
		uint64_t size, struct boot_state *ret, struct diag *diag)
{
	char name[NAME_MAX_SHOWN + 1];
	struct image img = {.name = name};
	uint8_t *data = NULL;
	int err;

	printable_name(name, path);
	err = read_file(path, name, &data, &img.size, diag);
	if (err)
		return err;
	img.data = data;
	err = loader_load_image(&img, cmdline, ram, size, ret, diag);
	free(data);
	return err;
}
