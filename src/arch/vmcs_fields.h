/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMCS fields: a dense index for speed (VMCS_<NAME>), the SDM's encoding for
 * the outside (vmcs_encodings[]).  The list itself is vmcs_fields.def.
 *
 * SDM vol. 3C, "VMREAD, VMWRITE, and Encodings of VMCS Fields": bit 0 reaches
 * the high half of a 64-bit field, 9:1 count within a group, 11:10 say what
 * kind of field it is, 14:13 how wide.  Bit 12 and those above 14 are 0.
 */
#ifndef NOTRAP_ARCH_VMCS_FIELDS_H
#define NOTRAP_ARCH_VMCS_FIELDS_H

#include "base/types.h"

enum vmcs_field {
#define FIELD(name, encoding, width, kind) VMCS_##name,
#include "arch/vmcs_fields.def"
#undef FIELD
	NR_VMCS_FIELDS
};

enum vmcs_width {
	VMCS_WIDTH_16 = 0,
	VMCS_WIDTH_64 = 1,
	VMCS_WIDTH_32 = 2,
	VMCS_WIDTH_NAT = 3,
};

enum vmcs_kind {
	VMCS_KIND_CONTROL = 0,
	VMCS_KIND_INFO = 1,
	VMCS_KIND_GUEST = 2,
	VMCS_KIND_HOST = 3,
};

#define VMCS_ENC_HIGH     UINT32_C(0x1) /* high half of a 64-bit field */
#define VMCS_ENC_INDEX(e) (((e) >> 1) & 0x1ff)
#define VMCS_ENC_KIND(e)  (((e) >> 10) & 0x3)
#define VMCS_ENC_WIDTH(e) (((e) >> 13) & 0x3)
#define VMCS_ENC_RESERVED (~UINT32_C(0x6fff))

#define FIELD(name, enc, width, kind)                                       \
	_Static_assert(                                                     \
		VMCS_ENC_WIDTH(enc) == VMCS_WIDTH_##width &&                \
			VMCS_ENC_KIND(enc) == VMCS_KIND_##kind &&           \
			((enc) & (VMCS_ENC_RESERVED | VMCS_ENC_HIGH)) == 0, \
		#name ": width or kind is not what the encoding says");
#include "arch/vmcs_fields.def"
#undef FIELD

static const uint16_t vmcs_encodings[NR_VMCS_FIELDS] = {
#define FIELD(name, encoding, width, kind) [VMCS_##name] = (encoding),
#include "arch/vmcs_fields.def"
#undef FIELD
};

/* The bits a field has: all ones, as wide as the field. */
static inline uint64_t vmcs_field_mask(enum vmcs_field field)
{
	switch ((enum vmcs_width)VMCS_ENC_WIDTH(vmcs_encodings[field])) {
	case VMCS_WIDTH_16:
		return BITS(15, 0);
	case VMCS_WIDTH_32:
		return BITS(31, 0);
	case VMCS_WIDTH_64:
	case VMCS_WIDTH_NAT:
		break;
	}
	return ~UINT64_C(0);
}

#endif
