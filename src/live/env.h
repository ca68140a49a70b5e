/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the Unicorn-free half of src/live works on: the plain CPU state, the
 * sink, memory and devices, and the small results they share.
 *
 * The engine fills the struct once, loads *vcpu and sets `insns` before each
 * call, and stores *vcpu back after it.  Nothing here knows Unicorn.
 */
#ifndef NOTRAP_LIVE_ENV_H
#define NOTRAP_LIVE_ENV_H

#include "arch/cpu_features.h"
#include "arch/cpu_profile.h"
#include "arch/cr.h"
#include "event/event.h"
#include "live/vcpu.h"
#include "mem/mem.h"
#include "platform/msr.h"

struct live_end;
struct platform;

/*
 * Frames of guest RAM whose bytes this half (or the sink, for a GE_STORE) has
 * changed behind the back of translated code.  The engine drops their
 * translations and sets nr and overflow to 0 before the guest runs on.
 */
#define WRITTEN_MAX 16

struct written_frames {
	gfn_t gfn[WRITTEN_MAX]; /* no duplicates */
	uint32_t nr;
	bool overflow; /* there were more: take every frame as written */
};

struct live_env {
	struct vcpu *vcpu;
	struct event_sink *sink;
	struct mem *mem;
	struct platform *platform;
	uint64_t insns; /* stamped on every event */
	uint64_t now;   /* virtual time, ns: devices */
	uint64_t tsc;   /* TSC - tsc_offset */
	bool vendor_amd;
	bool no_nx;         /* CPUID has no NX */
	uint8_t maxphyaddr; /* CPUID 0x80000008 */
	uint32_t features;  /* FEATURE_*, and the profile */
	struct msrs msrs;
	struct written_frames written;
	gva_t gva; /* of the last reference lin.c has pushed */
};

/* Something to be delivered through the guest's IDT. */
struct trap {
	uint8_t vector;
	uint8_t type; /* enum event_type */
	bool has_error;
	uint32_t error;
	/*
	 * INT n, INT3, INTO, INT1: vcpu->rip is that of the instruction, and
	 * rip + insn_len is pushed.  0 for everything else: rip is pushed.
	 */
	uint8_t insn_len;
};

static inline uint64_t env_efer_lma(const struct live_env *env)
{
	return env->sink->view->efer & EFER_LMA;
}

static inline enum code_mode env_code_mode(const struct live_env *env)
{
	return vcpu_code_mode(env->vcpu, env_efer_lma(env));
}

static inline const struct cpu_profile *env_profile(const struct live_env *env)
{
	return cpu_profile(profile_of(env->features));
}

static inline bool env_has(const struct live_env *env, uint64_t feature)
{
	return env->features & feature;
}

/* An address that code or data may be at, in long mode. */
static inline bool env_is_canonical(const struct live_env *env, gva_t gva)
{
	return is_canonical_in(gva, env->sink->view->cr4 & CR4_LA57 ? 57 : 48);
}

/*
 * An address that a register may hold, the bases of segments among them: what
 * counts is what the processor has, whatever CR4.LA57 says.  Found on hardware
 * (Linux 9245fd6b8531).
 */
static inline bool env_may_hold(const struct live_env *env, gva_t gva)
{
	return is_canonical_in(gva, env_has(env, FEATURE_LA57) ? 57 : 48);
}

/* What else an explicit data access of the present instruction is. */
static inline uint32_t env_access(const struct live_env *env)
{
	const struct vcpu *vcpu = env->vcpu;

	if (vcpu->cpl == 3)
		return PFEC_U;
	if ((vcpu->rflags & RFLAGS_AC) && (env->sink->view->cr4 & CR4_SMAP))
		return ACCESS_AC;
	return 0;
}

/* An event of this kind with rip, cpl and the clock filled in. */
static inline struct guest_event env_event(const struct live_env *env,
					   enum guest_event_kind kind)
{
	return (struct guest_event){
		.kind = kind,
		.rip = env->vcpu->rip,
		.cpl = env->vcpu->cpl,
		.insns = env->insns,
	};
}

/*
 * Push GE_EXCEPTION.  `error` counts only for vectors that have a code in the
 * present mode.  *out is normally GO_FAULT: what to deliver.
 */
void env_raise(struct live_env *env, uint8_t vector, uint32_t error,
	       struct guest_outcome *out);

static inline struct trap trap_of_outcome(const struct guest_outcome *out)
{
	return (struct trap){.vector = out->vector,
			     .type = out->type,
			     .has_error = out->has_error,
			     .error = out->error};
}

/*
 * Fill *ret for an outcome that ends the run: GO_SHUTDOWN, GO_STOP, GO_MMIO
 * (absent memory at `gva`), or, with LIVE_STOPPED, any that makes no sense
 * here.  `doing` is put behind the line: "" or " while ...".
 */
void env_end(const struct live_env *env, const struct guest_outcome *out,
	     gva_t gva, const char *doing, struct live_end *ret);

/* LIVE_STOPPED with a line, for what this half refuses to model. */
__attribute__((format(printf, 3, 4))) void env_stop(const struct live_env *env,
						    struct live_end *ret,
						    const char *fmt, ...);

#endif
