/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * O6: the access matrix on the real KVM.  The same guest code and the same
 * cases as in matrix_live; here the slow model itself is on trial, which all
 * else is compared with.  Skipped, with the reason, where there is no KVM or
 * where KVM has not got the mode.
 *
 *     test_kvm_matrix ACCESS32.BIN ACCESS64.BIN [CASES]
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../guests/access/job.h"
#include "host.h"
#include "vm.h"

#define RUN_SECONDS 600

static const struct {
	enum oracle_mode mode;
	const char *name;
	int level;
} tables[] = {
	{ORACLE_32, "32-bit", 1},       {ORACLE_PAE, "PAE", 1},
	{ORACLE_4LEVEL, "4 levels", 1}, {ORACLE_4LEVEL, "4 levels", 2},
	{ORACLE_4LEVEL, "4 levels", 3}, {ORACLE_5LEVEL, "5 levels", 1},
	{ORACLE_5LEVEL, "5 levels", 4},
};
#define NR_TABLES (sizeof(tables) / sizeof(tables[0]))

static struct vm vm;

static bool kvm_open(struct host *h)
{
	const char *why;

	if (!vm_open(&vm, MATRIX_RAM, &why)) {
		snprintf(h->why, sizeof(h->why), "%s", why);
		return false;
	}
	h->ram = vm.ram;
	return true;
}

static bool kvm_run(struct host *h)
{
	static const char *const ends[] = {
		[VM_OUT] = "OUT",          [VM_IN] = "IN",
		[VM_HALT] = "HLT",         [VM_SHUTDOWN] = "shutdown",
		[VM_TIMEOUT] = "time out", [VM_OTHER] = "no known exit",
	};
	struct vm_exit exit;

	vm_start(&vm, ACCESS_LOAD, 0, 0);
	exit = vm_run(&vm, RUN_SECONDS);
	if (exit.end == VM_OUT)
		return true;
	snprintf(h->why, sizeof(h->why), "the guest ended with %s",
		 ends[exit.end]);
	return false;
}

static void kvm_close(struct host *h)
{
	(void)h;
	vm_close(&vm);
}

static struct host kvm = {.open = kvm_open, .run = kvm_run, .close = kvm_close};

static bool features_of_kvm(struct vm_features *ret)
{
	if (!kvm_open(&kvm))
		return false;
	*ret = vm_features(&vm);
	vm_close(&vm);
	printf("# KVM has%s%s%s%s%s, MAXPHYADDR %d\n", ret->smep ? " SMEP" : "",
	       ret->smap ? " SMAP" : "", ret->pku ? " PKU" : "",
	       ret->la57 ? " LA57" : "", ret->pages_1g ? " 1G pages" : "",
	       ret->maxphyaddr);
	return true;
}

static bool one_table(unsigned int i, const struct vm_features *f,
		      uint64_t cases)
{
	const struct matrix_space space = {
		.mode = tables[i].mode,
		.level = tables[i].level,
		.maxphyaddr = f->maxphyaddr,
		.has_1g = f->pages_1g,
		.has_smep = f->smep,
		.has_smap = f->smap,
		.has_pku = f->pku,
	};
	bool lacks = space.mode == ORACLE_5LEVEL && !f->la57;

	if (!lacks && host_runs(&kvm, &space))
		return host_try(&kvm, &space, tables[i].name, cases, i + 1);
	printf("ok %u - %s # SKIP KVM %s%s\n", i + 1, tables[i].name,
	       lacks ? "shows no LA57" : "does not run an empty guest: ",
	       lacks ? "" : kvm.why);
	return true;
}

int main(int argc, char **argv)
{
	uint64_t cases = argc > 3 ? strtoull(argv[3], NULL, 0) : 1000;
	struct vm_features f;
	bool ok = true;

	if (argc < 3)
		return 2;
	host_images(argv[1], argv[2]);
	if (!features_of_kvm(&f)) {
		printf("1..0 # SKIP %s\n", kvm.why);
		return 0;
	}
	printf("1..%zu\n", NR_TABLES);
	for (unsigned int i = 0; i < NR_TABLES; i++)
		ok &= one_table(i, &f, cases);
	return ok ? 0 : 1;
}
