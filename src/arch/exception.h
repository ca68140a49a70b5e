/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions: vectors, which push an error code, and what a second one makes
 * of a first one that is still being delivered.  Pure facts, no state.
 * SDM vol. 3A, "Interrupt and Exception Handling": "Error Code" and
 * "Interrupt 8--Double Fault Exception (#DF)".
 */
#ifndef NOTRAP_ARCH_EXCEPTION_H
#define NOTRAP_ARCH_EXCEPTION_H

#include "base/types.h"

enum exception_vector {
	EXC_DE = 0,
	EXC_DB = 1,
	EXC_NMI = 2,
	EXC_BP = 3,
	EXC_OF = 4,
	EXC_BR = 5,
	EXC_UD = 6,
	EXC_NM = 7,
	EXC_DF = 8,
	EXC_TS = 10,
	EXC_NP = 11,
	EXC_SS = 12,
	EXC_GP = 13,
	EXC_PF = 14,
	EXC_MF = 16,
	EXC_AC = 17,
	EXC_MC = 18,
	EXC_XM = 19,
	EXC_VE = 20,
	EXC_CP = 21,
};

#define NR_EXCEPTIONS 32

/* Sets of vectors, one bit each. */
#define EXC_SET_ERROR_CODE                                                     \
	(BIT(EXC_DF) | BIT(EXC_TS) | BIT(EXC_NP) | BIT(EXC_SS) | BIT(EXC_GP) | \
	 BIT(EXC_PF) | BIT(EXC_AC) | BIT(EXC_CP))
#define EXC_SET_CONTRIBUTORY                                                   \
	(BIT(EXC_DE) | BIT(EXC_TS) | BIT(EXC_NP) | BIT(EXC_SS) | BIT(EXC_GP) | \
	 BIT(EXC_CP))
#define EXC_SET_PAGE_FAULT (BIT(EXC_PF) | BIT(EXC_VE))

_Static_assert((EXC_SET_CONTRIBUTORY & EXC_SET_PAGE_FAULT) == 0,
	       "an exception has one class");

/* In protected and long mode; real mode pushes no error codes at all. */
static inline bool exception_has_error_code(unsigned int vector)
{
	return vector < NR_EXCEPTIONS && (EXC_SET_ERROR_CODE & BIT(vector));
}

enum exception_class {
	EXC_CLASS_BENIGN,
	EXC_CLASS_CONTRIBUTORY,
	EXC_CLASS_PAGE_FAULT,
	EXC_CLASS_DOUBLE_FAULT,
};

/* Of a hardware exception; any other vector counts as benign. */
static inline enum exception_class exception_class(unsigned int vector)
{
	if (vector >= NR_EXCEPTIONS)
		return EXC_CLASS_BENIGN;
	if (EXC_SET_CONTRIBUTORY & BIT(vector))
		return EXC_CLASS_CONTRIBUTORY;
	if (EXC_SET_PAGE_FAULT & BIT(vector))
		return EXC_CLASS_PAGE_FAULT;
	return vector == EXC_DF ? EXC_CLASS_DOUBLE_FAULT : EXC_CLASS_BENIGN;
}

enum exception_outcome {
	EXC_SERIAL,       /* the second is delivered, the first comes again */
	EXC_DOUBLE_FAULT, /* #DF with error code 0 is delivered instead */
	EXC_TRIPLE_FAULT, /* shutdown; under VMX always an exit */
};

/*
 * The second exception arose while the first was being delivered.  Both are
 * vectors of hardware exceptions: a first event of another type (interrupt,
 * INT n, INT3) is benign whatever its vector, see vmx_event_combine().
 *
 * Hardware never raises #DF of itself; as a second it can only be one that
 * software injects, and is delivered unless the first was a #DF too.
 */
static inline enum exception_outcome exception_combine(unsigned int first,
						       unsigned int second)
{
	enum exception_class was = exception_class(first);
	enum exception_class is = exception_class(second);

	if (is == EXC_CLASS_BENIGN || was == EXC_CLASS_BENIGN)
		return EXC_SERIAL;
	if (was == EXC_CLASS_DOUBLE_FAULT)
		return EXC_TRIPLE_FAULT;
	if (is == EXC_CLASS_DOUBLE_FAULT)
		return EXC_SERIAL;
	if (was == EXC_CLASS_CONTRIBUTORY && is == EXC_CLASS_PAGE_FAULT)
		return EXC_SERIAL;
	return EXC_DOUBLE_FAULT;
}

#endif
