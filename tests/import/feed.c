/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tape.h"

static void add_word(struct bytes *words, const struct trace_ref *ref)
{
	char word[64];
	int len = snprintf(word, sizeof(word), "%s%c%llx,%u ",
			   ref->count ? "" : "+", "FRW"[ref->kind],
			   (unsigned long long)ref -> gva, ref -> size);

	bytes_add(words, word, (size_t)len);
}

static void add_event(struct bytes *story, const struct trace_item *item)
{
	unsigned long long gva = item->gva;
	char word[64];
	int len = 0;

	if (item->kind == TRACE_ITEM_FAULT)
		len = snprintf(word, sizeof(word), "%x@%llx ", item->error,
			       gva);
	else if (item->kind != TRACE_ITEM_EVENT)
		return;
	else if (item->event.kind == GE_CR_WRITE)
		len = snprintf(word, sizeof(word), "cr3 ");
	else if (item->event.kind == GE_INVLPG)
		len = snprintf(word, sizeof(word), "invlpg@%llx ",
			       (unsigned long long)item->event.gva);
	bytes_add(story, word, (size_t)len);
}

static void read_words(const char *path, struct feed *feed)
{
	struct tape_reading how;
	struct tape tape;
	struct diag diag;

	assert_int_equal(tape_read(&tape, path, &how, &diag), 0);
	assert_string_equal(how.damage, "");
	for (size_t i = 0; i < tape.nr; i++) {
		const struct tape_entry *e = &tape.entries[i];

		if (e->is_ref && e->ref.user)
			add_word(&feed->words, &e->ref);
		if (!e->is_ref)
			add_event(&feed->story, &e->item);
	}
	tape_finish(&tape);
}

void feed(const char *format, const struct bytes *input, bool lenient,
	  struct feed *ret)
{
	const char *in = scratch_path("in"), *out = scratch_path("out");
	struct import_request request = {
		.path = in,
		.format = import_format_find(format),
		.lenient = lenient,
		.options = {.memory = UINT64_C(32) << 20,
			    .fault_around = 1,
			    .granularity = TRACE_FULL},
		.origin = "test",
		.tool = "test",
		.output = out,
	};

	assert_non_null(request.format);
	*ret = (struct feed){0};
	file_store(in, input->data, input->len);
	ret->err = import_run(&request, &ret->result, &ret->diag);
	if (!ret->err)
		read_words(out, ret);
	bytes_add(&ret->words, "", 1);
	bytes_add(&ret->story, "", 1);
	scratch_remove();
}

void feed_finish(struct feed *feed)
{
	free(feed->words.data);
	free(feed->story.data);
}

void feed_check(const char *name, const char *format, const struct bytes *input,
		const char *want)
{
	struct bytes twice = {0}, thrice = {0};
	struct feed two, three;
	size_t len;

	for (int i = 0; i < 2; i++)
		bytes_add(&twice, input->data, input->len);
	bytes_add(&thrice, twice.data, twice.len);
	bytes_add(&thrice, input->data, input->len);
	feed(format, &twice, false, &two);
	feed(format, &thrice, false, &three);
	if (two.err || three.err)
		fail_msg("%s: %s", name,
			 two.err ? two.diag.msg : three.diag.msg);
	assert_int_equal(two.result.guest.faults, three.result.guest.faults);
	len = strlen((char *)two.words.data);
	assert_memory_equal(three.words.data, two.words.data, len);
	if (strcmp((char *)three.words.data + len, want))
		fail_msg("%s: got \"%s\", want \"%s\"", name,
			 (char *)three.words.data + len, want);
	feed_finish(&two);
	feed_finish(&three);
	free(twice.data);
	free(thrice.data);
}
