/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file header: magic, version, and provenance as JSON text in one spelling
 * (members in alphabetical order, no white space), so that the same trace is
 * the same bytes.
 */
#ifndef NOTRAP_TRACE_INFO_H
#define NOTRAP_TRACE_INFO_H

#include "trace/crc32c.h"
#include "trace/format.h"
#include "trace/trace.h"

#define HEADER_MAX (HEADER_FIXED + HEADER_TEXT_MAX)

/* Returns the length, or -ENOMEM with a line. */
int header_put(uint8_t p[HEADER_MAX], const struct trace_info *info,
	       const struct crc32c *crc, struct diag *diag);

/*
 * len: what there is of the file, up to HEADER_MAX.  Returns the length of the
 * header, or -EINVAL with a line.
 */
int header_get(const uint8_t *p, uint32_t len, const struct crc32c *crc,
	       struct trace_info *ret, struct diag *diag);

/* The JSON text alone; not followed by a 0. */
int info_parse(const char *text, uint32_t len, struct trace_info *ret,
	       struct diag *diag);

#endif
