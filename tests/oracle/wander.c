/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wander.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wander_internal.h"

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
		return wander_read(w, pa, w->map.bytes);
	return wander_entry(&w->map, &w->rng, level);
}

static void flush_here(struct wanderer *w, unsigned index, bool all)
{
	if (all) {
		wander_load_cr3(w);
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
		wander_must(w,
			    (struct guest_event){.kind = GE_INVLPG, .gva = va});
	}
}

/* Here, then wherever else the entry may have been used. */
static void flush(struct wanderer *w, int level, unsigned index)
{
	/* Little is remembered where everything is flushed again and again. */
	uint32_t percent = w->config->mmu.generation ? 70 : 5;
	bool all = level != 1 || wander_chance(&w->rng, percent);
	unsigned vcpu = w->vcpu;

	for (unsigned i = 0; i < w->config->vcpus; i++) {
		wander_use_vcpu(w, (vcpu + i) % w->config->vcpus);
		flush_here(w, index, all);
	}
	wander_use_vcpu(w, vcpu);
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
		wander_refer(w, &ref, &pa, &emulate);
		return;
	}
	ref.size = (unsigned)w->map.bytes;
	want = wander_expected(w, &ref, false);
	if (want.what != ORACLE_OK || want.pa >= WANDER_RAM) {
		wander_refer(w, &ref, &pa, &emulate);
		return;
	}
	val = what_to_store(w, want.pa);
	wander_store(w, &ref, &val);
	level = wander_level(&w->map, want.pa >> 12);
	if (level)
		flush(w, level,
		      (unsigned)(want.pa & 4095) / (unsigned)w->map.bytes);
}

/* Not so where every store to a table is seen. */
static bool must_flush(const struct wanderer *w)
{
	const struct smmu_generation *gen = w->config->mmu.generation;

	return !gen || gen->sw.unsync || gen->sw.vtlb;
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

		wander_store(w, &ref, &bytes);
		w->counts->stores++;
	}
	wander_tell(w, "entry at 0x%llx, level %d: 0x%llx in %u",
		    (unsigned long long)at, level, (unsigned long long)entry,
		    parts);
	if (must_flush(w) || wander_chance(&w->rng, 50))
		flush(w, level, index);
}

/* One setting alone: nothing else makes the processor forget. */
static void op_control(struct wanderer *w)
{
	uint32_t which = wander_below(&w->rng, 3);

	if (which == 0) {
		w->cpu.wp = !w->cpu.wp;
		wander_load_cr0(w);
	} else if (which == 1 && w->map.mode != ORACLE_32) {
		w->cpu.nxe = !w->cpu.nxe;
		wander_load_efer(w);
	} else if (w->cpu.pke) {
		w->cpu.pkru = (uint32_t)wander_rand(&w->rng) & 0xff;
		wander_must(w, (struct guest_event){.kind = GE_WRPKRU,
						    .value = w->cpu.pkru});
	}
	wander_tell(w, "WP %d NXE %d PKRU 0x%x", w->cpu.wp, w->cpu.nxe,
		    w->cpu.pkru);
}

static void op_controls(struct wanderer *w)
{
	const struct smmu_generation *gen = w->config->mmu.generation;
	bool is_long = w->map.top > 3, smep = w->cpu.smep;

	w->cpu.smep = wander_chance(&w->rng, 50);
	w->cpu.smap = wander_chance(&w->rng, 50);
	w->cpu.pke = is_long && wander_chance(&w->rng, 60);
	wander_load_cr4(w);
	/* SDM vol. 3A, "PDPTE Registers": CR4.SMEP is among what loads them. */
	if (w->cpu.smep != smep)
		wander_load_pdptes(w);
	if (w->cpu.pke && wander_chance(&w->rng, 80)) {
		w->cpu.pkru = (uint32_t)wander_rand(&w->rng) & 0xff;
		wander_must(w, (struct guest_event){.kind = GE_WRPKRU,
						    .value = w->cpu.pkru});
	}
	/* Before that sptes outlive a change of either, a flaw of the time. */
	if (!gen || gen->sw.role_wp) {
		w->cpu.wp = wander_chance(&w->rng, 60);
		wander_load_cr0(w);
	}
	if ((!gen || gen->sw.role_nxe) && w->map.mode != ORACLE_32) {
		w->cpu.nxe = wander_chance(&w->rng, 60);
		wander_load_efer(w);
	}
	wander_tell(w, "SMEP %d SMAP %d PKE %d PKRU 0x%x WP %d NXE %d",
		    w->cpu.smep, w->cpu.smap, w->cpu.pke, w->cpu.pkru,
		    w->cpu.wp, w->cpu.nxe);
}

static void operation(struct wanderer *w)
{
	uint32_t dice = wander_below(&w->rng, 1000);

	if (w->config->vcpus > 1) {
		wander_use_vcpu(w, wander_below(&w->rng, w->config->vcpus));
		wander_tell(w, "processor %u", w->vcpu);
	}
	if (dice < 600) {
		op_reference(w);
	} else if (dice < 920) {
		op_entry(w);
	} else if (dice < 960) {
		w->top = wander_below(&w->rng, 2);
		wander_load_cr3(w);
		wander_tell(w, "CR3 0x%llx", (unsigned long long)w->cpu.cr3);
	} else if (dice < 980) {
		wander_must(w, (struct guest_event){
				       .kind = GE_INVLPG,
				       .gva = wander_va(&w->map, &w->rng)});
	} else if (!w->config->mmu.generation && wander_chance(&w->rng, 60)) {
		op_control(w);
	} else if (w->config->features) {
		op_controls(w);
	}
	if (sim_audit(w->sim).violations)
		wander_wrong(w, "audit: %s", sim_audit(w->sim).first);
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
	set(&config, "mmu", w->config->mmu.name);
	set(&config, "bypass", w->config->bypass ? "on" : "off");
	set(&config, "shadow-pages", "64");
	set(&config, "audit", "entry");
	config.value[OPT_vcpus] = w->config->vcpus;
	if (w->config->features)
		set(&config, "features", "all");
	if (mem_create(WANDER_RAM, sim_pool_pages(&config), false, &w->mem,
		       &diag) ||
	    sim_create(&config, w->mem, &w->sim, &diag))
		wander_wrong(w, "%s", diag.msg);
	w->sink = sim_sink(w->sim);
}

void wander(const struct wander_config *config, uint64_t episode,
	    const struct wander_choice *choice, struct wander_counts *counts)
{
	struct wanderer w = {
		.config = config, .choice = choice, .counts = counts};

	wander_map_init(&w.map, config->mode, config->features);
	/* Neighbours of what a miss has asked for. */
	w.map.has_pairs = !config->mmu.generation;
	w.global_pages = !wander_keeps_global(&w) || episode % 2;
	create(&w);
	fill_tables(&w, episode);
	for (unsigned i = 0; i < config->vcpus; i++) {
		wander_use_vcpu(&w, i);
		wander_start_paging(&w);
	}
	for (w.op = 0; w.op < WANDER_OPS; w.op++) {
		if (choice->ops && !choice->ops[w.op])
			continue;
		w.rng = stream(config, episode, w.op);
		operation(&w);
	}
	sim_finish(w.sim, w.insns);
	if (sim_check(w.sim))
		wander_wrong(&w, "%s", sim_check(w.sim));
	sim_destroy(w.sim);
	mem_destroy(w.mem);
}
