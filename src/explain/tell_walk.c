/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page walks, entry by entry, and which bit decided. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "explain/internal.h"

const char *tell_mode_name(enum paging_mode mode)
{
	static const char *const names[NR_PAGING_MODES] = {
		[PAGING_OFF] = "paging off",
		[PAGING_32] = "32-bit paging",
		[PAGING_PAE] = "PAE paging",
		[PAGING_4LEVEL] = "4-level paging",
		[PAGING_5LEVEL] = "5-level paging",
	};

	return names[mode];
}

/* --- One entry ----------------------------------------------------------- */

/* A text that grows, in a buffer of FLAGS_MAX. */
__attribute__((format(printf, 2, 3))) static void append(char *buf,
							 const char *fmt, ...)
{
	size_t len = strlen(buf);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf + len, FLAGS_MAX - len, fmt, ap);
	va_end(ap);
}

static void append_flags(char *buf, const struct paging_ctx *ctx,
			 uint64_t entry, bool is_leaf)
{
	static const struct {
		uint64_t bit;
		const char *name;
		bool leaf_only;
	} flags[] = {
		{PTE_P, "P", false},     {PTE_W, "W", false},
		{PTE_U, "U", false},     {PTE_PWT, "PWT", false},
		{PTE_PCD, "PCD", false}, {PTE_A, "A", false},
		{PTE_D, "D", true},      {PTE_G, "G", true},
	};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if ((entry & flags[i].bit) && (is_leaf || !flags[i].leaf_only))
			append(buf, "%s%s", *buf ? " " : "", flags[i].name);
	if (ctx->mode != PAGING_32 && (entry & PTE_NX))
		append(buf, " NX");
	if (ctx->pke && is_leaf && pte_pkey(entry))
		append(buf, " key=%u", pte_pkey(entry));
}

/* "51:40", or "21". */
static void append_range(char *buf, uint64_t bits)
{
	unsigned int high = 63 - (unsigned int)__builtin_clzll(bits);
	unsigned int low = (unsigned int)__builtin_ctzll(bits);

	if (high == low)
		append(buf, "bit %u", high);
	else
		append(buf, "bits %u:%u", high, low);
}

static const char *page_size(enum paging_mode mode, int level)
{
	if (level == 3)
		return "1G page";
	if (level == 2)
		return mode == PAGING_32 ? "4M page" : "2M page";
	return "page";
}

void entry_text(const struct paging_ctx *ctx, const struct path_entry *entry,
		char buf[FLAGS_MAX])
{
	*buf = 0;
	if (!(entry->entry & PTE_P)) {
		append(buf, "P=0: nothing is mapped");
		return;
	}
	append_flags(buf, ctx, entry->entry, entry->is_leaf);
	if (entry->reserved) {
		append(buf, ", reserved ");
		append_range(buf, entry->reserved);
		append(buf, " set");
		return;
	}
	if (entry->is_leaf)
		append(buf, " -> %s 0x%" PRIx64,
		       page_size(ctx->mode, entry->level),
		       paging_leaf_base(ctx->mode, entry->entry, entry->level));
	else
		append(buf, " -> table 0x%" PRIx64, entry->entry & PTE_ADDR);
}

const char *spte_kind_name(enum smmu_spte_kind kind, bool has_p)
{
	switch (kind) {
	case SMMU_SPTE_PRESENT:
		return "present";
	case SMMU_SPTE_ABSENT:
		return "not present";
	case SMMU_SPTE_TRAP:
		return has_p ? "trap" : "empty";
	case SMMU_SPTE_NOTRAP:
		return has_p ? "guest-not-present" : "notrap";
	case SMMU_SPTE_MMIO:
		return "MMIO";
	case NR_SMMU_SPTE_KINDS:
		break;
	}
	return "";
}

void spte_text(const struct paging_ctx *ctx, enum smmu_spte_kind kind,
	       uint64_t spte, int level, char buf[FLAGS_MAX])
{
	struct path_entry entry = {
		.level = level,
		.entry = spte,
		.is_leaf = level == 1 || (level <= 3 && (spte & PTE_PS)),
	};

	*buf = 0;
	switch (kind) {
	case SMMU_SPTE_PRESENT:
		entry_text(ctx, &entry, buf);
		return;
	case SMMU_SPTE_ABSENT:
		append(buf, "not present (P=0)");
		return;
	case SMMU_SPTE_TRAP:
	case SMMU_SPTE_NOTRAP:
	case SMMU_SPTE_MMIO:
	case NR_SMMU_SPTE_KINDS:
		append(buf, "%s", spte_kind_name(kind, spte & PTE_P));
		break;
	}
	if (!(spte & PTE_P)) {
		append(buf, " (P=0)");
		return;
	}
	append(buf, " (P=1");
	entry.reserved = spte & paging_reserved(ctx, spte, level);
	if (entry.reserved) {
		append(buf, ", reserved ");
		append_range(buf, entry.reserved);
		append(buf, " set");
	}
	append(buf, ")");
}

