/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decoder by tables: what is sensitive under which prefixes, where memory
 * operands lie, cut-off bytes, blocks and the prefilter.
 */
#include "check.h"

#include "live/decode.h"
#include "run_insn.h"

#define M16 BIT(CODE_16)
#define M32 BIT(CODE_32)
#define M64 BIT(CODE_64)
#define ALL (M16 | M32 | M64)

/* clang-format off */
static const struct {
	const char *bytes; /* all of them belong to the instruction */
	uint64_t modes;
	uint8_t op;
	uint8_t cr, reg; /* MOV CR, MOV DR */
} sensitive[] = {
	{"0f 20 d8", ALL, OP_MOV_FROM_CR, 3, GPR_RAX},
	{"0f 20 18", ALL, OP_MOV_FROM_CR, 3, GPR_RAX}, /* mod is ignored */
	{"0f 20 5c", ALL, OP_MOV_FROM_CR, 3, GPR_RSP},
	{"0f 22 c3", ALL, OP_MOV_TO_CR, 0, GPR_RBX},
	{"66 0f 22 e7", ALL, OP_MOV_TO_CR, 4, GPR_RDI},
	{"41 0f 22 df", M64, OP_MOV_TO_CR, 3, GPR_R15},
	{"44 0f 22 c0", M64, OP_MOV_TO_CR, 8, GPR_RAX},
	{"45 0f 20 c1", M64, OP_MOV_FROM_CR, 8, GPR_R8 + 1},
	{"4f 0f 20 d0", M64, OP_MOV_FROM_CR, 10, GPR_R8},
	{"f0 0f 20 c0", ALL, OP_ABSENT, 0, 0},
	{"0f 23 f8", ALL, OP_MOV_TO_DR, 7, GPR_RAX},
	{"0f 21 f1", ALL, OP_MOV_FROM_DR, 6, GPR_RCX},
	{"41 0f 23 c0", M64, OP_MOV_TO_DR, 0, GPR_R8},
	{"0f 06", ALL, OP_CLTS, 0, 0},
	{"0f 01 f0", ALL, OP_LMSW, 0, 0},
	{"48 0f 01 f1", M64, OP_LMSW, 0, 0},
	{"0f 01 37", ALL, OP_LMSW, 0, 0},
	{"0f 01 74 24 10", M32 | M64, OP_LMSW, 0, 0},
	{"0f 01 e0", ALL, OP_SMSW, 0, 0},
	{"66 0f 01 e3", ALL, OP_SMSW, 0, 0},
	{"0f 01 27", ALL, OP_SMSW, 0, 0},
	{"0f 01 38", ALL, OP_INVLPG, 0, 0},
	{"0f 01 3f", ALL, OP_INVLPG, 0, 0},
	{"65 0f 01 3b", ALL, OP_INVLPG, 0, 0},
	{"41 0f 01 3c 24", M64, OP_INVLPG, 0, 0},
	{"0f 01 3d 78 56 34 12", M32 | M64, OP_INVLPG, 0, 0},
	{"67 0f 01 3d 78 56 34 12", M16 | M64, OP_INVLPG, 0, 0},
	{"f4", ALL, OP_HLT, 0, 0},
	{"66 f4", ALL, OP_HLT, 0, 0},
	{"e4 60", ALL, OP_IN, 0, 0},
	{"66 e5 60", ALL, OP_IN, 0, 0},
	{"ec", ALL, OP_IN, 0, 0},
	{"ed", ALL, OP_IN, 0, 0},
	{"48 ed", M64, OP_IN, 0, 0},
	{"e6 80", ALL, OP_OUT, 0, 0},
	{"e7 80", ALL, OP_OUT, 0, 0},
	{"ee", ALL, OP_OUT, 0, 0},
	{"66 ef", ALL, OP_OUT, 0, 0},
	{"6c", ALL, OP_INS, 0, 0},
	{"f3 66 6d", ALL, OP_INS, 0, 0},
	{"f3 6e", ALL, OP_OUTS, 0, 0},
	{"26 6f", ALL, OP_OUTS, 0, 0},
	{"67 f3 6f", ALL, OP_OUTS, 0, 0},
	{"0f a2", ALL, OP_CPUID, 0, 0},
	{"48 0f a2", M64, OP_CPUID, 0, 0},
	{"0f 32", ALL, OP_RDMSR, 0, 0},
	{"0f 30", ALL, OP_WRMSR, 0, 0},
	{"0f 31", ALL, OP_RDTSC, 0, 0},
	{"0f 01 f9", ALL, OP_RDTSCP, 0, 0},
	{"0f 33", ALL, OP_RDPMC, 0, 0},
	{"0f 05", ALL, OP_SYSCALL, 0, 0},
	{"0f 07", ALL, OP_SYSRET, 0, 0},
	{"48 0f 07", M64, OP_SYSRET, 0, 0},
	{"0f 34", ALL, OP_SYSENTER, 0, 0},
	{"0f 35", ALL, OP_SYSEXIT, 0, 0},
	{"48 0f 35", M64, OP_SYSEXIT, 0, 0},
	{"0f 01 c1", ALL, OP_VMCALL, 0, 0},
	{"0f 08", ALL, OP_INVD, 0, 0},
	{"0f 09", ALL, OP_WBINVD, 0, 0},
	{"f3 0f 09", ALL, OP_WBINVD, 0, 0},
	{"f3 90", ALL, OP_PAUSE, 0, 0},
	{"f3 66 90", ALL, OP_PAUSE, 0, 0},
	{"f3 48 90", M64, OP_PAUSE, 0, 0},
	{"f1", ALL, OP_INT1, 0, 0},
	{"0f 01 c2", ALL, OP_ABSENT, 0, 0}, /* VMLAUNCH */
	{"0f 01 c8", ALL, OP_ABSENT, 0, 0}, /* MONITOR */
	{"0f 01 c9", ALL, OP_ABSENT, 0, 0}, /* MWAIT */
	{"0f 01 d0", ALL, OP_ABSENT, 0, 0}, /* XGETBV */
	{"0f 01 d8", ALL, OP_ABSENT, 0, 0}, /* VMRUN */
	{"0f 78 c1", ALL, OP_ABSENT, 0, 0}, /* VMREAD */
	{"0f c7 f0", ALL, OP_ABSENT, 0, 0}, /* RDRAND */
	{"0f c7 37", ALL, OP_ABSENT, 0, 0}, /* VMPTRLD */
	{"66 0f 38 82 07", ALL, OP_INVPCID, 0, 0},
	{"66 0f 38 82 c7", ALL, OP_ABSENT, 0, 0},
	{"f2 66 0f 38 82 07", ALL, OP_ABSENT, 0, 0},
	{"0f 38 82 07", ALL, OP_OTHER, 0, 0},
	{"0f 01 ef", ALL, OP_WRPKRU, 0, 0},
	{"66 0f 01 ef", ALL, OP_ABSENT, 0, 0},
	{"0f 01 ee", ALL, OP_OTHER, 0, 0}, /* RDPKRU */
	{"0f 01 cb", ALL, OP_OTHER, 0, 0}, /* STAC */
	{"0f aa", ALL, OP_ABSENT, 0, 0}, /* RSM */

	/* Neighbours that are none. */
	{"90", ALL, OP_OTHER, 0, 0},
	{"f3 41 90", M64, OP_OTHER, 0, 0}, /* XCHG r8, rAX */
	{"0f 01 17", M32, OP_OTHER, 0, 0}, /* LGDT */
	{"0f 01 17", M64, OP_LGDT, 0, 0},
	{"0f 01 1f", M64, OP_LGDT, 0, 0}, /* LIDT */
	{"0f 01 07", ALL, OP_OTHER, 0, 0}, /* SGDT */
	{"0f 01 f8", ALL, OP_OTHER, 0, 0}, /* SWAPGS */
	{"0f 01 ca", ALL, OP_OTHER, 0, 0}, /* CLAC */
	{"0f 00 d8", ALL, OP_LTR, 0, 0},
	{"0f 00 d0", ALL, OP_OTHER, 0, 0}, /* LLDT */
	{"0f ae 17", ALL, OP_LOAD_MXCSR, 0, 0}, /* LDMXCSR */
	{"0f ae 0f", ALL, OP_LOAD_MXCSR, 0, 0}, /* FXRSTOR */
	{"0f ae 07", ALL, OP_OTHER, 0, 0}, /* FXSAVE */
	{"f0 89 07", ALL, OP_ABSENT, 0, 0}, /* LOCK MOV */
	{"f0 38 07", ALL, OP_ABSENT, 0, 0}, /* LOCK CMP */
	{"f0 01 c0", ALL, OP_ABSENT, 0, 0}, /* LOCK ADD, register */
	{"f0 0f c1 07", ALL, OP_XADD, 0, 0},
	{"f0 0f ba 27 01", ALL, OP_ABSENT, 0, 0}, /* LOCK BT */
	{"f0 0f ba 2f 01", ALL, OP_BTS, 0, 0},
	{"0f 0b", ALL, OP_OTHER, 0, 0}, /* UD2 */
	{"0f 0d 0f", ALL, OP_OTHER, 0, 0}, /* PREFETCHW */
	{"f3 0f 1e fa", ALL, OP_OTHER, 0, 0}, /* ENDBR64 */
	{"cc", ALL, OP_OTHER, 0, 0},
	{"cd 80", ALL, OP_OTHER, 0, 0},
	{"cf", M16 | M32, OP_IRET, 0, 0},
	{"cf", M64, OP_OTHER, 0, 0},
	{"ff 1f", M16 | M32, OP_FAR_CALL, 0, 0},
	{"ff 2f", M16 | M32, OP_FAR_JMP, 0, 0},
	{"ff 2f", M64, OP_OTHER, 0, 0},
	{"ff ef", ALL, OP_OTHER, 0, 0},
	{"ea 44 33 22 11 08 00", M32, OP_FAR_JMP, 0, 0},
	{"48 cf", M64, OP_OTHER, 0, 0},
	{"fa", ALL, OP_OTHER, 0, 0},
	{"0f c7 0f", ALL, OP_CMPXCHG8B, 0, 0},
	{"66 66 48 e8 44 33 22 11", M64, OP_OTHER, 0, 0}, /* TLS call */
	{"48 b8 88 77 66 55 44 33 22 11", M64, OP_OTHER, 0, 0},
	{"9a 44 33 22 11 08 00", M32, OP_FAR_CALL, 0, 0},
	{"c8 10 00 01", ALL, OP_OTHER, 0, 0},
	{"62 f1 7c 48 28 c0", M64, OP_INVALID, 0, 0}, /* EVEX */
	{"06", M64, OP_INVALID, 0, 0},
	{"48 06", M64, OP_INVALID, 0, 0},
};
/* clang-format on */

