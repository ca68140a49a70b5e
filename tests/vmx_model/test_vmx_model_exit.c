/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exit reasons, information words and qualifications as literal values, and
 * what an exit writes into the VMCS.
 */
#include "check.h"

#include "arch/paging.h"
#include "vmx_model/exit.h"

static const struct {
	uint32_t reason;
	const char *name;
} reasons[] = {
	{0, "EXCEPTION_NMI"},
	{1, "EXTERNAL_INTERRUPT"},
	{2, "TRIPLE_FAULT"},
	{7, "PENDING_INTERRUPT"},
	{8, "NMI_WINDOW"},
	{9, "TASK_SWITCH"},
	{10, "CPUID"},
	{12, "HLT"},
	{13, "INVD"},
	{14, "INVLPG"},
	{15, "RDPMC"},
	{16, "RDTSC"},
	{18, "VMCALL"},
	{28, "CR_ACCESS"},
	{29, "DR_ACCESS"},
	{30, "IO_INSTRUCTION"},
	{31, "MSR_READ"},
	{32, "MSR_WRITE"},
	{33, "INVALID_STATE"},
	{36, "MWAIT_INSTRUCTION"},
	{40, "PAUSE_INSTRUCTION"},
	{48, "EPT_VIOLATION"},
	{49, "EPT_MISCONFIG"},
	{51, "RDTSCP"},
	{52, "PREEMPTION_TIMER"},
	{54, "WBINVD"},
	{55, "XSETBV"},
	{58, "INVPCID"},
	{62, "PML_FULL"},
	{5, "UNKNOWN"},
	{38, "UNKNOWN"},
	{65, "UNKNOWN"},
	{0xffff, "UNKNOWN"},
	{0x80000021, "INVALID_STATE"}, /* bits above 15 are flags */
};

static void reason_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		assert_string_equal(exit_reason_name(reasons[i].reason),
				    reasons[i].name);
	check_eq("enum", EXIT_REASON_IO_INSTRUCTION, 30);
}

#define SOFT(type, vector) vmx_event_software(VMX_TYPE_##type, vector, 1)

static void check_word(const char *name, struct vmx_event event, uint32_t want)
{
	check_eq(name, vmx_event_info(&event), want);
}

static void information_words(void **state)
{
	struct vmx_event none = {.vector = 14};

	(void)state;
	check_word("#PF", vmx_event_exception(14, 6), 0x80000b0e);
	check_word("#DF", vmx_event_exception(8, 0), 0x80000b08);
	check_word("#GP", vmx_event_exception(13, 0), 0x80000b0d);
	check_word("#UD", vmx_event_exception(6, 0), 0x80000306);
	check_word("#DE", vmx_event_exception(0, 0), 0x80000300);
	check_word("NMI", vmx_event_nmi(), 0x80000202);
	check_word("interrupt 30", vmx_event_interrupt(0x30), 0x80000030);
	check_word("interrupt ff", vmx_event_interrupt(0xff), 0x800000ff);
	check_word("INT 80", SOFT(SW_INTERRUPT, 0x80), 0x80000480);
	check_word("INT1", SOFT(PRIV_SW_EXCEPTION, 1), 0x80000501);
	check_word("INT3", SOFT(SW_EXCEPTION, 3), 0x80000603);
	check_word("none", none, 0);
}

static void cr_qualifications(void **state)
{
	(void)state;
	check_eq("mov cr3, rax", vmx_qual_mov_cr(3, VMX_CR_MOV_TO, 0), 0x3);
	check_eq("mov cr0, rbx", vmx_qual_mov_cr(0, VMX_CR_MOV_TO, 3), 0x300);
	check_eq("mov rdi, cr3", vmx_qual_mov_cr(3, VMX_CR_MOV_FROM, 7), 0x713);
	check_eq("mov r15, cr8", vmx_qual_mov_cr(8, VMX_CR_MOV_FROM, 15),
		 0xf18);
	check_eq("clts", vmx_qual_clts(), 0x20);
	check_eq("lmsw ax=fff1", vmx_qual_lmsw(0xfff1, false), 0xfff10030);
	check_eq("lmsw [mem]=1", vmx_qual_lmsw(1, true), 0x10070);
	check_eq("mov dr7, rcx", vmx_qual_mov_dr(7, false, 1), 0x107);
	check_eq("mov r8, dr6", vmx_qual_mov_dr(6, true, 8), 0x816);
}

