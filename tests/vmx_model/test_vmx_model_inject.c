/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Injection: words written and read back, the checks of VM entry one by one,
 * giving back a delivery that an exit cut short, and KVM's #PF to #DF.
 */
#include "check.h"

#include "vmx_model/exit.h"
#include "vmx_model/inject.h"

#define UNRESTRICTED_PROC       VMX_BIT(31)
#define SOFT(type, vector, len) vmx_event_software(VMX_TYPE_##type, vector, len)
#define VIRTUAL_NMIS            VMX_BIT(5)

static void check_event(const char *name, struct vmx_event got,
			struct vmx_event want)
{
	check_eq(name, got.valid, want.valid);
	if (!want.valid)
		return;
	check_eq(name, got.vector, want.vector);
	check_eq(name, got.type, want.type);
	check_eq(name, got.has_error, want.has_error);
	check_eq(name, got.error, want.error);
	check_eq(name, got.insn_len, want.insn_len);
}

/* A guest that accepts any event: PE=1, IF=1, nothing blocked, active. */
static struct vmcs willing_guest(void)
{
	struct vmcs vmcs = {0};

	vmcs_set(&vmcs, VMCS_GUEST_CR0, 0x80000011);
	vmcs_set(&vmcs, VMCS_GUEST_RFLAGS, 0x202);
	return vmcs;
}

static void literal_words(void **state)
{
	struct vmx_event pf = vmx_event_exception(14, 7);
	struct vmx_event int80 = SOFT(SW_INTERRUPT, 0x80, 2);
	struct vmcs vmcs = willing_guest();

	(void)state;
	vmx_inject(&vmcs, &pf);
	check_eq("#PF", vmcs_get(&vmcs, VMCS_ENTRY_INTR_INFO), 0x80000b0e);
	check_eq("its error", vmcs_get(&vmcs, VMCS_ENTRY_INTR_ERROR), 7);
	vmx_inject(&vmcs, &int80);
	check_eq("INT 80", vmcs_get(&vmcs, VMCS_ENTRY_INTR_INFO), 0x80000480);
	check_eq("its length", vmcs_get(&vmcs, VMCS_ENTRY_INSN_LEN), 2);
}

/* Every event the model can make: what goes in comes out and passes. */
static void round_trips(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 4 * 256; i++) {
		uint8_t vector = (uint8_t)i;
		struct vmcs vmcs = willing_guest();
		struct vmx_event event;
		const char *why = "none";

		switch (i >> 8) {
		case 0:
			event = vmx_event_interrupt(vector);
			break;
		case 1:
			event = vmx_event_exception(vector % 32, vector);
			break;
		case 2:
			event = SOFT(SW_INTERRUPT, vector, 1 + i % 15);
			break;
		default:
			event = SOFT(SW_EXCEPTION, 3 + i % 2, 1);
		}
		vmx_inject(&vmcs, &event);
		check_event("round trip", vmx_entry_event(&vmcs), event);
		check_eq(why, vmx_check_entry_event(&vmcs, &why), VMX_ENTRY_OK);
	}
}

/* What an event has not is 0, whatever stands in the words beside it. */
static void words_that_do_not_count(void **state)
{
	struct vmx_event gp = vmx_event_of_words(0x80000b0d, 0x18, 3);
	struct vmx_event ud = vmx_event_of_words(0x80000306, 0x18, 3);
	struct vmx_event int80 = vmx_event_of_words(0x80000480, 0x18, 3);

	(void)state;
	check_eq("#GP, length", gp.insn_len, 0);
	check_eq("#GP, error", gp.error, 0x18);
	check_eq("#UD, length", ud.insn_len, 0);
	check_eq("#UD, error", ud.error, 0);
	check_eq("INT 80, length", int80.insn_len, 3);
	check_eq("INT 80, error", int80.error, 0);
	check_eq("#UD", vmx_event_exception(6, 0x18).error, 0);
}

