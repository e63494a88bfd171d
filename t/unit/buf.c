/* buf: bounds, and that an overflow is remembered. */
#include "lib/buf.h"

#include <string.h>

#include "t/unit/tap.h"

static bool
holds(const struct buf *b, const char *text)
{
	return span_eq(buf_get(b), span_str(text));
}

static void
test_bounds(void)
{
	struct buf b;

	buf_init(&b, 4);
	ok(b.p == NULL && buf_get(&b).n == 0, "new: empty, no memory");
	buf_str(&b, "abcd");
	ok(!b.bad && holds(&b, "abcd"), "the last byte fits");
	buf_span(&b, SPAN_NONE);
	buf_bytes(&b, NULL, 0);
	ok(!b.bad, "nothing fits always");
	ok(strcmp(buf_cstr(&b), "abcd") == 0, "a terminator, too");
	buf_char(&b, 'e');
	ok(b.bad && holds(&b, "abcd"), "one more is bad, and not written");
	ok(buf_cstr(&b) == NULL, "bad has no C string");
	buf_drop(&b, 4);
	buf_char(&b, 'x');
	ok(b.bad && b.n == 0, "bad is sticky");
	buf_clear(&b);
	buf_char(&b, 'x');
	ok(!b.bad && holds(&b, "x"), "clear forgets it");
	buf_fini(&b);
	ok(b.p == NULL && b.max == 4, "fini: empty and usable");
	buf_init(&b, 0);
	ok(strcmp(buf_cstr(&b), "") == 0, "even a buf of nothing has a string");
	buf_char(&b, 'x');
	ok(b.bad, "but takes nothing");
	buf_fini(&b);
}

static void
test_writers(void)
{
	struct buf b;

	buf_init(&b, 1000);
	buf_num(&b, 0);
	buf_char(&b, ' ');
	buf_num(&b, UINT64_MAX);
	ok(holds(&b, "0 18446744073709551615"), "numbers");
	buf_clear(&b);
	buf_hex(&b, 0xbeef, 6);
	ok(holds(&b, "00beef"), "hex has its width");
	buf_clear(&b);
	buf_hex(&b, UINT64_MAX, 16);
	ok(holds(&b, "ffffffffffffffff"), "all of 64 bits");
	buf_clear(&b);
	buf_fmt(&b, "%d-%s", -5, "x");
	ok(holds(&b, "-5-x"), "formatted");
	buf_fmt(&b, "%600d", 1);
	ok(b.bad, "a format that is too long is bad, not cut");
	buf_clear(&b);
	buf_bytes(&b, "a\0b", 3);
	ok(buf_cstr(&b) == NULL && b.n == 3, "a C string holds no NUL");
	buf_fini(&b);
}

static void
test_room(void)
{
	struct buf b;
	char *p;
	int i;

	buf_init(&b, 100000);
	for (i = 0; i < 1000; i++) {
		p = buf_room(&b, 100);
		memset(p, 'a' + i % 26, 100);
		buf_grew(&b, 100);
	}
	ok(!b.bad && b.n == 100000, "room up to the maximum");
	ok(b.p[99999] == 'a' + 999 % 26 && b.p[0] == 'a', "bytes stay");
	ok(buf_room(&b, 1) == NULL && b.bad, "no room beyond");
	buf_drop(&b, 99999);
	ok(b.n == 1 && b.p[0] == 'a' + 999 % 26, "drop from the front");
	buf_trim(&b);
	ok(b.cap <= 2 && b.n == 1, "trim gives memory back");
	buf_drop(&b, SIZE_MAX);
	buf_trim(&b);
	ok(b.p == NULL && b.n == 0, "trim of an empty one gives all back");
	buf_clear(&b);
	ok(buf_room(&b, SIZE_MAX) == NULL, "an absurd size is only bad");
	buf_fini(&b);
}

static const struct safe_case {
	const char *name, *in, *out;
} safes[] = {
	{ "ASCII stays", "a ~!", "a ~!" },
	{ "controls go", "a\r\nb\tc\033d\177", "a??b?c?d?" },
	{ "UTF-8 stays", "gr\303\274\303\237e", "gr\303\274\303\237e" },
	{ "Latin-1 goes", "gr\374n", "gr?n" },
	{ "C1 controls go", "a\302\205b", "a?b" },
	{ "overlong forms go", "\300\257", "??" },
	{ "surrogates go", "\355\240\200", "???" },
	{ "a cut character goes", "a\342\202", "a??" },
};

static void
test_safe(void)
{
	const struct safe_case *c;
	struct buf b;

	buf_init(&b, 100);
	for (c = safes; c < safes + nitems(safes); c++) {
		buf_clear(&b);
		buf_safe(&b, span_str(c->in));
		ok(holds(&b, c->out), c->name);
	}
	buf_clear(&b);
	buf_safe(&b, SPAN("a\0b"));
	ok(holds(&b, "a?b"), "NUL goes");
	buf_patch(&b, 1, SPAN("xy"));
	ok(holds(&b, "axy"), "bytes are written over");
	buf_fini(&b);
}

int
main(void)
{
	test_bounds();
	test_writers();
	test_room();
	test_safe();
	return done();
}
