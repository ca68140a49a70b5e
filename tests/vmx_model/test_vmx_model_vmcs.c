/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VMCS: its table of encodings, widths, and errors of read and write. */
#include "check.h"

#include <errno.h>

#include "vmx_model/vmcs.h"

static const struct {
	const char *name;
	enum vmcs_field field;
	uint32_t encoding;
	const char *width;
	const char *kind;
} table[] = {
#define FIELD(name, enc, width, kind) {#name, VMCS_##name, enc, #width, #kind},
#include "arch/vmcs_fields.def"
#undef FIELD
};

/* Some of them again as literals: what the manual says, not our list. */
static const struct {
	const char *name;
	uint32_t encoding;
} manual[] = {
	{"VPID", 0x0000},
	{"IO_BITMAP_A", 0x2000},
	{"IO_BITMAP_B", 0x2002},
	{"MSR_BITMAP", 0x2004},
	{"EPTP", 0x201a},
	{"GUEST_PHYSICAL_ADDRESS", 0x2400},
	{"GUEST_EFER", 0x2806},
	{"GUEST_PDPTE0", 0x280a},
	{"GUEST_PDPTE3", 0x2810},
	{"PIN_CONTROLS", 0x4000},
	{"PROC_CONTROLS", 0x4002},
	{"EXCEPTION_BITMAP", 0x4004},
	{"PFEC_MASK", 0x4006},
	{"PFEC_MATCH", 0x4008},
	{"CR3_TARGET_COUNT", 0x400a},
	{"EXIT_CONTROLS", 0x400c},
	{"ENTRY_CONTROLS", 0x4012},
	{"ENTRY_INTR_INFO", 0x4016},
	{"ENTRY_INTR_ERROR", 0x4018},
	{"ENTRY_INSN_LEN", 0x401a},
	{"TPR_THRESHOLD", 0x401c},
	{"PROC2_CONTROLS", 0x401e},
	{"INSTRUCTION_ERROR", 0x4400},
	{"EXIT_REASON", 0x4402},
	{"EXIT_INTR_INFO", 0x4404},
	{"EXIT_INTR_ERROR", 0x4406},
	{"IDT_VECTORING_INFO", 0x4408},
	{"IDT_VECTORING_ERROR", 0x440a},
	{"EXIT_INSN_LEN", 0x440c},
	{"EXIT_INSN_INFO", 0x440e},
	{"GUEST_INTERRUPTIBILITY", 0x4824},
	{"GUEST_ACTIVITY", 0x4826},
	{"CR0_MASK", 0x6000},
	{"CR4_MASK", 0x6002},
	{"CR0_SHADOW", 0x6004},
	{"CR4_SHADOW", 0x6006},
	{"CR3_TARGET0", 0x6008},
	{"CR3_TARGET3", 0x600e},
	{"EXIT_QUALIFICATION", 0x6400},
	{"GUEST_LINEAR_ADDRESS", 0x640a},
	{"GUEST_CR0", 0x6800},
	{"GUEST_CR3", 0x6802},
	{"GUEST_CR4", 0x6804},
	{"GUEST_RSP", 0x681c},
	{"GUEST_RIP", 0x681e},
	{"GUEST_RFLAGS", 0x6820},
};

/* From the declared width, not from the encoding. */
static uint64_t all_ones(const char *width)
{
	if (!strcmp(width, "16"))
		return 0xffff;
	if (!strcmp(width, "32"))
		return 0xffffffff;
	return ~UINT64_C(0);
}

static uint64_t read_ok(const struct vmcs *vmcs, uint32_t encoding)
{
	uint64_t val = 0;

	assert_int_equal(vmcs_read(vmcs, encoding, &val), 0);
	return val;
}

static void encodings_are_unique(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		for (size_t j = 0; j < i; j++) {
			if (table[i].encoding == table[j].encoding)
				fail_msg("%s and %s are both 0x%x",
					 table[i].name, table[j].name,
					 table[i].encoding);
		}
	}
}

static void encodings_say_width_and_kind(void **state)
{
	const char *const widths[] = {"16", "64", "32", "NAT"};
	const char *const kinds[] = {"CONTROL", "INFO", "GUEST", "HOST"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		uint32_t e = table[i].encoding;

		assert_string_equal(table[i].width, widths[e >> 13 & 3]);
		assert_string_equal(table[i].kind, kinds[e >> 10 & 3]);
		check_eq(table[i].name, e & 0xffff9001, 0);
		check_eq(table[i].name, vmcs_encodings[table[i].field], e);
		check_eq(table[i].name, vmcs_field_mask(table[i].field),
			 all_ones(table[i].width));
	}
}

static void encodings_of_the_manual(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(manual); i++) {
		const char *name = vmcs_field_name(manual[i].encoding);

		if (!name || strcmp(name, manual[i].name))
			fail_msg("0x%x: got %s, want %s", manual[i].encoding,
				 name ? name : "no field", manual[i].name);
	}
}

static void starts_as_zero(void **state)
{
	struct vmcs *vmcs = vmcs_create();

	(void)state;
	assert_non_null(vmcs);
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		check_eq(table[i].name, read_ok(vmcs, table[i].encoding), 0);
	vmcs_destroy(vmcs);
	vmcs_destroy(NULL);
}

