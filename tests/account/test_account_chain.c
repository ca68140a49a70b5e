/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chains of guest faults: what their key and text hold, and what sums do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "account/account.h"

/* What comes onto a tape, a letter each. */
static unsigned int step_of(char letter)
{
	switch (letter) {
	case 'd':
		return CHAIN_DIRECT;
	case 'i':
		return chain_of_cause(CAUSE_injected);
	case 'w':
		return chain_of_cause(CAUSE_pt_write);
	case 'h':
		return chain_of_cause(CAUSE_hidden_fill);
	case 's':
		return chain_of_cause(CAUSE_spurious);
	case 'c':
		return chain_of_reason(EXIT_REASON_CR_ACCESS);
	case 'n':
		return chain_of_reason(EXIT_REASON_EXCEPTION_NMI);
	default:
		return chain_of_reason(NR_EXIT_REASONS - 1);
	}
}

static const struct {
	const char *before, *steps, *after;
	const char *text;
} texts[] = {
	{"", "", "", ""},
	{"", "d", "", "direct"},
	{"", "iwh", "", "injected > pt_write > hidden_fill"},
	{"hhh", "iwwwh", "wi", "injected > pt_write x3 > hidden_fill"},
	{"i", "icic", "c", "injected > CR_ACCESS > injected > CR_ACCESS"},
	{"", "nns", "", "EXCEPTION_NMI x2 > spurious"},
	/* Eight runs fit, a ninth does not. */
	{"", "dwdwdwdw", "",
	 "direct > pt_write > direct > pt_write > direct > pt_write > direct > "
	 "pt_write"},
	{"", "dwdwdwdwww", "",
	 "direct > pt_write > direct > pt_write > direct > pt_write > direct > "
	 "pt_write x3"},
	{"", "dwdwdwdwd", "",
	 "direct > pt_write > direct > pt_write > direct > pt_write > direct > "
	 "pt_write > ..."},
};

static void note_all(struct chain_tape *tape, const char *steps)
{
	for (; *steps; steps++)
		chain_note(tape, step_of(*steps));
}

static void test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct account *acct = account_create();
		struct chain_tape tape = {0};
		struct chain_moment from, to;
		struct chain_key key;
		char text[CHAIN_TEXT_MAX];

		note_all(&tape, texts[i].before);
		from = account_moment(acct, &tape);
		note_all(&tape, texts[i].steps);
		to = account_moment(acct, &tape);
		note_all(&tape, texts[i].after);
		key = chain_key(&tape, &from, &to);
		chain_text(&key, text);
		assert_string_equal(text, texts[i].text);
		account_destroy(acct);
	}
}

/* A tape forgets: what is not on it any more is not told, but counted. */
static void test_tape_is_short(void **state)
{
	(void)state;
	for (unsigned int n = CHAIN_TAPE - 1; n <= CHAIN_TAPE + 1; n++) {
		struct account *acct = account_create();
		struct chain_tape tape = {0};
		struct chain_moment from = account_moment(acct, &tape), to;
		struct chain_key key;
		char text[CHAIN_TEXT_MAX];

		for (unsigned int i = 0; i < n; i++)
			chain_note(&tape, step_of(i ? 'w' : 'i'));
		to = account_moment(acct, &tape);
		key = chain_key(&tape, &from, &to);
		chain_text(&key, text);
		if (n > CHAIN_TAPE)
			assert_string_equal(text, "...");
		else
			assert_int_equal(key.times[1], n - 1);
		assert_int_equal(to.exits, n);
		account_destroy(acct);
	}
}

/* The longest text there can be is not cut. */
static void test_longest_text(void **state)
{
	struct chain_key key = {.nr = CHAIN_STEPS, .more = 1};
	char text[CHAIN_TEXT_MAX];

	(void)state;
	for (unsigned int i = 0; i < CHAIN_STEPS; i++) {
		key.what[i] = (uint8_t)chain_of_reason(EXIT_REASON_APIC_ACCESS +
						       i % 2);
		key.times[i] = CHAIN_TIMES;
	}
	chain_text(&key, text);
	assert_string_equal(text + strlen(text) - 12, " x255+ > ...");
	for (unsigned int r = 0; r < NR_EXIT_REASONS; r++)
		assert_true(CHAIN_STEPS * (strlen(exit_reason_name(r)) +
					   strlen(" x255+ > ")) +
				    strlen("...") <
			    CHAIN_TEXT_MAX);
}

/* The exit that becomes another. */
static void test_amend(void **state)
{
	struct account *acct = account_create();
	struct chain_tape tape = {0};
	struct chain_moment from, to;
	struct chain_key key;
	char text[CHAIN_TEXT_MAX];

	(void)state;
	for (unsigned int i = 0; i < CHAIN_TAPE; i++)
		chain_note(&tape, step_of('c'));
	from = account_moment(acct, &tape);
	chain_note(&tape, step_of('n'));
	chain_amend(&tape, step_of('i'));
	chain_note(&tape, step_of('n'));
	to = account_moment(acct, &tape);
	key = chain_key(&tape, &from, &to);
	chain_text(&key, text);
	assert_string_equal(text, "injected > EXCEPTION_NMI");
	assert_int_equal(to.exits - from.exits, 2);
	account_destroy(acct);
}

/* A fault: it costs `walks` walk references and `exits` exits of one kind. */
static void fault(struct account *acct, struct chain_tape *tape,
		  const char *steps, uint64_t walks)
{
	struct chain_moment from = account_moment(acct, tape), to;
	struct chain_key key;

	account_charge(acct, COST_INVLPG, walks);
	note_all(tape, steps);
	to = account_moment(acct, tape);
	account_charge(acct, COST_INVLPG, 1000); /* later */
	key = chain_key(tape, &from, &to);
	account_fault_retried(acct, &key, &from, &to);
}

