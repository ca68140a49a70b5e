/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory by the guest's own tables: without a hypervisor, or beneath EPT.
 *
 * A guest's page fault is its own affair.  Beneath EPT the hypervisor is told
 * of frames that are touched for the first time, whether by a reference, by the
 * walk of the guest's tables or by a load of PDPTEs, and of addresses without
 * memory: by a violation at first, by a misconfiguration once an entry says so
 * (KVM 3.1, ce88decffd17).
 */
#include <string.h>

#include "sim/internal.h"

static bool is_native(const struct sim *sim)
{
	return config_mmu_kind(&sim->config) == MMU_NATIVE;
}

static int create(struct sim *sim, struct diag *diag)
{
	const struct direct_config config = {
		.ept = !is_native(sim),
		.large = config_get(&sim->config, OPT_ept_pages),
		.nr_vcpus = (uint8_t)sim->nr_vcpus,
		.audit = (enum direct_audit_level)config_get(&sim->config,
							     OPT_audit),
	};

	return direct_create(&config, sim->mem, &sim->direct, diag);
}

static void destroy(struct sim *sim)
{
	direct_destroy(sim->direct);
}

static struct sim_audit audit(const struct sim *sim)
{
	const struct direct_audit *own = direct_audit_result(sim->direct);

	return (struct sim_audit){own->violations, own->first};
}

static void select(struct sim *sim, unsigned int vcpu)
{
	direct_select(sim->direct, vcpu);
}

/* No right is ever taken away behind a guest's back. */
static bool take_remote_flush(struct sim *sim)
{
	(void)sim;
	return false;
}

static void read_dirty_log(struct sim *sim)
{
	(void)sim;
	BUG("no dirty log");
}

static void set_guest(struct sim *sim)
{
	const struct cpu *cpu = &sim->cur->cpu;
	struct paging_ctx guest = cpu_guest_paging(cpu);

	if (!direct_set_guest(sim->direct, &guest, cpu->cr4 & CR4_PGE))
		return;
	sim_forget_rights(sim);
	if (sim_in_exit(sim))
		sim_want_flush(sim);
}

/* A reference beneath EPT that needs the hypervisor. */
static void violation(struct sim *sim, const struct vmx_exit_info *info)
{
	sim_exit(sim, *info);
	if (sim->tell)
		sim->record.gpa = info->guest_physical;
}

/* Memory is found, and the guest goes on. */
static void first_touch(struct sim *sim, const struct vmx_exit_info *info,
			struct guest_outcome *out)
{
	violation(sim, info);
	account_charge(sim->acct, COST_EPT_FILL, 1);
	direct_back(sim->direct, info->guest_physical);
	sim_enter(sim, out);
}

/* MOV to CR3 in PAE mode reads four PDPTEs, by no linear address. */
static void touch_pdptes(struct sim *sim, struct guest_outcome *out)
{
	const struct cpu *cpu = &sim->cur->cpu;
	struct vmx_exit_info info =
		vmx_exit_ept_violation(0, false, false, 0, cpu->cr3 & PTE_ADDR);

	if (cpu_paging(cpu) == PAGING_PAE &&
	    !direct_is_backed(sim->direct, cpu->cr3 & PTE_ADDR))
		first_touch(sim, &info, out);
}

static bool load_cr(struct sim *sim, unsigned int cr, bool exits,
		    struct guest_outcome *out)
{
	const struct cpu *cpu = &sim->cur->cpu;
	struct paging_ctx guest = cpu_guest_paging(cpu);

	if (cr != 3) {
		set_guest(sim);
		return true;
	}
	/* One that exits is done by the hypervisor. */
	if (!exits)
		touch_pdptes(sim, out);
	direct_load_cr3(sim->direct, &guest);
	if (exits)
		sim_want_flush(sim);
	return true;
}

static void set_efer(struct sim *sim)
{
	set_guest(sim);
}

static void set_pkru(struct sim *sim)
{
	direct_set_pkru(sim->direct, sim->cur->cpu.pkru);
}

static void flush_page(struct sim *sim, gva_t gva, bool exits)
{
	direct_flush_page(sim->direct, gva);
	if (exits)
		sim_want_flush(sim);
}

static void flush(struct sim *sim, bool exits)
{
	direct_flush(sim->direct);
	if (exits)
		sim_want_flush(sim);
}

static struct sim_root enter(struct sim *sim)
{
	return (struct sim_root){direct_root(sim->direct),
				 direct_mode(sim->direct)};
}

static void count_path(struct sim *sim, const struct guest_event *ev,
		       const struct direct_path *read)
{
	int ept_leaf = direct_ept_leaf(sim->direct);
	struct walker_path path = {
		.mode = cpu_paging(&sim->cur->cpu),
		.nr = read->nr,
		.has_page = read->has_page,
		.page = read->page,
		.ept_levels = ept_leaf ? 4 : 0,
		.ept_leaf = (uint8_t)ept_leaf,
	};

	memcpy(path.at, read->at, sizeof(path.at));
	sim_count_walk(sim, ev, &path);
}

