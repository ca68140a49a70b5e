/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the model guest does on each occasion: the numbers of docs/import.md.
 */
#include "rig.h"

static void run_code(struct rig *rig)
{
	struct insn insn = insn_of(CODE, 4);

	rig_execute(rig, &insn);
}

/* --- Occasions ------------------------------------------------------------ */

static void nothing(struct rig *rig)
{
	(void)rig;
}

static void read_data(struct rig *rig)
{
	rig_use(rig, DATA, false);
}

static void write_data(struct rig *rig)
{
	rig_use(rig, DATA, true);
}

static void write_next(struct rig *rig)
{
	rig_use(rig, DATA + PAGE_SIZE, true);
}

static void read_beside(struct rig *rig)
{
	rig_use(rig, DATA - PAGE_SIZE, false);
}

static void read_above(struct rig *rig)
{
	rig_use(rig, DATA + PAGE_SIZE, false);
}

static void write_far(struct rig *rig)
{
	rig_use(rig, FAR, true);
}

static void fetch_next(struct rig *rig)
{
	struct insn insn = insn_of(CODE + PAGE_SIZE, 4);

	rig_execute(rig, &insn);
}

static void cross(struct rig *rig)
{
	struct insn insn = insn_of(CODE, 4);

	insn_add(&insn, DATA + PAGE_SIZE - 4, 8, true);
	rig_execute(rig, &insn);
}

static void written(struct rig *rig)
{
	write_data(rig);
}

static void written_64(struct rig *rig)
{
	for (gva_t i = 0; i < 64; i++)
		rig_use(rig, DATA + i * PAGE_SIZE, true);
}

static void zero_read(struct rig *rig)
{
	write_data(rig);
	read_beside(rig);
}

static void write_beside(struct rig *rig)
{
	rig_use(rig, DATA - PAGE_SIZE, true);
}

static void forked(struct rig *rig)
{
	write_data(rig);
	rig_clone(rig, 2, false);
}

static void child_of_forked(struct rig *rig)
{
	forked(rig);
	rig_switch(rig, 2, 2);
	run_code(rig);
}

static void child_gone(struct rig *rig)
{
	forked(rig);
	rig_exit(rig, 2);
	rig_switch(rig, 1, 1);
}

static void fork_it(struct rig *rig)
{
	rig_clone(rig, 2, false);
}

static void thread_it(struct rig *rig)
{
	rig_clone(rig, 2, true);
}

static void two_processes(struct rig *rig)
{
	rig_switch(rig, 2, 2);
	rig_switch(rig, 1, 1);
}

static void two_threads(struct rig *rig)
{
	rig_switch(rig, 1, 2);
	rig_switch(rig, 1, 1);
}

static void to_process(struct rig *rig)
{
	rig_switch(rig, 2, 2);
}

static void to_thread(struct rig *rig)
{
	rig_switch(rig, 1, 2);
}

static void same_again(struct rig *rig)
{
	rig_switch(rig, 1, 1);
}

static void exec_it(struct rig *rig)
{
	rig_exec(rig);
}

static void exit_it(struct rig *rig)
{
	rig_exit(rig, 1);
}

static void exit_thread(struct rig *rig)
{
	rig_exit(rig, 2);
}

static void unmap_page(struct rig *rig)
{
	rig_unmap(rig, DATA, PAGE_SIZE);
}

static void unmap_33(struct rig *rig)
{
	rig_unmap(rig, DATA, 33 * PAGE_SIZE);
}

static void unmap_34(struct rig *rig)
{
	rig_unmap(rig, DATA, 34 * PAGE_SIZE);
}

static void unmap_all(struct rig *rig)
{
	rig_unmap(rig, 0, GUEST_USER_END);
}

static void unmap_hole(struct rig *rig)
{
	rig_unmap(rig, FAR, BIT(30));
}

static void all_unmapped(struct rig *rig)
{
	write_data(rig);
	unmap_all(rig);
}

static void log_read(struct rig *rig)
{
	rig_fault(rig, DATA, PFEC_U, CODE);
}

static void log_read_far(struct rig *rig)
{
	rig_fault(rig, FAR, PFEC_U, CODE);
}

