/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The emulator against the processor this test runs on: the same instruction
 * with the same registers, flags and memory, executed by both.  Everything
 * defined must be equal afterwards.  x86-64 only.
 */
#include "check.h"

#include "host.h"
#include "live/alu.h"
#include "live/emulate.h"
#include "live/gpr.h"
#include "live/reach.h"
#include "setup.h"

/* Same linear addresses on both sides: data of two pages, and code. */
#define DATA      UINT64_C(0x40000000)
#define DATA_SIZE 0x2000u
#define CODE      UINT64_C(0x41000000)
#define DATA_HPA  0x20000u
#define CODE_HPA  0x30000u

enum form {
	E_G,    /* rm, reg */
	E_IMM,  /* rm, imm of the operand's size (at most 4 bytes) */
	E_IMM8, /* rm, imm8 */
	E_ONLY, /* rm */
	E_BIT,  /* rm, reg as a bit offset */
	E_PAIR, /* CMPXCHG8B */
	STRING,
};

#define WIDE  0x01 /* 16, 32, 64 bits; else: bit 0 of the opcode chooses */
#define BYTE  0x02 /* 8 bits only */
#define LOCK  0x04 /* may have LOCK */
#define SHIFT 0x08 /* flags depend on the count */
#define LOADS 0x10 /* what is done for devices alone */

/* A device that no operand reaches. */
#define FAR UINT64_C(0x42000000)

#define ALL_FLAGS ALU_FLAGS
#define NO_AF     (ALU_FLAGS & ~ALU_AF)

