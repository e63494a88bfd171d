/*
 * pop3: what is said before a login; RFC 1939 4 and 7, STLS (RFC 2595 4),
 * AUTH (RFC 5034), CAPA (RFC 2449), response codes (RFC 2449 8, RFC 3206).
 *
 *	START --USER--> NAMED --PASS--> asked --refused--> START
 *	      --AUTH--> SASL ---------> asked
 *	      --STLS--> START, under TLS, everything forgotten
 *
 * A handler returns its one-line answer, or NULL if it has said all of it or
 * auth will. After success nothing is said here: pop3d's "+OK" comes when
 * the maildrop is open. Nothing that a client sent is repeated to it.
 */
#include "login/pop3.h"

#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/conf.h"
#include "lib/conn.h"
#include "lib/proto.h"
#include "login/ask.h"

enum { ST_START = 1, ST_NAMED = 2, ANY = ST_START | ST_NAMED };

static const char A_OK[] = "+OK";
static const char A_UNKNOWN[] = "-ERR unknown command";
static const char A_SYNTAX[] = "-ERR wrong or missing argument";
static const char A_SEQUENCE[] = "-ERR not now";
static const char A_TOO_LONG[] = "-ERR line too long";
static const char A_NUL[] = "-ERR NUL in a line";
static const char A_NAME[] = "-ERR name too long";
static const char A_USER[] = "+OK send PASS";
static const char A_NEED_TLS[] = "-ERR passwords are taken under TLS only";
static const char A_NO_TLS[] = "-ERR no TLS here";
static const char A_STLS[] = "+OK begin TLS";
static const char A_MECH[] = "-ERR no such mechanism";
static const char A_CANCEL[] = "-ERR no credentials understood";

/* Credentials */

static const char *
login(struct client *c, struct span authzid, struct span authcid,
    struct span password)
{
	if (ask_login(c, authzid, authcid, password) == 0)
		return NULL;
	return "-ERR [SYS/TEMP] cannot check passwords now";
}

static void
sasl_end(struct client *c)
{
	if (c->sasl == NULL)
		return;
	sasl_free(&c->sasl);
	conn_line_mode(c->conn, POP3_LINE_MAX);
}

static void
forget_user(struct client *c)
{
	free(c->user);
	c->user = NULL;
	c->protocol_state = ST_START;
}

static const char *
sasl_answer(struct client *c, enum sasl_step step)
{
	const char *answer = A_CANCEL;

	if (step == SASL_MORE) {
		client_challenge(c);
		conn_line_mode(c->conn, SMTP_AUTH_LINE_MAX);
		return NULL;
	}
	if (step == SASL_DONE)
		answer = login(
		    c, c->sasl->authzid, c->sasl->authcid, c->sasl->password);
	sasl_end(c);
	return answer;
}

/* Commands */

static const void *
cmd_user(void *session, struct span name)
{
	struct client *c = session;

	if (!client_may_login(c))
		return A_NEED_TLS;
	forget_user(c);
	if (name.n > AUTH_NAME_MAX)
		return A_NAME;
	c->user = span_dup(name); /* no NUL: see on_line */
	c->protocol_state = ST_NAMED;
	return A_USER; /* the same whether there is such a user: 7 */
}

/* RFC 1939 7: all after the one space is the password, blanks included. */
static struct span the_line;

static const void *
cmd_pass(void *session, struct span arg)
{
	struct client *c = session;
	struct span password = span_slice(the_line, strlen("PASS "), SIZE_MAX);
	const char *answer;

	(void)arg;
	if (!client_may_login(c))
		return A_NEED_TLS;
	answer = login(c, SPAN_NONE, span_str(c->user), password);
	forget_user(c);
	return answer;
}

static const char *
list_mechanisms(struct client *c)
{
	struct span all = span_str(sasl_mechs);

	client_say(c, A_OK);
	while (all.n > 0) {
		conn_write(c->conn, span_word(&all));
		conn_write(c->conn, SPAN("\r\n"));
	}
	return ".";
}

static const void *
cmd_auth(void *session, struct span arg)
{
	struct client *c = session;
	struct span mech;

	if (!client_may_login(c))
		return A_NEED_TLS;
	if (arg.n == 0) /* draft-myers-sasl-pop3: some clients ask like this */
		return list_mechanisms(c);
	forget_user(c);
	mech = span_word(&arg);
	if ((c->sasl = sasl_new(mech)) == NULL)
		return A_MECH;
	return sasl_answer(c, sasl_step_first(c->sasl, arg));
}

static const void *
cmd_stls(void *session, struct span none)
{
	struct client *c = session;

	(void)none;
	if (!client_may_starttls(c))
		return A_NO_TLS;
	client_say(c, A_STLS);
	c->state = CLIENT_HELLO;
	/* Closes if anything came behind the command: RFC 2595 4. */
	(void)conn_starttls(c->conn, front.tls, pop3.name);
	return NULL;
}

