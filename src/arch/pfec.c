/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/pfec.h"

#include <stdio.h>

#include "arch/paging.h"

void pfec_text(uint32_t pfec, char *buf, size_t size)
{
	snprintf(buf, size, "%s, %s, %s%s%s",
		 pfec & PFEC_P ? "protection" : "not present",
		 pfec & PFEC_ID  ? "fetch"
		 : pfec & PFEC_W ? "write"
				 : "read",
		 pfec & PFEC_U ? "user" : "kernel",
		 pfec & PFEC_RSVD ? ", reserved bit" : "",
		 pfec & PFEC_PK ? ", protection key" : "");
}
