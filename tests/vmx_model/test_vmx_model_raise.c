/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two exceptions at once: the double-fault matrix over all vectors against a
 * table written out by hand, and what vmx_raise makes of each pair under each
 * setting of the bitmap bits that matter.
 */
#include "check.h"

#include "vmx_model/raise.h"

/* Rows: first exception; columns: second.  s serial, D #DF, T triple fault. */
#define BENIGN_ROW     "ssssssssssssssssssssssssssssssss"
#define CONTRIB_ROW    "DsssssssssDDDDsssssssDssssssssss"
#define PAGE_FAULT_ROW "DsssssssssDDDDDsssssDDssssssssss"
#define DOUBLE_ROW     "TsssssssTsTTTTTsssssTTssssssssss"

static const char *const matrix[32] = {
	CONTRIB_ROW,    /*  0 #DE */
	BENIGN_ROW,     /*  1 #DB */
	BENIGN_ROW,     /*  2 NMI */
	BENIGN_ROW,     /*  3 #BP */
	BENIGN_ROW,     /*  4 #OF */
	BENIGN_ROW,     /*  5 #BR */
	BENIGN_ROW,     /*  6 #UD */
	BENIGN_ROW,     /*  7 #NM */
	DOUBLE_ROW,     /*  8 #DF */
	BENIGN_ROW,     /*  9 coprocessor segment overrun */
	CONTRIB_ROW,    /* 10 #TS */
	CONTRIB_ROW,    /* 11 #NP */
	CONTRIB_ROW,    /* 12 #SS */
	CONTRIB_ROW,    /* 13 #GP */
	PAGE_FAULT_ROW, /* 14 #PF */
	BENIGN_ROW,     /* 15 */
	BENIGN_ROW,     /* 16 #MF */
	BENIGN_ROW,     /* 17 #AC */
	BENIGN_ROW,     /* 18 #MC */
	BENIGN_ROW,     /* 19 #XM */
	PAGE_FAULT_ROW, /* 20 #VE */
	CONTRIB_ROW,    /* 21 #CP */
	BENIGN_ROW,     /* 22 */
	BENIGN_ROW,     /* 23 */
	BENIGN_ROW,     /* 24 */
	BENIGN_ROW,     /* 25 */
	BENIGN_ROW,     /* 26 */
	BENIGN_ROW,     /* 27 */
	BENIGN_ROW,     /* 28 */
	BENIGN_ROW,     /* 29 */
	BENIGN_ROW,     /* 30 */
	BENIGN_ROW,     /* 31 */
};

static char letter(enum exception_outcome outcome)
{
	switch (outcome) {
	case EXC_SERIAL:
		return 's';
	case EXC_DOUBLE_FAULT:
		return 'D';
	case EXC_TRIPLE_FAULT:
		return 'T';
	}
	return '?';
}

static void double_fault_matrix(void **state)
{
	(void)state;
	for (unsigned int first = 0; first < 32; first++) {
		char got[33] = "";

		for (unsigned int second = 0; second < 32; second++)
			got[second] = letter(exception_combine(first, second));
		if (strcmp(got, matrix[first]))
			fail_msg("first %u: got %s, want %s", first, got,
				 matrix[first]);
	}
	check_eq("vector 46 first", exception_combine(46, 14), EXC_SERIAL);
}

static void error_codes(void **state)
{
	const char *const has = "........E.EEEEE..E...E..........";

	(void)state;
	for (unsigned int v = 0; v < 256; v++)
		check_eq("has error code", exception_has_error_code(v),
			 v < 32 && has[v] == 'E');
}

