/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An event on its way through the guest's IDT: one value for what the VMCS
 * spreads over an information word, an error code and a length.
 */
#ifndef NOTRAP_VMX_MODEL_EVENT_H
#define NOTRAP_VMX_MODEL_EVENT_H

#include "arch/exception.h"
#include "arch/vmx.h"
#include "base/types.h"

struct vmx_event {
	bool valid; /* false: no event, the rest means nothing */
	uint8_t vector;
	enum vmx_intr_type type;
	bool has_error;
	uint32_t error;    /* if has_error */
	uint32_t insn_len; /* of INT n, INT1, INT3, INTO; else 0 */
};

/*
 * error counts if the vector has an error code.  Left out: real mode, where
 * none has; who delivers there drops it.
 */
static inline struct vmx_event vmx_event_exception(uint8_t vector,
						   uint32_t error)
{
	bool has_error = exception_has_error_code(vector);

	return (struct vmx_event){
		.valid = true,
		.vector = vector,
		.type = VMX_TYPE_HW_EXCEPTION,
		.has_error = has_error,
		.error = has_error ? error : 0,
	};
}

static inline struct vmx_event vmx_event_interrupt(uint8_t vector)
{
	return (struct vmx_event){
		.valid = true,
		.vector = vector,
		.type = VMX_TYPE_EXTERNAL,
	};
}

static inline struct vmx_event vmx_event_nmi(void)
{
	return (struct vmx_event){
		.valid = true,
		.vector = EXC_NMI,
		.type = VMX_TYPE_NMI,
	};
}

/* type is one of those an instruction causes: INT n, INT1, INT3, INTO. */
static inline struct vmx_event
vmx_event_software(enum vmx_intr_type type, uint8_t vector, uint32_t insn_len)
{
	return (struct vmx_event){
		.valid = true,
		.vector = vector,
		.type = type,
		.insn_len = insn_len,
	};
}

/* The information word; 0 if there is no event. */
static inline uint32_t vmx_event_info(const struct vmx_event *event)
{
	if (!event->valid)
		return 0;
	return vmx_intr_info(event->vector, event->type, event->has_error);
}

/* From the words of any of the three places; what is undefined there is 0. */
static inline struct vmx_event vmx_event_of_words(uint32_t info, uint32_t error,
						  uint32_t insn_len)
{
	enum vmx_intr_type type = vmx_intr_type(info);
	bool has_error = info & VMX_INTR_ERROR;

	if (!(info & VMX_INTR_VALID))
		return (struct vmx_event){0};
	return (struct vmx_event){
		.valid = true,
		.vector = vmx_intr_vector(info),
		.type = type,
		.has_error = has_error,
		.error = has_error ? error : 0,
		.insn_len = vmx_type_is_software(type) ? insn_len : 0,
	};
}

/*
 * A hardware exception arises while first is being delivered.  Only hardware
 * exceptions can make a double fault of it: INT 14 is benign.
 */
static inline enum exception_outcome
vmx_event_combine(const struct vmx_event *first, uint8_t second)
{
	if (!first->valid || first->type != VMX_TYPE_HW_EXCEPTION)
		return EXC_SERIAL;
	return exception_combine(first->vector, second);
}

#endif
