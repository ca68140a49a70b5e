/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A short guest life (tests/replay/tape.h), and what is told where one item
 * ends what another began.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../replay/seq.h"
#include "../replay/tape.h"
#include "text.h"

static void write_tape(const struct tape *tape)
{
	const struct trace_info info = tape_info();
	struct trace_writer *w;
	struct diag diag;

	if (trace_writer_create(text_path, &info, &w, &diag))
		fail_msg("%s", diag.msg);
	for (uint32_t i = 0; i < tape->nr; i++) {
		if (tape->item[i].kind == TRACE_ITEM_REFS)
			trace_write_ref(w, &tape->ref[i]);
		else
			trace_write_item(w, &tape->item[i]);
	}
	if (trace_writer_close(w, NULL, &diag))
		fail_msg("%s", diag.msg);
}

static char *text_at(uint32_t at)
{
	struct config config;

	config_init(&config);
	return text_of(&config, EXPLAIN_ITEM, at);
}

static void has(const char *text, const char *words)
{
	if (strstr(text, words))
		return;
	print_error("not there: \"%s\" in %s\n", words, text);
	fail();
}

static void has_not(const char *text, const char *words)
{
	if (!strstr(text, words))
		return;
	print_error("there: \"%s\" in %s\n", words, text);
	fail();
}

/* Its bytes come with the next item. */
static void emulated_write(void **state)
{
	struct tape tape;
	char *text, *other;

	(void)state;
	tape_init(&tape);
	write_tape(&tape);
	text = text_at(tape.at_write);
	has(text, "Cause: pt_write");
	has(text, "stores 8 bytes, 0x0000000000016067, at 0x200030");
	has(text, "gPTE 0x4000[6] was 0x0 P=0: nothing is mapped is 0x16067 "
		  "P W U A D -> page 0x16000");
	has(text, "VM entry, with nothing injected");
	other = text_at(tape.at_value);
	has(other, "which was asked for, tells how this one ended");
	has(other, "stores 8 bytes");
	free(other);
	free(text);
}

/* The fault, its delivery, its retry. */
static void fault(void **state)
{
	struct tape tape;
	char *text, *other;

	(void)state;
	tape_init(&tape);
	write_tape(&tape);
	text = text_at(tape.at_read);
	has(text, "No VM exit: the fault goes straight");
	has(text, "CR2 is 0x6010 when the handler begins. The processor");
	has(text, "page fault, pt_write");
	other = text_at(tape.at_fault);
	has(other, "which was asked for, tells how this one ended");
	free(other);
	free(text);
}

/*
 * A write whose bytes the trace has not got: the emulator gives up when the
 * next reference comes, and that is told of the write, not of the reference.
 */
static void write_without_a_value(void **state)
{
	struct tape tape;
	char *text;

	(void)state;
	tape_init(&tape);
	tape_remove(&tape, tape.at_value);
	write_tape(&tape);
	text = text_at(tape.at_write);
	has(text, "The instruction cannot be emulated: the table is "
		  "unshadowed");
	has(text, "insn_emulation_fail 1");
	has(text, " freed 0xc000");
	free(text);
	text = text_at(tape.at_write + 1);
	has(text, "Kernel code: the processor fetches");
	has_not(text, "cannot be emulated");
	has_not(text, "insn_emulation_fail");
	has(text, "pf_fixed 1 page-fault exit");
	free(text);
}

/* Any item of a life with every kind of event has a text or a refusal. */
static void every_item(void **state)
{
	struct seq *seq = seq_whole();
	uint32_t texts = 0;

	(void)state;
	seq_write(seq, text_path);
	for (uint32_t i = 0; i < seq->nr; i++) {
		struct config config;
		const struct explain_request request = {
			.path = text_path, .config = &config, .n = i};
		struct prose *prose = NULL;
		struct diag diag;
		int err;

		config_init(&config);
		err = explain(&request, &prose, &diag);
		assert_true(err == 0 || err == -EINVAL);
		texts += !err;
		prose_destroy(prose);
	}
	assert_true(texts > seq->nr / 2);
	free(seq);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(emulated_write),
		cmocka_unit_test(fault),
		cmocka_unit_test(write_without_a_value),
		cmocka_unit_test(every_item),
	};

	return cmocka_run_group_tests(tests, text_begin, text_end);
}
