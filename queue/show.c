/*
 * show: lists. Text is for people; --json is one object a line (RFC 8259,
 * newline-delimited) and keeps its keys.
 */
#include "queue/show.h"

#include <string.h>

#include "lib/header.h"
#include "lib/die.h"
#include "lib/json.h"
#include "queue/destination.h"
#include "queue/queue.h"
#include "queue/route.h"
#include "queue/select.h"
#include "queue/store.h"
#include "queue/wait.h"

/* --- pieces ------------------------------------------------------------ */

static const char *
state_of(const struct subject *s)
{
	if (s->held)
		return "held";
	return s->active ? "active" : "deferred";
}

static const char *
rcpt_state_of(const struct rcpt *r)
{
	static const char *const names[] = {
		[RCPT_READY] = "ready",
		[RCPT_SENT] = "sent",
		[RCPT_DONE] = "done",
		[RCPT_DEFERRED] = "deferred",
		[RCPT_FAILED] = "failed",
	};

	return names[r->state];
}

/* "5m": how long something took, or takes. */
static void
put_span_of_time(struct buf *b, int64_t s)
{
	if (s < 120)
		buf_fmt(b, "%jds", (intmax_t)(s < 0 ? 0 : s));
	else if (s < 7200)
		buf_fmt(b, "%jdm", (intmax_t)s / 60);
	else if (s < 48 * 3600)
		buf_fmt(b, "%jdh", (intmax_t)s / 3600);
	else
		buf_fmt(b, "%jdd", (intmax_t)s / 86400);
}

/* "next try in 5m, "; nothing if none is planned */
static void
put_next(struct buf *b, const struct subject *s)
{
	int64_t left = s->next - loop_wall();

	if (s->active || s->held)
		return;
	if (left <= 0) {
		buf_str(b, "next try now, ");
		return;
	}
	buf_str(b, "next try in ");
	put_span_of_time(b, left);
	buf_str(b, ", ");
}

/* --- messages ---------------------------------------------------------- */

static void
rcpt_json(struct buf *b, const struct subject *s, const struct rcpt *r)
{
	buf_str(b, "{\"address\":");
	json_text(b, span_str(r->address));
	json_pair(b, "state", rcpt_state_of(r));
	buf_str(b, ",\"destination\":");
	json_text(b, route_name(r));
	if (r->reply != NULL) {
		buf_fmt(b, ",\"code\":%d", r->reply->code);
		json_pair(b, "enhanced", r->reply->enhanced);
		json_pair(b, "why", r->reply->text);
		if (r->host != NULL)
			json_pair(b, "host", r->host);
		buf_fmt(b, ",\"when\":%jd", (intmax_t)r->when);
	}
	if (rcpt_is_open(r) && !s->active)
		buf_fmt(b, ",\"next\":%jd", (intmax_t)s->next);
	buf_char(b, '}');
}

static void
message_json(struct request *q, struct subject *s, bool all)
{
	struct message *m = s->m;
	struct buf *b = &q->out;
	const char *sep = "";

	buf_str(b, "{\"qid\":");
	json_text(b, span_str(message_qid(m)));
	json_pair(b, "state", state_of(s));
	buf_fmt(b, ",\"arrived\":%jd,\"next\":%jd,\"size\":%ju,\"attempts\":%u",
	    (intmax_t)m->arrived, (intmax_t)s->next, (uintmax_t)m->size,
	    m->attempts);
	json_pair(b, "sender", m->sender);
	json_pair(b, "client", m->client);
	json_pair(b, "sid", m->sid);
	buf_str(b, ",\"recipients\":[");
	for (size_t i = 0; i < m->nrcpt; i++) {
		if (!all && !rcpt_is_open(&m->rcpt[i]))
			continue;
		buf_str(b, sep);
		rcpt_json(b, s, &m->rcpt[i]);
		request_say(q, false); /* there may be thousands */
		sep = ",";
	}
	buf_str(b, "]}\n");
	request_say(q, false);
}

static void
rcpt_text(struct buf *b, const struct rcpt *r)
{
	struct span way = route_name(r);

	buf_str(b, "            to <");
	buf_str(b, r->address);
	buf_char(b, '>');
	if (!span_eq(way, SPAN("local"))) {
		buf_str(b, " by ");
		buf_span(b, way);
	}
	if (!rcpt_is_open(r))
		buf_str(b, ": done");
	else if (r->reply != NULL)
		buf_fmt(b, ": %d %s %s", r->reply->code, r->reply->enhanced,
		    r->reply->text);
	buf_char(b, '\n');
	if (!rcpt_is_open(r) || r->host == NULL)
		return;
	buf_str(b, "               said ");
	buf_str(b, r->host);
	buf_str(b, ", ");
	put_span_of_time(b, loop_wall() - r->when);
	buf_str(b, " ago\n");
}

