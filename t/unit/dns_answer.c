/* dns_answer: answers of name servers, honest and otherwise. */
#include "lib/dns_answer.h"

#include <string.h>

#include "lib/ipc_dns.h"
#include "t/unit/tap.h"

static struct buf msg, mem, text;
static struct ipc_dns_is is;

/* --- a message, piece by piece */

static void
put_name(const char *name)
{
	struct span rest = span_str(name), label;

	while (rest.n > 0) {
		label = span_cut(&rest, '.');
		put_u8(&msg, (uint8_t)label.n);
		buf_span(&msg, label);
	}
	put_u8(&msg, 0);
}

static void
begin(unsigned flags, const char *name, uint16_t type)
{
	buf_clear(&msg);
	put_u16(&msg, 7);
	put_u16(&msg, (uint16_t)(0x8180 | flags));
	put_u16(&msg, 1);
	for (int i = 0; i < 3; i++)
		put_u16(&msg, 0);
	put_name(name);
	put_u16(&msg, type);
	put_u16(&msg, 1);
}

static void
count(unsigned section) /* 1 answer, 2 authority */
{
	msg.p[5 + 2 * section]++;
	if (msg.p[5 + 2 * section] == 0)
		msg.p[4 + 2 * section]++;
}

static void
record(const char *owner, uint16_t type, uint32_t ttl, struct span data)
{
	count(1);
	put_name(owner);
	put_u16(&msg, type);
	put_u16(&msg, 1);
	put_u32(&msg, ttl);
	put_u16(&msg, (uint16_t)data.n);
	buf_span(&msg, data);
}

static void
soa(uint32_t ttl, uint32_t least)
{
	struct buf b;

	count(2);
	put_name("example.org");
	put_u16(&msg, 6);
	put_u16(&msg, 1);
	put_u32(&msg, ttl);
	put_u16(&msg, 22);
	buf_init(&b, 100);
	buf_bytes(&b, "\0\0", 2);
	for (int i = 0; i < 4; i++)
		put_u32(&b, 9);
	put_u32(&b, least);
	buf_span(&msg, buf_get(&b));
	buf_fini(&b);
}

#define WIRE(lit) SPAN(lit "\0")
static const struct span mail = WIRE("\4MAIL\7example\3org");

static void
parse(const char *name, uint16_t type)
{
	dns_answer_parse(buf_get(&msg), type, span_str(name), &mem, &is);
}

static bool
data_is(size_t i, const char *want)
{
	return i < is.n && span_eq(is.record[i].data, span_str(want));
}

static bool
later(const char *why)
{
	return is.status == DNS_TEMP && is.n == 0 && is.ttl == 0 &&
	    span_eq(is.why, span_str(why));
}

static void
mx(uint16_t pref, struct span host)
{
	struct buf b;

	buf_init(&b, 300);
	put_u16(&b, pref);
	buf_span(&b, host);
	record("example.org", DNS_MX, 300, buf_get(&b));
	buf_fini(&b);
}

/* --- what is asked */

