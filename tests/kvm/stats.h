/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KVM's own counters of a machine and its processor, by their names, through
 * KVM_GET_STATS_FD (Documentation/virt/kvm/api.rst, 4.131).
 */
#ifndef NOTRAP_TESTS_KVM_STATS_H
#define NOTRAP_TESTS_KVM_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One value each; histograms are left out. */
struct kvm_stat {
	const char *name;
	int fd;
	uint64_t at; /* in fd */
	uint64_t value;
};

struct kvm_stats {
	struct kvm_stat *list;
	size_t nr;
	struct stats_source {
		int fd;
		char *text; /* descriptors, names among them */
	} source[2];
};

/* Of these two; false: this KVM has not got them. */
bool stats_open(struct kvm_stats *stats, int vm_fd, int vcpu_fd);
void stats_close(struct kvm_stats *stats);

/* Read all values anew. */
bool stats_read(struct kvm_stats *stats);

#endif
