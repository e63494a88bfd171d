/*
 * session: a connection to a server, from the call to QUIT.
 *
 *	CONNECT -> GREETING -> EHLO [-> HELO]
 *	    EHLO -> STARTTLS -> HANDSHAKE -> EHLO     (as the policy says)
 *	    EHLO -> AUTH                              (if there is a password)
 *	    ready: -> MAIL -> RCPT.. -> DATA -> BODY -> DOT -> IDLE
 *	    IDLE -> MAIL ..                           (the next message)
 *	    unclean end of a transaction: -> RSET -> IDLE
 *	    IDLE -> QUIT -> closed
 *
 * With PIPELINING (RFC 2920) MAIL, all RCPT and DATA leave in one write, and
 * the states MAIL, RCPT, DATA are walked by the answers. All that ends a
 * session early comes together in one place, when its connection is closed.
 *
 * session.c has the life and the reading of replies, hello.c all before
 * MAIL, mail.c the transaction, idle.c those without work.
 */
#ifndef RELAY_SESSION_H
#define RELAY_SESSION_H

#include "lib/smtp_reply.h"
#include "lib/tls.h"
#include "lib/tls_policy.h"
#include "relay/trip.h"

struct conn;
struct target;
struct tls_peer;

enum session_state {
	S_CONNECT,
	S_GREETING,
	S_EHLO,
	S_HELO,
	S_STARTTLS,
	S_HANDSHAKE,
	S_AUTH,
	S_MAIL,
	S_RCPT,
	S_DATA,
	S_BODY,
	S_DOT,
	S_RSET,
	S_IDLE,
	S_QUIT,
	S_STATES
};

enum session_can { /* what EHLO offered */
	CAN_PIPELINING = 1,
	CAN_SIZE = 2,
	CAN_8BITMIME = 4,
	CAN_STARTTLS = 8,
	CAN_AUTH_PLAIN = 16,
	CAN_AUTH_LOGIN = 32,
};

struct session {
	TAILQ_ENTRY(session) link; /* of idle ones */
	struct conn *conn;
	struct trip *trip;     /* NULL: idle, or its results are given */
	struct target target;
	char key[HOST_MAX + 16];
	enum job_transport transport;
	enum session_state state;
	struct smtp_reply reply;
	bool lmtp;             /* speaks it, RFC 2033 */
	bool plain;            /* TLS was tried in vain */
	bool wrapped;          /* TLS from the first byte */
	bool idle;             /* in the list */
	bool counted;          /* relay/crowd.h */

	/* before MAIL */
	unsigned maps;         /* relay.maps as it began */
	enum tls_level level;
	char match[TLS_NAMES_MAX * HOST_MAX]; /* names for verify, or "" */
	unsigned can;
	uint64_t size_max;     /* 0: no limit is known */
	unsigned login_step;
	bool logged_in;

	/* the transaction */
	size_t ntodo, at;      /* recipients in it; the one answered next */
	uint8_t todo[JOB_RCPT_MAX];
	size_t taken;          /* accepted */
	bool mail_failed;      /* what follows is answered in vain */
	bool pipelined;
	bool answered;         /* anything, since the transaction began */
	unsigned messages;     /* transactions so far */
	uint64_t until;        /* this one is to be over */

	/* the end */
	bool failed;           /* the verdict is set */
	bool gone;             /* 421, or nonsense: of no more use */
	enum trip_again again;
	struct verdict verdict;
};

/* Calls the target for the trip. plain: TLS failed there. */
void session_open(struct trip *, const struct target *, bool plain);
/* LMTP over a socket that is connected; takes fd. */
void session_open_fd(struct trip *, const struct target *, int fd);
/* Begins with a message, on a session that was idle. */
void session_send(struct session *, struct trip *);
/* The whole message was sent: its answer decides. */
bool session_is_late(const struct session *);
/* Nobody waits for it any more. */
void session_cancel(struct session *);

/* An idle one of that hop, not idle any more; NULL: none. */
struct session *session_idle_take(const char *key);
void session_idle_put(struct session *);
/* Not in the list any more, if it was. */
void session_idle_forget(struct session *);
/* QUIT to the one that is idle longest; to one at that address; to all. */
void session_idle_drop(void);
void session_idle_drop_at(const struct target *);
void session_idle_drop_all(void);

/* --- between session.c, hello.c and mail.c ---------------------------- */

/* The state's deadline begins. */
void session_enter(struct session *, enum session_state);
/* Fails it if the server has spoken out of turn. */
void session_say(struct session *, struct span);
/*
 * It ends: the connection is cut at once, the rest when it is closed. The
 * first reason counts.
 */
void session_fail(struct session *, enum trip_again, const struct verdict *);
/* With what the server just said, as a temporary failure at least. */
void session_fail_reply(struct session *, enum trip_again);
/* Our own words, 451 as a rule. */
void session_fail_us(struct session *, enum trip_again, const char *enhanced,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The trip has its results; idle now, or gone. */
void session_done(struct session *);
void session_quit(struct session *);

/* hello.c: one handler a state; a whole reply is in s->reply. */
struct relay_password;
/* By the name of the next hop, never by one that DNS has named. False: it
 * wants none. */
bool session_password(const struct session *, struct relay_password *);
void hello_begin(struct session *);
void hello_greeting(struct session *);
void hello_ehlo(struct session *);
void hello_helo(struct session *);
void hello_starttls(struct session *);
void hello_secure(struct session *);
void hello_auth(struct session *);

/* mail.c */
void mail_begin(struct session *);
void mail_mail(struct session *);
void mail_rcpt(struct session *);
void mail_data(struct session *);
void mail_early(struct session *);
void mail_more(struct session *); /* the socket takes more of the body */
void mail_dot(struct session *);
void mail_rset(struct session *);
/* The connection ended inside of a transaction. */
void mail_lost(struct session *, const struct verdict *);

/* tickets.c: TLS sessions, by target and level. */
struct tls_session;
struct tls;
const struct tls_session *ticket_find(const struct session *);
void ticket_keep(const struct session *, struct tls *);

#endif