static const struct template
{
	const char *name;
	uint8_t escape; /* 0 or 0x0f */
	uint8_t opcode; /* of the byte form where there is one */
	uint8_t digit;  /* ModRM.reg where it is no register */
	enum form form;
	unsigned int how;
	uint64_t flags; /* that are defined */
}
templates[] = {
	{"mov r", 0, 0x88, 0, E_G, 0, ALL_FLAGS},
	{"mov imm", 0, 0xc6, 0, E_IMM, 0, ALL_FLAGS},
	{"movnti", 0x0f, 0xc3, 0, E_G, WIDE, ALL_FLAGS},
	{"xchg", 0, 0x86, 0, E_G, LOCK, ALL_FLAGS},
	{"xadd", 0x0f, 0xc0, 0, E_G, LOCK, ALL_FLAGS},
	{"cmpxchg", 0x0f, 0xb0, 0, E_G, LOCK, ALL_FLAGS},
	{"cmpxchg8b", 0x0f, 0xc7, 1, E_PAIR, LOCK, ALL_FLAGS},
	{"add", 0, 0x00, 0, E_G, LOCK, ALL_FLAGS},
	{"or", 0, 0x08, 0, E_G, LOCK, NO_AF},
	{"adc", 0, 0x10, 0, E_G, LOCK, ALL_FLAGS},
	{"sbb", 0, 0x18, 0, E_G, LOCK, ALL_FLAGS},
	{"and", 0, 0x20, 0, E_G, LOCK, NO_AF},
	{"sub", 0, 0x28, 0, E_G, LOCK, ALL_FLAGS},
	{"xor", 0, 0x30, 0, E_G, LOCK, NO_AF},
	{"add imm", 0, 0x80, 0, E_IMM, LOCK, ALL_FLAGS},
	{"or imm", 0, 0x80, 1, E_IMM, LOCK, NO_AF},
	{"adc imm", 0, 0x80, 2, E_IMM, LOCK, ALL_FLAGS},
	{"sbb imm", 0, 0x80, 3, E_IMM, LOCK, ALL_FLAGS},
	{"and imm", 0, 0x80, 4, E_IMM, LOCK, NO_AF},
	{"sub imm", 0, 0x80, 5, E_IMM, LOCK, ALL_FLAGS},
	{"xor imm", 0, 0x80, 6, E_IMM, LOCK, NO_AF},
	{"adc imm8", 0, 0x83, 2, E_IMM8, WIDE | LOCK, ALL_FLAGS},
	{"sub imm8", 0, 0x83, 5, E_IMM8, WIDE | LOCK, ALL_FLAGS},
	{"and imm8", 0, 0x83, 4, E_IMM8, WIDE | LOCK, NO_AF},
	{"inc", 0, 0xfe, 0, E_ONLY, LOCK, ALL_FLAGS},
	{"dec", 0, 0xfe, 1, E_ONLY, LOCK, ALL_FLAGS},
	{"not", 0, 0xf6, 2, E_ONLY, LOCK, ALL_FLAGS},
	{"neg", 0, 0xf6, 3, E_ONLY, LOCK, ALL_FLAGS},
	{"bts", 0x0f, 0xab, 0, E_BIT, WIDE | LOCK, ALU_CF | ALU_ZF},
	{"btr", 0x0f, 0xb3, 0, E_BIT, WIDE | LOCK, ALU_CF | ALU_ZF},
	{"btc", 0x0f, 0xbb, 0, E_BIT, WIDE | LOCK, ALU_CF | ALU_ZF},
	{"bts imm", 0x0f, 0xba, 5, E_IMM8, WIDE | LOCK, ALU_CF | ALU_ZF},
	{"btr imm", 0x0f, 0xba, 6, E_IMM8, WIDE | LOCK, ALU_CF | ALU_ZF},
	{"btc imm", 0x0f, 0xba, 7, E_IMM8, WIDE | LOCK, ALU_CF | ALU_ZF},
	{"rol 1", 0, 0xd0, 0, E_ONLY, SHIFT, ALL_FLAGS},
	{"ror 1", 0, 0xd0, 1, E_ONLY, SHIFT, ALL_FLAGS},
	{"shl 1", 0, 0xd0, 4, E_ONLY, SHIFT, NO_AF},
	{"shr 1", 0, 0xd0, 5, E_ONLY, SHIFT, NO_AF},
	{"sal 1", 0, 0xd0, 6, E_ONLY, SHIFT, NO_AF},
	{"sar 1", 0, 0xd0, 7, E_ONLY, SHIFT, NO_AF},
	{"rol cl", 0, 0xd2, 0, E_ONLY, SHIFT, ALL_FLAGS},
	{"ror cl", 0, 0xd2, 1, E_ONLY, SHIFT, ALL_FLAGS},
	{"shl cl", 0, 0xd2, 4, E_ONLY, SHIFT, NO_AF},
	{"shr cl", 0, 0xd2, 5, E_ONLY, SHIFT, NO_AF},
	{"sar cl", 0, 0xd2, 7, E_ONLY, SHIFT, NO_AF},
	{"rol imm", 0, 0xc0, 0, E_IMM8, SHIFT, ALL_FLAGS},
	{"ror imm", 0, 0xc0, 1, E_IMM8, SHIFT, ALL_FLAGS},
	{"shl imm", 0, 0xc0, 4, E_IMM8, SHIFT, NO_AF},
	{"shr imm", 0, 0xc0, 5, E_IMM8, SHIFT, NO_AF},
	{"sar imm", 0, 0xc0, 7, E_IMM8, SHIFT, NO_AF},
	{"seto", 0x0f, 0x90, 0, E_ONLY, BYTE, ALL_FLAGS},
	{"setnc", 0x0f, 0x93, 3, E_ONLY, BYTE, ALL_FLAGS},
	{"setz", 0x0f, 0x94, 0, E_ONLY, BYTE, ALL_FLAGS},
	{"setbe", 0x0f, 0x96, 0, E_ONLY, BYTE, ALL_FLAGS},
	{"sets", 0x0f, 0x98, 0, E_ONLY, BYTE, ALL_FLAGS},
	{"setnp", 0x0f, 0x9b, 0, E_ONLY, BYTE, ALL_FLAGS},
	{"setl", 0x0f, 0x9c, 0, E_ONLY, BYTE, ALL_FLAGS},
	{"setg", 0x0f, 0x9f, 0, E_ONLY, BYTE, ALL_FLAGS},
	{"movs", 0, 0xa4, 0, STRING, 0, ALL_FLAGS},
	{"stos", 0, 0xaa, 0, STRING, 0, ALL_FLAGS},
	{"mov load", 0, 0x8a, 0, E_G, LOADS, ALL_FLAGS},
	{"add load", 0, 0x02, 0, E_G, LOADS, ALL_FLAGS},
	{"or load", 0, 0x0a, 0, E_G, LOADS, NO_AF},
	{"adc load", 0, 0x12, 0, E_G, LOADS, ALL_FLAGS},
	{"sbb load", 0, 0x1a, 0, E_G, LOADS, ALL_FLAGS},
	{"and load", 0, 0x22, 0, E_G, LOADS, NO_AF},
	{"sub load", 0, 0x2a, 0, E_G, LOADS, ALL_FLAGS},
	{"xor load", 0, 0x32, 0, E_G, LOADS, NO_AF},
	{"cmp load", 0, 0x3a, 0, E_G, LOADS, ALL_FLAGS},
	{"cmp", 0, 0x38, 0, E_G, LOADS, ALL_FLAGS},
	{"cmp imm", 0, 0x80, 7, E_IMM, LOADS, ALL_FLAGS},
	{"cmp imm8", 0, 0x83, 7, E_IMM8, LOADS | WIDE, ALL_FLAGS},
	{"test", 0, 0x84, 0, E_G, LOADS, NO_AF},
	{"test imm", 0, 0xf6, 0, E_IMM, LOADS, NO_AF},
	{"bt", 0x0f, 0xa3, 0, E_BIT, LOADS | WIDE, ALU_CF | ALU_ZF},
	{"bt imm", 0x0f, 0xba, 4, E_IMM8, LOADS | WIDE, ALU_CF | ALU_ZF},
	{"movzx byte", 0x0f, 0xb6, 0, E_G, LOADS | WIDE, ALL_FLAGS},
	{"movzx word", 0x0f, 0xb7, 0, E_G, LOADS | WIDE, ALL_FLAGS},
	{"movsx byte", 0x0f, 0xbe, 0, E_G, LOADS | WIDE, ALL_FLAGS},
	{"movsx word", 0x0f, 0xbf, 0, E_G, LOADS | WIDE, ALL_FLAGS},
	{"movsxd", 0, 0x63, 0, E_G, LOADS | WIDE, ALL_FLAGS},
	{"lods", 0, 0xac, 0, STRING, LOADS, ALL_FLAGS},
};

