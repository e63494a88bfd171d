/* imap_token: pieces of commands; RFC 3501 9, RFC 7888. */
#include "lib/imap_token.h"

#include <string.h>

#include "lib/limits.h"
#include "t/unit/tap.h"

/* clang-format off */
static const struct end_case {
	const char *name, *line;
	enum imap_ends ends;
	struct imap_literal lit;
} ends[] = {
	{ "a plain line", "a NOOP", IMAP_LINE_ENDS, { .size = 0 } },
	{ "an empty line", "", IMAP_LINE_ENDS, { .size = 0 } },
	{ "a literal", "a LOGIN {3}", IMAP_LITERAL_FOLLOWS,
	    { .size = 3, .sync = true, .at = 8 } },
	{ "one of nothing", "{0}", IMAP_LITERAL_FOLLOWS,
	    { .size = 0, .sync = true, .at = 0 } },
	{ "one that does not wait", "x {12+}", IMAP_LITERAL_FOLLOWS,
	    { .size = 12, .at = 2 } },
	{ "a binary one", "x ~{12+}", IMAP_LITERAL_FOLLOWS,
	    { .size = 12, .binary = true, .at = 2 } },
	{ "the second of two", "x {1} {2}", IMAP_LITERAL_FOLLOWS,
	    { .size = 2, .sync = true, .at = 6 } },
	{ "leading zeros", "{0007}", IMAP_LITERAL_FOLLOWS,
	    { .size = 7, .sync = true, .at = 0 } },
	{ "the largest", "{9223372036854775807}", IMAP_LITERAL_FOLLOWS,
	    { .size = INT64_MAX, .sync = true, .at = 0 } },
	{ "one more", "{9223372036854775808}", IMAP_LITERAL_BAD, { .size = 0 } },
	{ "2^64 is not 0", "{18446744073709551616+}", IMAP_LITERAL_BAD,
	    { .size = 0 } },
	{ "no number", "{}", IMAP_LINE_ENDS, { .size = 0 } },
	{ "only a plus", "{+}", IMAP_LINE_ENDS, { .size = 0 } },
	{ "a sign", "{-1}", IMAP_LINE_ENDS, { .size = 0 } },
	{ "a blank inside", "{1 }", IMAP_LINE_ENDS, { .size = 0 } },
	{ "a blank behind", "{1} ", IMAP_LINE_ENDS, { .size = 0 } },
	{ "never opened", "1}", IMAP_LINE_ENDS, { .size = 0 } },
	{ "only the end", "}", IMAP_LINE_ENDS, { .size = 0 } },
};

enum kind { TAG, ATOM, FLAG, STRING, ASTRING, NSTRING, LISTMB };

