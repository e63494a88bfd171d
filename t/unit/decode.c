/* decode: base64 and quoted-printable as they are found, cut everywhere. */
#include "lib/decode.h"

#include "lib/buf.h"
#include "t/unit/tap.h"

static const struct decode_case {
	const char *name, *encoding;
	struct span in, out;
} cases[] = {
	{ "7bit is itself", "7bit", SPAN("a=3D\n"), SPAN("a=3D\n") },
	{ "nothing", "base64", SPAN(""), SPAN("") },
	{ "base64", "Base64", SPAN("Zm9vYmFy"), SPAN("foobar") },
	{ "lines", "base64", SPAN("Zm9v\r\nYmFy\n"), SPAN("foobar") },
	{ "one pad", "base64", SPAN("Zm8="), SPAN("fo") },
	{ "two pads", "base64", SPAN("Zg=="), SPAN("f") },
	{ "no pad", "base64", SPAN("Zm8"), SPAN("fo") },
	{ "one digit left", "base64", SPAN("Zm9vY"), SPAN("foo") },
	{ "joined texts", "base64", SPAN("Zg==Zm8="), SPAN("ffo") },
	{ "litter", "base64", SPAN("Z*m-9 v"), SPAN("foo") },
	{ "only pads", "base64", SPAN("===="), SPAN("") },
	{ "quoted-printable", "Quoted-Printable", SPAN("a=3Db=e4"),
	    SPAN("a=b\xe4") },
	{ "soft line end", "quoted-printable", SPAN("a=\nb=\r\nc= \t\nd"),
	    SPAN("abcd") },
	{ "blanks at an end", "quoted-printable", SPAN("a \t\nb \r\n  c "),
	    SPAN("a\nb\r\n  c") },
	{ "a quoted blank at an end", "quoted-printable", SPAN("a=20\n"),
	    SPAN("a \n") },
	{ "no digits", "quoted-printable", SPAN("a=zz=4=x=="),
	    SPAN("a=zz=4=x==") },
	{ "= at the end", "quoted-printable", SPAN("a="), SPAN("a=") },
	{ "=4 and a line end", "quoted-printable", SPAN("=4\n"), SPAN("=4\n") },
	{ "= blanks and text", "quoted-printable", SPAN("= a"), SPAN("= a") },
	{ "a bare CR", "quoted-printable", SPAN("a\rb\r\n"), SPAN("a\rb\r\n") },
};

int
main(void)
{
	const struct decode_case *c;
	struct decode d;
	struct buf b;
	bool good;
	size_t i;

	buf_init(&b, 100000);
	for (c = cases; c < cases + nitems(cases); c++) {
		good = true;
		for (i = 0; i <= c->in.n; i++) {
			buf_clear(&b);
			decode_init(&d, decode_kind(span_str(c->encoding)));
			decode_bytes(&d, span_slice(c->in, 0, i), &b);
			decode_bytes(&d, span_slice(c->in, i, c->in.n), &b);
			decode_end(&d, &b);
			good &= span_eq(buf_get(&b), c->out);
		}
		if (!ok(good, c->name))
			printf("# %.*s\n", SPAN_FMT(buf_get(&b)));
	}
	buf_clear(&b);
	decode_init(&d, DECODE_QP);
	for (i = 0; i < 200; i++)
		decode_bytes(&d, SPAN(" "), &b);
	decode_bytes(&d, SPAN("x"), &b);
	ok(b.n == 201, "many blanks are not lost");
	buf_fini(&b);
	return done();
}
