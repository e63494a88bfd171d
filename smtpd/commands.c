/*
 * commands: what may be said when. The ordering rules of RFC 5321 4.1.4 are
 * the states column; what is not listed is refused.
 *
 * Invariant: no command's effect depends on bytes that came behind it. Only
 * MAIL, RCPT and RSET may have something behind them (RFC 2920 3.1), and
 * only after EHLO; anything else that did not wait for its answer ends the
 * session, so that a body can never become commands.
 */
#include "smtpd/commands.h"

#include "lib/conn.h"
#include "lib/log.h"
#include "lib/proto.h"
#include "smtpd/replies.h"
#include "smtpd/session.h"

enum {
	MET = ST_READY | ST_MAIL | ST_RCPT, /* greeted each other */
	ANY = ST_START | MET,
};

/* clang-format off */
static const struct proto_command commands[] = {
	/* verb, valid in, argument, handler */
	{ "RCPT", ST_MAIL | ST_RCPT, ARG_NEEDED, cmd_rcpt },
	{ "MAIL", ST_READY, ARG_NEEDED, cmd_mail },
	{ "DATA", ST_MAIL | ST_RCPT, ARG_NONE, cmd_data },
	{ "EHLO", ANY, ARG_NEEDED, cmd_ehlo },
	{ "HELO", ANY, ARG_NEEDED, cmd_helo },
	{ "QUIT", ANY, ARG_NONE, cmd_quit },
	{ "RSET", ANY, ARG_NONE, cmd_rset },
	{ "NOOP", ANY, ARG_OPTIONAL, cmd_noop },
	{ "STARTTLS", ST_READY, ARG_NONE, cmd_starttls },
	{ "AUTH", ST_READY, ARG_NEEDED, cmd_auth },
	{ "VRFY", ANY, ARG_NEEDED, cmd_vrfy },
	{ "EXPN", ANY, ARG_NEEDED, cmd_expn },
	{ "HELP", ANY, ARG_OPTIONAL, cmd_help },
	/* A browser, tricked into talking to us (ALPACA): hang up. */
	{ "GET", ANY, ARG_OPTIONAL, cmd_not_smtp },
	{ "POST", ANY, ARG_OPTIONAL, cmd_not_smtp },
	{ "PUT", ANY, ARG_OPTIONAL, cmd_not_smtp },
	{ "HEAD", ANY, ARG_OPTIONAL, cmd_not_smtp },
	{ "OPTIONS", ANY, ARG_OPTIONAL, cmd_not_smtp },
	{ "CONNECT", ANY, ARG_OPTIONAL, cmd_not_smtp },
	{ "DELETE", ANY, ARG_OPTIONAL, cmd_not_smtp },
	{ "PATCH", ANY, ARG_OPTIONAL, cmd_not_smtp },
	{ "TRACE", ANY, ARG_OPTIONAL, cmd_not_smtp },
	{ "PRI", ANY, ARG_OPTIONAL, cmd_not_smtp }, /* RFC 9113 3.4 */
};
/* clang-format on */

/* RFC 2920 3.1; QUIT, since nothing that follows it is read. */
static bool
may_be_followed(const struct session *s, const struct proto_command *c)
{
	if (c == NULL)
		return false;
	if (c->fn == cmd_quit || c->fn == cmd_not_smtp)
		return true;
	return s->esmtp &&
	    (c->fn == cmd_rcpt || c->fn == cmd_mail || c->fn == cmd_rset);
}

/*
 * Commands that bring no mail any nearer. Somebody who only talks holds a
 * connection for ever.
 */
static bool
is_idle_talk(const struct proto_command *c)
{
	return c->fn == cmd_noop || c->fn == cmd_rset || c->fn == cmd_vrfy ||
	    c->fn == cmd_expn || c->fn == cmd_help || c->fn == cmd_ehlo ||
	    c->fn == cmd_helo;
}

/* Which rule was broken: a client's author wants to know. */
static const struct reply *
sequence_reply(const struct session *s, const struct proto_command *c)
{
	if ((s->state & MET) == 0)
		return &R_SAY_HELLO;
	if (c->fn == cmd_mail)
		return &R_NESTED_MAIL;
	return &R_SEQUENCE;
}

const struct reply *
command_run(struct session *s, struct span line)
{
	const struct proto_command *c = NULL;
	enum proto_found found;
	struct span arg;

	found = proto_find(commands, nitems(commands), s->state, line, &c,
	    &arg);
	if (conn_unread(s->conn).n != 0 && !may_be_followed(s, c))
		return &R_PIPELINING;
	switch (found) {
	case PROTO_OK:
		if (is_idle_talk(c) && ++s->idle_talk > SMTP_IDLE_TALK_MAX)
			return &R_IDLE_TALK;
		return c->fn(s, arg);
	case PROTO_STATE:
		return sequence_reply(s, c);
	case PROTO_ARGUMENT:
		return c->arg == ARG_NONE ? &R_SYNTAX : &R_NO_ARGUMENT;
	case PROTO_UNKNOWN:
		break;
	}
	return &R_UNKNOWN;
}