static const void *
cmd_capa(void *session, struct span none)
{
	static const char *const always[] = { "TOP", "UIDL", "RESP-CODES",
		"AUTH-RESP-CODE", "PIPELINING", "EXPIRE NEVER",
		"IMPLEMENTATION Postern" };
	struct client *c = session;
	size_t i;

	(void)none;
	client_say(c, A_OK);
	for (i = 0; i < nitems(always); i++)
		client_say(c, always[i]);
	if (client_may_starttls(c))
		client_say(c, "STLS");
	if (client_may_login(c)) {
		client_say(c, "USER");
		conn_write(c->conn, SPAN("SASL "));
		client_say(c, sasl_mechs);
	}
	return ".";
}

static const void *
cmd_quit(void *session, struct span none)
{
	struct client *c = session;

	(void)none;
	client_say(c, "+OK bye");
	conn_close(c->conn);
	return NULL;
}

/* clang-format off */
static const struct proto_command commands[] = {
	/* verb, valid in, argument, handler */
	{ "USER", ANY, ARG_NEEDED, cmd_user },
	{ "PASS", ST_NAMED, ARG_NEEDED, cmd_pass },
	{ "AUTH", ANY, ARG_OPTIONAL, cmd_auth },
	{ "STLS", ANY, ARG_NONE, cmd_stls },
	{ "CAPA", ANY, ARG_NONE, cmd_capa },
	{ "QUIT", ANY, ARG_NONE, cmd_quit },
};
/* clang-format on */

static const char *
dispatch(struct client *c, struct span line)
{
	const struct proto_command *cmd;
	struct span arg, rest = line;

	if (span_has(line, '\0'))
		return A_NUL;
	if (c->sasl != NULL)
		return sasl_answer(c, sasl_step_base64(c->sasl, line));
	switch (proto_find(
	    commands, nitems(commands), c->protocol_state, line, &cmd, &arg)) {
	case PROTO_OK:
		the_line = line;
		return cmd->fn(c, arg);
	case PROTO_STATE:
		return A_SEQUENCE;
	case PROTO_ARGUMENT:
		return A_SYNTAX;
	case PROTO_UNKNOWN:
		break;
	}
	if (!client_is_foreign(span_word(&rest)))
		return A_UNKNOWN;
	client_bye(c, BYE_ERRORS);
	return NULL;
}

/* What front.c calls */

static void
on_line(struct client *c, struct span line)
{
	const char *answer = dispatch(c, line);

	if (answer == NULL)
		return;
	if (answer[0] == '-')
		client_error(c, answer);
	else
		client_say(c, answer);
}

static void
on_toolong(struct client *c)
{
	sasl_end(c);
	client_error(c, A_TOO_LONG);
}

static void
greet(struct client *c)
{
	c->protocol_state = ST_START;
	conn_write(c->conn, SPAN("+OK "));
	conn_write(c->conn, span_str(front.conf->hostname));
	client_say(c, " POP3 ready"); /* no <timestamp>: no APOP */
}

static void
on_secured(struct client *c)
{
	sasl_end(c);
	forget_user(c); /* RFC 2595 4 */
}

static void
on_refused(struct client *c, enum auth_verdict verdict)
{
	/* RFC 3206 4: whose fault it is, so that clients ask anew or wait. */
	switch (verdict) {
	case AUTH_BAD:
		client_say(c, "-ERR [AUTH] wrong name or password");
		break;
	case AUTH_FULL:
		client_say(c, "-ERR [SYS/TEMP] too many sessions");
		break;
	case AUTH_LIMITED:
		client_say(c, "-ERR [SYS/TEMP] too many wrong passwords; wait");
		break;
	default:
		client_say(c, "-ERR [SYS/TEMP] cannot open your mailbox now");
		break;
	}
}

static struct span
goodbye(enum goodbye why)
{
	switch (why) {
	case BYE_TIMEOUT:
		return SPAN("-ERR too slow, bye\r\n");
	case BYE_STOPPING:
		return SPAN("-ERR [SYS/TEMP] the server stops; come back\r\n");
	case BYE_FULL:
		return SPAN("-ERR [SYS/TEMP] too many connections\r\n");
	case BYE_ERRORS:
		break;
	}
	return SPAN("-ERR enough, bye\r\n");
}

static uint64_t
session_idle(const struct conf *conf)
{
	return conf->pop3_timeout;
}

const struct protocol pop3 = {
	.name = "pop3",
	.line_max = POP3_LINE_MAX,
	.goodbye = goodbye,
	.greet = greet,
	.line = on_line,
	.toolong = on_toolong,
	.secured = on_secured,
	.refused = on_refused,
	.session_idle = session_idle,
};
