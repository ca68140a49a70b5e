/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of a file of numbers (docs/machines.md):
 *
 *	[section]
 *	key = VALUE [MIN..MAX] ; TAG where the number comes from
 *
 * Every line has a tag and a source.  What the values mean is not known here.
 */
#ifndef NOTRAP_MACHINE_INI_H
#define NOTRAP_MACHINE_INI_H

#include "base/diag.h"
#include "base/types.h"

/* How much a number is worth; in the order of trust. */
enum ini_tag {
	INI_READ,          /* R: read in the source named */
	INI_DERIVED,       /* D: reckoned from numbers that were read */
	INI_MEMORY_HIGH,   /* M:hi: general knowledge, not read again */
	INI_MEMORY_MEDIUM, /* M:med */
	INI_MEMORY_LOW,    /* M:lo */
	INI_ASSUMED,       /* A: an assumption */
	NR_INI_TAGS
};

struct ini_entry {
	const char *section, *key, *value;
	const char *range; /* what stands in the brackets; NULL: none */
	enum ini_tag tag;
	const char *source;
	unsigned int line; /* from 1 */
};

struct ini {
	const char *name; /* of the file, for messages: the caller's */
	char *text;
	struct ini_entry *entry;
	size_t nr;
};

#define INI_MAX      (256 << 10) /* bytes of a file */
#define INI_LINE_MAX 512

/*
 * -EINVAL: a line is none of these, or says what another one said; the message
 * begins with the file and the number of the line.  -ENOMEM.
 */
int ini_parse(const char *text, size_t len, const char *name, struct ini *ret,
	      struct diag *diag);
void ini_finish(struct ini *ini);

/* NULL: there is none. */
const struct ini_entry *ini_find(const struct ini *ini, const char *section,
				 const char *key);

/* "M:hi" */
const char *ini_tag_name(enum ini_tag tag);
const char *ini_tag_what(enum ini_tag tag);

/* A complaint about an entry: "FILE:LINE: ..."; -EINVAL. */
__attribute__((format(printf, 4, 5))) int ini_bad(const struct ini *ini,
						  const struct ini_entry *entry,
						  struct diag *diag,
						  const char *fmt, ...);

#endif
