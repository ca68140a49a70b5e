/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Start reading here: every event of every source comes through sim_push().
 */
#include "sim/sim.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "sim/internal.h"
#include "sim/trap_check.h"

/* Frames beyond the budget: the PAE roots. */
#define POOL_EXTRA 8

uint32_t sim_pool_pages(const struct config *config)
{
	return (uint32_t)config_get(config, OPT_shadow_pages) + POOL_EXTRA;
}

static struct sim *sim_of(struct event_sink *sink)
{
	return (struct sim *)sink; /* the sink is first */
}

static void dispatch(struct sim *sim, const struct guest_event *ev,
		     struct guest_outcome *out)
{
	switch (ev->kind) {
	case GE_ACCESS:
		sim_access(sim, ev, out);
		break;
	case GE_STORE:
		sim_store(sim, ev, out);
		break;
	case GE_EMULATE_FAILED:
		sim_emulate_failed(sim, ev, out);
		break;
	case GE_COMPARE_FAILED:
		BUG_ON(!sim->cur->emulating);
		break; /* no store is made */
	case GE_CR_WRITE:
		sim_cr_write(sim, ev, out);
		break;
	case GE_CR_READ:
		sim_cr_read(sim, ev, out);
		break;
	case GE_TASK_SWITCH:
		sim_task_switch(sim, ev, out);
		break;
	case GE_CLTS:
		sim_clts(sim, ev, out);
		break;
	case GE_LMSW:
		sim_lmsw(sim, ev, out);
		break;
	case GE_RDMSR:
	case GE_WRMSR:
		sim_msr(sim, ev, out);
		break;
	case GE_IO:
		sim_io(sim, ev, out);
		break;
	case GE_WRPKRU:
		sim_wrpkru(sim, ev);
		break;
	case GE_INVPCID:
	case GE_INVLPG:
	case GE_CPUID:
	case GE_HLT:
	case GE_RDTSC:
	case GE_RDPMC:
	case GE_INVD:
	case GE_WBINVD:
	case GE_VMCALL:
	case GE_PAUSE:
	case GE_DR:
		sim_insn(sim, ev, out);
		break;
	case GE_EXCEPTION:
		sim_exception(sim, ev, out);
		break;
	case GE_SOFT_INT:
		sim_soft_int(sim, ev, out);
		break;
	case GE_IRQ:
		sim_irq(sim, ev, out);
		break;
	case GE_IRQ_WINDOW:
		sim_irq_window(sim, ev, out);
		break;
	case GE_DELIVER:
		sim_deliver(sim, ev);
		break;
	case GE_DELIVERED:
		sim_delivered(sim, ev);
		break;
	case GE_RETRY:
		sim_retry(sim, ev);
		break;
	case GE_DEVICE:
		sim_device(sim);
		break;
	case NR_GUEST_EVENTS:
		BUG("not an event");
	}
}

/* The source has made its last store: the exit for it, if any, is over. */
void sim_end_emulation(struct sim *sim)
{
	sim->cur->emulating = false;
	if (sim_in_exit(sim))
		sim_exit_end(sim);
	if (!sim->cur->retry_emulated)
		return;
	sim->cur->retry_emulated = false;
	sim_retry_through(sim);
	sim_retry_close(sim);
}

/*
 * References have no exact clock in a trace that merges them, and some events
 * come at the hypervisor's convenience.  A delivery to the guest has its place
 * among the exits under any source, so these tell the time.
 */
static void dirty_log_clock(struct sim *sim, const struct guest_event *ev)
{
	uint64_t period = config_get(&sim->config, OPT_dirty_log);

	if (likely(!period) || ev->kind != GE_DELIVERED ||
	    ev->insns < sim->dirty_log_next)
		return;
	sim->dirty_log_due = true;
	sim->dirty_log_next = ev->insns - ev->insns % period + period;
}

/* Where the hypervisor does the access, it is through when that is. */
static void retry_through(struct sim *sim)
{
	sim_retry_through(sim);
	if (sim->cur->emulating)
		sim->cur->retry_emulated = true;
	else
		sim_retry_close(sim);
}

void sim_reference(struct sim *sim)
{
	if (sim->cur->emulating)
		sim_end_emulation(sim);
}

static void sim_push(struct event_sink *sink, const struct guest_event *ev,
		     struct guest_outcome *out)
{
	struct sim *sim = sim_of(sink);
	bool retried;

	if (unlikely(ev->vcpu != sim->cur->id))
		sim_select(sim, ev->vcpu);
	retried = sim_is_retried(sim, ev);
	sim->cur->runs = true;
	if (sim->cur->emulating && !event_is_answer(ev))
		sim_end_emulation(sim);
	if (!retried && ev->kind != GE_ACCESS && !sim->cur->retry_emulated)
		sim_retry_close(sim);
	if (sim_is_probed(sim))
		sim_probe_event(sim, SIM_STEP_EVENT, ev, NULL);
	account_guest_time(sim->acct, ev->insns);
	dirty_log_clock(sim, ev);
	sim->event = ev;
	sim->cur->rip = ev->rip;
	sim->cur->user = ev->cpl == 3;

	*out = (struct guest_outcome){.verdict = GO_DONE};
	dispatch(sim, ev, out);
	sim->cur->view.spent = sim_spent(sim);
	if (sim_is_probed(sim))
		sim_probe_event(sim, SIM_STEP_OUTCOME, ev, out);

	/* Roots that a CR3 target brought in may have cost others theirs. */
	if (sim->nr_vcpus > 1 && !sim->cur->emulating && sim_send_flush(sim))
		sim_receive_flush(sim);
	if (retried)
		retry_through(sim);
}

