/*
 * logfile: lines of our log, whoever wrote what in front of them.
 */
#include "ctl/logfile.c" /* not in the library: it is ctl's own */

#include "t/unit/tap.h"

int
ctl_fail(int code, const char *fmt, ...)
{
	(void)fmt;
	return code;
}

static bool
is(const struct log_line *l, const char *key, const char *value)
{
	return span_eq(log_line_get(l, key), span_str(value));
}

int
main(void)
{
	struct log_line l;

	ok(log_line_parse(SPAN("2026-11-21T08:37:00.123Z mx postern/smtpd[4]: "
	    "ev=rcpt sid=8Kq2M to=\"a b\\\"c@x.org\" code=250"), &l),
	    "a line of a file");
	ok(span_eq(l.time, SPAN("2026-11-21T08:37:00.123Z")) &&
	    span_eq(l.program, SPAN("smtpd")), "has time and program");
	ok(is(&l, "ev", "rcpt") && is(&l, "sid", "8Kq2M") &&
	    is(&l, "code", "250") && is(&l, "qid", ""), "and pairs");
	ok(is(&l, "to", "a b\\\"c@x.org"), "a quoted value may hold quotes");
	ok(log_line_parse(SPAN("Nov  1 08:37:00 mx postern/queue[87]: "
	    "ev=deferred qid=5f"), &l) &&
	    span_eq(l.program, SPAN("queue")) &&
	    span_starts(l.time, SPAN("Nov  1 08:37:00")),
	    "a line of syslog");
	ok(log_line_parse(SPAN("ev=start"), &l) && l.time.n == 0,
	    "a bare line");
	ok(!log_line_parse(SPAN("Nov 21 08:37:00 mx sshd[1]: prev=x"), &l),
	    "others' lines are not ours");
	ok(!log_line_parse(SPAN(""), &l), "nor is an empty one");
	ok(log_line_parse(SPAN("ev=x why=\"no end"), &l) && l.n == 1,
	    "a quote without end is left out");
	return done();
}