static void io_qualifications(void **state)
{
	const struct vmx_io out_dx = {.port = 0x3f8, .size = 1};
	const struct vmx_io in_imm = {
		.port = 0x60,
		.size = 1,
		.in = true,
		.imm = true,
	};
	const struct vmx_io rep_outsd = {
		.port = 0xffff,
		.size = 4,
		.string = true,
		.rep = true,
	};

	(void)state;
	check_eq("out dx, al", vmx_qual_io(&out_dx), 0x03f80000);
	check_eq("in al, 60", vmx_qual_io(&in_imm), 0x00600048);
	check_eq("rep outsd", vmx_qual_io(&rep_outsd), 0xffff0033);
}

static void ept_exits(void **state)
{
	const uint32_t walk = PFEC_W | PFEC_U;
	struct vmx_exit_info info;

	(void)state;
	info = vmx_exit_ept_violation(0, false, true, 0x1234, 0x5678);
	check_eq("read", info.qualification, 0x181);
	check_eq("reason", info.reason, 48);
	check_eq("gva", info.guest_linear, 0x1234);
	check_eq("gpa", info.guest_physical, 0x5678);
	info = vmx_exit_ept_violation(PFEC_W, false, true, 0, 0);
	check_eq("write", info.qualification, 0x182);
	info = vmx_exit_ept_violation(PFEC_ID, false, true, 0, 0);
	check_eq("fetch", info.qualification, 0x184);
	info = vmx_exit_ept_violation(walk, true, true, 0x1234, 0);
	check_eq("guest table", info.qualification, 0x81);
	info = vmx_exit_ept_violation(0, false, false, 0x1234, 0x5678);
	check_eq("PDPTEs", info.qualification, 0x1);
	check_eq("PDPTEs, gva", info.guest_linear, 0);
	info = vmx_exit_ept_misconfig(0xfee00020);
	check_eq("misconfiguration", info.reason, 49);
	check_eq("its qualification", info.qualification, 0);
	check_eq("its gpa", info.guest_physical, 0xfee00020);
}

static void qualifications_decode(void **state)
{
	struct vmx_io io = vmx_io_of_qual(0x03f8006b);

	(void)state;
	check_eq("CR", vmx_qual_cr(0xf18), 8);
	check_eq("access", vmx_qual_cr_access(0xf18), VMX_CR_MOV_FROM);
	check_eq("gpr", vmx_qual_gpr(0xf18), 15);
	check_eq("lmsw", vmx_qual_cr_access(0xfff10070), VMX_CR_LMSW);
	check_eq("lmsw source", vmx_qual_lmsw_source(0xfff10070), 0xfff1);

	check_eq("port", io.port, 0x3f8);
	check_eq("size", io.size, 4);
	check_eq("in", io.in, true);
	check_eq("string", io.string, false);
	check_eq("rep", io.rep, true);
	check_eq("imm", io.imm, true);
	for (uint64_t q = 0; q < 0x80; q++) { /* every flag and size */
		io = vmx_io_of_qual(q | 0xabcd0000);
		check_eq("round trip", vmx_qual_io(&io), q | 0xabcd0000);
	}
}

/* Every information field holds garbage of an earlier exit. */
static struct vmcs used_vmcs(void)
{
	struct vmcs vmcs = {0};

	for (int f = 0; f < NR_VMCS_FIELDS; f++)
		vmcs_set(&vmcs, (enum vmcs_field)f,
			 0xdead & vmcs_field_mask((enum vmcs_field)f));
	vmcs_set(&vmcs, VMCS_ENTRY_INTR_INFO, 0x80000b0e);
	return vmcs;
}

struct recorded {
	uint64_t reason, qual, info, error, vect, vect_error, len, entry;
};

