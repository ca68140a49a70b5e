/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NX ((uint64_t)1 << 63)

struct trial {
	const struct matrix_controls *controls;
	const struct matrix_pair *pair;
	const struct matrix_access *access;
	const struct matrix_seen *seen;
};

void judge_init(struct judge *j, const struct matrix_space *space,
		const struct smmu_generation *gen, bool bypass)
{
	*j = (struct judge){.space = *space, .gen = gen, .bypass = bypass};
	j->ram = calloc(1, MATRIX_RAM);
	if (!j->ram)
		abort();
	matrix_build(space, j->ram);
}

void judge_finish(struct judge *j)
{
	free(j->ram);
}

/* How KVM's walk differed (docs/shadow-mmu.md, "What a fault does"). */
static struct oracle_quirks quirks_of(const struct judge *j)
{
	const struct smmu_switches *sw = j->gen ? &j->gen->sw : NULL;

	if (!sw)
		return (struct oracle_quirks){false};
	/* What is not injected has the I/D of a processor with NXE on. */
	return (struct oracle_quirks){
		.no_reserved = !sw->walk_checks_reserved,
		.rights_first = !sw->walk_goes_on,
		.id_always = !sw->fetch_code_needs_nxe || j->gen->has_bypass ||
			     sw->gnp_sptes,
		.reads_zeros = true,
	};
}

static void put_pair(struct judge *j, const struct matrix_pair *pair)
{
	size_t bytes = (size_t)matrix_entry_bytes(&j->space);

	memcpy(j->ram + matrix_upper_at(&j->space), &pair->upper, bytes);
	memcpy(j->ram + matrix_lower_at(&j->space), &pair->lower, bytes);
}

static struct oracle_result expect(struct judge *j, const struct trial *t,
				   struct oracle_quirks quirks)
{
	return matrix_expect(&j->space, t->controls, t->access, quirks, j->ram);
}

static bool is_same_outcome(const struct oracle_result *want,
			    const struct matrix_seen *seen)
{
	if (want->what == ORACLE_PF)
		return seen->what == SEEN_FAULT && seen->code == want->code &&
		       seen->cr2 == want->cr2;
	if (want->pa >= MATRIX_RAM)
		return seen->what == SEEN_MMIO;
	return seen->what == SEEN_OK && seen->pa == want->pa;
}

/* An entry the walk did not meet stays as it was. */
static bool entry_fits(const struct oracle_result *want, uint64_t at,
		       uint64_t was, uint64_t now)
{
	for (int i = 0; i < want->nr_entries; i++)
		if (want->entry[i].at == at)
			return oracle_entry_may_be(&want->entry[i], now);
	return was == now;
}

static bool entries_fit(const struct judge *j, const struct trial *t,
			const struct oracle_result *want)
{
	return entry_fits(want, matrix_upper_at(&j->space), t->pair->upper,
			  t->seen->upper) &&
	       entry_fits(want, matrix_lower_at(&j->space), t->pair->lower,
			  t->seen->lower);
}

/*
 * Where a generation has overlooked a reserved bit, whether it then finds the
 * key in the code is nobody's rule.
 */
static void forget_key(struct judge *j, const struct trial *t,
		       struct oracle_result *want)
{
	struct oracle_result right =
		expect(j, t, (struct oracle_quirks){false});

	if (right.reserved && t->seen->what == SEEN_FAULT)
		want->code = (want->code & ~32u) | (t->seen->code & 32u);
}

static bool fits(struct judge *j, const struct trial *t,
		 struct oracle_quirks quirks)
{
	struct oracle_result want = expect(j, t, quirks);

	if (quirks.no_reserved)
		forget_key(j, t, &want);

	return is_same_outcome(&want, t->seen) && entries_fit(j, t, &want);
}

/*
 * A fault that the hypervisor never saw: found in the shadow, by the
 * processor's order, but the shadow knows nothing of reserved bits above.
 */
static struct oracle_quirks direct_quirks(const struct judge *j)
{
	struct oracle_quirks quirks = quirks_of(j);

	quirks.rights_first = false;
	return quirks;
}

