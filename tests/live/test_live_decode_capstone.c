/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our decoder against Capstone, over every opcode with many ModRM bytes and
 * prefixes, and over random bytes: length, sensitive kind, memory operand,
 * read-modify-write.  Where the two differ for a known reason, the reason is
 * named here; anything else fails.
 */
#include "check.h"

#include <capstone/capstone.h>

#include "../share.h"
#include "capstone_names.h"
#include "live/decode.h"

static csh handles[3];

/*
 * Named differences.  Most are defects of Capstone 4.0.2; where 5.x has cured
 * one, its count is 0.
 */
static struct {
	unsigned long compared;
	unsigned long refused; /* it knows no instruction, and ours is none
				  that matters */
	unsigned long memory;  /* operands compared */
	unsigned long rmw;     /* read-modify-write ones among them */

	unsigned long lock;       /* takes LOCK where it is #UD */
	unsigned long absent;     /* refuses forms of what is #UD for us */
	unsigned long padlock;    /* VIA's 0F A6 and A7: #UD for us */
	unsigned long vex;        /* takes VEX, EVEX, XOP where they are #UD */
	unsigned long ud_modrm;   /* leaves out the ModRM of UD0 and UD1 */
	unsigned long extrq;      /* takes 66 or F2 0F 78 for VMREAD */
	unsigned long pause;      /* takes PAUSE in 16-bit code for a NOP */
	unsigned long wrpkru;     /* 4.x has not heard of it, 5.x takes it
				     behind 66, F2 and F3 */
	unsigned long invpcid;    /* refuses it in 16-bit code */
	unsigned long mxcsr;      /* 5.x refuses FXRSTOR and LDMXCSR behind F2
				     and F3 */
	unsigned long near;       /* 66 before a near branch in 64-bit code:
				     Intel ignores it (and 5.x does), AMD and
				     Unicorn read a 16-bit offset, so we do */
	unsigned long immediate;  /* wrong size of it under stacked prefixes */
	unsigned long read_only;  /* says so of CMPXCHG's operand and others */
	unsigned long test_write; /* says that TEST writes */
} seen;

struct view {
	const uint8_t *bytes;
	enum code_mode mode;
	struct insn ours;
	const cs_insn *theirs; /* NULL: refused */
};

static const char *describe(const struct view *v)
{
	static char text[160];
	int n = snprintf(text, sizeof(text), "%d-bit", 16 << v->mode);

	for (int i = 0; i < INSN_BYTES_MAX; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " %02x",
			      v->bytes[i]);
	if (v->theirs)
		snprintf(text + n, sizeof(text) - (size_t)n, " (%s %.40s)",
			 v->theirs->mnemonic, v->theirs->op_str);
	return text;
}

static bool is_control_or_debug(unsigned int reg, bool *debug)
{
	*debug = reg >= X86_REG_DR0 && reg <= X86_REG_DR15;
	return *debug || (reg >= X86_REG_CR0 && reg <= X86_REG_CR15);
}

static uint8_t their_mov(const cs_x86 *x86)
{
	bool debug;

	if (x86->op_count != 2 || x86->operands[0].type != X86_OP_REG ||
	    x86->operands[1].type != X86_OP_REG)
		return OP_INVALID;
	if (is_control_or_debug(x86->operands[0].reg, &debug))
		return debug ? OP_MOV_TO_DR : OP_MOV_TO_CR;
	if (is_control_or_debug(x86->operands[1].reg, &debug))
		return debug ? OP_MOV_FROM_DR : OP_MOV_FROM_CR;
	return OP_INVALID;
}

/* Capstone 5 calls a far branch by a pointer in memory JMP, too: FF /3, /5. */
static uint8_t their_branch(const cs_x86 *x86)
{
	unsigned int reg = x86->modrm >> 3 & 7;

	if (x86->opcode[0] != 0xff || (reg != 3 && reg != 5))
		return OP_INVALID;
	return reg == 3 ? OP_FAR_CALL : OP_FAR_JMP;
}

