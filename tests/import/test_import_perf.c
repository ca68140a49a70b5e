/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of perf script: what each becomes, and which are none. */
#include "feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tape.h"

#define AT      " [001]  1793.885047: "
#define USER    "exceptions:page_fault_user: "
#define KERNEL  "exceptions:page_fault_kernel: "
#define READ    "address=0x7f0000001b70 ip=0x401000 error_code=0x4\n"
#define WRITE   "address=0x7f0000001b70 ip=0x401000 error_code=0x6\n"
#define COPY    "address=0x7f0000001b70 ip=0x401000 error_code=0x7\n"
#define FETCH   "address=0x401000 ip=0x401000 error_code=0x14\n"
#define NEWTASK "task:task_newtask: "
#define FORK    "sched:sched_process_fork: "
#define EXEC    "sched:sched_process_exec: "
#define EXIT    "sched:sched_process_exit: "

static const struct {
	const char *name, *lines, *story;
	uint64_t records, others;
} cases[] = {
	{"as it is",
	 "              ls 20119 [001]  1793.885047: "
	 "exceptions:page_fault_user:"
	 " address=0x7f3fe4f75b70 ip=0x7f3fe4f75b70 error_code=0x14\n",
	 "cr3 14@7f3fe4f75b70 ", 1, 0},
	{"several faults", "ls 9" AT USER FETCH "ls 9" AT USER READ,
	 "cr3 14@401000 4@7f0000001b70 ", 2, 0},
	{"process and thread",
	 "ls 9/9" AT USER FETCH "ls 9/10" AT USER WRITE "ls 9/9" AT USER COPY,
	 /* No cr3; what is writable is protected first. */
	 "cr3 14@401000 6@7f0000001b70 invlpg@7f0000001000 7@7f0000001b70 ", 3,
	 0},
	{"threads alone are processes",
	 "ls 9" AT USER WRITE "ls 10" AT USER WRITE "ls 9" AT USER WRITE,
	 "cr3 6@7f0000001b70 cr3 6@7f0000001b70 cr3 invlpg@7f0000001000 "
	 "6@7f0000001b70 ",
	 3, 0},
	{"a blank in the name", "Web Content 9" AT USER FETCH, "cr3 14@401000 ",
	 1, 0},
	{"a number in the name", "tokio 7 9" AT USER FETCH "x 9" AT USER READ,
	 "cr3 14@401000 4@7f0000001b70 ", 2, 0},
	{"brackets in the name", "a [001] 9" AT USER FETCH, "cr3 14@401000 ", 1,
	 0},
	{"a colon in the name", "kworker/0:1 9" AT USER FETCH, "cr3 14@401000 ",
	 1, 0},
	{"a time in the name", "x 1.5: 9" AT USER FETCH, "cr3 14@401000 ", 1,
	 0},
	{"an event in the name", "page_fault_user: 9" AT USER FETCH,
	 "cr3 14@401000 ", 1, 0},
	{"no cpu", "ls 9  1793.885047: " USER FETCH, "cr3 14@401000 ", 1, 0},
	{"nanoseconds", "ls 9 [001]  1793.885047123: " USER FETCH,
	 "cr3 14@401000 ", 1, 0},
	{"a period", "ls 9 [001]  1793.885047:          1 " USER FETCH,
	 "cr3 14@401000 ", 1, 0},
	{"no name", " 9" AT USER FETCH, "cr3 14@401000 ", 1, 0},
	{"nothing before the number", "9" AT USER FETCH, "cr3 14@401000 ", 1,
	 0},
	{"a large number", "ls 4294967295" AT USER FETCH, "cr3 14@401000 ", 1,
	 0},
	{"no ip", "ls 9" AT USER "address=0x401000 error_code=0x14\n",
	 "cr3 14@401000 ", 1, 0},
	{"another order",
	 "ls 9" AT USER "error_code=0x14 ip=0x401000 address=0x401000\n",
	 "cr3 14@401000 ", 1, 0},
	{"numbers without 0x",
	 "ls 9" AT USER "address=401000 ip=401000 error_code=14\n",
	 "cr3 14@401000 ", 1, 0},
	{"capital letters",
	 "ls 9" AT USER "address=0x40ABCD ip=0x40ABCD error_code=0x14\n",
	 "cr3 14@40abcd ", 1, 0},
	{"CR", "ls 9" AT USER "address=0x401000 ip=0x0 error_code=0x14\r\n\r\n",
	 "cr3 14@401000 ", 1, 0},
	{"in the kernel",
	 "ls 9" AT KERNEL
	 "address=0x401000 ip=copy_user_generic_string error_code=0x2\n"
	 "ls 9" AT KERNEL "address=0x401000 ip=elf_load error_code=0x3\n"
	 "ls 9" AT KERNEL
	 "address=0x402000 ip=0xffffffff81402000 error_code=0x0\n",
	 "cr3 2@401000 invlpg@401000 3@401000 0@402000 ", 3, 0},
	{"left out",
	 "ls 9" AT USER "address=0x401000 ip=0x401000 error_code=0x5\n"
	 "ls 9" AT USER "address=0x401000 ip=0x401000 error_code=0x15\n"
	 "ls 9" AT USER "address=0x401000 ip=0x401000 error_code=0x25\n"
	 "ls 9" AT KERNEL "address=0xffffc90000000000 ip=f error_code=0x2\n"
	 "ls 9" AT USER "address=0xffffffffff600000 ip=0 error_code=0x15\n",
	 "cr3 ", 5, 0},
	{"no records at all",
	 "# captured on: Thu\n# ========\n#\n\n   \n"
	 "\tffffffff81e00b07 asm_exc_page_fault+0x27 ([kernel.kallsyms])\n"
	 "ls 9" AT USER FETCH "\t    7f0 _start+0x0 (/lib/ld.so)\n\n",
	 "cr3 14@401000 ", 1, 0},
	{"other events",
	 "ls 9" AT
	 "sched:sched_switch: prev_comm=ls prev_pid=9 ==> next_pid=0\n"
	 "swapper     0 [000]     0.000000: PERF_RECORD_MMAP -1/0: [0xffff]: "
	 "x\n"
	 "ls 9" AT "PERF_RECORD_MMAP2 9/9: [0x7f(0x2) @ 0 0 0]: r-xp [vdso]\n"
	 "ls 9" AT "cycles:u: \n"
	 "ls 9" AT "1 cycles:u:  7f3fe4f75b70 _start+0x0 (/lib/ld.so)\n"
	 "ls 9" AT "PERF_RECORD_COMM: ls:9/9\n"
	 "ls 9" AT USER FETCH,
	 "cr3 14@401000 ", 1, 6},
	{"fork",
	 "sh 9" AT USER WRITE "sh 9" AT FORK
	 "comm=sh pid=9 child_comm=sh child_pid=10\n"
	 "sh 10" AT USER COPY "sh 9" AT USER COPY,
	 /* The parent's TLB; then each has its own. */
	 "cr3 6@7f0000001b70 cr3 cr3 7@7f0000001b70 "
	 "invlpg@7f0000001000 cr3 7@7f0000001b70 ",
	 4, 0},
	{"clone of a thread",
	 "sh 9" AT USER WRITE "sh 9" AT NEWTASK
	 "pid=10 comm=sh clone_flags=3d0f00 oom_score_adj=0\n"
	 "sh 9" AT FORK "comm=sh pid=9 child_comm=sh child_pid=10\n"
	 "sh 10" AT USER "address=0x7f0000002000 ip=0x401000 error_code=0x6\n",
	 "cr3 6@7f0000001b70 6@7f0000002000 ", 4, 0},
	{"vfork and exec",
	 "sh 9" AT USER WRITE "sh 9" AT NEWTASK
	 "pid=10 comm=sh clone_flags=4100 oom_score_adj=0\n"
	 "ls 10" AT EXEC "filename=/usr/bin/ls pid=10 old_pid=10\n"
	 "ls 10" AT USER WRITE "ls 10" AT EXIT
	 "comm=ls pid=10 prio=120 group_dead=true\n"
	 "sh 9" AT USER "address=0x7f0000002000 ip=0x401000 error_code=0x6\n",
	 /* exec; exit; back. */
	 "cr3 6@7f0000001b70 cr3 6@7f0000001b70 cr3 cr3 6@7f0000002000 ", 6, 0},
	{"clone of a process",
	 "sh 9" AT NEWTASK "pid=10 comm=sh clone_flags=1200000 oom=0\n"
	 "sh 10" AT USER WRITE,
	 "cr3 cr3 cr3 6@7f0000001b70 ", 2, 0},
	{"told by perf itself",
	 "sh 9" AT "PERF_RECORD_FORK(9:10):(9:9)\n"
	 "sh 9" AT "PERF_RECORD_FORK(11:11):(9:9)\n"
	 "sh 10" AT USER FETCH "sh 11" AT USER FETCH "sh 11" AT
	 "PERF_RECORD_EXIT(11:11):(9:9)\n",
	 /* A copy of 9's; 11's; and nobody's. */
	 "cr3 cr3 14@401000 cr3 14@401000 cr3 ", 5, 0},
	{"exec told by perf itself",
	 "sh 9" AT USER WRITE "ls 9" AT "PERF_RECORD_COMM exec: ls:9/9\n"
	 "ls 9" AT USER WRITE "ls 9" AT EXEC
	 "filename=/usr/bin/ls pid=9 old_pid=9\n"
	 "ls 9" AT USER "address=0x7f0000001b70 ip=0x401000 error_code=0x7\n",
	 "cr3 6@7f0000001b70 cr3 6@7f0000001b70 invlpg@7f0000001000 "
	 "7@7f0000001b70 ",
	 5, 0},
	{"made up by perf",
	 "x 9 [000]     0.000000: PERF_RECORD_FORK(9:10):(9:9)\n"
	 "x 9 [000]     0.000000: PERF_RECORD_COMM exec: x:9/9\n"
	 "x 9" AT USER FETCH,
	 "cr3 14@401000 ", 1, 2},
	{"a thread that turns out to be one",
	 "sh 9/9" AT FORK "comm=sh pid=9 child_comm=sh child_pid=10\n"
	 "sh 9/10" AT USER WRITE "sh 9/9" AT USER COPY,
	 /* Two for the copy, which goes. */
	 "cr3 cr3 6@7f0000001b70 invlpg@7f0000001000 7@7f0000001b70 ", 3, 0},
	{"exec by a thread",
	 "sh 9/9" AT USER WRITE "sh 9/10" AT USER FETCH "ls 9/9" AT EXEC
	 "filename=/usr/bin/ls pid=9 old_pid=10\n"
	 "ls 9/9" AT USER WRITE,
	 "cr3 6@7f0000001b70 invlpg@401000 14@401000 cr3 6@7f0000001b70 ", 4,
	 0},
	{"exit of nobody",
	 "ls 9" AT EXIT "comm=ls pid=9 prio=120\n"
	 "ls 9" AT USER FETCH,
	 "cr3 14@401000 ", 2, 0},
	{"munmap",
	 "ls 9" AT USER WRITE "ls 9" AT
	 "syscalls:sys_enter_munmap: addr: 0x7f0000001000, "
	 "len: 0x0000a387\n"
	 "ls 9" AT USER WRITE,
	 "cr3 6@7f0000001b70 invlpg@7f0000001000 6@7f0000001b70 ", 3, 0},
	{"munmap of something else",
	 "ls 9" AT USER WRITE "ls 9" AT
	 "syscalls:sys_enter_munmap: addr: 0x7f0000002000, "
	 "len: 0x0000a387\n",
	 "cr3 6@7f0000001b70 ", 2, 0},
};

