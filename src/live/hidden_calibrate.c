/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Find the hidden state in a saved context, then prove it: each field that the
 * engine relies on is written one way and seen to have its effect another way.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "live/hidden_layout.h"
#include "live/hook.h"

struct calibration {
	struct hidden *hidden;
	uc_context *context;
	const struct scratch *scratch;
	size_t size;    /* of the context */
	size_t head_at; /* in it */
	struct diag *diag;
	/* What the INTR hook saw last. */
	uint32_t nr_events, vector;
};

static int mismatch(const struct calibration *cal, const char *what)
{
	unsigned int version = uc_version(NULL, NULL);

	return diag_set(cal->diag, -ENOTSUP,
			"Unicorn %u.%u.%u keeps its processor state in a way "
			"this build does not know (%s)",
			version >> 24, version >> 16 & 0xff,
			version >> 8 & 0xff, what);
}

static const uint8_t *bytes_of(const struct calibration *cal)
{
	return (const uint8_t *)cal->context;
}

static const int gpr_ids[NR_GPR] = {
	UC_X86_REG_RAX, UC_X86_REG_RCX, UC_X86_REG_RDX, UC_X86_REG_RBX,
	UC_X86_REG_RSP, UC_X86_REG_RBP, UC_X86_REG_RSI, UC_X86_REG_RDI,
	UC_X86_REG_R8,  UC_X86_REG_R9,  UC_X86_REG_R10, UC_X86_REG_R11,
	UC_X86_REG_R12, UC_X86_REG_R13, UC_X86_REG_R14, UC_X86_REG_R15,
};

static void write_reg(const struct calibration *cal, int reg, uint64_t val)
{
	uc_reg_write(cal->hidden->uc, reg, &val);
}

static void snapshot(const struct calibration *cal)
{
	uc_context_save(cal->hidden->uc, cal->context);
}

static int find_head(struct calibration *cal)
{
	struct hidden_head head;
	uint64_t pattern[NR_GPR];
	size_t found = 0;

	for (unsigned int i = 0; i < NR_GPR; i++) {
		pattern[i] = UINT64_C(0x1d3c5b7a99b8d700) + i;
		write_reg(cal, gpr_ids[i], pattern[i]);
	}
	snapshot(cal);

	for (size_t at = 0; at + sizeof(struct hidden_head) <= cal->size;
	     at += 4) {
		if (memcmp(bytes_of(cal) + at, pattern, sizeof(pattern)))
			continue;
		if (found)
			return mismatch(cal, "general registers, twice");
		found = at;
	}
	if (!found)
		return mismatch(cal, "general registers");
	cal->head_at = found;
	memcpy(&head, bytes_of(cal) + found, sizeof(head));
	cal->hidden->head = hidden_find_place(cal->hidden->uc, &head);
	if (!cal->hidden->head)
		return mismatch(cal, "general registers, nowhere");
	return 0;
}

static bool table_is(const struct hidden_segment *seg, const uc_x86_mmr *want)
{
	return seg->base == want->base && seg->limit == want->limit;
}

static int check_tables(struct calibration *cal)
{
	const struct hidden_head *head = cal->hidden->head;
	const struct {
		int reg;
		const struct hidden_segment *at;
		uc_x86_mmr val;
		const char *name;
	} tables[] = {
		{UC_X86_REG_GDTR, &head->gdtr, {0, 0xa10000, 0x1a1, 0}, "GDTR"},
		{UC_X86_REG_IDTR, &head->idtr, {0, 0xa20000, 0x2a2, 0}, "IDTR"},
		{UC_X86_REG_LDTR, &head->ldtr, {0, 0xa30000, 0x3a3, 0}, "LDTR"},
		{UC_X86_REG_TR, &head->tr, {0, 0xa40000, 0x4a4, 0}, "TR"},
	};

	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		uc_reg_write(cal->hidden->uc, tables[i].reg, &tables[i].val);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		if (!table_is(tables[i].at, &tables[i].val))
			return mismatch(cal, tables[i].name);
	return 0;
}

static int check_flags(struct calibration *cal)
{
	const uint64_t flags = RFLAGS_CC | RFLAGS_DF | RFLAGS_IF | RFLAGS_ONE;
	struct hidden_head *head = cal->hidden->head;

	write_reg(cal, UC_X86_REG_RIP, 0x777000);
	write_reg(cal, UC_X86_REG_RFLAGS, flags);
	if (head->rip != 0x777000)
		return mismatch(cal, "RIP");
	if (head->cc_src != RFLAGS_CC || head->df != -1 ||
	    !(head->rflags & RFLAGS_IF))
		return mismatch(cal, "RFLAGS");
	cal->hidden->cc_op_flags = head->cc_op;
	return 0;
}

