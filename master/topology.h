/*
 * topology: the house as one table: which processes there are, what each
 * becomes, what each is given, who talks to whom. spawn.c builds from it,
 * `postern topology` prints it, and t/e2e compares /proc with it.
 */
#ifndef MASTER_TOPOLOGY_H
#define MASTER_TOPOLOGY_H

#include "lib/buf.h"
#include "lib/role.h"

struct conf;

enum topology_count {
	COUNT_ONE,     /* always one */
	COUNT_CONF,    /* as configured, by default one a processor */
	COUNT_SESSION, /* one a session, when auth says so */
	COUNT_WORKER,  /* when queue asks */
};

enum topology_gives {      /* beside its configuration */
	GIVES_CERT = 1,    /* certificate and key */
	GIVES_TALLY = 2,   /* shared counters */
	GIVES_SPOOL = 4,   /* the spool directory */
	GIVES_CHANNEL = 8, /* one socket: the client, the queue */
	GIVES_TICKETS = 16, /* keys for TLS session tickets */
};

enum { TOPOLOGY_NAMES = 6 };

struct topology_row {
	enum role role;
	enum topology_count count;
	const char *user; /* configuration key, or "owner" */
	bool chroot;      /* to RUN_DIR/empty; else confined below a root */
	bool renewed;     /* a reload makes new ones, the old ones drain */
	unsigned gives;
	const char *services[TOPOLOGY_NAMES]; /* listening sockets */
	const char *maps[TOPOLOGY_NAMES];
};

/* NULL: no such process in this version. */
const struct topology_row *topology_row(enum role);
size_t topology_rows(const struct topology_row **);

/* Does master join them with a channel? */
bool topology_are_peers(enum role, enum role);
bool topology_has_service(const struct topology_row *, const char *service);
bool topology_has_map(const struct topology_row *, const char *map);

/* The account that conf names for the role; NULL: the mailbox's owner. */
const char *topology_user(const struct topology_row *, const struct conf *);
/* How many are always there. */
unsigned topology_number(const struct topology_row *, const struct conf *);

/* One line a row, words that a script can read. */
void topology_print(const struct conf *, bool privileged, struct buf *);

#endif
