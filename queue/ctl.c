/*
 * ctl: list, show, count, flush, hold, release, remove.
 *
 *	VERB [--json] [SELECTOR ...]
 *	SELECTOR: a queue id, an address, a domain, or sender=, recipient=,
 *	destination=; several select what any of them does; none selects all
 *	(list, flush only)
 *
 * A message that waits is read from its file when it is asked about, so a
 * large queue costs time, not memory; one request at a time is served per
 * connection, in one go.
 */
#include "queue/ctl.h"

#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/accept.h"
#include "lib/chars.h"
#include "lib/die.h"
#include "lib/header.h"
#include "lib/ipc_ctl.h"
#include "lib/log.h"
#include "lib/qid.h"
#include "queue/queue.h"
#include "queue/schedule.h"
#include "queue/select.h"
#include "queue/settle.h"
#include "queue/store.h"
#include "queue/wait.h"

enum { TEXT_PIECE = 32 * 1024 };

struct request {
	struct ipc *to;
	uint32_t id;
	bool json;
	size_t nsel;
	struct span sel[CTL_ARGS_MAX];
	struct buf out;
	size_t hits;
	bool gone; /* the asker does not take more */
};

/* A message that waits, or is active; m is borrowed. */
struct subject {
	struct message *m;
	bool active;
	int64_t next;
	bool held;
};

typedef void subject_fn(struct request *, struct subject *);

/* --- output ------------------------------------------------------------ */

static void
out_flush(struct request *q, size_t least)
{
	if (q->out.n < least || q->out.n == 0)
		return;
	if (!q->gone && ipc_send(q->to, IPC_CTL_TEXT, q->id, buf_get(&q->out),
			    -1, -1) == -1)
		q->gone = true;
	buf_clear(&q->out);
}

static void
finish(struct request *q, int status, const char *why)
{
	struct ipc_ctl_end end = { (uint32_t)status, span_str(why) };
	struct buf b;

	out_flush(q, 0);
	buf_init(&b, 4096);
	ipc_ctl_end_encode(&b, &end);
	(void)ipc_send(q->to, IPC_CTL_END, q->id, buf_get(&b), -1, -1);
	buf_fini(&b);
	buf_fini(&q->out);
}

/* RFC 8259 7; the text has no controls (lib/spool.c). */
static void
json_text(struct buf *b, const char *s)
{
	buf_char(b, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			buf_char(b, '\\');
		if (char_is(*s, CH_CTL))
			buf_char(b, '?');
		else
			buf_char(b, *s);
	}
	buf_char(b, '"');
}

static const char *
state_of(const struct subject *s)
{
	if (s->held)
		return "held";
	return s->active ? "active" : "deferred";
}

static void
list_json(struct request *q, struct subject *s)
{
	struct message *m = s->m;
	struct buf *b = &q->out;
	bool first = true;

	buf_str(b, "{\"qid\":");
	json_text(b, message_qid(m));
	buf_str(b, ",\"state\":");
	json_text(b, state_of(s));
	buf_fmt(b, ",\"arrived\":%jd,\"next\":%jd,\"size\":%ju,\"attempts\":%u,",
	    (intmax_t)m->arrived, (intmax_t)s->next, (uintmax_t)m->size,
	    m->attempts);
	buf_str(b, "\"sender\":");
	json_text(b, m->sender);
	buf_str(b, ",\"recipients\":[");
	for (size_t i = 0; i < m->nrcpt; i++) {
		if (!rcpt_is_open(&m->rcpt[i]))
			continue;
		buf_str(b, first ? "{\"address\":" : ",{\"address\":");
		json_text(b, m->rcpt[i].address);
		if (m->rcpt[i].reply != NULL) {
			buf_fmt(b, ",\"code\":%d,\"why\":",
			    m->rcpt[i].reply->code);
			json_text(b, m->rcpt[i].reply->text);
		}
		buf_char(b, '}');
		first = false;
	}
	buf_str(b, "]}\n");
}

/* "in 5m", "now", "-" */
static void
put_next(struct buf *b, const struct subject *s)
{
	int64_t left = s->next - loop_wall();

	if (s->active || s->held)
		buf_str(b, "-");
	else if (left <= 0)
		buf_str(b, "now");
	else if (left < 120)
		buf_fmt(b, "in %jds", (intmax_t)left);
	else if (left < 7200)
		buf_fmt(b, "in %jdm", (intmax_t)left / 60);
	else
		buf_fmt(b, "in %jdh", (intmax_t)left / 3600);
}