/* OP_INVALID: not a sensitive one. */
static uint8_t their_op(const cs_insn *cs)
{
	char name[32];

	if (cs->id == X86_INS_MOV)
		return their_mov(&cs->detail->x86);
	if (cs->id == X86_INS_JMP || cs->id == X86_INS_CALL)
		return their_branch(&cs->detail->x86);
	snprintf(name, sizeof(name), " %.20s ",
		 cs_insn_name(handles[0], cs->id));
	for (size_t i = 0; i < ARRAY_LEN(capstone_names); i++)
		if (strstr(capstone_names[i].names, name))
			return capstone_names[i].op;
	return OP_INVALID;
}

static bool is_legacy_prefix(uint8_t byte)
{
	return (byte & 0xe7) == 0x26 || (byte & 0xfc) == 0x64 || byte == 0xf0 ||
	       byte == 0xf2 || byte == 0xf3;
}

/* The first byte that is no prefix, and how many there are before it. */
static const uint8_t *opcode_of(const struct view *v, unsigned int *nr)
{
	const uint8_t *p = v->bytes;

	*nr = 0;
	while (*nr < INSN_BYTES_MAX - 2 &&
	       (is_legacy_prefix(*p) ||
		(v->mode == CODE_64 && (*p & 0xf0) == 0x40))) {
		++*nr;
		p++;
	}
	return p;
}

static bool is_repeated(const struct view *v)
{
	unsigned int nr;

	opcode_of(v, &nr);
	while (nr--)
		if ((v->bytes[nr] & 0xfe) == 0xf2)
			return true;
	return false;
}

static bool is_vex_like(const struct view *v)
{
	unsigned int nr;
	const uint8_t *p = opcode_of(v, &nr);

	return *p == 0xc4 || *p == 0xc5 || *p == 0x62 || *p == 0x8f;
}

static bool is_padlock(const struct view *v)
{
	unsigned int nr;
	const uint8_t *p = opcode_of(v, &nr);

	return p[0] == 0x0f && (p[1] & 0xfe) == 0xa6;
}

static bool is_extrq(const struct view *v)
{
	unsigned int nr;
	const uint8_t *p = opcode_of(v, &nr);

	return p[0] == 0x0f && p[1] == 0x78;
}

static bool is_near_branch(const struct view *v)
{
	unsigned int nr;
	const uint8_t *p = opcode_of(v, &nr);

	return v->mode == CODE_64 && v->ours.opsize == 2 &&
	       ((*p & 0xfe) == 0xe8 || (*p == 0x0f && (p[1] & 0xf0) == 0x80));
}

/* CALL, JMP, PUSH and RET with an immediate. */
static bool is_stacked(const struct view *v)
{
	unsigned int nr;
	const uint8_t *p = opcode_of(v, &nr);

	return nr > 1 && (*p == 0xe8 || *p == 0xe9 || *p == 0x68 || *p == 0xc2);
}

static bool compare_length(const struct view *v)
{
	if (!v->ours.length) {
		if (is_padlock(v))
			seen.padlock++;
		else if (is_vex_like(v))
			seen.vex++;
		else
			fail_msg("%s: not decoded", describe(v));
		return false;
	}
	if (v->ours.length == v->theirs->size)
		return true;
	if (!strncmp(v->theirs->mnemonic, "ud", 2))
		seen.ud_modrm++;
	else if (is_extrq(v))
		seen.extrq++;
	else if (is_vex_like(v))
		seen.vex++;
	else if (is_near_branch(v))
		seen.near++;
	else if (is_stacked(v))
		seen.immediate++;
	else
		check_part(describe(v), "length", v->ours.length,
			   v->theirs->size);
	return false;
}

