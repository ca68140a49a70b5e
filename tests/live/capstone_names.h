/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Capstone calls the sensitive instructions; names, as 5.x has some that
 * 4.0.2 has not.  MOV to and from CR and DR are told by their operands.
 */
#ifndef NOTRAP_TESTS_LIVE_CAPSTONE_NAMES_H
#define NOTRAP_TESTS_LIVE_CAPSTONE_NAMES_H

#include "live/decode.h"

/* clang-format off */
static const struct {
	uint8_t op;
	const char *names; /* each with a space on both sides */
} capstone_names[] = {
	{OP_CLTS, " clts "},
	{OP_LMSW, " lmsw "},
	{OP_SMSW, " smsw "},
	{OP_INVLPG, " invlpg "},
	{OP_INVPCID, " invpcid "},
	{OP_WRPKRU, " wrpkru "},
	{OP_HLT, " hlt "},
	{OP_IN, " in "},
	{OP_OUT, " out "},
	{OP_INS, " insb insw insd "},
	{OP_OUTS, " outsb outsw outsd "},
	{OP_CPUID, " cpuid "},
	{OP_RDMSR, " rdmsr "},
	{OP_WRMSR, " wrmsr "},
	{OP_RDTSC, " rdtsc "},
	{OP_RDTSCP, " rdtscp "},
	{OP_RDPMC, " rdpmc "},
	{OP_SYSCALL, " syscall "},
	{OP_SYSRET, " sysret sysretq "},
	{OP_SYSENTER, " sysenter "},
	{OP_SYSEXIT, " sysexit sysexitq "},
	{OP_VMCALL, " vmcall "},
	{OP_INVD, " invd "},
	{OP_WBINVD, " wbinvd wbnoinvd "},
	{OP_PAUSE, " pause "},
	{OP_INT1, " int1 "},
	{OP_LGDT, " lgdt lidt "},
	{OP_IRET, " iret iretd "},
	{OP_FAR_CALL, " lcall "},
	{OP_FAR_JMP, " ljmp "},
	{OP_LTR, " ltr "},
	{OP_LOAD_MXCSR, " ldmxcsr fxrstor fxrstor64 "},
	{OP_ABSENT, " monitor mwait monitorx mwaitx clzero "},
	{OP_ABSENT, " rdrand rdseed rdpid "},
	{OP_ABSENT, " vmlaunch vmresume vmxoff vmxon vmclear "},
	{OP_ABSENT, " vmptrld vmptrst vmread vmwrite vmfunc "},
	{OP_ABSENT, " vmrun vmmcall vmload vmsave stgi clgi skinit "},
	{OP_ABSENT, " invlpga invept invvpid "},
	{OP_ABSENT, " xgetbv xsetbv getsec rsm encls enclv "},
	{OP_ABSENT, " extrq insertq "}, /* 0F 78 and 79, as VMREAD */
};
/* clang-format on */

#endif
