/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 100,000 random operations on the interrupt controllers against a model that
 * keeps a list of lines in their order of priority and no registers at all.
 */
#include "check.h"

/*
 * The model: priorities are places in a list.  A slave line stands in the
 * list where the cascade stands on the master.
 */
static const int order[] = {0, 1, 8, 9, 10, 11, 12, 13, 14, 15, 3, 4, 5, 6, 7};

struct model {
	bool line[16], wanted[16], masked[16], served[16];
	bool cascade_masked, cascade_served;
	unsigned int acks, spurious, nested;
};

static bool on_slave(int irq)
{
	return irq >= 8;
}

/* Walk down the list until something in service stands in the way. */
static int model_pending(const struct model *m, bool slave_only)
{
	bool slave_blocked = false;

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		int irq = order[i];

		if (on_slave(irq) && !slave_only && m->cascade_served)
			return -1;
		if (on_slave(irq) && m->served[irq])
			slave_blocked = true;
		if (slave_only && !on_slave(irq))
			continue;
		if (!on_slave(irq) && m->served[irq])
			return -1;
		if (!m->wanted[irq] || m->masked[irq])
			continue;
		if (!on_slave(irq))
			return irq;
		if (!slave_blocked && (slave_only || !m->cascade_masked))
			return irq;
	}
	return -1;
}

static void model_line(struct model *m, int irq, bool level)
{
	if (level && !m->line[irq])
		m->wanted[irq] = true;
	if (!level)
		m->wanted[irq] = false;
	m->line[irq] = level;
}

static unsigned int bits_of(const bool *flags)
{
	unsigned int bits = 0;

	for (unsigned int i = 0; i < 8; i++)
		bits |= flags[i] ? 1u << i : 0;
	return bits;
}

static int model_ack(struct model *m)
{
	int irq = model_pending(m, false);

	if (irq < 0) {
		m->spurious++;
		return 0x57;
	}
	m->acks++;
	m->nested += bits_of(m->served) || bits_of(m->served + 8);
	m->wanted[irq] = false;
	m->served[irq] = true;
	if (on_slave(irq))
		m->cascade_served = true;
	return on_slave(irq) ? 0x60 + irq - 8 : 0x50 + irq;
}

/* Ends the first in service: of the slave, or of the master's own list. */
static void model_eoi(struct model *m, bool slave)
{
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		int irq = order[i];

		if (!slave && on_slave(irq) && m->cascade_served) {
			m->cascade_served = false;
			return;
		}
		if (slave == on_slave(irq) && m->served[irq]) {
			m->served[irq] = false;
			return;
		}
	}
}

static void compare(const struct model *m, struct platform *p, int step)
{
	bool cascade = model_pending(m, true) >= 0;
	char name[64];

	snprintf(name, sizeof(name), "step %d", step);
	check_eq(name, platform_irq_pending(p), model_pending(m, false) >= 0);
	platform_io_write(p, 0x20, 1, 0x0a, 0);
	platform_io_write(p, 0xa0, 1, 0x0a, 0);
	check_eq(name, platform_io_read(p, 0x20, 1, 0),
		 bits_of(m->wanted) | (cascade ? 4 : 0));
	check_eq(name, platform_io_read(p, 0xa0, 1, 0), bits_of(m->wanted + 8));
	platform_io_write(p, 0x20, 1, 0x0b, 0);
	platform_io_write(p, 0xa0, 1, 0x0b, 0);
	check_eq(name, platform_io_read(p, 0x20, 1, 0),
		 bits_of(m->served) | (m->cascade_served ? 4 : 0));
	check_eq(name, platform_io_read(p, 0xa0, 1, 0), bits_of(m->served + 8));
}

static void write_list(struct platform *p, uint16_t port, const char *bytes,
		       size_t n)
{
	for (size_t i = 0; i < n; i++)
		platform_io_write(p, (uint16_t)(port + (i ? 1 : 0)), 1,
				  (uint8_t)bytes[i], 0);
}

/* The slave first: its INT pin then falls before the master looks. */
static void reinitialize(struct model *m, struct platform *p)
{
	write_list(p, 0xa0, "\x11\x60\x02\x01", 4);
	write_list(p, 0x20, "\x11\x50\x04\x01", 4);
	memset(m->wanted, 0, sizeof(m->wanted));
	memset(m->masked, 0, sizeof(m->masked));
	memset(m->served, 0, sizeof(m->served));
	m->cascade_masked = m->cascade_served = false;
}

static void random_mask(struct model *m, struct platform *p, uint64_t r)
{
	/* Mostly open, or the two models would seldom disagree. */
	uint32_t mask = (uint32_t)(r & (r >> 16) & (r >> 32) & 0xffff);

	for (int i = 0; i < 16; i++)
		m->masked[i] = mask >> i & 1;
	m->cascade_masked = mask >> 2 & 1;
	platform_io_write(p, 0x21, 1, mask & 0xff, 0);
	platform_io_write(p, 0xa1, 1, mask >> 8, 0);
}

static void specific_eoi(struct model *m, struct platform *p, uint64_t r)
{
	uint32_t level = r & 7;
	bool slave = r & 8;

	platform_io_write(p, slave ? 0xa0 : 0x20, 1, 0x60 | level, 0);
	if (!slave && level == 2)
		m->cascade_served = false;
	else
		m->served[level + (slave ? 8 : 0)] = false;
}

static void one_step(struct model *m, struct platform *p, uint64_t r, int step)
{
	int irq = order[(r >> 8) % ARRAY_LEN(order)];
	bool bit = r >> 7 & 1;
	char name[64];

	snprintf(name, sizeof(name), "vector at step %d", step);
	switch (r % 16) {
	case 0:
		random_mask(m, p, r >> 8);
		break;
	case 1:
		specific_eoi(m, p, r >> 8);
		break;
	case 2:
	case 3:
	case 4:
		platform_io_write(p, bit ? 0xa0 : 0x20, 1, 0x20, 0);
		model_eoi(m, bit);
		break;
	case 5:
	case 6:
	case 7:
	case 8:
		/* Now and then also without a request: the spurious vector. */
		if (platform_irq_pending(p) || (r >> 8) % 8 == 0)
			check_eq(name, platform_ack(p), (uint64_t)model_ack(m));
		break;
	case 9:
		if ((r >> 8) % 64 == 0)
			reinitialize(m, p);
		break;
	default:
		pic_set_line(&p->pic, (unsigned int)irq, bit);
		model_line(m, irq, bit);
		break;
	}
}

static void random_against_model(void **state)
{
	struct platform *p = platform_create(NULL);
	struct model m = {0};
	uint64_t seed = 20070916;

	(void)state;
	assert_non_null(p);
	m.line[0] = true; /* the timer's output is high at power-up */
	reinitialize(&m, p);
	for (int step = 0; step < 100000; step++) {
		one_step(&m, p, next_random(&seed), step);
		compare(&m, p, step);
	}
	/* The walk was not stuck in a corner. */
	assert_true(m.acks > 5000 && m.nested > 500 && m.spurious > 500);
	platform_destroy(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_against_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
