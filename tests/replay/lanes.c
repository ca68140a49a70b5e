/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lanes.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

const struct lane_kind lane_kinds[NR_LANE_KINDS] = {
	{"kvm-2.6.20-rc3", "off"}, {"kvm-2.6.20", "off"}, {"kvm-2.6.24", "off"},
	{"seed", "off"},           {"seed", "on"},        {"kvm-2.6.25", "off"},
	{"kvm-2.6.25", "on"},
};

struct replay_lane *lane_of(const char *mmu, const char *bypass,
			    const struct trace_info *info)
{
	struct replay_lane *lane;
	struct config config;
	struct diag diag;

	config_init(&config);
	assert_int_equal(config_set(&config, "mmu", mmu, &diag), 0);
	assert_int_equal(config_set(&config, "bypass", bypass, &diag), 0);
	assert_int_equal(config_set(&config, "audit", "all", &diag), 0);
	config = config_effective(&config);
	if (replay_lane_create(&config, info, &lane, &diag))
		fail_msg("%s", diag.msg);
	return lane;
}
