/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * machines/ and hypervisors/: every file has every key, every number a tag and
 * a source, and nothing else; and what a file that has not gets to hear.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine/keys.h"
#include "machine/machine.h"

static struct ini read_file(enum machine_kind kind, const char *name)
{
	struct diag diag = {""};
	uint64_t digest;
	struct ini ini;

	if (machine_read(kind, name, &ini, &digest, &diag))
		fail_msg("%s", diag.msg);
	return ini;
}

/* Text of each value and range has a number's worth of source. */
static void check_entries(const struct ini *ini)
{
	for (size_t i = 0; i < ini->nr; i++) {
		const struct ini_entry *entry = &ini->entry[i];

		if (strlen(entry->source) < 3)
			fail_msg("%s:%u: no source", ini->name, entry->line);
	}
}

static void test_all_understood(void **state)
{
	size_t nr;
	const struct machine_file *file = machine_files(KIND_MACHINE, &nr);
	struct diag diag = {""};

	(void)state;
	assert_string_equal(file[0].name, "generic");
	for (size_t i = 0; i < nr; i++) {
		struct ini ini = read_file(KIND_MACHINE, file[i].name);
		struct machine_model machine;

		check_entries(&ini);
		if (machine_load(file[i].name, &machine, &diag))
			fail_msg("%s", diag.msg);
		assert_string_equal(machine.name, file[i].name);
		assert_true(machine.digest);
		ini_finish(&ini);
	}
	file = machine_files(KIND_HYPERVISOR, &nr);
	assert_string_equal(file[0].name, "generic");
	for (size_t i = 0; i < nr; i++) {
		struct ini ini = read_file(KIND_HYPERVISOR, file[i].name);
		struct hypervisor hv;

		check_entries(&ini);
		if (hypervisor_load(file[i].name, &hv, &diag))
			fail_msg("%s", diag.msg);
		ini_finish(&ini);
	}
}

/* A copy of the file without one line, or with one more. */
static char *edited(const struct machine_file *file, unsigned int without,
		    const char *more)
{
	char *text = malloc(file->len + 512), *to = text;
	const char *at = file->text;

	assert_non_null(text);
	for (unsigned int line = 1; *at; line++) {
		size_t len = strcspn(at, "\n") + 1;

		if (line != without) {
			memcpy(to, at, len);
			to += len;
		}
		at += len;
	}
	strcpy(to, more);
	return text;
}

static int understand(enum machine_kind kind, const char *text,
		      struct diag *diag)
{
	struct machine_model machine;
	struct hypervisor hv;
	struct ini ini;
	int err = ini_parse(text, strlen(text), "x.ini", &ini, diag);

	if (err)
		return err;
	err = kind == KIND_MACHINE ? machine_from_ini(&ini, &machine, diag)
				   : hypervisor_from_ini(&ini, &hv, diag);
	ini_finish(&ini);
	return err;
}

/* Every line is needed, but for a TLB's; the message says which is missing. */
static void test_each_line_is_needed(void **state)
{
	(void)state;
	for (int kind = 0; kind < NR_MACHINE_KINDS; kind++) {
		size_t nr;
		const struct machine_file *file =
			machine_files((enum machine_kind)kind, &nr);
		struct ini ini = read_file((enum machine_kind)kind, "generic");

		for (size_t i = 0; i < ini.nr; i++) {
			const struct ini_entry *entry = &ini.entry[i];
			struct diag diag = {""};
			char *text, want[80];
			int err;

			if (machine_has_free_keys((enum machine_kind)kind,
						  entry->section))
				continue;
			text = edited(file, entry->line, "");
			err = understand((enum machine_kind)kind, text, &diag);
			snprintf(want, sizeof(want), "x.ini: [%s] has no %s",
				 entry->section, entry->key);
			if (err != -EINVAL || strcmp(diag.msg, want) != 0)
				fail_msg("got %d, %s; want %s", err, diag.msg,
					 want);
			free(text);
		}
		ini_finish(&ini);
	}
}

