/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a set of switches does on one event, in a word or two: the rows of the
 * table in docs/generations.md.
 */
#ifndef NOTRAP_TESTS_SHADOW_MMU_PROBES_H
#define NOTRAP_TESTS_SHADOW_MMU_PROBES_H

#include "rig.h"

struct setup {
	const char *gen;         /* whose processor and bypass it is */
	struct smmu_switches sw; /* the generation's, or with one other */
};

struct outcome {
	char s[64];
};

#define USER   UINT64_C(0x400000)
#define WIN    UINT64_C(0x40000000) /* the kernel's view of tables */
#define DATA   UINT64_C(0x100000)
#define TWIN   (USER + (UINT64_C(4) << 21)) /* a second way to USER's table */
#define LARGE  UINT64_C(0x80000000)
#define NO_RAM UINT64_C(0xfee00000)

__attribute__((format(printf, 2, 3))) void say(struct outcome *out,
					       const char *fmt, ...);
void either(struct outcome *out, bool is, const char *yes, const char *no);

/* A guest, and its page i; the kernel's address of that page's entry. */
gva_t yard_page(unsigned int i);
gva_t yard_entry(unsigned int i);
void open_with(struct rig *rig, const struct setup *s,
	       struct rig_config config);
/* Page 0 is mapped and was used; its table and its directory are in view. */
void open_yard(struct rig *rig, const struct setup *s);
struct rig_outcome write_entry(struct rig *rig, unsigned int i, uint64_t val);
/* What stands in the slot: mapped, trap, notrap, absent, ... */
const char *spte_name(const struct rig *rig, gva_t gva, int level);

struct probe {
	const char *name; /* of the row */
	void (*run)(const struct setup *setup, struct outcome *out);
};

/* Events of tables, and what an spte grants. */
extern const struct probe table_probes[], rights_probes[];
extern const size_t nr_table_probes, nr_rights_probes;

#endif
