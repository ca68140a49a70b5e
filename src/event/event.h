/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one seam: what a source of guest activity (live Unicorn, a trace) tells
 * the simulator, and what it is told back.
 *
 * A source pushes one event at a time and obeys the outcome before it pushes
 * the next.  Everything below the seam (VMX decision, shadow MMU, counting) is
 * shared by all sources.  A recorder is a sink that writes the event and
 * passes it on.
 *
 * A guest of several processors has one source for all, which interleaves
 * their events as it likes, with one exception: between GO_EMULATE or GO_MMIO
 * and the last answer comes no event of another processor.  guest_event.vcpu
 * selects.
 *
 * The source owns the general registers, segments, RFLAGS, the descriptor
 * tables, the devices and the guest's instruction clock.  The sink owns CR0,
 * CR2, CR3, CR4, EFER and all translation; it publishes them in guest_view.
 */
#ifndef NOTRAP_EVENT_EVENT_H
#define NOTRAP_EVENT_EVENT_H

#include "arch/paging.h"
#include "base/types.h"

enum guest_event_kind {
	/*
	 * A linear reference: gva, size (within one page), access (PFEC_W,
	 * PFEC_U, PFEC_ID; ACCESS_AC, which counts while CR4.SMAP is set and
	 * need not be told otherwise).  A live source without a per-access
	 * model pushes those on which the installed tables faulted and those of
	 * event delivery; other sources push all.
	 */
	GE_ACCESS,
	/*
	 * The answer to GO_EMULATE: the bytes a store writes.  gva, size
	 * (1..16, may cross a page), value[].  The sink applies the write.
	 */
	GE_STORE,
	/* The other answer to GO_EMULATE: the instruction is beyond the
	 * source's emulator.  Answered by GO_DONE (run it natively now). */
	GE_EMULATE_FAILED,
	/*
	 * One more: a CMPXCHG (8B, 16B) whose comparison fails.  The emulators
	 * of KVM and Xen store nothing then, where a processor writes back what
	 * it read.  gva, size, access as of that write; a trace has no access.
	 */
	GE_COMPARE_FAILED,

	GE_CR_WRITE, /* cr, value, reg; size: 8 in 64-bit code, else 4 */
	GE_CR_READ,  /* cr, reg; CR2 too, which never exits */
	GE_CLTS,
	GE_LMSW,   /* value: the 16-bit source; reg: 1 if it is in memory */
	GE_DR,     /* reg, cr: number of the DR, value: 1 for a write */
	GE_INVLPG, /* gva */
	/*
	 * The processor has exchanged the state of two tasks: error: selector
	 * of the new TSS, reg: how, as in the VMX qualification (0 CALL, 1
	 * IRET, 2 JMP, 3 a gate of the IDT, in the midst of a delivery),
	 * value: CR3 of the new one.  CR0.TS is set, CR3 loaded.
	 */
	GE_TASK_SWITCH,
	/*
	 * reg: the type, value: PCID, gva: address; as the operands have them.
	 * A type above INVPCID_TYPE_MAX is that.  They may be ones that the
	 * processor refuses with #GP(0).
	 */
	GE_INVPCID,
	GE_WRPKRU, /* value; never exits */
	GE_RDMSR,  /* error: MSR number */
	GE_WRMSR,  /* error: MSR number, value */
	GE_CPUID,
	GE_HLT,
	GE_RDTSC,
	GE_RDPMC,
	GE_INVD,
	GE_WBINVD,
	GE_VMCALL,
	GE_PAUSE,
	GE_IO, /* error: port, size 1, 2, 4, access: PFEC_W for OUT, reg: how
		  the instruction is written, GUEST_IO_*, value: what an OUT
		  from a register writes */

	/*
	 * An exception other than #PF that an instruction raised: vector,
	 * has_error, error.
	 */
	GE_EXCEPTION,
	/* INT n (type SOFT_INT), INT3 and INTO (SOFT_EXC), INT1: vector. */
	GE_SOFT_INT,
	/*
	 * A device raised the interrupt line; on a real machine that is a
	 * host interrupt.  if_open: the guest could take it at this moment.
	 */
	GE_IRQ,
	/*
	 * The guest could take an interrupt now, and the view asked to be told
	 * (irq_window).  GO_FAULT: one whose delivery had been cut short.
	 */
	GE_IRQ_WINDOW,
	/*
	 * The source starts to deliver an event through the guest's IDT
	 * (vector, type, has_error, error) / has delivered it.  Between the
	 * two, GE_ACCESS and GE_EXCEPTION are parts of the delivery.
	 */
	GE_DELIVER,
	GE_DELIVERED,
	/* The instruction of an earlier guest page fault is about to be
	 * executed again (gva, rip as they were). */
	GE_RETRY,
	/*
	 * The answer to GO_MMIO: the source reaches the device.  gva and access
	 * as in the GE_ACCESS, value: the gpa.  It completes the hypervisor's
	 * emulation of that access; what else the instruction does comes as
	 * events of its own.
	 */
	GE_DEVICE,
	NR_GUEST_EVENTS
};

/* Event types, as in VMX interruption information (bits 10:8). */
enum event_type {
	EVENT_EXT_INT = 0,
	EVENT_NMI = 2,
	EVENT_HW_EXC = 3,
	EVENT_SOFT_INT = 4,
	EVENT_PRIV_SW_EXC = 5, /* INT1 */
	EVENT_SOFT_EXC = 6,    /* INT3, INTO */
};

