/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions that Unicorn reports.  A page fault is pushed as the access that
 * caused it; what the modelled tables allow is installed, the rest is obeyed.
 */
#include <inttypes.h>

#include "arch/exception.h"
#include "live/debug.h"
#include "live/emulate.h"
#include "live/hook.h"
#include "live/internal.h"
#include "live/reach.h"
#include "live/wild.h"

/* Events in a row that do not bring the guest one instruction further. */
#define REPEATS_MAX 1000

#define OPCODE_INT3 0xcc
#define OPCODE_INTO 0xce

/*
 * A repeated string instruction may fault on every page it touches, so RCX is
 * progress, too.  False: live->end says that there is none.
 */
static bool makes_progress(struct live *live, uint32_t vector)
{
	struct progress *progress = &live->progress;
	uint64_t rcx = live->vcpu.gpr[GPR_RCX];

	if (progress->insns != clock_base(&live->clock) ||
	    progress->rcx != rcx) {
		*progress = (struct progress){.insns = clock_base(&live->clock),
					      .rcx = rcx};
		return true;
	}
	if (++progress->repeats < REPEATS_MAX)
		return true;
	live_stop(live,
		  "the guest makes no progress at 0x%" PRIx64
		  ": %d exceptions in a row, the last one vector %" PRIu32,
		  live->vcpu.rip, REPEATS_MAX, vector);
	return false;
}

static bool is_software(const struct trap *trap)
{
	return trap->type == EVENT_SOFT_INT || trap->type == EVENT_SOFT_EXC ||
	       trap->type == EVENT_PRIV_SW_EXC;
}

bool live_deliver(struct live *live, const struct trap *trap)
{
	const struct guest_view *view = live->sink->view;

	if (trap->vector == EXC_PF && trap->type == EVENT_HW_EXC) {
		live->retry = (struct retry){.pc = live_pc(live),
					     .gva = view->cr2,
					     .rip = live->vcpu.rip,
					     .cr3 = view->cr3};
		blocks_watch(&live->blocks, live->retry.pc);
	}
	/* A string instruction that is interrupted is not complete. */
	clock_undo(&live->clock);
	if (!deliver_event(&live->env, trap, &live->end)) {
		live_finish(live);
		return false;
	}
	if (is_software(trap))
		clock_retire(&live->clock);
	return true;
}

/* `out` answered an exception or an access by other than GO_DONE. */
static void obey_outcome(struct live *live, const struct guest_outcome *out,
			 gva_t gva, uint8_t insn_len)
{
	struct trap trap;

	if (out->verdict != GO_FAULT) {
		env_end(&live->env, out, gva, "", &live->end);
		live_finish(live);
		return;
	}
	trap = trap_of_outcome(out);
	if (is_software(&trap))
		trap.insn_len = insn_len;
	live_deliver(live, &trap);
}

void live_obey_insn(struct live *live, enum insn_status status,
		    const struct trap *trap, uint64_t rip_before)
{
	/* Unchanged: a repeated string instruction under way, or a fault. */
	if (live->vcpu.rip != rip_before)
		clock_retire(&live->clock);
	live_stamp(live, clock_base(&live->clock));

	switch (status) {
	case INSN_DONE:
	case INSN_NATIVE:
		break;
	case INSN_FAULT:
		live_deliver(live, trap);
		break;
	case INSN_HALT:
		live->halted = true;
		boundary_halt(live);
		break;
	case INSN_END:
		live_finish(live);
		break;
	}
}

void live_raise(struct live *live, uint8_t vector, uint32_t error)
{
	struct guest_outcome out = {0};

	env_raise(&live->env, vector, error, &out);
	if (out.verdict != GO_DONE)
		obey_outcome(live, &out, 0, 0);
}

/* Bytes at the plain state's rip; returns how many. */
static size_t fetch_insn(const struct live *live, uint8_t *bytes)
{
	return live_fetch(live, live_pc(live), bytes, INSN_BYTES_MAX);
}

