/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events that are no references: what they are, and what decides on an exit. */
#include <inttypes.h>

#include "explain/internal.h"

static void tell_delivered_event(const struct telling *t, const char *what)
{
	const struct guest_event *ev = &t->story->event;
	struct vmx_event event = {
		.valid = true,
		.vector = ev->vector,
		.type = (enum vmx_intr_type)ev->type,
		.has_error = ev->has_error,
		.error = ev->error,
	};
	char text[200];

	event_text(&event, text, sizeof(text));
	prose_para(t->prose, "%s: %s.", what, text);
}

static void tell_cr(const struct telling *t)
{
	const struct guest_event *ev = &t->story->event;

	if (ev->kind == GE_CR_WRITE)
		prose_para(t->prose,
			   "The guest executes MOV to CR%u with 0x%" PRIx64 ".",
			   ev->cr, ev->value);
	else
		prose_para(t->prose, "The guest executes MOV from CR%u.",
			   ev->cr);
}

static void tell_io(const struct telling *t)
{
	const struct guest_event *ev = &t->story->event;

	if (ev->access & PFEC_W)
		prose_para(t->prose,
			   "The guest executes OUT of %u byte%s, 0x%" PRIx64
			   ", to port 0x%" PRIx32 ".",
			   ev->size, ev->size == 1 ? "" : "s", ev->value,
			   ev->error);
	else
		prose_para(t->prose,
			   "The guest executes IN of %u byte%s from port "
			   "0x%" PRIx32 ".",
			   ev->size, ev->size == 1 ? "" : "s", ev->error);
}

static const char *plain_text(enum guest_event_kind kind)
{
	switch (kind) {
	case GE_CLTS:
		return "The guest executes CLTS, which clears CR0.TS.";
	case GE_LMSW:
		return "The guest executes LMSW, which writes CR0 bits 3:0.";
	case GE_DR:
		return "The guest moves to or from a debug register.";
	case GE_CPUID:
		return "The guest executes CPUID.";
	case GE_HLT:
		return "The guest executes HLT.";
	case GE_RDTSC:
		return "The guest executes RDTSC.";
	case GE_RDPMC:
		return "The guest executes RDPMC.";
	case GE_INVD:
		return "The guest executes INVD.";
	case GE_WBINVD:
		return "The guest executes WBINVD.";
	case GE_VMCALL:
		return "The guest executes VMCALL.";
	case GE_PAUSE:
		return "The guest executes PAUSE.";
	case GE_IRQ:
		return "A device raises the interrupt line.";
	case GE_IRQ_WINDOW:
		return "The guest can take an interrupt again, and the "
		       "hypervisor has asked to be told.";
	default:
		return "An event of the guest.";
	}
}

static void tell_what(const struct telling *t)
{
	const struct guest_event *ev = &t->story->event;

	switch (ev->kind) {
	case GE_CR_WRITE:
	case GE_CR_READ:
		tell_cr(t);
		break;
	case GE_INVLPG:
		prose_para(t->prose,
			   "The guest executes INVLPG of 0x%" PRIx64 ".",
			   ev->gva);
		break;
	case GE_RDMSR:
		prose_para(t->prose,
			   "The guest executes RDMSR of 0x%" PRIx32 ".",
			   ev->error);
		break;
	case GE_WRMSR:
		prose_para(t->prose,
			   "The guest executes WRMSR of 0x%" PRIx32
			   " with 0x%" PRIx64 ".",
			   ev->error, ev->value);
		break;
	case GE_WRPKRU:
		prose_para(t->prose,
			   "The guest executes WRPKRU with 0x%" PRIx64 ".",
			   ev->value);
		break;
	case GE_TASK_SWITCH:
		prose_para(t->prose,
			   "The guest switches to the task of TSS 0x%" PRIx32
			   ", whose CR3 is 0x%" PRIx64 ".",
			   ev->error, ev->value);
		break;
	case GE_INVPCID:
		prose_para(t->prose,
			   "The guest executes INVPCID of type %u, PCID "
			   "0x%" PRIx64 ", address 0x%" PRIx64 ".",
			   ev->reg, ev->value, ev->gva);
		break;
	case GE_IO:
		tell_io(t);
		break;
	case GE_EXCEPTION:
		tell_delivered_event(t, "An instruction raises an exception");
		break;
	case GE_SOFT_INT:
		tell_delivered_event(t, "An instruction asks for an event");
		break;
	case GE_DELIVER:
		tell_delivered_event(t, "The processor begins to deliver an "
					"event through the guest's IDT");
		prose_para(t->prose, "Nothing is decided by that. The "
				     "references that it makes come next, "
				     "and each can fault.");
		break;
	case GE_DELIVERED:
		prose_para(t->prose, "The delivery under way is complete: the "
				     "guest's handler runs next.");
		break;
	case GE_RETRY:
		prose_para(t->prose,
			   "The instruction that faulted at 0x%" PRIx64
			   " is about to run again. Its references come "
			   "next.",
			   ev->gva);
		break;
	default:
		prose_para(t->prose, "%s", plain_text(ev->kind));
	}
}

