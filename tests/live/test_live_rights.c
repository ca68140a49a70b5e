/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SMEP, SMAP, protection keys and 5 levels on Unicorn: what faults, with which
 * access and code, and that nothing else does.  The pager of machine.c judges
 * by the manual's rules; that an access which it would deny gets through to
 * Unicorn unnoticed is what must not happen.
 */
#include "check.h"

#include "arch/exception.h"
#include "live/internal.h"
#include "machine.h"

#define CODE_AT  UINT64_C(0x10000) /* supervisor */
#define UCODE_AT UINT64_C(0x20000) /* user */
#define SDATA    UINT64_C(0x30000)
#define UDATA    UINT64_C(0x31000)
#define KDATA    UINT64_C(0x32000) /* user, protection key 3 */
#define KCODE    UINT64_C(0x33000) /* likewise, code */
#define STACK    UINT64_C(0x36000)
#define HIGH     UINT64_C(0x00fe123456789000) /* beyond 48 bits */

#define KEY    3
#define KEY_AD (1u << 2 * KEY)
#define KEY_WD (2u << 2 * KEY)
#define PKEY   ((uint64_t)KEY << 59)

/* RCX and RDX must be 0 for WRPKRU; R8 counts what went well. */
#define WRPKRU ".byte 0x0f, 0x01, 0xef\n"
#define RDPKRU ".byte 0x0f, 0x01, 0xee\n"

CODE(64, read_user, "inc %r8\n mov 0x31010, %rax\n inc %r8\n hlt\n");
CODE(64, write_user, "inc %r8\n mov %rax, 0x31010\n inc %r8\n hlt\n");
CODE(64, rmw_user, "inc %r8\n lock incq 0x31010\n inc %r8\n hlt\n");
CODE(64, stac_clac,
     "stac\n mov 0x31010, %rax\n mov %rax, 0x31010\n inc %r8\n clac\n"
     "mov 0x30010, %rax\n inc %r8\n mov 0x31018, %rax\n hlt\n");
/* AC by POPF, and lost again by an exit in between. */
CODE(64, popf_ac,
     "push $0x40002\n popf\n mov 0x31010, %rax\n inc %r8\n xor %eax, %eax\n"
     "cpuid\n mov %rax, 0x31010\n inc %r8\n push $2\n popf\n"
     "mov %rax, 0x31010\n hlt\n");
CODE(64, call_user, "inc %r8\n mov $0x20000, %eax\n call *%rax\n hlt\n");
CODE(64, ret_inc, "inc %r8\n ret\n");
CODE(64, load_ds, "mov $0x23, %eax\n mov %eax, %ds\n inc %r8\n cpuid\n hlt\n");

CODE(64, keys,
     "xor %ecx, %ecx\n xor %edx, %edx\n mov %esi, %eax\n" WRPKRU
     "inc %r8\n mov 0x30010, %rbx\n mov %rbx, 0x30010\n" /* no user's page */
     "mov %rbx, 0x31010\n inc %r8\n" RDPKRU
     "cmp %eax, %esi\n jne 1f\n inc %r8\n"
     "mov $0, %eax\n cpuid\n xor %ecx, %ecx\n" RDPKRU
     "cmp %eax, %esi\n jne 1f\n"
     "mov $0x33000, %eax\n call *%rax\n" /* a fetch knows no keys */
     "mov 0x32010, %rbx\n inc %r8\n mov %rbx, 0x32010\n inc %r8\n"
     "xor %ecx, %ecx\n xor %edx, %edx\n mov $0, %eax\n" WRPKRU
     "mov %rbx, 0x32018\n inc %r8\n hlt\n 1: ud2\n");

#define C(name) #name, name##_s, name##_e
#define SMEP    CR4_SMEP
#define SMAP    CR4_SMAP
#define PKE     CR4_PKE
#define FINE    0, 0, 0

