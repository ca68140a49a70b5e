/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The answer to GO_EMULATE: do the instruction at vcpu->rip as the
 * hypervisor's emulator would, telling the sink each store.
 *
 * Operands are read through the guest's own tables without side effects.
 * Left out, and answered by GE_EMULATE_FAILED: anything with x87, MMX, SSE or
 * segment-register operands, far and near calls, ENTER, and the rest of the
 * instruction set that page-table writers do not use.  Segment limits have
 * been checked by the processor before it faulted.
 */
#ifndef NOTRAP_LIVE_EMULATE_H
#define NOTRAP_LIVE_EMULATE_H

#include "live/insn.h"

/* Could it, if the instruction came to a write-protected table? */
bool emulate_can(const struct insn *insn);

/*
 * Fetches and decodes at rip.  INSN_DONE: done, rip advanced; a REP MOVS or
 * STOS has done one iteration and rip stays while more are to come.
 * INSN_NATIVE: GE_EMULATE_FAILED was answered by GO_DONE, execute it again.
 * INSN_FAULT, INSN_END: as in insn.h.  Never INSN_HALT.
 */
enum insn_status emulate_insn(struct live_env *env, struct trap *trap,
			      struct live_end *end);

/*
 * The answer to GO_MMIO: GE_DEVICE, and the instruction at vcpu->rip with the
 * device (platform.h) in the place of memory.  INSN_END with LIVE_ABSENT where
 * it is one that is not known, or a fetch of code.  REP: as above.
 */
struct device_ref;

enum insn_status emulate_device(struct live_env *env,
				const struct device_ref *ref, struct trap *trap,
				struct live_end *end);

#endif
