/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of a guest, read once however often it runs: its kernel and what
 * a boot loader puts beside it.
 */
#ifndef NOTRAP_CLI_GUEST_H
#define NOTRAP_CLI_GUEST_H

#include "platform/loader.h"

/* As on the command line; the strings stay the caller's. */
struct guest_request {
	const char *kernel;
	const char *args; /* the kernel's command line, never NULL */
	const char *initrd[LOADER_MODULES]; /* "FILE" or "FILE ARGS" */
	unsigned int nr_initrds;
};

/* -EINVAL with a line: one more than there may be, or no file's name. */
int guest_add_initrd(struct guest_request *request, const char *initrd,
		     struct diag *diag);

struct guest {
	struct boot_files files;
	struct boot_module module[LOADER_MODULES]; /* files.module */
	const char *path;                          /* the kernel's, as given */
	const char *const *initrd;                 /* likewise */
	uint64_t digest;                           /* FNV-64 of the kernel */
	/* Of the modules one after another, and of their arguments; 0: none. */
	uint64_t initrd_digest;
};

/* -errno with a line, and nothing to free.  The guest is not to be moved. */
int guest_read(const struct guest_request *request, struct guest *ret,
	       struct diag *diag);
void guest_free(struct guest *guest);

/* One line: kernel, initrds, command line; or the initrds alone. */
void guest_describe(const struct guest *guest, char *buf, size_t size);
void guest_describe_initrds(const struct guest *guest, char *buf, size_t size);

#endif