static int check_control(struct calibration *cal, const struct hw *hw)
{
	const struct hidden_head *head = cal->hidden->head;

	if (head->cr[0] != hw->cr0 || head->cr[3] != hw->root ||
	    head->cr[4] != hw->cr4)
		return mismatch(cal, "control registers");
	if ((head->hflags & (HFLAG_PE | HFLAG_LMA)) != (HFLAG_PE | HFLAG_LMA))
		return mismatch(cal, "mode flags");
	return 0;
}

/* The tail is found by the one field that goes from -1 to the vector. */
static int find_tail(struct calibration *cal, const uint8_t *before)
{
	const size_t offset = offsetof(struct hidden_tail, old_exception);
	size_t at = cal->head_at + sizeof(struct hidden_head) + offset;
	size_t found = 0;

	for (; at + sizeof(int32_t) <= cal->size; at += 4) {
		int32_t was, is;

		memcpy(&was, before + at, sizeof(was));
		memcpy(&is, bytes_of(cal) + at, sizeof(is));
		if (was != -1 || is != 14)
			continue;
		if (found)
			return mismatch(cal, "last exception, twice");
		found = at - offset;
	}
	if (!found)
		return mismatch(cal, "last exception");
	/* In the state it lies as in the snapshot, which may be unaligned. */
	found -= cal->head_at;
	if (found % _Alignof(struct hidden_tail))
		return mismatch(cal, "last exception, unaligned");
	cal->hidden->tail = (void *)((uint8_t *)cal->hidden->head + found);
	return 0;
}

/* One piece of code each, where it lies in the code page. */
enum {
	CODE_STORE = 0x00,  /* to the read-only page; 64-bit or 32-bit */
	CODE_INT = 0x20,    /* says in EAX how wide the code is; INT 0x80 */
	CODE_CARRY = 0x40,  /* AL = CF; INT 0x81 */
	CODE_SHADOW = 0x60, /* STI, then INT 0x82 */
};

static void put_code(const struct scratch *scratch)
{
	static const uint8_t store[] = {0x89, 0x04, 0x25, 0x08, 0x20, 0, 0};
	static const uint8_t width[] = {0x48, 0xcd, 0x80};
	static const uint8_t carry[] = {0x0f, 0x92, 0xc0, 0xcd, 0x81};
	static const uint8_t shadow[] = {0xfb, 0xcd, 0x82};
	uint8_t *code = scratch_code(scratch);

	memcpy(code + CODE_STORE, store, sizeof(store));
	memcpy(code + CODE_INT, width, sizeof(width));
	memcpy(code + CODE_CARRY, carry, sizeof(carry));
	memcpy(code + CODE_SHADOW, shadow, sizeof(shadow));
}

static void on_event(uc_engine *uc, uint32_t vector, void *data)
{
	struct calibration *cal = data;

	cal->nr_events++;
	cal->vector = vector;
	uc_emu_stop(uc);
}

/* Runs until one event; its vector, or a mismatch. */
static bool run_code(struct calibration *cal, unsigned int code,
		     uint32_t vector)
{
	cal->nr_events = 0;
	uc_emu_start(cal->hidden->uc, SCRATCH_CODE + code, 0, 0, 0);
	return cal->nr_events == 1 && cal->vector == vector;
}

/* Runs a piece with this state; *vcpu is the state it ended in. */
static bool run_with(struct calibration *cal, struct vcpu *vcpu,
		     unsigned int code, uint32_t vector)
{
	hidden_store(cal->hidden, vcpu);
	if (!run_code(cal, code, vector))
		return false;
	hidden_load(cal->hidden, vcpu);
	return true;
}

static int check_tail(struct calibration *cal)
{
	uint8_t *before = malloc(cal->size);
	int err;

	if (!before)
		return diag_set(cal->diag, -ENOMEM, "out of memory");
	snapshot(cal);
	memcpy(before, bytes_of(cal), cal->size);

	if (!run_code(cal, CODE_STORE, 14)) {
		err = mismatch(cal, "no page fault");
		goto free_before;
	}
	snapshot(cal);
	err = find_tail(cal, before);

free_before:
	free(before);
	return err;
}

static struct vcpu flat_vcpu(enum code_mode mode, uint8_t cpl)
{
	const uint32_t dpl = (uint32_t)cpl << 13;
	struct vcpu vcpu = {.rflags = RFLAGS_ONE, .cpl = cpl};

	for (unsigned int i = 0; i < NR_SEG; i++)
		vcpu.seg[i] =
			(struct segment){.selector = cpl,
					 .limit = UINT32_MAX,
					 .attr = UINT32_C(0xc09300) | dpl};
	vcpu.seg[SEG_CS].attr = UINT32_C(0x809b00) | dpl;
	if (mode == CODE_64)
		vcpu.seg[SEG_CS].attr |= (uint32_t)SEG_ATTR_L;
	if (mode == CODE_32)
		vcpu.seg[SEG_CS].attr |= (uint32_t)SEG_ATTR_DB;
	return vcpu;
}

