/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory is what a replay's would be, were there no hypervisor to set A and D
 * bits in it.  Registers are loaded by the rules of the model's processor, as
 * a load that is refused stands in a trace, too.
 */
#include "replay/track.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"
#include "sim/config.h"

struct track {
	struct cpu cpu[TRACE_VCPUS_MAX];
	uint32_t vcpu; /* whose turn it is */
	struct mem *mem;
	uint8_t *is_table; /* by frame */
};

static uint64_t frames(const struct track *track)
{
	return track->mem->ram_size >> PAGE_SHIFT;
}

static void load_state(struct cpu *cpu, const struct trace_vcpu *from,
		       uint64_t features)
{
	struct config config;

	config_init(&config);
	cpu_init(cpu, (uint8_t)config_get(&config, OPT_maxphyaddr),
		 (uint32_t)features);
	cpu->cr0 = from->cr0;
	cpu->cr3 = from->cr3;
	cpu->cr4 = from->cr4;
	cpu->efer = from->efer;
	memcpy(cpu->pdpte, from->pdpte, sizeof(cpu->pdpte));
	cpu->pkru = (uint32_t)from->pkru;
}

int track_create(const struct trace_info *info, struct track **ret,
		 struct diag *diag)
{
	struct track *track = calloc(1, sizeof(*track));
	int err;

	if (!track)
		return diag_set(diag, -ENOMEM, "no memory to follow a trace");
	for (unsigned int i = 0; i <= info->nr_others; i++) {
		struct trace_vcpu from = trace_vcpu_of(info, i);

		load_state(&track->cpu[i], &from, info->features);
	}
	/* Its own pages only are touched, so that more costs nothing. */
	err = mem_create(info->memory ? info->memory : RAM_MAX, 1, false,
			 &track->mem, diag);
	if (!err) {
		track->is_table = calloc(frames(track), 1);
		if (!track->is_table)
			err = diag_set(diag, -ENOMEM,
				       "no memory to follow a trace");
	}
	if (err) {
		track_destroy(track);
		return err;
	}
	*ret = track;
	return 0;
}

void track_destroy(struct track *track)
{
	if (!track)
		return;
	mem_destroy(track->mem);
	free(track->is_table);
	free(track);
}

/* What is refused is an exception, and changes nothing. */
static void track_event(struct track *track, const struct guest_event *ev)
{
	struct cpu *cpu = &track->cpu[track->vcpu];
	const struct mem *mem = track->mem;

	switch (ev->kind) {
	case GE_CR_WRITE:
		cpu_load_cr(cpu, mem, ev->cr, ev->value,
			    cpu_is_long(cpu) && ev->size == 8);
		break;
	case GE_TASK_SWITCH:
		cpu_load_cr0(cpu, mem, cpu->cr0 | CR0_TS, false);
		if (cpu_is_paging(cpu))
			cpu_load_cr(cpu, mem, 3, ev->value, false);
		break;
	case GE_CLTS:
		cpu_load_cr0(cpu, mem, cpu->cr0 & ~CR0_TS, false);
		break;
	case GE_LMSW:
		cpu_load_cr0(cpu, mem, cpu_lmsw(cpu, (uint16_t)ev->value),
			     false);
		break;
	case GE_WRPKRU:
		cpu->pkru = (uint32_t)ev->value;
		break;
	case GE_WRMSR:
		if (ev->error == MSR_EFER)
			cpu_load_efer(cpu, ev->value);
		break;
	default:
		break;
	}
}

void track_item(struct track *track, const struct trace_item *item)
{
	const void *bytes = item->bytes;
	uint64_t size = item->size;

	switch (item->kind) {
	case TRACE_ITEM_EVENT:
		track_event(track, &item->event);
		return;
	case TRACE_ITEM_TABLE:
		bytes = item->table;
		size = PAGE_SIZE;
		break;
	case TRACE_ITEM_TABLE_WRITE:
		break;
	case TRACE_ITEM_TABLE_END:
		size = 1;
		break;
	case TRACE_ITEM_VCPU:
		track->vcpu = item->id % TRACE_VCPUS_MAX;
		return;
	default:
		return;
	}
	/* A replay stops there. */
	if (!mem_is_ram(track->mem, item->gpa, size))
		return;
	track->is_table[item->gpa >> PAGE_SHIFT] =
		item->kind != TRACE_ITEM_TABLE_END;
	if (item->kind != TRACE_ITEM_TABLE_END)
		memcpy(mem_ram(track->mem, item->gpa), bytes, size);
}

static struct trace_vcpu state_of(const struct cpu *cpu)
{
	struct trace_vcpu state = {.cr0 = cpu->cr0,
				   .cr3 = cpu->cr3,
				   .cr4 = cpu->cr4,
				   .efer = cpu->efer,
				   .pkru = cpu->pkru};

	memcpy(state.pdpte, cpu->pdpte, sizeof(state.pdpte));
	return state;
}

void track_registers(const struct track *track, struct trace_info *info)
{
	struct trace_vcpu first = state_of(&track->cpu[0]);

	info->cr0 = first.cr0;
	info->cr3 = first.cr3;
	info->cr4 = first.cr4;
	info->efer = first.efer;
	memcpy(info->pdpte, first.pdpte, sizeof(info->pdpte));
	info->pkru = first.pkru;
	for (unsigned int i = 0; i < info->nr_others; i++)
		info->other[i] = state_of(&track->cpu[i + 1]);
}

bool track_table(const struct track *track, gpa_t *gpa, const uint64_t **ret)
{
	for (gfn_t gfn = *gpa >> PAGE_SHIFT; gfn < frames(track); gfn++) {
		if (!track->is_table[gfn])
			continue;
		*gpa = gfn << PAGE_SHIFT;
		/* A frame is aligned, and holds entries as memory does. */
		*ret = (const uint64_t *)(const void *)mem_ram(track->mem,
							       *gpa);
		return true;
	}
	return false;
}