/*
 * Unicorn translates ahead: a block that runs into a page it may not fetch
 * from faults at its first instruction.  Does that one really need the page?
 */
static bool fetch_is_early(const struct live *live, gva_t gva)
{
	gva_t pc = live_pc(live);
	size_t here = (size_t)(PAGE_SIZE - (pc & PAGE_MASK));
	uint8_t bytes[INSN_BYTES_MAX];
	struct insn insn;
	size_t n;

	if ((gva ^ pc) < PAGE_SIZE || live->step.reason != STEP_NONE)
		return false;
	n = fetch_insn(live, bytes);
	n = (size_t)min_u64(n, here);
	return n && decode_one(env_code_mode(&live->env), bytes, n, &insn);
}

/* Read-modify-write instructions are reported as reads. */
static bool fault_is_write(const struct live *live, gva_t gva)
{
	uint8_t bytes[INSN_BYTES_MAX];
	size_t n = fetch_insn(live, bytes);
	struct insn insn;

	return n && decode_one(env_code_mode(&live->env), bytes, n, &insn) &&
	       insn_rmw_covers(&insn, &live->vcpu, gva);
}

/*
 * The access as the sink is told it.  A fault that is a supervisor's while CPL
 * is 3 is implicit; below CPL 3 every data access counts as explicit
 * (docs/limits.md), as it does for Unicorn.
 */
static uint32_t access_of(const struct live *live,
			  const struct hidden_event *hw_ev)
{
	uint32_t access = hw_ev->error & (PFEC_W | PFEC_U | PFEC_ID);

	if (access & PFEC_ID)
		return access;
	if (!(access & PFEC_W) && fault_is_write(live, hw_ev->cr2))
		access |= PFEC_W;
	if (!(access & PFEC_U))
		access |= env_access(&live->env) & ACCESS_AC;
	return access;
}

/* Does the instruction at rip lie, if only in part, in this frame? */
static bool executes_in(const struct live *live, gfn_t gfn)
{
	gva_t pc = live_pc(live);
	uint8_t bytes[INSN_BYTES_MAX];
	size_t n = fetch_insn(live, bytes);
	struct insn insn;
	hpa_t first, last;

	if (!n || !decode_one(env_code_mode(&live->env), bytes, n, &insn))
		return false;
	if (!live_translate(live, pc, &first) ||
	    !live_translate(live, pc + insn.length - 1, &last))
		return false;
	return first >> PAGE_SHIFT == gfn || last >> PAGE_SHIFT == gfn;
}

static void open_own_frame(struct live *live, entry_t entry)
{
	if (live->step.reason != STEP_OWN) {
		step_end(live);
		step_begin(live, STEP_OWN);
		live->stats.own_frame_steps++;
	}
	step_open(live, entry);
}

/*
 * The sink allows the access.  If only W^X stands in the way of the installed
 * twin, turn the frame round.
 */
static void resolve(struct live *live, gva_t gva, uint32_t access)
{
	entry_t entry;
	uint32_t turn;
	gfn_t gfn;

	live_install(live);
	if (!live_find_twin(live, gva, &entry))
		return;
	turn = install_turn_helps(&live->install, entry, access);
	if (!turn)
		return;
	live->stats.artifact_faults++;
	gfn = (install_twin(&live->install, entry) & PTE_ADDR) >> PAGE_SHIFT;
	if (turn == PFEC_ID)
		live_make_code(live, gfn);
	else if (executes_in(live, gfn))
		open_own_frame(live, entry);
	else
		live_make_data(live, gfn);
}

static void emulate(struct live *live)
{
	uint64_t rip = live->vcpu.rip;
	enum insn_status status;
	struct trap trap;

	step_end(live);
	status = emulate_insn(&live->env, &trap, &live->end);
	live_obey_insn(live, status, &trap, rip);
}

static void emulate_for(struct live *live, const struct guest_event *ev,
			gpa_t gpa)
{
	struct device_ref ref = {
		.gva = ev->gva, .gpa = gpa, .access = ev->access};
	uint64_t rip = live->vcpu.rip;
	enum insn_status status;
	struct trap trap;

	step_end(live);
	status = emulate_device(&live->env, &ref, &trap, &live->end);
	live_obey_insn(live, status, &trap, rip);
}

