/* imap_date: days of the Gregorian calendar, and clocks. */
#include "lib/imap_date.h"

#include "lib/chars.h"
#include "lib/imap_token.h"

static int
take_digits(struct span *in, size_t digits, unsigned max, unsigned *out)
{
	uint64_t v;

	if (in->n < digits ||
	    span_num(span_slice(*in, 0, digits), 0, max, &v) == -1)
		return -1;
	span_take(in, digits);
	*out = (unsigned)v;
	return 0;
}

static int
take_month(struct span *in, unsigned *month)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct span name = span_slice(*in, 0, 3);

	for (unsigned i = 0; i < 12; i++) {
		if (!span_ieq(name, span_of(names + 3 * (size_t)i, 3)))
			continue;
		span_take(in, 3);
		*month = i + 1;
		return 0;
	}
	return -1;
}

static unsigned
month_days(unsigned year, unsigned month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31,
		30, 31, 30, 31 };

	if (month == 2 &&
	    (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)))
		return 29;
	return days[month - 1];
}

/* Days from 1970-01-01, Gregorian; the year begins in March. */
static int64_t
days_from(unsigned year, unsigned month, unsigned day)
{
	int64_t y = (int64_t)year - (month <= 2), era, in_era;
	unsigned from_march = month > 2 ? month - 3 : month + 9;

	era = (y >= 0 ? y : y - 399) / 400;
	in_era = y - era * 400;
	return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 +
	    (153 * (int64_t)from_march + 2) / 5 + day - 1 - 719468;
}

/* "-Mon-yyyy" behind the day. */
static int
take_month_year(struct span *in, unsigned day, int64_t *days)
{
	unsigned month, year;

	if (!imap_is(in, '-') || take_month(in, &month) == -1 ||
	    !imap_is(in, '-') || take_digits(in, 4, 9999, &year) == -1)
		return -1;
	if (day == 0 || day > month_days(year, month))
		return -1;
	*days = days_from(year, month, day);
	return 0;
}

int
imap_date(struct span *in, int64_t *day)
{
	struct span rest = *in;
	bool quoted = imap_is(&rest, '"');
	size_t digits = 1;
	unsigned d;
	int64_t days;

	if (rest.n > 1 && char_is(rest.p[1], CH_DIGIT))
		digits = 2;
	if (take_digits(&rest, digits, 31, &d) == -1 ||
	    take_month_year(&rest, d, &days) == -1 ||
	    (quoted && !imap_is(&rest, '"')))
		return -1;
	*day = days;
	*in = rest;
	return 0;
}

/* "hh:mm:ss" */
static int
take_time(struct span *in, int64_t *seconds)
{
	unsigned h, m, s;

	if (take_digits(in, 2, 23, &h) == -1 || !imap_is(in, ':') ||
	    take_digits(in, 2, 59, &m) == -1 || !imap_is(in, ':') ||
	    take_digits(in, 2, 60, &s) == -1)
		return -1;
	*seconds = (int64_t)h * 3600 + m * 60 + s;
	return 0;
}

/* "+hhmm" */
static int
take_zone(struct span *in, int *minutes)
{
	bool west = imap_is(in, '-');
	unsigned h, m;

	if (!west && !imap_is(in, '+'))
		return -1;
	if (take_digits(in, 2, 23, &h) == -1 ||
	    take_digits(in, 2, 59, &m) == -1)
		return -1;
	*minutes = (int)(h * 60 + m) * (west ? -1 : 1);
	return 0;
}

/* date-day-fixed: a blank may stand for the first digit. */
int
imap_date_time(struct span *in, int64_t *when, int *zone)
{
	struct span rest = *in;
	int64_t days, seconds;
	unsigned day;
	int z;

	if (!imap_is(&rest, '"') ||
	    take_digits(&rest, imap_is(&rest, ' ') ? 1 : 2, 31, &day) == -1 ||
	    take_month_year(&rest, day, &days) == -1 ||
	    imap_sp(&rest) == -1 || take_time(&rest, &seconds) == -1 ||
	    imap_sp(&rest) == -1 || take_zone(&rest, &z) == -1 ||
	    !imap_is(&rest, '"'))
		return -1;
	*when = days * 86400 + seconds - (int64_t)z * 60;
	*zone = z;
	*in = rest;
	return 0;
}
