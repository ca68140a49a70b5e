/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of settings: every key goes from text to value and back, bad
 * values are refused with a line that helps, and what cannot be run is told
 * from what merely comes to something else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"
#include "sim/config.h"

/* Text for each key that must come back as it was. */
static const struct {
	const char *key;
	const char *texts; /* separated by blanks */
} round_trips[] = {
	{"mmu",
	 "kvm-2.6.20-rc3 kvm-2.6.20 kvm-2.6.24 seed kvm-2.6.25 xen ept native"},
	{"bypass", "off on"},
	{"machine", "generic"},
	{"hypervisor", "generic era kvm-2.6.20 xen-3"},
	{"vendor", "intel amd"},
	{"cpu", "plain pentium3 core2 k8 nehalem"},
	{"ept-pages", "4k 2m"},
	{"vpid", "auto off on"},
	{"memory", "2M 64M 3G 4100K 16777217"},
	{"vcpus", "1 4"},
	{"shadow-pages", "64 1024 130816"},
	{"maxphyaddr", "36 52"},
	{"features", "none all smep smep+smap la57+pcid+1g"},
	{"apic", "off on"},
	{"clock", "insn cycles"},
	{"model", "exits full"},
	{"host-nxe", "off on"},
	{"unsafe-trap", "refuse force"},
	{"exception-bitmap", "auto 0x0 0x4000 0xffffffff"},
	{"pfec-mask", "auto 0x0 0x1f"},
	{"pfec-match", "auto 0x0 0x1"},
	{"cr3-targets", "0 4"},
	{"tsc-exiting", "off on"},
	{"invlpg-exiting", "auto off on"},
	{"hlt-exiting", "off on"},
	{"dirty-log", "0 1000000"},
	{"roi", "off on"},
	{"max-insns", "0 1 18446744073709551615"},
	{"audit", "off entry table all"},
	{"check-stale", "off on"},
	{"mhz", "0 2400"},
};

static unsigned int key_number(const char *key)
{
	struct diag diag = {""};
	int i = config_find(key, &diag);

	if (i < 0)
		fail_msg("%s: %s", key, diag.msg);
	return (unsigned int)i;
}

static void check_round_trip(const char *key, const char *text)
{
	struct config config;
	struct diag diag = {""};
	char got[64];

	config_init(&config);
	if (config_set(&config, key, text, &diag))
		fail_msg("%s=%s: %s", key, text, diag.msg);
	config_text(&config, key_number(key), got, sizeof(got));
	if (strcmp(got, text) != 0)
		fail_msg("%s: got %s, want %s", key, got, text);
}

static bool is_in_round_trips(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(round_trips); i++)
		if (!strcmp(round_trips[i].key, key))
			return true;
	return false;
}

static void test_round_trips(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(round_trips); i++) {
		char texts[256], *rest = texts, *text;

		snprintf(texts, sizeof(texts), "%s", round_trips[i].texts);
		while ((text = strsep(&rest, " ")))
			check_round_trip(round_trips[i].key, text);
	}
	for (int i = 0; i < NR_COSTS; i++) {
		check_round_trip(cost_info((enum cost_id)i)->key, "0");
		check_round_trip(cost_info((enum cost_id)i)->key, "1000000");
	}
}

/* A key that is added must be added above; its default must be a value. */
static void test_every_key(void **state)
{
	struct config config;

	(void)state;
	config_init(&config);
	assert_int_equal(config_nr_keys(),
			 NR_OPTIONS + NR_COSTS + NR_SMMU_SWITCHES);
	for (unsigned int i = 0; i < config_nr_keys(); i++) {
		char buf[COST_RANGE_TEXT_MAX], text[CONFIG_TEXT_MAX];
		struct config_key key;

		config_key(i, &key, buf);
		assert_true(key.key[0] && key.values[0] && key.help[0]);
		if (i < NR_OPTIONS && !is_in_round_trips(key.key))
			fail_msg("%s: not in this test's table", key.key);
		assert_int_equal(key_number(key.key), i);
		config_text(&config, i, text, sizeof(text));
		if (strcmp(text, key.def) != 0)
			fail_msg("%s: default %s is printed as %s", key.key,
				 key.def, text);
		check_round_trip(key.key, key.def);
	}
}

