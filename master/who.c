/*
 * who: see the header. What it knows of a session came from auth with the
 * question for it; it is text, and never looked into.
 *
 *	asked --> telling --all seen--> end()
 *	            |  ^
 *	            v  | a little later, if the asker is slow
 *	          waiting    (asker gone: freed, in any state)
 *
 * A place in the list is kept as the serial number of a child, since the
 * child itself may be gone at the next step.
 */
#include "master/who.h"

#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "lib/die.h"
#include "lib/ipc_ctl.h"
#include "lib/json.h"
#include "lib/log.h"
#include "master/child.h"

enum {
	STEP_SESSIONS = 500,      /* a turn of the loop */
	STEP_BYTES = 48 * 1024,   /* or so many of text */
	UNREAD_MAX = 1024 * 1024, /* that an asker may leave */
	UNREAD_WAIT = 20,         /* ms until it is looked at again */
	KICK_MS = 10 * 1000,      /* from BYE to SIGKILL */
};

struct who {
	struct ipc *to;
	uint32_t id;
	bool kick, json;
	struct buf words; /* the request, into which whom points */
	struct span whom[CTL_ARGS_MAX];
	size_t nwhom;
	uint64_t below; /* serial of the last one that was looked at */
	size_t hits;
	struct buf out;
	struct timer step;
	who_end_fn *end;
	void *arg;
};

static bool
is_session(const struct child *c)
{
	return (c->role == ROLE_POP3D || c->role == ROLE_IMAPD) && !c->stem;
}

static struct span
text_or_none(const char *s)
{
	return s == NULL ? SPAN_NONE : span_str(s);
}

static bool
is_meant(const struct who *w, const struct child *c)
{
	for (size_t i = 0; i < w->nwhom; i++)
		if (span_ieq(text_or_none(c->login), w->whom[i]) ||
		    span_eq(text_or_none(c->sid), w->whom[i]) ||
		    span_ieq(text_or_none(c->client), w->whom[i]))
			return true;
	return w->nwhom == 0 && !w->kick; /* not all by a slip */
}

/* --- what is told ------------------------------------------------------ */

static const char *
service(const struct child *c)
{
	return c->role == ROLE_IMAPD ? "imap" : "pop3";
}

static const char *
state(const struct child *c)
{
	return c->stopping ? "ending" : c->ready ? "open" : "starting";
}

static void
tell_json(struct buf *b, const struct child *c)
{
	buf_fmt(b, "{\"service\":\"%s\"", service(c));
	json_pair(b, "user", c->login == NULL ? "" : c->login);
	json_pair(b, "client", c->client == NULL ? "" : c->client);
	json_pair(b, "sid", c->sid == NULL ? "" : c->sid);
	buf_fmt(b, ",\"pid\":%ld,\"since\":%jd,\"state\":\"%s\"}\n",
	    (long)c->pid, (intmax_t)c->since_wall, state(c));
}

/* Filled up with blanks; at least one follows. */
static void
put_column(struct buf *b, const char *text, size_t width)
{
	size_t before = b->n;

	buf_safe(b, text_or_none(text));
	do
		buf_char(b, ' ');
	while (b->n - before < width && !b->bad);
}

static void
tell_text(struct buf *b, const struct child *c)
{
	time_t t = (time_t)c->since_wall;
	char when[32] = "";
	struct tm tm;

	if (gmtime_r(&t, &tm) != NULL)
		(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	put_column(b, c->login, 28);
	put_column(b, service(c), 5);
	put_column(b, c->client, 16);
	put_column(b, when, 21);
	buf_fmt(b, "%7ld ", (long)c->pid);
	buf_safe(b, text_or_none(c->sid));
	if (!c->ready || c->stopping)
		buf_fmt(b, " %s", state(c));
	buf_char(b, '\n');
}

static void
tell_head(struct buf *b)
{
	put_column(b, "user", 28);
	put_column(b, "", 5);
	put_column(b, "client", 16);
	put_column(b, "since", 21);
	buf_str(b, "    pid session\n");
}

/* Between two commands: "* BYE", "-ERR". */
static void
kick(struct who *w, struct child *c)
{
	if (!c->stopping) {
		log_begin(LL_INFO, "kick");
		log_str("role", role_name(c->role));
		log_num("pid", (uint64_t)c->pid);
		log_span("sid", text_or_none(c->sid));
		log_span("user", text_or_none(c->login));
		log_span("client", text_or_none(c->client));
		log_end();
		child_stop(c, true);
		child_kill_after(c, KICK_MS);
	}
	tell_text(&w->out, c);
}

static void
tell(struct who *w, struct child *c)
{
	if (w->hits++ == 0 && !w->json)
		tell_head(&w->out);
	if (w->kick)
		kick(w, c);
	else if (w->json)
		tell_json(&w->out, c);
	else
		tell_text(&w->out, c);
}

/* --- one step after the other ------------------------------------------ */

static void
over(struct who *w)
{
	unsigned status = w->hits == 0 && w->nwhom > 0 ? EX_NOINPUT : EX_OK;
	const char *why = w->hits > 0 || w->json ? ""
	    : w->nwhom > 0                       ? "no such session"
						 : "nobody is logged in";

	w->end(w->arg, w->id, status, why);
}

static void
on_step(struct timer *t)
{
	struct who *w = t->arg;
	struct child *c;
	unsigned n = 0;

	if (ipc_waiting(w->to) > UNREAD_MAX) {
		loop_timer(t, UNREAD_WAIT);
		return;
	}
	for (c = children; c != NULL && n < STEP_SESSIONS &&
	     w->out.n < STEP_BYTES; c = c->next) {
		if (c->serial >= w->below)
			continue;
		w->below = c->serial;
		n++;
		if (is_session(c) && is_meant(w, c))
			tell(w, c);
	}
	/* -1: the asker is gone; we shall be told */
	(void)ipc_send(w->to, IPC_CTL_TEXT, w->id, buf_get(&w->out), -1, -1);
	buf_clear(&w->out);
	if (c != NULL)
		loop_timer(t, 0);
	else
		over(w);
}

struct who *
who_begin(struct ipc *to, uint32_t id, const struct ipc_ctl *words,
    who_end_fn *end, void *arg)
{
	struct who *w = xcalloc(1, sizeof(*w));
	struct ipc_ctl in;

	*w = (struct who){ .to = to, .id = id, .below = UINT64_MAX,
		.end = end, .arg = arg };
	buf_init(&w->words, IPC_BODY_MAX);
	buf_init(&w->out, 2 * STEP_BYTES);
	ipc_ctl_encode(&w->words, words); /* a copy */
	if (ipc_ctl_decode(buf_get(&w->words), &in) == -1)
		die("who: a request that changes");
	w->kick = span_eq(in.argv[0], SPAN("kick"));
	for (size_t i = 1; i < in.argc; i++) {
		if (span_eq(in.argv[i], SPAN("--json")))
			w->json = !w->kick;
		else
			w->whom[w->nwhom++] = in.argv[i];
	}
	w->step.fn = on_step;
	w->step.arg = w;
	loop_timer(&w->step, 0);
	return w;
}

void
who_free(struct who *w)
{
	if (w == NULL)
		return;
	loop_untimer(&w->step);
	buf_fini(&w->words);
	buf_fini(&w->out);
	free(w);
}
