/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of drmemtrace's view: which references and tasks they become. */
#include "view.h"

#include <stdio.h>
#include <string.h>

#include "tape.h"

/* The same three lines in all the clothes they had. */
#define CODE1 "ifetch       3 byte(s) @ 0x0000000000401000 48 89 e7 mov %rsp"
#define CODE2 "ifetch       1 byte(s) @ 0x0000000000401003 55       push %rbp"
#define DATA2 \
	"write        8 byte(s) @ 0x00007fff9a9e3520 by PC 0x0000000000401003"
#define WORDS "F401000,3 F401003,1 W7fff9a9e3520,8 "

static const struct {
	const char *name, *lines, *want;
} cases[] = {
	{"as it is",
	 HEAD "           8           1:       W0.T7 " CODE1 "\n"
	      "           9           2:       W0.T7 " CODE2 "\n"
	      "          10           2:       W0.T7 " DATA2 "\n" TAIL,
	 WORDS},
	{"numbers that fill their columns",
	 HEAD "123456789012123456789012: W0.T3256418 " CODE1 "\n"
	      "1234567890123123456789013: W0.T3256418 " CODE2 "\n"
	      "1234567890124123456789013: W0.T3256418 " DATA2 "\n" TAIL,
	 WORDS},
	{"a number of a thread alone",
	 "Output format:\n"
	 "<--record#-> <--instr#->: <---tid---> <record details>\n"
	 "------------------------------------------------------------\n"
	 "           8           1:     3256418 " CODE1 "\n"
	 "           9           2:     3256418 " CODE2 "\n"
	 "          10           2:     3256418 " DATA2 "\n" TAIL,
	 WORDS},
	{"T and a number",
	 "           8           1:    T3256418 " CODE1 "\n"
	 "           9           2:    T3256418 " CODE2 "\n"
	 "          10           2:    T3256418 " DATA2 "\n",
	 WORDS},
	{"one number",
	 "Output format:\n"
	 "<record#>: T<tid> <record details>\n"
	 "------------------------------------------------------------\n"
	 "        8: T3256418 ifetch 3 byte(s) @ 0x0000000000401000 "
	 "non-branch\n"
	 "        9: T3256418 ifetch 1 byte(s) @ 0x0000000000401003 "
	 "non-branch\n"
	 "       10: T3256418 write  8 byte(s) @ 0x00007fff9a9e3520 by PC "
	 "0x0000000000401003\n",
	 WORDS},
	{"no number", "T7 " CODE1 "\nT7 " CODE2 "\nT7 " DATA2 "\n", WORDS},
	{"an end of line that is none of ours",
	 "1 1: T7 " CODE1 "\r\n\r\n1 1: T7 " CODE2 "\r\n1 1: T7 " DATA2 "\r\n",
	 WORDS},
	{"nothing behind the address", "1 1: T7 ifetch 15 byte(s) @ 0x401000\n",
	 "F401000,15 "},
	{"capital digits",
	 "1 1: T7 ifetch       3 byte(s) @ 0x000000000040100A nop\n"
	 "1 1: T7 write        8 byte(s) @ 0x00007fff9A9e3520 by PC "
	 "0x000000000040100a\n"
	 "1 1: T7 read         8 byte(s) @ 0x00007fff9a9e3530 by PC "
	 "0x000000000040100A\n",
	 "F40100a,3 W7fff9a9e3520,8 R7fff9a9e3530,8 "},
	{"all digits",
	 "1 1: T7 ifetch      12 byte(s) @ 0x0000012345678abc nop\n"
	 "1 1: T7 read        64 byte(s) @ 0x0000789abcdef012 by PC "
	 "0x0000012345678abc\n",
	 "F12345678abc,12 R789abcdef012,64 "},
	{"nothing behind 16 digits",
	 "1 1: T7 ifetch      15 byte(s) @ 0x0000000000401000\n",
	 "F401000,15 "},
	{"a wider column",
	 "1 1: T7 ifetch       15 byte(s) @ 0x0000000000401000 nop\n"
	 "1 1: T7 read         100 byte(s) @ 0x00007fff9a9e3520 by PC "
	 "0x0000000000401000\n",
	 "F401000,15 R7fff9a9e3520,100 "},
	{"addresses of 32 bits",
	 "1 1: W0.T7 ifetch       2 byte(s) @ 0x08049000 jump\n"
	 "2 1: W0.T7 read         4 byte(s) @ 0xbffff000 by PC 0x08049000\n",
	 "F8049000,2 Rbffff000,4 "},
	{"bytes that have no room",
	 "126 68: W0.T7 ifetch       8 byte(s) @ 0x401012 48 8d 34 25 00 20 40 "
	 "lea    0x00402000 -> %rsi\n"
	 "126 68: W0.T7                                             00\n"
	 "126 68: W0.T7 read         8 byte(s) @ 0x402000 by PC 0x401012\n",
	 "F401012,8 R402000,8 "},
	{"a form of four bytes a word",
	 "10 4: W0.T3 ifetch      10 byte(s) @ 0x401000 00001931 04020204 "
	 "load\n"
	 "10 4: W0.T3                                             00000026\n",
	 "F401000,10 "},
	{"into the next page",
	 "1 1: T7 ifetch 6 byte(s) @ 0x401ffd jmp\n"
	 "1 1: T7 write 32 byte(s) @ 0x7fffefe0 by PC 0x401ffd\n"
	 "1 1: T7 read 64 byte(s) @ 0x7fffefff by PC 0x401ffd\n",
	 "F401ffd,3 +F402000,3 W7fffefe0,32 R7fffefff,1 +R7ffff000,63 "},
	{"read, then written",
	 "1 1: T7 ifetch 6 byte(s) @ 0x401000 add\n"
	 "1 1: T7 read  4 byte(s) @ 0x7fffe000 by PC 0x401000\n"
	 "1 1: T7 write 4 byte(s) @ 0x7fffe000 by PC 0x401000\n",
	 "F401000,6 W7fffe000,4 "},
	{"written, then read",
	 "1 1: T7 ifetch 6 byte(s) @ 0x401000 odd\n"
	 "1 1: T7 write 4 byte(s) @ 0x7fffe000 by PC 0x401000\n"
	 "1 1: T7 read  4 byte(s) @ 0x7fffe000 by PC 0x401000\n",
	 "F401000,6 W7fffe000,4 R7fffe000,4 "},
	{"not the same bytes",
	 "1 1: T7 ifetch 6 byte(s) @ 0x401000 odd\n"
	 "1 1: T7 read  4 byte(s) @ 0x7fffe000 by PC 0x401000\n"
	 "1 1: T7 write 8 byte(s) @ 0x7fffe000 by PC 0x401000\n"
	 "1 1: T7 read  4 byte(s) @ 0x7fffe010 by PC 0x401000\n"
	 "1 1: T7 write 4 byte(s) @ 0x7fffe014 by PC 0x401000\n",
	 "F401000,6 R7fffe000,4 W7fffe000,8 R7fffe010,4 W7fffe014,4 "},
	{"read twice",
	 "1 1: T7 ifetch 6 byte(s) @ 0x401000 odd\n"
	 "1 1: T7 read  4 byte(s) @ 0x7fffe000 by PC 0x401000\n"
	 "1 1: T7 read  4 byte(s) @ 0x7fffe000 by PC 0x401000\n",
	 "F401000,6 R7fffe000,4 R7fffe000,4 "},
	{"written twice",
	 "1 1: T7 ifetch 6 byte(s) @ 0x401000 odd\n"
	 "1 1: T7 write 4 byte(s) @ 0x7fffe000 by PC 0x401000\n"
	 "1 1: T7 write 4 byte(s) @ 0x7fffe000 by PC 0x401000\n",
	 "F401000,6 W7fffe000,4 W7fffe000,4 "},
	{"one instruction's read, another one's write",
	 "1 1: T7 ifetch 2 byte(s) @ 0x401000 mov\n"
	 "1 1: T7 read  4 byte(s) @ 0x7fffe000 by PC 0x401000\n"
	 "1 1: T7 ifetch 2 byte(s) @ 0x401002 mov\n"
	 "1 1: T7 write 4 byte(s) @ 0x7fffe000 by PC 0x401002\n",
	 "F401000,2 R7fffe000,4 F401002,2 W7fffe000,4 "},
	{"rep: not fetched again",
	 "1 1: T7 ifetch       2 byte(s) @ 0x401000 f3 a4 rep movs\n"
	 "2 1: T7 read         1 byte(s) @ 0x7fffe000 by PC 0x401000\n"
	 "3 1: T7 write        1 byte(s) @ 0x7fffe800 by PC 0x401000\n"
	 "4 1: T7 non-fetched  2 byte(s) @ 0x401000 f3 a4 rep movs\n"
	 "5 1: T7 read         1 byte(s) @ 0x7fffe001 by PC 0x401000\n"
	 "6 1: T7 write        1 byte(s) @ 0x7fffe801 by PC 0x401000\n",
	 "F401000,2 R7fffe000,1 W7fffe800,1 R7fffe001,1 W7fffe801,1 "},
	{"data of what was filtered out",
	 "1 1: T7 ifetch 2 byte(s) @ 0x401000 mov\n"
	 "2 1: T7 read   8 byte(s) @ 0x7fffe000 by PC 0x401100\n"
	 "3 1: T7 write  8 byte(s) @ 0x7fffe008 by PC 0x401100\n"
	 "4 1: T7 write  8 byte(s) @ 0x7fffe010 by PC 0x401fff\n",
	 "F401000,2 F401100,4 R7fffe000,8 W7fffe008,8 F401fff,1 W7fffe010,8 "},
};

