/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One engine from creation to the end of its guest. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "live/internal.h"
#include "live/region.h"

#define UNICORN_MIN 0x02010100u /* 2.1.1 */

/* SDM vol. 3A, "Processor State After Reset". */
#define DR6_RESET UINT64_C(0xffff0ff0)
#define DR7_RESET UINT64_C(0x400)

#define FPU_CONTROL_INIT UINT16_C(0x37f)
#define MXCSR_RESET      UINT32_C(0x1f80)

/* A TSS without an I/O map, as the PVH ABI has it in TR. */
#define TSS_LIMIT 0x67

static int unicorn_failed(uc_err err, const char *what, struct diag *diag)
{
	return diag_set(diag, err == UC_ERR_NOMEM ? -ENOMEM : -ENOTSUP,
			"Unicorn: %s: %s", what, uc_strerror(err));
}

/*
 * Of the models that have what CPUID shows, and NX and long mode for our own
 * use, the one that has the least beside.
 */
static const int models[NR_PROFILES] = {
	[PROFILE_ID_PLAIN] = UC_CPU_X86_QEMU64,
	[PROFILE_ID_PENTIUM3] = UC_CPU_X86_OPTERON_G1,
	[PROFILE_ID_CORE2] = UC_CPU_X86_CORE2DUO,
	[PROFILE_ID_K8] = UC_CPU_X86_OPTERON_G1,
	[PROFILE_ID_NEHALEM] = UC_CPU_X86_NEHALEM,
};

static int cpu_model(const struct live *live)
{
	/* STAC and CLAC. */
	if (live->config.features & FEATURE_SMAP)
		return UC_CPU_X86_DENVERTON;
	return models[profile_of(live->config.features)];
}

static int open_unicorn(struct live *live, struct diag *diag)
{
	struct mem *mem = live->mem;
	uc_err err;

	if (uc_version(NULL, NULL) < UNICORN_MIN)
		return diag_set(diag, -ENOTSUP,
				"Unicorn 2.1.1 or later is needed");
	err = uc_open(UC_ARCH_X86, UC_MODE_64, &live->uc);
	if (err)
		return unicorn_failed(err, "open", diag);
	err = uc_ctl_set_cpu_model(live->uc, cpu_model(live));
	if (!err)
		err = uc_ctl_set_tcg_buffer_size(live->uc, DISCOVER_BUFFER);
	/* An empty set: there is no address at which to stop. */
	if (!err)
		err = uc_ctl_exits_enable(live->uc);
	if (err)
		return unicorn_failed(err, "configuration", diag);

	err = uc_mem_map_ptr(live->uc, 0, mem->ram_size, UC_PROT_ALL, mem->ram);
	if (!err)
		err = uc_mem_map_ptr(live->uc, INSTALLED_BASE,
				     (uint64_t)mem->pool.nr_pages << PAGE_SHIFT,
				     UC_PROT_ALL, mem->pool.installed);
	if (err)
		return unicorn_failed(err, "mapping memory", diag);
	return 0;
}

static void init_vcpu(struct vcpu *vcpu, const struct boot_state *boot)
{
	struct segment data = {
		.selector = boot->ds, .limit = UINT32_MAX, .attr = 0xc09300};

	*vcpu = (struct vcpu){
		.rip = boot->entry,
		.rflags = RFLAGS_ONE,
		.ldtr = {.limit = UINT16_MAX, .attr = 0x8200},
		.tr = {.limit = TSS_LIMIT, .attr = 0x8b00},
		.gdtr = {.base = boot->gdt, .limit = boot->gdt_limit},
		.dr = {[6] = DR6_RESET, [7] = DR7_RESET},
	};
	vcpu->gpr[GPR_RAX] = boot->eax;
	vcpu->gpr[GPR_RBX] = boot->ebx;
	vcpu->gpr[GPR_RSI] = boot->esi;
	for (unsigned int i = 0; i < NR_SEG; i++)
		vcpu->seg[i] = data;
	vcpu->seg[SEG_CS].selector = boot->cs;
	vcpu->seg[SEG_CS].attr = 0xc09b00;
}

static void init_fpu(uc_engine *uc)
{
	const uint16_t control = FPU_CONTROL_INIT;
	const uint32_t mxcsr = MXCSR_RESET;

	uc_reg_write(uc, UC_X86_REG_FPCW, &control);
	uc_reg_write(uc, UC_X86_REG_MXCSR, &mxcsr);
}

static int start_unicorn(struct live *live, struct diag *diag)
{
	int err = open_unicorn(live, diag);

	if (!err)
		err = scratch_create(live->uc, &live->scratch, diag);
	if (!err)
		err = hidden_create(live->uc, &live->scratch, &live->hw,
				    &live->hidden, diag);
	/* Its hooks come first, and see all code. */
	if (!err && live->config.observer)
		err = observe_create(live, live->config.observer, diag);
	if (!err)
		err = discover_create(live, diag);
	if (!err)
		err = boundary_create(live, diag);
	if (!err)
		err = fault_create(live, diag);
	return err;
}

