/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF32 and ELF64 for x86 (System V gABI, chapters 4 and 5): identification,
 * program headers, entry point.  Sections, symbols and relocations are not
 * looked at: an image must be linked to fixed addresses.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "platform/image.h"

#define EI_CLASS 4
#define EI_DATA  5
#define CLASS_32 1
#define CLASS_64 2
#define DATA_LSB 1

#define ET_REL  1
#define ET_EXEC 2
#define ET_DYN  3
#define ET_CORE 4

#define EM_386    3
#define EM_X86_64 62
#define PT_LOAD   1
#define PT_NOTE   4
#define PN_XNUM   0xffff

/* Offset and width of each field that differs between the two classes. */
struct elf_layout {
	unsigned int word; /* bytes of an address or offset */
	uint64_t ehsize;
	uint64_t entry, phoff, phentsize, phnum;
	uint64_t phsize;
	uint64_t p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align;
};

static const struct elf_layout layout32 = {
	.word = 4,
	.ehsize = 52,
	.entry = 24,
	.phoff = 28,
	.phentsize = 42,
	.phnum = 44,
	.phsize = 32,
	.p_offset = 4,
	.p_vaddr = 8,
	.p_paddr = 12,
	.p_filesz = 16,
	.p_memsz = 20,
	.p_align = 28,
};

static const struct elf_layout layout64 = {
	.word = 8,
	.ehsize = 64,
	.entry = 24,
	.phoff = 32,
	.phentsize = 54,
	.phnum = 56,
	.phsize = 56,
	.p_offset = 8,
	.p_vaddr = 16,
	.p_paddr = 24,
	.p_filesz = 32,
	.p_memsz = 40,
	.p_align = 48,
};

struct phdr {
	uint32_t type;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

static const struct elf_layout *layout_of(unsigned int bits)
{
	return bits == 64 ? &layout64 : &layout32;
}

bool image_is_elf(const struct image *img)
{
	return image_has(img, 0, 4) && !memcmp(img->data, "\177ELF", 4);
}

static struct phdr read_phdr(const struct image *img, const struct elf *elf,
			     unsigned int i)
{
	const struct elf_layout *l = layout_of(elf->bits);
	uint64_t at = elf->phoff + i * l->phsize;

	return (struct phdr){
		.type = image_le32(img, at),
		.offset = image_le(img, at + l->p_offset, l->word),
		.vaddr = image_le(img, at + l->p_vaddr, l->word),
		.paddr = image_le(img, at + l->p_paddr, l->word),
		.filesz = image_le(img, at + l->p_filesz, l->word),
		.memsz = image_le(img, at + l->p_memsz, l->word),
		.align = image_le(img, at + l->p_align, l->word),
	};
}

static const char *machine_name(uint16_t machine)
{
	static const struct {
		uint16_t machine;
		const char *name;
	} names[] = {
		{2, "SPARC"},     {4, "m68k"},     {8, "MIPS"},
		{20, "PowerPC"},  {21, "PowerPC"}, {22, "S/390"},
		{40, "ARM"},      {43, "SPARC"},   {50, "Itanium"},
		{183, "AArch64"}, {243, "RISC-V"}, {258, "LoongArch"},
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].machine == machine)
			return names[i].name;
	return "unknown";
}

static int truncated(const struct image *img, struct diag *diag,
		     const char *what)
{
	return diag_set(diag, -ENOEXEC,
			"%s is an ELF file truncated at offset %" PRIu64
			", within its %s",
			img->name, img->size, what);
}

/* Class, byte order and machine.  The first 20 bytes are the same in both. */
static int check_ident(const struct image *img, struct diag *diag)
{
	uint8_t class, data;
	uint16_t machine;

	if (!image_has(img, 0, 20))
		return truncated(img, diag, "ELF header");
	class = img->data[EI_CLASS];
	data = img->data[EI_DATA];
	if ((class != CLASS_32 && class != CLASS_64) || data != DATA_LSB)
		return diag_set(diag, -ENOEXEC,
				"%s is an ELF file of class %u and byte order "
				"%u: not for x86",
				img->name, class, data);
	machine = image_le16(img, 18);
	if (machine != (class == CLASS_64 ? EM_X86_64 : EM_386))
		return diag_set(diag, -ENOEXEC,
				"%s is an ELF%u file for another machine "
				"(%s, e_machine %u), not for x86",
				img->name, class == CLASS_64 ? 64u : 32u,
				machine_name(machine), machine);
	return 0;
}

static int check_segment(const struct image *img, const struct phdr *ph,
			 unsigned int i, struct diag *diag)
{
	if (image_has(img, ph->offset, ph->filesz))
		return 0;
	return diag_set(diag, -ENOEXEC,
			"%s is an ELF file truncated at offset %" PRIu64
			": segment %u has 0x%" PRIx64
			" bytes at offset 0x%" PRIx64,
			img->name, img->size, i, ph->filesz, ph->offset);
}