static void
list_text(struct request *q, struct subject *s)
{
	struct message *m = s->m;
	struct buf *b = &q->out;

	buf_fmt(b, "%s %8ju ", message_qid(m), (uintmax_t)m->size);
	header_date(b, m->arrived);
	buf_fmt(b, " %s, next try ", state_of(s));
	put_next(b, s);
	buf_str(b, ", from <");
	buf_str(b, m->sender);
	buf_str(b, ">\n");
	for (size_t i = 0; i < m->nrcpt; i++) {
		if (!rcpt_is_open(&m->rcpt[i]))
			continue;
		buf_str(b, "            to <");
		buf_str(b, m->rcpt[i].address);
		buf_char(b, '>');
		if (m->rcpt[i].reply != NULL)
			buf_fmt(b, ": %d %s %s", m->rcpt[i].reply->code,
			    m->rcpt[i].reply->enhanced,
			    m->rcpt[i].reply->text);
		buf_char(b, '\n');
	}
}

static void
do_list(struct request *q, struct subject *s)
{
	(q->json ? list_json : list_text)(q, s);
	out_flush(q, TEXT_PIECE);
}

static void
do_show(struct request *q, struct subject *s)
{
	static char text[SMALL_BODY_MAX];
	int fd;
	ssize_t n = 0;

	do_list(q, s);
	if (q->json)
		return;
	fd = store_open(s->m->qid);
	if (fd != -1)
		n = store_read(fd, text,
		    s->m->size < sizeof(text) ? (size_t)s->m->size :
						sizeof(text),
		    s->m->body_at);
	if (n > 0) {
		out_flush(q, 0);
		buf_char(&q->out, '\n');
		buf_span(&q->out, span_of(text, (size_t)n));
		out_flush(q, 0);
	}
	if (fd != -1)
		(void)close(fd);
}

/* --- which messages ---------------------------------------------------- */

static bool
is_selected(const struct request *q, const struct message *m)
{
	for (size_t i = 0; i < q->nsel; i++)
		if (select_matches(m, q->sel[i]))
			return true;
	return q->nsel == 0;
}

/* --- all of them ------------------------------------------------------- */

struct collected {
	uint64_t *qid;
	size_t n, cap;
};

static void
collect(struct collected *c, uint64_t qid)
{
	if (c->n == c->cap) {
		c->cap = c->cap == 0 ? 256 : 2 * c->cap;
		c->qid = xreallocarray(c->qid, c->cap, sizeof(*c->qid));
	}
	c->qid[c->n++] = qid;
}

static void
collect_message(struct message *m, void *arg)
{
	collect(arg, m->qid);
}