/*
 * Unicorn 2.1.1 makes two loads of one that crosses a page's end, of code too,
 * and for the time it takes tells nobody of stores.  A fault on the second
 * leaves it so, until it is started again.
 */
static bool has_gone_quiet(const struct live *live,
			   const struct hidden_event *hw_ev)
{
	return live->observe && !(hw_ev->cr2 & PAGE_MASK) &&
	       !(hw_ev->error & PFEC_W);
}

static void page_fault(struct live *live, const struct hidden_event *hw_ev)
{
	struct guest_event ev = env_event(&live->env, GE_ACCESS);
	struct guest_outcome out = {0};

	ev.gva = hw_ev->cr2;
	ev.size = 1;
	ev.access = access_of(live, hw_ev);
	observe_fault(live->observe);
	event_push(live->sink, &ev, &out);

	switch (out.verdict) {
	case GO_DONE:
		/* An instruction that cannot be fetched has not begun. */
		if (!(ev.access & PFEC_ID))
			observe_restart(live->observe);
		resolve(live, ev.gva, ev.access);
		break;
	case GO_EMULATE:
		emulate(live);
		break;
	case GO_MMIO:
		emulate_for(live, &ev, out.gpa);
		break;
	default:
		step_end(live);
		obey_outcome(live, &out, ev.gva, 0);
		break;
	}
}

static void on_page_fault(struct live *live, const struct hidden_event *hw_ev)
{
	gva_t pc = live_pc(live);

	if (hw_ev->error & PFEC_ID) {
		clock_complete(&live->clock, pc);
	} else {
		observe_insn(live->observe, pc);
		clock_leave(&live->clock, &live->blocks, pc);
	}
	live_stamp(live, clock_base(&live->clock));

	if (!makes_progress(live, EXC_PF))
		return;
	/* Unicorn fetches first; a processor looks for interrupts first. */
	if ((hw_ev->error & PFEC_ID) && boundary_interrupts(live))
		return;
	if ((hw_ev->error & PFEC_ID) && fetch_is_early(live, hw_ev->cr2)) {
		live->stats.fetch_repairs++;
		step_begin(live, STEP_FETCH);
		return;
	}
	page_fault(live, hw_ev);
}

/*
 * Of the instruction of the present block that ends at pc: INT n and INT3 are
 * the last one, INTO may stand anywhere.
 */
static uint8_t length_before(const struct live *live, gva_t pc)
{
	const struct block *block = live->clock.block;
	uint16_t nr;

	if (block->nr &&
	    block_insns_before(&live->blocks, block, pc - block->pc, &nr) && nr)
		return block_length(&live->blocks, block, (uint16_t)(nr - 1));
	return 2;
}

/* INT n, INT3, INTO.  `behind`: rip is that of the next instruction. */
static void on_soft_int(struct live *live, uint32_t vector, bool behind)
{
	struct guest_event ev;
	struct guest_outcome out = {0};
	uint8_t length = 2;
	uint8_t opcode = 0;

	step_end(live);
	if (behind) {
		length = length_before(live, live_pc(live));
		live->vcpu.rip = live_rip_of(live, live_pc(live) - length);
	}
	observe_insn(live->observe, live_pc(live));
	clock_leave(&live->clock, &live->blocks, live_pc(live));
	live_stamp(live, clock_base(&live->clock));
	if (!makes_progress(live, vector))
		return;
	live_fetch(live, live_pc(live), &opcode, 1);

	ev = env_event(&live->env, GE_SOFT_INT);
	ev.vector = (uint8_t)vector;
	ev.insn_len = length;
	ev.type = opcode == OPCODE_INT3 || opcode == OPCODE_INTO
			  ? EVENT_SOFT_EXC
			  : EVENT_SOFT_INT;
	event_push(live->sink, &ev, &out);
	if (out.verdict != GO_DONE)
		obey_outcome(live, &out, 0, length);
}

