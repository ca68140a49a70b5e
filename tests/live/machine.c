/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check.h"

#include "arch/cr.h"
#include "arch/exception.h"
#include "base/hash.h"
#include "live/internal.h"
#include "machine.h"

#define POOL_PAGES 1024

/* Unicorn 2.1.1 itself loses 32 bytes for each engine. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libunicorn.so";
}

#define LEAF (PTE_P | PTE_A)
#define LINK (PTE_P | PTE_W | PTE_U | PTE_A)

static int top_level(const struct machine *m)
{
	return m->view.shadow == PAGING_PAE ? 3 : paging_levels(m->view.shadow);
}

/* The table that holds the leaf for gva; made if wanted, else perhaps 0. */
static hpa_t leaf_table(struct machine *m, gva_t gva, bool make)
{
	hpa_t table = m->view.root;

	for (int level = top_level(m); level > 1; level--) {
		unsigned int index = pt_index(gva, level);
		uint64_t link = level == 3 && m->view.shadow == PAGING_PAE
					? PTE_P
					: LINK;
		uint64_t pte = pool_get(&m->mem->pool, table, index);

		if (!(pte & PTE_P)) {
			if (!make)
				return 0;
			pte = pool_alloc(&m->mem->pool, level - 1) | link;
			assert_true(pte & PTE_ADDR);
			pool_set(&m->mem->pool, table, index, pte);
		}
		table = pte & PTE_ADDR;
	}
	return table;
}

static void change_leaf(struct machine *m, gva_t gva, uint64_t keep)
{
	hpa_t table = leaf_table(m, gva, false);
	unsigned int index = pt_index(gva, 1);

	if (table)
		pool_set(&m->mem->pool, table, index,
			 pool_get(&m->mem->pool, table, index) & keep);
}

void machine_zap(struct machine *m, gva_t gva)
{
	change_leaf(m, gva, 0);
}

void machine_protect(struct machine *m, gva_t gva)
{
	change_leaf(m, gva, ~PTE_W);
}

static const struct region *find_region(const struct machine *m, gva_t gva)
{
	for (unsigned int i = m->nr_regions; i-- > 0;)
		if (gva - m->region[i].gva < m->region[i].size)
			return &m->region[i];
	return NULL;
}

/* SDM vol. 3A, "Determination of Access Rights": 0, or bits of the code. */
static uint32_t denied(const struct machine *m, uint64_t rights,
		       uint32_t access)
{
	const uint64_t cr4 = m->view.cr4;
	bool user = access & PFEC_U, user_page = rights & PTE_U;
	bool fetch = access & PFEC_ID, write = access & PFEC_W;
	unsigned int key = pkru_bits(m->pkru, pte_pkey(rights));
	uint32_t code = 0;

	if ((write && !(rights & PTE_W)) || (user && !user_page) ||
	    (fetch && (rights & PTE_NX)))
		code |= PFEC_P;
	if (!user && user_page && fetch && (cr4 & CR4_SMEP))
		code |= PFEC_P;
	if (!user && user_page && !fetch && (cr4 & CR4_SMAP) &&
	    !(access & ACCESS_AC))
		code |= PFEC_P;
	if (user_page && !fetch && (cr4 & CR4_PKE) &&
	    ((key & PKRU_AD) || (write && (key & PKRU_WD))))
		code |= PFEC_P | PFEC_PK;
	return code;
}

static void guest_fault(struct machine *m, const struct guest_event *ev,
			uint32_t error, struct guest_outcome *out)
{
	m->nr_guest_faults++;
	m->fault = *ev;
	m->fault_error = error;
	m->view.cr2 = ev->gva;
	if (m->config.stop_on_fault || m->delivering) {
		m->view.stop = "fault";
		out->verdict = m->delivering ? GO_SHUTDOWN : GO_STOP;
		return;
	}
	*out = (struct guest_outcome){.verdict = GO_FAULT,
				      .vector = EXC_PF,
				      .type = EVENT_HW_EXC,
				      .has_error = true,
				      .error = error};
}

