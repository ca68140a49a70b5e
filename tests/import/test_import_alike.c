/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One program as lackey, drmemtrace and ChampSim's tracer would record it: the
 * same trace to the last item.
 */
#include "feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "tape.h"

#define INSNS 3000

/* A straight run of these, then a jump; each with up to one of the data. */
struct insn {
	gva_t pc;
	uint32_t length;
	bool is_jump;
	gva_t read, written, modified;
};

static gva_t random_data(struct rng *rng)
{
	return UINT64_C(0x7fff00000000) + (rng_below(rng, 8) << PAGE_SHIFT) +
	       8 * rng_below(rng, 512);
}

static void random_insn(struct rng *rng, gva_t pc, bool is_last,
			struct insn *insn)
{
	*insn = (struct insn){.pc = pc,
			      .length = 1 + (uint32_t)rng_below(rng, 15),
			      .is_jump = is_last || !rng_below(rng, 8)};
	/* ChampSim's has no length then. */
	if (insn->is_jump)
		insn->length =
			(uint32_t)min_u64(4, PAGE_SIZE - (pc & PAGE_MASK));
	if (!rng_below(rng, 3))
		insn->read = random_data(rng);
	if (!rng_below(rng, 6))
		insn->written = random_data(rng);
	else if (!rng_below(rng, 6))
		insn->modified = random_data(rng);
	/* Whether that is one access is told by lackey alone. */
	if (insn->read == insn->written || insn->read == insn->modified)
		insn->read = 0;
}

static void lackey(struct bytes *out, const struct insn *insn)
{
	const struct {
		char kind;
		gva_t gva;
	} data[] = {
		{'L', insn->read},
		{'S', insn->written},
		{'M', insn->modified},
	};
	char line[64];

	snprintf(line, sizeof(line), "I  %08llx,%u\n",
		 (unsigned long long)insn->pc, insn->length);
	bytes_add_text(out, line);
	for (size_t i = 0; i < ARRAY_LEN(data); i++) {
		snprintf(line, sizeof(line), " %c %08llx,8\n", data[i].kind,
			 (unsigned long long)data[i].gva);
		if (data[i].gva)
			bytes_add_text(out, line);
	}
}

static void view(struct bytes *out, const struct insn *insn)
{
	const struct {
		const char *name;
		gva_t gva;
	} data[] = {
		{"read", insn->read},
		{"read", insn->modified},
		{"write", insn->written},
		{"write", insn->modified},
	};
	char line[128];

	snprintf(line, sizeof(line),
		 "%12u%12u: %11s %-12s%2u byte(s) @ 0x%016llx non-branch\n", 1,
		 1, "W0.T7", "ifetch", insn->length,
		 (unsigned long long)insn->pc);
	bytes_add_text(out, line);
	for (size_t i = 0; i < ARRAY_LEN(data); i++) {
		snprintf(line, sizeof(line),
			 "%12u%12u: %11s %-12s%2u byte(s) @ 0x%016llx "
			 "by PC 0x%016llx\n",
			 1, 1, "W0.T7", data[i].name, 8,
			 (unsigned long long)data[i].gva,
			 (unsigned long long)insn->pc);
		if (data[i].gva)
			bytes_add_text(out, line);
	}
}

static void champsim(struct bytes *out, const struct insn *insn)
{
	uint64_t record[8] = {
		insn->pc,      insn->is_jump ? 0x101 : 0,
		insn->written, insn->modified,
		insn->read,    insn->modified,
	};

	bytes_add(out, record, sizeof(record));
}

static void one_program(void **state)
{
	static const char *const formats[] = {"lackey", "drmemtrace",
					      "champsim"};
	static void (*const write[])(struct bytes * out,
				     const struct insn *insn) = {lackey, view,
								 champsim};
	struct bytes files[3] = {{0}};
	gva_t pc = 0x401000;
	uint64_t digest = 0;
	struct rng rng;

	(void)state;
	rng_init(&rng, 3);
	for (int i = 0; i < INSNS; i++) {
		struct insn insn;

		random_insn(&rng, pc, i == INSNS - 1, &insn);
		for (size_t k = 0; k < ARRAY_LEN(files); k++)
			write[k](&files[k], &insn);
		pc = insn.is_jump ? 0x401000 + rng_below(&rng, 0x4000)
				  : pc + insn.length;
	}
	for (size_t k = 0; k < ARRAY_LEN(files); k++) {
		struct feed got;

		feed(formats[k], &files[k], false, &got);
		if (got.err)
			fail_msg("%s: %s", formats[k], got.diag.msg);
		assert_true(!k || got.result.totals.digest == digest);
		digest = got.result.totals.digest;
		feed_finish(&got);
		free(files[k].data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_program),
	};

	return cmocka_run_group_tests_name("import_alike", tests, NULL, NULL);
}
