/*
 * verb_trace: the story of a message, from the log. Three readings:
 *
 *	1  lines about the address or id: their session and queue ids
 *	2  the lines that hold both ids of one message, and join them
 *	3  all lines with one of the ids, printed; what became of each message
 *
 * and at the end one sentence, so that nobody has to read the rest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/logfile.h"
#include "lib/account.h"
#include "lib/limits.h"
#include "lib/text.h"

enum { TRACE_MAX = 1000 }; /* messages, sessions of one story */

enum fate { FATE_NONE, FATE_LOGIN, FATE_MAIL, FATE_BOX };

struct trace {
	struct span query;      /* as a map key: lower case */
	struct span as_typed;
	struct text_seen qids, sids;
	size_t lines;           /* read in all, first reading */
	char *first, *last;     /* their times */
	/* the last word about the query */
	enum fate fate;
	char *ending;
	size_t messages, delivered, waits, bounced, refused;
	struct text_seen like;  /* refused addresses that resemble it */
	char *sent, *tls;       /* qid and TLS of the last that was sent */
};

static void
keep(char **where, struct span s)
{
	free(*where);
	*where = span_dup(s);
}

static void
remember(struct text_seen *ids, struct span id)
{
	if (id.n != 0 && ids->n < TRACE_MAX)
		(void)text_seen_add(ids, id, 1);
}

static bool
knows(const struct text_seen *ids, struct span id)
{
	return id.n != 0 && text_seen_has(ids, id);
}

/* Lines about mailboxes tell many queue ids: qids="A B". */
static bool
knows_one(const struct text_seen *ids, struct span list)
{
	while (list.n != 0)
		if (knows(ids, span_word(&list)))
			return true;
	return false;
}

static bool
is_about(const struct trace *t, const struct log_line *l)
{
	static const char *const keys[] = { "to", "from", "orig", "user",
		"login", "rcpt", "sender" };
	struct span value;

	for (size_t i = 0; i < nitems(keys); i++) {
		value = log_line_get(l, keys[i]);
		if (value.n != 0 && span_ieq(value, t->query))
			return true;
	}
	return span_eq(log_line_get(l, "qid"), t->as_typed) ||
	    span_eq(log_line_get(l, "sid"), t->as_typed);
}

static bool
list_has(struct span list, struct span id)
{
	while (list.n != 0)
		if (span_eq(span_word(&list), id))
			return true;
	return false;
}

static bool
is_id(const char *word)
{
	return strchr(word, '@') == NULL;
}

static void
reading_one(void *arg, const struct log_line *l)
{
	struct trace *t = arg;

	t->lines++;
	if (t->first == NULL)
		keep(&t->first, l->time);
	if (l->time.n != 0)
		keep(&t->last, l->time);
	if (list_has(log_line_get(l, "qids"), t->as_typed))
		remember(&t->qids, t->as_typed);
	if (!is_about(t, l))
		return;
	remember(&t->qids, log_line_get(l, "qid"));
	remember(&t->sids, log_line_get(l, "sid"));
}

static void
reading_two(void *arg, const struct log_line *l)
{
	struct trace *t = arg;
	struct span qid = log_line_get(l, "qid"), sid = log_line_get(l, "sid");

	if (qid.n == 0 || sid.n == 0)
		return;
	if (knows(&t->qids, qid))
		remember(&t->sids, sid);
	else if (span_eq(sid, t->as_typed)) /* asked for the session */
		remember(&t->qids, qid);
}

static const struct {
	const char *event, *words;
	enum fate fate;
} fates[] = {
	{ "queued", "is in the queue since", FATE_MAIL },
	{ "deferred", "could not be delivered yet and waits; last attempt",
	    FATE_MAIL },
	{ "delivered", "was delivered", FATE_MAIL },
	{ "discarded", "was thrown away, as the transport map says", FATE_MAIL },
	{ "bounced", "could not be delivered, and the sender was told",
	    FATE_MAIL },
	{ "expired", "waited too long, and the sender was told", FATE_MAIL },
	{ "removed", "was removed from the queue by the administrator",
	    FATE_MAIL },
	{ "rcpt", "was refused before it came in", FATE_MAIL },
	{ "mail", "was refused before it came in", FATE_MAIL },
	{ "reject", "was refused before it came in", FATE_MAIL },
	{ "auth", "was about a login", FATE_LOGIN },
	{ "login", "was a login", FATE_LOGIN },
	{ "logout", "was a session that ended", FATE_LOGIN },
};

