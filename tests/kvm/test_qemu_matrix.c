/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The access matrix on QEMU's own processor (TCG), where it is installed: the
 * second opinion on the slow model in what this machine's KVM has not got, and
 * on the access guest.  Each run is a QEMU whose memory is a file shared with
 * us and whose firmware is a few bytes that lead to the guest.
 *
 *     test_qemu_matrix QEMU ACCESS32.BIN ACCESS64.BIN [CASES]
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

#define FIRMWARE_SIZE 0x10000
#define RUN_SECONDS   600

#define A  ((uint64_t)0x20)
#define PS ((uint64_t)0x80)

static const struct {
	enum oracle_mode mode;
	const char *name;
	int level;
} tables[] = {
	{ORACLE_32, "32-bit", 1},       {ORACLE_PAE, "PAE", 1},
	{ORACLE_4LEVEL, "4 levels", 1}, {ORACLE_4LEVEL, "4 levels", 2},
	{ORACLE_4LEVEL, "4 levels", 3}, {ORACLE_5LEVEL, "5 levels", 1},
	{ORACLE_5LEVEL, "5 levels", 4},
};
#define NR_TABLES (sizeof(tables) / sizeof(tables[0]))

static const char *program;
static int ram_fd, firmware_fd;

static int temporary(size_t size)
{
	char name[] = "/tmp/notrap-matrix-XXXXXX";
	int fd = mkstemp(name);

	if (fd < 0)
		return -1;
	unlink(name);
	if (ftruncate(fd, (off_t)size)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* From the reset vector into 32-bit protected mode and to ACCESS_LOAD. */
static bool write_firmware(int fd)
{
	static const uint8_t start[] = {
		0xfa,                                     /* cli */
		0x2e, 0x66, 0x0f, 0x01, 0x16, 0x40, 0xff, /* lgdt %cs:0xff40 */
		0x0f, 0x20, 0xc0,                         /* mov %cr0, %eax */
		0x0c, 0x01,                               /* or $1, %al */
		0x0f, 0x22, 0xc0,                         /* mov %eax, %cr0 */
		0x66, 0xea, 0x20, 0xff, 0x0f, 0x00, 0x08, 0x00, /* ljmp */
	};
	static const uint8_t start32[] = {
		0x66, 0xb8, 0x10, 0x00,             /* mov $0x10, %ax */
		0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0, /* to %ds, %es, %ss */
		0xb8, 0x00, 0x00, 0x10, 0x00,       /* mov $ACCESS_LOAD, %eax */
		0xff, 0xe0,                         /* jmp *%eax */
	};
	static const uint8_t pointer[] = {0x17, 0, 0x50, 0xff, 0x0f, 0};
	static const uint64_t gdt[] = {0, 0x00cf9b000000ffff,
				       0x00cf93000000ffff};
	static const uint8_t reset[] = {0xe9, 0x0d, 0xff}; /* jmp 0xff00 */
	uint8_t rom[FIRMWARE_SIZE] = {0};

	memcpy(rom + 0xff00, start, sizeof(start));
	memcpy(rom + 0xff20, start32, sizeof(start32));
	memcpy(rom + 0xff40, pointer, sizeof(pointer));
	memcpy(rom + 0xff50, gdt, sizeof(gdt));
	memcpy(rom + 0xfff0, reset, sizeof(reset));
	return pwrite(fd, rom, sizeof(rom), 0) == sizeof(rom);
}

static bool qemu_open(struct host *h)
{
	ram_fd = temporary(MATRIX_RAM);
	firmware_fd = temporary(FIRMWARE_SIZE);
	h->ram = mmap(NULL, MATRIX_RAM, PROT_READ | PROT_WRITE, MAP_SHARED,
		      ram_fd, 0);
	if (h->ram != MAP_FAILED && write_firmware(firmware_fd))
		return true;
	snprintf(h->why, sizeof(h->why), "no memory to share: %s",
		 strerror(errno));
	return false;
}

static void exec_qemu(void)
{
	char backend[128], firmware[64];

	snprintf(backend, sizeof(backend),
		 "memory-backend-file,id=ram,size=16M,share=on,"
		 "mem-path=/proc/self/fd/%d",
		 ram_fd);
	snprintf(firmware, sizeof(firmware), "/proc/self/fd/%d", firmware_fd);
	alarm(RUN_SECONDS);
	execlp(program, program, "-nodefaults", "-display", "none",
	       "-no-reboot", "-accel", "tcg", "-cpu", "max,phys-bits=40", "-m",
	       "16M", "-object", backend, "-machine", "pc,memory-backend=ram",
	       "-bios", firmware, "-device",
	       "isa-debug-exit,iobase=0xf4,iosize=4", (char *)NULL);
	_exit(127);
}

static bool qemu_run(struct host *h)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid)
		exec_qemu();
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		snprintf(h->why, sizeof(h->why), "%s", strerror(errno));
		return false;
	}
	/* isa-debug-exit: 2 * value + 1. */
	if (WIFEXITED(status) && (WEXITSTATUS(status) & 1))
		return true;
	snprintf(h->why, sizeof(h->why), "QEMU ended with status 0x%x",
		 (unsigned int)status);
	return false;
}

static void qemu_close(struct host *h)
{
	munmap(h->ram, MATRIX_RAM);
	close(ram_fd);
	close(firmware_fd);
}

/*
 * Where QEMU (7.2) is wrong, by the SDM and, for the first, by the real KVM:
 * P is missing in the code where it finds a reserved bit, and A of a 1 GiB
 * entry is set before its rights are looked at.
 */
static void qemu_forgive(const struct matrix_space *space,
			 const struct batch_case *c, struct matrix_seen *seen)
{
	if (seen->what != SEEN_FAULT)
		return;
	if (seen->code & 8)
		seen->code |= 1;
	if (space->level == 2 && (c->pair.upper & PS))
		seen->upper &= ~A | (c->pair.upper & A);
	if (space->level == 3 && (c->pair.lower & PS))
		seen->lower &= ~A | (c->pair.lower & A);
}

int main(int argc, char **argv)
{
	uint64_t cases = argc > 4 ? strtoull(argv[4], NULL, 0) : 2000;
	struct host qemu = {.open = qemu_open,
			    .run = qemu_run,
			    .close = qemu_close,
			    .forgive = qemu_forgive};
	bool ok = true;

	if (argc < 4)
		return 2;
	program = argv[1];
	host_images(argv[2], argv[3]);
	if (!*program) {
		printf("1..0 # SKIP qemu-system-x86_64 is not installed\n");
		return 0;
	}
	printf("1..%zu\n", NR_TABLES);
	fflush(stdout);
	for (unsigned int i = 0; i < NR_TABLES; i++) {
		const struct matrix_space space = {
			.mode = tables[i].mode,
			.level = tables[i].level,
			.maxphyaddr = 40,
			.has_1g = true,
			.has_smep = true,
			.has_smap = true,
			.has_pku = true,
		};

		ok &= host_try(&qemu, &space, tables[i].name, cases, i + 1);
	}
	return ok ? 0 : 1;
}
