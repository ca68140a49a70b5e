/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One live engine, shared by the files that make it up:
 *   engine.c    create, run, pause, end
 *   discover.c  translation: blocks and sensitive instructions
 *   boundary.c  between two blocks: clock, devices, interrupts, pauses, HLT
 *   fault.c     exceptions that Unicorn reports
 *   step.c      single steps behind the guest's back
 *   sync.c      what the sink and memory say, into Unicorn
 *
 * Every hook follows one pattern: enter (load the plain state), work on it
 * through env, leave (bring Unicorn up to date, store the state); light.c does
 * it with less of the state.
 */
#ifndef NOTRAP_LIVE_INTERNAL_H
#define NOTRAP_LIVE_INTERNAL_H

#include <unicorn/unicorn.h>

#include "live/blocks.h"
#include "live/clock.h"
#include "live/decode.h"
#include "live/deliver.h"
#include "live/env.h"
#include "live/hidden.h"
#include "live/hw.h"
#include "live/insn.h"
#include "live/install.h"
#include "live/live.h"
#include "live/moving_hook.h"
#include "live/observe.h"
#include "live/scratch.h"
#include "live/sites.h"
#include "live/stale.h"
#include "live/testing.h"

enum step_reason {
	STEP_NONE,
	STEP_CLOCK, /* towards the deadline, one after another */
	STEP_FETCH, /* towards an instruction that crosses into a page */
	STEP_OWN,   /* one store into the frame the instruction lies in */
};

#define STEP_FRAMES_MAX 2

struct step {
	enum step_reason reason;
	bool done;     /* the instruction is complete */
	uint64_t base; /* instructions completed before it */
	bool guest_tf; /* the guest's own TF while ours is set */
	bool hides_tf; /* the instruction pushes RFLAGS */
	bool loads_tf; /* the instruction pops RFLAGS */
	uint32_t nr_frames;
	gfn_t frame[STEP_FRAMES_MAX]; /* STEP_OWN: writable and executable */
};

/* The last page fault delivered to the guest, until it is tried again. */
#define NO_RETRY UINT64_MAX

struct retry {
	gva_t pc; /* linear; NO_RETRY: nothing to report */
	gva_t gva, rip;
	uint64_t cr3;
};

/* The last exception: the next must come later. */
struct progress {
	uint64_t insns;
	uint64_t rcx;
	uint32_t repeats;
};

/* Since the last reset. */
struct translations {
	uint32_t nr;
	uint64_t code_bytes; /* estimated */
};

struct live {
	struct live_config config;
	struct mem *mem;
	struct platform *platform;
	struct event_sink *sink;

	uc_engine *uc;
	struct scratch scratch;
	struct hidden *hidden;
	struct hw hw;

	struct vcpu vcpu;
	struct live_env env;
	bool seen_view;
	uint32_t mode_changes; /* of the view, when hw was last set */

	struct blocks blocks;
	struct sites sites;
	/*
	 * Counts what may put other bytes where code was found: a flush, which
	 * follows each change of root, of a mapping, and of code.
	 */
	uint64_t code_epoch;
	struct moving_hook code_hook;
	struct clock clock;
	struct install install;
	struct stale stale;
	struct translations translations;
	struct observe *observe; /* NULL: nobody watches */
	struct step step;
	struct retry retry;
	struct progress progress;
	bool irq_seen; /* GE_IRQ has been pushed for the present level */

	bool running; /* inside uc_emu_start() */
	bool halted;
	bool ended;  /* end is final */
	bool paused; /* end says LIVE_PAUSED; the guest goes on later */
	bool reset_translations; /* wanted as soon as no code runs */
	bool start_again;        /* Unicorn was stopped for a new start */
	struct live_end end;

	/* Of the present live_run(). */
	uint64_t until;
	const volatile int *attention;
	uint64_t next_look; /* at *attention */

	struct live_knobs knobs;
	struct live_stats stats;
};

/* engine.c */

/* The run is over for good, or until called again; both stop Unicorn. */
void live_finish(struct live *live); /* live->end has been filled in */
void live_pause(struct live *live);

/* In a hook: Unicorn shall begin anew, with the state as it is then. */
void live_start_again(struct live *live);
__attribute__((format(printf, 2, 3))) void live_stop(struct live *live,
						     const char *fmt, ...);

/* The linear address of the next instruction. */
static inline gva_t live_pc(const struct live *live)
{
	const struct vcpu *vcpu = &live->vcpu;

	if (env_code_mode(&live->env) == CODE_64)
		return vcpu->rip;
	return (uint32_t)(vcpu->seg[SEG_CS].base + vcpu->rip);
}

