/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of processors and hypervisors, on any input: a file is understood, or
 * one line says why not.  What is understood is a geometry without a flaw, and
 * each cost is an ordered range.
 *
 * Bytes: kind (even: processor), text.
 *
 * With coverage, from the root of the tree, after a build in build/:
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -std=c17 \
 *     -Isrc tests/fuzz/fuzz_machine.c src/machine/[a-z]*.c src/cpu/geometry.c \
 *     src/{account,arch,base}/[a-z]*.c \
 *     build/src/machine/[a-z]*_builtin.c -o fuzz_machine
 *   ./fuzz_machine DIRECTORY tests/fuzz/corpus/machine
 */
#include <string.h>

#include "base/bug.h"
#include "machine/machine.h"

#include "fuzz.h"

static void check_costs(const struct cost_range cost[NR_COSTS])
{
	for (int i = 0; i < NR_COSTS; i++)
		BUG_ON(cost[i].min > cost[i].typ || cost[i].typ > cost[i].max ||
		       cost[i].max > MACHINE_COST_MAX);
}

static int understand(bool is_machine, const struct ini *ini, struct diag *diag)
{
	struct machine_model machine;
	struct hypervisor hv;
	int err;

	if (is_machine) {
		err = machine_from_ini(ini, &machine, diag);
		if (err)
			return err;
		check_costs(machine.cost);
		BUG_ON(cpu_geometry_flaw(&machine.geometry));
		BUG_ON(machine.width < machine.width_min ||
		       machine.width > machine.width_max);
		return 0;
	}
	err = hypervisor_from_ini(ini, &hv, diag);
	if (!err)
		check_costs(hv.cost);
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag diag = {""};
	struct ini ini;
	int err;

	if (!size)
		return 0;
	err = ini_parse((const char *)data + 1, size - 1, "fuzz.ini", &ini,
			&diag);
	if (!err) {
		err = understand(!(data[0] & 1), &ini, &diag);
		ini_finish(&ini);
	}
	if (err)
		BUG_ON(strncmp(diag.msg, "fuzz.ini:", 9) != 0 ||
		       strchr(diag.msg, '\n'));
	return 0;
}