static void feed_text(const char *lines, bool lenient, struct feed *ret)
{
	struct bytes input = {0};

	bytes_add(&input, lines, strlen(lines));
	feed("perf", &input, lenient, ret);
	free(input.data);
}

static void takes_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct feed f;

		feed_text(cases[i].lines, false, &f);
		if (f.err)
			fail_msg("%s: %s", cases[i].name, f.diag.msg);
		if (strcmp((char *)f.story.data, cases[i].story))
			fail_msg("%s: got \"%s\", want \"%s\"", cases[i].name,
				 (char *)f.story.data, cases[i].story);
		if (f.result.records != cases[i].records ||
		    f.result.others != cases[i].others)
			fail_msg("%s: %llu records, %llu others", cases[i].name,
				 (unsigned long long)f.result.records,
				 (unsigned long long)f.result.others);
		feed_finish(&f);
	}
}

#define TASK "want a task, [cpu] time: event:"

static const struct {
	const char *name, *line, *says;
} malformed[] = {
	{"no line of perf", "hello", TASK},
	{"no time", "ls 9 [001] " USER FETCH, TASK},
	{"no number", "ls" AT USER FETCH, TASK},
	{"a number that goes on", "ls x9" AT USER FETCH, TASK},
	{"a large number", "ls 4294967296" AT USER FETCH, TASK},
	{"a large process", "ls 4294967296/9" AT USER FETCH, TASK},
	{"no process", "ls /9" AT USER FETCH, TASK},
	{"no event", "ls 9 [001]  1793.885047: ", TASK},
	{"a time without a point", "ls 9 [001] 1793: " USER FETCH, TASK},
	{"no blank before the time", "ls 9 [001]1793.885047: " USER FETCH,
	 TASK},
	{"a line of lackey", "I  04001000,3", TASK},
	{"no address", "ls 9" AT USER "ip=0x401000 error_code=0x14",
	 "want address= and error_code="},
	{"no code", "ls 9" AT USER "address=0x401000 ip=0x401000",
	 "want address= and error_code="},
	{"an address that is none",
	 "ls 9" AT USER "address=(null) ip=0x401000 error_code=0x14",
	 "want address= and error_code="},
	{"a large code",
	 "ls 9" AT USER "address=0x401000 ip=0x401000 error_code=0x100000000",
	 "want address= and error_code="},
	{"no fields", "ls 9" AT "exceptions:page_fault_user:",
	 "want address= and error_code="},
	{"no child", "ls 9" AT FORK "comm=sh pid=9 child_comm=sh",
	 "want child_pid="},
	{"no flags", "ls 9" AT NEWTASK "pid=10 comm=sh",
	 "want pid= and clone_flags="},
	{"no new task", "ls 9" AT NEWTASK "comm=sh clone_flags=11",
	 "want pid= and clone_flags="},
	{"no old pid", "ls 9" AT EXEC "filename=x pid=9",
	 "want pid= and old_pid="},
	{"no pid", "ls 9" AT EXIT "comm=ls prio=120", "want pid="},
	{"no length", "ls 9" AT "syscalls:sys_enter_munmap: addr: 0x7f00",
	 "want addr: and len:"},
	{"half a fork", "ls 9" AT "PERF_RECORD_FORK(9:10):",
	 "want (process:thread):(process:thread)"},
	{"a fork of letters", "ls 9" AT "PERF_RECORD_FORK(a:b):(c:d)",
	 "want (process:thread):(process:thread)"},
	{"a fork of a large number",
	 "ls 9" AT "PERF_RECORD_FORK(9:4294967296):(9:9)",
	 "want (process:thread):(process:thread)"},
};

