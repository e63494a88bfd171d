/*
 * imap: what is said before a login; RFC 3501 6.1 and 6.2, ID (RFC 2971),
 * SASL-IR (RFC 4959), LITERAL+ (RFC 7888), response codes (RFC 5530).
 *
 *	LINE --ends in {n}, {n+}--> RAW, n bytes --> LINE --whole--> its row
 *	AUTHENTICATE --"+ ..."--> SASL --> asked --refused--> LINE
 *	STARTTLS --> LINE, under TLS, everything forgotten
 *
 * A command is gathered whole, with its literals, in c->command, and wiped
 * when it is answered: there may be a password in it. What exceeds the bound
 * while a literal is on its way ends the connection, since nobody could say
 * any more where the next command begins. After success nothing is said
 * here: imapd answers c->tag when the mailbox is open. Nothing but its tag
 * is repeated to a client.
 */
#include "login/imap.h"

#include <stdlib.h>
#include <string.h>

#include "lib/conf.h"
#include "lib/conn.h"
#include "lib/imap_token.h"
#include "lib/proto.h"
#include "login/ask.h"

enum {
	ST_ANY = 1,
	ANSWER_MAX = 512,
	ID_PAIRS_MAX = 30, /* RFC 2971 3.3 */
};

struct answer { /* tagged: "tag NO [CODE] text" */
	const char *status, *text;
};

static const struct answer A_OK = { "OK", "done" };
static const struct answer A_SYNTAX = { "BAD", "wrong or missing argument" };
static const struct answer A_UNKNOWN = { "BAD",
	"no such command before a login" };
static const struct answer A_NUL = { "BAD", "NUL in a command" };
static const struct answer A_TOO_LONG = { "BAD", "command too long" };
static const struct answer A_NEED_TLS = { "NO",
	"[PRIVACYREQUIRED] passwords are taken under TLS only" };
static const struct answer A_NO_TLS = { "BAD", "no TLS here" };
static const struct answer A_STARTTLS = { "OK", "begin TLS" };
static const struct answer A_MECH = { "NO", "no such mechanism" };
static const struct answer A_CANCEL = { "BAD", "no credentials understood" };
static const struct answer A_NOT_NOW = { "NO",
	"[UNAVAILABLE] cannot check passwords now" };
static const struct answer A_WRONG = { "NO",
	"[AUTHENTICATIONFAILED] wrong name or password" };
static const struct answer A_LIMITED = { "NO",
	"[LIMIT] too many wrong passwords; wait" };
static const struct answer A_FULL = { "NO", "[LIMIT] too many sessions" };
static const struct answer A_LATER = { "NO",
	"[UNAVAILABLE] cannot open your mailbox now" };
static const struct answer A_LOGOUT = { "OK", "bye" };

/* What clients hear */

/* BAD and NO are counted: too many end the connection. */
static void
say(struct client *c, const struct answer *a)
{
	struct buf b;

	buf_init(&b, ANSWER_MAX);
	buf_str(&b, c->tag == NULL ? "*" : c->tag);
	buf_char(&b, ' ');
	buf_str(&b, a->status);
	buf_char(&b, ' ');
	buf_str(&b, a->text);
	if (a->status[0] == 'O')
		client_say(c, buf_cstr(&b));
	else
		client_error(c, buf_cstr(&b));
	buf_fini(&b);
}

static void
say_capabilities(struct client *c)
{
	struct span mechs = span_str(sasl_mechs);

	/* IDLE, ENABLE: some look here only for what comes after the login. */
	conn_write(c->conn,
	    SPAN("CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID ENABLE IDLE"));
	if (client_may_starttls(c))
		conn_write(c->conn, SPAN(" STARTTLS"));
	if (!client_may_login(c)) {
		conn_write(c->conn, SPAN(" LOGINDISABLED"));
		return;
	}
	while (mechs.n > 0) {
		conn_write(c->conn, SPAN(" AUTH="));
		conn_write(c->conn, span_word(&mechs));
	}
}

