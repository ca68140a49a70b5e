/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stats.h"

#include <linux/kvm.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static size_t desc_size(const struct kvm_stats_header *header)
{
	return sizeof(struct kvm_stats_desc) + header->name_size;
}

static void add(struct kvm_stats *stats, int fd,
		const struct kvm_stats_header *header,
		const struct kvm_stats_desc *desc)
{
	if (desc->size == 1)
		stats->list[stats->nr++] = (struct kvm_stat){
			.name = desc->name,
			.fd = fd,
			.at = header->data_offset + desc->offset,
		};
}

static bool read_source(struct kvm_stats *stats, struct stats_source *source)
{
	struct kvm_stats_header header;
	struct kvm_stat *list;
	size_t size;

	if (pread(source->fd, &header, sizeof(header), 0) != sizeof(header))
		return false;
	size = header.num_desc * desc_size(&header);
	source->text = malloc(size);
	list = realloc(stats->list,
		       (stats->nr + header.num_desc) * sizeof(*list));
	if (list)
		stats->list = list;
	if (!source->text || !list ||
	    pread(source->fd, source->text, size, header.desc_offset) !=
		    (ssize_t)size)
		return false;
	for (uint32_t i = 0; i < header.num_desc; i++)
		add(stats, source->fd, &header,
		    (const void *)(source->text + i * desc_size(&header)));
	return true;
}

bool stats_open(struct kvm_stats *stats, int vm_fd, int vcpu_fd)
{
	const int of[2] = {vm_fd, vcpu_fd};
	bool ok = true;

	*stats = (struct kvm_stats){0};
	for (int i = 0; i < 2; i++)
		stats->source[i].fd = ioctl(of[i], KVM_GET_STATS_FD, NULL);
	for (int i = 0; i < 2 && ok; i++)
		ok = stats->source[i].fd >= 0 &&
		     read_source(stats, &stats->source[i]);
	if (!ok)
		stats_close(stats);
	return ok;
}

void stats_close(struct kvm_stats *stats)
{
	for (int i = 0; i < 2; i++) {
		if (stats->source[i].fd >= 0)
			close(stats->source[i].fd);
		free(stats->source[i].text);
	}
	free(stats->list);
	*stats = (struct kvm_stats){.source = {{.fd = -1}, {.fd = -1}}};
}

bool stats_read(struct kvm_stats *stats)
{
	for (size_t i = 0; i < stats->nr; i++) {
		struct kvm_stat *s = &stats->list[i];

		if (pread(s->fd, &s->value, sizeof(s->value), (off_t)s->at) !=
		    sizeof(s->value))
			return false;
	}
	return true;
}
