/*
 * session: its life. Two things decide what a reply means: the state, and
 * for a transaction the recipient whose turn it is. A line that is no reply,
 * a reply nobody asked for, a line that is too long: the connection is of no
 * more use, and what was begun is tried again.
 */
#include "relay/session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conn.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/map.h"
#include "lib/relay_passwords.h"
#include "lib/tls.h"
#include "relay/crowd.h"
#include "relay/dead.h"
#include "relay/self.h"

static void no_reply(struct session *);
static void quit_reply(struct session *);

static const struct {
	const char *what; /* we wait for */
	size_t timeout;   /* of struct conf; 0: RELAY_QUIT_MS */
	void (*fn)(struct session *);
} states[S_STATES] = {
#define T(field) offsetof(struct conf, relay_##field##_timeout)
	[S_CONNECT] = { "a connection", T(connect), no_reply },
	[S_GREETING] = { "the greeting", T(greeting), hello_greeting },
	[S_EHLO] = { "the answer to EHLO", T(command), hello_ehlo },
	[S_HELO] = { "the answer to HELO", T(command), hello_helo },
	[S_STARTTLS] = { "the answer to STARTTLS", T(command),
	    hello_starttls },
	[S_HANDSHAKE] = { "the TLS handshake", T(command), no_reply },
	[S_AUTH] = { "the answer to AUTH", T(command), hello_auth },
	[S_MAIL] = { "the answer to MAIL", T(command), mail_mail },
	[S_RCPT] = { "the answer to RCPT", T(command), mail_rcpt },
	[S_DATA] = { "the answer to DATA", T(data), mail_data },
	[S_BODY] = { "room for more of the message", T(send), mail_early },
	[S_DOT] = { "the answer to the message", T(dot), mail_dot },
	[S_RSET] = { "the answer to RSET", T(command), mail_rset },
	[S_IDLE] = { "nothing", T(idle), no_reply },
	[S_QUIT] = { "the answer to QUIT", 0, quit_reply },
#undef T
};

static uint64_t
timeout_of(enum session_state state)
{
	const char *conf = (const char *)relay.conf;
	uint64_t s;

	if (states[state].timeout == 0)
		return RELAY_QUIT_MS;
	memcpy(&s, conf + states[state].timeout, sizeof(s));
	return s * 1000;
}

/* Who keeps us waiting keeps others from their turn, if there are many. */
static uint64_t
patience(const struct session *s, enum session_state state)
{
	uint64_t ms = timeout_of(state);

	if (state < S_BODY && s->transport == JOB_MX && jobs_are_many())
		ms /= RELAY_CROWD_SHARE;
	return ms;
}

void
session_enter(struct session *s, enum session_state state)
{
	uint64_t ms = patience(s, state), now = loop_now();

	s->state = state;
	if (state >= S_MAIL && state <= S_DOT && now + ms > s->until)
		ms = s->until > now ? s->until - now : 1;
	conn_deadline(s->conn, ms);
}

/*
 * All that we have asked for was answered: who has said more already, say
 * 250 to a message that was not sent yet, said it to nobody knows what.
 */
void
session_say(struct session *s, struct span bytes)
{
	if (conn_unread(s->conn).n > 0)
		session_fail_us(s, TRIP_NEXT, "4.5.0",
		    "%s spoke before it was its turn", s->target.text);
	else
		conn_write(s->conn, bytes);
}

/* --- failures ---------------------------------------------------------- */

void
session_fail(struct session *s, enum trip_again again, const struct verdict *v)
{
	if (!s->failed) {
		s->failed = true;
		s->again = again;
		s->verdict = *v;
	}
	s->gone = true;
	conn_abort(s->conn);
}

void
session_fail_us(struct session *s, enum trip_again again,
    const char *enhanced, const char *fmt, ...)
{
	struct verdict v;
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	verdict_set(&v, 451, enhanced, true, "%s", text);
	session_fail(s, again, &v);
}

void
session_fail_reply(struct session *s, enum trip_again again)
{
	struct verdict v;
	int code = s->reply.code;

	verdict_reply(&v, &s->reply, code >= 400 && code < 500 ? code : 451);
	v.host_down = true;
	session_fail(s, again, &v);
}

static void
no_reply(struct session *s)
{
	if (s->state == S_IDLE) { /* "421 you are too quiet" */
		session_quit(s);
		return;
	}
	session_fail_us(s, TRIP_NEXT, "4.5.0",
	    "%s spoke before it was its turn", s->target.text);
}

static void
quit_reply(struct session *s)
{
	conn_close(s->conn);
}

/* --- replies ----------------------------------------------------------- */

