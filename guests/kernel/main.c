/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the loader left, and the start of everything else.
 */
#include "kernel/cmdline.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/experiment.h"
#include "kernel/features.h"
#include "kernel/frame.h"
#include "kernel/paging.h"
#include "kernel/proc.h"
#include "kernel/report.h"
#include "kernel/tables.h"
#include "kernel/timer.h"

#define MB_LOADED   0x2badb002u /* what a multiboot loader leaves in EAX */
#define MB_HAS_MEM  0x1u
#define MB_HAS_LINE 0x4u
#define MB_HAS_MODS 0x8u
#define LINE_MAX    1024
#define UPPER_START 0x100000ull /* "upper" memory begins at 1 MiB */

/* The head of the multiboot information structure. */
struct multiboot_info {
	u32 flags;
	u32 mem_lower; /* KiB */
	u32 mem_upper; /* KiB behind 1 MiB */
	u32 boot_device;
	u32 cmdline;
	u32 mods_count;
	u32 mods_addr;
};

struct multiboot_module {
	u32 start;
	u32 end;
	u32 args;
	u32 reserved;
};

static char line[LINE_MAX];

_Noreturn void kmain(u32 magic, u32 info_pa); /* called by boot.S */

static void copy_line(u32 pa)
{
	const char *from = p2v(pa);

	if (pa >= RAM_MAX)
		machine_refused("the command line lies above 1 GiB");
	if (strlen(from) >= sizeof(line)) {
		print("the command line is too long\n");
		machine_exit(EXIT_USAGE);
	}
	memcpy(line, from, strlen(from));
}

/* A line for each: that it came whole can be seen by its sum. */
static void print_modules(const struct multiboot_info *info)
{
	const struct multiboot_module *module = p2v(info->mods_addr);

	for (u32 i = 0; i < info->mods_count; i++, module++) {
		const u8 *data = p2v(module->start);
		const char *args = p2v(module->args);
		u32 size = module->end - module->start, sum = 0;

		if (module->end >= RAM_MAX)
			machine_refused("a module lies above 1 GiB");
		for (u32 at = 0; at < size; at++)
			sum = sum * 31 + data[at];
		print("module %llu bytes sum 0x%llx%s%s\n", (u64)size, (u64)sum,
		      *args ? " " : "", args);
	}
}

/* Gives the end of RAM.  The loader's memory is free after this. */
static u64 read_multiboot(u32 magic, u32 info_pa)
{
	const struct multiboot_info *info = p2v(info_pa);

	if (magic != MB_LOADED)
		machine_refused("not started by a multiboot loader");
	if (info_pa >= RAM_MAX)
		machine_refused("the multiboot information lies above 1 GiB");
	if (!(info->flags & MB_HAS_MEM))
		machine_refused("the loader does not tell the memory size");
	if (info->flags & MB_HAS_LINE)
		copy_line(info->cmdline);
	if (info->flags & MB_HAS_MODS)
		print_modules(info);
	return UPPER_START + (u64)info->mem_upper * 1024;
}

/* An upper bound of the frames a workload has in use at any time. */
static u64 frames_needed(const struct config *config)
{
	const u64 *val = config->val;
	const u64 basics = 64; /* tables, stacks, two processes */

	switch (config->workload) {
	case WORK_TOUCH:
		return basics + val[KEY_PAGES] + val[KEY_PAGES] / TABLE_LEN;
	case WORK_FORK:
		return basics + val[KEY_PAGES] + val[KEY_SIZE] +
		       (val[KEY_PAGES] + val[KEY_SIZE]) / (TABLE_LEN / 2);
	case WORK_SWITCH:
		return basics + 2 * (val[KEY_PAGES] - 1) +
		       val[KEY_PAGES] / (TABLE_LEN / 2);
	case WORK_STRIDE:
		return basics + val[KEY_PAGES] + val[KEY_PAGES] / TABLE_LEN;
	case WORK_MIXED:
		return basics + val[KEY_PROCS] * 160;
	default:
		return basics;
	}
}

