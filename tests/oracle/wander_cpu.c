/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/cr.h"
#include "arch/exception.h"
#include "wander_internal.h"

_Noreturn void wander_wrong(const struct wanderer *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("# operation %llu: ", (unsigned long long)w->op);
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	fflush(NULL);
	_Exit(EXIT_FAILURE);
}

void wander_tell(const struct wanderer *w, const char *fmt, ...)
{
	va_list ap;

	if (!w->choice->tell)
		return;
	va_start(ap, fmt);
	printf("# %6llu  ", (unsigned long long)w->op);
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
}

/* --- Memory, and the controls -------------------------------------------- */

uint64_t wander_read(void *memory, uint64_t pa, int bytes)
{
	struct wanderer *w = memory;
	uint64_t val = 0;

	if (pa >= WANDER_RAM)
		return bytes == 4 ? UINT32_MAX : UINT64_MAX;
	memcpy(&val, w->mem->ram + pa, (size_t)bytes);
	return val;
}

static struct guest_outcome push(struct wanderer *w, struct guest_event ev)
{
	struct guest_outcome out;

	ev.insns = ++w->insns;
	ev.vcpu = (uint8_t)w->vcpu;
	event_push(w->sink, &ev, &out);
	if (out.verdict == GO_STOP)
		wander_wrong(w, "stopped: %s", w->sink->view->stop);
	return out;
}

void wander_must(struct wanderer *w, struct guest_event ev)
{
	struct guest_outcome out = push(w, ev);

	if (out.verdict != GO_DONE)
		wander_wrong(w, "event %d has verdict %d", (int)ev.kind,
			     (int)out.verdict);
}

void wander_use_vcpu(struct wanderer *w, unsigned vcpu)
{
	w->left[w->vcpu] = (struct wander_vcpu){w->cpu, w->top};
	w->vcpu = vcpu;
	w->cpu = w->left[vcpu].cpu;
	w->top = w->left[vcpu].top;
}

static void load_cr(struct wanderer *w, uint8_t cr, uint64_t val)
{
	wander_must(w, (struct guest_event){.kind = GE_CR_WRITE,
					    .cr = cr,
					    .size = w->map.bytes == 8 ? 8 : 4,
					    .value = val});
}

bool wander_keeps_global(const struct wanderer *w)
{
	const struct smmu_generation *gen = w->config->mmu.generation;

	return !gen || gen->sw.vtlb_spares_global;
}

/* Global pages outlive a CR3, unless the processor never sees one loaded. */
static void flush_global_pages(struct wanderer *w)
{
	if (!wander_keeps_global(w) || !w->global_pages)
		return;
	w->global_pages = false;
	wander_load_cr4(w);
	w->global_pages = true;
	wander_load_cr4(w);
}

/* What CR3 leads to goes into registers. */
void wander_load_pdptes(struct wanderer *w)
{
	for (unsigned i = 0; i < 4 && w->map.mode == ORACLE_PAE; i++)
		w->cpu.pdpte[i] = wander_read(w, w->cpu.cr3 + 8 * i, 8);
}

void wander_load_cr4(struct wanderer *w)
{
	uint64_t cr4 = CR4_PSE;

	cr4 |= w->global_pages ? CR4_PGE : 0;

	cr4 |= w->map.mode == ORACLE_32 ? 0 : CR4_PAE;
	cr4 |= w->map.mode == ORACLE_5LEVEL ? CR4_LA57 : 0;
	cr4 |= w->cpu.smep ? CR4_SMEP : 0;
	cr4 |= w->cpu.smap ? CR4_SMAP : 0;
	cr4 |= w->cpu.pke ? CR4_PKE : 0;
	load_cr(w, 4, cr4);
}

void wander_load_cr3(struct wanderer *w)
{
	w->cpu.cr3 = (uint64_t)(w->map.first[w->map.top] + w->top) << 12;
	load_cr(w, 3, w->cpu.cr3);
	wander_load_pdptes(w);
	flush_global_pages(w);
}

