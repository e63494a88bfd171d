/*
 * session: one client of smtpd, from accept to close.
 */
#ifndef SMTPD_SESSION_H
#define SMTPD_SESSION_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/limits.h"
#include "lib/loop.h"
#include "lib/role.h"
#include "lib/span.h"
#include "smtpd/server.h"

struct conn;
struct mail;
struct reply;
struct sasl;

enum session_state { /* bits: a command's row names several */
	ST_GREET = 1,  /* 220 not yet said */
	ST_START = 2,  /* no HELO, EHLO yet */
	ST_READY = 4,  /* no transaction */
	ST_MAIL = 8,   /* sender given */
	ST_RCPT = 16,  /* and a recipient */
	ST_BODY = 32,  /* the message itself */
	ST_SASL = 64,  /* answers to 334 */
	ST_GONE = 128, /* last words are said */
};

struct service { /* a listening socket's kind */
	const char *name;
	bool tls_first;  /* RFC 8314 3.3 */
	bool submission; /* RFC 6409: AUTH before MAIL */
	bool local;      /* run-dir/submit.sock */
};

union client_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct session {
	struct session *next, *prev; /* all sessions: session_each() */
	struct conn *conn;
	const struct service *service;
	enum session_state state;
	bool esmtp;     /* EHLO, not HELO: may pipeline */
	bool trusted;   /* by address or socket, not by password */
	bool counted;   /* in the shared counters */
	enum guest kind;
	enum role asked; /* whom, if question is not 0 */
	uint32_t question;
	unsigned errors, auth_tries;
	unsigned messages, accepted; /* begun; queued */
	unsigned idle_talk; /* commands since the last message that led to none */
	struct mail *mail;     /* the transaction, or NULL */
	struct sasl *sasl;     /* the exchange, or NULL */
	char *helo, *login;    /* heap; NULL: none */
	struct timer late;     /* a reply that is held back */
	const struct reply *late_reply;
	union client_addr addr;
	char client[INET6_ADDRSTRLEN]; /* or "local" */
	char sid[SID_MAX];
};

const struct service *service_find(const char *name);

/* Takes fd. */
void session_open(int fd, const struct sockaddr *, const struct service *);

/* Says r now; the session ends with it, or waits for the next line. */
void session_say(struct session *, const struct reply *r);
/*
 * Ends a command: says r, but counts errors first, and may hold the reply
 * back for it; so r must live as long as the session.
 */
void session_answer(struct session *, const struct reply *r);
/* Says r after R_PENDING: the connection goes on. */
void session_resume(struct session *, const struct reply *r);
/* Logs a refusal with the client's reply; what may be NULL. */
void session_log_refusal(struct session *, const char *event,
    const char *key, struct span value, const struct reply *r);

/* Forgets the transaction, if any; back to ST_READY. */
void session_reset(struct session *);
bool session_may_relay(const struct session *);

/* The process stops: says 421 to all who are not in the middle of a mail. */
void session_stop_all(void);

#endif
