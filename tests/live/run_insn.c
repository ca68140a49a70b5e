/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run_insn.h"

#include "check.h"

#include "arch/exception.h"

size_t parse_hex(const char *text, uint8_t *bytes)
{
	size_t n = 0;
	int used;
	unsigned int byte;

	while (sscanf(text, "%2x%n", &byte, &used) == 1) {
		bytes[n++] = (uint8_t)byte;
		text += used;
	}
	return n;
}

void decode_hex(const struct fake *f, const char *text, struct insn *ret)
{
	uint8_t bytes[INSN_BYTES_MAX];
	size_t n = parse_hex(text, bytes);

	assert_int_equal(decode_one(env_code_mode(&f->env), bytes, n, ret), n);
}

static unsigned int count_others(const struct fake *f,
				 enum guest_event_kind *last)
{
	unsigned int nr = 0;

	*last = NO_EVENT;
	for (unsigned int i = 0; i < f->nr_events; i++) {
		if (f->log[i].kind == GE_ACCESS ||
		    f->log[i].kind == GE_EXCEPTION)
			continue;
		*last = f->log[i].kind;
		nr++;
	}
	return nr;
}

static void check_events(const struct insn_case *c, const struct fake *f,
			 const struct insn *insn, uint64_t rip)
{
	enum guest_event_kind kind;
	unsigned int nr = count_others(f, &kind);

	check_part(c->name, "events", nr, c->kind != NO_EVENT);
	check_part(c->name, "kind", kind, c->kind);
	for (unsigned int i = 0; i < f->nr_events; i++) {
		const struct guest_event *ev = &f->log[i];

		/* A single step traps when the instruction is complete. */
		bool done = ev->kind == GE_EXCEPTION && ev->vector == EXC_DB &&
			    ev->rip != rip;

		check_part(c->name, "clock", ev->insns, 1000u + done);
		if (ev->kind == c->kind) {
			check_part(c->name, "rip", ev->rip, rip);
			check_part(c->name, "length", ev->insn_len,
				   insn->length);
		}
	}
}

static void check_fault(const struct insn_case *c, const struct trap *trap)
{
	check_part(c->name, "vector", trap->vector, c->vector);
	check_part(c->name, "has error", trap->has_error, c->error >= 0);
	if (c->error >= 0)
		check_part(c->name, "error", trap->error, (uint64_t)c->error);
}

void run_insn_case(const struct insn_case *c)
{
	struct trap trap = {.vector = 0xee};
	struct live_end end = {.rip = 0xeeee};
	enum insn_status status;
	struct vcpu want;
	struct insn insn;
	struct fake f;
	uint64_t rip;

	fake_init(&f);
	setup_mode(&f, c->mode);
	if (c->user)
		setup_user(&f);
	if (c->prepare)
		c->prepare(&f);
	decode_hex(&f, c->bytes, &insn);
	rip = f.vcpu.rip;
	want = f.vcpu;
	if (c->status == INSN_DONE || c->status == INSN_HALT) {
		want.rip += insn.length;
		want.rflags &= ~RFLAGS_RF;
		want.irq_shadow = false;
	}
	if (c->effect)
		c->effect(&want);

	status = insn_execute(&f.env, &insn, &trap, &end);
	check_part(c->name, "status", status, c->status);
	check_vcpu(c->name, &f.vcpu, &want);
	check_events(c, &f, &insn, rip);
	if (status == INSN_FAULT)
		check_fault(c, &trap);
	else
		check_part(c->name, "trap is untouched", trap.vector, 0xee);
	if (status != INSN_END)
		check_part(c->name, "end is untouched", end.rip, 0xeeee);
	if (c->check)
		c->check(c->name, &f);
	fake_finish(&f);
}
