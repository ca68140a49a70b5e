/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The phases guest: user code touches pages, the kernel's fault handler and
 * the kernel itself change their entries, one plain step at a time, so that
 * what a shadow MMU does at each step can be counted by itself, here and under
 * a KVM.  README.md, "phases.elf", lists the phases.
 *
 * Everything but the phases themselves is mini's: trap.S, cpu.c, console.c.
 * The user is a process of mini's kind, but for that it only ever runs when
 * user_call() has it run, to the UD2 at the end of its function.
 */
#include "common/abi.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/trap.h"
#include "kernel/x86.h"
#include "phases/layout.h"

#define MB_LOADED   0x2badb002u /* what a multiboot loader leaves in EAX */
#define MB_HAS_MEM  0x1u
#define MB_HAS_LINE 0x4u

#define A_BEGIN TEST
#define B_BEGIN (TEST + HALF * PAGE_SIZE)
#define B_END   (B_BEGIN + HALF * PAGE_SIZE)

#define REWRITTEN   64 /* entries of the table */
#define REDIRECTED  8  /* entries of the directory */
#define FAULT_CODES 64
#define VEC_UD      6

/* The head of the multiboot information structure. */
struct multiboot_info {
	u32 flags;
	u32 mem_lower; /* KiB */
	u32 mem_upper; /* KiB behind 1 MiB */
	u32 boot_device;
	u32 cmdline;
};

/* boot.S */
extern const char user_code[], user_read[], user_write[], user_rewrite[];
extern volatile u64 phases_root[], table_test[];
/* trap.S */
void switch_stack(uptr *save_sp, uptr load_sp);

_Noreturn void phases_main(u32 magic, u32 info_pa); /* called by boot.S */

static u64 faults[FAULT_CODES]; /* of the phase, by error code */
static u64 fresh_bits;          /* A, D of an entry that the handler makes */

static uptr kernel_sp_saved, user_sp_saved;
static u64 user_result;
static u8 user_stack[4096] __attribute__((aligned(16))); /* in the kernel */

static _Noreturn void failed(const char *why)
{
	print("FAILED %s\n", why);
	machine_exit(EXIT_FAILED);
}

/* --- Entries ------------------------------------------------------------- */

static u64 fresh_entry(u64 i)
{
	return (TEST_FRAMES + i * PAGE_SIZE) | PTE_P | PTE_W | PTE_U;
}

static void reload(void)
{
	write_cr3((uptr)phases_root);
}

static void unmap_b(void)
{
	for (u64 i = HALF; i < 2 * HALF; i++) {
		table_test[i] = 0;
		invlpg(TEST + i * PAGE_SIZE);
	}
}

static void map_b(void)
{
	for (u64 i = HALF; i < 2 * HALF; i++)
		table_test[i] = fresh_entry(i) | PTE_A | PTE_D;
}

/* As fork() does: one flush behind it. */
static void protect_b(void)
{
	for (u64 i = HALF; i < 2 * HALF; i++)
		table_test[i] &= ~(u64)PTE_W;
	reload();
}

/* --- Traps --------------------------------------------------------------- */

static _Noreturn void unexpected(const struct trap_frame *frame, u64 cr2)
{
	print("exception %llu error 0x%llx rip 0x%016llx cr2 0x%016llx\n",
	      (u64)frame->vector, (u64)frame->error, (u64)frame->ip, cr2);
	machine_exit(EXIT_EXCEPTION);
}

static void user_is_over(const struct trap_frame *frame)
{
	user_result = frame->rax;
	switch_stack(&user_sp_saved, kernel_sp_saved);
}

