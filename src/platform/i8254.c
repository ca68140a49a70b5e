/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A channel is what was programmed and the clock at which its count was
 * loaded; the rest is arithmetic on "clocks since then".  The data sheet's
 * rules under "Mode Definitions" are channel_out() and channel_count(), those
 * about a new count are channel_write_count().
 */
#include "platform/i8254.h"

#include "base/bug.h"

/* Control word */
#define CTL_CHANNEL(v) ((v) >> 6)
#define CTL_ACCESS(v)  (((v) >> 4) & 3)
#define CTL_MODE(v)    (((v) >> 1) & 7)
#define CTL_MASK       0x3f
#define CTL_READ_BACK  3
#define ACCESS_LATCH   0
#define ACCESS_LSB     1
#define ACCESS_MSB     2
#define ACCESS_BOTH    3
#define RB_NO_COUNT    0x20
#define RB_NO_STATUS   0x10
#define STATUS_OUT     0x80
#define STATUS_NULL    0x40

/* Port 0x61 */
#define P61_GATE2   0x01
#define P61_WRITTEN 0x0f
#define P61_REFRESH 0x10
#define P61_OUT2    0x20
/* Channel 1 asks for a memory refresh every 18 clocks (15 us) on a PC. */
#define REFRESH_CLOCKS 18

uint64_t pit_clocks(uint64_t now)
{
	return now / NS_PER_SEC * PIT_HZ +
	       now % NS_PER_SEC * PIT_HZ / NS_PER_SEC;
}

uint64_t pit_clock_time(uint64_t n)
{
	uint64_t sec = n / PIT_HZ;
	uint64_t ns = (n % PIT_HZ * NS_PER_SEC + PIT_HZ - 1) / PIT_HZ;

	if (sec >= PIT_NEVER / NS_PER_SEC)
		return PIT_NEVER;
	return sec * NS_PER_SEC + ns;
}

static bool is_periodic(const struct pit_channel *ch)
{
	return ch->mode == 2 || ch->mode == 3;
}

/* False for the one clock between the write of a count and its loading. */
static bool loaded(const struct pit_channel *ch, uint64_t clk)
{
	return ch->armed && clk >= ch->load;
}

/* Clocks since the count was loaded, without those the gate held back. */
static uint64_t elapsed(const struct pit_channel *ch, uint64_t clk)
{
	if (!is_periodic(ch) && !ch->gate)
		return ch->held;
	return clk - ch->load + ch->phase;
}

/*
 * Modes 2 and 3: clocks of a period during which OUT is high.  A count of 1
 * is not allowed by the data sheet; OUT then stays high.
 */
static uint32_t high_clocks(const struct pit_channel *ch, uint32_t count)
{
	if (ch->mode == 2 && count > 1)
		return count - 1;
	return (count + 1) / 2;
}

/* Modes 2 and 3: let the count that waits take over if its time has come. */
static void channel_settle(struct pit_channel *ch, uint64_t clk)
{
	if (!ch->next_count || clk < ch->switch_at)
		return;
	ch->count = ch->next_count;
	ch->next_count = 0;
	ch->load = ch->switch_at;
	ch->phase = ch->switch_low ? high_clocks(ch, ch->count) : 0;
}

static bool channel_out(const struct pit_channel *ch, uint64_t clk)
{
	uint64_t e;

	if (!loaded(ch, clk))
		return ch->mode != 0;
	e = elapsed(ch, clk);
	switch (ch->mode) {
	case 0:
		return e >= ch->count;
	case 2:
	case 3:
		return !ch->gate || e % ch->count < high_clocks(ch, ch->count);
	case 4:
		return e != ch->count;
	default:
		return true;
	}
}

/* The clock, after clk, at which OUT changes if nobody writes before. */
static uint64_t channel_next_change(const struct pit_channel *ch, uint64_t clk)
{
	uint32_t count = ch->count;
	uint64_t e, high;

	if (!ch->armed || !ch->gate)
		return PIT_NEVER;
	clk = max_u64(clk, ch->load);
	e = elapsed(ch, clk);
	switch (ch->mode) {
	case 0:
		return e < count ? ch->load + count : PIT_NEVER;
	case 2:
	case 3:
		high = high_clocks(ch, count);
		e %= count;
		if (count == 1)
			return PIT_NEVER;
		return clk + (e < high ? high : count) - e;
	case 4:
		if (e > count)
			return PIT_NEVER;
		return ch->load + count + (e == count);
	default:
		return PIT_NEVER;
	}
}

