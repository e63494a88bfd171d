/*
 * session: reads a command, does it, answers; RFC 1939 5 and 6, RFC 2449.
 *
 * Only the TRANSACTION state is here: login/ had the client until it was
 * known. A handler returns its one-line answer, or NULL if it has written
 * all of it. Nothing is removed before QUIT, so every other end of a session
 * leaves the maildrop as it was (RFC 1939 6).
 */
#include "pop3d/session.h"

#include <errno.h>
#include <string.h>

#include "lib/die.h"
#include "lib/log.h"
#include "lib/maildir.h"
#include "lib/proto.h"
#include "lib/sasl.h"

/* RFC 3206: what is wrong is ours; [SYS/TEMP] means that it may pass. */
static const char A_UNKNOWN[] = "-ERR unknown command";
static const char A_SYNTAX[] = "-ERR wrong or missing argument";
static const char A_NO_SUCH[] = "-ERR no such message";
static const char A_DELETED[] = "-ERR that message is marked as deleted";
static const char A_EXPUNGED[] = "-ERR that message was removed meanwhile";
static const char A_TROUBLE[] = "-ERR [SYS/TEMP] cannot read that message";
static const char A_TOO_LONG[] = "-ERR line too long";
static const char A_STOP[] = "-ERR [SYS/TEMP] the server ends this session";
static const char A_OK[] = "+OK";

enum { ST_TRANSACTION = 1 };

/* --- answers -------------------------------------------------------------- */

/* A gone client is noticed at the next read: here nobody has to ask. */
static void
say(struct session *s, const char *text)
{
	(void)net_write(&s->net, span_str(text));
	(void)net_write(&s->net, SPAN("\r\n"));
}

static const char *
line_end(struct session *s)
{
	return buf_cstr(&s->line);
}

/* "[+OK ]1 120": a scan listing; false if the message turns out to be gone. */
static bool
list_line(struct session *s, struct message *m)
{
	if (maildrop_size(&s->drop, m) == -1)
		return false;
	buf_num(&s->line, (uint64_t)(m - s->drop.m) + 1);
	buf_char(&s->line, ' ');
	buf_num(&s->line, m->size);
	return true;
}

static bool
uidl_line(struct session *s, struct message *m)
{
	buf_num(&s->line, (uint64_t)(m - s->drop.m) + 1);
	buf_char(&s->line, ' ');
	maildrop_uidl(&s->drop, m, &s->line);
	return true;
}

typedef bool line_fn(struct session *, struct message *);

/* LIST and UIDL without an argument: a line for every message. */
static const char *
every_line(struct session *s, line_fn *fn)
{
	size_t i;

	say(s, A_OK);
	for (i = 0; i < s->drop.n; i++) {
		buf_clear(&s->line);
		if (!message_is_there(&s->drop.m[i]) ||
		    !fn(s, &s->drop.m[i]))
			continue;
		buf_str(&s->line, "\r\n");
		if (net_write(&s->net, buf_get(&s->line)) == -1) {
			s->end = "closed";
			return NULL;
		}
	}
	return ".";
}

/* --- arguments ------------------------------------------------------------ */

/* The message that word numbers; NULL, and *why is the answer. */
static struct message *
message_arg(struct session *s, struct span word, const char **why)
{
	struct message *m;
	uint64_t number;

	*why = A_SYNTAX;
	if (span_num(word, 0, UINT64_MAX, &number) == -1)
		return NULL;
	*why = A_NO_SUCH;
	if (number == 0 || number > s->drop.n)
		return NULL;
	m = &s->drop.m[number - 1];
	*why = m->flags & MSG_DELETED ? A_DELETED : A_EXPUNGED;
	return message_is_there(m) ? m : NULL;
}

/* LIST n and UIDL n. */
static const char *
one_line(struct session *s, struct span arg, line_fn *fn)
{
	const char *why;
	struct message *m = message_arg(s, arg, &why);

	if (m == NULL)
		return why;
	buf_clear(&s->line);
	buf_str(&s->line, "+OK ");
	if (!fn(s, m))
		return errno == ENOENT ? A_EXPUNGED : A_TROUBLE;
	return line_end(s);
}

/* --- commands ------------------------------------------------------------- */

static const void *
cmd_stat(void *arg, struct span none)
{
	struct session *s = arg;
	uint64_t count = 0, size = 0;
	size_t i;

	(void)none;
	for (i = 0; i < s->drop.n; i++) {
		if (!message_is_there(&s->drop.m[i]) ||
		    maildrop_size(&s->drop, &s->drop.m[i]) == -1)
			continue;
		count++;
		size += s->drop.m[i].size;
	}
	buf_clear(&s->line);
	buf_str(&s->line, "+OK ");
	buf_num(&s->line, count);
	buf_char(&s->line, ' ');
	buf_num(&s->line, size);
	return line_end(s);
}

static const void *
cmd_list(void *arg, struct span word)
{
	if (word.n == 0)
		return every_line(arg, list_line);
	return one_line(arg, word, list_line);
}

static const void *
cmd_uidl(void *arg, struct span word)
{
	if (word.n == 0)
		return every_line(arg, uidl_line);
	return one_line(arg, word, uidl_line);
}

/* RETR, TOP: all, or the header and so many lines. */
static const char *
send_message(struct session *s, struct span word, bool all, uint64_t lines)
{
	const char *why;
	struct message *m = message_arg(s, word, &why);
	int fd;

	if (m == NULL)
		return why;
	fd = maildrop_open(&s->drop, m);
	if (fd == -1)
		return errno == ENOENT ? A_EXPUNGED : A_TROUBLE;
	say(s, A_OK);
	if (text_send(s, fd, all, lines) == 0 && all)
		s->retrieved++;
	fd_close(&fd);
	return NULL;
}

