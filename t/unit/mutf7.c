/* mutf7: both ways, and what is not the one form of a name. */
#include "lib/mutf7.h"

#include <string.h>

#include "t/unit/tap.h"

static const struct pair {
	const char *what, *utf8, *wire;
} pairs[] = {
	{ "ASCII", "INBOX/a b~", "INBOX/a b~" },
	{ "ampersand", "a&b", "a&-b" },
	{ "RFC 3501 5.1.3", "~peter/mail/台北/日本語",
	    "~peter/mail/&U,BTFw-/&ZeVnLIqe-" },
	{ "umlaut at the end", "Entwürfe ä", "Entw&APw-rfe &AOQ-" },
	{ "shift, then ampersand", "ä&", "&AOQ-&-" },
	{ "outside the first plane", "📬", "&2D3c7A-" },
	{ "a control", "a\tb", "a&AAk-b" },
	{ "empty", "", "" },
};

static const struct bad {
	const char *what, *wire;
} bads[] = {
	{ "8-bit bytes", "\303\244" },
	{ "a control as it is", "a\tb" },
	{ "no end", "&AOQ" },
	{ "ASCII shifted", "&AGE-" },
	{ "an ampersand shifted", "&ACY-" },
	{ "two shifts in a row", "&AOQ-&AOQ-" },
	{ "stray bits", "&AOR-" },
	{ "a sextet too many", "&AOQA-" },
	{ "a slash of real base64", "&U/BTFw-" },
	{ "padding", "&AOQ=-" },
	{ "half of a pair", "&2D0-" },
	{ "the other half", "&3Kw-" },
	{ "halves in the wrong order", "&3KzYPQ-" },
	{ "NUL", "&AAA-" },
};

int
main(void)
{
	struct buf b;

	buf_init(&b, 1000);
	for (size_t i = 0; i < nitems(pairs); i++) {
		buf_clear(&b);
		ok(mutf7_encode(span_str(pairs[i].utf8), &b) == 0 &&
			span_eq(buf_get(&b), span_str(pairs[i].wire)),
		    pairs[i].what);
		buf_clear(&b);
		ok(mutf7_decode(span_str(pairs[i].wire), &b) == 0 &&
			span_eq(buf_get(&b), span_str(pairs[i].utf8)),
		    "and back");
	}
	for (size_t i = 0; i < nitems(bads); i++) {
		buf_clear(&b);
		ok(mutf7_decode(span_str(bads[i].wire), &b) == -1,
		    bads[i].what);
	}
	buf_clear(&b);
	ok(mutf7_encode(SPAN("\377"), &b) == -1, "no UTF-8 is refused");
	buf_clear(&b);
	ok(mutf7_encode(span_of("a\0b", 3), &b) == -1, "NUL is refused");
	buf_fini(&b);
	buf_init(&b, 3);
	ok(mutf7_encode(SPAN("abcd"), &b) == -1, "what does not fit is told");
	buf_fini(&b);
	return done();
}