static void log_cow(struct rig *rig)
{
	rig_fault(rig, DATA, PFEC_P | PFEC_W | PFEC_U, CODE);
}

static void log_kernel_write(struct rig *rig)
{
	rig_fault(rig, DATA, PFEC_W, UINT64_MAX);
}

static void log_elsewhere(struct rig *rig)
{
	rig_fault(rig, DATA, PFEC_U, CODE + 0x8000);
}

static void log_left_out(struct rig *rig)
{
	rig_fault(rig, DATA, PFEC_P | PFEC_U, CODE);
	rig_fault(rig, DATA, PFEC_P | PFEC_U | PFEC_ID, CODE);
	rig_fault(rig, DATA, PFEC_U | PFEC_PK, CODE);
	rig_fault(rig, DATA, PFEC_ID, CODE);
	rig_fault(rig, GUEST_USER_END, PFEC_U, CODE);
	rig_fault(rig, UINT64_C(0xffffffff81000000), 0, CODE);
}

struct footprint {
	uint64_t faults;
	uint64_t writes, ends; /* of tables */
	uint64_t invlpgs, cr3s;
	uint64_t insns;
};

/* Tables of the code page and of what was touched before are there already. */
static const struct {
	const char *name;
	void (*before)(struct rig *rig);
	void (*then)(struct rig *rig);
	struct footprint want;
} cases[] = {
	{"nothing", nothing, nothing, {0, 0, 0, 0, 0, 0}},
	{"write: demand zero", nothing, write_data, {1, 1, 0, 0, 0, 924}},
	{"write in tables of its own",
	 nothing,
	 write_far,
	 {1, 1, 0, 0, 0, 2451}},
	{"a page beside one that was written",
	 written,
	 write_next,
	 {1, 1, 0, 0, 0, 924}},
	{"read: of a file", nothing, read_data, {1, 1, 0, 0, 0, 412}},
	{"read beside anonymous memory: zero page",
	 written,
	 read_beside,
	 {1, 1, 0, 0, 0, 312}},
	{"read above anonymous memory",
	 written,
	 read_above,
	 {1, 1, 0, 0, 0, 312}},
	{"fetch", nothing, fetch_next, {1, 1, 0, 0, 0, 412}},
	{"write to the zero page: copy",
	 zero_read,
	 write_beside,
	 {1, 2, 0, 1, 0, 926}},
	{"write to a page of a file: copy",
	 read_data,
	 write_data,
	 {1, 2, 0, 1, 0, 1438}},
	{"write where it has been written",
	 written,
	 write_data,
	 {0, 0, 0, 0, 0, 1}},
	{"write across two pages", nothing, cross, {2, 2, 0, 0, 0, 1847}},
	{"write after fork: copy", forked, write_data, {1, 2, 0, 1, 0, 1438}},
	{"write after fork by the child: copy",
	 child_of_forked,
	 write_data,
	 {1, 2, 0, 1, 0, 1438}},
	{"write after the child is gone: reuse",
	 child_gone,
	 write_data,
	 {1, 1, 0, 0, 0, 312}},
	{"fork", written, fork_it, {0, 1, 0, 0, 1, 2448}},
	{"fork with 64 pages", written_64, fork_it, {0, 64, 0, 0, 1, 2574}},
	{"clone of a thread", written, thread_it, {0, 0, 0, 0, 0, 392}},
	{"switch to a new process", nothing, to_process, {0, 0, 0, 0, 1, 670}},
	{"switch to a new thread", nothing, to_thread, {0, 0, 0, 0, 0, 155}},
	{"switch to a process",
	 two_processes,
	 to_process,
	 {0, 0, 0, 0, 1, 156}},
	{"switch to a thread", two_threads, to_thread, {0, 0, 0, 0, 0, 155}},
	{"switch to the same", nothing, same_again, {0, 0, 0, 0, 0, 0}},
	{"exec", written, exec_it, {0, 5, 0, 0, 1, 1012}},
	{"exit", written, exit_it, {0, 5, 0, 0, 1, 369}},
	{"exit of a thread", two_threads, exit_thread, {0, 0, 0, 0, 0, 426}},
	{"munmap of a page", written, unmap_page, {0, 1, 0, 1, 0, 294}},
	{"munmap of 33 pages", written_64, unmap_33, {0, 33, 0, 33, 0, 358}},
	{"munmap of 34 pages", written_64, unmap_34, {0, 34, 0, 0, 1, 327}},
	{"munmap of everything", written, unmap_all, {0, 5, 0, 2, 0, 299}},
	{"munmap of nothing", written, unmap_hole, {0, 0, 0, 0, 0, 292}},
	{"pages and tables where tables were",
	 all_unmapped,
	 write_data,
	 {2, 1028, 1, 0, 0, 2862}},
	{"log: read", nothing, log_read, {1, 1, 0, 0, 0, 412}},
	{"log: read of what is there", written, log_read, {1, 2, 0, 1, 0, 606}},
	{"log: read of all that is in a table",
	 write_far,
	 log_read_far,
	 {1, 2, 0, 1, 0, 606}},
	{"log: copy on write of what is not there",
	 nothing,
	 log_cow,
	 {1, 3, 0, 1, 0, 1731}},
	{"log: copy on write of what is writable",
	 written,
	 log_cow,
	 {1, 2, 0, 1, 0, 506}},
	{"log: write of the kernel's",
	 nothing,
	 log_kernel_write,
	 {1, 1, 0, 0, 0, 1016}},
	{"log: code that is not there",
	 nothing,
	 log_elsewhere,
	 {1, 2, 0, 0, 0, 705}},
	{"log: left out", written, log_left_out, {0, 0, 0, 0, 0, 0}},
};

