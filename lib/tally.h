/*
 * tally: counters of clients, shared by all processes of a role, so that a
 * limit is a limit of the host and not of one process. Each process writes
 * only its own column of a shared mapping and reads all; a column is zeroed
 * when its process starts, so a crash leaks nothing. Clients share a cell by
 * keyed hash; two cells each, the smaller counts (never too low).
 */
#ifndef LIB_TALLY_H
#define LIB_TALLY_H

#include <stdint.h>
#include <sys/socket.h>

#include "lib/span.h"

enum tally_kind {
	TALLY_CONNECTED, /* now: +1, -1 */
	TALLY_CONNECTS,  /* events within the last minute */
	TALLY_MESSAGES,
	TALLY_RCPTS,
	TALLY_KINDS
};

/* Bytes of the mapping for count processes; master makes it. */
size_t tally_size(unsigned count);
/* Maps fd; zeroes column index. -1 and errno. Without a call: all zero. */
int tally_open(int fd, unsigned index, unsigned count);

/* Whom an address stands for: an IPv4 address, an IPv6 /64; into it. */
struct span tally_network(const struct sockaddr *);

/* Adds delta for this client; returns the total of all processes. */
uint32_t tally_add(enum tally_kind, struct span client, int delta,
    int64_t wall);

#endif