static uint64_t seed = 7;

static uint64_t rnd(uint64_t below)
{
	return (next_random(&seed) >> 16) % below;
}

#define REX_BITS_W 8u

struct trial {
	const struct template *t;
	uint8_t bytes[16];
	unsigned int length;
	unsigned int rex; /* WRXB */
	bool osize, asize, lock, rep, device;
	bool high;         /* the register is AH: no REX */
	unsigned int size; /* of the operand */
	uint8_t imm8;
	struct host_state in;
	uint8_t data[DATA_SIZE];
};

static void put(struct trial *x, uint64_t val, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		x->bytes[x->length++] = (uint8_t)(val >> (8 * i));
}

static void choose_size(struct trial *x)
{
	const struct template *t = x->t;
	unsigned int pick = (unsigned int)rnd(4);

	if (t->form == E_PAIR) {
		x->size = pick & 1 ? 16 : 8;
		x->rex |= pick & 1 ? REX_BITS_W : 0;
		return;
	}
	if (t->how & BYTE || (!(t->how & WIDE) && pick == 3)) {
		x->size = 1;
		return;
	}
	if (t->opcode == 0xc3 && pick % 3 == 0) /* MOVNTI: 4 and 8 only */
		pick = 1;
	x->size = 2u << (pick % 3);
	x->osize = x->size == 2;
	if (x->size == 8)
		x->rex |= REX_BITS_W;
}

/* Where the operand shall lie; the wide ones aligned, as they must be. */
static uint64_t choose_target(const struct trial *x)
{
	uint64_t at = DATA + 256 + rnd(DATA_SIZE - 512);

	return x->size == 16 ? at & ~UINT64_C(15) : at;
}

