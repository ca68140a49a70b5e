/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Written from the formats' tables, not with the loader's own constants. */
#include "images.h"

#include <string.h>

void put(struct test_image *img, size_t at, uint64_t val, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		img->data[at + i] = (uint8_t)(val >> (8 * i));
}

void put_header(struct test_image *img, size_t at, uint32_t flags)
{
	img->mb = at;
	img->told = at + 12;
	put(img, at, MB_MAGIC, 4);
	put(img, at + 4, flags, 4);
	put(img, at + 8, 0u - MB_MAGIC - flags, 4);
}

static void put_code(struct test_image *img, size_t at)
{
	img->code = at;
	for (unsigned int i = 0; i < CODE_BYTES; i++)
		img->data[at + i] = (uint8_t)(i + 1);
	img->size = at + CODE_BYTES;
}

static void put_ident(struct test_image *img, uint8_t class, uint16_t machine)
{
	memset(img, 0, sizeof(*img));
	memcpy(img->data, "\177ELF", 4);
	img->data[4] = class;
	img->data[5] = 1; /* little-endian */
	img->data[6] = 1; /* version */
	put(img, E_TYPE, 2, 2);
	put(img, E_MACHINE, machine, 2);
	put(img, 20, 1, 4);
}

void build_elf32(struct test_image *img)
{
	put_ident(img, 1, 3);
	img->ph = 52;
	put(img, E_ENTRY, VIRT_BASE + LOAD_ADDR, 4);
	put(img, E32_PHOFF, img->ph, 4);
	put(img, E32_PHENTSIZE, 32, 2);
	put(img, E32_PHNUM, 1, 2);
	put_header(img, img->ph + 32, 3);
	put_code(img, img->mb + 12);

	put(img, img->ph + P_TYPE, 1, 4);
	put(img, img->ph + P32_OFFSET, img->code, 4);
	put(img, img->ph + P32_VADDR, VIRT_BASE + LOAD_ADDR, 4);
	put(img, img->ph + P32_PADDR, LOAD_ADDR, 4);
	put(img, img->ph + P32_FILESZ, CODE_BYTES, 4);
	put(img, img->ph + P32_MEMSZ, CODE_BYTES + BSS_BYTES, 4);
}

void build_elf64(struct test_image *img)
{
	put_ident(img, 2, 62);
	img->ph = 64;
	put(img, E_ENTRY, UINT64_C(0xffffffff80000000) + LOAD_ADDR, 8);
	put(img, E64_PHOFF, img->ph, 8);
	put(img, E64_PHENTSIZE, 56, 2);
	put(img, E64_PHNUM, 1, 2);
	put_header(img, img->ph + 56, 3);
	put_code(img, img->mb + 12);

	put(img, img->ph + P_TYPE, 1, 4);
	put(img, img->ph + P64_OFFSET, img->code, 8);
	put(img, img->ph + P64_VADDR, UINT64_C(0xffffffff80000000) + LOAD_ADDR,
	    8);
	put(img, img->ph + P64_PADDR, LOAD_ADDR, 8);
	put(img, img->ph + P64_FILESZ, CODE_BYTES, 8);
	put(img, img->ph + P64_MEMSZ, CODE_BYTES + BSS_BYTES, 8);
}

/* Not ELF: what is loaded starts with the header, 16 bytes into the file. */
void build_kludge(struct test_image *img)
{
	uint32_t load = LOAD_ADDR - 32;

	memset(img, 0, sizeof(*img));
	put_header(img, 16, 0x10003);
	put_code(img, img->mb + 32);
	put(img, img->mb + 12, load, 4);
	put(img, img->mb + 16, load, 4);
	put(img, img->mb + 20, LOAD_ADDR + CODE_BYTES, 4);
	put(img, img->mb + 24, LOAD_ADDR + CODE_BYTES + BSS_BYTES, 4);
	put(img, img->mb + 28, LOAD_ADDR, 4);
}

static size_t put_note(struct test_image *img, size_t at, const char *owner,
		       uint32_t type, uint64_t desc, unsigned int bytes)
{
	img->note = at;
	put(img, at, 4, 4);
	put(img, at + 4, bytes, 4);
	put(img, at + 8, type, 4);
	memcpy(img->data + at + 12, owner, 4);
	put(img, at + 16, desc, bytes);
	return at + 16 + bytes;
}