/* One command is over, answered or not: nothing of it stays. */
static void
command_forget(struct client *c)
{
	if (c->command.p != NULL)
		explicit_bzero(c->command.p, c->command.cap);
	buf_fini(&c->command);
	buf_init(&c->command, IMAP_LOGIN_COMMAND_MAX);
	c->literal = 0;
}

static void
tag_forget(struct client *c)
{
	free(c->tag);
	c->tag = NULL;
}

/* Credentials */

static const struct answer *
login(struct client *c, struct span authzid, struct span authcid,
    struct span password)
{
	if (authcid.n == 0 || authcid.n > AUTH_NAME_MAX || password.n == 0 ||
	    password.n > AUTH_PASSWORD_MAX)
		return &A_WRONG;
	if (ask_login(c, authzid, authcid, password) == 0)
		return NULL;
	return &A_NOT_NOW;
}

static const struct answer *
sasl_answer(struct client *c, enum sasl_step step)
{
	const struct answer *answer = &A_CANCEL;

	if (step == SASL_MORE) {
		client_challenge(c);
		return NULL;
	}
	if (step == SASL_DONE)
		answer = login(
		    c, c->sasl->authzid, c->sasl->authcid, c->sasl->password);
	sasl_free(&c->sasl);
	return answer;
}

/* Commands */

static const void *
cmd_capability(void *session, struct span none)
{
	struct client *c = session;

	(void)none;
	conn_write(c->conn, SPAN("* "));
	say_capabilities(c);
	client_say(c, "");
	return &A_OK;
}

static const void *
cmd_noop(void *session, struct span none)
{
	(void)session;
	(void)none;
	return &A_OK;
}

static const void *
cmd_logout(void *session, struct span none)
{
	struct client *c = session;

	(void)none;
	client_say(c, "* BYE bye");
	say(c, &A_LOGOUT);
	conn_close(c->conn);
	return NULL;
}

static const void *
cmd_starttls(void *session, struct span none)
{
	struct client *c = session;

	(void)none;
	if (!client_may_starttls(c))
		return &A_NO_TLS;
	say(c, &A_STARTTLS);
	tag_forget(c);
	c->state = CLIENT_HELLO;
	/* Closes if anything came behind the command: RFC 9051 11.1. */
	(void)conn_starttls(c->conn, front.tls, imap.name);
	return NULL;
}

/* nil / "(" [string SP nstring] *(SP string SP nstring) ")" */
static int
id_check(struct span *in, struct buf *scratch)
{
	struct span value;
	bool nil;

	if (!imap_is(in, '('))
		return imap_nstring(in, scratch, &value, &nil) == 0 && nil
		    ? 0 : -1;
	for (size_t n = 0; !imap_is(in, ')'); n++) {
		buf_clear(scratch);
		if (n == ID_PAIRS_MAX || (n > 0 && imap_sp(in) == -1) ||
		    imap_string(in, scratch, &value) == -1 ||
		    imap_sp(in) == -1 ||
		    imap_nstring(in, scratch, &value, &nil) == -1)
			return -1;
	}
	return 0;
}

/* Who runs what version is nobody's business before a login. */
static const void *
cmd_id(void *session, struct span in)
{
	struct client *c = session;
	struct buf scratch;
	int rc;

	buf_init(&scratch, IMAP_LOGIN_COMMAND_MAX);
	rc = id_check(&in, &scratch);
	buf_fini(&scratch);
	if (rc == -1 || in.n != 0)
		return &A_SYNTAX;
	client_say(c, "* ID (\"name\" \"Postern\")");
	return &A_OK;
}

static const void *
cmd_login(void *session, struct span in)
{
	const struct answer *answer = &A_SYNTAX;
	struct span name, password;
	struct client *c = session;
	struct buf scratch; /* never moves: one copy, which is wiped */

	if (!client_may_login(c))
		return &A_NEED_TLS;
	buf_init(&scratch, IMAP_LOGIN_COMMAND_MAX);
	if (imap_astring(&in, &scratch, &name) == 0 && imap_sp(&in) == 0 &&
	    imap_astring(&in, &scratch, &password) == 0 && in.n == 0)
		answer = login(c, SPAN_NONE, name, password);
	if (scratch.p != NULL)
		explicit_bzero(scratch.p, scratch.cap);
	buf_fini(&scratch);
	return answer;
}