static int
by_qid(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Only queue ids were given: no need to look at all files. */
static bool
collect_named(struct request *q, struct collected *c)
{
	uint64_t qid;

	for (size_t i = 0; i < q->nsel; i++)
		if (qid_parse(q->sel[i], &qid) == -1)
			return false;
	for (size_t i = 0; i < q->nsel; i++)
		if (qid_parse(q->sel[i], &qid) == 0)
			collect(c, qid);
	return q->nsel > 0;
}

static void
visit(struct request *q, uint64_t qid, subject_fn *fn)
{
	struct subject s = { .m = message_find(qid) };

	s.active = s.m != NULL;
	if (s.active) {
		s.held = s.m->held;
	} else {
		if ((s.next = wait_find(qid, &s.held)) == -1 ||
		    (s.m = message_load(qid, false)) == NULL)
			return;
	}
	if (is_selected(q, s.m)) {
		q->hits++;
		fn(q, &s);
	}
	/* fn may have freed an active one; a loaded one is ours. */
	if (!s.active && s.m != NULL)
		message_free(s.m);
}

static void
each(struct request *q, subject_fn *fn)
{
	struct collected c = { 0 };
	int64_t next;
	bool held;

	if (!collect_named(q, &c)) {
		message_each(collect_message, &c);
		for (size_t i = 0; i < wait_count(); i++)
			collect(&c, wait_at(i, &next, &held));
		if (c.n > 0)
			qsort(c.qid, c.n, sizeof(*c.qid), by_qid);
	}
	for (size_t i = 0; i < c.n && !q->gone; i++)
		visit(q, c.qid[i], fn);
	free(c.qid);
}

/* --- verbs that change ------------------------------------------------- */

static void
note(struct message *m, enum spool_record_type type)
{
	message_note(m,
	    &(struct spool_record){ .type = type, .when = loop_wall() });
	message_flush(m);
}

static void
say(struct request *q, struct message *m, const char *what)
{
	log_begin(LL_INFO, what);
	log_str("qid", message_qid(m));
	log_str("from", m->sender);
	log_end();
	buf_str(&q->out, message_qid(m));
	buf_char(&q->out, ' ');
	buf_str(&q->out, what);
	buf_char(&q->out, '\n');
	out_flush(q, TEXT_PIECE);
}

static void
do_flush(struct request *q, struct subject *s)
{
	(void)q;
	if (s->active || s->held)
		return;
	wait_drop(s->m->qid);
	wait_add(s->m->qid, 0, false);
}

static void
do_hold(struct request *q, struct subject *s)
{
	if (s->held)
		return;
	s->m->held = true; /* an active one is held when it comes back */
	note(s->m, SPOOL_HELD);
	if (!s->active) {
		wait_drop(s->m->qid);
		wait_add(s->m->qid, s->next, true);
	}
	say(q, s->m, "held");
}

static void
do_release(struct request *q, struct subject *s)
{
	if (!s->held)
		return;
	s->m->held = false;
	note(s->m, SPOOL_RELEASED);
	if (!s->active) {
		wait_drop(s->m->qid);
		wait_add(s->m->qid, 0, false);
	}
	say(q, s->m, "released");
}

static void
do_remove(struct request *q, struct subject *s)
{
	say(q, s->m, "removed");
	if (s->active) {
		settle_remove(s->m);
	} else {
		wait_drop(s->m->qid);
		store_remove(s->m->qid);
	}
}

static const struct verb {
	const char *name;
	subject_fn *fn;
	bool all; /* without a selector: all messages */
} verbs[] = {
	{ "list", do_list, true },
	{ "show", do_show, false },
	{ "flush", do_flush, true },
	{ "hold", do_hold, false },
	{ "release", do_release, false },
	{ "remove", do_remove, false },
};

static void
run(struct request *q, const struct verb *v)
{
	if (q->nsel == 0 && !v->all) {
		finish(q, EX_USAGE, "which message? name a queue id, or "
				    "sender=, recipient=, destination=");
		return;
	}
	each(q, v->fn);
	schedule_due();
	if (q->hits == 0 && q->nsel > 0)
		finish(q, EX_NOINPUT, "no such message in the queue");
	else if (q->hits == 0 && v->fn == do_list && !q->json)
		finish(q, EX_OK, "the queue is empty");
	else
		finish(q, EX_OK, "");
}

static void
count(struct request *q)
{
	buf_fmt(&q->out, "%zu\n", message_count() + wait_count());
	finish(q, EX_OK, "");
}

/* 0, or the number of the word that is none. */
static size_t
request_parse(struct request *q, const struct ipc_ctl *in)
{
	for (size_t i = 1; i < in->argc; i++) {
		if (span_eq(in->argv[i], SPAN("--json")))
			q->json = true;
		else if (select_ok(in->argv[i]))
			q->sel[q->nsel++] = in->argv[i];
		else
			return i;
	}
	return 0;
}

static void
complain(struct request *q, struct span word)
{
	struct buf why;

	buf_init(&why, 1024);
	buf_char(&why, '"');
	buf_safe(&why, span_slice(word, 0, 200));
	buf_str(&why, "\" is no queue id, address or domain, and not sender=, "
	    "recipient= or destination=");
	finish(q, EX_USAGE, buf_cstr(&why));
	buf_fini(&why);
}

static void
serve(struct request *q, const struct ipc_ctl *in)
{
	size_t bad = request_parse(q, in);

	if (bad != 0) {
		complain(q, in->argv[bad]);
		return;
	}
	if (in->argc > 0 && span_eq(in->argv[0], SPAN("count"))) {
		count(q);
		return;
	}
	for (size_t i = 0; in->argc > 0 && i < nitems(verbs); i++)
		if (span_eq(in->argv[0], span_str(verbs[i].name))) {
			run(q, &verbs[i]);
			return;
		}
	finish(q, EX_USAGE, "no such request");
}

/* --- connections ------------------------------------------------------- */

static int
on_message(struct ipc *ipc, struct ipc_msg *m, void *arg)
{
	struct ipc_ctl in;
	struct request q = { .to = ipc, .id = m->id };

	(void)arg;
	if (m->type != IPC_CTL || ipc_ctl_decode(m->body, &in) == -1)
		return -1;
	buf_init(&q.out, IPC_BODY_MAX);
	serve(&q, &in);
	return 0;
}

static void
on_gone(struct ipc *ipc, void *arg)
{
	(void)arg;
	ipc_free(ipc);
}

static void
on_accept(struct accept *a, int fd, const struct sockaddr *addr)
{
	(void)a;
	(void)addr;
	(void)ipc_new(fd, ROLE_QUEUE, ROLE_CTL, on_message, on_gone, NULL);
}

void
ctl_listen(int fd)
{
	static struct accept listener;

	if (accept_open(&listener, fd, on_accept, NULL) == -1)
		die("cannot listen on queue.sock");
}