static void compare_op(const struct view *v)
{
	uint8_t theirs = their_op(v->theirs);
	uint8_t ours = op_is_sensitive(v->ours.op) ? v->ours.op : OP_INVALID;

	if (ours == theirs)
		return;
	if (ours == OP_PAUSE && (v->mode == CODE_16 || v->ours.length > 2)) {
		seen.pause++;
		return;
	}
	if (ours == OP_ABSENT && v->ours.lock) {
		seen.lock++;
		return;
	}
	if (ours == OP_ABSENT && theirs == OP_WRPKRU) {
		seen.wrpkru++;
		return;
	}
	/* Sensitive for the sake of a 64-bit base. */
	if (theirs == OP_LGDT && v->mode != CODE_64)
		return;
	/* Sensitive for the sake of tasks, which long mode has not. */
	if (theirs >= OP_FAR_CALL && theirs <= OP_IRET && v->mode == CODE_64)
		return;
	check_part(describe(v), "sensitive op", ours, theirs);
}

static const unsigned int gpr_of_16[8] = {X86_REG_AX, X86_REG_CX, X86_REG_DX,
					  X86_REG_BX, X86_REG_SP, X86_REG_BP,
					  X86_REG_SI, X86_REG_DI};
static const unsigned int gpr_of_32[16] = {
	X86_REG_EAX,  X86_REG_ECX,  X86_REG_EDX,  X86_REG_EBX,
	X86_REG_ESP,  X86_REG_EBP,  X86_REG_ESI,  X86_REG_EDI,
	X86_REG_R8D,  X86_REG_R9D,  X86_REG_R10D, X86_REG_R11D,
	X86_REG_R12D, X86_REG_R13D, X86_REG_R14D, X86_REG_R15D};
static const unsigned int gpr_of_64[16] = {
	X86_REG_RAX, X86_REG_RCX, X86_REG_RDX, X86_REG_RBX,
	X86_REG_RSP, X86_REG_RBP, X86_REG_RSI, X86_REG_RDI,
	X86_REG_R8,  X86_REG_R9,  X86_REG_R10, X86_REG_R11,
	X86_REG_R12, X86_REG_R13, X86_REG_R14, X86_REG_R15};
static const unsigned int seg_of[NR_SEG] = {X86_REG_ES, X86_REG_CS, X86_REG_SS,
					    X86_REG_DS, X86_REG_FS, X86_REG_GS};

/* Capstone's name for one of our address registers. */
static unsigned int their_reg(const struct insn *insn, uint8_t reg)
{
	if (reg == MEM_REG_NONE)
		return X86_REG_INVALID;
	if (reg == MEM_REG_RIP)
		return insn->adsize == 8 ? X86_REG_RIP : X86_REG_EIP;
	if (insn->adsize == 8)
		return gpr_of_64[reg];
	return insn->adsize == 4 ? gpr_of_32[reg] : gpr_of_16[reg & 7];
}

/* EIZ and RIZ: an index that is none. */
static unsigned int no_riz(unsigned int reg)
{
	return reg == X86_REG_EIZ || reg == X86_REG_RIZ ? X86_REG_INVALID : reg;
}

static const cs_x86_op *their_memory(const cs_x86 *x86, unsigned int *nr)
{
	const cs_x86_op *found = NULL;

	*nr = 0;
	for (unsigned int i = 0; i < x86->op_count; i++) {
		if (x86->operands[i].type != X86_OP_MEM)
			continue;
		found = &x86->operands[i];
		++*nr;
	}
	return found;
}

static const struct operand *our_memory(const struct insn *insn,
					unsigned int *nr)
{
	const struct operand *found = NULL;

	*nr = 0;
	for (unsigned int i = 0; i < insn->nr_operands; i++) {
		if (insn->operand[i].type != OPERAND_MEM)
			continue;
		found = &insn->operand[i];
		++*nr;
	}
	return found;
}

static uint64_t address_mask(const struct insn *insn)
{
	return insn->adsize == 8 ? ~UINT64_C(0) : BIT(8 * insn->adsize) - 1;
}

