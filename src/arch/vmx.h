/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMX words: interruption information, exit qualifications, control bits.
 * Layouts and builders only; who sets which bit when is vmx_model's business.
 * SDM vol. 3C, "Virtual Machine Control Structures" and "VM Exits".
 */
#ifndef NOTRAP_ARCH_VMX_H
#define NOTRAP_ARCH_VMX_H

#include "base/types.h"

#define VMX_BIT(n) (UINT32_C(1) << (n)) /* of a 32-bit VMCS field */

/*
 * Interruption information.  One layout serves three fields: VM-exit
 * interruption information, IDT-vectoring information (bit 12 undefined) and
 * VM-entry interruption information (30:12 must be 0).
 */
#define VMX_INTR_VECTOR      UINT32_C(0xff)
#define VMX_INTR_TYPE        UINT32_C(0x700)
#define VMX_INTR_TYPE_SHIFT  8
#define VMX_INTR_ERROR       VMX_BIT(11) /* valid, or to be delivered */
#define VMX_INTR_NMI_UNBLOCK VMX_BIT(12) /* by IRET; in the exit field */
#define VMX_INTR_RESERVED    UINT32_C(0x7ffff000) /* in the entry field */
#define VMX_INTR_VALID       VMX_BIT(31)

_Static_assert((VMX_INTR_VECTOR ^ VMX_INTR_TYPE ^ VMX_INTR_ERROR ^
		VMX_INTR_RESERVED ^ VMX_INTR_VALID) == ~UINT32_C(0),
	       "parts of the entry field overlap or leave a hole");

enum vmx_intr_type {
	VMX_TYPE_EXTERNAL = 0,
	VMX_TYPE_RESERVED = 1,
	VMX_TYPE_NMI = 2,
	VMX_TYPE_HW_EXCEPTION = 3,
	VMX_TYPE_SW_INTERRUPT = 4,      /* INT n */
	VMX_TYPE_PRIV_SW_EXCEPTION = 5, /* INT1 */
	VMX_TYPE_SW_EXCEPTION = 6,      /* INT3, INTO */
	VMX_TYPE_OTHER = 7,             /* entry only: not through the IDT */
};

static inline uint32_t vmx_intr_info(uint8_t vector, enum vmx_intr_type type,
				     bool has_error)
{
	return VMX_INTR_VALID | (has_error ? VMX_INTR_ERROR : 0) |
	       (uint32_t)type << VMX_INTR_TYPE_SHIFT | vector;
}

static inline uint8_t vmx_intr_vector(uint32_t info)
{
	return (uint8_t)(info & VMX_INTR_VECTOR);
}

static inline enum vmx_intr_type vmx_intr_type(uint32_t info)
{
	return (enum vmx_intr_type)((info & VMX_INTR_TYPE) >>
				    VMX_INTR_TYPE_SHIFT);
}

/* The event comes from an instruction, and RIP is pushed past it. */
static inline bool vmx_type_is_software(enum vmx_intr_type type)
{
	return type == VMX_TYPE_SW_INTERRUPT ||
	       type == VMX_TYPE_PRIV_SW_EXCEPTION ||
	       type == VMX_TYPE_SW_EXCEPTION;
}

/*
 * Exit qualification, control-register accesses: 3:0 register, 5:4 access,
 * 6 LMSW with a memory operand, 11:8 general register, 31:16 LMSW source.
 */
enum vmx_cr_access {
	VMX_CR_MOV_TO = 0,
	VMX_CR_MOV_FROM = 1,
	VMX_CR_CLTS = 2,
	VMX_CR_LMSW = 3,
};

#define VMX_QUAL_LMSW_MEMORY BIT(6)

/* gpr counts RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8..R15. */
static inline uint64_t
vmx_qual_mov_cr(unsigned int cr, enum vmx_cr_access access, unsigned int gpr)
{
	return (cr & 0xf) | (uint64_t)access << 4 | (uint64_t)(gpr & 0xf) << 8;
}

/* Task switch: 15:0 selector, 31:30 source (CALL, IRET, JMP, IDT gate). */
static inline uint64_t vmx_qual_task_switch(uint16_t selector, uint32_t source)
{
	return selector | (uint64_t)(source & 3) << 30;
}

static inline uint64_t vmx_qual_clts(void)
{
	return (uint64_t)VMX_CR_CLTS << 4;
}

static inline uint64_t vmx_qual_lmsw(uint16_t source, bool memory)
{
	return (uint64_t)VMX_CR_LMSW << 4 |
	       (memory ? VMX_QUAL_LMSW_MEMORY : 0) | (uint64_t)source << 16;
}

static inline unsigned int vmx_qual_cr(uint64_t qual)
{
	return (unsigned int)(qual & 0xf);
}

static inline enum vmx_cr_access vmx_qual_cr_access(uint64_t qual)
{
	return (enum vmx_cr_access)(qual >> 4 & 0x3);
}

static inline uint16_t vmx_qual_lmsw_source(uint64_t qual)
{
	return (uint16_t)(qual >> 16 & 0xffff);
}

/* The general register of a MOV CR or a MOV DR. */
static inline unsigned int vmx_qual_gpr(uint64_t qual)
{
	return (unsigned int)(qual >> 8 & 0xf);
}

