/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/cpu_features.h"
#include "arch/cpu_profile.h"
#include "replay/internal.h"
#include "trace/sense.h"

static uint64_t memory_of(const struct config *config,
			  const struct trace_info *info)
{
	uint64_t asked = config_get(config, OPT_memory);

	if (!info->memory ||
	    (config->given[OPT_memory] && asked > info->memory))
		return asked;
	return info->memory;
}

static int lane_init(struct replay_lane *lane, const struct config *config,
		     const struct trace_info *info, struct diag *diag)
{
	struct config own = *config;
	int err = mem_create(memory_of(config, info), sim_pool_pages(config),
			     false, &lane->mem, diag);

	if (config_get(config, OPT_vcpus) <= info->nr_others)
		own.value[OPT_vcpus] = info->nr_others + 1;
	if (!config->given[OPT_features])
		own.value[OPT_features] = info->features & FEATURE_ALL;
	if (!config->given[OPT_cpu])
		own.value[OPT_cpu] = profile_of((uint32_t)info->features);
	if (!err)
		err = config_check_machine(&own, diag);
	if (!err)
		err = sim_create(&own, lane->mem, &lane->sim, diag);
	if (err)
		return err;
	lane->sink = sim_sink(lane->sim);
	err = sim_use_tlb(lane->sim, &config->machine.geometry, diag);
	if (err)
		return err;
	lane->tlb = sim_tlb(lane->sim, 0);
	lane->acct = sim_counting(lane->sim);
	lane->fetch[0] = &lane->kept[0];
	lane->fetch[1] = &lane->kept[1];
	lane->is_full = info->granularity == TRACE_FULL;
	lane_init_vcpus(lane, info);
	return 0;
}

int replay_lane_create(const struct config *config,
		       const struct trace_info *info, struct replay_lane **ret,
		       struct diag *diag)
{
	struct replay_lane *lane = calloc(1, sizeof(*lane));
	int err;

	if (!lane)
		return diag_set(diag, -ENOMEM, "no host memory");
	err = lane_init(lane, config, info, diag);
	if (err) {
		replay_lane_destroy(lane);
		return err;
	}
	*ret = lane;
	return 0;
}

void replay_lane_destroy(struct replay_lane *lane)
{
	if (!lane)
		return;
	sim_destroy(lane->sim);
	mem_destroy(lane->mem);
	free(lane);
}

static void load_table(struct replay_lane *lane, const struct trace_item *item)
{
	if (!mem_is_ram(lane->mem, item->gpa, PAGE_SIZE)) {
		lane_differs(lane, "a table at 0x%llx, beyond memory",
			     (unsigned long long)item->gpa);
		return;
	}
	memcpy(mem_ram(lane->mem, item->gpa), item->table, PAGE_SIZE);
}

/* The bytes that an emulated instruction stores. */
static void store(struct replay_lane *lane, const struct trace_item *item)
{
	struct guest_event ev = {
		.kind = GE_STORE,
		.gva = item->gva,
		.size = item->size,
		.access = PFEC_W | (lane->ref.user ? (uint32_t)PFEC_U : 0),
		.cpl = lane->ref.user ? 3 : 0,
		.vcpu = lane->vcpu,
		.rip = lane->fetch[0]->gva,
		.insns = lane->acct->insns,
	};
	struct guest_outcome out = {0};
	hpa_t hpa;

	if (!lane->sink->translate(lane->sink, item->gva, &hpa) ||
	    hpa != item->gpa) {
		lane_differs(lane,
			     "the trace writes a table at 0x%llx through "
			     "0x%llx, which leads elsewhere in the model",
			     (unsigned long long)item->gpa,
			     (unsigned long long)item->gva);
		return;
	}
	memcpy(ev.bytes, item->bytes, sizeof(ev.bytes));
	lane->expected = EXPECT_ANYTHING;
	event_push(lane->sink, &ev, &out);
	lane->stored = out.verdict == GO_DONE;
	lane_obey(lane, &out, NULL);
}

/* The emulated instruction stores nothing. */
static void store_nothing(struct replay_lane *lane,
			  const struct guest_event *from)
{
	struct guest_event ev = *from;
	struct guest_outcome out = {0};

	ev.vcpu = lane->vcpu;
	ev.insns = lane->acct->insns; /* the exit's */
	lane->expected = EXPECT_ANYTHING;
	event_push(lane->sink, &ev, &out);
}

static void write_table(struct replay_lane *lane, const struct trace_item *item)
{
	if (!mem_is_ram(lane->mem, item->gpa, item->size)) {
		lane_differs(lane, "a table write at 0x%llx, beyond memory",
			     (unsigned long long)item->gpa);
		return;
	}
	if (lane->expected == EXPECT_VALUE)
		store(lane, item);
	else
		memcpy(mem_ram(lane->mem, item->gpa), item->bytes, item->size);
}

static void begin_delivery(struct replay_lane *lane,
			   const struct guest_event *ev)
{
	lane->expected = EXPECT_ANYTHING;
	lane->delivery.under_way = true;
	lane->delivery.event = *ev;
	lane->delivery.cr2 = lane->sink->view->cr2;
	lane->delivery.nr = 0;
}

