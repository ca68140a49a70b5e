/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/gnuplot.h"

#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* -d: the user's own settings would show in the image. */
static int spawn(int in, int out, int errors, pid_t *ret)
{
	static char name[] = "gnuplot", defaults[] = "-d", standard[] = "-";
	char *argv[] = {name, defaults, standard, NULL};
	posix_spawn_file_actions_t actions;
	int err;

	err = posix_spawn_file_actions_init(&actions);
	if (err)
		return -err;
	err = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, out,
						       STDOUT_FILENO);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, errors,
						       STDERR_FILENO);
	if (!err)
		err = posix_spawnp(ret, name, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -err;
}

/* The line that tells most of what gnuplot said: its last. */
static void last_line(FILE *errors, char *buf, size_t size)
{
	char line[200];

	snprintf(buf, size, "it said nothing");
	rewind(errors);
	while (fgets(line, sizeof(line), errors)) {
		char *text = line + strspn(line, " \t\r\n");

		text[strcspn(text, "\r\n")] = 0;
		if (*text)
			snprintf(buf, size, "%s", text);
	}
}

static int wait_for(pid_t pid, FILE *errors, struct diag *diag)
{
	char said[200];
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return diag_set(diag, -errno, "waiting for gnuplot: %s",
					strerror(errno));
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	if (WIFSIGNALED(status))
		return diag_set(diag, -EPROTO, "gnuplot was ended by signal %d",
				WTERMSIG(status));
	last_line(errors, said, sizeof(said));
	return diag_set(diag, -EPROTO, "gnuplot failed: %s", said);
}

int gnuplot_run(FILE *script, FILE *image, struct diag *diag)
{
	FILE *errors = tmpfile();
	pid_t pid;
	int err;

	if (!errors)
		return diag_set(diag, -EIO, "no temporary file: %s",
				strerror(errno));
	if (fflush(script) || fseek(script, 0, SEEK_SET) || fflush(image)) {
		err = diag_set(diag, -EIO, "cannot hand over a script: %s",
			       strerror(errno));
		goto close_errors;
	}
	err = spawn(fileno(script), fileno(image), fileno(errors), &pid);
	if (err == -ENOENT)
		err = diag_set(diag, -ESRCH,
			       "gnuplot is not there: install it (Debian: "
			       "apt-get install gnuplot-nox)");
	else if (err)
		err = diag_set(diag, -EIO, "cannot run gnuplot: %s",
			       strerror(-err));
	else
		err = wait_for(pid, errors, diag);
close_errors:
	fclose(errors);
	return err;
}
