/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One virtual machine of the real KVM, through linux/kvm.h alone: one vCPU in
 * 32-bit protected mode, paging off, flat, as a multiboot loader leaves it.
 */
#ifndef NOTRAP_TESTS_KVM_VM_H
#define NOTRAP_TESTS_KVM_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vm_features {
	bool smep, smap, pku, la57, pages_1g, nx;
	int maxphyaddr;
};

struct vm {
	int kvm, vm, vcpu;
	uint8_t *ram;
	size_t ram_size, run_size;
	struct kvm_run *run;
	struct kvm_cpuid2 *cpuid;
};

/* False: KVM is not usable here; *why says so. */
bool vm_open(struct vm *vm, size_t ram_size, const char **why);
void vm_close(struct vm *vm);

/* What the guest's CPUID shows: all that KVM supports. */
struct vm_features vm_features(const struct vm *vm);

void vm_start(struct vm *vm, uint32_t eip, uint32_t eax, uint32_t ebx);

enum vm_end {
	VM_OUT, /* OUT: port, value, size */
	VM_IN,  /* IN: port, size; answer by vm_answer() */
	VM_HALT,
	VM_SHUTDOWN, /* triple fault, or nothing KVM can run */
	VM_TIMEOUT,
	VM_OTHER, /* value: KVM's exit reason */
};

struct vm_exit {
	enum vm_end end;
	uint16_t port;
	uint8_t size;
	uint32_t value;
};

/* Run to the next exit, `seconds` at most. */
struct vm_exit vm_run(struct vm *vm, unsigned int seconds);
void vm_answer(struct vm *vm, uint32_t value);

#endif