static void path_entry_text(const struct telling *t, const struct path *path,
			    const struct path_entry *entry, bool is_shadow,
			    char buf[FLAGS_MAX])
{
	enum smmu_spte_kind kind = SMMU_SPTE_PRESENT;

	if (is_shadow && !entry->is_register)
		kind = smmu_spte_kind(t->in.smmu, entry->entry);
	if (kind == SMMU_SPTE_PRESENT)
		entry_text(&path->ctx, entry, buf);
	else
		spte_text(&path->ctx, kind, entry->entry, entry->level, buf);
}

static void put_entries(const struct telling *t, const struct path *path,
			bool is_shadow)
{
	prose_table(t->prose);
	prose_column(t->prose, "entry", false);
	prose_column(t->prose, "table", true);
	prose_column(t->prose, "index", true);
	prose_column(t->prose, "value", true);
	prose_column(t->prose, "says", false);
	for (unsigned int i = 0; i < path->nr; i++) {
		const struct path_entry *entry = &path->entry[i];
		char says[FLAGS_MAX];

		path_entry_text(t, path, entry, is_shadow, says);
		prose_cell(t->prose, "%s", path_entry_name(entry->level));
		if (entry->is_register)
			prose_cell(t->prose, "register");
		else
			prose_cell(t->prose, "0x%" PRIx64, entry->table);
		prose_cell(t->prose, "%u", entry->index);
		prose_cell(t->prose, "0x%" PRIx64, entry->entry);
		prose_cell(t->prose, "%s", says);
	}
}

/* --- What decided -------------------------------------------------------- */

static bool has_nx(const struct paging_ctx *ctx)
{
	return ctx->nxe && ctx->mode != PAGING_32;
}

/* "PML4E, PDE": the entries whose bit is not as it should be. */
static void entries_with(const struct path *path, uint64_t bit, bool set,
			 char buf[FLAGS_MAX])
{
	*buf = 0;
	for (unsigned int i = 0; i < path->nr; i++) {
		const struct path_entry *entry = &path->entry[i];

		/* PDPTEs of PAE have no rights. */
		if (!entry->is_register && !!(entry->entry & bit) == set)
			append(buf, "%s%s", *buf ? ", " : "",
			       path_entry_name(entry->level));
	}
}

static void tell_user_right(const struct telling *t, const struct path *path)
{
	bool user_page = path->walk.rights & PTE_U;
	char where[FLAGS_MAX];

	entries_with(path, PTE_U, false, where);
	if (path->access & PFEC_U) {
		prose_fact(t->prose, "user",
			   user_page ? "U=1 in every entry: allowed"
				     : "U=0 in %s: denied",
			   where);
		return;
	}
	if (path->access & PFEC_ID) {
		if (path->ctx.smep)
			prose_fact(t->prose, "supervisor",
				   user_page ? "CR4.SMEP=1 and U=1 in every "
					       "entry: denied"
					     : "CR4.SMEP=1, but U=0 in %s: "
					       "allowed",
				   where);
		return;
	}
	if (path->ctx.smap)
		prose_fact(
			t->prose, "supervisor",
			!user_page ? "CR4.SMAP=1, but U=0 in %s: allowed"
			: path->access & ACCESS_AC
				? "CR4.SMAP=1 and U=1 in every entry, but "
				  "RFLAGS.AC=1: allowed"
				: "CR4.SMAP=1 and U=1 in every entry: denied",
			where);
}

static void tell_write_right(const struct telling *t, const struct path *path)
{
	bool user = path->access & PFEC_U;
	char where[FLAGS_MAX];

	if (!(path->access & PFEC_W))
		return;
	entries_with(path, PTE_W, false, where);
	if (path->walk.rights & PTE_W)
		prose_fact(t->prose, "write", "W=1 in every entry: allowed");
	else if (user)
		prose_fact(t->prose, "write", "W=0 in %s: denied", where);
	else
		prose_fact(t->prose, "write", "W=0 in %s, CR0.WP=%d: %s", where,
			   path->ctx.wp,
			   path->ctx.wp ? "denied"
					: "allowed to the supervisor");
}

