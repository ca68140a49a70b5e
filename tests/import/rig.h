/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A model guest that writes to a file, what it wrote, and replays of that. */
#ifndef NOTRAP_TESTS_IMPORT_RIG_H
#define NOTRAP_TESTS_IMPORT_RIG_H

#include "import/guest.h"
#include "model.h"
#include "tape.h"

struct rig {
	struct guest *guest;
	struct trace_writer *writer;
	char path[192];
};

void rig_open(struct rig *rig, const char *name,
	      const struct guest_options *options);
/* Ends the guest; stats as they are then.  NULL is fine. */
void rig_close(struct rig *rig, struct guest_stats *stats);

/* The calls of guest.h; each must succeed. */
void rig_switch(struct rig *rig, uint32_t process, uint32_t thread);
void rig_clone(struct rig *rig, uint32_t thread, bool shares_memory);
void rig_exec(struct rig *rig);
void rig_exit(struct rig *rig, uint32_t thread);
void rig_unmap(struct rig *rig, gva_t gva, uint64_t size);
void rig_fault(struct rig *rig, gva_t gva, uint32_t error, gva_t rip);
void rig_execute(struct rig *rig, const struct insn *insn);

/* Where the tests live; FAR has tables of its own. */
#define CODE UINT64_C(0x400000)
#define DATA UINT64_C(0x410000)
#define FAR  UINT64_C(0x7f0000000000)

/* One instruction, at CODE, with one reference. */
void rig_use(struct rig *rig, gva_t gva, bool write);

struct insn insn_of(gva_t pc, uint32_t length);
void insn_add(struct insn *insn, gva_t gva, uint32_t size, bool write);

/* Small and deterministic. */
struct guest_options rig_options(enum trace_granularity granularity);

/* The whole trace, which must be intact. */
void rig_read(const char *path, struct tape *tape);

/*
 * In every generation, with the bypass and without: no difference, and these
 * faults in all of them (digest as of sim_fault_digest()).  Bit i of `audited`:
 * configuration i looks at each table after each exit, which takes its time.
 */
#define RIG_AUDIT_ALL (~0u)

void rig_replay(const char *name, const char *path, uint64_t digest,
		uint32_t audited);
uint64_t rig_digest(const struct tape *tape);

#endif
