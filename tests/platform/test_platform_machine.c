/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine around the devices: which port is whose, what ends a run, time
 * that does not go back, copies and twins, the clock and the console.
 */
#include "check.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"

static uint32_t in(struct platform *p, unsigned int port, unsigned int size)
{
	return platform_io_read(p, (uint16_t)port, size, p->now);
}

static void out(struct platform *p, unsigned int port, unsigned int size,
		uint32_t val)
{
	platform_io_write(p, (uint16_t)port, size, val, p->now);
}

static bool is_port(unsigned int port, const unsigned int *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == port)
			return true;
	return false;
}

/* All 65536 ports: those nobody drives read ones and ignore writes. */
static void absent_ports(void **state)
{
	static const unsigned int present[] = {
		0x20,  0x21,  0xa0,  0xa1,  0x40,  0x41,  0x42,  0x61,  0x71,
		0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc, 0x3fd, 0x3fe, 0x3ff, 0xcf9,
	};
	static const unsigned int written[] = {0x43, 0x64, 0x70, 0xf4};
	struct platform *p = platform_create(NULL);
	struct platform before;
	char name[32];

	(void)state;
	assert_non_null(p);
	before = *p;
	for (unsigned int port = 0; port < 0x10000; port++) {
		if (is_port(port, present, ARRAY_LEN(present)))
			continue;
		snprintf(name, sizeof(name), "port 0x%x", port);
		check_eq(name, in(p, port, 1), 0xff);
		if (is_port(port, written, ARRAY_LEN(written)))
			continue;
		out(p, port, 1, 0x5a);
		if (memcmp(&before, p, sizeof(*p)))
			fail_msg("%s: a write changed the machine", name);
	}
	check_eq("two bytes", in(p, 0x1000, 2), 0xffff);
	check_eq("four bytes", in(p, 0x1000, 4), 0xffffffff);
	check_eq("beyond the last port", in(p, 0xffff, 4), 0xffffffff);
	check_eq("reset control and one more", in(p, 0xcf9, 2), 0xffff);
	check_eq("PCI's address register", in(p, 0xcf8, 4), 0xffffffff);
	platform_destroy(p);
}

/* Each present port is wired to its own register. */
static void wide_accesses(void **state)
{
	struct platform *p = platform_create(NULL);

	(void)state;
	assert_non_null(p);
	out(p, 0x3fe, 2, 0xa5ff);
	check_eq("scratch through a word", in(p, 0x3ff, 1), 0xa5);
	check_eq("MSR and scratch", in(p, 0x3fe, 2), 0xa5b0);
	check_eq("LSR to scratch and one beyond", in(p, 0x3fd, 4), 0xffa5b060);
	out(p, 0x20, 2, 0x3011); /* ICW1, ICW2 */
	out(p, 0x21, 1, 4);
	out(p, 0x21, 1, 1);
	check_eq("master after a word", p->pic.chip[0].base, 0x30);
	out(p, 0x70, 2, 0xab40);
	check_eq("CMOS through a word", p->rtc.ram[0x40], 0xab);
	platform_destroy(p);
}

static const struct {
	const char *name;
	unsigned int port, size;
	uint32_t val;
	enum platform_stop_kind kind;
	uint32_t value;
} endings[] = {
	{"exit, byte", 0xf4, 1, 0x12345678, PLATFORM_EXIT, 0x78},
	{"exit, word", 0xf4, 2, 0x12345678, PLATFORM_EXIT, 0x5678},
	{"exit, dword", 0xf4, 4, 0x12345678, PLATFORM_EXIT, 0x12345678},
	{"exit with 0", 0xf4, 1, 0, PLATFORM_EXIT, 0},
	{"keyboard reset", 0x64, 1, 0xfe, PLATFORM_RESET, 0},
	{"keyboard, no reset", 0x64, 1, 0xff, PLATFORM_RUNS, 0},
	{"reset control, cold", 0xcf9, 1, 0x06, PLATFORM_RESET, 0},
	{"reset control, kind", 0xcf9, 1, 0x02, PLATFORM_RUNS, 0},
	{"reset control, a word", 0xcf9, 2, 0x04, PLATFORM_RUNS, 0},
	{"PCI address, 4 bytes", 0xcf8, 4, 0x80000404, PLATFORM_RUNS, 0},
	{"PCI mechanism, byte 3", 0xcfb, 1, 0x01, PLATFORM_RUNS, 0},
	{"port 0x80", 0x80, 1, 0xfe, PLATFORM_RUNS, 0},
	{"marker", 0xf5, 1, 0x10, PLATFORM_RUNS, 0},
};