static void refuses_lines(void **state)
{
	static const char good[] = "ls 9" AT USER FETCH;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(malformed); i++) {
		struct bytes input = {0};
		struct feed f;

		bytes_add(&input, good, strlen(good));
		bytes_add(&input, malformed[i].line, strlen(malformed[i].line));
		bytes_add(&input, "\n", 1);
		feed("perf", &input, false, &f);
		if (f.err != -EINVAL || !strstr(f.diag.msg, "/in:2: ") ||
		    !strstr(f.diag.msg, malformed[i].says))
			fail_msg("%s: %d: %s", malformed[i].name, f.err,
				 f.err ? f.diag.msg : "");
		feed_finish(&f);
		feed("perf", &input, true, &f);
		if (f.err || f.result.skipped != 1 || f.result.records != 1)
			fail_msg("%s: lenient: %d, %llu skipped",
				 malformed[i].name, f.err,
				 (unsigned long long)f.result.skipped);
		feed_finish(&f);
		free(input.data);
	}
}

static void counts_what_is_left_out(void **state)
{
	struct feed f;

	(void)state;
	feed_text("ls 9" AT USER "address=0x401000 ip=0 error_code=0x5\n"
		  "ls 9" AT USER "address=0x401000 ip=0 error_code=0x15\n"
		  "ls 9" AT KERNEL
		  "address=0xffffc90000000000 error_code=0x2\n",
		  false, &f);
	assert_int_equal(f.err, 0);
	assert_int_equal(f.result.guest.left_out_rights, 2);
	assert_int_equal(f.result.guest.left_out_kernel, 1);
	assert_int_equal(f.result.guest.faults, 0);
	feed_finish(&f);
}

/* The first thread's memory goes, too. */
static void exec_by_a_thread(void **state)
{
	struct feed f;

	(void)state;
	feed_text("sh 9/9" AT USER WRITE "sh 9/10" AT USER FETCH
		  "ls 9/9" AT EXEC "filename=/usr/bin/ls pid=9 old_pid=10\n",
		  false, &f);
	assert_int_equal(f.err, 0);
	assert_int_equal(f.result.guest.frames, 1); /* a root */
	feed_finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_lines),
		cmocka_unit_test(refuses_lines),
		cmocka_unit_test(counts_what_is_left_out),
		cmocka_unit_test(exec_by_a_thread),
	};

	return cmocka_run_group_tests_name("import_perf", tests, NULL, NULL);
}