/* The counting element, as a read of the counter shows it. */
static uint16_t channel_count(const struct pit_channel *ch, uint64_t clk)
{
	uint64_t e;

	if (!loaded(ch, clk) || (is_periodic(ch) && !ch->gate))
		return (uint16_t)ch->count;
	e = elapsed(ch, clk);
	switch (ch->mode) {
	case 2:
		return (uint16_t)(ch->count - e % ch->count);
	case 3:
		/* Counts by two, each half of the wave from the even count. */
		e %= ch->count;
		if (e >= high_clocks(ch, ch->count))
			e -= high_clocks(ch, ch->count);
		return (uint16_t)((ch->count & ~1u) - 2 * e);
	case 0:
	case 4:
		return (uint16_t)(ch->count - e);
	default:
		return (uint16_t)ch->count;
	}
}

static void channel_load(struct pit_channel *ch, uint32_t count, uint64_t clk)
{
	ch->count = count;
	ch->next_count = 0;
	ch->load = clk + 1; /* "on the next CLK pulse" */
	ch->phase = 0;
	ch->held = 0;
	ch->armed = true;
}

/*
 * Modes 2 and 3 finish the period (mode 3: the half) with the old count.
 * A count of 1, which has no period to finish, gives way at once.
 */
static void channel_write_count(struct pit_channel *ch, uint16_t val,
				uint64_t clk)
{
	uint32_t count = val ? val : 65536;
	uint64_t e, high;

	if (!is_periodic(ch) || !ch->gate || !loaded(ch, clk) ||
	    ch->count == 1) {
		channel_load(ch, count, clk);
		return;
	}
	e = elapsed(ch, clk) % ch->count;
	high = high_clocks(ch, ch->count);
	ch->switch_low = ch->mode == 3 && e < high;
	ch->switch_at = clk + (ch->switch_low ? high : ch->count) - e;
	ch->next_count = count;
}

static void channel_write(struct pit_channel *ch, uint8_t val, uint64_t clk)
{
	switch (CTL_ACCESS(ch->control)) {
	case ACCESS_LSB:
		channel_write_count(ch, val, clk);
		return;
	case ACCESS_MSB:
		channel_write_count(ch, (uint16_t)(val << 8), clk);
		return;
	default:
		break;
	}
	if (ch->write_msb) {
		channel_write_count(ch, (uint16_t)(val << 8 | ch->write_lsb),
				    clk);
	} else {
		ch->write_lsb = val;
		/* The first byte stops mode 0 and takes its OUT low. */
		if (ch->mode == 0)
			ch->armed = false;
	}
	ch->write_msb = !ch->write_msb;
}

static uint8_t channel_read(struct pit_channel *ch, uint64_t clk)
{
	unsigned int access = CTL_ACCESS(ch->control);
	uint16_t count;
	bool msb;

	if (ch->status_latched) {
		ch->status_latched = false;
		return ch->status;
	}
	count = ch->latched ? ch->latch : channel_count(ch, clk);
	msb = access == ACCESS_BOTH ? ch->read_msb : access == ACCESS_MSB;
	if (access == ACCESS_BOTH)
		ch->read_msb = !ch->read_msb;
	if (!ch->read_msb)
		ch->latched = false;
	return (uint8_t)(msb ? count >> 8 : count);
}

static void channel_latch(struct pit_channel *ch, uint64_t clk)
{
	if (ch->latched)
		return;
	ch->latched = true;
	ch->latch = channel_count(ch, clk);
}

static void channel_latch_status(struct pit_channel *ch, uint64_t clk)
{
	if (ch->status_latched)
		return;
	ch->status_latched = true;
	ch->status = ch->control;
	if (channel_out(ch, clk))
		ch->status |= STATUS_OUT;
	if (!loaded(ch, clk) || ch->next_count)
		ch->status |= STATUS_NULL;
}

static void channel_control(struct pit_channel *ch, uint8_t val)
{
	uint8_t mode = CTL_MODE(val);

	*ch = (struct pit_channel){
		.control = val & CTL_MASK,
		.mode = mode > 5 ? mode & 3 : mode, /* 6 is 2, 7 is 3 */
		.gate = ch->gate,
	};
}

