/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uc_hook_add() takes every kind of callback as a void pointer; ISO C has no
 * such conversion, so it goes through a union here and nowhere else.
 */
#ifndef NOTRAP_LIVE_HOOK_H
#define NOTRAP_LIVE_HOOK_H

#include <errno.h>
#include <unicorn/unicorn.h>

union hook_fn {
	void (*code)(uc_engine *uc, uint64_t at, uint32_t size, void *data);
	void (*intr)(uc_engine *uc, uint32_t vector, void *data);
	bool (*invalid)(uc_engine *uc, void *data);
	void (*mem)(uc_engine *uc, uc_mem_type type, uint64_t at, int size,
		    int64_t value, void *data);
	void (*edge)(uc_engine *uc, uc_tb *to, uc_tb *from, void *data);
	void *any;
};

/* At [begin, end], or everywhere with begin 1 and end 0.  -ENOMEM. */
static inline int hook_add_range(uc_engine *uc, int type, union hook_fn fn,
				 void *data, uint64_t begin, uint64_t end,
				 uc_hook *ret)
{
	return uc_hook_add(uc, ret, type, fn.any, data, begin, end) ? -ENOMEM
								    : 0;
}

static inline int hook_add(uc_engine *uc, int type, union hook_fn fn,
			   void *data, uc_hook *ret)
{
	return hook_add_range(uc, type, fn, data, 1, 0, ret);
}

#endif
