/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the processor writes into the VMCS when it exits. */
#include <inttypes.h>
#include <string.h>

#include "arch/pfec.h"
#include "explain/internal.h"

static const char *type_name(enum vmx_intr_type type)
{
	static const char *const names[] = {
		[VMX_TYPE_EXTERNAL] = "external interrupt",
		[VMX_TYPE_RESERVED] = "reserved",
		[VMX_TYPE_NMI] = "NMI",
		[VMX_TYPE_HW_EXCEPTION] = "hardware exception",
		[VMX_TYPE_SW_INTERRUPT] = "software interrupt",
		[VMX_TYPE_PRIV_SW_EXCEPTION] = "privileged software exception",
		[VMX_TYPE_SW_EXCEPTION] = "software exception",
		[VMX_TYPE_OTHER] = "other event",
	};

	return names[type];
}

static const char *vector_name(const struct vmx_event *event)
{
	static const char *const names[NR_EXCEPTIONS] = {
		[EXC_DE] = "#DE", [EXC_DB] = "#DB", [EXC_NMI] = "NMI",
		[EXC_BP] = "#BP", [EXC_OF] = "#OF", [EXC_BR] = "#BR",
		[EXC_UD] = "#UD", [EXC_NM] = "#NM", [EXC_DF] = "#DF",
		[EXC_TS] = "#TS", [EXC_NP] = "#NP", [EXC_SS] = "#SS",
		[EXC_GP] = "#GP", [EXC_PF] = "#PF", [EXC_MF] = "#MF",
		[EXC_AC] = "#AC", [EXC_MC] = "#MC", [EXC_XM] = "#XM",
		[EXC_VE] = "#VE", [EXC_CP] = "#CP",
	};

	if (event->vector >= NR_EXCEPTIONS || !names[event->vector] ||
	    event->type == VMX_TYPE_EXTERNAL ||
	    event->type == VMX_TYPE_SW_INTERRUPT)
		return "";
	return names[event->vector];
}

void event_text(const struct vmx_event *event, char *buf, size_t size)
{
	const char *name = vector_name(event);
	size_t len;

	snprintf(buf, size, "%s%svector %u, %s", name, *name ? ", " : "",
		 event->vector, type_name(event->type));
	len = strlen(buf);
	if (event->has_error)
		snprintf(buf + len, size - len, ", error code 0x%" PRIx32,
			 event->error);
}

static const char *const registers[] = {
	"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
	"R8",  "R9",  "R10", "R11", "R12", "R13", "R14", "R15"};

static void cr_text(uint64_t qual, char *buf, size_t size)
{
	const char *gpr = registers[vmx_qual_gpr(qual)];
	unsigned int cr = vmx_qual_cr(qual);

	switch (vmx_qual_cr_access(qual)) {
	case VMX_CR_MOV_TO:
		snprintf(buf, size,
			 "MOV to CR%u (bits 3:0, 5:4) from %s (11:8)", cr, gpr);
		return;
	case VMX_CR_MOV_FROM:
		snprintf(buf, size,
			 "MOV from CR%u (bits 3:0, 5:4) to %s (11:8)", cr, gpr);
		return;
	case VMX_CR_CLTS:
		snprintf(buf, size, "CLTS (bits 5:4)");
		return;
	case VMX_CR_LMSW:
		snprintf(buf, size, "LMSW (bits 5:4) of 0x%x (31:16)",
			 vmx_qual_lmsw_source(qual));
		return;
	}
}

static void io_text(uint64_t qual, char *buf, size_t size)
{
	struct vmx_io io = vmx_io_of_qual(qual);

	snprintf(buf, size,
		 "%s of %u byte%s (bits 3, 2:0)%s%s, port 0x%x "
		 "(31:16)%s",
		 io.in ? "IN" : "OUT", io.size, io.size == 1 ? "" : "s",
		 io.string ? ", string" : "", io.rep ? ", REP" : "", io.port,
		 io.imm ? ", an immediate" : "");
}