static void references(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes input = {0};

		bytes_add_text(&input, cases[i].lines);
		feed_check(cases[i].name, "drmemtrace", &input, cases[i].want);
		free(input.data);
	}
}

/*
 * More data than an instruction may have here: it is one instruction more,
 * however many were held back before.
 */
static void many_data(void **state)
{
	static const unsigned int before[] = {0, 958, 959, 960, 961, 1023};

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(before); k++) {
		struct bytes input = {0}, want = {0};
		char word[128];

		for (unsigned int i = 0; i < before[k]; i++) {
			bytes_add_text(&input, RUN("T7", "500000"));
			bytes_add_text(&want, "F500000,4 ");
		}
		bytes_add_text(&input, RUN("T7", "401000"));
		bytes_add_text(&want, "F401000,4 ");
		for (unsigned int i = 0; i < GUEST_DATA_MAX + 1; i++) {
			snprintf(word, sizeof(word),
				 "1 1: T7 read 8 byte(s) @ 0x%x by PC "
				 "0x401000\n",
				 0x7fff0000 + 8 * i);
			bytes_add_text(&input, word);
			snprintf(word, sizeof(word), "%sR%x,8 ",
				 i == GUEST_DATA_MAX ? "F401000,4 " : "",
				 0x7fff0000 + 8 * i);
			bytes_add_text(&want, word);
		}
		bytes_add(&want, "", 1);
		feed_check("many data", "drmemtrace", &input,
			   (char *)want.data);
		free(input.data);
		free(want.data);
	}
}