static struct footprint measure(const char *path)
{
	struct footprint f = {0};
	struct tape tape;

	rig_read(path, &tape);
	for (size_t i = 0; i < tape.nr; i++) {
		const struct tape_entry *e = &tape.entries[i];

		if (e->is_ref) {
			f.insns +=
				e->ref.kind == TRACE_FETCH ? e->ref.count : 0;
			continue;
		}
		f.faults += e->item.kind == TRACE_ITEM_FAULT;
		f.writes += e->item.kind == TRACE_ITEM_TABLE_WRITE;
		f.ends += e->item.kind == TRACE_ITEM_TABLE_END;
		if (e->item.kind != TRACE_ITEM_EVENT)
			continue;
		f.invlpgs += e->item.event.kind == GE_INVLPG;
		f.cr3s += e->item.event.kind == GE_CR_WRITE;
	}
	tape_finish(&tape);
	return f;
}

static struct footprint live(void (*before)(struct rig *rig),
			     void (*then)(struct rig *rig))
{
	const struct guest_options options = rig_options(TRACE_PAGES);
	struct footprint f;
	struct rig rig;

	rig_open(&rig, "life", &options);
	rig_switch(&rig, 1, 1);
	run_code(&rig);
	before(&rig);
	then(&rig);
	rig_close(&rig, NULL);
	f = measure(rig.path);
	scratch_remove();
	return f;
}

static void check_number(const char *name, const char *what, uint64_t got,
			 uint64_t want)
{
	if (got != want)
		fail_msg("%s: %llu %s, want %llu", name,
			 (unsigned long long)got, what,
			 (unsigned long long)want);
}

static void check_footprint(const char *name, const struct footprint *was,
			    const struct footprint *is,
			    const struct footprint *want)
{
	check_number(name, "faults", is->faults - was->faults, want->faults);
	check_number(name, "table writes", is->writes - was->writes,
		     want->writes);
	check_number(name, "table ends", is->ends - was->ends, want->ends);
	check_number(name, "INVLPG", is->invlpgs - was->invlpgs, want->invlpgs);
	check_number(name, "loads of CR3", is->cr3s - was->cr3s, want->cr3s);
	check_number(name, "instructions", is->insns - was->insns, want->insns);
}

static void footprints(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct footprint was = live(cases[i].before, nothing);
		struct footprint is = live(cases[i].before, cases[i].then);

		check_footprint(cases[i].name, &was, &is, &cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(footprints),
	};

	return cmocka_run_group_tests_name("import_guest", tests, NULL, NULL);
}
