/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "oracle.h"

#include <stddef.h>

/* Bits hi to lo, none if hi is the lower one. */
static uint64_t ones(int hi, int lo)
{
	uint64_t mask = 0;

	for (int bit = lo; bit <= hi; bit++)
		mask += (uint64_t)1 << bit;
	return mask;
}

static bool bit(uint64_t value, int number)
{
	return (value >> number) % 2 == 1;
}

static bool is_long(enum oracle_mode mode)
{
	return mode == ORACLE_4LEVEL || mode == ORACLE_5LEVEL;
}

/* The way down ---------------------------------------------------------- */

/* How a mode cuts a linear address, top table first. */
struct stage {
	int level, low_bit, index_bits, entry_bytes;
};

static const struct stage stages_32[] = {{2, 22, 10, 4}, {1, 12, 10, 4}, {0}};
static const struct stage stages_pae[] = {{2, 21, 9, 8}, {1, 12, 9, 8}, {0}};
static const struct stage stages_5[] = {{5, 48, 9, 8}, {4, 39, 9, 8},
					{3, 30, 9, 8}, {2, 21, 9, 8},
					{1, 12, 9, 8}, {0}};

static const struct stage *stages_of(enum oracle_mode mode)
{
	switch (mode) {
	case ORACLE_32:
		return stages_32;
	case ORACLE_PAE:
		return stages_pae;
	case ORACLE_4LEVEL:
		return stages_5 + 1;
	case ORACLE_5LEVEL:
		return stages_5;
	default:
		return NULL;
	}
}

struct step {
	struct stage stage;
	uint64_t at, entry;
	bool maps; /* a page: nothing below it */
};

struct way {
	struct step step[ORACLE_ENTRIES];
	int n;
};

static bool entry_maps(const struct oracle_cpu *cpu, int level, uint64_t entry)
{
	switch (level) {
	case 1:
		return true;
	case 2: /* CR4.PSE is of 32-bit paging alone */
		return bit(entry, 7) && (cpu->mode != ORACLE_32 || cpu->pse);
	case 3:
		return bit(entry, 7) && cpu->has_1g;
	default:
		return false;
	}
}

static uint64_t next_table(const struct oracle_cpu *cpu, uint64_t entry)
{
	return entry & (cpu->mode == ORACLE_32 ? ones(31, 12) : ones(51, 12));
}

/* As far as present entries lead, whatever else they say. */
static struct way follow(const struct oracle_cpu *cpu, uint64_t table,
			 uint64_t va)
{
	struct way way = {.n = 0};
	const struct stage *stage = stages_of(cpu->mode);

	for (; stage->level; stage++) {
		struct step *step = &way.step[way.n++];
		uint64_t index = va >> stage->low_bit;

		index &= ones(stage->index_bits - 1, 0);
		step->stage = *stage;
		step->at = table + index * (uint64_t)stage->entry_bytes;
		step->entry =
			cpu->read(cpu->memory, step->at, stage->entry_bytes);
		step->maps = entry_maps(cpu, stage->level, step->entry);
		if (!bit(step->entry, 0) || step->maps)
			break;
		table = next_table(cpu, step->entry);
	}
	return way;
}

/* Reserved bits ---------------------------------------------------------- */

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

static uint64_t reserved_bits_32(const struct oracle_cpu *cpu,
				 const struct step *step)
{
	/* PSE-36: bits 20:13 are 39:32 of the address, as many as there are. */
	if (step->maps && step->stage.level == 2)
		return ones(21, smaller(40, cpu->maxphyaddr) - 32 + 13);
	return 0;
}

static uint64_t reserved_bits(const struct oracle_cpu *cpu,
			      const struct step *step)
{
	int level = step->stage.level;
	uint64_t bits = 0;

	if (cpu->mode == ORACLE_32)
		return reserved_bits_32(cpu, step);

	bits |= ones(51, cpu->maxphyaddr);
	if (cpu->mode == ORACLE_PAE)
		bits |= ones(62, 52);
	if (!cpu->nxe)
		bits |= ones(63, 63);
	if (level >= 3 && !step->maps) /* a level-3 entry with PS, no 1G: */
		bits |= ones(7, 7);
	if (step->maps && level == 2)
		bits |= ones(20, 13);
	if (step->maps && level == 3)
		bits |= ones(29, 13);
	return bits;
}

/* Rights ----------------------------------------------------------------- */