/* Each fault is one of the first page that a process touches. */
static void tasks(void **state)
{
	static const struct {
		const char *name, *lines;
		unsigned int spaces, tasks, switches, faults;
	} rows[] = {
		{"one", RUN("W0.T1", "401000") RUN("W0.T1", "401004"), 1, 1, 1,
		 1},
		{"threads of a process",
		 RUN("W0.T1", "401000") RUN("W0.T2", "401000")
			 RUN("W0.T1", "401000") RUN("W0.T3", "401000"),
		 1, 3, 4, 1},
		{"in the older form",
		 RUN("T1", "401000") RUN("T2", "401000") RUN("T1", "401000"), 1,
		 2, 3, 1},
		{"processes",
		 RUN("W0.T1", "401000") RUN("W1.T2", "401000")
			 RUN("W0.T1", "401000"),
		 2, 2, 3, 2},
		{"processes with the same number of a thread",
		 RUN("W0.T1", "401000") RUN("W1.T1", "401000")
			 RUN("W31.T1", "401000"),
		 3, 3, 3, 3},
		{"thread 0", RUN("W0.T0", "401000"), 1, 1, 1, 1},
		{"the largest number", RUN("W31.T67108863", "401000"), 1, 1, 1,
		 1},
		{"a marker switches to nobody",
		 RUN("W0.T1", "401000") "1 1: W0.T2 <marker: timestamp "
					"7>\n" RUN("W0.T1", "401000"),
		 1, 1, 1, 1},
		/* To the one that ends and to idle: */
		{"a thread ends",
		 RUN("W0.T1", "401000") RUN("W0.T2", "401000") EXIT("W0.T2")
			 RUN("W0.T1", "401000"),
		 1, 2, 4, 1},
		{"a thread ends while another runs",
		 RUN("W0.T1", "401000") RUN("W0.T2", "401000")
			 RUN("W0.T1", "401000") EXIT("W0.T2")
				 RUN("W0.T1", "401000"),
		 1, 2, 6, 1},
		{"the first one ends, others go on and come",
		 RUN("W0.T1", "401000") EXIT("W0.T1") RUN("W0.T2", "401000")
			 RUN("W0.T3", "401000"),
		 1, 3, 5, 1},
		{"the last one ends", RUN("W0.T1", "401000") EXIT("W0.T1"), 1,
		 1, 2, 1},
		{"both of a process end",
		 RUN("W0.T1", "401000") RUN("W0.T2", "401000") EXIT("W0.T1")
			 EXIT("W0.T2") RUN("W1.T3", "401000"),
		 2, 3, 6, 2},
		{"one that never ran ends",
		 EXIT("W0.T2") RUN("W0.T1", "401000"), 1, 1, 1, 1},
		{"its number is used again",
		 RUN("W0.T1", "401000") RUN("W0.T2", "401000") EXIT("W0.T2")
			 RUN("W0.T2", "401000"),
		 1, 3, 4, 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct guest_stats *guest;
		struct feed got;

		feed_view(rows[i].lines, false, &got);
		guest = &got.result.guest;
		if (got.err || guest->spaces != rows[i].spaces ||
		    guest->tasks != rows[i].tasks ||
		    guest->switches != rows[i].switches ||
		    guest->faults != rows[i].faults)
			fail_msg("%s: %s, %llu spaces, %llu tasks, "
				 "%llu switches, %llu faults",
				 rows[i].name, got.err ? got.diag.msg : "done",
				 (unsigned long long)guest->spaces,
				 (unsigned long long)guest->tasks,
				 (unsigned long long)guest->switches,
				 (unsigned long long)guest->faults);
		feed_finish(&got);
	}
}

/* An address space whose last thread has ended is given back. */
static void end_of_a_process(void **state)
{
	struct feed stays, ends;

	(void)state;
	feed_view(RUN("W0.T1", "401000") RUN("W0.T2", "401000") EXIT("W0.T1"),
		  false, &stays);
	feed_view(RUN("W0.T1", "401000") RUN("W0.T2", "401000") EXIT("W0.T1")
			  EXIT("W0.T2"),
		  false, &ends);
	assert_int_equal(stays.err, 0);
	assert_int_equal(ends.err, 0);
	/* Four levels of tables, and a page. */
	assert_int_equal(stays.result.guest.frames,
			 ends.result.guest.frames + 5);
	feed_finish(&stays);
	feed_finish(&ends);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(references),
		cmocka_unit_test(many_data),
		cmocka_unit_test(tasks),
		cmocka_unit_test(end_of_a_process),
	};

	return cmocka_run_group_tests_name("import_drmemtrace", tests, NULL,
					   NULL);
}