static const void *
cmd_retr(void *arg, struct span word)
{
	return send_message(arg, word, true, 0);
}

static const void *
cmd_top(void *arg, struct span words)
{
	struct span number = span_word(&words);
	uint64_t lines;

	if (span_num(words, 0, UINT64_MAX, &lines) == -1)
		return A_SYNTAX;
	return send_message(arg, number, false, lines);
}

static const void *
cmd_dele(void *arg, struct span word)
{
	struct session *s = arg;
	const char *why;
	struct message *m = message_arg(s, word, &why);

	if (m == NULL)
		return why;
	m->flags |= MSG_DELETED;
	return A_OK;
}

static const void *
cmd_noop(void *arg, struct span none)
{
	(void)arg;
	(void)none;
	return A_OK;
}

static const void *
cmd_rset(void *arg, struct span none)
{
	struct session *s = arg;
	size_t i;

	(void)none;
	for (i = 0; i < s->drop.n; i++)
		s->drop.m[i].flags &= (uint8_t)~MSG_DELETED;
	return A_OK;
}

/*
 * The UPDATE state, RFC 1939 6. Directories are not fsynced: if the power
 * fails a message may come back, which a client knows by its unique-id.
 */
static const void *
cmd_quit(void *arg, struct span none)
{
	struct session *s = arg;
	uint64_t kept = 0;
	struct message *m;

	(void)none;
	for (m = s->drop.m; m < s->drop.m + s->drop.n; m++) {
		if ((m->flags & MSG_DELETED) == 0)
			continue;
		if (maildrop_remove(&s->drop, m) == 0) {
			s->removed++;
			maildir_qids_add(&s->qids, maildrop_name(&s->drop, m));
			continue;
		}
		log_msg(LL_ERROR, "mailbox", "cannot remove a message: %s",
		    strerror(errno));
		kept++;
	}
	s->end = "quit";
	if (kept == 0)
		return "+OK bye";
	buf_clear(&s->line);
	buf_str(&s->line, "-ERR [SYS/PERM] ");
	buf_num(&s->line, kept);
	buf_str(&s->line, " deleted messages not removed");
	return line_end(s);
}

/*
 * RFC 2449 5: what the AUTHORIZATION state announced is announced here, too.
 * LOGIN-DELAY is not: there is none. EXPIRE NEVER: only DELE removes.
 */
static const void *
cmd_capa(void *arg, struct span none)
{
	static const char *const lines[] = { "TOP", "UIDL", "USER",
		"RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "EXPIRE NEVER",
		"IMPLEMENTATION Postern" };
	struct session *s = arg;
	size_t i;

	(void)none;
	say(s, A_OK);
	for (i = 0; i < nitems(lines); i++)
		say(s, lines[i]);
	buf_clear(&s->line);
	buf_str(&s->line, "SASL ");
	buf_str(&s->line, sasl_mechs);
	say(s, line_end(s));
	return ".";
}

/* clang-format off */
static const struct proto_command commands[] = {
	/* verb, valid in, argument, handler */
	{ "STAT", ST_TRANSACTION, ARG_NONE, cmd_stat },
	{ "LIST", ST_TRANSACTION, ARG_OPTIONAL, cmd_list },
	{ "UIDL", ST_TRANSACTION, ARG_OPTIONAL, cmd_uidl },
	{ "RETR", ST_TRANSACTION, ARG_NEEDED, cmd_retr },
	{ "TOP",  ST_TRANSACTION, ARG_NEEDED, cmd_top },
	{ "DELE", ST_TRANSACTION, ARG_NEEDED, cmd_dele },
	{ "NOOP", ST_TRANSACTION, ARG_NONE, cmd_noop },
	{ "RSET", ST_TRANSACTION, ARG_NONE, cmd_rset },
	{ "CAPA", ST_TRANSACTION, ARG_NONE, cmd_capa },
	{ "QUIT", ST_TRANSACTION, ARG_NONE, cmd_quit },
};
/* clang-format on */

/* --- the session ---------------------------------------------------------- */

static const char *
dispatch(struct session *s, struct span line)
{
	const struct proto_command *c;
	struct span arg;

	switch (proto_find(commands, nitems(commands), ST_TRANSACTION, line,
	    &c, &arg)) {
	case PROTO_OK:
		return c->fn(s, arg);
	case PROTO_ARGUMENT:
		return A_SYNTAX;
	case PROTO_UNKNOWN:
	case PROTO_STATE:
		break;
	}
	return A_UNKNOWN;
}

/* One command. What the wire did instead of giving one ends the session. */
static void
turn(struct session *s)
{
	const char *answer = NULL;
	struct span line;

	switch (net_line(&s->net, &line)) {
	case NET_LINE:
		answer = dispatch(s, line);
		break;
	case NET_TOOLONG:
		answer = A_TOO_LONG;
		break;
	case NET_EOF:
	case NET_OTHER: /* nobody else is waited for */
		s->end = "closed";
		break;
	case NET_TIMEOUT: /* RFC 1939 3: no response */
		s->end = "timeout";
		break;
	case NET_STOP:
		s->end = "stop";
		answer = A_STOP;
		break;
	}
	if (answer != NULL)
		say(s, answer);
}

void
session_run(struct session *s)
{
	buf_clear(&s->line);
	buf_str(&s->line, "+OK ");
	buf_num(&s->line, s->drop.n);
	buf_str(&s->line, s->drop.n == 1 ? " message" : " messages");
	say(s, line_end(s));
	while (s->end == NULL)
		turn(s);
	(void)net_flush(&s->net);
}
