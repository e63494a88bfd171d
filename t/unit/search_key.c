/* search_key: keys to trees, written out; and what is no SEARCH. */
#include "lib/search_key.h"

#include <stdlib.h>

#include "lib/limits.h"
#include "t/unit/tap.h"

static const char *const names[] = { "and", "or", "not", "all", "set", "uid",
	"flag", "keyword", "unkeyword", "larger", "smaller", "before", "on",
	"since", "sentbefore", "senton", "sentsince", "older", "younger",
	"modseq", "header", "body", "text" };

static void
write_key(const struct search *s, uint32_t i, struct buf *b)
{
	const struct search_key *k = &s->key[i];

	buf_str(b, names[k->what]);
	if (k->flags != 0 || k->without != 0)
		buf_fmt(b, " %u-%u", k->flags, k->without);
	for (size_t r = 0; r < k->set.n; r++)
		buf_fmt(b, " %u:%u", k->set.range[r].lo, k->set.range[r].hi);
	if (k->number != 0)
		buf_fmt(b, " %llu", (unsigned long long)k->number);
	if (k->day != 0)
		buf_fmt(b, " day %lld", (long long)k->day);
	if (k->name.n > 0) {
		buf_char(b, ' ');
		buf_span(b, k->name);
	}
	if (k->what >= SEARCH_HEADER) {
		buf_str(b, " <");
		buf_span(b, k->text);
		buf_char(b, '>');
	}
	for (uint32_t c = k->below; c != 0; c = s->key[c].next) {
		buf_str(b, c == k->below ? "(" : ", ");
		write_key(s, c, b);
	}
	if (k->below != 0)
		buf_char(b, ')');
}

/* want NULL: syntax. */
static const struct key_case {
	const char *name, *in, *want;
} cases[] = {
	{ "one", "ALL", "and(all)" },
	{ "any case", "unseen Deleted", "and(flag 0-1, flag 8-0)" },
	{ "new and old", "NEW OLD", "and(flag 32-1, flag 0-32)" },
	{ "numbers", "2,4:7,9", "and(set 2:2 4:7 9:9)" },
	{ "the last", "*", "and(set 4294967295:4294967295)" },
	{ "UIDs", "UID 3:*", "and(uid 3:4294967295)" },
	{ "a list", "(SEEN DRAFT) ALL", "and(and(flag 1-0, flag 16-0), all)" },
	{ "not", "NOT SEEN ALL", "and(not(flag 1-0), all)" },
	{ "or", "OR SEEN DRAFT ALL", "and(or(flag 1-0, flag 16-0), all)" },
	{ "or on the right is one of many", "OR 1 OR 2 OR 3 4 5",
	    "and(or(set 1:1, set 2:2, set 3:3, set 4:4), set 5:5)" },
	{ "or on the left", "OR OR 1 2 3", "and(or(or(set 1:1, set 2:2), "
	    "set 3:3))" },
	{ "or in a list", "OR (OR 1 2) OR 3 4",
	    "and(or(and(or(set 1:1, set 2:2)), set 3:3, set 4:4))" },
	{ "texts", "SUBJECT \"a b\" FROM ann Cc {3}\r\nx y",
	    "and(header SUBJECT <a b>, header FROM <ann>, header CC <x y>)" },
	{ "an escaped quote", "BODY \"a\\\"\\\\\"", "and(body <a\"\\>)" },
	{ "an empty text", "TEXT \"\"", "and(text <>)" },
	{ "header", "HEADER \"x-y\" z", "and(header x-y <z>)" },
	{ "keywords", "KEYWORD $Junk UNKEYWORD x",
	    "and(keyword $Junk, unkeyword x)" },
	{ "sizes", "LARGER 5 SMALLER 7", "and(larger 5, smaller 7)" },
	{ "dates", "SINCE 2-Jan-1970 SENTON \"3-Jan-1970\"",
	    "and(since day 1, senton day 2)" },
	{ "within", "OLDER 60 YOUNGER 61", "and(older 60, younger 61)" },
	{ "modseq", "MODSEQ 12", "and(modseq 12)" },
	{ "modseq of an entry", "MODSEQ \"/flags/\\\\draft\" all 12",
	    "and(modseq 12)" },
	{ "charset", "CHARSET UTF-8 ALL", "and(all)" },
	{ "a name that begins like another", "ONX 1", NULL },
	{ "nothing", "", NULL },
	{ "a blank", " ", NULL },
	{ "no such key", "SEENX", NULL },
	{ "two blanks", "SEEN  DRAFT", NULL },
	{ "a blank at the end", "SEEN ", NULL },
	{ "an empty list", "()", NULL },
	{ "an open list", "(SEEN", NULL },
	{ "a list too many", "SEEN)", NULL },
	{ "not nothing", "NOT", NULL },
	{ "or of one", "OR SEEN", NULL },
	{ "no text", "SUBJECT", NULL },
	{ "half a quote", "SUBJECT \"a", NULL },
	{ "no number", "LARGER x", NULL },
	{ "a negative number", "LARGER -1", NULL },
	{ "no time", "OLDER 0", NULL },
	{ "no date", "SINCE 31-Feb-2000", NULL },
	{ "message 0", "0", NULL },
	{ "what was saved", "$", NULL },
	{ "charset and nothing", "CHARSET UTF-8", NULL },
	{ "charset in the middle", "SEEN CHARSET UTF-8", NULL },
	{ "return and nothing", "RETURN (MIN)", NULL },
	{ "return what", "RETURN (MIN X) ALL", NULL },
	{ "an open return", "RETURN (MIN ALL", NULL },
	{ "return in the middle", "ALL RETURN (MIN)", NULL },
	{ "save is not offered", "RETURN (SAVE) ALL", NULL },
};