static void nothing_to_inject(void **state)
{
	struct vmcs vmcs = {0}; /* would refuse any event but NMI */
	const char *why = "untouched";

	(void)state;
	vmcs_set(&vmcs, VMCS_ENTRY_INTR_INFO, 0x7ffff7ff); /* not valid */
	check_event("none", vmx_entry_event(&vmcs), (struct vmx_event){0});
	check_eq("none", vmx_check_entry_event(&vmcs, &why), VMX_ENTRY_OK);
	assert_string_equal(why, "untouched");
}

#define OK   VMX_ENTRY_OK
#define CTRL VMX_ENTRY_BAD_CONTROLS
#define GST  VMX_ENTRY_BAD_GUEST

static const struct {
	const char *name;
	enum vmx_entry_verdict want;
	uint32_t info, error, len;
} field_checks[] = {
	{"type 1 is reserved", CTRL, 0x80000120, 0, 0},
	{"type 7 needs the monitor trap flag", CTRL, 0x80000700, 0, 0},
	{"NMI with vector 2", OK, 0x80000202, 0, 0},
	{"NMI with vector 3", CTRL, 0x80000203, 0, 0},
	{"exception 31", OK, 0x8000031f, 0, 0},
	{"exception 32", CTRL, 0x80000320, 0, 0},
	{"interrupt 255", OK, 0x800000ff, 0, 0},
	{"#PF without its error code", CTRL, 0x8000030e, 0, 0},
	{"#UD with an error code", CTRL, 0x80000b06, 0, 0},
	{"interrupt with an error code", CTRL, 0x8000080e, 0, 0},
	{"INT 14 with an error code", CTRL, 0x80000c0e, 0, 2},
	{"INT 14 without", OK, 0x8000040e, 0, 2},
	{"bit 12", CTRL, 0x80001b0e, 0, 0},
	{"bit 30", CTRL, 0xc0000b0e, 0, 0},
	{"error code of 16 bits", OK, 0x80000b0d, 0xffff, 0},
	{"error code of 17 bits", CTRL, 0x80000b0d, 0x10000, 0},
	{"error code not delivered", OK, 0x80000306, 0x10000, 0},
	{"INT n of length 0", CTRL, 0x80000480, 0, 0},
	{"INT n of length 15", OK, 0x80000480, 0, 15},
	{"INT n of length 16", CTRL, 0x80000480, 0, 16},
	{"INT1 of length 0", CTRL, 0x80000501, 0, 0},
	{"INT3 of length 0", CTRL, 0x80000603, 0, 0},
	{"interrupt, length ignored", OK, 0x80000020, 0, 99},
};

static void checks_on_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(field_checks); i++) {
		struct vmcs vmcs = willing_guest();
		const char *why = NULL;

		vmcs_set(&vmcs, VMCS_ENTRY_INTR_INFO, field_checks[i].info);
		vmcs_set(&vmcs, VMCS_ENTRY_INTR_ERROR, field_checks[i].error);
		vmcs_set(&vmcs, VMCS_ENTRY_INSN_LEN, field_checks[i].len);
		check_eq(field_checks[i].name,
			 vmx_check_entry_event(&vmcs, &why),
			 field_checks[i].want);
		check_eq(field_checks[i].name, why != NULL,
			 field_checks[i].want != OK);
	}
}

