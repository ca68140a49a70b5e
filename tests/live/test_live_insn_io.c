/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IN, OUT, INS, OUTS: permission, the event, the device behind it, and REP one
 * iteration at a time.  The device is the interrupt controller's mask, port
 * 0x21, which reads back what was written.
 */
#include "check.h"

#include "arch/exception.h"
#include "platform/platform.h"
#include "run_insn.h"

#define L SETUP_LONG
#define P SETUP_PROTECTED
#define R SETUP_REAL

#define RAX_BEFORE UINT64_C(0x1122334455667788)
#define BUFFER     0x20ff0u
#define MAP_BASE   0x70u

static void set_mask(struct fake *f, uint32_t val)
{
	platform_io_write(f->platform, 0x21, 1, val, 0);
}

static void port_21(struct fake *f)
{
	set_mask(f, 0xa5);
	f->vcpu.gpr[GPR_RAX] = RAX_BEFORE;
	f->vcpu.gpr[GPR_RDX] = 0x21;
	f->vcpu.gpr[GPR_RDI] = BUFFER;
	f->vcpu.gpr[GPR_RSI] = BUFFER;
	fake_poke(f, BUFFER, UINT64_C(0x8877665544332211), 8);
}

static void port_absent(struct fake *f)
{
	port_21(f);
	f->vcpu.gpr[GPR_RDX] = UINT64_C(0xffffffffffff5678);
}

static void iopl_3(struct fake *f)
{
	port_21(f);
	f->vcpu.rflags |= RFLAGS_IOPL;
}

/* A permission map of eight bytes in the TSS, all ports allowed but `deny`. */
static void io_map(struct fake *f, uint64_t deny)
{
	port_21(f);
	fake_poke(f, TSS_AT + 0x66, MAP_BASE, 2);
	fake_poke(f, TSS_AT + MAP_BASE, deny, 8);
	f->vcpu.tr.limit = MAP_BASE + 7;
}

static void map_allows(struct fake *f)
{
	io_map(f, ~BIT(0x21));
}

static void map_denies(struct fake *f)
{
	io_map(f, BIT(0x21));
}

/* Of a word at 0x21, the second byte is denied. */
static void map_denies_half(struct fake *f)
{
	io_map(f, BIT(0x22));
}

static void map_across_bytes(struct fake *f)
{
	io_map(f, BIT(0x28));
	f->vcpu.gpr[GPR_RDX] = 0x27;
}

/* The map's byte and one more must lie within the limit. */
static void map_just_there(struct fake *f)
{
	io_map(f, 0);
	f->vcpu.tr.limit = MAP_BASE + 0x21 / 8 + 1;
}

static void map_just_not_there(struct fake *f)
{
	io_map(f, 0);
	f->vcpu.tr.limit = MAP_BASE + 0x21 / 8;
}

static void no_map(struct fake *f)
{
	io_map(f, 0);
	f->vcpu.tr.limit = 0x66;
}

static void tss_16bit(struct fake *f)
{
	io_map(f, 0);
	f->vcpu.tr.attr = 0x8300;
}

static void map_missing(struct fake *f)
{
	io_map(f, 0);
	fake_map(f, TSS_AT, FAKE_ABSENT);
}

static void al_is_a5(struct vcpu *vcpu)
{
	vcpu->gpr[GPR_RAX] = (RAX_BEFORE & ~UINT64_C(0xff)) | 0xa5;
}

static void al_is_ones(struct vcpu *vcpu)
{
	vcpu->gpr[GPR_RAX] = RAX_BEFORE | 0xff;
}

/* Port 0x22 is nobody's. */
static void ax_is_ffa5(struct vcpu *vcpu)
{
	vcpu->gpr[GPR_RAX] = (RAX_BEFORE & ~UINT64_C(0xffff)) | 0xffa5;
}

static void eax_is_ones(struct vcpu *vcpu)
{
	vcpu->gpr[GPR_RAX] = 0xffffffff;
}

#define IO_CHECK(fn, want_port, want_size, want_access, want_how)       \
	static void fn(const char *name, struct fake *f)                \
	{                                                               \
		const struct guest_event *ev = fake_last(f, GE_IO);     \
                                                                        \
		check_part(name, "port", ev->error, want_port);         \
		check_part(name, "size", ev->size, want_size);          \
		check_part(name, "direction", ev->access, want_access); \
		check_part(name, "how", ev->reg, want_how);             \
	}

