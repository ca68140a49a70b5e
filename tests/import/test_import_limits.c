/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The model guest at its ends: bad options, no memory, no disk, old numbers. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "import/internal.h"
#include "rig.h"

static const struct {
	const char *name;
	struct guest_options options;
	const char *says;
} bad_options[] = {
	{"little memory", {30 << 20, 0, 1, TRACE_PAGES}, "32 MiB"},
	{"much memory", {UINT64_C(3074) << 20, 0, 1, TRACE_PAGES}, "3 GiB"},
	{"uneven memory", {33 << 20, 0, 1, TRACE_PAGES}, "multiple of 2 MiB"},
	{"around 0", {32 << 20, 0, 0, TRACE_PAGES}, "fault-around"},
	{"around 3", {32 << 20, 0, 3, TRACE_PAGES}, "fault-around"},
	{"around 128", {32 << 20, 0, 128, TRACE_PAGES}, "fault-around"},
};

static void refuses_options(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_options); i++) {
		struct diag diag = {""};
		struct guest *guest;

		if (guest_create(&bad_options[i].options, NULL, &guest,
				 &diag) != -EINVAL)
			fail_msg("%s is accepted", bad_options[i].name);
		if (!strstr(diag.msg, bad_options[i].says))
			fail_msg("%s: %s", bad_options[i].name, diag.msg);
	}
}

/* All calls say so from then on. */
static void memory_is_used_up(void **state)
{
	const struct guest_options options = rig_options(TRACE_PAGES);
	struct insn insn = insn_of(CODE, 4);
	struct diag diag = {""};
	struct rig rig;
	int err = 0;

	(void)state;
	insn_add(&insn, DATA, 8, true);
	rig_open(&rig, "full", &options);
	rig_switch(&rig, 1, 1);
	while (!err) {
		err = guest_execute(rig.guest, insn.ref, insn.nr, &diag);
		insn.ref[1].gva += PAGE_SIZE;
	}
	assert_int_equal(err, -ENOMEM);
	assert_non_null(strstr(diag.msg, "32 MiB are used up"));
	/* 28 MiB are left beside the kernel's. */
	assert_int_equal(insn.ref[1].gva - DATA >= 27 << 20, 1);
	assert_int_equal(guest_switch(rig.guest, 1, 1, &diag), -ENOMEM);
	assert_int_equal(guest_switch(rig.guest, 2, 2, &diag), -ENOMEM);
	assert_int_equal(guest_clone(rig.guest, 3, false, &diag), -ENOMEM);
	assert_int_equal(guest_clone(rig.guest, 4, true, &diag), -ENOMEM);
	assert_int_equal(guest_exec(rig.guest, &diag), -ENOMEM);
	assert_int_equal(
		guest_fault(rig.guest, FAR, PFEC_U | PFEC_W, CODE, &diag),
		-ENOMEM);
	assert_int_equal(guest_unmap(rig.guest, DATA, 1, &diag), -ENOMEM);
	assert_int_equal(guest_exit(rig.guest, 1, &diag), -ENOMEM);
	assert_int_equal(guest_end(rig.guest, &diag), -ENOMEM);
	guest_destroy(rig.guest);
	trace_writer_abort(rig.writer);
	scratch_remove();
}

/* What the writer cannot write the guest does not go on with. */
static void writer_fails(void **state)
{
	const struct guest_options options = rig_options(TRACE_FULL);
	struct insn insn = insn_of(CODE, 4);
	struct diag diag = {""};
	struct rlimit old;
	struct rig rig;
	int err = 0;

	(void)state;
	insn_add(&insn, DATA, 8, true);
	getrlimit(RLIMIT_FSIZE, &old);
	signal(SIGXFSZ, SIG_IGN);
	rig_open(&rig, "limited", &options);
	rig_switch(&rig, 1, 1);
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){1000, old.rlim_max});
	for (int i = 0; i < 6000 && !err; i++) {
		err = guest_execute(rig.guest, insn.ref, insn.nr, &diag);
		insn.ref[1].gva += PAGE_SIZE;
	}
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(err, -EFBIG);
	assert_non_null(strstr(diag.msg, "File too large"));
	assert_int_equal(guest_end(rig.guest, &diag), -EFBIG);
	guest_destroy(rig.guest);
	trace_writer_abort(rig.writer);
	scratch_remove();
}