void tell_event(const struct telling *t)
{
	const struct story *story = t->story;
	const struct guest_event *ev = &story->event;
	const struct cpu *cpu = &story->cpu;

	tell_what(t);
	tell_processor(t);
	prose_fact(t->prose, "rip", "0x%" PRIx64 ", CPL %u", ev->rip, ev->cpl);
	prose_fact(t->prose, "clock",
		   "%" PRIu64 " guest instructions are completed",
		   story->insns);
	prose_fact(t->prose, "registers",
		   "CR0 0x%" PRIx64 ", CR3 0x%" PRIx64 ", CR4 0x%" PRIx64
		   ", EFER 0x%" PRIx64,
		   cpu->cr0, cpu->cr3, cpu->cr4, cpu->efer);
}

/* --- Decisions ----------------------------------------------------------- */

static void tell_control(const struct telling *t, const char *name,
			 const char *which, unsigned int bit, uint32_t word)
{
	prose_fact(t->prose, "control", "\"%s\" (%s control, bit %u) is %d",
		   name, which, bit, !!(word & BIT(bit)));
}

static void tell_proc(const struct telling *t, const char *name, uint32_t mask)
{
	tell_control(t, name, "processor-based",
		     (unsigned int)__builtin_ctz(mask),
		     t->story->controls.proc);
}

static void tell_masked(const struct telling *t, const char *name,
			uint64_t value, uint64_t mask, uint64_t shadow)
{
	uint64_t owned = (value ^ shadow) & mask;

	prose_fact(t->prose, "value", "0x%" PRIx64, value);
	prose_fact(t->prose, "read shadow", "0x%" PRIx64 " of %s", shadow,
		   name);
	prose_fact(t->prose, "mask", "0x%" PRIx64 ": bits the hypervisor owns",
		   mask);
	prose_fact(t->prose, "differ",
		   "(value ^ shadow) & mask = 0x%" PRIx64 ": %s", owned,
		   owned ? "not 0, so it exits" : "0, so it does not exit");
}

static void tell_cr3_load(const struct telling *t)
{
	const struct vmx_controls *c = &t->story->controls;

	tell_proc(t, "CR3-load exiting", VMX_PROC_CR3_LOAD_EXITING);
	prose_fact(t->prose, "targets",
		   "%" PRIu32 " CR3-target values; a MOV to CR3 of one of "
		   "them does not exit",
		   c->cr3_target_count);
	for (uint32_t i = 0; i < c->cr3_target_count; i++)
		prose_fact(
			t->prose, "target", "0x%" PRIx64 "%s", c->cr3_target[i],
			c->cr3_target[i] == t->story->event.value ? ": this one"
								  : "");
}

static void tell_cr_decision(const struct telling *t)
{
	const struct vmx_controls *c = &t->story->controls;
	const struct guest_event *ev = &t->story->event;
	bool write = ev->kind == GE_CR_WRITE;

	if (ev->cr == 3 && write)
		tell_cr3_load(t);
	else if (ev->cr == 3)
		tell_proc(t, "CR3-store exiting", VMX_PROC_CR3_STORE_EXITING);
	else if (ev->cr == 8)
		tell_proc(t, write ? "CR8-load exiting" : "CR8-store exiting",
			  write ? VMX_PROC_CR8_LOAD_EXITING
				: VMX_PROC_CR8_STORE_EXITING);
	else if (ev->cr == 0 && write)
		tell_masked(t, "CR0", ev->value, c->cr0_mask, c->cr0_shadow);
	else if (ev->cr == 4 && write)
		tell_masked(t, "CR4", ev->value, c->cr4_mask, c->cr4_shadow);
	else
		prose_para(t->prose,
			   "MOV of CR%u never exits: what it reads of bits "
			   "the hypervisor owns is the read shadow.",
			   ev->cr);
}

