/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/progress.h"

#include <time.h>
#include <unistd.h>

#define SECOND    UINT64_C(1000000000)
#define PERIOD    (SECOND / 10)
#define BAR_WIDTH 20
#define LABEL_MAX 26 /* letters of it that are shown */

static uint64_t host_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

void progress_begin(struct progress *progress, FILE *out, const char *label,
		    uint64_t total)
{
	*progress = (struct progress){
		.out = out,
		.is_terminal = isatty(fileno(out)) == 1,
		.label = label,
		.unit = "insns",
		.total = total,
		.began = host_ns(),
	};
}

void progress_hide(struct progress *progress)
{
	if (!progress->is_shown)
		return;
	fputs("\r\033[K", progress->out);
	fflush(progress->out);
	progress->is_shown = false;
}

static void rate_text(const struct progress *progress, double rate, char *buf,
		      size_t size)
{
	snprintf(buf, size, "%.1f M %s/s", rate / 1e6, progress->unit);
}

void progress_line(const struct progress *progress, uint64_t done,
		   double seconds, char *buf, size_t size)
{
	double rate = seconds > 0 ? (double)done / seconds : 0;
	const char *gap = *progress->label ? " " : "";
	char bar[BAR_WIDTH + 1], speed[48];
	unsigned int left;
	double part;

	rate_text(progress, rate, speed, sizeof(speed));
	if (!progress->total) {
		snprintf(buf, size, "%.*s%s%c %.0f M %s, %s", LABEL_MAX,
			 progress->label, gap, "|/-\\"[progress->turns % 4],
			 (double)done / 1e6, progress->unit, speed);
		return;
	}
	part = (double)done / (double)progress->total;
	part = part < 1 ? part : 1;
	for (int i = 0; i < BAR_WIDTH; i++)
		bar[i] = i < (int)(part * BAR_WIDTH) ? '#' : '.';
	bar[BAR_WIDTH] = 0;
	left = rate > 0 ? (unsigned int)((1 - part) * (double)progress->total /
					 rate)
			: 0;
	snprintf(buf, size, "%.*s%s[%s] %3.0f%%, %s, %u:%02u left", LABEL_MAX,
		 progress->label, gap, bar, 100 * part, speed, left / 60,
		 left % 60);
}

void progress_update(struct progress *progress, uint64_t done)
{
	uint64_t now = host_ns();
	char line[256];

	if (!progress->is_terminal || now - progress->began < SECOND ||
	    now - progress->last_shown < PERIOD)
		return;
	progress_line(progress, done,
		      (double)(now - progress->began) / (double)SECOND, line,
		      sizeof(line));
	fprintf(progress->out, "\r\033[K%.*s", 78, line);
	fflush(progress->out);
	progress->is_shown = true;
	progress->last_shown = now;
	progress->turns++;
}

void progress_show(void *progress, uint64_t done, uint64_t total)
{
	struct progress *p = progress;

	p->total = total;
	progress_update(p, done);
}
