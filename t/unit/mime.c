/*
 * mime: letters, whole and broken, as trees: "type/subtype[body]", with the
 * parts of it in parentheses.
 */
#include "lib/mime.h"

#include "lib/mime_field.h"
#include "t/unit/tap.h"

#define MIXED(b) "Content-Type: multipart/mixed; boundary=" b "\n\n"

static const struct tree_case {
	const char *name, *in, *tree;
} trees[] = {
	{ "nothing", "", "text/plain[]" },
	{ "plain", "A: b\n\nhello\n", "text/plain[hello\n]" },
	{ "no header", "\nhello\n", "text/plain[hello\n]" },
	{ "no blank line", "A: b\nhello\n", "text/plain[hello\n]" },
	{ "a stray line", "From x\nContent-Type: text/html\n\nhello",
	    "text/html[hello]" },
	{ "two parts", MIXED("b") "pre\n--b\n\none\n--b\n\ntwo\n--b--\npost",
	    "multipart/mixed(text/plain[one] text/plain[two])" },
	{ "no end", MIXED("b") "--b\n\none\n",
	    "multipart/mixed(text/plain[one\n])" },
	{ "empty parts", MIXED("b") "--b\n--b\n\n--b\n\n\n--b--",
	    "multipart/mixed(text/plain[] text/plain[] text/plain[])" },
	{ "no part", MIXED("b") "text\n", "text/plain[text\n]" },
	{ "only an end", MIXED("b") "a\n--b--\nb\n",
	    "text/plain[a\n--b--\nb\n]" },
	{ "no boundary", "Content-Type: multipart/mixed\n\n--b\n",
	    "text/plain[--b\n]" },
	{ "a boundary of blanks", MIXED("\"  \"") "--  \n",
	    "text/plain[--  \n]" },
	{ "a boundary that ends with blanks",
	    MIXED("\"b \"") "--b \n\nx\n--b --\ny",
	    "multipart/mixed(text/plain[x])" },
	{ "blanks after a delimiter", MIXED("b") "--b \t\n\nx\n--b-- \ny",
	    "multipart/mixed(text/plain[x])" },
	{ "the outer boundary is longer",
	    MIXED("bb") "--bb\n" MIXED(
		"b") "--b\n\nx\n--b--\n--bb\n\ny\n--bb--\n",
	    "multipart/mixed(multipart/mixed(text/plain[x]) text/plain[y])" },
	{ "the inner boundary is longer",
	    MIXED("b") "--b\n" MIXED(
		"bb") "--bb\n\nx\n--bb--\n--b\n\ny\n--b--\n",
	    "multipart/mixed(multipart/mixed(text/plain[x]) text/plain[y])" },
	{ "the outer ends the inner",
	    MIXED("a") "--a\n" MIXED("b") "--b\n\nx\n--a\n\ny\n--a--\n",
	    "multipart/mixed(multipart/mixed(text/plain[x]) text/plain[y])" },
	{ "a delimiter in a header", MIXED("b") "--b\nA: b\n--b\n\nx\n--b--",
	    "multipart/mixed(text/plain[] text/plain[x])" },
	{ "CR LF",
	    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
	    "--b\r\n\r\nx\r\n--b--\r\n",
	    "multipart/mixed(text/plain[x])" },
	{ "a letter in a letter",
	    "Content-Type: message/rfc822\n\n"
	    "Content-Type: text/html\n\nx",
	    "message/rfc822(text/html[x])" },
	{ "an empty letter",
	    MIXED("b") "--b\nContent-Type: message/rfc822\n"
		       "--b--",
	    "multipart/mixed(message/rfc822(text/plain[]))" },
	{ "a digest",
	    "Content-Type: multipart/digest; boundary=b\n\n"
	    "--b\n\nA: b\n\nx\n--b\nContent-Type: text/plain\n\ny\n--b--\n",
	    "multipart/digest(message/rfc822(text/plain[x]) text/plain[y])" },
	{ "a type alone", "Content-Type: text\n\nx", "text/plain[x]" },
	{ "another type alone", "Content-Type: image\n\nx",
	    "application/octet-stream[x]" },
	{ "a type that is none", "Content-Type: /x\n\nx", "text/plain[x]" },
	{ "comments", "Content-Type: (a) text (b) / (c) html (d)\n\nx",
	    "text/html[x]" },
	{ "two types", "Content-Type: text/html\nContent-Type: a/b\n\nx",
	    "text/html[x]" },
};

