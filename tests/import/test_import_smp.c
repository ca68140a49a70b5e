/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model guest on several processors: who runs where, and whose TLB must be
 * flushed.  Random lives (test_import_model) have up to four of them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "import/import.h"
#include "rig.h"

static uint64_t ipis(const struct rig *rig)
{
	return guest_stats(rig->guest)->ipis;
}

struct counted {
	struct rig rig;
	uint64_t ipis;
};

static void check_ipis(struct counted *w, const char *what, uint64_t want)
{
	uint64_t got = ipis(&w->rig) - w->ipis;

	if (got != want)
		fail_msg("%s: %d interrupts, want %d", what, (int)got,
			 (int)want);
	w->ipis += got;
}

static void check_trace(const char *path)
{
	struct tape tape;
	uint64_t digest;

	rig_read(path, &tape);
	digest = rig_digest(&tape);
	tape_finish(&tape);
	rig_replay("smp", path, digest, RIG_AUDIT_ALL);
}

/*
 * Threads 1 and 2 on processors 0 and 1, then a child of 1's on 0, as new tasks
 * go round.
 */
static void shoots_down(void **state)
{
	struct guest_options options = rig_options(TRACE_FULL);
	struct counted w = {0};
	struct rig *rig = &w.rig;
	uint64_t insns;

	(void)state;
	options.vcpus = 2;
	rig_open(rig, "smp", &options);
	rig_switch(rig, 1, 1);
	rig_use(rig, DATA, true);
	rig_clone(rig, 2, true);
	check_ipis(&w, "nobody else has run", 0);
	rig_switch(rig, 1, 2);
	rig_use(rig, DATA, true);
	check_ipis(&w, "a page that is there", 0);
	rig_use(rig, DATA + PAGE_SIZE, true);
	check_ipis(&w, "a new page", 0);
	insns = guest_stats(rig->guest)->insns;
	rig_unmap(rig, DATA, 2 * PAGE_SIZE);
	check_ipis(&w, "munmap", 1);
	/* docs/import.md: munmap, the sender's part, the other's. */
	assert_int_equal(guest_stats(rig->guest)->insns - insns,
			 (292 + 2 * 2) + 42 + (34 + 2));
	rig_unmap(rig, DATA, 2 * PAGE_SIZE);
	check_ipis(&w, "munmap of nothing", 0);

	rig_switch(rig, 1, 1);
	check_ipis(&w, "a switch", 0);
	rig_use(rig, DATA, true);
	rig_use(rig, FAR, false);
	rig_clone(rig, 3, false);
	check_ipis(&w, "fork", 1);
	rig_use(rig, DATA, true);
	check_ipis(&w, "copy on write", 1);
	rig_switch(rig, 1, 2);
	rig_use(rig, DATA, true);
	check_ipis(&w, "copied by the other", 0);

	rig_switch(rig, 3, 3);
	rig_use(rig, DATA, true);
	check_ipis(&w, "a process alone", 0);
	rig_unmap(rig, 0, GUEST_USER_END);
	check_ipis(&w, "unmaps all", 0);
	rig_exit(rig, 3);
	check_ipis(&w, "and ends", 0);

	/* Processor 1 goes idle in the space that 1 still has. */
	rig_exit(rig, 2);
	check_ipis(&w, "a thread of two", 0);
	rig_exit(rig, 1);
	check_ipis(&w, "the last one, and an idle processor leaves", 1);
	rig_close(rig, NULL);
	check_trace(rig->path);
}

/* Where it was told to be: two that share, and one that moves. */
static void follows_the_log(void **state)
{
	struct guest_options options = rig_options(TRACE_PAGES);
	struct counted w = {0};
	struct rig *rig = &w.rig;

	(void)state;
	options.vcpus = 3;
	rig_open(rig, "log", &options);
	guest_on_cpu(rig->guest, 5);
	rig_switch(rig, 1, 1);
	rig_use(rig, DATA, true);
	rig_unmap(rig, DATA, 1);
	check_ipis(&w, "on processor 2 alone", 0);
	/* Its processor goes idle with its tables. */
	guest_on_cpu(rig->guest, 0);
	rig_switch(rig, 1, 1);
	rig_use(rig, DATA, true);
	rig_unmap(rig, DATA, 1);
	check_ipis(&w, "moved", 1);
	guest_on_cpu(rig->guest, 1);
	rig_switch(rig, 1, 1);
	rig_use(rig, DATA, true);
	rig_unmap(rig, DATA, 1);
	check_ipis(&w, "moved again", 2);
	/* Untold it stays. */
	rig_switch(rig, 1, 1);
	rig_use(rig, DATA, true);
	rig_exit(rig, 1);
	check_ipis(&w, "two idle ones leave", 2);
	rig_close(rig, NULL);
	check_trace(rig->path);
}

/* [cpu] of perf script; 007 is 1 of 2. */
static const char log_of_two[] =
	"a  1/1 [000] 1.1: exceptions:page_fault_user: address=0x410000 "
	"ip=0x400000 error_code=0x6\n"
	"a  1/2 [007] 1.2: exceptions:page_fault_user: address=0x411000 "
	"ip=0x400000 error_code=0x6\n"
	"a  1/1 [000] 1.3: syscalls:sys_enter_munmap: addr: 0x411000, "
	"len: 0x1000\n"
	"a  1/2 [007] 1.4: exceptions:page_fault_user: address=0x411000 "
	"ip=0x400000 error_code=0x6\n";

static void import_log(uint32_t vcpus, struct import_result *ret)
{
	char in[192], out[192];
	struct import_request request = {
		.path = in,
		.output = out,
		.format = import_format_find("perf"),
		.options = rig_options(TRACE_PAGES),
		.origin = "test",
		.tool = "test",
	};
	struct diag diag;
	FILE *file;

	snprintf(in, sizeof(in), "%s", scratch_path("log"));
	snprintf(out, sizeof(out), "%s", scratch_path("trace"));
	file = fopen(in, "w");
	assert_non_null(file);
	fputs(log_of_two, file);
	assert_int_equal(fclose(file), 0);
	request.options.vcpus = vcpus;
	if (import_run(&request, ret, &diag))
		fail_msg("%s", diag.msg);
	check_trace(out);
}

static void reads_the_processor(void **state)
{
	(void)state;
	for (uint32_t vcpus = 1; vcpus <= 2; vcpus++) {
		struct import_result result;

		import_log(vcpus, &result);
		assert_int_equal(result.guest.ipis, vcpus - 1);
		assert_int_equal(result.guest.tasks, 2);
		assert_int_equal(result.totals.faults, 3);
	}
}

static void refuses(void **state)
{
	struct guest_options options = rig_options(TRACE_FULL);
	struct guest *guest;
	struct diag diag;

	(void)state;
	options.vcpus = 5;
	assert_int_equal(guest_create(&options, NULL, &guest, &diag), -EINVAL);
	assert_non_null(strstr(diag.msg, "1 to 4"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shoots_down),
		cmocka_unit_test(follows_the_log),
		cmocka_unit_test(reads_the_processor),
		cmocka_unit_test(refuses),
	};

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	scratch_remove();
	return failed;
}
