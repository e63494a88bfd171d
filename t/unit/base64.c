/* base64: the vectors of RFC 4648 10, and all that is not base64. */
#include "lib/base64.h"

#include <string.h>

#include "t/unit/tap.h"

static const struct pair {
	const char *bytes, *text;
} pairs[] = {
	{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" }, { "\xff\xff\xfe", "///+" },
};

static const struct bad {
	const char *name, *text;
} bads[] = {
	{ "one digit", "Z" },
	{ "no padding", "Zg" },
	{ "half the padding", "Zg=" },
	{ "too much padding", "Zm9v====" },
	{ "only padding", "====" },
	{ "three of padding", "Z===" },
	{ "padding before the end", "Zg==Zg==" },
	{ "padding in the middle", "Z=g=" },
	{ "bits left over, two", "Zh==" },
	{ "bits left over, one", "Zm9=" },
	{ "a blank", "Zm9 " },
	{ "a line end", "Zm9v\r\n" },
	{ "the URL alphabet", "__-_" },
	{ "a cancel", "*" },
	{ "beyond ASCII", "Zm9\xff" },
};

int
main(void)
{
	const struct pair *p;
	const struct bad *c;
	struct buf b;

	buf_init(&b, 100);
	for (p = pairs; p < pairs + nitems(pairs); p++) {
		buf_clear(&b);
		base64_encode(&b, span_str(p->bytes));
		ok(span_eq(buf_get(&b), span_str(p->text)), p->text);
		buf_clear(&b);
		ok(base64_decode(span_str(p->text), &b) == 0 &&
		        span_eq(buf_get(&b), span_str(p->bytes)), "and back");
	}
	for (c = bads; c < bads + nitems(bads); c++) {
		buf_clear(&b);
		ok(base64_decode(span_str(c->text), &b) == -1, c->name);
	}
	buf_clear(&b);
	ok(base64_decode(SPAN("Zm9\0"), &b) == -1, "NUL");
	buf_fini(&b);
	buf_init(&b, 2);
	ok(base64_decode(SPAN("Zm9v"), &b) == -1 && b.bad, "no room is said");
	buf_clear(&b);
	ok(base64_decode(SPAN("Zm8="), &b) == 0, "just enough room");
	buf_fini(&b);
	return done();
}
