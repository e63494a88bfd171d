/* imap_set: RFC 3501 9 sequence-set. */
#include "lib/imap_set.h"

#include "lib/buf.h"
#include "lib/limits.h"
#include "t/unit/tap.h"

/* want: what is left after resolving with max; NULL: bad syntax. */
static const struct set_case {
	const char *name, *in;
	uint32_t max;
	const char *want, *rest;
	bool within;
} cases[] = {
	{ "one", "3", 9, "3", "", true },
	{ "a range", "2:4", 9, "2:4", "", true },
	{ "a range backwards", "4:2", 9, "2:4", "", true },
	{ "the last", "*", 9, "9", "", true },
	{ "to the last", "7:*", 9, "7:9", "", true },
	{ "from the last", "*:7", 9, "7:9", "", true },
	{ "beyond the last is the last", "12:*", 9, "9", "", false },
	{ "beyond", "12", 9, "", "", false },
	{ "half beyond", "8:12", 9, "8:9", "", false },
	{ "joined", "1,2,3,5,6,9,8", 9, "1:3 5:6 8:9", "", true },
	{ "overlapping", "1:6,2:3,5:8", 9, "1:8", "", true },
	{ "twice", "4,4,4", 9, "4", "", true },
	{ "an empty mailbox", "1:*", 0, "", "", false },
	{ "its last", "*", 0, "", "", false },
	{ "all numbers", "1:4294967295", 9, "1:9", "", false },
	{ "4294967295 is not the last", "4294967295", 9, "", "", false },
	{ "ends at a blank", "1,2 x", 9, "1:2", " x", true },
	{ "ends at a bracket", "1)", 9, "1", ")", true },
	{ "0", "0", 9, NULL, "0", false },
	{ "0 in a range", "0:4", 9, NULL, "0:4", false },
	{ "2^32", "4294967296", 9, NULL, "4294967296", false },
	{ "2^32 + 1 is not 1", "4294967297", 9, NULL, "4294967297", false },
	{ "nothing", "", 9, NULL, "", false },
	{ "a comma too many", "1,", 9, NULL, "1,", false },
	{ "a comma in front", ",1", 9, NULL, ",1", false },
	{ "a range of one end", "1:", 9, NULL, "1:", false },
	{ "a sign", "-1", 9, NULL, "-1", false },
	{ "three ends", "1:2:3", 9, "1:2", ":3", true },
};

static void
set_text(const struct imap_set *s, struct buf *b)
{
	for (size_t i = 0; i < s->n; i++) {
		if (i > 0)
			buf_char(b, ' ');
		buf_num(b, s->range[i].lo);
		if (s->range[i].lo == s->range[i].hi)
			continue;
		buf_char(b, ':');
		buf_num(b, s->range[i].hi);
	}
}

static void
test_case(const struct set_case *c)
{
	struct span in = span_str(c->in);
	struct imap_set s = { .n = 0 };
	struct buf text;
	bool within;

	if (imap_set(&in, &s) == -1) {
		ok(c->want == NULL && span_eq(in, span_str(c->rest)), c->name);
		return;
	}
	within = imap_set_within(&s, c->max);
	imap_set_resolve(&s, c->max);
	buf_init(&text, 200);
	set_text(&s, &text);
	ok(c->want != NULL && span_eq(buf_get(&text), span_str(c->want)) &&
	        span_eq(in, span_str(c->rest)) && within == c->within,
	    c->name);
	buf_fini(&text);
	imap_set_fini(&s);
}

/* "1,3,5,...": n ranges. */
static int
parse_ranges(size_t n, struct imap_set *s)
{
	struct buf text;
	struct span in;
	int rc;

	buf_init(&text, 8 * n);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_char(&text, ',');
		buf_num(&text, 2 * i + 1);
	}
	in = buf_get(&text);
	rc = imap_set(&in, s);
	buf_fini(&text);
	return rc;
}

int
main(void)
{
	struct imap_set s = { .n = 0 };
	struct span in = SPAN("$ x");

	for (size_t i = 0; i < nitems(cases); i++)
		test_case(&cases[i]);
	ok(imap_set(&in, &s) == 0 && s.saved && s.n == 0 && in.n == 2,
	    "what was saved");
	ok(parse_ranges(IMAP_RANGES_MAX, &s) == 0 && s.n == IMAP_RANGES_MAX,
	    "as many ranges as there may be");
	imap_set_resolve(&s, UINT32_MAX);
	ok(s.n == IMAP_RANGES_MAX && imap_set_has(&s, 1) &&
	        !imap_set_has(&s, 2) && imap_set_has(&s, 20001) &&
	        !imap_set_has(&s, 20000) && !imap_set_has(&s, UINT32_MAX),
	    "a member is found");
	imap_set_fini(&s);
	ok(parse_ranges(IMAP_RANGES_MAX + 1, &s) == -1 && s.n == 0,
	    "one more");
	return done();
}
