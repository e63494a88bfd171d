/*
 * imap_out: what is said, byte for byte; and whatever is said can be read
 * back by a reader that knows only RFC 3501.
 */
#include "lib/imap_out.h"

#include <stdlib.h>
#include <string.h>

#include "t/unit/imap_grammar.h"
#include "t/unit/tap.h"

static struct buf said;
static size_t pieces, refuse_after = SIZE_MAX;

static int
sink(void *arg, struct span s)
{
	(void)arg;
	if (pieces++ >= refuse_after)
		return -1;
	buf_span(&said, s);
	return 0;
}

static void
start(struct imap_out *o)
{
	buf_clear(&said);
	pieces = 0;
	out_init(o, sink, NULL);
}

/* What o said is text, and grammatical. */
static void
expect(struct imap_out *o, struct span text, const char *name)
{
	struct span in;
	bool good = out_flush(o) == 0;

	for (in = buf_get(&said); good && in.n > 0;)
		good = g_response(&in);
	if (!ok(good && span_eq(buf_get(&said), text), name))
		printf("# said: %.*s\n", SPAN_FMT(buf_get(&said)));
	out_fini(o);
}

static void
test_shapes(void)
{
	static const uint32_t set[] = { 1, 2, 3, 5, 7, 8, UINT32_MAX };
	struct imap_out o;

	start(&o);
	out_untagged(&o);
	out_num(&o, 3);
	out_atom(&o, "FETCH");
	out_open(&o);
	out_atom(&o, "UID");
	out_num(&o, UINT64_MAX);
	out_atom(&o, "FLAGS");
	out_open(&o);
	out_atom(&o, "\\Seen");
	out_atom(&o, "$Junk");
	out_close(&o);
	out_atom(&o, "X");
	out_open(&o);
	out_close(&o);
	out_close(&o);
	out_end(&o);
	expect(&o,
	    SPAN("* 3 FETCH (UID 18446744073709551615 FLAGS "
		 "(\\Seen $Junk) X ())\r\n"),
	    "a FETCH response");

	start(&o);
	out_untagged(&o);
	out_num(&o, 1);
	out_atom(&o, "FETCH");
	out_open(&o);
	out_atom(&o, "BODY[1.HEADER.FIELDS");
	out_open(&o);
	out_astring(&o, SPAN("TO"));
	out_astring(&o, SPAN("a b"));
	out_close(&o);
	out_tight(&o);
	out_atom(&o, "]<0>");
	out_literal(&o, 5);
	out_literal_bytes(&o, SPAN("a\r"));
	out_literal_bytes(&o, SPAN("\n\0)"));
	out_close(&o);
	out_end(&o);
	expect(&o,
	    SPAN("* 1 FETCH (BODY[1.HEADER.FIELDS (TO \"a b\")]<0> "
		 "{5}\r\na\r\n\x80))\r\n"),
	    "a section, a literal, no NUL in it");

	start(&o);
	out_untagged(&o);
	out_atom(&o, "ESEARCH");
	out_open(&o);
	out_atom(&o, "TAG");
	out_string(&o, SPAN("a1"));
	out_close(&o);
	out_atom(&o, "ALL");
	out_set(&o, set, nitems(set));
	out_end(&o);
	expect(&o, SPAN("* ESEARCH (TAG \"a1\") ALL 1:3,5,7:8,4294967295\r\n"),
	    "a set: runs are ranges");

	start(&o);
	out_untagged(&o);
	out_open(&o);
	out_open(&o);
	out_nil(&o);
	out_close(&o);
	out_tight(&o);
	out_open(&o);
	out_nil(&o);
	out_close(&o);
	out_made(&o, SPAN("(NIL \"x\")"));
	out_close(&o);
	out_end(&o);
	expect(&o, SPAN("* ((NIL)(NIL) (NIL \"x\"))\r\n"),
	    "lists side by side; what was made before");
}

