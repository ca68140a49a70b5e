/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The emulator on devices: what the sink is told, and where RAM is not one. */
#include "check.h"

#include "emulate_rig.h"
#include "live/emulate.h"
#include "live/reach.h"

#define DEVICE UINT64_C(0xfed00000) /* nobody there */

static enum insn_status reach(struct fake *f, gva_t gva, uint32_t access,
			      struct live_end *end)
{
	const struct device_ref ref = {.gva = gva,
				       .gpa = DEVICE | (gva & PAGE_MASK),
				       .access = access};
	struct trap trap;

	return emulate_device(&f->env, &ref, &trap, end);
}

#define ONES ~UINT64_C(0)

/* The device is at TABLE or, if so named, at the source's or stack's page. */
/* clang-format off */
static const struct device_case {
	const char *name, *bytes;
	gva_t at;
	uint32_t access;
	enum gpr reg;     /* what it is afterwards */
	uint64_t is;
	unsigned int ram; /* accesses to RAM that the sink is told of */
} device_cases[] = {
	{"MOV EAX, [RDI]", "8b 07", TABLE, 0, GPR_RAX, UINT32_MAX, 0},
	{"MOV [RDI], RAX", "48 89 07", TABLE, PFEC_W, GPR_RAX, VALUE, 0},
	{"MOVZX EAX, byte [RDI]", "0f b6 07", TABLE, 0, GPR_RAX, 0xff, 0},
	{"MOVSX RAX, word [RDI]", "48 0f bf 07", TABLE, 0, GPR_RAX, ONES, 0},
	{"XCHG [RDI], EAX", "87 07", TABLE, PFEC_W, GPR_RAX, UINT32_MAX, 0},
	{"ADD EAX, [RDI]", "03 07", TABLE, 0, GPR_RAX, 0x55667787, 0},
	{"OR [RDI], EAX", "09 07", TABLE, PFEC_W, GPR_RAX, VALUE, 0},
	{"LODSB", "ac", TABLE + 0x800, 0, GPR_RSI, TABLE + 0x801, 0},
	{"MOVSQ from a device", "48 a5", TABLE + 0x1800, 0,
	 GPR_RDI, TABLE + 8, 1},
	{"MOVSQ to a device", "48 a5", TABLE, PFEC_W, GPR_RDI, TABLE + 8, 0},
	{"PUSH [RDI]", "ff 37", TABLE, 0, GPR_RSP, KERNEL_STACK - 8, 1},
	{"POP [RDI]", "8f 07", TABLE, PFEC_W, GPR_RSP, KERNEL_STACK + 8, 0},
	{"CMPXCHG16B", "48 0f c7 0f", TABLE, PFEC_W, GPR_RAX, ONES, 0},
};
/* clang-format on */

static void test_devices(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(device_cases); i++) {
		const struct device_case *c = &device_cases[i];
		uint8_t page[PAGE_SIZE];
		struct live_end end;
		struct fake f;

		place(&f, SETUP_LONG, c->bytes);
		if (c->at == TABLE + 0x1800)
			f.vcpu.gpr[GPR_RSI] = c->at;
		memcpy(page, mem_ram(f.mem, TABLE), PAGE_SIZE);
		check_part(c->name, "status", reach(&f, c->at, c->access, &end),
			   INSN_DONE);
		check_part(c->name, "events", f.nr_events, 1 + c->ram);
		check_part(c->name, "accesses", fake_count(&f, GE_ACCESS),
			   c->ram);
		check_part(c->name, "first", f.log[0].kind, GE_DEVICE);
		check_part(c->name, "gva", f.log[0].gva, c->at);
		check_part(c->name, "gpa", f.log[0].value,
			   DEVICE | (c->at & PAGE_MASK));
		check_part(c->name, "access", f.log[0].access, c->access);
		check_part(c->name, "register", f.vcpu.gpr[c->reg], c->is);
		/* What stands in RAM there is no device's. */
		if (c->access)
			check_part(c->name, "stored",
				   memcmp(page, mem_ram(f.mem, TABLE),
					  PAGE_SIZE) != 0,
				   0);
		fake_finish(&f);
	}
}

