/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linear accesses made on the processor's behalf: descriptor tables, stacks
 * of event delivery, string I/O; and the hypervisor's view of guest memory.
 *
 * An access is pushed as GE_ACCESS, one event a page.  Nothing is written
 * unless every page of the access was granted.
 */
#ifndef NOTRAP_LIVE_LIN_H
#define NOTRAP_LIVE_LIN_H

#include "live/env.h"

#define LIN_MAX 16 /* bytes in one access */

static inline gva_t lin_wrap(const struct live_env *env, gva_t gva)
{
	return env_efer_lma(env) ? gva : gva & UINT32_MAX;
}

struct lin_ref {
	gva_t gva;
	uint32_t access; /* PFEC_W, PFEC_U, ACCESS_AC; lin_write adds W */
	uint8_t size;    /* 1..LIN_MAX, may cross a page */
};

/* Where the bytes of a granted access are. */
struct lin_span {
	hpa_t hpa[2];
	uint8_t first; /* bytes at hpa[0]; the rest are at hpa[1] */
	uint8_t size;
};

/*
 * Push the access.  True: granted, *ret is set.  False: *out is the sink's
 * answer (never GO_DONE) and nothing has changed.  A granted hpa outside RAM
 * is made GO_MMIO.
 */
bool lin_resolve(struct live_env *env, const struct lin_ref *ref,
		 struct lin_span *ret, struct guest_outcome *out);

void lin_copy_from(const struct live_env *env, const struct lin_span *span,
		   void *ret);
/* Notes the frames in env->written. */
void lin_copy_to(struct live_env *env, const struct lin_span *span,
		 const void *bytes);

/*
 * Both: true, or false with the outcome to obey in *out.  lin_write answers
 * GO_EMULATE with GE_EMULATE_FAILED (no instruction makes this store) and
 * tries again, so it never returns that.
 */
bool lin_read(struct live_env *env, const struct lin_ref *ref, void *ret,
	      struct guest_outcome *out);
bool lin_write(struct live_env *env, const struct lin_ref *ref,
	       const void *bytes, struct guest_outcome *out);

/*
 * Push GE_STORE, the answer to GO_EMULATE; the sink applies it.  True: done
 * (GO_DONE), frames noted in env->written.  size 1..GUEST_STORE_MAX.
 */
bool lin_store(struct live_env *env, gva_t gva, const void *bytes, uint8_t size,
	       struct guest_outcome *out);

/*
 * Read without side effects through the guest's own tables.  Returns how many
 * bytes from the start could be read (n, or less: the next page is unmapped).
 */
size_t lin_peek(const struct live_env *env, gva_t gva, void *ret, size_t n);

#endif
