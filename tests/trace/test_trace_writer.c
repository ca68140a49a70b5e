/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a trace cannot be written: one clear line, no file, and what was there
 * before is still there.
 */
#include "random.h"
#include "tape.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trace/info.h"
#include "trace/layout.h"

static const struct trace_info info = {.granularity = TRACE_FULL};

static bool exists(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

static bool temp_exists(const char *path)
{
	char temp[512];

	snprintf(temp, sizeof(temp), "%s.tmp", path);
	return exists(temp);
}

static void create_fails(const char *path, int want, const char *says)
{
	struct trace_writer *w;
	struct diag diag = {""};
	int err = trace_writer_create(path, &info, &w, &diag);

	if (err != want || !strstr(diag.msg, says))
		fail_msg("%s: got %d \"%s\", want %d \"%s\"", path, err,
			 diag.msg, want, says);
}

static void bad_paths(void **state)
{
	const char *dir = scratch_path("dir"), *pipe = scratch_path("pipe");

	(void)state;
	create_fails(scratch_path("none/x"), -ENOENT, "none/x");
	create_fails("/dev/null", -EINVAL, "not a regular file");
	assert_int_equal(mkdir(dir, 0700), 0);
	create_fails(dir, -EINVAL, "not a regular file");
	assert_int_equal(mkfifo(pipe, 0600), 0);
	create_fails(pipe, -EINVAL, "not a regular file");
	rmdir(dir);
	scratch_remove();
}

/* A link at the temporary name is not followed. */
static void link_in_the_way(void **state)
{
	const char *path = scratch_path("x"), *temp = scratch_path("x.tmp");

	(void)state;
	assert_int_equal(symlink("/dev/full", temp), 0);
	create_fails(path, -ELOOP, "cannot be created");
	scratch_remove();
}

static struct trace_writer *create(const char *path)
{
	struct trace_writer *w;
	struct diag diag;

	if (trace_writer_create(path, &info, &w, &diag))
		fail_msg("%s", diag.msg);
	return w;
}

static void close_well(struct trace_writer *w)
{
	struct diag diag;

	if (trace_writer_close(w, NULL, &diag))
		fail_msg("%s", diag.msg);
}

static void second_writer(void **state)
{
	const char *path = scratch_path("busy");
	struct trace_writer *w = create(path);

	(void)state;
	create_fails(path, -EBUSY, "being written by another");
	close_well(w);
	assert_true(exists(path));
	assert_false(temp_exists(path));
	close_well(create(path));
	scratch_remove();
}

/* What a killed writer left is overwritten. */
static void stale_file(void **state)
{
	const char *path = scratch_path("stale");
	static uint8_t junk[100000];
	struct tape_reading how;
	struct tape got;
	struct diag diag;

	(void)state;
	file_store(scratch_path("stale.tmp"), junk, sizeof(junk));
	close_well(create(path));
	assert_int_equal(tape_read(&got, path, &how, &diag), 0);
	assert_string_equal(how.damage, "");
	tape_finish(&got);
	scratch_remove();
}

static void abort_leaves_nothing(void **state)
{
	const char *path = scratch_path("abort");
	struct trace_writer *w;
	uint8_t old = 'o', *now;
	size_t len;

	(void)state;
	file_store(path, &old, 1);
	w = create(path);
	assert_true(temp_exists(path));
	trace_writer_abort(w);
	assert_false(temp_exists(path));
	now = file_load(path, &len);
	assert_int_equal(len, 1);
	assert_int_equal(now[0], 'o');
	free(now);
	trace_writer_abort(NULL);
	scratch_remove();
}

/*
 * References of random addresses until the writer complains, or a lot of them.
 * Returns its error at the end.
 */
static int write_much(struct trace_writer *w, struct diag *diag)
{
	struct rng rng;
	int err = 0;

	rng_init(&rng, 1);
	for (int i = 0; i < 1000000 && !err; i++) {
		struct trace_ref ref = {.gva = rng_next(&rng) & ~PAGE_MASK,
					.count = 1,
					.size = 8,
					.kind = TRACE_READ};

		err = trace_write_ref(w, &ref);
	}
	if (err) {
		struct trace_item item = {.kind = TRACE_ITEM_MARK};
		struct trace_ref ref = {.count = 1, .size = 1};

		/* It stays. */
		assert_int_equal(trace_write_item(w, &item), err);
		assert_int_equal(trace_write_ref(w, &ref), err);
	}
	err = trace_writer_close(w, NULL, diag);
	return err;
}

static void check_failure(const char *path, int got, int want,
			  const struct diag *diag, const char *says)
{
	if (got != want || !strstr(diag->msg, says) ||
	    !strstr(diag->msg, path) || strchr(diag->msg, '\n'))
		fail_msg("got %d \"%s\", want %d \"%s\"", got, diag->msg, want,
			 says);
	assert_false(exists(path));
	assert_false(temp_exists(path));
}

/* Met in the header, in a chunk, and in what close() writes. */
static void file_too_large(void **state)
{
	static const rlim_t limits[] = {10, 600, 1 << 20, 2500000};
	const char *path = scratch_path("large");
	struct rlimit old, limit;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct diag diag = {""};
		struct trace_writer *w;
		int err;

		limit = (struct rlimit){limits[i], old.rlim_max};
		setrlimit(RLIMIT_FSIZE, &limit);
		err = trace_writer_create(path, &info, &w, &diag);
		if (!err)
			err = write_much(w, &diag);
		setrlimit(RLIMIT_FSIZE, &old);
		check_failure(path, err, -EFBIG, &diag, "File too large");
	}
	scratch_remove();
}