static const struct {
	const char *name;
	enum vmx_entry_verdict want;
	uint32_t info, rflags, blocked, activity, pin;
} guest_checks[] = {
	{"interrupt, IF=1", OK, 0x80000020, 0x202, 0, 0, 0},
	{"interrupt, IF=0", GST, 0x80000020, 0x2, 0, 0, 0},
	{"interrupt after STI", GST, 0x80000020, 0x202, 1, 0, 0},
	{"interrupt after MOV SS", GST, 0x80000020, 0x202, 2, 0, 0},
	{"interrupt in an NMI", OK, 0x80000020, 0x202, 8, 0, VIRTUAL_NMIS},
	{"NMI, IF=0", OK, 0x80000202, 0x2, 0, 0, 0},
	{"NMI after STI", OK, 0x80000202, 0x202, 1, 0, 0},
	{"NMI after MOV SS", GST, 0x80000202, 0x202, 2, 0, 0},
	{"NMI in an NMI", OK, 0x80000202, 0x202, 8, 0, 0},
	{"virtual NMI in one", GST, 0x80000202, 0x202, 8, 0, VIRTUAL_NMIS},
	{"#UD, IF=0, blocked", OK, 0x80000306, 0x2, 3, 0, 0},
	{"interrupt in HLT", OK, 0x80000020, 0x202, 0, 1, 0},
	{"NMI in HLT", OK, 0x80000202, 0x202, 0, 1, 0},
	{"#DB in HLT", OK, 0x80000301, 0x202, 0, 1, 0},
	{"#MC in HLT", OK, 0x80000312, 0x202, 0, 1, 0},
	{"#UD in HLT", GST, 0x80000306, 0x202, 0, 1, 0},
	{"interrupt in shutdown", GST, 0x80000020, 0x202, 0, 2, 0},
	{"NMI in shutdown", OK, 0x80000202, 0x202, 0, 2, 0},
	{"#DB in shutdown", GST, 0x80000301, 0x202, 0, 2, 0},
	{"#MC in shutdown", OK, 0x80000312, 0x202, 0, 2, 0},
	{"NMI in wait-for-SIPI", GST, 0x80000202, 0x202, 0, 3, 0},
};

static void checks_on_guest_state(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(guest_checks); i++) {
		struct vmcs vmcs = willing_guest();
		const char *why = NULL;

		vmcs_set(&vmcs, VMCS_ENTRY_INTR_INFO, guest_checks[i].info);
		vmcs_set(&vmcs, VMCS_GUEST_RFLAGS, guest_checks[i].rflags);
		vmcs_set(&vmcs, VMCS_GUEST_INTERRUPTIBILITY,
			 guest_checks[i].blocked);
		vmcs_set(&vmcs, VMCS_GUEST_ACTIVITY, guest_checks[i].activity);
		vmcs_set(&vmcs, VMCS_PIN_CONTROLS, guest_checks[i].pin);
		check_eq(guest_checks[i].name,
			 vmx_check_entry_event(&vmcs, &why),
			 guest_checks[i].want);
	}
}

/* Real mode (unrestricted guest with PE=0): no exception has an error code. */
static void checks_in_real_mode(void **state)
{
	struct vmcs vmcs = willing_guest();
	const char *why = NULL;

	(void)state;
	vmcs_set(&vmcs, VMCS_GUEST_CR0, 0x10);
	vmcs_set(&vmcs, VMCS_PROC2_CONTROLS, VMX_BIT(7));
	vmcs_set(&vmcs, VMCS_ENTRY_INTR_INFO, 0x8000030d);
	check_eq("#GP, not unrestricted", vmx_check_entry_event(&vmcs, &why),
		 CTRL);
	vmcs_set(&vmcs, VMCS_PROC2_CONTROLS, VMX_BIT(6));
	vmcs_set(&vmcs, VMCS_PROC_CONTROLS, UNRESTRICTED_PROC);
	check_eq("#GP, others on", vmx_check_entry_event(&vmcs, &why), CTRL);
	vmcs_set(&vmcs, VMCS_PROC2_CONTROLS, VMX_BIT(7));
	check_eq("#GP without", vmx_check_entry_event(&vmcs, &why), OK);
	vmcs_set(&vmcs, VMCS_ENTRY_INTR_INFO, 0x80000b0d);
	check_eq("#GP with", vmx_check_entry_event(&vmcs, &why), CTRL);
	vmcs_set(&vmcs, VMCS_GUEST_CR0, 0x11);
	check_eq("PE=1, #GP with", vmx_check_entry_event(&vmcs, &why), OK);
}

/* The page fault on which a delivery was cut short. */
static void exit_while(struct vmcs *vmcs, const struct vmx_event *delivering)
{
	struct vmx_event pf = vmx_event_exception(14, 3);
	struct vmx_exit_info info = vmx_exit_exception(&pf, 0x1000);

	vmx_exit_during(&info, delivering);
	vmx_record_exit(vmcs, &info);
}

