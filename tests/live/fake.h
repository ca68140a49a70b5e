/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small sink for tests: identity translation unless told otherwise, every
 * event kept, outcomes scripted.  Exceptions during a delivery combine as the
 * manual says (arch/exception.h); nothing else is modelled.
 */
#ifndef NOTRAP_TESTS_LIVE_FAKE_H
#define NOTRAP_TESTS_LIVE_FAKE_H

#include "live/env.h"
#include "live/live.h"

#define FAKE_RAM    UINT64_C(0x200000)
#define FAKE_LOG    1024
#define FAKE_MAPS   8
#define FAKE_ABSENT (~UINT64_C(0))

struct fake {
	struct event_sink sink; /* first */
	struct guest_view view;
	struct mem *mem;
	struct vcpu vcpu;
	struct live_env env;
	struct platform *platform;

	/* Pages that are not where their address says. */
	struct {
		gva_t page;
		hpa_t hpa; /* FAKE_ABSENT: #PF */
	} map[FAKE_MAPS];
	unsigned int nr_maps;

	/* Writes to this page are GO_EMULATE until GE_EMULATE_FAILED. */
	gva_t shadowed;
	bool is_shadowed;

	/* GE_ACCESS number `trip_at` (from 1) gets `trip`; once, or always. */
	unsigned int trip_at;
	bool trip_again;
	struct guest_outcome trip;
	unsigned int nr_accesses;

	/* Events of this kind get this answer. */
	struct guest_outcome answer[NR_GUEST_EVENTS];
	bool answered[NR_GUEST_EVENTS];

	bool delivering;
	struct trap current;

	struct guest_event log[FAKE_LOG];
	unsigned int nr_events;
};

void fake_init(struct fake *fake);
void fake_finish(struct fake *fake);

/* Forget the log and the counts; scripts stay. */
void fake_rewind(struct fake *fake);

void fake_map(struct fake *fake, gva_t gva, hpa_t hpa);
void fake_answer(struct fake *fake, enum guest_event_kind kind,
		 struct guest_outcome out);
struct guest_outcome fake_exception(uint8_t vector, bool has_error,
				    uint32_t error);

unsigned int fake_count(const struct fake *fake, enum guest_event_kind kind);
/* The last of its kind; fails the test if there is none. */
const struct guest_event *fake_last(const struct fake *fake,
				    enum guest_event_kind kind);

/* Little-endian values in RAM. */
void fake_poke(struct fake *fake, uint64_t at, uint64_t val, unsigned int size);
uint64_t fake_peek(const struct fake *fake, uint64_t at, unsigned int size);

#endif