static void
count_fate(struct trace *t, const char *event)
{
	if (strcmp(event, "queued") == 0)
		t->messages++;
	else if (strcmp(event, "delivered") == 0)
		t->delivered++;
	else if (strcmp(event, "deferred") == 0)
		t->waits++;
	else if (strcmp(event, "bounced") == 0 ||
	    strcmp(event, "expired") == 0)
		t->bounced++;
	else if (strcmp(event, "rcpt") == 0 || strcmp(event, "reject") == 0)
		t->refused++;
}

/* relay's line comes before the queue's, which is about one recipient. */
static void
note_sent(struct trace *t, const struct log_line *l)
{
	if (log_line_get(l, "tls").n == 0)
		return; /* it could not be read */
	keep(&t->sent, log_line_get(l, "qid"));
	keep(&t->tls, log_line_get(l, "tls"));
}

static void
tls_add(const struct trace *t, struct span qid, struct buf *b)
{
	if (t->sent == NULL || t->tls == NULL || !span_eq(span_str(t->sent), qid))
		return;
	if (strcmp(t->tls, "none") == 0)
		buf_str(b, ", without TLS");
	else
		buf_fmt(b, ", by %s", t->tls);
}

static void
ending_set(struct trace *t, const struct log_line *l, size_t i)
{
	static const struct {
		const char *key, *before, *after;
	} more[] = { { "to", " (to ", ")" }, { "host", ", host ", "" },
		{ "code", ", code ", "" }, { "said", ", saying: ", "" },
		{ "why", ", because: ", "" },
		{ "delay", ", ", " s after it came in" } };
	struct buf b;
	struct span v;
	bool left = strcmp(fates[i].event, "delivered") == 0 &&
	    log_line_get(l, "host").n != 0;

	buf_init(&b, 4096);
	buf_fmt(&b, "%s at ", left ? "was taken by another host" :
	                             fates[i].words);
	buf_safe(&b, l->time);
	for (size_t k = 0; k < nitems(more); k++) {
		v = log_line_get(l, more[k].key);
		if (v.n == 0)
			continue;
		buf_str(&b, more[k].before);
		buf_safe(&b, v);
		buf_str(&b, more[k].after);
		if (left && strcmp(more[k].key, "host") == 0)
			tls_add(t, log_line_get(l, "qid"), &b);
	}
	if (!b.bad)
		keep(&t->ending, buf_get(&b));
	buf_fini(&b);
	t->fate = fates[i].fate;
	count_fate(t, fates[i].event);
}

static void
line_print(const struct log_line *l)
{
	struct buf b;

	buf_init(&b, 2 * TEXT_LINE_MAX);
	buf_safe(&b, l->time);
	buf_fmt(&b, "  %-8.*s", (int)(l->program.n > 32 ? 32 : l->program.n),
	    l->program.p);
	for (size_t i = 0; i < l->n; i++) {
		buf_char(&b, ' ');
		if (i > 0) {
			buf_safe(&b, l->pair[i].key);
			buf_char(&b, '=');
		}
		buf_safe(&b, l->pair[i].value);
	}
	buf_char(&b, '\n');
	(void)ctl_print(&b);
	buf_fini(&b);
}

/* What its reader did with a message that was asked for by its id. */
static bool
fate_in_box(struct trace *t, const struct log_line *l)
{
	static const struct {
		const char *event, *words;
	} deeds[] = { { "expunge", "was removed from" },
		{ "move", "was moved from" } };
	struct span ev = log_line_get(l, "ev");
	struct buf b;

	for (size_t i = 0; i < nitems(deeds); i++) {
		if (!span_eq(ev, span_str(deeds[i].event)) ||
		    !list_has(log_line_get(l, "qids"), t->as_typed))
			continue;
		buf_init(&b, 4096);
		buf_fmt(&b, "%s the folder ", deeds[i].words);
		buf_safe(&b, log_line_get(l, "folder"));
		if (log_line_get(l, "into").n != 0) {
			buf_str(&b, " to ");
			buf_safe(&b, log_line_get(l, "into"));
		}
		buf_str(&b, " at ");
		buf_safe(&b, l->time);
		buf_str(&b, " by ");
		buf_safe(&b, log_line_get(l, "user"));
		if (!b.bad)
			keep(&t->ending, buf_get(&b));
		buf_fini(&b);
		t->fate = FATE_BOX;
		return true;
	}
	return false;
}