static void compare_address(const struct view *v, const struct operand *ours,
			    const x86_op_mem *theirs)
{
	const struct mem_ref *mem = &ours->mem;
	uint64_t mask = address_mask(&v->ours);

	check_part(describe(v), "base", their_reg(&v->ours, mem->base),
		   theirs->base);
	check_part(describe(v), "index", their_reg(&v->ours, mem->index),
		   no_riz(theirs->index));
	if (mem->index != MEM_REG_NONE)
		check_part(describe(v), "scale", mem->scale,
			   (uint64_t)theirs->scale);
	check_part(describe(v), "displacement", (uint64_t)mem->disp & mask,
		   (uint64_t)theirs->disp & mask);
	/* 64-bit mode knows FS and GS only; Capstone shows the prefix. */
	if (theirs->segment == X86_REG_FS || theirs->segment == X86_REG_GS ||
	    (theirs->segment != X86_REG_INVALID && v->mode != CODE_64))
		check_part(describe(v), "segment", seg_of[mem->seg],
			   theirs->segment);
	seen.memory++;
}

/*
 * 4.0.2 says "read" of what these do to memory: CMPXCHG and its wide forms,
 * rotates, shifts by CL, ARPL...  (and of every SSE and x87 store).
 */
static bool is_called_readonly(const cs_insn *cs)
{
	static const unsigned int ids[] = {
		X86_INS_CMPXCHG, X86_INS_CMPXCHG8B, X86_INS_CMPXCHG16B,
		X86_INS_ROL,     X86_INS_ROR,       X86_INS_RCL,
		X86_INS_RCR,     X86_INS_SHL,       X86_INS_SHR,
		X86_INS_SAR,     X86_INS_SAL,       X86_INS_ARPL,
		X86_INS_SHLD,    X86_INS_SHRD,
	};

	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		if (ids[i] == cs->id)
			return true;
	return false;
}

static void compare_access(const struct view *v, const struct operand *ours,
			   const cs_x86_op *theirs)
{
	bool rmw = ours->read && ours->write;
	bool theirs_rmw = theirs->access == (CS_AC_READ | CS_AC_WRITE);

	seen.rmw += rmw;
	if (rmw == theirs_rmw)
		return;
	if (rmw && is_called_readonly(v->theirs)) {
		seen.read_only++;
		return;
	}
	if (!rmw && v->theirs->id == X86_INS_TEST) {
		seen.test_write++;
		return;
	}
	check_part(describe(v), "read-modify-write", rmw, theirs_rmw);
}

static void compare_memory(const struct view *v)
{
	const cs_x86 *x86 = &v->theirs->detail->x86;
	unsigned int nr_ours, nr_theirs;
	const struct operand *ours = our_memory(&v->ours, &nr_ours);
	const cs_x86_op *theirs = their_memory(x86, &nr_theirs);

	if (nr_ours != 1 || nr_theirs != 1 || is_vex_like(v))
		return;
	compare_address(v, ours, &theirs->mem);
	compare_access(v, ours, theirs);
}

/* Capstone knows no instruction: no harm if ours is an ordinary one. */
static void compare_refused(const struct view *v)
{
	if (!op_is_sensitive(v->ours.op))
		seen.refused++;
	else if (v->ours.op == OP_ABSENT)
		seen.absent++;
	else if (v->ours.op == OP_PAUSE)
		seen.pause++;
	else if (v->ours.op == OP_WRPKRU)
		seen.wrpkru++;
	else if (v->ours.op == OP_INVPCID && v->mode == CODE_16)
		seen.invpcid++;
	else if (v->ours.op == OP_LOAD_MXCSR && is_repeated(v))
		seen.mxcsr++;
	else
		fail_msg("%s: Capstone knows no instruction", describe(v));
}

static void compare(enum code_mode mode, const uint8_t *bytes)
{
	struct view v = {.bytes = bytes, .mode = mode};
	cs_insn *theirs = NULL;

	decode_one(mode, bytes, INSN_BYTES_MAX, &v.ours);
	if (cs_disasm(handles[mode], bytes, INSN_BYTES_MAX, 0, 1, &theirs) !=
	    1) {
		compare_refused(&v);
		return;
	}
	v.theirs = theirs;
	seen.compared++;
	if (compare_length(&v)) {
		compare_op(&v);
		compare_memory(&v);
	}
	cs_free(theirs, 1);
}

