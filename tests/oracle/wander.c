/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wander.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/cr.h"
#include "arch/exception.h"
#include "wander_map.h"

/* What the guest has set on a processor. */
struct wander_vcpu {
	struct oracle_cpu cpu;
	unsigned top; /* top table in use: 0 or 1 */
};

struct wanderer {
	const struct wander_config *config;
	const struct wander_choice *choice;
	struct wander_counts *counts;
	struct wander_map map;
	struct mem *mem;
	struct sim *sim;
	struct event_sink *sink;
	unsigned vcpu; /* whose turn it is, and its: */
	struct oracle_cpu cpu;
	unsigned top;
	struct wander_vcpu left[SMMU_MAX_VCPUS]; /* the others' */
	uint64_t rng;
	uint64_t op, insns;
};

__attribute__((format(printf, 2, 3))) static _Noreturn void
wrong(const struct wanderer *w, const char *fmt, ...)
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

__attribute__((format(printf, 2, 3))) static void tell(const struct wanderer *w,
						       const char *fmt, ...)
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

static uint64_t read_ram(void *memory, uint64_t pa, int bytes)
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
		wrong(w, "stopped: %s", w->sink->view->stop);
	return out;
}

static void must(struct wanderer *w, struct guest_event ev)
{
	struct guest_outcome out = push(w, ev);

	if (out.verdict != GO_DONE)
		wrong(w, "event %d has verdict %d", (int)ev.kind,
		      (int)out.verdict);
}

static void use_vcpu(struct wanderer *w, unsigned vcpu)
{
	w->left[w->vcpu] = (struct wander_vcpu){w->cpu, w->top};
	w->vcpu = vcpu;
	w->cpu = w->left[vcpu].cpu;
	w->top = w->left[vcpu].top;
}

static void load_cr(struct wanderer *w, uint8_t cr, uint64_t val)
{
	must(w, (struct guest_event){.kind = GE_CR_WRITE,
				     .cr = cr,
				     .size = w->map.bytes == 8 ? 8 : 4,
				     .value = val});
}

/* What CR3 leads to goes into registers. */
static void load_pdptes(struct wanderer *w)
{
	for (unsigned i = 0; i < 4 && w->map.mode == ORACLE_PAE; i++)
		w->cpu.pdpte[i] = read_ram(w, w->cpu.cr3 + 8 * i, 8);
}

static void load_cr4(struct wanderer *w)
{
	uint64_t cr4 = CR4_PGE | CR4_PSE;

	cr4 |= w->map.mode == ORACLE_32 ? 0 : CR4_PAE;
	cr4 |= w->map.mode == ORACLE_5LEVEL ? CR4_LA57 : 0;
	cr4 |= w->cpu.smep ? CR4_SMEP : 0;
	cr4 |= w->cpu.smap ? CR4_SMAP : 0;
	cr4 |= w->cpu.pke ? CR4_PKE : 0;
	load_cr(w, 4, cr4);
}

static void load_cr3(struct wanderer *w)
{
	w->cpu.cr3 = (uint64_t)(w->map.first[w->map.top] + w->top) << 12;
	load_cr(w, 3, w->cpu.cr3);
	load_pdptes(w);
}

static void load_efer(struct wanderer *w)
{
	uint64_t efer = w->sink->view->efer & EFER_LMA;

	efer |= w->cpu.nxe ? EFER_NXE : 0;
	efer |= w->map.top > 3 ? EFER_LME : 0;
	must(w, (struct guest_event){
			.kind = GE_WRMSR, .error = MSR_EFER, .value = efer});
}

static void load_cr0(struct wanderer *w)
{
	load_cr(w, 0, CR0_PE | CR0_ET | CR0_PG | (w->cpu.wp ? CR0_WP : 0));
}

static void start_paging(struct wanderer *w)
{
	w->cpu = (struct oracle_cpu){
		.mode = w->map.mode,
		.wp = true,
		.pse = true,
		.nxe = w->map.mode != ORACLE_32,
		.has_1g = w->map.large3,
		.maxphyaddr = 40,
		.read = read_ram,
		.memory = w,
	};
	load_cr4(w);
	load_cr3(w);
	load_efer(w);
	load_cr0(w);
}

/* --- What a reference must come to --------------------------------------- */

struct reference {
	uint64_t va;
	unsigned size;
	bool write, fetch, user, ac;
};

