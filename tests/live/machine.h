/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A live engine on a pager of a few lines, which stands in for src/sim: the
 * guest's mapping is a list of regions, the shadow is filled page by page, and
 * tests may take pages away behind the guest's back.  There are no guest page
 * tables; a reference outside the regions is the guest's fault.
 */
#ifndef NOTRAP_TESTS_LIVE_MACHINE_H
#define NOTRAP_TESTS_LIVE_MACHINE_H

#include "live/live.h"
#include "live/testing.h"
#include "live/vcpu.h"

#define MACHINE_RAM     UINT64_C(0x2000000)
#define MACHINE_REGIONS 16

enum machine_mode {
	MACHINE_REAL,
	MACHINE_FLAT32, /* protected mode, paging off */
	MACHINE_PAE,
	MACHINE_LONG,
	MACHINE_LONG57, /* 5 levels */
};

struct region {
	gva_t gva;
	uint64_t size;
	gpa_t gpa;
	uint64_t rights; /* PTE_W, PTE_U, PTE_NX, PTE_PKEY */
};

static inline bool machine_is_long(enum machine_mode mode)
{
	return mode >= MACHINE_LONG;
}

struct machine;

struct machine_config {
	struct boot_state boot; /* of a guest that is started, not placed */
	enum machine_mode mode;
	bool check_stale;
	uint64_t max_insns;
	uint32_t mhz;
	uint64_t cr4;      /* more of the guest's bits */
	uint32_t features; /* FEATURE_* */
	struct live_knobs knobs;
	struct insn_observer *observer; /* or NULL */
	/* Sees each event first; true: it has answered. */
	bool (*hook)(struct machine *m, const struct guest_event *ev,
		     struct guest_outcome *out);
	void *hook_data;
	/* Exceptions end the run (the default is to deliver them). */
	bool stop_on_fault;
};

struct machine {
	struct event_sink sink; /* first */
	struct guest_view view;
	struct machine_config config;
	struct mem *mem;
	struct platform *platform;
	struct live *live;
	struct region region[MACHINE_REGIONS];
	unsigned int nr_regions;
	bool delivering;
	uint32_t pkru; /* by GE_WRPKRU */

	uint64_t nr[NR_GUEST_EVENTS];
	uint64_t nr_fills; /* pages installed */
	uint64_t nr_guest_faults;
	/* The last of those. */
	struct guest_event fault;
	uint32_t fault_error;
	/* FNV-64 over all events: two runs were the same. */
	uint64_t digest;
};

/* HLT with interrupts off ends a run (LIVE_STOPPED, line "done"). */
void machine_init(struct machine *m, const struct machine_config *config);
void machine_finish(struct machine *m);

void machine_map(struct machine *m, gva_t gva, gpa_t gpa, uint64_t size,
		 uint64_t rights);

/* Bytes into RAM, not noticed by the engine: before the first run. */
void machine_put(struct machine *m, gpa_t gpa, const void *bytes, size_t n);

/* Take a page out of the shadow, or its right to be written. */
void machine_zap(struct machine *m, gva_t gva);
void machine_protect(struct machine *m, gva_t gva);

/* The processor's registers, flat in the mode of the machine. */
struct vcpu machine_vcpu(const struct machine *m, uint64_t rip, uint8_t cpl);
void machine_set(struct machine *m, const struct vcpu *vcpu);
struct vcpu machine_get(struct machine *m);

/*
 * Descriptor tables at MACHINE_TABLES (mapped by the test): flat code and data
 * of ring 0 (8, 0x10) and ring 3 (0x1b, 0x23), a TSS (0x28) with `rsp0`, an
 * empty IDT; *vcpu is set to use them.
 */
#define MACHINE_TABLES      UINT64_C(0x8000)
#define MACHINE_TABLES_SIZE UINT64_C(0x3000)

void machine_tables(struct machine *m, struct vcpu *vcpu, uint64_t rsp0);

/* An interrupt gate of ring 0; `dpl` may use it with INT n. */
void machine_gate(struct machine *m, unsigned int vector, uint32_t handler,
		  uint8_t dpl);

/*
 * The PC's interrupt controllers with vectors from 0x20, only IRQ0 open, and
 * the timer in rate mode: an interrupt every `ticks` of 1.193182 MHz.
 */
void machine_timer(struct platform *platform, uint16_t ticks);

/* Run to the end or to `until`. */
struct live_end machine_run(struct machine *m, uint64_t until);

/* Run with this state until the end, which must be a HLT. */
void machine_must_halt(struct machine *m, const struct vcpu *vcpu);

/* Code between the labels name_s and name_e, assembled into the test. */
#define CODE(bits, name, body)                                              \
	extern const uint8_t name##_s[], name##_e[];                        \
	__asm__(".pushsection .rodata\n.code" #bits "\n" #name "_s:\n" body \
		"\n" #name "_e:\n.code64\n.popsection\n")

#define PUT(m, gpa, name) \
	machine_put(m, gpa, name##_s, (size_t)(name##_e - name##_s))

#endif