static void answer_access(struct machine *m, const struct guest_event *ev,
			  struct guest_outcome *out)
{
	const struct region *region = find_region(m, ev->gva);
	gpa_t gpa;
	hpa_t table;
	uint32_t code;
	uint64_t pte;

	code = region ? denied(m, region->rights, ev->access) : 0;
	if (!region || code) {
		guest_fault(m, ev, (ev->access & ~(uint32_t)ACCESS_AC) | code,
			    out);
		return;
	}
	gpa = region->gpa + (ev->gva - region->gva);
	out->hpa = gpa;
	table = leaf_table(m, ev->gva, true);
	pte = pool_get(&m->mem->pool, table, pt_index(ev->gva, 1));
	if ((pte & PTE_P) && !denied(m, pte, ev->access))
		return;
	/* Writable only when written, so that there is more to fault on. */
	pte = (gpa & PTE_ADDR) | LEAF |
	      (region->rights & (PTE_U | PTE_NX | PTE_PKEY));
	if (ev->access & PFEC_W)
		pte |= PTE_W;
	m->nr_fills++;
	pool_set(&m->mem->pool, table, pt_index(ev->gva, 1), pte);
}

static void raise_again(const struct machine *m, const struct guest_event *ev,
			struct guest_outcome *out)
{
	*out = (struct guest_outcome){.verdict = GO_FAULT,
				      .vector = ev->vector,
				      .type = ev->type,
				      .has_error = ev->has_error,
				      .error = ev->error};
	if (m->delivering)
		out->verdict = GO_SHUTDOWN;
}

static void answer(struct machine *m, const struct guest_event *ev,
		   struct guest_outcome *out)
{
	switch (ev->kind) {
	case GE_ACCESS:
		answer_access(m, ev, out);
		break;
	case GE_EXCEPTION:
		if (m->config.stop_on_fault) {
			m->fault = *ev;
			m->view.stop = "fault";
			out->verdict = GO_STOP;
			break;
		}
		raise_again(m, ev, out);
		break;
	case GE_SOFT_INT:
		raise_again(m, ev, out);
		break;
	case GE_HLT:
		if (m->live->vcpu.rflags & RFLAGS_IF)
			break;
		m->view.stop = "done";
		out->verdict = GO_STOP;
		break;
	case GE_IRQ:
		m->view.irq_window = !ev->if_open;
		out->verdict = ev->if_open ? GO_TAKE_IRQ : GO_LATER;
		break;
	case GE_IRQ_WINDOW:
		m->view.irq_window = false;
		out->verdict = GO_TAKE_IRQ;
		break;
	case GE_CR_READ:
		out->value = ev->cr == 2   ? m->view.cr2
			     : ev->cr == 3 ? m->view.cr3
					   : m->view.cr0;
		break;
	case GE_WRPKRU:
		m->pkru = (uint32_t)ev->value;
		break;
	case GE_DELIVER:
		m->delivering = true;
		break;
	case GE_DELIVERED:
		m->delivering = false;
		break;
	default:
		break;
	}
}

/*
 * Hidden faults depend on how the guest is paged, and those that W^X causes
 * are nobody's business: only what the guest would see counts.
 */
static void digest_event(struct machine *m, const struct guest_event *ev,
			 const struct guest_outcome *out)
{
	const uint64_t part[] = {(uint64_t)ev->kind, ev->rip,
				 ev->insns,          ev->gva,
				 ev->vector,         ev->error};

	if (ev->kind == GE_ACCESS && out->verdict == GO_DONE)
		return;
	m->digest = fnv64(m->digest, part, sizeof(part));
}

static void push(struct event_sink *sink, const struct guest_event *ev,
		 struct guest_outcome *out)
{
	struct machine *m = (struct machine *)sink;

	*out = (struct guest_outcome){0};
	m->nr[ev->kind]++;
	if (!m->config.hook || !m->config.hook(m, ev, out))
		answer(m, ev, out);
	digest_event(m, ev, out);
}