static void test_sensitive(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sensitive); i++) {
		const char *name = sensitive[i].bytes;
		uint8_t bytes[INSN_BYTES_MAX];
		size_t n = parse_hex(name, bytes);
		size_t want = sensitive[i].op == OP_INVALID ? 0 : n;

		for (int mode = 0; mode < 3; mode++) {
			struct insn insn;
			unsigned int length;

			if (!(sensitive[i].modes >> mode & 1))
				continue;
			length = decode_one((enum code_mode)mode, bytes, n,
					    &insn);
			check_part(name, "length", length, want);
			check_part(name, "op", insn.op, sensitive[i].op);
			if (insn.op < OP_MOV_TO_CR ||
			    insn.op > OP_MOV_FROM_DR || insn.nr_operands)
				continue;
			check_part(name, "cr", insn.cr, sensitive[i].cr);
			check_part(name, "reg", insn.reg, sensitive[i].reg);
		}
	}
}

#define NO  MEM_REG_NONE
#define RIP MEM_REG_RIP

/* The n-th operand is memory: how it is made up, what is done to it. */
/* clang-format off */
static const struct {
	const char *bytes;
	enum code_mode mode;
	uint8_t op;
	uint8_t n;
	struct mem_ref mem; /* base, index, scale, segment, displacement */
	uint8_t size;
	bool read, write;
} memory[] = {
	{"89 03", CODE_64, OP_MOV, 0,
	 {3, NO, 1, SEG_DS, 0}, 4, 0, 1},
	{"48 89 45 f8", CODE_64, OP_MOV, 0,
	 {5, NO, 1, SEG_SS, -8}, 8, 0, 1},
	{"88 04 24", CODE_64, OP_MOV, 0,
	 {4, NO, 1, SEG_SS, 0}, 1, 0, 1},
	{"66 c7 04 8e 34 12", CODE_32, OP_MOV, 0,
	 {6, 1, 4, SEG_DS, 0}, 2, 0, 1},
	{"c7 05 10 00 00 00 05 00 00 00", CODE_64, OP_MOV, 0,
	 {RIP, NO, 1, SEG_DS, 0x10}, 4, 0, 1},
	{"c7 05 10 00 00 00 05 00 00 00", CODE_32, OP_MOV, 0,
	 {NO, NO, 1, SEG_DS, 0x10}, 4, 0, 1},
	{"65 48 89 04 25 00 ff ff ff", CODE_64, OP_MOV, 0,
	 {NO, NO, 1, SEG_GS, -0x100}, 8, 0, 1},
	{"43 88 44 fd 7f", CODE_64, OP_MOV, 0,
	 {13, 15, 8, SEG_DS, 127}, 1, 0, 1},
	{"2e 89 03", CODE_64, OP_MOV, 0,
	 {3, NO, 1, SEG_DS, 0}, 4, 0, 1},
	{"2e 89 03", CODE_32, OP_MOV, 0,
	 {3, NO, 1, SEG_CS, 0}, 4, 0, 1},
	{"89 42 10", CODE_16, OP_MOV, 0,
	 {5, 6, 1, SEG_SS, 16}, 2, 0, 1},
	{"89 06 34 12", CODE_16, OP_MOV, 0,
	 {NO, NO, 1, SEG_DS, 0x1234}, 2, 0, 1},
	{"67 89 04 24", CODE_16, OP_MOV, 0,
	 {4, NO, 1, SEG_SS, 0}, 2, 0, 1},
	{"a3 44 33 22 11", CODE_32, OP_MOV, 0,
	 {NO, NO, 1, SEG_DS, 0x11223344}, 4, 0, 1},
	{"48 a3 88 77 66 55 44 33 22 11", CODE_64, OP_MOV, 0,
	 {NO, NO, 1, SEG_DS, 0x1122334455667788}, 8, 0, 1},
	{"a0 44 33", CODE_16, OP_MOV, 1,
	 {NO, NO, 1, SEG_DS, 0x3344}, 1, 1, 0},
	{"48 0f c3 07", CODE_64, OP_MOV, 0,
	 {7, NO, 1, SEG_DS, 0}, 8, 0, 1},
	{"01 03", CODE_64, OP_ADD, 0,
	 {3, NO, 1, SEG_DS, 0}, 4, 1, 1},
	{"03 03", CODE_64, OP_ADD, 1,
	 {3, NO, 1, SEG_DS, 0}, 4, 1, 0},
	{"3a 03", CODE_64, OP_CMP, 1,
	 {3, NO, 1, SEG_DS, 0}, 1, 1, 0},
	{"85 03", CODE_64, OP_TEST, 0,
	 {3, NO, 1, SEG_DS, 0}, 4, 1, 0},
	{"48 0f b6 03", CODE_64, OP_MOVZX, 1,
	 {3, NO, 1, SEG_DS, 0}, 1, 1, 0},
	{"0f bf 03", CODE_64, OP_MOVSX, 1,
	 {3, NO, 1, SEG_DS, 0}, 2, 1, 0},
	{"48 63 03", CODE_64, OP_MOVSX, 1,
	 {3, NO, 1, SEG_DS, 0}, 4, 1, 0},
	{"66 ad", CODE_32, OP_LODS, 0,
	 {6, NO, 1, SEG_DS, 0}, 2, 1, 0},
	{"39 03", CODE_64, OP_CMP, 0,
	 {3, NO, 1, SEG_DS, 0}, 4, 1, 0},
	{"83 0f 20", CODE_64, OP_OR, 0,
	 {7, NO, 1, SEG_DS, 0}, 4, 1, 1},
	{"83 3f 20", CODE_64, OP_CMP, 0,
	 {7, NO, 1, SEG_DS, 0}, 4, 1, 0},
	{"f0 48 0f b1 0f", CODE_64, OP_CMPXCHG, 0,
	 {7, NO, 1, SEG_DS, 0}, 8, 1, 1},
	{"0f c7 0f", CODE_32, OP_CMPXCHG8B, 0,
	 {7, NO, 1, SEG_DS, 0}, 8, 1, 1},
	{"48 0f c7 0f", CODE_64, OP_CMPXCHG8B, 0,
	 {7, NO, 1, SEG_DS, 0}, 16, 1, 1},
	{"86 07", CODE_64, OP_XCHG, 0,
	 {7, NO, 1, SEG_DS, 0}, 1, 1, 1},
	{"f0 0f c1 07", CODE_32, OP_XADD, 0,
	 {7, NO, 1, SEG_DS, 0}, 4, 1, 1},
	{"f6 17", CODE_64, OP_NOT, 0,
	 {7, NO, 1, SEG_DS, 0}, 1, 1, 1},
	{"f7 1f", CODE_64, OP_NEG, 0,
	 {7, NO, 1, SEG_DS, 0}, 4, 1, 1},
	{"f7 07 44 33 22 11", CODE_64, OP_TEST, 0,
	 {7, NO, 1, SEG_DS, 0}, 4, 1, 0},
	{"ff 07", CODE_64, OP_INC, 0,
	 {7, NO, 1, SEG_DS, 0}, 4, 1, 1},
	{"fe 0f", CODE_64, OP_DEC, 0,
	 {7, NO, 1, SEG_DS, 0}, 1, 1, 1},
	{"ff 37", CODE_64, OP_PUSH, 0,
	 {7, NO, 1, SEG_DS, 0}, 8, 1, 0},
	{"8f 07", CODE_32, OP_POP, 0,
	 {7, NO, 1, SEG_DS, 0}, 4, 0, 1},
	{"0f ab 07", CODE_64, OP_BTS, 0,
	 {7, NO, 1, SEG_DS, 0}, 4, 1, 1},
	{"0f a3 07", CODE_64, OP_BT, 0,
	 {7, NO, 1, SEG_DS, 0}, 4, 1, 0},
	{"0f ba 37 05", CODE_64, OP_BTR, 0,
	 {7, NO, 1, SEG_DS, 0}, 4, 1, 1},
	{"0f ba 27 05", CODE_64, OP_BT, 0,
	 {7, NO, 1, SEG_DS, 0}, 4, 1, 0},
	{"d3 27", CODE_64, OP_SHL, 0,
	 {7, NO, 1, SEG_DS, 0}, 4, 1, 1},
	{"d1 1f", CODE_64, OP_OTHER, 0,
	 {7, NO, 1, SEG_DS, 0}, 4, 1, 1}, /* RCR */
	{"0f a4 07 05", CODE_64, OP_OTHER, 0,
	 {7, NO, 1, SEG_DS, 0}, 4, 1, 1},
	{"0f 94 07", CODE_64, OP_SETCC, 0,
	 {7, NO, 1, SEG_DS, 0}, 1, 0, 1},
	{"63 07", CODE_32, OP_OTHER, 0,
	 {7, NO, 1, SEG_DS, 0}, 2, 1, 1}, /* ARPL */
	{"48 ab", CODE_64, OP_STOS, 0,
	 {7, NO, 1, SEG_ES, 0}, 8, 0, 1},
	{"64 a5", CODE_32, OP_MOVS, 0,
	 {7, NO, 1, SEG_ES, 0}, 4, 0, 1},
	{"64 a5", CODE_32, OP_MOVS, 1,
	 {6, NO, 1, SEG_FS, 0}, 4, 1, 0},
	{"a6", CODE_32, OP_OTHER, 1,
	 {7, NO, 1, SEG_ES, 0}, 1, 1, 0},
	{"6d", CODE_64, OP_INS, 0,
	 {7, NO, 1, SEG_ES, 0}, 4, 0, 1},
	{"26 6e", CODE_16, OP_OUTS, 1,
	 {6, NO, 1, SEG_ES, 0}, 1, 1, 0},
	{"0f 11 07", CODE_64, OP_OTHER, 0,
	 {7, NO, 1, SEG_DS, 0}, 0, 0, 1},
	{"0f 10 07", CODE_64, OP_OTHER, 0,
	 {7, NO, 1, SEG_DS, 0}, 0, 1, 0},
	{"dd 1f", CODE_64, OP_OTHER, 0,
	 {7, NO, 1, SEG_DS, 0}, 0, 0, 1},
	{"0f ae 07", CODE_64, OP_OTHER, 0,
	 {7, NO, 1, SEG_DS, 0}, 0, 0, 1},
};
/* clang-format on */

