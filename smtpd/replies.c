/*
 * replies: every text that smtpd says. Codes: RFC 5321 4.2, RFC 4954 6,
 * RFC 3207 4; enhanced codes: RFC 3463, RFC 5248. RFC 2034 4: the enhanced
 * code stands in each 2xx, 4xx, 5xx line but greeting and hello.
 */
#include "smtpd/replies.h"

#include "lib/buf.h"
#include "lib/conn.h"
#include "lib/limits.h"

#define REPLY(name, code, enhanced, text) \
	const struct reply name = { code, enhanced, text }

/* clang-format off */
REPLY(R_SAID, 0, "", "");

/* Good */
REPLY(R_DONE, 250, "2.0.0", "ok");
REPLY(R_BYE, 221, "2.0.0", "bye");
REPLY(R_START_TLS, 220, "2.0.0", "ready for TLS");
REPLY(R_AUTH_OK, 235, "2.7.0", "authenticated");
REPLY(R_SENDER_OK, 250, "2.1.0", "sender ok");
REPLY(R_RCPT_OK, 250, "2.1.5", "recipient ok");
REPLY(R_CANNOT_VERIFY, 252, "2.5.0", "not verified; send mail and see");
REPLY(R_HELP, 214, "2.0.0", "HELO EHLO STARTTLS AUTH MAIL RCPT DATA RSET\n"
    "NOOP VRFY HELP QUIT; see RFC 5321");
REPLY(R_START_MAIL, 354, "", "send the message, end with <CRLF>.<CRLF>");

/* A line or its argument is wrong */
REPLY(R_TOO_LONG, 500, "5.5.2", "line too long");
REPLY(R_UNKNOWN, 500, "5.5.1", "unknown command");
REPLY(R_NOT_CRLF, 500, "5.5.2", "lines end in CR LF");
REPLY(R_NUL, 500, "5.5.2", "no NUL or bare CR in commands");
REPLY(R_SYNTAX, 501, "5.5.4", "no argument allowed");
REPLY(R_NO_ARGUMENT, 501, "5.5.4", "argument missing");
REPLY(R_HELO_SYNTAX, 501, "5.5.4", "that is no host name");
REPLY(R_MAIL_SYNTAX, 501, "5.1.7", "syntax: MAIL FROM:<address>");
REPLY(R_RCPT_SYNTAX, 501, "5.1.3", "syntax: RCPT TO:<address>");
REPLY(R_PARAMETER_SYNTAX, 501, "5.5.4", "bad parameter value");
REPLY(R_PARAMETER, 555, "5.5.4", "unknown parameter");
REPLY(R_NOT_HERE, 502, "5.5.1", "not available here");

/* Not now */
REPLY(R_SEQUENCE, 503, "5.5.1", "not now");
REPLY(R_SAY_HELLO, 503, "5.5.1", "say EHLO first");
REPLY(R_NESTED_MAIL, 503, "5.5.1", "one sender at a time");
REPLY(R_NO_RCPT, 554, "5.5.1", "no valid recipients");
REPLY(R_IS_AUTHENTICATED, 503, "5.5.1", "already authenticated");
REPLY(R_NEED_AUTH, 530, "5.7.0", "authentication required");
REPLY(R_NEED_TLS, 538, "5.7.11", "say STARTTLS first");
REPLY(R_NO_TLS, 454, "4.7.0", "TLS not available");

/* AUTH */
REPLY(R_AUTH_MECH, 504, "5.5.4", "unknown mechanism");
REPLY(R_AUTH_BASE64, 501, "5.5.2", "authentication exchange broken off");
REPLY(R_AUTH_LONG, 500, "5.5.6", "authentication line too long");
REPLY(R_AUTH_BAD, 535, "5.7.8", "wrong name or password");
REPLY(R_AUTH_LATER, 454, "4.7.0", "cannot authenticate now; try later");
REPLY(R_AUTH_LIMITED, 421, "4.7.0", "too many failures; try later");

/* This recipient, this message */
REPLY(R_SENDER_FOREIGN, 553, "5.7.1", "this sender address is not yours; use "
    "one whose mail you get");
REPLY(R_NO_USER, 550, "5.1.1", "no such mailbox here");
REPLY(R_RELAY_DENIED, 550, "5.7.1", "not a local address; no relaying");
REPLY(R_ALIAS_ERROR, 451, "4.3.5", "the aliases of this address form a loop, "
    "or are too many; try later");
REPLY(R_MAP_ERROR, 451, "4.3.0", "address table unreadable; try later");
REPLY(R_TOO_MANY_RCPT, 452, "4.5.3", "too many recipients");
REPLY(R_TOO_BIG, 552, "5.3.4", "message too big");
REPLY(R_BARE, 550, "5.6.0", "message has a bare CR or bare LF; "
    "lines end in CR LF (RFC 5321 2.3.8)");
REPLY(R_HAS_NUL, 550, "5.6.0", "message has a NUL byte");
REPLY(R_LOOP, 554, "5.4.6", "too many hops; mail loop?");
REPLY(R_NO_SPACE, 452, "4.3.1", "no room to store mail; try later");
REPLY(R_BUSY, 452, "4.3.1", "too much mail at once; try later");
REPLY(R_QUEUE_GONE, 451, "4.3.0", "mail queue not available; try later");
REPLY(R_TOO_FAST, 450, "4.7.1", "too many messages; try later");

/* The end of a session */
REPLY(R_ERRORS, 421, "4.7.0", "too many errors");
REPLY(R_IDLE_TALK, 421, "4.7.0", "too many commands without mail");
REPLY(R_TRANSACTIONS, 421, "4.7.0", "too many messages; connect again");
REPLY(R_TIMEOUT, 421, "4.4.2", "timeout");
REPLY(R_STOPPING, 421, "4.3.2", "service is stopping; try later");
REPLY(R_FULL, 421, "4.3.2", "too many connections; try later");
REPLY(R_CLIENT_FULL, 421, "4.7.0", "too many connections from you");
REPLY(R_CLIENT_RATE, 421, "4.7.0", "you connect too often; try later");
REPLY(R_EARLY, 554, "5.5.0", "you spoke before the greeting");
REPLY(R_PIPELINING, 554, "5.5.0", "you did not wait for the answer");
REPLY(R_NOT_SMTP, 554, "5.5.1", "this is SMTP");
/* clang-format on */

bool
reply_is_last(const struct reply *r)
{
	return r->code == 221 || r->code == 421 || r == &R_EARLY ||
	    r == &R_PIPELINING || r == &R_NOT_SMTP;
}

enum { REPLY_LINES_MAX = 8 };

void
reply_lines(struct buf *b, const struct reply *r)
{
	struct span rest = span_str(r->text), line;

	do {
		line = span_cut(&rest, '\n');
		buf_num(b, (uint64_t)r->code);
		buf_char(b, rest.n != 0 ? '-' : ' ');
		if (r->enhanced[0] != '\0') {
			buf_str(b, r->enhanced);
			buf_char(b, ' ');
		}
		buf_span(b, line);
		buf_bytes(b, "\r\n", 2);
	} while (rest.n != 0);
}

void
reply_write(struct conn *c, const struct reply *r)
{
	static struct buf b = { .max = REPLY_LINES_MAX * SMTP_REPLY_MAX };

	buf_clear(&b);
	reply_lines(&b, r);
	if (!b.bad) /* whole or not at all */
		conn_write(c, buf_get(&b));
}
