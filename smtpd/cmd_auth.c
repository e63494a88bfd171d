/*
 * cmd_auth: AUTH, RFC 4954.
 *
 *	READY --AUTH--> [SASL --line--> ...] --credentials--> asked
 *	  ^                                                     |
 *	  +------------------------- 235, 535, 454 -------------+
 *
 * Invariants: nobody is asked for a password outside TLS; each attempt has
 * a fresh exchange, wiped at its end; what a wrong attempt left behind is
 * only the number of attempts.
 */
#include "smtpd/auth.h"

#include <string.h>

#include <bsd/string.h>

#include "lib/base64.h"
#include "lib/conn.h"
#include "lib/ipc_auth.h"
#include "lib/log.h"
#include "lib/sasl.h"
#include "smtpd/commands.h"
#include "smtpd/peers.h"
#include "smtpd/replies.h"
#include "smtpd/session.h"

static struct buf packet = { .max = IPC_BODY_MAX };

bool
auth_is_offered(const struct session *s)
{
	return s->service->submission && conn_tls(s->conn) != NULL &&
	    s->login == NULL;
}

void
auth_end(struct session *s)
{
	sasl_free(&s->sasl);
	if (s->state == ST_SASL) {
		s->state = ST_READY;
		conn_line_mode(s->conn, SMTP_LINE_MAX);
	}
}

static const struct reply *
verdict_ask(struct session *s)
{
	struct ipc_auth q = {
		.service = SPAN("smtp"),
		.authzid = s->sasl->authzid,
		.authcid = s->sasl->authcid,
		.password = s->sasl->password,
		.remote = span_str(s->client),
		.sid = span_str(s->sid),
	};
	int rc = -1;

	buf_clear(&packet);
	ipc_auth_encode(&packet, &q);
	if (!packet.bad)
		rc = peer_ask(ROLE_AUTH, s, IPC_AUTH, buf_get(&packet));
	explicit_bzero(packet.p, packet.n);
	auth_end(s);
	if (rc == -1)
		return &R_AUTH_LATER;
	conn_pause(s->conn);
	conn_deadline(s->conn, SMTP_ANSWER_MS);
	return &R_PENDING;
}

static const struct reply *
challenge(struct session *s)
{
	struct buf b;

	buf_init(&b, SMTP_REPLY_MAX);
	buf_str(&b, "334 ");
	base64_encode(&b, s->sasl->challenge);
	buf_str(&b, "\r\n");
	conn_write(s->conn, buf_get(&b));
	buf_fini(&b);
	s->state = ST_SASL;
	conn_line_mode(s->conn, SMTP_AUTH_LINE_MAX);
	return &R_SAID;
}

static const struct reply *
step(struct session *s, enum sasl_step got)
{
	switch (got) {
	case SASL_MORE:
		return challenge(s);
	case SASL_DONE:
		return verdict_ask(s);
	case SASL_BAD:
		break;
	}
	auth_end(s);
	return &R_AUTH_BASE64; /* RFC 4954 4: also for "*" */
}

const struct reply *
auth_line(struct session *s, struct span line)
{
	return step(s, sasl_step_base64(s->sasl, line));
}

const void *
cmd_auth(void *session, struct span arg)
{
	struct session *s = session;
	struct span mech;

	if (!s->service->submission)
		return &R_NOT_HERE;
	if (s->login != NULL)
		return &R_IS_AUTHENTICATED; /* RFC 4954 4 */
	if (conn_tls(s->conn) == NULL)
		return &R_NEED_TLS;
	mech = span_word(&arg);
	if ((s->sasl = sasl_new(mech)) == NULL)
		return &R_AUTH_MECH;
	return step(s, sasl_step_first(s->sasl, arg));
}

static void
log_verdict(const struct session *s, const struct ipc_auth_is *is,
    const struct reply *r)
{
	log_begin(LL_INFO, "auth");
	log_str("sid", s->sid);
	log_str("client", s->client);
	if (is->user.n != 0)
		log_span("user", is->user);
	log_num("code", (uint64_t)r->code);
	if (is->why.n != 0)
		log_span("why", is->why);
	log_end();
}

static const struct reply *
verdict_reply(struct session *s, const struct ipc_auth_is *is)
{
	switch (is->verdict) {
	case AUTH_OK:
		return &R_AUTH_OK;
	case AUTH_BAD:
		if (++s->auth_tries >= SMTP_AUTH_TRIES)
			return &R_AUTH_LIMITED;
		return &R_AUTH_BAD;
	case AUTH_LIMITED:
		return &R_AUTH_LIMITED;
	}
	return &R_AUTH_LATER;
}

int
auth_answer(struct session *s, struct ipc_msg *msg)
{
	struct ipc_auth_is is;
	const struct reply *r;

	if (ipc_auth_is_decode(msg->body, &is) == -1 ||
	    is.verdict > AUTH_LIMITED ||
	    (is.verdict == AUTH_OK && is.user.n == 0))
		return -1;
	if (s == NULL)
		return 0;
	r = verdict_reply(s, &is);
	if (r == &R_AUTH_OK && (s->login = span_dup(is.user)) == NULL)
		return -1; /* a NUL in a name */
	log_verdict(s, &is, r);
	session_resume(s, r);
	return 0;
}

void
auth_lost(struct session *s)
{
	session_resume(s, &R_AUTH_LATER);
}
