/* sent_day: days of Date fields, right and odd. */
#include "lib/sent_day.h"

#include "t/unit/tap.h"

static const struct day_case {
	const char *name, *in;
	int64_t day; /* -1: none */
} cases[] = {
	{ "RFC 5322", "Sat, 21 Nov 2026 08:37:00 +0000", 20778 },
	{ "without a weekday", "21 Nov 2026 08:37:00 +0000", 20778 },
	{ "the zone is disregarded", "21 Nov 2026 23:59:59 -1200", 20778 },
	{ "one digit", "Thu,  1 Jan 1970 00:00 GMT", 0 },
	{ "any case", "SAT, 21 nov 2026 8:37 GMT", 20778 },
	{ "folded", "Sat,\r\n 21 Nov\r\n\t2026 08:37:00 +0000", 20778 },
	{ "comments", "Sat (a (1 Feb 1999)) , 21 (b) Nov 2026 0:0", 20778 },
	{ "no blanks", "Sat,21-Nov-2026", 20778 },
	{ "two digits: 2026", "21 Nov 26 08:37:00 +0000", 20778 },
	{ "two digits: 1999", "31 Dec 99 08:37:00 +0000", 10956 },
	{ "three digits", "31 Dec 099 08:37:00 +0000", 10956 },
	{ "a long month", "21 November 2026", 20778 },
	{ "ctime", "Sat Nov 21 08:37:00 2026", 20778 },
	{ "a leap day", "29 Feb 2024", 19782 },
	{ "no leap day", "29 Feb 2023", -1 },
	{ "no such day", "32 Nov 2026", -1 },
	{ "no such month", "21 Nop 2026", -1 },
	{ "no year", "21 Nov", -1 },
	{ "nothing", "", -1 },
	{ "open comment", "(21 Nov 2026", -1 },
	{ "other text", "as soon as possible", -1 },
};

int
main(void)
{
	const struct day_case *c;
	int64_t day;

	for (c = cases; c < cases + nitems(cases); c++) {
		day = -1;
		ok(sent_day(span_str(c->in), &day) == (c->day == -1 ? -1 : 0) &&
		        day == c->day, c->name);
	}
	return done();
}
