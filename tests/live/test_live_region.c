/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * With the search for memory regions led elsewhere Unicorn does all as before:
 * what can be stored to, what is not mapped, what hooks are told.
 */
#include "check.h"

#include "live/hook.h"
#include "live/region.h"
#include "machine.h"

#define RAM_SIZE  UINT64_C(0x10000)
#define READ_ONLY UINT64_C(0x20000)
#define NOTHING   UINT64_C(0x30000)
#define CODE_AT   UINT64_C(0x1000)
#define DATA_AT   UINT64_C(0x8000)

#define ACCESSES_MAX 8

struct rig {
	uc_engine *uc;
	uint8_t *ram, *rom;
	uint64_t told[ACCESSES_MAX];
	unsigned int nr;
};

static void on_access(uc_engine *uc, uc_mem_type type, uint64_t at, int size,
		      int64_t value, void *data)
{
	struct rig *rig = data;

	(void)uc;
	(void)type;
	(void)size;
	(void)value;
	if (rig->nr < ACCESSES_MAX)
		rig->told[rig->nr] = at;
	rig->nr++;
}

/* MOV EAX, [EBX]; MOV [EBX], EAX */
static const uint8_t code[] = {0x8b, 0x03, 0x89, 0x03};

static void rig_init(struct rig *rig, uint32_t rights)
{
	uc_hook hook;

	*rig = (struct rig){.ram = aligned_alloc(PAGE_SIZE, RAM_SIZE),
			    .rom = aligned_alloc(PAGE_SIZE, PAGE_SIZE)};
	memset(rig->ram, 0x11, RAM_SIZE);
	memset(rig->rom, 0x22, PAGE_SIZE);
	memcpy(rig->ram + CODE_AT, code, sizeof(code));
	assert_int_equal(uc_open(UC_ARCH_X86, UC_MODE_32, &rig->uc), 0);
	assert_int_equal(uc_mem_map_ptr(rig->uc, 0, RAM_SIZE, rights, rig->ram),
			 0);
	assert_int_equal(uc_mem_map_ptr(rig->uc, READ_ONLY, PAGE_SIZE,
					UC_PROT_READ, rig->rom),
			 0);
	assert_int_equal(hook_add(rig->uc, UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE,
				  (union hook_fn){.mem = on_access}, rig,
				  &hook),
			 0);
}

static void rig_finish(struct rig *rig)
{
	region_release(rig->uc);
	uc_close(rig->uc);
	free(rig->ram);
	free(rig->rom);
}

static uc_err run_at(struct rig *rig, uint32_t ebx)
{
	rig->nr = 0;
	uc_reg_write(rig->uc, UC_X86_REG_EBX, &ebx);
	return uc_emu_start(rig->uc, CODE_AT, CODE_AT + sizeof(code), 0, 0);
}

static void check_run(struct rig *rig, const char *name)
{
	uint32_t eax = 0;

	check_part(name, "RAM", run_at(rig, DATA_AT), UC_ERR_OK);
	check_part(name, "accesses", rig->nr, 2);
	check_part(name, "the read", rig->told[0], DATA_AT);
	check_part(name, "the write", rig->told[1], DATA_AT);

	check_part(name, "another region", run_at(rig, READ_ONLY),
		   UC_ERR_WRITE_PROT);
	uc_reg_read(rig->uc, UC_X86_REG_EAX, &eax);
	check_part(name, "what it holds", eax, 0x22222222);

	check_part(name, "the end of RAM", run_at(rig, RAM_SIZE - 4),
		   UC_ERR_OK);
	check_part(name, "behind it", run_at(rig, RAM_SIZE),
		   UC_ERR_READ_UNMAPPED);
	check_part(name, "nothing", run_at(rig, NOTHING), UC_ERR_READ_UNMAPPED);
}

/* In this Unicorn the pointer is there: or recordings have become slower. */
static void test_held(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, UC_PROT_ALL);
	check_run(&rig, "before");
	assert_true(region_hold(rig.uc, RAM_SIZE));
	check_run(&rig, "held");
	region_release(rig.uc);
	check_run(&rig, "released");
	assert_true(region_hold(rig.uc, RAM_SIZE));
	check_run(&rig, "held again");
	rig_finish(&rig);
}

/* The first is not answered with the second's region. */
static void test_two_engines(void **state)
{
	struct rig first, second;

	(void)state;
	rig_init(&first, UC_PROT_ALL);
	rig_init(&second, UC_PROT_READ | UC_PROT_EXEC);
	assert_true(region_hold(first.uc, RAM_SIZE));
	assert_true(region_hold(second.uc, RAM_SIZE));
	check_run(&first, "first");
	check_eq("the second's memory", run_at(&second, DATA_AT),
		 UC_ERR_WRITE_PROT);
	rig_finish(&second);
	check_run(&first, "first, alone");
	rig_finish(&first);
}

/* Two regions: what lies in the second would be taken for the first. */
static void test_not_one(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, UC_PROT_ALL);
	assert_false(region_hold(rig.uc, READ_ONLY + PAGE_SIZE));
	assert_false(region_hold(rig.uc, NOTHING));
	check_run(&rig, "not held");
	rig_finish(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_two_engines),
		cmocka_unit_test(test_not_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
