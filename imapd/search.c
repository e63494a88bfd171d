/*
 * search: prepares the keys once, then asks them of each row of the view.
 *
 *	parse --> resolve (sets, keywords, charset) --> order (cheap first)
 *	                 --> match every message --> answer
 *
 * What the view knows (flags, dates, sizes) comes before what the index's
 * cache knows (fields of the envelope), before what only the file knows: an
 * AND ends at the first key that is false, an OR at the first that is true.
 *
 * A long search looks up now and then: imapd/patience.h.
 */
#include "imapd/search.h"

#include <stdlib.h>
#include <time.h>

#include "imapd/patience.h"
#include "imapd/search_text.h"
#include "imapd/session.h"
#include "lib/die.h"
#include "lib/mailbox.h"
#include "lib/search_key.h"

enum { COSTS = 5, DAY = 24 * 60 * 60 };

struct job {
	struct mailbox *box;
	struct search q;
	struct texts texts;
	struct patience patience;
	int64_t now;

	uint32_t seq; /* the message at hand */
	bool lost;    /* nobody can say what its file says: it is not found */

	/* What was found; numbers or UIDs, ascending */
	uint32_t *found;
	size_t n, cap;
	uint64_t modseq, first_modseq, last_modseq;
};

static const struct imap_reply
    A_CHARSET = { OUT_NO, "BADCHARSET (UTF-8 US-ASCII ISO-8859-1)",
	"no such charset here" },
    A_TEXT = { OUT_BAD, NULL, "a text is not valid in the charset" };

/* --- preparing --------------------------------------------------------- */

static uint32_t
last_uid(const struct job *j)
{
	uint32_t n = mailbox_count(j->box);

	return n == 0 ? 0 : mailbox_msg(j->box, n)->uid;
}

/* NULL: fine. A keyword's number becomes its bit, or 64: nobody has it. */
static const struct imap_reply *
key_resolve(struct job *j, struct search_key *k, const struct charset *charset)
{
	int bit;

	switch (k->what) {
	case SEARCH_SET:
		imap_set_resolve(&k->set, mailbox_count(j->box));
		return NULL;
	case SEARCH_UID:
		imap_set_resolve(&k->set, last_uid(j));
		return NULL;
	case SEARCH_KEYWORD:
	case SEARCH_UNKEYWORD:
		bit = mailbox_keyword_bit(j->box, k->name, false);
		k->number = bit < 0 ? MAILBOX_KEYWORDS_MAX : (uint64_t)bit;
		return NULL;
	case SEARCH_HEADER:
	case SEARCH_BODY:
	case SEARCH_TEXT:
		return texts_add(&j->texts, k, charset) == -1 ? &A_TEXT : NULL;
	default:
		return NULL;
	}
}

static const struct imap_reply *
resolve_all(struct job *j)
{
	const struct charset *charset = NULL;
	const struct imap_reply *r = NULL;

	if (j->q.charset.n > 0 &&
	    (charset = charset_find(j->q.charset)) == NULL)
		return &A_CHARSET;
	for (size_t i = 0; i < j->q.n && r == NULL; i++)
		r = key_resolve(j, &j->q.key[i], charset);
	return r;
}

static unsigned
own_cost(const struct search_key *k)
{
	switch (k->what) {
	case SEARCH_BEFORE:
	case SEARCH_ON:
	case SEARCH_SINCE:
	case SEARCH_OLDER:
	case SEARCH_YOUNGER:
	case SEARCH_LARGER:
	case SEARCH_SMALLER:
		return 1;
	case SEARCH_SENTBEFORE:
	case SEARCH_SENTON:
	case SEARCH_SENTSINCE:
		return 2;
	case SEARCH_HEADER:
	case SEARCH_BODY:
	case SEARCH_TEXT:
		return texts_cost(k);
	default:
		return 0;
	}
}

/* Its cost; what is below it is put in order, cheap ones first. */
static unsigned
key_order(struct search *q, uint32_t k)
{
	uint32_t first[COSTS] = { 0 }, last[COSTS] = { 0 }, next;
	uint32_t *at = &q->key[k].below;
	unsigned cost, most = own_cost(&q->key[k]);

	for (uint32_t c = q->key[k].below; c != 0; c = next) {
		next = q->key[c].next;
		q->key[c].next = 0;
		cost = key_order(q, c);
		if (first[cost] == 0)
			first[cost] = c;
		else
			q->key[last[cost]].next = c;
		last[cost] = c;
		most = cost > most ? cost : most;
	}
	for (size_t i = 0; i < COSTS; i++)
		if (first[i] != 0) {
			*at = first[i];
			at = &q->key[last[i]].next;
		}
	return most;
}