/* A number that comes again is another task; the old one's memory is free. */
static void numbers_come_again(void **state)
{
	const struct guest_options options = rig_options(TRACE_PAGES);
	struct guest_stats stats;
	struct rig rig;

	(void)state;
	rig_open(&rig, "again", &options);
	for (uint32_t i = 0; i < 300; i++) {
		rig_switch(&rig, 1, 1);
		rig_use(&rig, CODE, false);
		rig_clone(&rig, 2, false);
		rig_switch(&rig, 2, 2);
		rig_use(&rig, FAR, true);
	}
	rig_switch(&rig, 1, 1);
	stats = *guest_stats(rig.guest);
	assert_int_equal(stats.forks, 300);
	assert_int_equal(stats.tasks, 301);
	/* Two spaces; tables for the code in both, for FAR in one; 3 pages. */
	assert_int_equal(stats.frames, 2 + 2 * 3 + 3 + 3);
	rig_close(&rig, NULL);
	scratch_remove();
}

/* The first thread ends before its others do. */
static void threads_outlive_the_first(void **state)
{
	const struct guest_options options = rig_options(TRACE_PAGES);
	struct rig rig;

	(void)state;
	rig_open(&rig, "threads", &options);
	rig_switch(&rig, 1, 1);
	rig_use(&rig, DATA, true);
	rig_switch(&rig, 1, 2);
	rig_exit(&rig, 1);
	rig_switch(&rig, 1, 2);
	rig_use(&rig, DATA, true);
	assert_int_equal(guest_stats(rig.guest)->faults, 2);
	rig_exit(&rig, 2);
	assert_int_equal(guest_stats(rig.guest)->frames, 0);
	rig_close(&rig, NULL);
	scratch_remove();
}

/* Many at a time, and they go in another order than they came. */
static void many_threads(void **state)
{
	enum { THREADS = 3000, STEP = 1777 };
	const struct guest_options options = rig_options(TRACE_PAGES);
	struct rig rig;

	(void)state;
	rig_open(&rig, "many", &options);
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 1; i <= THREADS; i++)
			rig_switch(&rig, 1, i);
		rig_use(&rig, DATA, true);
		for (uint32_t i = 0; i < THREADS; i++)
			rig_switch(&rig, 1, 1 + i * STEP % THREADS);
		assert_int_equal(guest_stats(rig.guest)->tasks,
				 THREADS * (round + 1));
		for (uint32_t i = 0; i < THREADS; i++)
			rig_exit(&rig, 1 + i * STEP % THREADS);
		assert_int_equal(guest_stats(rig.guest)->frames, 0);
		assert_int_equal(guest_stats(rig.guest)->spaces, round + 1);
	}
	/* Slots are used again; one is idle's. */
	assert_int_equal(rig.guest->nr_tasks, THREADS + 1);
	assert_int_equal(rig.guest->nr_spaces, 2);
	rig_close(&rig, NULL);
	scratch_remove();
}

/* Epochs begin again: what was seen in the old ones counts no more. */
static void epochs_begin_again(void **state)
{
	const struct guest_options options = rig_options(TRACE_PAGES);
	struct rig rig;

	(void)state;
	rig_open(&rig, "epochs", &options);
	rig_switch(&rig, 1, 1);
	rig_use(&rig, CODE, false);
	rig_switch(&rig, 2, 2);
	rig_use(&rig, DATA, true);
	assert_int_equal(rig.guest->epoch_now, 2);
	rig.guest->epoch = SEEN_EPOCH_MAX;
	rig_switch(&rig, 3, 3);
	assert_true(rig.guest->epoch < 10);
	rig_switch(&rig, 1, 1);
	assert_int_equal(rig.guest->epoch_now, 2);
	rig_use(&rig, DATA, true);
	assert_int_equal(guest_stats(rig.guest)->faults, 4);
	rig_close(&rig, NULL);
	scratch_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_options),
		cmocka_unit_test(memory_is_used_up),
		cmocka_unit_test(writer_fails),
		cmocka_unit_test(numbers_come_again),
		cmocka_unit_test(threads_outlive_the_first),
		cmocka_unit_test(many_threads),
		cmocka_unit_test(epochs_begin_again),
	};

	return cmocka_run_group_tests_name("import_limits", tests, NULL, NULL);
}