/* Whatever its vector, what is not a hardware exception is benign. */
static void only_hardware_exceptions_count(void **state)
{
	struct vmx_event firsts[] = {
		vmx_event_interrupt(14),
		vmx_event_nmi(),
		vmx_event_software(VMX_TYPE_SW_INTERRUPT, 14, 2),
		vmx_event_software(VMX_TYPE_SW_EXCEPTION, 3, 1),
		vmx_event_software(VMX_TYPE_PRIV_SW_EXCEPTION, 1, 1),
		{.valid = false, .type = VMX_TYPE_HW_EXCEPTION, .vector = 14},
	};
	struct vmx_event pf = vmx_event_exception(14, 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(firsts); i++)
		check_eq("first", vmx_event_combine(&firsts[i], 14),
			 EXC_SERIAL);
	check_eq("#PF first", vmx_event_combine(&pf, 14), EXC_DOUBLE_FAULT);
}

/* What the processor does, in words: which exit, or which vector delivered. */
static const char *outcome(const struct vmx_raised *r, char buf[64])
{
	if (!r->exits)
		snprintf(buf, 64, "deliver %x/%x", vmx_event_info(&r->event),
			 r->event.error);
	else
		snprintf(buf, 64, "exit %u %x/%x in %x/%x +%u", r->exit.reason,
			 r->exit.intr_info, r->exit.intr_error,
			 r->exit.vectoring_info, r->exit.vectoring_error,
			 r->exit.insn_len);
	return buf;
}

static const char *expected(uint32_t bitmap, unsigned int first,
			    unsigned int second, char buf[64])
{
	const char *const ec = "........E.EEEEE..E...E..........";
	unsigned int info = 0x80000300 | second;
	unsigned int was = 0x80000300 | first;

	info |= ec[second] == 'E' ? 0x800 : 0;
	was |= ec[first] == 'E' ? 0x800 : 0;
	if (bitmap >> second & 1)
		snprintf(buf, 64, "exit 0 %x/%x in %x/%x +0", info,
			 ec[second] == 'E' ? 2 : 0, was,
			 ec[first] == 'E' ? 1 : 0);
	else if (matrix[first][second] == 's')
		snprintf(buf, 64, "deliver %x/%x", info,
			 ec[second] == 'E' ? 2 : 0);
	else if (matrix[first][second] == 'T')
		snprintf(buf, 64, "exit 2 0/0 in 0/0 +0");
	else if (bitmap >> 8 & 1)
		snprintf(buf, 64, "exit 0 80000b08/0 in 0/0 +0");
	else
		snprintf(buf, 64, "deliver 80000b08/0");
	return buf;
}

/* All pairs, with the second's bit and with bit 8 in the bitmap or not. */
static void raise_all_pairs(void **state)
{
	char got[64], want[64];

	(void)state;
	for (unsigned int i = 0; i < 4 * 32 * 32; i++) {
		unsigned int first = i / 4 / 32;
		unsigned int second = i / 4 % 32;
		uint32_t bitmap = (i & 1 ? VMX_BIT(second) : 0) |
				  (i & 2 ? VMX_BIT(8) : 0);
		struct vmx_controls c = {.exception_bitmap = bitmap};
		struct vmx_event was = vmx_event_exception((uint8_t)first, 1);
		struct vmx_event event =
			vmx_event_exception((uint8_t)second, 2);
		struct vmx_raised r;

		if (second == EXC_NMI)
			continue;
		r = vmx_raise(&c, &event, 0x77, &was);
		outcome(&r, got);
		expected(bitmap, first, second, want);
		if (strcmp(got, want))
			fail_msg("%u then %u, bitmap %x: got %s, want %s",
				 first, second, bitmap, got, want);
		/* Of the second; the #DF that it may have made has none. */
		if (r.exits)
			check_eq("qualification", r.exit.qualification,
				 bitmap >> second & 1 ? 0x77 : 0);
	}
}

#define ABSENT  0x6 /* a user write, the page not there */
#define PRESENT 0x7 /* the same, the page read-only */

/* Under delivery. */
#define IRQ   0x80000020
#define GP    0x80000b0d
#define PF    0x80000b0e
#define DF    0x80000b08
#define INT80 0x80000480