static void qualification_text(const struct vmx_exit_info *exit, char *buf,
			       size_t size)
{
	uint64_t qual = exit->qualification;

	switch (exit->reason & EXIT_REASON_BASIC) {
	case EXIT_REASON_EXCEPTION_NMI:
		snprintf(buf, size, "%s",
			 vmx_intr_vector(exit->intr_info) == EXC_PF
				 ? "the linear address that faulted; CR2 has "
				   "not changed"
				 : "nothing for this exception");
		return;
	case EXIT_REASON_CR_ACCESS:
		cr_text(qual, buf, size);
		return;
	case EXIT_REASON_DR_ACCESS:
		snprintf(buf, size, "MOV %s DR%u (bits 4, 2:0), %s (11:8)",
			 qual & VMX_QUAL_DR_FROM ? "from" : "to",
			 (unsigned int)(qual & 7),
			 registers[vmx_qual_gpr(qual)]);
		return;
	case EXIT_REASON_IO_INSTRUCTION:
		io_text(qual, buf, size);
		return;
	case EXIT_REASON_INVLPG:
		snprintf(buf, size, "the linear address of its operand");
		return;
	default:
		snprintf(buf, size, "nothing for this reason");
		return;
	}
}

static void put_info(const struct telling *t, const char *field, uint32_t info,
		     uint32_t error, const char *otherwise)
{
	struct vmx_event event = vmx_event_of_words(info, error, 0);
	char text[200];

	prose_cell(t->prose, "%s", field);
	prose_cell(t->prose, "0x%" PRIx32, info);
	if (!event.valid) {
		prose_cell(t->prose, "%s", otherwise);
		return;
	}
	event.has_error = false;
	event_text(&event, text, sizeof(text));
	prose_cell(t->prose, "valid (bit 31): %s (7:0, 10:8)%s", text,
		   info & VMX_INTR_ERROR ? ", with an error code (11)" : "");
}

static void put_error(const struct telling *t, const char *field, uint32_t info,
		      uint32_t error)
{
	char text[80] = "";

	if (!(info & VMX_INTR_ERROR))
		return;
	if (vmx_intr_vector(info) == EXC_PF)
		pfec_text(error, text, sizeof(text));
	prose_cell(t->prose, "%s", field);
	prose_cell(t->prose, "0x%" PRIx32, error);
	prose_cell(t->prose, "%s", text);
}

void tell_exit(const struct telling *t, const struct vmx_exit_info *exit)
{
	char text[160];

	prose_para(t->prose, "The processor leaves the guest and writes into "
			     "the VMCS:");
	prose_table(t->prose);
	prose_column(t->prose, "field", false);
	prose_column(t->prose, "value", true);
	prose_column(t->prose, "means", false);
	prose_cell(t->prose, "exit reason");
	prose_cell(t->prose, "%" PRIu32, exit->reason & EXIT_REASON_BASIC);
	prose_cell(t->prose, "%s", exit_reason_name(exit->reason));
	qualification_text(exit, text, sizeof(text));
	prose_cell(t->prose, "exit qualification");
	prose_cell(t->prose, "0x%" PRIx64, exit->qualification);
	prose_cell(t->prose, "%s", text);
	put_info(t, "interruption information", exit->intr_info,
		 exit->intr_error, "not valid: no exception exits");
	put_error(t, "interruption error code", exit->intr_info,
		  exit->intr_error);
	put_info(t, "IDT-vectoring information", exit->vectoring_info,
		 exit->vectoring_error, "not valid: no delivery was cut short");
	put_error(t, "IDT-vectoring error code", exit->vectoring_info,
		  exit->vectoring_error);
	if (exit->insn_len) {
		prose_cell(t->prose, "instruction length");
		prose_cell(t->prose, "%" PRIu32, exit->insn_len);
		prose_cell(t->prose, "bytes, for stepping over it");
	}
}