static void tell_ts(const struct telling *t)
{
	const struct vmx_controls *c = &t->story->controls;

	prose_fact(t->prose, "CR0.TS", "mask %d, read shadow %d: %s",
		   !!(c->cr0_mask & CR0_TS), !!(c->cr0_shadow & CR0_TS),
		   (c->cr0_mask & c->cr0_shadow & CR0_TS)
			   ? "both 1, so CLTS exits"
			   : "not both 1, so CLTS does not exit");
}

static void tell_exception_bit(const struct telling *t)
{
	uint32_t bitmap = t->story->controls.exception_bitmap;
	unsigned int vector = t->story->event.vector;

	if (t->story->event.kind == GE_SOFT_INT &&
	    t->story->event.type == EVENT_SOFT_INT) {
		prose_para(t->prose, "INT n is no exception: the exception "
				     "bitmap does not look at it.");
		return;
	}
	prose_fact(t->prose, "bitmap",
		   "bit %u of the exception bitmap (0x%" PRIx32 ") is %d",
		   vector, bitmap, vector < 32 && (bitmap & BIT(vector)));
}

static void tell_insn_decision(const struct telling *t)
{
	switch (t->story->event.kind) {
	case GE_INVLPG:
	case GE_INVPCID:
		tell_proc(t, "INVLPG exiting", VMX_PROC_INVLPG_EXITING);
		break;
	case GE_WRPKRU:
		prose_para(t->prose, "WRPKRU never exits.");
		break;
	case GE_HLT:
		tell_proc(t, "HLT exiting", VMX_PROC_HLT_EXITING);
		break;
	case GE_RDTSC:
		tell_proc(t, "RDTSC exiting", VMX_PROC_RDTSC_EXITING);
		break;
	case GE_RDPMC:
		tell_proc(t, "RDPMC exiting", VMX_PROC_RDPMC_EXITING);
		break;
	case GE_PAUSE:
		tell_proc(t, "PAUSE exiting", VMX_PROC_PAUSE_EXITING);
		break;
	case GE_DR:
		tell_proc(t, "MOV-DR exiting", VMX_PROC_MOV_DR_EXITING);
		break;
	case GE_WBINVD:
		prose_para(t->prose, "It exits by the secondary control "
				     "\"WBINVD exiting\".");
		break;
	default:
		prose_para(t->prose, "This instruction exits whatever the "
				     "controls say.");
	}
}

static void tell_cause(const struct telling *t)
{
	switch (t->story->event.kind) {
	case GE_CR_WRITE:
	case GE_CR_READ:
		tell_cr_decision(t);
		break;
	case GE_CLTS:
		tell_ts(t);
		break;
	case GE_LMSW:
		prose_para(t->prose,
			   "LMSW exits if it would change a bit of 3:1 that "
			   "the hypervisor owns, or set a PE that it owns and "
			   "shows as 0.");
		break;
	case GE_RDMSR:
	case GE_WRMSR:
		tell_proc(t, "use MSR bitmaps", VMX_PROC_USE_MSR_BITMAPS);
		prose_para(t->prose, "Without MSR bitmaps every RDMSR and "
				     "WRMSR exits.");
		break;
	case GE_IO:
		tell_proc(t, "use I/O bitmaps", VMX_PROC_USE_IO_BITMAPS);
		tell_proc(t, "unconditional I/O exiting",
			  VMX_PROC_UNCOND_IO_EXITING);
		break;
	case GE_EXCEPTION:
	case GE_SOFT_INT:
		tell_exception_bit(t);
		break;
	case GE_IRQ:
		tell_control(t, "external-interrupt exiting", "pin-based", 0,
			     t->story->controls.pin);
		break;
	case GE_IRQ_WINDOW:
		prose_para(t->prose, "The hypervisor has set "
				     "\"interrupt-window exiting\": RFLAGS.IF "
				     "is 1 and nothing blocks interrupts.");
		break;
	default:
		tell_insn_decision(t);
	}
}

void tell_decision(const struct telling *t)
{
	prose_section(t->prose, "Does it exit?");
	tell_cause(t);
	if (story_first(t->story, SIM_STEP_EXIT))
		prose_verdict(t->prose, "VM exit.");
	else
		prose_verdict(t->prose, "No VM exit.");
}
