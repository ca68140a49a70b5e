/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of drmemtrace's view that are no reference, and those that are none. */
#include "view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tape.h"

/* Lines between two instructions that change nothing but the counts. */
static void passed_over(void **state)
{
	static const struct {
		const char *name, *line;
		unsigned int others;
	} rows[] = {
		{"nothing", "", 0},
		{"an empty line", "\n", 0},
		{"blanks", "    \n", 0},
		{"a head", HEAD, 0},
		{"the first one there was",
		 "Output format:\n<record#>: T<tid> <record details>\n", 0},
		{"a tail", TAIL, 0},
		{"an older one", "     7 : total disassembled instructions\n",
		 0},
		{"a rule", "------------------------------------------\n", 0},
		{"another", "==========================================\n", 0},
		{"a marker of no thread", "<marker: version 3>\n", 0},
		{"a marker", "1 0: W0.T7 <marker: version 6>\n", 1},
		{"a timestamp",
		 "1 0: W0.T7 <marker: timestamp 13312410768080478>\n", 1},
		{"a processor", "1 0: W0.T7 <marker: W0.T7 on core 7>\n", 1},
		{"a system call", "1 0: W0.T7 <marker: system call 15>\n", 1},
		{"a signal",
		 "1 0: W0.T7 <marker: kernel xfer from 0x7fc2 to handler>\n",
		 1},
		{"a marker without an end",
		 "1 0: W0.T7 <marker: hardware context return\n", 1},
		{"an entry of no name", "1 0: W0.T7 <entry type 46>\n", 1},
		{"a prefetch",
		 "1 1: W0.T7 pref-r-L1    1 byte(s) @ 0x5000 by PC 0x401000\n",
		 1},
		{"one of instructions",
		 "1 1: W0.T7 pref-i       1 byte(s) @ 0x5000 by PC 0x401000\n",
		 1},
		{"flushes",
		 "1 1: W0.T7 iflush      64 byte(s) @ 0x5000 by PC 0x401000\n"
		 "1 1: W0.T7 dflush      64 byte(s) @ 0x5000 by PC 0x401000\n",
		 2},
		{"a kernel's instruction and its data",
		 "1 1: W0.T7 ifetch 4 byte(s) @ 0xffffffff81000000 nop\n"
		 "1 1: W0.T7 read 8 byte(s) @ 0x5000 by PC "
		 "0xffffffff81000000\n",
		 2},
		{"a user's data in the kernel",
		 "1 1: W0.T7 read 8 byte(s) @ 0xffff800000000000 by PC "
		 "0x401000\n",
		 1},
		{"a system call's instructions",
		 "1 1: W0.T7 <marker: trace start for system call number 39>\n"
		 "1 1: W0.T7 ifetch       1 byte(s) @ 0xdeadbe00 90 nop\n"
		 "1 1: W0.T7 read 8 byte(s) @ 0x5000 by PC 0xdeadbe00\n"
		 "1 1: W0.T7 ifetch       2 byte(s) @ 0xdeadbe01 0f 07 sysret\n"
		 "1 1: W0.T7 <marker: trace end for system call number 39>\n",
		 5},
		{"a context switch's",
		 "1 1: W0.T7 <marker: trace start for context switch type 2>\n"
		 "1 1: W0.T7 ifetch       1 byte(s) @ 0xdeadbe00 90 nop\n"
		 "1 1: W0.T7 <marker: trace end for context switch type 2>\n",
		 3},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes input = {0};
		struct feed got;

		bytes_add_text(&input, RUN("W0.T7", "401000"));
		bytes_add_text(&input, rows[i].line);
		bytes_add_text(&input, RUN("W0.T7", "401004"));
		feed("drmemtrace", &input, false, &got);
		if (got.err || got.result.records != 2 ||
		    got.result.others != rows[i].others ||
		    got.result.guest.faults != 1)
			fail_msg("%s: %s, %llu records, %llu others",
				 rows[i].name, got.err ? got.diag.msg : "done",
				 (unsigned long long)got.result.records,
				 (unsigned long long)got.result.others);
		feed_finish(&got);
		free(input.data);
	}
}

