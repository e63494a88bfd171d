/*
 * ctl: list, show, count, flush, hold, release, remove.
 *
 *	VERB [--json] [SELECTOR ...]
 *	SELECTOR: a queue id, an address, a domain, or sender=, recipient=,
 *	destination=; several select what any of them does; none selects all
 *	(list, flush only)
 *
 * A message that waits is read from its file when it is asked about, so a
 * large queue costs time, not memory. A request looks at VISIT_STEP messages
 * a turn, and at none while its asker has much to read: mail goes on
 * meanwhile. One request at a time is served per connection.
 *
 *	asked --ids collected--> visiting --all visited--> END sent
 *	                           |  ^
 *	                           v  | OUT_WAIT later, if the asker is slow
 *	                          waiting    (asker gone: freed, in any state)
 */
#include "queue/ctl.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/accept.h"
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

enum {
	TEXT_PIECE = 32 * 1024,
	VISIT_STEP = 200,       /* messages a turn */
	OUT_MAX = 1024 * 1024,  /* bytes that an asker may leave unread */
	OUT_WAIT = 20,          /* ms until it is looked at again */
};

struct request;
struct subject;
typedef void subject_fn(struct request *, struct subject *);

struct request {
	struct ipc *to;
	uint32_t id;
	bool json;
	size_t nsel;
	struct span sel[CTL_ARGS_MAX]; /* into words */
	struct buf words;
	struct buf out;
	size_t hits;
	bool gone; /* the asker does not take more */
	subject_fn *fn;
	uint64_t *qid;          /* to be visited, from next on */
	size_t n, cap, next;
	struct timer step;
};

/* A message that waits, or is active; m is borrowed. */
struct subject {
	struct message *m;
	bool active;
	int64_t next;
	bool held;
};

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
request_free(struct request *q)
{
	if (q == NULL)
		return;
	loop_untimer(&q->step);
	buf_fini(&q->out);
	buf_fini(&q->words);
	free(q->qid);
	free(q);
}

/* Ends the request; its memory goes with the step that called. */
static void
finish(struct request *q, int status, const char *why)
{
	struct ipc_ctl_end end = { (uint32_t)status, span_str(why) };
	struct buf b;

	out_flush(q, 0);
	buf_init(&b, 4096);
	ipc_ctl_end_encode(&b, &end);
	if (!q->gone)
		(void)ipc_send(q->to, IPC_CTL_END, q->id, buf_get(&b), -1, -1);
	buf_fini(&b);
	q->fn = NULL;
}

