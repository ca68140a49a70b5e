/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens between two blocks: the clock, devices, interrupts, pauses.
 *
 * The block hook runs before each block and must be cheap; whatever is due is
 * found by one comparison with the deadline.  A deadline that lies inside a
 * block is reached by single steps, so interrupts and pauses come at an exact
 * instruction count, however the code happened to be cut into blocks.
 */
#include <inttypes.h>
#include <stdio.h>

#include "live/hook.h"
#include "live/internal.h"

#define LOOK_INTERVAL 1000000

/* Device events without an interrupt after which HLT is called final. */
#define HALT_EVENTS_MAX 1000

/* The next time at which the guest must not be in the midst of a block. */
static uint64_t exact_deadline(const struct live *live)
{
	uint64_t next = platform_next_event(live->platform);
	uint64_t deadline = live->until;

	if (live->config.max_insns)
		deadline = min_u64(deadline, live->config.max_insns);
	if (next == UINT64_MAX)
		return deadline;
	next = live_cycles_of(live, next);
	if (next <= live_beside(live))
		return 0;
	return min_u64(deadline, next - live_beside(live));
}

bool boundary_is_exact(const struct live *live)
{
	return clock_base(&live->clock) >= exact_deadline(live);
}

static bool irq_wants_poll(const struct live *live)
{
	return live->sink->view->irq_window ||
	       platform_irq_pending(live->platform) != live->irq_seen;
}

void boundary_schedule(struct live *live)
{
	uint64_t deadline = exact_deadline(live);

	if (live->attention)
		deadline = min_u64(deadline, live->next_look);
	if (live->reset_translations || irq_wants_poll(live) ||
	    live->step.reason == STEP_OWN)
		deadline = 0;
	live->clock.deadline = deadline;
}

static bool guest_can_take_irq(const struct live *live)
{
	return (live->vcpu.rflags & RFLAGS_IF) && !live->vcpu.irq_shadow;
}

static void take_irq(struct live *live)
{
	struct trap trap = {.type = EVENT_EXT_INT};

	if (!platform_irq_pending(live->platform))
		return;
	trap.vector = platform_ack(live->platform);
	live->irq_seen = false;
	live_deliver(live, &trap);
}

/* The plain state is loaded.  True: the sink had the interrupt taken. */
static bool push_irq(struct live *live, enum guest_event_kind kind)
{
	struct guest_event ev = env_event(&live->env, kind);
	struct guest_outcome out = {0};
	struct trap trap;

	ev.if_open = guest_can_take_irq(live);
	event_push(live->sink, &ev, &out);
	switch (out.verdict) {
	case GO_TAKE_IRQ:
		take_irq(live);
		return true;
	case GO_FAULT:
		/* One that had been acknowledged comes again. */
		trap = trap_of_outcome(&out);
		live_deliver(live, &trap);
		return true;
	case GO_LATER:
	case GO_DONE:
		return false;
	default:
		env_end(&live->env, &out, 0, " at an interrupt", &live->end);
		live_finish(live);
		return true;
	}
}

/*
 * Tell the sink about a line that has risen and a window that has opened.
 * True: the plain state has changed, or the run is over.
 */
static bool poll_irq(struct live *live)
{
	bool line = platform_irq_pending(live->platform);

	if (line && !live->irq_seen) {
		live->irq_seen = true;
		if (push_irq(live, GE_IRQ))
			return true;
	}
	live->irq_seen = line;
	return live->sink->view->irq_window && guest_can_take_irq(live) &&
	       push_irq(live, GE_IRQ_WINDOW);
}

/* A window that stays shut is the common case; look before loading. */
static bool irq_is_due(const struct live *live)
{
	uint64_t rflags = 0;

	if (!irq_wants_poll(live))
		return false;
	if (platform_irq_pending(live->platform) != live->irq_seen)
		return true;
	uc_reg_read(live->uc, UC_X86_REG_RFLAGS, &rflags);
	return rflags & RFLAGS_IF;
}

static bool attention_wanted(struct live *live)
{
	if (!live->attention || clock_base(&live->clock) < live->next_look)
		return false;
	live->next_look = clock_base(&live->clock) + LOOK_INTERVAL;
	return *live->attention;
}

static bool end_is_due(struct live *live)
{
	return clock_base(&live->clock) >= live->until ||
	       attention_wanted(live) ||
	       (live->config.max_insns &&
		clock_base(&live->clock) >= live->config.max_insns);
}

/* BLOCK hook: Unicorn's rip is out of date there. */
static void enter_block(struct live *live, gva_t pc)
{
	live_enter(live);
	live->vcpu.rip = live_rip_of(live, pc);
}

static void leave_block(struct live *live)
{
	clock_undo(&live->clock);
	live_leave_block(live);
}

/* True: the block that was about to begin has been left. */
static bool irq_at_boundary(struct live *live, gva_t pc)
{
	if (!irq_is_due(live))
		return false;
	enter_block(live, pc);
	if (!poll_irq(live)) {
		live_sync(live);
		return false;
	}
	step_end(live);
	leave_block(live);
	return true;
}

bool boundary_interrupts(struct live *live)
{
	if (live->step.reason == STEP_OWN)
		return false;
	if (live_now(live) >= platform_next_event(live->platform))
		platform_advance(live->platform, live_now(live));
	if (!irq_wants_poll(live) || !poll_irq(live))
		return false;
	step_end(live);
	return true;
}

static void pause_at_boundary(struct live *live, gva_t pc)
{
	enter_block(live, pc);
	step_end(live);
	live_pause(live);
	leave_block(live);
}

