/*
 * replies: every text that smtpd says, in one table (replies.c). Nothing a
 * client sent is ever repeated to it.
 */
#ifndef SMTPD_REPLIES_H
#define SMTPD_REPLIES_H

#include "lib/reply.h"

struct conn;

/* Handler's answer: "I have said it myself". */
extern const struct reply R_SAID;

/* clang-format off */
extern const struct reply
	R_DONE, R_BYE, R_START_TLS, R_AUTH_OK, R_SENDER_OK, R_RCPT_OK,
	R_CANNOT_VERIFY, R_HELP, R_START_MAIL,
	R_TOO_LONG, R_UNKNOWN, R_NOT_CRLF, R_NUL, R_SYNTAX, R_NO_ARGUMENT,
	R_HELO_SYNTAX, R_MAIL_SYNTAX, R_RCPT_SYNTAX, R_PARAMETER_SYNTAX,
	R_PARAMETER, R_NOT_HERE, R_SEQUENCE, R_SAY_HELLO, R_NESTED_MAIL,
	R_NO_RCPT, R_IS_AUTHENTICATED, R_NEED_AUTH, R_NEED_TLS, R_NO_TLS,
	R_AUTH_MECH, R_AUTH_BASE64, R_AUTH_LONG, R_AUTH_BAD, R_AUTH_LATER,
	R_AUTH_LIMITED,
	R_SENDER_FOREIGN, R_NO_USER, R_RELAY_DENIED, R_MAP_ERROR, R_ALIAS_ERROR,
	R_TOO_MANY_RCPT, R_TOO_BIG, R_BARE, R_HAS_NUL, R_LOOP, R_NO_SPACE, R_BUSY,
	R_QUEUE_GONE, R_TOO_FAST,
	R_ERRORS, R_TRANSACTIONS, R_TIMEOUT, R_STOPPING, R_FULL,
	R_CLIENT_FULL, R_CLIENT_RATE, R_IDLE_TALK, R_EARLY, R_PIPELINING,
	R_NOT_SMTP;
/* clang-format on */

/* Does it end the session? RFC 5321 3.8 */
bool reply_is_last(const struct reply *);
/* One write, however many lines the text has. */
void reply_write(struct conn *, const struct reply *);
/* The same into a buffer. */
struct buf;
void reply_lines(struct buf *, const struct reply *);

#endif