/* RFC 8259 7, 8.1: no controls, UTF-8. */
static void
json_text(struct buf *b, const char *s)
{
	struct buf safe;

	buf_init(&safe, strlen(s) + 1);
	buf_safe(&safe, span_str(s));
	buf_char(b, '"');
	for (size_t i = 0; i < safe.n; i++) {
		if (safe.p[i] == '"' || safe.p[i] == '\\')
			buf_char(b, '\\');
		buf_char(b, safe.p[i]);
	}
	buf_char(b, '"');
	buf_fini(&safe);
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

static void
collect(struct request *q, uint64_t qid)
{
	if (q->n == q->cap) {
		q->cap = q->cap == 0 ? 64 : 2 * q->cap;
		q->qid = xreallocarray(q->qid, q->cap, sizeof(*q->qid));
	}
	q->qid[q->n++] = qid;
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
collect_named(struct request *q)
{
	uint64_t qid;

	for (size_t i = 0; i < q->nsel; i++)
		if (qid_parse(q->sel[i], &qid) == -1)
			return false;
	for (size_t i = 0; i < q->nsel; i++)
		if (qid_parse(q->sel[i], &qid) == 0)
			collect(q, qid);
	return q->nsel > 0;
}

static void
visit(struct request *q, uint64_t qid)
{
	struct subject s = { .m = message_find(qid) };

	s.active = s.m != NULL;
	if (s.active && s.m->incoming)
		return; /* nobody was told that it is here */
	if (s.active) {
		s.held = s.m->held;
	} else {
		if ((s.next = wait_find(qid, &s.held)) == -1 ||
		    (s.m = message_load(qid, false)) == NULL)
			return;
	}
	if (is_selected(q, s.m)) {
		q->hits++;
		q->fn(q, &s);
	}
	/* It may have freed an active one; a loaded one is ours. */
	if (!s.active && s.m != NULL)
		message_free(s.m);
}

static void
collect_all(struct request *q)
{
	int64_t next;
	bool held;

	message_each(collect_message, q);
	for (size_t i = 0; i < wait_count(); i++)
		collect(q, wait_at(i, &next, &held));
	if (q->n > 0)
		qsort(q->qid, q->n, sizeof(*q->qid), by_qid);
}

/* Some of them; the last step ends the request. */
static void
step(struct request *q)
{
	size_t end = q->n - q->next < VISIT_STEP ? q->n : q->next + VISIT_STEP;

	if (ipc_waiting(q->to) > OUT_MAX) {
		loop_timer(&q->step, OUT_WAIT);
		return;
	}
	while (q->next < end && !q->gone)
		visit(q, q->qid[q->next++]);
	if (q->next < q->n && !q->gone) {
		loop_timer(&q->step, 0);
		return;
	}
	schedule_due();
	if (q->hits == 0 && q->nsel > 0)
		finish(q, EX_NOINPUT, "no such message in the queue");
	else if (q->hits == 0 && q->fn == do_list && !q->json)
		finish(q, EX_OK, "the queue is empty");
	else
		finish(q, EX_OK, "");
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
	wait_add(s->m->qid, 0, false, 0);
}

static void
do_hold(struct request *q, struct subject *s)
{
	if (s->held)
		return;
	s->m->held = true; /* an active one is held when it comes back */
	note(s->m, SPOOL_HELD);
	if (!s->active)
		wait_add(s->m->qid, s->next, true, 0);
	say(q, s->m, "held");
}

static void
do_release(struct request *q, struct subject *s)
{
	if (!s->held)
		return;
	s->m->held = false;
	note(s->m, SPOOL_RELEASED);
	if (!s->active)
		wait_add(s->m->qid, 0, false, 0);
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
	q->fn = v->fn;
	if (!collect_named(q))
		collect_all(q);
	step(q);
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

struct asker {
	struct request *request; /* NULL: it has none */
};

static void
ended(struct asker *a)
{
	if (a->request == NULL || a->request->fn != NULL)
		return;
	request_free(a->request);
	a->request = NULL;
}

static void
on_step(struct timer *t)
{
	struct asker *a = t->arg;

	step(a->request);
	ended(a);
}

/* The words outlive the packet: they are kept, and read again from there. */
static int
on_message(struct ipc *ipc, struct ipc_msg *m, void *arg)
{
	struct asker *a = arg;
	struct request *q;
	struct ipc_ctl in;

	if (m->type != IPC_CTL || a->request != NULL)
		return -1;
	q = a->request = xcalloc(1, sizeof(*q));
	q->to = ipc;
	q->id = m->id;
	q->step.fn = on_step;
	q->step.arg = a;
	buf_init(&q->out, IPC_BODY_MAX);
	buf_init(&q->words, IPC_BODY_MAX);
	buf_span(&q->words, m->body);
	if (ipc_ctl_decode(buf_get(&q->words), &in) == -1)
		return -1;
	serve(q, &in);
	ended(a);
	return 0;
}

static void
on_gone(struct ipc *ipc, void *arg)
{
	struct asker *a = arg;

	request_free(a->request);
	free(a);
	ipc_free(ipc);
}

static void
on_accept(struct accept *a, int fd, const struct sockaddr *addr)
{
	(void)a;
	(void)addr;
	(void)ipc_new(fd, ROLE_QUEUE, ROLE_CTL, on_message, on_gone,
	    xcalloc(1, sizeof(struct asker)));
}

void
ctl_listen(int fd)
{
	static struct accept listener;

	if (accept_open(&listener, fd, on_accept, NULL) == -1)
		die("cannot listen on queue.sock");
}
