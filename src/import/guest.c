/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/guest.h"

#include <errno.h>
#include <stdlib.h>

#include "arch/cr.h"
#include "import/internal.h"

#define MEMORY_MIN (UINT64_C(32) << 20)
#define MEMORY_MAX (UINT64_C(3) << 30)

/* The port that ends a run, as in guests/mini. */
#define PORT_END 0xf4

void guest_trace_info(const struct guest_options *options,
		      struct trace_info *info)
{
	info->granularity = options->granularity;
	info->memory = options->memory;
	info->cr0 = CR0_PG | CR0_WP | CR0_PE | CR0_ET;
	info->cr3 = FIRST_ROOT;
	info->cr4 = CR4_PAE;
	info->efer = EFER_LMA | EFER_LME | EFER_NXE | EFER_SCE;
	info->nr_others = options->vcpus ? options->vcpus - 1 : 0;
	for (uint32_t i = 0; i < info->nr_others; i++)
		info->other[i] = trace_vcpu_of(info, 0);
}

static int check_options(const struct guest_options *options, struct diag *diag)
{
	uint32_t around = options->fault_around;

	if (options->memory < MEMORY_MIN || options->memory > MEMORY_MAX ||
	    options->memory & (BIT(21) - 1))
		return diag_set(diag, -EINVAL,
				"memory of the model guest: want 32 MiB to "
				"3 GiB, a multiple of 2 MiB");
	if (!around || around > 64 || around & (around - 1))
		return diag_set(diag, -EINVAL,
				"fault-around: want 1, 2, 4... up to 64 pages");
	if (options->vcpus > TRACE_VCPUS_MAX)
		return diag_set(diag, -EINVAL,
				"processors of the model guest: want 1 to %u",
				TRACE_VCPUS_MAX);
	return 0;
}

int guest_create(const struct guest_options *options,
		 struct trace_writer *writer, struct guest **ret,
		 struct diag *diag)
{
	struct guest *g;
	int err = check_options(options, diag);

	if (err)
		return err;
	g = calloc(1, sizeof(*g));
	if (!g)
		return diag_set(diag, -ENOMEM, "no memory for the model guest");
	g->options = *options;
	g->writer = writer;
	g->want_vcpu = NO_CPU;
	err = frames_init(g, diag);
	if (!err)
		err = tasks_init(g, diag);
	if (!err)
		err = space_init(g, diag);
	if (err) {
		guest_destroy(g);
		return err;
	}
	kernel_begin(g);
	kernel_out(g, GUEST_MARKER_PORT, GUEST_REGION_BEGINS);
	*ret = g;
	return 0;
}

void guest_destroy(struct guest *guest)
{
	if (!guest)
		return;
	frames_finish(guest);
	free(guest->space);
	free(guest->task);
	free(guest);
}

int guest_error(struct guest *g, struct diag *diag)
{
	if (unlikely(g->err))
		*diag = g->diag;
	return g->err;
}

int guest_end(struct guest *g, struct diag *diag)
{
	kernel_enter(g);
	kernel_out(g, GUEST_MARKER_PORT, GUEST_REGION_ENDS);
	kernel_out(g, PORT_END, 0);
	emit_flush(g);
	return guest_error(g, diag);
}

const struct guest_stats *guest_stats(const struct guest *guest)
{
	return &guest->stats;
}
