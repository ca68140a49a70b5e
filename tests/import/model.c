/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model.h"

#include <string.h>

#include "base/bug.h"

const gva_t region_base[NR_REGIONS] = {
	0x3c0000,
	0x400000,
	UINT64_C(0x7ffff7fc0000),
};

void model_init(struct model *m, uint32_t fault_around)
{
	memset(m, 0, sizeof(*m));
	m->fault_around = fault_around;
	for (int i = 0; i < NR_TASKS; i++)
		m->task[i].space = -1;
}

/* -1: outside, where nothing is ever mapped. */
static int page_at(gva_t gva)
{
	for (int r = 0; r < NR_REGIONS; r++)
		if (gva >= region_base[r] &&
		    gva < region_base[r] + REGION_PAGES * 4096)
			return r * REGION_PAGES +
			       (int)((gva - region_base[r]) / 4096);
	return -1;
}

static uint8_t *state_at(struct model *m, gva_t gva)
{
	int page = page_at(gva);

	BUG_ON(page < 0);
	return &m->page[m->task[m->now].space][page];
}

static bool is_anon(struct model *m, gva_t gva)
{
	return page_at(gva) >= 0 && *state_at(m, gva) >= ANON_RO;
}

/* --- Tasks ---------------------------------------------------------------- */

static bool is_used(const struct model *m, int space)
{
	for (int i = 0; i < NR_TASKS; i++)
		if (m->task[i].space == space)
			return true;
	return false;
}

static int new_space(struct model *m)
{
	int space = 0;

	while (is_used(m, space))
		space++;
	memset(m->page[space], ABSENT, NR_PAGES);
	return space;
}

static void make(struct model *m, uint32_t thread, int space)
{
	m->task[thread].space = space;
	m->task[thread].has_run = false;
}

void model_switch(struct model *m, uint32_t process, uint32_t thread)
{
	if (m->task[thread].space < 0) {
		if (m->task[process].space < 0)
			make(m, process, new_space(m));
		if (process != thread)
			make(m, thread, m->task[process].space);
	} else if (process != thread && m->task[process].space >= 0) {
		m->task[thread].space = m->task[process].space;
	}
	m->now = thread;
	m->task[thread].has_run = true;
}

static void copy_space(struct model *m, int from, int to)
{
	for (int i = 0; i < NR_PAGES; i++) {
		if (m->page[from][i] == ANON_RW)
			m->page[from][i] = ANON_RO;
		m->page[to][i] = m->page[from][i] == ANON_RO ? ANON_RO : ABSENT;
	}
}

void model_clone(struct model *m, uint32_t thread, bool shares_memory)
{
	int parent = m->task[m->now].space, child;

	if (thread == m->now)
		return;
	if (m->task[thread].space >= 0 && !m->task[thread].has_run) {
		if (shares_memory)
			m->task[thread].space = parent;
		return;
	}
	m->task[thread].space = -1;
	child = shares_memory ? parent : new_space(m);
	make(m, thread, child);
	if (!shares_memory)
		copy_space(m, parent, child);
}

void model_exec(struct model *m)
{
	m->task[m->now].space = new_space(m);
}

void model_exit(struct model *m, uint32_t thread)
{
	if (m->task[thread].space < 0)
		return;
	m->task[thread].space = -1;
	m->now = 0;
}

void model_unmap(struct model *m, gva_t gva, uint64_t size)
{
	for (int r = 0; r < NR_REGIONS; r++)
		for (int i = 0; i < REGION_PAGES; i++) {
			gva_t page = region_base[r] + (gva_t)i * 4096;

			if (size && page + 4095 >= gva &&
			    page <= gva + size - 1)
				*state_at(m, page) = ABSENT;
		}
}

/* --- Faults ----------------------------------------------------------------
 */

static void fill_file(struct model *m, gva_t page)
{
	gva_t block = page / 4096 / m->fault_around * m->fault_around * 4096;
	gva_t end = block + m->fault_around * 4096;

	*state_at(m, page) = FILE_PAGE;
	for (gva_t at = page; at < end && !is_anon(m, at); at += 4096)
		*state_at(m, at) = FILE_PAGE;
	for (gva_t at = page; at >= block && !is_anon(m, at); at -= 4096)
		*state_at(m, at) = FILE_PAGE;
}

static void handle(struct model *m, gva_t gva, uint32_t error)
{
	gva_t page = gva & ~(gva_t)4095;

	if (error & 2)
		*state_at(m, page) = ANON_RW;
	else if (error & 16)
		fill_file(m, page);
	else if (is_anon(m, page - 4096) || is_anon(m, page + 4096))
		*state_at(m, page) = ANON_RO;
	else
		fill_file(m, page);
}

/* True: it faulted, and that has been handled. */
static bool reference(struct model *m, gva_t gva, uint32_t access)
{
	uint8_t state = *state_at(m, gva);
	uint32_t error = access | (state != ABSENT);

	if (state == ANON_RW || (state != ABSENT && !(access & 2)))
		return false;
	BUG_ON(m->nr == sizeof(m->fault) / sizeof(m->fault[0]));
	m->fault[m->nr++] = (struct model_fault){gva, error};
	handle(m, gva, error);
	return true;
}

/* First byte, and the first one in the next page if it goes there. */
static bool span(struct model *m, gva_t gva, uint32_t size, uint32_t access)
{
	gva_t next = (gva | 4095) + 1;

	if (reference(m, gva, access))
		return true;
	return gva + size > next && reference(m, next, access);
}

static bool fails(struct model *m, const struct insn *insn)
{
	/* By kind: fetch, read, write. */
	static const uint32_t access[] = {4 | 16, 4, 4 | 2};

	for (uint32_t i = 0; i < insn->nr; i++)
		if (span(m, insn->ref[i].gva, insn->ref[i].size,
			 access[insn->ref[i].kind]))
			return true;
	return false;
}

void model_execute(struct model *m, const struct insn *insn)
{
	while (fails(m, insn))
		;
}

static bool can_happen(uint32_t error)
{
	switch (error) {
	case 0:      /* by the kernel: read */
	case 2:      /* write */
	case 3:      /* copy on write */
	case 4:      /* by the user: read */
	case 6:      /* write */
	case 7:      /* copy on write */
	case 4 | 16: /* fetch */
		return true;
	default:
		return false;
	}
}

void model_fault(struct model *m, gva_t gva, uint32_t error, gva_t rip)
{
	gva_t page = gva & ~(gva_t)4095, code = rip & ~(gva_t)4095;
	uint8_t *state;

	if (!can_happen(error))
		return;
	/* Its code is there, and elsewhere. */
	if (code == page)
		code ^= 4096;
	if ((error & 4) && !(error & 16) && *state_at(m, code) == ABSENT)
		*state_at(m, code) = FILE_PAGE;
	state = state_at(m, page);
	if (!(error & 1))
		*state = ABSENT;
	else if (*state == ABSENT)
		*state = FILE_PAGE;
	else if (*state == ANON_RW)
		*state = ANON_RO;
	BUG_ON(!reference(m, gva, error & ~1u));
}
