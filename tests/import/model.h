/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the model guest has to do, said another way: no page tables and no
 * frames, a state for each of a few pages in each address space.  It predicts
 * each page fault by address and error code.
 */
#ifndef NOTRAP_TESTS_IMPORT_MODEL_H
#define NOTRAP_TESTS_IMPORT_MODEL_H

#include "import/guest.h"

/* Three regions of 64 pages; the first two are neighbours in two tables. */
#define REGION_PAGES 64
#define NR_REGIONS   3
#define NR_PAGES     (NR_REGIONS * REGION_PAGES)
#define NR_TASKS     7 /* by thread number, 0 is nobody */
#define NR_SPACES    (NR_TASKS + 2)

enum page_state {
	ABSENT,
	FILE_PAGE, /* read-only */
	ANON_RO,
	ANON_RW,
};

/* A fetch, then data. */
struct insn {
	struct guest_ref ref[1 + GUEST_DATA_MAX];
	uint32_t nr;
};

struct model_fault {
	gva_t gva;
	uint32_t error;
};

struct model {
	uint32_t fault_around;
	uint8_t page[NR_SPACES][NR_PAGES];
	struct {
		int space; /* -1: no such task */
		bool has_run;
	} task[NR_TASKS];
	uint32_t now; /* 0: nobody */
	struct model_fault fault[20000];
	uint32_t nr;
};

extern const gva_t region_base[NR_REGIONS];

void model_init(struct model *m, uint32_t fault_around);
void model_switch(struct model *m, uint32_t process, uint32_t thread);
void model_clone(struct model *m, uint32_t thread, bool shares_memory);
void model_exec(struct model *m);
void model_exit(struct model *m, uint32_t thread);
void model_unmap(struct model *m, gva_t gva, uint64_t size);
void model_execute(struct model *m, const struct insn *insn);
void model_fault(struct model *m, gva_t gva, uint32_t error, gva_t rip);

#endif
