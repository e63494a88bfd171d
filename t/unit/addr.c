/*
 * addr: what is an address, and its one text. The names of the cases are the
 * specification.
 */
#include "lib/addr.h"

#include <string.h>

#include "lib/limits.h"
#include "t/unit/tap.h"

#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NULLOK ADDR_NULL_OK
#define POST ADDR_POSTMASTER_OK
#define NODOM ADDR_NODOMAIN_OK

static const struct addr_case {
	const char *name;
	unsigned flags;
	const char *in;
	const char *text; /* NULL: refused */
	const char *rest;
} cases[] = {
	/* Plain forms */
	{ "a path", 0, "<ann@x.org>", "ann@x.org", "" },
	{ "parameters are left", 0, "<ann@x.org>  SIZE=1 A", "ann@x.org",
	    "SIZE=1 A" },
	{ "blanks before it", 0, " \t<ann@x.org>", "ann@x.org", "" },
	{ "without brackets", 0, "ann@x.org SIZE=1", "ann@x.org", "SIZE=1" },
	{ "the domain becomes lower case", 0, "<Ann@X.ORG>", "Ann@x.org", "" },
	{ "all of atext", 0, "<!#$%&'*+-/=?^_`{|}~a0Z@x>",
	    "!#$%&'*+-/=?^_`{|}~a0Z@x", "" },
	{ "dots between atoms", 0, "<a.b.c@x>", "a.b.c@x", "" },
	{ "a name of one label", 0, "<ann@localhost>", "ann@localhost", "" },
	{ "hyphens inside labels", 0, "<a@x--y-1.z>", "a@x--y-1.z", "" },
	{ "digits first in a label", 0, "<a@1x.2.org>", "a@1x.2.org", "" },

	/* The null path */
	{ "<> where it may be", NULLOK, "<> SIZE=1", "", "SIZE=1" },
	{ "<> where it may not", 0, "<>", NULL, NULL },
	{ "<> hides nothing", 0, "<>ann@x.org>", NULL, NULL },
	{ "<> hides nothing, even where it may be", NULLOK, "<>ann@x.org>",
	    NULL, NULL },
	{ "nothing is not the null path", NULLOK, "", NULL, NULL },
	{ "blanks are not the null path", NULLOK, "  ", NULL, NULL },

	/* Without a domain */
	{ "postmaster", POST, "<PostMaster>", "postmaster", "" },
	{ "quoted postmaster", POST, "<\"postmaster\">", "postmaster", "" },
	{ "postmaster where it may not be", 0, "<postmaster>", NULL, NULL },
	{ "only postmaster", POST, "<ann>", NULL, NULL },
	{ "a bare local part", NODOM, "Ann", "Ann", "" },
	{ "a bare quoted one with an @", NODOM, "\"a@b\"", "\"a@b\"", "" },
	{ "a bare local part where it may not be", 0, "ann", NULL, NULL },
	{ "an @ wants a domain", NODOM, "ann@", NULL, NULL },

	/* Source routes: RFC 5321 App. C */
	{ "a source route is dropped", 0, "<@r.org:ann@x.org>", "ann@x.org",
	    "" },
	{ "a long one, too", 0, "<@r.org,@s.org:ann@x.org>", "ann@x.org", "" },
	{ "a route to nowhere", 0, "<@r.org:>", NULL, NULL },
	{ "a route to nowhere is not null", NULLOK, "<@r.org:>", NULL, NULL },
	{ "a route without colon", 0, "<@r.org ann@x.org>", NULL, NULL },
	{ "a route of bad names", 0, "<@-r.org:ann@x.org>", NULL, NULL },
	{ "a route with an empty hop", 0, "<@r.org,:ann@x.org>", NULL, NULL },
	{ "a route needs brackets", 0, "@r.org:ann@x.org", NULL, NULL },

	/* Quoted local parts have one text */
	{ "needless quotes go", 0, "<\"ann\"@x>", "ann@x", "" },
	{ "needless backslashes go", 0, "<\"\\a\\n\\n\"@x>", "ann@x", "" },
	{ "needed quotes stay", 0, "<\"a b\"@x>", "\"a b\"@x", "" },
	{ "the fewest backslashes", 0, "<\"\\a\\ \\\"\\\\\"@x>",
	    "\"a \\\"\\\\\"@x", "" },
	{ "an @ inside quotes is a byte", 0, "<\"a@b\"@x>", "\"a@b\"@x", "" },
	{ "a > inside quotes is a byte", 0, "<\"a>b\"@x>", "\"a>b\"@x", "" },
	{ "dots at the ends need quotes", 0, "<\".a\"@x>", "\".a\"@x", "" },
	{ "two dots need quotes", 0, "<\"a..b\"@x>", "\"a..b\"@x", "" },
	{ "an empty quoted string", 0, "<\"\"@x>", "\"\"@x", "" },
	{ "quotes need an end", 0, "<\"ann@x>", NULL, NULL },
	{ "a backslash needs a byte", 0, "<\"ann\\", NULL, NULL },
	{ "a backslash hides no control", 0, "<\"a\\\001\"@x>", NULL, NULL },
	{ "nothing after the quotes", 0, "<\"a\"b@x>", NULL, NULL },
	{ "no dot after the quotes", 0, "<\"a\".b@x>", NULL, NULL },
	{ "no quotes after an atom", 0, "<a\"b\"@x>", NULL, NULL },

	/* Nothing in a local part means anything */
	{ "the percent hack is a name", 0, "<a%b.org@x>", "a%b.org@x", "" },
	{ "a bang path is a name", 0, "<b!a@x>", "b!a@x", "" },
	{ "a pipe is a name", 0, "<|/bin/sh@x>", "|/bin/sh@x", "" },
	{ "two @", 0, "<a@b@x>", NULL, NULL },
	{ "an include", 0, "<:include:/x@x>", NULL, NULL },

	/* What is no local part */
	{ "an empty local part", 0, "<@x>", NULL, NULL },
	{ "a dot first", 0, "<.a@x>", NULL, NULL },
	{ "a dot last", 0, "<a.@x>", NULL, NULL },
	{ "two dots", 0, "<a..b@x>", NULL, NULL },
	{ "a blank", 0, "<a b@x>", NULL, NULL },
	{ "a comment", 0, "<a(c)@x>", NULL, NULL },
	{ "a bare LF", 0, "<ann\n@x.org>", NULL, NULL },
	{ "a bare CR", 0, "<ann\r@x.org>", NULL, NULL },
	{ "DEL", 0, "<ann\177@x.org>", NULL, NULL },
	{ "LF in quotes", 0, "<\"a\nb\"@x>", NULL, NULL },
	{ "a tab in quotes", 0, "<\"a\tb\"@x>", NULL, NULL },

	/* What is no domain */
	{ "no domain", 0, "<a@>", NULL, NULL },
	{ "a dot at the end", 0, "<a@x.>", NULL, NULL },
	{ "a dot first in the domain", 0, "<a@.x>", NULL, NULL },
	{ "an empty label", 0, "<a@x..y>", NULL, NULL },
	{ "a hyphen first", 0, "<a@-x>", NULL, NULL },
	{ "a hyphen last", 0, "<a@x-.y>", NULL, NULL },
	{ "an underscore", 0, "<a@x_y>", NULL, NULL },
	{ "a slash", 0, "<a@x/y>", NULL, NULL },
	{ "LF in the domain", 0, "<a@x\n>", NULL, NULL },
	{ "an address without brackets", 0, "<a@192.0.2.1>", NULL, NULL },
	{ "a number", 0, "<a@2130706433>", NULL, NULL },

	/* Address literals: RFC 5321 4.1.3 */
	{ "IPv4", 0, "<a@[192.0.2.1]>", "a@[192.0.2.1]", "" },
	{ "IPv6 has one text", 0, "<a@[IPv6:2001:DB8:0:0::1]>",
	    "a@[ipv6:2001:db8::1]", "" },
	{ "IPv6 without its tag", 0, "<a@[::1]>", NULL, NULL },
	{ "an octet over 255", 0, "<a@[192.0.2.256]>", NULL, NULL },
	{ "three octets", 0, "<a@[192.0.2]>", NULL, NULL },
	{ "octal octets", 0, "<a@[192.0.2.010]>", NULL, NULL },
	{ "hexadecimal octets", 0, "<a@[0x7f.0.0.1]>", NULL, NULL },
	{ "a literal without end", 0, "<a@[192.0.2.1>", NULL, NULL },
	{ "an empty literal", 0, "<a@[]>", NULL, NULL },
	{ "a scope", 0, "<a@[IPv6:fe80::1%lo]>", NULL, NULL },
	{ "other tags", 0, "<a@[X-y:z]>", NULL, NULL },
	{ "a literal inside a name", 0, "<a@x.[192.0.2.1]>", NULL, NULL },
	{ "a literal and more", 0, "<a@[192.0.2.1].x>", NULL, NULL },

	/* The brackets */
	{ "no closing bracket", 0, "<a@x", NULL, NULL },
	{ "no opening bracket", 0, "a@x>", NULL, NULL },
	{ "two opening brackets", 0, "<<a@x>", NULL, NULL },
	{ "two closing brackets", 0, "<a@x>>", NULL, NULL },
	{ "text right after it", 0, "<a@x>SIZE=1", NULL, NULL },
	{ "a blank inside, first", 0, "< a@x>", NULL, NULL },
	{ "a blank inside, last", 0, "<a@x >", NULL, NULL },
	{ "a display name", 0, "Ann <a@x>", NULL, NULL },

	/* UTF-8: RFC 6531 */
	{ "UTF-8 where it may be", ADDR_UTF8, "<\303\244@\303\266.org>",
	    "\303\244@\303\266.org", "" },
	{ "UTF-8 in quotes", ADDR_UTF8, "<\"\303\244 b\"@x>",
	    "\"\303\244 b\"@x", "" },
	{ "UTF-8 where it may not be", 0, "<\303\244@x.org>", NULL, NULL },
	{ "UTF-8 in a domain where it may not be", 0, "<a@\303\244>", NULL,
	    NULL },
	{ "Latin-1", ADDR_UTF8, "<\344@x.org>", NULL, NULL },
	{ "overlong", ADDR_UTF8, "<a\300\257@x.org>", NULL, NULL },
	{ "a surrogate", ADDR_UTF8, "<a\355\240\200@x.org>", NULL, NULL },
	{ "a C1 control", ADDR_UTF8, "<a\302\205@x.org>", NULL, NULL },
	{ "a cut character", ADDR_UTF8, "<a\303", NULL, NULL },
	{ "a byte of ones", 0, "<a\377@x.org>", NULL, NULL },
	{ "a backslash before UTF-8", ADDR_UTF8, "<\"\\\303\244\"@x>", NULL,
	    NULL },

	/* Limits, a byte either side: RFC 5321 4.5.3.1 */
	{ "a local part of 64", 0, "<a" A63 "@x>", "a" A63 "@x", "" },
	{ "a local part of 65", 0, "<aa" A63 "@x>", NULL, NULL },
	{ "a label of 63", 0, "<a@" A63 ">", "a@" A63, "" },
	{ "a label of 64", 0, "<a@a" A63 ">", NULL, NULL },
};

