/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page-fault exit decision: all of bit 14, mask, match and code over the
 * bits an error code can have, against a model that spells the SDM's sentence
 * out bit by bit; and the settings people use, by name.
 */
#include "check.h"

#include "vmx_model/decide.h"

/* P, W/R, U/S, RSVD, I/D, PK and SGX. */
static const unsigned int legal_bits[] = {0, 1, 2, 3, 4, 5, 15};

#define NR_CODES (1u << ARRAY_LEN(legal_bits))

static uint32_t spread(unsigned int index)
{
	uint32_t code = 0;

	for (unsigned int i = 0; i < ARRAY_LEN(legal_bits); i++) {
		if (index >> i & 1)
			code |= UINT32_C(1) << legal_bits[i];
	}
	return code;
}

/*
 * "It checks if PFEC & PFEC_MASK = PFEC_MATCH.  If there is equality, the
 * specification of bit 14 is followed; if there is inequality, the meaning of
 * that bit is reversed."
 */
static bool oracle(char bit14, uint32_t mask, uint32_t match, uint32_t pfec)
{
	const char *equality = "yes";

	for (int bit = 0; bit < 32; bit++) {
		int in_mask = (int)(mask >> bit & 1);
		int in_match = (int)(match >> bit & 1);
		int in_pfec = (int)(pfec >> bit & 1);

		if (in_mask == 0 && in_match == 1)
			equality = "no";
		if (in_mask == 1 && in_match != in_pfec)
			equality = "no";
	}
	if (equality[0] == 'y')
		return bit14 == '1';
	return bit14 == '0';
}

static void all_combinations(void **state)
{
	unsigned int exits = 0;

	(void)state;
	for (unsigned int i = 0; i < 2 * NR_CODES * NR_CODES * NR_CODES; i++) {
		bool bit14 = i & 1;
		uint32_t mask = spread(i / 2 % NR_CODES);
		uint32_t match = spread(i / 2 / NR_CODES % NR_CODES);
		uint32_t pfec = spread(i / 2 / NR_CODES / NR_CODES);
		/* The other bits of the bitmap say nothing about #PF. */
		uint32_t others = i % 3 ? ~VMX_BIT(EXC_PF) : 0;
		struct vmx_controls c = {
			.exception_bitmap = others & ~VMX_BIT(EXC_PF),
			.pfec_mask = mask,
			.pfec_match = match,
		};
		bool want = oracle(bit14 ? '1' : '0', mask, match, pfec);

		if (bit14)
			c.exception_bitmap |= VMX_BIT(EXC_PF);
		if (vmx_pf_exits(&c, pfec) != want)
			fail_msg("bit14 %d mask 0x%x match 0x%x pfec 0x%x: "
				 "got %d, want %d",
				 bit14, mask, match, pfec, !want, want);
		exits += want;
	}
	/* Bit 14 inverts every answer, so half of them exit. */
	check_eq("exits in all", exits, NR_CODES * NR_CODES * NR_CODES);
}

/* Columns of the table below: error codes. */
static const uint32_t columns[] = {
	0x0,  /* read of an absent page, kernel */
	0x6,  /* write of an absent page, user */
	0x14, /* fetch of an absent page, user */
	0x3,  /* write to a read-only page, kernel */
	0x5,  /* read of a kernel page, user */
	0x15, /* fetch of a no-execute page, user */
	0x9,  /* reserved bit set, kernel read */
	0xf,  /* reserved bit set, user write */
	0x25, /* protection key, user read */
};

static const struct {
	const char *name;
	bool bit14;
	uint32_t mask;
	uint32_t match;
	const char *exits; /* E exits, - is delivered directly */
} rows[] = {
	{"1/0/0 all exit", true, 0, 0, "EEEEEEEEE"},
	{"0/0/0 none exits", false, 0, 0, "---------"},
	{"1/1/1 P=1 (bypass)", true, 1, 1, "---EEEEEE"},
	{"0/1/0 P=1", false, 1, 0, "---EEEEEE"},
	{"1/9/1 P=1, RSVD=0", true, 9, 1, "---EEE--E"},
	{"1/9/9 RSVD=1", true, 9, 9, "------EE-"},
	{"1/0/1 none exits", true, 0, 1, "---------"},
	{"0/0/1 all exit", false, 0, 1, "EEEEEEEEE"},
	/* The SDM's own way to say "none". */
	{"1/0/all ones", true, 0, 0xffffffff, "---------"},
	/* Two that people get backwards. */
	{"0/1/1 P=0", false, 1, 1, "EEE------"},
	{"1/1/0 P=0", true, 1, 0, "EEE------"},
	/* All 32 bits are compared: bit 31 is never set. */
	{"1/bit 31/bit 31", true, BIT(31), BIT(31), "---------"},
	{"0/bit 31/bit 31", false, BIT(31), BIT(31), "EEEEEEEEE"},
};

static void named_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct vmx_controls c = {
			.exception_bitmap = rows[i].bit14 ? VMX_BIT(EXC_PF) : 0,
			.pfec_mask = rows[i].mask,
			.pfec_match = rows[i].match,
		};
		char got[ARRAY_LEN(columns) + 1] = "";

		for (size_t j = 0; j < ARRAY_LEN(columns); j++)
			got[j] = vmx_pf_exits(&c, columns[j]) ? 'E' : '-';
		if (strcmp(got, rows[i].exits))
			fail_msg("%s: got %s, want %s", rows[i].name, got,
				 rows[i].exits);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_combinations),
		cmocka_unit_test(named_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
