/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ChampSim's traces, a record an instruction, little-endian:
 *
 *                      champsim   champsim-cloudsuite
 *   ip                 0          0                    u64
 *   is_branch, taken   8          8                    u8 each
 *   registers          10, 2 + 4  10, 4 + 4            u8 each
 *   addresses written  16, 2      24, 4                u64 each, 0: none
 *   addresses read     32, 4      56, 4
 *   address space      -          88                   u16
 *   size               64         96
 *
 * There are no sizes in it.  An instruction is as long as the next one is
 * ahead, if that is possible and it does not jump, else 4 bytes; data are 8
 * bytes.  Neither is made to cross into another page by that.
 */
#include "import/formats.h"
#include "import/insns.h"
#include "trace/le.h"

#define INSN_SIZE     4
#define INSN_SIZE_MAX 15
#define DATA_SIZE     8

#define BLOCK 4096

struct layout {
	uint8_t size, written, nr_written, read, nr_read, space; /* 0: none */
};

static uint32_t within_page(gva_t gva, uint32_t size)
{
	return (uint32_t)min_u64(size, PAGE_SIZE - (gva & PAGE_MASK));
}

/* The last instruction gets its length; `next` comes after it, 0: unknown. */
static inline void end_insn(struct import *import, gva_t next)
{
	struct guest_ref *last = insns_last(import);
	uint64_t ahead;

	if (!last || last->size)
		return;
	ahead = next - last->gva;
	last->size = ahead - 1 < INSN_SIZE_MAX
			     ? (uint32_t)ahead
			     : within_page(last->gva, INSN_SIZE);
}

static int flush(struct import *import, struct diag *diag)
{
	end_insn(import, 0);
	return insns_flush(import, diag);
}

specialised const char *flaw_of(const uint8_t *record, const struct layout *l)
{
	gva_t ip = get_le64(record), all = ip;

	for (unsigned int i = 0; i < l->nr_written; i++)
		all |= get_le64(record + l->written + 8 * i);
	for (unsigned int i = 0; i < l->nr_read; i++)
		all |= get_le64(record + l->read + 8 * i);
	if (!ip)
		return "no instruction pointer";
	if (all >= GUEST_USER_END)
		return "an address that is none of user code";
	if ((record[8] | record[9]) > 1)
		return "is_branch or branch_taken is neither 0 nor 1";
	return NULL;
}

specialised bool is_written(const uint8_t *record, const struct layout *l,
			    gva_t gva)
{
	bool found = false;

	for (unsigned int i = 0; i < l->nr_written; i++)
		found |= get_le64(record + l->written + 8 * i) == gva;
	return found;
}

/* Loads, then stores; what is read and written is one write. */
specialised int add_data(struct import *import, const uint8_t *record,
			 const struct layout *l, struct diag *diag)
{
	int err = 0;

	for (unsigned int i = 0; i < l->nr_read && !err; i++) {
		gva_t gva = get_le64(record + l->read + 8 * i);

		if (gva && !is_written(record, l, gva))
			err = insns_data(import, TRACE_READ, gva,
					 within_page(gva, DATA_SIZE), diag);
	}
	for (unsigned int i = 0; i < l->nr_written && !err; i++) {
		gva_t gva = get_le64(record + l->written + 8 * i);

		if (gva)
			err = insns_data(import, TRACE_WRITE, gva,
					 within_page(gva, DATA_SIZE), diag);
	}
	return err;
}

/* What comes next in another address space tells nothing of the last one. */
static int enter(struct import *import, const uint8_t *space, struct diag *diag)
{
	uint32_t process = (uint32_t)space[0] + ((uint32_t)space[1] << 8) + 1;
	int err;

	if (process == import->thread)
		return 0;
	import->thread = process;
	err = flush(import, diag);
	return err ? err : guest_switch(import->guest, process, process, diag);
}

/* Of a record that has no flaw. */
specialised int take_good(struct import *import, const uint8_t *record,
			  const struct layout *l, struct diag *diag)
{
	gva_t ip = get_le64(record);
	uint32_t size = record[8] & record[9] ? within_page(ip, INSN_SIZE) : 0;
	int err = 0;

	import->records++;
	if (l->space)
		err = enter(import, record + l->space, diag);
	end_insn(import, ip);
	if (!err)
		err = insns_fetch(import, ip, size, diag);
	return err ? err : add_data(import, record, l, diag);
}

static int take(struct import *import, const uint8_t *record,
		const struct layout *l, struct diag *diag)
{
	const char *flaw = flaw_of(record, l);

	if (flaw)
		return text_malformed(import->text, flaw, diag);
	return take_good(import, record, l, diag);
}

specialised int take_block(struct import *import, const struct layout *l,
			   struct diag *diag)
{
	const uint8_t *record;
	size_t nr = text_records(import->text, l->size, &record), taken = 0;
	int err = 0;

	for (; taken < min_u64(nr, BLOCK) && !err; record += l->size, taken++) {
		if (flaw_of(record, l))
			break;
		err = take_good(import, record, l, diag);
	}
	text_records_taken(import->text, l->size, taken);
	return err;
}

static const struct layout plain = {64, 16, 2, 32, 4, 0};
static const struct layout cloudsuite = {96, 24, 4, 56, 4, 88};

static int plain_record(struct import *import, const uint8_t *record,
			struct diag *diag)
{
	return take(import, record, &plain, diag);
}

static int plain_block(struct import *import, struct diag *diag)
{
	return take_block(import, &plain, diag);
}

static int cloudsuite_record(struct import *import, const uint8_t *record,
			     struct diag *diag)
{
	return take(import, record, &cloudsuite, diag);
}

static int cloudsuite_block(struct import *import, struct diag *diag)
{
	return take_block(import, &cloudsuite, diag);
}

const struct import_format import_champsim = {
	.name = "champsim",
	.what = "ChampSim's trace, records of 64 bytes",
	.record_size = 64,
	.record = plain_record,
	.block = plain_block,
	.end = flush,
};

const struct import_format import_champsim_cloudsuite = {
	.name = "champsim-cloudsuite",
	.what = "ChampSim's trace with address spaces, records of 96 bytes",
	.has_tasks = true,
	.record_size = 96,
	.record = cloudsuite_record,
	.block = cloudsuite_block,
	.end = flush,
};
