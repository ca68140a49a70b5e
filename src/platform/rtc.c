/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The calendar is counted up from the start date; nothing is stored. */
#include "platform/rtc.h"

#define NS_PER_SEC  UINT64_C(1000000000)
#define SEC_PER_DAY 86400

enum {
	RTC_SEC = 0x00,
	RTC_MIN = 0x02,
	RTC_HOUR = 0x04,
	RTC_WEEKDAY = 0x06,
	RTC_DAY = 0x07,
	RTC_MONTH = 0x08,
	RTC_YEAR = 0x09,
	RTC_A = 0x0a,
	RTC_B = 0x0b,
	RTC_C = 0x0c,
	RTC_D = 0x0d,
	RTC_CENTURY = 0x32,
};

#define INDEX_MASK 0x7f /* bit 7 of port 0x70 masks NMI */
#define A_DIVIDER  0x26 /* 32.768 kHz, 1024 Hz: what firmware sets */
#define A_UIP      0x80
#define B_24_HOURS 0x02
#define D_VALID    0x80
#define START_YEAR 2008
#define START_DAY  2      /* 2008-01-01 was a Tuesday; Sunday is 0 */
#define UIP_TIME   244000 /* ns that A_UIP warns before an update */

static bool is_leap(unsigned int year)
{
	return (year % 4 == 0 && year % 100) || year % 400 == 0;
}

static unsigned int days_in(unsigned int month, unsigned int year)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30,
				       31, 31, 30, 31, 30, 31};

	return days[month] + (month == 1 && is_leap(year) ? 1u : 0u);
}

static uint8_t bcd(unsigned int n)
{
	return (uint8_t)(n / 10 % 10 << 4 | n % 10);
}

/* One of day, month, year and century, n days after the start. */
static uint8_t date_field(unsigned int field, unsigned int n)
{
	unsigned int year = START_YEAR;
	unsigned int month = 0;

	while (n >= days_in(month, year)) {
		n -= days_in(month, year);
		month++;
		if (month == 12) {
			month = 0;
			year++;
		}
	}
	switch (field) {
	case RTC_DAY:
		return bcd(n + 1);
	case RTC_MONTH:
		return bcd(month + 1);
	case RTC_YEAR:
		return bcd(year % 100);
	default:
		return bcd(year / 100);
	}
}

void rtc_init(struct rtc *rtc)
{
	*rtc = (struct rtc){0};
}

void rtc_write_index(struct rtc *rtc, uint8_t val)
{
	rtc->index = val & INDEX_MASK;
}

uint8_t rtc_read(const struct rtc *rtc, uint64_t now)
{
	uint64_t sec = now / NS_PER_SEC;
	unsigned int days = (unsigned int)(sec / SEC_PER_DAY);
	unsigned int rest = (unsigned int)(sec % SEC_PER_DAY);

	switch (rtc->index) {
	case RTC_SEC:
		return bcd(rest % 60);
	case RTC_MIN:
		return bcd(rest / 60 % 60);
	case RTC_HOUR:
		return bcd(rest / 3600);
	case RTC_WEEKDAY:
		return bcd((START_DAY + days) % 7 + 1);
	case RTC_DAY:
	case RTC_MONTH:
	case RTC_YEAR:
	case RTC_CENTURY:
		return date_field(rtc->index, days);
	case RTC_A:
		return now % NS_PER_SEC >= NS_PER_SEC - UIP_TIME
			       ? A_DIVIDER | A_UIP
			       : A_DIVIDER;
	case RTC_B:
		return B_24_HOURS;
	case RTC_C:
		return 0;
	case RTC_D:
		return D_VALID;
	default:
		return rtc->ram[rtc->index];
	}
}

void rtc_write(struct rtc *rtc, uint8_t val)
{
	rtc->ram[rtc->index] = val;
}
