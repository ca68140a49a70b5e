/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole path on a real guest: live, VMX model and shadow MMU together.
 *
 * usage: bench_guest MINI_ELF
 *
 * Each figure is the difference between a long and a short run of the same
 * workload, so that start-up, boot and the hashing of memory cancel out; the
 * best of several rounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/machine.h"

#define ROUNDS 5

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fail(const char *line)
{
	fprintf(stderr, "bench_guest: %s\n", line);
	exit(1);
}

/* Seconds of the best of ROUNDS runs. */
static double seconds(struct guest *guest, const char *args,
		      const struct config *config)
{
	double best = 1e9;

	guest->files.cmdline = args;
	for (int i = 0; i < ROUNDS; i++) {
		struct report *report = report_create();
		struct machine_request request = {
			.guest = guest,
			.config = config,
		};
		struct machine_end end;
		struct diag diag;
		double start = now();

		if (!report || machine_run(&request, report, &end, &diag))
			fail(diag.msg);
		if (!end.ok)
			fail(end.line);
		start = now() - start;
		best = start < best ? start : best;
		report_destroy(report);
	}
	return best;
}

static void set(struct config *config, const char *key, const char *value)
{
	struct diag diag;

	if (config_set(config, key, value, &diag))
		fail(diag.msg);
}

/*
 * A hidden page fault, from Unicorn's #PF to the retry.  79 page tables under
 * a budget of 64 shadow pages: each round of the touches finds its table
 * recycled, so there is one fill a page and round, and nothing else.
 */
static void bench_fill(struct guest *guest)
{
	const double pages = 40000, rounds = 10;
	struct config config;
	double few, many, fill;

	config_init(&config);
	set(&config, "memory", "256M");
	set(&config, "shadow-pages", "64");
	few = seconds(guest, "touch pages=40000 again=2 hz=0", &config);
	many = seconds(guest, "touch pages=40000 again=12 hz=0", &config);
	fill = (many - few) / (pages * rounds) * 1e9;
	printf("fill     %5.0f ns a page fault handled, with 76 instructions "
	       "of the guest (%.2f of the goal of 1500)\n",
	       fill, fill / 1500);
}

/*
 * One more fresh page, all in: guest fault and its delivery through the IDT,
 * the kernel's handler, which clears the page, PT write, IRET, retry; and the
 * host's own first touch of the memory.
 */
static void bench_touch(struct guest *guest, const char *mmu,
			const char *bypass)
{
	struct config config;
	double few, many;

	config_init(&config);
	set(&config, "mmu", mmu);
	set(&config, "bypass", bypass);
	few = seconds(guest, "touch pages=1000 hz=0 warm=8192", &config);
	many = seconds(guest, "touch pages=7000 hz=0 warm=8192", &config);
	printf("touch    %5.0f ns a fresh page, mmu=%s bypass=%s\n",
	       (many - few) / 6000 * 1e9, mmu, bypass);
}

/* CR_ACCESS: a switch is two MOV to CR3 and a good part of a kernel. */
static void bench_switch(struct guest *guest)
{
	struct config config;
	double few, many;

	config_init(&config);
	few = seconds(guest, "switch rounds=1000 hz=0", &config);
	many = seconds(guest, "switch rounds=11000 hz=0", &config);
	printf("switch   %5.0f ns a MOV to CR3, system call and yield "
	       "included\n",
	       (many - few) / 20000 * 1e9);
}

int main(int argc, char **argv)
{
	struct guest_request request = {.args = ""};
	struct guest guest;
	struct diag diag;

	if (argc != 2)
		fail("usage: bench_guest MINI_ELF");
	request.kernel = argv[1];
	if (guest_read(&request, &guest, &diag))
		fail(diag.msg);
	bench_fill(&guest);
	bench_touch(&guest, "kvm-2.6.20", "off");
	bench_touch(&guest, "kvm-2.6.24", "off");
	bench_touch(&guest, "kvm-2.6.25", "on");
	bench_switch(&guest);
	guest_free(&guest);
	return 0;
}