static const struct {
	enum machine_kind kind;
	const char *more, *says;
} additions[] = {
	{KIND_MACHINE, "[costs]\ncost.exti = 1 ; A x\n",
	 "[costs] has no key \"cost.exti\"; did you mean \"cost.exit\"?"},
	{KIND_MACHINE, "[costs]\ncost.dispatch = 1 ; A x\n",
	 "cost.dispatch belongs in a file of hypervisors/"},
	{KIND_HYPERVISOR, "[costs]\ncost.exit = 1 ; A x\n",
	 "cost.exit belongs in a file of machines/"},
	{KIND_MACHINE, "[odd]\nkey = 1 ; A x\n", "[odd] has no key \"key\""},
	{KIND_HYPERVISOR, "[tlb]\nitlb = 1 fetch 4k 4/4 ; A x\n",
	 "[tlb] has no key \"itlb\""},
	{KIND_MACHINE, "[tlb]\nx = 1 fetch 4k 4/3 ; A x\n",
	 "x = 1 fetch 4k 4/3: want LEVEL KINDS SIZES"},
	{KIND_MACHINE, "[machine]\nyear = 2006 ; A x\n", "year is set at line"},
};

static void test_additions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(additions); i++) {
		size_t nr;
		const struct machine_file *file =
			machine_files(additions[i].kind, &nr);
		char *text = edited(file, 0, additions[i].more);
		struct diag diag = {""};
		int err = understand(additions[i].kind, text, &diag);

		if (err != -EINVAL || !strstr(diag.msg, additions[i].says) ||
		    strncmp(diag.msg, "x.ini:", 6) != 0)
			fail_msg("got %d, \"%s\"; want \"%s\"", err, diag.msg,
				 additions[i].says);
		free(text);
	}
}

/* One value of generic for another. */
static const struct {
	const char *from, *to, *says;
} changes[] = {
	{"vendor = either", "vendor = via   ",
	 "vendor = via: want intel, amd or either"},
	{"vendor = either", "vendor = intel ", "vendor = intel, but svm = yes"},
	{"vendor = either", "vendor = amd   ", "vendor = amd, but vmx"},
	{"maxphyaddr = 40 [36..52]", "maxphyaddr = 40 [30..52]",
	 "within 36..52"},
	{"vmx = yes", "vmx = 1  ", "vmx = 1: want yes or no"},
	{"walkers = 1", "walkers = 0", "walkers = 0: want a number, 1..16"},
	{"table-share = 25", "table-share = 0 ", "want a number, 1..100"},
	{"load+store 4k 16/4", "load       4k 16/4",
	 "has no first-level TLB of 4 KiB pages"},
	{"l1 = 32K/8", "l1 = 32K/9", "want BYTES/WAYS of whole lines"},
};

static void test_changes(void **state)
{
	size_t nr;
	const struct machine_file *file = machine_files(KIND_MACHINE, &nr);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		char *text = edited(file, 0, "");
		char *at = strstr(text, changes[i].from);
		struct diag diag = {""};

		assert_non_null(at);
		assert_int_equal(strlen(changes[i].from),
				 strlen(changes[i].to));
		memcpy(at, changes[i].to, strlen(changes[i].to));
		if (understand(KIND_MACHINE, text, &diag) != -EINVAL ||
		    !strstr(diag.msg, changes[i].says))
			fail_msg("%s: got \"%s\"; want \"%s\"", changes[i].to,
				 diag.msg, changes[i].says);
		free(text);
	}
}

/* The shape that src/cpu takes for generic is that of its file. */
static void test_generic_geometry(void **state)
{
	const struct cpu_geometry *want = &cpu_geometry_generic, *got;
	struct machine_model machine;
	struct diag diag;

	(void)state;
	assert_int_equal(machine_load("generic", &machine, &diag), 0);
	got = &machine.geometry;
	assert_int_equal(got->nr_tlbs, want->nr_tlbs);
	for (unsigned int i = 0; i < want->nr_tlbs; i++) {
		assert_string_equal(got->tlb[i].name, want->tlb[i].name);
		assert_int_equal(got->tlb[i].level, want->tlb[i].level);
		assert_int_equal(got->tlb[i].kinds, want->tlb[i].kinds);
		assert_int_equal(got->tlb[i].sizes, want->tlb[i].sizes);
		assert_int_equal(got->tlb[i].array.sets,
				 want->tlb[i].array.sets);
		assert_int_equal(got->tlb[i].array.ways,
				 want->tlb[i].array.ways);
	}
	for (int i = 0; i < NR_PSC; i++) {
		assert_int_equal(got->psc[i].sets, want->psc[i].sets);
		assert_int_equal(got->psc[i].ways, want->psc[i].ways);
		assert_int_equal(got->nested_psc[i].sets,
				 want->nested_psc[i].sets);
	}
	for (int i = 0; i < CPU_CACHES; i++) {
		assert_int_equal(got->cache[i].sets, want->cache[i].sets);
		assert_int_equal(got->cache[i].ways, want->cache[i].ways);
	}
	assert_int_equal(got->nested_tlb.ways, want->nested_tlb.ways);
	assert_int_equal(got->table_share, want->table_share);
	assert_int_equal(got->walkers, want->walkers);
	assert_int_equal(got->walk_window, want->walk_window);
}

