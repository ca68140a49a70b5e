/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clock and the CMOS memory of a PC (Motorola MC146818, ports 0x70 and
 * 0x71), as little of it as a guest needs to read a date: every run starts on
 * 2008-01-01 00:00:00 and the clock advances with virtual time.
 *
 * Left out: setting the clock, binary and 12-hour formats, alarm, periodic
 * and update interrupts.  The other bytes are memory, zero at first.
 */
#ifndef NOTRAP_PLATFORM_RTC_H
#define NOTRAP_PLATFORM_RTC_H

#include "base/types.h"

#define RTC_BYTES 128

/* Plain state: may be copied. */
struct rtc {
	uint8_t index;
	uint8_t ram[RTC_BYTES];
};

void rtc_init(struct rtc *rtc);
void rtc_write_index(struct rtc *rtc, uint8_t val);
uint8_t rtc_read(const struct rtc *rtc, uint64_t now);
void rtc_write(struct rtc *rtc, uint8_t val);

#endif
