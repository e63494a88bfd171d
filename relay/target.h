/* target: one address of one host, where a job may go. */
#ifndef RELAY_TARGET_H
#define RELAY_TARGET_H

#include <sys/socket.h>

#include "lib/limits.h"
#include "lib/span.h"

struct target {
	char name[HOST_MAX];       /* host name; or the address as text */
	struct sockaddr_storage ss; /* AF_UNIX: the path is name */
	socklen_t len;
	bool more;                 /* the host has another address */
	bool secure;               /* DNSSEC vouches for the name */
	bool named;                /* name is a name, no address */
	char text[HOST_MAX + 64];  /* "mx.example.org[192.0.2.1]:25" */
};

/*
 * family AF_INET, AF_INET6: of 4, 16 bytes. The name may be empty: the
 * address stands for it.
 */
void target_set(struct target *, struct span name, int family,
    const void *address, unsigned port);
/*
 * An address as text: "192.0.2.1", "[192.0.2.1]", "[IPv6:2001:db8::1]",
 * "2001:db8::1". -1: it is none.
 */
int target_literal(struct target *, struct span text, unsigned port);

bool target_same_address(const struct sockaddr_storage *,
    const struct sockaddr_storage *);
/* No host can have it: 0.0.0.0, multicast, broadcast and kin. */
bool target_is_nowhere(const struct target *);
bool target_is_loopback(const struct target *);

#endif