static uint64_t address_size_mask(const struct trial *x)
{
	return x->asize ? UINT32_MAX : ~UINT64_C(0);
}

/* Make [base + index * scale + disp] the target by choice of `base`. */
static void set_base(struct trial *x, unsigned int base, uint64_t val)
{
	uint64_t mask = address_size_mask(x);

	x->in.gpr[base] = (x->in.gpr[base] & ~mask) | (val & mask);
}

static unsigned int choose_reg(unsigned int but)
{
	unsigned int reg;

	do
		reg = (unsigned int)rnd(16);
	while (reg == GPR_RSP || reg == but);
	return reg;
}

struct modrm {
	uint8_t bytes[6];
	unsigned int n;
	bool rip; /* the displacement is still to be set */
};

static void put_disp(struct modrm *m, uint64_t disp, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		m->bytes[m->n++] = (uint8_t)(disp >> (8 * i));
}

/* A random way to reach `target`; `keep` must not be changed for it. */
static void build_modrm(struct trial *x, struct modrm *m, unsigned int reg,
			uint64_t target, unsigned int keep)
{
	unsigned int mod = 1 + (unsigned int)rnd(2);
	unsigned int base = choose_reg(keep);
	unsigned int index = choose_reg(base);
	unsigned int scale = (unsigned int)rnd(4);
	int64_t disp = mod == 1 ? (int8_t)rnd(256) : (int32_t)rnd(0x100000000);
	uint8_t field = (uint8_t)((reg & 7) << 3);

	*m = (struct modrm){.n = 0};
	x->rex |= reg & 8 ? 4 : 0;
	switch (rnd(4)) {
	case 0: /* [rip + disp32] */
		m->bytes[m->n++] = field | 5;
		m->rip = true;
		put_disp(m, 0, 4);
		return;
	case 1: /* [disp32] */
		m->bytes[m->n++] = field | 4;
		m->bytes[m->n++] = 0x25;
		put_disp(m, target, 4);
		return;
	case 2: /* [base + disp] */
		x->rex |= base & 8 ? 1 : 0;
		m->bytes[m->n++] = (uint8_t)(mod << 6 | field | (base & 7));
		if ((base & 7) == 4)
			m->bytes[m->n++] = 0x24;
		set_base(x, base, target - (uint64_t)disp);
		break;
	default: /* [base + index * scale + disp] */
		x->rex |= (base & 8 ? 1 : 0) | (index & 8 ? 2 : 0);
		m->bytes[m->n++] = (uint8_t)(mod << 6 | field | 4);
		m->bytes[m->n++] =
			(uint8_t)(scale << 6 | (index & 7) << 3 | (base & 7));
		set_base(x, base,
			 target - (uint64_t)disp - (x->in.gpr[index] << scale));
		break;
	}
	put_disp(m, (uint64_t)disp, mod == 1 ? 1 : 4);
}

static void put_prefixes(struct trial *x)
{
	bool rex = x->rex || (!x->high && rnd(4) == 0);

	if (x->osize)
		put(x, 0x66, 1);
	if (x->asize)
		put(x, 0x67, 1);
	if (x->lock)
		put(x, 0xf0, 1);
	if (x->rep)
		put(x, 0xf3, 1);
	if (rex)
		put(x, 0x40 | x->rex, 1);
	if (x->t->escape)
		put(x, x->t->escape, 1);
}

static void put_opcode(struct trial *x)
{
	bool paired = !(x->t->how & (WIDE | BYTE)) && x->t->form != E_PAIR;

	put(x, x->t->opcode | (paired && x->size > 1 ? 1u : 0u), 1);
}

static void build_string(struct trial *x)
{
	uint64_t mask = address_size_mask(x);
	uint64_t middle = DATA + DATA_SIZE / 2;

	x->rep = rnd(2);
	x->in.gpr[GPR_RCX] = (x->in.gpr[GPR_RCX] & ~mask) | (1 + rnd(8));
	set_base(x, GPR_RDI, middle - 100 + rnd(200));
	set_base(x, GPR_RSI, middle - 100 + rnd(200));
	if (rnd(2))
		x->in.rflags |= RFLAGS_DF;
	put_prefixes(x);
	put_opcode(x);
}

