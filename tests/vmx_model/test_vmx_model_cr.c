/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control-register accesses, CLTS and LMSW: every combination of a few bits
 * against models that look at one bit at a time.
 */
#include "check.h"

#include "vmx_model/decide.h"

/* Four bits of a small number at chosen places of a register. */
static uint64_t place(const unsigned int at[4], unsigned int bits)
{
	uint64_t r = 0;

	for (int i = 0; i < 4; i++) {
		if (bits >> i & 1)
			r |= BIT(at[i]);
	}
	return r;
}

struct bits {
	uint64_t mask;
	uint64_t shadow;
	uint64_t hw;
	uint64_t source;
};

static void check_result(const char *what, const struct bits *b,
			 struct vmx_cr_result got, struct vmx_cr_result want)
{
	if (got.exits == want.exits && (want.exits || got.value == want.value))
		return;
	fail_msg("%s mask 0x%" PRIx64 " shadow 0x%" PRIx64 " hw 0x%" PRIx64
		 " source 0x%" PRIx64 ": got %d 0x%" PRIx64
		 ", want %d 0x%" PRIx64,
		 what, b->mask, b->shadow, b->hw, b->source, got.exits,
		 got.value, want.exits, want.value);
}

static struct vmx_cr_result oracle_write(const struct bits *b)
{
	struct vmx_cr_result r = {false, 0};

	for (int i = 63; i >= 0; i--) {
		bool ours = b->mask >> i & 1;
		bool wants = b->source >> i & 1;
		bool sees = b->shadow >> i & 1;
		bool is = b->hw >> i & 1;

		if (ours && wants != sees)
			r.exits = true;
		r.value = r.value * 2 + (ours ? is : wants);
	}
	return r;
}

static struct vmx_cr_result oracle_read(const struct bits *b)
{
	struct vmx_cr_result r = {false, 0};

	for (int i = 63; i >= 0; i--) {
		const uint64_t *from = b->mask >> i & 1 ? &b->shadow : &b->hw;

		r.value = r.value * 2 + (*from >> i & 1);
	}
	return r;
}

static struct vmx_controls controls_for(unsigned int cr, const struct bits *b)
{
	/* The other register's controls would give the opposite answer. */
	struct vmx_controls c = {
		.cr0_mask = ~UINT64_C(0),
		.cr0_shadow = ~b->source,
		.cr4_mask = ~UINT64_C(0),
		.cr4_shadow = ~b->source,
	};

	if (cr == 0) {
		c.cr0_mask = b->mask;
		c.cr0_shadow = b->shadow;
	} else {
		c.cr4_mask = b->mask;
		c.cr4_shadow = b->shadow;
	}
	return c;
}

static void masked_registers(unsigned int cr, const unsigned int at[4])
{
	char what[2][20];

	snprintf(what[0], sizeof(what[0]), "MOV to CR%u", cr);
	snprintf(what[1], sizeof(what[1]), "MOV from CR%u", cr);
	for (unsigned int i = 0; i < 0x10000; i++) {
		struct bits b = {
			.mask = place(at, i & 15),
			.shadow = place(at, i >> 4 & 15),
			.hw = place(at, i >> 8 & 15),
			.source = place(at, i >> 12 & 15),
		};
		struct vmx_controls c = controls_for(cr, &b);

		check_result(what[0], &b, vmx_cr_write(&c, cr, b.hw, b.source),
			     oracle_write(&b));
		check_result(what[1], &b, vmx_cr_read(&c, cr, b.hw),
			     oracle_read(&b));
	}
}

static void cr0_exhaustive(void **state)
{
	const unsigned int pe_ts_wp_pg[4] = {0, 3, 16, 31};

	(void)state;
	masked_registers(0, pe_ts_wp_pg);
}

static void cr4_exhaustive(void **state)
{
	const unsigned int pae_pge_smep_top[4] = {5, 7, 20, 63};

	(void)state;
	masked_registers(4, pae_pge_smep_top);
}

static void clts_exhaustive(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 0x1000; i++) {
		struct bits b = {
			.mask = i & 15,
			.shadow = i >> 4 & 15,
			.hw = (i >> 8 & 15) | 0x80000030,
		};
		struct vmx_controls c = controls_for(0, &b);
		struct vmx_cr_result want = {false, b.hw};

		/* Exits iff TS is set in mask and in shadow. */
		if ((i & 0x88) == 0x88)
			want.exits = true;
		else if (!(b.mask & 8))
			want.value = b.hw & ~UINT64_C(8);
		check_result("CLTS", &b, vmx_clts(&c, b.hw), want);
	}
}

/* The SDM's two conditions, then its two rules for what is loaded. */
static struct vmx_cr_result oracle_lmsw(const struct bits *b)
{
	struct vmx_cr_result r = {false, b->hw};

