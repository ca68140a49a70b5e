/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every importer on any input: which format, options of the model guest, then
 * the input.  Apart from not crashing: whatever was read, the trace that comes
 * out replays to its end without a difference, a broken law or an audit's
 * complaint, under a configuration the options choose.
 *
 * Bytes: format; options; seed of the frames; input.
 *
 * With coverage, from the root of the tree (FORMAT, if it is set, is the one
 * format to be tried):
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -std=c17 \
 *     -Isrc tests/fuzz/fuzz_import.c SOURCES of
 *     src/{import,replay,sim,trace,cpu,shadow_mmu,vmx_model,paging,mem} and \
 *     src/{account,arch,base} -lzstd -lz -llzma -ljansson -o fuzz_import
 *   FORMAT=perf ./fuzz_import -max_len=4096 DIRECTORY tests/fuzz/corpus/import
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bug.h"
#include "import/import.h"
#include "replay/replay.h"

#include "fuzz.h"

#define OPTION_LENIENT BIT(0)
#define OPTION_FULL    BIT(1)
#define OPTION_BYPASS  BIT(2)
#define OPTION_MMU     3 /* 2 bits */
#define OPTION_AROUND  5 /* 3 bits */

static const struct import_format *format_of(uint8_t number)
{
	const struct import_format *const *formats = import_formats();
	const char *only = getenv("FORMAT");
	size_t nr = 0;

	while (formats[nr])
		nr++;
	return only ? import_format_find(only) : formats[number % nr];
}

static void replay(const char *path, uint8_t options)
{
	static const char *const mmu[] = {"kvm-2.6.20", "kvm-2.6.24", "seed",
					  "kvm-2.6.25"};
	struct replay_lane *lane;
	struct replay_pass pass = {.lane = &lane, .nr_lanes = 1};
	struct config config;
	struct diag diag;

	config_init(&config);
	BUG_ON(config_set(&config, "mmu", mmu[options >> OPTION_MMU & 3],
			  &diag) ||
	       config_set(&config, "bypass",
			  options & OPTION_BYPASS ? "on" : "off", &diag) ||
	       config_set(&config, "audit", "entry", &diag));
	config = config_effective(&config);
	BUG_ON(trace_reader_open(path, &pass.reader, &diag));
	BUG_ON(replay_lane_create(&config, trace_reader_info(pass.reader),
				  &lane, &diag));
	BUG_ON(replay_run(&pass, &diag));
	BUG_ON(trace_reader_damage(pass.reader));
	if (replay_lane_status(lane) != REPLAY_DONE) {
		fprintf(stderr, "%s\n", replay_lane_line(lane));
		BUG("the trace does not replay");
	}
	BUG_ON(sim_check(replay_lane_sim(lane)));
	BUG_ON(sim_audit(replay_lane_sim(lane)).violations);
	replay_lane_destroy(lane);
	trace_reader_close(pass.reader);
}

static void import(const struct import_format *format, const uint8_t *data,
		   size_t size, uint8_t options, uint8_t seed)
{
	int fd = memfd_create("input", 0);
	char input[64], output[64];
	struct import_request request = {
		.path = input,
		.format = format,
		.lenient = options & OPTION_LENIENT,
		.options = {.memory = UINT64_C(32) << 20,
			    .seed = seed,
			    .fault_around = 1u
					    << (options >> OPTION_AROUND) % 7,
			    .granularity = options & OPTION_FULL ? TRACE_FULL
								 : TRACE_PAGES},
		.origin = "fuzz",
		.tool = "fuzz",
		.output = output,
	};
	struct import_result result;
	struct diag diag;

	BUG_ON(fd < 0 || write(fd, data, size) != (ssize_t)size);
	snprintf(input, sizeof(input), "/proc/self/fd/%d", fd);
	snprintf(output, sizeof(output), "/dev/shm/notrap-fuzz.%d",
		 (int)getpid());
	if (!import_run(&request, &result, &diag)) {
		replay(output, options);
		unlink(output);
	} else {
		BUG_ON(!access(output, F_OK));
		BUG_ON(!diag.msg[0] || strchr(diag.msg, '\n'));
	}
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	import(format_of(data[0]), data + 3, size - 3, data[1], data[2]);
	return 0;
}
