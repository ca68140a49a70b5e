/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Translation: the EDGE hook sees each new block once, before it runs.  The
 * instructions in it are counted for the clock, sensitive ones are hooked; a
 * block that has new ones is thrown away and translated again with the hooks.
 * Ordinary code pays nothing afterwards.
 *
 * There is one CODE hook (moving_hook.h), set to where the present block needs
 * it.  Executing a sensitive instruction leaves the block, so it is the first
 * one that counts; some are left to Unicorn, so the others are covered, too.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "arch/exception.h"
#include "base/hash.h"
#include "live/debug.h"
#include "live/hook.h"
#include "live/internal.h"
#include "live/light.h"
#include "live/nature.h"
#include "live/shape.h"

/*
 * Unicorn 2.1.1 crashes when its code buffer is full, and a flush clears all of
 * it: the buffer is kept small, and everything is flushed when the blocks may
 * fill most of it by these estimates.  They are upper bounds of what was
 * measured: 380-450 bytes for a block with the block hook; 45 for an
 * instruction on registers, 105-130 for a load or store, 200-310 for a
 * read-modify-write or a vector access; ENTER copies up to 31 words.
 */
#define CODE_BYTES_MAX   (DISCOVER_BUFFER - DISCOVER_BUFFER / 8)
#define BYTES_PER_BLOCK  600
#define BYTES_PER_INSN   80
#define BYTES_PER_ACCESS 160
#define BYTES_PER_OTHER  200
#define BYTES_FOR_ENTER  8192
/* Each instruction, when all are watched: measured 35-100 more. */
#define BYTES_PER_WATCH 120

#define OPCODE_ENTER 0xc8

uint32_t discover_hash(const uint8_t *bytes, size_t n)
{
	uint64_t h = fnv64(FNV64_INIT, bytes, n);

	return (uint32_t)(h ^ h >> 32);
}

static void want_reset(struct live *live)
{
	live->reset_translations = true;
	boundary_schedule(live);
}

static uint32_t insn_bytes(enum code_mode mode, const uint8_t *bytes, size_t n)
{
	uint32_t size = BYTES_PER_INSN;
	struct insn insn;

	if (bytes[0] == OPCODE_ENTER)
		return BYTES_FOR_ENTER;
	if (!n || !decode_one(mode, bytes, n, &insn) || insn.op == OP_OTHER)
		size = BYTES_PER_OTHER;
	for (uint8_t i = 0; i < insn.nr_operands; i++) {
		if (insn.operand[i].type != OPERAND_MEM)
			continue;
		size += BYTES_PER_ACCESS;
		if (insn.operand[i].read && insn.operand[i].write)
			size += BYTES_PER_ACCESS;
	}
	return size +
	       (insn.op == OP_PUSH || insn.op == OP_POP ? BYTES_PER_ACCESS : 0);
}

static void count_translation(struct live *live, uint32_t bytes)
{
	struct translations *t = &live->translations;

	live->stats.blocks_translated++;
	t->nr++;
	t->code_bytes += bytes;
	if (t->code_bytes > CODE_BYTES_MAX ||
	    (live->knobs.max_translations &&
	     t->nr >= live->knobs.max_translations))
		want_reset(live);
}

/* What needs a call in a block, as offsets. */
struct span {
	uint16_t first, last; /* NO_SITE: nothing */
};

static void span_add(struct span *span, uint16_t offset)
{
	if (span->first == NO_SITE || offset < span->first)
		span->first = offset;
	if (span->last == NO_SITE || offset > span->last)
		span->last = offset;
}

/* -ENOMEM. */
static int add_sites(struct live *live, gva_t pc, const struct block_scan *scan,
		     struct span *span)
{
	for (uint32_t i = 0; i < scan->nr; i++) {
		const struct block_insn *insn = &scan->insn[i];

		if (!op_is_sensitive(insn->op) &&
		    !debug_code_hits(&live->vcpu, pc + insn->offset))
			continue;
		if (!sites_add(&live->sites, pc + insn->offset))
			return -ENOMEM;
		span_add(span, insn->offset);
	}
	return 0;
}

struct code {
	struct block_key key; /* size: as Unicorn says */
	uint8_t bytes[BLOCK_BYTES_MAX];
	size_t n; /* that could be fetched */
};

static gfn_t frame_at(const struct live *live, gva_t gva)
{
	hpa_t hpa = 0;

	live_translate(live, gva, &hpa);
	return hpa >> PAGE_SHIFT;
}

/*
 * What Unicorn has just translated can be read, or the twins and its TLB
 * disagree: then sensitive instructions might be missed, so the run ends.
 */
static bool fetch_code(struct live *live, gva_t pc, uint32_t size,
		       struct code *ret)
{
	ret->n = live_fetch(live, pc, ret->bytes,
			    (size_t)min_u64(size, sizeof(ret->bytes)));
	if (ret->n != size) {
		live_stop(live, "the code at 0x%" PRIx64 " cannot be read", pc);
		return false;
	}
	ret->key = (struct block_key){
		.pc = pc,
		.size = (uint16_t)size,
		.mode = env_code_mode(&live->env),
		.hash = discover_hash(ret->bytes, ret->n),
		.place = {frame_at(live, pc), frame_at(live, pc + size - 1)},
	};
	return true;
}