#define GUEST_STORE_MAX 16

#define GUEST_IO_STRING 1u
#define GUEST_IO_REP    2u
#define GUEST_IO_IMM    4u

struct guest_event {
	enum guest_event_kind kind;
	uint32_t access; /* PFEC_W, PFEC_U, PFEC_ID, ACCESS_AC */
	uint32_t error;  /* error code; MSR number; port */
	uint8_t size;
	uint8_t cpl;
	uint8_t cr;
	uint8_t reg; /* general register, as in VMX qualifications */
	uint8_t vector;
	uint8_t type; /* enum event_type */
	uint8_t insn_len;
	uint8_t vcpu; /* on which processor, from 0 */
	bool has_error;
	bool if_open;
	gva_t gva;
	gva_t rip;
	uint64_t value;
	/* Instruction clock: guest instructions completed, by all processors */
	uint64_t insns;
	uint8_t bytes[GUEST_STORE_MAX]; /* GE_STORE */
};

/*
 * What a guest does to tell where its region of interest is: an OUT of one of
 * these to this port, where a PC has nothing.  (Not the firmware's port 0x80:
 * Linux writes any value there, to wait a moment.)
 */
#define GUEST_MARKER_PORT 0xf5

enum guest_marker {
	GUEST_REGION_BEGINS = 0x10,
	GUEST_REGION_ENDS = 0x11,
};

/* An answer to GO_EMULATE or GO_MMIO: part of what made the sink ask. */
static inline bool event_is_answer(const struct guest_event *ev)
{
	return ev->kind == GE_STORE || ev->kind == GE_EMULATE_FAILED ||
	       ev->kind == GE_COMPARE_FAILED || ev->kind == GE_DEVICE;
}

static inline bool event_is_marker(const struct guest_event *ev,
				   enum guest_marker marker)
{
	return ev->kind == GE_IO && (ev->access & PFEC_W) &&
	       ev->error == GUEST_MARKER_PORT && (ev->value & 0xff) == marker;
}

enum guest_verdict {
	/* Go on: retry the access, or the instruction has been handled. */
	GO_DONE,
	/*
	 * Deliver vector/type/error through the guest's IDT, beginning with
	 * GE_DELIVER.  During a delivery it replaces the event being delivered
	 * (it may be the same one: start over).
	 */
	GO_FAULT,
	/* Emulate the instruction at rip, then answer with GE_STORE for each
	 * store it makes, GE_COMPARE_FAILED or GE_EMULATE_FAILED. */
	GO_EMULATE,
	/*
	 * No memory behind gva: `gpa` says where.  The source answers with
	 * GE_DEVICE and emulates the instruction at rip, or ends the run: code
	 * is not fetched from devices, nor does a delivery use them.
	 */
	GO_MMIO,
	/* GE_IRQ, GE_IRQ_WINDOW: acknowledge the interrupt controller and
	 * deliver its vector as EVENT_EXT_INT. */
	GO_TAKE_IRQ,
	/* GE_IRQ: the guest cannot take it now; the line stays raised. */
	GO_LATER,
	/* Triple fault: the guest is at its end. */
	GO_SHUTDOWN,
	/* The model cannot go on; see guest_view.stop. */
	GO_STOP,
};

struct guest_outcome {
	enum guest_verdict verdict;
	uint8_t vector;
	uint8_t type;
	bool has_error;
	bool direct; /* a fault the hypervisor never saw */
	uint32_t error;
	uint64_t value; /* GE_CR_READ: what the guest reads */
	gpa_t gpa;      /* GO_MMIO */
	hpa_t hpa; /* GE_ACCESS with GO_DONE: where the byte is, always set */
};

/* What the processor must be set to before the guest runs on. */
struct guest_view {
	hpa_t root;              /* modelled shadow root */
	enum paging_mode shadow; /* PAE, 4LEVEL or 5LEVEL */
	enum paging_mode guest;
	uint64_t cr0, cr2, cr3, cr4, efer; /* as the guest sees them */
	uint32_t features;                 /* the processor's, FEATURE_* */
	uint32_t mode_changes;             /* ++ when a line above changed
					      other than cr2 and root */
	bool irq_window;                   /* tell me with GE_IRQ_WINDOW */
	uint64_t spent;   /* cycles that were not the guest's own so far */
	const char *stop; /* GO_STOP: one line */
};

struct event_sink {
	void (*push)(struct event_sink *sink, const struct guest_event *ev,
		     struct guest_outcome *out);
	/*
	 * What the guest's own tables say, as a hypervisor's emulator reads
	 * them: no fault, no A or D bit, no count.  False: not mapped, or not
	 * RAM.  Rights are not looked at.
	 */
	bool (*translate)(struct event_sink *sink, gva_t gva, hpa_t *ret);
	/*
	 * Both are the processor's of the last event.  A source of several
	 * looks at `view` anew after each, and so does who passes events on.
	 */
	const struct guest_view *view;
};

static inline void event_push(struct event_sink *sink,
			      const struct guest_event *ev,
			      struct guest_outcome *out)
{
	sink->push(sink, ev, out);
}

#endif
