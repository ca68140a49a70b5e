/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rig.h"

static void must(int err, const struct diag *diag)
{
	if (err)
		fail_msg("%s", diag->msg);
}

void rig_start(struct rig *rig, const struct rig_config *config)
{
	struct direct_config direct = config->direct;
	struct diag diag;

	direct.audit = DIRECT_AUDIT_ALL;
	direct.nr_vcpus = direct.nr_vcpus ? direct.nr_vcpus : 1;
	*rig = (struct rig){
		.guest = {.mode = config->mode,
			  .wp = true,
			  .nxe = config->mode != PAGING_32,
			  .pse = true,
			  .has_1g = true,
			  .maxphyaddr = 40},
		.global_pages = true,
		.next = 0x100000,
	};
	must(mem_create(RIG_RAM,
			config->pool_pages ? config->pool_pages : RIG_PAGES,
			false, &rig->mem, &diag),
	     &diag);
	must(direct_create(&direct, rig->mem, &rig->direct, &diag), &diag);
	rig->guest.root = rig_frame(rig);
	for (int i = 0; i < 4; i++)
		rig->guest.pdpte[i] = rig_frame(rig) | PTE_P;
	for (unsigned int i = 0; i < direct.nr_vcpus; i++) {
		direct_select(rig->direct, i);
		rig_set_guest(rig);
	}
	direct_select(rig->direct, 0);
}

void rig_end(struct rig *rig)
{
	direct_run_audit(rig->direct);
	assert_string_equal(direct_audit_result(rig->direct)->first, "");
	direct_destroy(rig->direct);
	mem_destroy(rig->mem);
}

void rig_set_guest(struct rig *rig)
{
	direct_set_guest(rig->direct, &rig->guest, rig->global_pages);
}

void rig_load_cr3(struct rig *rig)
{
	direct_load_cr3(rig->direct, &rig->guest);
}

gpa_t rig_frame(struct rig *rig)
{
	gpa_t frame = rig->next;

	rig->next += PAGE_SIZE;
	return frame;
}

uint64_t rig_entry(const struct rig *rig, gpa_t at)
{
	return rig->guest.mode == PAGING_32 ? mem_read_u32(rig->mem, at)
					    : mem_read_u64(rig->mem, at);
}

void rig_store(struct rig *rig, gpa_t at, uint64_t entry)
{
	if (rig->guest.mode == PAGING_32)
		mem_write_u32(rig->mem, at, (uint32_t)entry);
	else
		mem_write_u64(rig->mem, at, entry);
}

gpa_t rig_map(struct rig *rig, gva_t gva, int level, uint64_t entry)
{
	enum paging_mode mode = rig->guest.mode;
	gpa_t table = rig->guest.root;
	gpa_t at;

	if (mode == PAGING_PAE)
		table = rig->guest.pdpte[(gva >> 30) & 3] & PTE_ADDR;
	for (int up = paging_levels(mode);; up--) {
		at = table + paging_index(mode, gva, up) *
				     (gpa_t)paging_entry_size(mode);
		if (up == level)
			break;
		if (!rig_entry(rig, at))
			rig_store(rig, at, rig_frame(rig) | RIG_LINK);
		table = rig_entry(rig, at) & PTE_ADDR;
	}
	rig_store(rig, at, entry);
	return at;
}

static struct walk look(const struct rig *rig, gva_t gva, uint32_t access)
{
	struct paging_ctx ctx = {
		.mode = direct_mode(rig->direct),
		.root = direct_root(rig->direct),
		.wp = true,
		.nxe = true,
		.smep = rig->guest.smep,
		.smap = rig->guest.smap,
		.pke = rig->guest.pke,
		.pkru = rig->guest.pkru,
		.maxphyaddr = 40,
	};

	for (unsigned int i = 0; ctx.mode == PAGING_PAE && i < 4; i++)
		ctx.pdpte[i] = pool_get(&rig->mem->pool, ctx.root, i);
	return paging_walk(&ctx, rig->mem, gva, access);
}

bool rig_hits(const struct rig *rig, gva_t gva, uint32_t access)
{
	return !look(rig, gva, access).fault;
}

struct direct_result rig_miss(struct rig *rig, gva_t gva, uint32_t access)
{
	if (rig_hits(rig, gva, access))
		fail_msg("0x%llx, access 0x%x: a hit", (unsigned long long)gva,
			 access);
	return direct_fault(rig->direct, gva, access);
}

unsigned int rig_refs(const struct rig *rig, const struct direct_path *path)
{
	int leaf = direct_ept_leaf(rig->direct);
	unsigned int ept = leaf ? 5 - (unsigned int)leaf : 0;

	return path->nr * (ept + 1) + (path->has_page ? ept : 0);
}

void rig_fill(struct rig *rig, gva_t gva, uint32_t access, gpa_t gpa)
{
	struct direct_result r = rig_miss(rig, gva, access);
	struct walk w = look(rig, gva, access);

	if (r.verdict != DIRECT_FILLED || w.fault || w.pa != gpa)
		fail_msg("0x%llx, access 0x%x: verdict %d, then %s 0x%llx",
			 (unsigned long long)gva, access, (int)r.verdict,
			 w.fault ? "fault" : "to", (unsigned long long)w.pa);
}
