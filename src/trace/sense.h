/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does an event make sense?  A reader makes sure of the range of each field;
 * what fits together is known here, as a simulator trusts its source.
 */
#ifndef NOTRAP_TRACE_SENSE_H
#define NOTRAP_TRACE_SENSE_H

#include "event/event.h"

/* NULL, or what is wrong with it by itself, whatever came before. */
const char *trace_event_nonsense(const struct guest_event *ev);

#endif