static const struct {
	const char *name;
	uint32_t info, error, len;
} cut_short[] = {
	{"interrupt", 0x80000020, 0, 0}, {"NMI", 0x80000202, 0, 0},
	{"#GP", 0x80000b0d, 0x18, 0},    {"#UD", 0x80000306, 0, 0},
	{"INT 80", 0x80000480, 0, 2},    {"INT1", 0x80000501, 0, 1},
	{"INT3", 0x80000603, 0, 1},
};

static void reinjects_what_was_cut_short(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cut_short); i++) {
		const char *name = cut_short[i].name;
		struct vmx_event event = vmx_event_of_words(cut_short[i].info,
							    cut_short[i].error,
							    cut_short[i].len);
		struct vmcs vmcs = willing_guest();
		const char *why = NULL;

		exit_while(&vmcs, &event);
		check_event("exit event", vmx_exit_event(&vmcs),
			    vmx_event_exception(14, 3));
		check_event(name, vmx_vectoring_event(&vmcs), event);
		check_eq(name, vmx_reinject(&vmcs), true);
		check_eq(name, vmcs_get(&vmcs, VMCS_ENTRY_INTR_INFO),
			 cut_short[i].info);
		check_eq(name, vmcs_get(&vmcs, VMCS_ENTRY_INTR_ERROR),
			 cut_short[i].error);
		check_eq(name, vmcs_get(&vmcs, VMCS_ENTRY_INSN_LEN),
			 cut_short[i].len);
		check_eq(name, vmx_check_entry_event(&vmcs, &why), OK);
	}
}

static void reinjects_not(void **state)
{
	struct vmx_event none = {0};
	struct vmx_event irq = vmx_event_interrupt(0x20);
	struct vmx_event gp = vmx_event_exception(13, 0);
	struct vmcs vmcs = willing_guest();

	(void)state;
	exit_while(&vmcs, &none);
	check_eq("nothing cut short", vmx_reinject(&vmcs), false);
	check_event("nothing cut short", vmx_entry_event(&vmcs), none);

	exit_while(&vmcs, &irq);
	vmx_inject(&vmcs, &gp);
	check_eq("a new event goes first", vmx_reinject(&vmcs), false);
	check_event("a new event goes first", vmx_entry_event(&vmcs), gp);
}

static void reinject_drops_bit_12(void **state)
{
	struct vmcs vmcs = willing_guest();

	(void)state;
	vmcs_set(&vmcs, VMCS_IDT_VECTORING_INFO, 0x80001b0d);
	check_eq("#GP", vmx_reinject(&vmcs), true);
	check_eq("#GP", vmcs_get(&vmcs, VMCS_ENTRY_INTR_INFO), 0x80000b0d);
}

static const struct {
	const char *name;
	uint32_t info;
	uint32_t pin;
	uint32_t blocked; /* afterwards; by STI and NMI before */
} unblocks[] = {
	{"virtual NMI", 0x80000202, VIRTUAL_NMIS, 1},
	{"NMI", 0x80000202, 0, 9},
	{"interrupt", 0x80000020, VIRTUAL_NMIS, 9},
};

static void reinjected_nmi_unblocks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(unblocks); i++) {
		struct vmx_event event =
			vmx_event_of_words(unblocks[i].info, 0, 0);
		struct vmcs vmcs = willing_guest();

		vmcs_set(&vmcs, VMCS_PIN_CONTROLS, unblocks[i].pin);
		vmcs_set(&vmcs, VMCS_GUEST_INTERRUPTIBILITY, 9);
		exit_while(&vmcs, &event);
		check_eq(unblocks[i].name, vmx_reinject(&vmcs), true);
		check_eq(unblocks[i].name,
			 vmcs_get(&vmcs, VMCS_GUEST_INTERRUPTIBILITY),
			 unblocks[i].blocked);
	}
}

/*
 * What KVM put in the place of a delivery that a #PF, error code 6, cut short:
 * until 2.6.24, or for a first #PF of its own; for one it knew nothing of; from
 * 2.6.28; from 2.6.33.  "2" marks that CR2 is written, "T" a triple fault.
 */