static void
test_cases(void)
{
	struct buf scratch, b;
	struct search s;
	int rc;

	for (const struct key_case *c = cases; c < cases + nitems(cases); c++) {
		buf_init(&scratch, IMAP_COMMAND_MAX);
		buf_init(&b, 4096);
		rc = search_parse(span_str(c->in), &scratch, &s);
		if (rc == 0)
			write_key(&s, 0, &b);
		ok(c->want == NULL ? rc == -1
		                   : span_eq(buf_get(&b), span_str(c->want)),
		    c->name);
		search_fini(&s);
		buf_fini(&b);
		buf_fini(&scratch);
	}
}

static void
test_returns(void)
{
	struct buf scratch;
	struct search s;

	buf_init(&scratch, 100);
	ok(search_parse(SPAN("ALL"), &scratch, &s) == 0 && !s.extended &&
	        s.returns == 0 && s.charset.n == 0 && !s.modseq, "plain");
	search_fini(&s);
	ok(search_parse(SPAN("return () ALL"), &scratch, &s) == 0 &&
	        s.extended && s.returns == SEARCH_RETURN_ALL,
	    "RETURN () is ALL");
	search_fini(&s);
	ok(search_parse(SPAN("RETURN (MIN count) CHARSET \"koi8-r\" MODSEQ 1"),
	       &scratch, &s) == 0 && s.modseq &&
	        s.returns == (SEARCH_RETURN_MIN | SEARCH_RETURN_COUNT) &&
	        span_eq(s.charset, SPAN("koi8-r")),
	    "RETURN and CHARSET");
	search_fini(&s);
	buf_fini(&scratch);
}

/* before, n times; end. */
static int
parse_many(const char *before, size_t n, const char *end)
{
	struct buf scratch, in;
	struct search s;
	int rc;

	buf_init(&scratch, IMAP_COMMAND_MAX);
	buf_init(&in, IMAP_COMMAND_MAX);
	for (size_t i = 0; i < n; i++)
		buf_str(&in, before);
	buf_str(&in, end);
	rc = search_parse(buf_get(&in), &scratch, &s);
	search_fini(&s);
	buf_fini(&in);
	buf_fini(&scratch);
	return rc;
}

static void
test_limits(void)
{
	ok(parse_many("NOT ", IMAP_NESTING_MAX - 1, "ALL") == 0 &&
	        parse_many("NOT ", IMAP_NESTING_MAX, "ALL") == -1,
	    "so deep, and no deeper");
	ok(parse_many("(", 60000, "ALL") == -1 &&
	        parse_many("OR ", 60000, "ALL") == -1,
	    "a deep one costs no stack");
	ok(parse_many("ALL ", SEARCH_KEYS_MAX - 2, "ALL") == 0 &&
	        parse_many("ALL ", SEARCH_KEYS_MAX - 1, "ALL") == -1,
	    "so many keys, and no more");
	ok(parse_many("OR ALL ", 900, "ALL") == 0,
	    "what clients nest to the right is no nesting");
}

int
main(void)
{
	test_cases();
	test_returns();
	test_limits();
	return done();
}