/* A page fault says where, why and at which privilege. */
static int check_fault(struct calibration *cal, enum code_mode mode,
		       uint8_t cpl)
{
	struct vcpu vcpu = flat_vcpu(mode, cpl);
	uint32_t want = PFEC_P | PFEC_W | (cpl == 3 ? PFEC_U : 0);
	struct hidden_event ev;

	if (!run_with(cal, &vcpu, CODE_STORE, 14))
		return mismatch(cal, "page fault");
	ev = hidden_event(cal->hidden);
	if (ev.error != want || ev.is_int)
		return mismatch(cal, "page-fault error code");
	if (ev.cr2 != SCRATCH_READONLY + 8)
		return mismatch(cal, "CR2");
	if (vcpu.rip != SCRATCH_CODE + CODE_STORE)
		return mismatch(cal, "RIP of a fault");
	return 0;
}

/* 0x48 is a REX prefix, DEC EAX or DEC AX. */
static int check_width(struct calibration *cal, enum code_mode mode)
{
	static const uint64_t want[] = {
		[CODE_16] = 0xffff, [CODE_32] = 0xffffffff, [CODE_64] = 0};
	struct vcpu vcpu = flat_vcpu(mode, 0);

	if (!run_with(cal, &vcpu, CODE_INT, 0x80) ||
	    !hidden_event(cal->hidden).is_int)
		return mismatch(cal, "INT n");
	if (vcpu.rip != SCRATCH_CODE + CODE_INT + 3)
		return mismatch(cal, "RIP of INT n");
	if (vcpu.gpr[GPR_RAX] != want[mode])
		return mismatch(cal, "code segment size");
	return 0;
}

static int check_carry(struct calibration *cal)
{
	for (uint64_t cf = 0; cf <= 1; cf++) {
		struct vcpu vcpu = flat_vcpu(CODE_64, 0);

		vcpu.rflags |= cf;
		if (!run_with(cal, &vcpu, CODE_CARRY, 0x81) ||
		    vcpu.gpr[GPR_RAX] != cf || (vcpu.rflags & 1) != cf)
			return mismatch(cal, "arithmetic flags");
	}
	return 0;
}

static int check_shadow(struct calibration *cal)
{
	struct vcpu vcpu = flat_vcpu(CODE_64, 0);

	if (!run_with(cal, &vcpu, CODE_SHADOW, 0x82) || !vcpu.irq_shadow)
		return mismatch(cal, "interrupt shadow");
	return 0;
}

static int check_effects(struct calibration *cal)
{
	/* Twice: the second is a #DF if the first is not forgotten. */
	static const struct {
		enum code_mode mode;
		uint8_t cpl;
	} faults[] = {{CODE_64, 0}, {CODE_64, 3}, {CODE_64, 0}};
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_LEN(faults); i++)
		err = check_fault(cal, faults[i].mode, faults[i].cpl);
	for (int mode = CODE_16; !err && mode <= CODE_64; mode++)
		err = check_width(cal, (enum code_mode)mode);
	if (!err)
		err = check_carry(cal);
	if (!err)
		err = check_shadow(cal);
	return err;
}

static int calibrate(struct calibration *cal, struct hw *hw)
{
	int err = find_head(cal);

	if (!err)
		err = check_tables(cal);
	if (!err)
		err = check_flags(cal);
	if (err)
		return err;

	put_code(cal->scratch);
	write_reg(cal, UC_X86_REG_RFLAGS, RFLAGS_ONE);
	hw_init(hw, cal->hidden->uc, PAGING_4LEVEL,
		scratch_root(PAGING_4LEVEL));
	err = check_control(cal, hw);
	if (!err)
		err = check_tail(cal);
	if (!err)
		err = check_effects(cal);
	return err;
}

int hidden_create(uc_engine *uc, const struct scratch *scratch, struct hw *hw,
		  struct hidden **ret, struct diag *diag)
{
	struct hidden *hidden = calloc(1, sizeof(*hidden));
	struct calibration cal = {
		.hidden = hidden, .scratch = scratch, .diag = diag};
	uc_hook hook;
	int err;

	if (!hidden)
		return diag_set(diag, -ENOMEM, "out of memory");
	hidden->uc = uc;
	if (uc_context_alloc(uc, &cal.context)) {
		err = diag_set(diag, -ENOMEM, "out of memory");
		goto destroy;
	}
	cal.size = uc_context_size(uc);
	err = hook_add(uc, UC_HOOK_INTR, (union hook_fn){.intr = on_event},
		       &cal, &hook);
	if (err) {
		diag_set(diag, err, "Unicorn refused a hook");
		goto free_context;
	}
	err = calibrate(&cal, hw);
	uc_hook_del(uc, hook);

free_context:
	uc_context_free(cal.context);
destroy:
	if (err)
		hidden_destroy(hidden);
	else
		*ret = hidden;
	return err;
}