#define EXIT7 "exit 0 80000b0e/7 in "

/* The bypass (mask and match 1) and what it leaves to hardware. */
static const struct {
	const char *name;
	uint32_t match;
	uint32_t pfec;
	uint32_t first; /* under delivery; INT n is 2 bytes long */
	const char *want;
} cases[] = {
	{"off", 0, ABSENT, 0, "exit 0 80000b0e/6 in 0/0 +0"},
	{"bypassed", 1, ABSENT, 0, "deliver 80000b0e/6"},
	{"trapped", 1, PRESENT, 0, "exit 0 80000b0e/7 in 0/0 +0"},
	{"bypassed on IRQ", 1, ABSENT, IRQ, "deliver 80000b0e/6"},
	{"bypassed on #GP", 1, ABSENT, GP, "deliver 80000b0e/6"},
	{"bypassed on #PF", 1, ABSENT, PF, "deliver 80000b08/0"},
	{"bypassed on #DF", 1, ABSENT, DF, "exit 2 0/0 in 0/0 +0"},
	{"trapped on IRQ", 1, PRESENT, IRQ, EXIT7 "80000020/0 +0"},
	{"trapped on #PF", 1, PRESENT, PF, EXIT7 "80000b0e/0 +0"},
	{"trapped on #DF", 1, PRESENT, DF, EXIT7 "80000b08/0 +0"},
	{"trapped on INT 80", 1, PRESENT, INT80, EXIT7 "80000480/0 +2"},
};

static void raise_page_faults(void **state)
{
	char got[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct vmx_controls c = {
			.exception_bitmap = VMX_BIT(14),
			.pfec_mask = cases[i].match,
			.pfec_match = cases[i].match,
		};
		struct vmx_event first =
			vmx_event_of_words(cases[i].first, 0, 2);
		struct vmx_event pf = vmx_event_exception(14, cases[i].pfec);
		struct vmx_raised r = vmx_raise(&c, &pf, 0x7ffff000, &first);

		if (strcmp(outcome(&r, got), cases[i].want))
			fail_msg("%s: got %s, want %s", cases[i].name, got,
				 cases[i].want);
		if (r.exits && r.exit.reason == EXIT_REASON_EXCEPTION_NMI)
			check_eq(cases[i].name, r.exit.qualification,
				 0x7ffff000);
	}
}

static void raise_int3(void **state)
{
	struct vmx_event none = {0};
	struct vmx_event gp = vmx_event_exception(13, 0);
	struct vmx_event bp = vmx_event_software(VMX_TYPE_SW_EXCEPTION, 3, 1);
	struct vmx_controls off = {0}, on = {.exception_bitmap = VMX_BIT(3)};
	struct vmx_raised r;
	char got[64];

	(void)state;
	r = vmx_raise(&off, &bp, 0, &none);
	assert_string_equal(outcome(&r, got), "deliver 80000603/0");
	r = vmx_raise(&off, &bp, 0, &gp);
	assert_string_equal(outcome(&r, got), "deliver 80000603/0");
	r = vmx_raise(&on, &bp, 0, &none);
	assert_string_equal(outcome(&r, got), "exit 0 80000603/0 in 0/0 +1");
}

static void raise_interrupt(void)
{
	struct vmx_controls c = {0};
	struct vmx_event none = {0};
	struct vmx_event irq = vmx_event_interrupt(3);

	(void)vmx_raise(&c, &irq, 0, &none);
}

static void interrupts_are_not_raised(void **state)
{
	(void)state;
	assert_true(hits_bug(raise_interrupt));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(double_fault_matrix),
		cmocka_unit_test(error_codes),
		cmocka_unit_test(only_hardware_exceptions_count),
		cmocka_unit_test(raise_all_pairs),
		cmocka_unit_test(raise_page_faults),
		cmocka_unit_test(raise_int3),
		cmocka_unit_test(interrupts_are_not_raised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
