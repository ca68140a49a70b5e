/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake.h"

#include "arch/exception.h"
#include "check.h"
#include "platform/platform.h"

static struct fake *fake_of(struct event_sink *sink)
{
	return (struct fake *)sink;
}

struct guest_outcome fake_exception(uint8_t vector, bool has_error,
				    uint32_t error)
{
	return (struct guest_outcome){
		.verdict = GO_FAULT,
		.vector = vector,
		.type = EVENT_HW_EXC,
		.has_error = has_error,
		.error = error,
	};
}

/* Raise an exception, alone or on top of the one being delivered. */
static void raise_exception(const struct fake *fake,
			    struct guest_outcome second,
			    struct guest_outcome *out)
{
	*out = second;
	if (!fake->delivering || fake->current.type != EVENT_HW_EXC)
		return;
	switch (exception_combine(fake->current.vector, second.vector)) {
	case EXC_SERIAL:
		return;
	case EXC_DOUBLE_FAULT:
		*out = fake_exception(EXC_DF, true, 0);
		return;
	case EXC_TRIPLE_FAULT:
		*out = (struct guest_outcome){.verdict = GO_SHUTDOWN};
		return;
	}
}

static hpa_t translate(const struct fake *fake, gva_t gva)
{
	for (unsigned int i = 0; i < fake->nr_maps; i++) {
		if (fake->map[i].page != (gva & ~PAGE_MASK))
			continue;
		if (fake->map[i].hpa == FAKE_ABSENT)
			return FAKE_ABSENT;
		return fake->map[i].hpa | (gva & PAGE_MASK);
	}
	return gva;
}

static bool translate_sink(struct event_sink *sink, gva_t gva, hpa_t *ret)
{
	const struct fake *fake = fake_of(sink);
	hpa_t hpa = translate(fake, gva);

	if (!mem_is_ram(fake->mem, hpa, 1))
		return false;
	*ret = hpa;
	return true;
}

static void do_access(struct fake *fake, const struct guest_event *ev,
		      struct guest_outcome *out)
{
	hpa_t hpa = translate(fake, ev->gva);

	assert_true(ev->size && (ev->gva & PAGE_MASK) + ev->size <= PAGE_SIZE);
	fake->nr_accesses++;
	if (fake->trip_at &&
	    (fake->nr_accesses == fake->trip_at ||
	     (fake->trip_again && fake->nr_accesses > fake->trip_at))) {
		*out = fake->trip;
		return;
	}
	if (hpa == FAKE_ABSENT) {
		raise_exception(fake,
				fake_exception(EXC_PF, true,
					       ev->access & (uint32_t)(PFEC_W |
								       PFEC_U)),
				out);
		return;
	}
	if (fake->is_shadowed && ev->access & PFEC_W &&
	    (ev->gva & ~PAGE_MASK) == fake->shadowed) {
		out->verdict = GO_EMULATE;
		return;
	}
	out->hpa = hpa;
}

/* Byte by byte, so that a page's end needs no care. */
static void do_store(const struct fake *fake, const struct guest_event *ev,
		     struct guest_outcome *out)
{
	for (unsigned int i = 0; i < ev->size; i++) {
		hpa_t hpa = translate(fake, ev->gva + i);

		if (hpa == FAKE_ABSENT) {
			raise_exception(fake,
					fake_exception(EXC_PF, true, PFEC_W),
					out);
			return;
		}
		*mem_ram(fake->mem, hpa) = ev->bytes[i];
	}
}

static void push(struct event_sink *sink, const struct guest_event *ev,
		 struct guest_outcome *out)
{
	struct fake *fake = fake_of(sink);

	assert_true(fake->nr_events < FAKE_LOG);
	fake->log[fake->nr_events++] = *ev;
	*out = (struct guest_outcome){.verdict = GO_DONE};
	if (fake->answered[ev->kind]) {
		*out = fake->answer[ev->kind];
		return;
	}
	switch (ev->kind) {
	case GE_ACCESS:
		do_access(fake, ev, out);
		return;
	case GE_STORE:
		do_store(fake, ev, out);
		return;
	case GE_EMULATE_FAILED:
		fake->is_shadowed = false;
		return;
	case GE_EXCEPTION:
		raise_exception(
			fake,
			fake_exception(ev->vector, ev->has_error, ev->error),
			out);
		return;
	case GE_SOFT_INT:
		*out = (struct guest_outcome){.verdict = GO_FAULT,
					      .vector = ev->vector,
					      .type = ev->type};
		return;
	case GE_DELIVER:
		fake->delivering = true;
		fake->current =
			(struct trap){.vector = ev->vector, .type = ev->type};
		return;
	case GE_DELIVERED:
		fake->delivering = false;
		return;
	default:
		return;
	}
}

void fake_init(struct fake *fake)
{
	struct diag diag;

	memset(fake, 0, sizeof(*fake));
	assert_int_equal(mem_create(FAKE_RAM, 1, false, &fake->mem, &diag), 0);
	fake->platform = platform_create(NULL);
	assert_non_null(fake->platform);
	fake->sink = (struct event_sink){
		.push = push, .translate = translate_sink, .view = &fake->view};
	fake->env = (struct live_env){
		.vcpu = &fake->vcpu,
		.sink = &fake->sink,
		.mem = fake->mem,
		.platform = fake->platform,
		.insns = 1000,
		.now = 5000,
		.tsc = 12000,
		.maxphyaddr = 40,
	};
	msrs_init(&fake->env.msrs, 0, false, 40);
	fake->vcpu.rflags = RFLAGS_ONE;
}

void fake_finish(struct fake *fake)
{
	platform_destroy(fake->platform);
	mem_destroy(fake->mem);
}

void fake_rewind(struct fake *fake)
{
	fake->nr_events = 0;
	fake->nr_accesses = 0;
	fake->delivering = false;
	fake->env.written = (struct written_frames){.nr = 0};
}

void fake_map(struct fake *fake, gva_t gva, hpa_t hpa)
{
	assert_true(fake->nr_maps < FAKE_MAPS);
	fake->map[fake->nr_maps].page = gva & ~PAGE_MASK;
	fake->map[fake->nr_maps++].hpa = hpa;
}

void fake_answer(struct fake *fake, enum guest_event_kind kind,
		 struct guest_outcome out)
{
	fake->answer[kind] = out;
	fake->answered[kind] = true;
}

unsigned int fake_count(const struct fake *fake, enum guest_event_kind kind)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < fake->nr_events; i++)
		nr += fake->log[i].kind == kind;
	return nr;
}

const struct guest_event *fake_last(const struct fake *fake,
				    enum guest_event_kind kind)
{
	for (unsigned int i = fake->nr_events; i-- > 0;)
		if (fake->log[i].kind == kind)
			return &fake->log[i];
	fail_msg("no event of kind %d", (int)kind);
	return NULL;
}

void fake_poke(struct fake *fake, uint64_t at, uint64_t val, unsigned int size)
{
	assert_true(mem_is_ram(fake->mem, at, size));
	memcpy(mem_ram(fake->mem, at), &val, size);
}

uint64_t fake_peek(const struct fake *fake, uint64_t at, unsigned int size)
{
	uint64_t val = 0;

	assert_true(mem_is_ram(fake->mem, at, size));
	memcpy(&val, mem_ram(fake->mem, at), size);
	return val;
}
