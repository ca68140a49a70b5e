/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processor as a boot protocol wants it, before the first instruction. */
#include "check.h"

#include "live/internal.h"
#include "machine.h"

/* docs/boot.md, "What the guest finds". */
static void test_first_state(void **state)
{
	static const struct boot_state boot = {
		.entry = 0x123456,
		.eax = 1,
		.ebx = 2,
		.esi = 3,
		.gdt = 0x9008,
		.gdt_limit = 0x1f,
		.cs = 0x10,
		.ds = 0x18,
	};
	const struct vcpu *vcpu;
	struct machine m;

	(void)state;
	machine_init(&m, &(struct machine_config){.mode = MACHINE_FLAT32,
						  .boot = boot});
	vcpu = &m.live->vcpu;
	check_part("start", "rip", vcpu->rip, 0x123456);
	check_part("start", "rflags", vcpu->rflags, 2);
	check_part("start", "cpl", vcpu->cpl, 0);
	for (unsigned int i = 0; i < NR_GPR; i++) {
		static const uint64_t want[NR_GPR] = {
			[GPR_RAX] = 1, [GPR_RBX] = 2, [GPR_RSI] = 3};

		check_part("start", "general register", vcpu->gpr[i], want[i]);
	}
	for (unsigned int i = 0; i < NR_SEG; i++) {
		const struct segment *seg = &vcpu->seg[i];

		check_part("start", "selector", seg->selector,
			   i == SEG_CS ? 0x10 : 0x18);
		check_part("start", "base", seg->base, 0);
		check_part("start", "limit", seg->limit, UINT32_MAX);
		check_part("start", "rights", seg->attr,
			   i == SEG_CS ? 0xc09b00 : 0xc09300);
	}
	check_part("start", "TR limit", vcpu->tr.limit, 0x67);
	check_part("start", "TR base", vcpu->tr.base, 0);
	check_part("start", "TR rights", vcpu->tr.attr, 0x8b00);
	check_part("start", "GDT", vcpu->gdtr.base, 0x9008);
	check_part("start", "GDT limit", vcpu->gdtr.limit, 0x1f);
	machine_finish(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
