/*
 * search_key: a word has a row, a row says what is to follow. Recursion goes
 * with parentheses, NOT and the left side of OR, and is bounded; the right
 * side, where clients put the next OR and the next, is a loop and makes one
 * OR of many.
 *
 * Indices, not pointers: the array moves when it grows.
 */
#include "lib/search_key.h"

#include <stdlib.h>

#include "lib/chars.h"
#include "lib/die.h"
#include "lib/imap_date.h"
#include "lib/imap_token.h"
#include "lib/limits.h"
#include "lib/mailbox.h"

struct parser {
	struct span in;
	struct buf *scratch;
	struct search *s;
	unsigned depth;
};

enum follows {
	F_NOTHING, F_TEXT, F_HEADER, F_DATE, F_NUMBER, F_SECONDS, F_KEYWORD,
	F_UIDS, F_MODSEQ, F_KEY, F_TWO_KEYS,
};

/* clang-format off */
static const struct row {
	const char *word;
	enum search_what what;
	enum follows follows;
	uint32_t flags, without;
} rows[] = {
	{ "ALL", SEARCH_ALL, F_NOTHING, 0, 0 },
	{ "ANSWERED", SEARCH_FLAG, F_NOTHING, MF_ANSWERED, 0 },
	{ "BCC", SEARCH_HEADER, F_TEXT, 0, 0 },
	{ "BEFORE", SEARCH_BEFORE, F_DATE, 0, 0 },
	{ "BODY", SEARCH_BODY, F_TEXT, 0, 0 },
	{ "CC", SEARCH_HEADER, F_TEXT, 0, 0 },
	{ "DELETED", SEARCH_FLAG, F_NOTHING, MF_DELETED, 0 },
	{ "DRAFT", SEARCH_FLAG, F_NOTHING, MF_DRAFT, 0 },
	{ "FLAGGED", SEARCH_FLAG, F_NOTHING, MF_FLAGGED, 0 },
	{ "FROM", SEARCH_HEADER, F_TEXT, 0, 0 },
	{ "HEADER", SEARCH_HEADER, F_HEADER, 0, 0 },
	{ "KEYWORD", SEARCH_KEYWORD, F_KEYWORD, 0, 0 },
	{ "LARGER", SEARCH_LARGER, F_NUMBER, 0, 0 },
	{ "MODSEQ", SEARCH_MODSEQ, F_MODSEQ, 0, 0 },
	{ "NEW", SEARCH_FLAG, F_NOTHING, MF_RECENT, MF_SEEN },
	{ "NOT", SEARCH_NOT, F_KEY, 0, 0 },
	{ "OLD", SEARCH_FLAG, F_NOTHING, 0, MF_RECENT },
	{ "OLDER", SEARCH_OLDER, F_SECONDS, 0, 0 },
	{ "ON", SEARCH_ON, F_DATE, 0, 0 },
	{ "OR", SEARCH_OR, F_TWO_KEYS, 0, 0 },
	{ "RECENT", SEARCH_FLAG, F_NOTHING, MF_RECENT, 0 },
	{ "SEEN", SEARCH_FLAG, F_NOTHING, MF_SEEN, 0 },
	{ "SENTBEFORE", SEARCH_SENTBEFORE, F_DATE, 0, 0 },
	{ "SENTON", SEARCH_SENTON, F_DATE, 0, 0 },
	{ "SENTSINCE", SEARCH_SENTSINCE, F_DATE, 0, 0 },
	{ "SINCE", SEARCH_SINCE, F_DATE, 0, 0 },
	{ "SMALLER", SEARCH_SMALLER, F_NUMBER, 0, 0 },
	{ "SUBJECT", SEARCH_HEADER, F_TEXT, 0, 0 },
	{ "TEXT", SEARCH_TEXT, F_TEXT, 0, 0 },
	{ "TO", SEARCH_HEADER, F_TEXT, 0, 0 },
	{ "UID", SEARCH_UID, F_UIDS, 0, 0 },
	{ "UNANSWERED", SEARCH_FLAG, F_NOTHING, 0, MF_ANSWERED },
	{ "UNDELETED", SEARCH_FLAG, F_NOTHING, 0, MF_DELETED },
	{ "UNDRAFT", SEARCH_FLAG, F_NOTHING, 0, MF_DRAFT },
	{ "UNFLAGGED", SEARCH_FLAG, F_NOTHING, 0, MF_FLAGGED },
	{ "UNKEYWORD", SEARCH_UNKEYWORD, F_KEYWORD, 0, 0 },
	{ "UNSEEN", SEARCH_FLAG, F_NOTHING, 0, MF_SEEN },
	{ "YOUNGER", SEARCH_YOUNGER, F_SECONDS, 0, 0 },
};
/* clang-format on */

