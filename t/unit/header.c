/* header: fields, folds, ends; LF and CR LF; dates. */
#include "lib/header.h"

#include <string.h>

#include "lib/buf.h"
#include "t/unit/tap.h"

/* All fields as "name=value|", then what is left. */
static const struct header_case {
	const char *name, *in, *out;
} cases[] = {
	{ "two fields and a body", "A: b\nC: d\n\nE: f\n",
	    "A= b|C= d|#\nE: f\n" },
	{ "CR LF", "A: b\r\n\r\nx", "A= b|#\r\nx" },
	{ "a fold belongs to its field", "A: b\n c\n\td\nE:f\n",
	    "A= b\n c\n\td|E=f|#" },
	{ "a folded blank line is a fold, too", "A: b\n \nC: d\n",
	    "A= b\n |C= d|#" },
	{ "no line end at the end", "A: b", "A= b|#" },
	{ "an empty value", "A:\nB:", "A=|B=|#" },
	{ "blanks before the colon", "A \t: b\n", "A= b|#" },
	{ "a blank inside the name ends the header", "A B: c\n", "#A B: c\n" },
	{ "no colon ends the header", "A: b\nhello\nC: d\n",
	    "A= b|#hello\nC: d\n" },
	{ "no name is no field", ": b\n", "#: b\n" },
	{ "the line of an mbox is no field", "From a@b Sat Nov 21\nA: b\n",
	    "#From a@b Sat Nov 21\nA: b\n" },
	{ "a fold first is no field", " A: b\n", "# A: b\n" },
	{ "a colon in the next line does not count", "A\n: b\n", "#A\n: b\n" },
	{ "bytes beyond ASCII in a name are no field", "\xc3\xa4: b\n",
	    "#\xc3\xa4: b\n" },
	{ "colons in the value stay", "A: b:c\n", "A= b:c|#" },
	{ "a bare CR stays in the value", "A: b\rc\n", "A= b\rc|#" },
	{ "nothing", "", "#" },
};

static void
test_next(void)
{
	const struct header_case *c;
	struct header_field f;
	struct span in;
	struct buf b;

	buf_init(&b, 1000);
	for (c = cases; c < cases + nitems(cases); c++) {
		buf_clear(&b);
		in = span_str(c->in);
		while (header_next(&in, &f)) {
			buf_span(&b, f.name);
			buf_char(&b, '=');
			buf_span(&b, f.value);
			buf_char(&b, '|');
		}
		buf_char(&b, '#');
		buf_span(&b, in);
		ok(span_eq(buf_get(&b), span_str(c->out)), c->name);
	}
	buf_fini(&b);
}

static const struct date_case {
	int64_t when;
	const char *text;
} dates[] = {
	{ 0, "Thu, 1 Jan 1970 00:00:00 +0000" },
	{ 1795250220, "Sat, 21 Nov 2026 08:37:00 +0000" },
	{ 1709210096, "Thu, 29 Feb 2024 12:34:56 +0000" },
	{ 4102444799, "Thu, 31 Dec 2099 23:59:59 +0000" },
};

static void
test_date(void)
{
	const struct date_case *c;
	struct buf b;

	buf_init(&b, 64);
	for (c = dates; c < dates + nitems(dates); c++) {
		buf_clear(&b);
		header_date(&b, c->when);
		ok(span_eq(buf_get(&b), span_str(c->text)), c->text);
	}
	buf_clear(&b);
	header_date(&b, INT64_MAX);
	ok(b.bad, "a time without a date is bad");
	buf_fini(&b);
}

int
main(void)
{
	test_next();
	test_date();
	return done();
}
