/*
 * conn: a non-blocking connection, taken from a client or made to a server:
 * the one place that touches its socket in the event-driven daemons. Whole
 * lines in, whole replies out; TLS, deadlines, back-pressure and hard caps
 * live here. One buffered input stream; nothing is ever pushed back into it.
 *
 *	LINE mode  on_line gets each line, without CR LF
 *	RAW  mode  on_raw gets bytes as they come
 *	paused     nothing is parsed (a handler waits for another process);
 *	           the socket is not read beyond the input buffer
 *	closing    output is flushed, then on_close comes
 *
 * on_close comes exactly once for every connection, never from inside a
 * conn_* call (it is queued to the end of the turn), and is the owner's
 * moment to forget the connection; conn frees itself after it.
 */
#ifndef LIB_CONN_H
#define LIB_CONN_H

#include "lib/span.h"

struct conn;
struct sockaddr;
struct tls_client;
struct tls_peer;
struct tls_server;
struct tls;

enum conn_why {
	CONN_DONE,     /* conn_close() and all output gone */
	CONN_EOF,      /* the client closed */
	CONN_ERROR,    /* reset, write error */
	CONN_TIMEOUT,  /* the deadline passed (after on_timeout's reply) */
	CONN_TLS,      /* handshake failed, or bytes came before it */
	CONN_OVERFLOW, /* output cap: the client does not read */
};

struct conn_ops {
	/*
	 * One line. crlf is false if it ended in a bare LF. The span lives
	 * until the handler returns. A NUL or bare CR may be inside.
	 */
	void (*on_line)(struct conn *, struct span line, bool crlf);
	/* A line over line_max: discarded up to its end; comes once a line. */
	void (*on_toolong)(struct conn *);
	/*
	 * RAW mode: returns how many bytes were used (the mode may be changed
	 * inside; the rest is then parsed in the new mode). Using fewer bytes
	 * than given without changing mode or pausing is an error (die).
	 */
	size_t (*on_raw)(struct conn *, struct span bytes);
	/* The server took the connection (conn_connect). */
	void (*on_connect)(struct conn *);
	/* What conn_when_drained() asked for. */
	void (*on_drained)(struct conn *);
	/* TLS is up (after conn_starttls or an implicit-TLS start). */
	void (*on_tls)(struct conn *);
	/* Deadline: say goodbye by conn_write(); then it is closed. */
	void (*on_timeout)(struct conn *);
	void (*on_close)(struct conn *, enum conn_why);
};

/*
 * Takes fd, which must be non-blocking. line_max: bytes in a line, CR LF
 * included, at most CONN_INPUT_MAX. out_max: most bytes of unsent output
 * before CONN_OVERFLOW; no input is parsed while more than half of it waits.
 * Starts in LINE mode, unpaused, with no deadline. Never NULL.
 */
struct conn *conn_new(int fd, const struct conn_ops *, void *arg,
    size_t line_max, size_t out_max);
/*
 * The other way round: calls a server; on_connect comes, or on_close with
 * CONN_ERROR (conn_errno() says why) or CONN_TIMEOUT: set a deadline. What a
 * server says is read and parsed even while our own output waits. NULL and
 * errno: no descriptor, no such network.
 */
struct conn *conn_connect(const struct sockaddr *, size_t len,
    const struct conn_ops *, void *arg, size_t line_max, size_t out_max);
/* Of the socket call that ended it; 0: none did. */
int conn_errno(const struct conn *);
void *conn_arg(const struct conn *);
/* To look at, or to send to another process; it stays ours. */
int conn_fd(struct conn *);

/*
 * Output is gathered and sent in one write at the end of the turn. Dropped
 * when the connection is closing or shaking hands.
 */
void conn_write(struct conn *, struct span);
/* on_drained comes once, when all output is sent and the socket takes more. */
void conn_when_drained(struct conn *);
/*
 * Sends it now: for who is about to let another process speak to the client.
 * 0: all is sent; -1: the client does not take it, or is gone.
 */
int conn_flush(struct conn *);
/* No more input is parsed; flush, then close. During a handshake: at once. */
void conn_close(struct conn *);
/* At once, without flushing; CONN_DONE. */
void conn_abort(struct conn *);

void conn_line_mode(struct conn *, size_t line_max);
void conn_raw_mode(struct conn *);
void conn_pause(struct conn *);
void conn_resume(struct conn *);

/* ms from now; 0: none. Only this moves it: bytes that trickle do not. */
void conn_deadline(struct conn *, uint64_t ms);

/* Bytes received and not yet parsed (unauthorised pipelining; handover). */
struct span conn_unread(const struct conn *);
/* Looks into the socket too: true if the client spoke out of turn. */
bool conn_spoke_early(struct conn *);

/*
 * Flushes what was written (the 220), then shakes hands. If any input is
 * unread now, nothing of it survives: the connection is closed, -1.
 */
int conn_starttls(struct conn *, struct tls_server *, const char *alpn);
/*
 * The client's side, after the server has agreed; likewise. What it says
 * before the handshake and what was read already is never taken for an
 * answer inside it. (lib/tls.h: struct tls_peer)
 */
int conn_starttls_client(struct conn *, struct tls_client *,
    const struct tls_peer *);
/* NULL: plain text. Also there after a failed handshake, for tls_error(). */
struct tls *conn_tls(const struct conn *);

/*
 * Gives the descriptor away (plain text only, all output sent): the conn
 * ends with no on_close and frees itself at the end of the turn; unread
 * input must be taken by conn_unread() before. Returns the fd, or -1.
 */
int conn_give(struct conn *);

/*
 * Proxies between this connection and fd (taken, a stream socket): unread
 * input goes first; the end of the client's input is passed on, the end of
 * the other side's closes. on_close comes then. Ends a pause; replaces the
 * deadline: idle_ms without any byte is CONN_TIMEOUT; 0: never.
 */
void conn_proxy(struct conn *, int fd, uint64_t idle_ms);

#endif
