/*
 * session: one POP3 session after login, from the greeting to the end.
 */
#ifndef POP3D_SESSION_H
#define POP3D_SESSION_H

#include "lib/net.h"
#include "pop3d/maildrop.h"

struct session {
	struct net net;
	struct maildrop drop;
	struct buf line;     /* the answer that is being made */
	const char *end;     /* why the session is over; NULL: it is not */
	struct buf qids;     /* of removed messages; for the log, like these: */
	uint64_t retrieved, octets, removed; /* for the log */
};

/*
 * Greets, serves commands until QUIT, the client's or the server's end, or
 * the time is up. Only QUIT removes messages. s->net and s->drop are ready.
 */
void session_run(struct session *s);

/*
 * Sends the message in fd as the lines of an answer, with its end: all of
 * it, or the header and so many lines of the body. 0, or -1 with s->end set:
 * it could not be sent whole, and so got no end that the client could
 * believe in.
 */
int text_send(struct session *s, int fd, bool all, uint64_t lines);

#endif
