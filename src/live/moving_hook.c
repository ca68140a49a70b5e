/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "live/moving_hook.h"

/* The bounds are looked for in so many words of what the handle leads to. */
#define WORDS_MAX 8

/* Two that are found nowhere else. */
#define PATTERN_FIRST UINT64_C(0x5ca1ab1e0ddba11)
#define PATTERN_LAST  UINT64_C(0x5ca1ab1e0ddba12)

/* Where the trial code lies in the scratch code page. */
#define TRIAL_AT 0x200

struct trial {
	gva_t pc; /* of the last call */
	unsigned int calls;
};

static int refuse(struct diag *diag, const char *what)
{
	return diag_set(diag, -ENOTSUP,
			"this Unicorn keeps its hooks in a way this build "
			"does not know (%s)",
			what);
}

/* uc_hook is an integer that holds the address. */
static uint64_t *find_bounds(uc_hook handle)
{
	uint64_t *words = (uint64_t *)handle; /* Unicorn's, aligned */
	uint64_t *found = NULL;

	for (unsigned int i = 0; i + 1 < WORDS_MAX; i++) {
		if (words[i] != PATTERN_FIRST || words[i + 1] != PATTERN_LAST)
			continue;
		if (found)
			return NULL;
		found = &words[i];
	}
	return found;
}

static int add(uc_engine *uc, union hook_fn fn, void *data, uc_hook *handle,
	       struct moving_hook *ret, struct diag *diag)
{
	if (hook_add_range(uc, UC_HOOK_CODE, fn, data, PATTERN_FIRST,
			   PATTERN_LAST, handle))
		return diag_set(diag, -ENOMEM, "Unicorn refused a hook");
	ret->bounds = find_bounds(*handle);
	if (!ret->bounds)
		return refuse(diag, "bounds");
	moving_hook_set(ret, HOOK_NOWHERE, HOOK_NOWHERE);
	return 0;
}

static void on_trial(uc_engine *uc, uint64_t pc, uint32_t size, void *data)
{
	struct trial *trial = data;

	(void)size;
	trial->pc = pc;
	if (++trial->calls > 1)
		uc_emu_stop(uc);
}

/* A loop that only the second call ends. */
static int run_trial(uc_engine *uc, const struct scratch *scratch,
		     struct moving_hook *hook, struct trial *trial,
		     struct diag *diag)
{
	/* 1: nop; nop; jmp 1b */
	static const uint8_t code[] = {0x90, 0x90, 0xeb, 0xfc};
	const gva_t at = SCRATCH_CODE + TRIAL_AT;

	memcpy(scratch_code(scratch) + TRIAL_AT, code, sizeof(code));
	moving_hook_set(hook, at + 1, at + 1);
	if (uc_emu_start(uc, at, 0, 0, 0) || trial->calls != 2 ||
	    trial->pc != at + 1)
		return refuse(diag, "no call where it was set");
	/* The translation keeps its calls. */
	moving_hook_set(hook, HOOK_NOWHERE, HOOK_NOWHERE);
	*trial = (struct trial){0};
	if (uc_emu_start(uc, at, 0, 0, 0) || trial->calls != 2)
		return refuse(diag, "no call where it had been set");
	return 0;
}

int moving_hook_create(uc_engine *uc, const struct scratch *scratch,
		       union hook_fn fn, void *data, struct moving_hook *ret,
		       struct diag *diag)
{
	struct trial trial = {0};
	struct moving_hook hook;
	uc_hook handle;
	int err;

	err = add(uc, (union hook_fn){.code = on_trial}, &trial, &handle, &hook,
		  diag);
	if (err)
		return err;
	err = run_trial(uc, scratch, &hook, &trial, diag);
	uc_hook_del(uc, handle);
	if (err)
		return err;
	return add(uc, fn, data, &handle, ret, diag);
}