static void
message_text(struct request *q, struct subject *s, bool all)
{
	struct message *m = s->m;
	struct buf *b = &q->out;

	buf_fmt(b, "%s %8ju ", message_qid(m), (uintmax_t)m->size);
	header_date(b, m->arrived);
	buf_fmt(b, " %s, ", state_of(s));
	put_next(b, s);
	buf_str(b, "from <");
	buf_str(b, m->sender);
	buf_str(b, ">\n");
	for (size_t i = 0; i < m->nrcpt; i++) {
		if (all || rcpt_is_open(&m->rcpt[i]))
			rcpt_text(b, &m->rcpt[i]);
		request_say(q, false); /* there may be thousands */
	}
}

void
show_line(struct request *q, struct subject *s)
{
	(q->json ? message_json : message_text)(q, s, false);
}

static void
show_body(struct request *q, const struct message *m)
{
	static char text[SMALL_BODY_MAX];
	size_t size = m->size < sizeof(text) ? (size_t)m->size : sizeof(text);
	int fd = store_open(m->qid);
	ssize_t n = fd == -1 ? 0 : store_read(fd, text, size, m->body_at);

	fd_close(&fd);
	if (n <= 0)
		return;
	request_say(q, true);
	buf_char(&q->out, '\n');
	buf_span(&q->out, span_of(text, (size_t)n));
	request_say(q, true);
}

void
show_message(struct request *q, struct subject *s)
{
	(q->json ? message_json : message_text)(q, s, true);
	if (!q->json)
		show_body(q, s->m);
}

/* --- destinations ------------------------------------------------------ */

static const char *const dest_states[] = {
	[DEST_UP] = "up",
	[DEST_DOWN] = "down",
	[DEST_PROBING] = "probing",
};

/* A local one's key says more than people want to know. */
static void
put_dest_name(struct buf *b, const struct destination *d)
{
	if (!d->local)
		buf_str(b, d->key);
	else if (d->user[0] != '\0')
		buf_fmt(b, "local:%s", d->user);
	else
		buf_fmt(b, "local:%ju", (uintmax_t)d->uid);
}

static size_t
dest_waiting(const struct destination *d)
{
	return d->nready + (d->tag == 0 ? 0 : wait_tagged(d->tag));
}

static void
dest_json(struct buf *b, const struct destination *d)
{
	struct buf name;

	buf_init(&name, 2 * PATH_LEN_MAX);
	put_dest_name(&name, d);
	buf_str(b, "{\"destination\":");
	json_text(b, buf_get(&name));
	buf_fini(&name);
	json_pair(b, "state", dest_states[d->state]);
	buf_fmt(b, ",\"waiting\":%zu,\"active\":%u,\"concurrency\":%u",
	    dest_waiting(d), d->jobs, d->local ? d->nworkers : d->window);
	if (d->state == DEST_DOWN)
		buf_fmt(b, ",\"until\":%jd", (intmax_t)d->until);
	if (d->why != NULL) {
		buf_fmt(b, ",\"code\":%d", d->why->code);
		json_pair(b, "why", d->why->text);
	}
	if (d->who != NULL)
		json_pair(b, "host", d->who);
	buf_str(b, "}\n");
}

static void
dest_text(struct buf *b, const struct destination *d)
{
	put_dest_name(b, d);
	buf_fmt(b, ": %zu waiting, %u active of %u, %s", dest_waiting(d),
	    d->jobs, d->local ? d->nworkers : d->window,
	    dest_states[d->state]);
	if (d->state == DEST_DOWN) {
		buf_str(b, ", tried again in ");
		put_span_of_time(b, d->until - loop_wall());
	}
	buf_char(b, '\n');
	if (d->why == NULL)
		return;
	buf_fmt(b, "    last failure: %d %s %s", d->why->code,
	    d->why->enhanced, d->why->text);
	if (d->who != NULL) {
		buf_str(b, ", said ");
		buf_str(b, d->who);
	}
	buf_char(b, '\n');
}

static void
show_dest(struct destination *d, void *arg)
{
	struct request *q = arg;

	if (d->local && dest_waiting(d) == 0 && d->jobs == 0)
		return;
	(q->json ? dest_json : dest_text)(&q->out, d);
	q->hits++;
	request_say(q, false);
}

void
show_destinations(struct request *q)
{
	destination_each(show_dest, q);
}