static void tell_fetch_right(const struct telling *t, const struct path *path)
{
	char where[FLAGS_MAX];

	if (!(path->access & PFEC_ID))
		return;
	entries_with(path, PTE_NX, true, where);
	if (!has_nx(&path->ctx))
		prose_fact(t->prose, "fetch",
			   "EFER.NXE=0: every page may be executed");
	else
		prose_fact(t->prose, "fetch",
			   path->walk.rights & PTE_NX
				   ? "NX=1 in %s: denied"
				   : "NX=0 in every entry: allowed",
			   where);
}

static void tell_key(const struct telling *t, const struct path *path)
{
	unsigned int key = pte_pkey(path->walk.leaf);
	bool denied;

	if (!path->ctx.pke || !paging_is_long(path->ctx.mode) ||
	    (path->access & PFEC_ID) || !(path->walk.rights & PTE_U))
		return;
	denied = paging_key_denies(&path->ctx, path->walk.leaf,
				   path->walk.rights, path->access);
	prose_fact(t->prose, "key",
		   "protection key %u, of which PKRU 0x%" PRIx32
		   " says AD=%d WD=%d: %s",
		   key, path->ctx.pkru,
		   !!(pkru_bits(path->ctx.pkru, key) & PKRU_AD),
		   !!(pkru_bits(path->ctx.pkru, key) & PKRU_WD),
		   denied ? "denied" : "allowed");
}

static void tell_rights(const struct telling *t, const struct path *path)
{
	prose_fact(t->prose, "present", "P=1 in every entry: yes");
	if (!(path->access & (PFEC_U | PFEC_W | PFEC_ID)))
		prose_fact(t->prose, "read",
			   "the supervisor needs no right for it: allowed");
	tell_user_right(t, path);
	tell_write_right(t, path);
	tell_fetch_right(t, path);
	tell_key(t, path);
}

/* What ends the walk before rights are looked at.  False: nothing does. */
static bool tell_end_of_walk(const struct telling *t, const struct path *path)
{
	const struct path_entry *last = path_last(path);
	char range[FLAGS_MAX] = "";

	if (!(last->entry & PTE_P)) {
		prose_fact(t->prose, "present",
			   "P=0 in the %s: no. The walk ends there, and no "
			   "other bit of the entry counts",
			   path_entry_name(last->level));
		return true;
	}
	if (!last->reserved)
		return false;
	append_range(range, last->reserved);
	prose_fact(t->prose, "present", "P=1 in every entry read: yes");
	prose_fact(t->prose, "reserved",
		   "%s of the %s are set and must be 0 (MAXPHYADDR %u, "
		   "EFER.NXE=%d): the walk ends there with a fault",
		   range, path_entry_name(last->level), path->ctx.maxphyaddr,
		   path->ctx.nxe);
	return true;
}

static void tell_bits(const struct telling *t, const struct path *path)
{
	if (!tell_end_of_walk(t, path))
		tell_rights(t, path);
}

/* --- The two walks ------------------------------------------------------- */

void tell_guest_walk(const struct telling *t, const struct path *path)
{
	struct prose *prose = t->prose;

	prose_section(prose, "What the guest's own tables say");
	if (path->ctx.mode == PAGING_OFF) {
		prose_para(prose,
			   "Paging is off: a linear address is the physical "
			   "address, and everything is allowed.");
		return;
	}
	put_entries(t, path, false);
	tell_bits(t, path);
	if (path->walk.fault)
		prose_verdict(prose,
			      "A true guest fault: without a hypervisor, too, "
			      "the processor would raise #PF with error code "
			      "0x%" PRIx32 ".",
			      path->walk.pfec);
	else
		prose_verdict(prose,
			      "The guest allows it: guest-physical 0x%" PRIx64
			      ". A fault can only be the shadow's.",
			      path->walk.pa);
}

void tell_shadow_walk(const struct telling *t, const struct path *path)
{
	struct prose *prose = t->prose;

	put_entries(t, path, true);
	tell_bits(t, path);
	if (path->walk.fault)
		prose_verdict(prose,
			      "The processor raises #PF with error code "
			      "0x%" PRIx32 ".",
			      path->walk.pfec);
	else
		prose_verdict(prose,
			      "It translates to 0x%" PRIx64 ": no fault.",
			      path->walk.pa);
}