static void check_cost(const struct config *config, enum cost_id id,
		       uint64_t typ, uint64_t min, uint64_t max)
{
	assert_int_equal(config->cost[id].typ, typ);
	assert_int_equal(config->cost[id].min, min);
	assert_int_equal(config->cost[id].max, max);
}

/* A cost reaches the account: the key sets the number of that name. */
static void test_costs(void **state)
{
	struct config config, before;
	struct diag diag;

	(void)state;
	config_init(&config);
	before = config;
	assert_int_equal(config_set(&config, "cost.exit", "1000", &diag), 0);
	check_cost(&config, COST_EXIT, 1000, 1000, 1000);
	assert_int_equal(
		config_set(&config, "cost.exit", "1000:900..1200", &diag), 0);
	check_cost(&config, COST_EXIT, 1000, 900, 1200);
	assert_memory_equal(&config.cost[COST_DISPATCH],
			    &before.cost[COST_DISPATCH],
			    sizeof(struct cost_range));
}

static const struct {
	const char *key, *text;
	uint64_t want;
	enum option_id id;
} other_spellings[] = {
	{"memory", "0x4000000", 64 << 20, OPT_memory},
	{"memory", "65536k", 64 << 20, OPT_memory},
	{"memory", "64m", 64 << 20, OPT_memory},
	{"memory", "67108864", 64 << 20, OPT_memory},
	{"exception-bitmap", "16384", 0x4000, OPT_exception_bitmap},
	{"pfec-mask", "0X1F", 0x1f, OPT_pfec_mask},
	{"max-insns", "0xffff", 0xffff, OPT_max_insns},
};

static void test_other_spellings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(other_spellings); i++) {
		struct config config;
		struct diag diag;

		config_init(&config);
		assert_int_equal(config_set(&config, other_spellings[i].key,
					    other_spellings[i].text, &diag),
				 0);
		assert_true(config_get(&config, other_spellings[i].id) ==
			    other_spellings[i].want);
	}
}

static const struct {
	const char *key, *value;
	int err;
	const char *says; /* part of the line */
} refusals[] = {
	{"byps", "on", -ENOENT, "did you mean \"bypass\"?"},
	{"exit", "1", -ENOENT, "did you mean \"cost.exit\"?"},
	{"shadow_page", "64", -ENOENT, "did you mean \"shadow-pages\"?"},
	{"cost.exi", "1", -ENOENT, "did you mean \"cost.exit\"?"},
	{"frobnicate", "1", -ENOENT, "no setting is called \"frobnicate\""},
	{"", "1", -ENOENT, "no setting"},
	{"bypass", "maybe", -EINVAL, "want one of off,on"},
	{"bypass", "", -EINVAL, "want one of off,on"},
	{"bypass", "o", -EINVAL, "want one of off,on"},
	{"bypass", "off,on", -EINVAL, "want one of off,on"},
	{"bypass", "ON", -EINVAL, "want one of off,on"},
	{"features", "", -EINVAL, "want none, all, or with + between"},
	{"features", "smep,smap", -EINVAL, "want none, all, or with +"},
	{"features", "smep+", -EINVAL, "want none, all, or with +"},
	{"features", "smep+none", -EINVAL, "want none, all, or with +"},
	{"features", "sme", -EINVAL, "la57,smep,smap,pku,pcid,invpcid,1g"},
	{"audit", "al", -EINVAL, "want one of off,entry,table,all"},
	{"mmu", "kvm-2.6.2", -EINVAL, "did you mean \"kvm-2.6.20\"?"},
	{"mmu", "kvm", -EINVAL,
	 "there are kvm-2.6.20-rc3, kvm-2.6.20, kvm-2.6.24"},
	{"mmu", "", -EINVAL, "there are kvm-2.6.20-rc3"},
	{"memory", "64X", -EINVAL, "want 2M..3G"},
	{"memory", "M", -EINVAL, "want 2M..3G"},
	{"memory", "64MB", -EINVAL, "want 2M..3G"},
	{"memory", "-1", -EINVAL, "want 2M..3G"},
	{"memory", "18014398509481984K", -EINVAL, "want 2M..3G"},
	{"shadow-pages", "12.5", -EINVAL, "want 64..130816"},
	{"shadow-pages", " 64", -EINVAL, "want 64..130816"},
	{"max-insns", "18446744073709551616", -EINVAL, "want a number"},
	{"max-insns", "0x", -EINVAL, "want a number"},
	{"max-insns", "1e6", -EINVAL, "want a number"},
	{"pfec-mask", "off", -EINVAL, "want auto or u32"},
	{"pfec-mask", "0xffffffffffffffff", -EINVAL, "want auto or u32"},
	{"machine", "merom2006", -EINVAL, "there are generic"},
	{"machine", "genric", -EINVAL, "did you mean \"generic\"?"},
	{"machine", "no/such.ini", -EINVAL, "no/such.ini: No such file"},
	{"hypervisor", "kvm-2.6.2", -EINVAL, "did you mean \"kvm-2.6.20\"?"},
	{"hypervisor", "", -EINVAL, "there are generic, kvm-2.6.20"},
	{"cost.exit", "1000001", -EINVAL, "want a number of cycles"},
	{"cost.exit", "10:0..1000001", -EINVAL, "want a number of cycles"},
	{"cost.exit", "10:11..12", -EINVAL, "want a number of cycles"},
	{"cost.exit", "10:", -EINVAL, "want a number of cycles"},
	{"cost.exit", "-1", -EINVAL, "want a number of cycles"},
	{"cost.exit", "", -EINVAL, "want a number of cycles"},
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct config config, before;
		struct diag diag = {""};
		int err;

		config_init(&config);
		before = config;
		err = config_set(&config, refusals[i].key, refusals[i].value,
				 &diag);
		if (err != refusals[i].err ||
		    !strstr(diag.msg, refusals[i].says))
			fail_msg("%s=%s: got %d, \"%s\"; want %d, \"%s\"",
				 refusals[i].key, refusals[i].value, err,
				 diag.msg, refusals[i].err, refusals[i].says);
		assert_true(config_is_equal(&config, &before));
	}
}