static void check_recorded(const char *name, const struct vmcs *vmcs,
			   const struct recorded *want)
{
	check_eq(name, vmcs_get(vmcs, VMCS_EXIT_REASON), want->reason);
	check_eq(name, vmcs_get(vmcs, VMCS_EXIT_QUALIFICATION), want->qual);
	check_eq(name, vmcs_get(vmcs, VMCS_EXIT_INTR_INFO), want->info);
	check_eq(name, vmcs_get(vmcs, VMCS_EXIT_INTR_ERROR), want->error);
	check_eq(name, vmcs_get(vmcs, VMCS_IDT_VECTORING_INFO), want->vect);
	check_eq(name, vmcs_get(vmcs, VMCS_IDT_VECTORING_ERROR),
		 want->vect_error);
	check_eq(name, vmcs_get(vmcs, VMCS_EXIT_INSN_LEN), want->len);
	check_eq(name, vmcs_get(vmcs, VMCS_ENTRY_INTR_INFO), want->entry);
}

static void record(const char *name, struct vmx_exit_info info,
		   const struct vmx_event *delivering, struct recorded want)
{
	struct vmcs vmcs = used_vmcs();

	vmx_exit_during(&info, delivering);
	vmx_record_exit(&vmcs, &info);
	check_recorded(name, &vmcs, &want);
}

/* The entry field keeps all but its valid bit. */
#define ENTRY_AFTER .entry = 0xb0e

static void recorded_exits(void **state)
{
	const struct vmx_event none = {0};
	const struct vmx_event irq = vmx_event_interrupt(0x20);
	const struct vmx_event int80 = SOFT(SW_INTERRUPT, 0x80);
	const struct vmx_event pf = vmx_event_exception(14, 7);
	const struct vmx_event gp = vmx_event_exception(13, 0x18);
	const struct vmx_event bp = SOFT(SW_EXCEPTION, 3);
	const struct vmx_controls plain = {0};
	const struct vmx_controls ack = {.exit = VMX_BIT(15)};

	(void)state;
	record("page fault", vmx_exit_exception(&pf, 0x7fff1234), &none,
	       (struct recorded){.qual = 0x7fff1234,
				 .info = 0x80000b0e,
				 .error = 7,
				 ENTRY_AFTER});
	record("page fault delivering an interrupt",
	       vmx_exit_exception(&pf, 0x1000), &irq,
	       (struct recorded){.qual = 0x1000,
				 .info = 0x80000b0e,
				 .error = 7,
				 .vect = 0x80000020,
				 ENTRY_AFTER});
	record("page fault delivering #GP", vmx_exit_exception(&pf, 0x1000),
	       &gp,
	       (struct recorded){.qual = 0x1000,
				 .info = 0x80000b0e,
				 .error = 7,
				 .vect = 0x80000b0d,
				 .vect_error = 0x18,
				 ENTRY_AFTER});
	record("page fault delivering INT 80", vmx_exit_exception(&pf, 0x1000),
	       &int80,
	       (struct recorded){.qual = 0x1000,
				 .info = 0x80000b0e,
				 .error = 7,
				 .vect = 0x80000480,
				 .len = 1,
				 ENTRY_AFTER});
	record("INT3", vmx_exit_exception(&bp, 0), &none,
	       (struct recorded){.info = 0x80000603, .len = 1, ENTRY_AFTER});
	record("CPUID", vmx_exit_insn(EXIT_REASON_CPUID, 0, 2), &none,
	       (struct recorded){.reason = 10, .len = 2, ENTRY_AFTER});
	record("mov cr3, rdi", vmx_exit_insn(EXIT_REASON_CR_ACCESS, 0x703, 3),
	       &none,
	       (struct recorded){
		       .reason = 28, .qual = 0x703, .len = 3, ENTRY_AFTER});
	record("interrupt, not acknowledged",
	       vmx_exit_external_interrupt(&plain, 0x20), &none,
	       (struct recorded){.reason = 1, ENTRY_AFTER});
	record("interrupt, acknowledged",
	       vmx_exit_external_interrupt(&ack, 0x20), &none,
	       (struct recorded){.reason = 1, .info = 0x80000020, ENTRY_AFTER});
	record("triple fault", vmx_exit_triple_fault(), &none,
	       (struct recorded){.reason = 2, ENTRY_AFTER});
}