static const void *
cmd_authenticate(void *session, struct span in)
{
	struct client *c = session;
	struct span mech = span_word(&in);

	if (!client_may_login(c))
		return &A_NEED_TLS;
	if ((c->sasl = sasl_new(mech)) == NULL)
		return &A_MECH;
	return sasl_answer(c, sasl_step_first(c->sasl, in));
}

/* clang-format off */
static const struct proto_command commands[] = {
	/* verb, valid in, argument, handler */
	{ "CAPABILITY", ST_ANY, ARG_NONE, cmd_capability },
	{ "LOGIN", ST_ANY, ARG_NEEDED, cmd_login },
	{ "AUTHENTICATE", ST_ANY, ARG_NEEDED, cmd_authenticate },
	{ "STARTTLS", ST_ANY, ARG_NONE, cmd_starttls },
	{ "ID", ST_ANY, ARG_NEEDED, cmd_id },
	{ "NOOP", ST_ANY, ARG_NONE, cmd_noop },
	{ "LOGOUT", ST_ANY, ARG_NONE, cmd_logout },
};
/* clang-format on */

static bool
is_login(const struct proto_command *cmd)
{
	return cmd->fn == cmd_login || cmd->fn == cmd_authenticate;
}

/* The whole command, or as much of it as is there. */

/*
 * Finds tag and row of c->command; *arg is what stands behind the verb.
 * NULL: fine.
 */
static const struct answer *
command_find(
    struct client *c, const struct proto_command **cmd, struct span *arg)
{
	struct span in = buf_get(&c->command), rest, tag, verb;

	tag_forget(c);
	if (imap_tag(&in, &tag) == -1 || tag.n > IMAP_TAG_MAX)
		return &A_SYNTAX;
	c->tag = span_dup(tag);
	if (imap_sp(&in) == -1)
		return &A_SYNTAX;
	rest = in;
	verb = span_word(&rest);
	switch (proto_find(commands, nitems(commands), ST_ANY, in, cmd, arg)) {
	case PROTO_OK:
		/* A literal may end in blanks: only one is skipped. */
		*arg = span_slice(in, verb.n + 1, SIZE_MAX);
		return NULL;
	case PROTO_ARGUMENT:
		return &A_SYNTAX;
	case PROTO_STATE:
	case PROTO_UNKNOWN:
		break;
	}
	return &A_UNKNOWN;
}

static void
command_run(struct client *c)
{
	const struct proto_command *cmd;
	const struct answer *answer;
	struct span arg;

	answer = command_find(c, &cmd, &arg);
	if (span_has(buf_get(&c->command), '\0'))
		answer = &A_NUL;
	if (answer == NULL)
		answer = cmd->fn(c, arg);
	command_forget(c);
	if (answer != NULL)
		say(c, answer);
}

/*
 * The command goes on behind a literal. One that the client waits to send
 * can be refused; the other kind comes anyway.
 */
static void
literal_begin(struct client *c, const struct imap_literal *l)
{
	const struct proto_command *cmd = NULL;
	const struct answer *answer;
	struct span arg;

	answer = command_find(c, &cmd, &arg);
	if (answer == NULL && is_login(cmd) && !client_may_login(c))
		answer = &A_NEED_TLS;
	if (answer == NULL && (l->binary || cmd->fn == cmd_authenticate))
		answer = &A_SYNTAX;
	if (l->size > IMAP_LOGIN_COMMAND_MAX - c->command.n)
		answer = &A_TOO_LONG;
	if (answer != NULL) {
		command_forget(c);
		say(c, answer);
		if (!l->sync)
			client_bye(c, BYE_ERRORS);
		return;
	}
	buf_str(&c->command, "\r\n");
	c->literal = (size_t)l->size;
	if (l->sync)
		client_say(c, "+ go on");
	if (c->literal > 0)
		conn_raw_mode(c->conn);
}

