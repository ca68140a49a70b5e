/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines as `trace-cmd report -t` prints them: task, processor, seconds, name
 * of the event, its text.  The texts are those of Linux 6.1, by the field lists
 * of arch/x86/kvm/trace.h and arch/x86/kvm/mmu/mmutrace.h there.
 *
 * What KVM tells and this does not know is told as constants: the generation of
 * a shadow page (0), and that its role has A and D bits.
 */
#include <inttypes.h>
#include <string.h>

#include "arch/exception.h"
#include "timeline/internal.h"

/* trace-cmd puts the texts in one column, as far as names are short. */
#define NAME_COLUMN 20

static bool is_wanted(const struct timeline *t, unsigned int vcpu)
{
	return t->options.log && timeline_shows(t, vcpu);
}

static void put_head(const struct timeline *t, unsigned int vcpu,
		     const char *name)
{
	uint64_t ns = timeline_ns(t, t->now);
	size_t len = strlen(name);
	char task[16];

	snprintf(task, sizeof(task), "vcpu%u", vcpu);
	fprintf(t->options.log,
		"%16s-%-5u [%03u] %5" PRIu64 ".%09" PRIu64 ": %s: %*s", task,
		vcpu + 1, vcpu, ns / 1000000000, ns % 1000000000, name,
		(int)(len < NAME_COLUMN ? NAME_COLUMN - len : 0), "");
}

void log_begin_file(struct timeline *t)
{
	if (t->options.log)
		fprintf(t->options.log, "cpus=%u\n", t->options.nr_vcpus);
}

/* --- kvm: --------------------------------------------------------------------
 */

static bool is_page_fault(const struct exit_at *exit)
{
	return exit->reason == EXIT_REASON_EXCEPTION_NMI &&
	       (exit->intr_info & VMX_INTR_VALID) &&
	       vmx_intr_type(exit->intr_info) == VMX_TYPE_HW_EXCEPTION &&
	       vmx_intr_vector(exit->intr_info) == EXC_PF;
}

static void log_page_fault(struct timeline *t, unsigned int vcpu,
			   uint64_t address, uint64_t error)
{
	put_head(t, vcpu, "kvm_page_fault");
	fprintf(t->options.log,
		"vcpu %u rip 0x%" PRIx64 " address 0x%016" PRIx64
		" error_code 0x%" PRIx64 "\n",
		vcpu, t->track[vcpu].exit.rip, address, error);
}

void log_exit(struct timeline *t, unsigned int vcpu)
{
	const struct exit_at *exit = &t->track[vcpu].exit;

	if (!is_wanted(t, vcpu))
		return;
	put_head(t, vcpu, "kvm_exit");
	fprintf(t->options.log,
		"vcpu %u reason %s rip 0x%" PRIx64 " info1 0x%016" PRIx64
		" info2 0x%016" PRIx64 " intr_info 0x%08" PRIx32
		" error_code 0x%08" PRIx32 "\n",
		vcpu, exit_reason_name(exit->reason), exit->rip,
		exit->qualification, (uint64_t)exit->vectoring_info,
		exit->intr_info, exit->error);

	/* KVM's handlers of both, before anything else. */
	if (is_page_fault(exit))
		log_page_fault(t, vcpu, exit->qualification, exit->error);
	else if (exit->reason == EXIT_REASON_EPT_VIOLATION)
		log_page_fault(t, vcpu,
			       vmcs_get(sim_inside(t->sim).vmcs,
					VMCS_GUEST_PHYSICAL_ADDRESS),
			       exit->qualification);
}

static void log_injection(struct timeline *t, const struct sim_step *step)
{
	const struct vmx_event *event = &step->injected;
	char name[16];

	if (!event->valid || event->type != VMX_TYPE_HW_EXCEPTION)
		return;
	timeline_event_name(event->vector, (uint8_t)event->type, name,
			    sizeof(name));
	put_head(t, step->vcpu, "kvm_inj_exception");
	fputs(name, t->options.log);
	if (event->has_error)
		fprintf(t->options.log, " (0x%" PRIx32 ")", event->error);
	fputs(step->again ? " [reinjected]\n" : "\n", t->options.log);
}