/* --- matching ---------------------------------------------------------- */

/* Ask again after anything that may read a file. */
static const struct mailbox_msg *
msg(const struct job *j)
{
	return mailbox_msg(j->box, j->seq);
}

/* Days since the epoch, as INTERNALDATE is told: in UTC. */
static int64_t
day_of(int64_t when)
{
	return when >= 0 ? when / DAY : -((DAY - 1 - when) / DAY);
}

/* False: it is gone. */
static bool
looked(struct job *j)
{
	j->lost |= mailbox_look(j->box, j->seq) == -1;
	return !j->lost;
}

static bool
match_size(struct job *j, const struct search_key *k)
{
	uint64_t size;

	if (!looked(j))
		return false;
	size = msg(j)->size;
	if (!msg(j)->size_known && texts_size(&j->texts, &size) == -1)
		return false;
	return k->what == SEARCH_LARGER ? size > k->number : size < k->number;
}

static bool
arrived(struct job *j, int64_t *when)
{
	if (!looked(j))
		return false;
	*when = msg(j)->internaldate;
	return true;
}

static bool
match_day(enum search_what how, int64_t day, int64_t wanted)
{
	switch (how) {
	case SEARCH_BEFORE:
	case SEARCH_SENTBEFORE:
		return day < wanted;
	case SEARCH_ON:
	case SEARCH_SENTON:
		return day == wanted;
	default:
		return day >= wanted;
	}
}

static bool
match_keyword(const struct job *j, const struct search_key *k)
{
	bool has = k->number < MAILBOX_KEYWORDS_MAX &&
	    (msg(j)->keywords >> k->number & 1) != 0;

	return has == (k->what == SEARCH_KEYWORD);
}

static bool
match_one(struct job *j, struct search_key *k)
{
	int64_t day, when;

	switch (k->what) {
	case SEARCH_SET:
		return imap_set_has(&k->set, j->seq);
	case SEARCH_UID:
		return imap_set_has(&k->set, msg(j)->uid);
	case SEARCH_FLAG:
		return (msg(j)->flags & k->flags) == k->flags &&
		    (msg(j)->flags & k->without) == 0;
	case SEARCH_KEYWORD:
	case SEARCH_UNKEYWORD:
		return match_keyword(j, k);
	case SEARCH_LARGER:
	case SEARCH_SMALLER:
		return match_size(j, k);
	case SEARCH_BEFORE:
	case SEARCH_ON:
	case SEARCH_SINCE:
		return arrived(j, &when) &&
		    match_day(k->what, day_of(when), k->day);
	case SEARCH_SENTBEFORE:
	case SEARCH_SENTON:
	case SEARCH_SENTSINCE:
		/* Of no Date, or none that is one: RFC 5256 2.2 */
		if (texts_sent_day(&j->texts, &day) == -1) {
			if (!arrived(j, &when))
				return false;
			day = day_of(when);
		}
		return match_day(k->what, day, k->day);
	case SEARCH_OLDER:
		return arrived(j, &when) && when <= j->now - (int64_t)k->number;
	case SEARCH_YOUNGER:
		return arrived(j, &when) && when >= j->now - (int64_t)k->number;
	case SEARCH_MODSEQ:
		return msg(j)->modseq >= k->number;
	case SEARCH_HEADER:
	case SEARCH_BODY:
	case SEARCH_TEXT:
		return texts_match(&j->texts, k);
	default:
		return true;
	}
}

/* As deep as the parser let it be: IMAP_NESTING_MAX. */
static bool
match(struct job *j, uint32_t i)
{
	struct search_key *k = &j->q.key[i];
	uint32_t c = k->below;

	switch (k->what) {
	case SEARCH_AND:
		while (c != 0 && match(j, c))
			c = j->q.key[c].next;
		return c == 0;
	case SEARCH_OR:
		while (c != 0 && !match(j, c))
			c = j->q.key[c].next;
		return c != 0;
	case SEARCH_NOT:
		return !match(j, c);
	default:
		return match_one(j, k);
	}
}