/* out NULL: refused, and nothing taken. rest: what stays. */
static const struct word_case {
	const char *name;
	enum kind kind;
	struct span in;
	const char *out, *rest;
} words[] = {
	{ "a tag", TAG, SPAN("A1 NOOP"), "A1", " NOOP" },
	{ "a tag may have ]", TAG, SPAN("]a "), "]a", " " },
	{ "but no +", TAG, SPAN("a+b x"), NULL, NULL },
	{ "a tag of nothing", TAG, SPAN(" x"), NULL, NULL },
	{ "a tag ends at a bad byte", TAG, SPAN("a\"b"), "a", "\"b" },
	{ "an atom", ATOM, SPAN("FETCH)"), "FETCH", ")" },
	{ "an atom ends at ]", ATOM, SPAN("BODY[]"), "BODY[", "]" },
	{ "an atom has no 8-bit", ATOM, SPAN("\xc3\xa4"), NULL, NULL },
	{ "nor controls", ATOM, SPAN("a\001"), "a", "\001" },
	{ "nor DEL", ATOM, SPAN("\x7f"), NULL, NULL },
	{ "an atom may be a tilde", ATOM, SPAN("~{1}"), "~", "{1}" },
	{ "a system flag", FLAG, SPAN("\\Seen)"), "\\Seen", ")" },
	{ "a keyword", FLAG, SPAN("$Junk x"), "$Junk", " x" },
	{ "a backslash alone is no flag", FLAG, SPAN("\\ x"), NULL, NULL },
	{ "\\* is none to set", FLAG, SPAN("\\*"), NULL, NULL },
	{ "two backslashes", FLAG, SPAN("\\\\x"), NULL, NULL },
	{ "a quoted string", STRING, SPAN("\"ab c\" x"), "ab c", " x" },
	{ "an empty one", STRING, SPAN("\"\""), "", "" },
	{ "escapes", STRING, SPAN("\"a\\\"b\\\\\"x"), "a\"b\\", "x" },
	{ "other escapes are none", STRING, SPAN("\"\\n\""), NULL, NULL },
	{ "never closed", STRING, SPAN("\"abc"), NULL, NULL },
	{ "never closed, escaped", STRING, SPAN("\"abc\\"), NULL, NULL },
	{ "never closed, quote escaped", STRING, SPAN("\"abc\\\""), NULL,
	    NULL },
	{ "a NUL in quotes", STRING, SPAN("\"a\0b\""), NULL, NULL },
	{ "an escaped NUL", STRING, SPAN("\"a\\\0b\""), NULL, NULL },
	{ "CR in quotes", STRING, SPAN("\"a\rb\""), NULL, NULL },
	{ "LF in quotes", STRING, SPAN("\"a\nb\""), NULL, NULL },
	{ "8-bit in quotes passes", STRING, SPAN("\"\xc3\xa4\""), "\xc3\xa4",
	    "" },
	{ "a literal", STRING, SPAN("{3}\r\nabcd"), "abc", "d" },
	{ "a literal of nothing", STRING, SPAN("{0}\r\n"), "", "" },
	{ "one that did not wait", STRING, SPAN("{3+}\r\na\r\nd"), "a\r\n",
	    "d" },
	{ "cut short", STRING, SPAN("{3}\r\nab"), NULL, NULL },
	{ "far too short", STRING, SPAN("{9223372036854775807}\r\nab"), NULL,
	    NULL },
	{ "a NUL in a literal", STRING, SPAN("{3}\r\na\0b"), NULL, NULL },
	{ "LF alone", STRING, SPAN("{1}\na"), NULL, NULL },
	{ "literal8", STRING, SPAN("~{1}\r\na"), NULL, NULL },
	{ "an atom is no string", STRING, SPAN("abc"), NULL, NULL },
	{ "astring: an atom", ASTRING, SPAN("a]b c"), "a]b", " c" },
	{ "astring: a string", ASTRING, SPAN("\"a b\""), "a b", "" },
	{ "astring: a literal", ASTRING, SPAN("{1}\r\n*"), "*", "" },
	{ "astring: no wildcards", ASTRING, SPAN("%"), NULL, NULL },
	{ "astring: nothing", ASTRING, SPAN(""), NULL, NULL },
	{ "nstring: NIL", NSTRING, SPAN("nil)"), "", ")" },
	{ "nstring: \"NIL\"", NSTRING, SPAN("\"NIL\""), "NIL", "" },
	{ "nstring: no other atom", NSTRING, SPAN("NILL"), NULL, NULL },
	{ "list: wildcards", LISTMB, SPAN("a/%*] x"), "a/%*]", " x" },
	{ "list: a string", LISTMB, SPAN("\"\" *"), "", " *" },
};

static const struct number_case {
	const char *name, *in;
	uint64_t max;
	int rc;
	uint64_t n;
	const char *rest;
} numbers[] = {
	{ "a number", "12 x", UINT32_MAX, 0, 12, " x" },
	{ "the largest", "4294967295", UINT32_MAX, 0, UINT32_MAX, "" },
	{ "2^32", "4294967296", UINT32_MAX, -1, 0, "4294967296" },
	{ "2^32 + 1 is not 1", "4294967297", UINT32_MAX, -1, 0, "4294967297" },
	{ "2^64", "18446744073709551616", UINT64_MAX, -1, 0,
	    "18446744073709551616" },
	{ "nothing", "", 9, -1, 0, "" },
	{ "a sign", "+1", 9, -1, 0, "+1" },
};
/* clang-format on */