/* Only the thread that is in it is in the kernel. */
static void one_in_the_kernel(void **state)
{
	struct feed got;

	(void)state;
	feed_view("1 1: W0.T7 <marker: trace start for system call number "
		  "1>\n" RUN("W0.T7", "5000") RUN("W0.T8", "401000") RUN(
			  "W0.T7",
			  "6000") "1 1: W0.T7 <marker: trace end for system "
				  "call number 1>\n" RUN("W0.T7", "401004"),
		  false, &got);
	assert_int_equal(got.err, 0);
	assert_int_equal(got.result.records, 2);
	assert_int_equal(got.result.others, 4);
	feed_finish(&got);
}

static void malformed(void **state)
{
	static const struct {
		const char *name, *bad, *line;
	} rows[] = {
		{"a word", "hello", "want W0.T1"},
		{"a word of a thread", "1 1: W0.T7 hello", "want ifetch"},
		{"a word that begins well", "1 1: W0.T7 ifetched 1 byte(s)",
		 "want ifetch"},
		{"no thread", "1 1: ifetch 4 byte(s) @ 0x401000", "want W0.T1"},
		{"numbers without an end",
		 "1 1 W0.T7 ifetch 4 byte(s) @ 0x401000", "want W0.T1"},
		{"half a thread", "1 1: W0. ifetch 4 byte(s) @ 0x401000",
		 "want W0.T1"},
		{"half of the letters", "1 1: W0.7 ifetch 4 byte(s) @ 0x4",
		 "want W0.T1"},
		{"a thread that is none", "1 1: W0.Tx ifetch 4 byte(s) @ 0x4",
		 "want W0.T1"},
		{"the columns alone", "1 1: W0.T7", "want W0.T1"},
		{"workload 32", "1 1: W32.T7 ifetch 4 byte(s) @ 0x401000",
		 "want W0.T1"},
		{"thread 2^26", "1 1: W0.T67108864 ifetch 4 byte(s) @ 0x401000",
		 "want W0.T1"},
		{"a letter for a number",
		 "x 1: W0.T7 ifetch 4 byte(s) @ 0x401000", "want W0.T1"},
		{"no size", "1 1: W0.T7 ifetch byte(s) @ 0x401000",
		 "want N byte(s)"},
		{"size 0", "1 1: W0.T7 ifetch 0 byte(s) @ 0x401000", "no size"},
		{"an instruction of 16 bytes",
		 "1 1: W0.T7 ifetch 16 byte(s) @ 0x401000", "no size"},
		{"data of size 0",
		 "1 1: W0.T7 read 0 byte(s) @ 0x401000 by PC 0x401000",
		 "no size"},
		{"data of 4097 bytes",
		 "1 1: W0.T7 read 4097 byte(s) @ 0x401000 by PC 0x401000",
		 "no size"},
		{"bits", "1 1: W0.T7 ifetch 4 bit(s) @ 0x401000",
		 "want N byte(s)"},
		{"no address", "1 1: W0.T7 ifetch 4 byte(s) @ 0x",
		 "want N byte(s)"},
		{"an address of 68 bits",
		 "1 1: W0.T7 ifetch 4 byte(s) @ 0x00000000000401000 nop",
		 "want 0xADDRESS"},
		{"something behind the address",
		 "1 1: W0.T7 ifetch 4 byte(s) @ 0x401000x", "want 0xADDRESS"},
		{"no PC", "1 1: W0.T7 read 4 byte(s) @ 0x401000", "want by PC"},
		{"half a PC", "1 1: W0.T7 read 4 byte(s) @ 0x401000 by PC 0x",
		 "want by PC"},
		{"something behind the PC",
		 "1 1: W0.T7 read 4 byte(s) @ 0x401000 by PC 0x401000 x",
		 "want by PC"},
		{"a size of letters",
		 "1 1: W0.T7 ifetch       x byte(s) @ 0x0000000000401000 nop",
		 "want N byte(s)"},
		{"two of them",
		 "1 1: W0.T7 ifetch      x3 byte(s) @ 0x0000000000401000 nop",
		 "want N byte(s)"},
		{"a blank for a size",
		 "1 1: W0.T7 ifetch         byte(s) @ 0x0000000000401000 nop",
		 "want N byte(s)"},
		{"17 digits",
		 "1 1: W0.T7 ifetch       3 byte(s) @ 0x00000000004010000 nop",
		 "want 0xADDRESS"},
		{"a letter in the middle",
		 "1 1: W0.T7 ifetch       3 byte(s) @ 0x0000000000g01000 nop",
		 "want 0xADDRESS"},
		{"and in the first half",
		 "1 1: W0.T7 ifetch       3 byte(s) @ 0x0000g00000401000 nop",
		 "want 0xADDRESS"},
		{"a letter in a PC",
		 "1 1: W0.T7 write        8 byte(s) @ 0x00007fff9a9e3520 by PC "
		 "0x00000000004010g0",
		 "want by PC"},
		{"more behind a PC",
		 "1 1: W0.T7 write        8 byte(s) @ 0x00007fff9a9e3520 by PC "
		 "0x00000000004010001",
		 "want by PC"},
		{"less",
		 "1 1: W0.T7 write        8 byte(s) @ 0x00007fff9a9e3520 by "
		 "PC ",
		 "want by PC"},
		{"no bytes, in their column",
		 "1 1: W0.T7 ifetch       3 byte[s] @ 0x0000000000401000 nop",
		 "want N byte(s)"},
		{"no PC, in its column",
		 "1 1: W0.T7 write        8 byte(s) @ 0x00007fff9a9e3520 at PC "
		 "0x0000000000401000",
		 "want by PC"},
		{"a name that is none, in its column",
		 "1 1: W0.T7 iFetch       3 byte(s) @ 0x0000000000401000 nop",
		 "want ifetch"},
		{"another one's",
		 "1 1: W0.T7 read         3 byte(s) @ 0x0000000000401000 nop",
		 "want by PC"},
		{"size 0 in its column",
		 "1 1: W0.T7 ifetch       0 byte(s) @ 0x0000000000401000 nop",
		 "no size"},
		{"size 16 in its column",
		 "1 1: W0.T7 ifetch      16 byte(s) @ 0x0000000000401000 nop",
		 "no size"},
		{"an address of nobody in its column",
		 "1 1: W0.T7 ifetch       3 byte(s) @ 0x0000800000000000 nop",
		 "no address"},
		{"an address of nobody",
		 "1 1: W0.T7 ifetch 4 byte(s) @ 0x800000000000 nop",
		 "no address"},
		{"the last address below",
		 "1 1: W0.T7 ifetch 2 byte(s) @ 0x7fffffffffff nop",
		 "no address"},
		{"data there",
		 "1 1: W0.T7 read 8 byte(s) @ 0xffff7fffffffffff by PC "
		 "0x401000",
		 "no address"},
		{"a PC there",
		 "1 1: W0.T7 read 8 byte(s) @ 0x401000 by PC 0x7ffffffffffd",
		 "no address"},
		{"another tool's line",
		 "Cache simulation results:", "want W0.T1"},
		{"a total of nothing", "  7 : totals", "want W0.T1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char lines[512];
		struct feed got;

		snprintf(lines, sizeof(lines), "%s%s\n%s",
			 RUN("W0.T7", "401000"), rows[i].bad,
			 RUN("W0.T7", "401004"));
		feed_view(lines, false, &got);
		if (got.err != -EINVAL || !strstr(got.diag.msg, "/in:2: ") ||
		    !strstr(got.diag.msg, rows[i].line))
			fail_msg("%s: %d \"%s\"", rows[i].name, got.err,
				 got.err ? got.diag.msg : "");
		feed_finish(&got);
		feed_view(lines, true, &got);
		if (got.err || got.result.skipped != 1 ||
		    got.result.records != 2 || got.result.others)
			fail_msg("%s, lenient: %d, %llu records", rows[i].name,
				 got.err,
				 (unsigned long long)got.result.records);
		feed_finish(&got);
	}
}

static void no_record(void **state)
{
	static const char *const inputs[] = {
		"",
		HEAD TAIL,
		"1 1: W0.T7 <marker: version 6>\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(inputs); i++) {
		struct feed got;

		feed_view(inputs[i], false, &got);
		assert_int_equal(got.err, -EINVAL);
		assert_non_null(
			strstr(got.diag.msg, "no record of drmemtrace"));
		feed_finish(&got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passed_over),
		cmocka_unit_test(one_in_the_kernel),
		cmocka_unit_test(malformed),
		cmocka_unit_test(no_record),
	};

	return cmocka_run_group_tests_name("import_view_lines", tests, NULL,
					   NULL);
}
