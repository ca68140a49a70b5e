/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The result of one run, as every report, table and plot reads it.
 *
 * Schema "notrap-result/1": names are stable, members are only added.  A
 * result is deterministic: no clock, no path of the host but the one the user
 * gave, no pointer.
 */
#ifndef NOTRAP_REPORT_RESULT_H
#define NOTRAP_REPORT_RESULT_H

#include "account/account.h"
#include "base/types.h"
#include "report/where.h"

#define RESULT_SCHEMA "notrap-result/1"

struct result_setting {
	char key[40];
	char value[256];
	char note[64]; /* why it is not what was asked for, or "" */
	bool changed;  /* differs from the default */
};

#define RESULT_SETTINGS_MAX 160

/* A reference that went where the guest's tables do not lead. */
struct result_stray {
	uint64_t gva, hpa, rip;
	uint64_t gpa; /* where the tables lead; UINT64_MAX: nowhere */
	bool user;
	const char *use; /* "read" */
};

#define RESULT_STRAYS_MAX 8

/* Where the number of a cost comes from. */
struct result_origin {
	char file[256];   /* "machines/merom.ini", "-D"; "": not known */
	char tag[8];      /* how much it is worth: "M:hi" */
	char source[512]; /* as the file says */
};

struct result {
	struct result_setting config[RESULT_SETTINGS_MAX]; /* effective, all */
	unsigned int nr_config;
	struct result_origin origin[NR_COSTS];

	const char *source_kind;   /* "live" */
	const char *source_path;   /* as given */
	const char *source_args;   /* guest's command line */
	uint64_t source_digest;    /* FNV-64 of the image file */
	const char *source_initrd; /* beside it, as given; NULL, "": nothing */
	uint64_t source_initrd_digest; /* of its bytes and arguments */

	const char *guest_status; /* "exit 0", "triple fault"... */
	const char *guest_line;   /* one line for a person, may be "" */
	bool guest_ok;            /* ended by itself with value 0 */
	uint64_t guest_insns;
	uint64_t guest_memory_digest;
	uint64_t guest_console_digest;
	uint64_t guest_fault_digest; /* order and codes of the faults it saw */

	struct result_stray stray[RESULT_STRAYS_MAX]; /* the first ones */
	unsigned int nr_strays;

	uint64_t audit_violations;
	const char *check; /* broken law, NULL: none */

	const struct account *acct;
	const struct where *where; /* NULL: not watched */
};

#endif