/* Demand paging, and what copy on write ends with. */
static void page_fault(const struct trap_frame *frame, u64 cr2)
{
	u64 i = (cr2 - TEST) / PAGE_SIZE;

	if (cr2 < B_BEGIN || cr2 >= B_END || frame->error >= FAULT_CODES)
		unexpected(frame, cr2);
	faults[frame->error]++;
	if (!(table_test[i] & PTE_P)) {
		table_test[i] = fresh_entry(i) | fresh_bits;
	} else if (!(table_test[i] & PTE_W)) {
		table_test[i] |= PTE_W | PTE_A | PTE_D;
		invlpg(cr2);
	} else {
		failed("a page fault that the entry does not explain");
	}
}

void trap_handle(struct trap_frame *frame)
{
	u64 cr2 = read_cr2();

	if (frame->vector == VEC_PF && frame_is_user(frame))
		page_fault(frame, cr2);
	else if (frame->vector == VEC_UD && frame_is_user(frame))
		user_is_over(frame);
	else
		unexpected(frame, cr2);
}

/* Nobody makes one: not every KVM gets them right. */
void syscall_handle(struct trap_frame *frame)
{
	unexpected(frame, 0);
}

/* --- User code ----------------------------------------------------------- */

/* Run one of boot.S's user functions to its end. */
static u64 user_call(const char *function, u64 va, u64 count)
{
	extern const char trap_return[];
	struct trap_frame *frame =
		(struct trap_frame *)(user_stack + sizeof(user_stack)) - 1;
	uptr *sp = (uptr *)frame;

	*frame = (struct trap_frame){
		.rdi = va,
		.rsi = count,
		.ip = USER_CODE + (u64)(function - user_code),
		.cs = USER_CS,
		.flags = RFLAGS_1,
		.ss = USER_DS,
	};
	*--sp = (uptr)trap_return;
	sp -= SWITCH_REGISTERS;
	switch_stack(&kernel_sp_saved, (uptr)sp);
	return user_result;
}

static u64 bytes_written(void)
{
	u64 sum = 0;

	for (u64 i = 1; i <= HALF; i++)
		sum += i & 0xff;
	return sum;
}

static void read_pages(u64 va, u64 sum)
{
	if (user_call(user_read, va, HALF) != sum)
		failed("the pages do not hold what was written");
}

static void write_pages(u64 va)
{
	user_call(user_write, va, HALF);
}

/* --- The phases ---------------------------------------------------------- */

static void read_fresh(void)
{
	read_pages(A_BEGIN, 0);
}

static void read_a(void)
{
	read_pages(A_BEGIN, bytes_written());
}

static void read_b(void)
{
	read_pages(B_BEGIN, bytes_written());
}

static void write_a(void)
{
	write_pages(A_BEGIN);
}

static void write_b(void)
{
	write_pages(B_BEGIN);
}

static void reload_and_write(void)
{
	reload();
	write_a();
}

static void reload_and_read(void)
{
	reload();
	read_a();
}

static void bits_of_write(void)
{
	fresh_bits = PTE_A | PTE_D;
}

static void bits_of_read(void)
{
	fresh_bits = PTE_A;
}

static void unmap_for_no_bits(void)
{
	unmap_b();
	fresh_bits = 0;
}

static void unmap_and_reload(void)
{
	unmap_b();
	reload();
}

static void rewrite_table(void)
{
	user_call(user_rewrite, ALIAS_TABLE, REWRITTEN);
}

static void use_spare(void)
{
	user_call(user_read, SPARE, 1);
}

static void rewrite_directory(void)
{
	user_call(user_rewrite, ALIAS_DIRECTORY, REDIRECTED);
}

static void nothing(void)
{
}