IO_CHECK(in_imm, 0x21, 1, 0, GUEST_IO_IMM)
IO_CHECK(in_dx, 0x21, 1, 0, 0)
IO_CHECK(in_dx_wide, 0x5678, 4, 0, 0)
IO_CHECK(in_high_imm, 0xf0, 1, 0, GUEST_IO_IMM)
IO_CHECK(insb_event, 0x21, 1, 0, GUEST_IO_STRING)
IO_CHECK(rep_insb_event, 0x21, 1, 0, GUEST_IO_STRING | GUEST_IO_REP)
IO_CHECK(rep_outsb_event, 0x21, 1, PFEC_W, GUEST_IO_STRING | GUEST_IO_REP)

static void mask_is_88(const char *name, struct fake *f)
{
	const struct guest_event *ev = fake_last(f, GE_IO);

	check_part(name, "direction", ev->access, PFEC_W);
	check_part(name, "value", ev->value, 0x88);
	check_part(name, "mask", platform_io_read(f->platform, 0x21, 1, 0),
		   0x88);
}

static void mask_is_11(const char *name, struct fake *f)
{
	rep_outsb_event(name, f);
	check_part(name, "mask", platform_io_read(f->platform, 0x21, 1, 0),
		   0x11);
}

static void stored_a5(const char *name, struct fake *f)
{
	check_part(name, "memory", fake_peek(f, BUFFER, 8),
		   UINT64_C(0x88776655443322a5));
	check_part(name, "rights", fake_last(f, GE_ACCESS)->access, PFEC_W);
	check_part(name, "written", f->env.written.nr, 1);
	check_part(name, "frame", f->env.written.gfn[0], BUFFER >> 12);
}

static void rep_3(struct fake *f)
{
	port_21(f);
	f->vcpu.gpr[GPR_RCX] = 3;
}

static void rep_1(struct fake *f)
{
	port_21(f);
	f->vcpu.gpr[GPR_RCX] = 1;
}

static void rep_0(struct fake *f)
{
	port_21(f);
	f->vcpu.gpr[GPR_RCX] = 0;
}

/* Only ECX and EDI count with a 32-bit address size. */
static void rep_ecx(struct fake *f)
{
	port_21(f);
	f->vcpu.gpr[GPR_RCX] = UINT64_C(0x500000001);
	f->vcpu.gpr[GPR_RDI] = UINT64_C(0x500000000) | BUFFER;
}

static void rep_ecx_0(struct fake *f)
{
	port_21(f);
	f->vcpu.gpr[GPR_RCX] = UINT64_C(0x500000000);
}

static void downwards(struct fake *f)
{
	port_21(f);
	f->vcpu.rflags |= RFLAGS_DF;
}

static void no_buffer(struct fake *f)
{
	port_21(f);
	fake_map(f, BUFFER, FAKE_ABSENT);
}

static void rdi_plus_1(struct vcpu *vcpu)
{
	vcpu->gpr[GPR_RDI]++;
}

static void rdi_minus_1(struct vcpu *vcpu)
{
	vcpu->gpr[GPR_RDI]--;
}

static void rdi_plus_4(struct vcpu *vcpu)
{
	vcpu->gpr[GPR_RDI] += 4;
}

/* One iteration of several: rip stays. */
static void rep_went_on(struct vcpu *vcpu)
{
	vcpu->gpr[GPR_RCX]--;
	vcpu->gpr[GPR_RDI]++;
	vcpu->rip -= 2;
}

static void rep_ended(struct vcpu *vcpu)
{
	vcpu->gpr[GPR_RCX] = 0;
	vcpu->gpr[GPR_RDI]++;
}

static void rep_out_ended(struct vcpu *vcpu)
{
	vcpu->gpr[GPR_RCX] = 0;
	vcpu->gpr[GPR_RSI]++;
}

static void rep_ecx_ended(struct vcpu *vcpu)
{
	vcpu->gpr[GPR_RCX] = 0;
	vcpu->gpr[GPR_RDI] = BUFFER + 1;
}

#define OK       0, 0
#define GP       EXC_GP, 0
#define PF(code) EXC_PF, code