static int open_capstone(void **state)
{
	static const cs_mode mode[3] = {CS_MODE_16, CS_MODE_32, CS_MODE_64};

	(void)state;
	for (int i = 0; i < 3; i++) {
		if (cs_open(CS_ARCH_X86, mode[i], &handles[i]) != CS_ERR_OK)
			return -1;
		cs_option(handles[i], CS_OPT_DETAIL, CS_OPT_ON);
	}
	return 0;
}

static int close_capstone(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		cs_close(&handles[i]);
	return 0;
}

/* Every opcode of every map, every ModRM byte, under each prefix. */
static void test_structured(void **state)
{
	static const uint8_t prefix[][2] = {
		{0x00, 0x00}, {0x66, 0x00}, {0x67, 0x00}, {0xf3, 0x00},
		{0xf0, 0x00}, {0x48, 0x00}, {0x66, 0x41}, {0xf3, 0x4f}};
	static const uint8_t escape[][2] = {
		{0x00, 0x00}, {0x0f, 0x00}, {0x0f, 0x38}, {0x0f, 0x3a}};
	const unsigned int n = one_of_cases();
	uint64_t seed = 1;

	(void)state;
	for (size_t p = 0; p < ARRAY_LEN(prefix); p++)
		for (size_t e = 0; e < ARRAY_LEN(escape); e++)
			for (unsigned int code = (unsigned int)p % n;
			     code < 0x10000; code += e < 2 ? n : n * 37) {
				uint64_t tail = next_random(&seed);
				uint8_t bytes[24];
				size_t len = 0;

				for (int i = 0; i < 2 && prefix[p][i]; i++)
					bytes[len++] = prefix[p][i];
				for (int i = 0; i < 2 && escape[e][i]; i++)
					bytes[len++] = escape[e][i];
				bytes[len++] = (uint8_t)(code >> 8);
				bytes[len++] = (uint8_t)code;
				memcpy(bytes + len, &tail, sizeof(tail));
				memcpy(bytes + len + 8, &tail, sizeof(tail));
				for (int mode = 0; mode < 3; mode++)
					compare((enum code_mode)mode, bytes);
			}
}

static void test_random(void **state)
{
	static const uint8_t prefix[] = {0x0f, 0x26, 0x2e, 0x36, 0x3e, 0x64,
					 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3};
	uint64_t seed = 2;

	(void)state;
	for (int i = 0; i < 200000 / (int)one_of_cases(); i++) {
		uint64_t r[2] = {next_random(&seed), next_random(&seed)};
		uint8_t bytes[sizeof(r)];

		memcpy(bytes, r, sizeof(r));
		if (i & 1)
			bytes[0] = prefix[r[1] % sizeof(prefix)];
		for (int mode = 0; mode < 3; mode++)
			compare((enum code_mode)mode, bytes);
	}
}

/* That something was compared at all; the rest is for the reader. */
static void test_was_compared(void **state)
{
	(void)state;
	print_message(
		"# %lu compared, %lu refused by Capstone, %lu memory operands, "
		"%lu read-modify-write\n"
		"# named differences: lock %lu, absent %lu, padlock %lu, "
		"vex %lu, ud_modrm %lu, extrq %lu, pause %lu, wrpkru %lu, "
		"invpcid %lu, mxcsr %lu, "
		"near %lu, "
		"immediate %lu, read_only %lu, test_write %lu\n",
		seen.compared, seen.refused, seen.memory, seen.rmw, seen.lock,
		seen.absent, seen.padlock, seen.vex, seen.ud_modrm, seen.extrq,
		seen.pause, seen.wrpkru, seen.invpcid, seen.mxcsr, seen.near,
		seen.immediate, seen.read_only, seen.test_write);
	assert_true(seen.compared > 1000000 / one_of_cases());
	assert_true(seen.memory > 100000 / one_of_cases());
	assert_true(seen.rmw > 10000 / one_of_cases());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_structured),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_was_compared),
	};

	return cmocka_run_group_tests(tests, open_capstone, close_capstone);
}
