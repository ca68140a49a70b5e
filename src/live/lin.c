/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linear accesses: page by page through the sink, then bytes. */
#include "live/lin.h"

#include <string.h>

/* Unshadowing one page may be asked for once a page; more is a mistake. */
#define UNSHADOW_TRIES 4

/* One page's part of an access. */
static bool resolve_part(struct live_env *env, const struct lin_ref *ref,
			 gva_t gva, uint8_t size, hpa_t *ret,
			 struct guest_outcome *out)
{
	struct guest_event ev = env_event(env, GE_ACCESS);

	ev.gva = lin_wrap(env, gva);
	ev.size = size;
	ev.access = ref->access;
	env->gva = ev.gva;
	event_push(env->sink, &ev, out);
	if (out->verdict != GO_DONE)
		return false;
	if (!mem_is_ram(env->mem, out->hpa, size)) {
		out->verdict = GO_MMIO;
		out->gpa = out->hpa;
		return false;
	}
	*ret = out->hpa;
	return true;
}

bool lin_resolve(struct live_env *env, const struct lin_ref *ref,
		 struct lin_span *ret, struct guest_outcome *out)
{
	uint64_t room = PAGE_SIZE - (ref->gva & PAGE_MASK);
	struct lin_span span = {
		.first = (uint8_t)min_u64(ref->size, room),
		.size = ref->size,
	};

	BUG_ON(!ref->size || ref->size > LIN_MAX);
	if (!resolve_part(env, ref, ref->gva, span.first, &span.hpa[0], out))
		return false;
	if (span.first < span.size &&
	    !resolve_part(env, ref, ref->gva + span.first,
			  (uint8_t)(span.size - span.first), &span.hpa[1], out))
		return false;
	*ret = span;
	return true;
}

void lin_copy_from(const struct live_env *env, const struct lin_span *span,
		   void *ret)
{
	uint8_t *bytes = ret;

	memcpy(bytes, mem_ram(env->mem, span->hpa[0]), span->first);
	if (span->first < span->size)
		memcpy(bytes + span->first, mem_ram(env->mem, span->hpa[1]),
		       (size_t)(span->size - span->first));
}

static void note_written(struct written_frames *written, gfn_t gfn)
{
	for (uint32_t i = 0; i < written->nr; i++)
		if (written->gfn[i] == gfn)
			return;
	if (written->nr == WRITTEN_MAX)
		written->overflow = true;
	else
		written->gfn[written->nr++] = gfn;
}

void lin_copy_to(struct live_env *env, const struct lin_span *span,
		 const void *bytes)
{
	const uint8_t *from = bytes;

	memcpy(mem_ram(env->mem, span->hpa[0]), from, span->first);
	note_written(&env->written, span->hpa[0] >> PAGE_SHIFT);
	if (span->first == span->size)
		return;
	memcpy(mem_ram(env->mem, span->hpa[1]), from + span->first,
	       (size_t)(span->size - span->first));
	note_written(&env->written, span->hpa[1] >> PAGE_SHIFT);
}

bool lin_read(struct live_env *env, const struct lin_ref *ref, void *ret,
	      struct guest_outcome *out)
{
	struct lin_span span;

	if (!lin_resolve(env, ref, &span, out))
		return false;
	lin_copy_from(env, &span, ret);
	return true;
}

/* No instruction makes this store: ask the sink to give the table up. */
static bool unshadow(struct live_env *env, struct guest_outcome *out)
{
	struct guest_event ev = env_event(env, GE_EMULATE_FAILED);

	event_push(env->sink, &ev, out);
	return out->verdict == GO_DONE;
}

bool lin_write(struct live_env *env, const struct lin_ref *ref,
	       const void *bytes, struct guest_outcome *out)
{
	struct lin_ref write = *ref;
	struct lin_span span;

	write.access |= PFEC_W;
	for (int i = 0; i < UNSHADOW_TRIES; i++) {
		if (lin_resolve(env, &write, &span, out)) {
			lin_copy_to(env, &span, bytes);
			return true;
		}
		if (out->verdict != GO_EMULATE || !unshadow(env, out))
			return false;
	}
	BUG("the sink asks to emulate what it was told cannot be");
}

static void note_linear(struct live_env *env, gva_t gva)
{
	hpa_t hpa;

	if (env->sink->translate(env->sink, lin_wrap(env, gva), &hpa))
		note_written(&env->written, hpa >> PAGE_SHIFT);
	else
		env->written.overflow = true;
}

bool lin_store(struct live_env *env, gva_t gva, const void *bytes, uint8_t size,
	       struct guest_outcome *out)
{
	struct guest_event ev = env_event(env, GE_STORE);
	gva_t last = gva + size - 1;

	BUG_ON(!size || size > GUEST_STORE_MAX);
	ev.gva = lin_wrap(env, gva);
	ev.size = size;
	ev.access = PFEC_W | env_access(env);
	memcpy(ev.bytes, bytes, size);
	env->gva = ev.gva;
	event_push(env->sink, &ev, out);
	/* Even a refused store may have written its first page. */
	note_linear(env, gva);
	if ((gva ^ last) & ~PAGE_MASK)
		note_linear(env, last);
	return out->verdict == GO_DONE;
}

size_t lin_peek(const struct live_env *env, gva_t gva, void *ret, size_t n)
{
	uint8_t *bytes = ret;
	size_t done = 0;

	while (done < n) {
		gva_t at = lin_wrap(env, gva + done);
		size_t part =
			(size_t)min_u64(n - done, PAGE_SIZE - (at & PAGE_MASK));
		hpa_t hpa;

		if (!env->sink->translate(env->sink, at, &hpa) ||
		    !mem_is_ram(env->mem, hpa, part))
			break;
		memcpy(bytes + done, mem_ram(env->mem, hpa), part);
		done += part;
	}
	return done;
}