/* clang-format off */
static const struct insn_case cases[] = {
	{"IN AL, 21h", L, 0, "e4 21", port_21,
	 INSN_DONE, GE_IO, OK, al_is_a5, in_imm},
	{"IN AL, F0h: the port is not signed", L, 0, "e4 f0", port_21,
	 INSN_DONE, GE_IO, OK, al_is_ones, in_high_imm},
	{"IN AL, DX", P, 0, "ec", port_21,
	 INSN_DONE, GE_IO, OK, al_is_a5, in_dx},
	{"IN AX, DX", L, 0, "66 ed", port_21,
	 INSN_DONE, GE_IO, OK, ax_is_ffa5, NULL},
	{"IN EAX, DX of nobody", L, 0, "ed", port_absent,
	 INSN_DONE, GE_IO, OK, eax_is_ones, in_dx_wide},
	{"REX.W does not make it 8 bytes", L, 0, "48 ed", port_absent,
	 INSN_DONE, GE_IO, OK, eax_is_ones, in_dx_wide},
	{"OUT 21h, AL", R, 0, "e6 21", port_21,
	 INSN_DONE, GE_IO, OK, NULL, mask_is_88},
	{"OUT DX, AL", L, 0, "ee", port_21,
	 INSN_DONE, GE_IO, OK, NULL, mask_is_88},

	{"CPL 3 without a map", L, 1, "ec", port_21,
	 INSN_FAULT, NO_EVENT, GP, NULL, NULL},
	{"CPL 3 with IOPL 3", L, 1, "ec", iopl_3,
	 INSN_DONE, GE_IO, OK, al_is_a5, in_dx},
	{"the map allows", L, 1, "ec", map_allows,
	 INSN_DONE, GE_IO, OK, al_is_a5, in_dx},
	{"the map allows, 32-bit", P, 1, "ec", map_allows,
	 INSN_DONE, GE_IO, OK, al_is_a5, in_dx},
	{"the map denies", L, 1, "ec", map_denies,
	 INSN_FAULT, NO_EVENT, GP, NULL, NULL},
	{"the map denies OUT", L, 1, "ee", map_denies,
	 INSN_FAULT, NO_EVENT, GP, NULL, NULL},
	{"the map does not matter at CPL 0", L, 0, "ec", map_denies,
	 INSN_DONE, GE_IO, OK, al_is_a5, in_dx},
	{"a byte beside the denied one", L, 1, "ec", map_denies_half,
	 INSN_DONE, GE_IO, OK, al_is_a5, in_dx},
	{"a word over the denied one", L, 1, "66 ed", map_denies_half,
	 INSN_FAULT, NO_EVENT, GP, NULL, NULL},
	{"a word whose bits cross a byte of the map", L, 1, "66 ed",
	 map_across_bytes,
	 INSN_FAULT, NO_EVENT, GP, NULL, NULL},
	{"the map ends just behind", L, 1, "ec", map_just_there,
	 INSN_DONE, GE_IO, OK, al_is_a5, in_dx},
	{"the map ends just before", L, 1, "ec", map_just_not_there,
	 INSN_FAULT, NO_EVENT, GP, NULL, NULL},
	{"the TSS has no map base", L, 1, "ec", no_map,
	 INSN_FAULT, NO_EVENT, GP, NULL, NULL},
	{"a 16-bit TSS has no map", P, 1, "ec", tss_16bit,
	 INSN_FAULT, NO_EVENT, GP, NULL, NULL},
	{"the TSS is not mapped", L, 1, "ec", map_missing,
	 INSN_FAULT, NO_EVENT, PF(0), NULL, NULL},

	{"INSB", L, 0, "6c", port_21,
	 INSN_DONE, GE_IO, OK, rdi_plus_1, stored_a5},
	{"INSB event", L, 0, "6c", port_21,
	 INSN_DONE, GE_IO, OK, rdi_plus_1, insb_event},
	{"INSB downwards", L, 0, "6c", downwards,
	 INSN_DONE, GE_IO, OK, rdi_minus_1, stored_a5},
	{"INSD", L, 0, "6d", port_21,
	 INSN_DONE, GE_IO, OK, rdi_plus_4, NULL},
	{"REP INSB, 3 to go", L, 0, "f3 6c", rep_3,
	 INSN_DONE, GE_IO, OK, rep_went_on, rep_insb_event},
	{"REP INSB, the last", L, 0, "f3 6c", rep_1,
	 INSN_DONE, GE_IO, OK, rep_ended, stored_a5},
	{"REPNE INSB is REP too", L, 0, "f2 6c", rep_1,
	 INSN_DONE, GE_IO, OK, rep_ended, rep_insb_event},
	{"REP INSB, none", L, 0, "f3 6c", rep_0,
	 INSN_DONE, NO_EVENT, OK, NULL, NULL},
	{"REP INSB counts ECX", L, 0, "67 f3 6c", rep_ecx,
	 INSN_DONE, GE_IO, OK, rep_ecx_ended, stored_a5},
	{"REP INSB, none in ECX", L, 0, "67 f3 6c", rep_ecx_0,
	 INSN_DONE, NO_EVENT, OK, NULL, NULL},
	{"INSB to nothing", L, 0, "6c", no_buffer,
	 INSN_FAULT, GE_IO, PF(PFEC_W), NULL, NULL},
	{"INSB without permission", L, 1, "6c", port_21,
	 INSN_FAULT, NO_EVENT, GP, NULL, NULL},
	{"REP OUTSB, the last", L, 0, "f3 6e", rep_1,
	 INSN_DONE, GE_IO, OK, rep_out_ended, mask_is_11},
	{"OUTSB from nothing", L, 0, "6e", no_buffer,
	 INSN_FAULT, GE_IO, PF(0), NULL, NULL},
};
/* clang-format on */

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		run_insn_case(&cases[i]);
}

