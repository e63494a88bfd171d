/*
 * net: the blocking counterpart of conn, for processes that serve one person
 * as that person (pop3d, imapd). Deadlines live here, so no caller can forget
 * one. No TLS.
 */
#ifndef LIB_NET_H
#define LIB_NET_H

#include <stdint.h>

#include "lib/buf.h"

struct net {
	int fd;
	uint64_t idle_ms;  /* longest wait for one line or one write; 0: none */
	size_t line_max;   /* CR LF included */
	struct buf in;
	size_t used;       /* bytes of in already handed out */
	bool gone;         /* the client: closed, reset, does not read */
	struct buf out;
	size_t head_len;
	char head[96];     /* how a line that was too long began, */
	char last;         /* and its last byte but CR */
};

enum net_got {
	NET_LINE, /* what was asked for */
	NET_TOOLONG,
	NET_EOF,
	NET_TIMEOUT,
	NET_STOP,
	NET_OTHER, /* net_wait(): the other descriptor */
};

/* Takes fd; initial (bytes already received by the front) is copied. */
void net_init(struct net *, int fd, size_t line_max, uint64_t idle_ms,
    struct span initial);
void net_fini(struct net *);

/*
 * The next line without CR LF (a bare LF ends a line, too), valid until the
 * next call. Flushes gathered output first if it has to wait. NET_STOP: the
 * flag that net_stop() sets in a signal handler. NET_TOOLONG: the line was
 * dropped up to its end; *line is how it began.
 */
enum net_got net_line(struct net *, struct span *line);
void net_stop(void);
void net_stop_on_term(void); /* SIGTERM does it from now on */
/* Is a whole line here already, so that net_line() would not wait? */
bool net_ready(const struct net *);
/*
 * The next bytes, at least one and at most max (> 0), valid until the next
 * call; NET_LINE. Flushes and waits like net_line(); the time is for each
 * call.
 */
enum net_got net_bytes(struct net *, size_t max, struct span *some);
/*
 * Waits until the client has sent something (NET_LINE, also for its end) or
 * fd (-1: none) is readable (NET_OTHER), at most ms. Flushes first.
 */
enum net_got net_wait(struct net *, int fd, uint64_t ms);
/* Between two commands: gives the memory of empty buffers back. */
void net_trim(struct net *);

/*
 * Gathered; flushed by net_flush(), net_line() or when large. -1: gone, and
 * net_line() will say NET_EOF.
 */
int net_write(struct net *, struct span);
int net_flush(struct net *);
/* What was gathered, then s, at once. */
int net_send(struct net *, struct span);

#endif
