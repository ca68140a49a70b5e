/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sensitive instructions by linear address.  What lies there may differ between
 * address spaces and change over time, so a site keeps the bytes it was
 * decoded from and is decoded again when they are others.
 * This file does not know Unicorn.
 */
#ifndef NOTRAP_LIVE_SITES_H
#define NOTRAP_LIVE_SITES_H

#include "live/decode.h"

struct site {
	gva_t pc;
	uint8_t bytes[INSN_BYTES_MAX];
	struct insn insn; /* length 0: nothing decoded yet */
	uint64_t epoch;   /* of the caller, when the bytes were these */
	bool used;
};

struct sites {
	struct site *site; /* open addressing */
	uint32_t bits;
	uint32_t nr;
};

/* -ENOMEM. */
int sites_create(struct sites *ret);
void sites_destroy(struct sites *sites);
void sites_clear(struct sites *sites);

/* NULL: not a site. */
struct site *sites_find(const struct sites *sites, gva_t pc);

/* The site at pc, new or there before; NULL: out of memory. */
struct site *sites_add(struct sites *sites, gva_t pc);

/*
 * The instruction there now, of which n bytes could be fetched.  Valid until
 * the site is decoded again.
 */
const struct insn *site_decode(struct site *site, enum code_mode mode,
			       const uint8_t *bytes, size_t n);

#endif