/* Something is due, or will be before the block ends.  True as above. */
static bool at_boundary(struct live *live, gva_t pc)
{
	const struct block *block = live->clock.block;

	/*
	 * This one must not be disturbed.  A store over the very instruction
	 * that makes it begins again.
	 */
	if (live->step.reason == STEP_OWN) {
		clock_restart(&live->clock, live->step.base);
		observe_restart(live->observe);
		return false;
	}

	if (live->reset_translations || end_is_due(live)) {
		pause_at_boundary(live, pc);
		return true;
	}
	if (live_now(live) >= platform_next_event(live->platform))
		platform_advance(live->platform, live_now(live));
	if (irq_at_boundary(live, pc))
		return true;
	boundary_schedule(live);

	if (live->step.reason == STEP_NONE &&
	    clock_base(&live->clock) + block->nr > exact_deadline(live)) {
		enter_block(live, pc);
		step_begin(live, STEP_CLOCK);
		leave_block(live);
		return true;
	}
	return false;
}

static void push_retry(struct live *live, gva_t pc)
{
	struct guest_event ev;
	struct guest_outcome out = {0};

	/* The same address in another address space is another place. */
	if (live->retry.cr3 != live->sink->view->cr3)
		return;
	enter_block(live, pc);
	ev = env_event(&live->env, GE_RETRY);
	ev.gva = live->retry.gva;
	ev.rip = live->retry.rip;
	live->retry.pc = NO_RETRY;
	blocks_watch(&live->blocks, NO_RETRY);
	event_push(live->sink, &ev, &out);
	boundary_schedule(live);
}

static void check_stale(struct live *live, gva_t pc, uint32_t size)
{
	uint8_t bytes[BLOCK_BYTES_MAX];
	enum stale_verdict verdict;
	hpa_t hpa;
	size_t n;

	if (!live_translate(live, pc, &hpa))
		return;
	n = live_fetch(live, pc, bytes, (size_t)min_u64(size, sizeof(bytes)));
	verdict = stale_check(&live->stale, pc, hpa, size,
			      discover_hash(bytes, n));
	live->stats.stale_checked += verdict != STALE_UNKNOWN;
	live->stats.stale_blocks += verdict == STALE_STALE;
}

/* All but the hit.  True: the block is going to be executed. */
static cold_path bool begin_block(struct live *live, gva_t pc, uint32_t size)
{
	const struct block *block =
		blocks_find(&live->blocks, pc, (uint16_t)size);

	if (!block || block->ambiguous) {
		block = discover_block(live, pc, size);
		if (!block)
			return false;
	}
	if (clock_enter(&live->clock, block, pc) && at_boundary(live, pc))
		return false;
	if (pc == live->retry.pc)
		push_retry(live, pc);
	if (live->config.check_stale)
		check_stale(live, pc, size);
	return true;
}

static cold_path void pass_boundary(struct live *live, gva_t pc)
{
	at_boundary(live, pc);
}

static void on_block(uc_engine *uc, uint64_t pc, uint32_t size, void *data)
{
	struct live *live = data;
	const struct block *block = blocks_recent(&live->blocks, pc, size);

	(void)uc;
	if (unlikely(!block))
		begin_block(live, pc, size);
	else if (unlikely(clock_enter(&live->clock, block, pc)))
		pass_boundary(live, pc);
}

/* For an observer. */
static void on_block_watched(uc_engine *uc, uint64_t pc, uint32_t size,
			     void *data)
{
	struct live *live = data;
	const struct block *block = blocks_recent(&live->blocks, pc, size);
	bool runs = true;

	(void)uc;
	if (unlikely(!block))
		runs = begin_block(live, pc, size);
	else if (unlikely(clock_enter(&live->clock, block, pc)))
		runs = !at_boundary(live, pc);
	if (runs)
		observe_block(live->observe, live->clock.block);
}

int boundary_create(struct live *live, struct diag *diag)
{
	union hook_fn fn = {.code = live->observe ? on_block_watched
						  : on_block};
	uc_hook hook;

	live->retry.pc = NO_RETRY;
	if (live->config.check_stale)
		blocks_watch_all(&live->blocks);
	if (hook_add(live->uc, UC_HOOK_BLOCK, fn, live, &hook))
		return diag_set(diag, -ENOMEM, "Unicorn refused a hook");
	return 0;
}

/* The plain state is loaded and behind the HLT. */
static void end_halted(struct live *live, const char *why)
{
	live->end =
		(struct live_end){.status = LIVE_HALTED, .rip = live->vcpu.rip};
	snprintf(live->end.line, sizeof(live->end.line),
		 "the guest halted at 0x%" PRIx64 " and %s", live->vcpu.rip,
		 why);
	live_finish(live);
}

static void skip_to(struct live *live, uint64_t time)
{
	uint64_t now = clock_base(&live->clock) + live_beside(live);
	uint64_t then = live_cycles_of(live, time);

	if (then > now)
		live->clock.idle += then - now;
	platform_advance(live->platform, live_now(live));
	live_stamp(live, clock_base(&live->clock));
}

void boundary_halt(struct live *live)
{
	if (!(live->vcpu.rflags & RFLAGS_IF)) {
		end_halted(live, "interrupts are off");
		return;
	}
	for (unsigned int i = 0; i < HALT_EVENTS_MAX; i++) {
		uint64_t next;

		if (live->attention && *live->attention) {
			live_pause(live);
			return;
		}
		if (irq_wants_poll(live) && poll_irq(live)) {
			live->halted = false;
			return;
		}
		next = platform_next_event(live->platform);
		if (next == UINT64_MAX)
			break;
		skip_to(live, next);
	}
	end_halted(live, "no interrupt is to come");
}
