/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page by page: RAM or device. */
#include "live/reach.h"

#include <string.h>

#include "platform/platform.h"

static bool peek(struct exec *x, gva_t gva, void *ret, uint8_t size,
		 enum insn_status *status)
{
	struct lin_ref ref = {
		.gva = gva, .access = env_access(x->env), .size = size};
	struct lin_span span;

	if (lin_peek(x->env, gva, ret, size) == size)
		return true;
	if (!lin_resolve(x->env, &ref, &span, &x->out)) {
		*status = exec_obey(x);
		return false;
	}
	env_stop(x->env, x->end, "linear 0x%llx can be read but not translated",
		 (unsigned long long)gva);
	*status = INSN_END;
	return false;
}

/* Registers are of 8 bytes at most; CMPXCHG16B's operand is two. */
static void device_read(const struct exec *x, gpa_t gpa, uint8_t *ret,
			uint8_t size)
{
	while (size) {
		uint8_t n = (uint8_t)min_u64(size, 8);
		uint64_t val = platform_mmio_read(x->env->platform, gpa, n,
						  x->env->now);

		memcpy(ret, &val, n);
		ret += n;
		gpa += n;
		size = (uint8_t)(size - n);
	}
}

static void device_write(const struct exec *x, gpa_t gpa, const uint8_t *bytes,
			 uint8_t size)
{
	while (size) {
		uint8_t n = (uint8_t)min_u64(size, 8);
		uint64_t val = 0;

		memcpy(&val, bytes, n);
		platform_mmio_write(x->env->platform, gpa, n, val, x->env->now);
		bytes += n;
		gpa += n;
		size = (uint8_t)(size - n);
	}
}

static bool tell(struct exec *x, gva_t gva, gpa_t gpa, uint32_t access,
		 enum insn_status *status)
{
	struct guest_event ev = exec_event(x, GE_DEVICE);

	ev.gva = gva;
	ev.value = gpa;
	ev.access = access;
	if (exec_push(x, &ev))
		return true;
	*status = exec_obey(x);
	return false;
}

/* A part of an access, within a page. */
struct part {
	gva_t gva;
	uint8_t size;
	bool write;
	uint8_t *bytes;
};

static bool is_trigger(const struct exec *x, gva_t gva)
{
	return !((gva ^ x->device->gva) & ~PAGE_MASK);
}

static void device_access(struct exec *x, const struct part *part, gpa_t page)
{
	gpa_t gpa = (page & ~PAGE_MASK) | (part->gva & PAGE_MASK);

	if (part->write)
		device_write(x, gpa, part->bytes, part->size);
	else
		device_read(x, gpa, part->bytes, part->size);
}

/* RAM, or yet another device. */
static bool reach_other(struct exec *x, const struct part *part,
			enum insn_status *status)
{
	struct lin_ref ref = {
		.gva = part->gva,
		.access = env_access(x->env) | (part->write ? PFEC_W : 0u),
		.size = part->size,
	};
	struct lin_span span;

	if (lin_resolve(x->env, &ref, &span, &x->out)) {
		if (part->write)
			lin_copy_to(x->env, &span, part->bytes);
		else
			lin_copy_from(x->env, &span, part->bytes);
		return true;
	}
	if (x->out.verdict == GO_EMULATE &&
	    lin_store(x->env, part->gva, part->bytes, part->size, &x->out))
		return true;
	if (x->out.verdict == GO_MMIO) {
		gpa_t gpa = x->out.gpa;

		if (!tell(x, x->env->gva, gpa, ref.access, status))
			return false;
		device_access(x, part, gpa);
		return true;
	}
	*status = exec_obey(x);
	return false;
}

static bool reach_part(struct exec *x, const struct part *part,
		       enum insn_status *status)
{
	if (is_trigger(x, part->gva)) {
		x->device->reached = true;
		device_access(x, part, x->device->gpa);
		return true;
	}
	if (!part->write && !x->device->reached &&
	    lin_peek(x->env, part->gva, part->bytes, part->size) == part->size)
		return true;
	return reach_other(x, part, status);
}

static bool reach(struct exec *x, gva_t gva, uint8_t *bytes, uint8_t size,
		  bool write, enum insn_status *status)
{
	uint8_t first = (uint8_t)min_u64(size, PAGE_SIZE - (gva & PAGE_MASK));
	struct part part = {lin_wrap(x->env, gva), first, write, bytes};

	if (!reach_part(x, &part, status))
		return false;
	if (first == size)
		return true;
	part = (struct part){lin_wrap(x->env, gva + first),
			     (uint8_t)(size - first), write, bytes + first};
	return reach_part(x, &part, status);
}

bool reach_begin(struct exec *x, enum insn_status *status)
{
	const struct device_ref *device = x->device;

	return tell(x, device->gva, device->gpa, device->access, status);
}

bool reach_load(struct exec *x, gva_t gva, void *ret, uint8_t size,
		enum insn_status *status)
{
	if (!x->device)
		return peek(x, gva, ret, size, status);
	return reach(x, gva, ret, size, false, status);
}

bool reach_store(struct exec *x, gva_t gva, const void *bytes, uint8_t size,
		 enum insn_status *status)
{
	uint8_t copy[REACH_MAX];

	if (x->device) {
		memcpy(copy, bytes, size);
		return reach(x, gva, copy, size, true, status);
	}
	if (lin_store(x->env, gva, bytes, size, &x->out))
		return true;
	*status = exec_obey(x);
	return false;
}
