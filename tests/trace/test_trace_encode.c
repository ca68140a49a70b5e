/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * References that are encoded many at a time make the chunk that they make one
 * by one, and fill it as early, whichever limit it comes up against.
 */
#include "tape.h"

#include <stdlib.h>

#include "random.h"
#include "trace/chunk.h"

#define NR (CHUNK_RECORDS_MAX + 1000)

static struct trace_ref *new_refs(void)
{
	struct trace_ref *refs = calloc(NR, sizeof(*refs));

	assert_non_null(refs);
	return refs;
}

/* A record each, and nothing else: as many as there may be. */
static void fill_alike(struct trace_ref *refs)
{
	for (uint32_t i = 0; i < NR; i++)
		refs[i] = (struct trace_ref){
			.count = 1, .size = 1, .kind = TRACE_READ};
}

/* Of a few kinds, with long differences: bytes are the limit. */
static void fill_far(struct trace_ref *refs)
{
	struct rng rng;

	rng_init(&rng, 1);
	for (uint32_t i = 0; i < NR; i++)
		refs[i] = (struct trace_ref){.gva = rng_next(&rng) &
						    ~(gva_t)PAGE_MASK,
					     .count = 3000,
					     .size = 1,
					     .kind = TRACE_WRITE};
}

/* Of any kind: there are too many of these. */
static void fill_any(struct trace_ref *refs)
{
	struct rng rng;

	rng_init(&rng, 2);
	for (uint32_t i = 0; i < NR; i++)
		random_ref(&rng, true, &refs[i]);
}

static const struct {
	const char *name;
	void (*fill)(struct trace_ref *refs);
} streams[] = {
	{"records", fill_alike},
	{"bytes", fill_far},
	{"kinds", fill_any},
};

static uint32_t encode(struct encoder *enc, const struct trace_ref *refs,
		       uint32_t at_once)
{
	uint32_t done = 0;

	while (!encoder_is_full(enc)) {
		uint32_t nr = at_once < NR - done ? at_once : NR - done;

		assert_true(nr);
		done += encoder_refs(enc, refs + done, nr);
	}
	return done;
}

static void batches_alike(void **state)
{
	struct trace_ref *refs = new_refs();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
		struct encoder *one = encoder_create(TRACE_PAGES);
		uint32_t want_len, nr;
		const uint8_t *want;

		streams[i].fill(refs);
		nr = encode(one, refs, 1);
		want = encoder_finish(one, &want_len);
		for (uint32_t at_once = 3; at_once < 2 * NR; at_once *= 90) {
			struct encoder *many = encoder_create(TRACE_PAGES);
			const uint8_t *got;
			uint32_t len;

			if (encode(many, refs, at_once) != nr)
				fail_msg("%s: full at another place",
					 streams[i].name);
			got = encoder_finish(many, &len);
			assert_int_equal(len, want_len);
			assert_memory_equal(got, want, len);
			encoder_destroy(many);
		}
		encoder_destroy(one);
	}
	free(refs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batches_alike),
	};

	return cmocka_run_group_tests_name("trace_encode", tests, NULL, NULL);
}
