/*
 * select: which messages an administrator means.
 */
#include "queue/select.h"

#include "lib/addr.h"
#include "lib/die.h"
#include "lib/qid.h"
#include "queue/route.h"

bool
rcpt_is_open(const struct rcpt *r)
{
	return r->state != RCPT_DONE;
}

static bool
rcpts_match(const struct message *m, struct span what, bool domain)
{
	struct addr a;

	for (size_t i = 0; i < m->nrcpt; i++) {
		if (!rcpt_is_open(&m->rcpt[i]))
			continue;
		addr_split(span_str(m->rcpt[i].address), &a);
		if (span_ieq(domain ? a.domain : a.text, what) ||
		    (domain && span_ieq(route_name(&m->rcpt[i]), what)) ||
		    (!domain && span_ieq(span_str(m->rcpt[i].orig), what)))
			return true;
	}
	return false;
}

enum selector {
	SEL_NONE,      /* is no selector */
	SEL_QID,
	SEL_SENDER,    /* sender=ADDRESS */
	SEL_RCPT,      /* recipient=ADDRESS */
	SEL_DOMAIN,    /* destination=DOMAIN, or a next hop; a word with dot */
	SEL_ANYBODY,   /* a word with @: sender or recipient */
};

/* An address may have a "=" in it, too (ann=example.net@example.org). */
static enum selector
selector_of(struct span word, struct span *what)
{
	static const struct {
		const char *key;
		enum selector is;
	} keys[] = { { "sender=", SEL_SENDER },
		{ "recipient=", SEL_RCPT },
		{ "destination=", SEL_DOMAIN } };
	struct span key;
	uint64_t qid;

	for (size_t i = 0; i < nitems(keys); i++) {
		key = span_str(keys[i].key);
		if (span_starts(word, key)) {
			*what = span_slice(word, key.n, word.n);
			return keys[i].is;
		}
	}
	*what = word;
	if (qid_parse(word, &qid) == 0)
		return SEL_QID;
	if (span_has(word, '@'))
		return SEL_ANYBODY;
	return span_has(word, '.') && !span_has(word, '=') ? SEL_DOMAIN :
		SEL_NONE;
}

bool
select_ok(struct span word)
{
	struct span what;

	return selector_of(word, &what) != SEL_NONE;
}

bool
select_matches(const struct message *m, struct span word)
{
	struct span what;
	uint64_t qid;

	switch (selector_of(word, &what)) {
	case SEL_QID:
		return qid_parse(what, &qid) == 0 && qid == m->qid;
	case SEL_SENDER:
		return span_ieq(span_str(m->sender), what);
	case SEL_RCPT:
		return rcpts_match(m, what, false);
	case SEL_DOMAIN:
		return rcpts_match(m, what, true);
	case SEL_ANYBODY:
		return span_ieq(span_str(m->sender), what) ||
		    rcpts_match(m, what, false);
	case SEL_NONE:
		break;
	}
	return false;
}
