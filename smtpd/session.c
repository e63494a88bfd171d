/*
 * session: one client of smtpd, from accept to close.
 *
 *	GREET --220--> START --EHLO--> READY --MAIL--> MAIL --RCPT--> RCPT
 *	                 ^            | ^  ^ |           |     DATA     |
 *	                 +--STARTTLS--+ |  | +--AUTH-+   |  +-----------+
 *	                                |  |         v   v  v 354
 *	              RSET, EHLO, answer|  +-235--  SASL   BODY
 *	              to the final dot  +----------------------+
 *
 *	any state --221, 421--> GONE --output flushed--> closed
 *
 * Invariants: mail is there exactly in MAIL, RCPT and BODY; sasl exactly
 * from AUTH to its verdict's question. A session that waits for queue or
 * auth (question), or whose reply is held back (late), is paused, so no
 * line comes meanwhile. on_close frees it, and nothing else does.
 */
#include "smtpd/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "lib/accept.h"
#include "lib/buf.h"
#include "lib/conn.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/os.h"
#include "lib/qid.h"
#include "lib/tally.h"
#include "lib/tls.h"
#include "smtpd/auth.h"
#include "smtpd/commands.h"
#include "smtpd/guest.h"
#include "smtpd/mail.h"
#include "smtpd/peers.h"
#include "smtpd/replies.h"
#include "smtpd/server.h"
#include "smtpd/submit.h"

static struct session *sessions; /* all of them */

static const struct service services[] = {
	{ .name = "smtp" },
	{ .name = "submission", .submission = true },
	{ .name = "submissions", .submission = true, .tls_first = true },
	{ .name = "local", .local = true },
};

const struct service *
service_find(const char *name)
{
	size_t i;

	for (i = 0; i < nitems(services); i++)
		if (strcmp(services[i].name, name) == 0)
			return &services[i];
	return NULL;
}

bool
session_may_relay(const struct session *s)
{
	return s->login != NULL || (s->trusted && !s->service->submission);
}

void
session_log_refusal(struct session *s, const char *event, const char *key,
    struct span value, const struct reply *r)
{
	log_begin(LL_INFO, event);
	log_str("sid", s->sid);
	log_str("client", s->client);
	if (s->login != NULL)
		log_str("user", s->login);
	log_span(key, value);
	log_num("code", (uint64_t)r->code);
	log_str("why", r->text);
	log_end();
}

void
session_reset(struct session *s)
{
	mail_free(s->mail);
	s->mail = NULL;
	if (s->state & (ST_MAIL | ST_RCPT | ST_BODY))
		s->state = ST_READY;
}

void
session_say(struct session *s, const struct reply *r)
{
	reply_write(s->conn, r);
	if (reply_is_last(r)) {
		if (r->code != 221)
			session_log_refusal(s, "limit", "what",
			    SPAN("session"), r);
		s->state = ST_GONE;
		conn_close(s->conn);
		return;
	}
	if (server.hurried && s->state != ST_BODY) {
		session_say(s, &R_STOPPING); /* RFC 5321 3.8 */
		return;
	}
	conn_deadline(s->conn, guest_patience(s));
}

static void
on_late(struct timer *t)
{
	struct session *s = t->arg;
	const struct reply *r = s->late_reply;

	s->late_reply = NULL;
	session_say(s, r);
	if (s->state != ST_GONE)
		conn_resume(s->conn);
}

/* A client that guesses is slowed down, then sent away. */
static void
punish(struct session *s, const struct reply *r)
{
	/* sendmail(8) does not guess, but its caller may have an old list. */
	uint64_t budget = s->service->local ? server.conf->recipients_max :
	    server.conf->smtp_errors;
	uint64_t wait;

	s->errors++;
	if (s->errors > budget) {
		reply_write(s->conn, r);
		r = &R_ERRORS;
	}
	if (s->errors <= budget / 2 || r == &R_ERRORS) {
		session_say(s, r);
		return;
	}
	s->late_reply = r;
	s->late = (struct timer){ .fn = on_late, .arg = s };
	wait = (s->errors - budget / 2) * SMTP_DELAY_MS;
	loop_timer(&s->late, wait < SMTP_DELAY_MAX_MS ? wait :
	    SMTP_DELAY_MAX_MS);
	conn_deadline(s->conn, 0);
	conn_pause(s->conn);
}

void
session_answer(struct session *s, const struct reply *r)
{
	if (r == &R_SAID || r == &R_PENDING)
		return;
	if (r->code >= 500 && !reply_is_last(r))
		punish(s, r);
	else
		session_say(s, r);
}