/* What an observer would not know by its accesses. */
static void add_unstamped(const struct code *code,
			  const struct block_scan *scan, struct span *span)
{
	for (uint32_t i = 0; i < scan->nr; i++) {
		const struct block_insn *insn = &scan->insn[i];

		if (nature_of(code->key.mode, code->bytes + insn->offset,
			      insn->length)
			    .unstamped)
			span_add(span, insn->offset);
	}
}

static const struct block *add_block(struct live *live, const struct code *code,
				     const struct block_scan *scan,
				     const struct span *sites)
{
	struct block_shape shape = {
		.key = code->key,
		.first_site = sites->first,
		.last_site = sites->last,
	};
	uint8_t lengths[BLOCK_INSNS_MAX];
	const struct block_insn *last = NULL;

	shape.code_bytes = BYTES_PER_BLOCK;
	shape.nr = (uint16_t)min_u64(scan->nr, scan->max);
	shape.lengths = lengths;
	for (uint16_t i = 0; i < shape.nr; i++) {
		last = &scan->insn[i];
		lengths[i] = last->length;
		shape.code_bytes +=
			insn_bytes(code->key.mode, code->bytes + last->offset,
				   last->length);
		if (live->observe)
			shape.code_bytes += BYTES_PER_WATCH;
	}
	if (last)
		shape.rep = shape_of(code->key.mode, code->bytes + last->offset,
				     last->length)
				    .rep_string;
	return blocks_add(&live->blocks, &shape);
}

/*
 * Unicorn's block ends within an instruction that it does not know itself:
 * INVPCID, if there is more behind its ModRM.
 */
static void complete_last(struct live *live, const struct code *code,
			  struct block_scan *scan)
{
	struct block_insn *last = &scan->insn[scan->nr - 1];
	uint8_t bytes[INSN_BYTES_MAX];
	struct insn insn;
	size_t n;

	if (last->op != OP_INVALID)
		return;
	n = live_fetch(live, code->key.pc + last->offset, bytes, sizeof(bytes));
	if (n && decode_one(code->key.mode, bytes, n, &insn) &&
	    op_is_sensitive(insn.op))
		last->op = insn.op;
}

/* Decode a block that is not known yet.  NULL: the run is over (no memory). */
static const struct block *describe(struct live *live, const struct code *code)
{
	struct block_insn insn[BLOCK_INSNS_MAX];
	struct block_scan scan = {.insn = insn, .max = BLOCK_INSNS_MAX};
	const struct block *block = NULL;
	struct span sites = {NO_SITE, NO_SITE};

	decode_block(code->key.mode, code->bytes, code->n, &scan);
	if (scan.nr > scan.max)
		scan.nr = scan.max;
	if (scan.nr)
		complete_last(live, code, &scan);
	if (live->observe)
		add_unstamped(code, &scan, &sites);
	if (!add_sites(live, code->key.pc, &scan, &sites))
		block = add_block(live, code, &scan, &sites);
	if (!block)
		live_stop(live, "out of memory");
	return block;
}

static const struct block *find_block(struct live *live,
				      const struct code *code)
{
	const struct block *block = blocks_known(&live->blocks, &code->key);

	return block ? block : describe(live, code);
}

/*
 * Has the block been translated with the calls it needs, and no others?  If
 * not, the next translation of it will be.
 */
static bool is_hooked(struct live *live, const struct block *block)
{
	gva_t first = HOOK_NOWHERE, last = HOOK_NOWHERE;

	if (block->first_site != NO_SITE) {
		first = block->pc + block->first_site;
		last = block->pc + block->last_site;
	}
	if (moving_hook_is_right(&live->code_hook, block->pc, block->size,
				 first, last))
		return true;
	moving_hook_set(&live->code_hook, first, last);
	live->stats.translated_again++;
	return false;
}

/*
 * One byte of it: Unicorn drops what overlaps.  Blocks that begin earlier and
 * run into this one go with it, later ones stay, so two that overlap do not
 * throw each other away for ever.
 */
static void throw_away(struct live *live, const struct code *code)
{
	uint64_t rip = live_rip_of(live, code->key.pc);

	uc_ctl_remove_cache(live->uc, code->key.pc, code->key.pc + 1);
	uc_reg_write(live->uc, UC_X86_REG_RIP, &rip);
}

static void note_stale(struct live *live, const struct code *code)
{
	hpa_t hpa;

	if (live->config.check_stale &&
	    live_translate(live, code->key.pc, &hpa) &&
	    stale_note(&live->stale, code->key.pc, hpa, code->key.size,
		       code->key.hash))
		live_stop(live, "out of memory");
}

