/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instructions that depend on controls alone, interrupts and their window,
 * loading the controls from a VMCS, and what a vendor refuses.
 */
#include "check.h"

#include <errno.h>

#include "vmx_model/decide.h"

#define NONE (-1)

/* Bit numbers and reasons as literals, from the SDM's tables. */
static const struct {
	const char *name;
	enum vmx_insn insn;
	uint32_t reason;
	int proc;
	int proc2;
} insns[] = {
	{"CPUID", VMX_INSN_CPUID, 10, NONE, NONE},
	{"GETSEC", VMX_INSN_GETSEC, 11, NONE, NONE},
	{"INVD", VMX_INSN_INVD, 13, NONE, NONE},
	{"VMCALL", VMX_INSN_VMCALL, 18, NONE, NONE},
	{"XSETBV", VMX_INSN_XSETBV, 55, NONE, NONE},
	{"HLT", VMX_INSN_HLT, 12, 7, NONE},
	{"INVLPG", VMX_INSN_INVLPG, 14, 9, NONE},
	{"INVPCID", VMX_INSN_INVPCID, 58, 9, 12},
	{"MONITOR", VMX_INSN_MONITOR, 39, 29, NONE},
	{"MOV DR", VMX_INSN_MOV_DR, 29, 23, NONE},
	{"MWAIT", VMX_INSN_MWAIT, 36, 10, NONE},
	{"PAUSE", VMX_INSN_PAUSE, 40, 30, NONE},
	{"RDPMC", VMX_INSN_RDPMC, 15, 11, NONE},
	{"RDTSC", VMX_INSN_RDTSC, 16, 12, NONE},
	{"RDTSCP", VMX_INSN_RDTSCP, 51, 12, 3},
	{"LGDT", VMX_INSN_GDTR_IDTR, 46, NONE, 2},
	{"LTR", VMX_INSN_LDTR_TR, 47, NONE, 2},
	{"WBINVD", VMX_INSN_WBINVD, 54, NONE, 6},
};

_Static_assert(ARRAY_LEN(insns) == NR_VMX_INSNS, "an instruction is missing");

static uint32_t without(int bit)
{
	return bit == NONE ? ~UINT32_C(0) : ~(UINT32_C(1) << bit);
}

static void instructions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(insns); i++) {
		struct vmx_controls only = {
			.proc = ~without(insns[i].proc),
			.proc2 = ~without(insns[i].proc2),
		};
		struct vmx_controls no_proc = {
			.proc = without(insns[i].proc),
			.proc2 = ~UINT32_C(0),
		};
		struct vmx_controls no_proc2 = {
			.proc = ~UINT32_C(0),
			.proc2 = without(insns[i].proc2),
		};
		const char *name = insns[i].name;

		check_eq(name, vmx_insn_reason(insns[i].insn), insns[i].reason);
		check_eq(name, vmx_insn_exits(&only, insns[i].insn), true);
		check_eq(name, vmx_insn_exits(&no_proc, insns[i].insn),
			 insns[i].proc == NONE);
		check_eq(name, vmx_insn_exits(&no_proc2, insns[i].insn),
			 insns[i].proc2 == NONE);
	}
}

static void interrupts(void **state)
{
	(void)state;
	for (unsigned int bit = 0; bit < 32; bit++) {
		struct vmx_controls c = {.pin = VMX_BIT(bit)};

		check_eq("external interrupt", vmx_external_interrupt_exits(&c),
			 bit == 0);
		check_eq("NMI", vmx_nmi_exits(&c), bit == 3);
	}
}

/* RFLAGS x interruptibility x control; only bits 9, 1:0 and 2 matter. */
static void interrupt_window(void **state)
{
	const uint64_t rflags[] = {0, 0x200, ~UINT64_C(0x200), ~UINT64_C(0)};

	(void)state;
	for (unsigned int i = 0; i < 4 * 16 * 32; i++) {
		uint64_t fl = rflags[i % 4];
		uint32_t blocked = i / 4 % 16;
		unsigned int bit = i / 64;
		struct vmx_controls c = {.proc = VMX_BIT(bit)};
		bool open = true;

		if (fl != 0x200 && fl != ~UINT64_C(0))
			open = false;
		if (blocked % 4 != 0) /* STI 1, MOV SS 2 */
			open = false;
		check_eq("window open", vmx_interrupt_window_open(fl, blocked),
			 open);
		check_eq("window exits",
			 vmx_interrupt_window_exits(&c, fl, blocked),
			 open && bit == 2);
	}
}

static void exceptions(void **state)
{
	(void)state;
	for (unsigned int bit = 0; bit < 32; bit++) {
		struct vmx_controls c = {.exception_bitmap = VMX_BIT(bit)};

		for (unsigned int vector = 0; vector < 32; vector++) {
			if (vector == EXC_NMI || vector == EXC_PF)
				continue;
			check_eq("exception", vmx_exception_exits(&c, vector),
				 bit == vector);
		}
	}
}