/* A file system of 1 MiB, seen by a child only. */
static int fill_disk(const char *dir)
{
	struct diag diag = {""};
	struct trace_writer *w;
	char path[256];
	int err;

	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", dir, "tmpfs", 0, "size=1m"))
		return 77;
	snprintf(path, sizeof(path), "%s/full", dir);
	if (trace_writer_create(path, &info, &w, &diag))
		return 1;
	err = write_much(w, &diag);
	if (err != -ENOSPC || !strstr(diag.msg, "No space left on device"))
		return 2;
	return exists(path) || temp_exists(path) ? 3 : 0;
}

static void disk_full(void **state)
{
	const char *dir = scratch_path("disk");
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(fill_disk(dir));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	rmdir(dir);
	scratch_remove();
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip(); /* mounting takes privileges */
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* The directory goes away under it. */
static void directory_gone(void **state)
{
	const char *dir = scratch_path("gone"), *path = scratch_path("gone/x");
	struct trace_writer *w;
	struct diag diag;

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	w = create(path);
	unlink(scratch_path("gone/x.tmp"));
	rmdir(dir);
	assert_int_equal(trace_writer_close(w, NULL, &diag), -ENOENT);
	assert_non_null(strstr(diag.msg, "cannot be given its name"));
	scratch_remove();
}

#define REF(name, says, ...)                              \
	{                                                 \
		name, says,                               \
		{                                         \
			.kind = TRACE_ITEM_REFS, .nr = 1, \
			.refs = &(const struct trace_ref) \
			{                                 \
				__VA_ARGS__               \
			}                                 \
		}                                         \
	}
#define ITEM(name, says, number, ...)                                       \
	{                                                                   \
		name, says,                                                 \
		{                                                           \
			.kind = (enum trace_item_kind)(number), __VA_ARGS__ \
		}                                                           \
	}
#define EVENT(name, says, ...) \
	ITEM(name, says, TRACE_ITEM_EVENT, .event = {__VA_ARGS__})
#define TABLE(name, says, ...) ITEM(name, says, TRACE_ITEM_TABLE, __VA_ARGS__)
#define WRITE(name, says, ...) \
	ITEM(name, says, TRACE_ITEM_TABLE_WRITE, __VA_ARGS__)

static const uint64_t table[PT_ENTRIES];

static const struct {
	const char *name, *says;
	struct trace_item item;
} refused[] = {
	REF("kind 3", "of no kind", .kind = 3, .size = 1, .count = 1),
	REF("size 0", "of no size", .count = 1),
	REF("crossing", "its page", .gva = 0xfff, .size = 2, .count = 1),
	REF("count 2", "wrong count", .size = 1, .count = 2),
	ITEM("item 8", "item of no kind", 8, .id = 0),
	ITEM("processor 4", "beyond the last", TRACE_ITEM_VCPU, .id = 4),
	EVENT("access", "no trace holds", .kind = GE_ACCESS),
	EVENT("store", "no trace holds", .kind = GE_STORE),
	EVENT("no event", "no trace holds", .kind = NR_GUEST_EVENTS),
	EVENT("CPL 4", "out of range", .kind = GE_HLT, .cpl = 4),
	EVENT("register 16", "out of range", .kind = GE_HLT, .reg = 16),
	EVENT("CR16", "out of range", .kind = GE_HLT, .cr = 16),
	EVENT("16-byte insn", "out of range", .kind = GE_HLT, .insn_len = 16),
	EVENT("17-byte event", "out of range", .kind = GE_HLT, .size = 17),
	EVENT("type 1", "interruption", .kind = GE_DELIVER, .type = 1),
	EVENT("type 7", "interruption", .kind = GE_DELIVER, .type = 7),
	TABLE("no entries", "without entries", .gpa = 0),
	TABLE("in a frame", "page frame", .gpa = 8, .table = table),
	TABLE("52 bits", "page frame", .gpa = BIT(52), .table = table),
	ITEM("end in a frame", "page frame", TRACE_ITEM_TABLE_END, .gpa = 8),
	WRITE("write of 0", "no size", .gpa = 8),
	WRITE("write of 17", "too large", .size = 17),
	WRITE("over two", "one frame", .gpa = 0xffd, .size = 4),
	WRITE("beyond", "one frame", .gpa = BIT(52), .size = 4),
};

static void refused_items(void **state)
{
	const char *path = scratch_path("refused");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct trace_writer *w = create(path);
		struct diag diag = {""};
		int err = trace_write_item(w, &refused[i].item);

		if (err != -EINVAL)
			fail_msg("%s: got %d", refused[i].name, err);
		err = trace_writer_close(w, NULL, &diag);
		check_failure(path, err, -EINVAL, &diag, refused[i].says);
	}
	scratch_remove();
}