/* What is stored to RAM is an access like any other; may be a table's. */
static void test_device_to_ram(void **state)
{
	struct live_end end;
	struct fake f;

	(void)state;
	place(&f, SETUP_LONG, "48 a5");
	f.vcpu.gpr[GPR_RSI] = TABLE + 0x1000;
	assert_int_equal(reach(&f, TABLE + 0x1000, 0, &end), INSN_DONE);
	check_eq("access", fake_last(&f, GE_ACCESS)->access, PFEC_W);
	check_eq("stored", fake_peek(&f, TABLE, 8), ONES);
	fake_finish(&f);

	place(&f, SETUP_LONG, "48 a5");
	f.vcpu.gpr[GPR_RSI] = TABLE + 0x1000;
	f.shadowed = TABLE;
	f.is_shadowed = true;
	assert_int_equal(reach(&f, TABLE + 0x1000, 0, &end), INSN_DONE);
	check_eq("store", fake_last(&f, GE_STORE)->gva, TABLE);
	check_eq("stored", fake_peek(&f, TABLE, 8), ONES);
	fake_finish(&f);
}

/* Half of it is RAM; or a second device, which is an access of its own. */
static void test_device_crossing(void **state)
{
	struct live_end end;
	struct fake f;

	(void)state;
	place(&f, SETUP_LONG, "48 8b 07");
	f.vcpu.gpr[GPR_RDI] = TABLE + 0xffc;
	fake_poke(&f, TABLE + 0xffc, 0x12345678, 4);
	assert_int_equal(reach(&f, TABLE + 0x1000, 0, &end), INSN_DONE);
	check_eq("both", f.vcpu.gpr[GPR_RAX], UINT64_C(0xffffffff12345678));
	fake_finish(&f);

	place(&f, SETUP_LONG, "48 8b 07");
	f.vcpu.gpr[GPR_RDI] = TABLE + 0xffc;
	f.trip_at = 1;
	f.trip = (struct guest_outcome){.verdict = GO_MMIO, .gpa = 0xfec00000};
	fake_map(&f, TABLE + 0x1000, FAKE_ABSENT);
	assert_int_equal(reach(&f, TABLE + 0xffc, 0, &end), INSN_DONE);
	check_eq("devices", fake_count(&f, GE_DEVICE), 2);
	check_eq("the second", fake_last(&f, GE_DEVICE)->value, 0xfec00000);
	check_eq("ones", f.vcpu.gpr[GPR_RAX], ONES);
	fake_finish(&f);
}

/* The RAM behind a device's end has not been granted yet. */
static void test_device_then_ram(void **state)
{
	struct live_end end;
	struct fake f;

	(void)state;
	place(&f, SETUP_LONG, "48 8b 07");
	f.vcpu.gpr[GPR_RDI] = TABLE + 0xffc;
	fake_poke(&f, TABLE + 0x1000, 0x12345678, 4);
	assert_int_equal(reach(&f, TABLE + 0xffc, 0, &end), INSN_DONE);
	check_eq("both", f.vcpu.gpr[GPR_RAX], UINT64_C(0x12345678ffffffff));
	check_eq("accesses", fake_count(&f, GE_ACCESS), 1);
	check_eq("where", fake_last(&f, GE_ACCESS)->gva, TABLE + 0x1000);
	fake_finish(&f);
}

/* From one place in a device's page to another: the sink knows that page. */
static void test_within_device(void **state)
{
	struct live_end end;
	struct fake f;

	(void)state;
	place(&f, SETUP_LONG, "48 a5");
	assert_int_equal(reach(&f, TABLE + 0x800, 0, &end), INSN_DONE);
	check_eq("events", f.nr_events, 1);
	check_eq("RAM there", fake_peek(&f, TABLE, 8), OLD);
	fake_finish(&f);
}

/* Neither code nor what the emulator does not know. */
static void test_device_ends(void **state)
{
	static const char *const insns[] = {
		"0f 10 07", /* MOVUPS */
		"dd 07",    /* FLD */
		"ff 17",    /* CALL [RDI] */
		"ae",       /* SCASB */
		"06",       /* no instruction */
	};
	struct live_end end;
	struct fake f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(insns); i++) {
		place(&f, SETUP_LONG, insns[i]);
		check_part(insns[i], "status", reach(&f, TABLE, 0, &end),
			   INSN_END);
		check_part(insns[i], "end", end.status, LIVE_ABSENT);
		check_part(insns[i], "events", f.nr_events, 0);
		fake_finish(&f);
	}
	place(&f, SETUP_LONG, "8b 07");
	assert_int_equal(reach(&f, TABLE, PFEC_ID, &end), INSN_END);
	assert_int_equal(end.status, LIVE_ABSENT);
	fake_finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_device_to_ram),
		cmocka_unit_test(test_device_crossing),
		cmocka_unit_test(test_device_then_ram),
		cmocka_unit_test(test_within_device),
		cmocka_unit_test(test_device_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