static void what_ends_a_run(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		struct platform *p = platform_create(NULL);
		struct platform_stop stop;

		assert_non_null(p);
		out(p, endings[i].port, endings[i].size, endings[i].val);
		stop = platform_stop(p);
		check_eq(endings[i].name, stop.kind, endings[i].kind);
		check_eq(endings[i].name, stop.value, endings[i].value);
		platform_destroy(p);
	}
}

static void the_first_end_counts(void **state)
{
	struct platform *p = platform_create(NULL);

	(void)state;
	assert_non_null(p);
	out(p, 0xcf9, 1, 0x04);
	out(p, 0xf4, 1, 3);
	check_eq("kind", platform_stop(p).kind, PLATFORM_RESET);
	check_eq("value", platform_stop(p).value, 0);
	check_eq("reset control reads back", in(p, 0xcf9, 1), 0x04);
	platform_destroy(p);
}

static void reset_bit_must_rise(void **state)
{
	struct platform *p = platform_create(NULL);

	(void)state;
	assert_non_null(p);
	p->reset_control = 0x04;
	out(p, 0xcf9, 1, 0x06);
	check_eq("high already", platform_stop(p).kind, PLATFORM_RUNS);
	out(p, 0xcf9, 1, 0x02);
	out(p, 0xcf9, 1, 0x06);
	check_eq("risen", platform_stop(p).kind, PLATFORM_RESET);
	platform_destroy(p);
}

static void time_does_not_go_back(void **state)
{
	struct platform *p = platform_create(NULL);

	(void)state;
	assert_non_null(p);
	platform_advance(p, 5000);
	platform_advance(p, 4000);
	check_eq("after a smaller time", p->now, 5000);
	platform_io_read(p, 0x40, 1, 100);
	check_eq("after a read with a smaller time", p->now, 5000);
	platform_io_write(p, 0x80, 1, 0, 6000);
	check_eq("a write advances", p->now, 6000);
	platform_destroy(p);
}

/* A port access sees the edges that were due before it. */
static void accesses_fire_due_edges(void **state)
{
	struct platform *p = platform_create(NULL);

	(void)state;
	assert_non_null(p);
	out(p, 0x43, 1, 0x14);
	out(p, 0x40, 1, 100);
	check_eq("before", platform_io_read(p, 0x20, 1, 1000), 0);
	check_eq("after", platform_io_read(p, 0x20, 1, pit_clock_time(101)), 1);
	check_eq("next", p->pit.next_edge, pit_clock_time(200));
	/* The edge is not lost if the access is the one that reprograms. */
	out(p, 0x43, 1, 0x10);
	out(p, 0x40, 1, 10);
	platform_io_write(p, 0x20, 1, 0x0a, pit_clock_time(500));
	check_eq("mode 0 fired before the write",
		 platform_io_read(p, 0x20, 1, pit_clock_time(500)), 1);
	platform_destroy(p);
}

/* Masked, the timer has nothing to say; its edge is there when it is open. */
static void masked_timer(void **state)
{
	struct platform *p = platform_create(NULL);

	(void)state;
	assert_non_null(p);
	out(p, 0x43, 1, 0x34);
	out(p, 0x40, 1, 100);
	out(p, 0x40, 1, 0);
	check_eq("masked", platform_next_event(p), UINT64_MAX);
	out(p, 0x21, 1, 0xfd);
	check_eq("another is open", platform_next_event(p), UINT64_MAX);
	out(p, 0x21, 1, 0xfe);
	check_eq("open", platform_next_event(p), pit_clock_time(100));
	out(p, 0x21, 1, 0xff);
	platform_io_write(p, 0x21, 1, 0xfe, pit_clock_time(550));
	check_eq("risen meanwhile", platform_irq_pending(p), 1);
	check_eq("next", platform_next_event(p), pit_clock_time(600));
	platform_destroy(p);
}

