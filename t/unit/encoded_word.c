/* encoded_word: the examples of RFC 2047 8, and what senders make of it. */
#include "lib/encoded_word.h"

#include "lib/buf.h"
#include "t/unit/tap.h"

static const struct pair {
	const char *in, *out;
} pairs[] = {
	{ "", "" },
	{ "plain text", "plain text" },
	{ "=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>",
	    "Keith Moore <moore@cs.utk.edu>" },
	{ "=?ISO-8859-1?Q?Andr=E9?= Pirard", "André Pirard" },
	{ "(=?ISO-8859-1?Q?a?=)", "(a)" },
	{ "(=?ISO-8859-1?Q?a?= b)", "(a b)" },
	{ "(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)" },
	{ "(=?ISO-8859-1?Q?a?=\r\n  =?ISO-8859-1?Q?b?=)", "(ab)" },
	{ "(=?ISO-8859-1?Q?a_b?=)", "(a b)" },
	{ "(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)" },
	{ "=?utf-8?b?w6Q=?=", "ä" },
	{ "=?utf-8?B?w6?=x", "\xef\xbf\xbdx" },
	{ "=?utf-8?b?4oI=?= =?utf-8?b?rA==?=", "€" },
	{ "=?utf-8*en?q?=C3=A4?=", "ä" },
	{ "=?no-such?q?a?=", "=?no-such?q?a?=" },
	{ "=?utf-8?x?a?=", "=?utf-8?x?a?=" },
	{ "=?utf-8?q?a b?=", "a b" },
	{ "=?utf-8?q?a", "=?utf-8?q?a" },
	{ "=?utf-8?q?a?", "=?utf-8?q?a?" },
	{ "=?utf-8?q?"
	  "?=",
	    "" },
	{ "x=?utf-8?q?a?=y", "xay" },
	{ "=?utf-8?q?=3D=?=", "==" },
	{ "=?utf-8?q?=3", "=?utf-8?q?=3" },
	{ "=?", "=?" },
	{ "=?=?utf-8?q?a?=", "=?a" },
	{ "folded\r\n text\n here", "folded text here" },
	{ "raw \xe4 and \xc3\xa4", "raw ä and ä" },
	{ "=?utf-8?q?a?=  b =?utf-8?q?c?= ", "a  b c " },
};

int
main(void)
{
	const struct pair *p;
	struct buf b;

	buf_init(&b, 1000);
	for (p = pairs; p < pairs + nitems(pairs); p++) {
		buf_clear(&b);
		encoded_word_decode(span_str(p->in), &b);
		if (!ok(span_eq(buf_get(&b), span_str(p->out)), p->in))
			printf("# %.*s\n", SPAN_FMT(buf_get(&b)));
	}
	buf_fini(&b);
	return done();
}