static struct oracle_result
expected(struct wanderer *w, const struct reference *ref, bool fetch_bit)
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
		uint64_t now = read_ram((void *)(uintptr_t)w, e->at, e->bytes);

		if (!oracle_entry_may_be(e, now))
			wrong(w,
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
	must(w, (struct guest_event){.kind = GE_DELIVER,
				     .vector = fault->vector,
				     .type = fault->type,
				     .has_error = fault->has_error,
				     .error = fault->error});
	must(w, (struct guest_event){.kind = GE_DELIVERED});
}

static void check_fault(struct wanderer *w, const struct reference *ref,
			const struct oracle_result *want,
			const struct guest_outcome *out)
{
	struct oracle_result other = expected(w, ref, true);

	if (out->vector != EXC_PF || want->what != ORACLE_PF)
		wrong(w, "vector %u, error code 0x%x, where the tables %s",
		      out->vector, out->error,
		      want->what == ORACLE_PF ? "fault" : "allow it");
	if (out->error != want->code) {
		/* The host's NXE is on, the guest's need not be. */
		if (out->error != other.code || w->cpu.nxe)
			wrong(w, "error code 0x%x, not 0x%x", out->error,
			      want->code);
		w->counts->fetch_bit++;
	}
	if (w->sink->view->cr2 != ref->va)
		wrong(w, "CR2 is 0x%llx",
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
static bool refer(struct wanderer *w, const struct reference *ref, uint64_t *pa,
		  bool *emulate)
{
	struct oracle_result want = expected(w, ref, false);
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

	tell(w, "%s%s at 0x%llx: model %s 0x%llx, simulator verdict %d 0x%llx",
	     name_of(ref), ref->ac ? ", AC" : "", (unsigned long long)ref->va,
	     want.what == ORACLE_PF ? "fault" : "to",
	     (unsigned long long)(want.what == ORACLE_PF ? want.code : want.pa),
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
		wrong(w, "went through, where the tables fault with 0x%x",
		      want.code);
	check_entries(w, &want);
	switch (out.verdict) {
	case GO_DONE:
		if (out.hpa != want.pa)
			wrong(w, "went to 0x%llx, not 0x%llx",
			      (unsigned long long)out.hpa,
			      (unsigned long long)want.pa);
		w->counts->ends[WANDER_THROUGH]++;
		return true;
	case GO_EMULATE:
		if (!ref->write || want.pa >= WANDER_RAM)
			wrong(w, "to be emulated, and no store to a table");
		w->counts->ends[WANDER_EMULATED]++;
		return true;
	case GO_MMIO:
		if (out.gpa != want.pa || want.pa < WANDER_RAM)
			wrong(w, "MMIO at 0x%llx, where 0x%llx is RAM",
			      (unsigned long long)out.gpa,
			      (unsigned long long)want.pa);
		w->counts->ends[WANDER_MMIO]++;
		return false;
	default:
		wrong(w, "verdict %d", (int)out.verdict);
	}
}

static void store(struct wanderer *w, const struct reference *ref,
		  const void *bytes)
{
	uint64_t pa;
	bool emulate;

	if (!refer(w, ref, &pa, &emulate))
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
		must(w, ev);
		/* The next event ends the emulation. */
		must(w, (struct guest_event){.kind = GE_CPUID});
	}
	if (memcmp(w->mem->ram + pa, bytes, ref->size) != 0)
		wrong(w, "the store did not reach 0x%llx",
		      (unsigned long long)pa);
}

/* --- Operations ---------------------------------------------------------- */

/* What may stand at pa after a store there: tables stay well-behaved. */
static uint64_t what_to_store(struct wanderer *w, uint64_t pa)
{
	int level = wander_level(&w->map, pa >> 12);
	unsigned index = (unsigned)(pa & 4095) / (unsigned)w->map.bytes;
	bool is_kernel = pa >> 12 >= w->map.kernel[w->map.top - 1] &&
			 pa >> 12 < w->map.data;

	if (!level && !is_kernel)
		return wander_rand(&w->rng);
	if (is_kernel || wander_is_kernel_slot(&w->map, level, index))
		return read_ram(w, pa, w->map.bytes);
	return wander_entry(&w->map, &w->rng, level);
}

static void flush_here(struct wanderer *w, unsigned index, bool all)
{
	if (all) {
		load_cr3(w);
		return;
	}
	/* Every address that could lead there. */
	for (unsigned path = 0; path < 54; path++) {
		unsigned rest = path;
		uint64_t va = (uint64_t)index << 12;

		for (int up = w->map.top; up > 1; up--) {
			unsigned n = up == w->map.top ? 2 : 3;

			va |= (uint64_t)(rest % n) << wander_shift(&w->map, up);
			rest /= n;
		}
		must(w, (struct guest_event){.kind = GE_INVLPG, .gva = va});
	}
}

/* Here, then wherever else the entry may have been used. */
static void flush(struct wanderer *w, int level, unsigned index)
{
	bool all = level != 1 || wander_chance(&w->rng, 70);
	unsigned vcpu = w->vcpu;

	for (unsigned i = 0; i < w->config->vcpus; i++) {
		use_vcpu(w, (vcpu + i) % w->config->vcpus);
		flush_here(w, index, all);
	}
	use_vcpu(w, vcpu);
}

/* The guest uses memory. */
static void op_reference(struct wanderer *w)
{
	uint32_t kind = wander_below(&w->rng, 10);
	struct reference ref = {
		.va = wander_va(&w->map, &w->rng),
		.size = 1,
		.write = kind < 4,
		.fetch = kind == 4 || kind == 5,
		.user = wander_chance(&w->rng, 60),
	};
	struct oracle_result want;
	uint64_t val, pa;
	bool emulate;
	int level;

	ref.ac = !ref.user && !ref.fetch && wander_chance(&w->rng, 50);
	if (!ref.write) {
		refer(w, &ref, &pa, &emulate);
		return;
	}
	ref.size = (unsigned)w->map.bytes;
	want = expected(w, &ref, false);
	if (want.what != ORACLE_OK || want.pa >= WANDER_RAM) {
		refer(w, &ref, &pa, &emulate);
		return;
	}
	val = what_to_store(w, want.pa);
	store(w, &ref, &val);
	level = wander_level(&w->map, want.pa >> 12);
	if (level)
		flush(w, level,
		      (unsigned)(want.pa & 4095) / (unsigned)w->map.bytes);
}

/* The kernel writes an entry by its own map: whole, or in parts. */
static void op_entry(struct wanderer *w)
{
	int level = 1;
	unsigned parts = 1, index;
	uint64_t at, entry;

	while (level < w->map.top && wander_chance(&w->rng, 30))
		level++;
	index = wander_chance(&w->rng, 90)
			? wander_index(&w->map, &w->rng, level)
			: wander_below(&w->rng, w->map.entries);
	at = (uint64_t)(w->map.first[level] +
			wander_below(&w->rng, w->map.nr[level]))
	     << 12;
	at += (uint64_t)index * (unsigned)w->map.bytes;
	if (wander_is_kernel_slot(&w->map, level, index))
		return;
	if (level == w->map.top && w->map.mode == ORACLE_PAE && index > 3)
		return;
	entry = wander_entry(&w->map, &w->rng, level);
	if (wander_chance(&w->rng, 25))
		parts = 2u << wander_below(&w->rng, 2);
	for (unsigned i = 0; i < parts; i++) {
		unsigned size = (unsigned)w->map.bytes / parts;
		unsigned part = w->op % 2 ? i : parts - 1 - i;
		struct reference ref = {
			.va = w->map.kva + at + part * size,
			.size = size,
			.write = true,
		};
		uint64_t bytes = entry >> (8 * part * size);

		store(w, &ref, &bytes);
		w->counts->stores++;
	}
	tell(w, "entry at 0x%llx, level %d: 0x%llx in %u",
	     (unsigned long long)at, level, (unsigned long long)entry, parts);
	if (w->config->gen->sw.unsync || wander_chance(&w->rng, 50))
		flush(w, level, index);
}

static void op_controls(struct wanderer *w)
{
	bool is_long = w->map.top > 3, smep = w->cpu.smep;

	w->cpu.smep = wander_chance(&w->rng, 50);
	w->cpu.smap = wander_chance(&w->rng, 50);
	w->cpu.pke = is_long && wander_chance(&w->rng, 60);
	load_cr4(w);
	/* SDM vol. 3A, "PDPTE Registers": CR4.SMEP is among what loads them. */
	if (w->cpu.smep != smep)
		load_pdptes(w);
	if (w->cpu.pke && wander_chance(&w->rng, 80)) {
		w->cpu.pkru = (uint32_t)wander_rand(&w->rng) & 0xff;
		must(w, (struct guest_event){.kind = GE_WRPKRU,
					     .value = w->cpu.pkru});
	}
	/* Before that sptes outlive a change of either, a flaw of the time. */
	if (w->config->gen->sw.role_wp) {
		w->cpu.wp = wander_chance(&w->rng, 60);
		load_cr0(w);
	}
	if (w->config->gen->sw.role_nxe && w->map.mode != ORACLE_32) {
		w->cpu.nxe = wander_chance(&w->rng, 60);
		load_efer(w);
	}
	tell(w, "SMEP %d SMAP %d PKE %d PKRU 0x%x WP %d NXE %d", w->cpu.smep,
	     w->cpu.smap, w->cpu.pke, w->cpu.pkru, w->cpu.wp, w->cpu.nxe);
}

static void operation(struct wanderer *w)
{
	uint32_t dice = wander_below(&w->rng, 1000);

	if (w->config->vcpus > 1) {
		use_vcpu(w, wander_below(&w->rng, w->config->vcpus));
		tell(w, "processor %u", w->vcpu);
	}
	if (dice < 600) {
		op_reference(w);
	} else if (dice < 920) {
		op_entry(w);
	} else if (dice < 960) {
		w->top = wander_below(&w->rng, 2);
		load_cr3(w);
		tell(w, "CR3 0x%llx", (unsigned long long)w->cpu.cr3);
	} else if (dice < 980) {
		must(w,
		     (struct guest_event){.kind = GE_INVLPG,
					  .gva = wander_va(&w->map, &w->rng)});
	} else if (w->config->features) {
		op_controls(w);
	}
	if (sim_audit(w->sim)->violations)
		wrong(w, "audit: %s", sim_audit(w->sim)->first);
	w->counts->ops++;
}

/* --- An episode ---------------------------------------------------------- */

/* A stream of its own for each number. */
static uint64_t stream(const struct wander_config *config, uint64_t episode,
		       uint64_t number)
{
	uint64_t x = config->seed;

	x = (x ^ episode) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 29 ^ number) * UINT64_C(0x94d049bb133111eb);
	x ^= x >> 32;
	return x ? x : 1;
}

static void fill_tables(struct wanderer *w, uint64_t episode)
{
	const struct wander_map *map = &w->map;
	uint32_t slot = 0;

	for (int level = map->top; level; level--) {
		for (unsigned t = 0; t < map->nr[level]; t++) {
			uint64_t at = (uint64_t)(map->first[level] + t) << 12;

			for (unsigned i = 0; i < map->entries; i++, slot++) {
				uint64_t entry;

				if (map->mode == ORACLE_PAE && level == 3 &&
				    i > 3)
					continue;
				if (w->choice->slots && !w->choice->slots[slot])
					continue;
				w->rng = stream(w->config, episode,
						UINT64_C(1) << 32 | slot);
				entry = wander_entry(map, &w->rng, level);
				memcpy(w->mem->ram + at +
					       (uint64_t)i *
						       (unsigned)map->bytes,
				       &entry, (size_t)map->bytes);
			}
		}
	}
	wander_map_kernel(map, w->mem->ram);
}

static void set(struct config *config, const char *key, const char *value)
{
	struct diag diag;

	if (config_set(config, key, value, &diag)) {
		printf("# %s\n", diag.msg);
		exit(EXIT_FAILURE);
	}
}

static void create(struct wanderer *w)
{
	struct config config;
	struct diag diag;

	config_init(&config);
	set(&config, "mmu", w->config->gen->name);
	set(&config, "bypass", w->config->bypass ? "on" : "off");
	set(&config, "shadow-pages", "64");
	set(&config, "audit", "entry");
	config.value[OPT_vcpus] = w->config->vcpus;
	if (w->config->features)
		set(&config, "features", "all");
	if (mem_create(WANDER_RAM, sim_pool_pages(&config), false, &w->mem,
		       &diag) ||
	    sim_create(&config, w->mem, &w->sim, &diag))
		wrong(w, "%s", diag.msg);
	w->sink = sim_sink(w->sim);
}

void wander(const struct wander_config *config, uint64_t episode,
	    const struct wander_choice *choice, struct wander_counts *counts)
{
	struct wanderer w = {
		.config = config, .choice = choice, .counts = counts};

	wander_map_init(&w.map, config->mode, config->features);
	create(&w);
	fill_tables(&w, episode);
	for (unsigned i = 0; i < config->vcpus; i++) {
		use_vcpu(&w, i);
		start_paging(&w);
	}
	for (w.op = 0; w.op < WANDER_OPS; w.op++) {
		if (choice->ops && !choice->ops[w.op])
			continue;
		w.rng = stream(config, episode, w.op);
		operation(&w);
	}
	sim_finish(w.sim, w.insns);
	if (sim_check(w.sim))
		wrong(&w, "%s", sim_check(w.sim));
	sim_destroy(w.sim);
	mem_destroy(w.mem);
}