/* Program both the same way, one a little later: nothing is shared. */
static uint64_t play(struct platform *p, unsigned int rounds, uint64_t seed)
{
	uint64_t digest = FNV64_INIT;

	for (unsigned int i = 0; i < rounds; i++) {
		uint64_t r = next_random(&seed);
		static const uint16_t ports[] = {
			0x20, 0x21, 0xa0,  0xa1,  0x40,  0x42,  0x43,  0x61,
			0x70, 0x71, 0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc, 0x3fd,
		};
		uint16_t port = ports[r % ARRAY_LEN(ports)];
		uint32_t val = (uint32_t)(r >> 8) & 0xff;
		uint64_t now = p->now + (r >> 20) % 5000;

		if (r & 0x10000)
			platform_io_write(p, port, 1, val, now);
		else
			val = platform_io_read(p, port, 1, now);
		digest = fnv64(digest, &val, sizeof(val));
		if (platform_irq_pending(p)) {
			uint8_t vector = platform_ack(p);

			digest = fnv64(digest, &vector, 1);
		}
	}
	return digest;
}

static void copies_and_twins(void **state)
{
	struct platform *a = platform_create(NULL);
	struct platform *b = platform_create(NULL);
	uint64_t whole, first, second;
	struct platform copy;

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	play(a, 20000, 1);
	copy = *a;
	whole = play(a, 20000, 2);
	play(b, 777, 3); /* the twin's doings do not show in the copy */
	first = play(&copy, 20000, 2);
	check_eq("a copy goes on as the original", first, whole);
	second = play(&copy, 20000, 2);
	assert_true(second != whole); /* the digest does depend on state */
	platform_destroy(a);
	platform_destroy(b);
	platform_destroy(NULL);
}

static const struct {
	const char *name;
	uint64_t sec;
	uint8_t want[8]; /* century, year, month, day, weekday, h, m, s */
} dates[] = {
	{"start", 0, {0x20, 0x08, 0x01, 0x01, 3, 0x00, 0x00, 0x00}},
	{"one second", 1, {0x20, 0x08, 0x01, 0x01, 3, 0x00, 0x00, 0x01}},
	{"last second", 86399, {0x20, 0x08, 0x01, 0x01, 3, 0x23, 0x59, 0x59}},
	{"leap day", 59 * 86400, {0x20, 0x08, 0x02, 0x29, 6, 0x00, 0x00, 0x00}},
	{"day after it",
	 60 * 86400,
	 {0x20, 0x08, 0x03, 0x01, 7, 0x00, 0x00, 0x00}},
	{"next year", 31622400, {0x20, 0x09, 0x01, 0x01, 5, 0x00, 0x00, 0x00}},
	/* date -u -d @$((1199145600 + 2903299200)) */
	{"year 2100",
	 2903299200,
	 {0x21, 0x00, 0x01, 0x01, 6, 0x00, 0x00, 0x00}},
	{"no leap day",
	 2908396800,
	 {0x21, 0x00, 0x03, 0x01, 2, 0x00, 0x00, 0x00}},
};

static void calendar(void **state)
{
	static const uint8_t reg[] = {0x32, 9, 8, 7, 6, 4, 2, 0};
	struct platform *p = platform_create(NULL);

	(void)state;
	assert_non_null(p);
	for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
		for (size_t j = 0; j < ARRAY_LEN(reg); j++) {
			uint64_t now = dates[i].sec * NS_PER_SEC;
			char name[64];

			snprintf(name, sizeof(name), "%s, register 0x%x",
				 dates[i].name, reg[j]);
			platform_io_write(p, 0x70, 1, reg[j] | 0x80u, now);
			check_eq(name, platform_io_read(p, 0x71, 1, now),
				 dates[i].want[j]);
		}
	}
	platform_destroy(p);
}

