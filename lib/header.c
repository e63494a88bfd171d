/*
 * header: RFC 5322 2.2. A field is a name of FTEXT, perhaps blanks (obsolete,
 * 4.5.8), a colon, and all lines up to the next that does not begin with a
 * blank. Each byte is looked at once.
 */
#include "lib/header.h"

#include <time.h>

#include "lib/buf.h"
#include "lib/chars.h"

static struct span
without_eol(struct span s)
{
	if (s.n > 0 && s.p[s.n - 1] == '\n') {
		s.n--;
		if (s.n > 0 && s.p[s.n - 1] == '\r')
			s.n--;
	}
	return s;
}

bool
header_next(struct span *in, struct header_field *f)
{
	size_t name = 0, colon, end;

	while (name < in->n && char_is(in->p[name], CH_FTEXT))
		name++;
	for (colon = name; colon < in->n; colon++)
		if (!char_is(in->p[colon], CH_BLANK))
			break;
	if (name == 0 || colon == in->n || in->p[colon] != ':')
		return false;
	end = span_line_length(*in);
	while (end < in->n && char_is(in->p[end], CH_BLANK))
		end += span_line_length(span_slice(*in, end, in->n));
	f->whole = span_take(in, end);
	f->name = span_slice(f->whole, 0, name);
	f->value = without_eol(span_slice(f->whole, colon + 1, end));
	return true;
}

void
header_date(struct buf *b, int64_t when)
{
	/* Not strftime(3): the locale has no say. RFC 5322 3.3. */
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t t = (time_t)when;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL) {
		b->bad = true;
		return;
	}
	buf_fmt(b, "%.3s, %d %.3s %04d %02d:%02d:%02d +0000",
	    days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon,
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}