static void
write_part(struct span in, const struct mime *m, size_t i, struct buf *b)
{
	const struct mime_part *p = &m->part[i];
	size_t j;

	buf_span(b, p->type);
	buf_char(b, '/');
	buf_span(b, p->subtype);
	if (p->kind == MIME_LEAF) {
		buf_char(b, '[');
		buf_span(
		    b, span_slice(in, (size_t)p->body.at, (size_t)p->end.at));
		buf_char(b, ']');
		return;
	}
	for (j = i + 1; j < p->next; j = m->part[j].next) {
		buf_char(b, j == i + 1 ? '(' : ' ');
		write_part(in, m, j, b);
	}
	buf_char(b, ')');
}

static void
test_trees(void)
{
	const struct tree_case *c;
	struct mime m;
	struct buf b;

	buf_init(&b, 10000);
	for (c = trees; c < trees + nitems(trees); c++) {
		buf_clear(&b);
		mime_parse(span_str(c->in), &m);
		write_part(span_str(c->in), &m, 0, &b);
		if (!ok(span_eq(buf_get(&b), span_str(c->tree)), c->name))
			printf("# %.*s\n", SPAN_FMT(buf_get(&b)));
		mime_fini(&m);
	}
	buf_fini(&b);
}

static const struct params_case {
	const char *in, *out;
} params[] = {
	{ "", "" },
	{ "; a=b", "a=b|" },
	{ ";A=\"b;c\" ; d = e (f)", "a=b;c|d=e|" },
	{ "; a=\"b\\\"c\\\\\"", "a=b\"c\\|" },
	{ "; a=\"b\n c\"", "a=b c|" },
	{ ";; a=b;", "a=b|" },
	{ " junk ; a=b junk; c=d", "a=b|c=d|" },
	{ "; a; =b; c", "" },
	{ "; a=\"unclosed", "a=unclosed|" },
	{ "; a=", "a=|" },
	{ "; a=b/c:d?=e", "a=b/c:d?=e|" },
	{ "; a==?utf-8?q?x?=", "a==?utf-8?q?x?=|" },
	{ "; a*0=b; a*1=c", "a=bc|" },
	{ "; a*1=c; a*0=b", "a=bc|" },
	{ "; a*0*=u''%C3; a*1=\"x %\"; a*2*=%A4", "a*=u''%C3x%20%25%A4|" },
	{ "; a*0=b; a*2=d", "a=b|a*2=d|" },
	{ "; a*=u'en'x; b=c", "a*=u'en'x|b=c|" },
	{ "; a*0=x; a*1*='''%41", "a*=''x'''%41|" },
	{ "; a*x=b", "a*x=b|" },
};

static void
test_params(void)
{
	const struct params_case *c;
	struct mime_params p;
	struct span v;
	struct buf b;
	size_t i;

	buf_init(&b, 100000);
	mime_params_init(&p);
	for (c = params; c < params + nitems(params); c++) {
		buf_clear(&b);
		mime_params_parse(&p, span_str(c->in));
		for (i = 0; i < p.n; i++) {
			buf_span(&b, mime_param_name(&p, i));
			buf_char(&b, '=');
			buf_span(&b, mime_param_value(&p, i));
			buf_char(&b, '|');
		}
		if (!ok(span_eq(buf_get(&b), span_str(c->out)), c->in))
			printf("# %.*s\n", SPAN_FMT(buf_get(&b)));
	}
	buf_clear(&b);
	for (i = 0; i < 1000; i++)
		buf_fmt(&b, "; p*%zu=x", i);
	mime_params_parse(&p, buf_get(&b));
	ok(mime_param_find(&p, SPAN("p"), &v) && v.n == 64,
	    "64 pieces at most");
	mime_params_fini(&p);
	buf_clear(&b);
	mime_unfold(SPAN(" a \r\n\t b\n \n c "), &b);
	ok(span_eq(buf_get(&b), SPAN("a b c")), "folds are blanks");
	buf_fini(&b);
}

int
main(void)
{
	test_trees();
	test_params();
	return done();
}