static const struct question_case {
	const char *what;
	uint32_t type;
	const char *name, *asked; /* NULL: cannot be */
} questions[] = {
	{ "a name is asked in lower case", DNS_MX, "Example.ORG",
	    "example.org" },
	{ "an underscore is fine", DNS_TLSA, "_25._tcp.mx.example.org",
	    "_25._tcp.mx.example.org" },
	{ "an IPv4 address is turned round", DNS_PTR, "192.0.2.1",
	    "1.2.0.192.in-addr.arpa" },
	{ "an IPv6 address is turned round", DNS_PTR, "2001:db8::1",
	    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
	    ".ip6.arpa" },
	{ "a name is no address", DNS_PTR, "example.org", NULL },
	{ "no final dot", DNS_A, "example.org.", NULL },
	{ "no empty label", DNS_A, "example..org", NULL },
	{ "not the root", DNS_A, "", NULL },
	{ "no blank", DNS_A, "exam ple.org", NULL },
	{ "no slash", DNS_A, "0/25.example.org", NULL },
	{ "no UTF-8", DNS_A, "ex\303\244mple.org", NULL },
	{ "a label of 63", DNS_A,
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.org",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    ".org" },
	{ "none of 64", DNS_A,
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    ".org", NULL },
	{ "no other types", 255, "example.org", NULL },
};

static void
test_questions(void)
{
	struct ipc_dns q;

	for (size_t i = 0; i < nitems(questions); i++) {
		q.type = questions[i].type;
		q.name = span_str(questions[i].name);
		buf_clear(&text);
		if (dns_answer_question(&q, &text) == -1)
			ok(questions[i].asked == NULL, questions[i].what);
		else
			ok(questions[i].asked != NULL &&
			        span_eq(buf_get(&text),
			            span_str(questions[i].asked)),
			    questions[i].what);
	}
}

static void
test_long_names(void)
{
	struct ipc_dns q = { DNS_A, SPAN_NONE };
	struct buf name;

	buf_init(&name, 300);
	for (int i = 0; i < 126; i++)
		buf_str(&name, "a.");
	buf_str(&name, "b");
	q.name = buf_get(&name);
	buf_clear(&text);
	ok(q.name.n == DNS_NAME_MAX && dns_answer_question(&q, &text) == 0,
	    "a name of 253 bytes");
	begin(0, buf_cstr(&name), DNS_A);
	record(buf_cstr(&name), DNS_A, 60, SPAN("\xc0\0\2\1"));
	parse(buf_cstr(&name), DNS_A);
	ok(is.status == DNS_OK && is.canonical.n == DNS_NAME_MAX,
	    "its answer");
	buf_str(&name, "b");
	q.name = buf_get(&name);
	ok(dns_answer_question(&q, &text) == -1, "none of 254");
	buf_fini(&name);
}

/* --- what is answered */

static void
test_types(void)
{
	begin(0, "example.org", DNS_A);
	record("example.org", DNS_A, 60, SPAN("\xc0\0\2\1"));
	record("other.org", DNS_A, 10, SPAN("\xc0\0\2\2"));
	record("EXAMPLE.org", DNS_A, 50, SPAN("\xc0\0\2\3"));
	record("example.org", DNS_A, 40, SPAN("\xc0\0\2"));
	record("example.org", DNS_TXT, 30, SPAN("\1x"));
	parse("example.org", DNS_A);
	ok(is.status == DNS_OK && is.n == 2 && is.ttl == 50,
	    "addresses: those of the name, of the right length");
	ok(span_eq(is.record[1].data, SPAN("\xc0\0\2\3")), "their bytes");
	ok(span_eq(is.canonical, SPAN("example.org")), "the canonical name");

	begin(0, "example.org", DNS_MX);
	mx(20, mail);
	mx(10, WIRE("\1b"));
	mx(0, SPAN("\1b"));                    /* not ended */
	mx(0, SPAN("\1b\0x"));                 /* and more */
	mx(0, WIRE("\3a b\3org"));             /* no host's name */
	mx(0, SPAN("\3a\0b\3org\0"));
	mx(0, SPAN("\3a.b\3org\0"));
	parse("example.org", DNS_MX);
	ok(is.status == DNS_OK && is.n == 2 && is.record[0].pref == 10 &&
	        data_is(0, "b") && data_is(1, "mail.example.org"),
	    "MX: the best first, in lower case; nonsense is left out");

	begin(0, "example.org", DNS_MX);
	mx(0, SPAN("\0"));
	parse("example.org", DNS_MX);
	ok(is.status == DNS_OK && is.n == 1 && data_is(0, ""), "null MX");

	begin(0, "example.org", DNS_MX);
	mx(0, WIRE("\3a b\3org"));
	parse("example.org", DNS_MX);
	ok(later("no usable record in the answer"),
	    "nothing but nonsense is not nothing");

	begin(0, "example.org", DNS_TXT);
	record("example.org", DNS_TXT, 60, SPAN("\3v=s\0\3pf1"));
	record("example.org", DNS_TXT, 60, SPAN("\3a\nb"));
	record("example.org", DNS_TXT, 60, SPAN("\4abc"));
	parse("example.org", DNS_TXT);
	ok(is.n == 1 && data_is(0, "v=spf1"),
	    "TXT: strings are joined; controls, cut ones are left out");

	begin(0, "_25._tcp.example.org", DNS_TLSA);
	record("_25._tcp.example.org", DNS_TLSA, 60, SPAN("\3\1\1hash"));
	record("_25._tcp.example.org", DNS_TLSA, 60, SPAN("\3\1"));
	parse("_25._tcp.example.org", DNS_TLSA);
	ok(is.n == 1 && is.record[0].usage == 3 && is.record[0].selector == 1 &&
	        is.record[0].matching == 1 && data_is(0, "hash"), "TLSA");

	begin(0, "1.2.0.192.in-addr.arpa", DNS_PTR);
	record("1.2.0.192.in-addr.arpa", DNS_CNAME, 60,
	    WIRE("\1""1\4""0/25\1""2\1""0\3""192\7in-addr\4arpa"));
	record("1.0/25.2.0.192.in-addr.arpa", DNS_PTR, 60, mail);
	parse("1.2.0.192.in-addr.arpa", DNS_PTR);
	ok(data_is(0, "mail.example.org"), "PTR, by way of RFC 2317");
}

static void
test_chains(void)
{
	begin(0, "www.example.org", DNS_A);
	record("mail.example.org", DNS_A, 60, SPAN("\xc0\0\2\1"));
	record("www.example.org", DNS_CNAME, 5, mail);
	parse("www.example.org", DNS_A);
	ok(is.status == DNS_OK && is.n == 1 && is.ttl == 5 &&
	        span_eq(is.canonical, SPAN("mail.example.org")),
	    "a CNAME is followed, in any order; the shortest TTL counts");
	parse("www.example.org", DNS_CNAME);
	ok(later("malformed answer"), "the answer to another type");

	begin(3, "www.example.org", DNS_A);
	record("www.example.org", DNS_CNAME, 500, mail);
	soa(100, 200);
	parse("www.example.org", DNS_A);
	ok(is.status == DNS_NXDOMAIN && is.n == 0 && is.ttl == 100 &&
	        span_eq(is.canonical, SPAN("mail.example.org")),
	    "a CNAME to nowhere");

	begin(0, "www.example.org", DNS_CNAME);
	record("www.example.org", DNS_CNAME, 500, mail);
	parse("www.example.org", DNS_CNAME);
	ok(data_is(0, "mail.example.org"), "a CNAME that is asked for");

	begin(0, "mail.example.org", DNS_A);
	record("mail.example.org", DNS_CNAME, 500, mail);
	parse("mail.example.org", DNS_A);
	ok(later("too many CNAMEs"), "a CNAME to itself");

	begin(0, "www.example.org", DNS_A);
	record("www.example.org", DNS_CNAME, 500, WIRE("\4a\"rm"));
	record("a\"rm", DNS_A, 60, SPAN("\xc0\0\2\1"));
	parse("www.example.org", DNS_A);
	ok(later("an alias for a name that no host can have"),
	    "a CNAME to a strange name");
}

static void
test_nothing(void)
{
	begin(3, "example.org", DNS_MX);
	soa(3600, 60);
	parse("example.org", DNS_MX);
	ok(is.status == DNS_NXDOMAIN && is.ttl == 60, "no such name");
	begin(0, "example.org", DNS_MX);
	soa(30, 60);
	parse("example.org", DNS_MX);
	ok(is.status == DNS_NODATA && is.ttl == 30, "no such record");
	begin(0, "example.org", DNS_MX);
	parse("example.org", DNS_MX);
	ok(is.status == DNS_NODATA && is.ttl == 0, "and no reason to keep it");
	begin(2, "example.org", DNS_MX);
	parse("example.org", DNS_MX);
	ok(later("no name server gives a usable answer (SERVFAIL)"), "a server that failed");
	begin(5, "example.org", DNS_MX);
	parse("example.org", DNS_MX);
	ok(later("REFUSED by the name server"), "one that refuses");
	begin(11, "example.org", DNS_MX);
	parse("example.org", DNS_MX);
	ok(later("an error from the name server"), "one with a new idea");
	begin(0x200, "example.org", DNS_MX);
	mx(10, mail);
	parse("example.org", DNS_MX);
	ok(later("truncated answer"), "half an answer is none");
	begin(3, "example.org", DNS_MX);
	mx(10, mail);
	parse("example.org", DNS_MX);
	ok(later("records of a name that does not exist"), "contradiction");
}

static void
test_many(void)
{
	char host[] = "\4m000\7example\3org";
	bool sorted = true;

	begin(0, "example.org", DNS_MX);
	for (unsigned i = 0; i < 300; i++) {
		host[2] = (char)('0' + i / 100);
		host[3] = (char)('0' + i / 10 % 10);
		host[4] = (char)('0' + i % 10);
		mx((uint16_t)(300 - i), span_of(host, sizeof(host)));
	}
	parse("example.org", DNS_MX);
	for (size_t i = 0; i < is.n; i++)
		sorted &= is.record[i].pref == i + 1;
	ok(is.status == DNS_OK && is.n == DNS_RECORDS_MAX && sorted,
	    "of 300 MX the best remain");
	ok(data_is(0, "m299.example.org"), "with their names");

	begin(0, "example.org", DNS_A);
	for (unsigned i = 0; i < 200; i++)
		record("example.org", DNS_A, 9, SPAN("\xc0\0\2\1"));
	parse("example.org", DNS_A);
	ok(is.n == DNS_RECORDS_MAX, "of 200 addresses as many as may be");
}

static void
test_long_text(void)
{
	struct buf b;

	buf_init(&b, 8192);
	for (int i = 0; i < 16; i++) {
		buf_char(&b, (char)255);
		for (int k = 0; k < 255; k++)
			buf_char(&b, 'x');
	}
	buf_str(&b, "\020xxxxxxxxxxxxxxxx");
	begin(0, "example.org", DNS_TXT);
	record("example.org", DNS_TXT, 60, buf_get(&b));
	parse("example.org", DNS_TXT);
	ok(is.n == 1 && is.record[0].data.n == DNS_DATA_MAX,
	    "a text of 4096 bytes");
	buf_str(&b, "\1x");
	begin(0, "example.org", DNS_TXT);
	record("example.org", DNS_TXT, 60, buf_get(&b));
	record("example.org", DNS_TXT, 60, SPAN("\1x"));
	parse("example.org", DNS_TXT);
	ok(is.n == 1 && data_is(0, "x"), "one more, and it is left out");
	buf_fini(&b);
}

static const struct raw_case {
	const char *what;
	struct span bytes; /* behind a question for x, A */
} raws[] = {
	{ "a pointer to itself", SPAN("\xc0\x13\0\1\0\1\0\0\0\1\0\4abcd") },
	{ "a pointer ahead", SPAN("\xc0\x20\0\1\0\1\0\0\0\1\0\4abcd") },
	{ "half a pointer", SPAN("\xc0") },
	{ "an unknown kind of label", SPAN("\x41""a\0\0\1\0\1\0\0\0\1\0\4abcd") },
	{ "data beyond the end", SPAN("\xc0\x0c\0\1\0\1\0\0\0\1\0\5abcd") },
	{ "no record at all", SPAN("") },
};

static void
test_malformed(void)
{
	struct buf copy;
	bool all = true;

	for (size_t i = 0; i < nitems(raws); i++) {
		begin(0, "x", DNS_A);
		count(1);
		buf_span(&msg, raws[i].bytes);
		parse("x", DNS_A);
		ok(later("malformed answer"), raws[i].what);
	}
	begin(0, "x", DNS_A);
	count(1);
	buf_span(&msg, SPAN("\xc0\x0c\0\1\0\1\0\0\0\1\0\4abcd"));
	parse("x", DNS_A);
	ok(data_is(0, "abcd"), "a pointer back");
	parse("y", DNS_A);
	ok(later("malformed answer"), "the answer to another question");
	msg.p[2] &= 0x7f;
	parse("x", DNS_A);
	ok(later("malformed answer"), "a question is no answer");
	msg.p[2] |= (char)0x80;
	buf_init(&copy, 100);
	buf_span(&copy, buf_get(&msg));
	for (size_t n = 0; n < copy.n; n++) {
		dns_answer_parse(
		    span_slice(buf_get(&copy), 0, n), DNS_A, SPAN("x"), &mem,
		    &is);
		all &= later("malformed answer");
	}
	ok(all, "cut anywhere");
	buf_fini(&copy);
}

int
main(void)
{
	buf_init(&msg, DNS_MESSAGE_MAX);
	buf_init(&mem, DNS_ANSWER_MEM);
	buf_init(&text, 1024);
	test_questions();
	test_long_names();
	test_types();
	test_chains();
	test_nothing();
	test_many();
	test_long_text();
	test_malformed();
	buf_fini(&msg);
	buf_fini(&mem);
	buf_fini(&text);
	return done();
}