static void
test_status(void)
{
	struct imap_out o;

	start(&o);
	out_status(&o, SPAN("a1"), OUT_NO, "TRYCREATE", "no such folder");
	out_status(&o, SPAN_NONE, OUT_BYE, NULL, "");
	out_status(&o, SPAN_NONE, OUT_OK, NULL, "[x]\r\na\x80\xc3\xa4");
	out_status(&o, SPAN_NONE, OUT_BAD, "A ]\r\n* OK [B", "c");
	out_status(&o, SPAN_NONE, OUT_PREAUTH, "", "c");
	o.utf8 = true;
	g_utf8 = true;
	out_status(&o, SPAN_NONE, OUT_OK, NULL, "a\x80\xc3\xa4");
	expect(&o,
	    SPAN("a1 NO [TRYCREATE] no such folder\r\n"
		 "* BYE -\r\n"
		 "* OK ?[x]??a??\r\n"
		 "* BAD [A ???* OK ?B] c\r\n"
		 "* PREAUTH [-] c\r\n"
		 "* OK a?\xc3\xa4\r\n"),
	    "status responses are safe");
	g_utf8 = false;

	start(&o);
	out_status_begin(&o, SPAN("t"), OUT_OK);
	out_code_open(&o, "APPENDUID");
	out_num(&o, 1);
	out_num(&o, 2);
	out_code_close(&o);
	out_status_end(&o, "done");
	out_status_begin(&o, SPAN_NONE, OUT_OK);
	out_code_open(&o, "PERMANENTFLAGS");
	out_open(&o);
	out_atom(&o, "\\Deleted");
	out_atom(&o, "\\*");
	out_close(&o);
	out_code_close(&o);
	out_status_end(&o, "limited");
	out_status_begin(&o, SPAN_NONE, OUT_OK);
	out_status_end(&o, "no code");
	expect(&o,
	    SPAN("t OK [APPENDUID 1 2] done\r\n"
		 "* OK [PERMANENTFLAGS (\\Deleted \\*)] limited\r\n"
		 "* OK no code\r\n"),
	    "codes with data");

	start(&o);
	out_continue(&o, "");
	out_continue(&o, "Zm8=");
	out_continue(&o, "go\r\non");
	expect(&o, SPAN("+ \r\n+ Zm8=\r\n+ go??on\r\n"), "continuations");
}

static const struct string_case {
	const char *name;
	struct span in;
	const char *string, *astring;
} strings[] = {
	{ "an atom", SPAN("INBOX"), "\"INBOX\"", "INBOX" },
	{ "empty", SPAN(""), "\"\"", "\"\"" },
	{ "NIL is not nothing", SPAN("nil"), "\"nil\"", "\"nil\"" },
	{ "a blank", SPAN("a b"), "\"a b\"", "\"a b\"" },
	{ "quotes", SPAN("\"\\"), "\"\\\"\\\\\"", "\"\\\"\\\\\"" },
	{ "a quote inside", SPAN("a\"b"), "\"a\\\"b\"", "\"a\\\"b\"" },
	{ "a tab", SPAN("a\tb"), "\"a\tb\"", "\"a\tb\"" },
	{ "CR", SPAN("a\rb"), "{3}\r\na\rb", "{3}\r\na\rb" },
	{ "LF", SPAN("a\nb"), "{3}\r\na\nb", "{3}\r\na\nb" },
	{ "NUL", SPAN("a\0b"),
	    "{3}\r\na\x80"
	    "b",
	    "{3}\r\na\x80"
	    "b" },
	{ "8-bit", SPAN("\xe4"), "{1}\r\n\xe4", "{1}\r\n\xe4" },
	{ "UTF-8", SPAN("\xc3\xa4"), "{2}\r\n\xc3\xa4", "{2}\r\n\xc3\xa4" },
	{ "wildcards", SPAN("a%"), "\"a%\"", "\"a%\"" },
	{ "a list", SPAN("(a)"), "\"(a)\"", "\"(a)\"" },
	{ "a literal's head", SPAN("{3}"), "\"{3}\"", "\"{3}\"" },
	{ "a bracket", SPAN("a]"), "\"a]\"", "\"a]\"" },
};

