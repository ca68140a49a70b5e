/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One VMCS.  From outside, fields are reached by their SDM encoding, as VMREAD
 * and VMWRITE do, so a trace and a report can name a field by the same number;
 * inside, by a dense index, as an exit must cost a few stores and no look-up.
 *
 * Contract: a vmcs is plain state.  It never looks at guest memory, never
 * counts and never exits; see vmx_model/decide.h for that.
 */
#ifndef NOTRAP_VMX_MODEL_VMCS_H
#define NOTRAP_VMX_MODEL_VMCS_H

#include "arch/vmcs_fields.h"
#include "base/bug.h"
#include "base/types.h"

/* Exposed for the inline accessors only: use those. */
struct vmcs {
	uint64_t field[NR_VMCS_FIELDS];
};

/* All fields 0.  NULL: out of memory. */
struct vmcs *vmcs_create(void);
void vmcs_destroy(struct vmcs *vmcs); /* NULL is fine */

/*
 * VMREAD and VMWRITE.  encoding | 1 is the high half of a 64-bit field.
 * -ENOENT: no such field; -EROFS (write): exit-information field.
 * As the instructions do, a write to a field narrower than 64 bits drops the
 * bits that do not fit, and a read gives 0 for them.
 */
int vmcs_read(const struct vmcs *vmcs, uint32_t encoding, uint64_t *ret);
int vmcs_write(struct vmcs *vmcs, uint32_t encoding, uint64_t val);

/* "GUEST_CR3"; NULL: no such field.  The high half has its field's name. */
const char *vmcs_field_name(uint32_t encoding);

/* Where the processor itself reads and writes; no field is read-only to it. */
static inline uint64_t vmcs_get(const struct vmcs *vmcs, enum vmcs_field field)
{
	return vmcs->field[field];
}

/* Of a field of at most 32 bits. */
static inline uint32_t vmcs_get32(const struct vmcs *vmcs,
				  enum vmcs_field field)
{
	BUG_ON(vmcs_field_mask(field) > UINT32_MAX);
	return (uint32_t)vmcs->field[field];
}

/* The value must fit the field. */
static inline void vmcs_set(struct vmcs *vmcs, enum vmcs_field field,
			    uint64_t val)
{
	BUG_ON(val & ~vmcs_field_mask(field));
	vmcs->field[field] = val;
}

#endif