static void nmi_by_bitmap(void)
{
	struct vmx_controls c = {0};

	(void)vmx_exception_exits(&c, 2);
}

static void page_fault_by_bitmap(void)
{
	struct vmx_controls c = {0};

	(void)vmx_exception_exits(&c, 14);
}

static void vector_32(void)
{
	struct vmx_controls c = {0};

	(void)vmx_exception_exits(&c, 32);
}

static void wrong_questions(void **state)
{
	(void)state;
	assert_true(hits_bug(nmi_by_bitmap));
	assert_true(hits_bug(page_fault_by_bitmap));
	assert_true(hits_bug(vector_32));
}

static void set(struct vmcs *vmcs, uint32_t encoding, uint64_t val)
{
	assert_int_equal(vmcs_write(vmcs, encoding, val), 0);
}

static void load(void **state)
{
	struct vmcs *vmcs = vmcs_create();
	uint8_t page[1];
	struct vmx_controls c = {
		.io_bitmap_a = page, .io_bitmap_b = page, .msr_bitmap = page};

	(void)state;
	assert_non_null(vmcs);
	set(vmcs, 0x4000, 0x11);
	set(vmcs, 0x4002, 0x80000012);
	set(vmcs, 0x4004, 0x13);
	set(vmcs, 0x4006, 0x14);
	set(vmcs, 0x4008, 0x15);
	set(vmcs, 0x400a, 4);
	set(vmcs, 0x400c, 0x17);
	set(vmcs, 0x401e, 0x18);
	set(vmcs, 0x6000, 0x19);
	set(vmcs, 0x6002, 0x1a);
	set(vmcs, 0x6004, 0x1b);
	set(vmcs, 0x6006, 0x1c);
	for (uint32_t i = 0; i < 4; i++)
		set(vmcs, 0x6008 + 2 * i, 0x1d + i);

	vmx_controls_load(vmcs, &c);
	check_eq("pin", c.pin, 0x11);
	check_eq("proc", c.proc, 0x80000012);
	check_eq("exception bitmap", c.exception_bitmap, 0x13);
	check_eq("PFEC mask", c.pfec_mask, 0x14);
	check_eq("PFEC match", c.pfec_match, 0x15);
	check_eq("CR3-target count", c.cr3_target_count, 4);
	check_eq("exit", c.exit, 0x17);
	check_eq("proc2", c.proc2, 0x18);
	check_eq("CR0 mask", c.cr0_mask, 0x19);
	check_eq("CR4 mask", c.cr4_mask, 0x1a);
	check_eq("CR0 shadow", c.cr0_shadow, 0x1b);
	check_eq("CR4 shadow", c.cr4_shadow, 0x1c);
	for (uint32_t i = 0; i < 4; i++)
		check_eq("CR3 target", c.cr3_target[i], 0x1d + i);
	assert_ptr_equal(c.io_bitmap_a, page);
	assert_ptr_equal(c.io_bitmap_b, page);
	assert_ptr_equal(c.msr_bitmap, page);

	/* Without "activate secondary controls" they act as 0. */
	set(vmcs, 0x4002, 0x12);
	vmx_controls_load(vmcs, &c);
	check_eq("proc2 not activated", c.proc2, 0);
	vmcs_destroy(vmcs);
}

static void five_cr3_targets(void)
{
	struct vmcs vmcs = {0};
	struct vmx_controls c = {0};

	vmcs_set(&vmcs, VMCS_CR3_TARGET_COUNT, 5);
	vmx_controls_load(&vmcs, &c);
}

static void too_many_cr3_targets(void **state)
{
	(void)state;
	assert_true(hits_bug(five_cr3_targets));
}

static void vendors(void **state)
{
	struct diag diag = {"untouched"};

	(void)state;
	assert_true(vmx_pf_filter_supported(VENDOR_INTEL));
	assert_false(vmx_pf_filter_supported(VENDOR_AMD));
	assert_int_equal(vmx_pf_filter_require(VENDOR_INTEL, &diag), 0);
	assert_string_equal(diag.msg, "untouched");
	assert_int_equal(vmx_pf_filter_require(VENDOR_AMD, &diag), -EINVAL);
	assert_string_equal(
		diag.msg,
		"bypass=on needs VMX's page-fault error-code filter; "
		"vendor=amd has none: AMD intercepts all page faults or none "
		"(use bypass=off or vendor=intel)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instructions),
		cmocka_unit_test(interrupts),
		cmocka_unit_test(interrupt_window),
		cmocka_unit_test(exceptions),
		cmocka_unit_test(wrong_questions),
		cmocka_unit_test(load),
		cmocka_unit_test(too_many_cr3_targets),
		cmocka_unit_test(vendors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
