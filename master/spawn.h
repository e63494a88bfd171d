/*
 * spawn: makes a child: fork, exec with an empty environment and four
 * descriptors, and the set-up that lib/daemon.c waits for.
 */
#ifndef MASTER_SPAWN_H
#define MASTER_SPAWN_H

#include <sys/types.h>

#include "lib/ipc_setup.h"

struct child;
struct generation;
struct seat;

/* The process of a seat, joined to its peers. NULL: logged. */
struct child *spawn_seat(struct seat *);

/*
 * A process of an owner: `is` says who (role, index, count, privileged and
 * log are filled in here). fd is borrowed. NULL: logged.
 */
struct child *spawn_owner(enum role, struct ipc_role *is, int fd);

/* A process of the seat that only forks (master/stem.h). NULL: logged. */
struct child *spawn_stem(struct seat *);

/* Notes in c whose it is, and fills in the rest of `is`. */
void spawn_owner_role(struct child *c, struct ipc_role *is);

/* New channels to each peer of that role that was there before `since`. */
void spawn_peers_again(struct child *, enum role, uint64_t since);

#endif
