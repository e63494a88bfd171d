/* encode: RFC 2045 6.7, 6.8, cut everywhere; decode takes it back. */
#include "lib/encode.h"

#include "lib/buf.h"
#include "lib/content.h"
#include "lib/decode.h"
#include "t/unit/tap.h"

#define TEN "0123456789"
#define LINE70 TEN TEN TEN TEN TEN TEN TEN

static const struct encode_case {
	const char *name;
	enum encode_kind kind;
	struct span in, out;
} cases[] = {
	{ "nothing", ENCODE_QP, SPAN(""), SPAN("") },
	{ "text", ENCODE_QP, SPAN("a b\n\nc\n"), SPAN("a b\n\nc\n") },
	{ "8-bit and =", ENCODE_QP, SPAN("a\xe4=\x7f\x01"),
	    SPAN("a=E4=3D=7F=01") },
	{ "a blank at an end", ENCODE_QP, SPAN("a  \n\t\n "),
	    SPAN("a =20\n=09\n=20") },
	{ "75 fit", ENCODE_QP, SPAN(LINE70 "abcde\n"), SPAN(LINE70 "abcde\n") },
	{ "more do not", ENCODE_QP, SPAN(LINE70 "abcdefg\n"),
	    SPAN(LINE70 "abcde=\nfg\n") },
	{ "=XX is not broken", ENCODE_QP, SPAN(LINE70 "abc\xe4"),
	    SPAN(LINE70 "abc=\n=E4") },
	{ "a dash in front of a line", ENCODE_QP, SPAN("--b\n-"),
	    SPAN("=2D-b\n=2D") },
	{ "a dash after a break", ENCODE_QP, SPAN(LINE70 "abcde--b"),
	    SPAN(LINE70 "abcde=\n=2D-b") },
	{ "a CR", ENCODE_QP, SPAN("a\r\nb\rc"), SPAN("a\nbc") },
	{ "base64", ENCODE_BASE64, SPAN("foobar"), SPAN("Zm9vYmFy") },
	{ "one pad", ENCODE_BASE64, SPAN("fo"), SPAN("Zm8=") },
	{ "two pads", ENCODE_BASE64, SPAN("f"), SPAN("Zg==") },
	{ "a line end is CR LF", ENCODE_BASE64, SPAN("a\n"), SPAN("YQ0K") },
	{ "a whole line", ENCODE_BASE64, SPAN("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
					      "aaaaaaaaaaaaaaaaaaaaaaaa"),
	    SPAN("YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYW"
		 "FhYWFhYWFhYWFh") },
	{ "one byte more", ENCODE_BASE64,
	    SPAN("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaab"),
	    SPAN("YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYW"
		 "FhYWFhYWFhYWFh\nYg==") },
	{ "quoted again", ENCODE_QP_AGAIN, SPAN("a=3D\xe4 =\nb =20\n"),
	    SPAN("a=3D=E4 =\nb =20\n") },
	{ "= and 8-bit", ENCODE_QP_AGAIN, SPAN("=\xe4=4\xe4"),
	    SPAN("==E4=4=E4") },
	{ "base64 again", ENCODE_BASE64_AGAIN, SPAN("Zm9v\xe4 YmFy\n-"),
	    SPAN("Zm9vYmFy\n") },
	{ "a long line", ENCODE_BASE64_AGAIN, SPAN(LINE70 "abcdefg\nh"),
	    SPAN(LINE70 "abcdef\ng\nh") },
};

static void
encode(enum encode_kind kind, struct span in, size_t cut, struct buf *out)
{
	struct encode e;

	buf_clear(out);
	encode_init(&e, kind);
	encode_bytes(&e, span_slice(in, 0, cut), out);
	encode_bytes(&e, span_slice(in, cut, in.n), out);
	encode_end(&e, out);
}

/* A byte many times over, and what it is after there and back. */
static bool
comes_back(enum encode_kind kind, enum decode_kind back)
{
	char line[2000];
	struct buf b, text;
	struct decode d;
	bool good = true;
	int c;

	buf_init(&b, 100000);
	buf_init(&text, 100000);
	for (c = 0; c < 256; c++) {
		if (c == '\n' || c == '\r')
			continue;
		for (size_t i = 0; i < sizeof(line); i++)
			line[i] = i % 97 == 96 ? '=' : (char)c;
		encode(kind, span_of(line, sizeof(line)), 1000, &b);
		good &= !content_of(buf_get(&b)).long_line;
		good &= !content_of(buf_get(&b)).eight_bit;
		buf_clear(&text);
		decode_init(&d, back);
		decode_bytes(&d, buf_get(&b), &text);
		decode_end(&d, &text);
		good &= span_eq(buf_get(&text), span_of(line, sizeof(line)));
	}
	buf_fini(&b);
	buf_fini(&text);
	return good;
}

/* One long line of any byte is quoted again into short ones. */
static bool
gets_short(void)
{
	char line[2000];
	struct buf b, text;
	struct decode d;
	bool good = true;

	buf_init(&b, 100000);
	buf_init(&text, 100000);
	for (int c = 1; c < 256; c++) {
		if (c == '\n' || c == '\r')
			continue;
		for (size_t i = 0; i < sizeof(line); i++)
			line[i] = (char)c;
		line[sizeof(line) - 1] = 'x'; /* blanks at the end would go */
		encode(ENCODE_QP_AGAIN, span_of(line, sizeof(line)), 700, &b);
		good &= !content_of(buf_get(&b)).long_line;
		good &= !content_of(buf_get(&b)).eight_bit;
		buf_clear(&text);
		decode_init(&d, DECODE_QP);
		decode_bytes(&d, buf_get(&b), &text);
		decode_end(&d, &text);
		good &= c == '=' ||
		    span_eq(buf_get(&text), span_of(line, sizeof(line)));
	}
	buf_fini(&b);
	buf_fini(&text);
	return good;
}

int
main(void)
{
	const struct encode_case *c;
	struct buf b;
	bool good;
	size_t i;

	buf_init(&b, 100000);
	for (c = cases; c < cases + nitems(cases); c++) {
		good = true;
		for (i = 0; i <= c->in.n && good; i++) {
			encode(c->kind, c->in, i, &b);
			good = span_eq(buf_get(&b), c->out);
		}
		if (!ok(good, c->name))
			printf("# %.*s\n", SPAN_FMT(buf_get(&b)));
	}
	ok(comes_back(ENCODE_QP, DECODE_QP), "any byte, there and back");
	ok(comes_back(ENCODE_BASE64, DECODE_BASE64), "in base64, too");
	ok(gets_short(), "long lines that are quoted already get short");
	ok(encode_shorter(SPAN("a large cup of caf\xc3\xa9")) == ENCODE_QP,
	    "an accent is quoted");
	ok(encode_shorter(SPAN("\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2")) ==
		ENCODE_BASE64,
	    "Cyrillic is base64");
	buf_fini(&b);
	return done();
}