static void test_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(memory); i++) {
		const char *name = memory[i].bytes;
		const struct mem_ref *want = &memory[i].mem;
		const struct operand *op;
		uint8_t bytes[INSN_BYTES_MAX];
		size_t n = parse_hex(name, bytes);
		struct insn insn;

		check_part(name, "length",
			   decode_one(memory[i].mode, bytes, n, &insn), n);
		check_part(name, "op", insn.op, memory[i].op);
		assert_true(memory[i].n < insn.nr_operands);
		op = &insn.operand[memory[i].n];
		check_part(name, "type", op->type, OPERAND_MEM);
		check_part(name, "base", op->mem.base, want->base);
		check_part(name, "index", op->mem.index, want->index);
		check_part(name, "scale", op->mem.scale, want->scale);
		check_part(name, "segment", op->mem.seg, want->seg);
		check_part(name, "displacement", (uint64_t)op->mem.disp,
			   (uint64_t)want->disp);
		check_part(name, "size", op->size, memory[i].size);
		check_part(name, "read", op->read, memory[i].read);
		check_part(name, "write", op->write, memory[i].write);
	}
}

/* Fewer bytes than the instruction has are no instruction. */
static void test_cut_off(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(memory); i++) {
		uint8_t bytes[INSN_BYTES_MAX];
		size_t n = parse_hex(memory[i].bytes, bytes);
		struct insn insn;

		for (size_t k = 1; k < n; k++) {
			unsigned int length =
				decode_one(memory[i].mode, bytes, k, &insn);

			/* Its first bytes may be another instruction. */
			check_part(memory[i].bytes, "cut off", length <= k, 1);
			if (!length)
				check_part(memory[i].bytes, "op", insn.op,
					   OP_INVALID);
		}
	}
}