static void init_memory(u64 ram_end, struct config *config)
{
	extern const char _end[];
	u64 end = ram_end < RAM_MAX ? ram_end : RAM_MAX;

	if (!frames_init((uptr)_end - KERNEL_BASE, end))
		machine_refused("not enough memory");
	kernel_map_init(end, config->val[KEY_DIRECT] == DIRECT_2M);
	if (config->val[KEY_WARM] == WARM_AUTO)
		config->val[KEY_WARM] = frames_needed(config);
	config->val[KEY_WARM] = frames_warm(config->val[KEY_WARM]);
}

static struct program program_of(const struct config *config)
{
	const u64 *val = config->val;

	switch (config->workload) {
	case WORK_TOUCH:
		return (struct program){
			PROG_TOUCH,
			{val[KEY_PAGES],
			 (val[KEY_RW] == RW_READ ? TOUCH_READ : 0) |
				 (val[KEY_BY] == BY_KERNEL ? TOUCH_KERNEL : 0) |
				 (val[KEY_POPULATE] ? TOUCH_POPULATE : 0),
			 val[KEY_AGAIN]}};
	case WORK_FORK:
		return (struct program){
			val[KEY_EXEC] ? PROG_FORK_EXEC : PROG_FORK,
			{val[KEY_PROCS], val[KEY_PAGES], val[KEY_SIZE]}};
	case WORK_SWITCH:
		return (struct program){PROG_SWITCH,
					{val[KEY_ROUNDS], val[KEY_PAGES]}};
	case WORK_STRIDE:
		return (struct program){
			PROG_STRIDE,
			{val[KEY_PAGES], val[KEY_STRIDE], val[KEY_ROUNDS]}};
	case WORK_MMAP:
		return (struct program){PROG_MMAP, {val[KEY_ROUNDS]}};
	case WORK_MIXED:
		return (struct program){
			PROG_MIXED,
			{val[KEY_SEED], val[KEY_ROUNDS], val[KEY_PROCS]}};
	case WORK_RIGHTS:
		return (struct program){PROG_RIGHTS,
					{paging.features, val[KEY_ROUNDS]}};
	case WORK_SPIN:
		return (struct program){PROG_SPIN, {0}};
	default:
		return (struct program){PROG_HELLO, {0}};
	}
}

static const char *mode_name(void)
{
	switch (paging.levels) {
	case 2:
		return "32-bit paging";
	case 3:
		return "pae";
	case 4:
		return "long mode";
	default:
		return "long mode, 5 levels";
	}
}

/* Its experiments are with wide entries, four levels of them. */
static void run_tables(u64 rounds)
{
#if MINI_LEVELS == 4
	if (paging.levels == 4)
		tables_run(rounds);
#endif
	(void)rounds;
	machine_refused("tables is for mode=64");
}

_Noreturn void kmain(u32 magic, u32 info_pa)
{
	struct config config = {0};
	struct program program;
	u64 ram_end;

	cpu_init();
	ram_end = read_multiboot(magic, info_pa);
	cmdline_parse(line, &config);
	if (config.workload == WORK_FORK &&
	    config.val[KEY_SIZE] < config.val[KEY_PAGES])
		config.val[KEY_SIZE] = config.val[KEY_PAGES];
	features_init(&config);
	init_memory(ram_end, &config);
	timer_init(config.val[KEY_HZ], config.val[KEY_TIMER] == TIMER_APIC);
	print("%s: %llu MiB, %llu free frames\n", mode_name(), ram_end >> 20,
	      frames_available());
	cmdline_print(&config);

	if (config.workload == WORK_TRIPLE)
		experiment_triple();
	if (config.workload == WORK_WILD)
		experiment_wild();
	if (config.workload == WORK_ABSENT)
		experiment_absent(ram_end);
	if (config.workload == WORK_TABLES)
		run_tables(config.val[KEY_ROUNDS]);
	program = program_of(&config);
	proc_start(&program);
}