static void
test_parse(void)
{
	const struct addr_case *c;
	struct span in, before;
	struct buf out;
	struct addr a;
	bool good;
	int rc;

	buf_init(&out, SMTP_PATH_MAX);
	for (c = cases; c < cases + nitems(cases); c++) {
		before = in = span_str(c->in);
		rc = addr_parse(&in, c->flags, &out, &a);
		if (c->text == NULL)
			good = rc == -1 && in.p == before.p && in.n == before.n;
		else
			good = rc == 0 && span_eq(a.text, span_str(c->text)) &&
			    span_eq(in, span_str(c->rest));
		if (!ok(good, c->name))
			printf("# rc %d\n", rc);
	}
	buf_fini(&out);
}

static void
test_nul(void)
{
	static const struct span with_nul[] = {
		{ "<ann\0@x.org>", 12 }, { "<ann@x.org\0>", 12 },
		{ "<\"a\0b\"@x>", 9 }, { "<\"a\\\0b\"@x>", 10 },
		{ "<ann@[192.0.2.1\0]>", 18 }, { "ann@x.org\0", 10 },
		{ "<ann@x.org>\0", 12 },
	};
	struct span in;
	struct buf out;
	struct addr a;
	size_t i;

	buf_init(&out, SMTP_PATH_MAX);
	for (i = 0; i < nitems(with_nul); i++) {
		in = with_nul[i];
		ok(addr_parse(&in, ADDR_UTF8, &out, &a) == -1, "NUL anywhere");
	}
	buf_fini(&out);
}