static void
on_line(struct conn *conn, struct span line, bool crlf)
{
	struct session *s = conn_arg(conn);

	(void)crlf; /* old servers end lines in LF */
	switch (smtp_reply_line(&s->reply, line)) {
	case REPLY_MORE:
		return;
	case REPLY_BAD:
		session_fail_us(s, TRIP_NEXT, "4.5.0",
		    "%s answered with something that is no reply",
		    s->target.text);
		return;
	case REPLY_WHOLE:
		break;
	}
	s->answered = true;
	if (s->reply.code == 421) /* RFC 5321 3.8: whatever was asked */
		s->gone = true;
	states[s->state].fn(s);
	smtp_reply_clear(&s->reply);
}

static void
on_toolong(struct conn *conn)
{
	struct session *s = conn_arg(conn);

	session_fail_us(s, TRIP_NEXT, "4.5.0",
	    "%s answered with a line that has no end", s->target.text);
}

static void
on_connect(struct conn *conn)
{
	struct session *s = conn_arg(conn);

	dead_forget(&s->target);
	if (self_answers(relay.conf, conn, &s->target))
		session_fail_us(s, TRIP_LOOP, "4.4.6", "%s is this host itself",
		    s->target.text);
	else
		hello_begin(s);
}

static void
on_tls(struct conn *conn)
{
	hello_secure(conn_arg(conn));
}

static void
on_drained(struct conn *conn)
{
	struct session *s = conn_arg(conn);

	if (s->state == S_BODY)
		mail_more(s);
}

/* The rest is done when it is closed. */
static void
on_timeout(struct conn *conn)
{
	struct session *s = conn_arg(conn);

	if (s->state == S_IDLE) {
		session_idle_forget(s);
		session_say(s, SPAN("QUIT\r\n"));
	}
}

/* --- the end ----------------------------------------------------------- */

/* Why, if nobody has said it yet. */
static void
lost_verdict(struct session *s, enum conn_why why)
{
	const char *what = states[s->state].what, *host = s->target.text;
	int errnum = conn_errno(s->conn);
	struct verdict v;

	if (s->state == S_CONNECT && why == CONN_TIMEOUT)
		verdict_set(&v, 451, "4.4.1", true, "%s does not answer", host);
	else if (s->state == S_CONNECT)
		verdict_set(&v, 451, "4.4.1", true, "%s: %s", host,
		    strerror(errnum != 0 ? errnum : ECONNREFUSED));
	else if (why == CONN_TLS || s->state == S_HANDSHAKE)
		verdict_set(&v, 451, "4.7.5", true, "TLS with %s failed: %s",
		    host, conn_tls(s->conn) == NULL ?
			"it spoke before the handshake" :
			why == CONN_TIMEOUT ? "timeout" :
			tls_error(conn_tls(s->conn)));
	else if (why == CONN_TIMEOUT)
		verdict_set(&v, 451, "4.4.2", true,
		    "timeout while waiting for %s of %s", what, host);
	else
		verdict_set(&v, 451, "4.4.2", true,
		    "%s closed the connection while we waited for %s", host,
		    what);
	s->verdict = v;
	s->again = TRIP_NEXT;
}

/* What a closed connection is to the trip that used it. */
static enum trip_again
again_of(const struct session *s)
{
	bool secret = s->state == S_HANDSHAKE || s->state == S_STARTTLS;

	/* Servers close idle connections: no fault of the message. */
	if (s->messages > 1 && s->state == S_MAIL && !s->answered)
		return TRIP_FRESH;
	if (secret && s->level == TLS_LEVEL_MAY && !s->plain &&
	    s->again == TRIP_NEXT)
		return TRIP_PLAIN;
	return s->again;
}

static void
uncount(struct session *s)
{
	if (s->counted)
		crowd_leave(&s->target);
	s->counted = false;
}

static void
session_free(struct session *s)
{
	session_idle_forget(s);
	smtp_reply_fini(&s->reply);
	free(s);
	relay.sessions--;
	relay_left();
	trips_wake();
}

static void
on_close(struct conn *conn, enum conn_why why)
{
	struct session *s = conn_arg(conn);
	struct trip *t = s->trip;

	if (t != NULL && !s->failed)
		lost_verdict(s, why);
	if (s->state == S_CONNECT && !s->failed)
		dead_note(&s->target);
	uncount(s); /* or the same target again would be one too many */
	s->trip = NULL;
	if (t != NULL && s->state >= S_RCPT && s->state <= S_RSET) {
		s->trip = t;
		mail_lost(s, &s->verdict);
	} else if (t != NULL) {
		trip_failed(t, again_of(s), &s->verdict);
	}
	session_free(s);
}

