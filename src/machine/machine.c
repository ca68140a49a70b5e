/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From lines to a processor: each key has a place, and each place its key. */
#include "machine/machine.h"

#include <errno.h>
#include <string.h>

#include "arch/cpu_features.h"
#include "machine/internal.h"
#include "machine/keys.h"
#include "machine/value.h"

static const struct {
	const char *key, *what;
	uint32_t guest;
} features[NR_MACHINE_FEATURES] = {
#define FEATURE(id, key, guest, what) {key, what, (uint32_t)(guest)},
#include "machine/features.def"
#undef FEATURE
};

const char *machine_feature_key(enum machine_feature id)
{
	return features[id].key;
}

const char *machine_feature_what(enum machine_feature id)
{
	return features[id].what;
}

uint32_t machine_feature_guest(enum machine_feature id)
{
	return features[id].guest;
}

/* --- Keys with a place of their own --------------------------------------- */

enum place_kind {
	PLACE_U8,
	PLACE_U16,
	PLACE_U32,
	PLACE_ARRAY,
	PLACE_CACHE,
};

#define AT(field) offsetof(struct machine_model, field)

static const struct place {
	const char *section, *key;
	enum place_kind kind;
	size_t at;
	uint64_t min, max; /* of numbers */
} places[] = {
	{"machine", "year", PLACE_U16, AT(year), 1985, 2100},
	{"machine", "mhz", PLACE_U32, AT(mhz), 1, 100000},
	{"psc", "pml5e", PLACE_ARRAY, AT(geometry.psc[PSC_PML5E]), 0, 0},
	{"psc", "pml4e", PLACE_ARRAY, AT(geometry.psc[PSC_PML4E]), 0, 0},
	{"psc", "pdpte", PLACE_ARRAY, AT(geometry.psc[PSC_PDPTE]), 0, 0},
	{"psc", "pde", PLACE_ARRAY, AT(geometry.psc[PSC_PDE]), 0, 0},
	{"psc", "nested-tlb", PLACE_ARRAY, AT(geometry.nested_tlb), 0, 0},
	{"psc", "nested-pml5e", PLACE_ARRAY, AT(geometry.nested_psc[PSC_PML5E]),
	 0, 0},
	{"psc", "nested-pml4e", PLACE_ARRAY, AT(geometry.nested_psc[PSC_PML4E]),
	 0, 0},
	{"psc", "nested-pdpte", PLACE_ARRAY, AT(geometry.nested_psc[PSC_PDPTE]),
	 0, 0},
	{"psc", "nested-pde", PLACE_ARRAY, AT(geometry.nested_psc[PSC_PDE]), 0,
	 0},
	{"cache", "l1", PLACE_CACHE, AT(geometry.cache[0]), 0, 0},
	{"cache", "l2", PLACE_CACHE, AT(geometry.cache[1]), 0, 0},
	{"cache", "l3", PLACE_CACHE, AT(geometry.cache[2]), 0, 0},
	{"cache", "table-share", PLACE_U8, AT(geometry.table_share), 1, 100},
	{"walker", "walkers", PLACE_U8, AT(geometry.walkers), 1, 16},
	{"walker", "window", PLACE_U16, AT(geometry.walk_window), 0, 65535},
};

static int take_number(const struct machine_reader *r,
		       const struct ini_entry *entry, const struct place *place,
		       void *to)
{
	uint64_t val = 0;
	int err = value_number(r->ini, entry, place->min, place->max, &val,
			       r->diag);

	if (err)
		return err;
	if (place->kind == PLACE_U8)
		*(uint8_t *)to = (uint8_t)val;
	else if (place->kind == PLACE_U16)
		*(uint16_t *)to = (uint16_t)val;
	else
		*(uint32_t *)to = (uint32_t)val;
	return 0;
}

static int take_place(const struct machine_reader *r, const struct place *place,
		      struct machine_model *machine)
{
	const struct ini_entry *entry =
		machine_entry(r, place->section, place->key);
	void *to = (char *)machine + place->at;

	if (place->kind == PLACE_ARRAY)
		return value_array(r->ini, entry, to, r->diag);
	if (place->kind == PLACE_CACHE)
		return value_cache(r->ini, entry, to, r->diag);
	return take_number(r, entry, place, to);
}

/* --- The others ----------------------------------------------------------- */

