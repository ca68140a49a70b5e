/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the plain state, the sink's view, memory and Unicorn. */
#include <string.h>

#include "live/internal.h"

void live_stamp(struct live *live, uint64_t insns)
{
	live->env.insns = insns;
	live->env.tsc = insns + live_beside(live);
	live->env.now = live_ns_of(live, live->env.tsc);
}

void live_enter(struct live *live)
{
	hidden_load(live->hidden, &live->vcpu);
	step_hide(live);
	live_stamp(live, clock_base(&live->clock));
}

/* Tables that the walk of the shadow passes, a PAE root being one. */
static int shadow_levels(const struct guest_view *view)
{
	switch (view->shadow) {
	case PAGING_5LEVEL:
		return 5;
	case PAGING_4LEVEL:
		return 4;
	default:
		return 3;
	}
}

static gva_t shadow_gva(const struct guest_view *view, gva_t gva)
{
	return paging_is_long(view->shadow) ? gva : (uint32_t)gva;
}

bool live_find_twin(const struct live *live, gva_t gva, entry_t *ret)
{
	const struct guest_view *view = live->sink->view;

	return install_find(&live->install, view->root, shadow_levels(view),
			    shadow_gva(view, gva), ret);
}

bool live_translate(const struct live *live, gva_t gva, hpa_t *ret)
{
	const struct guest_view *view = live->sink->view;

	return install_translate(&live->install, view->root,
				 shadow_levels(view), shadow_gva(view, gva),
				 ret);
}

size_t live_fetch(const struct live *live, gva_t pc, uint8_t *ret, size_t n)
{
	size_t done = 0;

	while (done < n) {
		gva_t gva = pc + done;
		size_t chunk = (size_t)min_u64(n - done,
					       PAGE_SIZE - (gva & PAGE_MASK));
		hpa_t hpa;

		if (!live_translate(live, gva, &hpa))
			break;
		memcpy(ret + done, mem_ram(live->mem, hpa), chunk);
		done += chunk;
	}
	return done;
}

void live_drop_frame(struct live *live, gfn_t gfn)
{
	hpa_t root = scratch_root(live->hw.mode);

	if (live->hw.root != root)
		hw_open(&live->hw, root);
	scratch_drop_frame(&live->scratch, gfn);
	live->install.flush = true;
}

void live_make_data(struct live *live, gfn_t gfn)
{
	live->stats.turns_writable++;
	live_drop_frame(live, gfn);
	install_make_data(&live->install, gfn);
}

void live_make_code(struct live *live, gfn_t gfn)
{
	live->stats.turns_executable++;
	install_make_code(&live->install, gfn);
}

static void drop_written(struct live *live)
{
	struct written_frames *written = &live->env.written;

	if (written->overflow) {
		for (gfn_t gfn = 0; gfn < live->mem->ram_size >> PAGE_SHIFT;
		     gfn++)
			if (live->install.is_code[gfn])
				live_drop_frame(live, gfn);
	} else {
		for (uint32_t i = 0; i < written->nr; i++)
			if (live->install.is_code[written->gfn[i]])
				live_drop_frame(live, written->gfn[i]);
	}
	written->nr = 0;
	written->overflow = false;
}

void live_install(struct live *live)
{
	if (pool_has_changes(&live->mem->pool))
		live->stats.installs += install_drain(&live->install);
}

static void set_hardware(struct live *live)
{
	const struct guest_view *view = live->sink->view;
	hpa_t root = installed_hpa(view->root);

	BUG_ON(!pool_owns(&live->mem->pool, view->root));
	if (!live->seen_view || live->mode_changes != view->mode_changes) {
		live->seen_view = true;
		live->mode_changes = view->mode_changes;
		hw_set_mode(&live->hw, view->shadow, view->cr0, view->cr4);
	}
	if (live->install.flush || live->hw.root != root) {
		hw_set_root(&live->hw, root);
		live->install.flush = false;
		live->code_epoch++;
		live->stats.hw_flushes++;
	}
}

void live_sync(struct live *live)
{
	const struct guest_view *view = live->sink->view;
	uint64_t epoch = live->code_epoch;
	bool changes = pool_has_changes(&live->mem->pool) ||
		       live->mode_changes != view->mode_changes;

	drop_written(live);
	live_install(live);
	set_hardware(live);
	if (changes || epoch != live->code_epoch)
		observe_stale(live->observe);
}

void live_leave(struct live *live)
{
	live_sync(live);
	if (live->step.reason == STEP_NONE) {
		hidden_store(live->hidden, &live->vcpu);
	} else {
		struct vcpu vcpu = live->vcpu;

		vcpu.rflags |= RFLAGS_TF;
		hidden_store(live->hidden, &vcpu);
	}
	boundary_schedule(live);
}

void live_leave_block(struct live *live)
{
	live_leave(live);
	uc_reg_write(live->uc, UC_X86_REG_RIP, &live->vcpu.rip);
}
