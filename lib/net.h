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
};

enum net_got { NET_LINE, NET_TOOLONG, NET_EOF, NET_TIMEOUT, NET_STOP };

/* Takes fd; initial (bytes already received by the front) is copied. */
void net_init(struct net *, int fd, size_t line_max, uint64_t idle_ms,
    struct span initial);
void net_fini(struct net *);

/*
 * The next line without CR LF (a bare LF ends a line, too), valid until the
 * next call. Flushes gathered output first if it has to wait. NET_STOP: the
 * flag that net_stop() sets in a signal handler.
 */
enum net_got net_line(struct net *, struct span *line);
void net_stop(void);

/*
 * Gathered; flushed by net_flush(), net_line() or when large. -1: gone, and
 * net_line() will say NET_EOF.
 */
int net_write(struct net *, struct span);
int net_flush(struct net *);

#endif