int elf_open(const struct image *img, struct elf *ret, struct diag *diag)
{
	const struct elf_layout *l;
	struct elf elf = {0};
	int err;

	err = check_ident(img, diag);
	if (err)
		return err;
	elf.bits = img->data[EI_CLASS] == CLASS_64 ? 64 : 32;
	l = layout_of(elf.bits);
	if (!image_has(img, 0, l->ehsize))
		return truncated(img, diag, "ELF header");
	elf.type = image_le16(img, 16);
	elf.entry = image_le(img, l->entry, l->word);
	elf.phoff = image_le(img, l->phoff, l->word);
	elf.phnum = image_le16(img, l->phnum);
	if (elf.phnum && image_le16(img, l->phentsize) != l->phsize)
		return diag_set(diag, -ENOEXEC,
				"%s is an ELF file whose program headers have "
				"%u bytes instead of %u",
				img->name, image_le16(img, l->phentsize),
				(unsigned int)l->phsize);
	if (elf.phnum == PN_XNUM)
		return diag_set(diag, -ENOEXEC,
				"%s is an ELF file with too many program "
				"headers",
				img->name);
	if (!image_has(img, elf.phoff, elf.phnum * l->phsize))
		return truncated(img, diag, "program headers");

	for (unsigned int i = 0; i < elf.phnum; i++) {
		struct phdr ph = read_phdr(img, &elf, i);

		err = ph.type == PT_LOAD ? check_segment(img, &ph, i, diag) : 0;
		if (err)
			return err;
	}
	*ret = elf;
	return 0;
}

static int check_type(const struct image *img, const struct elf *elf,
		      struct diag *diag)
{
	const char *what = "of an unknown type";

	if (elf->type == ET_EXEC)
		return 0;
	if (elf->type == ET_REL)
		what = "that is not linked yet (an object file)";
	else if (elf->type == ET_DYN)
		what = "without fixed addresses (shared or "
		       "position-independent)";
	else if (elf->type == ET_CORE)
		what = "that is a core dump";
	return diag_set(diag, -ENOEXEC,
			"%s is an ELF file %s (e_type %u), not an executable",
			img->name, what, elf->type);
}

static int add_segment(const struct image *img, const struct phdr *ph,
		       struct load_plan *plan, struct diag *diag)
{
	if (ph->filesz > ph->memsz)
		return diag_set(diag, -ENOEXEC,
				"%s: segment at 0x%" PRIx64
				" has more bytes in the file than in memory",
				img->name, ph->paddr);
	if (!ph->memsz)
		return 0;
	if (plan->nr == LOADER_SEGMENTS)
		return diag_set(diag, -ENOEXEC,
				"%s has more than %d segments to load",
				img->name, LOADER_SEGMENTS);
	plan->seg[plan->nr++] = (struct segment){
		.gpa = ph->paddr,
		.mem_size = ph->memsz,
		.offset = ph->offset,
		.file_size = ph->filesz,
	};
	return 0;
}

/*
 * e_entry is a virtual address.  The guest starts without paging, so it must
 * become the physical address of the same byte.
 */
static uint64_t entry_of(const struct phdr *ph, uint64_t entry)
{
	return entry - ph->vaddr + ph->paddr;
}

int elf_plan(const struct image *img, const struct elf *elf,
	     struct load_plan *ret, struct diag *diag)
{
	bool translated = false;
	int err;

	err = check_type(img, elf, diag);
	if (err)
		return err;
	*ret = (struct load_plan){.entry = elf->entry};
	for (unsigned int i = 0; i < elf->phnum; i++) {
		struct phdr ph = read_phdr(img, elf, i);

		if (ph.type != PT_LOAD)
			continue;
		err = add_segment(img, &ph, ret, diag);
		if (err)
			return err;
		if (translated || elf->entry < ph.vaddr ||
		    elf->entry - ph.vaddr >= ph.memsz)
			continue;
		ret->entry = entry_of(&ph, elf->entry);
		translated = true;
	}
	return 0;
}

/*
 * gABI, "Note Section": three words, then name and descriptor, each padded to
 * the segment's alignment, which is 4 unless it says 8.
 */
#define NOTE_HEADER 12

static bool find_in_notes(const struct image *img, const struct phdr *ph,
			  const char *owner, uint32_t type,
			  struct elf_note *ret)
{
	uint64_t pad = ph->align == 8 ? 7 : 3;
	uint64_t at = ph->offset, left = ph->filesz;
	size_t owner_size = strlen(owner) + 1;

	if (!image_has(img, at, left))
		return false;
	while (left >= NOTE_HEADER) {
		uint64_t namesz = image_le32(img, at);
		uint64_t descsz = image_le32(img, at + 4);
		uint64_t desc = (NOTE_HEADER + namesz + pad) & ~pad;
		uint64_t end = (desc + descsz + pad) & ~pad;

		if (desc + descsz > left)
			return false;
		if (image_le32(img, at + 8) == type && namesz == owner_size &&
		    !memcmp(img->data + at + NOTE_HEADER, owner, owner_size)) {
			*ret = (struct elf_note){at + desc, descsz};
			return true;
		}
		at += end;
		left -= min_u64(end, left);
	}
	return false;
}

bool elf_find_note(const struct image *img, const struct elf *elf,
		   const char *owner, uint32_t type, struct elf_note *ret)
{
	for (unsigned int i = 0; i < elf->phnum; i++) {
		struct phdr ph = read_phdr(img, elf, i);

		if (ph.type == PT_NOTE &&
		    find_in_notes(img, &ph, owner, type, ret))
			return true;
	}
	return false;
}