/* A path of exactly n bytes, brackets included. */
static int
parse_length(size_t n)
{
	struct buf wire, out;
	struct span in;
	struct addr a;
	int rc;

	buf_init(&wire, 1000);
	buf_init(&out, SMTP_PATH_MAX);
	buf_str(&wire, "<" A63 "@" A63 "." A63 "."); /* 193 */
	while (wire.n < n - 1)
		buf_char(&wire, wire.n == 250 ? '.' : 'b');
	buf_char(&wire, '>');
	in = buf_get(&wire);
	rc = addr_parse(&in, 0, &out, &a);
	buf_fini(&wire);
	buf_fini(&out);
	return rc;
}

static void
test_parts(void)
{
	struct span in = SPAN("<\"a@b\"@[192.0.2.1]>");
	struct buf out;
	struct addr a;

	buf_init(&out, SMTP_PATH_MAX);
	ok(addr_parse(&in, 0, &out, &a) == 0, "quotes and a literal");
	ok(a.quoted && a.literal, "are said to be so");
	ok(span_eq(a.local, SPAN("\"a@b\"")), "the local part has its quotes");
	ok(span_eq(a.domain, SPAN("[192.0.2.1]")), "the domain its brackets");
	addr_split(SPAN("ann@x.org"), &a);
	ok(span_eq(a.local, SPAN("ann")) && span_eq(a.domain, SPAN("x.org")) &&
	        !a.quoted && !a.literal, "split");
	addr_split(SPAN("\"a@b\""), &a);
	ok(span_eq(a.local, SPAN("\"a@b\"")) && a.domain.n == 0,
	    "split without domain");
	addr_split(SPAN_NONE, &a);
	ok(a.text.n == 0 && a.local.n == 0 && a.domain.n == 0, "split of <>");
	ok(parse_length(SMTP_PATH_MAX) == 0, "a path of 256");
	ok(parse_length(SMTP_PATH_MAX + 1) == -1, "a path of 257");
	ok(addr_domain_ok(SPAN("Mx.Example.org")), "a domain in any case");
	ok(!addr_domain_ok(SPAN_NONE) && !addr_domain_ok(SPAN(".")) &&
	        !addr_domain_ok(SPAN("[192.0.2.1]")) &&
	        !addr_domain_ok(SPAN("x.org ")), "no domains");
	ok(addr_literal_ok(SPAN("[IPv6:::1]")) &&
	        !addr_literal_ok(SPAN("192.0.2.1")) &&
	        !addr_literal_ok(SPAN("[")) && !addr_literal_ok(SPAN_NONE),
	    "literals");
	buf_fini(&out);
}

int
main(void)
{
	test_parse();
	test_nul();
	test_parts();
	return done();
}