/* Settings that do or do not fit together: "key=value key=value". */
static const struct {
	const char *settings;
	const char *says; /* NULL: fine */
} checks[] = {
	{"", NULL},
	{"memory=2M", NULL},
	{"memory=3G", NULL},
	{"memory=1M", "memory=1M: want 2M..3G"},
	{"memory=4G", "memory=4G: want 2M..3G"},
	{"memory=5000001", "memory=5000001: want whole pages of 4K"},
	{"memory=2052K", NULL},
	{"shadow-pages=64", NULL},
	{"shadow-pages=63", "shadow-pages=63: want 64..130816"},
	{"shadow-pages=130816", NULL},
	{"shadow-pages=130817", "want 64..130816"},
	{"maxphyaddr=36", NULL},
	{"maxphyaddr=51", NULL},
	{"cpu=pentium3", NULL},
	{"cpu=pentium3 maxphyaddr=40",
	 "maxphyaddr=40: cpu=pentium3 has 36 bits"},
	{"maxphyaddr=40 cpu=pentium3", "cpu=pentium3 has 36 bits"},
	{"cpu=core2 maxphyaddr=40", NULL},
	{"cpu=k8", NULL},
	{"cpu=k8 vendor=intel", "vendor=intel: cpu=k8 is the other vendor's"},
	{"vendor=amd cpu=core2", "vendor=amd: cpu=core2 is the other vendor's"},
	{"cpu=k8 cpu=core2", NULL},
	{"cpu=pentium3 features=smep+smap", NULL},
	{"cpu=pentium3 features=smep+pcid",
	 "need long mode, which cpu=pentium3"},
	{"cpu=nehalem features=all", NULL},
	{"maxphyaddr=52", "maxphyaddr=52, host-nxe=on: no bit of the shadow "
			  "entry \"trap\" (0xfffffffffffff001) is reserved in "
			  "4-level tables"},
	{"maxphyaddr=52", "unsafe-trap=force"},
	{"maxphyaddr=52 mmu=seed bypass=on", "unsafe-trap=force"},
	{"maxphyaddr=52 unsafe-trap=force", NULL},
	{"maxphyaddr=52 host-nxe=off", NULL},
	{"maxphyaddr=52 bypass=off", NULL},
	{"maxphyaddr=52 mmu=kvm-2.6.24", NULL},
	{"maxphyaddr=52 vendor=amd", NULL},
	{"maxphyaddr=51 unsafe-trap=refuse", NULL},
	{"maxphyaddr=35", "want 36..52"},
	{"maxphyaddr=53", "want 36..52"},
	{"cr3-targets=4", NULL},
	{"cr3-targets=5", "want 0..4"},
	{"mmu=kvm-2.6.20-rc3 cr3-targets=4",
	 "MOV to CR3 must exit where the shadow is a TLB (switch.vtlb)"},
	{"mmu=kvm-2.6.28 cr3-targets=4",
	 "MOV to CR3 must exit where guest tables may go out of sync"},
	{"mmu=kvm-2.6.20-rc3 invlpg-exiting=off",
	 "INVLPG must exit where the shadow is a TLB"},
	{"mmu=kvm-2.6.20 switch.vtlb=on", NULL},
	{"exception-bitmap=0xffffffff", NULL},
	{"exception-bitmap=0x100000000", "want auto or u32"},
	{"pfec-mask=0x100000000", "want auto or u32"},
	{"pfec-match=0x100000000", "want auto or u32"},
	{"mhz=100001", "want 0..100000"},
	{"clock=cycles", NULL},
	{"clock=cycles mhz=0", "clock=cycles: mhz must not be 0"},
	{"clock=cycles cost.guest-insn=2", "cost.guest-insn must be 1"},
	{"clock=insn mhz=0 cost.guest-insn=2", NULL},
	{"vendor=amd", NULL},
	{"vendor=amd bypass=off", NULL},
	{"vendor=amd bypass=on", "vendor=amd has none"},
	{"bypass=on vendor=amd", "vendor=amd has none"},
	{"vendor=amd pfec-mask=1", "with vendor=amd they must be auto or 0"},
	{"vendor=amd pfec-match=1", "with vendor=amd they must be auto or 0"},
	{"vendor=amd pfec-mask=0 pfec-match=0", NULL},
	{"mmu=ept", NULL},
	{"mmu=native hlt-exiting=off vendor=amd", NULL},
	{"mmu=ept ept-pages=2m maxphyaddr=52", NULL},
	{"mmu=ept vendor=amd", "mmu=ept is VMX's"},
	{"mmu=ept exception-bitmap=0x4000",
	 "exception-bitmap=0x4000: mmu=ept has no shadow tables for it"},
	{"mmu=native pfec-mask=1", "mmu=native has no shadow tables"},
	{"mmu=ept cr3-targets=4", "cr3-targets=4: mmu=ept"},
	{"mmu=native dirty-log=5", "dirty-log=5: mmu=native"},
	{"mmu=native switch.unsync=on", "switch.unsync=on: mmu=native"},
	{"mmu=kvm-2.6.24 bypass=on", NULL},
	{"mmu=kvm-2.6.24 bypass=on vendor=amd", "vendor=amd has none"},
};