static void push_event(struct replay_lane *lane, const struct guest_event *from)
{
	struct guest_event ev = *from;
	struct guest_outcome out = {0};

	ev.vcpu = lane->vcpu;
	switch (ev.kind) {
	case GE_DELIVER:
		begin_delivery(lane, &ev);
		break;
	case GE_DELIVERED:
		lane->delivery.under_way = false;
		break;
	case GE_RETRY:
		lane->retry = ev;
		break;
	default:
		break;
	}
	lane->retrying = ev.kind == GE_RETRY;
	if (lane->expected == EXPECT_DEVICE)
		lane->expected = EXPECT_ANYTHING;
	event_push(lane->sink, &ev, &out);
	lane_obey(lane, &out, NULL);
}

static const char *event_flaw(const struct replay_lane *lane,
			      const struct guest_event *ev)
{
	if (ev->kind == GE_DELIVERED && !lane->delivery.under_way)
		return "no delivery is under way";
	return trace_event_nonsense(ev);
}

static void take_event(struct replay_lane *lane, const struct guest_event *ev)
{
	const char *flaw = event_flaw(lane, ev);

	if (flaw) {
		lane_differs(lane, "an event %s that makes no sense: %s",
			     trace_event_name(ev->kind), flaw);
		return;
	}
	/* What a hypervisor cannot emulate matters only where it has to. */
	if (ev->kind == GE_EMULATE_FAILED) {
		if (lane->expected == EXPECT_VALUE)
			lane_emulate_failed(lane);
		return;
	}
	/* A processor writes what was there. */
	if (ev->kind == GE_COMPARE_FAILED) {
		if (lane->expected == EXPECT_VALUE)
			store_nothing(lane, ev);
		return;
	}
	if (lane->expected == EXPECT_VALUE)
		lane_emulate_failed(lane);
	if (ev->kind == GE_IRQ_WINDOW && !lane->sink->view->irq_window) {
		lane_differs(lane,
			     "the trace has an interrupt window, which the "
			     "model did not ask for");
		return;
	}
	if (lane_is_running(lane))
		push_event(lane, ev);
}

static void take_item(struct replay_lane *lane, const struct trace_item *item)
{
	switch (item->kind) {
	case TRACE_ITEM_REFS:
		BUG("references are no single item");
	case TRACE_ITEM_EVENT:
		take_event(lane, &item->event);
		break;
	case TRACE_ITEM_TABLE:
		load_table(lane, item);
		break;
	case TRACE_ITEM_TABLE_WRITE:
		write_table(lane, item);
		break;
	case TRACE_ITEM_TABLE_END:
		if (lane->expected == EXPECT_VALUE)
			lane_emulate_failed(lane);
		break;
	case TRACE_ITEM_FAULT:
		lane->expected = EXPECT_DELIVERY;
		break;
	case TRACE_ITEM_MARK:
		break;
	case TRACE_ITEM_VCPU:
		lane_use_vcpu(lane, item->id);
		break;
	}
}

void replay_lane_item(struct replay_lane *lane, const struct trace_item *item)
{
	if (!lane_is_running(lane))
		return;
	if (!lane->begun && item->kind != TRACE_ITEM_TABLE &&
	    item->kind != TRACE_ITEM_VCPU) {
		lane_begin(lane);
		if (!lane_is_running(lane))
			return;
	}
	if (item->kind == TRACE_ITEM_REFS) {
		lane_refs(lane, item->refs, item->nr);
		return;
	}
	lane->position = lane->next++;
	if (lane_may_come(lane, item))
		take_item(lane, item);
}

void replay_lane_finish(struct replay_lane *lane)
{
	if (lane_is_running(lane))
		lane->status = lane->expected == EXPECT_END ||
					       lane->expected == EXPECT_DEVICE
				       ? lane->at_end
				       : REPLAY_DONE;
	sim_finish(lane->sim, lane->insns);
}

enum replay_status replay_lane_status(const struct replay_lane *lane)
{
	return lane->status;
}

const char *replay_lane_line(const struct replay_lane *lane)
{
	return lane->line;
}

struct sim *replay_lane_sim(struct replay_lane *lane)
{
	return lane->sim;
}

uint64_t replay_lane_insns(const struct replay_lane *lane)
{
	return lane->insns;
}

uint64_t replay_lane_position(const struct replay_lane *lane)
{
	return lane->position;
}

static void tell_exit(void *context, const struct sim_exit_record *record)
{
	struct replay_lane *lane = context;
	uint64_t at = lane->exit_open ? lane->exit_position : lane->position;

	lane->exit_open = false;
	lane->watch.exit(lane->watch.context, at, record);
}

void replay_lane_watch(struct replay_lane *lane,
		       const struct replay_watch *watch)
{
	lane->watch = *watch;
	sim_watch_exits(lane->sim, tell_exit, lane);
	sim_watch_region(lane->sim, watch->region, watch->context);
}

uint64_t replay_lane_settled(const struct replay_lane *lane)
{
	return lane->exit_open ? lane->exit_position : lane->next;
}
