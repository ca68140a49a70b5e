/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rig.h"

#include <stdio.h>

#include "base/hash.h"
#include "replay/replay.h"

struct guest_options rig_options(enum trace_granularity granularity)
{
	return (struct guest_options){
		.memory = UINT64_C(32) << 20,
		.fault_around = 1,
		.granularity = granularity,
	};
}

void rig_open(struct rig *rig, const char *name,
	      const struct guest_options *options)
{
	struct trace_info info = {.source = "test"};
	struct diag diag;

	snprintf(rig->path, sizeof(rig->path), "%s", scratch_path(name));
	guest_trace_info(options, &info);
	if (trace_writer_create(rig->path, &info, &rig->writer, &diag) ||
	    guest_create(options, rig->writer, &rig->guest, &diag))
		fail_msg("%s", diag.msg);
}

static void check(int err, const struct diag *diag)
{
	if (err)
		fail_msg("%d: %s", err, diag->msg);
}

void rig_close(struct rig *rig, struct guest_stats *stats)
{
	struct diag diag;

	check(guest_end(rig->guest, &diag), &diag);
	if (stats)
		*stats = *guest_stats(rig->guest);
	guest_destroy(rig->guest);
	check(trace_writer_close(rig->writer, NULL, &diag), &diag);
}

void rig_switch(struct rig *rig, uint32_t process, uint32_t thread)
{
	struct diag diag;

	check(guest_switch(rig->guest, process, thread, &diag), &diag);
}

void rig_clone(struct rig *rig, uint32_t thread, bool shares_memory)
{
	struct diag diag;

	check(guest_clone(rig->guest, thread, shares_memory, &diag), &diag);
}

void rig_exec(struct rig *rig)
{
	struct diag diag;

	check(guest_exec(rig->guest, &diag), &diag);
}

void rig_exit(struct rig *rig, uint32_t thread)
{
	struct diag diag;

	check(guest_exit(rig->guest, thread, &diag), &diag);
}

void rig_unmap(struct rig *rig, gva_t gva, uint64_t size)
{
	struct diag diag;

	check(guest_unmap(rig->guest, gva, size, &diag), &diag);
}

void rig_fault(struct rig *rig, gva_t gva, uint32_t error, gva_t rip)
{
	struct diag diag;

	check(guest_fault(rig->guest, gva, error, rip, &diag), &diag);
}

void rig_execute(struct rig *rig, const struct insn *insn)
{
	struct diag diag;

	check(guest_execute(rig->guest, insn->ref, insn->nr, &diag), &diag);
}

struct insn insn_of(gva_t pc, uint32_t length)
{
	return (struct insn){.ref = {{pc, length, TRACE_FETCH}}, .nr = 1};
}

void insn_add(struct insn *insn, gva_t gva, uint32_t size, bool write)
{
	insn->ref[insn->nr++] =
		(struct guest_ref){gva, size, write ? TRACE_WRITE : TRACE_READ};
}

void rig_use(struct rig *rig, gva_t gva, bool write)
{
	struct insn insn = insn_of(CODE, 4);

	insn_add(&insn, gva, 8, write);
	rig_execute(rig, &insn);
}

void rig_read(const char *path, struct tape *tape)
{
	struct tape_reading how;
	struct diag diag;

	if (tape_read(tape, path, &how, &diag))
		fail_msg("%s", diag.msg);
	assert_string_equal(how.damage, "");
}

uint64_t rig_digest(const struct tape *tape)
{
	uint64_t h = FNV64_INIT;

	for (size_t i = 0; i < tape->nr; i++) {
		const struct trace_item *item = &tape->entries[i].item;

		if (tape->entries[i].is_ref || item->kind != TRACE_ITEM_FAULT)
			continue;
		h = fnv64(h, &item->gva, sizeof(item->gva));
		h = fnv64(h, &item->error, sizeof(item->error));
	}
	return h;
}

static const struct {
	const char *mmu, *bypass, *pages;
} lanes[] = {
	{"kvm-2.6.20-rc3", "off", "1024"},
	{"kvm-2.6.20", "off", "1024"},
	{"kvm-2.6.24", "off", "1024"},
	{"seed", "off", "1024"},
	{"seed", "on", "1024"},
	{"kvm-2.6.25", "off", "1024"},
	{"kvm-2.6.25", "on", "1024"},
	{"kvm-2.6.25", "on", "64"}, /* recycles */
};

#define NR_LANES ARRAY_LEN(lanes)

static struct replay_lane *lane_of(size_t i, const struct trace_info *info,
				   bool audited)
{
	struct replay_lane *lane;
	struct config config;
	struct diag diag;

	config_init(&config);
	if (config_set(&config, "mmu", lanes[i].mmu, &diag) ||
	    config_set(&config, "bypass", lanes[i].bypass, &diag) ||
	    config_set(&config, "shadow-pages", lanes[i].pages, &diag) ||
	    config_set(&config, "audit", audited ? "table" : "off", &diag))
		fail_msg("%s", diag.msg);
	config = config_effective(&config);
	if (replay_lane_create(&config, info, &lane, &diag))
		fail_msg("%s", diag.msg);
	return lane;
}

static void check_lane(const char *name, size_t i, struct replay_lane *lane,
		       uint64_t digest)
{
	const struct sim *sim = replay_lane_sim(lane);

	if (replay_lane_status(lane) != REPLAY_DONE)
		fail_msg("%s: %s bypass=%s: status %d: %s", name, lanes[i].mmu,
			 lanes[i].bypass, replay_lane_status(lane),
			 replay_lane_line(lane));
	if (sim_check(sim))
		fail_msg("%s: %s bypass=%s: %s", name, lanes[i].mmu,
			 lanes[i].bypass, sim_check(sim));
	if (sim_fault_digest(sim) != digest)
		fail_msg("%s: %s bypass=%s: other faults", name, lanes[i].mmu,
			 lanes[i].bypass);
}

void rig_replay(const char *name, const char *path, uint64_t digest,
		uint32_t audited)
{
	struct replay_lane *lane[NR_LANES];
	struct replay_pass pass = {.lane = lane, .nr_lanes = NR_LANES};
	struct diag diag;

	check(trace_reader_open(path, &pass.reader, &diag), &diag);
	for (size_t i = 0; i < NR_LANES; i++)
		lane[i] = lane_of(i, trace_reader_info(pass.reader),
				  audited >> i & 1);
	check(replay_run(&pass, &diag), &diag);
	for (size_t i = 0; i < NR_LANES; i++) {
		check_lane(name, i, lane[i], digest);
		replay_lane_destroy(lane[i]);
	}
	trace_reader_close(pass.reader);
}
