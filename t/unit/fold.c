/* fold: what is equal without regard to case, and what is not. */
#include "lib/fold.h"

#include "lib/buf.h"
#include "t/unit/tap.h"

static const struct fold_case {
	const char *a, *b;
	bool same;
} cases[] = {
	{ "Hello", "hELLO", true },
	{ "", "", true },
	{ "a", "b", false },
	{ "\xc3\x84", "\xc3\xa4", true },     /* Ä ä */
	{ "\xc3\xa4", "a\xcc\x88", true },    /* ä: composed, not */
	{ "\xc3\xa4", "a", false },           /* ä is not a */
	{ "\xd0\x96", "\xd0\xb6", true },     /* Cyrillic Zhe */
	{ "\xd0\x81", "\xd1\x91", true },     /* Yo */
	{ "\xce\xa3", "\xcf\x82", true },     /* Sigma, final sigma */
	{ "\xce\x86", "\xce\xac", true },     /* Alpha with tonos */
	{ "\xd4\xb1", "\xd5\xa1", true },     /* Armenian Ayb */
	{ "\xc4\xb0", "i\xcc\x87", true },    /* I with a dot */
	{ "\xc7\x84", "\xc7\x86", true },     /* DZ with caron */
	{ "\xc7\x85", "\xc7\x86", true },     /* Dz with caron */
	{ "\xe1\xba\x9e", "\xc3\x9f", true }, /* sharp s */
	{ "\xef\xbc\xa1", "a", true },        /* full width A */
	{ "\xe2\x84\xab", "\xc3\xa5", true }, /* Angstrom */
	{ "\xea\xb0\x80", "\xe1\x84\x80\xe1\x85\xa1", true }, /* Hangul Ga */
	{ "\xf0\x90\x90\x80", "\xf0\x90\x90\xa8", true },     /* Deseret */
	{ "\xff", "\xff", true },
	{ "\xff", "\xfe", false },
};

int
main(void)
{
	const struct fold_case *c;
	struct buf a, b;
	uint32_t cp;
	bool bounded = true, stable = true;

	buf_init(&a, 1000);
	buf_init(&b, 1000);
	for (c = cases; c < cases + nitems(cases); c++) {
		buf_clear(&a);
		buf_clear(&b);
		fold_utf8(span_str(c->a), &a);
		fold_utf8(span_str(c->b), &b);
		ok(span_eq(buf_get(&a), buf_get(&b)) == c->same, c->a);
	}
	for (cp = 0; cp <= 0x10ffff; cp++) {
		struct buf in;

		buf_init(&in, 8);
		buf_utf8(&in, cp);
		buf_clear(&a);
		buf_clear(&b);
		fold_utf8(buf_get(&in), &a);
		fold_utf8(buf_get(&a), &b);
		bounded &= a.n <= 3 * in.n;
		stable &= span_eq(buf_get(&a), buf_get(&b));
		buf_fini(&in);
	}
	ok(bounded, "at most three times as long");
	ok(stable, "folding twice is folding once");
	buf_fini(&a);
	buf_fini(&b);
	return done();
}