void wander_load_efer(struct wanderer *w)
{
	uint64_t efer = w->sink->view->efer & EFER_LMA;

	efer |= w->cpu.nxe ? EFER_NXE : 0;
	efer |= w->map.top > 3 ? EFER_LME : 0;
	wander_must(w, (struct guest_event){.kind = GE_WRMSR,
					    .error = MSR_EFER,
					    .value = efer});
}

void wander_load_cr0(struct wanderer *w)
{
	load_cr(w, 0, CR0_PE | CR0_ET | CR0_PG | (w->cpu.wp ? CR0_WP : 0));
}

void wander_start_paging(struct wanderer *w)
{
	w->cpu = (struct oracle_cpu){
		.mode = w->map.mode,
		.wp = true,
		.pse = true,
		.nxe = w->map.mode != ORACLE_32,
		.has_1g = w->map.large3,
		.maxphyaddr = 40,
		.read = wander_read,
		.memory = w,
	};
	wander_load_cr4(w);
	wander_load_cr3(w);
	wander_load_efer(w);
	wander_load_cr0(w);
}

/* --- What a reference must come to --------------------------------------- */

struct oracle_result
wander_expected(struct wanderer *w, const struct reference *ref, bool fetch_bit)
{
	struct oracle_access access = {
		.va = ref->va,
		.write = ref->write,
		.fetch = ref->fetch,
		.cpl = ref->user ? 3 : 0,
		.ac = ref->ac,
	};

	w->cpu.quirks.id_always = fetch_bit;
	return oracle_translate(&w->cpu, &access);
}

static void check_entries(const struct wanderer *w,
			  const struct oracle_result *want)
{
	for (int i = 0; i < want->nr_entries; i++) {
		const struct oracle_entry *e = &want->entry[i];
		uint64_t now =
			wander_read((void *)(uintptr_t)w, e->at, e->bytes);

		if (!oracle_entry_may_be(e, now))
			wander_wrong(
				w,
				"the entry at 0x%llx was 0x%llx and is 0x%llx, "
				"A and D to be set: 0x%llx",
				(unsigned long long)e->at,
				(unsigned long long)e->was,
				(unsigned long long)now,
				(unsigned long long)e->set);
	}
}

static void deliver(struct wanderer *w, const struct guest_outcome *fault)
{
	wander_must(w, (struct guest_event){.kind = GE_DELIVER,
					    .vector = fault->vector,
					    .type = fault->type,
					    .has_error = fault->has_error,
					    .error = fault->error});
	wander_must(w, (struct guest_event){.kind = GE_DELIVERED});
}

static void check_fault(struct wanderer *w, const struct reference *ref,
			const struct oracle_result *want,
			const struct guest_outcome *out)
{
	struct oracle_result other = wander_expected(w, ref, true);

	if (out->vector != EXC_PF || want->what != ORACLE_PF)
		wander_wrong(w,
			     "vector %u, error code 0x%x, where the tables %s",
			     out->vector, out->error,
			     want->what == ORACLE_PF ? "fault" : "allow it");
	if (out->error != want->code) {
		/* The host's NXE is on, the guest's need not be. */
		if (out->error != other.code || w->cpu.nxe ||
		    !w->config->mmu.generation)
			wander_wrong(w, "error code 0x%x, not 0x%x", out->error,
				     want->code);
		w->counts->fetch_bit++;
	}
	if (w->sink->view->cr2 != ref->va)
		wander_wrong(w, "CR2 is 0x%llx",
			     (unsigned long long)w->sink->view->cr2);
	w->counts->ends[out->direct ? WANDER_DIRECT : WANDER_INJECTED]++;
	check_entries(w, want);
	deliver(w, out);
}