static const struct {
	const char *name;
	const uint8_t *begin, *end;
	uint64_t cr4;
	uint8_t cpl;
	uint32_t rsi; /* PKRU */
	gva_t gva;    /* of the fault; 0: none */
	uint32_t access, code;
	uint64_t r8;
} cases[] = {
	{C(read_user), 0, 0, 0, FINE, 2},
	{C(read_user), SMAP, 0, 0, UDATA + 16, 0, 1, 1},
	{C(read_user), SMEP | PKE, 0, 0, FINE, 2},
	{C(write_user), SMAP, 0, 0, UDATA + 16, PFEC_W, 3, 1},
	{C(rmw_user), SMAP, 0, 0, UDATA + 16, PFEC_W, 3, 1},
	{C(rmw_user), 0, 0, 0, FINE, 2},
	{C(stac_clac), SMAP, 0, 0, UDATA + 24, 0, 1, 2},
	{C(popf_ac), SMAP, 0, 0, UDATA + 16, PFEC_W, 3, 2},
	{C(popf_ac), SMEP, 0, 0, FINE, 2},
	{C(call_user), 0, 0, 0, FINE, 2},
	{C(call_user), SMAP, 0, 0, FINE, 2},
	{C(call_user), SMEP, 0, 0, UCODE_AT, PFEC_ID, 0x11, 1},
	{C(keys), PKE, 0, 0, FINE, 7},
	{C(keys), PKE, 0, KEY_WD, KDATA + 16, PFEC_W, 0x23, 5},
	{C(keys), PKE, 0, KEY_AD, KDATA + 16, 0, 0x21, 4},
	{C(keys), PKE, 0, 0xffffffff & ~(KEY_AD | KEY_WD | 3), FINE, 7},
};

static void map_all(struct machine *m)
{
	machine_map(m, CODE_AT, CODE_AT, 0x1000, 0);
	machine_map(m, UCODE_AT, UCODE_AT, 0x1000, PTE_U);
	machine_map(m, SDATA, SDATA, 0x1000, PTE_W | PTE_NX);
	machine_map(m, UDATA, UDATA, 0x1000, PTE_W | PTE_U | PTE_NX);
	machine_map(m, KDATA, KDATA, 0x1000, PTE_W | PTE_U | PTE_NX | PKEY);
	machine_map(m, KCODE, KCODE, 0x1000, PTE_U | PKEY);
	machine_map(m, STACK - 0x1000, STACK - 0x1000, 0x1000, PTE_W);
	PUT(m, UCODE_AT, ret_inc);
	PUT(m, KCODE, ret_inc);
}

/* warm: the shadow has been filled before CR4 says more. */
static void run_case(size_t i, enum machine_mode mode, bool warm)
{
	const struct machine_config config = {
		.mode = mode,
		.features = FEATURE_SMAP | FEATURE_LA57,
		.cr4 = cases[i].cr4,
		.stop_on_fault = true,
	};
	const char *name = cases[i].name;
	struct machine m;
	struct live_end end;
	struct vcpu vcpu;

	machine_init(&m, &config);
	map_all(&m);
	machine_put(&m, CODE_AT, cases[i].begin,
		    (size_t)(cases[i].end - cases[i].begin));
	vcpu = machine_vcpu(&m, CODE_AT, cases[i].cpl);
	vcpu.gpr[GPR_RSP] = STACK;
	vcpu.gpr[GPR_RSI] = cases[i].rsi;
	if (warm) {
		/* As much as can be done with all bits but PKE off. */
		struct vcpu first = vcpu;

		m.view.cr4 &= ~(uint64_t)(SMEP | SMAP);
		m.view.mode_changes++;
		first.rflags |= RFLAGS_AC;
		first.gpr[GPR_RSI] = 0;
		machine_set(&m, &first);
		machine_run(&m, UINT64_MAX);
		m.live->ended = false;
		m.view.cr4 |= cases[i].cr4;
		m.view.mode_changes++;
		m.nr_guest_faults = 0;
	}
	machine_set(&m, &vcpu);
	end = machine_run(&m, UINT64_MAX);
	vcpu = machine_get(&m);
	check_part(name, "ends in a fault", !strcmp(end.line, "fault"),
		   cases[i].gva != 0);
	if (cases[i].gva) {
		check_part(name, "address", m.fault.gva, cases[i].gva);
		check_part(name, "access", m.fault.access, cases[i].access);
		check_part(name, "code", m.fault_error, cases[i].code);
	} else {
		check_part(name, "ends in HLT", !strcmp(end.line, "done"), 1);
	}
	check_part(name, "R8", vcpu.gpr[GPR_R8], cases[i].r8);
	machine_finish(&m);
}