/* A chunk has so many records at most. */
static void chunk_is_bounded(void **state)
{
	const char *path = scratch_path("bounded");
	struct trace_writer *w = create(path);
	struct chunk_header h;
	struct trace_info got;
	struct crc32c crc;
	struct diag diag;
	uint8_t *data;
	size_t len;
	int at;

	(void)state;
	for (uint32_t i = 0; i < CHUNK_RECORDS_MAX + 1; i++) {
		struct trace_ref ref = {.gva = 4 * i, .count = 1, .size = 4};

		trace_write_ref(w, &ref);
	}
	close_well(w);
	data = file_load(path, &len);
	crc32c_init(&crc);
	at = header_get(data, (uint32_t)len, &crc, &got, &diag);
	assert_true(at > 0);
	assert_null(chunk_header_get(data + at, &h));
	assert_int_equal(h.records, CHUNK_RECORDS_MAX);
	assert_null(
		chunk_header_get(data + at + CHUNK_HEADER + h.packed_len, &h));
	assert_int_equal(h.records, 1);
	free(data);
	scratch_remove();
}

/* Each event that is neither an access nor a store has a number of its own. */
static void every_event(void **state)
{
	const char *path = scratch_path("events");
	struct tape_reading how;
	struct tape tape, got;
	struct diag diag;

	(void)state;
	tape_init(&tape);
	for (int kind = 0; kind < NR_GUEST_EVENTS; kind++) {
		enum guest_event_kind event = (enum guest_event_kind)kind;
		bool held = event != GE_ACCESS && event != GE_STORE;
		struct trace_item item = {.kind = TRACE_ITEM_EVENT,
					  .event = {.kind = event}};

		if (!trace_event_name(event) == held)
			fail_msg("event %d: %s", kind, trace_event_name(event));
		if (held)
			tape_add_item(&tape, &item);
	}
	assert_null(trace_event_name(NR_GUEST_EVENTS));
	tape_write(&tape, path, &info, NULL);
	assert_int_equal(tape_read(&got, path, &how, &diag), 0);
	tape_check_equal("events", &got, &tape);
	tape_finish(&got);
	tape_finish(&tape);
	scratch_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_paths),
		cmocka_unit_test(link_in_the_way),
		cmocka_unit_test(second_writer),
		cmocka_unit_test(stale_file),
		cmocka_unit_test(abort_leaves_nothing),
		cmocka_unit_test(file_too_large),
		cmocka_unit_test(disk_full),
		cmocka_unit_test(directory_gone),
		cmocka_unit_test(refused_items),
		cmocka_unit_test(chunk_is_bounded),
		cmocka_unit_test(every_event),
	};

	return cmocka_run_group_tests_name("trace_writer", tests, NULL, NULL);
}
