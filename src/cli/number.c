/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int number_parse(const char *what, const char *text, uint64_t max,
		 uint64_t *ret, struct diag *diag)
{
	errno = 0;
	*ret = strtoull(text, NULL, 10);
	if (errno || !*text || text[strspn(text, "0123456789")] || *ret > max)
		return diag_set(diag, -EINVAL,
				"%s %.60s: want a number up to %" PRIu64, what,
				text, max);
	return 0;
}