/* The rip that goes with a linear address, in the loaded state. */
static inline uint64_t live_rip_of(const struct live *live, gva_t pc)
{
	const struct vcpu *vcpu = &live->vcpu;

	if (env_code_mode(&live->env) == CODE_64)
		return pc;
	return (uint32_t)(pc - vcpu->seg[SEG_CS].base);
}

/* Cycles beside those of instructions; 1 ns each unless config.mhz is set. */
static inline uint64_t live_beside(const struct live *live)
{
	return live->clock.idle +
	       (live->config.mhz ? live->sink->view->spent : 0);
}

static inline uint64_t live_ns_of(const struct live *live, uint64_t cycles)
{
	uint64_t mhz = live->config.mhz;

	return mhz ? cycles / mhz * 1000 + cycles % mhz * 1000 / mhz : cycles;
}

/* The first cycle at which so many nanoseconds are over. */
static inline uint64_t live_cycles_of(const struct live *live, uint64_t ns)
{
	uint64_t mhz = live->config.mhz;

	return mhz ? ns / 1000 * mhz + (ns % 1000 * mhz + 999) / 1000 : ns;
}

static inline uint64_t live_now(const struct live *live)
{
	return live_ns_of(live, clock_base(&live->clock) + live_beside(live));
}

/* sync.c */

/* Load the plain state; env is stamped with the clock. */
void live_enter(struct live *live);
void live_stamp(struct live *live, uint64_t insns);

/*
 * After the sink was asked or RAM was written: drop the translations of
 * written code, install what changed, set control registers, flush.
 */
void live_sync(struct live *live);

/* The part of live_sync() that brings the twins up to date. */
void live_install(struct live *live);

/* live_sync(), then give Unicorn the plain state. */
void live_leave(struct live *live);

/* The same in a BLOCK or CODE hook: the block is left, too. */
void live_leave_block(struct live *live);

/* Drop a code frame's translations and turn it into a data frame. */
void live_make_data(struct live *live, gfn_t gfn);
void live_make_code(struct live *live, gfn_t gfn);
void live_drop_frame(struct live *live, gfn_t gfn);

/* The leaf twin for gva under the present root. */
bool live_find_twin(const struct live *live, gva_t gva, entry_t *ret);

/* Where Unicorn finds the byte, whatever the rights. */
bool live_translate(const struct live *live, gva_t gva, hpa_t *ret);

/*
 * Bytes of code as the processor sees them; returns how many of the n are
 * mapped.
 */
size_t live_fetch(const struct live *live, gva_t pc, uint8_t *ret, size_t n);

/* discover.c */

/* What Unicorn's code buffer is set to. */
#define DISCOVER_BUFFER (UINT32_C(256) << 20)

int discover_create(struct live *live, struct diag *diag);
void discover_destroy(struct live *live);

/* Full flush; only while no code runs. */
void discover_reset(struct live *live);

/*
 * BLOCK hook: the block that lies at pc now, when it is ambiguous or was never
 * seen.  NULL: the run is over.
 */
const struct block *discover_block(struct live *live, gva_t pc, uint32_t size);

uint32_t discover_hash(const uint8_t *bytes, size_t n);

/* fault.c */

int fault_create(struct live *live, struct diag *diag);

/*
 * Deliver a trap at the plain state's rip.  False: the guest is at its end,
 * and live->end has been filled in.
 */
bool live_deliver(struct live *live, const struct trap *trap);

/* An exception of the instruction at the plain state's rip. */
void live_raise(struct live *live, uint8_t vector, uint32_t error);

/* Obey what insn_execute() or emulate_insn() returned; not INSN_NATIVE. */
void live_obey_insn(struct live *live, enum insn_status status,
		    const struct trap *trap, uint64_t rip_before);

/* boundary.c */

int boundary_create(struct live *live, struct diag *diag);

/* Deadlines may have moved. */
void boundary_schedule(struct live *live);

/* The clock has reached an exact deadline: no need to step further. */
bool boundary_is_exact(const struct live *live);

/*
 * The plain state is loaded and before an instruction that has not begun.
 * True: an interrupt was due and has been taken, or the run is over.
 */
bool boundary_interrupts(struct live *live);

/*
 * Wait for an interrupt after HLT.  The guest runs on unless live->paused or
 * live->ended.
 */
void boundary_halt(struct live *live);

/* step.c */

/* The plain state is loaded; its next instruction is to be the only one. */
void step_begin(struct live *live, enum step_reason reason);

/* live_enter(): show the guest's TF, not ours. */
void step_hide(struct live *live);

/*
 * STEP_OWN: let the instruction write through this twin to a frame that it
 * lies in itself.
 */
void step_open(struct live *live, entry_t entry);

/* The step is over: complete (done is set) or given up. */
void step_end(struct live *live);

#endif
