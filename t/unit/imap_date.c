/* imap_date: RFC 3501 9 date, date-time. */
#include "lib/imap_date.h"

#include "t/unit/tap.h"

static const struct date_case {
	const char *name, *in;
	int rc;
	int64_t when; /* days, seconds */
	int zone;
	const char *rest;
} times[] = {
	{ "the RFC's", "\"17-Jul-1996 02:44:25 -0700\" x", 0, 837596665, -420,
	    " x" },
	{ "a blank for a digit", "\" 1-Jan-1970 00:00:00 +0000\"", 0, 0, 0,
	    "" },
	{ "a leading zero", "\"01-jan-1970 01:30:00 +0130\"", 0, 0, 90, "" },
	{ "before the epoch", "\"31-Dec-1969 23:59:59 +0000\"", 0, -1, 0, "" },
	{ "a leap second", "\"31-Dec-2016 23:59:60 +0000\"", 0, 1483228800, 0,
	    "" },
	{ "a leap day", "\"29-Feb-2024 00:00:00 +0000\"", 0, 1709164800, 0,
	    "" },
	{ "the year 0", "\"01-Jan-0000 00:00:00 +0000\"", 0, -62167219200, 0,
	    "" },
	{ "the last year", "\"31-Dec-9999 23:59:59 -2359\"", 0, 253402387139,
	    -1439, "" },
	{ "no leap day", "\"29-Feb-2023 00:00:00 +0000\"", -1, 0, 0, NULL },
	{ "nor in 1900", "\"29-Feb-1900 00:00:00 +0000\"", -1, 0, 0, NULL },
	{ "day 0", "\"00-Jan-2000 00:00:00 +0000\"", -1, 0, 0, NULL },
	{ "day 31 of 30", "\"31-Apr-2000 00:00:00 +0000\"", -1, 0, 0, NULL },
	{ "one digit", "\"1-Jan-2000 00:00:00 +0000\"", -1, 0, 0, NULL },
	{ "no such month", "\"01-Foo-2000 00:00:00 +0000\"", -1, 0, 0, NULL },
	{ "24 o'clock", "\"01-Jan-2000 24:00:00 +0000\"", -1, 0, 0, NULL },
	{ "a zone without a sign", "\"01-Jan-2000 00:00:00 0000\"", -1, 0, 0,
	    NULL },
	{ "no quotes", "01-Jan-2000 00:00:00 +0000", -1, 0, 0, NULL },
	{ "never closed", "\"01-Jan-2000 00:00:00 +0000", -1, 0, 0, NULL },
	{ "two digits of the year", "\"01-Jan-00 00:00:00 +0000\"", -1, 0, 0,
	    NULL },
}, dates[] = {
	{ "a date", "1-Feb-1994 x", 0, 8797, 0, " x" },
	{ "of two digits", "01-Feb-1994", 0, 8797, 0, "" },
	{ "in quotes", "\"1-FEB-1994\"", 0, 8797, 0, "" },
	{ "half quoted", "\"1-Feb-1994", -1, 0, 0, NULL },
	{ "three digits", "001-Feb-1994", -1, 0, 0, NULL },
	{ "cut", "1-Feb-199", -1, 0, 0, NULL },
	{ "a blank", " 1-Feb-1994", -1, 0, 0, NULL },
	{ "nothing", "", -1, 0, 0, NULL },
};

static void
test_case(const struct date_case *c, bool time)
{
	struct span in = span_str(c->in);
	int64_t when = 0;
	int zone = 0, rc;

	rc = time ? imap_date_time(&in, &when, &zone) : imap_date(&in, &when);
	ok(rc == c->rc && when == c->when && zone == c->zone &&
	        span_eq(in, span_str(rc == 0 ? c->rest : c->in)),
	    c->name);
}

int
main(void)
{
	size_t i;

	for (i = 0; i < nitems(times); i++)
		test_case(&times[i], true);
	for (i = 0; i < nitems(dates); i++)
		test_case(&dates[i], false);
	return done();
}
