/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "direct/direct.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "direct/internal.h"

#define FRAMES_4G (BIT(32) >> PAGE_SHIFT)

static uint64_t *bitmap(uint64_t bits)
{
	return calloc((size_t)(bits + 63) / 64, sizeof(uint64_t));
}

int direct_create(const struct direct_config *config, struct mem *mem,
		  struct direct **ret, struct diag *diag)
{
	struct direct *direct = calloc(1, sizeof(*direct));

	BUG_ON(!config->nr_vcpus || config->nr_vcpus > DIRECT_MAX_VCPUS);
	BUG_ON(mem->pool.nr_pages < DIRECT_MIN_PAGES);
	if (!direct)
		return diag_set(diag, -ENOMEM, "no host memory");
	direct->config = *config;
	direct->mem = mem;
	direct->vcpu = calloc(config->nr_vcpus, sizeof(*direct->vcpu));
	direct->cur = direct->vcpu;
	if (config->ept) {
		direct->backed = bitmap(mem->ram_size >> PAGE_SHIFT);
		direct->marked = bitmap(FRAMES_4G);
	}
	if (!direct->vcpu ||
	    (config->ept && (!direct->backed || !direct->marked))) {
		direct_destroy(direct);
		return diag_set(diag, -ENOMEM, "no host memory");
	}
	*ret = direct;
	return 0;
}

void direct_destroy(struct direct *direct)
{
	if (!direct)
		return;
	free(direct->vcpu);
	free(direct->backed);
	free(direct->marked);
	free(direct);
}

void direct_select(struct direct *direct, unsigned int vcpu)
{
	BUG_ON(vcpu >= direct->config.nr_vcpus);
	direct->cur = &direct->vcpu[vcpu];
}

/* Of the tables, as 8-byte entries. */
static enum paging_mode tables_mode(enum paging_mode guest)
{
	return paging_is_long(guest) ? guest : PAGING_PAE;
}

/* What entries depend on, CR3 apart; PKRU is looked at when one is used. */
static bool is_same(const struct paging_ctx *a, const struct paging_ctx *b)
{
	return a->mode == b->mode && a->wp == b->wp && a->nxe == b->nxe &&
	       a->pse == b->pse && a->smep == b->smep && a->smap == b->smap &&
	       a->pke == b->pke &&
	       !memcmp(a->pdpte, b->pdpte, sizeof(a->pdpte));
}

bool direct_set_guest(struct direct *direct, const struct paging_ctx *guest,
		      bool global_pages)
{
	struct direct_vcpu *vcpu = direct->cur;
	enum paging_mode mode = tables_mode(guest->mode);
	bool same = vcpu->root && is_same(&vcpu->guest, guest) &&
		    vcpu->global_pages == global_pages;

	vcpu->guest = *guest;
	vcpu->global_pages = global_pages;
	if (!vcpu->root || mode != vcpu->mode)
		tables_start(direct, vcpu, mode);
	else if (!same)
		tables_drop_all(direct);
	direct_audit_all(direct);
	return !same;
}

void direct_load_cr3(struct direct *direct, const struct paging_ctx *guest)
{
	direct->cur->guest = *guest;
	tables_drop_local(direct);
	direct_audit_all(direct);
}

void direct_set_pkru(struct direct *direct, uint32_t pkru)
{
	direct->cur->guest.pkru = pkru;
}

void direct_flush_page(struct direct *direct, gva_t gva)
{
	tables_drop_page(direct, gva);
	direct_audit_all(direct);
}

void direct_flush(struct direct *direct)
{
	tables_drop_all(direct);
	direct_audit_all(direct);
}

hpa_t direct_root(const struct direct *direct)
{
	return direct->cur->root;
}

enum paging_mode direct_mode(const struct direct *direct)
{
	return direct->cur->mode;
}
