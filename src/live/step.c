/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Executing one instruction by itself, with TF set behind the guest's back.
 * The plain state always shows the guest's own TF; only what is stored into
 * Unicorn has ours.
 */
#include "live/internal.h"
#include "live/shape.h"

void step_hide(struct live *live)
{
	const struct step *step = &live->step;

	if (step->reason == STEP_NONE || (step->done && step->loads_tf))
		return;
	live->vcpu.rflags &= ~RFLAGS_TF;
	if (step->guest_tf)
		live->vcpu.rflags |= RFLAGS_TF;
}

void step_begin(struct live *live, enum step_reason reason)
{
	enum code_mode mode = env_code_mode(&live->env);
	uint8_t bytes[INSN_BYTES_MAX];
	size_t n = live_fetch(live, live_pc(live), bytes, sizeof(bytes));
	struct shape shape = shape_of(mode, bytes, n);

	live->step = (struct step){
		.reason = reason,
		.base = clock_base(&live->clock),
		.guest_tf = live->vcpu.rflags & RFLAGS_TF,
		.hides_tf = shape.pushes_flags,
		.loads_tf = shape.pops_flags,
	};
}

void step_open(struct live *live, entry_t entry)
{
	struct step *step = &live->step;
	gfn_t gfn =
		(install_twin(&live->install, entry) & PTE_ADDR) >> PAGE_SHIFT;
	uint32_t i = 0;

	while (i < step->nr_frames && step->frame[i] != gfn)
		i++;
	if (i == step->nr_frames) {
		/* An instruction lies in two frames at most. */
		BUG_ON(i == STEP_FRAMES_MAX);
		step->frame[step->nr_frames++] = gfn;
		live_drop_frame(live, gfn);
	}
	install_open(&live->install, entry);
}

/* The image of RFLAGS that PUSHF has pushed is the guest's: no TF of ours. */
static void hide_pushed(struct live *live)
{
	const struct vcpu *vcpu = &live->vcpu;
	gva_t top = vcpu->gpr[GPR_RSP];
	hpa_t hpa;

	if (env_code_mode(&live->env) != CODE_64) {
		if (!(vcpu->seg[SEG_SS].attr & SEG_ATTR_DB))
			top = (uint16_t)top;
		top = (uint32_t)(top + vcpu->seg[SEG_SS].base);
	}
	/* TF is bit 0 of the second byte. */
	if (!live_translate(live, top + 1, &hpa))
		return;
	*mem_ram(live->mem, hpa) &= (uint8_t)~1;
	if (live->install.is_code[hpa >> PAGE_SHIFT])
		live_drop_frame(live, hpa >> PAGE_SHIFT);
}

void step_end(struct live *live)
{
	struct step *step = &live->step;

	for (uint32_t i = 0; i < step->nr_frames; i++) {
		live_drop_frame(live, step->frame[i]);
		install_make_code(&live->install, step->frame[i]);
	}
	if (step->done && step->hides_tf && !step->guest_tf)
		hide_pushed(live);
	*step = (struct step){0};
}
