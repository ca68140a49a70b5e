/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/paging.h"

const char *paging_mode_name(enum paging_mode mode)
{
	static const char *const names[NR_PAGING_MODES] = {
		[PAGING_OFF] = "off",        [PAGING_32] = "32-bit",
		[PAGING_PAE] = "PAE",        [PAGING_4LEVEL] = "4-level",
		[PAGING_5LEVEL] = "5-level",
	};

	return names[mode];
}
