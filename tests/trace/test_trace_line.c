/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines that scripts read: they stay as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/exception.h"
#include "random.h"
#include "trace/line.h"

static const uint64_t table[PT_ENTRIES] = {
	[0] = 0x2007, [3] = 0x3006, [511] = PTE_NX | 0x4067};

static const struct {
	struct trace_ref ref;
	const char *line;
} refs[] = {
	{{.gva = 0x401000, .size = 3, .count = 1, .user = true},
	 "12 7 fetch U 0x401000 3\n"},
	{{.gva = 0, .size = 255, .count = 0, .kind = TRACE_READ},
	 "12 7 read S 0x0 255 x0\n"},
	{{.gva = UINT64_MAX, .size = 1, .count = 16777216, .kind = TRACE_WRITE},
	 "12 7 write S 0xffffffffffffffff 1 x16777216\n"},
	{{.gva = 0x10,
	  .size = 8,
	  .count = 1,
	  .kind = TRACE_WRITE,
	  .implicit = true},
	 "12 7 write S 0x10 8 implicit\n"},
	{{.gva = 0x10, .size = 8, .count = 1, .kind = TRACE_READ, .ac = true},
	 "12 7 read S 0x10 8 ac\n"},
};

#define EVENT(k, ...)                                \
	{                                            \
		.kind = TRACE_ITEM_EVENT, .event = { \
			.kind = GE_##k,              \
			__VA_ARGS__                  \
		}                                    \
	}

static const struct {
	struct trace_item item;
	const char *line;
} items[] = {
	{{.kind = TRACE_ITEM_TABLE, .gpa = 0x1000, .table = table},
	 "table 0x1000 512 entries, 2 present"},
	{{.kind = TRACE_ITEM_TABLE_WRITE,
	  .gpa = 0x1018,
	  .gva = 0x8018,
	  .size = 8,
	  .bytes = {0x67, 0x40}},
	 "table-write 0x1018 8 0x0000000000004067 gva 0x8018"},
	{{.kind = TRACE_ITEM_TABLE_WRITE, .gva = 1, .size = 1, .bytes = {0xa}},
	 "table-write 0x0 1 0x0a gva 0x1"},
	{{.kind = TRACE_ITEM_TABLE_END, .gpa = 0xfffffffff000},
	 "table-end 0xfffffffff000"},
	{{.kind = TRACE_ITEM_FAULT, .gva = 0x600010, .error = PFEC_U},
	 "fault 0x600010 error 0x4 (not present, read, user)"},
	{{.kind = TRACE_ITEM_FAULT,
	  .gva = 0x600010,
	  .error = PFEC_P | PFEC_W | PFEC_RSVD | PFEC_ID | PFEC_PK},
	 "fault 0x600010 error 0x3b (protection, fetch, kernel, reserved bit, "
	 "protection key)"},
	{{.kind = TRACE_ITEM_MARK, .id = 1}, "mark 1"},
	{{.kind = TRACE_ITEM_VCPU, .id = 3}, "vcpu 3"},
	{EVENT(CR_WRITE, .cr = 3, .size = 8, .reg = 2, .rip = 0x10),
	 "event cr-write cr 3 value 0x0 reg 2 size 8 cpl 0 rip 0x10 insns 0"},
	{EVENT(CR_READ, .cr = 0, .insns = 5),
	 "event cr-read cr 0 cpl 0 rip 0x0 insns 5"},
	{EVENT(LMSW, .value = 1, .reg = 1, .insn_len = 3),
	 "event lmsw value 0x1 reg 1 cpl 0 length 3 rip 0x0 insns 0"},
	{EVENT(DR, .cr = 0, .value = 1),
	 "event dr dr 0 value 0x1 cpl 0 rip 0x0 insns 0"},
	{EVENT(INVLPG, .gva = 0), "event invlpg gva 0x0 cpl 0 rip 0x0 insns 0"},
	{EVENT(INVPCID, .reg = 0, .value = 5, .gva = 0x10),
	 "event invpcid value 0x5 gva 0x10 type 0 cpl 0 rip 0x0 insns 0"},
	{EVENT(WRPKRU, .value = 0, .cpl = 3),
	 "event wrpkru value 0x0 cpl 3 rip 0x0 insns 0"},
	{EVENT(RDMSR, .error = 0xc0000080),
	 "event rdmsr msr 0xc0000080 cpl 0 rip 0x0 insns 0"},
	{EVENT(WRMSR, .error = 0x10, .value = 0),
	 "event wrmsr msr 0x10 value 0x0 cpl 0 rip 0x0 insns 0"},
	{EVENT(IO, .error = 0x80, .access = PFEC_W, .size = 1, .value = 0x10),
	 "event io out port 0x80 value 0x10 size 1 cpl 0 rip 0x0 insns 0"},
	{EVENT(IO, .error = 0, .size = 4, .cpl = 3),
	 "event io in port 0x0 size 4 cpl 3 rip 0x0 insns 0"},
	{EVENT(EXCEPTION, .vector = EXC_GP, .type = EVENT_HW_EXC,
	       .has_error = true),
	 "event exception vector 13 type exception error 0x0 cpl 0 rip 0x0 "
	 "insns 0"},
	{EVENT(SOFT_INT, .vector = 0x80, .type = EVENT_SOFT_INT, .cpl = 3),
	 "event soft-int vector 128 type soft-interrupt cpl 3 rip 0x0 insns "
	 "0"},
	{EVENT(IRQ, .if_open = true),
	 "event irq if_open 1 cpl 0 rip 0x0 insns 0"},
	{EVENT(DELIVER, .vector = 32),
	 "event deliver vector 32 type interrupt cpl 0 rip 0x0 insns 0"},
	{EVENT(DELIVERED, .vector = EXC_NMI, .type = EVENT_NMI),
	 "event delivered vector 2 type nmi cpl 0 rip 0x0 insns 0"},
	{EVENT(DELIVER, .vector = EXC_DB, .type = EVENT_PRIV_SW_EXC),
	 "event deliver vector 1 type int1 cpl 0 rip 0x0 insns 0"},
	{EVENT(DELIVER, .vector = EXC_BP, .type = EVENT_SOFT_EXC),
	 "event deliver vector 3 type soft-exception cpl 0 rip 0x0 insns 0"},
	{EVENT(RETRY, .gva = 0x10, .rip = 0x20),
	 "event retry gva 0x10 cpl 0 rip 0x20 insns 0"},
	{EVENT(HLT, .access = PFEC_U),
	 "event hlt access 0x4 cpl 0 rip 0x0 insns 0"},
};