/* #GP at a branch's target: it is the branch's, which has not been taken. */
static void undo_branch(struct live *live)
{
	const struct block *block = live->clock.block;
	uint64_t *rsp = &live->vcpu.gpr[GPR_RSP];
	uint8_t bytes[INSN_BYTES_MAX];
	uint8_t length;
	gva_t pc;

	if (!block->nr)
		return;
	length = block_length(&live->blocks, block, (uint16_t)(block->nr - 1));
	pc = block->pc + block->size - length;
	if (live_fetch(live, pc, bytes, length) == length &&
	    wild_undo_branch(bytes, length, rsp))
		live->vcpu.rip = pc;
}

/* Unicorn's #GP for an address of 64-bit code that is not canonical. */
static uint32_t wild_vector(struct live *live)
{
	uint8_t bytes[INSN_BYTES_MAX];

	if (env_code_mode(&live->env) != CODE_64)
		return EXC_GP;
	if (!env_is_canonical(&live->env, live->vcpu.rip)) {
		undo_branch(live);
		return EXC_GP;
	}
	return wild_by_stack(&live->env, bytes, fetch_insn(live, bytes))
		       ? EXC_SS
		       : EXC_GP;
}

/* A fault of an instruction of the present block, at rip. */
static void on_exception(struct live *live, uint32_t vector, uint32_t error)
{
	if (vector == EXC_GP && !error)
		vector = wild_vector(live);
	observe_insn(live->observe, live_pc(live));
	clock_leave(&live->clock, &live->blocks, live_pc(live));
	live_stamp(live, clock_base(&live->clock));
	step_end(live);
	if (makes_progress(live, vector))
		live_raise(live, (uint8_t)vector, error);
}

/* The single-step trap: ours, the guest's, or both. */
static void on_debug(struct live *live)
{
	bool guest_tf = true;
	enum step_reason reason = live->step.reason;

	clock_complete(&live->clock, live_pc(live));
	live_stamp(live, clock_base(&live->clock));
	if (reason != STEP_NONE) {
		guest_tf = live->step.guest_tf;
		step_end(live);
	}
	if (guest_tf) {
		live->vcpu.dr[6] |= DR6_BS;
		live_raise(live, EXC_DB, 0);
	} else if (reason == STEP_CLOCK && !boundary_is_exact(live)) {
		step_begin(live, STEP_CLOCK);
	}
}

static void on_interrupt(uc_engine *uc, uint32_t vector, void *data)
{
	struct live *live = data;
	struct hidden_event ev;

	(void)uc;
	/* Done with in on_invalid(), which Unicorn 2.1.1 calls first. */
	if (vector == EXC_UD || live->ended)
		return;
	live->step.done = vector == EXC_DB;
	live_enter(live);
	ev = hidden_event(live->hidden);
	if (ev.is_int)
		on_soft_int(live, vector, true);
	else if (vector == EXC_PF)
		on_page_fault(live, &ev);
	else if (vector == EXC_DB)
		on_debug(live);
	else
		on_exception(live, vector, ev.error);
	live_leave(live);
	if (vector == EXC_PF && !ev.is_int && has_gone_quiet(live, &ev))
		live_start_again(live);
}

static bool on_invalid(uc_engine *uc, void *data)
{
	struct live *live = data;

	(void)uc;
	live->step.done = false;
	live_enter(live);
	if (hidden_event(live->hidden).is_int)
		on_soft_int(live, EXC_UD, false);
	else
		on_exception(live, EXC_UD, 0);
	live_leave(live);
	return true;
}

int fault_create(struct live *live, struct diag *diag)
{
	uc_hook hook;

	if (hook_add(live->uc, UC_HOOK_INTR,
		     (union hook_fn){.intr = on_interrupt}, live, &hook) ||
	    hook_add(live->uc, UC_HOOK_INSN_INVALID,
		     (union hook_fn){.invalid = on_invalid}, live, &hook))
		return diag_set(diag, -ENOMEM, "Unicorn refused a hook");
	return 0;
}
