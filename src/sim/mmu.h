/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How guest memory is virtualized, as the rest of src/sim sees it: one of these
 * is chosen when the simulator is created.  Every call but the first three is
 * about the processor at work (sim->cur).
 */
#ifndef NOTRAP_SIM_MMU_H
#define NOTRAP_SIM_MMU_H

#include "cpu/tlb.h"
#include "paging/walk.h"
#include "sim/sim.h"

/* What the processor walks. */
struct sim_root {
	hpa_t root;
	enum paging_mode mode; /* PAE, 4LEVEL or 5LEVEL */
};

struct sim_mmu {
	/* -ENOMEM, -EINVAL with a line. */
	int (*create)(struct sim *sim, struct diag *diag);
	void (*destroy)(struct sim *sim); /* also after create() failed */
	struct sim_audit (*audit)(const struct sim *sim);

	void (*select)(struct sim *sim, unsigned int vcpu);
	/* Rights were taken away that other processors' TLBs may hold. */
	bool (*take_remote_flush)(struct sim *sim);
	/* The hypervisor reads what was written (smmu_read_dirty_log). */
	void (*read_dirty_log)(struct sim *sim);

	/* From nothing: sim->cur->cpu is as it is. */
	void (*reset)(struct sim *sim);
	/*
	 * CR0, CR3 or CR4 has been loaded, with an exit or without one.  False:
	 * out has been told to stop.
	 */
	bool (*load_cr)(struct sim *sim, unsigned int cr, bool exits,
			struct guest_outcome *out);
	void (*set_efer)(struct sim *sim);
	void (*set_pkru)(struct sim *sim);

	/* The guest flushes one address or all; by an exit or without one. */
	void (*flush_page)(struct sim *sim, gva_t gva, bool exits);
	void (*flush)(struct sim *sim, bool exits);

	/* About to enter the guest, or to go on in it. */
	struct sim_root (*enter)(struct sim *sim);

	/* The processor has walked so, with sim_use_tlb(): sim_count_walk(). */
	void (*count_walk)(struct sim *sim, const struct guest_event *ev,
			   const struct walk *w);
	/* The page that it has found, but for gva and grants. */
	void (*page)(const struct sim *sim, const struct walk *w,
		     struct tlb_page *ret);

	/* The processor's walk has faulted.  True: try the reference again. */
	bool (*fault)(struct sim *sim, const struct guest_event *ev,
		      const struct walk *w, struct guest_outcome *out);
	/* Bytes of an emulated store, before they land; 1..8, in one page. */
	void (*write)(struct sim *sim, gpa_t gpa, const void *bytes,
		      unsigned int len);
	/* Such a store finds no translation. */
	void (*refuse_store)(struct sim *sim, gva_t gva,
			     struct guest_outcome *out);
	/* It could not be emulated.  False: there is no other way. */
	bool (*unprotect)(struct sim *sim, gva_t gva);

	/* event_sink.translate, for gpas of any kind. */
	bool (*gva_to_gpa)(const struct sim *sim, gva_t gva, gpa_t *ret);
};

extern const struct sim_mmu sim_mmu_shadow, sim_mmu_direct;

#endif
