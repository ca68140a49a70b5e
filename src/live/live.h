/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The live source: Unicorn executes the guest, the sink decides.
 *
 * Unicorn's MMU walks the installed twins of the modelled shadow tables (see
 * mem/mem.h), so guest code runs at full speed until something faults or a
 * sensitive instruction is met; each of those becomes an event.
 *
 * Promises: the same image, configuration and outcomes of the sink give the
 * same instruction count, the same events and the same memory, on any host and
 * however often the run is paused.
 */
#ifndef NOTRAP_LIVE_LIVE_H
#define NOTRAP_LIVE_LIVE_H

#include "base/diag.h"
#include "event/event.h"
#include "event/observe.h"
#include "mem/mem.h"
#include "platform/loader.h"
#include "platform/platform.h"

struct live;

struct live_config {
	struct boot_state boot; /* 32-bit protected mode, paging off */
	bool vendor_amd;
	bool no_nx;         /* CPUID has no NX */
	uint8_t maxphyaddr; /* CPUID 0x80000008 */
	uint32_t features;  /* FEATURE_*, and the profile */
	uint64_t max_insns; /* 0: no end */
	/*
	 * Virtual time: 0: an instruction is 1 ns; else cycles in a
	 * microsecond, the guest's own (one an instruction) and those the view
	 * says were spent.
	 */
	uint32_t mhz;
	/*
	 * Compare the bytes of every executed block with those it was
	 * translated from; live_stale_blocks() counts differences.
	 */
	bool check_stale;
	/* Told every instruction and access; NULL: nobody, at full speed. */
	struct insn_observer *observer;
};

/* -ENOMEM, -ENOTSUP (Unicorn's hidden state was not found) with a line. */
int live_create(const struct live_config *config, struct mem *mem,
		struct platform *platform, struct event_sink *sink,
		struct live **ret, struct diag *diag);
void live_destroy(struct live *live); /* NULL is fine */

enum live_status {
	LIVE_PAUSED,    /* `until` reached, or *attention seen: call again */
	LIVE_EXIT,      /* port 0xf4; value */
	LIVE_RESET,     /* keyboard controller or 0xcf9 */
	LIVE_SHUTDOWN,  /* triple fault */
	LIVE_HALTED,    /* HLT that no interrupt can end */
	LIVE_ABSENT,    /* reference to an address without memory; gpa */
	LIVE_MAX_INSNS, /* config.max_insns executed */
	LIVE_STOPPED,   /* the model cannot go on; line says why */
};

struct live_end {
	enum live_status status;
	uint32_t value;
	gpa_t gpa;
	gva_t gva;
	gva_t rip;      /* of the guest when it ended */
	char line[256]; /* one line for a person; empty while paused */
};

/*
 * Run until the guest ends, the instruction clock reaches `until`, or
 * *attention (may be NULL) is non-zero, looked at about every million
 * instructions and on each pass of HLT.
 */
void live_run(struct live *live, uint64_t until, const volatile int *attention,
	      struct live_end *ret);

/* Guest instructions completed. */
uint64_t live_insns(const struct live *live);

/* Work that is no guest event and costs no modelled cycle; for benchmarks. */
struct live_stats {
	uint64_t blocks_translated;
	uint64_t translated_again; /* for their calls to be right */
	uint64_t stale_blocks, stale_checked;
	uint64_t turns_writable, turns_executable, own_frame_steps;
	uint64_t installs, hw_flushes, translation_flushes;
	uint64_t fetch_repairs;
	uint64_t artifact_faults;
};

const struct live_stats *live_stats(const struct live *live);

#endif
