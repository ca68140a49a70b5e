/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page-table entries as the trace has them, and the kernel's stack. */
#include <stdlib.h>
#include <string.h>

#include "rig.h"

#define FRAMES 8192

struct memory {
	uint64_t *table[FRAMES];
	gpa_t cr3;
};

static void put_item(struct memory *m, const struct trace_item *item)
{
	uint64_t **table = &m->table[item->gpa >> PAGE_SHIFT];

	if (item->kind == TRACE_ITEM_EVENT && item->event.kind == GE_CR_WRITE) {
		m->cr3 = item->event.value;
	} else if (item->kind == TRACE_ITEM_TABLE) {
		free(*table);
		*table = malloc(PAGE_SIZE);
		assert_non_null(*table);
		memcpy(*table, item->table, PAGE_SIZE);
	} else if (item->kind == TRACE_ITEM_TABLE_WRITE) {
		memcpy((char *)*table + (item->gpa & PAGE_MASK), item->bytes,
		       item->size);
	}
}

/* The leaf entry as the trace has it at its end, in the last CR3. */
static uint64_t entry_of(const char *path, gva_t gva)
{
	struct memory m = {0};
	struct tape tape;
	uint64_t entry;

	rig_read(path, &tape);
	for (size_t i = 0; i < tape.nr; i++)
		if (!tape.entries[i].is_ref)
			put_item(&m, &tape.entries[i].item);
	entry = m.cr3;
	for (int level = 4; level; level--) {
		const uint64_t *table =
			m.table[(entry & PTE_ADDR) >> PAGE_SHIFT];

		assert_non_null(table);
		entry = table[pt_index(gva, level)];
	}
	for (size_t i = 0; i < FRAMES; i++)
		free(m.table[i]);
	tape_finish(&tape);
	return entry;
}

static void nothing(struct rig *rig)
{
	(void)rig;
}

static void read_data(struct rig *rig)
{
	rig_use(rig, DATA, false);
}

static void write_data(struct rig *rig)
{
	rig_use(rig, DATA, true);
}

/* Beside anonymous memory. */
static void zero_read(struct rig *rig)
{
	write_data(rig);
	rig_use(rig, DATA - PAGE_SIZE, false);
}

static void forked(struct rig *rig)
{
	zero_read(rig);
	rig_clone(rig, 2, false);
}

/* A walk of that table: it is told. */
static void forked_child(struct rig *rig)
{
	forked(rig);
	rig_switch(rig, 2, 2);
	rig_use(rig, DATA + PAGE_SIZE, true);
}

static void child_gone(struct rig *rig)
{
	forked(rig);
	rig_exit(rig, 2);
	rig_switch(rig, 1, 1);
}

static void written_by_child(struct rig *rig)
{
	forked(rig);
	rig_switch(rig, 2, 2);
	write_data(rig);
}

static void copied(struct rig *rig)
{
	rig_fault(rig, DATA, PFEC_P | PFEC_W | PFEC_U, CODE);
}

static void kernel_wrote(struct rig *rig)
{
	rig_fault(rig, DATA, PFEC_W, UINT64_MAX);
}

#define READ_ONLY (PTE_P | PTE_U)
#define FULL      (PTE_P | PTE_U | PTE_W | PTE_A | PTE_D)

/* As Linux writes them; a child has not used what it got. */
static const struct {
	const char *name;
	void (*then)(struct rig *rig);
	gva_t gva;
	uint64_t want;
} entries[] = {
	{"written", write_data, DATA, FULL},
	{"of a file", read_data, DATA, READ_ONLY | PTE_A},
	{"fetched", nothing, CODE, READ_ONLY | PTE_A},
	{"zero page", zero_read, DATA - PAGE_SIZE, READ_ONLY | PTE_A},
	{"parent's", forked, DATA, READ_ONLY | PTE_A | PTE_D},
	{"parent's zero page", forked, DATA - PAGE_SIZE, READ_ONLY | PTE_A},
	{"child's", forked_child, DATA, READ_ONLY | PTE_D},
	{"after the child", child_gone, DATA, READ_ONLY | PTE_A | PTE_D},
	{"written by the child", written_by_child, DATA, FULL},
	{"copied for a log", copied, DATA, FULL},
	{"written by the kernel", kernel_wrote, DATA, FULL},
};

static void entries_are_those(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		const struct guest_options options = rig_options(TRACE_PAGES);
		uint64_t got;
		struct rig rig;

		rig_open(&rig, "entries", &options);
		rig_switch(&rig, 1, 1);
		rig_use(&rig, CODE, false);
		entries[i].then(&rig);
		rig_close(&rig, NULL);
		got = entry_of(rig.path, entries[i].gva) & ~PTE_ADDR;
		if (got != entries[i].want)
			fail_msg("%s: got 0x%llx, want 0x%llx", entries[i].name,
				 (unsigned long long)got,
				 (unsigned long long)entries[i].want);
		scratch_remove();
	}
}

/* A fault of the kernel's is delivered below what the system call saved. */
static void kernel_stack(void **state)
{
	const struct guest_options options = rig_options(TRACE_FULL);
	const struct trace_ref *last = NULL;
	struct tape tape;
	struct rig rig;
	bool below = false;

	(void)state;
	rig_open(&rig, "stack", &options);
	rig_switch(&rig, 1, 1);
	kernel_wrote(&rig);
	rig_close(&rig, NULL);
	rig_read(rig.path, &tape);
	for (size_t i = 0; i < tape.nr; i++) {
		const struct trace_ref *ref = &tape.entries[i].ref;

		if (!tape.entries[i].is_ref || ref->kind != TRACE_WRITE ||
		    ref->user || ref->gva < UINT64_C(0xffffffff80000000))
			continue;
		if (ref->implicit && last && !last->implicit &&
		    (ref->gva ^ last->gva) <= PAGE_MASK)
			below = ref->gva < last->gva;
		last = ref;
	}
	assert_true(below);
	tape_finish(&tape);
	scratch_remove();
}

/* IRET takes what the delivery has put there, but the error code. */
static void return_takes_the_frame(void **state)
{
	const struct guest_options options = rig_options(TRACE_FULL);
	gva_t pushed[6] = {0}, popped[5] = {0};
	uint32_t nr_pushed = 0, nr_popped = 0;
	struct tape tape;
	struct rig rig;

	(void)state;
	rig_open(&rig, "frame", &options);
	rig_switch(&rig, 1, 1);
	rig_use(&rig, CODE, false); /* one fault */
	rig_close(&rig, NULL);
	rig_read(rig.path, &tape);
	for (size_t i = 0; i < tape.nr; i++) {
		const struct tape_entry *e = &tape.entries[i];

		if (!e->is_ref && e->item.event.kind == GE_RETRY)
			break;
		if (e->is_ref && e->ref.implicit && e->ref.kind == TRACE_WRITE)
			pushed[nr_pushed++ % 6] = e->ref.gva;
		if (e->is_ref && !e->ref.implicit && e->ref.kind == TRACE_READ)
			popped[nr_popped++ % 5] = e->ref.gva;
	}
	assert_int_equal(nr_pushed, 6);
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(popped[(nr_popped + i) % 5], pushed[4 - i]);
	tape_finish(&tape);
	scratch_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_those),
		cmocka_unit_test(kernel_stack),
		cmocka_unit_test(return_takes_the_frame),
	};

	return cmocka_run_group_tests_name("import_entries", tests, NULL, NULL);
}