/* Exit qualification, MOV DR: 2:0 register, 4 from DR, 11:8 as above. */
#define VMX_QUAL_DR_FROM BIT(4)

static inline uint64_t vmx_qual_mov_dr(unsigned int dr, bool from,
				       unsigned int gpr)
{
	return (dr & 0x7) | (from ? VMX_QUAL_DR_FROM : 0) |
	       (uint64_t)(gpr & 0xf) << 8;
}

/*
 * Exit qualification, I/O instructions: 2:0 size - 1, 3 in, 4 string, 5 REP,
 * 6 the port is an immediate, 31:16 port.
 */
struct vmx_io {
	uint16_t port;
	unsigned int size; /* bytes: 1, 2 or 4 */
	bool in;
	bool string;
	bool rep;
	bool imm;
};

static inline uint64_t vmx_qual_io(const struct vmx_io *io)
{
	return ((io->size - 1) & 0x7) | (io->in ? BIT(3) : 0) |
	       (io->string ? BIT(4) : 0) | (io->rep ? BIT(5) : 0) |
	       (io->imm ? BIT(6) : 0) | (uint64_t)io->port << 16;
}

static inline struct vmx_io vmx_io_of_qual(uint64_t qual)
{
	return (struct vmx_io){
		.port = (uint16_t)(qual >> 16 & 0xffff),
		.size = (unsigned int)(qual & 0x7) + 1,
		.in = qual & BIT(3),
		.string = qual & BIT(4),
		.rep = qual & BIT(5),
		.imm = qual & BIT(6),
	};
}

/* Exit qualification, EPT violations. */
#define VMX_QUAL_EPT_READ         BIT(0) /* attempted */
#define VMX_QUAL_EPT_WRITE        BIT(1)
#define VMX_QUAL_EPT_FETCH        BIT(2)
#define VMX_QUAL_EPT_READABLE     BIT(3) /* allowed by every entry used */
#define VMX_QUAL_EPT_WRITABLE     BIT(4)
#define VMX_QUAL_EPT_EXECUTABLE   BIT(5)
#define VMX_QUAL_EPT_LINEAR_VALID BIT(7)
#define VMX_QUAL_EPT_FINAL        BIT(8) /* 0: while walking guest tables */

/* Pin-based VM-execution controls. */
#define VMX_PIN_EXT_INTR_EXITING VMX_BIT(0)
#define VMX_PIN_NMI_EXITING      VMX_BIT(3)
#define VMX_PIN_VIRTUAL_NMIS     VMX_BIT(5)

/* Primary processor-based VM-execution controls. */
#define VMX_PROC_INTR_WINDOW_EXITING VMX_BIT(2)
#define VMX_PROC_TSC_OFFSETTING      VMX_BIT(3)
#define VMX_PROC_HLT_EXITING         VMX_BIT(7)
#define VMX_PROC_INVLPG_EXITING      VMX_BIT(9)
#define VMX_PROC_MWAIT_EXITING       VMX_BIT(10)
#define VMX_PROC_RDPMC_EXITING       VMX_BIT(11)
#define VMX_PROC_RDTSC_EXITING       VMX_BIT(12)
#define VMX_PROC_CR3_LOAD_EXITING    VMX_BIT(15)
#define VMX_PROC_CR3_STORE_EXITING   VMX_BIT(16)
#define VMX_PROC_CR8_LOAD_EXITING    VMX_BIT(19)
#define VMX_PROC_CR8_STORE_EXITING   VMX_BIT(20)
#define VMX_PROC_MOV_DR_EXITING      VMX_BIT(23)
#define VMX_PROC_UNCOND_IO_EXITING   VMX_BIT(24)
#define VMX_PROC_USE_IO_BITMAPS      VMX_BIT(25)
#define VMX_PROC_USE_MSR_BITMAPS     VMX_BIT(28)
#define VMX_PROC_MONITOR_EXITING     VMX_BIT(29)
#define VMX_PROC_PAUSE_EXITING       VMX_BIT(30)
#define VMX_PROC_SECONDARY           VMX_BIT(31) /* the next set counts */

/* Secondary processor-based VM-execution controls. */
#define VMX_PROC2_EPT                VMX_BIT(1)
#define VMX_PROC2_DESC_TABLE_EXITING VMX_BIT(2)
#define VMX_PROC2_RDTSCP             VMX_BIT(3)
#define VMX_PROC2_VPID               VMX_BIT(5)
#define VMX_PROC2_WBINVD_EXITING     VMX_BIT(6)
#define VMX_PROC2_UNRESTRICTED       VMX_BIT(7)
#define VMX_PROC2_INVPCID            VMX_BIT(12)

/* VM-exit controls. */
#define VMX_EXIT_ACK_INTR VMX_BIT(15) /* the exit reports the vector */

/* Guest interruptibility state and activity state. */
#define VMX_BLOCKED_BY_STI    VMX_BIT(0)
#define VMX_BLOCKED_BY_MOV_SS VMX_BIT(1)
#define VMX_BLOCKED_BY_NMI    VMX_BIT(3)

enum vmx_activity {
	VMX_ACTIVITY_ACTIVE = 0,
	VMX_ACTIVITY_HLT = 1,
	VMX_ACTIVITY_SHUTDOWN = 2,
	VMX_ACTIVITY_WAIT_SIPI = 3,
};

#endif