static void test_names(void **state)
{
	struct machine_model machine = {.year = 1};
	struct diag diag = {""};

	(void)state;
	assert_true(machine_is_path("./merom"));
	assert_true(machine_is_path("merom.ini"));
	assert_false(machine_is_path("merom"));
	assert_false(machine_is_path(".ini"));
	assert_int_equal(machine_load("gneric", &machine, &diag), -EINVAL);
	assert_non_null(strstr(diag.msg, "did you mean \"generic\"?"));
	assert_int_equal(machine_load("zzzzzz", &machine, &diag), -EINVAL);
	assert_non_null(strstr(diag.msg, "there are generic"));
	assert_int_equal(machine_load("./none.ini", &machine, &diag), -EINVAL);
	assert_string_equal(diag.msg, "./none.ini: No such file or directory");
	assert_int_equal(machine_load("/", &machine, &diag), -EINVAL);
	assert_int_equal(machine.year, 1);
}

/* Those built in by what they held; a user's by its path, if unchanged. */
static void test_read_again(void **state)
{
	char path[] = "/tmp/notrap-machine-XXXXXX.ini";
	struct machine_model merom;
	struct hypervisor era;
	struct diag diag = {""};
	struct ini ini;
	FILE *file;

	(void)state;
	assert_int_equal(machine_load("merom", &merom, &diag), 0);
	assert_int_equal(machine_read_again(KIND_MACHINE, "merom", merom.digest,
					    &ini, &diag),
			 0);
	assert_string_equal(ini.name, "machines/merom.ini");
	ini_finish(&ini);
	assert_int_equal(hypervisor_load_for_mmu("kvm-2.6.20", &era, &diag), 0);
	assert_int_equal(machine_read_again(KIND_HYPERVISOR, "era", era.digest,
					    &ini, &diag),
			 0);
	assert_string_equal(ini.name, "hypervisors/kvm-2.6.20.ini");
	ini_finish(&ini);
	assert_int_equal(
		machine_read_again(KIND_MACHINE, "merom", 1, &ini, &diag),
		-ENOENT);

	close(mkstemps(path, 4));
	file = fopen(path, "w");
	fputs("[machine]\nname = x ; A y\n", file);
	fclose(file);
	assert_int_equal(machine_read_again(KIND_MACHINE, path, 1, &ini, &diag),
			 -ENOENT);
	assert_non_null(strstr(diag.msg, "has changed"));
	unlink(path);
	assert_int_equal(machine_read_again(KIND_MACHINE, path, 1, &ini, &diag),
			 -ENOENT);
}

/* All of a name: a release's is the beginning of its candidates'. */
static void test_is_for(void **state)
{
	struct hypervisor hv = {.mmus = "kvm-9.10-rc3  kvm-9.1"};

	(void)state;
	assert_true(hypervisor_is_for(&hv, "kvm-9.10-rc3"));
	assert_true(hypervisor_is_for(&hv, "kvm-9.1"));
	assert_false(hypervisor_is_for(&hv, "kvm-9.10"));
	assert_false(hypervisor_is_for(&hv, "kvm-9.1 "));
	assert_false(hypervisor_is_for(&hv, "kvm-9.11"));
	assert_false(hypervisor_is_for(&hv, "9.1"));
	assert_false(hypervisor_is_for(&hv, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_again),
		cmocka_unit_test(test_all_understood),
		cmocka_unit_test(test_each_line_is_needed),
		cmocka_unit_test(test_additions),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_generic_geometry),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_is_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
