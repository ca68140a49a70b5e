/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events on their way out, ends of the run on their way up. */
#include "live/env.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "arch/exception.h"
#include "live/live.h"

void env_raise(struct live_env *env, uint8_t vector, uint32_t error,
	       struct guest_outcome *out)
{
	struct guest_event ev = env_event(env, GE_EXCEPTION);

	ev.vector = vector;
	ev.type = EVENT_HW_EXC;
	if (env->sink->view->cr0 & CR0_PE && exception_has_error_code(vector)) {
		ev.has_error = true;
		ev.error = error;
	}
	event_push(env->sink, &ev, out);
}

static void end_with(const struct live_env *env, struct live_end *ret,
		     enum live_status status)
{
	*ret = (struct live_end){.status = status, .rip = env->vcpu->rip};
}

void env_end(const struct live_env *env, const struct guest_outcome *out,
	     gva_t gva, const char *doing, struct live_end *ret)
{
	uint64_t rip = env->vcpu->rip;
	const char *why;

	switch (out->verdict) {
	case GO_SHUTDOWN:
		end_with(env, ret, LIVE_SHUTDOWN);
		snprintf(ret->line, sizeof(ret->line),
			 "triple fault at 0x%" PRIx64 "%s", rip, doing);
		return;
	case GO_MMIO:
		end_with(env, ret, LIVE_ABSENT);
		ret->gva = gva;
		ret->gpa = out->gpa;
		snprintf(ret->line, sizeof(ret->line),
			 "no memory at 0x%" PRIx64 " (linear 0x%" PRIx64
			 "), which 0x%" PRIx64 " refers to%s",
			 out->gpa, gva, rip, doing);
		return;
	case GO_STOP:
		why = env->sink->view->stop;
		end_with(env, ret, LIVE_STOPPED);
		snprintf(ret->line, sizeof(ret->line), "%s",
			 why ? why : "the model stopped");
		return;
	default:
		env_stop(env, ret, "an outcome (%d) that cannot be obeyed%s",
			 (int)out->verdict, doing);
	}
}

void env_stop(const struct live_env *env, struct live_end *ret, const char *fmt,
	      ...)
{
	size_t len;
	va_list ap;

	end_with(env, ret, LIVE_STOPPED);
	va_start(ap, fmt);
	vsnprintf(ret->line, sizeof(ret->line), fmt, ap);
	va_end(ap);
	len = strlen(ret->line);
	snprintf(ret->line + len, sizeof(ret->line) - len,
		 " (at 0x%" PRIx64 ")", env->vcpu->rip);
}