void
session_done(struct session *s)
{
	struct trip *t = s->trip;

	s->trip = NULL;
	/* By now the server has sent its ticket; the next call may use it. */
	if (s->messages == 1 && conn_tls(s->conn) != NULL)
		ticket_keep(s, conn_tls(s->conn));
	if (s->gone)
		conn_close(s->conn);
	else if (s->messages >= relay.conf->relay_reuse || relay.leaving ||
	    s->maps != relay.maps ||
	    relay.conf->relay_idle_timeout == 0)
		session_quit(s);
	else
		session_idle_put(s);
	if (t != NULL)
		trip_done(t);
	if (s->idle)
		trips_idle(s);
}

void
session_quit(struct session *s)
{
	session_idle_forget(s);
	if (s->gone || s->state == S_QUIT) {
		conn_close(s->conn);
		return;
	}
	session_say(s, SPAN("QUIT\r\n"));
	session_enter(s, S_QUIT);
}

bool
session_is_late(const struct session *s)
{
	return s->state == S_DOT && s->taken > 0;
}

void
session_cancel(struct session *s)
{
	session_fail_us(s, TRIP_NEXT, "4.3.2", "nobody waits for it");
}

/* --- begin ------------------------------------------------------------- */

static const struct conn_ops ops = {
	.on_line = on_line,
	.on_toolong = on_toolong,
	.on_connect = on_connect,
	.on_drained = on_drained,
	.on_tls = on_tls,
	.on_timeout = on_timeout,
	.on_close = on_close,
};

/*
 * Whose name is only known from an unsigned answer of DNS cannot have less
 * asked of him than of his domain: anybody could be called by it. And who
 * gets a password is to prove that it is meant for him, unless the map says
 * that any certificate, or none, will do.
 */
static void
policy_set(struct session *s, const struct job *j)
{
	struct span domain = j->host, host = span_str(s->target.name);
	struct tls_policy p = { 0 }, least;
	struct relay_password unused;
	bool named;

	(void)tls_level_parse(span_str(relay.conf->relay_tls), &p.level);
	least = p;
	(void)tls_policy_find(relay.tls_policy, domain, SPAN_NONE, &least);
	named = tls_policy_find(relay.tls_policy, domain, host, &p);
	if (j->transport == JOB_MX && !s->target.secure &&
	    p.level < least.level)
		p = least;
	if ((p.level == TLS_LEVEL_MAY ||
		(p.level == TLS_LEVEL_NONE && !named)) &&
	    session_password(s, &unused))
		p.level = TLS_LEVEL_VERIFY;
	s->level = j->transport == JOB_LMTP_UNIX ? TLS_LEVEL_NONE : p.level;
	if (span_copy(s->match, sizeof(s->match), p.match) == -1)
		s->match[0] = '\0';
}

static struct session *
session_new(struct trip *t, const struct target *to)
{
	const struct job *j = t->job;
	struct session *s = xcalloc(1, sizeof(*s));

	s->trip = t;
	s->maps = relay.maps;
	s->target = *to;
	s->transport = j->transport;
	s->lmtp = j->transport == JOB_LMTP || j->transport == JOB_LMTP_UNIX;
	memcpy(s->key, t->key, sizeof(s->key));
	smtp_reply_init(&s->reply);
	policy_set(s, j);
	relay.sessions++;
	s->counted = s->transport == JOB_MX;
	if (s->counted)
		crowd_enter(&s->target);
	t->session = s;
	return s;
}

void
session_open(struct trip *t, const struct target *to, bool plain)
{
	struct session *s = session_new(t, to);
	struct verdict v;

	s->plain = plain && s->level == TLS_LEVEL_MAY; /* it may be new */
	s->conn = conn_connect((const struct sockaddr *)&to->ss, to->len, &ops,
	    s, RELAY_LINE_MAX, RELAY_OUT_MAX);
	if (s->conn != NULL) {
		session_enter(s, S_CONNECT);
		if (to->more && patience(s, S_CONNECT) > RELAY_FAST_MS)
			conn_deadline(s->conn, RELAY_FAST_MS);
		return;
	}
	verdict_set(&v, 451, "4.4.1", true, "%s: %s", to->text,
	    strerror(errno));
	if (errno != EMFILE && errno != ENFILE && errno != EACCES)
		dead_note(to);
	uncount(s);
	smtp_reply_fini(&s->reply);
	free(s);
	relay.sessions--;
	trip_failed(t, TRIP_NEXT, &v);
}

void
session_open_fd(struct trip *t, const struct target *to, int fd)
{
	struct session *s = session_new(t, to);

	s->conn = conn_new(fd, &ops, s, RELAY_LINE_MAX, RELAY_OUT_MAX);
	hello_begin(s);
}

void
session_send(struct session *s, struct trip *t)
{
	s->trip = t;
	t->session = s;
	mail_begin(s);
}
