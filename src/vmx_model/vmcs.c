/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMCS storage and the slow way in, by encoding.  Left out: launch state, the
 * current-VMCS pointer, revision identifier; one vmcs is one virtual processor.
 */
#include "vmx_model/vmcs.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Fields within one width and kind are numbered from 0 without large gaps, so
 * that width, kind and number make a small key.
 */
#define KEY_INDEX_BITS 6
#define KEY(enc)                                                               \
	(((VMCS_ENC_WIDTH(enc) << 2 | VMCS_ENC_KIND(enc)) << KEY_INDEX_BITS) | \
	 VMCS_ENC_INDEX(enc))
#define NR_KEYS (16u << KEY_INDEX_BITS)

#define FIELD(name, enc, width, kind)                             \
	_Static_assert(VMCS_ENC_INDEX(enc) < 1 << KEY_INDEX_BITS, \
		       #name ": index needs a wider key");
#include "arch/vmcs_fields.def"
#undef FIELD

_Static_assert(NR_VMCS_FIELDS < UINT8_MAX, "field index needs a wider table");

/* 0: no field, else its index + 1. */
static const uint8_t field_of_key[NR_KEYS] = {
#define FIELD(name, enc, width, kind) [KEY(enc)] = VMCS_##name + 1,
#include "arch/vmcs_fields.def"
#undef FIELD
};

static const char *const names[NR_VMCS_FIELDS] = {
#define FIELD(name, enc, width, kind) [VMCS_##name] = #name,
#include "arch/vmcs_fields.def"
#undef FIELD
};

/* Index of the field, or -1.  Says also whether its high half is meant. */
static int field_of(uint32_t encoding, bool *high)
{
	uint32_t enc = encoding & ~VMCS_ENC_HIGH;

	*high = encoding & VMCS_ENC_HIGH;
	if (enc & VMCS_ENC_RESERVED)
		return -1;
	if (*high && VMCS_ENC_WIDTH(enc) != VMCS_WIDTH_64)
		return -1;
	if (VMCS_ENC_INDEX(enc) >= 1u << KEY_INDEX_BITS)
		return -1;
	return (int)field_of_key[KEY(enc)] - 1;
}

struct vmcs *vmcs_create(void)
{
	return calloc(1, sizeof(struct vmcs));
}

void vmcs_destroy(struct vmcs *vmcs)
{
	free(vmcs);
}

int vmcs_read(const struct vmcs *vmcs, uint32_t encoding, uint64_t *ret)
{
	bool high;
	int i = field_of(encoding, &high);

	if (i < 0)
		return -ENOENT;
	*ret = high ? vmcs->field[i] >> 32 : vmcs->field[i];
	return 0;
}

int vmcs_write(struct vmcs *vmcs, uint32_t encoding, uint64_t val)
{
	bool high;
	int i = field_of(encoding, &high);

	if (i < 0)
		return -ENOENT;
	if (VMCS_ENC_KIND(encoding) == VMCS_KIND_INFO)
		return -EROFS;
	if (high)
		val = val << 32 | (vmcs->field[i] & BITS(31, 0));
	vmcs->field[i] = val & vmcs_field_mask((enum vmcs_field)i);
	return 0;
}

const char *vmcs_field_name(uint32_t encoding)
{
	bool high;
	int i = field_of(encoding, &high);

	return i < 0 ? NULL : names[i];
}
