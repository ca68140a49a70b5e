/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest for event delivery: page tables in the format of its mode, a few
 * pages that differ in what a reference to them meets, and nothing else.  All
 * addresses are below 4 GiB, so that every mode has them.
 */
#ifndef NOTRAP_TESTS_SIM_DELIVER_RIG_H
#define NOTRAP_TESTS_SIM_DELIVER_RIG_H

#include "sim/sim.h"

enum rig_mode { RIG_LONG, RIG_PAE, RIG_32, NR_RIG_MODES };

#define RIG_RAM (UINT64_C(4) << 20)

/* Their page table is shadowed: absent entries hold notrap if there is one. */
#define RIG_STACK     UINT64_C(0x40000000) /* mapped, in the shadow */
#define RIG_HIDDEN    UINT64_C(0x40001000) /* mapped, not in the shadow */
#define RIG_ABSENT    UINT64_C(0x40002000)
#define RIG_READONLY  UINT64_C(0x40003000) /* for the supervisor too: WP=1 */
#define RIG_TABLE     UINT64_C(0x40004000) /* maps a shadowed page table */
#define RIG_ABSENT2   UINT64_C(0x40005000)
#define RIG_READONLY2 UINT64_C(0x40006000)
#define RIG_SPARE     UINT64_C(0x40007000) /* absent */
#define RIG_JUNK      UINT64_C(0x40008000) /* absent, all other bits set */
#define RIG_RESERVED  UINT64_C(0x40009000) /* mapped, beyond MAXPHYADDR */
#define RIG_IGNORED   UINT64_C(0x4000a000) /* mapped, bit 58 set */
#define RIG_NX        UINT64_C(0x4000b000) /* mapped, bit 63 set */
#define RIG_SELF      UINT64_C(0x4000c000) /* maps its own table, next absent */
#define RIG_TABLE2    UINT64_C(0x4000e000) /* as RIG_TABLE, next read-only */
#define RIG_READONLY3 UINT64_C(0x4000f000)
#define RIG_USER      UINT64_C(0x40010000) /* mapped, for user code too */
#define RIG_USER_RO   UINT64_C(0x40011000)
#define RIG_KEYED     UINT64_C(0x40012000) /* as RIG_USER; long mode: key 3 */
/* Nobody has been here: the tables above have no shadow for this part. */
#define RIG_COLD  UINT64_C(0x41000000) /* absent */
#define RIG_COLD2 UINT64_C(0x41001000) /* absent */
/* The page table of RIG_TABLE. */
#define RIG_OTHER UINT64_C(0x42000000) /* mapped, in the shadow */
/* The entry above grants neither W nor U; the table is shadowed, and not. */
#define RIG_DENIED      UINT64_C(0x43000000) /* absent */
#define RIG_DENIED_COLD UINT64_C(0x44000000) /* absent */

struct rig {
	enum rig_mode mode;
	bool nxe;
	uint64_t cr4; /* beyond what the mode takes */
	struct mem *mem;
	struct sim *sim;
	struct event_sink *sink;
	gpa_t next_frame;
	gpa_t root;
	uint64_t insns;
};

/*
 * nxe: EFER.NXE.  Paging is on and the shadow as the names above say when it
 * returns.  False: this configuration cannot be run (an unknown generation, a
 * mode that is not there).
 */
bool rig_start(struct rig *r, enum rig_mode mode, bool nxe, const char *config);
/* With these bits of CR4, too. */
bool rig_start_cr4(struct rig *r, enum rig_mode mode, bool nxe, uint64_t cr4,
		   const char *config);
void rig_end(struct rig *r); /* checks sim_check() and the audit, too */

const char *rig_mode_name(enum rig_mode mode);

struct guest_outcome rig_push(struct rig *r, struct guest_event ev);
struct guest_outcome rig_access(struct rig *r, gva_t gva, uint32_t access);

/* Tables are made without an event, so only before anything shadows them. */
void rig_map(struct rig *r, gva_t gva, uint64_t pte);
gpa_t rig_entry(const struct rig *r, gva_t gva, int level);
uint64_t rig_read(const struct rig *r, gpa_t entry);
void rig_write(struct rig *r, gpa_t entry, uint64_t val);
gpa_t rig_frame(struct rig *r);

/* GE_DELIVER for what an outcome, or the guest itself, asks to deliver. */
void rig_begin(struct rig *r, const struct guest_outcome *event,
	       uint8_t insn_len);
/* The references of a delivery that meets nothing, and its end. */
void rig_complete(struct rig *r);

static inline uint64_t rig_counter(const struct rig *r, enum counter_id id)
{
	return sim_account(r->sim)->counter[id];
}

#endif
