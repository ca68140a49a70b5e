/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The phases guest on the real KVM, with KVM's own counters read at the marks
 * around each phase.
 *
 *     kvm_phases PHASES.ELF
 *
 * One JSON object a phase, one a line: its name, the page faults the guest
 * counted by error code, and each counter of KVM's that changed, by how much.
 * Exit status: 0 done, 1 the guest failed, 77 there is no KVM to ask; with a
 * line that says why.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "platform/loader.h"
#include "stats.h"
#include "vm.h"

#define RAM_SIZE    0x800000
#define RUN_SECONDS 60

#define UART_DATA 0x3f8
#define UART_LSR  0x3fd
#define LSR_READY 0x60
#define EXIT_PORT 0xf4

#define SKIP 77

static struct vm vm;
static struct kvm_stats stats;

struct session {
	uint64_t *before; /* a phase; by the order of stats.list */
	int64_t *change;
	char line[256]; /* the console's last, not yet ended */
	size_t len;
};

static bool load(const char *path, struct boot_state *boot)
{
	struct boot_files files = {.cmdline = ""};
	struct diag diag = {0};
	int err = image_read(path, &files.kernel, &diag);

	if (!err) {
		err = loader_load(&files, vm.ram, vm.ram_size, boot, &diag);
		image_free(&files.kernel);
	}
	if (err)
		fprintf(stderr, "kvm_phases: %s\n", diag.msg);
	return !err;
}

static void mark(struct session *s, uint32_t value)
{
	if (!stats_read(&stats))
		return;
	for (size_t i = 0; i < stats.nr; i++) {
		uint64_t now = stats.list[i].value;

		if (value == GUEST_REGION_BEGINS)
			s->before[i] = now;
		else
			s->change[i] = (int64_t)(now - s->before[i]);
	}
}

/* "phase NAME CODE=COUNT ..." of the guest's. */
static void tell_phase(struct session *s)
{
	const char *sep = "";
	char *word = strtok(s->line, " ");

	word = strtok(NULL, " ");
	printf("{\"phase\": \"%s\", \"faults\": {", word);
	while ((word = strtok(NULL, " "))) {
		char *count = strchr(word, '=');

		if (!count)
			continue;
		*count++ = '\0';
		printf("%s\"%s\": %s", sep, word, count);
		sep = ", ";
	}
	printf("}, \"kvm\": {");
	sep = "";
	for (size_t i = 0; i < stats.nr; i++) {
		if (!s->change[i])
			continue;
		printf("%s\"%s\": %" PRId64, sep, stats.list[i].name,
		       s->change[i]);
		sep = ", ";
	}
	printf("}}\n");
}

static void put_char(struct session *s, char c)
{
	if (c != '\n') {
		if (s->len + 1 < sizeof(s->line))
			s->line[s->len++] = c;
		return;
	}
	s->line[s->len] = '\0';
	s->len = 0;
	if (!strncmp(s->line, "phase ", 6))
		tell_phase(s);
	else
		fprintf(stderr, "guest: %s\n", s->line);
}

static int run(struct session *s)
{
	for (;;) {
		struct vm_exit exit = vm_run(&vm, RUN_SECONDS);

		if (exit.end == VM_IN) {
			vm_answer(&vm, exit.port == UART_LSR ? LSR_READY : 0);
		} else if (exit.end != VM_OUT) {
			fprintf(stderr, "kvm_phases: the guest ended by %d\n",
				exit.end);
			return 1;
		} else if (exit.port == EXIT_PORT) {
			return exit.value ? 1 : 0;
		} else if (exit.port == UART_DATA) {
			put_char(s, (char)exit.value);
		} else if (exit.port == GUEST_MARKER_PORT) {
			mark(s, exit.value);
		}
	}
}

static int session(const char *path)
{
	struct session s = {
		.before = calloc(stats.nr, sizeof(*s.before)),
		.change = calloc(stats.nr, sizeof(*s.change)),
	};
	struct boot_state boot;
	int ret = 1;

	if (s.before && s.change && load(path, &boot)) {
		vm_start(&vm, boot.entry, boot.eax, boot.ebx);
		ret = run(&s);
	}
	free(s.before);
	free(s.change);
	return ret;
}

int main(int argc, char **argv)
{
	const char *why;
	int ret;

	if (argc != 2) {
		fprintf(stderr, "usage: kvm_phases PHASES.ELF\n");
		return 2;
	}
	if (!vm_open(&vm, RAM_SIZE, &why)) {
		fprintf(stderr, "kvm_phases: %s\n", why);
		return SKIP;
	}
	if (!stats_open(&stats, vm.vm, vm.vcpu)) {
		fprintf(stderr, "kvm_phases: no KVM_GET_STATS_FD\n");
		vm_close(&vm);
		return SKIP;
	}
	ret = session(argv[1]);
	stats_close(&stats);
	vm_close(&vm);
	return ret;
}