static const struct steps_case cmos[] = {
	{"status registers",
	 {{WR, 0x70, 0x0a},
	  {RD, 0x71, 0x26},
	  {WR, 0x70, 0x0b},
	  {RD, 0x71, 0x02},
	  {WR, 0x70, 0x0c},
	  {RD, 0x71, 0x00},
	  {WR, 0x70, 0x0d},
	  {RD, 0x71, 0x80},
	  {RD, 0x70, 0xff}}},
	{"an update is announced 244 us before the second",
	 {{WR, 0x70, 0x0a},
	  {CLOCK, 0, 1192000},
	  {RD, 0x71, 0x26},
	  {CLOCK, 0, 1192900},
	  {RD, 0x71, 0xa6},
	  {CLOCK, 0, 1193182},
	  {RD, 0x71, 0x26}}},
	{"status C cannot be written",
	 {{WR, 0x70, 0x0c}, {WR, 0x71, 0x55}, {RD, 0x71, 0x00}}},
	{"the time cannot be set, other bytes are memory",
	 {{WR, 0x70, 0x00},
	  {WR, 0x71, 0x55},
	  {RD, 0x71, 0x00},
	  {WR, 0x70, 0x0f},
	  {WR, 0x71, 0x55},
	  {RD, 0x71, 0x55},
	  {WR, 0x70, 0xff},
	  {WR, 0x71, 0x66},
	  {WR, 0x70, 0x7f},
	  {RD, 0x71, 0x66}}},
};

static void cmos_registers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cmos); i++)
		run_case(&cmos[i]);
}

static void put_all(struct console *con, const char *text)
{
	for (; *text; text++)
		console_put(con, (uint8_t)*text);
}

static void console_buffer(void **state)
{
	static const char text[] = "hello\nworld";
	uint8_t buf[8] = "........";
	struct console con;

	(void)state;
	console_init(&con, buf, 7, NULL);
	check_eq("digest of nothing", con.digest, FNV64_INIT);
	put_all(&con, text);
	check_eq("kept", con.len, 7);
	check_eq("counted", con.total, 11);
	check_eq("digest", con.digest, fnv64(FNV64_INIT, text, 11));
	assert_memory_equal(buf, "hello\nw.", 8);
}

/* Whole lines at once, the rest with the flush, long ones in pieces. */
static void console_tee(void **state)
{
	struct console con;
	char *seen = NULL;
	size_t len = 0;
	FILE *tee = open_memstream(&seen, &len);

	(void)state;
	assert_non_null(tee);
	console_init(&con, NULL, 0, tee);
	put_all(&con, "one");
	check_eq("half a line", len, 0);
	put_all(&con, "\ntwo");
	check_eq("a line", len, 4);
	console_flush(&con);
	check_eq("flushed", len, 7);
	for (int i = 0; i < 1000; i++)
		console_put(&con, 'x');
	check_eq("long line", len, 7 + 3 * CONSOLE_LINE);
	console_flush(&con);
	check_eq("long line, flushed", len, 1007);
	check_eq("error", (uint64_t)con.tee_errno, 0);
	fclose(tee);
	assert_memory_equal(seen, "one\ntwoxxx", 10);
	free(seen);
}

static void console_full_disk(void **state)
{
	FILE *tee = fopen("/dev/full", "w");
	struct console con;

	(void)state;
	if (!tee)
		skip();
	console_init(&con, NULL, 0, tee);
	put_all(&con, "one\ntwo\n");
	check_eq("errno", (uint64_t)con.tee_errno, ENOSPC);
	check_eq("still counting", con.total, 8);
	fclose(tee);
}

static void uart_writes_to_console(void **state)
{
	struct platform *p;
	struct console con;
	uint8_t buf[16];

	(void)state;
	console_init(&con, buf, sizeof(buf), NULL);
	p = platform_create(&con);
	assert_non_null(p);
	for (const char *c = "hi\n"; *c; c++)
		out(p, 0x3f8, 1, (uint8_t)*c);
	check_eq("bytes", con.len, 3);
	assert_memory_equal(buf, "hi\n", 3);
	platform_destroy(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absent_ports),
		cmocka_unit_test(wide_accesses),
		cmocka_unit_test(what_ends_a_run),
		cmocka_unit_test(the_first_end_counts),
		cmocka_unit_test(reset_bit_must_rise),
		cmocka_unit_test(time_does_not_go_back),
		cmocka_unit_test(accesses_fire_due_edges),
		cmocka_unit_test(masked_timer),
		cmocka_unit_test(copies_and_twins),
		cmocka_unit_test(calendar),
		cmocka_unit_test(cmos_registers),
		cmocka_unit_test(console_buffer),
		cmocka_unit_test(console_tee),
		cmocka_unit_test(console_full_disk),
		cmocka_unit_test(uart_writes_to_console),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
