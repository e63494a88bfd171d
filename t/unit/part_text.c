/* part_text: from raw bytes to a needle found, cut anywhere. */
#include "lib/part_text.h"

#include "t/unit/tap.h"

static const struct find_case {
	const char *name, *encoding, *charset, *text, *needle;
	bool found;
} cases[] = {
	{ "plain", "7bit", "us-ascii", "Hello World", "o wor", true },
	{ "not there", "7bit", "us-ascii", "Hello World", "worlds", false },
	{ "nothing is everywhere", "7bit", "", "", "", true },
	{ "nothing in nothing", "7bit", "", "", "a", false },
	{ "base64", "base64", "utf-8", "R3LDvMOf\nZQ==",
	    "GR\xc3\x9c\xc3\x9f"
	    "e",
	    true },
	{ "quoted-printable over a soft end", "quoted-printable", "iso-8859-1",
	    "Gr=FC=\n=DFe",
	    "gr\xc3\xbc\xc3\x9f"
	    "e",
	    true },
	{ "Cyrillic in KOI8", "8bit", "koi8-r", "\xf0\xd2\xc9\xd7\xc5\xd4",
	    "\xd0\xbf\xd1\x80\xd0\xb8", true },
	{ "an overlap that repeats", "7bit", "", "aaab", "aab", true },
	{ "the very end", "7bit", "", "xyz", "z", true },
};

static bool
into_find(void *arg, struct span s)
{
	return !text_find_in(arg, s);
}

static bool
found(const struct find_case *c, size_t step)
{
	struct span in = span_str(c->text);
	struct part_text t;
	struct text_find f;
	struct buf needle;
	bool is;

	buf_init(&needle, 100);
	if (part_text_needle(span_str(c->needle), NULL, &needle) == -1)
		return false;
	text_find_init(&f, buf_get(&needle));
	part_text_init(
	    &t, span_str(c->encoding), span_str(c->charset), into_find, &f);
	while (in.n > 0 && part_text_bytes(&t, span_take(&in, step)))
		;
	(void)part_text_end(&t);
	is = f.found;
	text_find_fini(&f);
	buf_fini(&needle);
	return is;
}

int
main(void)
{
	const struct find_case *c;
	struct buf b;
	size_t step;
	bool good;

	for (c = cases; c < cases + nitems(cases); c++) {
		good = true;
		for (step = 1; step < 20; step++)
			good &= found(c, step) == c->found;
		ok(good, c->name);
	}
	buf_init(&b, 100);
	ok(part_text_needle(SPAN("\xc3"), NULL, &b) == -1, "no UTF-8");
	part_text_header(SPAN("=?utf-8?q?=C3=84?= X\r\n Y"), &b);
	ok(span_eq(buf_get(&b), SPAN("a\xcc\x88 x y")), "a header field");
	buf_fini(&b);
	return done();
}
