/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Run gnuplot on a script and take the image it draws. */
#ifndef NOTRAP_CLI_GNUPLOT_H
#define NOTRAP_CLI_GNUPLOT_H

#include <stdio.h>

#include "base/diag.h"

/*
 * script is read from its start; the image goes to image's descriptor, from
 * where that stands.  -ESRCH: there is no gnuplot; -EPROTO: it failed; others:
 * the host's trouble; all with a line.
 */
int gnuplot_run(FILE *script, FILE *image, struct diag *diag);

#endif
