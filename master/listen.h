/*
 * listen: the listening sockets. Master opens them, children accept. During
 * a reload two sets live side by side: `now` and `next`.
 */
#ifndef MASTER_LISTEN_H
#define MASTER_LISTEN_H

#include <stdbool.h>

struct buf;
struct conf;

struct listener {
	struct listener *next_one;
	int fd;
	char service[16];
	char asked[128]; /* as configured: address:port, or a path */
	char bound[128]; /* as it is: port 0 has become a number */
	bool now, next;
};

extern struct listener *listeners;

/*
 * Makes the set `next` for conf: sockets that are there are taken again,
 * others are opened. -1: err says what cannot be had (errno: the last such
 * reason), nothing has changed.
 */
int listen_plan(const struct conf *, struct buf *err);
/* next becomes now; what is left over is closed. */
void listen_commit(void);
/* next is forgotten. */
void listen_forget(void);
/* RUN_DIR/listeners: a line "service address port" each. */
void listen_publish(const struct conf *);
/* The end: sockets in the file system, and the list, are removed. */
void listen_close(const struct conf *);

#endif
