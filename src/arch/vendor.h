/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose processor: it decides what a hypervisor can ask of page faults. */
#ifndef NOTRAP_ARCH_VENDOR_H
#define NOTRAP_ARCH_VENDOR_H

enum cpu_vendor {
	VENDOR_INTEL, /* VMX */
	VENDOR_AMD,   /* SVM */
};

#endif