static bool translate(struct event_sink *sink, gva_t gva, hpa_t *ret)
{
	const struct machine *m = (const struct machine *)sink;
	const struct region *region = find_region(m, gva);

	if (!region)
		return false;
	*ret = region->gpa + (gva - region->gva);
	return true;
}

static void set_view(struct machine *m)
{
	struct guest_view *view = &m->view;

	view->shadow = PAGING_PAE;
	view->guest = PAGING_OFF;
	view->cr0 = m->config.mode == MACHINE_REAL ? CR0_ET : CR0_ET | CR0_PE;
	view->cr3 = 0x1000;
	view->cr4 = CR4_OSFXSR;
	if (m->config.mode >= MACHINE_PAE) {
		view->guest = PAGING_PAE;
		view->cr0 |= CR0_PG | CR0_WP;
		view->cr4 |= CR4_PAE;
	}
	if (machine_is_long(m->config.mode)) {
		view->guest = PAGING_4LEVEL;
		view->shadow = PAGING_4LEVEL;
		view->efer = EFER_LME | EFER_LMA | EFER_NXE;
	}
	if (m->config.mode == MACHINE_LONG57) {
		view->guest = PAGING_5LEVEL;
		view->shadow = PAGING_5LEVEL;
		view->cr4 |= CR4_LA57;
	}
	view->cr4 |= m->config.cr4;
	view->root = pool_alloc(&m->mem->pool, top_level(m));
}

void machine_init(struct machine *m, const struct machine_config *config)
{
	struct live_config live_config = {.boot = config->boot,
					  .observer = config->observer,
					  .maxphyaddr = 40,
					  .mhz = config->mhz,
					  .max_insns = config->max_insns,
					  .check_stale = config->check_stale,
					  .features = config->features};
	struct diag diag = {{0}};

	*m = (struct machine){
		.sink = {.push = push, .translate = translate},
		.config = *config,
		.digest = FNV64_INIT,
	};
	m->sink.view = &m->view;
	if (mem_create(MACHINE_RAM, POOL_PAGES, true, &m->mem, &diag))
		fail_msg("%s", diag.msg);
	m->platform = platform_create(NULL);
	assert_non_null(m->platform);
	set_view(m);
	if (live_create(&live_config, m->mem, m->platform, &m->sink, &m->live,
			&diag))
		fail_msg("%s", diag.msg);
	live_set_knobs(m->live, &config->knobs);
}

void machine_finish(struct machine *m)
{
	live_destroy(m->live);
	platform_destroy(m->platform);
	mem_destroy(m->mem);
}

void machine_map(struct machine *m, gva_t gva, gpa_t gpa, uint64_t size,
		 uint64_t rights)
{
	assert_true(m->nr_regions < MACHINE_REGIONS);
	m->region[m->nr_regions++] = (struct region){
		.gva = gva, .size = size, .gpa = gpa, .rights = rights};
}

void machine_put(struct machine *m, gpa_t gpa, const void *bytes, size_t n)
{
	memcpy(mem_ram(m->mem, gpa), bytes, n);
}

struct vcpu machine_vcpu(const struct machine *m, uint64_t rip, uint8_t cpl)
{
	const uint32_t dpl = (uint32_t)cpl << 13;
	struct vcpu vcpu = m->live->vcpu;

	for (unsigned int i = 0; i < NR_SEG; i++)
		vcpu.seg[i] =
			(struct segment){.selector = (uint16_t)(0x10 | cpl),
					 .limit = UINT32_MAX,
					 .attr = 0xc09300 | dpl};
	vcpu.seg[SEG_CS].selector = (uint16_t)(0x08 | cpl);
	vcpu.seg[SEG_CS].attr = 0xc09b00 | dpl;
	if (machine_is_long(m->config.mode))
		vcpu.seg[SEG_CS].attr = 0xa09b00 | dpl;
	if (m->config.mode == MACHINE_REAL)
		for (unsigned int i = 0; i < NR_SEG; i++)
			vcpu.seg[i] = (struct segment){.limit = UINT16_MAX,
						       .attr = 0x9300};
	vcpu.rip = rip;
	vcpu.cpl = cpl;
	vcpu.rflags = RFLAGS_ONE;
	return vcpu;
}