static void on_edge(uc_engine *uc, uc_tb *to, uc_tb *from, void *data)
{
	struct live *live = data;
	const struct block *block;
	struct code code;

	(void)uc;
	(void)from;
	if (live->ended || !to->size)
		return;
	clock_complete(&live->clock, to->pc);
	live_enter(live);
	if (!fetch_code(live, to->pc, to->size, &code))
		return;
	block = find_block(live, &code);
	if (!block)
		return;
	count_translation(live, block->code_bytes);
	if (is_hooked(live, block))
		note_stale(live, &code);
	else
		throw_away(live, &code);
}

const struct block *discover_block(struct live *live, gva_t pc, uint32_t size)
{
	struct code code;

	clock_complete(&live->clock, pc);
	live_enter(live);
	if (!fetch_code(live, pc, size, &code))
		return NULL;
	return find_block(live, &code);
}

static const struct insn *decode_at_site(struct live *live, struct site *site,
					 enum code_mode mode)
{
	uint8_t bytes[INSN_BYTES_MAX];
	size_t n;

	if (site->epoch == live->code_epoch && site->insn.mode == mode)
		return &site->insn;
	n = live_fetch(live, site->pc, bytes, sizeof(bytes));
	site->epoch = live->code_epoch;
	return site_decode(site, mode, bytes, n);
}

/* NULL: what is there now runs natively. */
static const struct insn *insn_at_site(struct live *live, struct site *site)
{
	const struct insn *insn =
		decode_at_site(live, site, env_code_mode(&live->env));

	return op_is_sensitive(insn->op) ? insn : NULL;
}

static bool break_at(struct live *live, gva_t pc)
{
	struct vcpu *vcpu = &live->vcpu;
	uint64_t hits = debug_code_hits(vcpu, pc);

	if (!hits || (vcpu->rflags & RFLAGS_RF))
		return false;
	clock_leave(&live->clock, &live->blocks, pc);
	live_stamp(live, clock_base(&live->clock));
	step_end(live);
	vcpu->dr[6] = (vcpu->dr[6] & ~DR6_B) | hits;
	live_raise(live, EXC_DB, 0);
	live_leave_block(live);
	return true;
}

static void execute_site(struct live *live, gva_t pc)
{
	struct site *site = sites_find(&live->sites, pc);
	const struct insn *insn;
	enum insn_status status;
	uint64_t before[ARRAY_LEN(live->vcpu.dr)], rip;
	struct trap trap;

	if (!site)
		return;
	live->step.done = false;
	if (light_execute(live, site, pc))
		return;
	live_enter(live);
	if (break_at(live, pc))
		return;
	insn = insn_at_site(live, site);
	if (!insn)
		return;

	memcpy(before, live->vcpu.dr, sizeof(before));
	rip = live->vcpu.rip;
	live_stamp(live, clock_at(&live->clock, &live->blocks, pc));
	status = insn_execute(&live->env, insn, &trap, &live->end);
	if (status == INSN_NATIVE) {
		live_sync(live);
		return;
	}
	clock_leave(&live->clock, &live->blocks, pc);
	step_end(live);
	live_obey_insn(live, status, &trap, rip);
	if (debug_code_changed(before, live->vcpu.dr))
		want_reset(live);
	live_leave_block(live);
}

static void on_code(uc_engine *uc, uint64_t pc, uint32_t size, void *data)
{
	struct live *live = data;

	(void)uc;
	(void)size;
	if (live->ended || live->paused)
		return;
	observe_insn(live->observe, pc);
	execute_site(live, pc);
}

/* No EDGE is reported until one block has ended normally. */
static void prime(struct live *live)
{
	static const uint8_t jump[] = {0xeb, 0x00, 0xcd, 0x80};
	uint8_t *code = scratch_code(&live->scratch) + 0x100;

	for (size_t i = 0; i < sizeof(jump); i++)
		code[i] = jump[i];
	uc_emu_start(live->uc, SCRATCH_CODE + 0x100, 0, 0, 0);
}

int discover_create(struct live *live, struct diag *diag)
{
	uc_hook hook;
	int err;

	if (blocks_create(&live->blocks) || sites_create(&live->sites) ||
	    stale_create(&live->stale))
		return diag_set(diag, -ENOMEM, "out of memory");
	prime(live);
	err = moving_hook_create(live->uc, &live->scratch,
				 (union hook_fn){.code = on_code}, live,
				 &live->code_hook, diag);
	if (err)
		return err;
	if (hook_add(live->uc, UC_HOOK_EDGE_GENERATED,
		     (union hook_fn){.edge = on_edge}, live, &hook))
		return diag_set(diag, -ENOMEM, "Unicorn refused a hook");
	return 0;
}

void discover_destroy(struct live *live)
{
	blocks_destroy(&live->blocks);
	sites_destroy(&live->sites);
	stale_destroy(&live->stale);
}

void discover_reset(struct live *live)
{
	uc_ctl_flush_tb(live->uc);
	sites_clear(&live->sites);
	blocks_clear(&live->blocks);
	stale_clear(&live->stale);
	clock_undo(&live->clock);
	live->translations.nr = 0;
	live->translations.code_bytes = 0;
	live->stats.translation_flushes++;
	live->reset_translations = false;
}