static int take_vendor(const struct machine_reader *r,
		       struct machine_model *machine)
{
	static const char *const names[] = {
		[PROFILE_INTEL] = "intel",
		[PROFILE_AMD] = "amd",
		[PROFILE_EITHER] = "either",
	};
	const struct ini_entry *entry = machine_entry(r, "machine", "vendor");

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i], entry->value) != 0)
			continue;
		machine->vendor = (enum profile_vendor)i;
		return 0;
	}
	return ini_bad(r->ini, entry, r->diag,
		       "vendor = %.60s: want intel, amd or either",
		       entry->value);
}

static int take_width(const struct machine_reader *r,
		      struct machine_model *machine)
{
	const struct ini_entry *entry =
		machine_entry(r, "features", "maxphyaddr");
	struct cost_range width = {0};
	int err;

	err = value_range(r->ini, entry, 36, 52, &width, r->diag);
	machine->width = (uint8_t)width.typ;
	machine->width_min = (uint8_t)width.min;
	machine->width_max = (uint8_t)width.max;
	return err;
}

static int take_features(const struct machine_reader *r,
			 struct machine_model *machine)
{
	for (unsigned int i = 0; i < NR_MACHINE_FEATURES; i++) {
		const struct ini_entry *entry =
			machine_entry(r, "features", features[i].key);
		bool yes = false;
		int err;

		err = value_yes_no(r->ini, entry, &yes, r->diag);
		if (err)
			return err;
		machine->features |= (uint32_t)yes << i;
	}
	return 0;
}

static int take_tlbs(const struct machine_reader *r,
		     struct machine_model *machine)
{
	struct cpu_geometry *geometry = &machine->geometry;

	for (size_t i = 0; i < r->ini->nr; i++) {
		const struct ini_entry *entry = &r->ini->entry[i];
		int err;

		if (strcmp(entry->section, "tlb") != 0)
			continue;
		if (geometry->nr_tlbs == TLB_ARRAYS_MAX)
			return ini_bad(r->ini, entry, r->diag,
				       "more than %d TLBs", TLB_ARRAYS_MAX);
		err = value_tlb(r->ini, entry,
				&geometry->tlb[geometry->nr_tlbs], r->diag);
		if (err)
			return err;
		geometry->nr_tlbs++;
	}
	return 0;
}

/* --- What does not go together -------------------------------------------- */

static int check_geometry(const struct machine_reader *r,
			  const struct machine_model *machine)
{
	const char *flaw = cpu_geometry_flaw(&machine->geometry);

	return flaw ? diag_set(r->diag, -EINVAL, "%.160s: %s", r->ini->name,
			       flaw)
		    : 0;
}

static int check_vendor(const struct machine_reader *r,
			const struct machine_model *machine)
{
	if (machine->vendor == PROFILE_INTEL &&
	    machine_has(machine, MACHINE_SVM))
		return diag_set(r->diag, -EINVAL,
				"%.160s: vendor = intel, but svm = yes",
				r->ini->name);
	if (machine->vendor == PROFILE_AMD &&
	    (machine_has(machine, MACHINE_VMX) ||
	     machine_has(machine, MACHINE_PFEC_FILTER)))
		return diag_set(r->diag, -EINVAL,
				"%.160s: vendor = amd, but vmx or pfec-filter "
				"= yes",
				r->ini->name);
	return 0;
}

static int take_all(const struct machine_reader *r,
		    struct machine_model *machine)
{
	int err = machine_take_text(r, "machine", "name", machine->name,
				    sizeof(machine->name));

	if (!err)
		err = machine_take_text(r, "machine", "part", machine->part,
					sizeof(machine->part));
	if (!err)
		err = take_vendor(r, machine);
	for (size_t i = 0; i < ARRAY_LEN(places) && !err; i++)
		err = take_place(r, &places[i], machine);
	if (!err)
		err = take_features(r, machine);
	if (!err)
		err = take_width(r, machine);
	if (!err)
		err = take_tlbs(r, machine);
	if (!err)
		err = machine_take_costs(r, OWNER_HARDWARE, machine->cost);
	if (!err)
		err = check_geometry(r, machine);
	return err ? err : check_vendor(r, machine);
}

int machine_from_ini(const struct ini *ini, struct machine_model *ret,
		     struct diag *diag)
{
	struct machine_model machine = {.geometry.nr_tlbs = 0};
	struct machine_reader r = {.ini = ini, .diag = diag};
	int err = machine_check_keys(KIND_MACHINE, ini, diag);

	if (!err)
		err = take_all(&r, &machine);
	if (!err)
		*ret = machine;
	return err;
}
