/*
 * doors: all listening sockets of a daemon that faces clients, and the
 * counters that its processes share.
 */
#ifndef LIB_DOORS_H
#define LIB_DOORS_H

#include <sys/socket.h>

struct daemon;

struct doors_ops {
	/* What the service's name stands for; NULL: nothing. */
	const void *(*find)(const char *name);
	/* A client of it. Takes fd. */
	void (*client)(int fd, const struct sockaddr *, const void *service);
};

/* After daemon_start(). Dies if a door cannot be opened. */
void doors_open(const struct daemon *, const struct doors_ops *);
void doors_close(void);

#endif
