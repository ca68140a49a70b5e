/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel command line: one workload and key=value words, in any order.
 * The list of both is in cmdline.c and README.md.
 */
#ifndef MINI_CMDLINE_H
#define MINI_CMDLINE_H

#include "common/types.h"

enum workload {
	WORK_HELLO,
	WORK_TOUCH,
	WORK_FORK,
	WORK_SWITCH,
	WORK_MMAP,
	WORK_MIXED,
	WORK_SPIN,
	WORK_TRIPLE,
	WORK_WILD,
	WORK_ABSENT,
	WORK_TABLES,
	WORK_RIGHTS,
	WORK_STRIDE,
	WORK_COUNT,
};

enum key {
	KEY_HZ,
	KEY_TIMER,
	KEY_DIRECT,
	KEY_WARM,
	KEY_PAGES,
	KEY_RW,
	KEY_BY,
	KEY_AGAIN,
	KEY_POPULATE,
	KEY_PROCS,
	KEY_SIZE,
	KEY_EXEC,
	KEY_ROUNDS,
	KEY_SEED,
	KEY_STRIDE,
	KEY_MODE,
	KEY_NX,
	KEY_SMEP,
	KEY_SMAP,
	KEY_PKU,
	KEY_PCID,
	KEY_INVPCID,
	KEY_GLOBAL,
	KEY_COUNT,
};

#define DIRECT_4K  0
#define DIRECT_2M  1
#define MODE_57    1
#define RW_WRITE   0
#define RW_READ    1
#define BY_USER    0
#define BY_KERNEL  1
#define TIMER_APIC 1
#define WARM_AUTO  (~0ull) /* as many frames as the workload needs */
#define WARM_MAX   (WARM_AUTO - 1)

struct config {
	enum workload workload;
	u64 val[KEY_COUNT];
};

/* Takes line apart (and changes it).  A mistake is one line and exit 2. */
void cmdline_parse(char *line, struct config *ret);

/* One line: the workload and the keys that matter to it. */
void cmdline_print(const struct config *config);

#endif
