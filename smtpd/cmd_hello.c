/*
 * cmd_hello: HELO and EHLO (RFC 5321 4.1.1.1), STARTTLS (RFC 3207).
 */
#include <stdlib.h>

#include "lib/buf.h"
#include "lib/chars.h"
#include "lib/conn.h"
#include "lib/log.h"
#include "lib/sasl.h"
#include "smtpd/auth.h"
#include "smtpd/commands.h"
#include "smtpd/replies.h"
#include "smtpd/server.h"
#include "smtpd/session.h"

/*
 * What may stand in our Received header without harm: names, literals, and
 * what clients send that know neither ("DESKTOP_7", "::1"). RFC 5321 4.1.4:
 * a name that does not match must not be refused for that.
 */
static bool
is_helo(struct span s)
{
	size_t i;

	if (s.n == 0 || s.n > SMTP_DOMAIN_MAX)
		return false;
	for (i = 0; i < s.n; i++)
		if (!char_is(s.p[i], CH_ALNUM) &&
		    !span_has(SPAN("-._:[]"), s.p[i]))
			return false;
	return true;
}

/* Also in the middle of a transaction, which it ends: RFC 5321 4.1.4. */
static bool
greet_back(struct session *s, struct span name)
{
	name = span_word(&name);
	if (!is_helo(name))
		return false;
	session_reset(s);
	free(s->helo);
	s->helo = span_dup(name);
	s->state = ST_READY;
	return true;
}

const void *
cmd_helo(void *session, struct span arg)
{
	struct session *s = session;

	if (!greet_back(s, arg))
		return &R_HELO_SYNTAX;
	s->esmtp = false;
	session_answer(s, &(struct reply){ 250, "", server.conf->hostname });
	return &R_SAID;
}

const void *
cmd_ehlo(void *session, struct span arg)
{
	struct session *s = session;
	struct buf b;

	if (!greet_back(s, arg))
		return &R_HELO_SYNTAX;
	s->esmtp = true;
	buf_init(&b, SMTP_REPLY_MAX);
	buf_str(&b, server.conf->hostname);
	buf_str(&b, "\nPIPELINING\nSIZE ");
	buf_num(&b, server.conf->message_size);
	if (server.tls != NULL && !s->service->local &&
	    conn_tls(s->conn) == NULL)
		buf_str(&b, "\nSTARTTLS"); /* RFC 3207 4.2: not twice */
	if (auth_is_offered(s)) {
		buf_str(&b, "\nAUTH ");
		buf_str(&b, sasl_mechs);
	}
	buf_str(&b, "\nENHANCEDSTATUSCODES\n8BITMIME");
	session_answer(s, &(struct reply){ 250, "", buf_cstr(&b) });
	buf_fini(&b);
	return &R_SAID;
}

const void *
cmd_starttls(void *session, struct span arg)
{
	struct session *s = session;

	(void)arg;
	if (conn_tls(s->conn) != NULL || s->service->local)
		return &R_SEQUENCE; /* RFC 3207 4.2 */
	if (server.tls == NULL)
		return &R_NO_TLS;
	/* RFC 3207 4.2: whatever we know from the plain text is forgotten. */
	session_reset(s);
	free(s->helo);
	s->helo = NULL;
	s->esmtp = false;
	s->state = ST_START;
	reply_write(s->conn, &R_START_TLS);
	if (conn_starttls(s->conn, server.tls, "smtp") == -1)
		session_log_refusal(s, "tls", "what",
		    SPAN("commands behind STARTTLS"), &R_PIPELINING);
	return &R_SAID;
}
