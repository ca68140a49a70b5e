/* SPDX-License-Identifier: GPL-2.0-or-later */
/* I/O and MSR bitmaps: one bit set at a time, and every access around it. */
#include "check.h"

#include "vmx_model/decide.h"

#define USE_IO  VMX_BIT(25)
#define UNCOND  VMX_BIT(24)
#define USE_MSR VMX_BIT(28)

/* Kept apart, so that one byte too far does not land in the next. */
struct bitmaps {
	uint8_t a[4096];
	uint8_t gap_a[8];
	uint8_t b[4096];
	uint8_t gap_b[8];
	uint8_t msr[4096];
};

static struct vmx_controls controls(uint32_t proc, const struct bitmaps *maps)
{
	return (struct vmx_controls){
		.proc = proc,
		.io_bitmap_a = maps->a,
		.io_bitmap_b = maps->b,
		.msr_bitmap = maps->msr,
	};
}

static void flip_port(struct bitmaps *maps, uint32_t port)
{
	if (port / 8 < 4096)
		maps->a[port / 8] ^= (uint8_t)(1u << port % 8);
	else
		maps->b[port / 8 - 4096] ^= (uint8_t)(1u << port % 8);
}

/* Does the access touch the port?  Ports counted one by one, no wrapping. */
static bool touches(uint32_t first, unsigned int size, uint32_t port)
{
	while (size-- > 0) {
		if (first++ == port)
			return true;
	}
	return false;
}

static void check_around(const struct vmx_controls *c, uint32_t set)
{
	const unsigned int sizes[] = {1, 2, 4};

	for (uint32_t i = 0; i < 3 * 7; i++) {
		unsigned int size = sizes[i % 3];
		uint32_t port = (set + i / 3 - 5) & 0xffff;
		bool wraps = port > 0x10000 - size;
		bool want = wraps || touches(port, size, set);

		if (vmx_io_exits(c, (uint16_t)port, size) != want)
			fail_msg("bit %x, port %x size %u: got %d, want %d",
				 set, port, size, !want, want);
	}
}

static void io_every_port(void **state)
{
	static struct bitmaps maps;
	/* Unconditional exiting is ignored while bitmaps are in use. */
	struct vmx_controls c[2] = {
		controls(USE_IO, &maps),
		controls(USE_IO | UNCOND, &maps),
	};

	(void)state;
	for (uint32_t port = 0; port < 0x10000; port++) {
		flip_port(&maps, port);
		check_around(&c[port & 1], port);
		flip_port(&maps, port);
	}
}

static const struct {
	const char *name;
	uint16_t port;
	unsigned int size;
	bool exits; /* with bits 7fff, 8000 and 3f8 set */
} accesses[] = {
	{"last byte of bitmap A", 0x7fff, 1, true},
	{"first byte of bitmap B", 0x8000, 1, true},
	{"just below both", 0x7ffe, 1, false},
	{"just above both", 0x8001, 4, false},
	{"word up to A's end", 0x7ffe, 2, true},
	{"dword across A and B", 0x7ffd, 4, true},
	{"dword that ends before", 0x7ffb, 4, false},
	{"serial data port", 0x3f8, 1, true},
	{"word below it", 0x3f6, 2, false},
	{"word that reaches it", 0x3f7, 2, true},
	{"last port", 0xffff, 1, false},
	{"word over the end", 0xffff, 2, true},
	{"dword at the end", 0xfffc, 4, false},
	{"dword over the end", 0xfffd, 4, true},
};

static void io_named(void **state)
{
	static struct bitmaps maps;
	struct vmx_controls c = controls(USE_IO, &maps);

	(void)state;
	flip_port(&maps, 0x7fff);
	flip_port(&maps, 0x8000);
	flip_port(&maps, 0x3f8);
	for (size_t i = 0; i < ARRAY_LEN(accesses); i++)
		check_eq(accesses[i].name,
			 vmx_io_exits(&c, accesses[i].port, accesses[i].size),
			 accesses[i].exits);
}

