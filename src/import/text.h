/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A trace read line by line, or by records of one size if it is binary, in
 * constant memory; and what becomes of those that make no sense.
 */
#ifndef NOTRAP_IMPORT_TEXT_H
#define NOTRAP_IMPORT_TEXT_H

#include "base/diag.h"
#include "base/types.h"

struct text;

/* As stream_open(). */
int text_open(const char *path, bool lenient, struct text **ret,
	      struct diag *diag);
void text_close(struct text *text); /* NULL is fine */

/*
 * The next line without its newline (or CR and newline), 1; 0 at the end;
 * -errno with a line.  A line is good until the next call.  One of more than 64
 * KiB is cut there.
 */
int text_line(struct text *text, const char **line, size_t *len,
	      struct diag *diag);

/*
 * The next `size` bytes, 1; 0 at the end; -errno with a line.  A record is good
 * until the next call.  The end in the middle of one is malformed.
 */
int text_record(struct text *text, size_t size, const uint8_t **record,
		struct diag *diag);

/*
 * The short way: whole lines that have been read already, newlines and all, in
 * [*from, *end), TEXT_SLACK bytes behind which can be read.  Those up to `to`
 * have been taken.  False: text_line() has to go first.
 */
#define TEXT_SLACK 32

bool text_block(const struct text *text, const char **from, const char **end);
void text_taken(struct text *text, const char *to, uint64_t lines);

/* The same for records: how many there are. */
size_t text_records(const struct text *text, size_t size, const uint8_t **from);
void text_records_taken(struct text *text, size_t size, size_t nr);

/*
 * The last line or record is malformed: counted and 0 if lenient, else -EINVAL
 * with file and number before what is wrong.
 */
int text_malformed(struct text *text, const char *what, struct diag *diag);

uint64_t text_skipped(const struct text *text);

/* As stream_progress(). */
void text_progress(const struct text *text, uint64_t *done, uint64_t *total);

/* Hexadecimal digits at *p, before end; moves *p behind them. */
static inline bool text_hex(const char **p, const char *end, uint64_t *ret)
{
	const char *at = *p;
	uint64_t val = 0;

	for (; at < end && at - *p < 16; at++) {
		unsigned int c = (unsigned char)*at;

		if (c - '0' < 10)
			val = val << 4 | (c - '0');
		else if ((c | 0x20) - 'a' < 6)
			val = val << 4 | ((c | 0x20) - 'a' + 10);
		else
			break;
	}
	*ret = val;
	if (at == *p)
		return false;
	*p = at;
	return true;
}

static inline bool text_decimal(const char **p, const char *end, uint64_t *ret)
{
	const char *at = *p;
	uint64_t val = 0;

	for (; at < end && at - *p < 10 && (unsigned char)(*at - '0') < 10;
	     at++)
		val = val * 10 + (unsigned char)(*at - '0');
	*ret = val;
	if (at == *p)
		return false;
	*p = at;
	return true;
}

#endif
