/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration of one run: parsed and printed from options.def and
 * account/costs.def, and resolved against the generation.
 */
#ifndef NOTRAP_SIM_CONFIG_H
#define NOTRAP_SIM_CONFIG_H

#include "account/account.h"
#include "arch/vendor.h"
#include "base/diag.h"
#include "base/types.h"
#include "machine/machine.h"
#include "shadow_mmu/smmu.h"
#include "sim/mmus.h"

#define CONFIG_AUTO (~UINT64_C(0))

/* Room for the text of any value. */
#define CONFIG_TEXT_MAX 256

enum option_id {
#define OPTION(key, field, type, def, values, help) OPT_##field,
#include "sim/options.def"
#undef OPTION
	NR_OPTIONS
};

enum {
	BYPASS_OFF,
	BYPASS_ON,
};

enum {
	CLOCK_INSN,
	CLOCK_CYCLES,
};

/* Of "switch.NAME" (shadow_mmu/switches.def), and of "auto,off,on". */
enum {
	SWITCH_AUTO,
	SWITCH_OFF,
	SWITCH_ON,
};

enum {
	MODEL_EXITS,
	MODEL_FULL,
};

enum {
	UNSAFE_TRAP_REFUSE,
	UNSAFE_TRAP_FORCE,
};

struct config {
	/* One number an option: value, choice index, generation index; 0 for
	 * those that have a text. */
	uint64_t value[NR_OPTIONS];
	/* Of the machine and the hypervisor, unless given. */
	struct cost_range cost[NR_COSTS];
	bool cost_given[NR_COSTS];
	/* machine= and hypervisor= as text, and what was read there. */
	char machine_text[CONFIG_TEXT_MAX], hypervisor_text[CONFIG_TEXT_MAX];
	struct machine_model machine;
	struct hypervisor hypervisor;
	/* Overrides of the generation: SWITCH_AUTO leaves it as it is. */
	uint8_t sw[NR_SMMU_SWITCHES];
	bool given[NR_OPTIONS]; /* by config_set(), not by default */
};

void config_init(struct config *config); /* the defaults */

/*
 * The defaults that hold beneath the same machine=, hypervisor= and mmu=: what
 * differs from them has been set.
 */
void config_init_beneath(struct config *ret, const struct config *config);

/*
 * Set one key from text.  A file is read now.  -ENOENT: no such key (the line
 * suggests the nearest one); -EINVAL: bad value (the line says what is
 * accepted).
 */
int config_set(struct config *config, const char *key, const char *value,
	       struct diag *diag);

/*
 * What cannot be run, after all keys are set: a number out of its range, a
 * vendor, width or feature that the chosen processor or machine cannot have,
 * bypass=on given together with vendor=amd, flushes that do not exit where
 * guest tables may go out of sync, or entries that would not fault
 * (sim/trap_check.h) without unsafe-trap=force; without shadow tables, what is
 * said of them.  -EINVAL with a line.
 *
 * The default bypass=on is a wish: where the generation or the vendor cannot,
 * it is off, and so is bypass=on given with a generation that has none.
 */
int config_check(const struct config *config, struct diag *diag);

/*
 * A part of it: what machine= lacks.  Once more for a trace, which brings its
 * features along.
 */
int config_check_machine(const struct config *config, struct diag *diag);

static inline uint64_t config_get(const struct config *config,
				  enum option_id id)
{
	return config->value[id];
}

/* cpu= and features= as a processor has them (arch/cpu_profile.h). */
uint32_t config_processor(const struct config *config);

enum mmu_kind config_mmu_kind(const struct config *config);
const char *config_mmu_name(const struct config *config);

/* NULL: there are no shadow tables. */
const struct smmu_generation *config_generation(const struct config *config);

/* The generation's switches, with what was set otherwise. */
struct smmu_switches config_switches(const struct config *config);

/* The shadow MMU that goes with it. */
struct smmu_config config_mmu(const struct config *config);

/*
 * The bypass as the module parameter left it: bypass=on, a generation that has
 * it, a vendor that can filter.
 */
bool config_has_bypass(const struct config *config);

/* INVLPG exits: as set, or as guest tables may go out of sync. */
/* Exits do not flush. */
bool config_has_vpid(const struct config *config);

bool config_invlpg_exits(const struct config *config);

/* Why bypass=on would change nothing here, as text; NULL if it would. */
const char *config_bypass_obstacle(const struct config *config);

/*
 * The configuration as it will run: bypass is what it comes to, and settings
 * that mean nothing there are as by default.  What is
 * "auto" stays so, as it follows from the rest.
 */
struct config config_effective(const struct config *config);
bool config_is_equal(const struct config *a, const struct config *b);

/* Number of keys: options first, then costs, then switches; for listings. */
unsigned int config_nr_keys(void);
bool config_is_switch(unsigned int i);
#define CONFIG_SWITCH_DEFAULT "auto"

struct config_key {
	const char *key;
	const char *def;    /* default, as text */
	const char *values; /* what is accepted, as text */
	const char *help;
};

/* The text lives as long as the program, but for `def` of costs: caller's
 * buf. */
void config_key(unsigned int i, struct config_key *ret,
		char buf[COST_RANGE_TEXT_MAX]);

/* Its name alone. */
const char *config_key_name(unsigned int i);

/* Number of the key, or -ENOENT with a line that suggests the nearest one. */
int config_find(const char *key, struct diag *diag);

/* The value of key i as text, as config_set() would take it. */
void config_text(const struct config *config, unsigned int i, char *buf,
		 size_t size);

#endif