static enum insn_status run(struct fake *f, const char *bytes,
			    struct live_end *end)
{
	struct insn insn;
	struct trap trap;

	decode_hex(f, bytes, &insn);
	return insn_execute(&f->env, &insn, &trap, end);
}

/* A fault must not eat what the device had to give: the timer's low byte. */
static void test_nothing_lost(void **state)
{
	struct live_end end;
	struct fake f;
	uint8_t low, high;

	(void)state;
	fake_init(&f);
	setup_mode(&f, SETUP_LONG);
	port_21(&f);
	/* Counter 2, mode 0, a count that is latched as two bytes. */
	platform_io_write(f.platform, 0x43, 1, 0xb0, 0);
	platform_io_write(f.platform, 0x42, 1, 0x34, 0);
	platform_io_write(f.platform, 0x42, 1, 0x12, 0);
	platform_io_write(f.platform, 0x43, 1, 0x80, 0);

	f.vcpu.gpr[GPR_RDX] = 0x42;
	fake_map(&f, BUFFER, FAKE_ABSENT);
	assert_int_equal(run(&f, "6c", &end), INSN_FAULT);
	f.nr_maps = 0;
	assert_int_equal(run(&f, "6c", &end), INSN_DONE);
	assert_int_equal(run(&f, "6c", &end), INSN_DONE);
	low = (uint8_t)fake_peek(&f, BUFFER, 1);
	high = (uint8_t)fake_peek(&f, BUFFER + 1, 1);
	assert_in_range(high << 8 | low, 0x1230, 0x1234);
	fake_finish(&f);
}

/* Into a page table: the store goes to the sink as emulated. */
static void test_shadowed(void **state)
{
	struct live_end end;
	struct fake f;

	(void)state;
	fake_init(&f);
	setup_mode(&f, SETUP_LONG);
	port_21(&f);
	f.is_shadowed = true;
	f.shadowed = BUFFER & ~PAGE_MASK;
	assert_int_equal(run(&f, "6c", &end), INSN_DONE);
	assert_int_equal(fake_count(&f, GE_STORE), 1);
	assert_int_equal(fake_count(&f, GE_EMULATE_FAILED), 0);
	assert_int_equal(fake_last(&f, GE_STORE)->size, 1);
	stored_a5("shadowed", &f);
	fake_finish(&f);
}

/* What the guest writes to end the run. */
static void test_ends(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name;
		const char *bytes;
		uint64_t rax, rdx;
		enum live_status status;
		uint32_t value;
		const char *line;
	} ends[] = {
		{"OUT F4h, AL", "e6 f4", 0x1234, 0,
		 LIVE_EXIT, 0x34, "exited with 52"},
		{"OUT DX, EAX", "ef", 0x12345678, 0xf4,
		 LIVE_EXIT, 0x12345678, "exited with"},
		{"OUTSB", "6e", 0, 0xf4, LIVE_EXIT, 0x11, "exited with 17"},
		{"OUT 64h, AL", "e6 64", 0xfe, 0, LIVE_RESET, 0, "reset"},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct live_end end;
		struct fake f;
		uint64_t rip;

		fake_init(&f);
		setup_mode(&f, SETUP_LONG);
		port_21(&f);
		f.vcpu.gpr[GPR_RAX] = ends[i].rax;
		f.vcpu.gpr[GPR_RDX] = ends[i].rdx;
		rip = f.vcpu.rip;
		check_part(ends[i].name, "status", run(&f, ends[i].bytes, &end),
			   INSN_END);
		check_part(ends[i].name, "why", end.status, ends[i].status);
		check_part(ends[i].name, "value", end.value, ends[i].value);
		check_part(ends[i].name, "rip", end.rip, rip);
		assert_non_null(strstr(end.line, ends[i].line));
		fake_finish(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_nothing_lost),
		cmocka_unit_test(test_shadowed),
		cmocka_unit_test(test_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
