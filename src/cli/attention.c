/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/attention.h"

#include <signal.h>
#include <stddef.h>
#include <sys/time.h>
#include <time.h>

#include "base/types.h"

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

/* A signal handler has nothing else to write to. */
static volatile sig_atomic_t asked;

/* CLOCK_MONOTONIC; an alarm of an earlier timeout comes before it. */
static struct timespec deadline;

static void ask(int sig)
{
	(void)sig;
	asked = ATTENTION_STOP;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		signal(signals[i], SIG_DFL);
}

const volatile int *attention_begin(void)
{
	struct sigaction action = {.sa_handler = ask, .sa_flags = SA_RESTART};

	/* One at a time: the second one must find the default again. */
	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		struct sigaction old;

		/* nohup and background jobs of plain shells ignore some. */
		if (!sigaction(signals[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
	return &asked;
}

static bool is_over(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > deadline.tv_sec ||
	       (now.tv_sec == deadline.tv_sec &&
		now.tv_nsec >= deadline.tv_nsec);
}

static void time_out(int sig)
{
	(void)sig;
	if (!asked && is_over())
		asked = ATTENTION_TIMEOUT;
}

void attention_timeout(unsigned int seconds)
{
	struct sigaction action = {.sa_handler = time_out,
				   .sa_flags = SA_RESTART};
	const struct itimerval timer = {
		/* Once more each second, so that no alarm is too early. */
		.it_interval = {.tv_sec = seconds ? 1 : 0},
		.it_value = {.tv_sec = seconds},
	};
	sigset_t all, old;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	if (asked == ATTENTION_TIMEOUT)
		asked = ATTENTION_NONE;
	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += seconds;
	action.sa_mask = all;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	sigprocmask(SIG_SETMASK, &old, NULL);
}
