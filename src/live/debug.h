/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The debug registers.  SDM vol. 3B, "Debug Registers".
 *
 * Modelled: breakpoints on instructions, general detect, single step, DR4 and
 * DR5.  Left out: breakpoints on data and I/O, which never come.
 */
#ifndef NOTRAP_LIVE_DEBUG_H
#define NOTRAP_LIVE_DEBUG_H

#include "live/vcpu.h"

#define DR6_B        BITS(3, 0)
#define DR6_BD       BIT(13)
#define DR6_BS       BIT(14)
#define DR6_WRITABLE (DR6_B | BITS(15, 13))
#define DR6_ONES     (BITS(31, 16) | BITS(11, 4))
#define DR7_GD       BIT(13)
#define DR7_WRITABLE (BITS(9, 0) | DR7_GD | BITS(31, 16))
#define DR7_ONES     BIT(10)

/* Is register i (0..3) armed by this DR7, and for instructions? */
static inline bool debug_is_code(uint64_t dr7, unsigned int i)
{
	return (dr7 >> 2 * i & 3) && !(dr7 >> (16 + 4 * i) & 3);
}

/* DR6's bits of the breakpoints on an instruction at this linear address. */
static inline uint64_t debug_code_hits(const struct vcpu *vcpu, gva_t pc)
{
	uint64_t hits = 0;

	if (likely(!(vcpu->dr[7] & BITS(7, 0))))
		return 0;
	for (unsigned int i = 0; i < 4; i++)
		if (vcpu->dr[i] == pc && debug_is_code(vcpu->dr[7], i))
			hits |= BIT(i);
	return hits;
}

/* Do they stop at other instructions now?  `before` is DR0 to DR7. */
static inline bool debug_code_changed(const uint64_t before[8],
				      const uint64_t now[8])
{
	if (likely(!((before[7] | now[7]) & BITS(7, 0))))
		return false;
	for (unsigned int i = 0; i < 4; i++) {
		bool was = debug_is_code(before[7], i);

		if (was != debug_is_code(now[7], i) ||
		    (was && before[i] != now[i]))
			return true;
	}
	return false;
}

#endif
