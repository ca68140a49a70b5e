/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which result of a report another one is held against: the same guest
 * without the bypass, and the same guest and processor without a hypervisor.
 */
#ifndef NOTRAP_REPORT_AGAINST_H
#define NOTRAP_REPORT_AGAINST_H

#include "report/internal.h"

/*
 * bypass=off and all else the same, of a result with bypass=on.  NULL: there is
 * none, or it has no bypass itself.
 */
const json_t *against_off(const struct report *report, const json_t *doc);

/*
 * mmu=native on the same processor, all the same that native time depends on:
 * neither the hypervisor nor its costs and settings.  NULL: there is none.
 */
const json_t *against_native(const struct report *report, const json_t *doc);

/* Percent of its cycles that the bypass takes away; not a number: no pair. */
double against_off_saved(const struct report *report, const json_t *doc);

/* How many times the cycles of mmu=native; not a number: no such result. */
double against_native_times(const struct report *report, const json_t *doc);

#endif