static const struct phase {
	const char *name;
	void (*prepare)(void); /* before the mark: not counted */
	void (*run)(void);
} phases[] = {
	{"first-read", reload, read_fresh},
	{"read-again", nothing, read_fresh},
	{"first-write", nothing, write_a},
	{"write-again", nothing, write_a},
	{"reload-write", nothing, reload_and_write},
	{"demand-write", bits_of_write, write_b},
	{"unmap", nothing, unmap_b},
	{"demand-read", bits_of_read, read_b},
	{"then-write", nothing, write_b},
	{"protect", nothing, protect_b},
	{"copy", nothing, write_b},
	{"demand-no-bits", unmap_for_no_bits, write_b},
	{"map", unmap_and_reload, map_b},
	{"read-mapped", nothing, read_b},
	{"rewrite", reload, rewrite_table},
	{"rewrite-again", nothing, rewrite_table},
	{"reload-read", nothing, reload_and_read},
	{"rewrite-after", nothing, rewrite_table},
	{"directory", use_spare, rewrite_directory},
	{"use-directory", nothing, use_spare},
};
#define NR_PHASES ARRAY_LEN(phases)

static void print_phase(const struct phase *phase)
{
	print("phase %s", phase->name);
	for (u64 code = 0; code < FAULT_CODES; code++)
		if (faults[code])
			print(" 0x%llx=%llu", code, faults[code]);
	print("\n");
}

static void run_phase(const struct phase *phase, bool marked)
{
	phase->prepare();
	memset(faults, 0, sizeof(faults));
	if (marked)
		console_mark(MARK_BEGIN);
	phase->run();
	if (marked)
		console_mark(MARK_END);
	print_phase(phase);
}

static void use_pages(volatile char *begin, const volatile char *end,
		      bool write)
{
	for (volatile char *p = begin; p < end; p += PAGE_SIZE) {
		char c = *p;

		if (write)
			*p = c;
	}
}

/* The kernel's own pages are used once, but for the page tables. */
static void warm_up(void)
{
	extern volatile char image_begin[], tables_begin[], tables_end[];
	extern volatile char image_end[];

	use_pages(image_begin, tables_begin, false);
	use_pages(tables_end, image_end, true);
	user_call(user_read, USER_CODE, 1);
}

/* --- The command line ---------------------------------------------------- */

/* A word in front that looks like a file name is the image's. */
static const char *skip_image(const char *line)
{
	const char *p = line;
	bool image = false;

	for (; *p && *p != ' '; p++)
		image |= *p == '/';
	while (image && *p == ' ')
		p++;
	return image ? p : line;
}

/* What follows "phase=", "" if that is not there; NULL: all of them. */
static const char *wanted_phase(const struct multiboot_info *info)
{
	static const char key[] = "phase=";
	const char *line;

	if (!(info->flags & MB_HAS_LINE))
		return NULL;
	line = skip_image((const char *)(uptr)info->cmdline);
	if (!*line)
		return NULL;
	for (size_t i = 0; key[i]; i++)
		if (line[i] != key[i])
			return "";
	return line + sizeof(key) - 1;
}

static bool is_phase(const char *name)
{
	for (size_t i = 0; i < NR_PHASES; i++)
		if (str_equal(phases[i].name, name))
			return true;
	return false;
}

static _Noreturn void say_which(void)
{
	print("the command line is phase=NAME, one of\n");
	for (size_t i = 0; i < NR_PHASES; i++)
		print("%s\n", phases[i].name);
	machine_exit(EXIT_USAGE);
}

_Noreturn void phases_main(u32 magic, u32 info_pa)
{
	const struct multiboot_info *info = (void *)(uptr)info_pa;
	const char *wanted;

	if (magic != MB_LOADED || !(info->flags & MB_HAS_MEM) ||
	    0x100000 + info->mem_upper * 1024ull < RAM_NEEDED)
		machine_exit(EXIT_MACHINE);
	wanted = wanted_phase(info);
	if (wanted && !is_phase(wanted))
		say_which();
	cpu_init();
	cpu_set_kernel_stack((uptr)(user_stack + sizeof(user_stack)));
	warm_up();
	for (size_t i = 0; i < NR_PHASES; i++) {
		bool last = wanted && str_equal(phases[i].name, wanted);

		run_phase(&phases[i], !wanted || last);
		if (last)
			break;
	}
	machine_exit(EXIT_OK);
}