void
session_resume(struct session *s, const struct reply *r)
{
	session_say(s, r);
	if (s->state != ST_GONE)
		conn_resume(s->conn);
}

static void
greet(struct session *s)
{
	struct buf b;

	if (conn_spoke_early(s->conn)) { /* RFC 5321 4.3.1 */
		session_say(s, &R_EARLY);
		return;
	}
	buf_init(&b, SMTP_REPLY_MAX);
	buf_str(&b, server.conf->hostname);
	buf_str(&b, " ESMTP Postern");
	s->state = ST_START;
	session_say(s, &(struct reply){ 220, "", buf_cstr(&b) });
	buf_fini(&b);
}

static const struct reply *
line_answer(struct session *s, struct span line, bool crlf)
{
	const struct reply *r = NULL;

	if (!crlf)
		r = &R_NOT_CRLF; /* RFC 5321 2.3.8 */
	else if (span_has(line, '\0') || span_has(line, '\r'))
		r = &R_NUL;
	if (s->state != ST_SASL)
		return r != NULL ? r : command_run(s, line);
	if (conn_unread(s->conn).n != 0)
		r = &R_PIPELINING;
	if (r == NULL)
		return auth_line(s, line);
	auth_end(s);
	return r;
}

static void
on_line(struct conn *c, struct span line, bool crlf)
{
	struct session *s = conn_arg(c);

	session_answer(s, line_answer(s, line, crlf));
}

static void
on_toolong(struct conn *c)
{
	struct session *s = conn_arg(c);
	const struct reply *r = &R_TOO_LONG;

	if (s->state == ST_SASL) {
		auth_end(s);
		r = &R_AUTH_LONG; /* RFC 4954 4 */
	}
	session_answer(s, r);
}

static size_t
on_raw(struct conn *c, struct span bytes)
{
	return submit_bytes(conn_arg(c), bytes);
}

static void
on_tls(struct conn *c)
{
	struct session *s = conn_arg(c);
	const struct tls *t = conn_tls(c);

	log_begin(LL_DEBUG, "tls");
	log_str("sid", s->sid);
	log_str("version", tls_version(t));
	log_str("cipher", tls_cipher(t));
	log_end();
	if (s->service->tls_first)
		greet(s);
	else
		conn_deadline(c, guest_patience(s));
}

static void
on_timeout(struct conn *c)
{
	struct session *s = conn_arg(c);

	if (s->state != ST_GREET && s->state != ST_GONE)
		reply_write(c, &R_TIMEOUT); /* RFC 5321 4.5.3.2 */
}

static void
log_close(const struct session *s, enum conn_why why)
{
	static const char *const names[] = {
		[CONN_DONE] = "done",
		[CONN_EOF] = "client closed",
		[CONN_ERROR] = "connection lost",
		[CONN_TIMEOUT] = "timeout",
		[CONN_TLS] = "TLS handshake failed",
		[CONN_OVERFLOW] = "client does not read",
	};

	/* Who hangs up after 221 without reading it has not lost anything. */
	if (s->state == ST_GONE && (why == CONN_EOF || why == CONN_ERROR))
		why = CONN_DONE;
	log_begin(LL_INFO, "disconnect");
	log_str("sid", s->sid);
	log_str("client", s->client);
	log_num("messages", s->accepted);
	log_num("errors", s->errors);
	if (why == CONN_TLS && conn_tls(s->conn) != NULL)
		log_str("tls", tls_error(conn_tls(s->conn)));
	log_str("why", names[why]);
	log_end();
}

/* As whom a client is counted that is not simply trusted. */
static struct span
who_is(const struct service *service, const char *login,
    const struct sockaddr *sa)
{
	return service->local ? span_str(login) : tally_network(sa);
}

static void
on_close(struct conn *c, enum conn_why why)
{
	struct session *s = conn_arg(c);

	log_close(s, why);
	peer_forget(s);
	loop_untimer(&s->late);
	if (s->mail != NULL)
		submit_abort(s->mail);
	auth_end(s);
	mail_free(s->mail);
	if (s->counted)
		guest_leaves(who_is(s->service, s->login, &s->addr.sa));
	if (s->next != NULL)
		s->next->prev = s->prev;
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		sessions = s->next;
	server.guests[s->kind]--;
	free(s->helo);
	free(s->login);
	free(s);
	server.sessions--;
	server_left();
}