/* All that the rules of the manual speak of. */
struct question {
	const struct oracle_cpu *cpu;
	bool user_access; /* "user-mode access" */
	bool write, fetch;
	bool explicit_ac;
	bool user_address;                        /* U/S is 1 in every entry */
	bool writable;                            /* R/W is 1 in every entry */
	bool execute_disabled;                    /* XD is 1 in some entry */
	bool key_denies_access, key_denies_write; /* PKRU: AD, WD */
};

static bool user_of_supervisor_page(const struct question *q)
{
	return q->user_access && !q->user_address;
}

static bool user_write_of_read_only(const struct question *q)
{
	return q->user_access && q->write && !q->writable;
}

static bool supervisor_write_of_read_only(const struct question *q)
{
	return !q->user_access && q->write && !q->writable && q->cpu->wp;
}

static bool fetch_of_execute_disable(const struct question *q)
{
	return q->fetch && q->execute_disabled && q->cpu->nxe &&
	       q->cpu->mode != ORACLE_32;
}

static bool smep_forbids(const struct question *q)
{
	return !q->user_access && q->fetch && q->user_address && q->cpu->smep;
}

static bool smap_forbids(const struct question *q)
{
	return !q->user_access && !q->fetch && q->user_address &&
	       q->cpu->smap && !q->explicit_ac;
}

static bool protection_key_forbids(const struct question *q)
{
	if (!q->cpu->pke || !is_long(q->cpu->mode))
		return false;
	if (q->fetch || !q->user_address)
		return false;
	if (q->key_denies_access)
		return true;
	return q->key_denies_write && q->write &&
	       (q->user_access || q->cpu->wp);
}

static bool (*const forbidding[])(const struct question *q) = {
	user_of_supervisor_page,
	user_write_of_read_only,
	supervisor_write_of_read_only,
	fetch_of_execute_disable,
	smep_forbids,
	smap_forbids,
	protection_key_forbids,
};

static bool is_forbidden(const struct question *q)
{
	for (size_t i = 0; i < sizeof(forbidding) / sizeof(*forbidding); i++)
		if (forbidding[i](q))
			return true;
	return false;
}

static bool is_user_access(const struct oracle_access *access)
{
	return access->cpl == 3 && !access->implicit;
}

static struct question question_about(const struct oracle_cpu *cpu,
				      const struct oracle_access *access,
				      const struct way *way)
{
	uint64_t key = way->step[way->n - 1].entry >> 59 & 15;
	struct question q = {
		.cpu = cpu,
		.user_access = is_user_access(access),
		.write = access->write,
		.fetch = access->fetch,
		.explicit_ac = access->ac && !access->implicit,
		.user_address = true,
		.writable = true,
		.key_denies_access = bit(cpu->pkru, (int)(2 * key)),
		.key_denies_write = bit(cpu->pkru, (int)(2 * key + 1)),
	};

	for (int i = 0; i < way->n; i++) {
		uint64_t entry = way->step[i].entry;

		q.user_address = q.user_address && bit(entry, 2);
		q.writable = q.writable && bit(entry, 1);
		q.execute_disabled = q.execute_disabled || bit(entry, 63);
	}
	return q;
}

/* Outcome ---------------------------------------------------------------- */

/* W/R, U/S and I/D: what the code says of the access alone. */
static uint32_t code_of(const struct oracle_cpu *cpu,
			const struct oracle_access *access)
{
	bool nx_on = cpu->nxe && cpu->mode != ORACLE_32;
	uint32_t code = 0;

	if (access->write)
		code += 2;
	if (is_user_access(access))
		code += 4;
	if (access->fetch && (nx_on || cpu->smep || cpu->quirks.id_always))
		code += 16;
	return code;
}

static struct oracle_result fault(struct oracle_result r,
				  const struct oracle_cpu *cpu,
				  const struct oracle_access *access,
				  uint32_t more)
{
	r.what = ORACLE_PF;
	r.code = code_of(cpu, access) + more;
	r.cr2 = access->va;
	r.reserved = more & 8;
	/* The processor may have noted that it used the entries above. */
	for (int i = 0; i + 1 < r.nr_entries; i++)
		r.entry[i].may = 0x20;
	return r;
}

