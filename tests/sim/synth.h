/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A synthetic guest: a source of events written in C, without a processor.
 *
 * It keeps real page tables in guest RAM and plays a small kernel: a demand
 * fault handler that stores PTEs through a direct map, CR3 switches, IDT
 * deliveries with one push onto a kernel stack.  It exists to test src/sim by
 * exact formulas.
 */
#ifndef NOTRAP_TESTS_SIM_SYNTH_H
#define NOTRAP_TESTS_SIM_SYNTH_H

#include "sim/sim.h"

#define SYNTH_RAM    (UINT64_C(16) << 20)
#define SYNTH_DIRECT UINT64_C(0xffff800000000000) /* all RAM, 4K pages */
#define SYNTH_USER   UINT64_C(0x40000000)
#define SYNTH_STACK  (SYNTH_DIRECT + 0x9f000) /* the kernel's, mapped */

/* PTEs as Linux makes them. */
#define SYNTH_PTE_RW (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)
#define SYNTH_PTE_RO (PTE_P | PTE_U | PTE_A)

#define SYNTH_VCPUS 4

struct synth {
	struct mem *mem;
	struct sim *sim;
	struct event_sink *sink;
	gpa_t next_frame;
	uint8_t vcpu; /* at work */
	gpa_t cr3s[SYNTH_VCPUS];
	gpa_t cr3; /* and its */
	gva_t stack;
	uint64_t insns;

	/* What the guest's own handler saw. */
	uint64_t faults;
	uint64_t faults_by_code[64];
	uint8_t last_vector; /* of the last delivery */
	bool shutdown;
	bool endless; /* a delivery that met faults without end */
};

/* text as on the command line: "mmu=seed bypass=on".  False: a key or a value
 * that does not exist. */
bool synth_configure(struct config *config, const char *text);

void synth_start(struct synth *s, const char *config);
void synth_end(struct synth *s); /* checks sim_check() and audits, too */

/*
 * Go on on another processor.  Its first time it enters long mode, in the
 * kernel's own space.
 */
void synth_use_vcpu(struct synth *s, uint8_t vcpu);

/* Push with the clock set; *out as the sim answers. */
struct guest_outcome synth_push(struct synth *s, struct guest_event ev);

/* A zeroed frame, by the guest's allocator (no event). */
gpa_t synth_frame(struct synth *s);

/* A new address space: own PML4, kernel half shared; user tables absent. */
gpa_t synth_new_space(struct synth *s);
void synth_load_cr3(struct synth *s, gpa_t cr3);

/* Stores a page-table entry the way a kernel does: through the direct map. */
void synth_store(struct synth *s, gpa_t at, uint64_t val);

/*
 * gpa of the PTE for gva in the current space, tables made as needed with
 * plain stores of the kernel.
 */
gpa_t synth_pte(struct synth *s, gva_t gva);

/*
 * A user reference; faults go to the handler, which maps a fresh frame with
 * these PTE bits for a not-present fault (through synth_store) and sets W and
 * D for a write-protected one.  Returns false if the guest died.
 */
bool synth_touch(struct synth *s, gva_t gva, uint32_t access, uint64_t bits);

/* One supervisor reference that must not be a guest fault. */
void synth_kernel_access(struct synth *s, gva_t gva, uint32_t access);

/* Deliver an event through the guest's IDT: pushes one frame on s->stack. */
void synth_deliver(struct synth *s, const struct guest_outcome *event);

static inline uint64_t synth_pf_exits(const struct synth *s)
{
	return account_exits(sim_account(s->sim), EXIT_REASON_EXCEPTION_NMI);
}

static inline uint64_t synth_cause(const struct synth *s, enum pf_cause cause)
{
	return sim_account(s->sim)->pf_cause[cause];
}

static inline uint64_t synth_counter(const struct synth *s, enum counter_id id)
{
	return sim_account(s->sim)->counter[id];
}

#endif