/* 0: one too many; index 0 itself is made by search_parse(). */
static uint32_t
key_new(struct search *s, enum search_what what)
{
	if (s->n == SEARCH_KEYS_MAX)
		return 0;
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 16 : 2 * s->cap;
		s->key = xreallocarray(s->key, s->cap, sizeof(*s->key));
	}
	s->key[s->n] = (struct search_key){ .what = what,
		.name = SPAN_NONE, .text = SPAN_NONE };
	return (uint32_t)s->n++;
}

static uint32_t take_key(struct parser *);

/* Keys with blanks between them, hung below `parent`; up to `end`. */
static int
take_keys(struct parser *p, uint32_t parent, bool parenthesis)
{
	uint32_t last = 0, k;

	do {
		if ((k = take_key(p)) == 0)
			return -1;
		if (last == 0)
			p->s->key[parent].below = k;
		else
			p->s->key[last].next = k;
		last = k;
	} while (imap_sp(&p->in) == 0);
	if (parenthesis)
		return imap_is(&p->in, ')') ? 0 : -1;
	return p->in.n == 0 ? 0 : -1;
}

/* key1 SP key2, and if key2 is an OR, its two instead, and so on. */
static int
take_or(struct parser *p, uint32_t parent)
{
	uint32_t one, two, last = 0;

	do {
		if (imap_sp(&p->in) == -1 || (one = take_key(p)) == 0 ||
		    imap_sp(&p->in) == -1)
			return -1;
		if (last == 0)
			p->s->key[parent].below = one;
		else
			p->s->key[last].next = one;
		last = one;
	} while (imap_word(&p->in, "OR"));
	if ((two = take_key(p)) == 0)
		return -1;
	p->s->key[last].next = two;
	return 0;
}

static int
take_set(struct parser *p, uint32_t k)
{
	struct imap_set set = { .n = 0 };

	/* "$" means what an earlier SEARCH saved: not offered. */
	if (imap_set(&p->in, &set) == -1)
		return -1;
	p->s->key[k].set = set; /* the tree frees it */
	return set.saved ? -1 : 0;
}

static int
take_text(struct parser *p, struct span *text)
{
	return imap_sp(&p->in) == -1 ||
		imap_astring(&p->in, p->scratch, text) == -1 ? -1 : 0;
}

/*
 * RFC 7162 3.1.5: MODSEQ ["entry" type] number. There is one counter for all
 * entries here.
 */
static int
take_modseq(struct parser *p, uint64_t *number)
{
	struct span ignored;

	p->s->modseq = true;
	if (p->in.n > 0 && p->in.p[0] == '"' &&
	    (imap_string(&p->in, p->scratch, &ignored) == -1 ||
		imap_sp(&p->in) == -1 ||
		imap_atom(&p->in, &ignored) == -1 || imap_sp(&p->in) == -1))
		return -1;
	return imap_number(&p->in, INT64_MAX, number);
}

static int
take_keyword(struct parser *p, struct span *name)
{
	return imap_sp(&p->in) == -1 ? -1 : imap_atom(&p->in, name);
}

/* What stands behind a word that has no keys in it. */
static int
take_argument(struct parser *p, const struct row *r, struct search_key *k)
{
	switch (r->follows) {
	case F_TEXT:
		if (r->what == SEARCH_HEADER)
			k->name = span_str(r->word);
		return take_text(p, &k->text);
	case F_HEADER:
		if (take_text(p, &k->name) == -1)
			return -1;
		return take_text(p, &k->text);
	case F_KEYWORD:
		return take_keyword(p, &k->name);
	case F_DATE:
		return imap_sp(&p->in) == -1 ? -1 : imap_date(&p->in, &k->day);
	case F_NUMBER:
		return imap_sp(&p->in) == -1
		    ? -1 : imap_number(&p->in, INT64_MAX, &k->number);
	case F_SECONDS: /* RFC 5032 2: nz-number */
		return imap_sp(&p->in) == -1 ||
			imap_number(&p->in, UINT32_MAX, &k->number) == -1 ||
			k->number == 0 ? -1 : 0;
	case F_MODSEQ:
		return imap_sp(&p->in) == -1 ? -1 : take_modseq(p, &k->number);
	default:
		k->flags = r->flags;
		k->without = r->without;
		return 0;
	}
}

