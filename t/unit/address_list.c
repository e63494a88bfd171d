/* address_list: as an ENVELOPE has them; "name|route|mailbox|domain". */
#include "lib/address_list.h"

#include "t/unit/tap.h"

static const struct list_case {
	const char *in, *out;
} cases[] = {
	{ "", "" },
	{ " , ,, ", "" },
	{ "a@x.org", "||a|x.org;" },
	{ "<a@x.org>", "||a|x.org;" },
	{ "Ann B. Cee <a@x.org>", "Ann B. Cee||a|x.org;" },
	{ "\"Ann \\\"B\\\"\" <a@x.org>", "Ann \"B\"||a|x.org;" },
	{ "a@x.org (Ann (B) \\))", "Ann (B) )||a|x.org;" },
	{ "(Ann) a@x.org", "Ann||a|x.org;" },
	{ "Bea <a@x.org> (Ann)", "Bea||a|x.org;" },
	{ "a@x.org,b@x.org", "||a|x.org;||b|x.org;" },
	{ "a . b @ x . org", "||a.b|x.org;" },
	{ "a(c).b@x(d).org(e)", "e||a.b|x.org;" },
	{ "\"a b\"@x.org", "||a b|x.org;" },
	{ "\"a\".b@x.org", "||a.b|x.org;" },
	{ "\"\"@x.org", "|||x.org;" },
	{ "a@[192.0.2.1]", "||a|[192.0.2.1];" },
	{ "<@r.org,@s.org:a@x.org>", "|@r.org,@s.org|a|x.org;" },
	{ "A: b@x.org, C <d@x.org>;, e@x.org",
	    "[A]||b|x.org;C||d|x.org;[]||e|x.org;" },
	{ "undisclosed-recipients:;", "[undisclosed-recipients][]" },
	{ "\"A b\" c: ;", "[A b c][]" },
	{ "A: b@x.org", "[A]||b|x.org;[]" },
	{ "=?utf-8?q?a?= b <c@x.org>", "=?utf-8?q?a?= b||c|x.org;" },
	{ "a", "||a|;" },
	{ "Foo Bar", "||Foo Bar|;" },
	{ "<a>", "||a|;" },
	{ "Foo <>", "Foo|||;" },
	{ "a@", "||a|;" },
	{ "@x.org", "|||x.org;" },
	{ "Ann a@x.org", "Ann||a|x.org;" },
	{ "a@b@c", "||a|b;" },
	{ "<a@x.org", "||a|x.org;" },
	{ "<a@x.org, b@x.org", "||a|x.org;||b|x.org;" },
	{ "\"unclosed <a@x.org>", "||unclosed <a@x.org>|;" },
	{ "(unclosed a@x.org", "" },
	{ "a@x.org; b@x.org", "||a|x.org;||b|x.org;" },
	{ "a@x.org junk \"a,b\", b@x.org", "||a|x.org;||b|x.org;" },
	{ "Ann\r\n <a@x\r\n\t.org>", "Ann||a|x.org;" },
	{ "J\xf6 <a@x.org>", "J\xf6||a|x.org;" },
	{ "\"\\", "||\\|;" },
	{ "a@[1.2", "||a|[1.2;" },
};

static void
write_all(struct span in, struct buf *b)
{
	struct address_list l;
	struct address a;

	buf_clear(b);
	address_list_init(&l, in);
	while (address_list_next(&l, &a)) {
		if (a.kind != ADDRESS_MAILBOX) {
			buf_char(b, '[');
			buf_span(b, a.mailbox);
			buf_char(b, ']');
			continue;
		}
		buf_span(b, a.name);
		buf_char(b, '|');
		buf_span(b, a.route);
		buf_char(b, '|');
		buf_span(b, a.mailbox);
		buf_char(b, '|');
		buf_span(b, a.domain);
		buf_char(b, ';');
	}
	address_list_fini(&l);
}

int
main(void)
{
	const struct list_case *c;
	struct buf b;

	buf_init(&b, 10000);
	for (c = cases; c < cases + nitems(cases); c++) {
		write_all(span_str(c->in), &b);
		if (!ok(span_eq(buf_get(&b), span_str(c->out)), c->in))
			printf("# %.*s\n", SPAN_FMT(buf_get(&b)));
	}
	write_all(SPAN("a\0b <c\0@x>"), &b);
	ok(span_eq(buf_get(&b), SPAN("a\0b||c\0|x;")), "NUL is a byte");
	buf_fini(&b);
	return done();
}
