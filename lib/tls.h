/*
 * tls: the only file that knows OpenSSL. TLS 1.2 and later, AEAD suites,
 * SNI, session tickets, ALPN answered right (ALPACA: an offer without our
 * protocol fails the handshake), no renegotiation, no compression.
 */
#ifndef LIB_TLS_H
#define LIB_TLS_H

#include "lib/span.h"

struct tls_server; /* certificates and settings of one process */
struct tls_client; /* the other way: whom this process trusts */
struct tls_session; /* of an earlier connection, to be taken up again */
struct tls;        /* one connection */

enum tls_want { TLS_OK, TLS_WANT_READ, TLS_WANT_WRITE, TLS_EOF, TLS_FAIL };

/*
 * Adds a certificate (PEM: it and its chain) and its key, read from the
 * start of open descriptors that stay open. The first makes *server (NULL
 * until then) and is the default; others are chosen by SNI. 0, or -1 with
 * a reason in why (safe, terminated): unreadable, no match. A certificate
 * that has expired is used all the same, since none would be worse for a
 * sender who takes any, and why says so; else why is "".
 */
int tls_server_add(struct tls_server **, int cert_fd, int key_fd, char *why,
    size_t whylen);
void tls_server_free(struct tls_server *);
/*
 * Keys that seal what clients keep of their sessions (tickets, RFC 5077 4),
 * newest first: a session is taken up again by all processes that have the
 * keys, and by none under another alpn. After the certificates, and again for
 * newer keys; copied. Without a call each server has keys of its own.
 */
enum { TLS_TICKET_KEY = 80, TLS_TICKET_KEYS = 3 };
enum { TLS_TICKETS = TLS_TICKET_KEYS * TLS_TICKET_KEY }; /* bytes in all */
void tls_server_tickets(struct tls_server *, const unsigned char *keys);
/* Of the first pair: seconds (from now) that it is still valid, below 0 too
 * old; does it name this host? For `postern check`. */
int64_t tls_server_left(const struct tls_server *);
bool tls_server_names(const struct tls_server *, const char *host);

/*
 * Trusts the authorities in the PEM file ca_file, or, if that is empty, those
 * of the system. Before the chroot: files are read here. Never NULL; if why
 * is not "" (safe, terminated), nobody can be verified, and all else works.
 */
struct tls_client *tls_client_new(const char *ca_file, char *why,
    size_t whylen);
void tls_client_free(struct tls_client *);

enum { TLS_NAMES_MAX = 8 };

struct tls_peer { /* whom we call, and what is asked of him */
	const char *sni;  /* NULL: none (an address) */
	bool verify;      /* false: whoever answers will do */
	const char *name[TLS_NAMES_MAX]; /* verify: the certificate has one
			   * of these; ".example.org": any name below it; an
			   * address as text; NULL ends the list */
	const struct tls_session *session; /* NULL: a new one */
};

/* All strings are copied. Without verify, old servers are borne with. */
struct tls *tls_connect(struct tls_client *, int fd, const struct tls_peer *);
/*
 * To be used again with the same peer and the same demands; NULL: there is
 * none. Late in a connection: tickets come after the handshake.
 */
struct tls_session *tls_session_take(struct tls *);
void tls_session_free(struct tls_session *); /* NULL is fine */
bool tls_resumed(const struct tls *);

/*
 * fd must be non-blocking. alpn: "smtp", "pop3", "imap" (RFC 7301 registry
 * names), a literal. The server must live longer than its connections.
 */
struct tls *tls_accept(struct tls_server *, int fd, const char *alpn);
void tls_free(struct tls *); /* does not close the descriptor */

enum tls_want tls_handshake(struct tls *);
/* On TLS_OK *n is the number of bytes moved (> 0). */
enum tls_want tls_read(struct tls *, void *p, size_t cap, size_t *n);
enum tls_want tls_write(struct tls *, const void *p, size_t len, size_t *n);
/* Bytes, or the end, may wait inside: read before waiting for the socket. */
bool tls_pending(const struct tls *);
void tls_shutdown(struct tls *);      /* close_notify, best effort */

/* For Received, logs: "TLSv1.3", "TLS_AES_256_GCM_SHA384", SNI or "". */
const char *tls_version(const struct tls *);
const char *tls_cipher(const struct tls *);
const char *tls_sni(const struct tls *);
/* Why the last call on this connection failed; safe text. */
const char *tls_error(const struct tls *);

#endif