static int
take_rest(struct parser *p, const struct row *r, uint32_t k)
{
	struct search_key one;
	uint32_t below;

	switch (r->follows) {
	case F_TWO_KEYS:
		return take_or(p, k);
	case F_UIDS:
		return imap_sp(&p->in) == -1 ? -1 : take_set(p, k);
	case F_KEY:
		if (imap_sp(&p->in) == -1 || (below = take_key(p)) == 0)
			return -1;
		p->s->key[k].below = below;
		return 0;
	default:
		one = p->s->key[k];
		if (take_argument(p, r, &one) == -1)
			return -1;
		p->s->key[k] = one;
		return 0;
	}
}

static const struct row *
row_find(struct span word)
{
	for (size_t i = 0; i < nitems(rows); i++)
		if (span_ieq(word, span_str(rows[i].word)))
			return &rows[i];
	return NULL;
}

static uint32_t
take_one(struct parser *p)
{
	const struct row *r;
	struct span word;
	uint32_t k;

	if (imap_is(&p->in, '(')) {
		k = key_new(p->s, SEARCH_AND);
		return k == 0 || take_keys(p, k, true) == -1 ? 0 : k;
	}
	if (p->in.n > 0 && (char_is(p->in.p[0], CH_DIGIT) ||
	    p->in.p[0] == '*' || p->in.p[0] == '$')) {
		k = key_new(p->s, SEARCH_SET);
		return k == 0 || take_set(p, k) == -1 ? 0 : k;
	}
	if (imap_atom(&p->in, &word) == -1 || (r = row_find(word)) == NULL ||
	    (k = key_new(p->s, r->what)) == 0)
		return 0;
	return take_rest(p, r, k) == -1 ? 0 : k;
}

static uint32_t
take_key(struct parser *p)
{
	uint32_t k = 0;

	if (++p->depth <= IMAP_NESTING_MAX)
		k = take_one(p);
	p->depth--;
	return k;
}

/* Behind the word RETURN (RFC 4731 3.1). */
static int
take_returns(struct parser *p)
{
	static const char *const names[] = { "MIN", "MAX", "ALL", "COUNT" };
	struct span word;
	size_t i;

	p->s->extended = true;
	if (imap_sp(&p->in) == -1 || !imap_is(&p->in, '('))
		return -1;
	for (bool first = true; !imap_is(&p->in, ')'); first = false) {
		if ((!first && imap_sp(&p->in) == -1) ||
		    imap_atom(&p->in, &word) == -1)
			return -1;
		for (i = 0; i < nitems(names); i++)
			if (span_ieq(word, span_str(names[i])))
				break;
		if (i == nitems(names))
			return -1;
		p->s->returns |= 1u << i;
	}
	if (p->s->returns == 0)
		p->s->returns = SEARCH_RETURN_ALL;
	return imap_sp(&p->in);
}

int
search_parse(struct span args, struct buf *scratch, struct search *s)
{
	struct parser p = { .in = args, .scratch = scratch, .s = s };

	*s = (struct search){ .charset = SPAN_NONE };
	(void)key_new(s, SEARCH_AND);
	if (imap_word(&p.in, "RETURN") && take_returns(&p) == -1)
		return -1;
	if (imap_word(&p.in, "CHARSET") &&
	    (take_text(&p, &s->charset) == -1 || imap_sp(&p.in) == -1))
		return -1;
	return take_keys(&p, 0, false);
}

void
search_fini(struct search *s)
{
	for (size_t i = 0; i < s->n; i++)
		imap_set_fini(&s->key[i].set);
	free(s->key);
	*s = (struct search){ .charset = SPAN_NONE };
}