static void io_without_bitmaps(void **state)
{
	struct vmx_controls none = {0};
	struct vmx_controls all = {.proc = UNCOND};

	(void)state;
	check_eq("neither control", vmx_io_exits(&none, 0x80, 1), false);
	check_eq("neither, wrapping", vmx_io_exits(&none, 0xffff, 4), false);
	check_eq("unconditional", vmx_io_exits(&all, 0x80, 1), true);
	check_eq("unconditional, ffff", vmx_io_exits(&all, 0xffff, 1), true);
}

/* The four parts of an MSR bitmap, by byte offset. */
static const struct {
	const char *name;
	size_t offset;
	uint32_t first;
	bool write;
} parts[] = {
	{"read low", 0, 0x00000000, false},
	{"read high", 1024, 0xc0000000, false},
	{"write low", 2048, 0x00000000, true},
	{"write high", 3072, 0xc0000000, true},
};

/* With one bit set, exactly one access among these exits. */
static void check_msr(const struct vmx_controls *c, size_t part, uint32_t msr)
{
	for (size_t other = 0; other < ARRAY_LEN(parts); other++) {
		bool got = vmx_msr_exits(c, parts[other].first + msr,
					 parts[other].write);

		check_eq(parts[other].name, got, other == part);
	}
	if (msr > 0)
		check_eq("MSR below",
			 vmx_msr_exits(c, parts[part].first + msr - 1,
				       parts[part].write),
			 false);
	if (msr < 0x1fff)
		check_eq("MSR above",
			 vmx_msr_exits(c, parts[part].first + msr + 1,
				       parts[part].write),
			 false);
}

static void msr_every_bit(void **state)
{
	static struct bitmaps maps;
	struct vmx_controls c = controls(USE_MSR, &maps);

	(void)state;
	for (size_t part = 0; part < ARRAY_LEN(parts); part++) {
		for (uint32_t msr = 0; msr < 0x2000; msr++) {
			size_t byte = parts[part].offset + msr / 8;

			maps.msr[byte] = (uint8_t)(1u << msr % 8);
			check_msr(&c, part, msr);
			maps.msr[byte] = 0;
		}
	}
}

static void msr_outside_ranges(void **state)
{
	const uint32_t outside[] = {0x2000,     0x40000000, 0xbfffffff,
				    0xc0002000, 0xffffffff, 0x80000000};
	const uint32_t inside[] = {0x0, 0x1fff, 0xc0000000, 0xc0001fff};
	static struct bitmaps maps;
	struct vmx_controls used = controls(USE_MSR, &maps);
	struct vmx_controls unused = {0};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(outside); i++)
		check_eq("outside", vmx_msr_exits(&used, outside[i / 2], i % 2),
			 true);
	for (size_t i = 0; i < 2 * ARRAY_LEN(inside); i++) {
		check_eq("inside, bit clear",
			 vmx_msr_exits(&used, inside[i / 2], i % 2), false);
		check_eq("bitmaps not in use",
			 vmx_msr_exits(&unused, inside[i / 2], i % 2), true);
	}
}

static void io_without_pages(void)
{
	struct vmx_controls c = {.proc = USE_IO};

	(void)vmx_io_exits(&c, 0x80, 1);
}

static void msr_without_page(void)
{
	struct vmx_controls c = {.proc = USE_MSR};

	(void)vmx_msr_exits(&c, 0x10, false);
}

static void bitmaps_missing(void **state)
{
	(void)state;
	assert_true(hits_bug(io_without_pages));
	assert_true(hits_bug(msr_without_page));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(io_every_port),
		cmocka_unit_test(io_named),
		cmocka_unit_test(io_without_bitmaps),
		cmocka_unit_test(msr_every_bit),
		cmocka_unit_test(msr_outside_ranges),
		cmocka_unit_test(bitmaps_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
