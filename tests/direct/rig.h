/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest tables in RAM, and a processor that walks what the module has
 * remembered of them: with CR0.WP and NXE set, as Unicorn's is.
 */
#ifndef NOTRAP_TESTS_DIRECT_RIG_H
#define NOTRAP_TESTS_DIRECT_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "direct/direct.h"

#define RIG_RAM   (UINT64_C(64) << 20)
#define RIG_PAGES 256u

#define RIG_RW   (PTE_P | PTE_W | PTE_U)
#define RIG_LINK (PTE_P | PTE_W | PTE_U)

struct rig {
	struct mem *mem;
	struct direct *direct;
	struct paging_ctx guest;
	bool global_pages;
	gpa_t next; /* free frame */
};

struct rig_config {
	enum paging_mode mode;
	struct direct_config direct;
	uint32_t pool_pages; /* 0: RIG_PAGES */
};

/* One processor unless config says otherwise; audit after each operation. */
void rig_start(struct rig *rig, const struct rig_config *config);
void rig_end(struct rig *rig); /* no audit has failed */

/* Tell the module of guest and global_pages. */
void rig_set_guest(struct rig *rig);
void rig_load_cr3(struct rig *rig);

gpa_t rig_frame(struct rig *rig);
/*
 * Store an entry for gva in the table of this level; tables above it are made.
 * Returns where it is.
 */
gpa_t rig_map(struct rig *rig, gva_t gva, int level, uint64_t entry);
uint64_t rig_entry(const struct rig *rig, gpa_t at);
void rig_store(struct rig *rig, gpa_t at, uint64_t entry);

/* Does the processor find gva by itself? */
bool rig_hits(const struct rig *rig, gva_t gva, uint32_t access);
/* It misses, and the module is asked. */
struct direct_result rig_miss(struct rig *rig, gva_t gva, uint32_t access);
/* What a walk reads with nothing cached: (g + 1)(h + 1) - 1 if it is whole. */
unsigned int rig_refs(const struct rig *rig, const struct direct_path *path);
/* A miss that must be filled, and is a hit then, of gpa. */
void rig_fill(struct rig *rig, gva_t gva, uint32_t access, gpa_t gpa);

#endif
