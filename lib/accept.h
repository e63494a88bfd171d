/*
 * accept: takes clients off a listening socket. One client a wake-up, so
 * that several processes on one socket share the work and no call is spent
 * on finding the queue empty.
 */
#ifndef LIB_ACCEPT_H
#define LIB_ACCEPT_H

#include <stdbool.h>
#include <sys/socket.h>

#include "lib/loop.h"
#include "lib/span.h"

struct accept;
/* Takes fd (non-blocking, close-on-exec). addr lives until it returns. */
typedef void accept_fn(struct accept *, int fd, const struct sockaddr *addr);

struct accept { /* embedded in its owner; must stay put while open */
	struct watch watch;
	struct timer again;
	bool said; /* that it rests */
	unsigned turn; /* clients since it stepped back */
	int spare; /* a descriptor for the client that finds none; or -1 */
	accept_fn *fn;
	void *arg;
};

/*
 * Takes fd, a listening socket, and starts. -1 and errno. With no free
 * descriptors (EMFILE and kin) it rests for a second, instead of spinning,
 * and says so in the log, once. It keeps a second descriptor of the socket.
 */
int accept_open(struct accept *, int fd, accept_fn *, void *arg);
/* Stops, closes; harmless on one that is closed or was never opened. */
void accept_close(struct accept *);

/* "192.0.2.1", "2001:db8::1", "local"; out has HOST_MAX bytes. */
void accept_address(const struct sockaddr *, char *out);

#endif