static const char *name_of(const struct reference *ref)
{
	if (ref->fetch)
		return ref->user ? "fetch, user" : "fetch, kernel";
	if (ref->write)
		return ref->user ? "write, user" : "write, kernel";
	return ref->user ? "read, user" : "read, kernel";
}

/*
 * One reference, checked.  *pa: where a store goes; true: it may be made, in
 * place or, after GO_EMULATE, by the hypervisor.
 */
bool wander_refer(struct wanderer *w, const struct reference *ref, uint64_t *pa,
		  bool *emulate)
{
	struct oracle_result want = wander_expected(w, ref, false);
	struct guest_event ev = {
		.kind = GE_ACCESS,
		.gva = ref->va,
		.size = (uint8_t)ref->size,
		.cpl = ref->user ? 3 : 0,
		.access = (ref->write ? (uint32_t)PFEC_W : 0) |
			  (ref->fetch ? (uint32_t)PFEC_ID : 0) |
			  (ref->user ? (uint32_t)PFEC_U : 0) |
			  (ref->ac ? (uint32_t)ACCESS_AC : 0),
	};
	struct guest_outcome out = push(w, ev);

	wander_tell(
		w,
		"%s%s at 0x%llx: model %s 0x%llx, simulator verdict %d 0x%llx",
		name_of(ref), ref->ac ? ", AC" : "",
		(unsigned long long)ref->va,
		want.what == ORACLE_PF ? "fault" : "to",
		(unsigned long long)(want.what == ORACLE_PF ? want.code
							    : want.pa),
		(int)out.verdict,
		(unsigned long long)(out.verdict == GO_FAULT ? out.error
							     : out.hpa));
	*emulate = out.verdict == GO_EMULATE;
	*pa = want.pa;
	if (out.verdict == GO_FAULT) {
		check_fault(w, ref, &want, &out);
		return false;
	}
	if (want.what != ORACLE_OK)
		wander_wrong(w,
			     "went through, where the tables fault with 0x%x",
			     want.code);
	check_entries(w, &want);
	switch (out.verdict) {
	case GO_DONE:
		if (out.hpa != want.pa)
			wander_wrong(w, "went to 0x%llx, not 0x%llx",
				     (unsigned long long)out.hpa,
				     (unsigned long long)want.pa);
		w->counts->ends[WANDER_THROUGH]++;
		return true;
	case GO_EMULATE:
		if (!ref->write || want.pa >= WANDER_RAM)
			wander_wrong(w,
				     "to be emulated, and no store to a table");
		w->counts->ends[WANDER_EMULATED]++;
		return true;
	case GO_MMIO:
		if (out.gpa != want.pa || want.pa < WANDER_RAM)
			wander_wrong(w, "MMIO at 0x%llx, where 0x%llx is RAM",
				     (unsigned long long)out.gpa,
				     (unsigned long long)want.pa);
		w->counts->ends[WANDER_MMIO]++;
		return false;
	default:
		wander_wrong(w, "verdict %d", (int)out.verdict);
	}
}

void wander_store(struct wanderer *w, const struct reference *ref,
		  const void *bytes)
{
	uint64_t pa;
	bool emulate;

	if (!wander_refer(w, ref, &pa, &emulate))
		return;
	if (!emulate) {
		memcpy(w->mem->ram + pa, bytes, ref->size);
	} else {
		struct guest_event ev = {
			.kind = GE_STORE,
			.gva = ref->va,
			.size = (uint8_t)ref->size,
			.access = PFEC_W | (ref->user ? (uint32_t)PFEC_U : 0),
			.cpl = ref->user ? 3 : 0,
		};

		memcpy(ev.bytes, bytes, ref->size);
		wander_must(w, ev);
		/* The next event ends the emulation. */
		wander_must(w, (struct guest_event){.kind = GE_CPUID});
	}
	if (memcmp(w->mem->ram + pa, bytes, ref->size) != 0)
		wander_wrong(w, "the store did not reach 0x%llx",
			     (unsigned long long)pa);
}