static void test_rights(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		run_case(i, MACHINE_LONG, false);
		run_case(i, MACHINE_LONG, true);
		run_case(i, MACHINE_LONG57, false);
	}
}

/*
 * Implicit accesses: the descriptor of a segment that user code loads is read
 * as the supervisor, without RFLAGS.AC.
 */
static void test_implicit(void **state)
{
	const struct machine_config config = {.mode = MACHINE_LONG,
					      .features = FEATURE_SMAP,
					      .cr4 = CR4_SMAP,
					      .stop_on_fault = true};
	struct machine m;
	struct vcpu vcpu;

	(void)state;
	machine_init(&m, &config);
	map_all(&m);
	machine_map(&m, MACHINE_TABLES, MACHINE_TABLES, MACHINE_TABLES_SIZE,
		    PTE_U | PTE_W);
	PUT(&m, UCODE_AT, load_ds);
	vcpu = machine_vcpu(&m, UCODE_AT, 3);
	machine_tables(&m, &vcpu, STACK);
	vcpu.rflags |= RFLAGS_AC;
	machine_set(&m, &vcpu);
	machine_run(&m, UINT64_MAX);
	check_eq("faults", m.nr_guest_faults, 1);
	check_eq("address", m.fault.gva, MACHINE_TABLES + 0x20);
	check_eq("access", m.fault.access, 0);
	check_eq("code", m.fault_error, 1);
	machine_finish(&m);
}

/* Code that is patched while SMEP is on: no translation may be left. */
CODE(64, patch_loop,
     "mov $3000, %r9d\n"
     "2: mov %r9d, 0x700001\n call 1f\n cmp %r9d, %eax\n jne 3f\n"
     "dec %r9d\n jnz 2b\n inc %r8\n 3: hlt\n"
     "1: mov $0x40000, %edx\n jmp *%rdx\n");
CODE(64, patched, "mov $4, %eax\n ret\n");

static void test_patched_code(void **state)
{
	static const enum machine_mode modes[] = {MACHINE_LONG, MACHINE_LONG57};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const struct machine_config config = {
			.mode = modes[i & 1],
			.check_stale = true,
			.features = FEATURE_SMAP,
			.cr4 = i & 2 ? CR4_SMEP | CR4_SMAP : 0,
		};
		struct machine m;
		struct vcpu vcpu;

		machine_init(&m, &config);
		map_all(&m);
		machine_map(&m, 0x40000, 0x40000, 0x1000, 0);
		machine_map(&m, 0x700000, 0x40000, 0x1000, PTE_W);
		PUT(&m, CODE_AT, patch_loop);
		PUT(&m, 0x40000, patched);
		vcpu = machine_vcpu(&m, CODE_AT, 0);
		vcpu.gpr[GPR_RSP] = STACK;
		machine_must_halt(&m, &vcpu);
		check_eq("went through", machine_get(&m).gpr[GPR_R8], 1);
		check_eq("stale", live_stats(m.live)->stale_blocks, 0);
		assert_true(live_stats(m.live)->turns_writable > 1000);
		machine_finish(&m);
	}
}

/* Code and data where 48 bits do not reach; beyond 57 nothing is. */
CODE(64, far_away,
     "movabs $0x00fe123456789100, %rbx\n mov %rbx, (%rbx)\n"
     "cmp %rbx, (%rbx)\n jne 1f\n inc %r8\n"
     "movabs $0x00fe123456788000, %rax\n call *%rax\n"
     "movabs $0x01fe123456789100, %rbx\n mov (%rbx), %rax\n 1: hlt\n");

static void test_wide_addresses(void **state)
{
	const struct machine_config config = {.mode = MACHINE_LONG57,
					      .features = FEATURE_LA57,
					      .stop_on_fault = true};
	struct machine m;
	struct vcpu vcpu;

	(void)state;
	machine_init(&m, &config);
	map_all(&m);
	machine_map(&m, HIGH, 0x41000, 0x1000, PTE_W | PTE_NX);
	machine_map(&m, HIGH - 0x1000, 0x42000, 0x1000, 0);
	PUT(&m, CODE_AT, far_away);
	PUT(&m, 0x42000, ret_inc);
	vcpu = machine_vcpu(&m, CODE_AT, 0);
	vcpu.gpr[GPR_RSP] = STACK;
	machine_set(&m, &vcpu);
	machine_run(&m, UINT64_MAX);
	check_eq("R8", machine_get(&m).gpr[GPR_R8], 2);
	check_eq("no page fault", m.nr_guest_faults, 0);
	check_eq("kind", m.fault.kind, GE_EXCEPTION);
	check_eq("vector", m.fault.vector, EXC_GP);
	machine_finish(&m);
}

