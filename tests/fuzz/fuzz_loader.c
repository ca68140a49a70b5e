/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loader on any image.  The first byte says what goes with it: bits 1:0
 * the number of modules, bit 2 arguments for them, bit 3 more RAM than the
 * smallest; the rest is the image.
 *
 * Apart from not crashing: a refusal is one line and leaves RAM as it was;
 * otherwise the guest starts within RAM and finds its command line, and each
 * module is somewhere in RAM as it came.
 *
 * With coverage, from the root of the tree:
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE \
 *     -std=c17 -Isrc tests/fuzz/fuzz_loader.c src/platform/boot_info.c \
 *     src/platform/bzimage.c src/platform/elf_image.c src/platform/image_file.c
 * \
 *     src/platform/image_kind.c \
 *     src/platform/loader.c src/platform/multiboot.c src/platform/place.c \
 *     src/platform/pvh.c src/base/bug.c src/base/diag.c -o fuzz_loader
 *   ./fuzz_loader -max_len=4096 DIRECTORY tests/fuzz/corpus/loader
 */
#include <string.h>

#include "base/bug.h"
#include "platform/loader.h"

#include "fuzz.h"

#define RAM_SIZE    UINT64_C(0x180000)
#define MODULE_SIZE 600
#define FILL        0xaa

static const char cmdline[] = "fuzz=1";

static uint64_t le32(const uint8_t *ram, uint64_t size, uint64_t gpa)
{
	uint64_t val = 0;

	BUG_ON(gpa > size || size - gpa < 4);
	for (unsigned int i = 0; i < 4; i++)
		val |= (uint64_t)ram[gpa + i] << (8 * i);
	return val;
}

/* Where each protocol has the address of the command line. */
static uint64_t line_of(const struct boot_state *state, const uint8_t *ram,
			uint64_t size)
{
	if (state->esi)
		return le32(ram, size, state->esi + UINT64_C(0x228));
	return le32(ram, size,
		    state->ebx + UINT64_C(16) + (state->eax ? 0 : 8));
}

static void check_started(const struct boot_files *files,
			  const struct boot_state *state, const uint8_t *ram,
			  uint64_t size)
{
	uint64_t line = line_of(state, ram, size);

	BUG_ON(state->entry >= size || !state->cs || !state->ds);
	BUG_ON(line > size || size - line < sizeof(cmdline));
	BUG_ON(memcmp(ram + line, cmdline, sizeof(cmdline)));
	for (unsigned int i = 0; i < files->nr_modules; i++)
		BUG_ON(!memmem(ram, size, files->module[i].image.data,
			       MODULE_SIZE));
}

static void check_refused(int err, const struct diag *diag, const uint8_t *ram,
			  uint64_t size)
{
	BUG_ON(err > 0 || !diag->msg[0] || strchr(diag->msg, '\n'));
	BUG_ON(ram[0] != FILL || memcmp(ram, ram + 1, size - 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Filled anew only when something was loaded. */
	static uint8_t ram[RAM_SIZE];
	static bool is_filled;
	static uint8_t bytes[3][MODULE_SIZE];
	struct boot_module module[3];
	struct boot_files files = {.kernel = {"guest", data + 1, size - 1},
				   .cmdline = cmdline,
				   .module = module};
	struct boot_state state = {0};
	struct diag diag = {0};
	uint64_t ram_size;
	int err;

	if (!size)
		return 0;
	ram_size = data[0] & 8 ? LOADER_RAM_MIN : RAM_SIZE;
	files.nr_modules = data[0] & 3;
	for (unsigned int i = 0; i < files.nr_modules; i++) {
		for (unsigned int at = 0; at < MODULE_SIZE; at++)
			bytes[i][at] = (uint8_t)(at * 5 + (at >> 8) + i + 1);
		module[i] =
			(struct boot_module){{"module", bytes[i], MODULE_SIZE},
					     data[0] & 4 ? "x y" : ""};
	}
	if (!is_filled) {
		memset(ram, FILL, sizeof(ram));
		is_filled = true;
	}
	err = loader_load(&files, ram, ram_size, &state, &diag);
	if (err) {
		check_refused(err, &diag, ram, ram_size);
		return 0;
	}
	check_started(&files, &state, ram, ram_size);
	is_filled = false;
	return 0;
}