/* Another's note of this type, and another one of this owner, come first. */
static void put_notes(struct test_image *img, size_t at, unsigned int bytes)
{
	at = put_note(img, at, "GNU", 18, 0xdead, 4);
	at = put_note(img, at, "Xen", 5, 0xdead, 8);
	at = put_note(img, at, "Xen", 18, LOAD_ADDR, bytes);
	put_code(img, at);
	img->told = 20; /* the identification of ELF */
}

void build_pvh32(struct test_image *img)
{
	put_ident(img, 1, 3);
	img->ph = 52;
	put(img, E_ENTRY, 0xc1000000, 4);
	put(img, E32_PHOFF, img->ph, 4);
	put(img, E32_PHENTSIZE, 32, 2);
	put(img, E32_PHNUM, 2, 2);
	put_notes(img, img->ph + 64, 4);

	put(img, img->ph + P_TYPE, 1, 4);
	put(img, img->ph + P32_OFFSET, img->code, 4);
	put(img, img->ph + P32_VADDR, VIRT_BASE + LOAD_ADDR, 4);
	put(img, img->ph + P32_PADDR, LOAD_ADDR, 4);
	put(img, img->ph + P32_FILESZ, CODE_BYTES, 4);
	put(img, img->ph + P32_MEMSZ, CODE_BYTES + BSS_BYTES, 4);
	put(img, img->ph + 32 + P_TYPE, 4, 4);
	put(img, img->ph + 32 + P32_OFFSET, img->ph + 64, 4);
	put(img, img->ph + 32 + P32_FILESZ, img->code - img->ph - 64, 4);
}

void build_pvh64(struct test_image *img)
{
	put_ident(img, 2, 62);
	img->ph = 64;
	put(img, E_ENTRY, 0x1000000, 8);
	put(img, E64_PHOFF, img->ph, 8);
	put(img, E64_PHENTSIZE, 56, 2);
	put(img, E64_PHNUM, 2, 2);
	put_notes(img, img->ph + 112, 8);

	put(img, img->ph + P_TYPE, 1, 4);
	put(img, img->ph + P64_OFFSET, img->code, 8);
	put(img, img->ph + P64_PADDR, LOAD_ADDR, 8);
	put(img, img->ph + P64_FILESZ, CODE_BYTES, 8);
	put(img, img->ph + P64_MEMSZ, CODE_BYTES + BSS_BYTES, 8);
	put(img, img->ph + 56 + P_TYPE, 4, 4);
	put(img, img->ph + 56 + P64_OFFSET, img->ph + 112, 8);
	put(img, img->ph + 56 + P64_FILESZ, img->code - img->ph - 112, 8);
	put(img, img->ph + 56 + P64_ALIGN, 4, 8);
}

void build_bzimage(struct test_image *img)
{
	memset(img, 0, sizeof(*img));
	img->data[0x1f0] = 0xff; /* what lies before the header is not copied */
	put(img, BZ_SETUP_SECTS, 1, 1);
	put(img, BZ_SYSSIZE, CODE_BYTES / 16, 4);
	put(img, BZ_BOOT_FLAG, 0xaa55, 2);
	put(img, BZ_JUMP, 0xeb | (BZ_HEADER_END - BZ_MAGIC) << 8, 2);
	memcpy(img->data + BZ_MAGIC, "HdrS", 4);
	put(img, BZ_VERSION, 0x20f, 2);
	put(img, 0x20e, 0x1234, 2); /* kernel_version */
	put(img, BZ_LOADFLAGS, 1, 1);
	put(img, BZ_CODE32_START, BZ_ADDR, 4);
	put(img, BZ_INITRD_MAX, 0x7fffffff, 4);
	put(img, BZ_ALIGNMENT, 0x10000, 4);
	put(img, BZ_RELOCATABLE, 1, 1);
	put(img, BZ_CMDLINE_SIZE, BZ_CMDLINE, 4);
	put(img, BZ_PREF_ADDRESS, BZ_PREF, 8);
	put(img, BZ_INIT_SIZE, BZ_INIT, 4);
	put(img, 0x268, 0x11223344, 4);  /* kernel_info_offset, the last */
	img->data[BZ_HEADER_END] = 0xff; /* nor what lies behind it */
	put_code(img, 1024);
	img->fields = BZ_SETUP_SECTS;
	img->told = BZ_VERSION;
}