static struct oracle_result success(struct oracle_result r,
				    const struct step *last,
				    const struct oracle_cpu *cpu,
				    const struct oracle_access *access)
{
	uint64_t offset = ones(last->stage.low_bit - 1, 0);
	uint64_t frame = last->entry & ones(51, last->stage.low_bit);

	if (cpu->mode == ORACLE_32 && last->stage.level == 2)
		frame += (last->entry & ones(20, 13)) << (32 - 13);
	r.what = ORACLE_OK;
	r.pa = frame + (access->va & offset);
	r.page_size = offset + 1;
	for (int i = 0; i < r.nr_entries; i++)
		r.entry[i].set = 0x20;
	if (access->write)
		r.entry[r.nr_entries - 1].set += 0x40;
	return r;
}

/* Only entries down to the first that ends the walk were met. */
static void meet(struct oracle_result *r, const struct step *step)
{
	r->level = step->stage.level;
	r->entry[r->nr_entries++] = (struct oracle_entry){
		.at = step->at,
		.bytes = step->stage.entry_bytes,
		.was = step->entry,
	};
}

/* Would this entry's rights alone refuse the access? */
static bool refuses_at_once(const struct oracle_cpu *cpu,
			    const struct oracle_access *access,
			    const struct step *step)
{
	const struct way alone = {.step = {*step}, .n = 1};
	struct question q = question_about(cpu, access, &alone);

	return user_of_supervisor_page(&q) || user_write_of_read_only(&q) ||
	       supervisor_write_of_read_only(&q) ||
	       fetch_of_execute_disable(&q);
}

/* PK in a code that was made before the leaf was read: as of the whole way. */
static uint32_t key_code(const struct oracle_cpu *cpu,
			 const struct oracle_access *access,
			 const struct way *way)
{
	struct question q = question_about(cpu, access, way);

	for (int i = 0; i < way->n; i++)
		if (!bit(way->step[i].entry, 0) ||
		    (way->step[i].entry & reserved_bits(cpu, &way->step[i])))
			return 0;
	return protection_key_forbids(&q) ? 32 : 0;
}

static struct oracle_result judge(const struct oracle_cpu *cpu,
				  const struct oracle_access *access,
				  const struct way *way)
{
	struct oracle_result r = {.nr_entries = 0};
	struct question q;

	for (int i = 0; i < way->n; i++) {
		const struct step *step = &way->step[i];

		meet(&r, step);
		if (!bit(step->entry, 0))
			return fault(r, cpu, access, 0);
		if (!cpu->quirks.no_reserved &&
		    (step->entry & reserved_bits(cpu, step)))
			return fault(r, cpu, access, 1 + 8);
		if (cpu->quirks.rights_first &&
		    refuses_at_once(cpu, access, step))
			return fault(r, cpu, access,
				     1 + key_code(cpu, access, way));
	}
	q = question_about(cpu, access, way);
	if (is_forbidden(&q))
		return fault(r, cpu, access,
			     1 + (protection_key_forbids(&q) ? 32u : 0));
	return success(r, &way->step[way->n - 1], cpu, access);
}

static bool is_canonical_for(enum oracle_mode mode, uint64_t va)
{
	int top = mode == ORACLE_5LEVEL ? 56 : 47;
	uint64_t high = va & ones(63, top);

	return high == 0 || high == ones(63, top);
}

struct oracle_result oracle_translate(const struct oracle_cpu *cpu,
				      const struct oracle_access *access)
{
	struct oracle_access a = *access;
	struct oracle_result r = {.nr_entries = 0};
	uint64_t table = cpu->cr3;
	struct way way;

	if (is_long(cpu->mode) && !is_canonical_for(cpu->mode, a.va)) {
		r.what = ORACLE_GP;
		return r;
	}
	if (!is_long(cpu->mode))
		a.va %= (uint64_t)1 << 32;
	if (cpu->mode == ORACLE_OFF) {
		r.pa = a.va;
		return r;
	}
	if (cpu->mode == ORACLE_PAE) {
		table = cpu->pdpte[a.va >> 30];
		r.level = 3;
		if (!bit(table, 0))
			return fault(r, cpu, &a, 0);
	}
	way = follow(cpu, next_table(cpu, table), a.va);
	return judge(cpu, &a, &way);
}

bool oracle_pdpte_loads(const struct oracle_cpu *cpu, uint64_t pdpte)
{
	uint64_t reserved = ones(2, 1) + ones(8, 5) + ones(63, cpu->maxphyaddr);

	return !bit(pdpte, 0) || !(pdpte & reserved);
}

bool oracle_entry_may_be(const struct oracle_entry *entry, uint64_t now)
{
	uint64_t want = entry->was | entry->set;

	return ((now ^ want) & ~(entry->may & ~entry->was)) == 0;
}
