/*
 * front: a client from accept to its login. What is the same for POP3 and
 * IMAP is here: limits, TLS, the question to auth, the hand-over to the
 * session process. What they say is in a struct protocol (pop3.c).
 *
 *	HELLO --TLS up, or plain port--> TALK --credentials--> ASKED
 *	                                  ^ |                   | |
 *	                                  | +--STLS--> HELLO    | |
 *	                                  +--------- refused ---+ |
 *	pop3d, imapd <-- proxied (TLS) or given away (plain) OK --+
 */
#ifndef LOGIN_FRONT_H
#define LOGIN_FRONT_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/buf.h"
#include "lib/ipc_auth.h"
#include "lib/limits.h"
#include "lib/sasl.h"
#include "lib/span.h"

struct client;
struct conf;
struct conn;
struct tls_server;

enum goodbye { BYE_TIMEOUT, BYE_STOPPING, BYE_FULL, BYE_ERRORS };

struct protocol {
	const char *name; /* to auth, for ALPN (RFC 7301 registry) */
	size_t line_max;
	/* May be said to a client that has no session yet: one line. */
	struct span (*goodbye)(enum goodbye);
	void (*greet)(struct client *);
	void (*line)(struct client *, struct span line);
	void (*toolong)(struct client *);
	/* Bytes in RAW mode (lib/conn.h); NULL: never asks for it. */
	size_t (*raw)(struct client *, struct span bytes);
	/* TLS is up after STARTTLS: what was said before is forgotten. */
	void (*secured)(struct client *);
	/* Not AUTH_OK; then the session process speaks first. */
	void (*refused)(struct client *, enum auth_verdict);
	/* s that a session may be idle before its process ends it. */
	uint64_t (*session_idle)(const struct conf *);
};

enum client_state { CLIENT_HELLO, CLIENT_TALK, CLIENT_ASKED, CLIENT_PROXY };

struct client {
	struct client *next, **prev; /* all clients */
	const struct service *service;
	struct conn *conn;
	enum client_state state;
	unsigned protocol_state; /* the protocol's own */
	bool counted;            /* in the shared counters */
	bool loopback;
	uint8_t errors, tries;
	uint32_t question;       /* to auth; 0: none */
	int session_fd;          /* our end of what auth was given; -1 */
	char *user;              /* given by USER; NULL: none */
	char *tag;               /* of the IMAP command that waits */
	struct buf command;      /* an IMAP command, so far */
	size_t literal;          /* bytes of it that are still to come */
	struct sasl *sasl;       /* an exchange; NULL: none */
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} addr;
	char name[INET6_ADDRSTRLEN]; /* address text */
	char sid[SID_MAX];
};

struct service { /* a listening socket's kind */
	const char *name;
	const struct protocol *protocol;
	bool tls_first; /* RFC 8314 3.3 */
};

struct front { /* set up by main.c before the first client */
	const struct conf *conf;
	struct tls_server *tls; /* NULL: no certificate */
	size_t clients;
	bool leaving; /* no new clients; ends with the last one */
	bool hurried; /* clients are sent away, too */
};

extern struct front front;

const struct service *service_find(const char *name);

/* Takes fd. */
void client_open(int fd, const struct sockaddr *, const struct service *);
/* One line to the client, CR LF added. */
void client_say(struct client *, const char *text);
/* The same (NULL: nothing), and counts it; too many end the connection. */
void client_error(struct client *, const char *text);
/* Last words, then the end. */
void client_bye(struct client *, enum goodbye);
/* What c->sasl asks, after "+ ". */
void client_challenge(struct client *);
/* Is a client's first word of another protocol? Then it is no mail client. */
bool client_is_foreign(struct span word);
/* Are passwords taken from this client now? */
bool client_may_login(const struct client *);
bool client_may_starttls(const struct client *);
/* The answer to credentials. */
void client_verdict(struct client *, const struct ipc_auth_is *);
/* Says goodbye to all who are not logged in. */
void client_stop_all(void);
/* A client left; the last one may be the end of a leaving process. */
void front_left(void);

#endif