/*
 * The pool's tables are no processor's: what is counted is the walk of the
 * guest's own that has found the entry, or (fault()) that has not.
 */
static void count_walk(struct sim *sim, const struct guest_event *ev,
		       const struct walk *w)
{
	struct direct_path read;

	if (w->fault)
		return;
	direct_walk(sim->direct, ev->gva, &read);
	count_path(sim, ev, &read);
}

/* Address bits of a guest page of this level; without paging there is none. */
static unsigned int page_bits(const struct sim *sim, int level)
{
	enum paging_mode mode = cpu_paging(&sim->cur->cpu);

	return level ? paging_shift(mode, level) : 0;
}

/* Beneath EPT the smaller of the guest's page and EPT's. */
static void page(const struct sim *sim, const struct walk *w,
		 struct tlb_page *ret)
{
	struct direct_leaf leaf = direct_leaf(w->leaf);
	int ept = direct_ept_leaf(sim->direct);
	int level = leaf.level;
	unsigned int bits = page_bits(sim, level);

	if (!level)
		level = ept ? ept : 1;
	else if (ept && ept < level)
		level = ept;
	ret->size = (enum tlb_size)(level - 1);
	ret->global = leaf.global;
	if (bits > pt_shift(level))
		ret->from = (uint8_t)bits;
}

static bool not_backed(struct sim *sim, const struct guest_event *ev,
		       const struct direct_result *r, struct guest_outcome *out)
{
	struct vmx_exit_info info = vmx_exit_ept_violation(
		ev->access, r->is_walk, true, ev->gva, r->gpa);

	first_touch(sim, &info, out);
	/* A delivery cut short starts over, the rest is retried. */
	return out->verdict == GO_DONE;
}

/* The exit, if there is one, lasts until the source has been at the device. */
static void mmio(struct sim *sim, const struct guest_event *ev,
		 const struct direct_result *r, struct guest_outcome *out)
{
	struct vmx_exit_info info =
		r->is_marked ? vmx_exit_ept_misconfig(r->gpa)
			     : vmx_exit_ept_violation(ev->access, false, true,
						      ev->gva, r->gpa);

	if (!is_native(sim)) {
		violation(sim, &info);
		direct_mark(sim->direct, r->gpa);
	}
	sim->cur->emulating = true;
	sim->cur->emulating_gva = ev->gva;
	out->verdict = GO_MMIO;
	out->gpa = r->gpa;
}

static bool fault(struct sim *sim, const struct guest_event *ev,
		  const struct walk *w, struct guest_outcome *out)
{
	struct direct_result r = direct_fault(sim->direct, ev->gva, ev->access);

	(void)w;
	/* One that is tried again is counted then. */
	if (sim->has_tlb && r.verdict != DIRECT_FILLED)
		count_path(sim, ev, &r.path);
	sim_count_assists(sim, r.ad);
	switch (r.verdict) {
	case DIRECT_FILLED:
		return true;
	case DIRECT_FAULT:
		if (sim_is_probed(sim))
			sim_probe_fault(sim, ev->gva, r.pfec, false);
		sim_fault_direct(sim, ev, r.pfec, out);
		return false;
	case DIRECT_EMULATE:
		sim->cur->emulating = true;
		sim->cur->emulating_gva = ev->gva;
		out->verdict = GO_EMULATE;
		return false;
	case DIRECT_MMIO:
		mmio(sim, ev, &r, out);
		return false;
	case DIRECT_UNBACKED:
		return not_backed(sim, ev, &r, out);
	}
	BUG("verdict of a walk");
}

static void write(struct sim *sim, gpa_t gpa, const void *bytes,
		  unsigned int len)
{
	(void)sim;
	(void)gpa;
	(void)bytes;
	(void)len;
}

static void refuse_store(struct sim *sim, gva_t gva, struct guest_outcome *out)
{
	const struct guest_event ev = {.gva = gva};

	sim_fault_direct(sim, &ev, PFEC_W, out);
}

static bool unprotect(struct sim *sim, gva_t gva)
{
	(void)sim;
	(void)gva;
	return false;
}

static bool gva_to_gpa(const struct sim *sim, gva_t gva, gpa_t *ret)
{
	return direct_gva_to_gpa(sim->direct, gva, ret);
}

const struct sim_mmu sim_mmu_direct = {
	.create = create,
	.destroy = destroy,
	.audit = audit,
	.select = select,
	.take_remote_flush = take_remote_flush,
	.read_dirty_log = read_dirty_log,
	.reset = set_guest,
	.load_cr = load_cr,
	.set_efer = set_efer,
	.set_pkru = set_pkru,
	.flush_page = flush_page,
	.flush = flush,
	.enter = enter,
	.count_walk = count_walk,
	.page = page,
	.fault = fault,
	.write = write,
	.refuse_store = refuse_store,
	.unprotect = unprotect,
	.gva_to_gpa = gva_to_gpa,
};