static void set_all(struct config *config, const char *settings)
{
	char copy[256], *rest = copy, *word;
	struct diag diag = {""};

	config_init(config);
	snprintf(copy, sizeof(copy), "%s", settings);
	while ((word = strsep(&rest, " "))) {
		char *value = strchr(word, '=');

		if (!value)
			continue;
		*value++ = 0;
		if (config_set(config, word, value, &diag))
			fail_msg("%s: %s", settings, diag.msg);
	}
}

static void test_checks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		struct config config;
		struct diag diag = {""};
		int err;

		set_all(&config, checks[i].settings);
		err = config_check(&config, &diag);
		if (err != (checks[i].says ? -EINVAL : 0) ||
		    (checks[i].says && !strstr(diag.msg, checks[i].says)))
			fail_msg("%s: got %d, \"%s\"; want \"%s\"",
				 checks[i].settings, err, diag.msg,
				 checks[i].says ? checks[i].says : "");
	}
}

static const struct {
	const char *settings;
	bool bypass;
	const char *obstacle; /* part of it; NULL: none */
} effects[] = {
	{"", true, NULL},
	{"bypass=off", false, NULL},
	{"mmu=seed", true, NULL},
	{"mmu=kvm-2.6.25 bypass=on", true, NULL},
	{"mmu=kvm-2.6.20", false, "this generation"},
	{"mmu=kvm-2.6.24", false, "this generation"},
	{"mmu=kvm-2.6.24 bypass=on", false, "this generation"},
	{"mmu=kvm-2.6.24 bypass=off", false, "this generation"},
	{"vendor=amd", false, "AMD"},
	{"vendor=amd bypass=off", false, "AMD"},
	{"mmu=ept", false, "no guest fault exits"},
	{"mmu=native bypass=on", false, "no hypervisor"},
};