static void check_same(const struct insn *a, const struct insn *b)
{
	assert_int_equal(a->op, b->op);
	assert_int_equal(a->opsize, b->opsize);
	assert_int_equal(a->adsize, b->adsize);
	assert_int_equal(a->nr_operands, b->nr_operands);
	for (unsigned int i = 0; i < a->nr_operands; i++) {
		assert_int_equal(a->operand[i].type, b->operand[i].type);
		assert_int_equal(a->operand[i].reg, b->operand[i].reg);
		assert_true(a->operand[i].imm == b->operand[i].imm);
		assert_true(a->operand[i].mem.disp == b->operand[i].mem.disp);
	}
}

/* Random bytes: bounded, and the same however many bytes lie behind. */
static void test_random(void **state)
{
	uint64_t seed = 3;
	unsigned long decoded = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uint64_t r[2] = {next_random(&seed), next_random(&seed)};
		enum code_mode mode = (enum code_mode)(r[0] % 3);
		struct insn insn, again;
		uint8_t bytes[16];
		unsigned int length;

		memcpy(bytes, r, sizeof(bytes));
		length = decode_one(mode, bytes, sizeof(bytes), &insn);
		assert_in_range(length, 0, INSN_BYTES_MAX);
		assert_true(insn.nr_operands <= INSN_OPERANDS_MAX);
		if (!length)
			continue;
		decoded++;
		memset(bytes + length, 0xff, sizeof(bytes) - length);
		assert_int_equal(decode_one(mode, bytes, length, &again),
				 length);
		check_same(&insn, &again);
		assert_int_equal(decode_one(mode, bytes, length - 1, &again),
				 0);
	}
	assert_true(decoded > 150000);
}

