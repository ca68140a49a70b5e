/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "synth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/cr.h"
#include "arch/exception.h"

#define KERNEL_PML4 UINT64_C(0x1000)
#define HANDLER_RIP (SYNTH_DIRECT + 0x100000)
#define USER_RIP    UINT64_C(0x400000)

struct guest_outcome synth_push(struct synth *s, struct guest_event ev)
{
	struct guest_outcome out;

	ev.insns = s->insns++;
	ev.vcpu = s->vcpu;
	event_push(s->sink, &ev, &out);
	return out;
}

gpa_t synth_frame(struct synth *s)
{
	gpa_t frame = s->next_frame;

	s->next_frame += PAGE_SIZE;
	assert_true(s->next_frame <= s->mem->ram_size);
	memset(mem_ram(s->mem, frame), 0, PAGE_SIZE);
	return frame;
}

/* Before paging is on: tables made without events. */
static void map_quietly(struct synth *s, gva_t gva, uint64_t pte)
{
	gpa_t table = KERNEL_PML4;

	for (int level = 4; level > 1; level--) {
		gpa_t at = table + 8 * pt_index(gva, level);

		if (!(mem_read_u64(s->mem, at) & PTE_P))
			mem_write_u64(s->mem, at,
				      synth_frame(s) | PTE_P | PTE_W | PTE_A |
					      (gva >> 63 ? 0 : PTE_U));
		table = mem_read_u64(s->mem, at) & PTE_ADDR;
	}
	mem_write_u64(s->mem, table + 8 * pt_index(gva, 1), pte);
}

static void write_cr(struct synth *s, uint8_t cr, uint64_t val)
{
	struct guest_outcome out = synth_push(
		s, (struct guest_event){
			   .kind = GE_CR_WRITE, .cr = cr, .value = val});

	assert_int_equal(out.verdict, GO_DONE);
}

static void enter_long_mode(struct synth *s)
{
	struct guest_outcome out;

	write_cr(s, 4, CR4_PAE);
	write_cr(s, 3, KERNEL_PML4);
	out = synth_push(s, (struct guest_event){.kind = GE_WRMSR,
						 .error = MSR_EFER,
						 .value = EFER_LME | EFER_NXE});
	assert_int_equal(out.verdict, GO_DONE);
	write_cr(s, 0, CR0_PE | CR0_ET | CR0_PG | CR0_WP);
	assert_int_equal(s->sink->view->guest, PAGING_4LEVEL);
}

static void begin_vcpu(struct synth *s)
{
	s->cr3 = KERNEL_PML4;
	s->stack = SYNTH_STACK - PAGE_SIZE * s->vcpu;
	enter_long_mode(s);
	/* Bring the kernel's stack into the shadow. */
	synth_kernel_access(s, s->stack - 8, PFEC_W);
}

void synth_use_vcpu(struct synth *s, uint8_t vcpu)
{
	s->cr3s[s->vcpu] = s->cr3;
	s->vcpu = vcpu;
	if (!s->cr3s[vcpu]) {
		begin_vcpu(s);
		return;
	}
	s->cr3 = s->cr3s[vcpu];
	s->stack = SYNTH_STACK - PAGE_SIZE * vcpu;
}