static void
reading_three(void *arg, const struct log_line *l)
{
	struct trace *t = arg;
	struct span qid = log_line_get(l, "qid"), sid = log_line_get(l, "sid");
	struct span ev = log_line_get(l, "ev"), to = log_line_get(l, "to");

	if (span_eq(ev, SPAN("rcpt")) && to.n != 0 && !is_about(t, l) &&
	    t->like.n < 10) {
		/* ann@exmaple.org resembles ann@example.org */
		struct span local = t->query, mine = to;

		if (span_ieq(span_cut(&local, '@'), span_cut(&mine, '@')) ||
		    (local.n != 0 && span_ieq(local, mine)))
			(void)text_seen_add(&t->like, to, 1);
	}
	if ((qid.n != 0 ? !knows(&t->qids, qid) : !knows(&t->sids, sid)) &&
	    !knows_one(&t->qids, log_line_get(l, "qids")))
		return;
	line_print(l);
	if (fate_in_box(t, l))
		return;
	if (span_eq(ev, SPAN("sent")))
		note_sent(t, l);
	/* One's own mail decides, not what became of other recipients. */
	if (!is_about(t, l) && !is_id(t->as_typed.p) &&
	    !span_eq(ev, SPAN("queued")))
		return;
	for (size_t i = 0; i < nitems(fates); i++)
		if (span_eq(ev, span_str(fates[i].event)) &&
		    fates[i].fate >= t->fate)
			ending_set(t, l, i);
}

static void
sentence_none(const struct trace *t)
{
	printf("No trace of %s", t->as_typed.p);
	if (t->lines == 0) {
		puts(": the log is empty.");
		return;
	}
	printf(" in %zu events from %s to %s: it did not reach this host in "
	       "that time.\n", t->lines, t->first, t->last);
}

static void
sentence(const struct trace *t)
{
	if (t->fate == FATE_NONE && t->qids.n == 0 && t->sids.n == 0) {
		sentence_none(t);
		return;
	}
	if (t->messages > 1)
		printf("%zu messages; %zu deliveries, %zu put off, %zu "
		       "bounced, %zu refused. The last one ", t->messages,
		    t->delivered, t->waits, t->bounced, t->refused);
	else
		printf(t->fate >= FATE_MAIL ? "The message " : "It ");
	printf("%s.\n", t->ending != NULL ? t->ending
	    : "left no word of how it ended; the session may still run");
}

/* What the queue itself says of a message that waits. */
static void
queue_ask(const struct ctl *c, const struct trace *t)
{
	static char show[] = "show";
	char id[QID_TEXT_MAX];
	char *args[] = { show, id, NULL };
	struct buf out;

	if (!is_id(t->as_typed.p) ||
	    span_copy(id, sizeof(id), t->as_typed) == -1)
		return;
	buf_init(&out, 1024 * 1024);
	if (talk(c, ROLE_QUEUE, 2, args, &out, true) == EX_OK && out.n != 0) {
		puts("\nIn the queue now:");
		(void)ctl_print(&out);
	}
	buf_fini(&out);
}

static void
trace_fini(struct trace *t)
{
	text_seen_fini(&t->qids);
	text_seen_fini(&t->sids);
	text_seen_fini(&t->like);
	free(t->first);
	free(t->last);
	free(t->ending);
	free(t->sent);
	free(t->tls);
}

static void
like_print(struct span key, void *arg)
{
	(void)arg;
	printf("Refused in that time was %.*s; is it a slip of the pen?\n",
	    SPAN_FMT(key));
}

int
verb_trace(struct ctl *c, int argc, char **argv)
{
	static void (*const readings[])(void *, const struct log_line *) = {
		reading_one, reading_two, reading_three };
	char path[LOG_FILES_MAX][1024];
	const char *given[LOG_FILES_MAX];
	size_t nfiles = 0, ngiven = 0;
	struct trace t = { 0 };
	struct buf key;
	int rc, i = 1;

	for (; i + 1 < argc && strcmp(argv[i], "--file") == 0 &&
	    ngiven < nitems(given); i += 2)
		given[ngiven++] = argv[i + 1];
	if (i != argc - 1 || argv[i][0] == '-')
		return ctl_usage("trace: which address or id?");
	if ((rc = log_files(c, given, ngiven, path, &nfiles)) != EX_OK)
		return rc;
	buf_init(&key, MAP_KEY_MAX);
	account_key(span_str(argv[i]), &key);
	t.query = buf_get(&key);
	t.as_typed = span_str(argv[i]);
	for (size_t r = 0; r < nitems(readings) && rc == EX_OK; r++)
		for (size_t j = 0; j < nfiles && rc == EX_OK; j++)
			rc = log_each(path[j], readings[r], &t);
	if (rc == EX_OK) {
		queue_ask(c, &t);
		if (t.qids.n != 0 || t.sids.n != 0)
			putchar('\n');
		sentence(&t);
		if (t.fate == FATE_NONE)
			text_seen_each(&t.like, like_print, NULL);
	}
	trace_fini(&t);
	buf_fini(&key);
	return rc;
}
