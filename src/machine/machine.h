/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A processor that time is told for, and a hypervisor's software: each one file
 * of numbers (docs/machines.md).  machines/ and hypervisors/ are built in.
 *
 * Plain data, to be copied; the sources of the numbers stay in the file, see
 * struct ini.
 */
#ifndef NOTRAP_MACHINE_MACHINE_H
#define NOTRAP_MACHINE_MACHINE_H

#include "account/account.h"
#include "arch/cpu_profile.h"
#include "cpu/geometry.h"
#include "machine/ini.h"

enum machine_feature {
#define FEATURE(id, key, guest, what) MACHINE_##id,
#include "machine/features.def"
#undef FEATURE
	NR_MACHINE_FEATURES
};

struct machine_model {
	char name[32];
	char part[96]; /* that the numbers are of */
	uint16_t year;
	enum profile_vendor vendor;
	uint32_t mhz;
	uint32_t features; /* bit i: enum machine_feature i */
	/* Physical-address bits: of the part, and of its relatives. */
	uint8_t width, width_min, width_max;
	struct cpu_geometry geometry;
	struct cost_range cost[NR_COSTS]; /* the hardware's; others are 0 */
	uint64_t digest;                  /* FNV-64 of the text */
};

struct hypervisor {
	char name[32];
	char what[96];
	char mmus[96];                    /* values of mmu=, blanks between */
	struct cost_range cost[NR_COSTS]; /* the software's; others are 0 */
	uint64_t digest;
};

/* No cost is more: a run of 10^12 of each still counts cycles in 63 bits. */
#define MACHINE_COST_MAX 1000000

/*
 * From the lines of a file: 0, or -EINVAL with a line that names the file and
 * the line.  Every key is there, and no other.
 */
int machine_from_ini(const struct ini *ini, struct machine_model *ret,
		     struct diag *diag);
int hypervisor_from_ini(const struct ini *ini, struct hypervisor *ret,
			struct diag *diag);

static inline bool machine_has(const struct machine_model *machine,
			       enum machine_feature id)
{
	return machine->features >> id & 1;
}

const char *machine_feature_key(enum machine_feature id);
const char *machine_feature_what(enum machine_feature id);
/* The FEATURE_* of arch/cpu_features.h that needs it; 0: none does. */
uint32_t machine_feature_guest(enum machine_feature id);

/* --- Those built in, and others ------------------------------------------- */

enum machine_kind {
	KIND_MACHINE,    /* machines/ */
	KIND_HYPERVISOR, /* hypervisors/ */
	NR_MACHINE_KINDS
};

struct machine_file {
	const char *name; /* "merom" */
	const char *path; /* "machines/merom.ini", for messages */
	const char *text;
	size_t len;
};

/* The first is "generic"; the others in the order of their lists. */
const struct machine_file *machine_files(enum machine_kind kind, size_t *nr);

/* What the build makes of these directories. */
extern const struct machine_file machine_builtin[], hypervisor_builtin[];
extern const size_t machine_nr_builtin, hypervisor_nr_builtin;

/* A '/' or ".ini" in it: the path of a file, not a name. */
bool machine_is_path(const char *which);

/*
 * The lines of a built-in file or of one by its path.  -EINVAL with a line: no
 * such name (it suggests the nearest one), no such file, no such text.  End
 * with ini_finish(); `which` must live as long.
 */
int machine_read(enum machine_kind kind, const char *which, struct ini *ret,
		 uint64_t *digest, struct diag *diag);

/*
 * The lines of the file that has this digest: what `which` was read from, or
 * for hypervisor=era one of those built in.  -ENOENT with a line: there is none
 * any more.
 */
int machine_read_again(enum machine_kind kind, const char *which,
		       uint64_t digest, struct ini *ret, struct diag *diag);

/* Read and understood. */
int machine_load(const char *which, struct machine_model *ret,
		 struct diag *diag);
int hypervisor_load(const char *which, struct hypervisor *ret,
		    struct diag *diag);

/* The file names this value of mmu=. */
bool hypervisor_is_for(const struct hypervisor *hv, const char *mmu);

/* The built-in one that does; generic if none does. */
int hypervisor_load_for_mmu(const char *mmu, struct hypervisor *ret,
			    struct diag *diag);

#endif