static void known_lines(void **state)
{
	char want[LINE_BYTES_MAX], line[LINE_BYTES_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refs); i++) {
		*line_ref(line, 12, 7, &refs[i].ref) = 0;
		assert_string_equal(line, refs[i].line);
	}
	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		snprintf(want, sizeof(want), "3 4 %s\n", items[i].line);
		*line_item(line, 3, 4, &items[i].item) = 0;
		assert_string_equal(line, want);
	}
	*line_entry(line, 511, table[511]) = 0;
	assert_string_equal(line, "  511 0x8000000000004067\n");
}

/* Whatever an item holds, its line ends where it may. */
static void no_line_is_too_long(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 5);
	for (int i = 0; i < 100000; i++) {
		char line[LINE_BYTES_MAX + 8];
		uint64_t entries[PT_ENTRIES];
		struct trace_item item;
		struct trace_ref ref;
		char *end;

		random_item(&rng, &item, entries);
		end = line_item(line, UINT64_MAX, UINT64_MAX, &item);
		assert_true(end - line <= LINE_BYTES_MAX);
		assert_int_equal(end[-1], '\n');
		assert_ptr_equal(memchr(line, '\n', (size_t)(end - line)),
				 end - 1);
		random_ref(&rng, true, &ref);
		end = line_ref(line, UINT64_MAX, UINT64_MAX, &ref);
		assert_true(end - line <= LINE_BYTES_MAX);
		assert_int_equal(end[-1], '\n');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_lines),
		cmocka_unit_test(no_line_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