#define NR_WAYS 4
#define PF2     "80000b0e/6 2"

/* clang-format off */
static const struct {
	const char *name;
	uint32_t first;
	const char *want[NR_WAYS]; /* by enum vmx_reflection */
} reflections[] = {
	{"alone", 0, {PF2, PF2, PF2, PF2}},
	{"#PF", 0x80000b0e, {PF2, "80000b08/0", "80000b08/0", "80000b08/0 2"}},
	{"#DF", 0x80000b08, {PF2, PF2, "T", "T 2"}},
	{"#GP", 0x80000b0d, {PF2, PF2, "0/0", PF2}},
	{"#UD", 0x80000306, {PF2, PF2, "0/0", PF2}},
	{"#DE", 0x80000300, {PF2, PF2, "0/0", PF2}},
	{"interrupt 14", 0x8000000e, {PF2, PF2, PF2, PF2}},
	{"NMI", 0x80000202, {PF2, PF2, PF2, PF2}},
	{"INT 14", 0x8000040e, {PF2, PF2, PF2, PF2}},
	{"INT 8", 0x80000408, {PF2, PF2, PF2, PF2}},
	{"INT3", 0x80000603, {PF2, PF2, PF2, PF2}},
};
/* clang-format on */

static void page_fault_reflection(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_WAYS * ARRAY_LEN(reflections); i++) {
		struct vmx_event first = vmx_event_of_words(
			reflections[i / NR_WAYS].first, 0, 2);
		const char *want = reflections[i / NR_WAYS].want[i % NR_WAYS];
		struct vmcs vmcs = willing_guest();
		struct vmx_reflected r;
		uint64_t info;
		char got[64];

		exit_while(&vmcs, &first);
		r = vmx_reflect_page_fault(&vmcs, 6,
					   (enum vmx_reflection)(i % NR_WAYS));
		info = vmcs_get(&vmcs, VMCS_ENTRY_INTR_INFO);
		if (r.triple_fault)
			snprintf(got, sizeof(got), "T%s",
				 r.sets_cr2 ? " 2" : "");
		else
			snprintf(got, sizeof(got), "%x/%x%s",
				 info >> 31 ? (unsigned int)info : 0,
				 r.event.error, r.sets_cr2 ? " 2" : "");
		if (strcmp(got, want))
			fail_msg("on %s, way %zu: got %s, want %s",
				 reflections[i / NR_WAYS].name, i % NR_WAYS,
				 got, want);
		check_event("entry", vmx_entry_event(&vmcs), r.event);
	}
}

/* What one exit left pending, the next one has delivered. */
static void delivered_once(void **state)
{
	struct vmx_event none = {0};
	struct vmx_event pf = vmx_event_exception(14, 6);
	struct vmcs vmcs = willing_guest();

	(void)state;
	vmx_inject(&vmcs, &pf);
	check_event("before", vmx_entry_event(&vmcs), pf);
	exit_while(&vmcs, &none);
	check_event("after", vmx_entry_event(&vmcs), none);
}

static void inject_nothing(void)
{
	struct vmcs vmcs = {0};
	struct vmx_event none = {0};

	vmx_inject(&vmcs, &none);
}

static void injecting_nothing_is_a_bug(void **state)
{
	(void)state;
	assert_true(hits_bug(inject_nothing));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literal_words),
		cmocka_unit_test(round_trips),
		cmocka_unit_test(words_that_do_not_count),
		cmocka_unit_test(nothing_to_inject),
		cmocka_unit_test(checks_on_fields),
		cmocka_unit_test(checks_on_guest_state),
		cmocka_unit_test(checks_in_real_mode),
		cmocka_unit_test(reinjects_what_was_cut_short),
		cmocka_unit_test(reinjects_not),
		cmocka_unit_test(reinject_drops_bit_12),
		cmocka_unit_test(reinjected_nmi_unblocks),
		cmocka_unit_test(page_fault_reflection),
		cmocka_unit_test(delivered_once),
		cmocka_unit_test(injecting_nothing_is_a_bug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