static bool sim_translate(struct event_sink *sink, gva_t gva, hpa_t *ret)
{
	struct sim *sim = sim_of(sink);
	gpa_t gpa;

	if (!sim->mmu->gva_to_gpa(sim, gva, &gpa) ||
	    !mem_is_ram(sim->mem, gpa, 1))
		return false;
	*ret = gpa;
	return true;
}

/* A processor as the last one was selected. */
static int init_vcpu(struct sim *sim, struct diag *diag)
{
	struct sim_vcpu *vcpu = sim->cur;

	vcpu->vmcs = vmcs_create();
	if (!vcpu->vmcs)
		return diag_set(diag, -ENOMEM, "no host memory");
	cpu_init(&vcpu->cpu, (uint8_t)config_get(&sim->config, OPT_maxphyaddr),
		 config_processor(&sim->config));
	vcpu->cpu.no_nx = !config_get(&sim->config, OPT_host_nxe);
	vcpu->hardware = config_hardware(&sim->config);
	sim->mmu->reset(sim);
	sim_refresh_root(sim);
	sim_refresh_view(sim);
	sim_init_vmcs(sim);
	return 0;
}

static int sim_init(struct sim *sim, struct diag *diag)
{
	struct trap_danger danger;
	int err;

	sim->acct = account_create();
	if (!sim->acct)
		return diag_set(diag, -ENOMEM, "no host memory");
	for (int i = 0; i < NR_COSTS; i++)
		account_set_cost(sim->acct, (enum cost_id)i,
				 sim->config.cost[i]);
	sim->may_stray = trap_find_danger(&sim->config, &danger);

	err = sim->mmu->create(sim, diag);
	for (unsigned int i = 0; i < sim->nr_vcpus && !err; i++) {
		sim->vcpu[i].id = i;
		sim_select(sim, i);
		err = init_vcpu(sim, diag);
	}
	if (!err)
		sim_select(sim, 0);
	return err;
}

int sim_create(const struct config *config, struct mem *mem, struct sim **ret,
	       struct diag *diag)
{
	struct sim *sim = calloc(1, sizeof(*sim));
	int err;

	if (!sim)
		return diag_set(diag, -ENOMEM, "no host memory");
	sim->cur = &sim->vcpu[0];
	sim->sink = (struct event_sink){
		.push = sim_push,
		.translate = sim_translate,
		.view = &sim->cur->view,
	};
	sim->config = *config;
	sim->nr_vcpus = (unsigned int)config_get(config, OPT_vcpus);
	sim->sw = config_switches(config);
	sim->mmu =
		config_generation(config) ? &sim_mmu_shadow : &sim_mmu_direct;
	sim->mem = mem;
	sim->fault_digest = FNV64_INIT;

	err = sim_init(sim, diag);
	if (err) {
		sim_destroy(sim);
		return err;
	}
	*ret = sim;
	return 0;
}

void sim_destroy(struct sim *sim)
{
	if (!sim)
		return;
	if (sim_is_probed(sim))
		sim_set_probe(sim, &(struct sim_probe){0});
	sim->mmu->destroy(sim);
	for (unsigned int i = 0; i < sim->nr_vcpus; i++) {
		vmcs_destroy(sim->vcpu[i].vmcs);
		hardware_finish(&sim->vcpu[i].hw);
	}
	account_destroy(sim->acct);
	account_destroy(sim->region);
	free(sim);
}

struct event_sink *sim_sink(struct sim *sim)
{
	return &sim->sink;
}

const struct account *sim_account(const struct sim *sim)
{
	return sim->region ? sim->region : sim->acct;
}

struct account *sim_counting(struct sim *sim)
{
	return sim->acct;
}

void sim_watch_exits(struct sim *sim,
		     void (*tell)(void *context,
				  const struct sim_exit_record *record),
		     void *context)
{
	sim->tell = tell;
	sim->tell_context = context;
}

void sim_watch_region(struct sim *sim, void (*begins)(void *context),
		      void *context)
{
	sim->region_begins = begins;
	sim->region_context = context;
}

void sim_finish(struct sim *sim, uint64_t insns)
{
	if (sim->cur->emulating)
		sim_end_emulation(sim);
	for (unsigned int i = 0; i < sim->nr_vcpus; i++) {
		sim_retry_close(sim);
		sim_select(sim, (sim->cur->id + 1) % sim->nr_vcpus);
	}
	account_guest_time(sim->acct, insns);
}

uint64_t sim_fault_digest(const struct sim *sim)
{
	return sim->fault_digest;
}

/* What became of each fault that the guest was given. */
static bool faults_are_all_there(const struct sim *sim)
{
	const struct account *acct = sim->acct;
	uint64_t sum = acct->fault_latency->typ.count + acct->faults_forgotten;

	for (unsigned int i = 0; i < sim->nr_vcpus; i++)
		sum += sim->vcpu[i].nr_open + sim->vcpu[i].retrying;
	return sum ==
	       account_faults_direct(acct) + account_faults_injected(acct);
}

const char *sim_check(const struct sim *sim)
{
	uint64_t exceptions =
		account_exits(sim->acct, EXIT_REASON_EXCEPTION_NMI);

	if (!faults_are_all_there(sim))
		return "guest faults were retried, or wait, or are forgotten";
	return account_check(sim->acct,
			     exceptions - sim->other_exception_exits);
}

struct sim_audit sim_audit(const struct sim *sim)
{
	return sim->mmu->audit(sim);
}
