/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/attention.h"

#include <signal.h>
#include <stddef.h>

#include "base/types.h"

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

/* A signal handler has nothing else to write to. */
static volatile sig_atomic_t asked;

static void ask(int sig)
{
	(void)sig;
	asked = 1;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		signal(signals[i], SIG_DFL);
}

const volatile int *attention_begin(void)
{
	struct sigaction action = {.sa_handler = ask, .sa_flags = SA_RESTART};

	/* One at a time: the second one must find the default again. */
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaddset(&action.sa_mask, signals[i]);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		struct sigaction old;

		/* nohup and background jobs of plain shells ignore some. */
		if (!sigaction(signals[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
	return &asked;
}