/*
 * INVPCID, which Unicorn does not know: its blocks end within, in front of SIB
 * and displacement.
 */
CODE(64, invpcids,
     "sub $16, %rsp\n movq $0, (%rsp)\n movq $0x5000, 8(%rsp)\n"
     "xor %eax, %eax\n"
     "invpcid (%rsp), %rax\n inc %r8\n"
     "mov %rsp, %rdi\n invpcid (%rdi), %rax\n inc %r8\n"
     "lea -0x1000(%rsp), %rsi\n invpcid 0x1000(%rsi), %rax\n inc %r8\n"
     "mov $2, %eax\n xor %ecx, %ecx\n invpcid (%rsp,%rcx,8), %rax\n inc %r8\n"
     "hlt\n");

static void test_invpcid(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct machine m;
		struct vcpu vcpu;

		machine_init(&m, &(struct machine_config){
					 .mode = MACHINE_LONG,
					 .features = i ? FEATURE_INVPCID : 0,
					 .stop_on_fault = true});
		map_all(&m);
		PUT(&m, CODE_AT, invpcids);
		vcpu = machine_vcpu(&m, CODE_AT, 0);
		vcpu.gpr[GPR_RSP] = STACK;
		machine_set(&m, &vcpu);
		machine_run(&m, UINT64_MAX);
		check_eq("events", m.nr[GE_INVPCID], i ? 4 : 0);
		check_eq("R8", machine_get(&m).gpr[GPR_R8], i ? 4 : 0);
		if (!i)
			check_eq("vector", m.fault.vector, EXC_UD);
		check_eq("instructions", live_insns(m.live), i ? 16 : 4);
		machine_finish(&m);
	}
}

/* Without the feature there is no STAC, whatever Unicorn can do. */
CODE(64, stac_alone, "stac\n hlt\n");

static void test_no_stac(void **state)
{
	struct machine m;
	struct vcpu vcpu;

	(void)state;
	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG,
						  .stop_on_fault = true});
	map_all(&m);
	PUT(&m, CODE_AT, stac_alone);
	vcpu = machine_vcpu(&m, CODE_AT, 0);
	machine_set(&m, &vcpu);
	machine_run(&m, UINT64_MAX);
	check_eq("kind", m.fault.kind, GE_EXCEPTION);
	check_eq("vector", m.fault.vector, EXC_UD);
	machine_finish(&m);
}

/* SMEP and SMAP are nothing while the guest does not page. */
CODE(32, flat, "call 1f\n incl 0x31010\n hlt\n 1: ret\n");

static void test_without_paging(void **state)
{
	const struct machine_config config = {.mode = MACHINE_FLAT32,
					      .features = FEATURE_SMAP,
					      .cr4 = SMEP | SMAP,
					      .stop_on_fault = true};
	struct machine m;
	struct vcpu vcpu;

	(void)state;
	machine_init(&m, &config);
	machine_map(&m, 0, 0, 0x100000, PTE_W | PTE_U);
	/* What the shadow of a guest without paging looks like. */
	m.view.cr4 &= ~(uint64_t)(SMEP | SMAP);
	PUT(&m, CODE_AT, flat);
	vcpu = machine_vcpu(&m, CODE_AT, 0);
	vcpu.gpr[GPR_RSP] = STACK;
	machine_set(&m, &vcpu);
	m.view.cr4 |= SMEP | SMAP;
	m.view.mode_changes++;
	assert_int_equal(m.live->hw.cr4 & (SMEP | SMAP), 0);
	live_sync(m.live);
	check_eq("hardware's", m.live->hw.cr4 & (SMEP | SMAP), 0);
	machine_finish(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_implicit),
		cmocka_unit_test(test_patched_code),
		cmocka_unit_test(test_wide_addresses),
		cmocka_unit_test(test_invpcid),
		cmocka_unit_test(test_no_stac),
		cmocka_unit_test(test_without_paging),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