bool synth_configure(struct config *config, const char *text)
{
	char buf[256], *save = NULL;
	struct diag diag;

	config_init(config);
	snprintf(buf, sizeof(buf), "%s", text);
	for (char *word = strtok_r(buf, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		char *eq = strchr(word, '=');

		assert_non_null(eq);
		*eq = '\0';
		if (config_set(config, word, eq + 1, &diag))
			return false;
	}
	if (config_check(config, &diag))
		fail_msg("%s", diag.msg);
	return true;
}

void synth_start(struct synth *s, const char *text)
{
	struct config config;
	struct diag diag;

	memset(s, 0, sizeof(*s));
	if (!synth_configure(&config, text))
		fail_msg("%s", text);
	if (mem_create(SYNTH_RAM, sim_pool_pages(&config), false, &s->mem,
		       &diag) ||
	    sim_create(&config, s->mem, &s->sim, &diag))
		fail_msg("%s", diag.msg);
	s->sink = sim_sink(s->sim);
	s->next_frame = 0x2000;
	for (gpa_t gpa = 0; gpa < SYNTH_RAM; gpa += PAGE_SIZE)
		map_quietly(s, SYNTH_DIRECT + gpa,
			    gpa | PTE_P | PTE_W | PTE_A | PTE_D);
	s->next_frame = 0x200000;
	begin_vcpu(s);
}

void synth_end(struct synth *s)
{
	sim_finish(s->sim, s->insns);
	assert_string_equal(sim_check(s->sim) ? sim_check(s->sim) : "", "");
	assert_string_equal(sim_audit(s->sim).first, "");
	sim_destroy(s->sim);
	mem_destroy(s->mem);
}

gpa_t synth_new_space(struct synth *s)
{
	gpa_t pml4 = synth_frame(s);

	for (unsigned int i = 256; i < 512; i++)
		mem_write_u64(s->mem, pml4 + 8 * i,
			      mem_read_u64(s->mem, KERNEL_PML4 + 8 * i));
	return pml4;
}

void synth_load_cr3(struct synth *s, gpa_t cr3)
{
	write_cr(s, 3, cr3);
	s->cr3 = cr3;
}

static struct guest_outcome kernel_reference(struct synth *s, gva_t gva,
					     uint32_t access)
{
	return synth_push(s, (struct guest_event){.kind = GE_ACCESS,
						  .gva = gva,
						  .size = 8,
						  .access = access,
						  .rip = HANDLER_RIP});
}

void synth_kernel_access(struct synth *s, gva_t gva, uint32_t access)
{
	struct guest_outcome out = kernel_reference(s, gva, access);

	assert_int_equal(out.verdict, GO_DONE);
}

void synth_store(struct synth *s, gpa_t at, uint64_t val)
{
	struct guest_outcome out =
		kernel_reference(s, SYNTH_DIRECT + at, PFEC_W);

	if (out.verdict == GO_EMULATE) {
		struct guest_event ev = {.kind = GE_STORE,
					 .gva = SYNTH_DIRECT + at,
					 .size = 8,
					 .rip = HANDLER_RIP};

		memcpy(ev.bytes, &val, 8);
		out = synth_push(s, ev);
		assert_int_equal(out.verdict, GO_DONE);
	} else {
		assert_int_equal(out.verdict, GO_DONE);
		assert_int_equal(out.hpa, at);
		mem_write_u64(s->mem, at, val);
	}
	assert_int_equal(mem_read_u64(s->mem, at), val);
}

gpa_t synth_pte(struct synth *s, gva_t gva)
{
	gpa_t table = s->cr3;

	for (int level = 4; level > 1; level--) {
		gpa_t at = table + 8 * pt_index(gva, level);

		if (!(mem_read_u64(s->mem, at) & PTE_P))
			synth_store(s, at,
				    synth_frame(s) | PTE_P | PTE_W | PTE_U |
					    PTE_A);
		table = mem_read_u64(s->mem, at) & PTE_ADDR;
	}
	return table + 8 * pt_index(gva, 1);
}

void synth_deliver(struct synth *s, const struct guest_outcome *event)
{
	struct guest_outcome now = *event;

	for (int tries = 0; tries < 16; tries++) {
		struct guest_outcome out;

		synth_push(s, (struct guest_event){.kind = GE_DELIVER,
						   .vector = now.vector,
						   .type = now.type,
						   .has_error = now.has_error,
						   .error = now.error,
						   .rip = USER_RIP,
						   .insn_len = 2});
		out = kernel_reference(s, s->stack - 8, PFEC_W);
		if (out.verdict == GO_FAULT) {
			now = out;
			continue;
		}
		if (out.verdict == GO_SHUTDOWN) {
			s->shutdown = true;
			return;
		}
		assert_int_equal(out.verdict, GO_DONE);
		synth_push(s, (struct guest_event){.kind = GE_DELIVERED});
		s->last_vector = now.vector;
		return;
	}
	s->endless = true;
}

static void page_fault_handler(struct synth *s, gva_t gva, uint32_t code,
			       uint64_t bits)
{
	gpa_t pte = synth_pte(s, gva);

	s->faults++;
	s->faults_by_code[code & 63]++;
	assert_int_equal(s->sink->view->cr2, gva);
	if (code & PFEC_P)
		synth_store(s, pte, mem_read_u64(s->mem, pte) | PTE_W | PTE_D);
	else
		synth_store(s, pte, synth_frame(s) | bits);
	synth_push(s, (struct guest_event){.kind = GE_INVLPG, .gva = gva});
}

bool synth_touch(struct synth *s, gva_t gva, uint32_t access, uint64_t bits)
{
	for (int tries = 0; tries < 8; tries++) {
		struct guest_outcome out = synth_push(
			s, (struct guest_event){.kind = GE_ACCESS,
						.gva = gva,
						.size = 8,
						.cpl = 3,
						.access = access | PFEC_U,
						.rip = USER_RIP});

		if (out.verdict == GO_DONE)
			return true;
		assert_int_equal(out.verdict, GO_FAULT);
		synth_deliver(s, &out);
		if (s->shutdown || s->endless)
			return false;
		if (s->last_vector != EXC_PF)
			return false;
		page_fault_handler(s, gva, out.error, bits);
		synth_push(s, (struct guest_event){.kind = GE_RETRY,
						   .gva = gva,
						   .rip = USER_RIP});
	}
	fail_msg("the reference never succeeds");
	return false;
}