static void recorded_addresses(void **state)
{
	struct vmx_exit_info ept = {
		.reason = EXIT_REASON_EPT_VIOLATION,
		.qualification = 0x182,
		.insn_info = 5,
		.guest_linear = 0xffff800000001000,
		.guest_physical = 0xfee00000,
	};
	struct vmx_exit_info hlt = vmx_exit_insn(EXIT_REASON_HLT, 0, 1);
	struct vmcs vmcs = used_vmcs();

	(void)state;
	vmx_record_exit(&vmcs, &ept);
	check_eq("linear", vmcs_get(&vmcs, VMCS_GUEST_LINEAR_ADDRESS),
		 0xffff800000001000);
	check_eq("physical", vmcs_get(&vmcs, VMCS_GUEST_PHYSICAL_ADDRESS),
		 0xfee00000);
	check_eq("insn info", vmcs_get(&vmcs, VMCS_EXIT_INSN_INFO), 5);
	vmx_record_exit(&vmcs, &hlt);
	check_eq("linear", vmcs_get(&vmcs, VMCS_GUEST_LINEAR_ADDRESS), 0);
	check_eq("physical", vmcs_get(&vmcs, VMCS_GUEST_PHYSICAL_ADDRESS), 0);
	check_eq("insn info", vmcs_get(&vmcs, VMCS_EXIT_INSN_INFO), 0);
}

/* An exit writes exit information and one bit of a control; nothing else. */
static void exits_touch_nothing_else(void **state)
{
	struct vmx_exit_info hlt = vmx_exit_insn(EXIT_REASON_HLT, 0, 1);
	struct vmcs before = used_vmcs();
	struct vmcs vmcs = before;

	(void)state;
	vmx_record_exit(&vmcs, &hlt);
	for (int f = 0; f < NR_VMCS_FIELDS; f++) {
		uint32_t enc = vmcs_encodings[f];

		if (VMCS_ENC_KIND(enc) == VMCS_KIND_INFO ||
		    f == VMCS_ENTRY_INTR_INFO)
			continue;
		check_eq(vmcs_field_name(enc), vmcs.field[f], before.field[f]);
	}
	check_eq("instruction error is no exit's business",
		 vmcs_get(&vmcs, VMCS_INSTRUCTION_ERROR), 0xdead);
}

static void failed_entry(void **state)
{
	struct vmx_exit_info info = {
		.reason = EXIT_REASON_INVALID_STATE | EXIT_REASON_FAILED_ENTRY,
		.qualification = 3,
		.intr_info = 0x80000b0e,
	};
	struct vmcs vmcs = used_vmcs();

	(void)state;
	vmx_record_exit(&vmcs, &info);
	check_recorded("failed entry", &vmcs,
		       &(struct recorded){.reason = 0x80000021,
					  .qual = 3,
					  .info = 0xdead,
					  .error = 0xdead,
					  .vect = 0xdead,
					  .vect_error = 0xdead,
					  .len = 0xdead,
					  .entry = 0x80000b0e});
}

static void triple_fault_during(void)
{
	struct vmx_exit_info info = vmx_exit_triple_fault();
	struct vmx_event df = vmx_event_exception(8, 0);

	vmx_exit_during(&info, &df);
}

static void triple_fault_has_no_vectoring(void **state)
{
	(void)state;
	assert_true(hits_bug(triple_fault_during));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reason_names),
		cmocka_unit_test(information_words),
		cmocka_unit_test(cr_qualifications),
		cmocka_unit_test(io_qualifications),
		cmocka_unit_test(ept_exits),
		cmocka_unit_test(qualifications_decode),
		cmocka_unit_test(recorded_exits),
		cmocka_unit_test(recorded_addresses),
		cmocka_unit_test(exits_touch_nothing_else),
		cmocka_unit_test(failed_entry),
		cmocka_unit_test(triple_fault_has_no_vectoring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