static void
test_ends(void)
{
	for (size_t i = 0; i < nitems(ends); i++) {
		const struct end_case *c = &ends[i];
		struct imap_literal l = { .size = 0 };

		ok(imap_line_end(span_str(c->line), &l) == c->ends &&
		        l.size == c->lit.size && l.sync == c->lit.sync &&
		        l.binary == c->lit.binary && l.at == c->lit.at,
		    c->name);
	}
}

static int
take(enum kind kind, struct span *in, struct buf *scratch, struct span *out)
{
	bool nil;

	switch (kind) {
	case TAG:
		return imap_tag(in, out);
	case ATOM:
		return imap_atom(in, out);
	case FLAG:
		return imap_flag(in, out);
	case STRING:
		return imap_string(in, scratch, out);
	case ASTRING:
		return imap_astring(in, scratch, out);
	case NSTRING:
		return imap_nstring(in, scratch, out, &nil);
	case LISTMB:
		return imap_list_mailbox(in, scratch, out);
	}
	return -1;
}

static void
test_words(void)
{
	struct span in, out;
	struct buf scratch;
	int rc;

	for (size_t i = 0; i < nitems(words); i++) {
		const struct word_case *c = &words[i];

		buf_init(&scratch, 100);
		in = c->in;
		out = SPAN_NONE;
		rc = take(c->kind, &in, &scratch, &out);
		if (c->out == NULL)
			ok(rc == -1 && in.p == c->in.p && in.n == c->in.n,
			    c->name);
		else
			ok(rc == 0 && span_eq(out, span_str(c->out)) &&
			        span_eq(in, span_str(c->rest)),
			    c->name);
		buf_fini(&scratch);
	}
}

static void
test_numbers(void)
{
	for (size_t i = 0; i < nitems(numbers); i++) {
		const struct number_case *c = &numbers[i];
		struct span in = span_str(c->in);
		uint64_t n = 0;

		ok(imap_number(&in, c->max, &n) == c->rc && n == c->n &&
		        span_eq(in, span_str(c->rest)),
		    c->name);
	}
}

/* Unescaped strings of one command stay where they are. */
static void
test_scratch(void)
{
	char text[4000];
	struct span in, first, out;
	struct buf scratch;
	size_t i;
	bool good = true;

	for (i = 0; i < sizeof(text); i += 4)
		memcpy(text + i, "\"\\\"\"", 4);
	buf_init(&scratch, sizeof(text));
	in = span_of(text, sizeof(text));
	ok(imap_string(&in, &scratch, &first) == 0, "one of many strings");
	while (in.n > 0)
		good = good && imap_string(&in, &scratch, &out) == 0 &&
		    span_eq(out, SPAN("\""));
	ok(good && first.p == scratch.p && first.p[0] == '"',
	    "stays in its place while the others come");
	in = span_of(text, sizeof(text));
	ok(imap_string(&in, &scratch, &out) == -1 && in.n == sizeof(text),
	    "over the bound: refused");
	buf_fini(&scratch);
}

static void
test_tag_length(void)
{
	char text[IMAP_TAG_MAX + 1];
	struct span in, tag;

	memset(text, 'a', sizeof(text));
	in = span_of(text, IMAP_TAG_MAX);
	ok(imap_tag(&in, &tag) == 0 && tag.n == IMAP_TAG_MAX,
	    "the longest tag");
	in = span_of(text, sizeof(text));
	ok(imap_tag(&in, &tag) == -1, "one byte more");
}

static void
test_little(void)
{
	struct span in = span_str("  Return x");

	ok(imap_sp(&in) == 0 && imap_sp(&in) == 0 && imap_sp(&in) == -1,
	    "one blank at a time");
	ok(!imap_word(&in, "RET") && imap_word(&in, "RETURN") && in.n == 2,
	    "a word in any case, whole");
	ok(!imap_is(&in, 'x') && imap_is(&in, ' ') && imap_is(&in, 'x') &&
	        !imap_is(&in, 'x'),
	    "one byte, if it is that");
}

int
main(void)
{
	test_ends();
	test_words();
	test_numbers();
	test_scratch();
	test_tag_length();
	test_little();
	return done();
}