static void test_effects(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(effects); i++) {
		struct config config, effective;
		const char *obstacle;
		char text[64];

		set_all(&config, effects[i].settings);
		effective = config_effective(&config);
		config_text(&effective, OPT_bypass, text, sizeof(text));
		assert_int_equal(config_has_bypass(&config), effects[i].bypass);
		assert_int_equal(config_has_bypass(&effective),
				 effects[i].bypass);
		assert_string_equal(text, effects[i].bypass ? "on" : "off");
		obstacle = config_bypass_obstacle(&config);
		if (!obstacle != !effects[i].obstacle ||
		    (obstacle && !strstr(obstacle, effects[i].obstacle)))
			fail_msg("%s: obstacle is %s", effects[i].settings,
				 obstacle ? obstacle : "none");
	}
}

/* A switch is the generation's unless set, and each key sets its own. */
static void test_switches(void **state)
{
	struct smmu_switches sw;
	struct config a, b;

	(void)state;
	set_all(&a, "mmu=seed");
	sw = config_switches(&a);
	assert_true(sw.notrap_entries && !sw.flood_sees_accessed);
	set_all(&a, "mmu=seed switch.flood_sees_accessed=on");
	sw = config_switches(&a);
	assert_true(sw.notrap_entries && sw.flood_sees_accessed);
	set_all(&a, "switch.notrap_entries=off mmu=seed");
	sw = config_switches(&a);
	assert_false(sw.notrap_entries || sw.flood_sees_accessed);

	for (int i = 0; i < NR_SMMU_SWITCHES; i++) {
		char on[64];

		snprintf(on, sizeof(on), "mmu=kvm-2.6.20 switch.%s=on",
			 smmu_switch_name((enum smmu_switch)i));
		set_all(&a, on);
		sw = smmu_generation_find("kvm-2.6.20")->sw;
		smmu_switch_set(&sw, (enum smmu_switch)i, true);
		b = a;
		b.sw[i] = SWITCH_AUTO;
		assert_false(config_is_equal(&a, &b));
		for (int j = 0; j < NR_SMMU_SWITCHES; j++) {
			struct smmu_switches got = config_switches(&a);

			assert_int_equal(
				smmu_switch_get(&got, (enum smmu_switch)j),
				smmu_switch_get(&sw, (enum smmu_switch)j));
		}
	}

	/* What the generation has anyway is no other configuration. */
	set_all(&a, "mmu=seed switch.notrap_entries=on");
	set_all(&b, "mmu=seed");
	assert_false(config_is_equal(&a, &b));
	a = config_effective(&a);
	b = config_effective(&b);
	assert_true(config_is_equal(&a, &b));
}

static void test_equality(void **state)
{
	struct config a, b;

	(void)state;
	set_all(&a, "mmu=kvm-2.6.24 bypass=on");
	set_all(&b, "mmu=kvm-2.6.24 bypass=off");
	assert_false(config_is_equal(&a, &b));
	a = config_effective(&a);
	b = config_effective(&b);
	assert_true(config_is_equal(&a, &b));

	set_all(&a, "cost.exit=1");
	set_all(&b, "cost.exit=2");
	assert_false(config_is_equal(&a, &b));
	set_all(&b, "cost.exit=1");
	assert_true(config_is_equal(&a, &b));
}

/* The ranges' texts are written by hand; the numbers behind them are not. */
static void test_range_texts(void **state)
{
	(void)state;
	assert_int_equal(SMMU_MIN_PAGES, 64);
	assert_true(RAM_MAX == UINT64_C(3) << 30);
	/* Even the largest budget leaves the simulator some frames. */
	assert_true(130816 + 64 < POOL_PAGES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_every_key),
		cmocka_unit_test(test_costs),
		cmocka_unit_test(test_other_spellings),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_effects),
		cmocka_unit_test(test_switches),
		cmocka_unit_test(test_equality),
		cmocka_unit_test(test_range_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
