/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 *   find.c     which item is meant
 *   run.c      replay up to it, with a recorder (record.c) for each lane
 *   pass.c     items of a trace to lanes, one item alone if that is wanted
 *   path.c     a walk with its entries
 *   tell*.c    the text; prose*.c shows it
 */
#ifndef NOTRAP_EXPLAIN_INTERNAL_H
#define NOTRAP_EXPLAIN_INTERNAL_H

#include "explain/explain.h"
#include "explain/record.h"

/* pass.c: a trace read from its beginning, item by item. */
struct pass {
	const struct explain_request *request;
	struct trace_reader *reader;
	uint64_t next;  /* number of the item to come */
	uint64_t insns; /* before it */
	/* References of the batch at hand that are left. */
	const struct trace_ref *refs;
	uint32_t nr_refs;
	uint64_t looks;
};

int pass_begin(struct pass *pass, const struct explain_request *request,
	       struct diag *diag);
void pass_end(struct pass *pass);

/*
 * The next item, or references up to item `alone`, which comes by itself.  1;
 * 0 at the end of what can be read; -EINTR, -errno with a line.
 */
int pass_read(struct pass *pass, uint64_t alone, struct trace_item *item,
	      struct diag *diag);

static inline bool item_is_ref(const struct trace_item *item)
{
	return item->kind == TRACE_ITEM_REFS;
}

/* The trace ended without that: -EINVAL with a line. */
__attribute__((format(printf, 3, 4))) int
pass_lacks(const struct pass *pass, struct diag *diag, const char *fmt, ...);

/* find.c: *ret is the item to begin with. */
int find_item(const struct explain_request *request, uint64_t *ret,
	      struct diag *diag);

/* Memory for one more lane of the request. */
int create_lane(const struct config *config, const struct pass *pass,
		struct replay_lane **ret, struct diag *diag);

/* What the text is made of. */
struct telling {
	struct prose *prose;
	const char *path;
	const struct story *story;
	const struct story *other; /* NULL: no other setting */
	uint64_t asked;            /* the item asked for */
	char line[512];            /* as notrap trace dump has the item */
	struct sim_inside in;      /* as it stands afterwards */
	const char *lane_line;     /* the replay cannot go on; or "" */
};

/* tell.c */
void tell(const struct telling *t);
void tell_processor(const struct telling *t); /* if there are several */

/* tell_hardware.c: TLBs and the walks of a reference. */
void tell_hardware_facts(const struct telling *t);

/* tell_walk.c */
void tell_guest_walk(const struct telling *t, const struct path *path);
void tell_shadow_walk(const struct telling *t, const struct path *path);
/* "P W U A D -> page 0x5000" */
#define FLAGS_MAX 120
void entry_text(const struct paging_ctx *ctx, const struct path_entry *entry,
		char buf[FLAGS_MAX]);
/*
 * KVM's trap has P set and its notrap has not; Xen's way about, an entry that
 * is not known is 0, and one that the guest has not got has a magic value.
 */
const char *spte_kind_name(enum smmu_spte_kind kind, bool has_p);
/* Of an spte; its level and whether it maps a page. */
void spte_text(const struct paging_ctx *ctx, enum smmu_spte_kind kind,
	       uint64_t spte, int level, char buf[FLAGS_MAX]);
const char *tell_mode_name(enum paging_mode mode);

/* tell_fault.c */
void tell_code(const struct telling *t, const struct path *shadow,
	       uint32_t pfec);
void tell_filter(const struct telling *t, uint32_t pfec, bool exits);

/* tell_exit.c */
void tell_exit(const struct telling *t, const struct vmx_exit_info *exit);
void event_text(const struct vmx_event *event, char *buf, size_t size);

/* tell_insn.c: what decides of an event that is no reference. */
void tell_event(const struct telling *t);
void tell_decision(const struct telling *t);

/* tell_work.c: steps [from, to) of the story. */
void tell_work(const struct telling *t, size_t from, size_t to);
void tell_cycles(const struct telling *t);
void tell_counters(const struct telling *t);

/* tell_changes.c */
void tell_changes(const struct telling *t);

/* tell_end.c */
void tell_outcome(const struct telling *t);
void tell_latency(const struct telling *t);
void tell_other(const struct telling *t);

#endif