/* Index and encoding reach the same place, and no two fields share one. */
static void index_and_encoding_agree(void **state)
{
	struct vmcs vmcs = {0};

	(void)state;
	for (uint64_t i = 0; i < ARRAY_LEN(table); i++)
		vmcs_set(&vmcs, table[i].field, 0x100 + i);
	for (uint64_t i = 0; i < ARRAY_LEN(table); i++) {
		check_eq(table[i].name, read_ok(&vmcs, table[i].encoding),
			 0x100 + i);
		check_eq(table[i].name, vmcs_get(&vmcs, table[i].field),
			 0x100 + i);
	}
}

static void writes_keep_to_the_width(void **state)
{
	struct vmcs vmcs = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		bool info = !strcmp(table[i].kind, "INFO");
		int err = vmcs_write(&vmcs, table[i].encoding, ~UINT64_C(0));

		if (err != (info ? -EROFS : 0))
			fail_msg("%s: write gives %d", table[i].name, err);
		check_eq(table[i].name, read_ok(&vmcs, table[i].encoding),
			 info ? 0 : all_ones(table[i].width));
	}
}

static void high_halves(void **state)
{
	struct vmcs vmcs = {0};
	uint64_t val = 77;

	(void)state;
	assert_int_equal(vmcs_write(&vmcs, 0x2000, 0x1111222233334444), 0);
	check_eq("high half", read_ok(&vmcs, 0x2001), 0x11112222);

	assert_int_equal(vmcs_write(&vmcs, 0x2001, 0xffffffff55556666), 0);
	check_eq("low half stays", read_ok(&vmcs, 0x2000), 0x5555666633334444);

	vmcs_set(&vmcs, VMCS_GUEST_PHYSICAL_ADDRESS, 0xabcd00000000);
	check_eq("high half of info", read_ok(&vmcs, 0x2401), 0xabcd);
	assert_int_equal(vmcs_write(&vmcs, 0x2401, 1), -EROFS);

	/* Only 64-bit fields have one, not the natural-width. */
	assert_int_equal(vmcs_read(&vmcs, 0x6801, &val), -ENOENT);
	assert_int_equal(vmcs_read(&vmcs, 0x4003, &val), -ENOENT);
	assert_int_equal(vmcs_read(&vmcs, 0x0001, &val), -ENOENT);
	check_eq("untouched on failure", val, 77);
}

/* All 16-bit encodings and some beyond: a field is there iff it is listed. */
static void only_listed_fields(void **state)
{
	const uint32_t beyond[] = {0x16800, 0x80006800, 0xffffffff};
	struct vmcs vmcs = {0};

	(void)state;
	for (uint32_t enc = 0; enc < 0x10000 + ARRAY_LEN(beyond); enc++) {
		uint32_t e = enc < 0x10000 ? enc : beyond[enc - 0x10000];
		const char *name = NULL;
		uint64_t val = 0;
		int want;

		for (size_t i = 0; i < ARRAY_LEN(table); i++) {
			bool wide = !strcmp(table[i].width, "64");

			if (e == table[i].encoding ||
			    (wide && e == table[i].encoding + 1))
				name = table[i].name;
		}
		want = name ? 0 : -ENOENT;
		if (vmcs_read(&vmcs, e, &val) != want)
			fail_msg("0x%x: read is not %d", e, want);
		if (!name && vmcs_write(&vmcs, e, 1) != -ENOENT)
			fail_msg("0x%x: write finds a field", e);
		if (vmcs_field_name(e) != name &&
		    (!name || !vmcs_field_name(e) ||
		     strcmp(vmcs_field_name(e), name)))
			fail_msg("0x%x: name is not %s", e,
				 name ? name : "none");
	}
}

static void set_33_bits(void)
{
	struct vmcs vmcs = {0};

	vmcs_set(&vmcs, VMCS_EXIT_REASON, BIT(32));
}

static void set_17_bits(void)
{
	struct vmcs vmcs = {0};

	vmcs_set(&vmcs, VMCS_GUEST_CS_SELECTOR, BIT(16));
}

static void get32_of_64_bits(void)
{
	struct vmcs vmcs = {0};

	(void)vmcs_get32(&vmcs, VMCS_GUEST_CR3);
}

static void inline_accessors_check_widths(void **state)
{
	struct vmcs vmcs = {0};

	(void)state;
	vmcs_set(&vmcs, VMCS_EXIT_REASON, 0xffffffff);
	check_eq("32 bits fit", vmcs_get32(&vmcs, VMCS_EXIT_REASON),
		 0xffffffff);
	assert_true(hits_bug(set_33_bits));
	assert_true(hits_bug(set_17_bits));
	assert_true(hits_bug(get32_of_64_bits));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodings_are_unique),
		cmocka_unit_test(encodings_say_width_and_kind),
		cmocka_unit_test(encodings_of_the_manual),
		cmocka_unit_test(starts_as_zero),
		cmocka_unit_test(index_and_encoding_agree),
		cmocka_unit_test(writes_keep_to_the_width),
		cmocka_unit_test(high_halves),
		cmocka_unit_test(only_listed_fields),
		cmocka_unit_test(inline_accessors_check_widths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
