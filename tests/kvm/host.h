/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The access matrix on something that runs the access guest and that we have
 * not written: what the tests of each such host share.
 */
#ifndef NOTRAP_TESTS_KVM_HOST_H
#define NOTRAP_TESTS_KVM_HOST_H

#include "batch.h"
#include "judge.h"

struct host {
	/* A new machine with `ram` zeroed; false: `why`. */
	bool (*open)(struct host *h);
	/* Start at ACCESS_LOAD, run to the OUT to port 0xf4; false: `why`. */
	bool (*run)(struct host *h);
	void (*close)(struct host *h);
	/* Undo what this host is known to get wrong; may be NULL. */
	void (*forgive)(const struct matrix_space *space,
			const struct batch_case *c, struct matrix_seen *seen);
	uint8_t *ram; /* MATRIX_RAM bytes, while open */
	char why[256];
};

/* access32.bin and access64.bin; exits if they cannot be read. */
void host_images(const char *path32, const char *path64);

/* Does it run a guest that has nothing to do?  False: h->why. */
bool host_runs(struct host *h, const struct matrix_space *space);

/*
 * About `cases` cases (0: all), as test `number` of a TAP stream.  False if
 * the slow model and the host differ, or the host fails.
 */
bool host_try(struct host *h, const struct matrix_space *space,
	      const char *name, uint64_t cases, unsigned int number);

#endif
