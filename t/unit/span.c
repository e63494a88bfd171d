/* span: reading borrowed bytes, empty ones and NULL ones too. */
#include "lib/span.h"

#include <stdlib.h>
#include <string.h>

#include "t/unit/tap.h"

struct num_case {
	const char *name;
	const char *text;
	uint64_t min, max;
	int rc;
	uint64_t value;
};

static const struct num_case nums[] = {
	{ "zero is a number", "0", 0, 9, 0, 0 },
	{ "leading zeros are digits", "007", 0, 9, 0, 7 },
	{ "the minimum is in", "5", 5, 9, 0, 5 },
	{ "below the minimum is out", "4", 5, 9, -1, 0 },
	{ "the maximum is in", "9", 5, 9, 0, 9 },
	{ "above the maximum is out", "10", 5, 9, -1, 0 },
	{ "the largest of 64 bits", "18446744073709551615", 0, UINT64_MAX, 0,
	    UINT64_MAX },
	{ "one more overflows", "18446744073709551616", 0, UINT64_MAX, -1, 0 },
	{ "ten times more overflows", "184467440737095516150", 0, UINT64_MAX,
	    -1, 0 },
	{ "empty is no number", "", 0, 9, -1, 0 },
	{ "a sign is no digit", "+1", 0, 9, -1, 0 },
	{ "a minus is no digit", "-1", 0, 9, -1, 0 },
	{ "a blank is no digit", " 1", 0, 9, -1, 0 },
	{ "hex is no decimal", "0x1", 0, 9, -1, 0 },
};

static void
test_num(void)
{
	const struct num_case *c;
	uint64_t v;
	int rc;

	for (c = nums; c < nums + nitems(nums); c++) {
		v = 77;
		rc = span_num(span_str(c->text), c->min, c->max, &v);
		ok(rc == c->rc && v == (rc == 0 ? c->value : 77), c->name);
	}
}

static void
test_compare(void)
{
	struct span none = span_of(NULL, 0);

	ok(span_eq(none, SPAN_NONE), "two empty spans are equal");
	ok(span_cmp(none, SPAN("")) == 0, "and compare as equal");
	ok(span_eq(SPAN("a\0b"), SPAN("a\0b")), "NUL is a byte");
	ok(!span_eq(SPAN("a\0b"), SPAN("a\0c")), "and what follows counts");
	ok(span_ieq(SPAN("MaIl"), SPAN("mAiL")), "case can be folded");
	ok(!span_ieq(SPAN("\xc4"), SPAN("\xe4")), "but only in ASCII");
	ok(!span_ieq(SPAN("@"), SPAN("`")), "and only letters");
	ok(span_cmp(SPAN("a"), SPAN("ab")) < 0, "a prefix comes first");
	ok(span_cmp(SPAN("\xff"), SPAN("a")) > 0, "bytes are unsigned");
	ok(span_starts(SPAN("abc"), SPAN("ab")), "starts");
	ok(!span_starts(SPAN("a"), SPAN("ab")), "short does not start");
	ok(span_istarts(SPAN("ABC"), SPAN("ab")), "istarts");
	ok(span_ends(SPAN("abc"), SPAN("bc")), "ends");
	ok(!span_ends(SPAN("c"), SPAN("bc")), "short does not end");
	ok(span_starts(none, none) && span_ends(none, none), "empty in empty");
}

static void
test_find(void)
{
	struct span s = SPAN("a.b.c");

	ok(span_find(s, '.') == 1 && span_rfind(s, '.') == 3, "find, rfind");
	ok(span_find(s, 'x') == 5 && span_rfind(s, 'x') == 5, "not found");
	ok(span_find(span_of(NULL, 0), 'x') == 0, "nothing in nothing");
	ok(span_line_length(SPAN("a\r\nb")) == 3 &&
		span_line_length(SPAN("\n")) == 1,
	    "a line with its end");
	ok(span_line_length(SPAN("ab")) == 2 &&
		span_line_length(SPAN_NONE) == 0,
	    "one that has none");
	ok(span_has(s, 'c') && !span_has(s, 'd'), "has");
	ok(span_eq(span_slice(s, 2, 3), SPAN("b")), "slice");
	ok(span_slice(s, 9, 20).n == 0, "a slice is clamped");
	ok(span_slice(s, 3, 1).n == 0, "a slice backwards is empty");
	ok(span_eq(span_slice(s, 4, SIZE_MAX), SPAN("c")), "to the end");
}

static void
test_take(void)
{
	struct span s = SPAN("  MAIL \t FROM:<a b>  "), w;

	w = span_word(&s);
	ok(span_eq(w, SPAN("MAIL")), "a word");
	ok(span_eq(s, SPAN("FROM:<a b>")), "blanks around it go");
	s = SPAN(" \t ");
	ok(span_word(&s).n == 0 && s.n == 0, "no word in blanks");
	s = SPAN("abc");
	ok(span_eq(span_take(&s, 9), SPAN("abc")) && s.n == 0,
	    "take is clamped");
	s = SPAN("a:b:c");
	ok(span_eq(span_cut(&s, ':'), SPAN("a")) && span_eq(s, SPAN("b:c")),
	    "cut at the first");
	ok(span_eq(span_cut(&s, '!'), SPAN("b:c")) && s.n == 0,
	    "cut without it takes all");
	ok(span_eq(span_trim(SPAN("\t a b ")), SPAN("a b")), "trim");
}

static void
test_line(void)
{
	struct span s = SPAN("a\r\nb\n\r\nc\rd\ne\r");

	ok(span_eq(span_line(&s), SPAN("a")), "CR LF ends a line");
	ok(span_eq(span_line(&s), SPAN("b")), "LF ends a line");
	ok(span_line(&s).n == 0 && s.n > 0, "an empty line");
	ok(span_eq(span_line(&s), SPAN("c\rd")), "a bare CR does not");
	ok(span_eq(span_line(&s), SPAN("e\r")) && s.n == 0,
	    "a last CR without LF is kept");
}

static void
test_copy(void)
{
	char dst[4] = "xyz", *p;

	ok(span_copy(dst, sizeof(dst), SPAN("abc")) == 0 &&
	        strcmp(dst, "abc") == 0, "copy fits");
	ok(span_copy(dst, sizeof(dst), SPAN("abcd")) == -1 && dst[0] == '\0',
	    "one byte more does not");
	ok(span_copy(dst, sizeof(dst), SPAN("a\0")) == -1,
	    "NUL cannot be in a C string");
	ok(span_copy(dst, 0, SPAN_NONE) == -1, "no room at all");
	p = span_dup(SPAN("abc"));
	ok(strcmp(p, "abc") == 0, "dup");
	free(p);
	p = span_dup(span_of(NULL, 0));
	ok(strcmp(p, "") == 0, "dup of nothing");
	free(p);
	ok(span_dup(SPAN("a\0b")) == NULL, "dup refuses NUL");
	ok(span_str(NULL).n == 0, "a span of no string is empty");
}

int
main(void)
{
	test_num();
	test_compare();
	test_find();
	test_take();
	test_line();
	test_copy();
	return done();
}