/* Modes 0 and 4 pause while the gate is low; 2 and 3 start over. */
static void channel_set_gate(struct pit_channel *ch, bool gate, uint64_t clk)
{
	if (gate == ch->gate)
		return;
	if (is_periodic(ch)) {
		if (gate && ch->armed)
			channel_load(
				ch, ch->next_count ? ch->next_count : ch->count,
				clk);
	} else if (loaded(ch, clk)) {
		if (gate)
			ch->load = clk - ch->held;
		else
			ch->held = elapsed(ch, clk);
	}
	ch->gate = gate;
}

static void pit_settle(struct pit *pit, uint64_t clk)
{
	for (size_t i = 0; i < ARRAY_LEN(pit->channel); i++)
		channel_settle(&pit->channel[i], clk);
}

static void update_next_edge(struct pit *pit, uint64_t clk)
{
	uint64_t change = channel_next_change(&pit->channel[0], clk);

	pit->next_edge =
		change == PIT_NEVER ? PIT_NEVER : pit_clock_time(change);
}

void pit_init(struct pit *pit)
{
	*pit = (struct pit){.next_edge = PIT_NEVER};
	for (unsigned int i = 0; i < ARRAY_LEN(pit->channel); i++) {
		struct pit_channel *ch = &pit->channel[i];

		ch->gate = i != 2;
		channel_control(ch, ACCESS_BOTH << 4 | 3 << 1);
	}
}

uint8_t pit_read(struct pit *pit, unsigned int reg, uint64_t now)
{
	uint64_t clk = pit_clocks(now);

	BUG_ON(reg > PIT_CONTROL);
	if (reg == PIT_CONTROL)
		return 0xff;
	pit_settle(pit, clk);
	return channel_read(&pit->channel[reg], clk);
}

static void read_back(struct pit *pit, uint8_t val, uint64_t clk)
{
	for (unsigned int i = 0; i < ARRAY_LEN(pit->channel); i++) {
		if (!(val & (2u << i)))
			continue;
		if (!(val & RB_NO_COUNT))
			channel_latch(&pit->channel[i], clk);
		if (!(val & RB_NO_STATUS))
			channel_latch_status(&pit->channel[i], clk);
	}
}

static void write_control(struct pit *pit, uint8_t val, uint64_t clk)
{
	unsigned int channel = CTL_CHANNEL(val);

	if (channel == CTL_READ_BACK)
		read_back(pit, val, clk);
	else if (CTL_ACCESS(val) == ACCESS_LATCH)
		channel_latch(&pit->channel[channel], clk);
	else
		channel_control(&pit->channel[channel], val);
}

void pit_write(struct pit *pit, unsigned int reg, uint8_t val, uint64_t now)
{
	uint64_t clk = pit_clocks(now);

	BUG_ON(reg > PIT_CONTROL);
	pit_settle(pit, clk);
	if (reg == PIT_CONTROL)
		write_control(pit, val, clk);
	else
		channel_write(&pit->channel[reg], val, clk);
	update_next_edge(pit, clk);
}

uint8_t pit_read_port61(struct pit *pit, uint64_t now)
{
	uint8_t val = pit->port61;

	if (pit_clocks(now) / REFRESH_CLOCKS & 1)
		val |= P61_REFRESH;
	if (pit_out(pit, 2, now))
		val |= P61_OUT2;
	return val;
}

void pit_write_port61(struct pit *pit, uint8_t val, uint64_t now)
{
	uint64_t clk = pit_clocks(now);

	pit_settle(pit, clk);
	pit->port61 = val & P61_WRITTEN;
	channel_set_gate(&pit->channel[2], val & P61_GATE2, clk);
}

bool pit_out(struct pit *pit, unsigned int channel, uint64_t now)
{
	uint64_t clk = pit_clocks(now);

	pit_settle(pit, clk);
	return channel_out(&pit->channel[channel], clk);
}

bool pit_advance(struct pit *pit, uint64_t now)
{
	uint64_t clk;

	if (now < pit->next_edge)
		return false;
	clk = pit_clocks(now);
	pit_settle(pit, clk);
	update_next_edge(pit, clk);
	return true;
}