/* A bit offset of up to 32 operands either way, with junk above. */
static uint64_t bit_offset(const struct trial *x, uint64_t junk)
{
	uint64_t mask = size_mask(x->size);

	return (junk & ~mask) | ((rnd(512) - 256) & mask);
}

static void build_memory(struct trial *x)
{
	uint64_t target = choose_target(x);
	unsigned int reg = x->t->digit;
	unsigned int keep = GPR_RSP;
	struct modrm m;

	if (x->t->form == E_G || x->t->form == E_BIT) {
		reg = choose_reg(GPR_RSP);
		x->high = x->size == 1 && rnd(8) == 0;
	}
	if (x->t->form == E_BIT) {
		keep = reg;
		x->in.gpr[reg] = bit_offset(x, x->in.gpr[reg]);
	}
	if (x->high)
		reg = GPR_RSP;
	build_modrm(x, &m, reg, target, keep);
	if (x->high && x->rex) { /* it would be SPL: take BPL */
		m.bytes[0] |= 8;
		x->high = false;
	}
	put_prefixes(x);
	put_opcode(x);
	if (m.rip) { /* relative to the end: ModRM, disp32, immediate */
		unsigned int imm = x->t->form == E_IMM8 ? 1
				   : x->t->form == E_IMM
					   ? (x->size > 4 ? 4 : x->size)
					   : 0;

		m.n = 1;
		put_disp(&m, target - (CODE + x->length + 5 + imm), 4);
	}
	for (unsigned int i = 0; i < m.n; i++)
		put(x, m.bytes[i], 1);
	x->imm8 = (uint8_t)next_random(&seed);
	if (x->t->form == E_IMM8)
		put(x, x->imm8, 1);
	if (x->t->form == E_IMM)
		put(x, next_random(&seed), x->size > 4 ? 4 : x->size);

	/* Let comparisons succeed now and then. */
	if (rnd(2))
		memcpy(x->data + (target - DATA), &x->in.gpr[GPR_RAX], 8);
	if (x->t->form == E_PAIR && rnd(2)) {
		memcpy(x->data + (target - DATA), &x->in.gpr[GPR_RAX],
		       x->size / 2);
		memcpy(x->data + (target - DATA) + x->size / 2,
		       &x->in.gpr[GPR_RDX], x->size / 2);
	}
}

static void build(struct trial *x, const struct template *t)
{
	*x = (struct trial){.t = t};
	for (unsigned int i = 0; i < NR_GPR; i++)
		x->in.gpr[i] = next_random(&seed);
	for (unsigned int i = 0; i < DATA_SIZE; i += 8) {
		uint64_t r = next_random(&seed);

		memcpy(x->data + i, &r, 8);
	}
	x->in.rflags =
		RFLAGS_ONE | RFLAGS_IF | (next_random(&seed) & ALU_FLAGS);
	x->asize = rnd(8) == 0;
	x->lock = t->how & LOCK && rnd(4) == 0;
	x->device = t->how & LOADS || rnd(4) == 0;
	choose_size(x);
	if (t->form == STRING)
		build_string(x);
	else
		build_memory(x);
}

/* The flags that the manual defines for this operation and count. */
static uint64_t defined_flags(const struct trial *x)
{
	unsigned int mask = x->size == 8 ? 0x3f : 0x1f;
	unsigned int count = 1;
	uint64_t flags = x->t->flags;

	if (!(x->t->how & SHIFT))
		return flags;
	if (x->t->form == E_IMM8)
		count = x->imm8 & mask;
	else if (x->t->opcode == 0xd2)
		count = (unsigned int)x->in.gpr[GPR_RCX] & mask;
	if (count == 0)
		return ALU_FLAGS; /* none changes */
	if (count > 1)
		flags &= ~ALU_OF;
	/* SHL and SHR lose the last bit out beyond the operand's size. */
	if (count >= 8 * x->size && x->t->digit >= 4)
		flags &= ~ALU_CF;
	return flags;
}

