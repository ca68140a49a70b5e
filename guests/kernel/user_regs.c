/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How user code gets and gives values: common/abi.h, user/start*.S. */
#include "kernel/mm.h"
#include "kernel/trap.h"
#include "kernel/x86.h"

#include "common/abi.h"

#ifdef __x86_64__

void frame_enter(struct trap_frame *frame, u64 number, const u64 args[3])
{
	*frame = (struct trap_frame){
		.rdi = number,
		.rsi = args[0],
		.rdx = args[1],
		.r10 = args[2], /* SYSRET takes RCX */
		.ip = USER_TEXT,
		.cs = USER_CS,
		.flags = RFLAGS_IF | RFLAGS_1,
		.sp = USER_STACK_TOP,
		.ss = USER_DS,
	};
}

u64 frame_number(const struct trap_frame *frame)
{
	return frame->rax;
}

bool frame_args(const struct trap_frame *frame, u64 ret[4])
{
	ret[0] = frame->rdi;
	ret[1] = frame->rsi;
	ret[2] = frame->rdx;
	ret[3] = frame->r10;
	return true;
}

void frame_return(struct trap_frame *frame, u64 result)
{
	frame->rax = result;
}

#else

void frame_enter(struct trap_frame *frame, u64 number, const u64 args[3])
{
	*frame = (struct trap_frame){
		.eax = (u32)number,
		.ebx = (u32)args[0],
		.ecx = (u32)(args[0] >> 32),
		.edx = (u32)args[1],
		.esi = (u32)(args[1] >> 32),
		.edi = (u32)args[2],
		.ebp = (u32)(args[2] >> 32),
		.ip = USER_TEXT,
		.cs = USER_CS,
		.flags = RFLAGS_IF | RFLAGS_1,
		.sp = USER_STACK_TOP,
		.ss = USER_DS,
	};
}

u64 frame_number(const struct trap_frame *frame)
{
	return frame->eax;
}

bool frame_args(const struct trap_frame *frame, u64 ret[4])
{
	u32 size = 4 * sizeof(*ret);

	if (!frame->ebx) {
		for (u32 i = 0; i < 4; i++)
			ret[i] = 0;
		return true;
	}
	return frame->ebx < USER_END - size &&
	       !user_copy(ret, (const void *)frame->ebx, size);
}

void frame_return(struct trap_frame *frame, u64 result)
{
	frame->eax = (u32)result;
	frame->edx = (u32)(result >> 32);
}

#endif
