/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The types of settings: a value is one number, text is made of it and it of
 * text by type alone.  No ranges, no keys: those are config.c's.
 */
#ifndef NOTRAP_SIM_CONFIG_TYPE_H
#define NOTRAP_SIM_CONFIG_TYPE_H

#include "base/types.h"

enum config_type_kind {
	TYPE_CHOICE, /* index into `choices` */
	TYPE_SET,    /* one bit for each of `choices`; "a+b", none, all */
	TYPE_U64,    /* decimal, or 0x */
	TYPE_SIZE,   /* bytes; K, M and G are powers of 1024 */
	TYPE_HEX,    /* as U64, printed 0x; or "auto": CONFIG_AUTO */
	TYPE_MMU,    /* number of an mmu_choice() */
	/* A text, which struct config keeps; no number is made of it. */
	TYPE_MACHINE,
	TYPE_HYPERVISOR,
};

struct config_type {
	enum config_type_kind kind;
	const char *choices; /* "off,on" */
};

/* -EINVAL: not a value of this type; *ret is untouched. */
int config_parse_value(struct config_type type, const char *text,
		       uint64_t *ret);

/* As config_parse_value() would take it. */
void config_print_value(struct config_type type, uint64_t val, char *buf,
			size_t size);

#endif