static void
test_strings(void)
{
	const struct string_case *c;
	struct imap_out o;
	struct buf want, got;
	struct span in;

	buf_init(&want, 1000);
	buf_init(&got, 1000);
	for (c = strings; c < strings + nitems(strings); c++) {
		buf_clear(&want);
		buf_clear(&got);
		buf_fmt(&want, "* %s %s\r\n", c->string, c->astring);
		start(&o);
		out_untagged(&o);
		out_string(&o, c->in);
		out_astring(&o, c->in);
		out_end(&o);
		expect(&o, buf_get(&want), c->name);
		in = span_slice(buf_get(&said), 2, SIZE_MAX);
		ok(g_string(&in, &got) &&
			(span_has(c->in, '\0') ||
			    span_eq(buf_get(&got), c->in)),
		    "and back");
	}
	start(&o);
	o.utf8 = g_utf8 = true;
	out_untagged(&o);
	out_string(&o, SPAN("\xc3\xa4"));
	out_string(&o, SPAN("\xc3"));
	out_nstring(&o, SPAN("a"), false);
	out_nstring(&o, SPAN("a"), true);
	out_end(&o);
	expect(&o, SPAN("* \"\xc3\xa4\" {1}\r\n\xc3 \"a\" NIL\r\n"),
	    "UTF-8 is quoted for those who want it");
	g_utf8 = false;
	buf_fini(&want);
	buf_fini(&got);
}

static void
test_dates(void)
{
	struct imap_out o;

	start(&o);
	out_untagged(&o);
	out_date_time(&o, 0);
	out_date_time(&o, 1795250220);
	out_date_time(&o, INT64_MIN);
	out_date_time(&o, INT64_MAX);
	out_end(&o);
	expect(&o,
	    SPAN("* \" 1-Jan-1970 00:00:00 +0000\" "
		 "\"21-Nov-2026 08:37:00 +0000\" "
		 "\" 1-Jan-0001 00:00:00 +0000\" "
		 "\"31-Dec-9999 23:59:59 +0000\"\r\n"),
	    "date-time");
}

static void
test_large(void)
{
	static char big[3 << 20];
	struct imap_out o;
	struct span in;
	uint32_t set[20000];
	size_t i;

	memset(big, 'x', sizeof(big));
	start(&o);
	out_untagged(&o);
	out_literal(&o, sizeof(big));
	out_literal_bytes(&o, span_of(big, 100));
	out_literal_bytes(&o, span_of(big, sizeof(big) - 100));
	ok(pieces == 2 && said.n == sizeof(big) + 13,
	    "large pieces go out at once, uncopied");
	out_string(&o, span_of(big, 1024));
	out_string(&o, span_of(big, 1025));
	for (i = 0; i < nitems(set); i++)
		set[i] = (uint32_t)(2 * i + 1);
	out_set(&o, set, nitems(set));
	out_end(&o);
	ok(out_flush(&o) == 0 && o.b->p == NULL, "no memory stays");
	in = buf_get(&said);
	ok(g_response(&in) && in.n == 0, "all of it is grammatical");
	out_fini(&o);

	start(&o);
	refuse_after = 1;
	out_untagged(&o);
	out_literal(&o, sizeof(big));
	out_literal_bytes(&o, span_of(big, sizeof(big)));
	out_end(&o);
	out_untagged(&o);
	out_end(&o);
	ok(out_flush(&o) == -1 && pieces == 2, "who is gone is told nothing");
	out_fini(&o);
	refuse_after = SIZE_MAX;
}

int
main(void)
{
	buf_init(&said, 16 << 20);
	test_shapes();
	test_status();
	test_strings();
	test_dates();
	test_large();
	buf_fini(&said);
	return done();
}
