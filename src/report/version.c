/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/version.h"

const char *notrap_version(void)
{
	return NOTRAP_VERSION;
}