/* Fifteen bytes are the most: another prefix makes it no instruction. */
static void test_longest(void **state)
{
	uint8_t bytes[16];
	struct insn insn;

	(void)state;
	memset(bytes, 0x66, sizeof(bytes));
	bytes[14] = 0x90;
	assert_int_equal(decode_one(CODE_64, bytes, 16, &insn), 15);
	bytes[14] = 0x66;
	bytes[15] = 0x90;
	assert_int_equal(decode_one(CODE_64, bytes, 16, &insn), 0);
}

static void test_block(void **state)
{
	/* push rbp; mov cr3, rax; nop; hlt; jmp $ */
	static const uint8_t code[] = {0x55, 0x0f, 0x22, 0xd8,
				       0x90, 0xf4, 0xeb, 0xfe};
	struct block_insn list[8];
	struct block_scan scan = {.insn = list, .max = ARRAY_LEN(list)};

	(void)state;
	decode_block(CODE_64, code, sizeof(code), &scan);
	assert_int_equal(scan.nr, 5);
	assert_int_equal(scan.nr_sensitive, 2);
	assert_int_equal(list[1].offset, 1);
	assert_int_equal(list[1].length, 3);
	assert_int_equal(list[1].op, OP_MOV_TO_CR);
	assert_int_equal(list[3].offset, 5);
	assert_int_equal(list[3].op, OP_HLT);
	assert_int_equal(list[4].offset, 6);

	/* Counted, not written. */
	scan.max = 1;
	list[1].offset = 99;
	decode_block(CODE_64, code, sizeof(code), &scan);
	assert_int_equal(scan.nr, 5);
	assert_int_equal(list[1].offset, 99);

	/* Cut off in the middle of MOV CR. */
	scan.max = ARRAY_LEN(list);
	decode_block(CODE_64, code, 3, &scan);
	assert_int_equal(scan.nr, 2);
	assert_int_equal(list[1].op, OP_INVALID);
	assert_int_equal(list[1].length, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sensitive), cmocka_unit_test(test_memory),
		cmocka_unit_test(test_cut_off),   cmocka_unit_test(test_random),
		cmocka_unit_test(test_longest),   cmocka_unit_test(test_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
