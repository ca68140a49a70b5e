/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The error code of a page fault, bit by bit, and the filter it meets. */
#include <inttypes.h>

#include "explain/internal.h"

static void put_bit(const struct telling *t, uint32_t pfec, unsigned int bit,
		    const char *name, const char *why)
{
	prose_cell(t->prose, "%u", bit);
	prose_cell(t->prose, "%s", name);
	prose_cell(t->prose, "%d", !!(pfec & BIT(bit)));
	prose_cell(t->prose, "%s", why);
}

static const char *fetch_text(const struct path *shadow, uint32_t pfec)
{
	if (pfec & PFEC_ID)
		return "an instruction fetch, and EFER.NXE or CR4.SMEP is 1";
	if (shadow->access & PFEC_ID)
		return "a fetch, but EFER.NXE and CR4.SMEP are 0";
	return "no instruction fetch";
}

void tell_code(const struct telling *t, const struct path *shadow,
	       uint32_t pfec)
{
	prose_table(t->prose);
	prose_column(t->prose, "bit", true);
	prose_column(t->prose, "name", false);
	prose_column(t->prose, "is", true);
	prose_column(t->prose, "as", false);
	put_bit(t, pfec, 0, "P",
		pfec & PFEC_P ? "every entry that was read is present"
			      : "an entry is not present");
	put_bit(t, pfec, 1, "W/R",
		pfec & PFEC_W ? "the access is a write"
			      : "the access is no write");
	put_bit(t, pfec, 2, "U/S",
		pfec & PFEC_U ? "made at CPL 3"
			      : "made below CPL 3, or by the processor itself");
	put_bit(t, pfec, 3, "RSVD",
		pfec & PFEC_RSVD ? "a present entry has a reserved bit set"
				 : "no present entry has a reserved bit set");
	put_bit(t, pfec, 4, "I/D", fetch_text(shadow, pfec));
	if (shadow->ctx.pke)
		put_bit(t, pfec, 5, "PK",
			pfec & PFEC_PK ? "the protection key denies it"
				       : "no protection key denies it");
}

void tell_filter(const struct telling *t, uint32_t pfec, bool exits)
{
	const struct vmx_controls *c = &t->story->controls;
	uint32_t masked = pfec & c->pfec_mask;
	bool match = masked == c->pfec_match;
	bool bit14 = c->exception_bitmap & BIT(EXC_PF);

	prose_fact(t->prose, "code & MASK",
		   "0x%" PRIx32 " & 0x%" PRIx32 " = 0x%" PRIx32, pfec,
		   c->pfec_mask, masked);
	prose_fact(t->prose, "== MATCH", "0x%" PRIx32 " == 0x%" PRIx32 ": %s",
		   masked, c->pfec_match, match ? "yes" : "no");
	prose_fact(t->prose, "bit 14",
		   "of the exception bitmap (0x%" PRIx32 ") is %d: %s",
		   c->exception_bitmap, bit14,
		   bit14 ? "a match exits, a mismatch does not"
			 : "a mismatch exits, a match does not");
	if (exits)
		prose_verdict(t->prose, "VM exit: the hypervisor gets to see "
					"the fault.");
	else
		prose_verdict(t->prose,
			      "No VM exit: the fault goes straight through "
			      "the guest's IDT, and the hypervisor never "
			      "knows.");
}