static bool fits_directly(struct judge *j, const struct trial *t)
{
	return t->seen->what == SEEN_FAULT && !(t->seen->code & 1) &&
	       fits(j, t, direct_quirks(j));
}

/* With the quirks it fits; count those without which it would not. */
static void count_quirks(struct judge *j, const struct trial *t,
			 struct oracle_quirks quirks)
{
	struct oracle_quirks less = quirks;

	less.no_reserved = false;
	j->flaws[MATRIX_FLAW_reserved] += !fits(j, t, less);
	less = quirks;
	less.rights_first = false;
	j->flaws[MATRIX_FLAW_check_order] += !fits(j, t, less);
	less = quirks;
	less.id_always = false;
	j->flaws[MATRIX_FLAW_fetch_bit] += !fits(j, t, less);
	less = quirks;
	less.reads_zeros = false;
	j->flaws[MATRIX_FLAW_absent_table] += !fits(j, t, less);
}

/* Where the tables lead, rights and reserved bits aside. */
static struct oracle_result way(struct judge *j, const struct trial *t)
{
	const struct oracle_quirks quirks = {.no_reserved = true};
	struct matrix_controls none = {.pse = t->controls->pse};
	struct matrix_access read = {.offset = t->access->offset};

	return matrix_expect(&j->space, &none, &read, quirks, j->ram);
}

static bool went_through(struct judge *j, const struct trial *t)
{
	struct oracle_result w = way(j, t);

	return t->seen->what == SEEN_OK && w.what == ORACLE_OK &&
	       t->seen->pa == w.pa;
}

static bool is_denied(const struct oracle_result *want)
{
	return want->what == ORACLE_PF && (want->code & 9) == 1;
}

/* SMEP, SMAP or a key denies it, and nothing older does: no flaw of old. */
static bool is_denied_by_new(struct judge *j, const struct trial *t)
{
	struct matrix_controls old = *t->controls;
	struct trial with = *t;

	old.smep = old.smap = old.pke = false;
	with.controls = &old;
	return expect(j, &with, quirks_of(j)).what == ORACLE_OK;
}

/* Rights were granted that the entries deny. */
static bool explain_through(struct judge *j, const struct trial *t,
			    const struct oracle_result *want)
{
	const struct smmu_switches *sw = &j->gen->sw;

	if (!is_denied(want) || !went_through(j, t) || is_denied_by_new(j, t))
		return false;
	if (sw->role_access && sw->wp0_keeps_user && !t->controls->wp &&
	    t->access->user && t->access->write && want->code == 7) {
		j->flaws[MATRIX_FLAW_wp0_user]++;
		return true;
	}
	/* Of the pieces of a large page: what an earlier entry of it granted.
	 */
	if (!sw->role_access ||
	    (!sw->role_large_access && way(j, t).page_size > 4096)) {
		j->flaws[MATRIX_FLAW_rights]++;
		return true;
	}
	return false;
}

/* A write through a large entry that left D as it was. */
static bool explain_dirty(struct judge *j, const struct trial *t,
			  const struct oracle_result *want)
{
	struct matrix_seen dirty = *t->seen;
	struct trial with = *t;

	if (j->gen->sw.role_access || !t->access->write ||
	    want->page_size < 0x200000)
		return false;
	if (want->entry[want->nr_entries - 1].at == matrix_upper_at(&j->space))
		dirty.upper |= 0x40;
	else
		dirty.lower |= 0x40;
	with.seen = &dirty;
	if (!is_same_outcome(want, &dirty) || !entries_fit(j, &with, want))
		return false;
	j->flaws[MATRIX_FLAW_large_dirty]++;
	return true;
}

static bool is_nx_loop(const struct judge *j, const struct trial *t)
{
	return j->gen && !j->gen->sw.role_access && !t->controls->nxe &&
	       t->access->fetch && ((t->pair->upper | t->pair->lower) & NX);
}

static bool explain_endless(struct judge *j, const struct trial *t)
{
	if (t->seen->what != SEEN_ENDLESS || !is_nx_loop(j, t))
		return false;
	j->flaws[MATRIX_FLAW_nx_loop]++;
	return true;
}