enum {
	GDT_AT = MACHINE_TABLES,
	TSS_AT = MACHINE_TABLES + 0x800,
	IDT_AT = MACHINE_TABLES + 0x1000,
};

void machine_tables(struct machine *m, struct vcpu *vcpu, uint64_t rsp0)
{
	bool is_long = machine_is_long(m->config.mode);
	const uint64_t code = is_long ? UINT64_C(0x00af9b000000ffff)
				      : UINT64_C(0x00cf9b000000ffff);
	const uint64_t gdt[] = {
		0,
		code,
		UINT64_C(0x00cf93000000ffff),
		code | UINT64_C(0x600000000000),
		UINT64_C(0x00cff3000000ffff),
		UINT64_C(0x00008b0000000067) | (uint64_t)TSS_AT << 16,
		0,
	};

	machine_put(m, GDT_AT, gdt, sizeof(gdt));
	if (is_long) {
		machine_put(m, TSS_AT + 4, &rsp0, 8);
	} else {
		machine_put(m, TSS_AT + 4, &rsp0, 4);
		machine_put(m, TSS_AT + 8, &(uint16_t){0x10}, 2);
	}
	vcpu->gdtr = (struct dtable){GDT_AT, sizeof(gdt) - 1};
	vcpu->idtr = (struct dtable){IDT_AT, 0xfff};
	vcpu->tr = (struct segment){.selector = 0x28,
				    .base = TSS_AT,
				    .limit = 0x67,
				    .attr = 0x8b00};
}

void machine_gate(struct machine *m, unsigned int vector, uint32_t handler,
		  uint8_t dpl)
{
	const unsigned int size = machine_is_long(m->config.mode) ? 16 : 8;
	const uint64_t gate = (handler & 0xffff) | UINT64_C(8) << 16 |
			      (UINT64_C(0x8e00) | (uint64_t)dpl << 13) << 32 |
			      (uint64_t)(handler >> 16) << 48;

	machine_put(m, IDT_AT + vector * size, &gate, sizeof(gate));
}

void machine_timer(struct platform *platform, uint16_t ticks)
{
	static const struct {
		uint16_t port;
		uint8_t val;
	} init[] = {
		{0x20, 0x11}, {0x21, 0x20}, {0x21, 0x04}, {0x21, 0x01},
		{0xa0, 0x11}, {0xa1, 0x28}, {0xa1, 0x02}, {0xa1, 0x01},
		{0x21, 0xfe}, {0xa1, 0xff}, {0x43, 0x34},
	};

	for (size_t i = 0; i < ARRAY_LEN(init); i++)
		platform_io_write(platform, init[i].port, 1, init[i].val, 0);
	platform_io_write(platform, 0x40, 1, ticks & 0xff, 0);
	platform_io_write(platform, 0x40, 1, ticks >> 8, 0);
}

/* Between runs only. */
void machine_set(struct machine *m, const struct vcpu *vcpu)
{
	struct live *live = m->live;

	live_enter(live);
	live->vcpu = *vcpu;
	live_leave(live);
}

struct vcpu machine_get(struct machine *m)
{
	live_enter(m->live);
	return m->live->vcpu;
}

struct live_end machine_run(struct machine *m, uint64_t until)
{
	struct live_end end;

	live_run(m->live, until, NULL, &end);
	return end;
}

void machine_must_halt(struct machine *m, const struct vcpu *vcpu)
{
	struct live_end end;

	machine_set(m, vcpu);
	end = machine_run(m, UINT64_MAX);
	if (end.status != LIVE_STOPPED || strcmp(end.line, "done"))
		fail_msg("ended with status %d at 0x%" PRIx64 ": %s",
			 (int)end.status, end.rip, end.line);
}
