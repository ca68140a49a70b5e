/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instructions of the task that runs, on their way from a format to the guest,
 * some hundred at a time.  The last one is not complete: it gets its data, and
 * its length perhaps, as they come.
 */
#ifndef NOTRAP_IMPORT_INSNS_H
#define NOTRAP_IMPORT_INSNS_H

#include "import/import.h"

/* All of them are executed: before another task runs, and at the end. */
static inline int insns_flush(struct import *import, struct diag *diag)
{
	uint32_t nr = import->nr_refs;

	import->nr_refs = 0;
	return nr ? guest_execute(import->guest, import->refs, nr, diag) : 0;
}

/* The last one's fetch; NULL: there is none. */
static inline struct guest_ref *insns_last(struct import *import)
{
	return import->nr_refs
		       ? &import->refs[import->nr_refs - 1 - import->nr_data]
		       : NULL;
}

static inline void insns_add(struct import *import, enum trace_kind kind,
			     gva_t gva, uint32_t size)
{
	import->refs[import->nr_refs++] = (struct guest_ref){gva, size, kind};
}

/* The next one begins. */
static inline int insns_fetch(struct import *import, gva_t gva, uint32_t size,
			      struct diag *diag)
{
	int err = 0;

	if (unlikely(import->nr_refs >= GUEST_REFS_MAX - GUEST_DATA_MAX))
		err = insns_flush(import, diag);
	import->nr_data = 0;
	insns_add(import, TRACE_FETCH, gva, size);
	return err;
}

/*
 * A reference of the last one.  More than an instruction can have belong to a
 * system call, say: it is fetched again.
 */
static inline int insns_data(struct import *import, enum trace_kind kind,
			     gva_t gva, uint32_t size, struct diag *diag)
{
	int err = 0;

	if (unlikely(import->nr_data == GUEST_DATA_MAX))
		err = insns_fetch(import, insns_last(import)->gva,
				  insns_last(import)->size, diag);
	import->nr_data++;
	insns_add(import, kind, gva, size);
	return err;
}

#endif