static void note_wrong(struct judge *j, const struct trial *t)
{
	struct oracle_result want = expect(j, t, (struct oracle_quirks){false});
	char what[256];

	if (j->wrong++)
		return;
	matrix_describe(&j->space, t->controls, t->pair, t->access, what,
			sizeof(what));
	snprintf(j->first, sizeof(j->first),
		 "%s: seen %d pa 0x%" PRIx64 " code 0x%x upper 0x%" PRIx64
		 " lower 0x%" PRIx64 ", want %d pa 0x%" PRIx64 " code 0x%x",
		 what, (int)t->seen->what, t->seen->pa, t->seen->code,
		 t->seen->upper, t->seen->lower, (int)want.what, want.pa,
		 want.code);
}

void judge_case(struct judge *j, const struct matrix_controls *controls,
		const struct matrix_pair *pair,
		const struct matrix_access *access,
		const struct matrix_seen *seen)
{
	const struct trial t = {controls, pair, access, seen};
	struct oracle_quirks quirks = quirks_of(j);
	struct oracle_result want;

	j->cases++;
	put_pair(j, pair);
	if (fits(j, &t, (struct oracle_quirks){false}))
		return;
	if (j->gen && fits(j, &t, quirks)) {
		count_quirks(j, &t, quirks);
		return;
	}
	if (j->bypass && fits_directly(j, &t)) {
		count_quirks(j, &t, direct_quirks(j));
		return;
	}
	want = expect(j, &t, quirks);
	if (j->gen && (explain_through(j, &t, &want) ||
		       explain_dirty(j, &t, &want) || explain_endless(j, &t)))
		return;
	note_wrong(j, &t);
}

bool judge_leaves_out(struct judge *j, const struct matrix_controls *controls,
		      const struct matrix_pair *pair,
		      const struct matrix_access *access)
{
	const struct trial t = {controls, pair, access, NULL};
	struct oracle_result w;

	if (j->has_devices)
		return false;
	put_pair(j, pair);
	w = expect(j, &t, quirks_of(j));
	if ((w.what != ORACLE_OK || w.pa < MATRIX_RAM) && !is_nx_loop(j, &t))
		return false;
	j->left_out++;
	return true;
}

bool judge_must_show(const struct judge *j, enum matrix_flaw flaw)
{
	const struct smmu_switches *sw = j->gen ? &j->gen->sw : NULL;

	if (!sw)
		return false;
	switch (flaw) {
	case MATRIX_FLAW_reserved:
		return !sw->walk_checks_reserved;
	case MATRIX_FLAW_check_order:
		return !sw->walk_goes_on;
	case MATRIX_FLAW_fetch_bit:
		return !sw->fetch_code_needs_nxe;
	case MATRIX_FLAW_absent_table:
		/* Only reserved bits lead out of memory here. */
		return j->space.mode != ORACLE_32 && !sw->walk_checks_reserved;
	case MATRIX_FLAW_wp0_user:
		/* A table out of sync forgets it at the next root load. */
		return sw->role_access && sw->wp0_keeps_user && !sw->unsync;
	case MATRIX_FLAW_rights:
		/*
		 * 2.6.20 has it by NX alone; so has a vTLB, which forgets it at
		 * each INVLPG.
		 */
		return !sw->role_access && !sw->vtlb &&
		       (sw->pt_write_updates || j->space.mode != ORACLE_32);
	case MATRIX_FLAW_large_dirty:
		return !sw->role_access && sw->spte_accumulates &&
		       j->space.level <= 3;
	case MATRIX_FLAW_nx_loop:
		return !sw->role_access && j->space.mode != ORACLE_32 &&
		       j->space.level <= 3;
	case NR_MATRIX_FLAWS:
		break;
	}
	return false;
}

const char *judge_flaw_name(enum matrix_flaw flaw)
{
	static const char *const names[] = {
#define FLAW(name, what) #name,
#include "flaws.def"
#undef FLAW
	};

	return names[flaw];
}