/*
 * An instruction that exited and was handled is behind the guest.  The length
 * of one that was emulated nobody has told: the address is still its own.
 */
static gva_t entry_rip(const struct exit_at *exit, const struct sim_step *step)
{
	bool by_event =
		(exit->intr_info | exit->vectoring_info) & VMX_INTR_VALID;

	if (by_event || step->injected.valid)
		return exit->rip;
	return exit->rip + exit->insn_len;
}

void log_entry(struct timeline *t, const struct sim_step *step)
{
	const struct exit_at *exit = &t->track[step->vcpu].exit;

	if (!is_wanted(t, step->vcpu) ||
	    exit->reason == EXIT_REASON_TRIPLE_FAULT)
		return;
	log_injection(t, step);
	put_head(t, step->vcpu, "kvm_entry");
	fprintf(t->options.log, "vcpu %u, rip 0x%" PRIx64 "\n", step->vcpu,
		entry_rip(exit, step));
}

/* --- kvmmmu: -----------------------------------------------------------------
 */

static void put_page(const struct timeline *t, const struct smmu_page *page)
{
	unsigned int access = page->access;

	fprintf(t->options.log,
		"sp gen 0 gfn %" PRIx64 " l%d %u-byte q%u%s %s%s%s %snxe ad "
		"root %d %s",
		page->gfn, page->level, page->glevels == 2 ? 4 : 8,
		page->quadrant, page->metaphysical ? " direct" : "",
		access & 2 ? "w" : "-", access & 4 ? "u" : "-",
		access & 1 ? "x" : "-", sim_inside(t->sim).guest.nxe ? "" : "!",
		page->is_root, page->unsync ? "unsync" : "sync");
}

static bool get_page(const struct timeline *t, unsigned int vcpu, hpa_t table,
		     struct smmu_page *ret)
{
	const struct smmu *smmu = sim_inside(t->sim).smmu;

	if (!smmu || !is_wanted(t, vcpu))
		return false;
	*ret = smmu_page(smmu, table);
	return !ret->is_pae_root;
}

void log_new_page(struct timeline *t, unsigned int vcpu)
{
	struct smmu_page page;

	if (!get_page(t, vcpu, t->fresh, &page))
		return;
	put_head(t, vcpu, "kvm_mmu_get_page");
	put_page(t, &page);
	fputs(" new\n", t->options.log);
}

void log_page_gone(struct timeline *t, const struct sim_step *step)
{
	struct smmu_page page;

	if (!get_page(t, step->vcpu, step->table, &page))
		return;
	put_head(t, step->vcpu, "kvm_mmu_prepare_zap_page");
	put_page(t, &page);
	fputs("\n", t->options.log);
}

/* An entry that maps a page, unless only its A or D bit is new. */
void log_spte(struct timeline *t, const struct sim_step *step)
{
	const struct smmu *smmu = sim_inside(t->sim).smmu;
	struct smmu_page page;

	if (!smmu || smmu_spte_kind(smmu, step->is) != SMMU_SPTE_PRESENT ||
	    !((step->was ^ step->is) & ~(PTE_A | PTE_D)) ||
	    !get_page(t, step->vcpu, step->table, &page) || page.level != 1)
		return;
	put_head(t, step->vcpu, "kvm_mmu_set_spte");
	fprintf(t->options.log,
		"gfn %" PRIx64 " spte %" PRIx64 " (r%s%s%s) level 1 at %" PRIx64
		"\n",
		(step->is & PTE_ADDR) >> PAGE_SHIFT, step->is,
		step->is & PTE_W ? "w" : "-", step->is & PTE_NX ? "-" : "x",
		step->is & PTE_U ? "u" : "-",
		step->table + step->index * sizeof(uint64_t));
}