static const struct conn_ops ops = {
	.on_line = on_line,
	.on_toolong = on_toolong,
	.on_raw = on_raw,
	.on_tls = on_tls,
	.on_timeout = on_timeout,
	.on_close = on_close,
};

/* A client that may not stay: one line, at once, and no session. */
static void
turn_away(int fd, const char *client, const char *login,
    const struct service *service, const struct reply *r)
{
	struct buf b;

	log_begin(LL_INFO, "limit");
	log_str("client", client);
	log_str("user", login);
	log_num("code", (uint64_t)r->code);
	log_str("why", r->text);
	log_end();
	buf_init(&b, SMTP_REPLY_MAX);
	reply_lines(&b, r);
	if (!service->tls_first) /* what does not fit now is not worth more */
		(void)!send(fd, b.p, b.n, MSG_DONTWAIT | MSG_NOSIGNAL);
	buf_fini(&b);
	fd_close(&fd);
}

static struct session *
session_new(int fd, const union client_addr *addr, const char *client,
    const struct service *service)
{
	struct session *s = xcalloc(1, sizeof(*s));

	s->state = ST_GREET;
	s->service = service;
	s->addr = *addr;
	strlcpy(s->client, client, sizeof(s->client));
	qid_text(qid_new(), s->sid);
	s->next = sessions;
	if (sessions != NULL)
		sessions->prev = s;
	sessions = s;
	server.sessions++;
	s->conn = conn_new(fd, &ops, s, SMTP_LINE_MAX, SMTP_OUT_MAX);
	return s;
}

/* On the local socket the kernel knows who it is. Heap; NULL: nobody. */
static char *
local_login(int fd)
{
	enum { LOGIN_MAX = 31 };
	char *login;
	uid_t uid;
	gid_t gid;
	struct buf b;

	if (os_peer_id(fd, &uid, &gid) == -1)
		return NULL;
	buf_init(&b, LOGIN_MAX);
	buf_str(&b, "uid=");
	buf_num(&b, uid);
	login = span_dup(buf_get(&b));
	buf_fini(&b);
	return login;
}

static void
begin(struct session *s)
{
	log_begin(LL_INFO, "connect");
	log_str("sid", s->sid);
	log_str("client", s->client);
	log_str("service", s->service->name);
	log_str("user", s->login);
	log_end();
	conn_deadline(s->conn, guest_patience(s));
	if (!s->service->tls_first)
		greet(s);
	else if (server.tls == NULL)
		conn_abort(s->conn);
	else
		(void)conn_starttls(s->conn, server.tls, "smtp");
}

static bool
is_root(const char *login)
{
	return login != NULL && strcmp(login, "uid=0") == 0;
}

static void
copy_addr(union client_addr *to, const struct sockaddr *sa)
{
	*to = (union client_addr){ .sa.sa_family = sa->sa_family };
	if (sa->sa_family == AF_INET)
		memcpy(&to->in, sa, sizeof(to->in));
	else if (sa->sa_family == AF_INET6)
		memcpy(&to->in6, sa, sizeof(to->in6));
}

void
session_open(int fd, const struct sockaddr *sa, const struct service *service)
{
	char client[HOST_MAX];
	union client_addr addr;
	const struct reply *no;
	struct session *s;
	struct span who = SPAN_NONE;
	char *login = service->local ? local_login(fd) : NULL;
	bool trusted, counted;
	enum guest kind;

	copy_addr(&addr, sa);
	accept_address(sa, client);
	trusted = service->local ||
	    conf_nets_match(&server.conf->trusted_networks, sa);
	kind = trusted ? GUEST_TRUSTED :
	    service->submission ? GUEST_USER : GUEST_STRANGER;
	if (kind != GUEST_TRUSTED || (service->local && !is_root(login)))
		who = who_is(service, login, &addr.sa);
	if ((no = guest_comes(who, kind, &counted)) != NULL) {
		turn_away(fd, client, login, service, no);
		free(login);
		return;
	}
	s = session_new(fd, &addr, client, service);
	s->trusted = trusted;
	s->kind = kind;
	server.guests[kind]++;
	s->counted = counted;
	s->login = login;
	begin(s);
}

void
session_stop_all(void)
{
	struct session *s;

	for (s = sessions; s != NULL; s = s->next) {
		if (s->state == ST_GONE || s->state == ST_BODY ||
		    s->question != 0 || s->late_reply != NULL)
			continue; /* session_say() will tell it afterwards */
		if (s->state == ST_GREET)
			conn_abort(s->conn);
		else
			session_say(s, &R_STOPPING);
	}
}