static void
found(struct job *j, bool uid)
{
	const struct mailbox_msg *m = msg(j);

	if (j->n == j->cap) {
		j->cap = j->cap == 0 ? 256 : 2 * j->cap;
		j->found = xreallocarray(j->found, j->cap, sizeof(*j->found));
	}
	if (j->n == 0)
		j->first_modseq = m->modseq;
	j->last_modseq = m->modseq;
	if (m->modseq > j->modseq)
		j->modseq = m->modseq;
	j->found[j->n++] = uid ? m->uid : j->seq;
}

static void
match_all(struct job *j, bool uid)
{
	uint32_t count = mailbox_count(j->box);
	uint64_t work = WORK_MESSAGE + WORK_KEY * (uint64_t)j->q.n;

	for (j->seq = 1; j->seq <= count; j->seq++) {
		texts_message(&j->texts, j->seq);
		j->lost = false;
		/* NOT makes no match of what could not be looked at. */
		if (match(j, 0) && !j->lost && !j->texts.missing)
			found(j, uid);
		if (!patience_has(&j->patience, work) ||
		    (j->n > 0 && j->q.returns == SEARCH_RETURN_MIN))
			break;
	}
}

/* --- the answer -------------------------------------------------------- */

/* RFC 7162 3.1.5 */
static void
out_modseq(struct imap_out *o, uint64_t modseq)
{
	out_atom(o, "MODSEQ");
	out_num(o, modseq);
}

static void
answer_plain(struct imap_out *o, const struct job *j)
{
	out_untagged(o);
	out_atom(o, "SEARCH");
	for (size_t i = 0; i < j->n; i++)
		out_num(o, j->found[i]);
	if (j->q.modseq && j->n > 0) {
		out_open(o);
		out_modseq(o, j->modseq);
		out_close(o);
	}
	out_end(o);
}

/* RFC 4731 3.2: of those that are told. */
static uint64_t
told_modseq(const struct job *j)
{
	switch (j->q.returns & ~(unsigned)SEARCH_RETURN_COUNT) {
	case SEARCH_RETURN_MIN:
		return j->first_modseq;
	case SEARCH_RETURN_MAX:
		return j->last_modseq;
	case SEARCH_RETURN_MIN | SEARCH_RETURN_MAX:
		return j->first_modseq > j->last_modseq ? j->first_modseq
							: j->last_modseq;
	default:
		return j->modseq;
	}
}

static void
answer_extended(
    struct imap_out *o, const struct job *j, struct span tag, bool uid)
{
	out_untagged(o);
	out_atom(o, "ESEARCH");
	out_open(o);
	out_atom(o, "TAG");
	out_string(o, tag);
	out_close(o);
	if (uid)
		out_atom(o, "UID");
	if ((j->q.returns & SEARCH_RETURN_MIN) != 0 && j->n > 0) {
		out_atom(o, "MIN");
		out_num(o, j->found[0]);
	}
	if ((j->q.returns & SEARCH_RETURN_MAX) != 0 && j->n > 0) {
		out_atom(o, "MAX");
		out_num(o, j->found[j->n - 1]);
	}
	if ((j->q.returns & SEARCH_RETURN_ALL) != 0 && j->n > 0) {
		out_atom(o, "ALL");
		out_set(o, j->found, j->n);
	}
	if ((j->q.returns & SEARCH_RETURN_COUNT) != 0) {
		out_atom(o, "COUNT");
		out_num(o, j->n);
	}
	if (j->q.modseq && j->n > 0)
		out_modseq(o, told_modseq(j));
	out_end(o);
}

static const struct imap_reply *
job_run(struct session *s, struct job *j, bool uid)
{
	const struct imap_reply *r = resolve_all(j);

	if (r != NULL)
		return r;
	(void)key_order(&j->q, 0);
	match_all(j, uid);
	if (j->patience.end != NULL)
		return j->patience.end;
	if (j->q.extended)
		answer_extended(&s->out, j, s->tag, uid);
	else
		answer_plain(&s->out, j);
	return &A_OK;
}

const struct imap_reply *
search_run(struct session *s, struct span args, bool uid)
{
	const struct imap_reply *r = &A_SYNTAX;
	struct job j = { .box = s->box, .now = (int64_t)time(NULL) };

	patience_init(&j.patience, s);
	texts_init(&j.texts, s->box, &j.patience);
	if (search_parse(args, &s->scratch, &j.q) == 0)
		r = job_run(s, &j, uid);
	search_fini(&j.q);
	texts_fini(&j.texts);
	free(j.found);
	return r;
}
