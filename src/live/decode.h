/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instructions as src/live needs them: length, what is sensitive, operands.
 *
 * Our own tables decide (code.c, classify.c).  Capstone would do but for
 * defects of 4.0.2, which Debian 12 has: it refuses instructions that run
 * (0F 0D, 0F 1E, PAUSE in 16-bit code) and calls the memory operand of CMPXCHG
 * or ROL read-only.  It is the second opinion in tests/live/test_live_decode.
 *
 * "Sensitive" is what Unicorn must not execute by itself, because the model
 * decides its effect.  Left out: INT n, INT3, INTO and UD2, which Unicorn
 * reports by its own hooks; segment loads, which it executes as they are.
 */
#ifndef NOTRAP_LIVE_DECODE_H
#define NOTRAP_LIVE_DECODE_H

#include "live/vcpu.h"

#define INSN_BYTES_MAX 15

enum insn_op {
	OP_INVALID, /* no instruction of this mode, or too few bytes */

	/* Sensitive: see insn.h. */
	OP_MOV_TO_CR,
	OP_MOV_FROM_CR,
	OP_CLTS,
	OP_LMSW,
	OP_SMSW,
	OP_MOV_TO_DR,
	OP_MOV_FROM_DR,
	OP_INVLPG,
	OP_INVPCID,
	OP_WRPKRU,
	OP_HLT,
	OP_IN,
	OP_OUT,
	OP_INS,
	OP_OUTS,
	OP_CPUID,
	OP_RDMSR,
	OP_WRMSR,
	OP_RDTSC,
	OP_RDTSCP,
	OP_RDPMC,
	OP_SYSCALL,
	OP_SYSRET,
	OP_SYSENTER,
	OP_SYSEXIT,
	OP_VMCALL,
	OP_INVD,
	OP_WBINVD,
	OP_PAUSE,
	OP_INT1, /* Unicorn 2.1.1 hangs on it */
	/* What the processor checks and Unicorn does not: insn_check.c. */
	OP_FAR_CALL, /* in 16- and 32-bit code: to a task? */
	OP_FAR_JMP,
	OP_IRET,
	OP_LGDT, /* and LIDT, in 64-bit code */
	OP_LTR,
	OP_LOAD_MXCSR, /* LDMXCSR, FXRSTOR */
	/*
	 * VMX, SVM, MONITOR, MWAIT, RDRAND, RDSEED, XGETBV, RSM...:
	 * not offered by the modelled processor, so #UD.  And any instruction
	 * with a LOCK prefix that it cannot have.
	 */
	OP_ABSENT,
	OP_LAST_SENSITIVE = OP_ABSENT,

	/* What emulate.h can do. */
	OP_MOV,
	OP_XCHG,
	OP_XADD,
	OP_CMPXCHG,
	OP_CMPXCHG8B, /* and 16B: by operand size */
	OP_ADD,
	OP_OR,
	OP_ADC,
	OP_SBB,
	OP_AND,
	OP_SUB,
	OP_XOR,
	OP_INC,
	OP_DEC,
	OP_NOT,
	OP_NEG,
	OP_BTS,
	OP_BTR,
	OP_BTC,
	OP_ROL,
	OP_ROR,
	OP_SHL,
	OP_SHR,
	OP_SAR,
	OP_SETCC, /* insn.cond */
	OP_MOVS,
	OP_STOS,
	OP_PUSH,
	OP_POP,
	OP_LAST_EMULATED = OP_POP,
	/* ... and where an operand in memory is a device's. */
	OP_CMP,
	OP_TEST,
	OP_BT,
	OP_MOVZX,
	OP_MOVSX, /* MOVSXD, too */
	OP_LODS,
	OP_LAST_REACHING = OP_LODS,

	OP_OTHER,
	NR_INSN_OPS
};

enum operand_type {
	OPERAND_NONE,
	OPERAND_GPR,
	OPERAND_IMM,
	OPERAND_MEM,
	OPERAND_OTHER, /* segment, vector, x87, control register... */
};

#define MEM_REG_NONE UINT8_C(0xff)
#define MEM_REG_RIP  UINT8_C(0xfe)

struct mem_ref {
	uint8_t base, index; /* enum gpr, MEM_REG_NONE, MEM_REG_RIP */
	uint8_t scale;
	uint8_t seg; /* enum seg_reg, overrides applied */
	int64_t disp;
};

struct operand {
	uint8_t type;  /* enum operand_type */
	uint16_t size; /* bytes; of a memory operand 0 when not known */
	bool read, write;
	bool high;   /* GPR: AH, CH, DH, BH; reg is 0..3 */
	uint8_t reg; /* GPR: enum gpr */
	int64_t imm; /* IMM: sign-extended as the instruction does */
	struct mem_ref mem;
};

#define INSN_OPERANDS_MAX 4

struct insn {
	uint8_t op; /* enum insn_op */
	uint8_t length;
	uint8_t mode;   /* enum code_mode */
	uint8_t opsize; /* effective operand size: 2, 4, 8 */
	uint8_t adsize; /* effective address size: 2, 4, 8 */
	bool lock, rep, repne;
	bool bit_string; /* BT family: the bit offset moves the address */
	uint8_t cond;    /* OP_SETCC: the condition, 0..15 */
	uint8_t cr;      /* MOV CR, MOV DR: number of that register */
	uint8_t reg;     /* MOV CR, MOV DR: its general register */
	uint8_t nr_operands;
	struct operand operand[INSN_OPERANDS_MAX]; /* as in Intel syntax */
};

static inline bool op_is_sensitive(uint8_t op)
{
	return op > OP_INVALID && op <= OP_LAST_SENSITIVE;
}

static inline bool op_is_emulated(uint8_t op)
{
	return op > OP_LAST_SENSITIVE && op <= OP_LAST_EMULATED;
}

/*
 * Decode the instruction at bytes[0..n), n >= 1 (no more than 15 are looked
 * at).  Returns its length, or 0 with op OP_INVALID and no operands.  About
 * 30 ns.
 *
 * OP_OTHER: the memory operand that ModRM names, or those of a string
 * instruction, with their addresses; whether they are read, written or both is
 * exact, the size is 0 where the opcode map alone does not tell (x87, SSE...).
 * Implicit ones (stack, XLAT, MASKMOV) are not listed.  A length is no promise
 * that the processor accepts the instruction: Unicorn raises #UD by itself.
 */
unsigned int decode_one(enum code_mode mode, const uint8_t *bytes, size_t n,
			struct insn *ret);

/*
 * Block discovery.  One entry an instruction of bytes[0..n); those that do not
 * fit into `max` are counted but not written.  An instruction that does not
 * decode, or that the end cuts off, is the last entry (OP_INVALID, length: the
 * bytes that remain, at most 15).
 */
struct block_insn {
	uint16_t offset;
	uint8_t length;
	uint8_t op; /* enum insn_op */
};

struct block_scan {
	struct block_insn *insn;
	uint32_t max;
	uint32_t nr;           /* result */
	uint32_t nr_sensitive; /* result */
};

void decode_block(enum code_mode mode, const uint8_t *bytes, size_t n,
		  struct block_scan *scan);

/* Linear address of a memory operand, truncated as mode and adsize ask. */
gva_t insn_linear(const struct insn *insn, const struct operand *operand,
		  const struct vcpu *vcpu);

/*
 * Unicorn reports a fault of a read-modify-write instruction as a read; the
 * processor sets W.  True if `gva` lies in a memory operand of *insn that is
 * read and written.
 */
bool insn_rmw_covers(const struct insn *insn, const struct vcpu *vcpu,
		     gva_t gva);

#endif