static const char *describe(const struct trial *x)
{
	static char text[128];
	int n = snprintf(text, sizeof(text), "%s (%u)", x->t->name, x->size);

	for (unsigned int i = 0; i < x->length; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " %02x",
			      x->bytes[i]);
	return text;
}

static void run_host(const struct trial *x, struct host_state *out)
{
	memcpy((void *)DATA, x->data, DATA_SIZE);
	memcpy((void *)CODE, x->bytes, x->length);
	((uint8_t *)CODE)[x->length] = 0xc3; /* RET */
	*out = x->in;
	host_run(out, (void *)CODE);
}

/* As for a table, or as where the first operand in memory is no device. */
static enum insn_status emulate(const struct trial *x, struct fake *f)
{
	const struct device_ref device = {.gva = FAR, .gpa = FAR};
	struct live_end end;
	struct trap trap;

	if (x->device)
		return emulate_device(&f->env, &device, &trap, &end);
	return emulate_insn(&f->env, &trap, &end);
}

static void run_emulator(const struct trial *x, struct fake *f)
{

	memcpy(mem_ram(f->mem, DATA_HPA), x->data, DATA_SIZE);
	memcpy(mem_ram(f->mem, CODE_HPA), x->bytes, x->length);
	memcpy(f->vcpu.gpr, x->in.gpr, sizeof(x->in.gpr));
	f->vcpu.rflags = x->in.rflags;
	f->vcpu.rip = CODE;
	fake_rewind(f);
	for (int i = 0; i < 16 && f->vcpu.rip == CODE; i++)
		check_part(describe(x), "status", emulate(x, f), INSN_DONE);
	check_part(describe(x), "length", f->vcpu.rip - CODE, x->length);
	check_part(describe(x), "failed", fake_count(f, GE_EMULATE_FAILED), 0);
	if (!x->device)
		check_part(describe(x), "accesses", fake_count(f, GE_ACCESS),
			   0);
}

static void compare(const struct trial *x, const struct fake *f,
		    const struct host_state *host)
{
	const uint8_t *ours = mem_ram(f->mem, DATA_HPA);
	const uint8_t *theirs = (const uint8_t *)DATA;
	uint64_t flags = defined_flags(x) | RFLAGS_DF;
	char part[32];

	for (unsigned int i = 0; i < NR_GPR; i++) {
		snprintf(part, sizeof(part), "gpr %u", i);
		if (i != GPR_RSP)
			check_part(describe(x), part, f->vcpu.gpr[i],
				   host->gpr[i]);
	}
	check_part(describe(x), "flags", f->vcpu.rflags & flags,
		   host->rflags & flags);
	if (!memcmp(ours, theirs, DATA_SIZE))
		return;
	for (unsigned int i = 0; i < DATA_SIZE; i++) {
		snprintf(part, sizeof(part), "byte 0x%x", i);
		check_part(describe(x), part, ours[i], theirs[i]);
	}
}

#define TRIALS 4000

static void test_against_host(void **state)
{
	static struct trial x;
	struct fake f;

	(void)state;
	fake_init(&f);
	setup_mode(&f, SETUP_LONG);
	fake_map(&f, DATA, DATA_HPA);
	fake_map(&f, DATA + 0x1000, DATA_HPA + 0x1000);
	fake_map(&f, CODE, CODE_HPA);
	for (size_t i = 0; i < ARRAY_LEN(templates); i++) {
		for (int k = 0; k < TRIALS; k++) {
			struct host_state host;

			build(&x, &templates[i]);
			run_host(&x, &host);
			run_emulator(&x, &f);
			compare(&x, &f, &host);
		}
	}
	fake_finish(&f);
}

static int map_host(void **state)
{
	(void)state;
	if (host_map(DATA, DATA_SIZE) && host_map(CODE, 0x1000))
		return 0;
	print_error("cannot map pages at 0x40000000\n");
	return -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_host),
	};

	return cmocka_run_group_tests(tests, map_host, NULL);
}