/* What front.c calls */

static void
on_sasl_line(struct client *c, struct span line)
{
	const struct answer *answer =
	    sasl_answer(c, sasl_step_base64(c->sasl, line));

	if (answer != NULL)
		say(c, answer);
}

static void
on_line(struct client *c, struct span line)
{
	struct imap_literal literal;
	struct span in = line, tag;

	if (c->sasl != NULL) {
		on_sasl_line(c, line);
		return;
	}
	if (c->command.n == 0 && line.n == 0) {
		client_error(c, NULL); /* some clients send one first */
		return;
	}
	if (c->command.n == 0 && imap_tag(&in, &tag) == 0 &&
	    client_is_foreign(tag)) {
		client_bye(c, BYE_ERRORS);
		return;
	}
	buf_span(&c->command, line);
	switch (imap_line_end(line, &literal)) {
	case IMAP_LITERAL_FOLLOWS:
		if (c->command.bad) {
			client_bye(c, BYE_ERRORS);
			return;
		}
		literal_begin(c, &literal);
		return;
	case IMAP_LITERAL_BAD:
		client_bye(c, BYE_ERRORS);
		return;
	case IMAP_LINE_ENDS:
		break;
	}
	if (!c->command.bad) {
		command_run(c);
		return;
	}
	command_forget(c); /* there was a literal, so c->tag is its tag */
	say(c, &A_TOO_LONG);
}

static size_t
on_raw(struct client *c, struct span bytes)
{
	struct span some = span_slice(bytes, 0, c->literal);

	buf_span(&c->command, some); /* there is room: see literal_begin */
	c->literal -= some.n;
	if (c->literal == 0)
		conn_line_mode(c->conn, IMAP_LOGIN_COMMAND_MAX);
	return some.n;
}

/* Perhaps a literal was announced at its end: nobody can follow it now. */
static void
on_toolong(struct client *c)
{
	sasl_free(&c->sasl);
	command_forget(c);
	client_bye(c, BYE_ERRORS);
}

static void
greet(struct client *c)
{
	command_forget(c);
	conn_write(c->conn, SPAN("* OK ["));
	say_capabilities(c);
	conn_write(c->conn, SPAN("] "));
	conn_write(c->conn, span_str(front.conf->hostname));
	client_say(c, " IMAP ready");
}

static void
on_secured(struct client *c)
{
	sasl_free(&c->sasl);
	command_forget(c);
	tag_forget(c);
}

static void
on_refused(struct client *c, enum auth_verdict verdict)
{
	switch (verdict) {
	case AUTH_BAD:
		say(c, &A_WRONG);
		break;
	case AUTH_LIMITED:
		say(c, &A_LIMITED);
		break;
	case AUTH_FULL:
		say(c, &A_FULL);
		break;
	default:
		say(c, &A_LATER);
		break;
	}
}

static struct span
goodbye(enum goodbye why)
{
	switch (why) {
	case BYE_TIMEOUT:
		return SPAN("* BYE too slow\r\n");
	case BYE_STOPPING:
		return SPAN("* BYE [UNAVAILABLE] the server stops; come back"
			    "\r\n");
	case BYE_FULL:
		return SPAN("* BYE [UNAVAILABLE] too many connections\r\n");
	case BYE_ERRORS:
		break;
	}
	return SPAN("* BYE enough\r\n");
}

static uint64_t
session_idle(const struct conf *conf)
{
	return conf->imap_timeout;
}

const struct protocol imap = {
	.name = "imap",
	.line_max = IMAP_LOGIN_COMMAND_MAX,
	.goodbye = goodbye,
	.greet = greet,
	.line = on_line,
	.toolong = on_toolong,
	.raw = on_raw,
	.secured = on_secured,
	.refused = on_refused,
	.session_idle = session_idle,
};