/* Two injected of 4 and 6 references, three direct of 1, 2 and 9. */
static struct account *five_faults(void)
{
	struct account *acct = account_create();
	struct chain_tape tape = {0};

	account_set_cost(acct, COST_INVLPG, (struct cost_range){10, 8, 15});
	fault(acct, &tape, "dw", 1);
	fault(acct, &tape, "iwh", 4);
	fault(acct, &tape, "dw", 9);
	fault(acct, &tape, "iwh", 6);
	fault(acct, &tape, "dw", 2);
	return acct;
}

static void test_by_hand(void **state)
{
	struct account *acct = five_faults(), *copy = account_clone(acct);
	const struct chain *chain[CHAINS_MAX];
	char text[CHAIN_TEXT_MAX];

	(void)state;
	assert_null(account_check(acct, 0));
	assert_int_equal(acct->fault_latency->typ.count, 5);
	assert_int_equal(acct->fault_latency->typ.sum, 220);
	assert_int_equal(acct->fault_latency->low.sum, 176);
	assert_int_equal(acct->fault_latency->high.sum, 330);
	assert_int_equal(acct->fault_latency->high.max, 135);
	assert_int_equal(acct->fault_exits->sum, 3 * 1 + 2 * 3);

	account_destroy(acct); /* the copy has its own */
	assert_int_equal(chains_sorted(copy->chains, chain), 2);
	chain_text(&chain[0]->key, text);
	assert_string_equal(text, "direct > pt_write");
	assert_int_equal(chain[0]->latency.typ.count, 3);
	assert_int_equal(chain[0]->latency.typ.sum, 120);
	assert_int_equal(chain[0]->latency.low.min, 8);
	assert_int_equal(chain[0]->exits, 3);
	chain_text(&chain[1]->key, text);
	assert_string_equal(text, "injected > pt_write > hidden_fill");
	assert_int_equal(chain[1]->latency.typ.min, 40);
	assert_int_equal(chain[1]->latency.typ.max, 60);
	assert_int_equal(chain[1]->exits, 6);
	assert_null(chains_other(copy->chains));

	account_reset(copy);
	assert_int_equal(chains_sorted(copy->chains, chain), 0);
	assert_int_equal(copy->fault_exits->count, 0);
	assert_null(account_check(copy, 0));
	account_destroy(copy);
}

/* More chains than are told apart: the rest is one record, nothing is lost. */
static void test_many_chains(void **state)
{
	struct account *acct = account_create();
	const struct chain *chain[CHAINS_MAX];
	struct chain_tape tape = {0};
	uint64_t exits = 0;

	(void)state;
	for (unsigned int i = 0; i < CHAINS_MAX + 50; i++) {
		struct chain_moment from = account_moment(acct, &tape), to;
		struct chain_key key;

		for (unsigned int bit = 0; bit < CHAIN_STEPS + 1; bit++)
			chain_note(&tape, step_of(i >> bit & 1 ? 'w' : 'h'));
		exits += CHAIN_STEPS + 1;
		account_charge(acct, COST_INVLPG, i);
		to = account_moment(acct, &tape);
		key = chain_key(&tape, &from, &to);
		account_fault_retried(acct, &key, &from, &to);
	}
	assert_null(account_check(acct, 0));
	assert_int_equal(chains_sorted(acct->chains, chain), CHAINS_MAX);
	assert_non_null(chains_other(acct->chains));
	assert_int_equal(chains_other(acct->chains)->latency.typ.count, 50);
	assert_int_equal(acct->fault_exits->sum, exits);
	account_destroy(acct);
}

static void lose_fault(struct account *acct)
{
	acct->fault_latency->typ.count--;
	acct->fault_latency->low.count--;
	acct->fault_latency->high.count--;
}

static void lose_value(struct account *acct)
{
	acct->fault_latency->typ.bucket[10]--;
}

static void lose_exit(struct account *acct)
{
	acct->fault_exits->sum--;
}

static void fault_without_chain(struct account *acct)
{
	latency_add(acct->fault_latency, cost_exact(20));
	histogram_add(acct->fault_exits, 1);
}

static void change_latency(struct account *acct)
{
	acct->fault_latency->high.sum++;
}

static void chain_of_nothing(struct account *acct)
{
	struct chain_key key = {0};

	chains_add(acct->chains, &key, 0, cost_exact(0));
}

static const struct {
	void (*spoil)(struct account *acct);
	const char *law; /* part of its name */
} violations[] = {
	{lose_fault, "agree with themselves"},
	{lose_value, "agree with themselves"},
	{lose_exit, "exits by chain"},
	{fault_without_chain, "faults by chain"},
	{change_latency, "cycles by chain"},
	{chain_of_nothing, "faults by chain"},
};

static void test_violations(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(violations); i++) {
		struct account *acct = five_faults();
		const char *law;

		violations[i].spoil(acct);
		law = account_check(acct, 0);
		if (!law || !strstr(law, violations[i].law))
			fail_msg("%zu: got %s, want a law on %s", i,
				 law ? law : "nothing", violations[i].law);
		account_destroy(acct);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_tape_is_short),
		cmocka_unit_test(test_longest_text),
		cmocka_unit_test(test_amend),
		cmocka_unit_test(test_by_hand),
		cmocka_unit_test(test_many_chains),
		cmocka_unit_test(test_violations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