	if ((b->mask & 1) && (b->source & 1) && !(b->shadow & 1))
		r.exits = true;
	for (uint64_t bit = 2; bit <= 8; bit *= 2) {
		if (!(b->mask & bit))
			continue;
		if ((b->source & bit) != (b->shadow & bit))
			r.exits = true;
	}

	if (!(b->mask & 1) && (b->source & 1))
		r.value |= 1;
	for (uint64_t bit = 2; bit <= 8; bit *= 2) {
		if (b->mask & bit)
			continue;
		r.value &= ~bit;
		r.value |= b->source & bit;
	}
	return r;
}

static void lmsw_exhaustive(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 0x20000; i++) {
		/* Bits above 3:0 are none of LMSW's business. */
		uint64_t noise = i >> 16 ? ~UINT64_C(0xf) : 0;
		struct bits b = {
			.mask = (i & 15) | noise,
			.shadow = i >> 4 & 15,
			.hw = (i >> 8 & 15) | 0x80010020,
			.source = (i >> 12 & 15) | (noise & 0xffff),
		};
		struct vmx_controls c = controls_for(0, &b);

		check_result("LMSW", &b, vmx_lmsw(&c, b.hw, (uint16_t)b.source),
			     oracle_lmsw(&b));
	}
}

static const struct {
	const char *name;
	uint32_t proc;
	uint32_t count;
	uint64_t cr3;
	bool exits;
} cr3_writes[] = {
	{"control off", 0, 0, 0x5000, false},
	{"no targets", VMX_BIT(15), 0, 0x1000, true},
	{"target 0 of 1", VMX_BIT(15), 1, 0x1000, false},
	{"target 1 of 1", VMX_BIT(15), 1, 0x2000, true},
	{"target 1 of 2", VMX_BIT(15), 2, 0x2000, false},
	{"target 3 of 3", VMX_BIT(15), 3, 0x4000, true},
	{"target 3 of 4", VMX_BIT(15), 4, 0x4000, false},
	{"not a target", VMX_BIT(15), 4, 0x5000, true},
	{"a target but for a flag", VMX_BIT(15), 4, 0x1008, true},
	{"a target but for bit 63", VMX_BIT(15), 4, BIT(63) | 0x1000, true},
	{"store exiting is another", VMX_BIT(16), 0, 0x5000, false},
};

static void cr3_targets(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cr3_writes); i++) {
		struct vmx_controls c = {
			.proc = cr3_writes[i].proc,
			.cr3_target = {0x1000, 0x2000, 0x3000, 0x4000},
			.cr3_target_count = cr3_writes[i].count,
		};
		struct vmx_cr_result r =
			vmx_cr_write(&c, 3, 0x9000, cr3_writes[i].cr3);

		check_eq(cr3_writes[i].name, r.exits, cr3_writes[i].exits);
		check_eq(cr3_writes[i].name, r.value, cr3_writes[i].cr3);
	}
}

/* Each control bit alone: which of CR3 and CR8, load and store, exits. */
static void cr3_cr8_controls(void **state)
{
	(void)state;
	for (unsigned int bit = 0; bit < 32; bit++) {
		struct vmx_controls c = {.proc = VMX_BIT(bit)};
		char name[20];

		snprintf(name, sizeof(name), "proc bit %u", bit);
		check_eq(name, vmx_cr_write(&c, 3, 0, 1).exits, bit == 15);
		check_eq(name, vmx_cr_read(&c, 3, 0).exits, bit == 16);
		check_eq(name, vmx_cr_write(&c, 8, 0, 1).exits, bit == 19);
		check_eq(name, vmx_cr_read(&c, 8, 0).exits, bit == 20);
		check_eq(name, vmx_cr_write(&c, 2, 0, 1).exits, false);
		check_eq(name, vmx_cr_read(&c, 2, 0).exits, false);
	}
}

static void plain_values(void **state)
{
	const unsigned int crs[] = {2, 3, 8};
	struct vmx_controls c = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(crs); i++) {
		check_eq("write", vmx_cr_write(&c, crs[i], 1, 7).value, 7);
		check_eq("read", vmx_cr_read(&c, crs[i], 5).value, 5);
	}
}

static void write_cr1(void)
{
	struct vmx_controls c = {0};

	(void)vmx_cr_write(&c, 1, 0, 0);
}

static void read_cr7(void)
{
	struct vmx_controls c = {0};

	(void)vmx_cr_read(&c, 7, 0);
}

static void no_such_register(void **state)
{
	(void)state;
	assert_true(hits_bug(write_cr1));
	assert_true(hits_bug(read_cr7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cr0_exhaustive),
		cmocka_unit_test(cr4_exhaustive),
		cmocka_unit_test(clts_exhaustive),
		cmocka_unit_test(lmsw_exhaustive),
		cmocka_unit_test(cr3_targets),
		cmocka_unit_test(cr3_cr8_controls),
		cmocka_unit_test(plain_values),
		cmocka_unit_test(no_such_register),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