int live_create(const struct live_config *config, struct mem *mem,
		struct platform *platform, struct event_sink *sink,
		struct live **ret, struct diag *diag)
{
	struct live *live = calloc(1, sizeof(*live));
	int err;

	if (!live)
		return diag_set(diag, -ENOMEM, "out of memory");
	live->config = *config;
	live->mem = mem;
	live->platform = platform;
	live->sink = sink;
	live->env = (struct live_env){.vcpu = &live->vcpu,
				      .sink = sink,
				      .mem = mem,
				      .platform = platform,
				      .vendor_amd = config->vendor_amd,
				      .no_nx = config->no_nx,
				      .maxphyaddr = config->maxphyaddr,
				      .features = config->features};
	live->code_epoch = 1; /* a new site has 0 */
	msrs_init(&live->env.msrs, config->features, config->vendor_amd,
		  config->maxphyaddr);
	clock_init(&live->clock);

	err = install_create(mem, &live->install, diag);
	if (!err)
		err = start_unicorn(live, diag);
	if (err) {
		live_destroy(live);
		return err;
	}
	init_fpu(live->uc);
	init_vcpu(&live->vcpu, &config->boot);
	hidden_store(live->hidden, &live->vcpu);
	*ret = live;
	return 0;
}

void live_destroy(struct live *live)
{
	if (!live)
		return;
	hidden_destroy(live->hidden);
	if (live->uc) {
		region_release(live->uc);
		uc_close(live->uc);
	}
	observe_destroy(live->observe);
	scratch_destroy(&live->scratch);
	discover_destroy(live);
	install_destroy(&live->install);
	free(live);
}

void live_set_knobs(struct live *live, const struct live_knobs *knobs)
{
	live->knobs = *knobs;
	live->install.no_exclusion = knobs->no_exclusion;
}

static void stop_unicorn(struct live *live)
{
	if (live->running)
		uc_emu_stop(live->uc);
}

void live_finish(struct live *live)
{
	live->ended = true;
	stop_unicorn(live);
}

void live_pause(struct live *live)
{
	live->paused = true;
	stop_unicorn(live);
}

void live_start_again(struct live *live)
{
	live->start_again = true;
	stop_unicorn(live);
}

void live_stop(struct live *live, const char *fmt, ...)
{
	struct live_end *end = &live->end;
	va_list ap;

	*end = (struct live_end){.status = LIVE_STOPPED, .rip = live->vcpu.rip};
	va_start(ap, fmt);
	vsnprintf(end->line, sizeof(end->line), fmt, ap);
	va_end(ap);
	live_finish(live);
}

static void end_max_insns(struct live *live)
{
	live->end = (struct live_end){.status = LIVE_MAX_INSNS,
				      .rip = live->vcpu.rip};
	snprintf(live->end.line, sizeof(live->end.line),
		 "the limit of %" PRIu64
		 " instructions was reached at 0x%" PRIx64,
		 live->config.max_insns, live->vcpu.rip);
	live_finish(live);
}

static bool at_limit(const struct live *live)
{
	return live->config.max_insns &&
	       clock_base(&live->clock) >= live->config.max_insns;
}

/* Nothing runs: bring everything to where the guest can run.  */
static void prepare(struct live *live)
{
	live->paused = false;
	live->start_again = false;
	if (live->reset_translations)
		discover_reset(live);
	live_enter(live);
	if (at_limit(live))
		end_max_insns(live);
	else if (clock_base(&live->clock) >= live->until)
		live->paused = true;
	else if (live->halted)
		boundary_halt(live);
	live_leave(live);
}

static void execute(struct live *live)
{
	uc_err err;

	observe_start(live->observe);
	live->running = true;
	err = uc_emu_start(live->uc, live->vcpu.rip, 0, 0, 0);
	live->running = false;
	if (live->ended || live->paused || live->start_again)
		return;
	live_enter(live);
	live_stop(live, "Unicorn gave up at 0x%" PRIx64 ": %s", live->vcpu.rip,
		  err ? uc_strerror(err) : "it stopped by itself");
}

void live_run(struct live *live, uint64_t until, const volatile int *attention,
	      struct live_end *ret)
{
	live->until = until;
	live->attention = attention;
	live->next_look = clock_base(&live->clock);

	while (!live->ended) {
		prepare(live);
		if (live->ended || live->paused)
			break;
		execute(live);
		/* Stopped for a purpose of our own, or for the caller's? */
		if (!live->reset_translations && !live->start_again &&
		    !at_limit(live))
			break;
	}
	if (live->ended) {
		*ret = live->end;
		return;
	}
	*ret = (struct live_end){.status = LIVE_PAUSED, .rip = live->vcpu.rip};
}

uint64_t live_insns(const struct live *live)
{
	return clock_base(&live->clock);
}

const struct live_stats *live_stats(const struct live *live)
{
	return &live->stats;
}
