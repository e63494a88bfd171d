/* smtp_data: framing in both directions, whole and split at every byte. */
#include "lib/smtp_data.h"

#include <string.h>

#include "t/unit/tap.h"

enum { MAX = 1 << 20 };

struct in_case {
	const char *name;
	struct span wire;
	size_t used; /* with the end of data; 0: it does not end */
	struct span text;
	bool bare_cr, bare_lf, nul;
	uint64_t octets;
};

#define S(lit) { "" lit, sizeof(lit) - 1 }

static const struct in_case in_cases[] = {
	{ "an empty message", S(".\r\n"), 3, S(""), 0, 0, 0, 0 },
	{ "a line", S("a\r\n.\r\n"), 6, S("a\n"), 0, 0, 0, 3 },
	{ "an empty line", S("\r\n.\r\n"), 5, S("\n"), 0, 0, 0, 2 },
	{ "a dot is unstuffed", S("..\r\n.\r\n"), 7, S(".\n"), 0, 0, 0, 3 },
	{ "a dot before text is dropped", S(".a\r\n.\r\n"), 7, S("a\n"), 0, 0,
	    0, 3 },
	{ "dots inside lines stay", S("a.\r\nb.b\r\n.\r\n"), 12,
	    S("a.\nb.b\n"), 0, 0, 0, 9 },
	{ "what follows the end is left", S("a\r\n.\r\nQUIT\r\n"), 6, S("a\n"),
	    0, 0, 0, 3 },
	{ "8-bit bytes pass", S("\xc3\xa4\xff\r\n.\r\n"), 8,
	    S("\xc3\xa4\xff\n"), 0, 0, 0, 5 },
	{ "no end yet", S("a\r\n."), 0, S("a\n"), 0, 0, 0, 3 },
	/* SMTP smuggling: none of these is an end of data */
	{ "LF . LF", S("a\n.\nb\r\n.\r\n"), 10, S("a\n.\nb\n"), 0, 1, 0, 7 },
	{ "LF . CR LF", S("a\n.\r\nb\r\n.\r\n"), 11, S("a\n.\nb\n"), 0, 1, 0,
	    8 },
	{ "CR LF . LF", S("a\r\n.\nb\r\n.\r\n"), 11, S("a\n\nb\n"), 0, 1, 0,
	    7 },
	{ "CR LF . CR", S("a\r\n.\rb\r\n.\r\n"), 11, S("a\n\rb\n"), 1, 0, 0,
	    7 },
	{ "CR . CR LF", S("a\r.\r\nb\r\n.\r\n"), 11, S("a\r.\nb\n"), 1, 0, 0,
	    8 },
	{ "CR . CR", S("a\r.\rb\r\n.\r\n"), 10, S("a\r.\rb\n"), 1, 0, 0, 7 },
	{ "CR LF . CR CR LF", S("a\r\n.\r\r\nb\r\n.\r\n"), 13,
	    S("a\n\r\nb\n"), 1, 0, 0, 9 },
	{ "CR LF NUL . CR LF", S("a\r\n\0.\r\nb\r\n.\r\n"), 13,
	    S("a\n\0.\nb\n"), 0, 0, 1, 10 },
	{ "CR LF . NUL CR LF", S("a\r\n.\0\r\nb\r\n.\r\n"), 13,
	    S("a\n\0\nb\n"), 0, 0, 1, 9 },
	{ "CR CR LF . CR LF ends, and the bare CR is known",
	    S("a\r\r\n.\r\n"), 7, S("a\r\n"), 1, 0, 0, 4 },
	{ "LF LF", S("\n\n\r\n.\r\n"), 7, S("\n\n\n"), 0, 1, 0, 4 },
	{ "a bare CR at the end of a line", S("a\rb\r\n.\r\n"), 8,
	    S("a\rb\n"), 1, 0, 0, 5 },
};

static bool
same(const struct smtp_data *d, const struct in_case *c, size_t used,
    const struct buf *out)
{
	return d->done == (c->used != 0) &&
	    used == (c->used != 0 ? c->used : c->wire.n) &&
	    span_eq(buf_get(out), c->text) && d->bare_cr == c->bare_cr &&
	    d->bare_lf == c->bare_lf && d->nul == c->nul &&
	    d->octets == c->octets;
}

static void
test_in(const struct in_case *c)
{
	struct smtp_data d = { 0 };
	struct buf out;
	size_t used = 0, at;
	bool good;

	buf_init(&out, MAX);
	used = smtp_data_in(&d, c->wire, &out);
	ok(same(&d, c, used, &out), c->name);

	good = true;
	for (at = 0; at <= c->wire.n; at++) { /* split once, everywhere */
		d = (struct smtp_data){ 0 };
		buf_clear(&out);
		used = smtp_data_in(&d, span_slice(c->wire, 0, at), &out);
		if (used == at)
			used += smtp_data_in(&d,
			    span_slice(c->wire, at, c->wire.n), &out);
		good = good && same(&d, c, used, &out);
	}
	d = (struct smtp_data){ 0 };
	buf_clear(&out);
	for (used = 0; used < c->wire.n && !d.done;)
		used += smtp_data_in(&d,
		    span_slice(c->wire, used, used + 1), &out);
	ok(good && same(&d, c, used, &out), "the same, in pieces");
	buf_fini(&out);
}

struct out_case {
	const char *name;
	struct span text, wire;
};

static const struct out_case out_cases[] = {
	{ "nothing", S(""), S(".\r\n") },
	{ "LF becomes CR LF", S("a\nb\n"), S("a\r\nb\r\n.\r\n") },
	{ "CR LF stays", S("a\r\nb\r\n"), S("a\r\nb\r\n.\r\n") },
	{ "a missing line end is added", S("a"), S("a\r\n.\r\n") },
	{ "dots are stuffed", S(".\n.a\n..\na.\n"),
	    S("..\r\n..a\r\n...\r\na.\r\n.\r\n") },
	{ "a bare CR is dropped", S("a\rb\n"), S("ab\r\n.\r\n") },
	{ "a dot behind a dropped CR is stuffed", S("a\n\r.\n"),
	    S("a\r\n..\r\n.\r\n") },
	{ "a lone CR ends nothing", S("\r"), S(".\r\n") },
};

static void
test_out(const struct out_case *c)
{
	struct smtp_data_out d = { 0 };
	struct buf out;
	size_t at;

	buf_init(&out, MAX);
	smtp_data_out(&d, c->text, &out);
	smtp_data_end(&d, &out);
	ok(span_eq(buf_get(&out), c->wire), c->name);

	buf_clear(&out);
	d = (struct smtp_data_out){ 0 };
	for (at = 0; at < c->text.n; at++)
		smtp_data_out(&d, span_slice(c->text, at, at + 1), &out);
	smtp_data_end(&d, &out);
	ok(span_eq(buf_get(&out), c->wire), "the same, byte by byte");
	buf_fini(&out);
}

/* A buffer that is too small goes bad; nothing is written beyond it. */
static void
test_full(void)
{
	struct smtp_data d = { 0 };
	struct buf out;

	buf_init(&out, 4);
	smtp_data_in(&d, SPAN("abcdefgh\r\n.\r\n"), &out);
	ok(out.bad && out.n <= 4, "too much for the buffer");
	buf_fini(&out);
}

int
main(void)
{
	size_t i;

	for (i = 0; i < nitems(in_cases); i++)
		test_in(&in_cases[i]);
	for (i = 0; i < nitems(out_cases); i++)
		test_out(&out_cases[i]);
	test_full();
	return done();
}
