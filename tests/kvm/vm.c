/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_LEAVES 256

static const struct kvm_cpuid_entry2 *leaf(const struct vm *vm,
					   uint32_t function)
{
	for (uint32_t i = 0; i < vm->cpuid->nent; i++)
		if (vm->cpuid->entries[i].function == function &&
		    vm->cpuid->entries[i].index == 0)
			return &vm->cpuid->entries[i];
	return NULL;
}

struct vm_features vm_features(const struct vm *vm)
{
	struct vm_features f = {.maxphyaddr = 36};
	const struct kvm_cpuid_entry2 *e = leaf(vm, 7);

	if (e) {
		f.smep = e->ebx >> 7 & 1;
		f.smap = e->ebx >> 20 & 1;
		f.pku = e->ecx >> 3 & 1;
		f.la57 = e->ecx >> 16 & 1;
	}
	e = leaf(vm, 0x80000001);
	if (e) {
		f.nx = e->edx >> 20 & 1;
		f.pages_1g = e->edx >> 26 & 1;
	}
	e = leaf(vm, 0x80000008);
	if (e)
		f.maxphyaddr = e->eax & 0xff;
	return f;
}

static bool set_up_cpuid(struct vm *vm)
{
	vm->cpuid =
		calloc(1, sizeof(*vm->cpuid) +
				  MAX_LEAVES * sizeof(vm->cpuid->entries[0]));
	if (!vm->cpuid)
		return false;
	vm->cpuid->nent = MAX_LEAVES;
	return !ioctl(vm->kvm, KVM_GET_SUPPORTED_CPUID, vm->cpuid) &&
	       !ioctl(vm->vcpu, KVM_SET_CPUID2, vm->cpuid);
}

static bool set_up_memory(struct vm *vm, size_t size)
{
	struct kvm_userspace_memory_region region = {.memory_size = size};

	vm->ram = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (vm->ram == MAP_FAILED)
		return false;
	vm->ram_size = size;
	region.userspace_addr = (uintptr_t)vm->ram;
	return !ioctl(vm->vm, KVM_SET_USER_MEMORY_REGION, &region);
}

static bool set_up_vcpu(struct vm *vm)
{
	int size = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	vm->vcpu = ioctl(vm->vm, KVM_CREATE_VCPU, 0);
	if (vm->vcpu < 0 || size <= 0)
		return false;
	vm->run_size = (size_t)size;
	vm->run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		       vm->vcpu, 0);
	return vm->run != MAP_FAILED;
}

static void on_alarm(int signal)
{
	(void)signal; /* its only purpose is to end KVM_RUN with EINTR */
}

bool vm_open(struct vm *vm, size_t ram_size, const char **why)
{
	static char line[128];
	struct sigaction action = {.sa_handler = on_alarm};

	*vm = (struct vm){.vm = -1, .vcpu = -1};
	sigaction(SIGALRM, &action, NULL);
	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm < 0) {
		snprintf(line, sizeof(line), "/dev/kvm: %s", strerror(errno));
		goto fail;
	}
	vm->vm = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	if (vm->vm < 0) {
		snprintf(line, sizeof(line), "KVM_CREATE_VM: %s",
			 strerror(errno));
		goto fail;
	}
	/* Where Intel's KVM keeps what it needs for real mode. */
	ioctl(vm->vm, KVM_SET_TSS_ADDR, 0xfffbd000);
	if (!set_up_memory(vm, ram_size) || !set_up_vcpu(vm) ||
	    !set_up_cpuid(vm)) {
		snprintf(line, sizeof(line), "KVM refuses a plain machine: %s",
			 strerror(errno));
		goto fail;
	}
	return true;

fail:
	*why = line;
	vm_close(vm);
	return false;
}

void vm_close(struct vm *vm)
{
	if (vm->run && vm->run != MAP_FAILED)
		munmap(vm->run, vm->run_size);
	if (vm->vcpu >= 0)
		close(vm->vcpu);
	if (vm->vm >= 0)
		close(vm->vm);
	if (vm->kvm >= 0)
		close(vm->kvm);
	if (vm->ram_size)
		munmap(vm->ram, vm->ram_size);
	free(vm->cpuid);
	*vm = (struct vm){.kvm = -1, .vm = -1, .vcpu = -1};
}

static struct kvm_segment flat(uint16_t selector, uint8_t type)
{
	return (struct kvm_segment){.limit = 0xffffffff,
				    .selector = selector,
				    .type = type,
				    .present = 1,
				    .db = 1,
				    .s = 1,
				    .g = 1};
}

void vm_start(struct vm *vm, uint32_t eip, uint32_t eax, uint32_t ebx)
{
	struct kvm_regs regs = {
		.rip = eip, .rax = eax, .rbx = ebx, .rflags = 2};
	struct kvm_sregs sregs;

	ioctl(vm->vcpu, KVM_GET_SREGS, &sregs);
	sregs.cr0 = 0x11; /* PE, ET */
	sregs.cs = flat(8, 11);
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = flat(16, 3);
	ioctl(vm->vcpu, KVM_SET_SREGS, &sregs);
	ioctl(vm->vcpu, KVM_SET_REGS, &regs);
}

static struct vm_exit io_exit(const struct vm *vm)
{
	const struct kvm_run *run = vm->run;
	struct vm_exit ret = {
		.end = run->io.direction == KVM_EXIT_IO_OUT ? VM_OUT : VM_IN,
		.port = run->io.port,
		.size = run->io.size,
	};

	if (ret.end == VM_OUT)
		memcpy(&ret.value, (const char *)run + run->io.data_offset,
		       ret.size);
	return ret;
}

void vm_answer(struct vm *vm, uint32_t value)
{
	memcpy((char *)vm->run + vm->run->io.data_offset, &value,
	       vm->run->io.size);
}

struct vm_exit vm_run(struct vm *vm, unsigned int seconds)
{
	int err;

	alarm(seconds);
	err = ioctl(vm->vcpu, KVM_RUN, 0);
	alarm(0);
	if (err)
		return (struct vm_exit){.end = errno == EINTR ? VM_TIMEOUT
							      : VM_OTHER};
	switch (vm->run->exit_reason) {
	case KVM_EXIT_IO:
		return io_exit(vm);
	case KVM_EXIT_HLT:
		return (struct vm_exit){.end = VM_HALT};
	case KVM_EXIT_SHUTDOWN:
		return (struct vm_exit){.end = VM_SHUTDOWN};
	default:
		return (struct vm_exit){.end = VM_OTHER,
					.value = vm->run->exit_reason};
	}
}
