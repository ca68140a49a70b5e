/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/msr.h"

#include <string.h>

#include "arch/cpu_profile.h"
#include "base/bug.h"

enum msr_vendor {
	FOR_ANY,
	FOR_INTEL,
	FOR_AMD,
};

enum msr_kind {
	KIND_RW,
	KIND_BITS,
	KIND_RO,
	KIND_KEPT,
	KIND_WO,
	KIND_PMC,
	KIND_CLEAR,
	KIND_PAT,
	KIND_MTRR_DEF,
	KIND_MTRR_BASE,
	KIND_MTRR_FIX,
};

static const struct msr_line {
	uint32_t number, count, at;
	const char *profiles;
	enum msr_vendor vendor;
	enum msr_kind kind;
	uint64_t reset, writable;
} lines[] = {
#define MSR(id, number, count, profiles, vendor, kind, reset, writable, ...) \
	{number,       count,       MSR_AT_##id, profiles,                   \
	 FOR_##vendor, KIND_##kind, reset,       writable},
#include "platform/msrs.def"
#undef MSR
};

/* In the order of arch/cpu_profiles.def. */
static const char letters[NR_PROFILES + 1] = "p32kn";

static bool is_of(const struct msr_line *line, const struct msrs *msrs)
{
	char letter = letters[profile_of(msrs->features)];

	if (line->vendor != FOR_ANY && (line->vendor == FOR_AMD) != msrs->amd)
		return false;
	return strchr(line->profiles, letter);
}

static const struct msr_line *find_line(const struct msrs *msrs,
					uint32_t number)
{
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (number - lines[i].number < lines[i].count &&
		    is_of(&lines[i], msrs))
			return &lines[i];
	return NULL;
}

void msrs_init(struct msrs *msrs, uint32_t features, bool amd,
	       uint8_t maxphyaddr)
{
	*msrs = (struct msrs){
		.features = features, .amd = amd, .maxphyaddr = maxphyaddr};
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		for (uint32_t j = 0; j < lines[i].count; j++)
			msrs->value[lines[i].at + j] = lines[i].reset;
}

bool msrs_read(const struct msrs *msrs, uint32_t number, uint64_t *ret)
{
	const struct msr_line *line = find_line(msrs, number);

	if (!line || line->kind == KIND_WO)
		return false;
	*ret = msrs->value[line->at + (number - line->number)];
	return true;
}

/* SDM vol. 3A, "Memory Types": UC, WC, WT, WP, WB; PAT has UC- too. */
static bool is_type(uint64_t type, bool pat)
{
	return type == 0 || type == 1 || (type >= 4 && type <= 6) ||
	       (pat && type == 7);
}

static bool are_types(uint64_t val, bool pat)
{
	for (unsigned int i = 0; i < 64; i += 8)
		if (!is_type(val >> i & 0xff, pat))
			return false;
	return true;
}

/* IA32_MTRR_PHYSBASE and PHYSMASK take turns. */
static bool is_range(const struct msrs *msrs, uint32_t number, uint64_t val)
{
	uint64_t address = BITS(msrs->maxphyaddr - 1, 12);

	if (number & 1) /* V */
		return !(val & ~(address | BIT(11)));
	return !(val & ~(address | 0xff)) && is_type(val & 0xff, false);
}

static bool accepts(const struct msrs *msrs, const struct msr_line *line,
		    uint32_t number, uint64_t old, uint64_t val)
{
	switch (line->kind) {
	case KIND_RW:
		return !((old ^ val) & ~line->writable);
	case KIND_RO:
		return false;
	case KIND_BITS:
	case KIND_KEPT:
	case KIND_WO:
	case KIND_PMC:
		return true;
	case KIND_CLEAR: /* MCi_CTL takes anything */
		return !val || !((number - line->number) & 3);
	case KIND_PAT:
		return are_types(val, true);
	case KIND_MTRR_DEF: /* E, FE, type */
		return !(val & ~UINT64_C(0xcff)) && is_type(val & 0xff, false);
	case KIND_MTRR_BASE:
		return is_range(msrs, number, val);
	case KIND_MTRR_FIX:
		return are_types(val, false);
	}
	BUG("kind of MSR");
}

static uint64_t after(const struct msr_line *line, uint64_t old, uint64_t val)
{
	switch (line->kind) {
	case KIND_KEPT:
	case KIND_WO:
		return old;
	case KIND_BITS:
		return (old & ~line->writable) | (val & line->writable);
	case KIND_PMC:
		return (uint64_t)(int64_t)(int32_t)val & line->writable;
	default:
		return val;
	}
}

bool msrs_write(struct msrs *msrs, uint32_t number, uint64_t val)
{
	const struct msr_line *line = find_line(msrs, number);
	uint64_t *value;

	if (!line)
		return false;
	value = &msrs->value[line->at + (number - line->number)];
	if (!accepts(msrs, line, number, *value, val))
		return false;
	*value = after(line, *value, val);
	return true;
}
