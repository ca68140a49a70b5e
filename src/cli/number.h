/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A number typed by a person. */
#ifndef NOTRAP_CLI_NUMBER_H
#define NOTRAP_CLI_NUMBER_H

#include "base/diag.h"
#include "base/types.h"

/* Decimal digits only.  -EINVAL with a line that begins with what it is for. */
int number_parse(const char *what, const char *text, uint64_t max,
		 uint64_t *ret, struct diag *diag);

#endif
