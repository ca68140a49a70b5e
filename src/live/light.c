/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/light.h"

#include "live/internal.h"

static bool is_light(const struct live *live, const struct site *site)
{
	enum insn_op op = site->insn.op;

	return (op == OP_RDTSC || op == OP_RDTSCP || op == OP_PAUSE) &&
	       site->epoch == live->code_epoch &&
	       live->step.reason == STEP_NONE &&
	       !(live->vcpu.dr[7] & BITS(7, 0)) &&
	       hidden_is_plain(live->hidden, site->insn.mode);
}

bool light_execute(struct live *live, const struct site *site, gva_t pc)
{
	struct vcpu *vcpu = &live->vcpu;
	enum insn_status status;
	struct trap trap;
	uint64_t rip;

	if (!is_light(live, site))
		return false;
	hidden_load_registers(live->hidden, vcpu);
	rip = vcpu->rip;
	live_stamp(live, clock_at(&live->clock, &live->blocks, pc));
	status = insn_execute(&live->env, &site->insn, &trap, &live->end);
	if (status != INSN_DONE)
		live_enter(live); /* a delivery looks at everything */
	clock_leave(&live->clock, &live->blocks, pc);
	live_obey_insn(live, status, &trap, rip);
	if (status != INSN_DONE) {
		live_leave_block(live);
		return true;
	}
	live_sync(live);
	hidden_store_registers(live->hidden, vcpu);
	boundary_schedule(live);
	uc_reg_write(live->uc, UC_X86_REG_RIP, &vcpu->rip);
	return true;
}
